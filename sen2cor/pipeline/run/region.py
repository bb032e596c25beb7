"""Region of interest: which part of each tile is written, and which part around it is read."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sen2cor.errors import OutputError, UsageError
from sen2cor.pipeline.run.options import Options
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.raster.coordinates import bounding_box, footprint, split_at_date_line
from sen2cor.raster.grids import Grid
from sen2cor.raster.windows import Window

logger = logging.getLogger(__name__)

_COARSE = 60


@dataclass(frozen=True)
class Region:
    """A box in any coordinate system.

    Attributes
    ----------
    bounds : tuple of float
        West, south, east and north edge.
    system : str
        Coordinate system, as GDAL knows it: ``EPSG:32632`` or well-known text.
    context : float
        Metres around it that are read and processed, but not written: for aerosol, adjacency and
        the shadows of clouds.
    """

    bounds: tuple[float, float, float, float]
    system: str
    context: float


@dataclass(frozen=True)
class TileContext:
    """A part of a tile that is processed, and the part of it that is written.

    Attributes
    ----------
    tile : Level1CTile
        Part that is processed.
    region : Window
        Part that is written, relative to it.
    """

    tile: Level1CTile
    region: Window


def find_region(options: Options) -> Region | None:
    """Return the region that the options name, None for whole tiles.

    Raises
    ------
    UsageError
        The file has no features or no coordinate system, or cannot be read.
    """
    context = 1000.0 * options.region_context
    if options.aoi is not None:
        bounds, system = _read_outline(options.aoi)
        return Region(bounds, system, context)
    if options.bbox is None:
        return None
    return Region(options.bbox, options.bbox_crs, context)


def _read_outline(path: Path) -> tuple[tuple[float, float, float, float], str]:
    """Read the envelope of all features of a vector file, and its coordinate system."""
    from osgeo import ogr

    ogr.UseExceptions()
    try:
        source = ogr.Open(str(path))
        layers = [source.GetLayer(number) for number in range(source.GetLayerCount())]
        filled = [layer for layer in layers if layer.GetFeatureCount() > 0]
        extents = [layer.GetExtent() for layer in filled]
        systems = {
            "" if layer.GetSpatialRef() is None else str(layer.GetSpatialRef().ExportToWkt())
            for layer in filled
        }
    except (RuntimeError, AttributeError) as error:
        raise UsageError(f"--aoi {path}: cannot be read as a vector file ({error})") from error
    if not extents:
        raise UsageError(f"--aoi {path}: has no features")
    if len(systems) > 1 or "" in systems:
        raise UsageError(f"--aoi {path}: needs one coordinate system for all features")
    west, east, south, north = zip(*extents, strict=True)
    return (min(west), min(south), max(east), max(north)), systems.pop()


def crop_product(
    product: Level1CProduct, region: Region
) -> tuple[Level1CProduct, dict[str, TileContext]]:
    """Crop the tiles of a product to a region; tiles outside are left out.

    Returns
    -------
    Level1CProduct
        With the parts of the tiles that are written.
    dict of tile_id to TileContext

    Raises
    ------
    UsageError
        The region is outside all tiles, or its coordinate system is unknown.
    """
    tiles, contexts = [], {}
    for tile in product.tiles:
        grid = tile.grids[_COARSE]
        try:
            window = Window.around(region.bounds, region.system, grid)
        except (RuntimeError, ValueError) as error:
            raise UsageError(f"region of interest: {error}") from error
        if window is None:
            continue
        outer = window.widen(region.context, grid)
        tiles.append(tile.crop(window))
        contexts[tile.tile_id] = TileContext(tile.crop(outer), window.within(outer))
        logger.info(
            "tile %s: region of %.2f x %.2f km; %.2f x %.2f km are processed",
            tile.mgrs,
            *(size * _COARSE / 1000.0 for size in (window.cols, window.rows)),
            *(size * _COARSE / 1000.0 for size in (outer.cols, outer.rows)),
        )
    if not tiles:
        raise UsageError(
            "the region of interest is outside the product: "
            + "; ".join(f"tile {tile.mgrs}: {_describe_extent(tile)}" for tile in product.tiles)
        )
    return replace(product, tiles=tuple(tiles)), contexts


def _describe_extent(tile: Level1CTile) -> str:
    west, south, east, north = bounding_box(split_at_date_line(footprint(tile.grids[_COARSE])))
    return f"{west:.3f} {south:.3f} {east:.3f} {north:.3f} (degrees)"


def check_same_region(product: Path, grids: Mapping[str, Grid]) -> None:
    """Refuse to add to a product of another region.

    Parameters
    ----------
    product : Path
        Existing Level-2A product.
    grids : mapping of MGRS tile to Grid
        Grids of 10 m that are to be written.

    Raises
    ------
    OutputError
        A tile of the product covers another area.
    """
    other = find_other_region(product, grids)
    if other:
        raise OutputError(
            f"{product}: tile {other} exists with another region; remove the product, or choose "
            "another folder with --output_dir"
        )


def find_other_region(product: Path, grids: Mapping[str, Grid]) -> str:
    """Return a tile of a Level-2A product that covers another area than given, or empty."""
    for tile in open_level2a(product).tiles:
        wanted = grids.get(tile.mgrs)
        if wanted is not None and wanted.bounds != tile.grids[10].bounds:
            return str(tile.mgrs)
    return ""
