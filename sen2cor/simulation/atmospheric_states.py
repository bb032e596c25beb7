"""Runs of the radiative-transfer codes at the atmospheric states of the scenes.

``python -m sen2cor.simulation.atmospheric_states [SCENE ...]`` runs 6SV (scattering by molecules
and aerosol) and LOWTRAN7 (absorption by gases) at each scene's own elevations, atmospheric
profile, sun and view angles, aerosol and its optical thicknesses, and water columns, and stores the
results as package data. Requires the extra ``luts``; takes a minute for each scene of small extent,
several for scenes of a whole tile. Scenes with the same atmosphere and angles use the same states.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import tempfile
from pathlib import Path

import numpy as np

from sen2cor.bands import BAND_NAMES
from sen2cor.radiative_transfer import lowtran, scattering_runs, sixs
from sen2cor.radiative_transfer.sixs import Scattering, State
from sen2cor.raster.array_types import Float64Array
from sen2cor.simulation.forward_model import DATA, SPACECRAFT
from sen2cor.simulation.mgrs_tiles import TILE_SIZE, tile_grid
from sen2cor.simulation.overpass_geometry import Overpass
from sen2cor.simulation.scenes import SCENES, Scene
from sen2cor.spectral_responses import spectral_response

logger = logging.getLogger(__name__)

WAVELENGTHS = (0.443, 0.488, 0.550, 0.633, 0.694, 0.760, 0.860, 1.240, 1.536, 1.650, 1.950, 2.250)
"""Micrometres; 6SV itself solves the radiative transfer at these wavelengths."""

SUN_OFFSETS = (-1.2, 1.2)
"""Solar zenith angles of a whole tile relative to that of its centre, degrees."""

VIEW_ZENITHS = (0.0, 11.0)
"""View zenith angles of a whole tile, degrees."""

RELATIVE_AZIMUTHS = (0.0, 90.0, 180.0)
"""Degrees; 0 is backscatter."""

WATER_COLUMNS = (0.0, 0.002, 0.02, 0.1, 0.22, 0.35, 0.5, 0.7, 0.85, 1.0, 1.15, 1.3, 1.6)
"""Water vapour columns relative to the mean of the scene."""


_SMALL_SUN_MARGIN = 0.5
"""Degrees around the solar zenith angle of a small extent that the air masses cover."""


def solar_zeniths(scene: Scene) -> Float64Array:
    """Solar zenith angles of the states, degrees; only one for a small extent."""
    overpass, centre = _centre(scene)
    zenith = round(float(overpass.sun(*centre)[0].item()), 2)
    if _whole_tile(scene):
        return np.asarray(zenith + np.array(SUN_OFFSETS))
    return np.array([zenith])


def view_zeniths(scene: Scene) -> Float64Array:
    """View zenith angles of the states, degrees; nadir and its own for a small extent."""
    if _whole_tile(scene):
        return np.array(VIEW_ZENITHS)
    overpass, centre = _centre(scene)
    zenith, _ = overpass.view("B03", overpass.detector(*centre), *centre)
    return np.array([0.0, round(float(zenith.item()), 2)])


def _whole_tile(scene: Scene) -> bool:
    return 1000.0 * scene.extent >= TILE_SIZE


def _centre(scene: Scene) -> tuple[Overpass, tuple[float, float]]:
    """Overpass, and map coordinates of the centre of the scene's extent."""
    grid = tile_grid(scene.mgrs)
    half = 500.0 * scene.extent
    return Overpass(grid, scene.sensing_time, scene.track), (grid.ulx + half, grid.uly - half)


def elevations(scene: Scene) -> Float64Array:
    """Elevations of the states, km: one, or the lowest and the highest of the terrain."""
    if scene.terrain is None:
        return np.array([scene.elevation])
    return np.array(scene.terrain.bounds)


