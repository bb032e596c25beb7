"""Content of the HTML report for one tile: pictures, percentages of the classes, charts."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND, BAND_NAMES, VISIBLE
from sen2cor.imagery.picture_samples import PictureSamples
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile
from sen2cor.product.level2a.content import QualityPercentages
from sen2cor.product.level2a.tile import Level2ATile
from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.reporting import charts
from sen2cor.reporting.image_descriptions import QUALITY_BITS
from sen2cor.reporting.legends import hatch
from sen2cor.reporting.palette import PALETTES, SCENE_CLASS_NAMES
from sen2cor.reporting.quicklook import (
    SCALES,
    SurfaceImages,
    apply_scale,
    draw_quick_looks,
    draw_true_colour,
    find_limits,
    find_picture_shape,
    sample_toa_reflectance,
)

MAX_SIDE = 640
"""Maximum pixels along the longer side of a picture."""

_TITLES = {
    "TOA": "Top of atmosphere",
    "TCI": "Surface",
    "SCL": "Scene classification",
    "AOT": "Aerosol optical thickness",
    "WVP": "Water vapour",
    "CLD": "Cloud probability",
    "UNC_AOT": "Standard uncertainty of the aerosol",
}
_UNITS = {"AOT": "at 550 nm", "WVP": "cm", "CLD": "%"}

_HATCHED = "; hatched where no pixel nearby shows it"
_INTERPOLATED = 1 << QUALITY_BITS.index("aerosol interpolated")
_MIN_SPAN_OF_UNCERTAINTY = 0.02

_VEGETATION = SCENE_CLASS_NAMES.index("vegetation")
_DARKEST_FRACTION = 0.1
"""Fraction of the vegetation pixels, the darkest in B12, whose spectra are shown."""

_GROUND_CLASSES = (2, 3, 4, 5, 6, 11)
"""Classes whose spectra are those of the surface, in light and shadow."""

_MIN_PIXELS = 10
"""Minimum number of pixels for spectra."""


@dataclass(frozen=True)
class Picture:
    """A picture of a page.

    Attributes
    ----------
    kind, title : str
    source : str
        ``data:`` URL.
    scale : (low, high, unit) or None
        Limits of its colour scale.
    """

    kind: str
    title: str
    source: str
    scale: tuple[float, float, str] | None = None


@dataclass(frozen=True)
class Chart:
    """A chart of a page; ``summary`` describes it in words."""

    title: str
    source: str
    summary: str


Drawn = TypeVar("Drawn", Picture, Chart)


@dataclass(frozen=True)
class TilePage:
    """Pictures, charts and class percentages of a tile.

    Attributes
    ----------
    pictures : tuple of Picture
    charts : tuple of Chart
    quality : QualityPercentages or None
    """

    pictures: tuple[Picture, ...]
    charts: tuple[Chart, ...]
    quality: QualityPercentages | None


def draw_tile(
    product: Level1CProduct,
    tile: Level1CTile,
    output: Level2ATile,
    quality: QualityPercentages | None,
    palette: str,
    report: Callable[[str], None] = lambda text: None,
    samples: PictureSamples | None = None,
) -> TilePage:
    """Draw a tile whose images are written.

    Parameters
    ----------
    product : Level1CProduct
    tile : Level1CTile
    output : Level2ATile
    quality : QualityPercentages or None
        Of this run; None: estimated from the sampled classes.
    palette : str
        Palette of the scene classes.
    report : callable
        Receives the name of each picture and chart when it is drawn.
    samples : PictureSamples, optional
        What was sampled while the tile was processed; other images are read.

    Raises
    ------
    InputError
        An image cannot be read.
    """
    shape = samples.shape if samples else find_picture_shape(tile.grids[10], MAX_SIDE)
    paths = {key: output.folder / name for key, name in output.list_images().items()}
    surface = SurfaceImages(
        paths, tile.grids[10], product.quantification_value, output.psd.boa_offset, samples
    )
    with ThreadPoolExecutor() as pool:
        top = dict(
            zip(
                BAND_NAMES,
                pool.map(
                    lambda band: sample_toa_reflectance(product, tile, band, shape, samples),
                    BAND_NAMES,
                ),
                strict=True,
            )
        )
        list(
            pool.map(
                lambda kind: surface.sample_numbers(kind, shape), (*BAND_NAMES, "SCL", *SCALES)
            )
        )
    report("images sampled")
    classes = surface.sample_numbers("SCL", shape)
    if quality is None and classes is not None:
        quality = QualityPercentages.from_classes(classes, 1)  # only ratios of areas matter
    pictures = _collect(_draw_pictures(surface, top, shape, palette), report)
    report("start of charts")
    return TilePage(
        pictures,
        _collect(_draw_charts(surface, top, classes, shape, palette), report),
        quality,
    )


def _collect(drawn: Iterable[Drawn], report: Callable[[str], None]) -> tuple[Drawn, ...]:
    """Draw pictures or charts, and report each."""
    found = []
    for item in drawn:
        report(f"drawn: {item.title}")
        found.append(item)
    return tuple(found)


def _draw_pictures(
    surface: SurfaceImages, top: Mapping[str, Float32Array], shape: tuple[int, int], palette: str
) -> Iterator[Picture]:
    yield Picture(
        "TOA", _TITLES["TOA"], _encode_jpeg(draw_true_colour([top[band] for band in VISIBLE]))
    )
    interpolated = _find_interpolated(surface, shape)
    for look in draw_quick_looks(surface, shape, palette, stretch=True):
        image, title = look.image, _TITLES[look.kind]
        if look.kind == "AOT" and interpolated is not None and interpolated.any():
            image, title = hatch(image, interpolated), f"{title}{_HATCHED}"
        source = _encode_jpeg(image) if look.kind == "TCI" else _encode_png(image)
        scale = None if look.limits is None else (*look.limits, _UNITS[look.kind])
        yield Picture(look.kind, title, source, scale)
    uncertainty = surface.sample_numbers("UNC_AOT", shape)
    if uncertainty is not None and uncertainty.any():
        missing = uncertainty == 0
        values = uncertainty / SCALES["AOT"]
        limits = find_limits(values[~missing], _MIN_SPAN_OF_UNCERTAINTY)
        source = _encode_png(apply_scale(values, limits, missing))
        yield Picture("UNC_AOT", _TITLES["UNC_AOT"], source, (*limits, _UNITS["AOT"]))


def _find_interpolated(surface: SurfaceImages, shape: tuple[int, int]) -> BoolArray | None:
    """Find where the aerosol is interpolated; None if the product has no quality mask."""
    mask = surface.sample_numbers("QUA", shape)
    return None if mask is None else (mask & _INTERPOLATED) != 0


def _draw_charts(
    surface: SurfaceImages,
    top: Mapping[str, Float32Array],
    classes: npt.NDArray[Any] | None,
    shape: tuple[int, int],
    palette: str,
) -> Iterator[Chart]:
    for kind in ("AOT", "WVP"):
        numbers = surface.sample_numbers(kind, shape)
        if numbers is None or not numbers.any():
            continue
        known = numbers[numbers > 0]
        values = known / SCALES[kind]
        title = _TITLES[kind].lower()
        yield Chart(
            f"Histogram of {title}",
            _encode_svg(charts.draw_histogram(known, SCALES[kind], f"{title} ({_UNITS[kind]})")),
            f"{values.min():.3f} to {values.max():.3f}, median {np.median(values):.3f}, "
            f"standard deviation {values.std():.3f}",
        )
    dark = None if classes is None else _find_dark_vegetation(classes == _VEGETATION, top["B12"])
    if dark is not None:
        yield _draw_spectra(surface, top, dark, shape)
    if classes is not None:
        chart = _draw_class_spectra(surface, classes, shape, palette)
        if chart is not None:
            yield chart


def _draw_class_spectra(
    surface: SurfaceImages, classes: npt.NDArray[Any], shape: tuple[int, int], palette: str
) -> Chart | None:
    """Draw the median surface reflectance of each class; None without bands."""
    reflectance = {
        band: values
        for band in sorted(BAND_NAMES, key=lambda band: BAND[band].wavelength)
        if (values := surface.sample_reflectance(band, shape)) is not None
    }
    members = {
        code: classes == code
        for code in _GROUND_CLASSES
        if np.count_nonzero(classes == code) >= _MIN_PIXELS
    }
    spectra = {
        (SCENE_CLASS_NAMES[code], PALETTES[palette][code]): [
            float(np.nanmedian(values[member])) if np.isfinite(values[member]).any() else np.nan
            for values in reflectance.values()
        ]
        for code, member in members.items()
    }
    if not reflectance or not spectra:
        return None
    wavelengths = [BAND[band].wavelength for band in reflectance]
    return Chart(
        "Surface reflectance of the ground classes",
        _encode_svg(charts.draw_class_spectra(wavelengths, spectra)),
        "Median of the sampled pixels of each class",
    )


def _find_dark_vegetation(vegetation: BoolArray, infrared: Float32Array) -> BoolArray | None:
    """Find the darkest tenth of the vegetation in B12; None if there is too little."""
    vegetation = vegetation & np.isfinite(infrared)
    if np.count_nonzero(vegetation) < _MIN_PIXELS / _DARKEST_FRACTION:
        return None
    dark: BoolArray = vegetation & (
        infrared <= np.quantile(infrared[vegetation], _DARKEST_FRACTION)
    )
    return dark


def _draw_spectra(
    surface: SurfaceImages,
    top: Mapping[str, Float32Array],
    dark: BoolArray,
    shape: tuple[int, int],
) -> Chart:
    bands = sorted((band for band in top if band != "B10"), key=lambda band: BAND[band].wavelength)
    toa_spectra = np.stack([top[band][dark] for band in bands])
    surface_spectra = {
        number: reflectance[dark]
        for number, band in enumerate(bands)
        if (reflectance := surface.sample_reflectance(band, shape)) is not None
    }
    wavelengths = [BAND[band].wavelength for band in bands]
    return Chart(
        "Dark vegetation before and after",
        _encode_svg(charts.draw_spectra(wavelengths, toa_spectra, surface_spectra)),
        f"Median and interquartile range of {toa_spectra.shape[1]} sampled pixels, the darkest "
        "tenth of the vegetation at 2.2 µm",
    )


def _encode_jpeg(image: UInt8Array) -> str:
    return _build_data_url(_compress(image, "JPEG", quality=88), "image/jpeg")


def _encode_png(image: UInt8Array) -> str:
    return _build_data_url(_compress(image, "PNG"), "image/png")


def _encode_svg(document: str) -> str:
    return _build_data_url(document.encode(), "image/svg+xml")


def _compress(image: UInt8Array, kind: str, **options: int) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind, **options)
    return stream.getvalue()


def _build_data_url(content: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
