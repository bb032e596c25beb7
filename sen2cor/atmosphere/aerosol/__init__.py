"""Aerosol optical thickness: reference pixels, retrieval, map."""
