"""The scenes, and how they are processed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DEM = "{dem}"
"""Stands for the elevation model of the scene in a setting."""

_SMALL = "--size", "6"

SCENES: Mapping[str, tuple[str, ...]] = {
    "summer": ("--scene", "summer", *_SMALL),
    "winter": ("--scene", "winter", *_SMALL),
    "coast": ("--scene", "coast", *_SMALL),
    "steep": ("--scene", "steep", *_SMALL),
    "two tiles": ("--scene", "summer", "--psd", "13.1", "--tiles", "32UQD", "32UPD", *_SMALL),
    # large enough for the correction of cirrus
    "cirrus": ("--scene", "cirrus_land", "--psd", "15", "--spacecraft", "S2B", "--size", "9"),
}
"""Options of L2A_Simulate by the name of a Level-1C product."""

SIMULATED = ("summer", "steep", "two tiles", "cirrus")
"""Scenes that the simulators of both codes make."""


@dataclass(frozen=True)
class Case:
    """How a scene is processed.

    Attributes
    ----------
    scene : str
        Key of `SCENES`.
    settings : mapping of str to str
        Those other than shipped; none: the processor finds its settings itself.
    options : tuple of str
        Of L2A_Process.
    """

    scene: str
    settings: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ("--no-report",)


CASES: Mapping[str, Case] = {
    "summer": Case("summer", options=("--report", "--quicklook", "--stac")),
    "winter": Case("winter", {"Mid_Latitude": "WINTER", "Ozone_Content": "0"}),
    "coast": Case("coast", {"Aerosol_Type": "MARITIME"}),
    "steep": Case("steep", {"DEM_Directory": DEM}),
    "format 13.1": Case("two tiles", {"Nr_Processes": "2"}),
    "format 15": Case("cirrus"),
    "cog": Case("summer", options=("--no-report", "--format", "cog")),
    "all outputs": Case(
        "steep",
        {
            "DEM_Directory": DEM,
            "BRDF_Correction": "22",
            "Generate_DEM_Output": "TRUE",
            "Generate_DDV_Output": "TRUE",
            "Generate_QA_Output": "TRUE",
            "Generate_Uncertainty_Output": "TRUE",
        },
    ),
    "rules of 2.3": Case("summer", {"SC_Rules": "SEN2COR_2.3", "Median_Filter": "3"}),
    "classes only": Case("winter", options=("--no-report", "--sc_only")),
    "auto": Case("coast", {"Aerosol_Type": "AUTO", "Mid_Latitude": "AUTO"}),
}
"""By name."""
