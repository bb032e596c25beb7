"""The truth of the classes, and the accuracies against it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sen2cor.simulation.cloud_layers import cloud_reflectance
from sen2cor.simulation.landscapes import SURFACE_NAMES
from tests.validation.classification_truth import (
    CASES,
    CIRRUS,
    CLOUD,
    NOT_SCORED,
    SHADOW,
    accuracies,
    confusion,
    overall,
    true_classes,
)


def _write(truth: Path, **layers: list[float]) -> None:
    columns = len(layers["depth"])
    surface = np.full((2, 2 * columns), SURFACE_NAMES.index("grass"), np.uint8)
    surface[0, 0] = SURFACE_NAMES.index("sand")
    np.save(truth / "surface_10m.npy", surface)
    for name, key in (
        ("cloud_optical_thickness", "depth"),
        ("shadow_optical_thickness", "shade"),
        ("cirrus_reflectance", "cirrus"),
    ):
        np.save(truth / f"{name}_20m.npy", np.array([layers[key]], np.float16))


def test_only_what_is_sure_is_scored(tmp_path: Path) -> None:
    nothing = [0.0] * 9
    depth, shade, cirrus = nothing.copy(), nothing.copy(), nothing.copy()
    depth[1], depth[2] = 5.0, 0.5
    shade[3], shade[4] = 5.0, 0.5
    cirrus[5:9] = 0.005, 0.02, 0.035, 0.05
    _write(tmp_path, depth=depth, shade=shade, cirrus=cirrus)
    case = next(case for case in CASES if case.name == "low clouds")
    # a cloud at 500 m throws its shadow further than this image of one row reaches
    found = true_classes(case, tmp_path)[0].tolist()
    assert found == [
        NOT_SCORED, CLOUD, NOT_SCORED, NOT_SCORED, NOT_SCORED,
        NOT_SCORED, CIRRUS, NOT_SCORED, CLOUD,
    ]  # fmt: skip


def test_accuracies_of_known_confusions() -> None:
    truth = np.array([4, 4, 4, SHADOW, SHADOW, CLOUD, CLOUD, NOT_SCORED], np.uint8)
    found = np.array([4, 4, 5, SHADOW, 4, 8, 9, 9], np.uint8)
    matrix = confusion(truth, found)
    assert overall(matrix) == pytest.approx(5 / 7)
    producer, user, pixels = accuracies(matrix)[4]
    assert (producer, user, pixels) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 3)
    assert accuracies(matrix)[CLOUD][:2] == (1.0, 1.0)
    assert accuracies(matrix)[SHADOW][:2] == (0.5, 1.0)


def test_cases_differ_in_seed_and_cover_low_to_high_clouds() -> None:
    assert len({case.seed for case in CASES}) == len(CASES)
    heights = [case.scene.cloud_height for case in CASES if case.scene.cloud_cover]
    assert min(heights) == 300.0
    assert max(heights) == 10000.0


def test_clouds_of_ice_are_darker_in_the_short_wave_infrared() -> None:
    depth = np.array([10.0], np.float32)
    assert cloud_reflectance(depth, "B11", True) < cloud_reflectance(depth, "B11")
    assert cloud_reflectance(depth, "B04", True) == cloud_reflectance(depth, "B04")
