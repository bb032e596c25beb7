"""Run one product: open it, decide what to make, process its tiles, finish the Level-2A product."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from sen2cor import __version__
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.classification import find_cloud_detector
from sen2cor.errors import OutputError, Sen2CorError
from sen2cor.imagery import jpeg2000
from sen2cor.pipeline.execution import available_resources
from sen2cor.pipeline.execution.executors import run_tiles
from sen2cor.pipeline.execution.resource_plan import plan_resources
from sen2cor.pipeline.run.console import ProductOutcome, ProductProgress
from sen2cor.pipeline.run.finished_products import find_missing, find_requested
from sen2cor.pipeline.run.input_path import (
    derive_level2a_name,
    enter_folder,
    find_output_folder,
    open_input,
)
from sen2cor.pipeline.run.options import Options
from sen2cor.pipeline.run.region import (
    TileContext,
    check_same_region,
    crop_product,
    find_region,
)
from sen2cor.pipeline.run.run_records import RunRecords, keep_records
from sen2cor.pipeline.run.table_selection import load_tables
from sen2cor.pipeline.tile.processing_chain import TileJob
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile
from sen2cor.product.level2a.content import Provenance, TileOutcome, TileRetrieval
from sen2cor.product.level2a.files import find_product_metadata
from sen2cor.product.level2a.origin import report_foreign
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.product.level2a.tile import Level2ATile
from sen2cor.product.level2a.writer import Level2AWriter
from sen2cor.reporting.quicklook import find_picture_shape, write_quick_looks
from sen2cor.reporting.stac import write_items
from sen2cor.reporting.tile_page import MAX_SIDE as PICTURE_SIDE
from sen2cor.settings import Settings

_PROCESS, _REPORT = "L2A_ProcessProduct", "L2A_Report"

_PICTURES = 12
"""Progress lines of the report pictures of a tile, about."""

_FINISH_PARTS, _QUICK_LOOKS = 4, 5
"""Progress lines of the last steps."""

_PICTURES_WEIGHT = 3.0
_FINISH_WEIGHT = 1.0
_QUICK_LOOKS_WEIGHT = 1.0
_STAC_WEIGHT = 0.2
_RECORDS_WEIGHT = 0.1
"""Weights of the last steps: percentages of the time of a full tile (`processing_chain.WEIGHTS`).

