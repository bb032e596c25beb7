"""Band ratios of dark canopies: modelled, assumed by aerosol retrievals, observed.

The retrieval over dark vegetation takes red to be half of the reflectance at 2.2 um and blue to be
half of red (Kaufman et al. 1997, IEEE Transactions on Geoscience and Remote Sensing 35, 1286).
Real canopies vary widely around these ratios.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sen2cor.errors import UsageError
from sen2cor.raster.array_types import BoolArray, Float32Array, Float64Array
from sen2cor.simulation.landscapes import SURFACE_NAMES, Ground
from sen2cor.simulation.patterns import smooth

_DARK = [SURFACE_NAMES.index(f"forest_{kind}") for kind in ("broadleaf", "mixed", "conifer")]
_STAND_SIZE = 220.0
"""Distance over which the ratios vary, metres."""


@dataclass(frozen=True)
class BandRatios:
    """Ratios of reflectances, and half of the range in which they vary.

    Attributes
    ----------
    red, red_range : float
        B4 over B12.
    blue, blue_range : float
        B2 over B4.
    """

    red: float
    red_range: float
    blue: float
    blue_range: float


CANOPIES: Mapping[str, BandRatios | None] = {
    "modelled": None,
    "ideal": BandRatios(0.5, 0.02, 0.5, 0.02),
    "real": BandRatios(0.61, 0.20, 0.9, 0.12),
}
"""Band ratios by name; None keeps the spectra of the model canopies.

Real: dark vegetation of official Level-2A products has B4 over B12 of 0.41 to 0.81; the mean B2
over B4 of measured spectra of leaves and crowns is near 0.9.
"""

_BAND_WEIGHTS: Mapping[str, tuple[float, float]] = {
    "B01": (0.0, 1.0), "B02": (0.0, 1.0), "B03": (0.5, 0.1), "B04": (1.0, 0.0), "B05": (0.5, 0.0),
}  # fmt: skip
"""Weights of the changes of red and of blue in the change of a band."""


def is_dark_canopy(ground: Ground) -> BoolArray:
    """Pixels of pure forest, shape (rows, cols)."""
    pure = np.isin(ground.second, _DARK) | (ground.fraction < 0.01)
    return np.asarray(np.isin(ground.first, _DARK) & pure)


class CanopyReflectance:
    """Changes the reflectance of the canopies in a block of ground to given band ratios.

    Parameters
    ----------
    name : str
        One of `CANOPIES`.
    ground : Ground
    y, x : ndarray, shapes (rows,) and (cols,)
        Metres.
    table : mapping of band name to ndarray of float32
        Reflectance of the surfaces.
    seed : int

    Raises
    ------
    UsageError
        There is no such name.
    """

    def __init__(
        self,
        name: str,
        ground: Ground,
        y: Float64Array,
        x: Float64Array,
        table: Mapping[str, Float32Array],
        seed: int,
    ) -> None:
        if name not in CANOPIES:
            raise UsageError(f"no canopies {name!r}; the choices are {', '.join(CANOPIES)}")
        self.where = is_dark_canopy(ground)
        self._change = np.zeros((2, int(self.where.sum())), np.float32)
        ratios = CANOPIES[name]
        if ratios is None:
            return
        red_now, blue_now, infrared = (
            ground.reflectance(table[band])[self.where] for band in ("B04", "B02", "B12")
        )
        red = infrared * _vary(ratios.red, ratios.red_range, y, x, seed + 901)[self.where]
        blue = red * _vary(ratios.blue, ratios.blue_range, y, x, seed + 902)[self.where]
        self._change[:] = red / red_now - 1.0, blue / blue_now - 1.0

    def apply(self, reflectance: Float32Array, band: str) -> None:
        """Change the canopies in the reflectance of a band, shape (rows, cols), in place."""
        if band in _BAND_WEIGHTS:
            red, blue = _BAND_WEIGHTS[band]
            reflectance[self.where] *= 1.0 + red * self._change[0] + blue * self._change[1]


def _vary(middle: float, half: float, y: Float64Array, x: Float64Array, seed: int) -> Float32Array:
    """Values that vary smoothly within a range."""
    return np.asarray(middle + half * np.tanh(0.9 * smooth(y, x, _STAND_SIZE, seed)), np.float32)


def sample_ratios(dark: Mapping[str, Float32Array]) -> Float64Array:
    """B12, B4/B12 and B2/B4 of every hundredth pixel of dark canopies, shape (n, 3).

    Parameters
    ----------
    dark : mapping of band name to ndarray of float32, shape (pixels,)
        B02, B04 and B12 of the canopies.
    """
    blue, red, infrared = (dark[b][::101].astype(np.float64) for b in ("B02", "B04", "B12"))
    return np.stack([infrared, red / infrared, blue / red], axis=1)


def summarize_ratios(ratios: Float64Array) -> dict[str, float]:
    """Mean and scatter of what `sample_ratios` gives, for the truth."""
    if not len(ratios):
        return {"pixels": 0}
    mean, scatter = ratios.mean(axis=0), ratios.std(axis=0)
    return {
        "pixels": 101 * len(ratios),
        "b12_mean": round(float(mean[0]), 4),
        "b4_over_b12_mean": round(float(mean[1]), 3),
        "b4_over_b12_scatter": round(float(scatter[1]), 3),
        "b2_over_b4_mean": round(float(mean[2]), 3),
        "b2_over_b4_scatter": round(float(scatter[2]), 3),
    }
