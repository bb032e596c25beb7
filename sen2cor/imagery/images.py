"""Images of a product whatever their format: the ending of the name tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy.typing as npt

from sen2cor.imagery import jpeg2000


def read(path: Path) -> npt.NDArray[Any]:
    """Read a whole image; arguments, result and errors as in `sen2cor.imagery.jpeg2000.read`."""
    return jpeg2000.read(path)
