"""AUTO: the closest double ratio wins, seasons that tie are told apart by the date."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from sen2cor.atmosphere.aerosol.model_selection import Trial, select_model
from sen2cor.atmosphere.standard_atmospheres import season_by_date


def trial(aerosol: str, season: str, ratio: float) -> Trial:
    table: Any = SimpleNamespace(aerosol=aerosol, season=season, name=f"{aerosol}_{season}")
    return Trial(table, ratio)


@pytest.mark.parametrize(
    ("rural", "maritime", "winner"), [(1.02, 1.05, "RURAL"), (0.96, 0.98, "MARITIME")]
)
def test_closest_to_one_wins(rural: float, maritime: float, winner: str) -> None:
    trials = [trial("RURAL", "SUMMER", rural), trial("MARITIME", "SUMMER", maritime)]
    assert select_model(trials, "SUMMER", 0.05).table.aerosol == winner


@pytest.mark.parametrize(("tolerance", "season"), [(0.05, "WINTER"), (0.001, "SUMMER")])
def test_date_decides_between_seasons_within_the_tolerance(tolerance: float, season: str) -> None:
    trials = [trial("RURAL", "SUMMER", 1.0), trial("RURAL", "WINTER", 1.01)]
    assert select_model(trials, "WINTER", tolerance).table.season == season


@pytest.mark.parametrize(
    ("month", "latitude", "season"),
    [
        (1, 50.0, "WINTER"), (7, 50.0, "SUMMER"), (4, 50.0, "SUMMER"), (11, 50.0, "WINTER"),
        (1, -40.0, "SUMMER"), (7, -40.0, "WINTER"), (1, 5.0, "SUMMER"), (5, -40.0, "WINTER"),
        (10, -40.0, "SUMMER"),
    ],
)  # fmt: skip
def test_season_of_date_and_latitude(month: int, latitude: float, season: str) -> None:
    assert season_by_date(datetime(2017, month, 10, tzinfo=timezone.utc), latitude) == season
