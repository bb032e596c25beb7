"""Scene classification compared with the truth of simulated scenes.

Clouds at 300 m to 10 km over fields, coast, snow and desert, ice clouds over land and snow, cirrus
over land and snow, burnt ground, large roofs, silty water, slopes in topographic shadow. For every
case the classes are compared with the truth, with the improved rules and with those of Sen2Cor 2.3:
overall accuracy, producer's accuracy (fraction of a true class that is found), user's accuracy
(fraction of a found class that is true), and the fraction of the cloud shadow that is found. Then
the effect of haze under a low sun on clear land.

Pixels of ambiguous truth are not scored: mixed pixels, thin edges of clouds and shadows, cirrus
that is very thin or nearly a cloud (reflectance 0.002 to 0.01 and 0.03 to 0.04; above, it counts as
cloud), and shadows whose cloud lies outside the image.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.reporting.palette import SCENE_CLASS_COLOURS
from sen2cor.simulation.landscapes import SURFACE_CLASSES
from sen2cor.simulation.mgrs_tiles import tile_grid
from sen2cor.simulation.overpass_geometry import Overpass
from sen2cor.simulation.scenes import SCENES, Scene
from tests.benchmarks.simulated_run import colour, image, make, process, toa_reflectance

Mask = npt.NDArray[np.bool_]
Classes = npt.NDArray[np.uint8]

RULES = {"shipped": "IMPROVED", "of 2.3": "SEN2COR_2.3"}
NOT_SCORED = 255
DARK, SHADOW, CLOUD, CIRRUS = 2, 3, 9, 10
_NAMES = {
    2: "topographic shadow", 3: "cloud shadow", 4: "vegetation", 5: "not vegetated", 6: "water",
    7: "unclassified", 9: "cloud (8, 9)", 10: "thin cirrus", 11: "snow, ice",
}  # fmt: skip

_THICK, _THIN = 1.0, 0.05
"""Optical thickness of clouds, also along the way of the shadow."""
_CIRRUS_NONE, _CIRRUS_SURE, _CIRRUS_THIN, _CIRRUS_THICK = 0.002, 0.01, 0.03, 0.04
"""Cirrus reflectance: none up to the first, thin between the next two, cloud from the last on."""

_MAX_SHADED_COSINE = 0.12
"""Cosine of the incidence angle; below, terrain is in its own shadow."""
_PIXEL_SIZE = 20.0
"""Metres."""


@dataclass(frozen=True)
class Case:
    """A scene and its modifications.

    Attributes
    ----------
    name : str
    scene : Scene
    seed : int
    size_km : float
    """

    name: str
    scene: Scene
    seed: int
    size_km: float = 9.0


def _case(name: str, scene: str, seed: int, size_km: float = 9.0, **changes: Any) -> Case:
    base = SCENES[scene]
    states = {"states": base.states_name}
    return Case(name, replace(base, **{**states, **changes}), seed, size_km)


CASES = (
    _case("low clouds", "clear", 3101, cloud_cover=0.15, cloud_height=500.0, cloud_scale=450.0,
          cloud_depth=25.0, cloud_softness=0.5),
    _case("fair-weather clouds", "haze", 3102, cloud_cover=0.15, cloud_height=1500.0,
          cloud_scale=900.0, cloud_softness=0.2, canopies="real"),
    _case("middle clouds", "mie", 3103, cloud_cover=0.15, cloud_height=4000.0,
          cloud_scale=1600.0, cloud_depth=14.0, cloud_softness=0.7),
    _case("high clouds", "clear", 3104, 12.0, cloud_cover=0.12, cloud_height=10000.0,
          cloud_scale=2000.0, cloud_depth=18.0, cloud_softness=0.3, ice_clouds=True),
    _case("coast", "coast", 3105, cloud_cover=0.10, cloud_height=2000.0, cloud_scale=1100.0),
    _case("snow below cirrus", "winter", 3106, cloud_cover=0.0, cirrus_cover=0.6,
          cirrus_depth=0.045),
    _case("snow and clouds", "winter", 3107, cloud_cover=0.15, cloud_height=1000.0,
          cirrus_cover=0.0),
    _case("snow and fog", "winter", 3114, cloud_cover=0.15, cloud_height=300.0, cloud_scale=1500.0,
          cloud_depth=15.0, cloud_softness=0.6, cirrus_cover=0.0),
    _case("snow and ice clouds", "winter", 3115, 12.0, cloud_cover=0.15, cloud_height=8000.0,
          cloud_scale=2000.0, cloud_depth=12.0, ice_clouds=True, cirrus_cover=0.0),
    _case("desert", "arid", 3108, landscape="erg", cloud_cover=0.10, cloud_height=2600.0,
          cirrus_cover=0.0),
    _case("burnt ground and roofs", "clear", 3109, landscape="burnt", cloud_cover=0.10,
          cloud_height=1800.0, cloud_scale=700.0, canopies="real"),
    _case("slopes", "steep", 3110),
    _case("cirrus", "cirrus_land", 3111, cirrus_depth=0.045),
    _case("low sun", "low_clear", 3112, cloud_cover=0.10, cloud_height=1200.0,
          cloud_softness=0.25),
)  # fmt: skip

HAZE = (_case("clear air", "low_clear", 3113, 6.0), _case("haze", "low_haze", 3113, 6.0))


def true_classes(case: Case, truth: Path) -> Classes:
    """True classes at 20 m; `NOT_SCORED` where the truth is ambiguous."""
    surface = SURFACE_CLASSES[np.load(truth / "surface_10m.npy")]
    corners = [surface[i::2, j::2] for i in (0, 1) for j in (0, 1)]
    classes: Classes = corners[0].copy()
    for other in corners[1:]:
        classes[other != corners[0]] = NOT_SCORED
    if (truth / "incidence_20m.npy").exists():
        hidden = np.load(truth / "sunny_20m.npy") < 0.5
        classes[hidden | (np.load(truth / "incidence_20m.npy") < _MAX_SHADED_COSINE)] = DARK
    shade = np.load(truth / "shadow_optical_thickness_20m.npy")
    classes[shade > _THIN] = NOT_SCORED
    classes[(shade > _THICK) & _cloud_in_image(case, shade.shape)] = SHADOW
    cirrus = np.load(truth / "cirrus_reflectance_20m.npy")
    classes[cirrus > _CIRRUS_NONE] = NOT_SCORED
    classes[(cirrus > _CIRRUS_SURE) & (cirrus < _CIRRUS_THIN) & (shade < _THIN)] = CIRRUS
    classes[cirrus > _CIRRUS_THICK] = CLOUD
    depth = np.load(truth / "cloud_optical_thickness_20m.npy")
    classes[depth > _THIN] = NOT_SCORED
    classes[depth > _THICK] = CLOUD
    return classes


def _cloud_in_image(case: Case, shape: tuple[int, ...]) -> Mask:
    """Pixels whose line to the sun meets the cloud height within the image."""
    scene = case.scene
    grid = tile_grid(scene.mgrs, round(1000 * case.size_km))
    overpass = Overpass(grid, scene.sensing_time, scene.track)
    half = 500.0 * case.size_km
    zenith, azimuth = overpass.sun(grid.ulx + half, grid.uly - half)
    reach = scene.cloud_height * np.tan(np.radians(zenith.item())) / _PIXEL_SIZE
    turn = np.radians(azimuth.item() - overpass.convergence())
    rows = np.arange(shape[0])[:, None] - reach * np.cos(turn)
    cols = np.arange(shape[1])[None, :] + reach * np.sin(turn)
    return (rows >= 0) & (rows < shape[0]) & (cols >= 0) & (cols < shape[1])


def grouped(classes: Classes) -> Classes:
    """Class map with clouds of medium and high probability as one class."""
    result = classes.copy()
    result[classes == 8] = CLOUD
    return result


def confusion(truth: Classes, found: Classes) -> npt.NDArray[np.int64]:
    """Numbers of pixels, shape (12, 12): true class by found class."""
    scored = truth != NOT_SCORED
    pairs = 12 * truth[scored].astype(np.int64) + grouped(found)[scored]
    return np.bincount(pairs, minlength=144).reshape(12, 12)


def overall(matrix: npt.NDArray[np.int64]) -> float:
    """Fraction of the pixels whose class is found."""
    return float(np.trace(matrix) / max(matrix.sum(), 1))


def accuracies(matrix: npt.NDArray[np.int64]) -> dict[int, tuple[float, float, int]]:
    """Producer's and user's accuracy and pixels by true class."""
    found = {}
    for code in range(12):
        pixels, called = int(matrix[code].sum()), int(matrix[:, code].sum())
        if pixels:
            hits = matrix[code, code]
            found[code] = hits / pixels, hits / called if called else np.nan, pixels
    return found


def classify(case: Case, rules: str, level1c: Path, truth: Path, folder: Path) -> Classes:
    """Run the classification alone, at 20 m."""
    settings = {"SC_Rules": rules, "Mid_Latitude": "AUTO"}
    if case.scene.terrain is not None:
        settings["DEM_Directory"] = str((truth / "dem").resolve())
    product = process(level1c, folder, settings, "--sc_only", "--resolution", "20")
    classes = image(product, "SCL", 20)
    if classes is None:
        raise SystemExit(f"{product}: no class map")
    return classes.astype(np.uint8)


def draw(case: Case, level1c: Path, maps: Mapping[str, Classes], folder: Path) -> None:
    """Draw true colour, truth and the class maps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    names, colours = zip(*SCENE_CLASS_COLOURS, strict=True)
    shown = [toa_reflectance(level1c, band) for band in ("B04", "B03", "B02")]
    figure, axes = pyplot.subplots(2, 2, figsize=(15, 14), layout="constrained")
    axes[0, 0].imshow(colour(shown, float(np.percentile(shown[0], 97))))
    axes[0, 0].set_title(f"{case.name}: top of atmosphere")
    for axis, (title, classes) in zip(axes.flat[1:], maps.items(), strict=False):
        hidden = np.ma.masked_equal(classes, NOT_SCORED)
        axis.imshow(hidden, cmap=ListedColormap(colours), vmin=-0.5, vmax=11.5,
                    interpolation="none")  # fmt: skip
        axis.set_facecolor("#f5e0b8")
        axis.set_title(title)
    present = sorted({int(c) for classes in maps.values() for c in np.unique(classes)})
    patches = [Patch(facecolor=colours[c], label=names[c]) for c in present if c < 12]
    figure.legend(handles=patches, loc="outside lower center", ncols=6)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{case.name.replace(' ', '_')}.png", dpi=65)
    pyplot.close(figure)


