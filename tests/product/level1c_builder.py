"""Tiny Level-1C products from strings: 36, 18 and 6 pixels wide, all parts of the real ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sen2cor.bands import BANDS
from sen2cor.imagery import images
from sen2cor.raster.grids import Grid

EPSG, ULX, ULY, EXTENT = 32756, 199980, 7300000, 360
BASELINE, CREATED, ORBIT, START = "02.05", "20170719T012130", "A001915", "20170719T000218"

SUN_ZENITH = ("54.1 54.0 53.9", "54.2 54.1 54.0", "54.3 54.2 54.1")
SUN_AZIMUTH = ("35.9 35.8 35.7", "35.8 35.7 35.6", "35.7 35.6 35.5")
WEST_ZENITH = ("8.0 NaN NaN", "8.0 8.0 NaN", "8.0 8.0 NaN")
WEST_AZIMUTH = ("350.0 NaN NaN", "350.0 350.0 NaN", "350.0 350.0 NaN")
EAST_ZENITH = ("NaN 9.0 NaN", "NaN 9.0 NaN", "NaN 9.0 NaN")
EAST_AZIMUTH = ("NaN 20.0 NaN", "NaN 20.0 NaN", "NaN 20.0 NaN")


@dataclass(frozen=True)
class Recipe:
    """What a product is made of; the changes are applied to the text of the metadata."""

    namespace: str = "psd-14"
    baseline: str = BASELINE
    offset: int | None = None
    tiles: Sequence[str] = ("56JKT",)
    change_product: Callable[[str], str] = str
    change_tile: Callable[[str], str] = str
    numbers: int = 1500

    @property
    def compact(self) -> bool:
        return self.namespace != "psd-13"

    @property
    def name(self) -> str:
        if self.compact:
            digits = self.baseline.replace(".", "")
            return f"S2B_MSIL1C_20170719T000219_N{digits}_R030_T{self.tiles[0]}_{START}.SAFE"
        return f"S2B_OPER_PRD_MSIL1C_PDMC_{CREATED}_R030_V{START}_{START}.SAFE"

    @property
    def metadata_name(self) -> str:
        if self.compact:
            return "MTD_MSIL1C.xml"
        return f"S2B_OPER_MTD_SAFL1C_PDMC_{CREATED}_R030_V{START}_{START}.xml"

    def tile_id(self, mgrs: str) -> str:
        return f"S2B_OPER_MSI_L1C_TL_SGS__{CREATED}_{ORBIT}_T{mgrs}_N{self.baseline}"

    @property
    def datastrip_id(self) -> str:
        return f"S2B_OPER_MSI_L1C_DS_SGS__{CREATED}_S{START}_N{self.baseline}"

    def tile_folder(self, mgrs: str) -> str:
        return f"L1C_T{mgrs}_{ORBIT}_{START}" if self.compact else self.tile_id(mgrs)

    def tile_metadata_name(self, mgrs: str) -> str:
        if self.compact:
            return "MTD_TL.xml"
        return f"S2B_OPER_MTD_L1C_TL_SGS__{CREATED}_{ORBIT}_T{mgrs}.xml"

    def image_name(self, mgrs: str, band: str) -> str:
        if self.compact:
            return f"T{mgrs}_20170719T000219_{band}.jp2"
        return f"S2B_OPER_MSI_L1C_TL_SGS__{CREATED}_{ORBIT}_T{mgrs}_{band}.jp2"


PSD_13 = Recipe(namespace="psd-13", baseline="02.04", tiles=("53HLA", "53HMA", "53HNA"))
PSD_14 = Recipe()
PSD_15 = Recipe(baseline="05.09", offset=-1000, numbers=2500)


def build(parent: Path, recipe: Recipe = PSD_14, **changes: object) -> Path:
    """Write a product below a folder and return its folder."""
    recipe = replace(recipe, **changes)  # type: ignore[arg-type]
    root = parent / recipe.name
    for mgrs in recipe.tiles:
        folder = root / "GRANULE" / recipe.tile_folder(mgrs)
        (folder / "IMG_DATA").mkdir(parents=True)
        (folder / "QI_DATA").mkdir()
        text = recipe.change_tile(tile_text(recipe, mgrs))
        (folder / recipe.tile_metadata_name(mgrs)).write_text(text, encoding="utf-8")
        for band in BANDS:
            grid = image_grid(band.resolution)
            image = np.full(grid.shape, recipe.numbers, np.uint16)
            images.write(folder / "IMG_DATA" / recipe.image_name(mgrs, band.name), image, grid, 64)
    text = recipe.change_product(product_text(recipe))
    (root / recipe.metadata_name).write_text(text, encoding="utf-8")
    return root


@lru_cache
def image_file(resolution: int, number: int) -> bytes:
    """Encode an image of one value, once for all products."""
    grid = image_grid(resolution)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "image.jp2"
        images.write(path, np.full(grid.shape, number, np.uint16), grid, 64)
        return path.read_bytes()


def image_grid(resolution: int) -> Grid:
    size = EXTENT // resolution
    return Grid(EPSG, ULX, ULY, resolution, size, size)


def product_text(recipe: Recipe) -> str:
    granule = "Granule" if recipe.compact else "Granules"
    granules = "".join(
        f'<Granule_List><{granule} datastripIdentifier="{recipe.datastrip_id}" '
        f'granuleIdentifier="{recipe.tile_id(mgrs)}" imageFormat="JPEG2000"/></Granule_List>'
        for mgrs in recipe.tiles
    )
    uri = recipe.name if recipe.compact else "791_2016-09-05T10_37"
    offsets = ""
    if recipe.offset is not None:
        offsets = _list(
            "Radiometric_Offset_List",
            {
                f'RADIO_ADD_OFFSET band_id="{band.index}"': str(recipe.offset - band.index)
                for band in BANDS
            },
        )
    irradiance = _list(
        "Solar_Irradiance_List",
        {
            f'SOLAR_IRRADIANCE bandId="{band.index}" unit="W/m²/µm"': f"{1900.5 - band.index}"
            for band in BANDS
        },
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-1C_User_Product
 xmlns:n1="https://{recipe.namespace}.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd">
<n1:General_Info><Product_Info>
<PRODUCT_START_TIME>2017-07-19T00:02:18.5Z</PRODUCT_START_TIME>
<PRODUCT_URI>{uri}</PRODUCT_URI>
<PROCESSING_BASELINE>{recipe.baseline}</PROCESSING_BASELINE>
<Datatake datatakeIdentifier="GS2B"><SPACECRAFT_NAME>Sentinel-2B</SPACECRAFT_NAME>
<DATATAKE_SENSING_START>2017-07-19T00:02:19.027Z</DATATAKE_SENSING_START></Datatake>
<Product_Organisation>{granules}</Product_Organisation></Product_Info>
<Product_Image_Characteristics>
<QUANTIFICATION_VALUE unit="none">10000</QUANTIFICATION_VALUE>{offsets}
<Reflectance_Conversion><U>0.967894404815679</U>{irradiance}</Reflectance_Conversion>
</Product_Image_Characteristics></n1:General_Info></n1:Level-1C_User_Product>
"""


