"""Metadata of the datastrip of a simulated product.

Telemetry (orbit, attitude, temperatures) is reduced to what the schemas ask for: one entry each,
the values of a spacecraft on its nominal orbit.
"""

from __future__ import annotations

from datetime import timedelta

from lxml import etree

from sen2cor.bands import BANDS
from sen2cor.simulation.description import ProductDescription
from sen2cor.simulation.metadata import (
    auxiliary_references,
    datatake,
    display_order,
    document,
    gipp_list,
    node,
    reflectance_conversion,
    spectral_information,
    utc,
)
from sen2cor.simulation.sensor import QUANTIFICATION


def datastrip_metadata(product: ProductDescription) -> bytes:
    """Metadata of the datastrip."""
    namespace = "psd-12" if product.psd.version in ("13.1", "14.2") else "psd-14"
    return document(
        f"https://{namespace}.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Datastrip_Metadata.xsd",
        "Level-1C_DataStrip_ID",
        [
            _general(product),
            _image_data(product),
            _ancillary(product),
            _quality(),
            _auxiliary(product),
        ],
    )


def _general(product: ProductDescription) -> etree._Element:
    return node(
        "General_Info",
        datatake(product, "Datatake_Info", metadataLevel="Brief"),
        node(
            "Datastrip_Time_Info",
            node("DATASTRIP_SENSING_START", utc(product.datastrip_time)),
            node("DATASTRIP_SENSING_STOP", utc(product.sensing_time + timedelta(minutes=2))),
            metadataLevel="Brief",
        ),
        node(
            "Processing_Info",
            node("PROCESSING_BASELINE", product.baseline),
            node("PROCESSING_CENTER", "SGS_"),
            node("UTC_DATE_TIME", product.created.strftime("%Y-%m-%dT%H:%M:%SZ")),
            metadataLevel="Expertise",
        ),
        node(
            "Downlink_Info",
            node("RECEPTION_STATION", "SGS_"),
            node("DOWNLINK_ORBIT_NUMBER", product.absolute_orbit),
            metadataLevel="Standard",
        ),
        node(
            "Archiving_Info",
            node("ARCHIVING_CENTRE", "SGS_"),
            node("ARCHIVING_TIME", product.created.strftime("%Y-%m-%dT%H:%M:%S.000000Z")),
            metadataLevel="Expertise",
        ),
    )


def _image_data(product: ProductDescription) -> etree._Element:
    tiles = (node("Tile", tileId=product.tile_id(tile)) for tile in product.tiles)
    radiometric = node(
        "Radiometric_Info",
        node("SWIR_REARRANGEMENT_PROC", "true"),
        node("SATURATED_PIXELS_PROC", "true"),
        spectral_information(product.spacecraft),
        display_order(),
        node("QUANTIFICATION_VALUE", QUANTIFICATION, unit="none"),
        metadataLevel="Standard",
    )
    if product.offset:
        offsets = (node("RADIO_ADD_OFFSET", product.offset, band_id=b.index) for b in BANDS)
        radiometric.append(node("Radiometric_Offset_List", *offsets))
    radiometric.append(reflectance_conversion(product))
    return node(
        "Image_Data_Info",
        node("Tiles_Information", node("Tile_List", *tiles), metadataLevel="Standard"),
        node("Sensor_Configuration", _acquisition(), _packets(), _time_stamp(product)),
        radiometric,
        node(
            "Geometric_Info",
            node("RGM", "COMPUTED"),
            node("Image_Refining", flag="NOT_REFINED"),
            node("VNIR_SWIR_Registration", flag="VNIR_SWIR_NOT_REGISTERED"),
            metadataLevel="Standard",
        ),
    )


