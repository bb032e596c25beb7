"""Level-2A products as xarray datasets: bands by name, scaled, lazy; a thin layer over the images.

Names of attributes are those of the CF conventions 1.11: ``standard_name``, ``flag_values``,
``flag_masks``, ``flag_meanings``, ``grid_mapping``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND
from sen2cor.errors import InputError, UsageError
from sen2cor.imagery import cog, jpeg2000
from sen2cor.imagery.image_description import ImageDescription
from sen2cor.optional_packages import is_available, require
from sen2cor.paths import expand_existing_path
from sen2cor.product.level1c.angles import read_geometry
from sen2cor.product.level1c.masks import read_detectors
from sen2cor.product.level2a.files import find_tile_metadata
from sen2cor.product.level2a.reader import Level2AReader, Level2ATileReader
from sen2cor.product.level2a.reader import open_level2a as read_level2a
from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.coordinates import spatial_reference, wkt
from sen2cor.raster.grids import Grid
from sen2cor.raster.pixel_angles import PixelAngles
from sen2cor.reporting.image_descriptions import describe_image
from sen2cor.xml_document import XmlDocument

if TYPE_CHECKING:
    import xarray

__all__ = ["open_level2a"]

_CHUNK_ROWS = 1024
"""Rows of a Dask chunk: those of a row of tiles in the codestream."""

_STANDARD_NAMES = {
    "AOT": "atmosphere_optical_thickness_due_to_ambient_aerosol_particles",
    "WVP": "lwe_thickness_of_atmosphere_mass_content_of_water_vapor",
    "DEM": "height_above_geopotential_datum",
    "SCL": "status_flag",
    "QUA": "status_flag",
}

_NOT_OPENED = "PVI"
"""The preview has a grid of its own."""


def open_level2a(
    path: str | os.PathLike[str],
    *,
    resolution: int | None = None,
    images: Iterable[str] | None = None,
    tile: str | None = None,
    angles: str | None = None,
) -> xarray.Dataset:
    """Open a tile of a Level-2A product as a dataset; pixels are read when they are used.

    Parameters
    ----------
    path : str or path
        Folder of a product of this processor or of the ground segment, with images of JPEG 2000 or
        Cloud-Optimized GeoTIFF.
    resolution : {10, 20, 60}, optional
        Metres; by default the finest of the product. Images that exist only at coarser resolutions
        are repeated (nearest pixel); those that exist only at finer ones are left out.
    images : iterable of str, optional
        Names of variables, such as ``("B04", "B8A", "SCL")``; by default all.
    tile : str, optional
        MGRS tile, such as ``32UQD``; needed for a product of several tiles.
    angles : {"mean", "bands"}, optional
        Adds the angles of each pixel in degrees, computed from grids and detector footprints of
        the product: ``SZA`` and ``SAA`` (zenith and azimuth of the sun) and of the view, ``VZA``
        and ``VAA`` (mean of the bands) or ``VZA_B01`` to ``VAA_B12``. Azimuths from north to east.
        Without footprints the detectors are averaged.

    Returns
    -------
    xarray.Dataset
        With dimensions ``y`` and ``x`` (pixel centres in metres), the coordinate system in
        ``spatial_ref`` and the sensing time (UTC) in ``time``. Bands, ``UNC_...``, ``AOT`` and
        ``WVP`` (cm) are float32 with NaN for no data; classes (``SCL``), bits (``QUA``) and
        probabilities in percent (``CLD``, ``SNW``) are integers with flag attributes; ``TCI`` has
        the dimension ``rgb``. ``native_resolution`` is the pixel size of the image in metres.
        Arrays are chunked where Dask is installed; otherwise they are lazy arrays of xarray.

    Raises
    ------
    AuxiliaryDataError
        xarray is not installed.
    InputError
        It is not a Level-2A product, or an image is missing or damaged.
    UsageError
        The product has no such tile, resolution or image, or several tiles and none is named.

    Examples
    --------
    >>> from sen2cor import open_level2a
    >>> product = open_level2a("S2A_MSIL2A_....SAFE", resolution=20)  # doctest: +SKIP
    >>> clear = product["B04"].where(product["SCL"].isin([4, 5]))  # doctest: +SKIP
    """
    require("xarray", "open_level2a")
    import xarray

    product = read_level2a(expand_existing_path(os.fspath(path)))
    chosen = _select_tile(product, tile)
    grid = _select_grid(chosen, resolution)
    found = _select_images(chosen, round(grid.pixel_size), images)
    variables = {
        kind: _make_variable(kind, file, native, grid, product)
        for kind, (file, native) in found.items()
    }
    if angles is not None:
        variables |= _make_angles(angles, chosen, grid)
    dataset = xarray.Dataset(variables, _make_coordinates(grid, chosen), _describe(product, chosen))
    return dataset.chunk({"y": _CHUNK_ROWS}) if is_available("dask") else dataset


def _select_tile(product: Level2AReader, name: str | None) -> Level2ATileReader:
    names = [tile.mgrs for tile in product.tiles]
    if name is None and len(names) > 1:
        raise UsageError(f"{product.path}: has several tiles, give one: {', '.join(names)}")
    for tile in product.tiles:
        if name in (None, tile.mgrs):
            return tile
    raise UsageError(f"{product.path}: has no tile {name}, but {', '.join(names)}")


def _select_grid(tile: Level2ATileReader, resolution: int | None) -> Grid:
    present = sorted({size for kind, size in tile.images if size is not None and kind in BAND})
    present = present or sorted({size for _, size in tile.images if size is not None})
    if not present:
        raise InputError(f"{tile.folder}: no images; process the product again")
    if resolution is None:
        return tile.grids[present[0]]
    if resolution not in present:
        raise UsageError(
            f"{tile.folder}: has no images of {resolution} m, but of {', '.join(map(str, present))}"
        )
    return tile.grids[resolution]


def _select_images(
    tile: Level2ATileReader, resolution: int, wanted: Iterable[str] | None
) -> dict[str, tuple[Path, int]]:
    """Return file and resolution of each image: the finest that is not finer than asked for."""
    found: dict[str, tuple[Path, int]] = {}
    for (kind, size), file in sorted(tile.images.items(), key=lambda item: item[0][1] or 0):
        if size is not None and size >= resolution and kind != _NOT_OPENED:
            found.setdefault(kind, (file, size))
    ordered = [*(band for band in BAND if band in found), *sorted(found.keys() - BAND.keys())]
    if wanted is None:
        return {kind: found[kind] for kind in ordered}
    names = list(wanted)
    absent = [name for name in names if name not in found]
    if absent:
        raise UsageError(
            f"{tile.folder}: no image {', '.join(absent)} at {resolution} m or coarser; there are "
            f"{', '.join(ordered)}"
        )
    return {name: found[name] for name in names}


def _make_variable(
    kind: str, file: Path, native: int, grid: Grid, product: Level2AReader
) -> xarray.Variable:
    description = describe_image(kind, product.quantification, product.offset)
    factor = native // round(grid.pixel_size)
    source = _LazyImage(file, grid.shape, factor, description, colours=kind == "TCI")
    return _wrap(source, _describe_image(kind, description, native))


def _make_angles(which: str, tile: Level2ATileReader, grid: Grid) -> dict[str, xarray.Variable]:
    """Return the angles of the sun and of the view of each pixel."""
    if which not in ("mean", "bands"):
        raise UsageError(f"angles {which!r}: must be mean or bands")
    document = XmlDocument(find_tile_metadata(tile.folder)[0])
    masks = tile.folder / "QI_DATA"
    angles = PixelAngles(
        read_geometry(document), grid, lambda band, part: read_detectors(masks, band, part)
    )
    bands = [band for band in BAND if band != "B10"]
    views = {"": bands} if which == "mean" else {f"_{band}": [band] for band in bands}
    pairs: list[tuple[tuple[str, str], _Compute]] = [(("SZA", "SAA"), angles.sun)]
    for ending, names in views.items():
        pairs.append(((f"VZA{ending}", f"VAA{ending}"), partial(angles.view, names)))
    return {
        kind: _wrap(
            _LazyAngles(compute, number, grid.shape),
            _describe_image(kind, describe_image(kind, 1.0, 0.0), round(grid.pixel_size)),
        )
        for kinds, compute in pairs
        for number, kind in enumerate(kinds)
    }


def _wrap(source: _LazyImage | _LazyAngles, attributes: dict[str, Any]) -> xarray.Variable:
    """Return a variable that reads its pixels when they are used."""
    import xarray
    from xarray.core.indexing import LazilyIndexedArray

    dimensions = ("y", "x", "rgb")[: len(source.shape)]
    variable: xarray.Variable = xarray.Variable(
        dimensions, LazilyIndexedArray(_backend(source)), attributes
    )
    variable.encoding["grid_mapping"] = "spatial_ref"
    return variable


def _describe_image(kind: str, description: ImageDescription, native: int) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "long_name": description.title,
        "native_resolution": native,
    }
    name = "surface_bidirectional_reflectance" if kind in BAND else _STANDARD_NAMES.get(kind)
    if name:
        attributes["standard_name"] = name
    if description.unit:
        attributes["units"] = description.unit
    if description.wavelength is not None:
        attributes["wavelength_um"] = description.wavelength
    if description.bandwidth is not None:
        attributes["bandwidth_um"] = description.bandwidth
    items = description.list_items()
    for key, dtype in (("flag_values", np.uint8), ("flag_masks", np.uint16)):
        if key in items:
            attributes[key] = np.array(items[key].split(), dtype)
    if "flag_meanings" in items:
        attributes["flag_meanings"] = items["flag_meanings"]
    return attributes


class _LazyImage:
    """Pixels of an image on a grid that is as fine or finer; read by blocks of rows.

    Parameters
    ----------
    file : Path
    shape : (int, int)
        Rows and columns of the grid.
    factor : int
        Pixels of the grid per pixel of the image, along each side.
    description : ImageDescription
    colours : bool
        Whether the image has three components.
    """

    def __init__(
        self,
        file: Path,
        shape: tuple[int, int],
        factor: int,
        description: ImageDescription,
        *,
        colours: bool,
    ) -> None:
        self._file, self._factor, self._description = file, factor, description
        self.shape: tuple[int, ...] = (*shape, 3) if colours else shape
        self.dtype: np.dtype[Any]
        if description.is_scaled:
            self.dtype = np.dtype(np.float32)
        else:
            self.dtype = np.dtype(np.uint16 if description.bits else np.uint8)

    def read(self, key: tuple[int | slice, ...]) -> npt.NDArray[Any]:
        """Read the pixels of integers and slices for each dimension."""
        rows, cols = _locate(key, self.shape)
        if rows.size and cols.size:
            first, last = int(rows.min()) // self._factor, int(rows.max()) // self._factor
            reader = cog.read if self._file.suffix == ".tif" else jpeg2000.read
            block = reader(self._file, rows=slice(first, last + 1))
            numbers = block[rows // self._factor - first][:, cols // self._factor]
        else:
            numbers = np.empty((rows.size, cols.size, *self.shape[2:]), np.uint16)
        return _drop_integers(self._scale(numbers), key)

    def _scale(self, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        description = self._description
        if not description.is_scaled:
            return numbers.astype(self.dtype)
        values = numbers.astype(np.float32)
        values *= np.float32(description.scale)
        values += np.float32(description.offset)
        if description.no_data is not None:
            values[numbers == description.no_data] = np.nan
        return values


_Compute = Callable[[slice], tuple[Float32Array, Float32Array]]


class _LazyAngles:
    """Zenith or azimuth of the pixels of a grid; computed by blocks of rows.

    Parameters
    ----------
    compute : callable
        Returns zenith and azimuth of some rows.
    number : {0, 1}
        Which of them.
    shape : (int, int)
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, compute: _Compute, number: int, shape: tuple[int, int]) -> None:
        self._compute, self._number = compute, number
        self.shape: tuple[int, ...] = shape

    def read(self, key: tuple[int | slice, ...]) -> npt.NDArray[Any]:
        """Compute the pixels of integers and slices for each dimension."""
        rows, cols = _locate(key, self.shape)
        if rows.size and cols.size:
            first = int(rows.min())
            block = self._compute(slice(first, int(rows.max()) + 1))[self._number]
            values = block[rows - first][:, cols]
        else:
            values = np.empty((rows.size, cols.size), np.float32)
        return _drop_integers(values, key)


