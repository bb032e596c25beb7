"""Sentinel-2 Level-2A processor: surface reflectance from Level-1C products."""

__version__ = "0.1.0"
