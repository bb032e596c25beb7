"""Observations of the aerosol retrieval: mean spectra of surface types in blocks of pixels.

Surface types are clear and turbid water, and land by its vegetation index, each in a dark and a
bright half. All clear pixels serve, but for water near the shore.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import minimum_filter, uniform_filter

from sen2cor.atmosphere.aerosol.dark_reference_pixels import RED, SWIR_22, vegetation_index
from sen2cor.atmosphere.aerosol.reference_blocks import BlockGrid
from sen2cor.atmosphere.aerosol.scene import AerosolScene, PointSample
from sen2cor.atmosphere.aerosol.surface_prior import BANDS
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState
from sen2cor.raster.array_types import BoolArray, Float32Array

_STRIDE = 2
_MIN_SIDE_OF_STRIDE = 32
"""Of the rows and columns of large blocks, every second one is observed: their means do not need
all pixels."""

_MIN_PIXELS = 5
"""Minimum number of pixels of a type in a block."""

_VEGETATION_EDGES = (0.2, 0.45, 0.7)
"""Vegetation index that separates types of land."""

_BRIGHTNESS_EDGES = (0.25, 0.20, 0.12, 0.08)
"""Reflectance at 2.2 um that separates the dark from the bright half of each type of land."""

_TURBID_RED = 0.03
"""Red reflectance that separates turbid from clear water."""

_WATER_TYPES = 2
TYPES = _WATER_TYPES + 2 * (len(_VEGETATION_EDGES) + 1)
"""Number of surface types."""


@dataclass(frozen=True)
class Observations:
    """Mean spectra of the surface types of the blocks; arrays of shape (n,).

    Attributes
    ----------
    block : ndarray of intp
        Index of the block.
    kind : ndarray of intp
        Surface type.
    self_share : ndarray of float32
        Share of the type in the neighbourhood of its pixels, 0..1.
    points : PointSample
    """

    block: npt.NDArray[np.intp]
    kind: npt.NDArray[np.intp]
    self_share: Float32Array
    points: PointSample

    @property
    def water(self) -> BoolArray:
        """Which observations are of water."""
        return np.asarray(self.kind < _WATER_TYPES)


def classify_surface(
    scene: AerosolScene, surface: Mapping[str, Float32Array]
) -> npt.NDArray[np.int8]:
    """Surface type of each pixel, -1 for pixels that are not observed.

    Parameters
    ----------
    scene : AerosolScene
    surface : mapping of band to ndarray of float32, shape (rows, cols)
        Surface reflectance of B04, B8A and B12 with a first guess of the aerosol.

    Returns
    -------
    ndarray of int8, shape (rows, cols)
    """
    ndvi = vegetation_index(surface)
    vegetation = np.digitize(ndvi, _VEGETATION_EDGES).astype(np.int8)
    edges = np.array(_BRIGHTNESS_EDGES, np.float32)[vegetation]
    land = _WATER_TYPES + 2 * vegetation + (surface[SWIR_22] > edges)
    water = (surface[RED] > _TURBID_RED).astype(np.int8)
    types = np.full(scene.shape, -1, np.int8)
    np.copyto(types, land.astype(np.int8), where=scene.land)
    # away from the shore, where the adjacency effect is not known well enough for dark water
    open_water = minimum_filter(scene.water & scene.ground, 2 * scene.adjacency + 1)
    np.copyto(types, water, where=open_water & ~scene.land)
    return types


def observe(
    scene: AerosolScene, grid: BlockGrid, types: npt.NDArray[np.int8], state: AtmosphereState
) -> Observations:
    """Average the pixels of each surface type in each block.

    Parameters
    ----------
    scene : AerosolScene
    grid : BlockGrid
    types : ndarray of int8, shape (rows, cols)
        From `classify_surface`.
    state : AtmosphereState
        Water vapour.

    Returns
    -------
    Observations
    """
    stride = _STRIDE if grid.side >= _MIN_SIDE_OF_STRIDE else 1
    fewer = types[::stride, ::stride]
    chosen_pixels = fewer >= 0
    rows, cols = (stride * index for index in np.nonzero(chosen_pixels))
    kind = fewer[chosen_pixels].astype(np.intp)
    block = (rows // grid.side) * grid.number[1] + cols // grid.side
    label = block * TYPES + kind
    count = np.bincount(label, minlength=grid.number[0] * grid.number[1] * TYPES)
    chosen = np.flatnonzero(count >= _MIN_PIXELS)

    def mean(values: npt.NDArray[np.generic]) -> Float32Array:
        total = np.bincount(label, weights=values, minlength=count.size)
        return (total[chosen] / count[chosen]).astype(np.float32)

    def mean_of(image: Float32Array) -> Float32Array:
        return mean(image[::stride, ::stride][chosen_pixels])

    points = PointSample(
        rows=mean(rows),
        cols=mean(cols),
        elevation=mean(scene.elevation_at(rows.astype(np.float32), cols.astype(np.float32))),
        water_vapour=mean_of(state.water_vapour),
        toa={band: mean_of(scene.toa(band)) for band in BANDS},
        neighbourhood={band: mean_of(scene.neighbourhood(band, infrared=True)) for band in BANDS},
    )
    return Observations(
        block=chosen // TYPES,
        kind=chosen % TYPES,
        self_share=mean(_self_share(fewer, scene.adjacency // stride)[chosen_pixels]),
        points=points,
    )


def _self_share(types: npt.NDArray[np.int8], adjacency: int) -> Float32Array:
    """Share of the type of each pixel in the neighbourhood of the adjacency effect."""
    share = np.ones(types.shape, np.float32)
    if adjacency:
        for kind in range(TYPES):
            mask = types == kind
            around = uniform_filter(mask.astype(np.float32), 2 * adjacency + 1, mode="nearest")
            np.copyto(share, around, where=mask)
    return share