def run_case(case: Case, work: Path, pictures: Path | None) -> dict[str, npt.NDArray[np.int64]]:
    """Confusion matrices of a case by rules."""
    level1c, truth = make(case.scene, work / "scene", size_km=case.size_km, seed=case.seed)
    true = true_classes(case, truth)
    found = {
        name: classify(case, rules, level1c, truth, work / "level2a")
        for name, rules in RULES.items()
    }
    if pictures is not None:
        maps = {"truth (beige: not scored)": true}
        draw(case, level1c, maps | {f"rules {name}": m for name, m in found.items()}, pictures)
    return {name: confusion(true, classes) for name, classes in found.items()}


def print_case(case: Case, matrices: Mapping[str, npt.NDArray[np.int64]]) -> None:
    """Print overall accuracy, shadow, and the largest confusions."""
    scene = case.scene
    print(f"\n{case.name}: {scene.name}, {scene.landscape}, clouds at {scene.cloud_height:.0f} m")
    for name, matrix in matrices.items():
        shadow = matrix[SHADOW]
        parts = [f"overall {overall(matrix):.1%}"]
        if shadow.sum():
            fraction = shadow / shadow.sum()
            parts.append(f"cloud shadow as 3 {fraction[SHADOW]:.1%}, as 2 {fraction[DARK]:.1%}")
        wrong = matrix * (1 - np.eye(12, dtype=np.int64))
        for place in np.argsort(wrong, axis=None)[:-4:-1]:
            true, called = divmod(int(place), 12)
            if wrong[true, called] > 0.002 * matrix.sum():
                parts.append(f"{true} as {called}: {wrong[true, called] / matrix[true].sum():.1%}")
        print(f"  {name:8s} {'; '.join(parts)}", flush=True)


