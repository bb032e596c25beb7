"""Real scenes and the polygons that judge their classes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.validation.classes_real import ACCEPTED, POLYGONS, rasterize_polygons


def test_a_polygon_holds_the_pixels_whose_centres_it_holds(tmp_path: Path) -> None:
    """4 by 2 pixels of 10 m are 2 by 1 pixels of 20 m."""
    ring = [[2, 4], [6, 4], [6, 6], [2, 6], [2, 4]]
    feature = {"properties": {"class": "water"}, "geometry": {"coordinates": [ring]}}
    path = tmp_path / "polygons.geojson"
    path.write_text(json.dumps({"features": [feature]}))
    expected = np.zeros((5, 6), np.bool_)
    expected[2, 1:3] = True
    np.testing.assert_array_equal(rasterize_polygons(path, (5, 6))["water"], expected)


@pytest.mark.parametrize("path", sorted(POLYGONS.glob("*.geojson")), ids=lambda path: path.stem)
def test_polygons_of_different_classes_do_not_overlap(path: Path) -> None:
    masks = rasterize_polygons(path, (970, 970))
    assert masks.keys() <= ACCEPTED.keys()
    assert all(mask.any() for mask in masks.values())
    assert np.sum(list(masks.values()), axis=0).max() == 1
