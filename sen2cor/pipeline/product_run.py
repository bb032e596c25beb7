"""One product from open to rename: which tiles, which resolutions, what exists already."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from sen2cor import __version__
from sen2cor.atmosphere.table import LookUpTable
from sen2cor.errors import InputError, OutputError, Sen2CorError
from sen2cor.pipeline.console import Outcome, Progress
from sen2cor.pipeline.options import Options
from sen2cor.pipeline.table_choice import load_tables
from sen2cor.pipeline.tile_chain import TileJob, process_tile
from sen2cor.pipeline.workers import workers
from sen2cor.product.level1c import Level1CProduct, Level1CTile, open_level1c
from sen2cor.product.level1c_path import locate
from sen2cor.product.level2a import Level2AProduct
from sen2cor.product.level2a_tile import Level2ATile
from sen2cor.product.naming import to_level1c, to_level2a
from sen2cor.product.report import XmlReportHandler, report_name
from sen2cor.product.run_record import RunRecord
from sen2cor.settings import Settings

logger = logging.getLogger(__name__)


def process_product(
    path: Path, options: Options, settings: Settings, progress: Progress
) -> Outcome:
    """Process one product.

    Parameters
    ----------
    path : Path
        Level-1C product, tile folder inside it, or Level-2A product beside its Level-1C product.
    options : Options
    settings : Settings
    progress : Progress

    Returns
    -------
    Outcome

    Raises
    ------
    Sen2CorError
        Nothing could be processed; no product was left behind.
    """
    started = datetime.now(timezone.utc)
    source = _level1c_path(path)
    root, _, _ = locate(source)
    with _report(to_level2a(root.name, "USER"), started, options) as report:
        settings.log()
        _announce_limits(settings)
        level1c = open_level1c(source)
        target = options.output_directory or settings.target_directory or root.parent
        with Level2AProduct.begin(
            level1c,
            target,
            psd=settings.common.psd_output,
            true_colour=settings.common.generate_tci_output,
        ) as output:
            plan = [
                (tile, resolutions)
                for tile in level1c.tiles
                if (resolutions := _resolutions(output.tile(tile), options))
            ]
            if output.exists_before and not plan and not (options.layout_only and options.refresh):
                return Outcome(output.path, True, (), 0)
            tables = load_tables(level1c, settings)
            errors = _process_tiles(level1c, output, plan, settings, tables, options, progress)
            if len(errors) == len(level1c.tiles):
                raise next(iter(errors.values()))
            output.finish(
                RunRecord(
                    version=__version__,
                    started=started,
                    gipp=settings.effective_gipp_xml(),
                    gipp_sources={name: str(file) for name, file in settings.sources.items()},
                    look_up_tables=tuple(table.name for table in tables),
                    report=report,
                )
            )
        failed = tuple(
            f"{type(error).__name__}: tile {name}: {error}"
            for name, error in {**level1c.unusable, **errors}.items()
        )
        return Outcome(output.path, False, failed, 1 if failed else 0)


def _process_tiles(
    level1c: Level1CProduct,
    output: Level2AProduct,
    plan: list[tuple[Level1CTile, tuple[int, ...]]],
    settings: Settings,
    tables: tuple[LookUpTable, ...],
    options: Options,
    progress: Progress,
) -> dict[str, Sen2CorError]:
    """Process the tiles one after another; a bad tile does not stop the next.

    Returns
    -------
    dict of tile name to Sen2CorError
        What went wrong, for the tiles that failed.
    """
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
    progress.plan(sum(job.weight for job in jobs))
    errors: dict[str, Sen2CorError] = {}
    with workers(settings.common.threads) as pool:
        for job in jobs:
            try:
                process_tile(job, pool, progress)
            except OutputError:
                raise
            except Sen2CorError as error:
                logger.error("tile %s: %s", job.tile.mgrs, error)
                errors[job.tile.mgrs] = error
                output.drop(job.tile)
    return errors


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


def _announce_limits(settings: Settings) -> None:
    """Say which settings of the configuration have no effect in this version."""
    ignored = []
    if settings.common.dem_directory is not None:
        ignored.append("DEM_Directory (the ground is taken as flat)")
    if settings.flags.cirrus_correction:
        ignored.append("Cirrus_Correction")
    if settings.flags.vis_update_mode:
        ignored.append("VIS_Update_Mode (one visibility for the scene)")
    if ignored:
        logger.warning("without effect in this version: %s", ", ".join(ignored))


@contextmanager
def _report(product_name: str, started: datetime, options: Options) -> Iterator[Path]:
    """Write the log of the run into a report, kept in the work folder where one is given."""
    with tempfile.TemporaryDirectory(prefix="sen2cor-") as folder:
        place = options.work_directory or Path(folder)
        handler = XmlReportHandler(place / report_name(product_name, started))
        package = logging.getLogger("sen2cor")
        package.addHandler(handler)
        try:
            yield handler.path
        except Sen2CorError as error:
            logger.error("%s: %s", type(error).__name__, error)
            raise
        except Exception:
            logger.critical("unexpected error", exc_info=True)
            raise
        finally:
            package.removeHandler(handler)
            handler.close()
