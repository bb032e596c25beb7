"""Match-ups with a Level-2A product whose pixels are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sen2cor.errors import InputError
from sen2cor.imagery import images
from sen2cor.match_ups import Statistics, main, match, read_references
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.raster.coordinates import geographic

HEADER = "site,date,band,reflectance,uncertainty,product,longitude,latitude\n"


def _line(product: Path, band: str, x: float, y: float, reflectance: float = 0.1) -> str:
    """Line for a site ``x`` metres east and ``y`` south of the product's corner."""
    finished = open_level2a(product)
    grid = finished.tiles[0].grids[10]
    longitude, latitude = geographic(grid.epsg, grid.ulx + x, grid.uly - y)
    return (
        f"field,2017-06-15,{band},{reflectance},0.002,{product},"
        f"{float(longitude):.8f},{float(latitude):.8f}\n"
    )


@pytest.mark.parametrize(("band", "resolution"), [("B04", 10), ("B11", 20), ("B01", 60)])
def test_mean_of_the_pixels_around_the_site(
    finished_product: Path, tmp_path: Path, band: str, resolution: int
) -> None:
    path = tmp_path / "references.csv"
    path.write_text(HEADER + _line(finished_product, band, 1230.0, 630.0))
    found = match(read_references(path)[0], window=60.0)
    product = open_level2a(finished_product)
    image = images.read(product.tiles[0].images[band, resolution])
    rows, cols = (
        slice(600 // resolution, 660 // resolution),
        slice(1200 // resolution, 1260 // resolution),
    )
    expected = (image[rows, cols].astype(float) + product.offset) / product.quantification
    assert found.reflectance == pytest.approx(expected.mean())
    assert found.deviation == pytest.approx(expected.std())
    assert found.days == (product.tiles[0].sensing_time.date() - found.reference.date).days


def test_tables_and_plot_of_the_command(
    finished_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "references.csv"
    path.write_text(HEADER + _line(finished_product, "B04", 1230.0, 630.0))
    own = match(read_references(path)[0]).reflectance
    lines = [
        _line(finished_product, "B04", 1230.0, 630.0, own + error)
        for error in (0.0, -0.004, 0.3)
    ]  # fmt: skip
    path.write_text(HEADER + "".join(lines))
    plot = tmp_path / "plots" / "match_ups.png"
    assert main([str(path), "--plot", str(plot)]) == 0
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("B04"))
    band, number, *_, within_limit, _ = row.split()
    assert (band, number, within_limit) == ("B04", "3", "67%")
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_statistics_by_hand(finished_product: Path, tmp_path: Path) -> None:
    path = tmp_path / "references.csv"
    path.write_text(HEADER + _line(finished_product, "B04", 1230.0, 630.0, 0.2))
    item = match(read_references(path)[0])
    summary = Statistics.from_match_ups([item])
    assert summary.bias == pytest.approx(item.reflectance - 0.2)
    assert summary.rms == pytest.approx(abs(item.reflectance - 0.2))
    assert item.uncertainty == pytest.approx(np.hypot(item.deviation, 0.002))


def test_site_outside_the_product(finished_product: Path, tmp_path: Path) -> None:
    path = tmp_path / "references.csv"
    path.write_text(HEADER + _line(finished_product, "B04", -500.0, 630.0))
    with pytest.raises(InputError, match="field"):
        match(read_references(path)[0])
    assert main([str(path)]) == InputError.exit_code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("site,date\n", "band, reflectance"),
        (HEADER + "a,2017-06-15,B44,0.1,,p,1,2\n", "line 2: .*'B44'"),
        (HEADER + "a,yesterday,B04,0.1,,p,1,2\n", "line 2: .*yesterday"),
    ],
)
def test_invalid_files(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "references.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_references(path)


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    assert main([str(tmp_path / "none.csv")]) == InputError.exit_code
