"""Content of the metadata of a Level-2A product, as plain values.

A `TileOutcome` is the result of processing a tile: `QualityPercentages` and `TileRetrieval`. A
`TileContent` is the content of the metadata of a tile, from this result or from the files of an
earlier run. `Provenance` describes how the product was made: processor, parameters, look-up tables,
elevation model, expected accuracies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.imagery.picture_samples import PictureSamples

CLASS_COUNT = 12
_CLOUD_CLASSES = (8, 9, 10)


@dataclass(frozen=True)
class QualityPercentages:
    """Areas of the 12 scene classes, and their percentages as the metadata state them.

    Attributes
    ----------
    areas : tuple of 12 int
        Area of the classes 0..11 in square metres. Areas of tiles that were classified at different
        resolutions can be added.
    """

    areas: tuple[int, ...] = (0,) * CLASS_COUNT

    @classmethod
    def from_classes(cls, scene_class: npt.NDArray[Any], resolution: int) -> QualityPercentages:
        """Count the classes of a map.

        Parameters
        ----------
        scene_class : ndarray of uint8, shape (rows, cols)
            Class codes 0..11; 0 is no data.
        resolution : int
            Pixel size in metres.
        """
        counts = np.bincount(scene_class.ravel(), minlength=CLASS_COUNT)[:CLASS_COUNT]
        return cls(tuple(int(count) * resolution**2 for count in counts))

    @classmethod
    def combine(cls, tiles: Iterable[QualityPercentages]) -> QualityPercentages:
        """Add the areas of tiles."""
        rows = [tile.areas for tile in tiles]
        return cls(tuple(sum(column) for column in zip(*rows, strict=True))) if rows else cls()

    @property
    def percentages(self) -> tuple[float, ...]:
        """Percentages of the classes 0..11.

        "No data" is a percentage of all pixels; the other classes, of the valid pixels. Rounded to
        the six decimals that the metadata state.
        """
        total = sum(self.areas)
        valid = total - self.areas[0]
        no_data = round(100.0 * self.areas[0] / total, 6) if total else 0.0
        return (
            no_data,
            *(round(100.0 * area / valid, 6) if valid else 0.0 for area in self.areas[1:]),
        )

    @property
    def cloud_coverage(self) -> float:
        """Clouds of medium and high probability and thin cirrus, percent of the valid pixels."""
        percentages = self.percentages
        return min(100.0, round(sum(percentages[code] for code in _CLOUD_CLASSES), 6))


@dataclass(frozen=True)
class TileRetrieval:
    """The atmosphere of a tile as it was retrieved; None where a value is unknown.

    Attributes
    ----------
    mean_aot : float or None
        Mean aerosol optical thickness at 550 nm.
    mean_water_vapour : float or None
        Mean column in cm.
    aot_method : str or None
        For example ``SEN2COR_DDV``.
    ozone : float or None
        Column in Dobson units.
    ozone_source : str or None
        ``AUX_ECMWFT``, ``CONFIG`` or ``OTHER``.
    dem_type : str or None
        Kind of the elevation model: SRTM, DTED, COPERNICUS, RASTER.
    details : mapping
        Details of the retrieval for the records of the run: names and plain values.
    """

    mean_aot: float | None = None
    mean_water_vapour: float | None = None
    aot_method: str | None = None
    ozone: float | None = None
    ozone_source: str | None = None
    dem_type: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TileOutcome:
    """What processing a tile returned, apart from the images, which are written as they are made.

    Attributes
    ----------
    quality : QualityPercentages or None
        Of the last classification; None if the tile was not classified.
    retrieval : TileRetrieval or None
        Of the last retrieval; None if there was none.
    samples : PictureSamples or None
        Of the images, for the pictures of the report; None without a report.
    """

    quality: QualityPercentages | None = None
    retrieval: TileRetrieval | None = None
    samples: PictureSamples | None = None


ImageKey = tuple[str, int | None]
"""Kind of an image and its resolution in metres, which is None for the preview."""


@dataclass(frozen=True)
class TileContent:
    """Content of the metadata of a tile.

    Attributes
    ----------
    tile_id, datastrip_id : str
        Level-2A identifiers.
    folder : str
        Path of the tile folder inside the product.
    images : mapping of (kind, resolution) to str
        Paths of the images inside the tile folder.
    gipp : str or None
        Path of the copy of the processing parameters inside the tile folder.
    quality : QualityPercentages
    retrieval : TileRetrieval
    ending : {"jp2", "tif"}
        Of its images.
    """

    tile_id: str
    datastrip_id: str
    folder: str
    images: Mapping[ImageKey, str]
    gipp: str | None
    quality: QualityPercentages
    retrieval: TileRetrieval
    ending: str = "jp2"

    def find_finest(self, kind: str) -> str | None:
        """Return the path of the finest image of a kind inside the tile folder."""
        found = sorted(
            (resolution or 0, path)
            for (name, resolution), path in self.images.items()
            if name == kind
        )
        return found[0][1] if found else None


@dataclass(frozen=True)
class Accuracy:
    """Expected relative accuracies in percent, as the quality indicators state them.

    The defaults are the relative terms of the mission's Level-2A requirements: surface reflectance
    5 % (+ 0.005), water vapour 10 % (+ 0.2 cm), aerosol optical thickness 10 % (+ 0.03).
    Source: Sentinel-2 Level-2A Data Quality Report (S2-PDGS-MPC-L2ADQR), performance metrics.
    """

    radiative_transfer: float = 5.0
    water_vapour: float = 10.0
    aot: float = 10.0


@dataclass(frozen=True)
class Provenance:
    """How a product was made.

    Attributes
    ----------
    version : str
        Version of the processor.
    started : datetime
        Start of the run, with time zone.
    gipp : bytes
        Processing parameters as used, an XML document; copied into each tile.
    look_up_tables : tuple of str
        Names of the look-up tables that were used.
    dem_type : str
        Kind of the elevation model; ``NONE`` without one.
    snow_climatology : str
        Name of the snow climatology map; ``NONE`` without one.
    accuracy : Accuracy
    reports : mapping of str to bytes
        Records of the run that the product keeps, by the ending of their names (``report.xml``).
    """

    version: str
    started: datetime
    gipp: bytes
    look_up_tables: tuple[str, ...] = ()
    dem_type: str = "NONE"
    snow_climatology: str = "NONE"
    accuracy: Accuracy = field(default_factory=Accuracy)
    reports: Mapping[str, bytes] = field(default_factory=dict)
