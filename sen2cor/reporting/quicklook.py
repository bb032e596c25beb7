"""Quick looks: small pictures of a tile.

They are sampled from the coarsest images that are fine enough, which is fast. Bands are read from
the lower resolution levels of JPEG 2000. Maps are subsampled without averaging, so that class codes
stay valid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND, VISIBLE
from sen2cor.files import raise_output_error, replace_on_success
from sen2cor.imagery import images, jpeg2000
from sen2cor.imagery.picture_samples import PictureSamples, subsample
from sen2cor.imagery.preview import true_colour
from sen2cor.product import radiometry
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile
from sen2cor.product.level2a.reader import Level2AReader, Level2ATileReader
from sen2cor.product.level2a.shared_elements import AOT_QUANTIFICATION, WATER_VAPOUR_QUANTIFICATION
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.raster.grids import Grid
from sen2cor.reporting.legends import add_class_legend, add_scale
from sen2cor.reporting.palette import PALETTES, SEQUENTIAL, parse_colour

MAX_SIDE = 1000
"""Maximum pixels along the longer side of a quick look."""

SCALES = {"AOT": AOT_QUANTIFICATION, "WVP": WATER_VAPOUR_QUANTIFICATION, "CLD": 1.0}
"""Digital numbers per unit of the maps: optical thickness, cm, percent."""

RANGES = {"AOT": (0.0, 0.6), "WVP": (0.0, 5.0), "CLD": (0.0, 100.0)}
"""Limits of the colour scales, in these units."""

MIN_SPANS = {"AOT": 0.02, "WVP": 0.2}
"""Minimum span of a stretched scale, so that the steps of the digital numbers do not look like
structure."""

_SCALE_TITLES = {
    "AOT": "aerosol optical thickness at 550 nm",
    "WVP": "water vapour, cm",
    "CLD": "cloud probability, %",
}


@dataclass(frozen=True)
class QuickLook:
    """A picture of a tile.

    Attributes
    ----------
    kind : str
    image : ndarray of uint8, shape (rows, cols, 3)
    limits : (low, high) or None
        Limits of the colour scale.
    """

    kind: str
    image: UInt8Array
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class SurfaceImages:
    """Images of a Level-2A tile, finished or not, subsampled for pictures.

    Attributes
    ----------
    paths : mapping of (kind, resolution) to Path
        Kinds as in `Level2ATile.image_path`.
    grid : Grid
        Grid of the tile at any resolution.
    quantification : float
    offset : int
        Surface reflectance is (number + offset) / quantification.
    samples : PictureSamples or None
        What was sampled while the images were written; nothing of it is read again.
    """

    paths: Mapping[tuple[str, int | None], Path]
    grid: Grid
    quantification: float
    offset: int
    samples: PictureSamples | None = None
    _sampled: dict[tuple[str, tuple[int, int]], npt.NDArray[Any] | None] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def from_product(cls, product: Level2AReader, tile: Level2ATileReader) -> SurfaceImages:
        """Return the images of a tile of a finished product."""
        grid = next(iter(tile.grids.values()))
        return cls(tile.images, grid, product.quantification, product.offset)

    def sample_numbers(self, kind: str, shape: tuple[int, int]) -> npt.NDArray[Any] | None:
        """Subsample an image; each shape is read once.

        Parameters
        ----------
        kind : str
        shape : (rows, cols)

        Returns
        -------
        ndarray of uint8 or uint16, shape ``shape``, or None
            None if the tile has no such image.
        """
        if (kind, shape) not in self._sampled:
            self._sampled[kind, shape] = self._read(kind, shape)
        return self._sampled[kind, shape]

    def sample_reflectance(self, band: str, shape: tuple[int, int]) -> Float32Array | None:
        """Subsample surface reflectance, NaN without data, as `sample_numbers` does."""
        numbers = self.sample_numbers(band, shape)
        if numbers is None:
            return None
        return _compute_reflectance(numbers, self.offset, self.quantification)

    def _read(self, kind: str, shape: tuple[int, int]) -> npt.NDArray[Any] | None:
        samples = self.samples
        if samples is not None and shape == samples.shape and kind in samples.surface:
            return samples.surface[kind]
        found = sorted(size for name, size in self.paths if name == kind and size is not None)
        if not found:
            return None
        wanted = self.grid.pixel_size * self.grid.rows / shape[0]
        resolution = max((size for size in found if size <= wanted), default=found[0])
        path = self.paths[kind, resolution]
        if kind in BAND and path.suffix == ".jp2":
            return subsample(_read_reduced(path, jpeg2000.read_info(path).rows, shape), shape)
        return subsample(images.read(path), shape)


def sample_toa_reflectance(
    product: Level1CProduct,
    tile: Level1CTile,
    band: str,
    shape: tuple[int, int],
    samples: PictureSamples | None = None,
) -> Float32Array:
    """Subsample a band of Level-1C.

    Parameters
    ----------
    product : Level1CProduct
    tile : Level1CTile
    band : str
    shape : (rows, cols)
    samples : PictureSamples, optional
        Of this shape; the image of a band that it holds is not read.

    Returns
    -------
    ndarray of float32, shape ``shape``
        Top-of-atmosphere reflectance, NaN without data.
    """
    numbers = None if samples is None else samples.toa.get(band)
    if numbers is None:
        grid = tile.grids[BAND[band].resolution]
        numbers = subsample(_read_reduced(tile.bands[band], grid.rows, shape), shape)
    offset = product.radiometric_offsets[band]
    return _compute_reflectance(numbers, offset, product.quantification_value)


def find_picture_shape(grid: Grid, max_side: int) -> tuple[int, int]:
    """Return rows and columns of a picture of the area of a grid, at 10 m or coarser."""
    finest = grid.pixel_size / 10
    rows, cols = grid.rows * finest, grid.cols * finest
    shrunk = min(1.0, max_side / max(rows, cols))
    return max(1, round(rows * shrunk)), max(1, round(cols * shrunk))


def draw_true_colour(visible: Sequence[Float32Array]) -> UInt8Array:
    """Return the true colour image of red, green and blue reflectance, black without data."""
    missing = np.isnan(visible[0])
    return true_colour([np.nan_to_num(band) for band in visible], missing)


def draw_quick_looks(
    tile: SurfaceImages, shape: tuple[int, int], palette: str = "standard", *, stretch: bool = False
) -> Iterator[QuickLook]:
    """Draw true colour, classes, aerosol, water vapour and clouds, as far as the tile has them.

    Parameters
    ----------
    tile : SurfaceImages
    shape : (rows, cols)
    palette : str
        Palette of the scene classes (`sen2cor.reporting.palette.PALETTES`).
    stretch : bool
        Whether the scales of aerosol and water vapour span their values, instead of `RANGES`.

    Yields
    ------
    QuickLook
        One per kind: TCI, SCL, AOT, WVP, CLD.
    """
    visible = [
        band for name in VISIBLE if (band := tile.sample_reflectance(name, shape)) is not None
    ]
    if len(visible) == len(VISIBLE):
        yield QuickLook("TCI", draw_true_colour(visible))
    classes = tile.sample_numbers("SCL", shape)
    if classes is not None:
        colours = np.array([parse_colour(colour) for colour in PALETTES[palette]], np.uint8)
        yield QuickLook("SCL", colours[classes])
    for kind, scale in SCALES.items():
        numbers = tile.sample_numbers(kind, shape)
        if numbers is not None:
            missing = classes == 0 if classes is not None else numbers == 0
            values = numbers / scale
            limits = RANGES[kind]
            if stretch and kind in MIN_SPANS and not missing.all():
                limits = find_limits(values[~missing], MIN_SPANS[kind])
            yield QuickLook(kind, apply_scale(values, limits, missing), limits)


def write_quick_looks(
    product: Level2AReader,
    palette: str = "standard",
    report: Callable[[str], None] = lambda text: None,
) -> list[Path]:
    """Write the quick looks of a product beside it, as PNG.

    Parameters
    ----------
    product : Level2AReader
    palette : str
        Palette of the scene classes.
    report : callable
        Receives the kind of each quick look when it is written.

    Returns
    -------
    list of Path
        Files named after the product, the tile if there are several, and the kind.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    from PIL import Image

    stem = product.path.name.removesuffix(".SAFE")
    paths = []
    for tile in product.tiles:
        name = stem if len(product.tiles) == 1 else f"{stem}_T{tile.mgrs}"
        surface = SurfaceImages.from_product(product, tile)
        shape = find_picture_shape(surface.grid, MAX_SIDE)
        for look in draw_quick_looks(surface, shape, palette):
            path = product.path.with_name(f"{name}_{look.kind}.png")
            image = look.image
            if look.kind == "SCL":
                codes = surface.sample_numbers("SCL", shape)
                assert codes is not None
                image = add_class_legend(image, codes, palette)
            elif look.limits is not None:
                image = add_scale(image, look.limits, _SCALE_TITLES[look.kind])
            with raise_output_error(path), replace_on_success(path) as part:
                Image.fromarray(image).save(part, "PNG", optimize=True)
            report(f"quick look {look.kind} written")
            paths.append(path)
    return paths


