"""Negative reflectance of dark pixels, and the visibility at which it disappears.

If the aerosol optical thickness is too large, more path radiance is subtracted than dark pixels
have. If too many vegetation pixels have a negative red, or water pixels a negative near infrared
reflectance, the visibility of the scene is increased step by step (R. Richter and D. Schlaepfer,
ATCOR user guide, DLR-IB 565-01).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sen2cor.atmosphere.aerosol.dark_reference_pixels import NIR, RED, vegetation_index
from sen2cor.atmosphere.aerosol.reference_blocks import VISIBILITIES
from sen2cor.atmosphere.aerosol.scene import AerosolScene, PointSample
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.parameters import NegativeReflectanceParameters
from sen2cor.raster.array_types import Float32Array

_STEP = 1.05
_STEPS = 65
"""Steps from the minimum to the maximum visibility."""

_MAX_WATER_FRACTION = 0.01
_MAX_POINTS = 20000
"""Approximate number of dark pixels of a kind that are tested."""


@dataclass(frozen=True)
class NegativeFractions:
    """Fractions of the dark pixels that are negative, 0..1.

    Attributes
    ----------
    vegetation : float
        Of the vegetation pixels: red reflectance below 0.
    water : float
        Of the water pixels: near infrared reflectance below the limit.
    """

    vegetation: float
    water: float


def raise_visibility(
    scene: AerosolScene,
    table: LookUpTable,
    surface: Mapping[str, Float32Array],
    inverse_visibility: Float32Array,
    water_vapour: Float32Array,
    parameters: NegativeReflectanceParameters,
) -> float | None:
    """Find the factor of the visibility at which dark pixels are no longer negative.

    Parameters
    ----------
    scene : AerosolScene
    table : LookUpTable
    surface : mapping of band to ndarray of float32, shape (rows, cols)
        Surface reflectance with the first guess of the aerosol.
    inverse_visibility, water_vapour : ndarray of float32, same shape
        1/km; column in cm.
    parameters : NegativeReflectanceParameters

    Returns
    -------
    float or None
        As of `find_visibility_factor`.
    """
    vegetation = scene.land & (surface[RED] < parameters.max_red)
    vegetation &= vegetation_index(surface) > parameters.min_ndvi
    groups = []
    for mask, band in ((vegetation, RED), (scene.water & scene.ground, NIR)):
        index = np.flatnonzero(mask)
        rows, cols = np.unravel_index(index[:: max(1, index.size // _MAX_POINTS)], mask.shape)
        y, x = rows.astype(np.float32), cols.astype(np.float32)
        points = PointSample(
            y,
            x,
            scene.elevation_at(y, x),
            water_vapour[rows, cols],
            {band: scene.toa(band)[rows, cols]},
            {band: scene.neighbourhood(band)[rows, cols]},
        )
        groups.append((band, points, inverse_visibility[rows, cols]))

    def count_negative(factor: float) -> NegativeFractions:
        fractions = []
        limits = (0.0, parameters.min_water_nir)
        for (band, points, inverse), limit in zip(groups, limits, strict=True):
            if inverse.size == 0:
                fractions.append(0.0)
                continue
            visibility = np.clip(np.float32(factor) / inverse, *VISIBILITIES)
            aot = table.aot_from_visibility(visibility, points.elevation)
            negative = scene.surface_at(table, band, points, aot) < limit
            fractions.append(float(negative.mean()))
        return NegativeFractions(*fractions)

    return find_visibility_factor(count_negative, parameters.max_vegetation_fraction)


def find_visibility_factor(
    fractions: Callable[[float], NegativeFractions], max_vegetation_fraction: float
) -> float | None:
    """Find the smallest factor of the visibility with few enough negative pixels.

    Parameters
    ----------
    fractions : callable
        Returns the fractions for a factor of the visibility; they decrease with the factor.
    max_vegetation_fraction : float
        Maximum fraction of negative vegetation pixels, 0..1.

    Returns
    -------
    float or None
        Factor, 1 or more. None if no factor suffices: the cause is then not the aerosol.
    """

    def suffices(step: int) -> bool:
        found = fractions(_STEP**step)
        return found.vegetation <= max_vegetation_fraction and found.water <= _MAX_WATER_FRACTION

    if suffices(0):
        return 1.0
    if suffices(_STEPS):
        return float(_STEP ** bisect_left(range(_STEPS), True, key=suffices))
    return None
