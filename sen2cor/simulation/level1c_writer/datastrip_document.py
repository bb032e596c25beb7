"""Metadata of the datastrip of a simulated product.

Telemetry (orbit, attitude, temperatures) is reduced to the minimum that the schemas require: one
entry each, with the values of a spacecraft in its nominal orbit.
"""

from __future__ import annotations

from datetime import timedelta

from lxml import etree

from sen2cor.bands import BANDS
from sen2cor.simulation.level1c_writer.description import ProductDescription
from sen2cor.simulation.level1c_writer.document_elements import (
    auxiliary_references,
    datatake,
    display_order,
    document,
    element,
    gipp_list,
    reflectance_conversion,
    spectral_information,
    utc,
)
from sen2cor.simulation.sensor import QUANTIFICATION


def datastrip_metadata(product: ProductDescription) -> bytes:
    """Build the metadata of the datastrip."""
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
    return element(
        "General_Info",
        datatake(product, "Datatake_Info", metadataLevel="Brief"),
        element(
            "Datastrip_Time_Info",
            element("DATASTRIP_SENSING_START", utc(product.datastrip_time)),
            element("DATASTRIP_SENSING_STOP", utc(product.sensing_time + timedelta(minutes=2))),
            metadataLevel="Brief",
        ),
        element(
            "Processing_Info",
            element("PROCESSING_BASELINE", product.baseline),
            element("PROCESSING_CENTER", "SGS_"),
            element("UTC_DATE_TIME", product.created.strftime("%Y-%m-%dT%H:%M:%SZ")),
            metadataLevel="Expertise",
        ),
        element(
            "Downlink_Info",
            element("RECEPTION_STATION", "SGS_"),
            element("DOWNLINK_ORBIT_NUMBER", product.absolute_orbit),
            metadataLevel="Standard",
        ),
        element(
            "Archiving_Info",
            element("ARCHIVING_CENTRE", "SGS_"),
            element("ARCHIVING_TIME", product.created.strftime("%Y-%m-%dT%H:%M:%S.000000Z")),
            metadataLevel="Expertise",
        ),
    )


def _image_data(product: ProductDescription) -> etree._Element:
    tiles = (element("Tile", tileId=product.tile_id(tile)) for tile in product.tiles)
    radiometric = element(
        "Radiometric_Info",
        element("SWIR_REARRANGEMENT_PROC", "true"),
        element("SATURATED_PIXELS_PROC", "true"),
        spectral_information(product.spacecraft),
        display_order(),
        element("QUANTIFICATION_VALUE", QUANTIFICATION, unit="none"),
        metadataLevel="Standard",
    )
    if product.offset:
        offsets = (element("RADIO_ADD_OFFSET", product.offset, band_id=b.index) for b in BANDS)
        radiometric.append(element("Radiometric_Offset_List", *offsets))
    radiometric.append(reflectance_conversion(product))
    return element(
        "Image_Data_Info",
        element("Tiles_Information", element("Tile_List", *tiles), metadataLevel="Standard"),
        element("Sensor_Configuration", _acquisition(), _packets(), _time_stamp(product)),
        radiometric,
        element(
            "Geometric_Info",
            element("RGM", "COMPUTED"),
            element("Image_Refining", flag="NOT_REFINED"),
            element("VNIR_SWIR_Registration", flag="VNIR_SWIR_NOT_REGISTERED"),
            metadataLevel="Standard",
        ),
    )


def _acquisition() -> etree._Element:
    bands = (
        element(
            "Spectral_Band_Information",
            element("PHYSICAL_GAINS", "1.0", geometry="FULL_RESOLUTION", metadataLevel="Standard"),
            element("COMPRESSION_RATE", "2.655", metadataLevel="Expertise"),
            element("INTEGRATION_TIME", "1.4", metadataLevel="Expertise", unit="ms"),
            bandId=band.index,
        )
        for band in BANDS
    )
    detectors = (element("ACTIVE_DETECTOR", f"{number:02d}") for number in range(1, 13))
    return element(
        "Acquisition_Configuration",
        element("COMPRESS_MODE", "true", metadataLevel="Expertise"),
        element("EQUALIZATION_MODE", "true", metadataLevel="Expertise"),
        element("NUC_TABLE_ID", 2, metadataLevel="Expertise"),
        element("Active_Detectors_List", *detectors, metadataLevel="Expertise"),
        element(
            "TDI_Configuration_List",
            *(element("TDI_CONFIGURATION", "APPLIED", bandId=index) for index in (2, 3, 11, 12)),
            metadataLevel="Standard",
        ),
        element("Spectral_Band_Info", *bands),
    )


def _packets() -> etree._Element:
    bands = [
        element(
            "Band",
            element("DATA_STRIP_START", 1),
            element("SCENE_POSITION", 1),
            element("NB_OF_SOURCE_PACKETS", 6624),
            bandId=band.index,
        )
        for band in BANDS
    ]
    detector = element("Detector", element("Band_List", *bands), detectorId="01")
    return element(
        "Source_Packet_Description",
        element("Source_Packet_Counters_List", element("Detector_List", detector)),
        element(
            "Degradation_Summary",
            element("NUMBER_OF_LOST_PACKETS", 0),
            element("NUMBER_OF_TOO_DEGRADED_PACKETS", 0),
            element("NUMBER_OF_KEPT_DEGRADED_PACKETS", 0),
            degradationPercentage=0,
        ),
    )


def _gps(product: ProductDescription) -> str:
    """GPS time: UTC plus the leap seconds since 1980 (18 since 2017)."""
    return (product.datastrip_time + timedelta(seconds=18)).strftime("%Y-%m-%dT%H:%M:%S")


