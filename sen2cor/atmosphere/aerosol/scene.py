"""Input of the aerosol retrieval: reflectance, masks and surface reflectance, by pixel or point.

Maps are computed by blocks of rows. The reference pixels are summarised by a few thousand points,
at which the look-up table is evaluated for one aerosol optical thickness after another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import map_coordinates

from sen2cor.atmosphere.aerosol.dark_reference_pixels import NIR
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms_by_rows
from sen2cor.atmosphere.interpolation_nodes import ElevationField, GroundElevation, NodeGeometry
from sen2cor.atmosphere.inversion import (
    inversion_with_adjacency,
    inversion_without_adjacency,
    neighbourhood_mean,
)
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.radiative_equation import AtmosphericTerms
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.grids import Run, row_blocks


@dataclass(frozen=True)
class PointSample:
    """Points on the coarse grid; arrays of float32 of shape (n,).

    Attributes
    ----------
    rows, cols : ndarray
        Pixel coordinates.
    elevation : ndarray
        Km.
    water_vapour : ndarray
        Column in cm.
    toa : mapping of band to ndarray
        Top-of-atmosphere reflectance.
    neighbourhood : mapping of band to ndarray
        Mean of the neighbourhood; the same as `toa` without the adjacency effect.
    """

    rows: Float32Array
    cols: Float32Array
    elevation: Float32Array
    water_vapour: Float32Array
    toa: Mapping[str, Float32Array]
    neighbourhood: Mapping[str, Float32Array]


@dataclass
class AerosolScene:
    """Input of the aerosol and water vapour retrievals of a scene, on the coarse grid.

    Attributes
    ----------
    geometry : NodeGeometry
    toa : callable
        Returns the top-of-atmosphere reflectance of a band, ndarray of float32, shape (rows, cols).
    land, water, ground, clear_land : ndarray of bool, shape (rows, cols)
        Land that may serve as reference; water; pixels without cloud, cloud shadow or gap; land
        whose water vapour is trusted.
    valid : int
        Number of pixels with data.
    snowy : bool
        Whether vegetation may be mixed with snow.
    elevation : float or ElevationField
    ozone : float
        Dobson units.
    adjacency : int
        Half width of the neighbourhood of the adjacency effect in pixels; 0: no adjacency.
    """

    geometry: NodeGeometry
    toa: Callable[[str], Float32Array]
    land: BoolArray
    water: BoolArray
    ground: BoolArray
    clear_land: BoolArray
    valid: int
    snowy: bool
    elevation: GroundElevation
    ozone: float
    adjacency: int
    _neighbourhood: dict[str, Float32Array] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the coarse grid."""
        return self.geometry.grid.shape

    def neighbourhood(self, band: str, *, infrared: bool = False) -> Float32Array:
        """Mean top-of-atmosphere reflectance of the neighbourhood.

        Without the adjacency effect this is the reflectance of the pixel itself. The same holds in
        the near infrared unless ``infrared`` is true: at a shore its contrast is too large to judge
        dark water by the residual.
        """
        if self.adjacency == 0 or (band == NIR and not infrared):
            return self.toa(band)
        if band not in self._neighbourhood:
            self._neighbourhood[band] = neighbourhood_mean(
                self.toa(band), self.ground, self.adjacency
            )
        return self._neighbourhood[band]

    def surface_reflectance(
        self, table: LookUpTable, state: AtmosphereState, band: str, run: Run = map
    ) -> Float32Array:
        """Compute the surface reflectance of a band by blocks of rows."""
        evaluate = band_terms_by_rows(table, band, self.geometry, state)
        toa, neighbourhood = self.toa(band), self.neighbourhood(band)
        surface = np.empty_like(toa)

        def fill(rows: slice) -> None:
            terms = evaluate(rows)
            if self._has_no_adjacency(band):
                inversion = inversion_without_adjacency(terms)
            else:
                # the mean of the reflectance is taken once for all passes; it differs from the
                # mean signal only where the terms vary within the neighbourhood
                inversion = inversion_with_adjacency(
                    terms, terms.surface_signal(neighbourhood[rows])
                )
            surface[rows] = inversion(toa[rows])

        list(run(fill, row_blocks(len(surface))))
        return surface

    def elevation_at(self, rows: Float32Array, cols: Float32Array) -> Float32Array:
        """Elevation of points in km."""
        if isinstance(self.elevation, ElevationField):
            return interpolate_at(self.elevation.elevation, rows, cols)
        return np.full(rows.shape, self.elevation, np.float32)

    def terms_at(
        self, table: LookUpTable, band: str, points: PointSample, aot550: Float32Array
    ) -> AtmosphericTerms:
        """Evaluate the terms of a band at points, for optical thicknesses of shape (..., n)."""
        return terms_at_points(table, band, self.geometry, points, aot550, self.ozone)

    def surface_at(
        self, table: LookUpTable, band: str, points: PointSample, aot550: Float32Array
    ) -> Float32Array:
        """Compute the surface reflectance of a band at points; arguments as of `terms_at`."""
        terms = self.terms_at(table, band, points, aot550)
        return terms.surface_reflectance(points.toa[band], points.neighbourhood[band])

    def _has_no_adjacency(self, band: str) -> bool:
        return self.adjacency == 0 or band == NIR


class SceneSurface(dict[str, Float32Array]):
    """Surface reflectance by band, computed on first access."""

    def __init__(
        self, scene: AerosolScene, table: LookUpTable, state: AtmosphereState, run: Run = map
    ) -> None:
        super().__init__()
        self._scene, self._table, self._state, self._run = scene, table, state, run

    def __missing__(self, band: str) -> Float32Array:
        surface = self._scene.surface_reflectance(self._table, self._state, band, self._run)
        self[band] = surface
        return surface


def terms_at_points(
    table: LookUpTable,
    band: str,
    geometry: NodeGeometry,
    points: PointSample,
    aot550: Float32Array,
    ozone: float,
) -> AtmosphericTerms:
    """Evaluate the terms of the radiative equation at points.

    Parameters
    ----------
    table : LookUpTable
    band : str
    geometry : NodeGeometry
    points : PointSample
    aot550 : ndarray of float32, shape (..., n)
        At the elevation of the points.
    ozone : float
        Dobson units.

    Returns
    -------
    AtmosphericTerms
        Arrays of shape (..., n).
    """
    node_rows, node_cols = (
        at * np.float32((nodes.size - 1.0) / nodes[-1])
        for at, nodes in ((points.rows, geometry.rows), (points.cols, geometry.cols))
    )

    def here(nodes: Float32Array) -> Float32Array:
        return interpolate_at(nodes, node_rows, node_cols)

    view_zenith, relative_azimuth = (here(angle) for angle in geometry.view(band))
    air_mass = here(geometry.air_mass(band))
    scattering = table.scattering(
        band,
        aot550=aot550,
        elevation=points.elevation,
        solar_zenith=here(geometry.solar_zenith),
        view_zenith=view_zenith,
        relative_azimuth=relative_azimuth,
        water_vapour=points.water_vapour,
    )
    gas = table.gas(
        band,
        water_vapour=points.water_vapour,
        ozone=ozone,
        elevation=points.elevation,
        air_mass=air_mass,
    )
    return AtmosphericTerms.from_table(scattering, gas, air_mass)


def interpolate_at(field: Float32Array, rows: Float32Array, cols: Float32Array) -> Float32Array:
    """Interpolate a field linearly at points given in its pixel coordinates."""
    points = np.stack([rows, cols])
    return np.asarray(map_coordinates(field, points, order=1, mode="nearest"), np.float32)
