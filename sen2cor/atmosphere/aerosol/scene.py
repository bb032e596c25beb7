"""What the aerosol retrieval sees of a tile: reflectances, masks and what surrounds a pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import map_coordinates

from sen2cor.atmosphere.adjacency import neighbourhood_mean
from sen2cor.atmosphere.aerosol.reference_pixels import NIR
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms_by_rows
from sen2cor.atmosphere.elevation_field import ElevationField, GroundElevation
from sen2cor.atmosphere.inversion import (
    inversion_with_adjacency,
    inversion_without_adjacency,
    signal,
)
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.node_geometry import NodeGeometry
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.grids import Run, row_blocks


@dataclass
class AerosolScene:
    """What the aerosol retrieval sees of a tile, on the coarse grid.

    Attributes
    ----------
    geometry : NodeGeometry
    toa : callable
        Top-of-atmosphere reflectance of a band, ndarray of float32, shape (rows, cols).
    land, water, ground : ndarray of bool, shape (rows, cols)
        Land that may serve as reference; water; no cloud, shadow or gap in the pixel.
    valid : int
        Number of pixels with data.
    snowy : bool
        Whether vegetation may have snow in it.
    elevation : float or ElevationField
    ozone : float
        Dobson units.
    adjacency : int
        Half width in pixels of the neighbourhood whose light is scattered into a pixel; 0: none.
    """

    geometry: NodeGeometry
    toa: Callable[[str], Float32Array]
    land: BoolArray
    water: BoolArray
    ground: BoolArray
    valid: int
    snowy: bool
    elevation: GroundElevation
    ozone: float
    adjacency: int
    _surroundings: dict[str, Float32Array] = field(default_factory=dict)

    def surroundings(self, band: str) -> Float32Array:
        """Top-of-atmosphere reflectance of the neighbourhood.

        Where adjacency is left out it is that of the pixel itself: so in the near infrared, for at
        a shore the contrast is too large to judge dark water by what is left of it.
        """
        if self.adjacency == 0 or band == NIR:
            return self.toa(band)
        if band not in self._surroundings:
            self._surroundings[band] = neighbourhood_mean(
                self.toa(band), self.ground, self.adjacency
            )
        return self._surroundings[band]

    def elevation_at(self, rows: Float32Array, cols: Float32Array) -> Float32Array:
        """Elevation of places in km."""
        if isinstance(self.elevation, ElevationField):
            return interpolate_at(self.elevation.elevation, rows, cols)
        return np.full(rows.shape, self.elevation, np.float32)


class SceneSurface(dict[str, Float32Array]):
    """Surface reflectance by band, computed by blocks of rows when it is asked for."""

    def __init__(
        self, scene: AerosolScene, table: LookUpTable, state: AtmosphereState, run: Run = map
    ) -> None:
        super().__init__()
        self._scene, self._table, self._state, self._run = scene, table, state, run

    def __missing__(self, band: str) -> Float32Array:
        scene = self._scene
        functions_of = band_terms_by_rows(self._table, band, scene.geometry, self._state)
        toa, around = scene.toa(band), scene.surroundings(band)
        surface = np.empty_like(toa)

        def fill(rows: slice) -> None:
            functions = functions_of(rows)
            if scene.adjacency == 0 or band == NIR:
                inversion = inversion_without_adjacency(functions)
            else:
                # taken once for all passes: the mean of what the sensor sees, which differs from
                # that of the signal only where the functions vary in the neighbourhood
                inversion = inversion_with_adjacency(functions, signal(around[rows], functions))
            surface[rows] = inversion(toa[rows])

        list(self._run(fill, row_blocks(len(surface))))
        self[band] = surface
        return surface


def interpolate_at(field: Float32Array, rows: Float32Array, cols: Float32Array) -> Float32Array:
    """Interpolate a field of the coarse grid linearly at places given in its pixels."""
    places = np.stack([rows, cols])
    return np.asarray(map_coordinates(field, places, order=1, mode="nearest"), np.float32)
