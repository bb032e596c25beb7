"""One product from open to rename: which tiles, which resolutions, what exists already."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from sen2cor import __version__
from sen2cor.errors import InputError, OutputError, Sen2CorError
from sen2cor.imagery import jpeg2000
from sen2cor.pipeline import resources
from sen2cor.pipeline.console import Outcome, ProductProgress
from sen2cor.pipeline.executors import allot, execute
from sen2cor.pipeline.look_up_tables import load_tables
from sen2cor.pipeline.options import Options
from sen2cor.pipeline.run_log import RunLog, run_log
from sen2cor.pipeline.tile_chain import TileJob
from sen2cor.product.archive import is_archive, unpacked
from sen2cor.product.level1c import Level1CProduct, open_level1c
from sen2cor.product.level1c_path import locate
from sen2cor.product.level2a import Level2AProduct
from sen2cor.product.level2a_tile import Level2ATile
from sen2cor.product.naming import to_level1c, to_level2a
from sen2cor.product.run_record import RunRecord
from sen2cor.reporting.companions import write_companions
from sen2cor.settings import Settings

logger = logging.getLogger(__name__)


def process_product(
    path: Path, options: Options, settings: Settings, progress: ProductProgress
) -> Outcome:
    """Process one product.

    Parameters
    ----------
    path : Path
        Level-1C product, its zip archive, tile folder inside it, or Level-2A product beside its
        Level-1C product.
    options : Options
    settings : Settings
    progress : ProductProgress

    Returns
    -------
    Outcome

    Raises
    ------
    Sen2CorError
        Nothing could be processed; no product was left behind.
    """
    with (
        run_log(to_level2a(_product_name(path), "USER"), options, settings) as log,
        _opened(path, options, settings) as level1c,
    ):
        target = _target_directory(path, options, settings)
        with Level2AProduct.begin(
            level1c,
            target,
            psd=settings.common.psd_output,
            true_colour=settings.common.generate_tci_output,
            ending="tif" if options.image_format == "cog" else "jp2",
        ) as output:
            log.content.update(level1c=level1c.root, product=output.path)
            plan = [
                (tile, resolutions)
                for tile in level1c.tiles
                if (resolutions := _resolutions(output.tile(tile), options))
            ]
            if output.exists_before and not plan and not (options.layout_only and options.refresh):
                _write_companions(output.path, options)
                log.write(0, "already processed")
                return Outcome(output.path, True, (), 0)
            tables = load_tables(level1c, settings)
            log.content.update(look_up_tables=[table.name for table in tables])
            jobs = [
                TileJob(
                    product=level1c,
                    tile=tile,
                    output=output.tile(tile),
                    settings=settings,
                    tables=tables,
                    resolutions=resolutions,
                    classification_only=options.classification_only,
                )
                for tile, resolutions in plan
            ]
            errors = _process_tiles(jobs, output, settings, options, progress, log)
            if len(errors) == len(level1c.tiles):
                raise next(iter(errors.values()))
            failed = tuple(
                f"{type(error).__name__}: tile {name}: {error}"
                for name, error in {**level1c.unusable, **errors}.items()
            )
            outcome = Outcome(output.path, False, failed, 1 if failed else 0)
            ending = outcome.exit_code, "done", "; ".join(failed) or None
            if log.page is not None:
                jpeg2000.set_threads(resources.cores())
                for job in jobs:
                    if job.tile.mgrs not in errors:
                        log.page.illustrate(level1c, job.tile, job.output)
            log.write(*ending)
            output.finish(
                RunRecord(
                    version=__version__,
                    started=log.started,
                    gipp=settings.effective_gipp_xml(),
                    gipp_sources={name: str(file) for name, file in settings.sources.items()},
                    look_up_tables=_tables_used(jobs) or tuple(table.name for table in tables),
                    dem_type=_dem_type(jobs),
                    snow_climatology=settings.snow_map.name if settings.snow_map else "NONE",
                    reports=log.files,
                ),
                schema_folder=settings.home / "cfg" if settings.home else None,
            )
            _write_companions(output.path, options)
            log.write(*ending)
            return outcome


def _write_companions(path: Path, options: Options) -> None:
    write_companions(
        path, quick_looks=options.quick_looks, stac=options.stac, palette=options.palette
    )


def _tables_used(jobs: list[TileJob]) -> tuple[str, ...]:
    """Names of the tables that the tiles settled on, of those that AUTO stands for."""
    found = [job.output.retrieval for job in jobs if job.output.retrieval is not None]
    names = (retrieval.details.get("table") for retrieval in found)
    return tuple(dict.fromkeys(name for name in names if name))


def _dem_type(jobs: list[TileJob]) -> str:
    found = {job.output.retrieval.dem_type for job in jobs if job.output.retrieval is not None}
    return next((kind for kind in found if kind is not None), "NONE")


def _process_tiles(
    jobs: list[TileJob],
    output: Level2AProduct,
    settings: Settings,
    options: Options,
    progress: ProductProgress,
    log: RunLog,
) -> dict[str, Sen2CorError]:
    """Process the tiles; a bad tile does not stop the others.

    Returns
    -------
    dict of tile name to Sen2CorError
        What went wrong, for the tiles that failed.
    """
    progress.plan(sum(job.weight for job in jobs))
    allotment = allot(jobs, settings.common, options)
    log.content.update(allotment=asdict(allotment))
    by_tile = {job.tile.tile_id: job for job in jobs}
    errors: dict[str, Sen2CorError] = {}
    with closing(execute(jobs, allotment, progress.show)) as results:
        for result in results:
            job = by_tile[result.tile_id]
            log.add_tile(result, job.tile.mgrs)
            if result.error is None:
                job.output.quality, job.output.retrieval = result.quality, result.retrieval
                continue
            if isinstance(result.error, OutputError):
                raise result.error
            logger.error("tile %s: %s", job.tile.mgrs, result.error)
            errors[job.tile.mgrs] = result.error
            output.drop(job.tile)
    return errors


@contextmanager
def _opened(path: Path, options: Options, settings: Settings) -> Iterator[Level1CProduct]:
    """Open a product, out of its archive if it is in one."""
    if not is_archive(path):
        yield open_level1c(_level1c_path(path))
        return
    place = options.work_directory or _target_directory(path, options, settings)
    place = Path(os.path.abspath(place))  # noqa: PTH100
    with unpacked(path, place) as folder:
        yield open_level1c(folder)


def _target_directory(path: Path, options: Options, settings: Settings) -> Path:
    """Folder of the Level-2A product, by default beside what was given; absolute."""
    target = options.output_directory or settings.target_directory
    if target is None:
        target = path.parent if is_archive(path) else locate(_level1c_path(path))[0].parent
    return Path(os.path.abspath(target))  # noqa: PTH100 (symbolic links stay)


def _product_name(path: Path) -> str:
    """Name of the product that a path belongs to, or, if it belongs to none, of the path."""
    try:
        return locate(_level1c_path(path))[0].name
    except InputError:
        return path.stem if path.suffix.lower() == ".zip" else path.name


def _resolutions(tile: Level2ATile, options: Options) -> tuple[int, ...]:
    """Resolutions of a tile that are to be made, in their order."""
    if options.layout_only:
        return ()
    if options.resolution is None:
        wanted: tuple[int, ...] = (60, 20) if options.classification_only else (60, 20, 10)
    elif options.resolution == 10 and not tile.has(20):
        wanted = (20, 10)
    else:
        wanted = (options.resolution,)
    only = options.classification_only
    return tuple(
        resolution
        for resolution in wanted
        if options.refresh or not tile.has(resolution, classification_only=only)
    )


def _level1c_path(path: Path) -> Path:
    """Find the Level-1C product that a given Level-2A product belongs to."""
    given = path.resolve()
    level1c = to_level1c(given.name)
    if level1c == given.name or not given.is_dir():
        return path
    beside = given.with_name(level1c)
    if not beside.is_dir():
        raise InputError(
            f"{path}: a Level-2A product; its Level-1C product {level1c} is not beside it: "
            "give the Level-1C product and --output_dir"
        )
    return beside
