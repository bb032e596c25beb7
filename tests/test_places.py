"""Products anywhere on Earth: across the date line and the equator, in the south, near the pole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sen2cor.cli import main
from sen2cor.imagery import images
from sen2cor.raster.coordinates import WGS84, transform
from sen2cor.raster.grids import Grid
from sen2cor.simulation.level1c_writer.description import EcmwfValues
from tests.dem.elevation_files import truth, write_copernicus, write_tif
from tests.small_product import write_small_product

pytestmark = pytest.mark.many_cases

EXTENT = 2400
OZONE = 450.0


@dataclass(frozen=True)
class Place:
    """A small product around a point."""

    mgrs: str
    epsg: int
    longitude: float
    latitude: float
    crosses: bool = False

    def corner(self) -> tuple[int, float, float]:
        """EPSG code, easting and northing of the upper left corner."""
        x, y = transform(WGS84, self.epsg, self.longitude, self.latitude)
        return (
            self.epsg,
            60.0 * round((x.item() - EXTENT / 2) / 60),
            60.0 * round((y.item() + EXTENT / 2) / 60),
        )

    def time(self) -> str:
        """UTC on a summer day at 10:30 local solar time."""
        hours = (10.5 - self.longitude / 15.0) % 24.0
        month = 6 if self.latitude >= 0 else 12
        return f"2017{month:02d}16T{int(hours):02d}{int(hours % 1 * 60):02d}01"

    def grid(self, resolution: int) -> Grid:
        pixels = EXTENT // resolution
        return Grid(*self.corner(), float(resolution), pixels, pixels)


PLACES = {
    "date line, zone 1, south": Place("01KAB", 32701, 180.0, -17.2, crosses=True),
    "date line, zone 60, south": Place("60KYF", 32760, 180.0, -17.2, crosses=True),
    "date line, zone 1, north": Place("01VCJ", 32601, 180.0, 65.4, crosses=True),
    "date line, zone 60, north": Place("60VXP", 32660, -180.0, 65.4, crosses=True),
    "west of the date line": Place("60KYF", 32760, 179.9, -17.2),
    "east of the date line": Place("01KAB", 32701, -179.9, -17.2),
    "across the equator, north": Place("33NTA", 32633, 12.7, 0.0),
    "across the equator, south": Place("33MTV", 32733, 12.7, 0.0),
    "across Greenwich": Place("31UBT", 32631, 0.0, 51.5),
    "south": Place("19FEV", 32719, -67.5, -55.5),
    "near the pole": Place("33XWP", 32633, 16.0, 83.4),
}


def hills(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Elevation that is continuous across the date line."""
    east, north = np.radians(longitude) * 400, np.radians(latitude) * 400
    return np.asarray(900 + 200 * np.sin(east) * np.cos(north) + 100 * np.sin(north))


def write_dem(folder: Path, place: Place) -> Path:
    """Tiles of one degree around a place, named by their corners within -180 and 179."""
    west = int(np.floor(place.longitude)) % 360
    for column in (west - 1, west):
        for row in (int(np.floor(place.latitude)) - 1, int(np.floor(place.latitude))):
            write_copernicus(folder, (column + 180) % 360 - 180, row, hills)
    return folder


@pytest.fixture(scope="module", params=PLACES.values(), ids=PLACES.keys())
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple:
    """A place, and the folder of its Level-2A product with STAC item and records."""
    place = request.param
    folder = tmp_path_factory.mktemp("place")
    product = write_small_product(
        folder,
        extent=EXTENT,
        ecmwf=EcmwfValues(water_vapour=2.0, pressure=1013.0, ozone=OZONE),
        mgrs=place.mgrs,
        corner=place.corner(),
        time=place.time(),
    )
    settings = (Path(__file__).parents[1] / "cfg" / "L2A_GIPP.xml").read_text()
    dem = write_dem(folder / "dem", place)
    for before, after in (
        ("<DEM_Directory>NONE<", f"<DEM_Directory>{dem}<"),
        ("<Generate_DEM_Output>FALSE<", "<Generate_DEM_Output>TRUE<"),
    ):
        assert before in settings
        settings = settings.replace(before, after)
    gipp = folder / "gipp.xml"
    gipp.write_text(settings)
    out = folder / "out"
    options = ["--resolution", "60", "--stac", "--no-report", "--quiet", "--GIP_L2A", str(gipp)]
    code = main([*options, "--output_dir", str(out), "--work_dir", str(folder), str(product)])
    assert code == 0
    return place, out


def test_outline_and_box_are_small(made: tuple[Place, Path]) -> None:
    place, out = made
    (path,) = out.glob("*.json")
    item = json.loads(path.read_text())
    west, south, east, north = item["bbox"]
    assert (west > east) == place.crosses
    width = (east - west) % 360
    assert 0 < width * np.cos(np.radians(place.latitude)) < 0.05
    assert 0 < north - south < 0.05
    assert (place.longitude - west) % 360 < width and south < place.latitude < north
    geometry = item["geometry"]
    assert geometry["type"] == ("MultiPolygon" if place.crosses else "Polygon")
    rings = (
        [polygon[0] for polygon in geometry["coordinates"]]
        if place.crosses
        else (geometry["coordinates"])
    )
    for ring in rings:
        longitudes = [longitude for longitude, _ in ring]
        assert -180 <= min(longitudes) < max(longitudes) <= 180
        assert max(longitudes) - min(longitudes) <= width + 1e-9
        assert ring[0] == ring[-1]


def test_elevation_is_that_of_the_place(made: tuple[Place, Path]) -> None:
    place, out = made
    (path,) = out.glob("*/GRANULE/*/*/*_DEM_60m.jp2")
    elevation = images.read(path).astype(float) - 10000
    expected = truth(place.grid(60), 0, hills)
    assert np.ptp(expected) > 8
    assert np.abs(elevation - expected).max() < 3


def test_ozone_is_that_of_the_weather_data(made: tuple[Place, Path]) -> None:
    _, out = made
    (path,) = out.parent.glob("*run.json")
    record = json.loads(path.read_text())
    (tile,) = record["tiles"].values()
    assert tile["retrieval"]["ozone_source"] == "AUX_ECMWFT"
    assert tile["retrieval"]["ozone"] == pytest.approx(OZONE, rel=1e-3)
    assert not [text for text in record["warnings"] if "levation" in text or "ECMWF" in text]


@pytest.mark.parametrize(
    ("west", "width"), [(-180.0, 360.0), (0.0, 360.0), (175.0, 10.0), (-185.0, 10.0)]
)
@pytest.mark.parametrize("name", [name for name, place in PLACES.items() if place.crosses])
def test_one_raster_across_the_date_line(
    west: float, width: float, name: str, tmp_path: Path
) -> None:
    from sen2cor.dem import open_source, read_elevation

    place = PLACES[name]
    step = 0.025
    longitude = west + step * (np.arange(round(width / step)) + 0.5)
    south = np.floor(place.latitude) - 1.0
    latitude = south + 3.0 - step * (np.arange(round(3.0 / step)) + 0.5)
    pixels = hills(longitude[np.newaxis], latitude[:, np.newaxis]).astype(np.float32)
    path = write_tif(tmp_path / "dem.tif", pixels, (west, step, 0.0, south + 3.0, 0.0, -step))
    grid = place.grid(20)
    found = read_elevation(open_source(path), grid, margin=0.0)
    assert found is not None and found.known.all()
    assert np.abs(found.elevation - truth(grid, 0, hills)).max() < 15
