"""Surface reflectance of Level-2A products beside values measured on the ground or by others.

The file is a CSV with a header; one line for each place, date and band:

========================  ==========================================================================
``site``                  any name
``date``                  of the measurement, ``2023-06-10``
``band``                  ``B01`` .. ``B12``, ``B8A``
``reflectance``           official or measured, 0..1
``uncertainty``           of it, one standard deviation; may be empty or absent
``product``               folder of the Level-2A product; relative to the folder of the file
``longitude, latitude``   degrees on WGS 84
========================  ==========================================================================

Ours is the mean of a square window of pixels of the band's own resolution (or the finest that the
product has), without those that the class map calls cloud, cloud shadow, no data or saturated; half
of the window must remain. Its uncertainty is the standard deviation over the window, which stands
for how well a window represents what was measured; both uncertainties add in squares.

For each band: bias and rms of ours minus the reference, the share of differences within
``0.05 rho + 0.005`` (rho the reference; E. Vermote et al., Remote Sens. Environ. 185 (2016) 46-56)
and the share within twice their uncertainty.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from osgeo import osr

from sen2cor.bands import BAND, BAND_NAMES
from sen2cor.classification import SceneClass
from sen2cor.errors import InputError
from sen2cor.imagery import images
from sen2cor.product.level2a.reader import Level2AReader, Level2ATileReader, open_level2a
from sen2cor.raster.grids import Grid

WINDOW = 60.0
"""Side of the window in metres."""

COLUMNS = ("site", "date", "band", "reflectance", "product", "longitude", "latitude")
UNUSABLE = (
    SceneClass.NO_DATA,
    SceneClass.SATURATED_DEFECTIVE,
    SceneClass.CLOUD_SHADOWS,
    SceneClass.MEDIUM_PROBA_CLOUDS,
    SceneClass.HIGH_PROBA_CLOUDS,
    SceneClass.THIN_CIRRUS,
)
_LARGEST = 65534
_LEAST_SHARE = 0.5


@dataclass(frozen=True)
class Reference:
    """One line of the file; see the module."""

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
    """A reference and what a product has there.

    Attributes
    ----------
    reference : Reference
    reflectance, deviation : float
        Mean and standard deviation over the window; NaN where too few pixels are usable.
    days : int
        From the measurement to the product.
    """

    reference: Reference
    reflectance: float
    deviation: float
    days: int

    @property
    def difference(self) -> float:
        """Ours minus the reference."""
        return self.reflectance - self.reference.reflectance

    @property
    def uncertainty(self) -> float:
        """Of the difference, one standard deviation."""
        return float(np.hypot(self.deviation, self.reference.uncertainty))


def read_references(path: Path) -> list[Reference]:
    """Read a file of match-ups.

    Raises
    ------
    InputError
        A column is missing, or a value makes no sense; the message names the line.
    """
    with path.open(newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"{path}: no column {', '.join(missing)}")
        return [_reference(row, path, reader.line_num) for row in reader]


def _reference(row: dict[str, str], path: Path, line: int) -> Reference:
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
        raise InputError(f"{path}: line {line}: no band {found.band!r}")
    return found


def match(reference: Reference, window: float = WINDOW) -> MatchUp:
    """Look up what a product has at the place of a reference.

    Parameters
    ----------
    reference : Reference
    window : float
        Side of the window in metres.

    Raises
    ------
    InputError
        The product cannot be read, has no such band, or does not hold the place.
    """
    product = _opened(reference.product)
    for tile in product.tiles:
        found = _window(product, tile, reference, window)
        if found is not None:
            days = (tile.sensing_time.date() - reference.date).days
            return MatchUp(reference, *found, days)
    raise InputError(f"{reference.product}: {reference.site} lies outside its tiles")


def _window(
    product: Level2AReader, tile: Level2ATileReader, reference: Reference, window: float
) -> tuple[float, float] | None:
    """Mean and standard deviation over the window; None where the place is not on the tile."""
    band = reference.band
    resolutions = [size for size in (10, 20, 60) if (band, size) in tile.images]
    if not resolutions:
        raise InputError(f"{reference.product}: no image of {band}")
    native = BAND[band].resolution
    resolution = native if native in resolutions else resolutions[0]
    grid = tile.grids[resolution]
    row, col = _pixel(grid, reference)
    if not (0 <= row < grid.rows and 0 <= col < grid.cols):
        return None
    number = max(1, round(window / resolution))
    rows, cols = (
        _around(at, number, size) for at, size in zip((row, col), grid.shape, strict=True)
    )
    numbers = _image(tile.images[band, resolution])[rows, cols].astype(np.float64)
    usable = (numbers > 0) & (numbers <= _LARGEST)
    classes = _classes(tile, grid, rows, cols)
    if classes is not None:
        usable &= ~np.isin(classes, UNUSABLE)
    if usable.sum() < _LEAST_SHARE * number**2:
        return np.nan, np.nan
    values = (numbers[usable] + product.offset) / product.quantification
    return float(values.mean()), float(values.std())


def _pixel(grid: Grid, reference: Reference) -> tuple[float, float]:
    """Row and column of a place in pixels from the upper left corner."""
    source, target = osr.SpatialReference(), osr.SpatialReference()
    source.ImportFromEPSG(4326)
    source.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    target.ImportFromEPSG(grid.epsg)
    transformation = osr.CoordinateTransformation(source, target)
    east, north, _ = transformation.TransformPoint(reference.longitude, reference.latitude)
    return (grid.uly - north) / grid.pixel_size, (east - grid.ulx) / grid.pixel_size


def _around(at: float, number: int, size: int) -> slice:
    """So many pixels whose middle is nearest to a place, as far as they are on the tile."""
    first = round(at - 0.5 * number)
    return slice(max(0, first), min(size, first + number))


def _classes(
    tile: Level2ATileReader, grid: Grid, rows: slice, cols: slice
) -> npt.NDArray[np.uint8] | None:
    """Classes of the pixels of a window, from the finest map; None where there is none."""
    size = next((size for size in (20, 60) if ("SCL", size) in tile.images), None)
    if size is None:
        return None
    classes = _image(tile.images["SCL", size])
    factor = grid.pixel_size / size
    at = [
        np.minimum((factor * (np.arange(part.start, part.stop) + 0.5)).astype(int), most - 1)
        for part, most in zip((rows, cols), classes.shape, strict=True)
    ]
    return np.asarray(classes[np.ix_(*at)], np.uint8)


@cache
def _opened(product: Path) -> Level2AReader:
    return open_level2a(product)


@cache
def _image(path: Path) -> images.Pixels:
    return images.read(path)


@dataclass(frozen=True)
class Statistics:
    """What the match-ups of a band say.

    Attributes
    ----------
    number : int
    bias, rms : float
        Of ours minus the reference.
    within_limit, within_uncertainty : float
        Shares of the differences within 0.05 rho + 0.005, and within twice their uncertainty.
    """

    number: int
    bias: float
    rms: float
    within_limit: float
    within_uncertainty: float

    @classmethod
    def of(cls, found: Iterable[MatchUp]) -> Statistics:
        """Summarise match-ups that have a value."""
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


def report(path: Path, figures: Path, window: float = WINDOW) -> str:
    """Compare all match-ups of a file; the scatter plot goes to a folder.

    Parameters
    ----------
    path : Path
        CSV file.
    figures : Path
        Folder of ``match_ups.png``.
    window : float
        Side of the window in metres.

    Returns
    -------
    str
        Tables.

    Raises
    ------
    InputError
        The file or a product cannot be used.
    """
    found = []
    references = read_references(path)
    for number, reference in enumerate(references):
        found.append(match(reference, window))
        if number + 1 == len(references) or references[number + 1].product != reference.product:
            _image.cache_clear()
    lines = [f"{'site':20s}{'date':>12s}{'days':>6s}{'band':>5s}{'reference':>18s}{'ours':>18s}"]
    by_band = defaultdict(list)
    for item in found:
        reference = item.reference
        lines.append(
            f"{reference.site:20s}{reference.date!s:>12s}{item.days:+6d}{reference.band:>5s}"
            f"{reference.reflectance:10.4f} {reference.uncertainty:7.4f}"
            f"{item.reflectance:10.4f} {item.deviation:7.4f}"
        )
        if np.isfinite(item.reflectance):
            by_band[reference.band].append(item)
    lines += ["", "band  number    bias     rms   within 0.05 rho + 0.005   within 2 uncertainties"]
    for band in BAND_NAMES:
        if band in by_band:
            summary = Statistics.of(by_band[band])
            lines.append(
                f"{band:4s}{summary.number:8d}{summary.bias:+8.4f}{summary.rms:8.4f}"
                f"{summary.within_limit:20.0%}{summary.within_uncertainty:25.0%}"
            )
    left_out = len(found) - sum(map(len, by_band.values()))
    if left_out:
        lines.append(f"{left_out} without enough clear pixels")
    if by_band:
        draw(by_band, figures / "match_ups.png")
    return "\n".join(lines)


def draw(by_band: dict[str, list[MatchUp]], path: Path) -> None:
    """Draw ours over the reference, with uncertainties and the limit."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 8), layout="constrained")
    colours, top = pyplot.colormaps["tab20"], 0.0
    for number, (band, found) in enumerate(sorted(by_band.items())):
        x, x_error, y, y_error = np.transpose(
            [
                (item.reference.reflectance, item.reference.uncertainty, item.reflectance,
                 item.deviation)
                for item in found
            ]
        )  # fmt: skip
        axes.errorbar(x, y, y_error, x_error, "o", color=colours(number), markersize=4, label=band)
        top = max(top, float(x.max()), float(y.max()))
    ends = np.array([0.0, 1.1 * top])
    axes.plot(ends, ends, "k-", linewidth=0.8)
    for sign in (-1.0, 1.0):
        axes.plot(ends, ends + sign * (0.05 * ends + 0.005), "k:", linewidth=0.8)
    axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="reference", ylabel="ours")
    axes.set_title("surface reflectance; dotted: 0.05 rho + 0.005")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
