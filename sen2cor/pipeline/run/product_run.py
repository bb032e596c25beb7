"""One product from open to rename: which tiles, which resolutions, what exists already."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from sen2cor import __version__
from sen2cor.errors import OutputError, Sen2CorError
from sen2cor.imagery import jpeg2000
from sen2cor.pipeline.execution import resources
from sen2cor.pipeline.execution.executors import execute, plan_resources
from sen2cor.pipeline.run.console import ProductOutcome, ProductProgress
from sen2cor.pipeline.run.input_path import derive_level2a_name, opened, target
from sen2cor.pipeline.run.options import Options
from sen2cor.pipeline.run.run_records import RunRecords, keep_records
from sen2cor.pipeline.run.table_selection import load_tables
from sen2cor.pipeline.tile.processing_chain import TileJob
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile
from sen2cor.product.level2a.content import Provenance
from sen2cor.product.level2a.tile import Level2ATile
from sen2cor.product.level2a.writer import Level2AWriter
from sen2cor.reporting.optional_outputs import write_optional_outputs
from sen2cor.settings import Settings

logger = logging.getLogger(__name__)


def process_product(
    path: Path, options: Options, settings: Settings, progress: ProductProgress
) -> ProductOutcome:
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
    ProductOutcome

    Raises
    ------
    Sen2CorError
        Nothing could be processed; no product was left behind.
    """
    with (
        keep_records(derive_level2a_name(path), options, settings) as log,
        opened(path, options, settings) as level1c,
    ):
        folder, name = target(path, options, settings)
        with Level2AWriter.begin(
            level1c,
            folder,
            name=name,
            psd=settings.common.psd_output,
            true_colour=settings.common.generate_tci_output,
            ending="tif" if options.image_format == "cog" else "jp2",
        ) as output:
            log.content.update(level1c=level1c.root, product=output.path)
            log.add_unusable(level1c.unusable)
            plan = [
                (tile, resolutions)
                for tile in level1c.tiles
                if (resolutions := _to_make(output.tile(tile), options))
            ]
            _warn_of_extras([output.tile(tile) for tile in level1c.tiles], options, settings)
            if output.exists_before and not plan and not (options.layout_only and options.refresh):
                outcome = _outcome(output.path, level1c.unusable, nothing_to_do=True)
            else:
                outcome = _make(level1c, plan, output, options, settings, progress, log)
            _write_companions(output.path, options)
            # the product has these records too, but without what was said since
            log.write(*_ending(outcome))
            return outcome


def _make(
    level1c: Level1CProduct,
    plan: Sequence[tuple[Level1CTile, tuple[int, ...]]],
    output: Level2AWriter,
    options: Options,
    settings: Settings,
    progress: ProductProgress,
    log: RunRecords,
) -> ProductOutcome:
    """Process tiles at their resolutions and finish the product."""
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
    outcome = _outcome(output.path, {**level1c.unusable, **errors})
    _illustrate(log, [job for job in jobs if job.tile.mgrs not in errors])
    output.finish(
        Provenance(
            version=__version__,
            started=log.started,
            gipp=settings.effective_gipp_xml(),
            look_up_tables=_tables_used(jobs) or tuple(table.name for table in tables),
            dem_type=_dem_type(jobs),
            snow_climatology=settings.snow_map.name if settings.snow_map else "NONE",
            reports=log.records(*_ending(outcome)),
        ),
        schema_folder=settings.home / "cfg" if settings.home else None,
    )
    return outcome


def _outcome(
    product: Path, failures: Mapping[str, Sen2CorError], *, nothing_to_do: bool = False
) -> ProductOutcome:
    failed = tuple(
        f"{type(error).__name__}: tile {name}: {error}" for name, error in failures.items()
    )
    return ProductOutcome(product, nothing_to_do and not failed, failed, 1 if failed else 0)


