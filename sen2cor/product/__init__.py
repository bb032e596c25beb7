"""The SAFE format of Sentinel-2 products: names, metadata, folders of Level-1C and Level-2A."""
