"""The atmospheric functions of a tile on a coarse grid, from the look-up tables.

The model of a band's top-of-atmosphere reflectance over a uniform surface is::

    rho_toa = offset + slope * rho / (1 - S rho)
    offset  = Tg_ozone Tg_other [rho_R + (rho_path - rho_R) Tg_water(u / 2)]
    slope   = Tg_ozone Tg_other Tg_water(u) T_down T_up

with the path reflectance of aerosol seeing half of the water vapour (E. F. Vermote et al., IEEE
Trans. Geosci. Remote Sensing 35 (1997) 675-686). Geometry and aerosol vary over kilometres, the
water vapour over hundreds of metres: the scattering functions are evaluated at nodes some hundred
metres apart and interpolated, the transmittance of water vapour per pixel of the coarse grid. Where
the elevation varies, all of them follow it pixel by pixel (`sen2cor.atmosphere.elevation_field`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.elevation_field import ElevationField, GroundElevation
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.node_geometry import NodeGeometry
from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.grids import row_blocks

_CURVE_NODES = 512
_USUAL_ROOT = (1.0, 3.0)
_TRANSPARENT = 1e-4


@dataclass(frozen=True)
class AtmosphericTerms:
    """Atmospheric functions of one band; float32 arrays of shape (rows, cols) of the coarse grid.

    Attributes
    ----------
    offset : ndarray
        Reflectance of the path, with its gas absorption.
    slope : ndarray
        Two-way transmittance, total, with gas.
    spherical_albedo : ndarray
    diffuse_to_direct : ndarray
        Diffuse over direct transmittance from the ground to the sensor.
    transmittance_down_direct : ndarray
        Direct transmittance from the sun to the ground.
    direct_fraction : ndarray
        Direct over total flux on the horizontal ground.
    """

    offset: Float32Array
    slope: Float32Array
    spherical_albedo: Float32Array
    diffuse_to_direct: Float32Array
    transmittance_down_direct: Float32Array
    direct_fraction: Float32Array


@dataclass(frozen=True)
class ScatteringTerms:
    """Scattering functions of one band and the absorption of all gases but water vapour.

    Attributes
    ----------
    gas : ndarray
        Two-way transmittance of ozone and the constant gases.
    rayleigh, aerosol : ndarray
        Path reflectance of molecules, and what the aerosol adds to it.
    transmittance : ndarray
        Downward times upward total transmittance.
    spherical_albedo, diffuse_to_direct, transmittance_down_direct, direct_fraction : ndarray
    air_mass : ndarray
    """

    gas: Float32Array
    rayleigh: Float32Array
    aerosol: Float32Array
    transmittance: Float32Array
    spherical_albedo: Float32Array
    diffuse_to_direct: Float32Array
    transmittance_down_direct: Float32Array
    direct_fraction: Float32Array
    air_mass: Float32Array


@dataclass(frozen=True)
class AtmosphereState:
    """What the atmosphere over a tile is taken to be.

    Attributes
    ----------
    aot550 : ndarray of float32, shape (rows, cols) of the coarse grid
        Aerosol optical thickness at 550 nm.
    water_vapour : ndarray of float32, same shape
        Column above the ground in cm.
    ozone : float
        Column in Dobson units.
    elevation : float or ElevationField
        Height of the ground above sea level in km.
    path_factors : mapping of band to float
        By which the path reflectance of the table is multiplied; 1 in other bands.
    """

    aot550: Float32Array
    water_vapour: Float32Array
    ozone: float
    elevation: GroundElevation
    path_factors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class NodeTerms:
    """Scattering functions of one band at the nodes, to be interpolated by blocks of rows.

    Attributes
    ----------
    geometry : NodeGeometry
    elevation : float or ElevationField
    values : mapping of str to ndarray
        By the names of `ScatteringTerms`; at the nodes, and above a relief at its levels.
    """

    geometry: NodeGeometry
    elevation: GroundElevation
    values: Mapping[str, npt.ArrayLike]

    def maps(self, rows: slice | None = None) -> ScatteringTerms:
        """Interpolate to the pixels of some rows of the coarse grid, of all by default."""
        return ScatteringTerms(
            **{name: self._expanded(name, values, rows) for name, values in self.values.items()}
        )

    def _expanded(self, name: str, values: npt.ArrayLike, rows: slice | None) -> Float32Array:
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
        Column in cm, for tables whose scattering functions vary with it.

    Returns
    -------
    NodeTerms
    """
    view_zenith, relative_azimuth = geometry.view(band)
    air_mass = geometry.air_mass(band)
    at_nodes = geometry.at_nodes(aot550)
    levels: npt.ArrayLike
    if not isinstance(elevation, ElevationField):
        levels = elevation
    else:
        levels = elevation.levels
        ground = geometry.at_nodes(elevation.elevation)
        at_nodes = _aot_at_levels(table, at_nodes, ground, elevation.levels)
    functions = table.scattering(
        band,
        aot550=at_nodes,
        elevation=levels,
        solar_zenith=geometry.solar_zenith,
        view_zenith=view_zenith,
        relative_azimuth=relative_azimuth,
        water_vapour=None if water_vapour is None else geometry.at_nodes(water_vapour),
    )
    gas = table.gas(band, water_vapour=0.0, ozone=ozone, elevation=levels, air_mass=air_mass)
    down = functions.transmittance_down_direct + functions.transmittance_down_diffuse
    up = functions.transmittance_up_direct + functions.transmittance_up_diffuse
    return NodeTerms(
        geometry,
        elevation,
        {
            "gas": gas.ozone * gas.other,
            "rayleigh": functions.rayleigh_reflectance,
            "aerosol": functions.path_reflectance - functions.rayleigh_reflectance,
            "transmittance": down * up,
            "spherical_albedo": functions.spherical_albedo,
            "diffuse_to_direct": functions.transmittance_up_diffuse
            / functions.transmittance_up_direct,
            "transmittance_down_direct": functions.transmittance_down_direct,
            "direct_fraction": functions.transmittance_down_direct / down,
            "air_mass": air_mass,
        },
    )


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
    return at_nodes.maps()