def scattering_states(scene: Scene, work: Path, processes: int) -> dict[str, Float64Array]:
    """Run 6SV: scattering terms without gas absorption.

    Parameters
    ----------
    scene : Scene
    work : Path
        Folder that keeps finished runs until all are done.
    processes : int

    Returns
    -------
    dict
        The axes ``elevation`` (e,), ``wavelength`` (l,), ``aot550`` (a,), ``solar_zenith`` (s,),
        ``view_zenith`` (v,) and ``relative_azimuth`` (r,); ``path`` (l, e, a, s, v, r),
        ``rayleigh`` (l, e, s, v, r), ``down_direct`` and ``down_diffuse`` (l, e, a, s),
        ``up_direct`` and ``up_diffuse`` (l, e, a, v), ``spherical_albedo`` (l, e, a).
    """
    loads = scene.aot550 * np.array(scene.loads)
    suns, views, levels = solar_zeniths(scene), view_zeniths(scene), elevations(scene)
    axes: list[list[float]] = [
        list(WAVELENGTHS), levels.tolist(), [0.0, *loads.tolist()], suns.tolist(),
        views.tolist(), list(RELATIVE_AZIMUTHS),
    ]  # fmt: skip
    shape = tuple(len(axis) for axis in axes)

    def state(
        wave: float, elevation: float, load: float, sun: float, view: float, turn: float
    ) -> State:
        # a nadir view is the same at all azimuths
        azimuth = turn if view > 0 else 0.0
        return State(wave, round(load, 5), elevation, round(sun, 4), view, azimuth)

    wanted = [state(*values) for values in itertools.product(*axes)]
    found = scattering_runs.run_all(list(dict.fromkeys(wanted)), scene.aerosol, work, processes)

    def gathered(name: str) -> Float64Array:
        index = Scattering._fields.index(name)
        return np.array([found[entry][index] for entry in wanted]).reshape(shape)

    path = gathered("path_reflectance")
    depth = gathered("rayleigh_thickness") + gathered("aerosol_thickness")
    down = gathered("transmittance_down")[:, :, 1:, :, 0, 0]
    up = gathered("transmittance_up")[:, :, 1:, 0, :, 1]
    down_direct = np.exp(-depth[:, :, 1:, :, 0, 0] / np.cos(np.radians(suns)))
    up_direct = np.exp(-depth[:, :, 1:, 0, :, 0] / np.cos(np.radians(views)))
    return {
        "elevation": levels,
        "wavelength": np.array(WAVELENGTHS),
        "aot550": loads,
        "solar_zenith": suns,
        "view_zenith": views,
        "relative_azimuth": np.array(RELATIVE_AZIMUTHS),
        "path": path[:, :, 1:],
        "rayleigh": path[:, :, 0],
        "down_direct": down_direct,
        "down_diffuse": down - down_direct,
        "up_direct": up_direct,
        "up_diffuse": up - up_direct,
        "spherical_albedo": gathered("spherical_albedo")[:, :, 1:, 0, 0, 0],
    }


def gas_states(scene: Scene) -> dict[str, Float64Array]:
    """Run LOWTRAN7: two-way gas transmittance in the bands of all spacecraft.

    Returns
    -------
    dict
        ``water_vapour`` (n,) in cm, ``air_mass`` (m,), ``gas_all`` (spacecraft, band, n, m): of
        all gases; the first column is without water vapour.
    """
    zeniths, views = solar_zeniths(scene), view_zeniths(scene)
    margin = 0.0 if _whole_tile(scene) else _SMALL_SUN_MARGIN
    shortest = 1 / np.cos(np.radians(zeniths[0] - margin)) + 1
    longest = 1 / np.cos(np.radians(zeniths[-1] + margin)) + 1 / np.cos(np.radians(views[-1]))
    air_mass = np.array([shortest, (shortest + longest) / 2, longest])
    columns = scene.water_vapour * np.array(WATER_COLUMNS)
    model_water = lowtran.water_column(scene.season, scene.elevation)
    factors = dict.fromkeys(lowtran.CONSTANT_GASES, 1.0)
    factors["ozone"] = scene.ozone / lowtran.ozone_column(scene.season, scene.elevation)
    weights = _band_weights(lowtran.wavelengths(), lowtran.solar_spectrum())
    averaged = np.empty((len(SPACECRAFT), len(BAND_NAMES), len(columns), len(air_mass)))
    for i, column in enumerate(columns):
        for j, mass in enumerate(air_mass):
            spectrum = lowtran.gas_transmittance(
                scene.season,
                {**factors, "water": column / model_water},
                elevation=scene.elevation,
                air_mass=float(mass),
            )
            averaged[..., i, j] = weights @ spectrum
    return {"water_vapour": columns, "air_mass": air_mass, "gas_all": averaged}


def _band_weights(wavelengths: Float64Array, solar_irradiance: Float64Array) -> Float64Array:
    """Weight of each wavelength (nm, in equal steps of wavenumber) in the bands' signals.

    Returns
    -------
    ndarray, shape (spacecraft, band, wavelength)
    """
    weights = np.empty((len(SPACECRAFT), len(BAND_NAMES), wavelengths.size))
    for i, spacecraft in enumerate(SPACECRAFT):
        for j, band in enumerate(BAND_NAMES):
            at, response = spectral_response(spacecraft, band)
            seen = np.interp(wavelengths, at, response, left=0.0, right=0.0)
            weights[i, j] = seen * solar_irradiance * wavelengths**2
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def main() -> None:
    """Make the states of the named scenes, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    own = [name for name, scene in SCENES.items() if not scene.states]
    parser.add_argument("scenes", nargs="*", choices=[[], *own], help="all by default")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    default = Path(tempfile.gettempdir()) / "sen2cor_states"
    parser.add_argument("--work", type=Path, default=default, help="folder of unfinished runs")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name in arguments.scenes or own:
        scene = SCENES[name]
        states = scattering_states(scene, arguments.work, arguments.processes)
        states |= gas_states(scene)
        codes = f"{sixs.version()}; {lowtran.version()}; aerosol {scene.aerosol}"
        packed = {key: values.astype(np.float32) for key, values in states.items()}
        np.savez_compressed(DATA / f"states_{name}.npz", codes=np.array(codes), **packed)
        logger.info("%s: written to %s", name, DATA)


if __name__ == "__main__":
    main()
