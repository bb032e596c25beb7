"""Charts of the HTML report, as SVG that adapts to light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Float32Array

_STYLE = (
    "<style>svg{color:#1c2733}text{fill:currentColor;font:10px sans-serif}"
    "@media (prefers-color-scheme:dark){svg{color:#dfe6ee}}</style>"
)
_TOA_COLOUR, _SURFACE_COLOUR, _BAR_COLOUR = "#c4552d", "#1d8a63", "#4c86c6"
_EDGE_COLOUR = "#888888"
_BINS = 40

_WIDTH, _HEIGHT = 374, 209
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 364, 18, 167
"""Edges of the axes in the picture."""

_MAX_INTERVALS = 6
"""Maximum intervals between the ticks of an axis."""


@dataclass(frozen=True)
class _Scale:
    """Linear scale from values to a coordinate of the picture."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        return self.start + (self.stop - self.start) * (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[tuple[float, str]]:
        """Coordinates and labels of round values within the scale."""
        rough = (self.high - self.low) / _MAX_INTERVALS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(self(n * step), f"{n * step:.{decimals}f}") for n in range(first, last + 1)]


def draw_histogram(numbers: npt.NDArray[Any], scale: float, label: str) -> str:
    """Draw a histogram; all bins contain the same number of digital numbers.

    Parameters
    ----------
    numbers : ndarray of uint8 or uint16, shape (pixels,)
        Not empty.
    scale : float
        Value = number / scale.
    label : str
        Label of the axis, with the unit.

    Returns
    -------
    str
        SVG document.
    """
    low, high = int(numbers.min()), int(numbers.max())
    width = (high - low) // _BINS + 1
    edges = np.arange(low - 1, high + width + 1, width) + 0.5
    counts, _ = np.histogram(numbers, edges)
    percentages, edges = 100.0 * counts / numbers.size, edges / scale
    x = _Scale(edges[0], edges[-1], _LEFT, _RIGHT)
    y = _Scale(0.0, 1.05 * percentages.max(), _BOTTOM, _TOP)
    bars = [
        f'<rect x="{x(left):.2f}" y="{y(value):.2f}" width="{x(right) - x(left):.2f}" '
        f'height="{y(0.0) - y(value):.2f}"/>'
        for left, right, value in zip(edges[:-1], edges[1:], percentages, strict=True)
        if value > 0
    ]
    mean = float(numbers.mean()) / scale
    content = [
        *_draw_axes(x, y, label, "fraction of pixels [%]"),
        f'<g fill="{_BAR_COLOUR}">{"".join(bars)}</g>',
        f'<path d="M{x(mean):.2f} {_TOP}V{_BOTTOM}" stroke="currentColor" stroke-dasharray="4 2"/>',
        _draw_text(_RIGHT, _TOP - 6, f"mean {mean:.3f}", "end"),
    ]
    return _build_document(content)


def draw_spectra(
    wavelengths: Sequence[float], toa: Float32Array, surface: Mapping[int, Float32Array]
) -> str:
    """Draw the spectra of some pixels at the top of the atmosphere and at the surface.

    Parameters
    ----------
    wavelengths : sequence of float
        Micrometres, of all bands in ascending order.
    toa : ndarray of float32, shape (bands, pixels)
        Top-of-atmosphere reflectance.
    surface : mapping of int to ndarray of float32, shape (pixels,)
        Surface reflectance by the index of the band in ``wavelengths``; may be empty.

    Returns
    -------
    str
        SVG document: medians and interquartile ranges.
    """
    spectra = [("top of atmosphere", _TOA_COLOUR, list(wavelengths), _find_quartiles(toa))]
    if surface:
        at = [wavelengths[index] for index in surface]
        spectra.append(("surface", _SURFACE_COLOUR, at, _find_quartiles(surface.values())))
    x, y, content = _start_spectra(wavelengths, [quartiles for *_, quartiles in spectra])
    for row, (label, colour, at, quartiles) in enumerate(spectra):
        low, middle, high = (
            [(x(value), y(number)) for value, number in zip(at, part, strict=True)]
            for part in quartiles
        )
        content += [
            f'<path d="M{_join([*low, *high[::-1]])}Z" fill="{colour}" fill-opacity="0.25"/>',
            f'<path d="M{_join(middle)}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
            *(_draw_marker(*point, colour) for point in middle),
            *_draw_legend(row, label, colour),
        ]
    return _build_document(content)


