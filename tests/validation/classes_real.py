"""Scene classification of real scenes, by compatible and improved rules and by s2cloudless.

``python -m tests.validation.classes_real`` prints the percentage of each class, and for the scenes
with polygons drawn by eye (``polygons``) the classes within them; ``--pictures`` draws the scenes
and their classes. Clouds by s2cloudless are added where it is installed. T18SVG and T56JMM hold no
cloud: every pixel of classes 3, 8, 9 and 10 is wrong there. Then follow the clouds and shadows of
the cloud reference and the official maps of Slovenia and Barbellino. The images are averaged to
20 m; B10 is interpolated linearly.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    DETECTOR_BANDS,
    SunGeometry,
    classify,
    detect_clouds,
    find_cloud_detector,
)
from sen2cor.classification.parameters import S2CLOUDLESS
from sen2cor.classification.validity import find_no_data
from sen2cor.imagery import jpeg2000
from sen2cor.optional_packages import is_available
from sen2cor.raster.resampling import bilinear, block_mean, positions
from sen2cor.reporting.palette import SCENE_CLASS_COLOURS
from tests.benchmarks.simulated_run import colour
from tests.validation.classification import MODES, Case, cloud_reference, confusion, slovenia

Image = npt.NDArray[np.float32]
Classes = npt.NDArray[np.uint8]

POLYGONS = Path(__file__).parent / "polygons"

SCENES = {
    "T18SVG": ("pixels/t18svg_2016_l1c", SunGeometry(61.94, 160.04, 20.0)),
    "Berlin": ("pixels/berlin_2017_l1c", SunGeometry(66.07, 163.24, 20.0)),
    "T56JMM": (
        "l1c_products/S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.SAFE",
        SunGeometry(59.52, 28.98, 500.0),
    ),
}
"""Folder, and mean angles of the sun: of the metadata, or computed from place and time. The images
of T56JMM are decimated: a pixel stands for 500 m."""

PAIR_38D, PAIR_38D_SUN = "l1c_l2a_pairs/38D_378R_2_3.npz", SunGeometry(38.8, 46.0, 20.0)
CASES = ("pair_433D_20m_dem", "pair_609U_20m", "barbellino_20170703_20m")

ACCEPTED = {
    "cloud": (8, 9, 10),
    "veil": (7, 8, 9, 10),
    "ground": (2, 4, 5, 6),
    "water": (6,),
    "shadow": (3,),
    "beach": (5,),
    "surf": (5, 6),
    "marsh": (2, 4, 5, 6),
}
"""Right classes by class of the polygons."""


@dataclass(frozen=True)
class RealScene:
    """Reflectance of a real scene at 20 m.

    Attributes
    ----------
    name : str
    reflectance : mapping of band name to ndarray of float32, shape (rows, cols)
    no_data : ndarray of bool, shape (rows, cols)
    sun : SunGeometry
    polygons : mapping of name to ndarray of bool, shape (rows, cols)
        Pixels of each class of the polygons; empty without polygons.
    """

    name: str
    reflectance: Mapping[str, Image]
    no_data: npt.NDArray[np.bool_]
    sun: SunGeometry
    polygons: Mapping[str, npt.NDArray[np.bool_]]

    def classify(self) -> dict[str, Classes]:
        """Class maps by mode; with clouds by s2cloudless too, where it is installed."""
        maps = {
            mode: classify(
                self.reflectance, self.no_data, sun=self.sun, parameters=parameters
            ).scene_class
            for mode, parameters in MODES.items()
        }
        if is_available("cloudmask") and self.reflectance.keys() >= set(DETECTOR_BANDS):
            maps[S2CLOUDLESS] = classify(
                self.reflectance,
                self.no_data,
                sun=self.sun,
                cloud_probability=self._detect_clouds(),
            ).scene_class
        return maps

    def _detect_clouds(self) -> npt.NDArray[np.uint8]:
        """Cloud probability in percent of s2cloudless, which sees 60 m."""
        detector = find_cloud_detector(S2CLOUDLESS)
        assert detector is not None
        rows, cols = self.no_data.shape
        edge = (0, -rows % 3), (0, -cols % 3)
        coarse = {
            band: block_mean(np.pad(self.reflectance[band], edge, mode="edge"), 3)
            for band in DETECTOR_BANDS
        }
        found = detect_clouds(detector, coarse).astype(np.float32)
        enlarged = bilinear(found, positions(rows, 3), positions(cols, 3))
        return np.asarray(np.rint(enlarged), np.uint8)


def read_scene(data: Path, name: str) -> RealScene:
    """Read a scene of `SCENES`."""
    folder, sun = SCENES[name]
    images = {
        band: jpeg2000.read(next((data / folder).rglob(f"*_{band}.jp2"))).astype(np.float32)
        for band in dict.fromkeys((*CLASSIFICATION_BANDS, *DETECTOR_BANDS))
    }
    return _make_scene(name, images, sun, POLYGONS / f"{Path(folder).name}.geojson")


def read_pair(data: Path) -> RealScene:
    """Read pair 38D."""
    with np.load(data / PAIR_38D) as archive:
        images = {band: archive[f"L1C_{band}"].astype(np.float32) for band in CLASSIFICATION_BANDS}
    return _make_scene("pair 38D", images, PAIR_38D_SUN, None)


def _make_scene(
    name: str, images: Mapping[str, Image], sun: SunGeometry, polygons: Path | None
) -> RealScene:
    shape = images["B8A"].shape[0], images["B8A"].shape[1]
    numbers = {band: _to_grid(image, shape) for band, image in images.items()}
    masks = {}
    if polygons is not None and polygons.is_file():
        masks = rasterize_polygons(polygons, shape)
    reflectance = {band: image * np.float32(1e-4) for band, image in numbers.items()}
    no_data = find_no_data({band: numbers[band] for band in CLASSIFICATION_BANDS})
    return RealScene(name, reflectance, no_data, sun, masks)


def _to_grid(image: Image, shape: tuple[int, int]) -> Image:
    """Average or interpolate an image to the grid of 20 m."""
    if image.shape == shape:
        return image
    rows, cols = shape
    if image.shape[0] > rows:
        padded = np.pad(image, ((0, 2), (0, 2)), mode="edge")[: 2 * rows, : 2 * cols]
        return np.asarray(padded.reshape(rows, 2, cols, 2).mean(axis=(1, 3)), np.float32)
    return bilinear(image, positions(rows, 3), positions(cols, 3))


def rasterize_polygons(path: Path, shape: tuple[int, int]) -> dict[str, npt.NDArray[np.bool_]]:
    """Pixels of 20 m whose centres lie in the polygons of a file, by class of the polygons."""
    from matplotlib.path import Path as Outline

    row, col = np.indices(shape)
    centres = 2.0 * np.stack([col.ravel(), row.ravel()], axis=1) + 1.0
    masks: dict[str, npt.NDArray[np.bool_]] = {}
    for feature in json.loads(path.read_text())["features"]:
        outline = Outline(feature["geometry"]["coordinates"][0])
        inside = outline.contains_points(centres).reshape(shape)
        kind = feature["properties"]["class"]
        masks[kind] = masks.get(kind, np.zeros(shape, np.bool_)) | inside
    return masks


def print_percentages(maps: Mapping[str, Classes]) -> Iterator[str]:
    """Percentage of each class by mode, of the pixels with data."""
    yield f"  {'class':<12}" + "".join(f"{code:>8}" for code in range(1, 12))
    for mode, classes in maps.items():
        counts = np.bincount(classes.ravel(), minlength=12)[1:12]
        percent = 100 * counts / max(counts.sum(), 1)
        yield f"  {mode:<12}" + "".join(f"{value:8.3f}" for value in percent)


def print_polygons(scene: RealScene, maps: Mapping[str, Classes]) -> Iterator[str]:
    """Percentage of each class within the polygons, and of the accepted classes."""
    if not scene.polygons:
        return
    for mode, classes in maps.items():
        yield f"  polygons, {mode}: percent of their pixels by class"
        yield f"  {'':<10}{'pixels':>8}" + "".join(f"{c:>7}" for c in range(2, 12)) + "   right"
        for kind, mask in scene.polygons.items():
            found = classes[mask & ~scene.no_data]
            percent = 100 * np.bincount(found, minlength=12) / found.size
            cells = "".join(f"{value:7.2f}" for value in percent[2:])
            right = percent[list(ACCEPTED[kind])].sum()
            yield f"  {kind:<10}{found.size:>8}{cells}{right:8.2f}"


def draw(scene: RealScene, maps: Mapping[str, Classes], folder: Path) -> None:
    """Draw true colour and the class maps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.colors import ListedColormap

    _, colours = zip(*SCENE_CLASS_COLOURS, strict=True)
    bands = [scene.reflectance[band] for band in ("B04", "B03", "B02")]
    height, width = bands[0].shape
    wide, number = width > 1.5 * height, 1 + len(maps)
    figure, axes = pyplot.subplots(
        *((number, 1) if wide else (1, number)),
        figsize=(13, 6.7 * number) if wide else (8 * number, 8.5),
        layout="constrained",
    )
    axes[0].imshow(colour(list(bands), float(np.percentile(bands[0], 99))))
    axes[0].set_title(f"{scene.name}: top of atmosphere")
    for axis, (mode, classes) in zip(axes[1:], maps.items(), strict=True):
        axis.imshow(
            classes, cmap=ListedColormap(colours), vmin=-0.5, vmax=11.5, interpolation="none"
        )
        axis.set_title(mode)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{scene.name.replace(' ', '_')}.png", dpi=70)
    pyplot.close(figure)


