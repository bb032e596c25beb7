"""The metrics of the accuracy benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.accuracy import at_resolution, clear_land, error


def test_bias_and_rms_of_known_errors() -> None:
    truth = np.array([0.1, 0.2, 0.3, 0.4])
    retrieved = truth + np.array([0.01, 0.03, 0.01, 9.0])
    found = error("B04", retrieved, truth, np.array([True, True, True, False]))
    assert found.truth == pytest.approx(0.2)
    assert found.bias == pytest.approx(0.05 / 3)
    assert found.rms == pytest.approx(np.sqrt(0.0011 / 3))
    assert found.pixels == 3


def test_no_valid_pixel_gives_no_number() -> None:
    found = error("B04", np.zeros(3), np.zeros(3), np.zeros(3, bool))
    assert np.isnan(found.rms)
    assert found.pixels == 0


def test_mask_at_other_resolutions() -> None:
    mask = np.ones((6, 6), bool)
    mask[0, 0] = False
    assert at_resolution(mask, 10).sum() == 4 * 35
    assert at_resolution(mask, 60).tolist() == [[False, True], [True, True]]
    assert at_resolution(mask, 20) is not None
    np.testing.assert_array_equal(at_resolution(mask, 20), mask)


def test_clear_land_leaves_out_clouds_shadows_cirrus_and_water(tmp_path: Path) -> None:
    np.save(tmp_path / "scene_class_20m.npy", np.array([[4, 5, 6, 11, 4, 4]], np.uint8))
    layers = {
        "cloud_optical_thickness": [0, 0, 0, 0, 0.5, 0],
        "shadow_optical_thickness": [0, 3, 0, 0, 0, 0],
        "cirrus_reflectance": [0, 0, 0, 0, 0, 0.01],
    }
    for name, values in layers.items():
        np.save(tmp_path / f"{name}_20m.npy", np.array([values], np.float16))
    assert clear_land(tmp_path).tolist() == [[True, False, False, True, False, False]]
