"""Level-1C products for tests of the Level-2A writer: tiny ones made here, and real metadata."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sen2cor.product import name_templates
from sen2cor.product.checksums import Checksums
from sen2cor.product.level2a.xml_editing import find_text
from sen2cor.product.name_templates import DATASTRIP_ID
from sen2cor.product.psd import PSD
from sen2cor.xml_document import parse_xml

TILES = ("32TQM", "32TQL")

_PRODUCT = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-1C_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd">
  <n1:General_Info>
    <Product_Info>
      <PRODUCT_START_TIME>2017-04-03T10:50:21.026Z</PRODUCT_START_TIME>
      <PRODUCT_STOP_TIME>2017-04-03T10:50:21.026Z</PRODUCT_STOP_TIME>
      <PRODUCT_URI>{name}</PRODUCT_URI>
      <PROCESSING_LEVEL>Level-1C</PROCESSING_LEVEL>
      <PRODUCT_TYPE>S2MSI1C</PRODUCT_TYPE>
      <PROCESSING_BASELINE>02.04</PROCESSING_BASELINE>
      <GENERATION_TIME>2017-04-03T10:50:22.000Z</GENERATION_TIME>
      <Datatake datatakeIdentifier="GS2A_20170403T105021_009300_N02.04">
        <SPACECRAFT_NAME>Sentinel-2A</SPACECRAFT_NAME>
        <DATATAKE_TYPE>INS-NOBS</DATATAKE_TYPE>
        <DATATAKE_SENSING_START>2017-04-03T10:50:21.026Z</DATATAKE_SENSING_START>
        <SENSING_ORBIT_NUMBER>51</SENSING_ORBIT_NUMBER>
        <SENSING_ORBIT_DIRECTION>DESCENDING</SENSING_ORBIT_DIRECTION>
      </Datatake>
    </Product_Info>
    <Product_Image_Characteristics>
      <QUANTIFICATION_VALUE unit="none">1000</QUANTIFICATION_VALUE>
    </Product_Image_Characteristics>
  </n1:General_Info>
  <n1:Geometric_Info>
    <Product_Footprint><Product_Footprint><Global_Footprint>
      <EXT_POS_LIST>46 10 46 11 45 11 46 10</EXT_POS_LIST>
    </Global_Footprint></Product_Footprint></Product_Footprint>
  </n1:Geometric_Info>
  <n1:Quality_Indicators_Info>
    <Cloud_Coverage_Assessment>7.1</Cloud_Coverage_Assessment>
  </n1:Quality_Indicators_Info>
</n1:Level-1C_User_Product>
"""

_TILE = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-1C_Tile_ID xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Tile_Metadata.xsd">
  <n1:General_Info>
    <TILE_ID metadataLevel="Brief">{tile_id}</TILE_ID>
    <DATASTRIP_ID metadataLevel="Standard">{datastrip_id}</DATASTRIP_ID>
    <SENSING_TIME metadataLevel="Standard">2017-04-03T10:50:22.460Z</SENSING_TIME>
  </n1:General_Info>
  <n1:Geometric_Info><Tile_Geocoding/></n1:Geometric_Info>
  <n1:Quality_Indicators_Info metadataLevel="Standard">
    <Image_Content_QI>
      <CLOUDY_PIXEL_PERCENTAGE>7.1</CLOUDY_PIXEL_PERCENTAGE>
      <DEGRADED_MSI_DATA_PERCENTAGE>0</DEGRADED_MSI_DATA_PERCENTAGE>
    </Image_Content_QI>
    <Pixel_Level_QI geometry="FULL_RESOLUTION">
      <MASK_FILENAME type="MSK_CLOUDS">GRANULE/{folder}/QI_DATA/MSK_CLOUDS_B00.gml</MASK_FILENAME>
    </Pixel_Level_QI>
    <PVI_FILENAME>T_PVI</PVI_FILENAME>
  </n1:Quality_Indicators_Info>
</n1:Level-1C_Tile_ID>
"""

_DATASTRIP = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-1C_DataStrip_ID xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Datastrip_Metadata.xsd">
  <n1:General_Info/>
  <n1:Image_Data_Info><Tiles_Information metadataLevel="Standard"><Tile_List>
    <Tile tileId="S2A_OPER_MSI_L1C_TL_SGS__20170403T160402_A009300_T99XXX_N02.04"/>
  </Tile_List></Tiles_Information></n1:Image_Data_Info>
  <n1:Auxiliary_Data_Info><GIPP_List/></n1:Auxiliary_Data_Info>
</n1:Level-1C_DataStrip_ID>
"""