def _acquisition() -> etree._Element:
    bands = (
        node(
            "Spectral_Band_Information",
            node("PHYSICAL_GAINS", "1.0", geometry="FULL_RESOLUTION", metadataLevel="Standard"),
            node("COMPRESSION_RATE", "2.655", metadataLevel="Expertise"),
            node("INTEGRATION_TIME", "1.4", metadataLevel="Expertise", unit="ms"),
            bandId=band.index,
        )
        for band in BANDS
    )
    detectors = (node("ACTIVE_DETECTOR", f"{number:02d}") for number in range(1, 13))
    return node(
        "Acquisition_Configuration",
        node("COMPRESS_MODE", "true", metadataLevel="Expertise"),
        node("EQUALIZATION_MODE", "true", metadataLevel="Expertise"),
        node("NUC_TABLE_ID", 2, metadataLevel="Expertise"),
        node("Active_Detectors_List", *detectors, metadataLevel="Expertise"),
        node(
            "TDI_Configuration_List",
            *(node("TDI_CONFIGURATION", "APPLIED", bandId=index) for index in (2, 3, 11, 12)),
            metadataLevel="Standard",
        ),
        node("Spectral_Band_Info", *bands),
    )


def _packets() -> etree._Element:
    bands = [
        node(
            "Band",
            node("DATA_STRIP_START", 1),
            node("SCENE_POSITION", 1),
            node("NB_OF_SOURCE_PACKETS", 6624),
            bandId=band.index,
        )
        for band in BANDS
    ]
    detector = node("Detector", node("Band_List", *bands), detectorId="01")
    return node(
        "Source_Packet_Description",
        node("Source_Packet_Counters_List", node("Detector_List", detector)),
        node(
            "Degradation_Summary",
            node("NUMBER_OF_LOST_PACKETS", 0),
            node("NUMBER_OF_TOO_DEGRADED_PACKETS", 0),
            node("NUMBER_OF_KEPT_DEGRADED_PACKETS", 0),
            degradationPercentage=0,
        ),
    )


def _gps(product: ProductDescription) -> str:
    """GPS time, which runs ahead of UTC by the leap seconds since 1980 (18 since 2017)."""
    return (product.datastrip_time + timedelta(seconds=18)).strftime("%Y-%m-%dT%H:%M:%S")


def _time_stamp(product: ProductDescription) -> etree._Element:
    stamps = (
        node(
            "Band_Time_Stamp",
            node(
                "Detector",
                node("REFERENCE_LINE", 1),
                node("GPS_TIME", _gps(product)),
                detectorId="01",
            ),
            bandId=band.index,
        )
        for band in BANDS
    )
    return node(
        "Time_Stamp",
        node("LINE_PERIOD", "1.565873622", unit="ms"),
        *stamps,
        node("GPS_SYNC", "true"),
        metadataLevel="Standard",
        usedModel="EXOGENEOUS",
    )


def _ancillary(product: ProductDescription) -> etree._Element:
    time = _gps(product)
    correlation = node(
        "Time_Correlation_Data",
        node("NSM", "KALMAN_FILTER"),
        node("QUALITY_INDEX", 75, unit="ns"),
        node("TDOP", 1),
        node("IMT", 101901494350239),
        node("GPS_TIME", time),
        node("UTC_TIME", product.datastrip_time.strftime("%Y-%m-%dT%H:%M:%SZ")),
    )
    number = node(
        "Gps_Number",
        node("GPS_TIME_START", time),
        node("GPS_TIME_END", time),
        id="GPS-A",
    )
    point = node(
        "GPS_Point",
        node("POSITION_VALUES", "7167000000 0 0", unit="mm"),
        node("POSITION_ERRORS", "1000 1000 1000", unit="mm"),
        node("VELOCITY_VALUES", "0 -1118000 7374000", unit="mm/s"),
        node("VELOCITY_ERRORS", "10 10 10", unit="mm/s"),
        node("GPS_TIME", time),
        node("NSM", "KALMAN_FILTER"),
        node("QUALITY_INDEX", 5),
        node("GDOP", 2),
        node("PDOP", 2),
        node("TDOP", 1),
        node("NOF_SV", 8),
        node("TIME_ERROR", 2, unit="ns"),
    )
    orbit = node(
        "AOCS_Ephemeris",
        node("VALID_FLAG", "true"),
        node("OPSOL_QUALITY", 2),
        node("POSITION_VALUES", "7167000.0 0.0 0.0", unit="m"),
        node("VELOCITY_VALUES", "0.0 -1118.0 7374.0", unit="m/s"),
        node("GPS_TIME", time),
        node("ORBIT_ANGLE", "0.0", unit="rad"),
    )
    return node(
        "Satellite_Ancillary_Data_Info",
        node("Time_Correlation_Data_List", correlation, metadataLevel="Standard"),
        node(
            "Ephemeris",
            node("GPS_Number_List", number),
            node("GPS_Points_List", point),
            node("AOCS_Ephemeris_List", orbit),
            metadataLevel="Standard",
        ),
        _attitudes(time),
        node("ANC_DATA_REF", ".//ANC_DATA/", metadataLevel="Standard"),
    )


