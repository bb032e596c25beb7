"""Displacement of clouds between bands and detectors: measured in images, and in real metadata."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from lxml import etree
from scipy.ndimage import map_coordinates

from sen2cor.bands import BAND_NAMES, BANDS
from sen2cor.raster.grids import Grid
from sen2cor.simulation.cloud_layers import CloudLayer
from sen2cor.simulation.create_product import simulate
from sen2cor.simulation.mgrs_tiles import tile_grid
from sen2cor.simulation.overpass_geometry import Overpass
from sen2cor.simulation.scenes import SCENES
from tests.benchmarks.simulated_run import toa_reflectance

Vector = npt.NDArray[np.float64]

SIZE = 6000
HEIGHT = 6000.0
SUMMER = SCENES["summer"]
SCENE = replace(SUMMER, cloud_cover=0.25, cloud_height=HEIGHT, cirrus_cover=0.0)
DETECTOR_WIDTH = 290.0 / 12.0


def direction(zenith: npt.ArrayLike, azimuth: npt.ArrayLike) -> Vector:
    """Horizontal displacement (south, east) of the line of sight per unit of height."""
    tangent, angle = np.tan(np.radians(zenith)), np.radians(azimuth)
    return np.stack([-tangent * np.cos(angle), tangent * np.sin(angle)])


def mean_views(product: Path, convergence: float) -> dict[str, Vector]:
    """Directions of the mean view angles in the metadata, from grid north."""
    document = etree.parse(str(next(product.glob("GRANULE/*/MTD_TL.xml"))))
    found = {}
    for element in document.iter("Mean_Viewing_Incidence_Angle"):
        zenith = float(element.findtext("ZENITH_ANGLE"))
        azimuth = float(element.findtext("AZIMUTH_ANGLE"))
        found[BANDS[int(element.get("bandId"))].name] = direction(zenith, azimuth - convergence)
    return found


def measured_shift(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> Vector:
    """Shift (rows, cols) of the second image against the first, by cross-correlation."""
    taper = np.outer(*(np.hanning(size) for size in first.shape))
    spectra = [np.fft.fft2((a - a.mean()) * taper) for a in (first, second)]
    product = np.fft.fftshift(np.fft.ifft2(spectra[1] * spectra[0].conj()).real)
    peak = np.array(np.unravel_index(product.argmax(), product.shape))
    found = peak - np.array(product.shape) // 2.0
    for axis in (0, 1):
        step = np.eye(2, dtype=int)[axis]
        low, middle, high = (product[tuple(peak + k * step)] for k in (-1, 0, 1))
        found[axis] += 0.5 * (low - high) / (low - 2 * middle + high)
    return found


def at_20_m(product: Path, band: str) -> npt.NDArray[np.float32]:
    values = toa_reflectance(product, band)
    if len(values) == SIZE // 10:
        values = values.reshape(SIZE // 20, 2, SIZE // 20, 2).mean(axis=(1, 3))
    return values


@pytest.fixture(scope="module", params=[0, 1], ids=["one detector", "its neighbour"])
def cloudy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = replace(SCENE, track=SCENE.track - request.param * DETECTOR_WIDTH)
    return simulate(scene, tmp_path_factory.mktemp("cloudy"), size=SIZE)


def test_clouds_move_between_bands_as_the_view_angles_of_the_metadata_say(cloudy: Path) -> None:
    views = mean_views(cloudy, Overpass(tile_grid("32UQD"), SCENE.sensing_time, 0.0).convergence())
    largest = 0.0
    for first, second in (("B02", "B04"), ("B02", "B08"), ("B08", "B8A"), ("B02", "B8A")):
        images = [np.maximum(at_20_m(cloudy, band) - 0.45, 0.0) for band in (first, second)]
        shift = 20.0 * measured_shift(*images)
        # a cloud seen from the east is displaced to the west
        expected = -HEIGHT * (views[second] - views[first])
        np.testing.assert_allclose(shift, expected, atol=2.5)
        largest = max(largest, float(np.hypot(*expected)))
    assert 100.0 < largest < 130.0


def test_shadows_do_not_move_between_bands(cloudy: Path, tmp_path: Path) -> None:
    clear = simulate(replace(SCENE, cloud_cover=0.0), tmp_path, size=SIZE)
    images = [at_20_m(clear, band) - at_20_m(cloudy, band) for band in ("B06", "B8A")]
    darker = [np.clip(image / image.max(), 0.1, 0.5) for image in images]
    assert np.hypot(*(20.0 * measured_shift(*darker))) < 2.0


def test_clouds_jump_at_the_boundary_of_detectors() -> None:
    """Neighbouring detectors see a cloud in B8A from views that differ by 3.3 degrees."""
    overpass = Overpass(tile_grid("32UQD"), SCENE.sensing_time, SCENE.track)
    x, y = overpass.grid.ulx + 3e4, overpass.grid.uly - 3e4
    views = [
        direction(*(a.item() for a in overpass.view("B8A", number, x, y))) for number in (1, 2)
    ]
    assert HEIGHT * np.hypot(*(views[1] - views[0])) == pytest.approx(2 * 0.0288 * HEIGHT, rel=0.03)


def real_views(folder: Path) -> Iterator[tuple[int, dict[str, npt.NDArray[np.complex128]]]]:
    """View directions (north + i east, tangents) of all bands by detector in real products."""
    for path in sorted(folder.rglob("*MTD_*TL*.xml")):
        grids: dict[int, dict[str, npt.NDArray[np.complex128]]] = {}
        for element in etree.parse(str(path)).iter("Viewing_Incidence_Angles_Grids"):
            zenith, azimuth = (
                np.radians([[float(v) for v in row.text.split()] for row in part.iter("VALUES")])
                for part in (element.find("Zenith"), element.find("Azimuth"))
            )
            band = BAND_NAMES[int(element.get("bandId"))]
            found = grids.setdefault(int(element.get("detectorId")), {})
            found[band] = np.tan(zenith) * np.exp(1j * azimuth)
        for detector, bands in grids.items():
            if len(bands) == 13 and np.isfinite(bands["B09"] - bands["B02"]).sum() > 20:
                yield detector, bands


def test_differences_between_bands_are_those_of_real_products(reference_data: Path) -> None:
    """All pairs of B02 and another band, at most 12 degrees from the middle of the swath."""
    overpass = Overpass(tile_grid("32UQD"), SUMMER.sensing_time, SUMMER.track)
    x, y = overpass.grid.ulx + 3e4, overpass.grid.uly - 3e4
    flight = np.exp(-1j * np.radians(overpass.heading() + overpass.convergence()))
    detectors = set()
    for detector, bands in real_views(reference_data / "metadata"):
        axis = np.nanmean(bands["B09"] - bands["B02"])
        # odd detectors look back: the spacecraft is ahead, to the south
        assert (axis.real < 0) == (detector % 2 == 1)
        for band in BAND_NAMES:
            real = abs(np.nanmean(bands[band] - bands["B02"]))
            south, east = direction(
                *(a.item() for a in overpass.view(band, detector, x, y))
            ) - direction(*(a.item() for a in overpass.view("B02", detector, x, y)))
            along = ((-south + 1j * east) * flight).real * (1 if detector % 2 else -1)
            assert along == pytest.approx(real, rel=0.035, abs=2e-4), (detector, band)
        detectors.add(detector)
    assert len(detectors) > 9


def test_detectors_are_numbered_from_west_to_east() -> None:
    overpass = Overpass(tile_grid("32UQD"), SUMMER.sensing_time, SUMMER.track)
    x = overpass.grid.ulx + 1000.0 * np.arange(0.0, 110.0, 5.0)
    numbers = overpass.detector(x, overpass.grid.uly)
    assert (np.diff(numbers) >= 0).all()
    assert numbers[-1] > numbers[0]


def test_skipped_cells_and_cut_margins_hold_no_cloud() -> None:
    """The projection equals that of every pixel, wherever the clouds are."""
    random = np.random.default_rng(4)
    depth = np.where(random.random((150, 150)) > 0.998, random.random((150, 150)), 0.0)
    layer = CloudLayer(depth.astype(np.float32), -1000.0, 4000.0, 3000.0)
    grid = Grid(32632, 0.0, 3000.0, 20.0, 60, 60)
    zenith = (8.0 + random.random((20, 20))).astype(np.float32)
    azimuth = (100.0 + random.random((20, 20))).astype(np.float32)
    south, east = (3000.0 * a.repeat(3, 0).repeat(3, 1) for a in direction(zenith, azimuth))
    rows, cols = np.mgrid[0:60, 0:60]
    at = np.stack([rows + (1000.0 + south) / 20.0, cols + (1000.0 + east) / 20.0])
    expected = map_coordinates(layer.depth, at, order=1, mode="nearest")
    assert (expected > 0.1).any()
    for part in (layer, layer.crop_to_sight(grid)):
        np.testing.assert_allclose(part.project(grid, zenith, azimuth), expected, atol=2e-3)
    assert layer.crop_to_sight(grid).depth.size < layer.depth.size
