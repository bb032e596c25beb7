"""Comparison of a real pair with the official surface reflectance."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.pipeline.execution.workers import start_workers
from tests.validation.surface_reflectance import AEROSOL, SEASON, SITES, Agreement, Scene


def test_agreement_of_a_known_line() -> None:
    official = np.linspace(0.1, 0.5, 50)
    found = Agreement.of(0.9 * official + 0.02, official)
    assert found.slope == pytest.approx(0.9)
    assert found.bias == pytest.approx(0.02 - 0.1 * 0.3)
    assert found.rms == pytest.approx(np.sqrt(np.mean((0.02 - 0.1 * official) ** 2)))


@pytest.fixture(scope="module")
def hills(reference_data: Path) -> Iterator[Scene]:
    """The hilly pair."""
    with start_workers() as pool, tempfile.TemporaryDirectory() as folder:
        yield Scene.load(reference_data, SITES[1], Path(folder), pool)


def test_relief_and_adjacency_lower_the_scatter(hills: Scene) -> None:
    found = hills.retrieved(load_table("S2A", AEROSOL, SEASON))
    assert found.slopes is not None
    full = hills.agreement(found, "B08")
    assert full.rms < 0.7 * hills.agreement(replace(found, slopes=None), "B08").rms
    assert full.rms < hills.agreement(replace(found, adjacency_range=0.0), "B08").rms


def test_fit_agrees_no_worse_than_the_retrieval(hills: Scene) -> None:
    found = hills.retrieved(load_table("S2A", AEROSOL, SEASON))
    fitted = hills.fitted(found)
    at = [
        sum(hills.agreement(state, band).rms for band in ("B02", "B03", "B04"))
        for state in (fitted, found)
    ]
    assert at[0] <= at[1] + 1e-5
