"""The terms of the radiative equation over a tile, from the look-up tables.

Geometry and aerosol vary over kilometres, the water vapour over hundreds of metres. Scattering is
therefore evaluated at nodes and interpolated (`sen2cor.atmosphere.interpolation_nodes`), while the
transmittance of the water vapour is computed for each pixel of the coarse grid from a curve of
growth over the slant column; the pressure scales the column (A. R. Curtis, Q. J. R. Meteorol. Soc.
78 (1952) 638-640).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.interpolation_nodes import ElevationField, GroundElevation, NodeGeometry
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.radiative_equation import (
    AtmosphericTerms,
    ScatteringTerms,
    two_way_transmittance,
)
from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.grids import row_blocks

_MIN_AOT = np.float32(1e-3)
"""Smallest aerosol optical thickness for its vertical profile, which in clear air is constant."""

_CURVE_NODES = 512
_USUAL_ROOT = (1.0, 3.0)
"""Range of the square root of usual slant columns, cm."""

_MIN_ABSORPTION = 1e-4
"""Bands that absorb less than this at the largest column count as transparent."""


@dataclass(frozen=True)
class AtmosphereState:
    """State of the atmosphere over a tile.

    Attributes
    ----------
    aot550 : ndarray of float32, shape (rows, cols) of the coarse grid
        Aerosol optical thickness at 550 nm.
    water_vapour : ndarray of float32, same shape
        Column above the surface in cm.
    ozone : float
        Column in Dobson units.
    elevation : float or ElevationField
        Elevation of the surface above sea level in km.
    path_factors : mapping of band to float
        Factors of the path reflectance of the table; 1 for bands that are not given.
    """

    aot550: Float32Array
    water_vapour: Float32Array
    ozone: float
    elevation: GroundElevation
    path_factors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class NodeTerms:
    """Scattering terms of one band at the nodes, interpolated by blocks of rows.

    Attributes
    ----------
    geometry : NodeGeometry
    elevation : float or ElevationField
    values : mapping of str to ndarray
        Fields of `ScatteringTerms` at the nodes; over varying elevation, at its levels.
    """

    geometry: NodeGeometry
    elevation: GroundElevation
    values: Mapping[str, npt.ArrayLike]

    def interpolate(self, rows: slice | None = None) -> ScatteringTerms:
        """Interpolate to the pixels of some rows of the coarse grid, of all by default."""
        return ScatteringTerms(
            **{name: self._interpolate(name, values, rows) for name, values in self.values.items()}
        )

    def _interpolate(self, name: str, values: npt.ArrayLike, rows: slice | None) -> Float32Array:
        if isinstance(self.elevation, ElevationField) and name != "air_mass":
            return self.elevation.to_pixels(self.geometry, values, rows)
        return self.geometry.to_pixels(values, rows)


def node_terms(
    table: LookUpTable,
    band: str,
    geometry: NodeGeometry,
    *,
    aot550: Float32Array,
    ozone: float,
    elevation: GroundElevation,
    water_vapour: Float32Array | None = None,
) -> NodeTerms:
    """Evaluate the table for one band at the nodes.

    Parameters
    ----------
    table : LookUpTable
    band : str
    geometry : NodeGeometry
    aot550 : ndarray of float32, shape (rows, cols) of the coarse grid
    ozone : float
        Dobson units.
    elevation : float or ElevationField
        km.
    water_vapour : ndarray of float32, same shape as `aot550`, optional
        Column in cm, for tables whose scattering terms depend on it.

    Returns
    -------
    NodeTerms
    """
    view_zenith, relative_azimuth = geometry.view(band)
    air_mass = geometry.air_mass(band)
    aot_at_nodes = geometry.at_nodes(aot550)
    elevations: npt.ArrayLike
    if not isinstance(elevation, ElevationField):
        elevations = elevation
    else:
        elevations = elevation.levels
        ground = geometry.at_nodes(elevation.elevation)
        aot_at_nodes = _aot_at_elevations(table, aot_at_nodes, ground, elevation.levels)
    scattering = table.scattering(
        band,
        aot550=aot_at_nodes,
        elevation=elevations,
        solar_zenith=geometry.solar_zenith,
        view_zenith=view_zenith,
        relative_azimuth=relative_azimuth,
        water_vapour=None if water_vapour is None else geometry.at_nodes(water_vapour),
    )
    gas = table.gas(band, water_vapour=0.0, ozone=ozone, elevation=elevations, air_mass=air_mass)
    terms = ScatteringTerms.from_table(scattering, gas, air_mass)
    values = {item.name: getattr(terms, item.name) for item in fields(ScatteringTerms)}
    return NodeTerms(geometry, elevation, values)


def scattering_terms(
    table: LookUpTable,
    band: str,
    geometry: NodeGeometry,
    *,
    aot550: Float32Array,
    ozone: float,
    elevation: GroundElevation,
    water_vapour: Float32Array | None = None,
) -> ScatteringTerms:
    """Evaluate the table for one band at the nodes and interpolate to the coarse grid.

    Parameters are those of `node_terms`.

    Returns
    -------
    ScatteringTerms
    """
    at_nodes = node_terms(
        table,
        band,
        geometry,
        aot550=aot550,
        ozone=ozone,
        elevation=elevation,
        water_vapour=water_vapour,
    )
    return at_nodes.interpolate()


def _aot_at_elevations(
    table: LookUpTable, aot550: Float32Array, elevation: Float32Array, others: Float32Array
) -> Float32Array:
    """Aerosol optical thickness above other elevations, with the aerosol profile of the table."""
    visibility = table.visibility_from_aot(np.maximum(aot550, _MIN_AOT), elevation)
    here = table.aot_from_visibility(visibility, elevation)
    result: Float32Array = aot550 * table.aot_from_visibility(visibility, others) / here
    return result


def band_terms_by_rows(
    table: LookUpTable, band: str, geometry: NodeGeometry, state: AtmosphereState
) -> Callable[[slice], AtmosphericTerms]:
    """Prepare the terms of one band, to be evaluated for blocks of rows of the coarse grid.

    Parameters
    ----------
    table : LookUpTable
    band : str
    geometry : NodeGeometry
    state : AtmosphereState

    Returns
    -------
    callable
        Returns the AtmosphericTerms of a slice of rows.
    """
    at_nodes = node_terms(
        table,
        band,
        geometry,
        aot550=state.aot550,
        ozone=state.ozone,
        elevation=state.elevation,
        water_vapour=state.water_vapour,
    )
    curve = WaterVapourCurve.for_band(table, band, state.elevation)
    factor = state.path_factors.get(band, 1.0)

    def evaluate(rows: slice) -> AtmosphericTerms:
        terms, water = at_nodes.interpolate(rows), curve.rows(rows)
        slant = state.water_vapour[rows] * terms.air_mass
        return terms.with_water_vapour(
            water_half=water.transmittance(np.float32(0.5) * slant),
            transmittance=two_way_transmittance(
                terms.gas, terms.transmittance, water.transmittance(slant)
            ),
            path_factor=factor,
        )

    return evaluate


def band_terms(
    table: LookUpTable, band: str, geometry: NodeGeometry, state: AtmosphereState
) -> AtmosphericTerms:
    """Evaluate the terms of one band on the coarse grid.

    Parameters
    ----------
    table : LookUpTable
    band : str
    geometry : NodeGeometry
    state : AtmosphereState

    Returns
    -------
    AtmosphericTerms
    """
    evaluate = band_terms_by_rows(table, band, geometry, state)
    names = [item.name for item in fields(AtmosphericTerms)]
    result = {name: np.empty(geometry.grid.shape, np.float32) for name in names}
    for rows in row_blocks(geometry.grid.rows):
        terms = evaluate(rows)
        for name in names:
            result[name][rows] = getattr(terms, name)
    return AtmosphericTerms(**result)


@dataclass(frozen=True)
class WaterVapourCurve:
    """Curve of growth: transmittance of water vapour over the slant column, in one band.

    Attributes
    ----------
    root_slant : ndarray of float32, shape (n,)
        Square root of the slant column in cm, evenly spaced from 0.
    value : ndarray of float32, shape (n,)
        Transmittance.
    scale : float or ndarray of float32, shape (rows, cols) of the coarse grid
        Factor of the slant column that accounts for pressure: lines are narrower at higher
        elevations (A. R. Curtis, Q. J. R. Meteorol. Soc. 78 (1952) 638-640).
    """

    root_slant: Float32Array
    value: Float32Array
    scale: float | Float32Array = 1.0

    @classmethod
    def for_band(
        cls, table: LookUpTable, band: str, elevation: GroundElevation
    ) -> WaterVapourCurve:
        """Tabulate the curve from the look-up table, up to its largest slant column."""
        root = np.linspace(0.0, np.sqrt(table.max_slant_water), _CURVE_NODES, dtype=np.float32)

        def at(elevation_km: float) -> Float32Array:
            gas = table.gas(
                band, water_vapour=root**2, ozone=0.0, elevation=elevation_km, air_mass=1.0
            )
            return np.asarray(gas.water, np.float32)

        if not isinstance(elevation, ElevationField):
            return cls(root, at(elevation))
        low, high = float(elevation.elevation.min()), float(elevation.elevation.max())
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        value = at(middle)
        if half == 0.0:
            return cls(root, value)
        ratios = [_equivalent_column_ratio(root, value, at(end)) for end in (high, low)]
        per_half = (ratios[0] - ratios[1]) / 2.0
        scale = np.float32(per_half / half) * (elevation.elevation - np.float32(middle))
        scale += np.float32(1.0)
        return cls(root, value, scale)

    def rows(self, rows: slice) -> WaterVapourCurve:
        """Return the curve of some rows of the coarse grid."""
        return self if isinstance(self.scale, float) else replace(self, scale=self.scale[rows])

    def transmittance(self, slant: Float32Array) -> Float32Array:
        """Interpolate linearly in the root of the slant column.

        Parameters
        ----------
        slant : ndarray of float32
            Slant column (column times air mass) in cm; clipped to the curve.

        Returns
        -------
        ndarray of float32
        """
        last = len(self.root_slant) - 1
        position = np.sqrt(np.maximum(slant * self.scale, np.float32(0.0)))
        position *= np.float32(last) / self.root_slant[-1]
        np.minimum(position, np.float32(last), out=position)
        lower = np.minimum(position.astype(np.int32), last - 1)
        position -= lower
        step = np.diff(self.value)
        result: Float32Array = self.value[lower] + position * step[lower]
        return result


def _equivalent_column_ratio(root: Float32Array, value: Float32Array, other: Float32Array) -> float:
    """Median ratio of the columns at which a curve and another one have the same transmittance."""
    if value[0] - value[-1] < _MIN_ABSORPTION:
        return 1.0
    usual = (root > _USUAL_ROOT[0]) & (root < _USUAL_ROOT[1])
    same = np.interp(-other[usual], -value, root)
    return float(np.median((same / root[usual]) ** 2))
