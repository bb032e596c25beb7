"""Rasters: array types, grids and row blocks, resampling, coordinate systems.

`array_types` names the array types, `grids` says where pixels and angle nodes lie and cuts images
into blocks of rows, `resampling` interpolates and aggregates, `coordinates` converts between map
coordinates and geographic ones.
"""
