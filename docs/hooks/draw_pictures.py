"""Draw the pictures of the pages from products of simulated scenes.

``python docs/hooks/draw_pictures.py FOLDER`` simulates and processes the scenes in a folder, and
writes ``docs/assets/pictures/*.jpg``. What exists in the folder is used.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from sen2cor import load_settings, process
from sen2cor.bands import VISIBLE
from sen2cor.product.level1c.reader import open_level1c
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.reporting.legends import add_class_legend, add_scale, hatch
from sen2cor.reporting.palette import PALETTES, parse_colour
from sen2cor.reporting.quicklook import (
    SurfaceImages,
    apply_scale,
    draw_true_colour,
    find_limits,
    find_picture_shape,
    sample_toa_reflectance,
)
from sen2cor.simulation.create_product import simulate
from sen2cor.simulation.scenes import SCENES

PICTURES = Path(__file__).resolve().parents[1] / "assets" / "pictures"
SIDE = 480
OPTIONS = ("Generate_QA_Output=TRUE", "Generate_Uncertainty_Output=TRUE")
INTERPOLATED = 256


class Scene:
    """Images of a simulated scene, before and after."""

    def __init__(self, name: str, folder: Path, size: int) -> None:
        place = folder / name
        found = sorted(place.glob("*MSIL1C*.SAFE"))
        path = found[0] if found else simulate(SCENES[name], place, size=size)
        dem = path.with_suffix(".truth") / "dem"
        options = [*OPTIONS, *([f"DEM_Directory={dem}"] if dem.is_dir() else [])]
        settings = load_settings().assign(options)
        outcome = process(path, settings=settings, report=False)
        product = open_level2a(outcome.product)
        self.surface = SurfaceImages.from_product(product, product.tiles[0])
        self.shape = find_picture_shape(self.surface.grid, SIDE)
        level1c = open_level1c(path)
        self.top = draw_true_colour(
            [
                sample_toa_reflectance(level1c, level1c.tiles[0], band, self.shape)
                for band in VISIBLE
            ]
        )
        self.bottom = draw_true_colour(
            [self.surface.sample_reflectance(band, self.shape) for band in VISIBLE]
        )

    def classes(self) -> np.ndarray:
        """Draw the classes."""
        codes = self.surface.sample_numbers("SCL", self.shape)
        colours = np.array([parse_colour(colour) for colour in PALETTES["standard"]], np.uint8)
        return add_class_legend(colours[codes], codes, "standard")

    def chart(self, kind: str, scale: float, span: float, title: str) -> np.ndarray:
        """Draw a map with its scale."""
        values = self.surface.sample_numbers(kind, self.shape) / scale
        limits = find_limits(values[values > 0], span)
        image = apply_scale(values, limits, values == 0)
        if kind == "AOT":
            image = hatch(
                image, (self.surface.sample_numbers("QUA", self.shape) & INTERPOLATED) > 0
            )
        return add_scale(image, limits, title)


def write(name: str, *images: np.ndarray) -> None:
    """Write images side by side on white paper."""
    gap = 8
    height = max(len(image) for image in images)
    page = np.full((height, sum(i.shape[1] for i in images) + gap * (len(images) - 1), 3), 255)
    left = 0
    for image in images:
        page[: len(image), left : left + image.shape[1]] = image
        left += image.shape[1] + gap
    Image.fromarray(page.astype(np.uint8)).save(PICTURES / f"{name}.jpg", quality=82)


def main() -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    PICTURES.mkdir(parents=True, exist_ok=True)
    summer = Scene("summer", folder, 6000)
    write("demonstration", summer.top, summer.bottom, summer.classes())
    write("scene_classification", summer.bottom, summer.classes())
    write("surface_reflectance", summer.top, summer.bottom)
    write(
        "aerosol",
        summer.chart("AOT", 1e3, 0.02, "optical thickness; hatched: interpolated"),
        summer.chart("UNC_AOT", 1e3, 0.02, "its standard uncertainty"),
    )
    write("water_vapour", summer.bottom, summer.chart("WVP", 1e3, 0.2, "water vapour, cm"))
    write(
        "uncertainty",
        summer.bottom,
        summer.chart("UNC_B04", 1e4, 0.005, "standard uncertainty of reflectance, B04"),
    )
    for name, page, size in (("cirrus_land", "cirrus", 12000), ("steep", "terrain", 6000)):
        scene = Scene(name, folder, size)
        write(page, scene.top, scene.bottom)


if __name__ == "__main__":
    main()
