"""All settings of a run: read once, immutable, with their sources."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sen2cor.paths import expand_path
from sen2cor.settings.configuration_files import (
    HOME_VARIABLE,
    find_configuration_file,
    find_home,
    packaged_configuration_folder,
)
from sen2cor.settings.documents import CLASSIFICATION, CORRECTION, DOCUMENTS, SECTIONS, USER
from sen2cor.settings.elements import Parameter, list_parameters
from sen2cor.settings.l2a_cal_ac_gipp import CorrectionSettings
from sen2cor.settings.l2a_cal_sc_gipp import THRESHOLDS, ClassificationSettings, thresholds_from
from sen2cor.settings.l2a_gipp import (
    CalibrationSettings,
    CommonSettings,
    FlagSettings,
    LookUpTableSettings,
)
from sen2cor.settings.reader import read_assignments, read_document
from sen2cor.settings.writer import render_document

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Difference:
    """An element whose value is not the default; texts as they stand in a file."""

    document: str
    element: str
    value: str
    default: str

    def __str__(self) -> str:
        return f"{self.document}: {self.element} = {self.value} (default {self.default})"


@dataclass(frozen=True)
class Settings:
    """The settings of a run; without arguments, the defaults.

    Settings are immutable; derive new ones with `dataclasses.replace`.

    Attributes
    ----------
    common, look_up_tables, flags, calibration
        Groups of L2A_GIPP.
    classification : ClassificationSettings
        L2A_CAL_SC_GIPP, and the median filter of L2A_GIPP.
    correction : CorrectionSettings
        L2A_CAL_AC_GIPP.
    home : Path or None
        The user's configuration home, None where SEN2COR_HOME is not set.
    sources : mapping of str to Path
        File that each document was read from.
    warnings : tuple of str
        Unknown elements, elements without effect, and contradictions.
    missing : mapping of str to tuple of str
        Elements missing in a document, which have their default.
    assigned : tuple of str
        Elements set on the command line.
    """

    common: CommonSettings = field(default_factory=CommonSettings)
    look_up_tables: LookUpTableSettings = field(default_factory=LookUpTableSettings)
    flags: FlagSettings = field(default_factory=FlagSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    classification: ClassificationSettings = field(default_factory=ClassificationSettings)
    correction: CorrectionSettings = field(default_factory=CorrectionSettings)
    home: Path | None = None
    sources: Mapping[str, Path] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assigned: tuple[str, ...] = ()

    @property
    def dem_directory(self) -> Path | None:
        """Folder of the elevation model, None for a flat surface.

        A relative name is relative to the home, or to the working directory where there is none.
        """
        if self.common.dem_directory is None:
            return None
        return (self.home or Path()) / expand_path(self.common.dem_directory)

    @property
    def dem_unit(self) -> float:
        """Metres per unit of the elevation model."""
        return float(10.0**-self.calibration.dem_unit)

    @property
    def target_directory(self) -> Path | None:
        """Folder of the Level-2A product, None for the one beside the Level-1C product."""
        target = self.common.target_directory
        return None if target is None else expand_path(target)

    @property
    def snow_map(self) -> Path | None:
        """File of the snow climatology; None where there is no such file."""
        name = expand_path(self.classification.snow_map)
        folders = [(self.home or Path()) / folder for folder in ("", "aux_data", "lib")]
        return next((path for folder in folders if (path := folder / name).is_file()), None)

    def values(self) -> Iterator[tuple[Parameter, Any]]:
        """Yield every parameter with its value, in the order of the files."""
        for section, cls in SECTIONS.items():
            group = getattr(self, section)
            for name, parameter in list_parameters(cls):
                yield parameter, getattr(group, name)
        for parameter in THRESHOLDS:
            yield parameter, getattr(self.classification.thresholds, parameter.name.lower())

    def assign(self, assignments: Iterable[str]) -> Settings:
        """Return settings with values of the command line, which replace those of the files.

        Parameters
        ----------
        assignments : iterable of str
            ``NAME=VALUE``, as in ``Visibility=23``; checked like the elements of a file.

        Raises
        ------
        UsageError
            One has another form.
        ConfigurationError
            An element is unknown, without effect or given twice, or its value is not allowed.
        """
        content = read_assignments(assignments)
        sections = {name: _fields(cls, content.values) for name, cls in SECTIONS.items()}
        sections["classification"]["thresholds"] = thresholds_from(
            content.values, self.classification.thresholds
        )
        return replace(
            self,
            **{name: replace(getattr(self, name), **sections[name]) for name in SECTIONS},
            warnings=(*self.warnings, *content.warnings),
            assigned=tuple(dict.fromkeys((*self.assigned, *content.values))),
        )

    def find_origin(self, parameter: Parameter, value: Any) -> str:
        """Tell where a value comes from: ``default``, name of a file, ``command line``.

        A default in the packaged file is a default, too.
        """
        if parameter.name in self.assigned:
            return "command line"
        source = self.sources.get(parameter.document)
        if source is None or parameter.name in self.missing.get(parameter.document, ()):
            return "default"
        packaged = packaged_configuration_folder(os.environ, f"{parameter.document}.xml")
        is_default = source.parent == packaged and value == parameter.default_value
        return "default" if is_default else source.name

    def differences(self) -> tuple[Difference, ...]:
        """Return the elements whose value differs from the default."""
        return tuple(
            Difference(
                parameter.document, parameter.name, parameter.kind.render(value), parameter.default
            )
            for parameter, value in self.values()
            if value != parameter.default_value
        )

    def effective_gipp_xml(self) -> bytes:
        """Return the settings of L2A_GIPP as used, as a file that could be read again.

        Comments list what differs from the default in the two expert files, and the elements that
        the command line sets.
        """
        others = [str(entry) for entry in self.differences() if entry.document != USER.name]
        texts = {
            parameter.name: parameter.kind.render(value)
            for parameter, value in self.values()
            if parameter.document == USER.name and value != parameter.default_value
        }
        notes = ["Expert files: " + ("; ".join(others) or "all defaults")]
        if self.assigned:
            notes.append(f"Set on the command line: {', '.join(self.assigned)}")
        return render_document(USER, texts, notes)

    def digest(self) -> str:
        """Return a digest (SHA-256, hexadecimal) of the settings that change the images."""
        lines = sorted(
            f"{parameter.document}/{parameter.name}={value!r}"
            for parameter, value in self.values()
            if parameter.changes_result
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def log(self) -> None:
        """Log the files used, ignored and missing elements, and what differs from the default."""
        for name, path in self.sources.items():
            logger.info("configuration %s: %s", name, path)
        for warning in self.warnings:
            logger.warning("%s", warning)
        for name, elements in self.missing.items():
            if elements:
                logger.info("%s: default used for missing %s", name, ", ".join(elements))
        if self.assigned:
            logger.info("set on the command line: %s", ", ".join(self.assigned))
        for difference in self.differences():
            logger.info("differs from default: %s", difference)
        if self.snow_map is None:
            logger.info(
                "no snow climatology %s: snow may be anywhere", self.classification.snow_map
            )


def load_settings(
    gipp: Path | None = None,
    sc: Path | None = None,
    ac: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read the three configuration files. No file is written, nothing is logged.

    The caller logs the result with `Settings.log`, since the files define the level of the log.

    Parameters
    ----------
    gipp, sc, ac : Path or None
        Files named by the user: L2A_GIPP, L2A_CAL_SC_GIPP and L2A_CAL_AC_GIPP. None: the ones of
        ``$SEN2COR_HOME/cfg``, else the packaged defaults.
    environ : mapping or None
        Environment variables; None: those of the process.

    Raises
    ------
    ConfigurationError
        If a file does not exist, cannot be read, or has a value that is not allowed.
    """
    environ = os.environ if environ is None else environ
    given = {USER.name: gipp, CLASSIFICATION.name: sc, CORRECTION.name: ac}
    sources = {name: find_configuration_file(name, path, environ) for name, path in given.items()}
    contents = {
        document.name: read_document(sources[document.name], document) for document in DOCUMENTS
    }
    values = {
        name: value for content in contents.values() for name, value in content.values.items()
    }
    sections = {name: _fields(cls, values) for name, cls in SECTIONS.items()}
    sections["classification"]["thresholds"] = thresholds_from(values)
    home = find_home(environ)
    warnings = [text for content in contents.values() for text in content.warnings]
    if home and not home.is_dir():
        warnings.insert(0, f"{HOME_VARIABLE}: {home} is not a folder")
    return Settings(
        **{name: cls(**sections[name]) for name, cls in SECTIONS.items()},
        home=home,
        sources=sources,
        warnings=tuple(warnings),
        missing={
            document.name: tuple(
                parameter.name
                for parameter in document.parameters
                if parameter.name not in contents[document.name].values
            )
            for document in DOCUMENTS
        },
    )


def _fields(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: values[parameter.name]
        for name, parameter in list_parameters(cls)
        if parameter.name in values
    }
