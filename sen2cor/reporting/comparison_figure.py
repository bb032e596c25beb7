"""Figure of a product: top of atmosphere, surface and scene classes side by side.

``python -m sen2cor.reporting.comparison_figure LEVEL1C LEVEL2A PICTURE.png``
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np

from sen2cor.bands import VISIBLE
from sen2cor.errors import InputError
from sen2cor.optional_packages import require
from sen2cor.product.level1c.reader import Level1CProduct, open_level1c
from sen2cor.product.level2a.reader import Level2AReader, open_level2a
from sen2cor.raster.array_types import Float32Array
from sen2cor.reporting.palette import SCENE_CLASS_COLOURS
from sen2cor.reporting.quicklook import SurfaceImages, find_picture_shape, sample_toa_reflectance

_MAX_SIDE = 1400


def draw_comparison(level1c: Level1CProduct, level2a: Level2AReader, picture: Path) -> None:
    """Draw the three panels for the first tile.

    Parameters
    ----------
    level1c : Level1CProduct
    level2a : Level2AReader
        Level-2A product made from it.
    picture : Path
        PNG file to write.

    Raises
    ------
    InputError
        The Level-2A product contains no visible bands or no scene classification.
    """
    require("report", "a picture")
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    tile = SurfaceImages.from_product(level2a, level2a.tiles[0])
    shape = find_picture_shape(tile.grid, _MAX_SIDE)
    top = _stack_colours(
        [sample_toa_reflectance(level1c, level1c.tiles[0], band, shape) for band in VISIBLE]
    )
    visible = [
        band for name in VISIBLE if (band := tile.sample_reflectance(name, shape)) is not None
    ]
    classes = tile.sample_numbers("SCL", shape)
    if len(visible) < len(VISIBLE) or classes is None:
        raise InputError(
            f"{level2a.path}: visible bands or classes missing; process all resolutions"
        )
    names, colours = zip(*SCENE_CLASS_COLOURS, strict=True)
    figure, axes = pyplot.subplots(
        1, 3, figsize=(21, 2.5 + 5.5 * shape[0] / shape[1]), layout="constrained"
    )
    # the same stretch for both reflectances, so that only the haze differs
    white = float(np.percentile(top[top > 0], 98)) if (top > 0).any() else 1.0
    for axis, image, title in (
        (axes[0], top, "top of atmosphere"),
        (axes[1], _stack_colours(visible), "surface"),
    ):
        axis.imshow(np.clip(image / white, 0.0, 1.0) ** (1 / 1.6))
        axis.set_title(title)
    axes[2].imshow(
        classes, cmap=ListedColormap(colours), vmin=-0.5, vmax=11.5, interpolation="none"
    )
    axes[2].set_title("scene classification")
    fraction = np.bincount(classes.ravel(), minlength=12) / classes.size
    axes[2].legend(
        handles=[
            Patch(
                facecolor=colours[code],
                edgecolor="0.3",
                label=f"{names[code]} {fraction[code]:.1%}",
            )
            for code in range(12)
            if fraction[code] > 0
        ],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
    )
    for axis in axes:
        axis.set_axis_off()
    figure.suptitle(level2a.path.name)
    figure.savefig(picture, dpi=100)
    pyplot.close(figure)


def _stack_colours(bands: list[Float32Array]) -> Float32Array:
    """Stack red, green and blue; 0 without data."""
    image: Float32Array = np.nan_to_num(np.stack(bands, axis=-1))
    return image


def main() -> None:
    """Draw a figure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("level1c", type=Path)
    parser.add_argument("level2a", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    draw_comparison(open_level1c(options.level1c), open_level2a(options.level2a), options.picture)


if __name__ == "__main__":
    main()
