"""Elevation files of known content, written as the makers of each family write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from osgeo import gdal, osr

from sen2cor.raster.grids import Grid

gdal.UseExceptions()

Terrain = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Metres of longitudes and latitudes in degrees."""

VOID = -32768


def waves(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Smooth hills of some kilometres, different in both directions."""
    return 500 + 200 * np.sin(longitude * 150) * np.cos(latitude * 110) + 90 * np.sin(latitude * 60)


def level(metres: float) -> Terrain:
    return lambda longitude, latitude: np.full(np.broadcast(longitude, latitude).shape, metres)


def system(epsg: int) -> osr.SpatialReference:
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(epsg)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def grid_at(
    longitude: float, latitude: float, size: int = 120, pixel: float = 20.0, zone: int = 0
) -> Grid:
    """A grid of ``size`` pixels around a place, in its zone or a neighbouring one."""
    zone = zone or int((longitude + 180) // 6) % 60 + 1
    epsg = (32600 if latitude >= 0 else 32700) + zone
    x, y, _ = osr.CoordinateTransformation(system(4326), system(epsg)).TransformPoint(
        longitude, latitude
    )
    half = size * pixel / 2
    left, top = (pixel * round(value / pixel) for value in (x - half, y + half))
    return Grid(epsg, left, top, pixel, size, size)


def truth(grid: Grid, margin: int, terrain: Terrain) -> np.ndarray:
    """Terrain at the pixel centres of a grid with margin."""
    step = grid.pixel_size
    x = grid.ulx + (np.arange(-margin, grid.cols + margin) + 0.5) * step
    y = grid.uly - (np.arange(-margin, grid.rows + margin) + 0.5) * step
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    transformation = osr.CoordinateTransformation(system(grid.epsg), system(4326))
    places = np.array(transformation.TransformPoints(points.tolist()))
    return terrain(places[:, 0], places[:, 1]).reshape(len(y), len(x))


def sampled(
    terrain: Terrain, west: float, north: float, step: float, shape: tuple[int, int], across: float
) -> np.ndarray:
    """Samples from a first one at the north-west on."""
    longitude = west + np.arange(shape[1]) * across
    latitude = north - np.arange(shape[0]) * step
    return np.asarray(terrain(longitude[np.newaxis], latitude[:, np.newaxis]))


def write_tif(
    path: Path,
    pixels: np.ndarray,
    transform: tuple[float, ...],
    epsg: int = 4326,
    no_data: float | None = None,
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {"int16": gdal.GDT_Int16, "float32": gdal.GDT_Float32}[pixels.dtype.name]
    rows, cols = pixels.shape
    dataset = gdal.GetDriverByName("GTiff").Create(
        str(path), cols, rows, 1, kind, ["COMPRESS=DEFLATE"]
    )
    dataset.SetGeoTransform(transform)
    dataset.SetProjection(system(epsg).ExportToWkt())
    if no_data is not None:
        dataset.GetRasterBand(1).SetNoDataValue(no_data)
    dataset.WriteRaster(0, 0, cols, rows, np.ascontiguousarray(pixels).tobytes())
    return path


def rounded(elevation: np.ndarray) -> np.ndarray:
    """Whole metres, void where not a number."""
    return np.where(np.isnan(elevation), VOID, np.rint(elevation)).astype(np.int16)


def write_cgiar(
    folder: Path,
    name: str,
    terrain: Terrain,
    samples: int = 300,
    step: float = 5 / 300,
    nudged: bool = False,
) -> Path:
    """SRTM of CGIAR: samples on whole multiples of the step; the origin names the first one.

    The line of samples on the southern edge is in the file, that on the northern one is not.
    With less ``samples`` than 5 degrees hold, only the north-west of the tile is written.
    """
    west, north = 5 * int(name[5:7]) - 185, 65 - 5 * int(name[8:10])
    pixels = sampled(terrain, west, north - step, step, (samples, samples), step)
    x, y = (west - step / 2, north - step / 2) if nudged else (west, north)
    transform = (x, step, 0.0, y, 0.0, -step)
    return write_tif(folder / f"{name}.tif", rounded(pixels), transform, no_data=VOID)


def write_hgt(folder: Path, west: int, south: int, terrain: Terrain) -> Path:
    pixels = sampled(terrain, west, south + 1, 1 / 1200, (1201, 1201), 1 / 1200)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (
        f"{'S' if south < 0 else 'N'}{abs(south):02d}{'W' if west < 0 else 'E'}{abs(west):03d}.hgt"
    )
    path.write_bytes(rounded(pixels).astype(">i2").tobytes())
    return path


def write_dted(path: Path, west: int, south: int, terrain: Terrain) -> Path:
    """DTED of level 0: 121 x 121 samples."""
    pixels = rounded(sampled(terrain, west, south + 1, 1 / 120, (121, 121), 1 / 120))
    path.parent.mkdir(parents=True, exist_ok=True)
    memory = gdal.GetDriverByName("MEM").Create("", 121, 121, 1, gdal.GDT_Int16)
    memory.SetGeoTransform((west - 1 / 240, 1 / 120, 0, south + 1 + 1 / 240, 0, -1 / 120))
    memory.SetProjection(system(4326).ExportToWkt())
    memory.WriteRaster(0, 0, 121, 121, pixels.tobytes())
    gdal.PushErrorHandler("CPLQuietErrorHandler")  # not so many samples at so high a latitude
    gdal.GetDriverByName("DTED").CreateCopy(str(path), memory)
    gdal.PopErrorHandler()
    return path


def write_copernicus(
    folder: Path, west: int, south: int, terrain: Terrain, cols: int = 240, layout: str = "{name}"
) -> Path:
    """GLO-30 with 240 instead of 3600 rows; columns thin out towards the poles."""
    name = (
        f"Copernicus_DSM_COG_10_{'S' if south < 0 else 'N'}{abs(south):02d}_00_"
        f"{'W' if west < 0 else 'E'}{abs(west):03d}_00_DEM"
    )
    step, across = 1 / 240, 1 / cols
    pixels = sampled(terrain, west, south + 1, step, (240, cols), across).astype(np.float32)
    transform = (west - across / 2, across, 0.0, south + 1 + step / 2, 0.0, -step)
    return write_tif(folder / f"{layout.format(name=name)}.tif", pixels, transform)


def offset(image: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Pixels by which an image lies east and south of a reference (least squares)."""
    south, east = np.gradient(reference)
    matrix = np.stack([east.ravel(), south.ravel()], axis=1)
    solution = np.linalg.lstsq(matrix, (reference - image).ravel(), rcond=None)[0]
    return float(solution[0]), float(solution[1])
