"""Offset of the shadow of a cloud from the cloud as the sensor sees it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sen2cor.classification import SunGeometry
from sen2cor.classification.shadow_offset import ShadowOffset
from sen2cor.raster.grids import AngleGrid

HERE = np.array([0]), np.array([0])


@pytest.mark.parametrize(
    ("azimuth", "down", "right"), [(180.0, -1, 0), (90.0, 0, -1), (0.0, 1, 0), (270.0, 0, 1)]
)
def test_shadow_lies_away_from_the_sun(azimuth: float, down: int, right: int) -> None:
    offset = ShadowOffset(SunGeometry(45.0, azimuth, 60.0))
    by = [60 * part.item() for part in offset.per_metre(*HERE)]
    assert by == pytest.approx([down, right], abs=1e-12)


def test_sensor_beside_the_sun_sees_clouds_before_their_shadow() -> None:
    angles = (np.full((3, 3), value, np.float32) for value in (30.0, 135.0))
    offset = ShadowOffset(SunGeometry(30.0, 135.0, 20.0), AngleGrid(*angles, 5000.0))
    assert [part.item() for part in offset.per_metre(*HERE)] == pytest.approx([0, 0], abs=1e-7)


def test_view_is_interpolated_between_nodes() -> None:
    zenith = np.array([[0.0, 0.0], [0.0, 10.0]], np.float32)
    view = AngleGrid(zenith, np.full((2, 2), 90.0, np.float32), 6000.0)
    offset = ShadowOffset(SunGeometry(0.0, 90.0, 60.0), view)
    _, right = offset.per_metre(np.array([0, 99, 50]), np.array([99, 99, 50]))
    slope = math.tan(math.radians(10.0)) / 60.0
    share = np.array([0.5 * 99.5, 99.5 * 99.5, 50.5 * 50.5]) / 1e4
    np.testing.assert_allclose(right, slope * share, atol=1e-8)


def test_azimuth_is_turned_into_that_of_the_grid() -> None:
    turned = ShadowOffset(SunGeometry(45.0, 183.0, 60.0), convergence=3.0)
    assert [60 * part.item() for part in turned.per_metre(*HERE)] == pytest.approx([-1, 0])


@pytest.mark.parametrize("zenith", [0.0, 30.0, 60.0, 85.0])
def test_shadows_of_neighbouring_heights_are_a_pixel_or_more_apart(zenith: float) -> None:
    heights = ShadowOffset(SunGeometry(zenith, 90.0, 60.0)).heights()
    assert heights[0] == 200
    assert heights[-1] <= 12000
    apart = np.diff(heights) * math.tan(math.radians(zenith)) / 60.0
    assert (apart > 0.999).all()
