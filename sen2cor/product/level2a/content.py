"""What the metadata of a Level-2A product say, as plain values.

A `TileOutcome` is what processing a tile returned: `QualityPercentages` and `TileRetrieval`. A
`TileContent` is what the metadata documents tell of a tile, from that outcome or from the files of
an earlier run. `Provenance` says how the product was made: processor, parameters, look-up tables,
elevation model, expected accuracies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

CLASS_COUNT = 12
_CLOUD_CLASSES = (8, 9, 10)


@dataclass(frozen=True)
class QualityPercentages:
    """Areas of the 12 scene classes, and the percentages that the metadata carry.

    Attributes
    ----------
    areas : tuple of 12 int
        Square metres of the classes 0..11; tiles classified at different resolutions can be added.
    """

    areas: tuple[int, ...] = (0,) * CLASS_COUNT

    @classmethod
    def of(cls, scene_class: npt.NDArray[Any], resolution: int) -> QualityPercentages:
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
        """Add up tiles, each with the weight of its pixels."""
        rows = [tile.areas for tile in tiles]
        return cls(tuple(sum(column) for column in zip(*rows, strict=True))) if rows else cls()

    @property
    def percentages(self) -> tuple[float, ...]:
        """Percentages of the classes: no data of all pixels, the others of the valid ones.

        Rounded to the six decimals that are written.
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
        """Medium and high probability clouds and thin cirrus, percent of the valid pixels."""
        shares = self.percentages
        return min(100.0, round(sum(shares[code] for code in _CLOUD_CLASSES), 6))


@dataclass(frozen=True)
class Accuracy:
    """Expected relative accuracies in percent, as the quality indicators carry them.

    The defaults are the relative parts of the mission's Level-2A requirements: surface reflectance
    5 % (+ 0.005), water vapour 10 % (+ 0.2 cm), aerosol optical thickness 10 % (+ 0.03).
    Source: Sentinel-2 Level-2A Data Quality Report (S2-PDGS-MPC-L2ADQR), performance metrics.
    """

    radiative_transfer: float = 5.0
    water_vapour: float = 10.0
    aot: float = 10.0


@dataclass(frozen=True)
class TileRetrieval:
    """What was found out about the atmosphere of a tile; None where nothing was.

    Attributes
    ----------
    mean_aot : float or None
        Aerosol optical thickness at 550 nm.
    mean_water_vapour : float or None
        Centimetres.
    aot_method : str or None
        For example ``SEN2COR_DDV``.
    ozone : float or None
        Column in Dobson units.
    ozone_source : str or None
        ``AUX_ECMWFT``, ``CONFIG`` or ``OTHER``.
    dem_type : str or None
        Kind of the elevation model.
    details : mapping
        Account of the retrieval, for the log of the run: names and plain values.
    """

    mean_aot: float | None = None
    mean_water_vapour: float | None = None
    aot_method: str | None = None
    ozone: float | None = None
    ozone_source: str | None = None
    dem_type: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Provenance:
    """One run of the processor.

    Attributes
    ----------
    version : str
        Of the processor.
    started : datetime
        With time zone.
    gipp : bytes
        The processing parameters as used, an XML document; copied into each tile.
    look_up_tables : tuple of str
        Names of the tables that were used.
    dem_type : str
        Name of the elevation model, ``NONE`` without.
    snow_climatology : str
        Name of the map, ``NONE`` without.
    accuracy : Accuracy
    reports : mapping of str to bytes
        What is kept of the run in the product, by the ending of its name, as ``report.xml``.
    """

    version: str
    started: datetime
    gipp: bytes
    look_up_tables: tuple[str, ...] = ()
    dem_type: str = "NONE"
    snow_climatology: str = "NONE"
    accuracy: Accuracy = field(default_factory=Accuracy)
    reports: Mapping[str, bytes] = field(default_factory=dict)