def write_level1c(
    parent: Path, version: str, tiles: Sequence[str] = TILES[:1], *, unit: str = "TL"
) -> Path:
    """Write the parts of a Level-1C product that the Level-2A writer looks at; no images."""
    layout = PSD[version].level1c
    shared = {
        "spacecraft": "S2A",
        "file_class": "OPER",
        "level": "1C",
        "relative_orbit": "051",
        "baseline": "02.04",
        "baseline_digits": "0204",
        "datatake_start": "20170403T105021",
        "discriminator": "20170403T105022",
        "start": "20170403T105021",
        "stop": "20170403T105021",
        "centre": "SGS_",
        "created": "20170403T160402",
        "absolute_orbit": "009300",
        "datastrip_centre": "SGS_",
        "datastrip_created": "20170403T160402",
        "datastrip_start": "20170403T105022",
        "unit": unit,
        "mgrs": tiles[0],
    }
    name = layout.product.build(shared)
    root = parent / name
    _put(root / layout.product_metadata.build(shared), _PRODUCT.format(name=name))
    _put(root / "INSPIRE.xml", f"<i>{name}</i>")
    _put(root / "HTML" / "UserProduct_index.html", "<html/>")
    _put(root / "AUX_DATA" / "note.txt", "note")
    datastrip = root / "DATASTRIP" / layout.datastrip_folder.build(shared)
    _put(datastrip / layout.datastrip_metadata.build(shared), _DATASTRIP)
    _put(datastrip / "QI_DATA" / "SENSOR_QUALITY.xml", "<q/>")
    for mgrs in tiles:
        own = {**shared, "mgrs": mgrs}
        folder = root / "GRANULE" / layout.tile_folder.build(own)
        text = _TILE.format(
            tile_id=name_templates.TILE_ID.build(own),
            datastrip_id=DATASTRIP_ID.build(own),
            folder=folder.name,
        )
        _put(folder / layout.tile_metadata.build(own), text)
        _put(folder / "AUX_DATA" / "AUX_ECMWFT", "grib")
        _put(folder / "QI_DATA" / "MSK_CLOUDS_B00.gml", "<gml/>")
        _put(folder / layout.image("PVI", own), "jp2")
    return root


def stand_in(root: Path, psd: str) -> Any:
    """Return what the writer needs of an opened product, without its images."""
    main = next(iter([*root.glob("MTD_MSIL1C.xml"), *root.glob("*MTD_SAFL1C*.xml")]))
    product = parse_xml(main)
    tiles = []
    datastrips: dict[str, SimpleNamespace] = {}
    for folder in sorted((root / "GRANULE").iterdir()):
        path = next(folder.glob("*MTD*.xml"))
        tile = parse_xml(path)
        tile_id = find_text(tile, ".//TILE_ID")
        datastrip_id = find_text(tile, ".//DATASTRIP_ID")
        tiles.append(
            SimpleNamespace(
                tile_id=tile_id,
                datastrip_id=datastrip_id,
                folder=folder,
                metadata_path=path,
                mgrs=name_templates.TILE_ID.parse(tile_id)["mgrs"],
                window=None,
            )
        )
        datastrips[datastrip_id] = _datastrip(root, datastrip_id)
    start = find_text(product, ".//DATATAKE_SENSING_START")
    return SimpleNamespace(
        checksums=Checksums.read(root),
        root=root,
        metadata_path=main,
        name=root.name,
        psd=psd,
        datatake_start=datetime.fromisoformat(start.replace("Z", "+00:00")),
        quantification_value=float(find_text(product, ".//QUANTIFICATION_VALUE")),
        datastrips=tuple(datastrips.values()),
        tiles=tuple(tiles),
    )


def _datastrip(root: Path, datastrip_id: str) -> SimpleNamespace:
    fields = DATASTRIP_ID.parse(datastrip_id)
    for folder in sorted((root / "DATASTRIP").glob("*")):
        if fields["datastrip_created"] in folder.name:
            path = next(folder.glob("*MTD*.xml"), None)
            return SimpleNamespace(datastrip_id=datastrip_id, folder=folder, metadata_path=path)
    return SimpleNamespace(datastrip_id=datastrip_id, folder=None, metadata_path=None)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
