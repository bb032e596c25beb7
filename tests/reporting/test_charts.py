"""Charts of the report: what they show, without a plotting package."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from lxml import etree

from sen2cor.reporting import charts

SVG = {"s": "http://www.w3.org/2000/svg"}
WAVELENGTHS = [0.443, 0.560, 0.865, 1.610, 2.190]


def parse(document: str) -> Any:
    return etree.fromstring(document.encode())


def texts(svg: Any) -> list[str]:
    return [element.text for element in svg.iterfind(".//s:text", SVG)]


def values(svg: Any, path: str, name: str) -> np.ndarray:
    return np.array([float(found.get(name)) for found in svg.iterfind(path, SVG)])


def test_bars_are_as_high_as_their_bins_are_full() -> None:
    numbers = np.repeat(np.array([100, 101, 103], np.uint16), [10, 30, 60])
    svg = parse(charts.draw_histogram(numbers, 1000.0, "optical thickness < 1"))
    heights = values(svg, ".//s:rect", "height")
    np.testing.assert_allclose(heights / heights.sum(), [0.1, 0.3, 0.6], atol=1e-3)
    left = values(svg, ".//s:rect", "x")
    np.testing.assert_allclose(np.diff(left)[1], 2 * np.diff(left)[0], atol=0.02)
    shown = texts(svg)
    assert "optical thickness < 1" in shown and "mean 0.102" in shown
    assert {"0.100", "0.101", "0.102", "0.103"} <= set(shown)


@pytest.mark.parametrize("numbers", [[7], [0, 65535], [1, 2]])
def test_any_numbers_can_be_drawn(numbers: list[int]) -> None:
    svg = parse(charts.draw_histogram(np.array(numbers, np.uint16), 1.0, "numbers"))
    assert (values(svg, ".//s:rect", "height") > 0).sum() == len(numbers)
    assert 1 < len(texts(svg)) < 20


def test_spectra_show_medians_of_pixels_with_data() -> None:
    toa = np.full((5, 4), 0.2, np.float32)
    toa[2] = [0.4, np.nan, 0.4, 0.4]
    surface = {0: np.full(4, 0.1, np.float32), 3: np.full(4, 0.3, np.float32)}
    svg = parse(charts.draw_spectra(WAVELENGTHS, toa, surface))
    down = values(svg, ".//s:circle", "cy")
    across = values(svg, ".//s:circle", "cx")
    top, bottom = down[:5], down[6:8]  # behind each spectrum stands its mark in the legend
    zero = top[0] + (top[0] - top[2])  # 0.2 above 0 lies as far below 0.4
    scale = (zero - top[0]) / 0.2
    np.testing.assert_allclose((zero - top) / scale, [0.2, 0.2, 0.4, 0.2, 0.2], atol=1e-3)
    np.testing.assert_allclose((zero - bottom) / scale, [0.1, 0.3], atol=1e-3)
    np.testing.assert_allclose(across[6:8], across[[0, 3]])
    assert {"top of atmosphere", "surface", "reflectance"} <= set(texts(svg))


def test_spectra_without_surface() -> None:
    svg = parse(charts.draw_spectra(WAVELENGTHS, np.full((5, 12), -0.01, np.float32), {}))
    assert len(values(svg, ".//s:circle", "cx")) == 6
    assert "surface" not in texts(svg)


def test_spectra_of_classes_leave_out_what_is_missing() -> None:
    spectra = {
        ("vegetation", "#00a000"): [0.05, 0.1, 0.4, 0.2, 0.1],
        ("water & ice", "#0000ff"): [0.1, np.nan, 0.0, 0.0, 0.0],
        ("snow", "#ffffff"): [np.nan] * 5,
    }
    svg = parse(charts.draw_class_spectra(WAVELENGTHS, spectra))
    assert len(values(svg, ".//s:circle", "cx")) == 5 + 4 + 3
    assert {"vegetation", "water & ice", "snow"} <= set(texts(svg))


def test_no_plotting_package_is_loaded() -> None:
    """It would take longer to load than the charts to draw."""
    code = (
        "import sys; import numpy as np; from sen2cor.reporting import charts; "
        "charts.draw_histogram(np.arange(9), 1.0, 'x'); sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
