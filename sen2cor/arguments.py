"""The arguments of ``L2A_Process``: parser, refused options of other versions, options of a run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from sen2cor import __version__
from sen2cor.errors import UsageError, error_classes
from sen2cor.paths import expand_existing_path, expand_path, is_current_folder_deleted
from sen2cor.pipeline.run.options import IMAGE_FORMATS, Options
from sen2cor.pipeline.run.product_list import expand_patterns, read_list
from sen2cor.reporting.palette import PALETTES

COMPATIBILITY_VERSION = "2.03.00"
BANNER = (
    f"Sentinel-2 Level 2A Processor (Sen2Cor). Version: {COMPATIBILITY_VERSION}, "
    "created: 2016.11.25, supporting Level-1C product version: 13.1 - 15."
)
OWN_VERSION = f"sen2cor {__version__}, an independent open-source implementation"
VERSION_NOTE = (
    f"The first line is that of the Sen2Cor release whose behaviour version {__version__} follows."
)

OTHER_VERSIONS = {
    "--mode": "give the product folder; the mode follows from it",
    "--datastrip": "give the product folder",
    "--tile": "give the path of the tile's folder inside GRANULE",
    "--sc_classic": "use --sc_only; SC_Rules in L2A_CAL_SC_GIPP.xml chooses the rules",
    "--sc_cog": "use --sc_only --format cog",
    "--raw": "images are JPEG 2000, or GeoTIFF with --format cog",
    "--tif": "images are JPEG 2000, or GeoTIFF with --format cog",
    "--debug": "set Log_Level to DEBUG in L2A_GIPP.xml",
    "--img_database_dir": "no database is needed; --work_dir keeps the records of the run",
    "--res_database_dir": "no database is needed; --work_dir keeps the records of the run",
    "--processing_centre": "the centre is that of the Level-1C product",
    "--archiving_centre": "the centre is that of the Level-1C product",
    "--processing_baseline": "the baseline is that of the Level-1C product",
    "--GIP_L2A_PB": "the baseline is that of the Level-1C product",
}
"""Options of later versions of Sen2Cor, and what to use instead."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see L2A_Process --help")


