"""Cloud detectors in place of the rules: arrays, names, whole runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sen2cor import optional_packages, process
from sen2cor.classification import (
    DETECTOR_BANDS,
    SceneClass,
    classify,
    detect_clouds,
    find_cloud_detector,
)
from sen2cor.errors import AuxiliaryDataError, ConfigurationError
from sen2cor.imagery import jpeg2000
from sen2cor.settings import Settings, load_settings
from tests.classification.spectra import make_image

HERE = __name__


def west_is_cloudy(reflectance: Mapping[str, np.ndarray]) -> np.ndarray:
    """Call the western half a cloud; check what a detector gets."""
    assert set(reflectance) == set(DETECTOR_BANDS)
    shape = reflectance["B08"].shape
    assert all(band.shape == shape and band.dtype == np.float32 for band in reflectance.values())
    probability = np.zeros(shape)
    probability[:, : shape[1] // 2] = 0.9
    return probability


def wrong_shape(reflectance: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.zeros((3, 3))


def not_a_number(reflectance: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.full(reflectance["B08"].shape, np.nan)


no_function = 3.0


def settings_with(name: str) -> Settings:
    settings = load_settings()
    return replace(settings, classification=replace(settings.classification, cloud_detector=name))


def test_detector_decides_on_clouds() -> None:
    """Forest that it calls cloud is cloud; a cloud that it calls clear is none."""
    pair = make_image("vegetation", "cloud")
    reflectance = {
        band: values.repeat(6, axis=1).repeat(5, axis=0) for band, values in pair.items()
    }
    shape = reflectance["B02"].shape
    no_data = np.zeros(shape, bool)
    no_data[0, 0] = True
    by_rules = classify(reflectance, no_data)
    assert by_rules.scene_class[2, 2] == SceneClass.VEGETATION
    assert by_rules.scene_class[2, -2] >= SceneClass.MEDIUM_PROBA_CLOUDS
    probability = np.zeros(shape, np.uint8)
    probability[:, : shape[1] // 2] = 90
    found = classify(reflectance, no_data, cloud_probability=probability)
    assert found.scene_class[2, 2] == SceneClass.HIGH_PROBA_CLOUDS
    assert found.scene_class[2, -2] not in (8, 9)
    assert found.cloud_probability[2, 2] == 90
    assert found.cloud_probability[2, -2] == 0
    assert found.scene_class[0, 0] == SceneClass.NO_DATA
    assert found.cloud_probability[0, 0] == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module:detect", "No module named"),
        ("math:no_such_function", "no_such_function"),
        (f"{HERE}:no_function", "is no function"),
    ],
)
def test_names_without_a_function(name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        find_cloud_detector(name)


def test_missing_package(monkeypatch: pytest.MonkeyPatch, small_product: Path) -> None:
    """The run ends before any work."""
    monkeypatch.setattr(optional_packages, "is_available", lambda extra: False)
    with pytest.raises(AuxiliaryDataError, match=r"sen2cor\[cloudmask\]"):
        process(small_product, settings=settings_with("S2CLOUDLESS"))


@pytest.mark.parametrize(
    ("name", "message"), [("wrong_shape", "returned shape"), ("not_a_number", "outside 0 to 1")]
)
def test_results_that_are_no_probability(name: str, message: str) -> None:
    bands = {band: np.zeros((5, 4), np.float32) for band in DETECTOR_BANDS}
    with pytest.raises(ConfigurationError, match=message):
        detect_clouds(getattr(sys.modules[HERE], name), bands)


@pytest.mark.parametrize(("resolution", "classes_only"), [(60, False), (20, False), (20, True)])
def test_whole_run(
    small_product: Path, tmp_path: Path, resolution: int, classes_only: bool
) -> None:
    found = process(
        small_product,
        settings=settings_with(f"{HERE}:west_is_cloudy"),
        resolution=resolution,
        classification_only=classes_only,
        output_directory=tmp_path,
        report=False,
    )
    (scene,) = found.product.rglob(f"*_SCL_{resolution}m.jp2")
    classes = jpeg2000.read(scene)
    half = classes.shape[1] // 2
    margin = 4
    cloud = np.isin(classes, (8, 9, 10))
    assert (classes[:, : half - margin][classes[:, : half - margin] > 0] == 9).mean() > 0.95
    assert cloud[:, half + margin :].mean() < 0.05


def test_s2cloudless() -> None:
    pytest.importorskip("s2cloudless", reason="the extra cloudmask is not installed")
    detector = find_cloud_detector("S2CLOUDLESS")
    assert detector is not None
    # grass and a thick cloud, from blue to short-wave infrared
    grass = (0.12, 0.09, 0.05, 0.10, 0.38, 0.40, 0.12, 0.001, 0.18, 0.08)
    cloud = (0.62, 0.60, 0.60, 0.61, 0.66, 0.68, 0.30, 0.02, 0.45, 0.35)
    bands = {
        name: np.where(np.arange(60) < 30, low, high).astype(np.float32)[None, :].repeat(40, axis=0)
        for name, low, high in zip(DETECTOR_BANDS, grass, cloud, strict=True)
    }
    probability = detect_clouds(detector, bands)
    assert probability[:, :20].max() < 20
    assert probability[:, 40:].min() > 80