def tile_text(recipe: Recipe, mgrs: str) -> str:
    sizes = "".join(
        f'<Size resolution="{resolution}"><NROWS>{EXTENT // resolution}</NROWS>'
        f"<NCOLS>{EXTENT // resolution}</NCOLS></Size>"
        f'<Geoposition resolution="{resolution}"><ULX>{ULX}</ULX><ULY>{ULY}</ULY>'
        f"<XDIM>{resolution}</XDIM><YDIM>-{resolution}</YDIM></Geoposition>"
        for resolution in (10, 20, 60)
    )
    views = "".join(
        f'<Viewing_Incidence_Angles_Grids bandId="{band.index}" detectorId="{detector}">'
        f"{_angles(zenith, azimuth)}</Viewing_Incidence_Angles_Grids>"
        for band in BANDS
        for detector, zenith, azimuth in (
            (1, WEST_ZENITH, WEST_AZIMUTH),
            (2, EAST_ZENITH, EAST_AZIMUTH),
        )
    )
    means = "".join(
        f'<Mean_Viewing_Incidence_Angle bandId="{band.index}">'
        f"<ZENITH_ANGLE>{8 + band.index / 10}</ZENITH_ANGLE>"
        "<AZIMUTH_ANGLE>104.5</AZIMUTH_ANGLE></Mean_Viewing_Incidence_Angle>"
        for band in BANDS
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-1C_Tile_ID
 xmlns:n1="https://psd-12.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Tile_Metadata.xsd">
<n1:General_Info><TILE_ID metadataLevel="Brief">{recipe.tile_id(mgrs)}</TILE_ID>
<DATASTRIP_ID>{recipe.datastrip_id}</DATASTRIP_ID>
<SENSING_TIME>2017-07-19T00:02:18.457Z</SENSING_TIME></n1:General_Info>
<n1:Geometric_Info><Tile_Geocoding><HORIZONTAL_CS_NAME>WGS84 / UTM zone 56S</HORIZONTAL_CS_NAME>
<HORIZONTAL_CS_CODE>EPSG:{EPSG}</HORIZONTAL_CS_CODE>{sizes}</Tile_Geocoding>
<Tile_Angles><Sun_Angles_Grid>{_angles(SUN_ZENITH, SUN_AZIMUTH)}</Sun_Angles_Grid>
<Mean_Sun_Angle><ZENITH_ANGLE unit="deg">54.1</ZENITH_ANGLE>
<AZIMUTH_ANGLE unit="deg">35.7</AZIMUTH_ANGLE></Mean_Sun_Angle>{views}
<Mean_Viewing_Incidence_Angle_List>{means}</Mean_Viewing_Incidence_Angle_List></Tile_Angles>
</n1:Geometric_Info></n1:Level-1C_Tile_ID>
"""


def without(element: str) -> Callable[[str], str]:
    """Return a change that takes all elements of that name out of a text."""
    pattern = re.compile(rf"<{element}[ >].*?</{element}>", re.DOTALL)
    return lambda text: pattern.sub("", text)


def _angles(zenith: Sequence[str], azimuth: Sequence[str]) -> str:
    return "".join(
        f'<{name}><COL_STEP unit="m">5000</COL_STEP><ROW_STEP unit="m">5000</ROW_STEP>'
        + _list("Values_List", [f"<VALUES>{row}</VALUES>" for row in rows])
        + f"</{name}>"
        for name, rows in (("Zenith", zenith), ("Azimuth", azimuth))
    )


def _list(name: str, items: Mapping[str, str] | Sequence[str]) -> str:
    if isinstance(items, Mapping):
        items = [f"<{tag}>{text}</{tag.split()[0]}>" for tag, text in items.items()]
    return f"<{name}>{''.join(items)}</{name}>"
