"""Rasters: array types, grids, row blocks, interpolation, aggregation, coordinate systems."""
