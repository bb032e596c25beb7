"""HTML report of a run: one self-contained page for people."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sen2cor.imagery.picture_samples import PictureSamples
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile
from sen2cor.product.level2a.content import QualityPercentages
from sen2cor.product.level2a.tile import Level2ATile
from sen2cor.reporting.palette import PALETTES, SCENE_CLASS_NAMES, SEQUENTIAL
from sen2cor.reporting.tile_page import TilePage, draw_tile
from sen2cor.settings import Settings

logger = logging.getLogger(__name__)

_ELEVATION_LOGGER = "sen2cor.dem"
_UNKNOWN = "–"


@dataclass(frozen=True)
class Entry:
    """A line of the log."""

    moment: datetime
    level: str
    source: str
    text: str


@dataclass(frozen=True)
class Setting:
    """A setting as used; ``differs`` tells whether it differs from the default."""

    name: str
    value: str
    default: str
    meaning: str
    differs: bool


class HtmlReport(logging.Handler):
    """Collects log, pictures and charts of a run, and renders them with its record as a page.

    Parameters
    ----------
    name : str
        Name of the product.
    settings : Settings
    palette : str
        Palette of the scene classes.
    """

    def __init__(self, name: str, settings: Settings, palette: str = "standard") -> None:
        super().__init__(logging.INFO)
        self._name = name
        self._settings = settings
        self._palette = palette
        self._entries: list[Entry] = []
        self._tiles: dict[str, TilePage] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a log record."""
        moment = datetime.fromtimestamp(record.created, timezone.utc)
        self._entries.append(Entry(moment, record.levelname, record.name, record.getMessage()))

    def illustrate(
        self,
        product: Level1CProduct,
        tile: Level1CTile,
        output: Level2ATile,
        quality: QualityPercentages | None,
        report: Callable[[str], None] = lambda text: None,
        samples: PictureSamples | None = None,
    ) -> None:
        """Draw a tile whose images are written; if that fails, the report goes without pictures.

        The parameters are those of `sen2cor.reporting.tile_page.draw_tile`.
        """
        try:
            self._tiles[tile.mgrs] = draw_tile(
                product, tile, output, quality, self._palette, report, samples
            )
        except Exception as error:  # a failing picture must not end the run
            logger.warning("tile %s: HTML report without pictures: %r", tile.mgrs, error)

    def render(self, record: Mapping[str, Any]) -> bytes:
        """Return the page, encoded in UTF-8.

        Parameters
        ----------
        record : mapping
            Content of run.json.
        """
        from jinja2 import Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=PackageLoader("sen2cor.reporting"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(
            bytes=_format_bytes, seconds=_format_seconds, moment=_format_moment, plain=_format_value
        )
        environment.tests["is_warning"] = lambda message: message.startswith("WARNING")
        page = environment.get_template("report.html").render(
            run=record,
            name=Path(str(record.get("product") or self._name)).name,
            tiles=self._describe_tiles(record),
            settings=self._group_settings(),
            elevation_model=_describe_elevation_model(self._settings, self._entries),
            entries=self._entries,
            scale_colours=SEQUENTIAL,
            palette=self._palette,
        )
        # file names may contain bytes that are not UTF-8
        return page.encode(errors="backslashreplace")

    def _describe_tiles(self, record: Mapping[str, Any]) -> list[dict[str, Any]]:
        contexts = []
        for name, outcome in sorted(record.get("tiles", {}).items()):
            page = self._tiles.get(name, TilePage((), (), None))
            longest = max((step["seconds"] for step in outcome["steps"]), default=0.0)
            contexts.append(
                {
                    "name": name,
                    "outcome": outcome,
                    "page": page,
                    "classes": self._list_classes(page.quality),
                    "cloud_coverage": page.quality and page.quality.cloud_coverage,
                    "longest_step": max(longest, 1e-9),
                }
            )
        return contexts

    def _list_classes(self, quality: QualityPercentages | None) -> list[tuple[str, str, float]]:
        """Return name, colour and percentage of each class."""
        if quality is None:
            return []
        colours = PALETTES[self._palette]
        return list(zip(SCENE_CLASS_NAMES, colours, quality.percentages, strict=True))

    def _group_settings(self) -> dict[str, list[Setting]]:
        differing = {(entry.document, entry.element) for entry in self._settings.differences()}
        files: dict[str, list[Setting]] = {}
        for parameter, value in self._settings.values():
            files.setdefault(parameter.document, []).append(
                Setting(
                    parameter.name,
                    parameter.kind.render(value),
                    parameter.default,
                    parameter.meaning,
                    (parameter.document, parameter.name) in differing,
                )
            )
        return files


def _describe_elevation_model(settings: Settings, entries: list[Entry]) -> list[str]:
    """Describe the source of the elevation, in the words of the log."""
    if settings.dem_directory is None:
        return ["none: flat terrain assumed (DEM_Directory is NONE)"]
    messages = [entry.text for entry in entries if entry.source.startswith(_ELEVATION_LOGGER)]
    return [f"folder {settings.dem_directory}", *dict.fromkeys(messages)]


def _format_value(value: Any) -> str:
    """Format a value of the retrieval details."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_format_value(part)}" for key, part in value.items()) or _UNKNOWN
    if isinstance(value, list | tuple):
        return ", ".join(map(_format_value, value)) or _UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return _UNKNOWN if value is None else str(value)


def _format_bytes(number: int) -> str:
    """Format a number of bytes; a dash if it is unknown."""
    if not number:
        return _UNKNOWN
    return f"{number / 1e9:.2f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def _format_seconds(number: float) -> str:
    if number < 60:
        return f"{number:.2f} s"
    minutes, seconds = divmod(round(number), 60)
    return f"{minutes} min {seconds:02d} s"


def _format_moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC"