Report pictures count once for each tile and again in proportion to its pixels; so do metadata,
manifest and checksums, but once for the product.
"""

logger = logging.getLogger(__name__)


def process_product(
    path: Path, options: Options, settings: Settings, progress: ProductProgress
) -> ProductOutcome:
    """Process one product.

    Parameters
    ----------
    path : Path
        Level-1C product, its zip or tar archive, a tile folder inside it, or a Level-2A product
        beside its Level-1C product.
    options : Options
    settings : Settings
    progress : ProductProgress

    Returns
    -------
    ProductOutcome

    Raises
    ------
    Sen2CorError
        No tile could be processed; no product was left behind.
    """
    find_cloud_detector(settings.classification.cloud_detector)
    path = enter_folder(path)
    with (
        keep_records(derive_level2a_name(path), options, settings) as records,
        open_input(path, options, settings) as level1c,
    ):
        region = find_region(options)
        contexts: dict[str, TileContext] = {}
        if region is not None:
            level1c, contexts = crop_product(level1c, region)
            records.content.update(region=asdict(region))
        folder, name = find_output_folder(path, options, settings)
        with Level2AWriter.begin(
            level1c,
            folder,
            name=name,
            psd=settings.common.psd_output,
            true_colour=settings.common.generate_tci_output,
            ending="tif" if options.image_format == "cog" else "jp2",
        ) as output:
            records.content.update(level1c=level1c.root, product=output.path)
            records.add_unusable(level1c.unusable)
            run = _ProductRun(level1c, contexts, output, options, settings, progress, records)
            outcome = run.process()
            _write_optional_outputs(output.path, options, progress)
            with progress.track(_PROCESS, "records", _RECORDS_WEIGHT):
                if outcome.already_processed and not (options.quick_looks or options.stac):
                    records.remove()
                else:
                    # the product holds these records too, but without the last log messages
                    records.write(*_describe_ending(outcome))
            return outcome


@dataclass(frozen=True)
class _ProductRun:
    """The run of one product, with what its steps need."""

    level1c: Level1CProduct
    contexts: Mapping[str, TileContext]
    output: Level2AWriter
    options: Options
    settings: Settings
    progress: ProductProgress
    records: RunRecords

    def process(self) -> ProductOutcome:
        """Process missing resolutions and finish the product."""
        tiles = {tile.tile_id: self.output.add_tile(tile) for tile in self.level1c.tiles}
        plan = [
            (tile, resolutions)
            for tile in self.level1c.tiles
            if (resolutions := find_missing(tiles[tile.tile_id], self.options))
        ]
        if find_product_metadata(self.output.path) and not self.output.foreign:
            check_same_region(
                self.output.path, {tile.mgrs: tile.grids[10] for tile in self.level1c.tiles}
            )
        _warn_of_missing_extras(list(tiles.values()), self.options, self.settings)
        renew_layout = self.options.layout_only and self.options.refresh
        _protect_foreign(self.output, writes=bool(plan or renew_layout))
        if self.output.existed and not plan and not renew_layout:
            self.progress.plan(_weigh_optional_outputs(self.options) + _RECORDS_WEIGHT)
            return _sum_up(self.output.path, self.level1c.unusable, nothing_to_do=True)
        tables = load_tables(self.level1c, self.settings)
        self.records.content.update(look_up_tables=[table.name for table in tables])
        jobs = [
            self._plan_tile(tile, tiles[tile.tile_id], tables, resolutions)
            for tile, resolutions in plan
        ]
        scale = sum(job.scale for job in jobs)
        self.records.content.update(full_tiles=round(scale, 4))
        finish_weight = _FINISH_WEIGHT * (1.0 + scale)
        self.progress.plan(
            sum(job.weight for job in jobs)
            + (_PICTURES_WEIGHT * (len(jobs) + scale) if self.records.html_report else 0.0)
            + finish_weight
            + _weigh_optional_outputs(self.options)
            + _RECORDS_WEIGHT
        )
        outcomes, errors = self._process_tiles(jobs)
        if len(errors) == len(self.level1c.tiles):
            raise next(iter(errors.values()))
        processed = [job for job in jobs if job.tile.tile_id in outcomes]
        for job in processed:
            self.output.set_outcome(job.tile, outcomes[job.tile.tile_id])
        self._illustrate(processed, outcomes)
        outcome = _sum_up(self.output.path, {**self.level1c.unusable, **errors})
        retrievals = [
            retrieval
            for job in processed
            if (retrieval := outcomes[job.tile.tile_id].retrieval) is not None
        ]
        with self.progress.track(
            _PROCESS, "metadata, manifest and checksums", finish_weight
        ) as show_part:
            provenance = Provenance(
                version=__version__,
                started=self.records.started,
                gipp=self.settings.effective_gipp_xml(),
                look_up_tables=_list_tables(retrievals) or tuple(table.name for table in tables),
                dem_type=_find_dem_type(retrievals),
                snow_climatology=self.settings.snow_map.name if self.settings.snow_map else "NONE",
                reports=self.records.build(*_describe_ending(outcome)),
            )
            self.output.finish(
                provenance,
                schema_folder=self.settings.home / "cfg" if self.settings.home else None,
                report=partial(show_part, finish_weight / _FINISH_PARTS),
            )
        return outcome

    def _plan_tile(
        self,
        tile: Level1CTile,
        output: Level2ATile,
        tables: tuple[LookUpTable, ...],
        resolutions: tuple[int, ...],
    ) -> TileJob:
        context = self.contexts.get(tile.tile_id)
        if context is not None and 10 in resolutions and 20 not in resolutions:
            # the classes of an earlier run lack the context
            resolutions = (20, *resolutions)
        return TileJob(
            product=self.level1c,
            tile=tile if context is None else context.tile,
            output=output,
            settings=self.settings,
            tables=tables,
            resolutions=resolutions,
            classification_only=self.options.classification_only,
            region=None if context is None else context.region,
            picture_shape=(
                find_picture_shape(tile.grids[10], PICTURE_SIDE)
                if self.records.html_report
                else None
            ),
        )

    def _process_tiles(
        self, jobs: Sequence[TileJob]
    ) -> tuple[dict[str, TileOutcome], dict[str, Sen2CorError]]:
        """Process the tiles; one that fails does not stop the others.

        Returns
        -------
        outcomes : dict of tile_id to TileOutcome
            Of the tiles that were processed.
        errors : dict of MGRS tile to Sen2CorError
            Of the tiles that failed.
        """
        resource_plan = plan_resources(jobs, self.settings.common, self.options)
        self.records.content.update(resource_plan=asdict(resource_plan))
        jobs_by_tile = {job.tile.tile_id: job for job in jobs}
        outcomes: dict[str, TileOutcome] = {}
        errors: dict[str, Sen2CorError] = {}
        with closing(run_tiles(jobs, resource_plan, self.progress.show)) as tile_runs:
            for tile_run in tile_runs:
                job = jobs_by_tile[tile_run.tile_id]
                self.records.add_tile(tile_run, job.tile.mgrs)
                if tile_run.outcome is not None:
                    outcomes[tile_run.tile_id] = tile_run.outcome
                elif isinstance(tile_run.error, OutputError):
                    raise tile_run.error
                elif tile_run.error is not None:
                    logger.error("tile %s: %s", job.tile.mgrs, tile_run.error)
                    errors[job.tile.mgrs] = tile_run.error
                    self.output.drop_tile(job.tile)
        return outcomes, errors

    def _illustrate(self, jobs: Sequence[TileJob], outcomes: Mapping[str, TileOutcome]) -> None:
        """Draw the tiles for the HTML report, if there is one."""
        if self.records.html_report is None:
            return
        jpeg2000.set_threads(available_resources.count_cores())
        written = {tile.tile_id: tile for tile in self.level1c.tiles}
        for job in jobs:
            outcome = outcomes[job.tile.tile_id]
            weight = _PICTURES_WEIGHT * (1.0 + job.scale)
            with self.progress.track(
                _REPORT, f"report pictures of tile {job.tile.mgrs}", weight
            ) as show_part:
                self.records.html_report.illustrate(
                    job.product,
                    written[job.tile.tile_id],
                    job.output,
                    outcome.quality,
                    partial(show_part, weight / _PICTURES),
                    outcome.samples,
                )


def _protect_foreign(output: Level2AWriter, *, writes: bool) -> None:
    """Refuse to write into a product of another processor; warn if there is nothing to do.

    Raises
    ------
    OutputError
        Something would be written into it, or it is no product.
    """
    if not output.foreign:
        return
    if writes or not find_product_metadata(output.path):
        raise report_foreign(output.path)
    logger.warning("%s: is of another processor; it is left as it is", output.path)


def _warn_of_missing_extras(
    tiles: Sequence[Level2ATile], options: Options, settings: Settings
) -> None:
    """Warn of optional images that are switched on but missing in existing resolutions."""
    common = settings.common
    kinds = {"Generate_QA_Output": "QUA"} if settings.classification.generate_quality_mask else {}
    if not options.classification_only:
        if common.generate_dem_output and settings.dem_directory is not None:
            kinds["Generate_DEM_Output"] = "DEM"
        if common.generate_ddv_output:
            kinds["Generate_DDV_Output"] = "DDV"
        if common.generate_uncertainty_output:
            kinds["Generate_Uncertainty_Output"] = "UNC_B04"
        if common.generate_angle_output is not None:
            by_band = common.generate_angle_output == "BANDS"
            kinds["Generate_Angle_Output"] = "VZA_B04" if by_band else "VZA"
    absent = {
        element
        for tile in tiles
        for existing in [tile.list_images()]
        for resolution in set(find_requested(tile, options)) - set(find_missing(tile, options))
        for element, kind in kinds.items()
        if (resolution != 10 or kind not in ("QUA", "DDV", "VZA", "VZA_B04"))
        and (kind, resolution) not in existing
    }
    if absent:
        logger.warning(
            "%s: switched on, but the existing product has no such images; use --refresh",
            ", ".join(sorted(absent)),
        )


def _sum_up(
    product: Path, failures: Mapping[str, Sen2CorError], *, nothing_to_do: bool = False
) -> ProductOutcome:
    """Return the outcome of a product, given the errors of its tiles."""
    failed = tuple(
        f"{type(error).__name__}: tile {name}: {error}" for name, error in failures.items()
    )
    return ProductOutcome(product, nothing_to_do and not failed, failed, 1 if failed else 0)


def _describe_ending(outcome: ProductOutcome) -> tuple[int, str, str | None]:
    """Return exit code, result and error as the records state them."""
    if outcome.failed_tiles:
        return outcome.exit_code, "failed in part", "; ".join(outcome.failed_tiles)
    return outcome.exit_code, "already processed" if outcome.already_processed else "done", None


def _list_tables(retrievals: Sequence[TileRetrieval]) -> tuple[str, ...]:
    """Return the look-up tables that the tiles used, of the candidates that AUTO stands for."""
    names = (retrieval.details.get("table") for retrieval in retrievals)
    return tuple(dict.fromkeys(name for name in names if name))


def _find_dem_type(retrievals: Sequence[TileRetrieval]) -> str:
    return next((item.dem_type for item in retrievals if item.dem_type is not None), "NONE")


def _weigh_optional_outputs(options: Options) -> float:
    """Return the weight of quick looks and STAC items in the progress."""
    return options.quick_looks * _QUICK_LOOKS_WEIGHT + options.stac * _STAC_WEIGHT


def _write_optional_outputs(path: Path, options: Options, progress: ProductProgress) -> None:
    """Write the quick looks and STAC items of a finished product that the options ask for."""
    if not (options.quick_looks or options.stac):
        return
    product = open_level2a(path)
    written: list[Path] = []
    if options.quick_looks:
        with progress.track(_REPORT, "quick looks", _QUICK_LOOKS_WEIGHT) as show_part:
            show_quick_look = partial(show_part, _QUICK_LOOKS_WEIGHT / _QUICK_LOOKS)
            written += write_quick_looks(product, options.palette, show_quick_look)
    if options.stac:
        with progress.track(_REPORT, "STAC items", _STAC_WEIGHT):
            written += write_items(product, options.stac_base)
    for file in written:
        logger.info("written: %s", file)
