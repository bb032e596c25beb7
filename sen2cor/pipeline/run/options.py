"""Options of a run."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from sen2cor.bands import RESOLUTIONS
from sen2cor.errors import UsageError
from sen2cor.optional_packages import require
from sen2cor.reporting.palette import PALETTES

IMAGE_FORMATS = ("jp2", "cog")

_MOST_JOBS = 100

_ADDRESS = re.compile(r"[a-z]+://\S+:\d+")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+")


@dataclass(frozen=True)
class Options:
    """Options that the command line or `sen2cor.process` sets.

    Attributes
    ----------
    directories : tuple of Path
        Products or tile folders.
    resolution : int or None
        60, 20 or 10 m; None: all.
    classification_only, layout_only, refresh : bool
        ``--sc_only``, ``--cr_only``, ``--refresh``.
    gipp, gipp_classification, gipp_correction : Path or None
        Configuration files.
    assignments : tuple of str
        ``--set``: settings as ``NAME=VALUE``, which replace those of the files.
    output_directory, work_directory : Path or None
    keep_days : float or None
        Records in the work folder that are older are removed; None: none are.
    jobs : int
        Products that are processed at once, if they fit into memory.
    summary : Path or None
        File for a JSON line about each product.
    max_memory : float or None
        Memory limit for all tiles together in GB (10^9 bytes).
    image_format : {"jp2", "cog"}
        JPEG 2000 or Cloud-Optimized GeoTIFF.
    scheduler : str or None
        Address of a Dask scheduler whose workers process the tiles.
    report : bool or None
        Whether to write an HTML report; None: if its packages are installed.
    quick_looks, stac : bool
        Whether to write quick looks and a STAC item beside the product.
    stac_base : str or None
        Address of the output folder; the STAC item has addresses below it. Implies `stac`.
    palette : str
        Palette of the scene classes in pictures.
    bbox : tuple of float or None
        ``--bbox``: west, south, east and north edge of the region of interest; None: whole tiles.
    bbox_crs : str
        Coordinate system of `bbox`, as GDAL knows it.
    aoi : Path or None
        Vector file; the envelope of its features is the region of interest.
    region_context : float
        Km around the region that are processed too.
    checksums : bool
        Whether files are compared with the checksums of the manifest when they are read.

    Raises
    ------
    UsageError
        An option has an invalid value, or options contradict one another.
    AuxiliaryDataError
        An option needs a package that is not installed.
    """

    directories: tuple[Path, ...]
    resolution: int | None = None
    classification_only: bool = False
    layout_only: bool = False
    refresh: bool = False
    gipp: Path | None = None
    gipp_classification: Path | None = None
    gipp_correction: Path | None = None
    assignments: tuple[str, ...] = ()
    output_directory: Path | None = None
    work_directory: Path | None = None
    keep_days: float | None = None
    jobs: int = 1
    summary: Path | None = None
    max_memory: float | None = None
    image_format: str = "jp2"
    scheduler: str | None = None
    report: bool | None = None
    quick_looks: bool = False
    stac: bool = False
    stac_base: str | None = None
    palette: str = "standard"
    bbox: tuple[float, float, float, float] | None = None
    bbox_crs: str = "EPSG:4326"
    aoi: Path | None = None
    region_context: float = 20.0
    checksums: bool = True

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("resolution", self.resolution, (None, *RESOLUTIONS)),
            ("image_format", self.image_format, IMAGE_FORMATS),
            ("palette", self.palette, tuple(PALETTES)),
        ):
            if value not in allowed:
                choices = ", ".join(map(str, allowed))
                raise UsageError(f"{name} {value!r}: must be one of {choices}")
        if not 1 <= self.jobs <= _MOST_JOBS:
            raise UsageError(f"--jobs {self.jobs}: must be 1 to {_MOST_JOBS}")
        if self.max_memory is not None and not 0 < self.max_memory < math.inf:
            raise UsageError(f"max_memory {self.max_memory:g}: must be a number of GB above 0")
        if self.keep_days is not None:
            if self.work_directory is None:
                raise UsageError("keep_days needs a work folder: --work_dir")
            if not 0 < self.keep_days < math.inf:
                raise UsageError(f"keep_days {self.keep_days:g}: must be a number of days above 0")
        if self.scheduler is not None and not _ADDRESS.fullmatch(self.scheduler):
            raise UsageError(f"scheduler {self.scheduler!r}: must be like tcp://HOST:PORT")
        if self.stac_base is not None:
            if not _URL.match(self.stac_base):
                raise UsageError(f"stac_base {self.stac_base!r}: must be like https://HOST/FOLDER")
            object.__setattr__(self, "stac", True)
        if self.bbox is not None and not _is_box(self.bbox):
            raise UsageError(f"bbox {self.bbox}: must be west, south, east, north, in this order")
        if self.bbox is not None and self.aoi is not None:
            raise UsageError("--bbox and --aoi cannot be combined")
        if not 0.0 <= self.region_context < math.inf:
            raise UsageError(f"roi-context {self.region_context:g}: must be 0 km or more")
        if self.report:
            require("report", "the HTML report")
        if self.stac:
            require("stac", "a STAC item")
        if self.classification_only and self.layout_only:
            raise UsageError("--sc_only and --cr_only cannot be combined")
        if self.classification_only and self.resolution == 10:
            raise UsageError("--sc_only has no 10 m resolution: use --resolution 20 or 60")

    @property
    def has_region(self) -> bool:
        """Whether only a region of interest is processed."""
        return self.bbox is not None or self.aoi is not None


def _is_box(bounds: tuple[float, ...]) -> bool:
    west, south, east, north = bounds
    return all(map(math.isfinite, bounds)) and west < east and south < north
