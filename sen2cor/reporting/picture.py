"""A picture of a product: top of atmosphere beside surface beside classes.

``python -m sen2cor.reporting.picture LEVEL1C LEVEL2A PICTURE.png``
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND
from sen2cor.errors import InputError
from sen2cor.grids import Float32Array
from sen2cor.imagery import jpeg2000
from sen2cor.product.level1c import Level1CProduct, open_level1c
from sen2cor.reporting.palette import SCENE_CLASS_COLOURS

_LARGEST_SIDE = 1400
_VISIBLE = ("B04", "B03", "B02")


def draw(level1c: Level1CProduct, level2a: Path, picture: Path) -> None:
    """Draw the three panels for the first tile.

    Parameters
    ----------
    level1c : Level1CProduct
    level2a : Path
        The Level-2A product made from it.
    picture : Path
        PNG to write.

    Raises
    ------
    InputError
        The Level-2A product holds no true colour image or class map.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    top = _top_of_atmosphere(level1c)
    surface = _surface(level2a)
    classes = _shown(_first(level2a, "SCL"))
    names, colours = zip(*SCENE_CLASS_COLOURS, strict=True)
    figure, axes = pyplot.subplots(
        1, 3, figsize=(21, 2.5 + 5.5 * top.shape[0] / top.shape[1]), layout="constrained"
    )
    # the two reflectances share one stretch, so that the haze between them is what differs
    white = float(np.nanpercentile(top[top > 0], 98)) if (top > 0).any() else 1.0
    for axis, image, title in (
        (axes[0], top, "top of atmosphere"),
        (axes[1], surface, "surface"),
    ):
        axis.imshow(np.clip(image / white, 0.0, 1.0) ** (1 / 1.6))
        axis.set_title(title)
    axes[2].imshow(
        classes, cmap=ListedColormap(colours), vmin=-0.5, vmax=11.5, interpolation="none"
    )
    axes[2].set_title("scene classification")
    share = np.bincount(classes.ravel(), minlength=12) / classes.size
    axes[2].legend(
        handles=[
            Patch(
                facecolor=colours[code], edgecolor="0.3", label=f"{names[code]} {share[code]:.1%}"
            )
            for code in range(12)
            if share[code] > 0
        ],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
    )
    for axis in axes:
        axis.set_axis_off()
    figure.suptitle(level2a.name)
    figure.savefig(picture, dpi=100)
    pyplot.close(figure)


def _top_of_atmosphere(level1c: Level1CProduct) -> Float32Array:
    tile = level1c.tiles[0]
    bands = []
    for band in _VISIBLE:
        numbers = _shown(tile.bands[band]).astype(np.float32)
        reflectance = (numbers + level1c.radiometric_offsets[band]) / level1c.quantification_value
        bands.append(np.where(numbers == 0, 0.0, reflectance))
    return _colour(bands)


def _surface(level2a: Path) -> Float32Array:
    offset, quantification = _scale_of(level2a)
    bands = []
    for band in _VISIBLE:
        numbers = _shown(_first(level2a, band)).astype(np.float32)
        bands.append(np.where(numbers == 0, 0.0, (numbers + offset) / quantification))
    return _colour(bands)


def _colour(bands: list[Float32Array]) -> Float32Array:
    image: Float32Array = np.stack(bands, axis=-1).astype(np.float32)
    return image


def _scale_of(level2a: Path) -> tuple[float, float]:
    """Offset and quantification of surface reflectance, from the product metadata."""
    from lxml import etree

    path = next(iter(sorted(level2a.glob("*MTD*.xml"))), None)
    if path is None:
        raise InputError(f"{level2a}: no product metadata")
    root = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True))
    offset = root.find(".//BOA_ADD_OFFSET")
    value = root.find(".//L2A_BOA_QUANTIFICATION_VALUE")
    if value is None:
        value = root.find(".//BOA_QUANTIFICATION_VALUE")
    return float(offset.text) if offset is not None else 0.0, float(value.text)


def _first(level2a: Path, kind: str) -> Path:
    """Finest image of a kind in the first tile."""
    for resolution in (10, 20, 60):
        for path in sorted(level2a.glob(f"GRANULE/*/IMG_DATA/**/*_{kind}_{resolution}m.jp2")):
            return path
    raise InputError(f"{level2a}: no image of {kind} ({BAND.get(kind, 'class map')})")


def _shown(path: Path) -> npt.NDArray[Any]:
    """Read an image, thinned to a size that a picture needs."""
    info = jpeg2000.describe(path)
    step = max(1, -(-max(info.rows, info.cols) // _LARGEST_SIDE))
    return jpeg2000.read(path)[::step, ::step]


def main() -> None:
    """Draw a picture from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("level1c", type=Path)
    parser.add_argument("level2a", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    draw(open_level1c(options.level1c), options.level2a, options.picture)


if __name__ == "__main__":
    main()
