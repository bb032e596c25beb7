"""Files of the look-up tables: scattering by spacecraft and aerosol, gases by spacecraft and
season.

The files are NetCDF classic, with axes, units and origin; the same input yields the same bytes.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.io import netcdf_file

from sen2cor.bands import BAND_NAMES
from sen2cor.files import replace_on_success
from sen2cor.radiative_transfer import lowtran, sixs, visibility
from sen2cor.radiative_transfer.aerosol import (
    MIXTURES,
    aerosol_description,
    aerosol_optics,
)
from sen2cor.radiative_transfer.band_average import VIEW_TERMS, average
from sen2cor.radiative_transfer.configuration import VIEW_ZENITH, Configuration
from sen2cor.radiative_transfer.gas_tables import gas_tables
from sen2cor.radiative_transfer.sixs import Scattering, State
from sen2cor.spectral_responses import RESPONSE_SOURCE

FORMAT = "sen2cor look-up table 1"

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Variable:
    """One variable of a table; an axis is a variable whose only dimension has its own name.

    Attributes
    ----------
    dimensions : sequence of str
    values : array_like
        Written as float32.
    units : str
    description : str
    """

    dimensions: Sequence[str]
    values: npt.ArrayLike
    units: str
    description: str


def write_table(
    path: Path, variables: Mapping[str, Variable], attributes: Mapping[str, str]
) -> None:
    """Write a table atomically, with a checksum of its values as an attribute."""
    digest = hashlib.sha256()
    with replace_on_success(path) as part, netcdf_file(part, "w") as stream:
        for name, variable in variables.items():
            values = np.asarray(variable.values, ">f4")
            for dimension, size in zip(variable.dimensions, values.shape, strict=True):
                if dimension not in stream.dimensions:
                    stream.createDimension(dimension, size)
            written = stream.createVariable(name, "f4", tuple(variable.dimensions))
            written[:] = values
            written.units = variable.units
            written.long_name = variable.description
        for name in sorted(variables):
            digest.update(np.asarray(variables[name].values, ">f4").tobytes())
        for name, text in {"format": FORMAT, **attributes, "sha256": digest.hexdigest()}.items():
            setattr(stream, name, text)


def write_scattering(
    folder: Path,
    configuration: Configuration,
    results: Mapping[State, Scattering],
    spacecraft: str,
    aerosol: str,
) -> Path:
    """Average the runs of an aerosol over the bands of a spacecraft and write the table.

    Returns
    -------
    Path
        The file that was written.
    """
    axes = configuration.nadir
    bands = average(results, configuration, aerosol, spacecraft)
    base = ("band", "elevation", "aot550")
    variables = {
        "elevation": Variable(("elevation",), bands.elevation, "km", "elevation of the ground"),
        "aot550": Variable(("aot550",), axes.aot550, "1", "aerosol optical thickness at 550 nm"),
        "solar_zenith": Variable(("solar_zenith",), bands.solar_zenith, "degree", "solar zenith"),
        "view_zenith": Variable(("view_zenith",), [0.0, VIEW_ZENITH], "degree", "view zenith"),
        "path_reflectance": Variable(
            (*base, "solar_zenith", "view_term"),
            bands.path_reflectance,
            "1",
            f"path reflectance: {', '.join(VIEW_TERMS)} (nadir; Fourier coefficients in relative "
            f"azimuth at {VIEW_ZENITH:g} degrees, azimuth 0 is backscatter)",
        ),
        "direct_down": Variable(
            (*base, "solar_zenith"), bands.direct_down, "1", "direct transmittance from the sun"
        ),
        "total_down": Variable(
            (*base, "solar_zenith"), bands.total_down, "1", "total transmittance from the sun"
        ),
        "direct_up": Variable(
            (*base, "view_zenith"), bands.direct_up, "1", "direct transmittance to the sensor"
        ),
        "total_up": Variable(
            (*base, "view_zenith"), bands.total_up, "1", "total transmittance to the sensor"
        ),
        "spherical_albedo": Variable(base, bands.spherical_albedo, "1", "spherical albedo"),
        "wavelength": Variable(("wavelength",), sixs.WAVELENGTHS, "um", "wavelength"),
        "extinction": Variable(
            ("wavelength",),
            aerosol_optics(aerosol).extinction,
            "1",
            "extinction of the aerosol relative to 550 nm",
        ),
        "band_extinction": Variable(
            ("band",),
            bands.extinction,
            "1",
            "extinction of the aerosol in the band relative to 550 nm",
        ),
        "visibility": Variable(("visibility",), visibility.VISIBILITY, "km", "visibility"),
        "visibility_elevation": Variable(
            ("visibility_elevation",), visibility.ELEVATION, "km", "elevation of the ground"
        ),
    }
    for season in lowtran.MODELS:
        variables[f"visibility_aot550_{season}"] = Variable(
            ("visibility", "visibility_elevation"),
            visibility.aot550(season),
            "1",
            f"aerosol optical thickness at 550 nm by visibility, {season}",
        )
    source = lowtran.version() if aerosol in MIXTURES else sixs.version()
    path = folder / f"{spacecraft}_{aerosol}.nc"
    write_table(
        path,
        variables,
        {
            **_common(spacecraft),
            "aerosol": aerosol,
            "codes": f"{sixs.version()}; aerosol of {source}",
            "aerosol_model": aerosol_description(aerosol),
            "configuration": configuration.name,
            "options": "no gas, black ground, monochromatic, vector",
            "wavelengths_um": _listed(axes.wavelength),
            "runs_elevation_km": _listed(axes.elevation),
            "runs_solar_zenith_degree": _listed(axes.solar_zenith),
            "runs_slanted_aot550": _listed(configuration.slanted.aot550),
            "runs_slanted_solar_zenith_degree": _listed(configuration.slanted.solar_zenith),
        },
    )
    LOGGER.info("written: %s", path)
    return path


def write_gases(folder: Path, configuration: Configuration, spacecraft: str, season: str) -> Path:
    """Compute the transmittances of the gases and write the table.

    Returns
    -------
    Path
        The file that was written.
    """
    axes = configuration.gas
    gases = gas_tables(spacecraft, season, axes)
    path = folder / f"{spacecraft}_{season}.nc"
    variables = {
        "elevation": Variable(("elevation",), gases.elevation, "km", "elevation of the ground"),
        "water_slant": Variable(
            ("water_slant",), axes.water, "cm", "water vapour along the path, both ways"
        ),
        "ozone_slant": Variable(
            ("ozone_slant",), axes.ozone, "Dobson units", "ozone along the path, both ways"
        ),
        "air_mass": Variable(("air_mass",), axes.air_mass, "1", "air mass of the path, both ways"),
        "water": Variable(
            ("band", "elevation", "water_slant"), gases.water, "1", "transmittance of water vapour"
        ),
        "ozone": Variable(("band", "ozone_slant"), gases.ozone, "1", "transmittance of ozone"),
        "other": Variable(
            ("band", "elevation", "air_mass"),
            gases.other,
            "1",
            "transmittance of O2, CO2, CH4, N2O and CO",
        ),
    }
    write_table(
        path,
        variables,
        {
            **_common(spacecraft),
            "season": season,
            "codes": lowtran.version(),
            "options": f"mid-latitude {season}, {lowtran.STEP:g} cm-1, no aerosol",
        },
    )
    LOGGER.info("written: %s", path)
    return path


def _common(spacecraft: str) -> dict[str, str]:
    return {
        "spacecraft": spacecraft,
        "bands": " ".join(BAND_NAMES),
        "response_source": RESPONSE_SOURCE,
        "solar_spectrum": "LOWTRAN7",
    }


def _listed(values: tuple[float, ...]) -> str:
    return " ".join(f"{np.float64(value):g}" for value in values)
