"""Points are corrected like the pixels of the image."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.atmosphere.aerosol.scene import PointSample, terms_at_points
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms
from sen2cor.atmosphere.inversion import inversion_with_adjacency, inversion_without_adjacency
from tests.atmosphere.aerosol_scene import OZONE, RURAL, SHAPE, small_geometry


@pytest.mark.parametrize("band", ["B02", "B04", "B8A", "B12"])
def test_points_agree_with_the_image(band: str) -> None:
    geometry = small_geometry()
    random = np.random.default_rng(1)
    toa = random.uniform(0.1, 0.4, SHAPE).astype(np.float32)
    around = random.uniform(0.1, 0.4, SHAPE).astype(np.float32)
    aot = np.full(SHAPE, 0.35, np.float32)
    state = AtmosphereState(aot, np.full(SHAPE, 1.7, np.float32), OZONE, 0.6)
    terms = band_terms(RURAL, band, geometry, state)
    rows, cols = np.array([3, 80, 159]), np.array([5, 10, 175])
    number = np.ones(3, np.float32)
    points = PointSample(
        rows.astype(np.float32),
        cols.astype(np.float32),
        0.6 * number,
        1.7 * number,
        {band: toa[rows, cols]},
        {band: around[rows, cols]},
    )
    found = terms_at_points(RURAL, band, geometry, points, 0.35 * number, OZONE)
    near = inversion_with_adjacency(terms, terms.surface_signal(around))(toa)[rows, cols]
    here = found.surface_reflectance(points.toa[band], points.neighbourhood[band])
    np.testing.assert_allclose(here, near, atol=2e-4)
    flat = inversion_without_adjacency(terms)(toa)[rows, cols]
    alone = found.surface_reflectance(points.toa[band], points.toa[band])
    np.testing.assert_allclose(alone, flat, atol=2e-4)
    path = points.toa[band] - found.surface_contribution(here, points.neighbourhood[band])
    np.testing.assert_allclose(path, found.path_reflectance, atol=1e-5)
