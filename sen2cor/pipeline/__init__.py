"""What happens in which order: product, tiles, resolutions, steps."""
