"""Make an item of a product with stactools-sentinel2 and let pystac validate it."""

from __future__ import annotations

import json
from pathlib import Path

from found import tell
from pystac import STACObjectType
from pystac.validation import RegisteredValidator
from pystac.validation.stac_validator import GetSchemaError
from stactools.sentinel2.constants import BANDS_TO_ASSET_NAME
from stactools.sentinel2.stac import create_item


def look(product: Path) -> dict:
    item = create_item(str(product))
    document = json.loads(json.dumps(item.to_dict()))
    validator = RegisteredValidator.get_validator()
    version = document["stac_version"]
    validator.validate_core(document, STACObjectType.ITEM, version)
    unreachable = 0
    for extension in item.stac_extensions:
        try:
            validator.validate_extension(document, STACObjectType.ITEM, version, extension)
        except GetSchemaError:
            unreachable += 1
    number = len(item.stac_extensions)
    absent = [asset.href for asset in item.assets.values() if not Path(asset.href).is_file()]
    assert not absent, f"assets that are not there: {absent}"
    names = {asset: band for band, asset in BANDS_TO_ASSET_NAME.items()}
    return {
        "bands": sorted(names[asset] for asset in names if asset in item.assets),
        "sun_zenith": 90.0 - item.properties["view:sun_elevation"],
        "classes": "asset" if any(name.startswith("scl") for name in item.assets) else None,
        "remark": f"item valid; schemas of {number - unreachable} of {number} extensions reachable",
    }


if __name__ == "__main__":
    tell(look)
