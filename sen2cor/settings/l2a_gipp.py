"""Settings of the user file, L2A_GIPP: immutable classes whose fields define its elements.

Names and ranges are those of the files of Sen2Cor 2.1 to 2.12, defaults those of 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from sen2cor.settings.elements import Table
from sen2cor.settings.value_types import (
    AddressText,
    Boolean,
    Choice,
    Decimal,
    Integer,
    Ozone,
    PathText,
)

_COMMON = Table("L2A_GIPP", "Common_Section")
_TABLES = Table("L2A_GIPP", "Atmospheric_Correction/Look_Up_Tables")
_FLAGS = Table("L2A_GIPP", "Atmospheric_Correction/Flags")
_CALIBRATION = Table("L2A_GIPP", "Atmospheric_Correction/Calibration")

ALTITUDE_TOP = 5.0
"""Highest elevation of the look-up tables in kilometres; the tables of 2.3 ended at 2.5 km."""


@dataclass(frozen=True)
class CommonSettings:
    """``Common_Section`` of L2A_GIPP.

    ``processes`` and ``threads`` are None for AUTO, ``target_directory`` for DEFAULT (beside the
    product), ``dem_directory`` and ``dem_reference`` for NONE, ``psd_output`` for AUTO.
    """

    log_level: str = _COMMON.item(
        "Log_Level",
        Choice(("NOTSET", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
        "INFO",
        "Minimum severity of the messages in the log",
        changes_result=False,
    )
    processes: int | None = _COMMON.item(
        "Nr_Processes",
        Integer(0, 100, words={"AUTO": None}),
        "1",
        "Tiles processed in parallel; AUTO: number of cores, limited by memory; "
        "0 and 1: sequential",
        changes_result=False,
    )
    threads: int | None = _COMMON.item(
        "Nr_Threads",
        Integer(1, 8, words={"AUTO": None}),
        "AUTO",
        "Threads per tile; AUTO: number of cores",
        since="2.8",
        changes_result=False,
    )
    target_directory: str | None = _COMMON.item(
        "Target_Directory",
        PathText(words={"DEFAULT": None}),
        "DEFAULT",
        "Folder of the Level-2A product; DEFAULT: beside the Level-1C product",
        changes_result=False,
    )
    psd_output: str | None = _COMMON.item(
        "PSD_Output",
        Choice(("13.1", "14.2", "14.5", "15"), words={"AUTO": None}),
        "AUTO",
        "Format of the Level-2A product; AUTO: that of the Level-1C product",
        since="ours",
        changes_result=False,
    )
    dem_directory: str | None = _COMMON.item(
        "DEM_Directory",
        PathText(words={"NONE": None}),
        "NONE",
        "Folder of the elevation model, absolute or relative to SEN2COR_HOME; NONE: flat surface",
    )
    dem_missing: str = _COMMON.item(
        "DEM_Missing",
        Choice(("ERROR", "FLAT")),
        "ERROR",
        "If an elevation tile that should exist is unavailable: stop (ERROR) or continue with "
        "flat terrain (FLAT); Force_Exit_On_DEM_Error TRUE or FALSE in 2.9",
        since="ours",
    )
    dem_reference: str | None = _COMMON.item(
        "DEM_Reference",
        AddressText(words={"NONE": None}),
        "NONE",
        "Base address (URI) from which missing elevation tiles are fetched; NONE: no download",
    )
    generate_dem_output: bool = _COMMON.item(
        "Generate_DEM_Output",
        Boolean(),
        "FALSE",
        "Whether the elevation model is written into the product",
    )
    generate_tci_output: bool = _COMMON.item(
        "Generate_TCI_Output",
        Boolean(),
        "TRUE",
        "Whether the true colour image is written into the product",
    )
    generate_ddv_output: bool = _COMMON.item(
        "Generate_DDV_Output",
        Boolean(),
        "FALSE",
        "Whether the map of the dark vegetation reference pixels is written",
        since="2.8",
    )
    generate_uncertainty_output: bool = _COMMON.item(
        "Generate_Uncertainty_Output",
        Boolean(),
        "FALSE",
        "Whether the standard uncertainty of the surface reflectance is written for each band, to "
        "first order: radiometry, aerosol, water vapour, slopes",
        since="ours",
    )
    generate_angle_output: str | None = _COMMON.item(
        "Generate_Angle_Output",
        Choice(("MEAN", "BANDS"), words={"NONE": None}),
        "NONE",
        "Whether zenith and azimuth of sun and view are written for each pixel of 60 and 20 m: "
        "view as MEAN of the bands, or of each of the BANDS",
        since="ours",
    )
    jpeg2000_bypass: bool = _COMMON.item(
        "JPEG2000_Bypass",
        Boolean(),
        "TRUE",
        "JPEG 2000 images of reflectance, uncertainty and true colour with arithmetic-coding "
        "bypass (code-block style of ISO/IEC 15444-1): same pixels, a third less time to write and "
        "to read; FALSE: plain code-blocks, as in Level-1C",
        since="ours",
        changes_result=False,
    )
    cog_level: int = _COMMON.item(
        "COG_Level",
        Integer(1, 9),
        "1",
        "Level of the compression of Cloud-Optimized GeoTIFF (ZSTD, else DEFLATE): 1 fast, 9 small",
        since="ours",
        changes_result=False,
    )


@dataclass(frozen=True)
class LookUpTableSettings:
    """``Atmospheric_Correction/Look_Up_Tables`` of L2A_GIPP.

    ``aerosol_model`` is None for AUTO, where ``aerosol_type`` decides. ``ozone_content`` is in
    Dobson units, None where it is to be read from the Level-1C product.
    """

    aerosol_type: str = _TABLES.item(
        "Aerosol_Type",
        Choice(("RURAL", "MARITIME", "AUTO")),
        "AUTO",
        "Aerosol; AUTO: the one that fits the scene. Sen2Cor 2.3 ships RURAL",
    )
    aerosol_model: str | None = _TABLES.item(
        "Aerosol_Model",
        Choice(("URBAN", "DESERT", "RURAL_MIE"), words={"AUTO": None}),
        "AUTO",
        "Aerosol model instead of that of Aerosol_Type; AUTO: Aerosol_Type decides",
        since="ours",
    )
    mid_latitude: str = _TABLES.item(
        "Mid_Latitude",
        Choice(("SUMMER", "WINTER", "AUTO")),
        "AUTO",
        "Atmosphere; AUTO: by date and latitude, with DDV the one that fits the scene. Sen2Cor 2.3 "
        "ships SUMMER",
    )
    ozone_content: float | None = _TABLES.item(
        "Ozone_Content",
        Ozone(words={"0": None}),
        "0",
        "Ozone column; 0: from the Level-1C product; in Dobson units: summer f 250, g 290, "
        "h 331, i 370, j 410, k 450, winter t 250, u 290, v 330, w 377, x 420, y 460. Sen2Cor 2.3 "
        "ships h",
    )


_OTHER_SENSOR = "not for Sentinel-2"


@dataclass(frozen=True)
class FlagSettings:
    """``Atmospheric_Correction/Flags`` of L2A_GIPP."""

    wv_correction: int = _FLAGS.item(
        "WV_Correction",
        Choice(("0", "1"), int, refused=dict.fromkeys(("2", "3", "4"), _OTHER_SENSOR)),
        "1",
        "Water vapour: 0 constant column, 1 retrieved with the band at 940 nm",
    )
    vis_update_mode: int = _FLAGS.item(
        "VIS_Update_Mode",
        Choice(("0", "1"), int),
        "1",
        "Aerosol: 0 one visibility for the scene, 1 a map",
    )
    wv_watermask: int = _FLAGS.item(
        "WV_Watermask",
        Choice(("0", "1", "2"), int),
        "1",
        "Water vapour over water: 0 as retrieved, 1 average over land, 2 average of the line",
    )
    cirrus_correction: bool = _FLAGS.item(
        "Cirrus_Correction",
        Boolean(),
        "TRUE",
        "Whether thin cirrus is corrected",
    )
    dem_terrain_correction: bool = _FLAGS.item(
        "DEM_Terrain_Correction",
        Boolean(),
        "TRUE",
        "Whether the illumination of slopes is corrected, where there is an elevation model",
        since="2.8",
    )
    brdf_correction: int = _FLAGS.item(
        "BRDF_Correction",
        Choice(("0", "1", "2", "11", "12", "21", "22"), int),
        "0",
        "Empirical correction of low illumination: 0 none; 1 exponent 1, 2 exponent 1/2; two "
        "digits by cover: first soil and others (1: exponent 1, 2: exponent 1/2), second "
        "vegetation above 720 nm (1: exponent 1/3, 2: exponent 1)",
    )
    brdf_lower_bound: float = _FLAGS.item(
        "BRDF_Lower_Bound",
        Decimal(0.1, 0.25),
        "0.22",
        "Minimum factor of that correction",
    )


@dataclass(frozen=True)
class CalibrationSettings:
    """``Atmospheric_Correction/Calibration`` of L2A_GIPP."""

    dem_unit: int = _CALIBRATION.item(
        "DEM_Unit",
        Choice(("0", "1", "2"), int),
        "0",
        "Unit of the elevation model: 0 metres, 1 decimetres, 2 centimetres",
    )
    adjacency_range: float = _CALIBRATION.item(
        "Adj_Km",
        Decimal(0, 10),
        "1.0",
        "Range of the adjacency effect in km; 0: no correction",
    )
    visibility: float = _CALIBRATION.item(
        "Visibility",
        Decimal(5, 120),
        "40.0",
        "Initial visibility in km; used for the whole scene if it has no reference pixels",
    )
    altitude: float = _CALIBRATION.item(
        "Altitude",
        Decimal(0, ALTITUDE_TOP),
        "0.1",
        "Ground elevation in km without elevation model",
    )
    smooth_wv_map: float = _CALIBRATION.item(
        "Smooth_WV_Map",
        Decimal(0, 300, negative_is_zero=True),
        "100.0",
        "Box in m over which the water vapour map is averaged; 0: none",
    )
    wv_threshold_cirrus: float = _CALIBRATION.item(
        "WV_Threshold_Cirrus",
        Decimal(0.1, 1.0),
        "0.25",
        "Water vapour column in cm below which cirrus is not corrected",
    )
