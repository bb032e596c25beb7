"""Rescaling of the blue path radiance to the spectral slope of the scene's aerosol.

Over dark vegetation, the blue path radiance that is consistent with the expected blue surface
reflectance is compared with that of the look-up table. The factor applies to B02 and is 1 in B04;
in B01 and B03 it is linear in wavelength. Other bands keep their path radiance.

The ratio of blue to red reflectance of green canopies is expected to be 0.5, but can reach 0.9. An
excess that such a canopy explains is not attributed to the aerosol.
"""

from __future__ import annotations

import numpy as np

from sen2cor.atmosphere.aerosol.dark_reference_pixels import BLUE, DARK_VEGETATION, RED
from sen2cor.atmosphere.aerosol.gap_filling import robust_mean
from sen2cor.atmosphere.aerosol.reference_blocks import ReferenceBlocks
from sen2cor.atmosphere.aerosol.scene import AerosolScene, interpolate_at
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.parameters import AerosolParameters, PathRadianceParameters
from sen2cor.bands import BAND
from sen2cor.raster.array_types import Float32Array

_SCALED_BANDS = ("B01", "B02", "B03")
_INSIGNIFICANT = 0.03
"""Deviation of the factor from 1 up to which the path radiance is not rescaled."""

_MAX_BLUE_TO_RED = 0.9
"""Ratio of blue to red reflectance up to which dark vegetation is found."""


def path_radiance_ratio(
    scene: AerosolScene,
    table: LookUpTable,
    band: str,
    surface_reflectance: Float32Array,
    blocks: ReferenceBlocks,
    aot550: Float32Array,
) -> float:
    """Mean ratio of the path radiance of the scene to that of the table.

    Parameters
    ----------
    scene : AerosolScene
    table : LookUpTable
    band : str
    surface_reflectance, aot550 : ndarray of float32, shape (n,)
        Expected in the blocks.
    blocks : ReferenceBlocks

    Returns
    -------
    float
    """
    points = blocks.points
    terms = scene.terms_at(table, band, points, aot550)
    path = points.toa[band] - terms.surface_contribution(
        surface_reflectance, points.neighbourhood[band]
    )
    return robust_mean(path / terms.path_reflectance, blocks.counts)[1]


def retrieve_blue_ratios(
    scene: AerosolScene,
    table: LookUpTable,
    blocks: ReferenceBlocks,
    inverse_visibility: Float32Array,
    parameters: AerosolParameters,
) -> tuple[float, float] | None:
    """Ratio of the blue path radiance of the scene to that of the table.

    Parameters
    ----------
    scene : AerosolScene
    table : LookUpTable
    blocks : ReferenceBlocks
    inverse_visibility : ndarray of float32, shape (rows, cols)
        1/km.
    parameters : AerosolParameters

    Returns
    -------
    (float, float) or None
        For vegetation with the expected blue reflectance, and for the bluest vegetation; None if
        there is too little dark vegetation.
    """
    reference, limits = blocks.reference, parameters.path_radiance
    number = int(reference.mask.sum())
    too_few = number < limits.min_land_percent / 100.0 * scene.land.sum()
    too_few |= number < limits.min_scene_permille / 1000.0 * scene.valid
    if reference.kind != DARK_VEGETATION or too_few:
        return None
    points = blocks.points
    visibility = 1.0 / interpolate_at(inverse_visibility, points.rows, points.cols)
    aot = table.aot_from_visibility(visibility, points.elevation)
    red = blocks.expected_red(scene, table, aot)
    expected = parameters.reference_pixels.blue_to_red
    usual, bluest = (
        path_radiance_ratio(scene, table, BLUE, np.float32(ratio) * red, blocks, aot)
        for ratio in (expected, max(expected, _MAX_BLUE_TO_RED))
    )
    return usual, bluest


def choose_path_factor(
    ratio: float, ratio_of_bluest: float, parameters: PathRadianceParameters
) -> tuple[float, str]:
    """Choose the factor of the blue path radiance.

    Parameters
    ----------
    ratio : float
        Path radiance of the scene over that of the table in the blue.
    ratio_of_bluest : float
        The same for the bluest vegetation.
    parameters : PathRadianceParameters

    Returns
    -------
    factor : float
        1.0 if rescaling is disabled, changes less than 3 %, or is explained by blue vegetation.
    reason : str
        For the log.
    """
    if not parameters.rescale:
        return 1.0, "rescaling has been disabled by configuration"
    if abs(ratio - 1.0) <= _INSIGNIFICANT:
        return 1.0, "not rescaled"
    if ratio_of_bluest <= 1.0 < ratio:
        return 1.0, "not rescaled, blue vegetation explains the difference"
    if parameters.limit:
        limited = float(np.clip(ratio, parameters.min_factor, parameters.max_factor))
        if limited != ratio:
            return limited, f"rescaled by {ratio:.3f} limited to {limited:.3f}"
    return ratio, f"rescaled by {ratio:.3f}"


def path_factors_by_band(factor: float) -> dict[str, float]:
    """Factors of the bands whose path radiance is rescaled.

    Parameters
    ----------
    factor : float
        Factor of B02.

    Returns
    -------
    dict of band to float
        Empty for a factor of 1.
    """
    if factor == 1.0:
        return {}
    blue, red = BAND[BLUE].wavelength, BAND[RED].wavelength
    slope = (factor - 1.0) / (red - blue)
    return {band: 1.0 + slope * (red - BAND[band].wavelength) for band in _SCALED_BANDS}
