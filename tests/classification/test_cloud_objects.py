"""Clouds matched with dark ground along the direction of the sun."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sen2cor.classification import SunGeometry
from sen2cor.classification.cloud_objects import CloudObjects, compute_height_shifts

Mask = npt.NDArray[np.bool_]

SIZE = 200
SUN = SunGeometry(45.0, 180.0, 60.0)
"""In the south, so that a shadow falls as far to the north as its cloud is high."""


def _scattered(size: int, number: int, seed: int = 2) -> Mask:
    """Square clouds in the southern part of an image."""
    random = np.random.default_rng(seed)
    clouds = np.zeros((SIZE, SIZE), np.bool_)
    for _ in range(number):
        row, col = random.integers(60, SIZE - size), random.integers(0, SIZE - size)
        clouds[row : row + size, col : col + size] = True
    return clouds


def _match(clouds: Mask, dark: Mask, high: Mask | None = None) -> CloudObjects:
    high = np.zeros_like(clouds) if high is None else high
    return CloudObjects.match(clouds, high, dark & ~clouds, ~clouds, SUN)


def _move_north(mask: Mask, by: int) -> Mask:
    moved = np.zeros_like(mask)
    moved[:-by] = mask[by:]
    return moved


@pytest.mark.parametrize("size", [3, 12])
@pytest.mark.parametrize("distance", [10, 40])
def test_shadow_lies_at_the_height_of_the_cloud(size: int, distance: int) -> None:
    clouds = _scattered(size, 25)
    shadow = _move_north(clouds, distance) & ~clouds
    objects = _match(clouds, shadow)
    assert objects.confirmed.all()
    projected = objects.project() & ~clouds
    assert projected[shadow].mean() > 0.9
    assert projected.sum() < 3 * shadow.sum()


def test_a_narrow_strip_beside_dark_ground_is_no_cloud() -> None:
    """A beach in front of a marsh: the marsh is dark, but not in the shape of the beach."""
    beach = np.zeros((SIZE, SIZE), np.bool_)
    beach[120:123] = True
    marsh = np.zeros_like(beach)
    marsh[80:120, ::2] = True
    objects = _match(beach, marsh)
    assert not objects.confirmed.any()
    np.testing.assert_array_equal(objects.find_unconfirmed(), beach)
    assert not objects.project(beyond_edges=True).any()


def test_a_strip_in_cirrus_band_is_a_cloud() -> None:
    strip = np.zeros((SIZE, SIZE), np.bool_)
    strip[120:122] = True
    assert _match(strip, np.zeros_like(strip), high=strip).confirmed.all()


def test_a_wide_cloud_without_visible_shadow_may_have_any_height() -> None:
    cloud = np.zeros((SIZE, SIZE), np.bool_)
    cloud[150:170, 90:110] = True
    objects = _match(cloud, np.zeros_like(cloud))
    assert objects.confirmed.all()
    assert objects.possible.all()


def test_clouds_beyond_the_edge_cast_shadows_from_the_common_heights() -> None:
    clouds = _scattered(6, 25)
    clouds[-30:] = False
    objects = _match(clouds, _move_north(clouds, 20))
    assert not objects.project()[-15:].any()
    projected = objects.project(beyond_edges=True)
    assert projected[-15:].all()
    assert not projected[-55:-40, :20].all()


def test_the_sun_in_the_zenith_shifts_no_shadow() -> None:
    assert set(compute_height_shifts(SunGeometry(0.0, 90.0, 60.0))) == {(0, 0)}


def test_an_image_without_clouds_has_no_shadow() -> None:
    none = np.zeros((SIZE, SIZE), np.bool_)
    objects = _match(none, ~none)
    assert not objects.project(beyond_edges=True).any()
    assert not objects.find_unconfirmed().any()