def _time_stamp(product: ProductDescription) -> etree._Element:
    stamps = (
        element(
            "Band_Time_Stamp",
            element(
                "Detector",
                element("REFERENCE_LINE", 1),
                element("GPS_TIME", _gps(product)),
                detectorId="01",
            ),
            bandId=band.index,
        )
        for band in BANDS
    )
    return element(
        "Time_Stamp",
        element("LINE_PERIOD", "1.565873622", unit="ms"),
        *stamps,
        element("GPS_SYNC", "true"),
        metadataLevel="Standard",
        usedModel="EXOGENEOUS",
    )


def _ancillary(product: ProductDescription) -> etree._Element:
    time = _gps(product)
    correlation = element(
        "Time_Correlation_Data",
        element("NSM", "KALMAN_FILTER"),
        element("QUALITY_INDEX", 75, unit="ns"),
        element("TDOP", 1),
        element("IMT", 101901494350239),
        element("GPS_TIME", time),
        element("UTC_TIME", product.datastrip_time.strftime("%Y-%m-%dT%H:%M:%SZ")),
    )
    number = element(
        "Gps_Number",
        element("GPS_TIME_START", time),
        element("GPS_TIME_END", time),
        id="GPS-A",
    )
    point = element(
        "GPS_Point",
        element("POSITION_VALUES", "7167000000 0 0", unit="mm"),
        element("POSITION_ERRORS", "1000 1000 1000", unit="mm"),
        element("VELOCITY_VALUES", "0 -1118000 7374000", unit="mm/s"),
        element("VELOCITY_ERRORS", "10 10 10", unit="mm/s"),
        element("GPS_TIME", time),
        element("NSM", "KALMAN_FILTER"),
        element("QUALITY_INDEX", 5),
        element("GDOP", 2),
        element("PDOP", 2),
        element("TDOP", 1),
        element("NOF_SV", 8),
        element("TIME_ERROR", 2, unit="ns"),
    )
    orbit = element(
        "AOCS_Ephemeris",
        element("VALID_FLAG", "true"),
        element("OPSOL_QUALITY", 2),
        element("POSITION_VALUES", "7167000.0 0.0 0.0", unit="m"),
        element("VELOCITY_VALUES", "0.0 -1118.0 7374.0", unit="m/s"),
        element("GPS_TIME", time),
        element("ORBIT_ANGLE", "0.0", unit="rad"),
    )
    return element(
        "Satellite_Ancillary_Data_Info",
        element("Time_Correlation_Data_List", correlation, metadataLevel="Standard"),
        element(
            "Ephemeris",
            element("GPS_Number_List", number),
            element("GPS_Points_List", point),
            element("AOCS_Ephemeris_List", orbit),
            metadataLevel="Standard",
        ),
        _attitudes(time),
        element("ANC_DATA_REF", ".//ANC_DATA/", metadataLevel="Standard"),
    )


def _attitudes(time: str) -> etree._Element:
    corrected = element(
        "Values",
        element("QUATERNION_VALUES", "0.0 0.0 0.0 1.0"),
        element("QUATERNION_VALIDITY", "true"),
        element("GPS_TIME", time),
        element("INUSE_FLAGS", "true true false true false false false true true true true"),
        element("AOCS_MODE", 2),
        element("AOCS_SUBMODE", 3),
        element("INNOVATION_STR1", "0.0 0.0 0.0"),
        element("INNOVATION_STR2", "0.0 0.0 0.0"),
        element("ATTITUDE_QUALITY_INDICATOR", "TWO_VALID_STR"),
    )
    return element(
        "Attitudes",
        element("Corrected_Attitudes", corrected, metadataLevel="Standard"),
    )


def _quality() -> etree._Element:
    day = "2017-01-01T00:00:00"
    location = element(
        "Geometric_QI",
        element(
            "Absolute_Location", element("VALUE", 0, unit="m"), element("MEASUREMENT_DATE", day)
        ),
        element("Planimetric_Stability", element("VALUE", 0), element("MEASUREMENT_DATE", day)),
        element("EPHEMERIS_QUALITY", 2),
        element("ANCILLARY_QUALITY", 0),
    )
    radiometric = (
        element(
            "Radiometric_Quality",
            element("Noise_Model", element("ALPHA", "0.56"), element("BETA", "0.00054")),
            element("ABSOLUTE_CALIBRATION_ACCURACY", 0),
            element("CROSS_BAND_CALIBRATION_ACCURACY", 0),
            element("MULTI_TEMPORAL_CALIBRATION_ACCURACY", 0),
            bandId=band.index,
        )
        for band in BANDS
    )
    return element(
        "Quality_Indicators_Info",
        element(
            "Geometric_Info",
            location,
            element("Geometric_Refining_Quality"),
            element(
                "Update_Absolute_Location",
                element("VALUE", 0, unit="m"),
                element("MEASUREMENT_DATE", day),
            ),
        ),
        element("Radiometric_Info", element("Radiometric_Quality_List", *radiometric)),
        element("DEGRADED_ANC_DATA_PERCENTAGE", 0),
        metadataLevel="Brief",
    )


def _auxiliary(product: ProductDescription) -> etree._Element:
    references = auxiliary_references(product)
    return element(
        "Auxiliary_Data_Info",
        element(
            "IERS_Bulletin",
            element("UT1_UTC", "0.35276", unit="s"),
            element("GPS_TIME_UTC", 18, unit="s"),
            element("GPS_TIME_TAI", -19, unit="s"),
            element("POLE_U_ANGLE", "0.1967", unit="arcsec"),
            element("POLE_V_ANGLE", "0.4342", unit="arcsec"),
        ),
        gipp_list(product),
        *(references[key] for key in ("ecmwf", "dem", "iers", "gri")),
        metadataLevel="Standard",
    )
