"""Limits of the angles for the correction: the sun above the horizon and within the tables.

Beyond the range of a table its terms are unknown, and extrapolated values look like reflectance.
Such a tile is refused as a whole: the angles of a tile vary by about one degree.

The tables, like most radiative-transfer codes, assume a plane-parallel atmosphere. Its curvature
makes the direct path from the sun shorter than in this model, by 1 % at a solar zenith angle of 75
degrees, 3 % at 80 and 8 % at 84 (F. Kasten and A. T. Young, Appl. Opt. 28 (1989) 4735-4738).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.bands import BAND_NAMES
from sen2cor.errors import InputError
from sen2cor.pipeline.tile.tile_correction import COARSE
from sen2cor.product.level1c.reader import Level1CTile

HORIZON = 90.0
LOW_SUN = 75.0
"""Solar zenith angles in degrees."""

_TOLERANCE = 0.01
_MAX_VIEW = 13.0
"""Degrees. The instrument views the ground at up to 12.2 degrees; the terms of the tables hardly
change between their ends (10 or 12 degrees) and there."""

logger = logging.getLogger(__name__)


def check_angles(tile: Level1CTile, tables: Sequence[LookUpTable]) -> None:
    """Check the angles of a tile, and warn of a low sun.

    Parameters
    ----------
    tile : Level1CTile
    tables : sequence of LookUpTable
        Those of the correction; none if the tile is only classified.

    Raises
    ------
    InputError
        The sun is below the horizon in a part of the tile, or angles are beyond the end of a table.
    """
    geometry = NodeGeometry.over(tile.grids[COARSE], tile.geometry)
    highest = max(float(np.max(geometry.solar_zenith)), tile.geometry.mean_solar_zenith)
    where = f"{tile.metadata_path}: the solar zenith angle is up to {highest:.1f} degrees"
    if highest >= HORIZON:
        raise InputError(f"{where}: the sun is below the horizon; choose a product taken by day")
    for table in tables:
        if highest > table.max_solar_zenith + _TOLERANCE:
            raise InputError(
                f"{where}, look-up table {table.name} ends at {table.max_solar_zenith:g} degrees: "
                "there is no surface reflectance; --sc_only classifies the product"
            )
        for band in BAND_NAMES:
            view = float(np.max(geometry.view(band)[0]))
            if view > max(table.max_view_zenith, _MAX_VIEW):
                raise InputError(
                    f"{tile.metadata_path}: the view zenith angle of {band} is up to {view:.1f} "
                    f"degrees, look-up table {table.name} ends at {table.max_view_zenith:g} "
                    "degrees: there is no surface reflectance; --sc_only classifies the product"
                )
    if highest > LOW_SUN:
        logger.warning(
            "%s: above %g degrees %s less reliable",
            where,
            LOW_SUN,
            "surface reflectance and classes are" if tables else "the classes are",
        )
