"""Whether a Level-2A product is complete, told from names and metadata, without opening Level-1C.

The command asks first, so that a run that finds nothing to do imports and reads little.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from sen2cor.errors import InputError
from sen2cor.pipeline.run.console import ProductOutcome
from sen2cor.pipeline.run.options import Options
from sen2cor.product.level1c.tile_metadata import read_grids
from sen2cor.product.level2a.files import find_product_metadata
from sen2cor.product.level2a.locked_workspace import Workspace
from sen2cor.product.level2a.origin import is_foreign
from sen2cor.product.level2a.reader import read_tiles
from sen2cor.product.level2a.tile import Level2ATile
from sen2cor.product.name_templates import split_product_name, to_level2a, to_level2a_product
from sen2cor.product.side_files import is_side_file
from sen2cor.raster.grids import Grid
from sen2cor.settings import Settings
from sen2cor.xml_document import XmlDocument


def find_finished(path: Path, options: Options, settings: Settings) -> ProductOutcome | None:
    """Return the outcome for a Level-1C folder whose Level-2A product is complete.

    Returns
    -------
    ProductOutcome or None
        None if there is something to do, or if anything is unusual: the run then opens the product.
    """
    common = settings.common
    optional = (
        common.generate_dem_output,
        common.generate_ddv_output,
        common.generate_uncertainty_output,
        common.generate_angle_output is not None,
        settings.classification.generate_quality_mask,
        options.refresh,
        options.layout_only,
        options.quick_looks,
        options.stac,
        options.has_region,
    )
    if any(optional) or split_product_name(path.name, "1C") is None or path.is_symlink():
        return None
    if not (path / "GRANULE").is_dir() or path.parent.suffix == ".SAFE":
        return None
    folder = options.output_directory or settings.target_directory or path.parent
    product = Path(os.path.abspath(folder)) / to_level2a_product(path.name, "USER")  # noqa: PTH100
    if product.is_symlink() or not find_product_metadata(product) or is_foreign(product):
        return None
    if Workspace(product).folder.exists():
        return None
    try:
        tiles = {tile.folder.name: tile for tile in read_tiles(product)}
    except InputError:
        return None
    wanted = list(_find_tiles(path, tiles, options, settings))
    if not wanted or any(tile is None or find_missing(tile, options) for tile in wanted):
        return None
    return ProductOutcome(product, already_processed=True, failed_tiles=(), exit_code=0)


def _find_tiles(
    level1c: Path, tiles: dict[str, Level2ATile], options: Options, settings: Settings
) -> Iterator[Level2ATile | None]:
    """Yield the Level-2A tile of each tile folder of a Level-1C product, None if there is none."""
    common = settings.common
    for folder in sorted((level1c / "GRANULE").iterdir()):
        if is_side_file(Path(folder.name)):
            continue
        tile = next(
            (found for name, found in tiles.items()
             if name == to_level2a(folder.name, found.psd.file_class)),
            None,
        )  # fmt: skip
        if tile is None:
            yield None
            continue
        psd = tile.psd
        ending = "tif" if options.image_format == "cog" else "jp2"
        is_other = tile.fields["ending"] != ending or _read_grids(folder) != _read_grids(
            tile.folder
        )
        if is_other or common.psd_output not in (None, psd.version):
            yield None
        else:
            colours = psd.true_colour and common.generate_tci_output
            yield replace(tile, psd=replace(psd, true_colour=colours))


def _read_grids(tile_folder: Path) -> list[Mapping[int, Grid]]:
    """Read the grids of a tile of either level; those of a region differ from those of a tile."""
    try:
        return [read_grids(XmlDocument(path)) for path in sorted(tile_folder.glob("*.xml"))]
    except InputError:
        return []


def find_requested(tile: Level2ATile, options: Options) -> tuple[int, ...]:
    """Return the resolutions of a tile that the options ask for, in processing order."""
    return list_requested(options, has_20m=options.resolution == 10 and tile.has_images(20))


def list_requested(options: Options, *, has_20m: bool) -> tuple[int, ...]:
    """Return the resolutions that the options ask for, given whether 20 m exists."""
    if options.layout_only:
        return ()
    if options.resolution is None:
        return (60, 20) if options.classification_only else (60, 20, 10)
    if options.resolution == 10 and not has_20m:
        return (20, 10)
    return (options.resolution,)


def find_missing(tile: Level2ATile, options: Options) -> tuple[int, ...]:
    """Return the resolutions of a tile that have to be made, in processing order."""
    only = options.classification_only
    return tuple(
        resolution
        for resolution in find_requested(tile, options)
        if options.refresh or not tile.has_images(resolution, classification_only=only)
    )
