"""Digital elevation models: reading them, and the slopes, shadows and sky view of the terrain.

From file to grid: `tile_schemes` describes the tile names of each model, `sources` finds the
files of an area, `download` fetches missing ones, `mosaic` joins them, `voids` fills their gaps,
and `elevation` resamples the result to the grid of a tile.

From grid to terrain: `illumination` computes the direction to the sun and the illumination of
slopes, `horizon` cast shadows and the sky view factor, and `terrain` combines them.
"""

from sen2cor.dem.elevation import TileElevation, encode_elevation, read_elevation
from sen2cor.dem.sources import DemSource, open_source

__all__ = ["DemSource", "TileElevation", "encode_elevation", "open_source", "read_elevation"]
