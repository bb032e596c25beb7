"""Sentinel-2 Level-2A processor: surface reflectance from Level-1C products.

``from sen2cor import process`` processes a product, ``open_level2a`` opens the result with xarray;
`sen2cor.steps` contains the steps for arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sen2cor.errors import Sen2CorError
from sen2cor.version import __version__

if TYPE_CHECKING:
    from sen2cor.api import ProductOutcome, process
    from sen2cor.datasets import open_level2a
    from sen2cor.settings import Settings, load_settings

__all__ = [
    "ProductOutcome",
    "Sen2CorError",
    "Settings",
    "__version__",
    "load_settings",
    "open_level2a",
    "process",
]

_HOMES = {
    "ProductOutcome": "sen2cor.api",
    "Settings": "sen2cor.settings",
    "load_settings": "sen2cor.settings",
    "open_level2a": "sen2cor.datasets",
    "process": "sen2cor.api",
}


def __getattr__(name: str) -> Any:
    """Import on first use, so that the command line answers ``--help`` without delay."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sen2cor' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
