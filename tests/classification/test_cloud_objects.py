"""Clouds matched with dark ground along the direction of the sun."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sen2cor.classification import SunGeometry
from sen2cor.classification.cloud_objects import CloudObjects
from sen2cor.classification.shadow_offset import ShadowOffset
from sen2cor.raster.grids import AngleGrid

Mask = npt.NDArray[np.bool_]

SIZE = 200
OFFSET = ShadowOffset(SunGeometry(45.0, 180.0, 60.0))
"""Sun in the south, so that a shadow falls as far to the north as its cloud is high."""


def _scattered(size: int, number: int, seed: int = 2) -> Mask:
    """Square clouds in the southern part of an image."""
    random = np.random.default_rng(seed)
    clouds = np.zeros((SIZE, SIZE), np.bool_)
    for _ in range(number):
        row, col = random.integers(60, SIZE - size), random.integers(0, SIZE - size)
        clouds[row : row + size, col : col + size] = True
    return clouds


def _match(
    clouds: Mask, dark: Mask, high: Mask | None = None, offset: ShadowOffset = OFFSET
) -> CloudObjects:
    high = np.zeros_like(clouds) if high is None else high
    return CloudObjects.match(clouds, high, dark & ~clouds, ~clouds, offset)


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
    projected = objects.project(objects.possible) & ~clouds
    assert projected[shadow].mean() > 0.9
    assert projected.sum() < 3 * shadow.sum()
    likely = objects.project(objects.likely) & ~clouds
    assert likely[shadow].mean() > 0.9
    assert likely.sum() <= (size + 2) / size * 1.45 * shadow.sum()


def test_a_narrow_strip_beside_dark_ground_is_no_cloud() -> None:
    """A beach in front of a marsh: the marsh is dark, but not in the shape of the beach."""
    beach = np.zeros((SIZE, SIZE), np.bool_)
    beach[120:123] = True
    marsh = np.zeros_like(beach)
    marsh[80:120, ::2] = True
    objects = _match(beach, marsh)
    assert not objects.confirmed.any()
    np.testing.assert_array_equal(objects.find_unconfirmed(), beach)
    assert not objects.project(objects.possible).any()
    assert not objects.project_from_beyond(OFFSET).any()


def test_a_strip_in_cirrus_band_is_a_cloud() -> None:
    strip = np.zeros((SIZE, SIZE), np.bool_)
    strip[120:122] = True
    assert _match(strip, np.zeros_like(strip), high=strip).confirmed.all()


def test_a_wide_cloud_without_visible_shadow_may_have_any_height() -> None:
    cloud = np.zeros((SIZE, SIZE), np.bool_)
    cloud[150:170, 90:110] = True
    objects = _match(cloud, np.zeros_like(cloud))
    assert objects.confirmed.all()
    reachable = OFFSET.heights() <= 6000
    assert (objects.possible == reachable).all()


def test_clouds_beyond_the_edge_cast_shadows_from_the_common_heights() -> None:
    clouds = _scattered(6, 25)
    clouds[-30:] = False
    objects = _match(clouds, _move_north(clouds, 20))
    assert not objects.project(objects.possible)[-15:].any()
    beyond = objects.project_from_beyond(OFFSET)
    assert beyond[-15:].all()
    assert not beyond[:-40].any()


def test_small_clouds_take_the_height_of_the_others() -> None:
    """Chance darkens the ground below a small cloud at another height, too."""
    clouds = _scattered(12, 10)
    clouds[150:153, 20:23] = True
    dark = _move_north(clouds, 20)
    dark[150 - 35 : 153 - 35, 20:23] = True
    likely = _match(clouds, dark).project(_match(clouds, dark).likely)
    assert likely[131:132, 20:23].all()
    assert not likely[150 - 35, 20:23].any()


def test_a_low_cloud_is_not_matched_above_the_water_vapour() -> None:
    clouds = np.zeros((SIZE, SIZE), np.bool_)
    clouds[170:180, 90:100] = True
    shadow = _move_north(clouds, 150)
    low, high = (_match(clouds, shadow, high=mask) for mask in (~clouds, clouds))
    assert not low.project(low.likely)[shadow].any()
    assert high.project(high.likely)[shadow].mean() > 0.9


def test_an_oblique_view_moves_the_shadow_relative_to_the_cloud() -> None:
    """Seen from the east, a cloud at 6 km appears 6 km tan 10 degrees too far in the west."""
    view = AngleGrid(np.full((2, 2), 10.0, np.float32), np.full((2, 2), 90.0, np.float32), 1e5)
    clouds = _scattered(6, 20)
    shadow = np.roll(_move_north(clouds, 100), round(100 * np.tan(np.radians(10.0))), axis=1)
    offset = ShadowOffset(OFFSET.sun, view)
    objects = _match(clouds, shadow, high=clouds, offset=offset)
    assert (objects.project(objects.likely) & ~clouds)[shadow & ~clouds].mean() > 0.8
    without = _match(clouds, shadow, high=clouds)
    assert (without.project(without.likely) & ~clouds)[shadow & ~clouds].mean() < 0.5


def test_an_image_without_clouds_has_no_shadow() -> None:
    none = np.zeros((SIZE, SIZE), np.bool_)
    objects = _match(none, ~none)
    assert not objects.project(objects.possible).any()
    assert not objects.project_from_beyond(OFFSET).any()
    assert not objects.find_unconfirmed().any()
