"""Match-ups: comparison of the surface reflectance of Level-2A products with reference values.

``python -m sen2cor.match_ups FILE.csv`` prints a table of all match-ups and statistics for each
band; ``--plot FILE.png`` draws them. The file has a header and one line for each site, date and
band:

========================  ==========================================================================
``site``                  any name
``date``                  of the measurement, ``2023-06-10``
``band``                  ``B01`` .. ``B12``, ``B8A``
``reflectance``           reference surface reflectance, 0..1
``uncertainty``           of the reference, one standard deviation; may be empty or absent
``product``               folder of the Level-2A product; relative to the folder of the file
``longitude, latitude``   degrees, WGS 84
========================  ==========================================================================

The value of the product is the mean over a square window at the native resolution of the band (or
the finest that the product has). Pixels of the classes no data, saturated, cloud, thin cirrus and
cloud shadow are excluded; if less than half of the window remains, the match-up has no value. The
standard deviation over the window is the uncertainty of the product's value: it measures how well
the window represents the site. Both uncertainties are added in quadrature.

The statistics of a band are bias and root mean square of product minus reference, the fraction of
differences within ``0.05 rho + 0.005`` (rho: the reference; E. Vermote et al., Remote Sens.
Environ. 185 (2016) 46-56), and the fraction within twice their uncertainty.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from sen2cor.bands import BAND, BAND_NAMES
from sen2cor.classification import SceneClass
from sen2cor.errors import InputError, Sen2CorError
from sen2cor.imagery import images
from sen2cor.optional_packages import require
from sen2cor.product.level2a.reader import Level2AReader, Level2ATileReader, open_level2a
from sen2cor.raster.array_types import Pixels, UInt8Array
from sen2cor.raster.coordinates import WGS84, transform
from sen2cor.raster.grids import Grid

WINDOW = 60.0
"""Side of the window in metres: one 60 m pixel."""

COLUMNS = ("site", "date", "band", "reflectance", "product", "longitude", "latitude")
UNUSABLE = (
    SceneClass.NO_DATA,
    SceneClass.SATURATED_DEFECTIVE,
    SceneClass.CLOUD_SHADOWS,
    SceneClass.MEDIUM_PROBA_CLOUDS,
    SceneClass.HIGH_PROBA_CLOUDS,
    SceneClass.THIN_CIRRUS,
)
_MAX_NUMBER = 65534
"""Largest pixel value that is not saturated."""

_MIN_FRACTION = 0.5
"""Fraction of the window that must be usable."""


@dataclass(frozen=True)
class Reference:
    """One line of the file; the module docstring describes the columns."""

    site: str
    date: date
    band: str
    reflectance: float
    uncertainty: float
    product: Path
    longitude: float
    latitude: float


@dataclass(frozen=True)
class MatchUp:
    """A reference value and the value of the product at its site.

    Attributes
    ----------
    reference : Reference
    reflectance, deviation : float
        Mean and standard deviation over the window; NaN if too few pixels are usable.
    days : int
        Days from the measurement to the acquisition of the product.
    """

    reference: Reference
    reflectance: float
    deviation: float
    days: int

    @property
    def difference(self) -> float:
        """Product minus reference."""
        return self.reflectance - self.reference.reflectance

    @property
    def uncertainty(self) -> float:
        """Uncertainty of the difference, one standard deviation."""
        return float(np.hypot(self.deviation, self.reference.uncertainty))


def read_references(path: Path) -> list[Reference]:
    """Read a file of match-ups.

    Raises
    ------
    InputError
        The file is unreadable, a column is missing, or a value is invalid; the message names the
        line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: unreadable: {error}") from error
    reader = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(f"{path}: missing column {', '.join(missing)}")
    return [_parse_reference(row, path, reader.line_num) for row in reader]


