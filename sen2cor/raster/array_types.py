"""Types of arrays that all packages share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
UInt8Array = npt.NDArray[np.uint8]
UInt16Array = npt.NDArray[np.uint16]
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[Any]
"""Of any image."""