def _aot_at_levels(
    table: LookUpTable, aot550: Float32Array, elevation: Float32Array, levels: Float32Array
) -> Float32Array:
    """Optical thickness above other elevations, the aerosol's profile being the table's."""
    visibility = table.visibility_from_aot(aot550, elevation)
    here = table.aot_from_visibility(visibility, elevation)
    result: Float32Array = aot550 * table.aot_from_visibility(visibility, levels) / here
    return result


def band_terms_by_rows(
    table: LookUpTable, band: str, geometry: NodeGeometry, state: AtmosphereState
) -> Callable[[slice], AtmosphericTerms]:
    """Prepare the functions of one band, to be evaluated in some rows of the coarse grid at a time.

    Parameters
    ----------
    table : LookUpTable
    band : str
    geometry : NodeGeometry
    state : AtmosphereState

    Returns
    -------
    callable
        Gives the AtmosphericTerms of a slice of rows.
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
    curve = WaterCurve.of_band(table, band, state.elevation)
    factor = np.float32(state.path_factors.get(band, 1.0))

    def of_rows(rows: slice) -> AtmosphericTerms:
        maps, water = at_nodes.maps(rows), curve.rows(rows)
        slant = state.water_vapour[rows] * maps.air_mass
        path = maps.rayleigh + maps.aerosol * water.transmittance(np.float32(0.5) * slant)
        path *= factor
        path *= maps.gas
        slope = maps.gas * maps.transmittance
        slope *= water.transmittance(slant)
        return AtmosphericTerms(
            offset=path,
            slope=slope,
            spherical_albedo=maps.spherical_albedo,
            diffuse_to_direct=maps.diffuse_to_direct,
            transmittance_down_direct=maps.transmittance_down_direct,
            direct_fraction=maps.direct_fraction,
        )

    return of_rows


def band_terms(
    table: LookUpTable, band: str, geometry: NodeGeometry, state: AtmosphereState
) -> AtmosphericTerms:
    """Evaluate the functions of one band on the coarse grid.

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
    of_rows = band_terms_by_rows(table, band, geometry, state)
    names = [item.name for item in fields(AtmosphericTerms)]
    result = {name: np.empty(geometry.grid.shape, np.float32) for name in names}
    for rows in row_blocks(geometry.grid.rows):
        functions = of_rows(rows)
        for name in names:
            result[name][rows] = getattr(functions, name)
    return AtmosphericTerms(**result)


@dataclass(frozen=True)
class WaterCurve:
    """Transmittance of water vapour over the slant column, for one band and elevation.

    Attributes
    ----------
    root_slant : ndarray of float32, shape (n,)
        Square root of the slant column in cm, evenly spaced from 0.
    value : ndarray of float32, shape (n,)
        Transmittance.
    scale : float or ndarray of float32, shape (rows, cols) of the coarse grid
        A column absorbs as this many times itself on the curve: higher up, at less pressure, lines
        are narrower (A. R. Curtis, Q. J. R. Meteorol. Soc. 78 (1952) 638-640).
    """

    root_slant: Float32Array
    value: Float32Array
    scale: float | Float32Array = 1.0

    @classmethod
    def of_band(cls, table: LookUpTable, band: str, elevation: GroundElevation) -> WaterCurve:
        """Tabulate the curve from the look-up table, up to its largest slant column."""
        root = np.linspace(0.0, np.sqrt(table.largest_slant_water), _CURVE_NODES, dtype=np.float32)

        def at(height: float) -> Float32Array:
            gas = table.gas(band, water_vapour=root**2, ozone=0.0, elevation=height, air_mass=1.0)
            return np.asarray(gas.water, np.float32)

        if not isinstance(elevation, ElevationField):
            return cls(root, at(elevation))
        low, high = float(elevation.elevation.min()), float(elevation.elevation.max())
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        value = at(middle)
        if half == 0.0:
            return cls(root, value)
        slope = (_equivalent(root, value, at(high)) - _equivalent(root, value, at(low))) / 2.0
        scale = np.float32(slope / half) * (elevation.elevation - np.float32(middle))
        scale += np.float32(1.0)
        return cls(root, value, scale)

    def rows(self, rows: slice) -> WaterCurve:
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


def _equivalent(root: Float32Array, value: Float32Array, other: Float32Array) -> float:
    """Ratio of the columns at which a curve is as low as another one, in usual columns."""
    if value[0] - value[-1] < _TRANSPARENT:
        return 1.0
    usual = (root > _USUAL_ROOT[0]) & (root < _USUAL_ROOT[1])
    same = np.interp(-other[usual], -value, root)
    return float(np.median((same / root[usual]) ** 2))