def _locate(key: tuple[int | slice, ...], shape: tuple[int, ...]) -> list[npt.NDArray[np.int64]]:
    """Return rows and columns of integers and slices."""
    parts = (one if isinstance(one, slice) else slice(int(one), int(one) + 1) for one in key[:2])
    return [np.arange(*part.indices(size)) for part, size in zip(parts, shape[:2], strict=True)]


def _drop_integers(values: npt.NDArray[Any], key: tuple[int | slice, ...]) -> npt.NDArray[Any]:
    """Drop the dimensions of rows and columns that an integer selects; select the third."""
    if len(key) > 2:
        values = values[:, :, key[2]]
    for axis in (1, 0):
        if not isinstance(key[axis], slice):
            values = values.take(0, axis=axis)
    return values


def _backend(source: _LazyImage | _LazyAngles) -> Any:
    """Return xarray's view of an image, which reads what is indexed."""
    from xarray.backends import BackendArray
    from xarray.core import indexing

    class Backend(BackendArray):
        shape, dtype = source.shape, source.dtype

        def __getitem__(self, key: Any) -> Any:
            return indexing.explicit_indexing_adapter(
                key, source.shape, indexing.IndexingSupport.BASIC, source.read
            )

    return Backend()


def _make_coordinates(grid: Grid, tile: Level2ATileReader) -> Mapping[str, Any]:
    size, (rows, cols) = grid.pixel_size, grid.shape
    y = grid.uly - (np.arange(rows) + 0.5) * size
    x = grid.ulx + (np.arange(cols) + 0.5) * size
    reference = spatial_reference(grid.epsg)
    mapping = {
        "crs_wkt": wkt(grid.epsg),
        "spatial_ref": wkt(grid.epsg),
        "grid_mapping_name": "transverse_mercator",
        "projected_crs_name": reference.GetName(),
        "GeoTransform": " ".join(f"{value:g}" if value < 1e5 else f"{value:.1f}"
                                 for value in grid.geotransform),
    }  # fmt: skip
    moment = np.datetime64(tile.sensing_time.replace(tzinfo=None), "ns")
    return {
        "y": ("y", y, {"standard_name": "projection_y_coordinate", "units": "m"}),
        "x": ("x", x, {"standard_name": "projection_x_coordinate", "units": "m"}),
        "spatial_ref": ((), np.int64(grid.epsg), mapping),
        "time": ((), moment, {"standard_name": "time"}),
    }


def _describe(product: Level2AReader, tile: Level2ATileReader) -> dict[str, Any]:
    return {
        "Conventions": "CF-1.11",
        "title": product.path.name,
        "platform": product.spacecraft,
        "processing_baseline": product.baseline,
        "tile": tile.mgrs,
        "relative_orbit": product.relative_orbit,
        "orbit_direction": product.orbit_direction,
        "cloud_cover": round(product.cloud_cover, 3),
        "mean_solar_zenith": tile.solar_zenith,
        "mean_solar_azimuth": tile.solar_azimuth,
    }
