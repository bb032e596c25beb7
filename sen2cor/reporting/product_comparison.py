"""Differences of two Level-2A products of the same acquisition: bands, maps and classes.

``python -m sen2cor.reporting.product_comparison FIRST SECOND`` prints them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND
from sen2cor.errors import InputError, Sen2CorError
from sen2cor.imagery import images
from sen2cor.product.level2a.reader import Level2AReader, open_level2a
from sen2cor.product.level2a.shared_elements import AOT_QUANTIFICATION, WATER_VAPOUR_QUANTIFICATION
from sen2cor.reporting.palette import SCENE_CLASS_NAMES

_SCALES = {"AOT": AOT_QUANTIFICATION, "WVP": WATER_VAPOUR_QUANTIFICATION}

_BLOCK = 2048
"""Rows compared at once, which bounds the memory."""


@dataclass(frozen=True)
class Difference:
    """Second minus first product, over the pixels that have data in both.

    Attributes
    ----------
    tile, kind : str
    resolution : int
        Metres.
    pixels : int
    changed : float
        Fraction of these pixels that differ.
    bias, rms, largest : float
        Mean, root mean square and largest absolute value of the differences.
    only_first, only_second : int
        Pixels with data in one of the products only.
    """

    tile: str
    kind: str
    resolution: int
    pixels: int
    changed: float
    bias: float
    rms: float
    largest: float
    only_first: int
    only_second: int


def compare_products(first: Level2AReader, second: Level2AReader) -> Iterator[Difference]:
    """Compare bands, aerosol and water vapour that both products have.

    Parameters
    ----------
    first, second : Level2AReader
        They may be of different formats and image formats: values are compared, not numbers.

    Raises
    ------
    InputError
        The products have no image in common, or images of different size.
    """
    found = False
    for mgrs, kind, resolution, paths in _list_common(first, second):
        if kind in BAND or kind in _SCALES:
            found = True
            values = [
                _read_values(product, kind, path)
                for product, path in zip((first, second), paths, strict=True)
            ]
            yield _compare(mgrs, kind, resolution, *values)
    if not found:
        raise InputError(f"{first.path} and {second.path}: no tile and image in common")


def count_class_changes(
    first: Level2AReader, second: Level2AReader
) -> Iterator[tuple[str, int, npt.NDArray[np.int64]]]:
    """Count the pixels of each pair of classes.

    Yields
    ------
    (str, int, ndarray of int64, shape (12, 12))
        Tile, resolution, and pixels by class in the first (rows) and the second product.
    """
    number = len(SCENE_CLASS_NAMES)
    for mgrs, kind, resolution, paths in _list_common(first, second):
        if kind == "SCL":
            before, after = (images.read(path).astype(np.int64) for path in paths)
            _check_shapes(kind, before, after)
            pairs = np.bincount((before * number + after).ravel(), minlength=number**2)
            yield mgrs, resolution, pairs[: number**2].reshape(number, number)


def _list_common(
    first: Level2AReader, second: Level2AReader
) -> Iterator[tuple[str, str, int, tuple[Path, Path]]]:
    others = {tile.mgrs: tile for tile in second.tiles}
    for tile in first.tiles:
        other = others.get(tile.mgrs)
        if other is None:
            continue
        for (kind, resolution), path in sorted(tile.images.items(), key=_sort_key):
            beside = other.images.get((kind, resolution))
            if resolution is not None and beside is not None:
                yield tile.mgrs, kind, resolution, (path, beside)


def _sort_key(image: tuple[tuple[str, int | None], Path]) -> tuple[int, bool, str]:
    (kind, resolution), _ = image
    return resolution or 0, kind not in BAND, kind


def _read_values(
    product: Level2AReader, kind: str, path: Path
) -> tuple[npt.NDArray[np.generic], float, float]:
    """Return digital numbers with scale and offset of their values."""
    if kind in _SCALES:
        return images.read(path), 1.0 / _SCALES[kind], 0.0
    return images.read(path), 1.0 / product.quantification, product.offset / product.quantification


def _check_shapes(
    kind: str, before: npt.NDArray[np.generic], after: npt.NDArray[np.generic]
) -> None:
    if before.shape != after.shape:
        raise InputError(f"{kind}: the images differ in size: {before.shape}, {after.shape}")


def _compare(
    mgrs: str,
    kind: str,
    resolution: int,
    before: tuple[npt.NDArray[np.generic], float, float],
    after: tuple[npt.NDArray[np.generic], float, float],
) -> Difference:
    _check_shapes(kind, before[0], after[0])
    sums = np.zeros(2)
    pixels = changed = only_first = only_second = 0
    largest = 0.0
    for start in range(0, len(before[0]), _BLOCK):
        rows = slice(start, start + _BLOCK)
        known = [numbers[rows] != 0 for numbers, _, _ in (before, after)]
        both = known[0] & known[1]
        values = [
            numbers[rows][both].astype(np.float64) * scale + offset
            for numbers, scale, offset in (before, after)
        ]
        difference = np.round(values[1] - values[0], 9)
        pixels += int(both.sum())
        changed += int(np.count_nonzero(difference))
        only_first += int((known[0] & ~known[1]).sum())
        only_second += int((known[1] & ~known[0]).sum())
        sums += difference.sum(), (difference**2).sum()
        largest = max(largest, float(np.abs(difference).max(initial=0.0)))
    mean = sums / max(1, pixels)
    fraction = changed / max(1, pixels)
    return Difference(
        mgrs, kind, resolution, pixels, fraction, float(mean[0]), float(np.sqrt(mean[1])), largest,
        only_first, only_second,
    )  # fmt: skip


def format_comparison(first: Level2AReader, second: Level2AReader) -> str:
    """Format the differences as text: a table of images, and the changes of classes."""
    lines = [
        f"A: {first.path}",
        f"B: {second.path}",
        f"{'tile':6s} {'image':10s}{'changed':>9s}{'B - A':>10s}{'rms':>9s}{'largest':>9s}"
        f"{'only A':>9s}{'only B':>9s}",
    ]
    for found in compare_products(first, second):
        lines.append(
            f"{found.tile:6s} {f'{found.kind} {found.resolution} m':10s}{found.changed:9.1%}"
            f"{found.bias:+10.4f}{found.rms:9.4f}{found.largest:9.4f}"
            f"{found.only_first:9d}{found.only_second:9d}"
        )
    for mgrs, resolution, pairs in count_class_changes(first, second):
        total = int(pairs.sum())
        same = int(np.trace(pairs))
        lines.append(f"{mgrs}: {same / max(1, total):.2%} of the classes at {resolution} m agree")
        changes = pairs - np.diag(np.diag(pairs))
        for index in np.argsort(changes, axis=None)[::-1][:8]:
            before, after = divmod(int(index), len(SCENE_CLASS_NAMES))
            if changes[before, after]:
                lines.append(
                    f"  {changes[before, after] / total:7.2%}  {SCENE_CLASS_NAMES[before]} -> "
                    f"{SCENE_CLASS_NAMES[after]}"
                )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the differences; return the exit code: 0, or that of an error."""
    parser = argparse.ArgumentParser(
        prog="python -m sen2cor.reporting.product_comparison", description=__doc__
    )
    parser.add_argument("first", type=Path, help="Level-2A product A")
    parser.add_argument("second", type=Path, help="Level-2A product B")
    values = parser.parse_args(arguments)
    try:
        print(format_comparison(open_level2a(values.first), open_level2a(values.second)))
    except Sen2CorError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
