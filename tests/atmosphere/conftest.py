"""A small tile with slanting geometry."""

from __future__ import annotations

import numpy as np
import pytest

from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.raster.grids import AngleGrid, Grid, TileGeometry

from .analytic import AnalyticTable


@pytest.fixture
def table() -> AnalyticTable:
    return AnalyticTable()


@pytest.fixture
def geometry() -> NodeGeometry:
    south, east = np.mgrid[0:4, 0:4].astype(np.float32)
    sun = AngleGrid(40.0 + 0.05 * south, 150.0 + 0.1 * east, 5000.0)
    view = AngleGrid(3.0 + 0.4 * east, 359.0 + 0.8 * south, 5000.0)
    bands = {name: view for name in ("B02", "B04", "B8A", "B09", "B12")}
    angles = TileGeometry(sun, bands, 40.0, 150.0)
    return NodeGeometry.over(Grid(32633, 3e5, 5.9e6, 60.0, 120, 100), angles)
