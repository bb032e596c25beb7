"""Elevation models: reading, relief and its light; arrays on the grid of a tile.

`sources` finds files (and fetches them), `mosaic` joins them, `voids` fills their gaps, and
`elevation` brings them to a grid.
"""

from sen2cor.dem.elevation import Elevation, dem_image, elevation_on
from sen2cor.dem.sources import DemSource, open_source

__all__ = ["DemSource", "Elevation", "dem_image", "elevation_on", "open_source"]