def print_total(totals: Mapping[str, npt.NDArray[np.int64]]) -> None:
    """Print the accuracies of the classes over all cases."""
    print("\nall cases")
    print(f"  {'':22s}{'pixels':>9s}" + "".join(f"{name:>20s}" for name in totals))
    print(f"  {'':31s}" + f"{'producer     user':>20s}" * len(totals))
    tables = {name: accuracies(matrix) for name, matrix in totals.items()}
    for code in next(iter(tables.values())):
        row = "".join(f"{t[code][0]:>12.1%}{t[code][1]:>8.1%}" for t in tables.values())
        pixels = next(iter(tables.values()))[code][2]
        print(f"  {code:2d} {_NAMES.get(code, ''):19s}{pixels:9d}{row}")
    row = "".join(f"{overall(matrix):>12.1%}{'':8s}" for matrix in totals.values())
    print(f"  {'overall':22s}{'':9s}{row}")


def check_haze(work: Path, pictures: Path | None, seed: int) -> None:
    """Print the classes of clear land in clear air and in haze."""
    print("\nclear land under a low sun, fraction in classes 4 to 6 and in 8, 9")
    for case in HAZE:
        case = replace(case, seed=case.seed + seed)
        matrices = run_case(case, work, pictures)
        for name, matrix in matrices.items():
            land = matrix[[4, 5]].sum(axis=0) / matrix[[4, 5]].sum()
            fractions = (
                f"4 to 6 {land[4:7].sum():6.1%}, 8 and 9 {land[CLOUD]:6.1%}, 7 {land[7]:6.1%}"
            )
            dark = land[[DARK, SHADOW]].sum()
            print(f"  AOT {case.scene.aot550:.1f}, {name:8s} {fractions}, 2 and 3 {dark:6.1%}")


def main() -> None:
    """Run all cases, or those that are named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [case.name for case in CASES]
    parser.add_argument("--case", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw a picture of each case")
    parser.add_argument("--seed", type=int, default=0, help="added to the seed of every case")
    parser.add_argument("--json", type=Path, help="write the confusion matrices to this file")
    options = parser.parse_args()
    totals = {name: np.zeros((12, 12), np.int64) for name in RULES}
    kept: dict[str, dict[str, list[list[int]]]] = {}
    work = Path(tempfile.mkdtemp(prefix="sen2cor_classification_"))
    try:
        for case in CASES:
            if case.name not in options.case:
                continue
            case = replace(case, seed=case.seed + options.seed)
            matrices = run_case(case, work, options.pictures)
            print_case(case, matrices)
            kept[case.name] = {name: matrix.tolist() for name, matrix in matrices.items()}
            for name, matrix in matrices.items():
                totals[name] += matrix
        print_total(totals)
        if options.case == names:
            check_haze(work, options.pictures, options.seed)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(kept) + "\n")


if __name__ == "__main__":
    main()
