"""Order of the processing: product, tiles, resolutions, steps."""
