"""Coordinate systems: longitude and latitude of grids, convergence, date line."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.raster.coordinates import (
    WGS84,
    bounding_box,
    epsg_code,
    footprint,
    geographic,
    grid_centre,
    grid_convergence,
    is_geographic,
    split_at_date_line,
    transform,
    unwrap_longitudes,
    wkt,
)
from sen2cor.raster.grids import Grid

GRID = Grid(32632, 445100.0, 5054900.0, 10.0, 10980, 10980)
"""Its centre lies at 9 E, on the central meridian."""


@pytest.mark.parametrize(
    ("epsg", "easting", "northing", "longitude", "latitude"),
    [
        (32633, 667015.0, 6655205.0, 3.0, 60.0),
        (32633, 332985.0, 6655205.0, -3.0, 60.0),
        (32733, 667015.0, 3344795.0, 3.0, -60.0),
        (32633, 500000.0, 5000000.0, 0.0, 45.0),
    ],
)
def test_convergence_follows_its_formula(
    epsg: int, easting: float, northing: float, longitude: float, latitude: float
) -> None:
    expected = np.degrees(np.arctan(np.tan(np.radians(longitude)) * np.sin(np.radians(latitude))))
    found = grid_convergence(epsg, np.array([easting]), np.array([northing]))
    np.testing.assert_allclose(found, expected, atol=0.005)


def test_points_are_east_before_north_in_all_shapes() -> None:
    longitude, latitude = geographic(32632, [[500000.0], [500000.0]], [[5e6], [5.1e6]])
    assert longitude.shape == latitude.shape == (2, 1)
    np.testing.assert_allclose(longitude, 9.0, atol=1e-9)
    assert 45.0 < latitude[0, 0] < latitude[1, 0] < 47.0
    easting, northing = transform(WGS84, 32632, longitude, latitude)
    np.testing.assert_allclose(easting, 500000.0, atol=1e-3)
    np.testing.assert_allclose(northing, [[5e6], [5.1e6]], atol=1e-3)


def test_the_footprint_runs_counter_clockwise_around_the_centre() -> None:
    corners = np.array(footprint(GRID))
    assert corners.shape == (5, 2)
    assert tuple(corners[0]) == tuple(corners[-1])
    (x, y), (next_x, next_y) = corners[:-1].T, corners[1:].T
    assert np.sum(x * next_y - next_x * y) > 0.0
    longitude, latitude = grid_centre(GRID)
    assert longitude == pytest.approx(9.0, abs=1e-6)
    assert corners[:, 1].min() < latitude < corners[:, 1].max()


def test_longitudes_are_continuous_across_the_date_line() -> None:
    np.testing.assert_allclose(unwrap_longitudes(np.array([179.0, -179.0]), 180.0), [179.0, 181.0])


def test_projections_are_known_by_their_well_known_text() -> None:
    assert epsg_code(wkt(32633)) == 32633
    assert epsg_code("") is None
    assert is_geographic(wkt(WGS84))
    assert not is_geographic(wkt(32633))


@pytest.mark.parametrize(
    ("ring", "expected"),
    [
        # west, across, and east of the date line; longitudes of PROJ lie within -180 and 180
        ([(178, 2), (178, 0), (179, 0), (179, 2)], [(178, 179)]),
        ([(179, 2), (179, 0), (-179, 0), (-179, 2)], [(179, 180), (-180, -179)]),
        ([(-179, 2), (-179, 0), (-178, 0), (-178, 2)], [(-179, -178)]),
        # it starts on the eastern side
        ([(-179, 0), (-179, 2), (179, 2), (179, 0)], [(179, 180), (-180, -179)]),
        # one corner across
        ([(179, 2), (178, 0), (179, 0), (-179, 1)], [(178, 180), (-180, -179)]),
        # edges on the date line
        ([(179, 2), (179, 0), (180, 0), (180, 2)], [(179, 180)]),
        ([(-180, 2), (-180, 0), (-179, 0), (-179, 2)], [(-180, -179)]),
        ([(180, 2), (180, 0), (-179, 0), (-179, 2)], [(-180, -179)]),
        # Greenwich
        ([(-1, 2), (-1, 0), (1, 0), (1, 2)], [(-1, 1)]),
    ],
)
def test_outlines_are_split_at_the_date_line(
    ring: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    closed = [(float(x), float(y)) for x, y in [*ring, ring[0]]]
    parts = split_at_date_line(closed)
    assert [(min(x for x, _ in part), max(x for x, _ in part)) for part in parts] == expected
    assert all(part[0] == part[-1] for part in parts)
    unwrapped = np.array(closed)
    unwrapped[:, 0] = unwrap_longitudes(unwrapped[:, 0], ring[0][0])
    assert sum(map(signed_area, parts)) == pytest.approx(signed_area(unwrapped.tolist()))
    west, south, east, north = bounding_box(parts)
    assert (west, east) == (expected[0][0], expected[-1][1])
    assert (south, north) == (0, 2)


def signed_area(ring: list[tuple[float, float]]) -> float:
    x, y = np.array(ring).T
    return 0.5 * float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
