"""The three configuration files: root, elements, and elements of other versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sen2cor.settings import l2a_cal_ac_gipp, l2a_cal_sc_gipp
from sen2cor.settings.elements import Parameter, list_parameters
from sen2cor.settings.l2a_cal_ac_gipp import CorrectionSettings
from sen2cor.settings.l2a_cal_sc_gipp import CLASS_CODES, THRESHOLDS, ClassificationSettings
from sen2cor.settings.l2a_gipp import (
    CalibrationSettings,
    CommonSettings,
    FlagSettings,
    LookUpTableSettings,
)
from sen2cor.settings.legacy import FORCE_EXIT, LOOK_UP_TABLE_FILE
from sen2cor.settings.unused_elements import UNUSED_ELEMENTS, UnusedElement

SECTIONS: Mapping[str, type] = {
    "common": CommonSettings,
    "classification": ClassificationSettings,
    "look_up_tables": LookUpTableSettings,
    "flags": FlagSettings,
    "calibration": CalibrationSettings,
    "correction": CorrectionSettings,
}
"""Attribute of `Settings` and its class, in the order of the files."""


@dataclass(frozen=True)
class Document:
    """One configuration file.

    Attributes
    ----------
    name : str
        File name without ``.xml``.
    root : str
        Name of the root element.
    title : str
        Description of the file, for its first comment.
    option : str
        Option of the command that names such a file.
    parameters : tuple of Parameter
        Elements with an effect that the shipped file contains, in order.
    legacy : tuple of Parameter
        Elements of other versions that are translated into these.
    groups : tuple of str
        Paths of groups that only other versions have.
    """

    name: str
    root: str
    title: str
    option: str
    parameters: tuple[Parameter, ...]
    legacy: tuple[Parameter, ...] = ()
    groups: tuple[str, ...] = ()

    @cached_property
    def unused(self) -> tuple[UnusedElement, ...]:
        """Elements without effect."""
        return tuple(element for element in UNUSED_ELEMENTS if element.document == self.name)

    @cached_property
    def by_element(self) -> Mapping[str, Parameter]:
        """Parameters by every element name under which a file may give them."""
        return {
            name: parameter
            for parameter in (*self.parameters, *self.legacy)
            for name in (parameter.name, *parameter.aliases)
        }

    @cached_property
    def group_names(self) -> frozenset[str]:
        """Names of the elements that only hold others."""
        held = (*self.parameters, *self.legacy)
        paths = {*(entry.group for entry in held), *(entry.group for entry in self.unused)}
        paths.update(self.groups)
        return frozenset(name for path in paths for name in path.split("/") if name)


def _of(document: str) -> tuple[Parameter, ...]:
    return tuple(
        parameter
        for section in SECTIONS.values()
        for _, parameter in list_parameters(section)
        if parameter.document == document
    )


USER = Document(
    "L2A_GIPP",
    "Level-2A_Ground_Image_Processing_Parameter",
    "User settings of the Level-2A processor",
    "--GIP_L2A",
    _of("L2A_GIPP"),
    legacy=(FORCE_EXIT, LOOK_UP_TABLE_FILE),
)

CLASSIFICATION = Document(
    l2a_cal_sc_gipp.DOCUMENT,
    "Level-2A_CAL_SC_Ground_Image_Processing_Parameter",
    "Scene classification: thresholds, for experts",
    "--GIP_L2A_SC",
    (*_of(l2a_cal_sc_gipp.DOCUMENT), *CLASS_CODES, *THRESHOLDS),
)

CORRECTION = Document(
    l2a_cal_ac_gipp.DOCUMENT,
    "Level-2A_CAL_AC_Ground_Image_Processing_Parameter",
    "Atmospheric correction: parameters, for experts",
    "--GIP_L2A_AC",
    _of(l2a_cal_ac_gipp.DOCUMENT),
    groups=(f"{l2a_cal_ac_gipp.TOP}/Flags", f"{l2a_cal_ac_gipp.TOP}/Calibration"),
)

DOCUMENTS = (USER, CLASSIFICATION, CORRECTION)
