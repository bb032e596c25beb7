"""Reading of all settings of a run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sen2cor.settings.cal_sc_gipp import THRESHOLDS, thresholds_from
from sen2cor.settings.documents import CLASSIFICATION, CORRECTION, DOCUMENTS, SECTIONS, USER
from sen2cor.settings.locate import HOME_VARIABLE, configuration_file, home_folder
from sen2cor.settings.parameters import parameters_of
from sen2cor.settings.reader import read_document
from sen2cor.settings.settings import Settings


def load_settings(
    gipp: Path | None = None,
    sc: Path | None = None,
    ac: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read the three configuration files. No file is written to, nothing is logged.

    `Settings.log` says what was found; it is left to the caller because the files themselves say
    how to log.

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
    sources = {name: configuration_file(name, path, environ) for name, path in given.items()}
    contents = {
        document.name: read_document(sources[document.name], document) for document in DOCUMENTS
    }
    values = {
        name: value for content in contents.values() for name, value in content.values.items()
    }
    sections = {name: _fields(cls, values) for name, cls in SECTIONS.items()}
    sections["classification"]["thresholds"] = thresholds_from(
        {entry.name: values[entry.name] for entry in THRESHOLDS if entry.name in values}
    )
    home = home_folder(environ)
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
        for name, parameter in parameters_of(cls)
        if parameter.name in values
    }
