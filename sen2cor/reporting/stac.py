"""STAC items of Level-2A products, one per tile, and collections of them.

pystac writes them by the STAC specification 1.1. An item is stored beside the product and refers to
images by relative paths, or by addresses below a base that the user gives.

Of the projection extension, version 1.2 is the one that has both ``proj:code`` and ``proj:epsg``,
which stackstac needs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sen2cor import __version__
from sen2cor.bands import BAND, BAND_NAMES, BANDS, NO_DATA, RESOLUTIONS
from sen2cor.files import raise_output_error, replace_on_success
from sen2cor.imagery.image_description import ImageDescription
from sen2cor.optional_packages import require
from sen2cor.product.level2a.reader import Level2AReader, Level2ATileReader
from sen2cor.raster.coordinates import bounding_box, footprint, split_at_date_line
from sen2cor.raster.grids import Grid
from sen2cor.reporting.image_descriptions import TITLES, describe_image

if TYPE_CHECKING:
    import pystac

_EXTENSIONS = tuple(
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in (
        "eo/v1.1.0", "view/v1.0.0", "projection/v1.2.0", "sat/v1.0.0", "raster/v1.1.0",
        "processing/v1.2.0", "grid/v1.1.0", "classification/v2.0.0",
    )
)  # fmt: skip

QUICK_LOOKS = ("TCI", "SCL", "AOT", "WVP", "CLD")
"""Kinds of the quick looks that become assets."""

_MEDIA_TYPES = {
    ".jp2": "image/jp2",
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
}

_OF_BANDS = ("", *(f"_{name}" for name in BAND_NAMES))

_ROLES = {
    **{band.name: ["data", "reflectance"] for band in BANDS},
    **{f"UNC_{what}": ["metadata", "uncertainty"] for what in (*BAND_NAMES, "AOT")},
    "SZA": ["metadata", "sun-zenith"],
    "SAA": ["metadata", "sun-azimuth"],
    **{f"VZA{band}": ["metadata", "incidence-angle"] for band in _OF_BANDS},
    **{f"VAA{band}": ["metadata", "azimuth"] for band in _OF_BANDS},
    "SCL": ["data", "classification"],
    "CLD": ["metadata", "cloud"],
    "SNW": ["metadata", "snow-ice"],
    "TCI": ["visual"],
    "PVI": ["overview"],
    "QUA": ["metadata", "data-mask"],
    "DDV": ["metadata"],
    "DEM": ["metadata"],
}


def build_items(product: Level2AReader, base: str | None = None) -> list[pystac.Item]:
    """Describe a product as STAC items, one per tile.

    Parameters
    ----------
    product : Level2AReader
    base : str, optional
        Address of the folder that holds the product, for example ``https://host/level2a``.

    Returns
    -------
    list of pystac.Item
        With a base, assets have addresses and the item has a link to itself; without, the paths of
        assets are relative to the folder that holds the product.

    Raises
    ------
    AuxiliaryDataError
        pystac is not installed.
    """
    return [_build_item(product, tile, base) for tile in product.tiles]


def write_items(
    product: Level2AReader, base: str | None = None, collection: str | None = None
) -> list[Path]:
    """Write the STAC items of a product beside it.

    Parameters
    ----------
    product : Level2AReader
    base : str, optional
        As of `build_items`.
    collection : str, optional
        Identifier of the collection in ``collection.json`` beside the items.

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
    for item in build_items(product, base):
        path = product.path.parent / f"{item.id}.json"
        document = item.to_dict(include_self_link=base is not None)
        if collection is not None:
            join_collection(document, collection, base)
        write_document(path, document)
        paths.append(path)
    return paths


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Write JSON.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with raise_output_error(path), replace_on_success(path) as part:
        part.write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")


def join_collection(item: dict[str, Any], collection: str, base: str | None) -> None:
    """Make an item a member of the collection in ``collection.json`` beside it."""
    item["collection"] = collection
    href = build_address(base, "collection.json")
    for relation in ("collection", "parent"):
        item["links"].append({"rel": relation, "href": href, "type": "application/json"})


def build_address(base: str | None, path: str) -> str:
    """Return the address of a file below a base, or its relative path."""
    return f"./{path}" if base is None else f"{base.rstrip('/')}/{quote(path)}"


