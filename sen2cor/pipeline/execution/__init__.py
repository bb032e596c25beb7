"""Execution: threads, processes and clusters; cores and memory."""
