"""Elevation models: reading, relief and its light; arrays on the grid of a tile."""
