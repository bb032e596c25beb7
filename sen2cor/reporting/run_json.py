"""The record of a run for machines: ``run.json``."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from typing import Any

from sen2cor import __version__
from sen2cor.errors import AuxiliaryDataError
from sen2cor.imagery.openjpeg import load_glymur
from sen2cor.settings import Settings

FORMAT = "sen2cor run 1"

_PACKAGES = ("numpy", "scipy", "glymur", "lxml", "scikit-image", "psutil", "dask", "distributed")


def versions() -> dict[str, str]:
    """Return versions of the processor and of all that takes part; what is absent is left out."""
    from osgeo import gdal

    found = {
        "sen2cor": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "gdal": gdal.VersionInfo("RELEASE_NAME"),
    }
    with suppress(AuxiliaryDataError):
        found["openjpeg"] = str(load_glymur().version.openjpeg_version)
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def settings_as_used(settings: Settings) -> dict[str, Any]:
    """Return all settings by file and element, as they stand in a file, and where they are from."""
    values: dict[str, dict[str, str]] = {}
    for parameter, value in settings.values():
        values.setdefault(parameter.document, {})[parameter.name] = parameter.kind.render(value)
    return {
        "files": {name: str(path) for name, path in settings.sources.items()},
        "digest": settings.digest(),
        "differs_from_default": [str(entry) for entry in settings.differences()],
        "values": values,
    }


def run_json(content: Mapping[str, Any]) -> bytes:
    """Return the record of a run as a document; what JSON has no type for becomes text."""
    return json.dumps({"format": FORMAT, **content}, indent=1, default=str).encode()