def _read_reduced(path: Path, rows: int, shape: tuple[int, int]) -> npt.NDArray[Any]:
    """Decode an image at the lowest resolution level that is fine enough for a picture."""
    return jpeg2000.read(path, reduce=max(0, (rows // shape[0]).bit_length() - 1))


def _compute_reflectance(
    numbers: npt.NDArray[Any], offset: float, quantification: float
) -> Float32Array:
    values = radiometry.to_reflectance(numbers, offset, 1.0 / quantification)
    values[numbers == 0] = np.nan
    return values


def find_limits(values: npt.NDArray[np.floating[Any]], span: float) -> tuple[float, float]:
    """Return limits that contain nearly all values, in tenths of the minimum span."""
    step = span / 10
    low, high = (float(limit) for limit in np.quantile(values, (0.005, 0.995)))
    middle = (low + high) / 2
    low = max(0.0, math.floor(min(low, middle - span / 2) / step) * step)
    high = math.ceil(max(high, middle + span / 2, low + span) / step) * step
    return low, high


def apply_scale(
    values: npt.NDArray[np.floating[Any]],
    limits: tuple[float, float],
    missing: BoolArray,
) -> UInt8Array:
    """Colour values by the sequential scale, black without data."""
    stops = np.array([parse_colour(colour) for colour in SEQUENTIAL])
    at = (values - limits[0]) / (limits[1] - limits[0]) * (len(stops) - 1)
    image = np.stack([np.interp(at, range(len(stops)), channel) for channel in stops.T], axis=-1)
    image[missing] = 0.0
    colours: UInt8Array = np.rint(image).astype(np.uint8)
    return colours
