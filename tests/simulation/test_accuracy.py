"""The metrics of the accuracy benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.accuracy import WITHOUT, at_resolution, error, groups
from tests.benchmarks.simulated_run import ROOT, changed_settings


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


def test_share_within_the_limit() -> None:
    truth = np.array([0.1, 0.1, 0.1, 0.1])
    retrieved = truth + np.array([0.009, -0.0099, 0.0101, -0.02])
    assert error("B04", retrieved, truth, np.ones(4, bool)).within == pytest.approx(0.5)
    assert error("AOT", retrieved, truth, np.ones(4, bool)).within == pytest.approx(1.0)


def test_groups_leave_out_clouds_and_shadows_and_part_cirrus(tmp_path: Path) -> None:
    np.save(tmp_path / "ground_class_20m.npy", np.array([[4, 5, 6, 11, 4, 4, 6]], np.uint8))
    layers = {
        "cloud_optical_thickness": [0, 0, 0, 0, 0.5, 0, 0],
        "shadow_optical_thickness": [0, 3, 0, 0, 0, 0, 0],
        "cirrus_reflectance": [0, 0, 0, 0, 0, 0.01, 0.01],
    }
    for name, values in layers.items():
        np.save(tmp_path / f"{name}_20m.npy", np.array([values], np.float16))
    found = {name: np.flatnonzero(mask[0]).tolist() for name, mask in groups(tmp_path).items()}
    assert found == {
        "land": [0, 3], "water": [2], "land below cirrus": [5], "water below cirrus": [6],
    }  # fmt: skip


def test_settings_are_changed_where_they_stand() -> None:
    changed = changed_settings(ROOT / "cfg" / "L2A_GIPP.xml", {"Adj_Km": "0.0", "Nowhere": "1"})
    assert b"<Adj_Km>0.0</Adj_Km>" in changed
    assert b"Nowhere" not in changed


def test_steps_that_can_be_switched_off_are_settings() -> None:
    files = [path.read_text() for path in (ROOT / "cfg").glob("*.xml")]
    for settings in WITHOUT.values():
        for name in settings:
            assert any(f"<{name}>" in text for text in files), name