def _parse_reference(row: dict[str, str], path: Path, line: int) -> Reference:
    try:
        found = Reference(
            site=row["site"],
            date=date.fromisoformat(row["date"]),
            band=row["band"],
            reflectance=float(row["reflectance"]),
            uncertainty=float(row.get("uncertainty") or 0.0),
            product=path.parent / row["product"],
            longitude=float(row["longitude"]),
            latitude=float(row["latitude"]),
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: line {line}: {error}") from error
    if found.band not in BAND_NAMES:
        raise InputError(f"{path}: line {line}: unknown band {found.band!r}")
    return found


def match(reference: Reference, window: float = WINDOW) -> MatchUp:
    """Read the value of the product at the site of a reference.

    Parameters
    ----------
    reference : Reference
    window : float
        Side of the window in metres.

    Raises
    ------
    InputError
        The product is unreadable, lacks the band, or does not cover the site.
    """
    product = _open_product(reference.product)
    for tile in product.tiles:
        found = _read_window(product, tile, reference, window)
        if found is not None:
            days = (tile.sensing_time.date() - reference.date).days
            return MatchUp(reference, *found, days)
    raise InputError(f"{reference.product}: {reference.site} is outside the tiles of the product")


def _read_window(
    product: Level2AReader, tile: Level2ATileReader, reference: Reference, window: float
) -> tuple[float, float] | None:
    """Mean and standard deviation over the window; None if the site is not on the tile."""
    band = reference.band
    resolutions = [size for size in (10, 20, 60) if (band, size) in tile.images]
    if not resolutions:
        raise InputError(f"{reference.product}: {band} is missing")
    native = BAND[band].resolution
    resolution = native if native in resolutions else resolutions[0]
    grid = tile.grids[resolution]
    row, col = _locate_pixel(grid, reference)
    if not (0 <= row < grid.rows and 0 <= col < grid.cols):
        return None
    number = max(1, round(window / resolution))
    rows, cols = (
        _window_slice(at, number, size) for at, size in zip((row, col), grid.shape, strict=True)
    )
    numbers = _read_image(tile.images[band, resolution])[rows, cols].astype(np.float64)
    usable = (numbers > 0) & (numbers <= _MAX_NUMBER)
    classes = _read_classes(tile, grid, rows, cols)
    if classes is not None:
        usable &= ~np.isin(classes, UNUSABLE)
    if usable.sum() < _MIN_FRACTION * number**2:
        return np.nan, np.nan
    values = (numbers[usable] + product.offset) / product.quantification
    return float(values.mean()), float(values.std())


def _locate_pixel(grid: Grid, reference: Reference) -> tuple[float, float]:
    """Row and column of the site, in pixels from the upper left corner."""
    east, north = transform(WGS84, grid.epsg, reference.longitude, reference.latitude)
    row, col = (grid.uly - north) / grid.pixel_size, (east - grid.ulx) / grid.pixel_size
    return row.item(), col.item()


def _window_slice(at: float, number: int, size: int) -> slice:
    """``number`` pixels centred on a coordinate, clipped to the tile."""
    first = round(at - 0.5 * number)
    return slice(max(0, first), min(size, first + number))


def _read_classes(
    tile: Level2ATileReader, grid: Grid, rows: slice, cols: slice
) -> UInt8Array | None:
    """Scene classes of a window from the finest map; None if the product has none."""
    size = next((size for size in (20, 60) if ("SCL", size) in tile.images), None)
    if size is None:
        return None
    classes = _read_image(tile.images["SCL", size])
    factor = grid.pixel_size / size
    at = [
        np.minimum((factor * (np.arange(part.start, part.stop) + 0.5)).astype(int), length - 1)
        for part, length in zip((rows, cols), classes.shape, strict=True)
    ]
    return np.asarray(classes[np.ix_(*at)], np.uint8)


@cache
def _open_product(product: Path) -> Level2AReader:
    return open_level2a(product)


@cache
def _read_image(path: Path) -> Pixels:
    return images.read(path)


@dataclass(frozen=True)
class Statistics:
    """Statistics of the match-ups of one band.

    Attributes
    ----------
    number : int
    bias, rms : float
        Of product minus reference.
    within_limit, within_uncertainty : float
        Fractions of the differences within 0.05 rho + 0.005, and within twice their uncertainty.
    """

    number: int
    bias: float
    rms: float
    within_limit: float
    within_uncertainty: float

    @classmethod
    def from_match_ups(cls, found: Iterable[MatchUp]) -> Statistics:
        """Compute the statistics of match-ups that have a value."""
        table = np.array(
            [(item.difference, item.reference.reflectance, item.uncertainty) for item in found]
        )
        difference, reflectance, uncertainty = table.T
        size = np.abs(difference)
        return cls(
            len(table),
            float(difference.mean()),
            float(np.sqrt(np.mean(difference**2))),
            float((size <= 0.05 * np.abs(reflectance) + 0.005).mean()),
            float((size <= 2.0 * uncertainty).mean()),
        )


def match_all(path: Path, window: float = WINDOW) -> list[MatchUp]:
    """Match all references of a file, in its order.

    Parameters
    ----------
    path : Path
        CSV file.
    window : float
        Side of the window in metres.

    Raises
    ------
    InputError
        The file or a product is unusable.
    """
    found = []
    references = read_references(path)
    for number, reference in enumerate(references):
        found.append(match(reference, window))
        if number + 1 == len(references) or references[number + 1].product != reference.product:
            _read_image.cache_clear()
    return found


def group_by_band(match_ups: Iterable[MatchUp]) -> dict[str, list[MatchUp]]:
    """Group the match-ups that have a value, in the order of the bands."""
    groups = defaultdict(list)
    for item in match_ups:
        if np.isfinite(item.reflectance):
            groups[item.reference.band].append(item)
    return {band: groups[band] for band in BAND_NAMES if band in groups}


def render_tables(match_ups: Sequence[MatchUp]) -> str:
    """Render all match-ups and the statistics of the bands as text."""
    lines = [f"{'site':20s}{'date':>12s}{'days':>6s}{'band':>5s}{'reference':>18s}{'product':>18s}"]
    for item in match_ups:
        reference = item.reference
        lines.append(
            f"{reference.site:20s}{reference.date!s:>12s}{item.days:+6d}{reference.band:>5s}"
            f"{reference.reflectance:10.4f} {reference.uncertainty:7.4f}"
            f"{item.reflectance:10.4f} {item.deviation:7.4f}"
        )
    lines += ["", "band  number    bias     rms   within 0.05 rho + 0.005   within 2 uncertainties"]
    by_band = group_by_band(match_ups)
    for band, items in by_band.items():
        summary = Statistics.from_match_ups(items)
        lines.append(
            f"{band:4s}{summary.number:8d}{summary.bias:+8.4f}{summary.rms:8.4f}"
            f"{summary.within_limit:20.0%}{summary.within_uncertainty:25.0%}"
        )
    skipped = len(match_ups) - sum(map(len, by_band.values()))
    if skipped:
        lines.append(f"{skipped} skipped: not enough clear pixels")
    return "\n".join(lines)


def draw(match_ups: Sequence[MatchUp], path: Path) -> None:
    """Draw the product over the reference, with uncertainties and the limit, as PNG.

    Raises
    ------
    AuxiliaryDataError
        Matplotlib is missing; the message names the command that installs it.
    """
    require("report", "--plot")
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 8), layout="constrained")
    axes = figure.add_subplot()
    colours, top = colormaps["tab20"], 0.0
    for number, (band, items) in enumerate(group_by_band(match_ups).items()):
        x, x_error, y, y_error = np.transpose(
            [
                (item.reference.reflectance, item.reference.uncertainty, item.reflectance,
                 item.deviation)
                for item in items
            ]
        )  # fmt: skip
        axes.errorbar(
            x, y, y_error, x_error, fmt="o", color=colours(number), markersize=4, label=band
        )
        top = max(top, float(x.max()), float(y.max()))
    ends = np.array([0.0, 1.1 * top])
    axes.plot(ends, ends, "k-", linewidth=0.8)
    for sign in (-1.0, 1.0):
        axes.plot(ends, ends + sign * (0.05 * ends + 0.005), "k:", linewidth=0.8)
    axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="reference", ylabel="product")
    axes.set_title("surface reflectance; dotted: 0.05 rho + 0.005")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables of a file of match-ups; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m sen2cor.match_ups",
        description="Compare Level-2A products with reference values of surface reflectance.",
    )
    parser.add_argument("file", type=Path, help="CSV file of reference values")
    parser.add_argument(
        "--window", type=float, default=WINDOW, help="side of the window in m (default: 60)"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="PNG file of a scatter plot")
    arguments = parser.parse_args(argv)
    try:
        match_ups = match_all(arguments.file, arguments.window)
        print(render_tables(match_ups))
        if arguments.plot is not None and group_by_band(match_ups):
            draw(match_ups, arguments.plot)
    except Sen2CorError as error:
        print(f"sen2cor.match_ups: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
