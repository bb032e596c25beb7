"""Screens of ``L2A_Process`` that answer before or instead of a run.

Settings and their origins, what a product is, the state of the installation, what a run would do.
"""
