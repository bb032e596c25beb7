"""The look-up tables of scattering (6SV) and gas absorption (LOWTRAN7).

`sen2cor.radiative_transfer` computes the tables; this module reads and interpolates them.
Interpolation is linear in aerosol optical thickness, pressure and the square root of the water
vapour column, for transmittances in their logarithms. On loading, cubic splines halve the steps of
aerosol optical thickness: linear interpolation alone would cause errors of up to 0.006 in surface
reflectance at large optical thicknesses. Values outside an axis are replaced by the nearest limit,
with one warning per quantity.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.io import netcdf_file

from sen2cor.atmosphere.look_up_tables.interpolation import (
    Axes,
    halve_intervals,
    interpolate,
    refine_by_splines,
)
from sen2cor.atmosphere.look_up_tables.look_up_table import Gas, LookUpTable, Scattering
from sen2cor.bands import BAND
from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import Float32Array

__all__ = [
    "MOLECULAR_VISIBILITY",
    "TABLES",
    "Gas",
    "LookUpTable",
    "Scattering",
    "SixSLookUpTable",
    "load_table",
]

TABLES = Path(__file__).parent / "data"

MOLECULAR_VISIBILITY = 337.5
"""Visibility in km without aerosol: ln(50) over the extinction of the molecules at 550 nm at sea
level, 0.01159 per km (F. X. Kneizys et al., Users Guide to LOWTRAN 7, AFGL-TR-88-0177, 1988)."""

_FORMAT = "sen2cor look-up table 1"
_PRESSURE_SCALE = 8.0
_MIN_TRANSMITTANCE = 1e-12
_CLEAR = 0
_AOT_AXIS = 2
_CLEAREST = np.float32(1.0 / MOLECULAR_VISIBILITY)
_UNITS = {
    "solar zenith": "degrees",
    "view zenith": "degrees",
    "visibility": "km",
    "elevation of visibility": "km",
    "wavelength": "um",
}


class SixSLookUpTable:
    """Scattering and absorption in the bands of a spacecraft for one aerosol and season.

    Parameters
    ----------
    scattering_path, gas_path : Path
        The two files.
    spacecraft, aerosol, season : str
        As in `load_table`.

    Attributes
    ----------
    name : str
        Of the table, for reports.
    spacecraft, aerosol, season : str
        In upper case.
    max_slant_water : float
        End of the axis of water vapour along the two-way path, in cm.
    """

    def __init__(
        self, scattering_path: Path, gas_path: Path, *, spacecraft: str, aerosol: str, season: str
    ) -> None:
        self.spacecraft, self.aerosol, self.season = spacecraft, aerosol.upper(), season.upper()
        self.name = f"{spacecraft}_{self.aerosol}_{self.season}"
        scattering, gas = _read(scattering_path), _read(gas_path)
        self._rows: dict[str, int] = {name: row for row, name in enumerate(BAND)}
        try:
            nodes = scattering["aot550"]
            aot550 = halve_intervals(nodes)

            def denser(values: Float32Array) -> Float32Array:
                return refine_by_splines(values, _AOT_AXIS, nodes, aot550)

            axes = {
                "AOT550": aot550,
                "elevation": _pressure(scattering["elevation"]),
                "solar zenith": scattering["solar_zenith"],
                "view zenith": scattering["view_zenith"],
                "elevation of gases": _pressure(gas["elevation"]),
                "slant water vapour": np.sqrt(gas["water_slant"]),
                "slant ozone": gas["ozone_slant"],
                "air mass": gas["air_mass"],
                "visibility": np.append(scattering["visibility"], MOLECULAR_VISIBILITY),
                "inverse visibility": 1.0 / scattering["visibility"],
                "elevation of visibility": scattering["visibility_elevation"],
                "wavelength": scattering["wavelength"],
            }
            self._path = denser(scattering["path_reflectance"])
            self._albedo = denser(scattering["spherical_albedo"])
            self._log_extinction = np.log(scattering["extinction"])
            self._band_extinction = scattering["band_extinction"]
            self._logarithms = {
                name: denser(_logarithm(scattering[name]))
                for name in ("direct_down", "total_down", "direct_up", "total_up")
            } | {name: _logarithm(gas[name]) for name in ("water", "ozone", "other")}
            self._aot_by_visibility = scattering[f"visibility_aot550_{season.lower()}"]
        except KeyError as error:
            raise AuxiliaryDataError(
                f"{scattering_path} or {gas_path} has no variable {error}: make the tables again "
                "with python -m sen2cor.radiative_transfer"
            ) from error
        self.max_slant_water = float(gas["water_slant"][-1])
        self.max_solar_zenith = float(scattering["solar_zenith"][-1])
        self.max_view_zenith = float(scattering["view_zenith"][-1])
        self._axes = Axes(self.name, axes, _UNITS)

    def scattering(
        self,
        band: str,
        *,
        aot550: npt.ArrayLike,
        elevation: npt.ArrayLike,
        solar_zenith: npt.ArrayLike,
        view_zenith: npt.ArrayLike,
        relative_azimuth: npt.ArrayLike,
        water_vapour: npt.ArrayLike | None = None,
    ) -> Scattering:
        """Scattering terms of a band; for the parameters see `LookUpTable.scattering`.

        NaN in an argument gives NaN. ``water_vapour`` is not used: the terms do not include gas
        absorption. The Fourier coefficients in azimuth depend on view zenith by their lowest power
        of the sine.
        """
        row = self._rows[band]
        level = self._axes.locate("elevation", _pressure(elevation))
        aerosol = self._axes.locate("AOT550", aot550)
        sun = self._axes.locate("solar zenith", solar_zenith)
        view = np.asarray(view_zenith, np.float32)
        self._axes.check("view zenith", view)
        slant = np.minimum(view, self._axes["view zenith"][-1])
        azimuth = np.radians(np.asarray(relative_azimuth, np.float32))

        def in_view(terms: Float32Array) -> Float32Array:
            nadir, constant, cosine, double = np.moveaxis(terms, -1, 0)
            sine = _sine(slant) / _sine(self._axes["view zenith"][-1])
            even = constant - nadir + double * np.cos(np.float32(2.0) * azimuth)
            return np.asarray(nadir + sine * (cosine * np.cos(azimuth) + sine * even), np.float32)

        def down(name: str) -> Float32Array:
            return np.exp(interpolate(self._logarithms[name][row], (level, aerosol, sun)))

        def up(name: str) -> Float32Array:
            nadir, slanted = np.moveaxis(
                interpolate(self._logarithms[name][row], (level, aerosol)), -1, 0
            )
            fraction = _secant_excess(slant) / _secant_excess(self._axes["view zenith"][-1])
            transmittance: Float32Array = np.exp(nadir + fraction * (slanted - nadir))
            return transmittance

        direct_down, direct_up = down("direct_down"), up("direct_up")
        parts = (
            in_view(interpolate(self._path[row][:, _CLEAR], (level, sun))),
            in_view(interpolate(self._path[row], (level, aerosol, sun))),
            direct_down,
            down("total_down") - direct_down,
            direct_up,
            up("total_up") - direct_up,
            interpolate(self._albedo[row], (level, aerosol)),
        )
        shape = np.broadcast_shapes(
            *map(np.shape, (aot550, elevation, solar_zenith, view_zenith, relative_azimuth))
        )
        return Scattering(*(np.broadcast_to(part, shape) for part in parts))

    def gas(
        self,
        band: str,
        *,
        water_vapour: npt.ArrayLike,
        ozone: npt.ArrayLike,
        elevation: npt.ArrayLike,
        air_mass: npt.ArrayLike,
    ) -> Gas:
        """Two-way transmittance of the gases in a band; see `LookUpTable.gas`."""
        row = self._rows[band]
        mass = np.asarray(air_mass, np.float32)
        slant_water = np.asarray(water_vapour, np.float32) * mass
        slant_ozone = np.asarray(ozone, np.float32) * mass
        level = self._axes.locate("elevation of gases", _pressure(elevation))

        def water(slant: Float32Array) -> Float32Array:
            position = self._axes.locate(
                "slant water vapour", np.sqrt(np.maximum(slant, np.float32(0.0)))
            )
            return np.exp(interpolate(self._logarithms["water"][row], (level, position)))

        ozone_position = self._axes.locate("slant ozone", slant_ozone)
        mass_position = self._axes.locate("air mass", mass)
        parts = (
            np.exp(interpolate(self._logarithms["ozone"][row], (ozone_position,))),
            np.exp(interpolate(self._logarithms["other"][row], (level, mass_position))),
            water(slant_water),
            water(np.float32(0.5) * slant_water),
        )
        shape = np.broadcast_shapes(*map(np.shape, (water_vapour, ozone, elevation, air_mass)))
        return Gas(*(np.broadcast_to(part, shape) for part in parts))

    def aot_from_visibility(
        self, visibility: npt.ArrayLike, elevation: npt.ArrayLike
    ) -> Float32Array:
        """Aerosol optical thickness at 550 nm of a visibility (km) at an elevation (km).

        Interpolated linearly in the inverse of visibility; beyond the largest tabulated visibility,
        as far as 0 at `MOLECULAR_VISIBILITY` at all elevations. In clear air, the vertical profile
        of the aerosol is therefore that of the largest tabulated visibility.
        """
        kilometres = np.asarray(visibility, np.float32)
        self._axes.check("visibility", kilometres)
        inverse = np.float32(1.0) / kilometres
        tabulated = self._axes["inverse visibility"]
        positions = (
            self._axes.locate("inverse visibility", np.clip(inverse, tabulated[-1], tabulated[0])),
            self._axes.locate("elevation of visibility", elevation),
        )
        clear = np.clip((inverse - _CLEAREST) / (tabulated[-1] - _CLEAREST), 0.0, 1.0)
        return np.asarray(clear * interpolate(self._aot_by_visibility, positions), np.float32)

    def visibility_from_aot(self, aot550: npt.ArrayLike, elevation: npt.ArrayLike) -> Float32Array:
        """Visibility in km of an aerosol optical thickness at 550 nm at an elevation (km).

        The inverse of `aot_from_visibility`, from the smallest tabulated visibility to
        `MOLECULAR_VISIBILITY`.
        """
        level = self._axes.locate("elevation of visibility", elevation)
        # nodes rise with the inverse of visibility, and so does the optical thickness
        curve = interpolate(np.ascontiguousarray(self._aot_by_visibility.T), (level,))[..., ::-1]
        inverse = self._axes["inverse visibility"][::-1]
        aot = np.asarray(aot550, np.float32)
        inside = np.clip(aot, np.float32(0.0), curve[..., -1])
        if np.any(inside != aot):
            self._axes.warn_outside("AOT550 of visibility", 0.0, float(curve.max()))
        clear = inside / curve[..., 0]
        inside = np.maximum(inside, curve[..., 0])
        above = (inside[..., np.newaxis] > curve).sum(-1)
        lower = np.clip(above - 1, 0, inverse.size - 2)
        nodes = np.broadcast_to(curve, (*lower.shape, inverse.size))
        low = np.take_along_axis(nodes, lower[..., np.newaxis], -1)[..., 0]
        high = np.take_along_axis(nodes, lower[..., np.newaxis] + 1, -1)[..., 0]
        fraction = (inside - low) / (high - low)
        result = inverse[lower] + fraction * (inverse[lower + 1] - inverse[lower])
        result = np.where(clear < 1.0, _CLEAREST + clear * (inverse[0] - _CLEAREST), result)
        return np.asarray(1.0 / result, np.float32)

    def extinction(self, at: str | npt.ArrayLike) -> Float32Array:
        """Extinction of the aerosol relative to that at 550 nm.

        Multiplied by the aerosol optical thickness at 550 nm, it gives that at other wavelengths.

        Parameters
        ----------
        at : str or array_like
            A band, ``B01`` .. ``B12``, ``B8A``, for its average over the band, or wavelengths in
            micrometres.

        Returns
        -------
        ndarray of float32
            Of the shape of the wavelengths; between those of the table a power law.
        """
        if isinstance(at, str):
            return np.asarray(self._band_extinction[self._rows[at]], np.float32)
        position = self._axes.locate("wavelength", at, np.log)
        return np.exp(interpolate(self._log_extinction, (position,)))

    def angstrom_exponent(self, first: float = 0.443, second: float = 0.865) -> float:
        """Spectral slope of the aerosol's extinction between two wavelengths in micrometres.

        It is the exponent ``a`` of the power law ``extinction ~ wavelength ** -a`` through both
        (A. Angstrom, Geografiska Annaler 11 (1929) 156-166).
        """
        ratio = self.extinction(first) / self.extinction(second)
        return float(-np.log(ratio) / np.log(first / second))


def _pressure(elevation: npt.ArrayLike) -> Float32Array:
    """Pressure relative to sea level; the coordinate of elevation in km."""
    result: Float32Array = np.exp(-np.asarray(elevation, np.float32) / np.float32(_PRESSURE_SCALE))
    return result


def _sine(degrees: Float32Array) -> Float32Array:
    result: Float32Array = np.sin(np.radians(degrees))
    return result


def _secant_excess(degrees: Float32Array) -> Float32Array:
    result: Float32Array = np.float32(1.0) / np.cos(np.radians(degrees)) - np.float32(1.0)
    return result


def _logarithm(transmittance: Float32Array) -> Float32Array:
    result: Float32Array = np.log(np.maximum(transmittance, np.float32(_MIN_TRANSMITTANCE)))
    return result


def _read(path: Path) -> dict[str, Float32Array]:
    """Read the variables of a file and compare them with its checksum."""
    if not path.is_file():
        raise AuxiliaryDataError(
            f"look-up table {path} does not exist: install the package again, or make the table "
            "with python -m sen2cor.radiative_transfer"
        )
    try:
        with netcdf_file(path, "r", mmap=False) as stream:
            raw = {name: variable[:] for name, variable in stream.variables.items()}
            form, bands, checksum = (
                getattr(stream, name).decode() for name in ("format", "bands", "sha256")
            )
    except Exception as error:  # the reader raises whatever a broken file leads it to
        raise AuxiliaryDataError(f"look-up table {path} cannot be read: {error}") from error
    if form != _FORMAT or bands.split() != list(BAND):
        raise AuxiliaryDataError(
            f"look-up table {path} is of another format ({form}): make it again with "
            "python -m sen2cor.radiative_transfer"
        )
    digest = hashlib.sha256()
    for name in sorted(raw):
        digest.update(np.asarray(raw[name], ">f4").tobytes())
    if digest.hexdigest() != checksum:
        raise AuxiliaryDataError(
            f"look-up table {path} is damaged (its checksum differs): install the package again"
        )
    return {name: np.asarray(values, np.float32) for name, values in raw.items()}


def load_table(
    spacecraft: str, aerosol: str, season: str, *, folder: Path = TABLES
) -> SixSLookUpTable:
    """Load the table of a spacecraft, an aerosol and a season.

    Parameters
    ----------
    spacecraft : str
        ``S2A``, ``S2B``, ``S2C``.
    aerosol : str
        ``RURAL``, ``MARITIME``, ``URBAN``, ``DESERT`` or ``RURAL_MIE``.
    season : str
        ``SUMMER`` or ``WINTER``: the mid-latitude atmosphere.
    folder : Path, optional
        Folder of the files; by default that of the package.

    Raises
    ------
    AuxiliaryDataError
        A file is missing or broken; the message names it.
    """
    return SixSLookUpTable(
        folder / f"{spacecraft}_{aerosol.lower()}.nc",
        folder / f"{spacecraft}_{season.lower()}.nc",
        spacecraft=spacecraft,
        aerosol=aerosol,
        season=season,
    )
