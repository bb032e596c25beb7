"""What a product has to say about the run that made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


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
class RunRecord:
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
