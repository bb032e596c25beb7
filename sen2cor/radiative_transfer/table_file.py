"""Writes tables as NetCDF classic, with axes, units and origin, and always the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.io import netcdf_file

from sen2cor.files import replace_on_success

FORMAT = "sen2cor look-up table 1"


@dataclass(frozen=True)
class Variable:
    """One variable of a table; an axis is a variable whose only dimension has its own name.

    Attributes
    ----------
    dimensions : sequence of str
    values : array_like
        Written as float32.
    units : str
    description : str
    """

    dimensions: Sequence[str]
    values: npt.ArrayLike
    units: str
    description: str


def write_table(
    path: Path, variables: Mapping[str, Variable], attributes: Mapping[str, str]
) -> None:
    """Write a table; it appears by rename, with a checksum over its values as an attribute."""
    digest = hashlib.sha256()
    with replace_on_success(path) as part, netcdf_file(part, "w") as stream:
        for name, variable in variables.items():
            values = np.asarray(variable.values, ">f4")
            for dimension, size in zip(variable.dimensions, values.shape, strict=True):
                if dimension not in stream.dimensions:
                    stream.createDimension(dimension, size)
            written = stream.createVariable(name, "f4", tuple(variable.dimensions))
            written[:] = values
            written.units = variable.units
            written.long_name = variable.description
        for name in sorted(variables):
            digest.update(np.asarray(variables[name].values, ">f4").tobytes())
        for name, text in {"format": FORMAT, **attributes, "sha256": digest.hexdigest()}.items():
            setattr(stream, name, text)
