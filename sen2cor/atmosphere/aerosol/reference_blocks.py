"""Reference pixels in blocks of about a kilometre, and the visibility that each block implies.

For each block, this module finds the visibility at which the look-up table converts the observed
reflectance into the known surface reflectance; a quantile excludes outliers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.aerosol.dark_reference_pixels import BLUE, RED, ReferencePixels
from sen2cor.atmosphere.aerosol.scene import AerosolScene, PointSample
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState
from sen2cor.atmosphere.interpolation_nodes import ElevationField
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.resampling import block_sum

VISIBILITIES = (5.0, 120.0)
"""Minimum and maximum visibility in km."""

CLEAREST, HAZIEST = 1.0 / VISIBILITIES[1], 1.0 / VISIBILITIES[0]
"""Inverse visibilities at these ends, 1/km."""

_VISIBILITY_NODES = 18
_BLOCK_SIZE = 960.0
"""Metres."""

_QUANTILE = 0.35
"""Quantile of the reference pixels of a block that represents it. Contamination (soil between
crowns, haze, mixed pixels) brightens a pixel; 0.35 is the middle of the 20th to 50th percentile
that L. A. Remer et al., J. Atmos. Sci. 62 (2005) 947-973, use over land."""

_MIN_STEP = 1e-6
"""Minimum difference of two residuals for an interpolation between them."""


@dataclass(frozen=True)
class BlockGrid:
    """Square blocks of a grid; blocks at the right and lower edges may be smaller.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns of the grid.
    side : int
        Side of a block in pixels.
    """

    shape: tuple[int, int]
    side: int

    @property
    def number(self) -> tuple[int, int]:
        """Rows and columns of blocks."""
        return -(-self.shape[0] // self.side), -(-self.shape[1] // self.side)

    def centres(self) -> tuple[Float32Array, Float32Array]:
        """Pixel coordinates of the centres of block rows and columns."""
        rows, cols = (
            np.minimum(
                (np.arange(count) + np.float32(0.5)) * self.side - np.float32(0.5),
                0.5 * (np.arange(count) * self.side + size - 1),
            ).astype(np.float32)
            for count, size in zip(self.number, self.shape, strict=True)
        )
        return rows, cols

    def counts(self, mask: BoolArray) -> npt.NDArray[np.intp]:
        """Count the pixels of a mask in each block."""
        return block_sum(mask, self.side, np.intp)

    def means(self, values: Float32Array, mask: BoolArray) -> Float32Array:
        """Mean over the pixels of a mask in each block; NaN in blocks without any."""
        total = block_sum(np.where(mask, values, np.float32(0.0)), self.side, np.float32)
        count = self.counts(mask)
        result = np.full(total.shape, np.nan, np.float32)
        np.divide(total, count, out=result, where=count > 0)
        return result

    def quantiles(self, values: Float32Array, mask: BoolArray, quantile: float) -> Float32Array:
        """Quantile (0..1) over the pixels of a mask in each block; NaN in blocks without any."""
        rows, cols = self.number
        padded = np.full((rows * self.side, cols * self.side), np.inf, np.float32)
        np.copyto(padded[: self.shape[0], : self.shape[1]], values, where=mask)
        blocks = padded.reshape(rows, self.side, cols, self.side).swapaxes(1, 2)
        count = self.counts(mask)
        occupied = count > 0
        ordered = np.sort(blocks.reshape(rows, cols, -1)[occupied], axis=-1)
        position = quantile * (count[occupied] - 1)
        lower = position.astype(np.intp)
        line = np.arange(len(lower))
        first = ordered[line, lower]
        step = ordered[line, np.minimum(lower + 1, count[occupied] - 1)] - first
        result = np.full((rows, cols), np.nan, np.float32)
        result[occupied] = first + (position - lower) * step
        return result


@dataclass(frozen=True)
class ReferenceBlocks:
    """Reference pixels by block; arrays of shape (n,) for the n blocks that have any.

    Attributes
    ----------
    reference : ReferencePixels
    grid : BlockGrid
    occupied : ndarray of bool, shape (block rows, block columns)
    counts : ndarray of float32
        Reference pixels in each block.
    points : PointSample
        Block means.
    departure : ndarray of float32
        Residual of the representative pixel minus that of the block mean.
    """

    reference: ReferencePixels
    grid: BlockGrid
    occupied: BoolArray
    counts: Float32Array
    points: PointSample
    departure: Float32Array

    def on_grid(self, values: Float32Array) -> Float32Array:
        """Arrange values of shape (n,) on the grid of all blocks; NaN in the others."""
        grid = np.full(self.occupied.shape, np.nan, np.float32)
        grid[self.occupied] = values
        return grid

    def expected_red(
        self, scene: AerosolScene, table: LookUpTable, aot550: Float32Array
    ) -> Float32Array:
        """Red surface reflectance that follows from the predictor band."""
        reference = self.reference
        predictor = scene.surface_at(table, reference.predictor, self.points, aot550)
        return np.float32(reference.ratio) * predictor + np.float32(reference.constant)

    def residual(
        self, scene: AerosolScene, table: LookUpTable, aot550: Float32Array
    ) -> Float32Array:
        """Surface reflectance of the block means minus the known one.

        Parameters
        ----------
        scene : AerosolScene
        table : LookUpTable
        aot550 : ndarray of float32, shape (..., n)

        Returns
        -------
        ndarray of float32, shape (..., n)
        """
        reference = self.reference
        target = scene.surface_at(table, reference.target, self.points, aot550)
        residual = target - np.float32(reference.constant)
        if reference.ratio:
            predictor = scene.surface_at(table, reference.predictor, self.points, aot550)
            residual -= np.float32(reference.ratio) * predictor
        return residual

    def retrieve_inverse_visibility(self, scene: AerosolScene, table: LookUpTable) -> Float32Array:
        """Solve for the inverse visibility (1/km) of each block.

        Beyond the maximum visibility the residual is extrapolated linearly, so that the end of the
        table does not bias the mean over noisy blocks.

        Returns
        -------
        ndarray of float32, shape (n,)
        """
        nodes = np.linspace(CLEAREST, HAZIEST, _VISIBILITY_NODES, dtype=np.float32)
        aot = table.aot_from_visibility(1.0 / nodes[:, np.newaxis], self.points.elevation)
        residual = self.residual(scene, table, aot) + self.departure
        decreasing = np.minimum.accumulate(residual, axis=0)
        lower = np.clip((decreasing > 0.0).sum(axis=0) - 1, 0, nodes.size - 2)[np.newaxis]
        first = np.take_along_axis(residual, lower, 0)[0]
        step = first - np.take_along_axis(residual, lower + 1, 0)[0]
        fraction = np.divide(first, step, out=np.ones_like(first), where=step > _MIN_STEP)
        inverse = nodes[lower[0]] + fraction * (nodes[1] - nodes[0])
        return np.asarray(np.clip(inverse, -CLEAREST, HAZIEST), np.float32)


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
        State of the atmosphere in which the reference pixels were found.

    Returns
    -------
    ReferenceBlocks
    """
    grid = BlockGrid(scene.shape, max(1, round(_BLOCK_SIZE / scene.geometry.grid.pixel_size)))
    counts = grid.counts(reference.mask)
    occupied = counts > 0
    rows, cols = (at[occupied] for at in np.meshgrid(*grid.centres(), indexing="ij"))

    def mean(values: Float32Array) -> Float32Array:
        return grid.means(values, reference.mask)[occupied]

    if isinstance(scene.elevation, ElevationField):
        elevation = mean(scene.elevation.elevation)
    else:
        elevation = np.full(rows.shape, scene.elevation, np.float32)
    bands = dict.fromkeys((reference.target, reference.predictor, BLUE, RED))
    points = PointSample(
        rows=rows,
        cols=cols,
        elevation=elevation,
        water_vapour=mean(state.water_vapour),
        toa={band: mean(scene.toa(band)) for band in bands},
        neighbourhood={band: mean(scene.neighbourhood(band)) for band in bands},
    )
    residual = (
        surface[reference.target] - np.float32(reference.ratio) * surface[reference.predictor]
    )
    residual -= np.float32(reference.constant)
    representative = grid.quantiles(residual, reference.mask, _QUANTILE)[occupied]
    blocks = ReferenceBlocks(
        reference,
        grid,
        occupied,
        counts[occupied].astype(np.float32),
        points,
        departure=np.zeros_like(representative),
    )
    return replace(
        blocks, departure=representative - blocks.residual(scene, table, mean(state.aot550))
    )