class _OtherVersion(argparse.Action):
    """Refuses an option of later versions of Sen2Cor, and says what to use instead."""

    def __call__(self, parser: object, namespace: object, values: object,
                 option_string: str | None = None) -> None:  # fmt: skip
        option = option_string or ""
        raise UsageError(
            f"{option} belongs to a later version of Sen2Cor: {OTHER_VERSIONS[option]}"
        )


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the arguments."""
    result = _Parser(
        prog="L2A_Process",
        description=f"{BANNER}\n{OWN_VERSION}",
        epilog=_exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument(
        "directory",
        nargs="*",
        type=_path,
        help="Level-1C product, its zip or tar archive, a tile folder inside it, or an existing "
        "Level-2A product to add a resolution to; any number, and shell patterns",
    )
    result.add_argument(
        "--list",
        action="append",
        default=[],
        metavar="FILE",
        help="file with a product (or pattern) on each line; # begins a comment line; - is the "
        "standard input",
    )
    result.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="process up to N products at once, as many as fit into memory (default: 1)",
    )
    result.add_argument(
        "--summary",
        type=_path,
        metavar="FILE",
        help="write a JSON line about each product: result, seconds, AOT, water vapour, clouds",
    )
    result.add_argument(
        "--version",
        action="version",
        version=f"{BANNER}\n{OWN_VERSION}\n{VERSION_NOTE}",
        help="print the version and exit",
    )
    result.add_argument(
        "--resolution",
        type=int,
        choices=(10, 20, 60),
        help="process only this resolution (m); 10 also creates 20 if missing (default: all)",
    )
    result.add_argument("--sc_only", action="store_true", help="scene classification only")
    result.add_argument(
        "--cr_only",
        action="store_true",
        help="create product structure and metadata without processing",
    )
    result.add_argument("--refresh", action="store_true", help="reprocess existing outputs")
    for option, what in (
        ("--GIP_L2A", "user settings (default: $SEN2COR_HOME/cfg/L2A_GIPP.xml, else packaged)"),
        ("--GIP_L2A_SC", "calibration settings of the scene classification"),
        ("--GIP_L2A_AC", "calibration settings of the atmospheric correction"),
    ):
        result.add_argument(option, type=_path, metavar="FILE", help=what)
    result.add_argument(
        "--set",
        dest="assignments",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set an element of the three settings files for this run, such as Visibility=23; "
        "may be repeated",
    )
    result.add_argument(
        "--show-settings",
        "--show_settings",
        dest="show_settings",
        action="store_true",
        help="print the settings that a run would use, and where each comes from, and exit",
    )
    result.add_argument(
        "--output_dir",
        type=_path,
        metavar="DIR",
        help="output folder (default: that of the Level-1C product)",
    )
    result.add_argument(
        "--work_dir", type=_path, metavar="DIR", help="folder for reports and run.json"
    )
    result.add_argument(
        "--keep_days",
        type=float,
        metavar="DAYS",
        help="remove reports and run.json in the work folder that are older",
    )
    result.add_argument(
        "--max_memory",
        "--max-memory",
        type=float,
        metavar="GB",
        help="memory limit for all tiles together (default: available memory)",
    )
    result.add_argument(
        "--format",
        choices=IMAGE_FORMATS,
        default="jp2",
        help="image format: JPEG 2000, or Cloud-Optimized GeoTIFF in the same folders (faster)",
    )
    result.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler (tcp://HOST:PORT) whose workers process the tiles; they must "
        "see the same folders",
    )
    result.add_argument(
        "--report",
        action=argparse.BooleanOptionalAction,
        help="write an HTML report beside the XML report (default: if the extra 'report' is "
        "installed)",
    )
    result.add_argument(
        "--quicklook", action="store_true", help="write quick looks (PNG) beside the product"
    )
    result.add_argument("--stac", action="store_true", help="write a STAC item beside the product")
    result.add_argument(
        "--stac-base",
        "--stac_base",
        metavar="URL",
        help="address under which the output folder is published; the STAC item gets addresses "
        "instead of relative paths (implies --stac)",
    )
    result.add_argument(
        "--palette",
        choices=tuple(PALETTES),
        default="standard",
        help="colours of the scene classes in pictures",
    )
    result.add_argument(
        "--no-checksums",
        "--no_checksums",
        dest="checksums",
        action="store_false",
        help="do not compare files with the checksums of manifest.safe: for products whose files "
        "you have changed on purpose",
    )
    result.add_argument(
        "--check",
        action="store_true",
        help="verify Level-1C products (folder, zip, tar) or Level-2A products: checksums, missing "
        "and truncated files; exit without processing (exit code 0 or 3)",
    )
    result.add_argument(
        "--info",
        action="store_true",
        help="print what the products are (level, format, tiles, resolutions, time, clouds, size, "
        "completeness) and exit",
    )
    result.add_argument(
        "--dry-run",
        "--dry_run",
        dest="dry_run",
        action="store_true",
        help="print what a run would read, make and need (memory, disk, time), and exit",
    )
    result.add_argument(
        "--doctor",
        action="store_true",
        help="check the installation and exit; each line says what to do (exit code 0 or 5)",
    )
    result.add_argument(
        "--bbox",
        type=float,
        nargs=4,
        metavar=("W", "S", "E", "N"),
        help="process only this region, in degrees; the product has its size",
    )
    result.add_argument(
        "--bbox-crs",
        "--bbox_crs",
        default="EPSG:4326",
        metavar="CRS",
        help="coordinate system of --bbox, for example EPSG:32632",
    )
    result.add_argument(
        "--aoi",
        type=_path,
        metavar="FILE",
        help="process only the envelope of the features of a vector file",
    )
    result.add_argument(
        "--roi-context",
        "--roi_context",
        type=float,
        default=20.0,
        metavar="KM",
        help="distance around the region from which aerosol, water vapour and shadows are found "
        "(default: 20)",
    )
    result.add_argument("--quiet", action="store_true", help="print only warnings and errors")
    result.add_argument(
        "--setup",
        type=_path,
        metavar="DIR",
        help="create a configuration folder (DIR/cfg, DIR/L2A_Bashrc) and exit",
    )
    for option in OTHER_VERSIONS:
        result.add_argument(option, nargs="?", action=_OtherVersion, help=argparse.SUPPRESS)
    return result


def _exit_codes() -> str:
    rows = [(0, "Success, or nothing to do.")]
    rows += [(kind.exit_code, kind.__doc__ or "") for kind in error_classes()]
    rows += [
        (129, "Hang-up (SIGHUP)."),
        (130, "Interrupt (SIGINT)."),
        (143, "Termination (SIGTERM)."),
    ]
    return "\n".join(["exit codes:", *(f"  {code:3}  {text}" for code, text in rows)])


def _path(text: str) -> Path:
    """Convert an argument to a path; refuse an empty one, which would mean the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("empty path; check that the variable is set")
    path = Path(text)
    if is_current_folder_deleted() and not path.is_absolute():
        raise argparse.ArgumentTypeError(
            f"{text}: the current folder has been deleted; use an absolute path"
        )
    return path


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse arguments; all that follow ``--`` are products.

    Raises
    ------
    UsageError
        The arguments are invalid.
    """
    words = list(arguments)
    if "--" in words:
        at = words.index("--")
        words[at:] = [f"./{word}" if word.startswith("-") else word for word in words[at + 1 :]]
    return build_parser().parse_intermixed_args(words)


def expand_paths(values: argparse.Namespace) -> None:
    """Expand ``~``, variables and patterns in the paths of parsed arguments, in place.

    Products of list files are added to those of the command line.

    Raises
    ------
    UsageError
        A variable or a user is not known, or a list file cannot be read.
    """
    for name in (
        "output_dir",
        "work_dir",
        "summary",
        "setup",
        "aoi",
        "GIP_L2A",
        "GIP_L2A_SC",
        "GIP_L2A_AC",
    ):
        path = getattr(values, name)
        if path is not None:
            try:
                setattr(values, name, expand_path(str(path)))
            except ValueError as error:
                raise UsageError(f"--{name} {path}: {error}") from error
    given = [
        *map(str, values.directory),
        *(line for file in values.list for line in read_list(file)),
    ]
    paths = []
    for path in given:
        try:
            paths.append(expand_existing_path(path))
        except ValueError as error:
            raise UsageError(f"{path}: {error}") from error
    values.directory = expand_patterns(paths)


def create_options(values: argparse.Namespace) -> Options:
    """Create the options of a run from parsed arguments.

    Raises
    ------
    UsageError
        They contradict one another, or need a package that is not installed.
    """
    if not values.directory:
        if values.list:
            raise UsageError(f"no product in --list {' '.join(values.list)}")
        raise UsageError("no product given; see L2A_Process --help")
    return Options(
        directories=tuple(values.directory),
        resolution=values.resolution,
        classification_only=values.sc_only,
        layout_only=values.cr_only,
        refresh=values.refresh,
        gipp=values.GIP_L2A,
        gipp_classification=values.GIP_L2A_SC,
        gipp_correction=values.GIP_L2A_AC,
        assignments=tuple(values.assignments),
        output_directory=values.output_dir,
        work_directory=values.work_dir,
        keep_days=values.keep_days,
        jobs=values.jobs,
        summary=values.summary,
        max_memory=values.max_memory,
        image_format=values.format,
        scheduler=values.scheduler,
        report=values.report,
        quick_looks=values.quicklook,
        stac=values.stac,
        stac_base=values.stac_base,
        bbox=None if values.bbox is None else tuple(values.bbox),
        bbox_crs=values.bbox_crs,
        aoi=values.aoi,
        region_context=values.roi_context,
        palette=values.palette,
        checksums=values.checksums,
    )
