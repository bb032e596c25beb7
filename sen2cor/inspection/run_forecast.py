"""What a run would read, make and need; nothing is written."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sen2cor.bands import BAND
from sen2cor.errors import AuxiliaryDataError
from sen2cor.inspection.product_info import format_size, read_product_info
from sen2cor.inspection.screen import Screen
from sen2cor.pipeline.execution.resource_plan import plan_resources
from sen2cor.pipeline.run.finished_products import find_missing, list_requested
from sen2cor.pipeline.run.input_path import derive_level2a_name, enter_folder, find_output_folder
from sen2cor.pipeline.run.options import Options
from sen2cor.pipeline.run.region import TileContext, crop_product, find_region
from sen2cor.pipeline.run.table_selection import load_tables
from sen2cor.pipeline.tile.processing_chain import TileJob
from sen2cor.product.archive import is_archive
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile, open_level1c
from sen2cor.product.level2a.files import find_product_metadata
from sen2cor.product.level2a.locked_workspace import Workspace
from sen2cor.product.level2a.origin import check_format, is_foreign, report_foreign
from sen2cor.product.level2a.reader import read_tiles
from sen2cor.product.level2a.tile import Level2ATile
from sen2cor.product.psd import Psd, output_psd
from sen2cor.raster.grids import Grid
from sen2cor.settings import Settings

_RUNS = 5
"""Runs that the forecast of the time is the median of."""

_RECORDS = 50
"""Newest records that are read."""

_OTHER_IMAGES = 1.2
"""Bytes of all images per byte of the bands: true colour, aerosol, water vapour, classes."""

_BYTES_OF_CLASSES = 1.0
"""Bytes per pixel of classes and probabilities together, at most."""

_COG_BYTES = 1.6
"""Bytes of Cloud-Optimized GeoTIFF, with overviews, per byte of JPEG 2000."""


def show_forecast(path: Path, options: Options, settings: Settings, screen: Screen) -> None:
    """Print what a run of a product would do.

    Parameters
    ----------
    path : Path
        As of `sen2cor.pipeline.run.product_run.process_product`.
    options : Options
    settings : Settings
    screen : Screen

    Raises
    ------
    Sen2CorError
        The run would end with this error.
    """
    path = enter_folder(path)
    folder, name = find_output_folder(path, options, settings)
    product = folder / (name or derive_level2a_name(path))
    screen.title(path.name)
    if is_archive(path):
        rows = list(_describe_archive(path, product, options))
    else:
        rows = list(_describe_run(path, product, options, settings))
    rows += _describe_place(product)
    rows += [
        ("Settings", f"{entry.element} = {entry.value} (default {entry.default})")
        for entry in settings.differences()
    ] or [("Settings", "all defaults")]
    screen.rows([(label, text.removeprefix("!")) for label, text in rows],
                [("yellow",) if text.startswith("!") else () for _, text in rows])  # fmt: skip


def _describe_archive(path: Path, product: Path, options: Options) -> Iterator[tuple[str, str]]:
    info = read_product_info(path)
    place = options.work_directory or product.parent
    yield "Reads", f"{format_size(path.stat().st_size)}, tiles {', '.join(info.tiles)}"
    yield "Unpacks", f"{format_size(info.size)} into {place}, for the time of the run"
    yield "Makes", str(product)


def _describe_run(
    path: Path, product: Path, options: Options, settings: Settings
) -> Iterator[tuple[str, str]]:
    """Yield label and text of each line; ``!`` marks what needs attention."""
    level1c = open_level1c(path, checksums=options.checksums)
    region = find_region(options)
    contexts: dict[str, TileContext] = {}
    if region is not None:
        level1c, contexts = crop_product(level1c, region)
    psd = output_psd(level1c.psd, settings.common.psd_output)
    plan = _plan_tiles(level1c, product, psd, options)
    size = sum(file.stat().st_size for tile in level1c.tiles for file in tile.bands.values())
    names = ", ".join(tile.mgrs for tile in level1c.tiles)
    extent = max(grid.cols * grid.pixel_size for grid in (tile.grids[10] for tile in level1c.tiles))
    whole = "" if contexts else f", {extent / 1000:.1f} km wide"
    yield "Reads", f"{format_size(size)}, tiles {names}{whole}"
    for tile_id, context in contexts.items():
        name = next(tile.mgrs for tile in level1c.tiles if tile.tile_id == tile_id)
        grid = context.tile.grids[10]
        yield "Region", f"tile {name}: {_extent(context.region.crop(grid))} of {_extent(grid)} read"
    for tile_name, error in level1c.unusable.items():
        yield "Unusable", f"!{tile_name}: {error}"
    jobs = [
        TileJob(
            level1c,
            contexts[tile.tile_id].tile if contexts else tile,
            output,
            settings,
            (),
            missing,
            options.classification_only,
            region=contexts[tile.tile_id].region if contexts else None,
        )
        for tile, output, missing in plan
        if missing
    ]
    if not jobs:
        done = (
            "metadata only" if options.layout_only else "nothing, it exists: --refresh remakes it"
        )
        yield "Makes", f"{product}: {done}"
        return
    for tile, _, missing in plan:
        text = f"{', '.join(map(str, missing))} m" if missing else "nothing, it exists"
        yield "Makes", f"{product}: tile {tile.mgrs}: {text}"
    resources = plan_resources(jobs, settings.common, options)
    if resources.scheduler is None:
        short = "!" if resources.tile_memory > resources.memory else ""
        yield (
            "Memory",
            (
                f"{short}{format_size(resources.tile_memory)} for a tile, {resources.processes} of "
                f"{len(jobs)} at once with {resources.threads} threads; "
                f"{format_size(resources.memory)} available"
            ),
        )
    made = sum(_forecast_bytes(job, psd, options) for job in jobs)
    free = shutil.disk_usage(_existing(product.parent)).free
    short = "!" if made > free else ""
    yield "Disk", f"{short}about {format_size(made)}; {format_size(free)} free"
    yield (
        "Time",
        _forecast_time(sum(job.scale for job in jobs), product.parent, options),
    )
    yield from _describe_auxiliary(level1c, settings)


def _extent(grid: Grid) -> str:
    """Describe the size of a grid."""
    height, width = (size * grid.pixel_size / 1000.0 for size in grid.shape)
    return f"{width:.1f} x {height:.1f} km"


def _plan_tiles(
    level1c: Level1CProduct, product: Path, psd: Psd, options: Options
) -> list[tuple[Level1CTile, Level2ATile, tuple[int, ...]]]:
    """Return each tile, its description and the resolutions that would be made.

    Raises
    ------
    ConfigurationError, InputError, OutputError
        The existing product cannot be completed.
    """
    existing: dict[str, Level2ATile] = {}
    if product.is_dir():
        if is_foreign(product):
            raise report_foreign(product)
        check_format(product, psd, "tif" if options.image_format == "cog" else "jp2")
        if find_product_metadata(product):
            existing = {tile.fields["mgrs"]: tile for tile in read_tiles(product)}
    plan = []
    for tile in level1c.tiles:
        found = existing.get(tile.mgrs)
        if found is not None:
            plan.append((tile, found, find_missing(found, options)))
        else:
            folder = product / "GRANULE" / tile.folder.name
            absent = Level2ATile(tile.tile_id, tile.datastrip_id, folder, psd, {})
            plan.append((tile, absent, list_requested(options, has_20m=False)))
    return plan


def _forecast_bytes(job: TileJob, psd: Psd, options: Options) -> float:
    """Return the bytes of the images of a tile, from the bytes per pixel of the Level-1C bands."""
    tile, total = job.tile, 0.0
    whole = tile.whole_grid or tile.grids[10]
    for resolution in job.resolutions:
        grid = tile.grids[resolution]
        if job.region is not None:
            grid = job.region.crop(grid)
        pixels = grid.rows * grid.cols
        if job.classification_only:
            total += pixels * _BYTES_OF_CLASSES
            continue
        for kind in psd.images(resolution):
            if kind in BAND:
                own = whole.rows * whole.cols * (10 / BAND[kind].resolution) ** 2
                density = tile.bands[kind].stat().st_size / own
                total += pixels * density * _OTHER_IMAGES
    return total * (_COG_BYTES if options.image_format == "cog" else 1.0)


def _forecast_time(full_tiles: float, folder: Path, options: Options) -> str:
    """Tell the time of the last runs of this machine with the same options, scaled by the area."""
    seconds = [
        record["seconds"] * full_tiles / record["full_tiles"]
        for record in _read_records(folder, options)
    ][:_RUNS]
    if not seconds:
        return "unknown: no run of this machine with these options in the output or work folder"
    return f"about {statistics.median(seconds):.0f} s, as the last {len(seconds)} such runs here"


def _read_records(folder: Path, options: Options) -> Iterator[dict[str, Any]]:
    """Yield run.json of finished runs of this machine with the same options, the newest first."""
    paths = [*folder.glob("*MSIL2A*.SAFE/*run.json")]
    if options.work_directory is not None:
        paths += options.work_directory.glob("*run.json")
    same = ("resolution", "classification_only", "layout_only", "image_format", "scheduler")
    for path in sorted(paths, key=_modified, reverse=True)[:_RECORDS]:
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            given = record["options"]
            if (
                record["result"] == "done"
                and record["versions"]["host"] == platform.node()
                and record["full_tiles"] > 0
                and all(given.get(name) == (getattr(options, name) or None) for name in same)
            ):
                yield record
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _describe_auxiliary(level1c: Level1CProduct, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield which auxiliary data are used and which are missing."""
    missing: list[str] = []
    if settings.dem_directory is None:
        missing.append("no elevation model (DEM_Directory NONE): the ground is flat")
    elif not settings.dem_directory.exists() and settings.common.dem_reference is None:
        raise AuxiliaryDataError(
            f"DEM_Directory {settings.dem_directory} does not exist: create it, set DEM_Reference, "
            "or set DEM_Directory to NONE"
        )
    if settings.snow_map is None:
        missing.append(f"no snow climatology {settings.classification.snow_map}")
    for what, absent in (
        ("ECMWF data (ozone, water vapour)", [one for one in level1c.tiles if one.ecmwf is None]),
        ("CAMS data (aerosol)", [one for one in level1c.tiles if one.cams is None]),
    ):
        if absent:
            missing.append(f"no {what} in the product")
    tables = load_tables(level1c, settings)
    yield "Tables", ", ".join(table.name for table in tables)
    for text in missing:
        yield "Missing", text


def _describe_place(product: Path) -> Sequence[tuple[str, str]]:
    """Return what stands in the way of writing the product."""
    rows = []
    if Workspace(product).folder.exists():
        rows.append(("Locked", f"!{Workspace(product).folder}: another run writes the product"))
    place = _existing(product.parent)
    if not os.access(place, os.W_OK):
        rows.append(("Output", f"!{place}: not writable; choose another folder with --output_dir"))
    return rows


def _existing(folder: Path) -> Path:
    """Return the nearest folder above that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())
