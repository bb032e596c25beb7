"""Reference pixels of a scene by blocks, and the visibility that each block asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sen2cor.atmosphere.aerosol import path_radiance_scaling
from sen2cor.atmosphere.aerosol.block_statistics import Blocks
from sen2cor.atmosphere.aerosol.point_sample import PointSample, SiteFunctions, evaluate_at_points
from sen2cor.atmosphere.aerosol.reference_pixels import RED, ReferencePixels
from sen2cor.atmosphere.aerosol.scene import AerosolScene
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState
from sen2cor.atmosphere.elevation_field import ElevationField
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.raster.array_types import BoolArray, Float32Array

VISIBILITIES = (5.0, 120.0)
"""Least and greatest visibility in km."""

CLEAREST, HAZIEST = 1.0 / VISIBILITIES[1], 1.0 / VISIBILITIES[0]
"""Inverse visibilities at these ends, 1/km."""

_NODES = 18
_BLOCK = 960.0
_QUANTILE = 0.35
"""Of the reference pixels of a block. What spoils them (soil between crowns, haze, mixed pixels)
brightens: the middle of the 20th to 50th percentile is taken, as over land in L. A. Remer et al.,
J. Atmos. Sci. 62 (2005) 947-973."""


@dataclass(frozen=True)
class ReferenceBlocks:
    """Reference pixels of a scene by blocks; arrays of shape (n,) for the blocks that have some.

    ``departure`` is what the typical pixel differs by from the pixel of mean values.
    """

    blocks: Blocks
    occupied: BoolArray
    counts: Float32Array
    sites: PointSample
    departure: Float32Array

    def on_grid(self, values: Float32Array) -> Float32Array:
        """Put values of shape (n,) in their places among all blocks; NaN in the others."""
        grid = np.full(self.occupied.shape, np.nan, np.float32)
        grid[self.occupied] = values
        return grid


def gather_reference_blocks(
    scene: AerosolScene,
    table: LookUpTable,
    surface: Mapping[str, Float32Array],
    reference: ReferencePixels,
    state: AtmosphereState,
) -> ReferenceBlocks:
    """Gather reference pixels in blocks.

    Parameters
    ----------
    scene : AerosolScene
    table : LookUpTable
    surface : mapping of band to ndarray of float32, shape (rows, cols)
        Surface reflectance in the state.
    reference : ReferencePixels
    state : AtmosphereState
        With which they were found.

    Returns
    -------
    ReferenceBlocks
    """
    shape = scene.geometry.grid.shape
    blocks = Blocks(shape, max(1, round(_BLOCK / scene.geometry.grid.pixel_size)))
    counts = blocks.counts(reference.mask)
    occupied = counts > 0
    rows, cols = (at[occupied] for at in np.meshgrid(*blocks.centres(), indexing="ij"))

    def mean(values: Float32Array) -> Float32Array:
        return blocks.means(values, reference.mask)[occupied]

    if isinstance(scene.elevation, ElevationField):
        elevation = mean(scene.elevation.elevation)
    else:
        elevation = np.full(rows.shape, scene.elevation, np.float32)
    bands = dict.fromkeys((reference.target, reference.predictor, path_radiance_scaling.BLUE, RED))
    sites = PointSample(
        rows=rows,
        cols=cols,
        elevation=elevation,
        water_vapour=mean(state.water_vapour),
        toa={band: mean(scene.toa(band)) for band in bands},
        surroundings={band: mean(scene.surroundings(band)) for band in bands},
    )
    residual = (
        surface[reference.target] - np.float32(reference.ratio) * surface[reference.predictor]
    )
    residual -= np.float32(reference.constant)
    typical = blocks.quantiles(residual, reference.mask, _QUANTILE)[occupied]
    at_mean = _residual(scene, table, sites, reference, mean(state.aot550))
    return ReferenceBlocks(
        blocks, occupied, counts[occupied].astype(np.float32), sites, typical - at_mean
    )


def functions_at(
    scene: AerosolScene, table: LookUpTable, band: str, sites: PointSample, aot550: Float32Array
) -> SiteFunctions:
    """Functions of a band at places of a scene, for optical thicknesses of shape (..., n)."""
    return evaluate_at_points(table, band, scene.geometry, sites, aot550, scene.ozone)


def surface_at(
    scene: AerosolScene, table: LookUpTable, band: str, sites: PointSample, aot550: Float32Array
) -> Float32Array:
    """Surface reflectance of a band there; arguments as of `functions_at`."""
    functions = functions_at(scene, table, band, sites, aot550)
    return functions.surface(sites.toa[band], sites.surroundings[band])


def _residual(
    scene: AerosolScene,
    table: LookUpTable,
    sites: PointSample,
    reference: ReferencePixels,
    aot550: Float32Array,
) -> Float32Array:
    """Reflectance of the target band beyond what is expected."""
    residual = surface_at(scene, table, reference.target, sites, aot550) - np.float32(
        reference.constant
    )
    if reference.ratio:
        expected = surface_at(scene, table, reference.predictor, sites, aot550)
        residual -= np.float32(reference.ratio) * expected
    return residual


def inverse_visibilities(
    scene: AerosolScene, table: LookUpTable, blocked: ReferenceBlocks, reference: ReferencePixels
) -> Float32Array:
    """Solve for the inverse visibility (1/km) of each block, shape (n,).

    Below the clearest visibility the residual goes on as a straight line, so that the mean over
    blocks that scatter is not biased by the end of the table.
    """
    nodes = np.linspace(CLEAREST, HAZIEST, _NODES, dtype=np.float32)
    aot = table.aot_from_visibility(1.0 / nodes[:, np.newaxis], blocked.sites.elevation)
    residual = _residual(scene, table, blocked.sites, reference, aot) + blocked.departure
    falling = np.minimum.accumulate(residual, axis=0)
    lower = np.clip((falling > 0.0).sum(axis=0) - 1, 0, _NODES - 2)[np.newaxis]
    first = np.take_along_axis(residual, lower, 0)[0]
    step = first - np.take_along_axis(residual, lower + 1, 0)[0]
    share = np.divide(first, step, out=np.ones_like(first), where=step > 1e-6)
    inverse = nodes[lower[0]] + share * (nodes[1] - nodes[0])
    return np.asarray(np.clip(inverse, -CLEAREST, HAZIEST), np.float32)
