from __future__ import annotations

import numpy as np
import pytest

from sen2cor.classification import ClassificationScene, SunGeometry, TerrainIllumination


@pytest.mark.parametrize(
    ("zenith", "exact", "expected"),
    [
        (60.4, True, (60.4, 150.6)),
        (60.4, False, (60, 151)),
        (76.4, True, (76.4, 150.6)),
        (76.4, False, (70, 151)),
        (88.0, True, (85, 150.6)),
    ],
)
def test_sun_of_cloud_shadows_is_limited(
    zenith: float, exact: bool, expected: tuple[float, float]
) -> None:
    sun = SunGeometry(zenith, 150.6, 20.0).limit_for_shadows(exact=exact)
    assert sun == SunGeometry(*expected, 20.0)


def test_cells_hold_at_least_one_pixel() -> None:
    assert SunGeometry(40.0, 150.0, 20.0).coarsening_factor(60.0) == 3
    assert SunGeometry(40.0, 150.0, 60.0).coarsening_factor(20.0) == 1


def test_rows_of_a_scene_are_those_of_all_its_arrays() -> None:
    numbers = np.arange(12, dtype=np.float32).reshape(4, 3)
    sun = SunGeometry(40.0, 150.0, 20.0)
    terrain = TerrainIllumination(
        slope=numbers, illumination_ratio=numbers + 20, cast_shadow=numbers > 4
    )
    scene = ClassificationScene(
        numbers > 5, sun, numbers + 40, terrain, defective=numbers > 6, snow_possible=False
    )
    part = scene.rows(slice(1, 3))
    assert part.sun == sun and part.snow_possible is False
    assert part.terrain is not None
    for found, whole in (
        (part.no_data, scene.no_data),
        (part.elevation, scene.elevation),
        (part.defective, scene.defective),
        (part.terrain.slope, terrain.slope),
        (part.terrain.illumination_ratio, terrain.illumination_ratio),
        (part.terrain.cast_shadow, terrain.cast_shadow),
    ):
        assert found is not None and whole is not None
        np.testing.assert_array_equal(found, whole[1:3])


def test_what_is_unknown_stays_unknown() -> None:
    part = ClassificationScene(np.zeros((4, 3), np.bool_), terrain=TerrainIllumination())
    assert part.rows(slice(0, 2)).terrain == TerrainIllumination()
    assert part.rows(slice(0, 2)).elevation is None
