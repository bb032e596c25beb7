"""Table of a Level-2A product of a simulated scene against the truth of the scene.

``python -m sen2cor.simulation.truth_comparison LEVEL2A TRUTH`` compares ground under a clear sky,
that is without clouds, their shadows and cirrus, with the limits of the mission's Level-2A
requirements (S2-PDGS-MPC-L2ADQR).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BANDS, NO_DATA
from sen2cor.errors import InputError, Sen2CorError
from sen2cor.imagery import images
from sen2cor.product.level2a.reader import Level2AReader, open_level2a
from sen2cor.product.level2a.shared_elements import AOT_QUANTIFICATION, WATER_VAPOUR_QUANTIFICATION
from sen2cor.raster.array_types import BoolArray, Float64Array

_MAX_OPTICAL_THICKNESS = 0.02
"""Of clouds above, and of clouds that shade, under a clear sky."""

_MAX_CIRRUS = 0.0005
"""Reflectance of cirrus under a clear sky."""

_MAPS = (
    ("aerosol optical thickness", "AOT", "aot550", AOT_QUANTIFICATION, (0.1, 0.03)),
    ("water vapour, cm", "WVP", "water_vapour", WATER_VAPOUR_QUANTIFICATION, (0.1, 0.2)),
)
_Kind = TypeVar("_Kind", bound=np.generic)

_REFLECTANCE_LIMIT = (0.05, 0.005)


@dataclass(frozen=True)
class Comparison:
    """Retrieved minus true values of a quantity.

    Attributes
    ----------
    quantity : str
    truth, bias, rms : float
        Mean of the true values; mean and root mean square of the differences.
    within : float
        Fraction of the pixels within the limit.
    limit : (float, float)
        Relative and absolute part of the limit.
    pixels : int
    """

    quantity: str
    truth: float
    bias: float
    rms: float
    within: float
    limit: tuple[float, float]
    pixels: int


def compare_with_truth(product: Level2AReader, truth: Path) -> Iterator[Comparison]:
    """Compare maps and bands of a product of one tile with its truth; skip missing images.

    Parameters
    ----------
    product : Level2AReader
    truth : Path
        Folder ``NAME.truth`` of the simulator.

    Raises
    ------
    InputError
        The truth is missing or of another size.
    """
    clear = _find_clear_sky(truth)
    (tile,) = product.tiles
    for title, kind, name, quantification, limit in _MAPS:
        path = tile.images.get((kind, 20))
        if path is not None:
            numbers = images.read(path)
            true = _repeat(_load(truth, f"{name}_60m"), 3)
            yield _compare(title, numbers, numbers / quantification, true, clear, limit)
    for band in BANDS:
        path = tile.images.get((band.name, band.resolution))
        if path is not None:
            numbers = images.read(path)
            values = (numbers.astype(np.float64) + product.offset) / product.quantification
            true = _load(truth, f"reflectance_{band.name}_{band.resolution}m") / 1e4
            mask = _resample(clear, band.resolution)
            title = f"reflectance {band.name}"
            yield _compare(title, numbers, values, true, mask, _REFLECTANCE_LIMIT)


def format_table(comparisons: Sequence[Comparison]) -> str:
    """Format comparisons as a table of text."""
    lines = [f"{'':28s}{'truth':>8s}{'bias':>9s}{'rms':>8s}{'within':>8s}  of limit"]
    for found in comparisons:
        relative, absolute = found.limit
        lines.append(
            f"{found.quantity:28s}{found.truth:8.3f}{found.bias:+9.4f}{found.rms:8.4f}"
            f"{found.within:8.1%}  {absolute:g} + {relative:.0%}"
        )
    return "\n".join(lines)


def _find_clear_sky(truth: Path) -> BoolArray:
    """Return the ground at 20 m that sees the sun and the satellite."""
    clear: BoolArray = _load(truth, "cirrus_reflectance_20m") < _MAX_CIRRUS
    for name in ("cloud_optical_thickness_20m", "shadow_optical_thickness_20m"):
        clear &= _load(truth, name) < _MAX_OPTICAL_THICKNESS
    return clear


def _compare(
    quantity: str,
    numbers: npt.NDArray[np.generic],
    found: Float64Array,
    true: Float64Array,
    mask: BoolArray,
    limit: tuple[float, float],
) -> Comparison:
    if not numbers.shape == true.shape == mask.shape:
        raise InputError(f"{quantity}: product and truth differ in size")
    valid = mask & (numbers != NO_DATA)
    if not valid.any():
        return Comparison(quantity, np.nan, np.nan, np.nan, np.nan, limit, 0)
    expected = true[valid]
    error = found[valid] - expected
    within = np.abs(error) <= limit[0] * expected + limit[1]
    return Comparison(
        quantity,
        float(expected.mean()),
        float(error.mean()),
        float(np.sqrt(np.mean(error**2))),
        float(within.mean()),
        limit,
        int(valid.sum()),
    )


def _resample(mask: BoolArray, resolution: int) -> BoolArray:
    """Resample a mask of 20 m; coarse pixels are true only if all their pixels are."""
    if resolution == 10:
        return _repeat(mask, 2)
    if resolution == 20:
        return mask
    rows, cols = (size // 3 for size in mask.shape)
    coarse: BoolArray = mask[: 3 * rows, : 3 * cols].reshape(rows, 3, cols, 3).all(axis=(1, 3))
    return coarse


def _repeat(image: npt.NDArray[_Kind], factor: int) -> npt.NDArray[_Kind]:
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def _load(truth: Path, name: str) -> Float64Array:
    try:
        return np.asarray(np.load(truth / f"{name}.npy"), np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{truth}: no truth of a simulated scene ({error})") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m sen2cor.simulation.truth_comparison", description=__doc__
    )
    parser.add_argument("level2a", type=Path)
    parser.add_argument("truth", type=Path)
    values = parser.parse_args(arguments)
    try:
        comparisons = list(compare_with_truth(open_level2a(values.level2a), values.truth))
    except Sen2CorError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    print("errors of the product (ground under a clear sky):")
    print(format_table(comparisons))
    return 0


if __name__ == "__main__":
    sys.exit(main())
