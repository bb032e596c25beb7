"""STAC items of Level-2A products, one per tile.

pystac writes them by the STAC specification 1.1 with the extensions eo, view, projection, sat,
raster and processing. An item is stored beside the product and refers to images by relative paths.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sen2cor import __version__
from sen2cor.bands import BAND, NO_DATA, RESOLUTIONS
from sen2cor.files import raise_output_error, replace_on_success
from sen2cor.optional_packages import require
from sen2cor.product.level2a.reader import Level2AReader, Level2ATileReader
from sen2cor.product.level2a.shared_elements import AOT_QUANTIFICATION, WATER_VAPOUR_QUANTIFICATION
from sen2cor.raster.coordinates import bounding_box, footprint, split_at_date_line
from sen2cor.raster.grids import Grid

if TYPE_CHECKING:
    import pystac

_EXTENSIONS = tuple(
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in (
        "eo/v1.1.0", "view/v1.0.0", "projection/v2.0.0", "sat/v1.0.0", "raster/v1.1.0",
        "processing/v1.2.0",
    )
)  # fmt: skip

_MEDIA_TYPES = {
    ".jp2": "image/jp2",
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
}

_TITLES = {
    "AOT": "Aerosol optical thickness at 550 nm",
    "WVP": "Water vapour column",
    "SCL": "Scene classification",
    "CLD": "Cloud probability",
    "SNW": "Snow probability",
    "TCI": "True colour image",
    "DEM": "Elevation",
    "DDV": "Dark vegetation reference pixels",
    "QUA": "Quality mask",
    "PVI": "Preview",
}
_ROLES = {
    "SCL": ["data", "classification"],
    "CLD": ["metadata", "cloud"],
    "SNW": ["metadata", "snow-ice"],
    "TCI": ["visual"],
    "PVI": ["thumbnail"],
    "QUA": ["metadata", "data-mask"],
    "DDV": ["metadata"],
    "DEM": ["metadata"],
}


def build_items(product: Level2AReader) -> list[pystac.Item]:
    """Describe a product as STAC items, one per tile.

    Parameters
    ----------
    product : Level2AReader

    Returns
    -------
    list of pystac.Item
        The paths of their assets are relative to the folder of the product.

    Raises
    ------
    AuxiliaryDataError
        pystac is not installed.
    """
    return [_build_item(product, tile) for tile in product.tiles]


def write_items(product: Level2AReader) -> list[Path]:
    """Write the STAC items of a product beside it.

    Returns
    -------
    list of Path
        Files named after the product, and the tile if there are several.

    Raises
    ------
    AuxiliaryDataError
        pystac is not installed.
    OutputError
        A file cannot be written.
    """
    paths = []
    for item in build_items(product):
        path = product.path.parent / f"{item.id}.json"
        with raise_output_error(path), replace_on_success(path) as part:
            item.save_object(include_self_link=False, dest_href=str(part))
        paths.append(path)
    return paths


def _build_item(product: Level2AReader, tile: Level2ATileReader) -> pystac.Item:
    require("stac", "a STAC item")
    import pystac

    name = product.path.name.removesuffix(".SAFE")
    grid = tile.grids[RESOLUTIONS[-1]]
    rings = _find_outlines(grid)
    item = pystac.Item(
        id=name if len(product.tiles) == 1 else f"{name}_T{tile.mgrs}",
        geometry=(
            {"type": "Polygon", "coordinates": rings}
            if len(rings) == 1
            else {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
        ),
        bbox=list(bounding_box(rings)),
        datetime=tile.sensing_time,
        properties=_list_properties(product, tile, grid),
        stac_extensions=list(_EXTENSIONS),
    )
    finest: dict[str, int] = {}
    for kind, resolution in tile.images:
        if resolution is not None:
            finest[kind] = min(resolution, finest.get(kind, resolution))
    for (kind, resolution), path in sorted(tile.images.items(), key=str):
        # the finest image of a kind has its plain name
        plain = resolution is None or resolution == finest[kind]
        key = kind if plain else f"{kind}_{resolution}m"
        asset = pystac.Asset(
            href=f"./{path.relative_to(product.path.parent).as_posix()}",
            title=_find_title(kind, resolution),
            media_type=_MEDIA_TYPES[path.suffix],
            roles=_ROLES.get(kind, ["data"]),
            extra_fields=_list_asset_fields(product, tile, kind, resolution),
        )
        item.add_asset(key, asset)
    for key, path, title in (
        ("product-metadata", product.metadata_path, "Product metadata"),
        ("safe-manifest", product.path / "manifest.safe", "SAFE manifest"),
    ):
        if path.is_file():
            href = f"./{path.relative_to(product.path.parent).as_posix()}"
            item.add_asset(key, pystac.Asset(href, title, None, "application/xml", ["metadata"]))
    return item


def _list_properties(product: Level2AReader, tile: Level2ATileReader, grid: Grid) -> dict[str, Any]:
    spacecraft = product.spacecraft.lower()
    return {
        "created": _format_moment(product.generated),
        "start_datetime": _format_moment(product.start),
        "end_datetime": _format_moment(product.stop),
        "platform": spacecraft,
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "gsd": grid.pixel_size,
        "eo:cloud_cover": round(product.cloud_cover, 4),
        "eo:snow_cover": round(product.percentages.get("SNOW_ICE", 0.0), 4),
        "view:sun_azimuth": tile.solar_azimuth,
        "view:sun_elevation": 90.0 - tile.solar_zenith,
        **_average_view_angles(tile),
        "proj:code": f"EPSG:{grid.epsg}",
        "proj:shape": list(grid.shape),
        "proj:transform": _find_transform(grid),
        "proj:bbox": list(grid.bounds),
        "sat:orbit_state": product.orbit_direction.lower(),
        "sat:relative_orbit": product.relative_orbit,
        "processing:level": "L2A",
        "processing:software": {"sen2cor": __version__},
        "processing:version": product.baseline,
    }


def _average_view_angles(tile: Level2ATileReader) -> dict[str, float]:
    """Average the view angles over the bands, the azimuths as unit vectors."""
    if not tile.view_zenith:
        return {}
    number = len(tile.view_zenith)
    azimuths = [math.radians(azimuth) for azimuth in tile.view_azimuth.values()]
    y, x = sum(map(math.sin, azimuths)), sum(map(math.cos, azimuths))
    zenith = sum(tile.view_zenith.values()) / number
    return {
        "view:incidence_angle": round(zenith, 4),
        "view:azimuth": round(math.degrees(math.atan2(y, x)) % 360.0, 4),
    }


def _list_asset_fields(
    product: Level2AReader, tile: Level2ATileReader, kind: str, resolution: int | None
) -> dict[str, Any]:
    if resolution is None:
        return {}
    grid = tile.grids[resolution]
    fields: dict[str, Any] = {
        "gsd": resolution,
        "proj:shape": list(grid.shape),
        "proj:transform": _find_transform(grid),
    }
    band = kind.removeprefix("UNC_")
    if band in BAND:
        fields["eo:bands"] = [
            {
                "name": band,
                "common_name": BAND[band].common_name,
                "center_wavelength": BAND[band].wavelength,
                "full_width_half_max": BAND[band].full_width_half_max,
            }
        ]
    raster: dict[str, Any] = {"spatial_resolution": resolution}
    if kind in BAND:
        scale = 1.0 / product.quantification
        raster |= {"data_type": "uint16", "nodata": NO_DATA, "scale": scale,
                   "offset": product.offset * scale}  # fmt: skip
    elif band in BAND:
        raster |= {"data_type": "uint16", "nodata": NO_DATA, "scale": 1.0 / product.quantification}
    elif kind == "AOT":
        raster |= {"data_type": "uint16", "nodata": NO_DATA, "scale": 1.0 / AOT_QUANTIFICATION}
    elif kind == "WVP":
        raster |= {"data_type": "uint16", "nodata": NO_DATA, "unit": "cm",
                   "scale": 1.0 / WATER_VAPOUR_QUANTIFICATION}  # fmt: skip
    elif kind in ("CLD", "SNW"):
        raster |= {"data_type": "uint8", "unit": "%"}
    elif kind == "SCL":
        raster |= {"data_type": "uint8", "nodata": NO_DATA}
    if len(raster) > 1:
        fields["raster:bands"] = [raster]
    return fields


def _find_title(kind: str, resolution: int | None) -> str:
    band = kind.removeprefix("UNC_")
    if band not in BAND:
        title = _TITLES[kind]
    elif band != kind:
        title = f"Uncertainty of the surface reflectance, {band}"
    else:
        title = f"Surface reflectance, {band}"
    return title if resolution is None else f"{title}, {resolution} m"


def _find_outlines(grid: Grid) -> list[list[tuple[float, float]]]:
    """Return the corners in longitude and latitude, counter-clockwise and closed.

    Two outlines of a tile that crosses the date line, as GeoJSON requires.
    """
    corners = [(round(longitude, 7), round(latitude, 7)) for longitude, latitude in footprint(grid)]
    return [
        [(longitude, round(latitude, 7)) for longitude, latitude in ring]
        for ring in split_at_date_line(corners)
    ]


def _find_transform(grid: Grid) -> list[float]:
    """Return the affine transformation in the order of the projection extension."""
    return [grid.pixel_size, 0.0, grid.ulx, 0.0, -grid.pixel_size, grid.uly]


def _format_moment(moment: Any) -> str:
    return str(moment.isoformat().replace("+00:00", "Z"))