def _ending(outcome: ProductOutcome) -> tuple[int, str, str | None]:
    """Exit code, result and error as the records of the run have them."""
    if outcome.failed_tiles:
        return outcome.exit_code, "failed in part", "; ".join(outcome.failed_tiles)
    return outcome.exit_code, "already processed" if outcome.already_processed else "done", None


def _illustrate(log: RunRecords, jobs: Sequence[TileJob]) -> None:
    if log.page is not None:
        jpeg2000.set_threads(resources.count_cores())
        for job in jobs:
            log.page.illustrate(job.product, job.tile, job.output)


def _write_companions(path: Path, options: Options) -> None:
    write_optional_outputs(
        path, quick_looks=options.quick_looks, stac=options.stac, palette=options.palette
    )


def _tables_used(jobs: Sequence[TileJob]) -> tuple[str, ...]:
    """Names of the tables that the tiles settled on, of those that AUTO stands for."""
    found = [job.output.retrieval for job in jobs if job.output.retrieval is not None]
    names = (retrieval.details.get("table") for retrieval in found)
    return tuple(dict.fromkeys(name for name in names if name))


def _dem_type(jobs: Sequence[TileJob]) -> str:
    found = {job.output.retrieval.dem_type for job in jobs if job.output.retrieval is not None}
    return next((kind for kind in found if kind is not None), "NONE")


def _process_tiles(
    jobs: list[TileJob],
    output: Level2AWriter,
    settings: Settings,
    options: Options,
    progress: ProductProgress,
    log: RunRecords,
) -> dict[str, Sen2CorError]:
    """Process the tiles; a bad tile does not stop the others.

    Returns
    -------
    dict of tile name to Sen2CorError
        What went wrong, for the tiles that failed.
    """
    progress.plan(sum(job.weight for job in jobs))
    resource_plan = plan_resources(jobs, settings.common, options)
    log.content.update(resource_plan=asdict(resource_plan))
    by_tile = {job.tile.tile_id: job for job in jobs}
    errors: dict[str, Sen2CorError] = {}
    with closing(execute(jobs, resource_plan, progress.show)) as results:
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


def _wanted(tile: Level2ATile, options: Options) -> tuple[int, ...]:
    """Resolutions of a tile that are asked for, in their order."""
    if options.layout_only:
        return ()
    if options.resolution is None:
        return (60, 20) if options.classification_only else (60, 20, 10)
    if options.resolution == 10 and not tile.has(20):
        return (20, 10)
    return (options.resolution,)


def _to_make(tile: Level2ATile, options: Options) -> tuple[int, ...]:
    """Resolutions of a tile that are to be made, in their order."""
    only = options.classification_only
    return tuple(
        resolution
        for resolution in _wanted(tile, options)
        if options.refresh or not tile.has(resolution, classification_only=only)
    )


def _warn_of_extras(tiles: Sequence[Level2ATile], options: Options, settings: Settings) -> None:
    """Say which optional images are switched on, but not there in what is left as it is."""
    common = settings.common
    kinds = {"Generate_QA_Output": "QUA"} if settings.classification.generate_quality_mask else {}
    if not options.classification_only:
        if common.generate_dem_output and settings.dem_directory is not None:
            kinds["Generate_DEM_Output"] = "DEM"
        if common.generate_ddv_output:
            kinds["Generate_DDV_Output"] = "DDV"
        if common.generate_uncertainty_output:
            kinds["Generate_Uncertainty_Output"] = "UNC_B04"
    absent = {
        element
        for tile in tiles
        for images in [tile.images()]
        for resolution in set(_wanted(tile, options)) - set(_to_make(tile, options))
        for element, kind in kinds.items()
        if (resolution != 10 or kind not in ("QUA", "DDV")) and (kind, resolution) not in images
    }
    if absent:
        logger.warning(
            "%s: switched on after the product was made, and not in it: use --refresh",
            ", ".join(sorted(absent)),
        )