def draw_class_spectra(
    wavelengths: Sequence[float], spectra: Mapping[tuple[str, str], Sequence[float]]
) -> str:
    """Draw one spectrum of each class.

    Parameters
    ----------
    wavelengths : sequence of float
        Micrometres, in ascending order.
    spectra : mapping of (str, str) to sequence of float
        Surface reflectance by name and colour of the class; NaN where there is none.

    Returns
    -------
    str
        SVG document.
    """
    x, y, content = _start_spectra(wavelengths, list(spectra.values()))
    for row, ((label, colour), values) in enumerate(spectra.items()):
        points = [
            (x(wavelength), y(value))
            for wavelength, value in zip(wavelengths, values, strict=True)
            if math.isfinite(value)
        ]
        if points:
            line = f'<path d="M{_join(points)}" fill="none"'
            # a grey edge, as some classes are white or black
            content.append(f'{line} stroke="{_EDGE_COLOUR}" stroke-width="2.6"/>')
            content.append(f'{line} stroke="{colour}" stroke-width="1.6"/>')
        content += (_draw_marker(*point, colour, _EDGE_COLOUR) for point in points)
        content += _draw_legend(row, label, colour, _EDGE_COLOUR)
    return _build_document(content)


def _start_spectra(
    wavelengths: Sequence[float], values: Sequence[Any]
) -> tuple[_Scale, _Scale, list[str]]:
    """Return the scales of wavelength and reflectance, and the axes; NaN is left out."""
    finite = np.concatenate([np.ravel(value) for value in values])
    finite = finite[np.isfinite(finite)]
    lowest, highest = finite.min(initial=0.0), finite.max(initial=0.0)
    margin = 0.05 * (wavelengths[-1] - wavelengths[0]) or 0.05
    x = _Scale(wavelengths[0] - margin, wavelengths[-1] + margin, _LEFT, _RIGHT)
    y = _Scale(1.05 * lowest, max(1.05 * highest, 1e-3), _BOTTOM, _TOP)
    return x, y, list(_draw_axes(x, y, "wavelength [µm]", "reflectance"))


def _find_quartiles(bands: Iterable[Float32Array]) -> npt.NDArray[np.floating[Any]]:
    """Return quartiles of each band, shape (3, bands); NaN is left out."""
    return np.array([np.nanquantile(band, (0.25, 0.5, 0.75)) for band in bands]).T


def _draw_axes(x: _Scale, y: _Scale, x_label: str, y_label: str) -> Iterable[str]:
    """Draw grid, left and bottom axis, ticks and labels."""
    columns, rows = x.ticks(), y.ticks()
    grid = [f"M{at:.2f} {_TOP}V{_BOTTOM}" for at, _ in columns]
    grid += [f"M{_LEFT} {at:.2f}H{_RIGHT}" for at, _ in rows]
    ticks = [f"M{at:.2f} {_BOTTOM}v4" for at, _ in columns]
    ticks += [f"M{_LEFT} {at:.2f}h-4" for at, _ in rows]
    yield f'<path d="{"".join(grid)}" stroke="currentColor" stroke-opacity="0.2"/>'
    axes = f"M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}{''.join(ticks)}"
    yield f'<path d="{axes}" fill="none" stroke="currentColor"/>'
    for at, label in columns:
        yield _draw_text(at, _BOTTOM + 15, label, "middle")
    for at, label in rows:
        yield _draw_text(_LEFT - 7, at + 3.5, label, "end")
    yield _draw_text((_LEFT + _RIGHT) / 2, _HEIGHT - 8, x_label, "middle")
    middle = (_TOP + _BOTTOM) / 2
    yield _draw_text(12, middle, y_label, "middle", f' transform="rotate(-90 12 {middle})"')


def _draw_text(x: float, y: float, text: str, anchor: str, attributes: str = "") -> str:
    return f'<text x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}"{attributes}>{escape(text)}</text>'


def _draw_marker(x: float, y: float, colour: str, edge: str = "none") -> str:
    return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="2.5" fill="{colour}" stroke="{edge}"/>'


def _draw_legend(row: int, label: str, colour: str, edge: str = "none") -> tuple[str, str]:
    """Draw the entry of a spectrum in the upper right corner."""
    y = _TOP + 6 + 13 * row
    marker = _draw_marker(_RIGHT - 100, y, colour, edge)
    return marker, _draw_text(_RIGHT - 92, y + 3, label, "start")


def _join(points: Iterable[tuple[float, float]]) -> str:
    return "L".join(f"{x:.2f} {y:.2f}" for x, y in points)


def _build_document(content: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}pt" height="{_HEIGHT}pt" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}">{_STYLE}{"".join(content)}</svg>'
    )
