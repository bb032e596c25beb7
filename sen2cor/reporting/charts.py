"""Charts of the HTML report, as SVG that adapts to light and dark pages."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Float32Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# placeholder for the text colour, which the style sheet of the picture sets
_TEXT = "#010203"
_STYLE = (
    "<style>svg{color:#1c2733}"
    "@media (prefers-color-scheme:dark){svg{color:#dfe6ee}}</style>"
)  # fmt: skip
_TOA_COLOUR, _SURFACE_COLOUR, _BAR_COLOUR = "#c4552d", "#1d8a63", "#4c86c6"
_SIZE = (5.2, 2.9)
_BINS = 40


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
    figure, axes = _create_figure(label, "fraction of pixels [%]")
    low, high = int(numbers.min()), int(numbers.max())
    width = (high - low) // _BINS + 1
    edges = np.arange(low - 1, high + width + 1, width) + 0.5
    counts, _ = np.histogram(numbers, edges)
    axes.stairs(100.0 * counts / numbers.size, edges / scale, fill=True, color=_BAR_COLOUR)
    mean = float(numbers.mean()) / scale
    axes.axvline(mean, color=_TEXT, linewidth=1.2, linestyle="--")
    axes.set_title(f"mean {mean:.3f}", color=_TEXT, fontsize="medium", loc="right")
    axes.locator_params("x", nbins=6)
    return _render_svg(figure)


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
    figure, axes = _create_figure("wavelength [µm]", "reflectance")
    _plot_spectrum(axes, wavelengths, list(toa), "top of atmosphere", _TOA_COLOUR, "o")
    if surface:
        at = [wavelengths[index] for index in surface]
        _plot_spectrum(axes, at, list(surface.values()), "surface", _SURFACE_COLOUR, "s")
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.legend(frameon=False, labelcolor=_TEXT)
    return _render_svg(figure)


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
    figure, axes = _create_figure("wavelength [µm]", "reflectance")
    for (name, colour), values in spectra.items():
        # a grey edge, as some classes are white or black
        axes.plot(wavelengths, values, color="#888888", linewidth=2.6)
        axes.plot(
            wavelengths, values, color=colour, linewidth=1.6, marker="o", markersize=4,
            markeredgecolor="#888888", label=name,
        )  # fmt: skip
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.legend(frameon=False, labelcolor=_TEXT, fontsize="small")
    return _render_svg(figure)


def _plot_spectrum(
    axes: Axes,
    wavelengths: Sequence[float],
    bands: Sequence[Float32Array],
    label: str,
    colour: str,
    marker: str,
) -> None:
    low, middle, high = np.array([np.nanquantile(band, (0.25, 0.5, 0.75)) for band in bands]).T
    axes.fill_between(wavelengths, low, high, color=colour, alpha=0.25, linewidth=0)
    axes.plot(wavelengths, middle, marker=marker, markersize=4, color=colour, label=label)


def _load_matplotlib() -> None:
    """Import matplotlib without writing its font cache into the user's home."""
    if "matplotlib" in sys.modules:
        return
    names = [name for name in ("MPLCONFIGDIR", "XDG_CACHE_HOME") if name not in os.environ]
    with tempfile.TemporaryDirectory(prefix="sen2cor-") as folder:
        os.environ.update(dict.fromkeys(names, folder))
        try:
            import matplotlib.figure  # noqa: F401 (writes the font cache)
        finally:
            for name in names:
                del os.environ[name]


def _create_figure(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    _load_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x_label, color=_TEXT)
    axes.set_ylabel(y_label, color=_TEXT)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_TEXT)
    axes.tick_params(colors=_TEXT)
    axes.grid(alpha=0.2, color=_TEXT)
    axes.set_axisbelow(True)
    return figure, axes


def _render_svg(figure: Figure) -> str:
    from matplotlib import rc_context

    stream = io.StringIO()
    settings: Any = {
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "text.color": _TEXT,
        "svg.hashsalt": "sen2cor",
    }
    with rc_context(settings):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    text = stream.getvalue()
    start = text.index("<svg")
    end = text.index(">", start) + 1
    return f"{text[start:end]}{_STYLE}{text[end:]}".replace(_TEXT, "currentColor")
