"""Settings of the scene classification, and the elements of L2A_CAL_SC_GIPP.

`sen2cor.classification.parameters` defines the parameters, independently of files; the tables here
give each parameter the name of its XML element and its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sen2cor.classification.parameters import (
    RULES,
    S2CLOUDLESS,
    ClassificationParameters,
    ClassificationRules,
    ClassificationThresholds,
)
from sen2cor.settings.elements import Parameter, Table
from sen2cor.settings.value_types import Boolean, Choice, Decimal, Integer, PathText, Text

DOCUMENT = "L2A_CAL_SC_GIPP"
TOP = "Scene_Classification"

_FILTERS = Table("L2A_GIPP", "Scene_Classification/Filters")
_RULES = Table("L2A_GIPP", "Scene_Classification/Rules")
_QUALITY = Table("L2A_GIPP", "Scene_Classification/Quality_Mask")
_REFERENCES = Table(DOCUMENT, f"{TOP}/References")


@dataclass(frozen=True)
class CloudDetectorName(Text):
    """Name of a cloud detector, or a function as ``module:function``."""

    def _range(self) -> str:
        return f"{RULES}, {S2CLOUDLESS} or module:function"

    def _value(self, text: str) -> str:
        if text not in (RULES, S2CLOUDLESS) and not _FUNCTION.fullmatch(text):
            raise ValueError
        return text


_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class ClassificationSettings:
    """Scene classification: its groups of L2A_GIPP, and all of L2A_CAL_SC_GIPP."""

    median_filter: int = _FILTERS.item(
        "Median_Filter",
        Integer(0, 10),
        "0",
        "Window in pixels of the median filter of the class map; 0: no filter",
    )
    rule_set: str = _RULES.item(
        "SC_Rules",
        Choice(("IMPROVED", "SEN2COR_2.3")),
        "IMPROVED",
        "Rules of the scene classification: IMPROVED is more accurate, SEN2COR_2.3 reproduces the "
        "class map of that version",
        since="ours",
    )
    cloud_detector: str = _RULES.item(
        "SC_Cloud_Detector",
        CloudDetectorName(),
        RULES,
        "What decides on clouds: RULES of the scene classification; S2CLOUDLESS, a learned model, "
        "needs the extra cloudmask; or a function of your own as module:function",
        since="ours",
    )
    generate_quality_mask: bool = _QUALITY.item(
        "Generate_QA_Output",
        Boolean(),
        "FALSE",
        "Write a quality mask (MSK_QA) derived from the class map",
        since="ours",
    )
    cloud_dilation: float = _QUALITY.item(
        "QA_Cloud_Dilation",
        Decimal(0, 2000),
        "120",
        "Distance in m by which the quality mask dilates clouds and cirrus",
        since="ours",
    )
    shadow_dilation: float = _QUALITY.item(
        "QA_Shadow_Dilation",
        Decimal(0, 2000),
        "60",
        "Distance in m by which the quality mask dilates cloud shadows",
        since="ours",
    )
    snow_map: str = _REFERENCES.item(
        "Snow_Map",
        PathText(),
        "GlobalSnowMap.tiff",
        "File of the snow climatology, absolute or in SEN2COR_HOME, its aux_data or lib; without "
        "it, snow is possible everywhere",
    )
    thresholds: ClassificationThresholds = field(default_factory=ClassificationThresholds)

    @property
    def parameters(self) -> ClassificationParameters:
        """Parameters of the classification: the thresholds, and the rules of ``SC_Rules``."""
        improved = self.rule_set == "IMPROVED"
        rules = ClassificationRules() if improved else ClassificationRules.compatible()
        return ClassificationParameters(self.thresholds, rules=rules)


_THRESHOLD = Decimal(-10, 10)
_DEFAULTS = ClassificationThresholds()


def _threshold(name: str, meaning: str) -> Parameter:
    default = repr(float(getattr(_DEFAULTS, name.lower())))
    return Parameter(name, _THRESHOLD, default, meaning, DOCUMENT, f"{TOP}/Thresholds")


def _range(first: str, second: str, meaning: str) -> tuple[Parameter, Parameter]:
    return _threshold(first, f"{meaning}, from"), _threshold(second, f"{meaning}, to")


THRESHOLDS = (
    *_range("T1_B04", "T2_B04", "Cloud: red reflectance"),
    *_range("T1_NDSI_CLD", "T2_NDSI_CLD", "Cloud: snow index"),
    *_range("T1_NDSI_SNW", "T2_NDSI_SNW", "Snow: snow index"),
    *_range("T1_B8A", "T2_B8A", "Snow: near infrared reflectance"),
    *_range("T1_B02", "T2_B02", "Snow: blue reflectance"),
    *_range("T1_R_B02_B04", "T2_R_B02_B04", "Snow: ratio of blue to red"),
    _threshold("T1_SNOW", "Snow: minimum probability"),
    _threshold("T2_SNOW", "Snow: maximum 2.2 um reflectance of the ring around it"),
    *_range("T1_NDVI", "T2_NDVI", "Vegetation: NDVI"),
    _threshold("T2_R_B8A_B03", "Dark or senescent vegetation: ratio of B8A to B03"),
    *_range("T1_R_B8A_B11", "T2_R_B8A_B11", "Rocks and sand: ratio of B8A to B11"),
    _threshold("T1_B10", "Thin cirrus: minimum reflectance at 1.375 um"),
    _threshold("T2_B10", "Thick cirrus: minimum reflectance at 1.375 um"),
    _threshold("T11_B02", "Soil: limit of B02, linear in B02/B11, slope"),
    _threshold("T12_B02", "Soil: limit of B02, linear in B02/B11, offset"),
    *_range("T11_R_B02_B11", "T12_R_B02_B11", "Soil: ratio of B02 to B11"),
    *_range("T21_R_B02_B11", "T22_R_B02_B11", "Water: ratio of B02 to B11"),
    _threshold("T21_B12", "Water: limit of B12, linear in B02/B11, slope"),
    _threshold("T22_B12", "Water: limit of B12, linear in B02/B11, offset"),
    _threshold("T_B02_B12", "Cloud shadow: maximum mean distance to the reference spectrum"),
    _threshold("T_CLOUD_LP", "Low cloud probability: minimum probability"),
    _threshold("T_CLOUD_MP", "Medium cloud probability: minimum probability"),
    _threshold("T_CLOUD_HP", "High cloud probability: minimum probability"),
)


def thresholds_from(
    values: Mapping[str, Any], start: ClassificationThresholds = _DEFAULTS
) -> ClassificationThresholds:
    """Build the thresholds from values by element name; missing elements keep those of `start`."""
    fields = {
        entry.name.lower(): values[entry.name] for entry in THRESHOLDS if entry.name in values
    }
    return replace(start, **fields)


CLASS_CODES = tuple(
    Parameter(
        name,
        Choice((str(code),), int),
        str(code),
        "" if code else "Codes of the class map: fixed by the product format",
        DOCUMENT,
        f"{TOP}/Classificators",
        aliases=tuple(aliases),
    )
    for code, (name, *aliases) in enumerate(
        (
            ("NO_DATA",),
            ("SATURATED_DEFECTIVE",),
            ("DARK_FEATURES",),
            ("CLOUD_SHADOWS",),
            ("VEGETATION",),
            ("BARE_SOILS", "NOT_VEGETATED"),
            ("WATER",),
            ("LOW_PROBA_CLOUDS", "UNCLASSIFIED"),
            ("MEDIUM_PROBA_CLOUDS",),
            ("HIGH_PROBA_CLOUDS",),
            ("THIN_CIRRUS",),
            ("SNOW_ICE",),
        )
    )
)
"""Codes of the class map; the product format fixes them, a file cannot change them."""
