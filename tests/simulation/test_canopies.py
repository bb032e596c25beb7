"""Band ratios of dark canopies."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.simulation.canopies import CANOPIES, CanopyReflectance, sample_ratios, summarize_ratios
from sen2cor.simulation.landscapes import SURFACE_NAMES, Ground
from sen2cor.simulation.surface_spectra import band_reflectance

METRES = 10.0 * np.arange(400)
BANDS = ("B02", "B04", "B12")


def compute_statistics(canopies: str, surface: str) -> dict[str, float]:
    shape = (METRES.size, METRES.size)
    number = np.full(shape, SURFACE_NAMES.index(surface), np.uint8)
    ground = Ground(number, number, np.zeros(shape, np.float32), np.ones(shape, np.float32))
    spectra = band_reflectance("S2A")
    table = {
        band: np.array([spectra[name][band] for name in SURFACE_NAMES], np.float32)
        for band in BANDS
    }
    colours = CanopyReflectance(canopies, ground, METRES, METRES, table, 3)
    reflectance = {band: ground.reflectance(table[band]) for band in BANDS}
    for band, values in reflectance.items():
        colours.apply(values, band)
    return summarize_ratios(
        sample_ratios({band: reflectance[band][colours.where] for band in BANDS})
    )


@pytest.mark.parametrize("name", ["ideal", "real"])
def test_canopies_have_the_ratios_of_their_colours(name: str) -> None:
    colours = CANOPIES[name]
    assert colours is not None
    found = compute_statistics(name, "forest_mixed")
    assert found["pixels"] == pytest.approx(METRES.size**2, abs=101)
    assert found["b12_mean"] == pytest.approx(
        band_reflectance("S2A")["forest_mixed"]["B12"], abs=1e-3
    )
    assert found["b4_over_b12_mean"] == pytest.approx(colours.red, abs=0.3 * colours.red_range)
    assert found["b2_over_b4_mean"] == pytest.approx(colours.blue, abs=0.3 * colours.blue_range)
    assert 0.3 < found["b4_over_b12_scatter"] / colours.red_range < 1.0
    assert 0.3 < found["b2_over_b4_scatter"] / colours.blue_range < 1.0


def test_canopies_may_stay_as_modelled() -> None:
    spectrum = band_reflectance("S2A")["forest_mixed"]
    found = compute_statistics("modelled", "forest_mixed")
    assert found["b4_over_b12_mean"] == pytest.approx(spectrum["B04"] / spectrum["B12"], abs=1e-3)
    assert found["b4_over_b12_scatter"] == 0.0


def test_where_there_is_no_forest_nothing_is_coloured() -> None:
    assert compute_statistics("real", "water_clear") == {"pixels": 0}