def _attitudes(time: str) -> etree._Element:
    corrected = node(
        "Values",
        node("QUATERNION_VALUES", "0.0 0.0 0.0 1.0"),
        node("QUATERNION_VALIDITY", "true"),
        node("GPS_TIME", time),
        node("INUSE_FLAGS", "true true false true false false false true true true true"),
        node("AOCS_MODE", 2),
        node("AOCS_SUBMODE", 3),
        node("INNOVATION_STR1", "0.0 0.0 0.0"),
        node("INNOVATION_STR2", "0.0 0.0 0.0"),
        node("ATTITUDE_QUALITY_INDICATOR", "TWO_VALID_STR"),
    )
    return node(
        "Attitudes",
        node("Corrected_Attitudes", corrected, metadataLevel="Standard"),
    )


def _quality() -> etree._Element:
    day = "2017-01-01T00:00:00"
    location = node(
        "Geometric_QI",
        node("Absolute_Location", node("VALUE", 0, unit="m"), node("MEASUREMENT_DATE", day)),
        node("Planimetric_Stability", node("VALUE", 0), node("MEASUREMENT_DATE", day)),
        node("EPHEMERIS_QUALITY", 2),
        node("ANCILLARY_QUALITY", 0),
    )
    radiometric = (
        node(
            "Radiometric_Quality",
            node("Noise_Model", node("ALPHA", "0.56"), node("BETA", "0.00054")),
            node("ABSOLUTE_CALIBRATION_ACCURACY", 0),
            node("CROSS_BAND_CALIBRATION_ACCURACY", 0),
            node("MULTI_TEMPORAL_CALIBRATION_ACCURACY", 0),
            bandId=band.index,
        )
        for band in BANDS
    )
    return node(
        "Quality_Indicators_Info",
        node(
            "Geometric_Info",
            location,
            node("Geometric_Refining_Quality"),
            node(
                "Update_Absolute_Location",
                node("VALUE", 0, unit="m"),
                node("MEASUREMENT_DATE", day),
            ),
        ),
        node("Radiometric_Info", node("Radiometric_Quality_List", *radiometric)),
        node("DEGRADED_ANC_DATA_PERCENTAGE", 0),
        metadataLevel="Brief",
    )


def _auxiliary(product: ProductDescription) -> etree._Element:
    references = auxiliary_references(product)
    return node(
        "Auxiliary_Data_Info",
        node(
            "IERS_Bulletin",
            node("UT1_UTC", "0.35276", unit="s"),
            node("GPS_TIME_UTC", 18, unit="s"),
            node("GPS_TIME_TAI", -19, unit="s"),
            node("POLE_U_ANGLE", "0.1967", unit="arcsec"),
            node("POLE_V_ANGLE", "0.4342", unit="arcsec"),
        ),
        gipp_list(product),
        *(references[key] for key in ("ecmwf", "dem", "iers", "gri")),
        metadataLevel="Standard",
    )