def _build_item(product: Level2AReader, tile: Level2ATileReader, base: str | None) -> pystac.Item:
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
    if base is not None:
        item.set_self_href(build_address(base, f"{item.id}.json"))
    folder = product.path.parent

    def add(key: str, path: Path, asset: pystac.Asset) -> None:
        asset.href = build_address(base, path.relative_to(folder).as_posix())
        item.add_asset(key, asset)

    finest: dict[str, int] = {}
    for kind, resolution in tile.images:
        if resolution is not None:
            finest[kind] = min(resolution, finest.get(kind, resolution))
    for (kind, resolution), path in sorted(tile.images.items(), key=str):
        # the finest image of a kind has its plain name
        plain = resolution is None or resolution == finest[kind]
        description = describe_image(kind, product.quantification, product.offset)
        asset = pystac.Asset(
            href="",
            title=description.title + (f", {resolution} m" if resolution else ""),
            media_type=_MEDIA_TYPES[path.suffix],
            roles=_ROLES.get(kind, ["data"]),
            extra_fields=_list_asset_fields(tile, kind, resolution, description),
        )
        add(kind if plain else f"{kind}_{resolution}m", path, asset)
    for key, path, title, media_type, roles in _list_files(product, item.id):
        add(key, path, pystac.Asset("", title, None, media_type, roles))
    return item


def _list_files(
    product: Level2AReader, item: str
) -> Iterator[tuple[str, Path, str, str, list[str]]]:
    """Yield key, path, title, media type and roles of the files that are no images of the tile."""
    xml, metadata = "application/xml", ["metadata"]
    for key, path, title in (
        ("product-metadata", product.metadata_path, "Product metadata"),
        ("safe-manifest", product.path / "manifest.safe", "SAFE manifest"),
    ):
        if path.is_file():
            yield key, path, title, xml, metadata
    # the latest of several runs
    for path in sorted(product.path.glob("*_report.html"))[-1:]:
        yield "report", path, "Report of the run", "text/html", metadata
    for path in sorted(product.path.glob("*_run.json"))[-1:]:
        yield "run", path, "Record of the run", "application/json", metadata
    for kind in QUICK_LOOKS:
        path = product.path.with_name(f"{item}_{kind}.png")
        if path.is_file():
            roles = ["thumbnail"] if kind == "TCI" else ["overview"]
            yield f"quicklook-{kind}", path, f"Quick look: {TITLES[kind]}", "image/png", roles


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
        "grid:code": f"MGRS-{tile.mgrs}",
        "proj:code": f"EPSG:{grid.epsg}",
        "proj:epsg": grid.epsg,
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
    tile: Level2ATileReader, kind: str, resolution: int | None, description: ImageDescription
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
    if kind != "TCI":
        fields["raster:bands"] = [_describe_raster(kind, resolution, description)]
    if description.classes:
        fields["classification:classes"] = [
            {"value": code, "name": _make_name(name), "title": name, "description": name,
             "color_hint": "{:02X}{:02X}{:02X}".format(*colour), "nodata": code == NO_DATA}
            for code, (name, colour) in enumerate(description.classes)
        ]  # fmt: skip
    if description.bits:
        fields["classification:bitfields"] = [
            {"offset": bit, "length": 1, "name": _make_name(name), "description": name,
             "classes": [{"value": value, "name": text, "description": f"{name}: {text}"}
                         for value, text in enumerate(("no", "yes"))]}
            for bit, name in enumerate(description.bits)
        ]  # fmt: skip
    return fields


def _describe_raster(kind: str, resolution: int, description: ImageDescription) -> dict[str, Any]:
    raster: dict[str, Any] = {
        "spatial_resolution": resolution,
        "data_type": "uint8" if kind in ("SCL", "CLD", "SNW", "DDV") else "uint16",
    }
    if description.no_data is not None:
        raster["nodata"] = description.no_data
    if description.is_scaled:
        raster |= {"scale": description.scale, "offset": description.offset}
    if description.unit not in ("", "1"):
        raster["unit"] = description.unit
    return raster


def _make_name(text: str) -> str:
    return "_".join(text.replace(",", "").split())


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