def report(data: Path, names: list[str], pictures: Path | None) -> Iterator[str]:
    """Lines of the report."""
    for name in names:
        scene = read_pair(data) if name == "38D" else read_scene(data, name)
        maps = scene.classify()
        yield f"\n{scene.name}: {np.count_nonzero(~scene.no_data)} pixels with data, percent"
        yield from print_percentages(maps)
        yield from print_polygons(scene, maps)
        if pictures is not None:
            draw(scene, maps, pictures)


def report_references(data: Path) -> Iterator[str]:
    """Lines of the scenes that other validations hold, with their references."""
    for name in CASES:
        case = Case.load(data / "classification_cases" / f"{name}.npz")
        maps = {mode: case.classify(parameters).scene_class for mode, parameters in MODES.items()}
        yield f"\n{case.name}: {np.count_nonzero(~case.no_data)} pixels with data, percent"
        yield from print_percentages(maps)
    path = data / "pixels" / "barbellino_l1c_l2a_scl" / "S2A2A_20170703_022_Barbellino_SCL_10.tif"
    if path.is_file():
        yield "official map of the last (version not known; no elevation), improved rules"
        yield from confusion(_read_tiff(path).ravel(), maps["improved"].ravel())
    yield ""
    yield from cloud_reference(data)
    yield ""
    yield from slovenia(data)


def _read_tiff(path: Path) -> Classes:
    from osgeo import gdal

    return np.asarray(gdal.Open(str(path)).ReadAsArray(), np.uint8)


def main() -> int:
    """Print the report; exit code 1 without the reference data."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [*SCENES, "38D"]
    parser.add_argument("--scene", nargs="+", choices=names, metavar="NAME", help="only these")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw a picture of each scene")
    options = parser.parse_args()
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    data = Path(os.environ.get("SEN2COR_TEST_DATA", default))
    if not (data / "pixels").is_dir():
        print(f"no real scenes below {data}; set SEN2COR_TEST_DATA", file=sys.stderr)
        return 1
    for line in report(data, options.scene or names, options.pictures):
        print(line)
    if options.scene is None:
        for line in report_references(data):
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
