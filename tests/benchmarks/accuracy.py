"""Errors of surface reflectance, aerosol and water vapour on simulated scenes.

Simulates scenes with known truth, processes them at all resolutions, and prints retrieval minus
truth: bias, root mean square, and the fraction of pixels within the limits of the mission
requirements: 0.05 rho + 0.005 of surface reflectance, 0.1 AOT + 0.03, 0.1 WV + 0.2 cm. Bands are
compared at their native resolution, AOT and water vapour at 20 m. The share of the errors within
one and two standard uncertainties of the product is printed too; simulated images have no errors of
calibration, which the uncertainty includes.

Vegetated scenes are simulated twice: with canopies whose band ratios match the assumptions of the
aerosol retrieval, and with canopies of realistic variety. The processor selects aerosol type,
season and ozone. ``--without STEP`` processes each scene once more without a step; without ``auto``
aerosol type, season and ozone are those of the packaged settings.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND_NAMES, BANDS
from sen2cor.simulation.landscapes import SURFACE_NAMES
from sen2cor.simulation.scenes import SCENES
from tests.benchmarks.simulated_run import image, make, process, toa_reflectance

Mask = npt.NDArray[np.bool_]

VEGETATED = ("clear", "haze", "tropical", "north", "mie", "coast", "steep")
CASES = (
    *((name, "modelled") for name in ("summer", "arid", "winter", "dust")),
    *((name, colours) for name in VEGETATED for colours in ("ideal", "real")),
    *((name, "real") for name in ("cirrus_land", "cirrus_sea", "low_clear", "low_haze")),
)
"""Scenes and kinds of canopies."""

AUTO = {
    "Aerosol_Type": "AUTO",
    "Mid_Latitude": "AUTO",
    "Ozone_Content": "0",
    "Generate_Uncertainty_Output": "TRUE",
}

WITHOUT: Mapping[str, Mapping[str, str]] = {
    "cirrus": {"Cirrus_Correction": "FALSE"},
    "adjacency": {"Adj_Km": "0.0"},
    "terrain": {"DEM_Terrain_Correction": "FALSE"},
    "auto": {"Aerosol_Type": "RURAL", "Mid_Latitude": "SUMMER", "Ozone_Content": "h"},
    "optimal-estimation": {"AC_Aot_Method": "DDV", "Scaling_Disabler": "false"},
}
"""Settings that disable a step."""

LAND, WATER = (4, 5, 11), (6,)
"""Classes of the truth: vegetation, not vegetated, snow; water."""

_CLOUD_LIMIT = 0.02
_CIRRUS = 0.0005, 0.005, 0.04
"""Cirrus reflectance: clear below the first value, thin cirrus between the other two."""

_LIMITS = {"AOT": (0.1, 0.03), "WVP": (0.1, 0.2)}
_REFLECTANCE_LIMIT = (0.05, 0.005)
_MIN_INCIDENCE = 0.2
_SIDE, _SIDES = 6.0, {"cirrus_land": 12.0, "cirrus_sea": 12.0}
"""Size of the scenes in km. The cirrus regression needs more pixels than 6 km have."""

_VISIBLE = ("B02", "B03", "B04")


@dataclass(frozen=True)
class Error:
    """Retrieved minus true values.

    Attributes
    ----------
    quantity : str
    truth : float
        Mean of the true values.
    bias, rms : float
    within : float
        Fraction of the pixels within the limit.
    pixels : int
    covered : tuple of float
        Fractions of the pixels within one and two standard uncertainties; NaN without these.
    """

    quantity: str
    truth: float
    bias: float
    rms: float
    within: float
    pixels: int
    covered: tuple[float, float] = (np.nan, np.nan)


def error(
    quantity: str,
    retrieved: npt.NDArray[np.floating],
    truth: npt.NDArray[np.floating],
    valid: Mask,
    uncertainty: npt.NDArray[np.floating] | None = None,
) -> Error:
    """Compare two images where a mask is true; all numbers are NaN if it is empty.

    Parameters
    ----------
    quantity : str
        A band, ``"AOT"`` or ``"WVP"``.
    retrieved, truth : ndarray of float, one shape
    valid : ndarray of bool, same shape
    uncertainty : ndarray of float, same shape, optional
        Standard uncertainty of the retrieved values.
    """
    pixels = int(valid.sum())
    if not pixels:
        return Error(quantity, np.nan, np.nan, np.nan, np.nan, 0)
    true = truth[valid].astype(np.float64)
    difference = retrieved[valid] - true
    relative, absolute = _LIMITS.get(quantity, _REFLECTANCE_LIMIT)
    covered = np.nan, np.nan
    if uncertainty is not None:
        ratio = np.abs(difference) / uncertainty[valid]
        covered = float((ratio <= 1.0).mean()), float((ratio <= 2.0).mean())
    return Error(
        quantity,
        float(true.mean()),
        float(difference.mean()),
        float(np.sqrt(np.mean(difference**2))),
        float((np.abs(difference) <= relative * true + absolute).mean()),
        pixels,
        covered,
    )


def groups(truth: Path) -> dict[str, Mask]:
    """Masks of the compared pixels at 20 m by name.

    Land and water, each under a clear sky and below cirrus. Clouds, cloud shadows and slopes with
    grazing illumination are excluded.
    """
    classes = np.load(truth / "ground_class_20m.npy")
    open_sky = np.load(truth / "cloud_optical_thickness_20m.npy") < _CLOUD_LIMIT
    open_sky &= np.load(truth / "shadow_optical_thickness_20m.npy") < _CLOUD_LIMIT
    if (truth / "incidence_20m.npy").exists():
        open_sky &= np.load(truth / "incidence_20m.npy") > _MIN_INCIDENCE
        open_sky &= np.load(truth / "sunny_20m.npy") > 0.5
    cirrus = np.load(truth / "cirrus_reflectance_20m.npy")
    clear, thin, thick = _CIRRUS
    found = {}
    for cover, codes in (("land", LAND), ("water", WATER)):
        here = np.isin(classes, codes) & open_sky
        found[cover] = here & (cirrus < clear)
        found[f"{cover} below cirrus"] = here & (cirrus > thin) & (cirrus < thick)
    return {name: mask for name, mask in found.items() if mask.mean() > 0.02}


def at_resolution(mask: Mask, resolution: int) -> Mask:
    """Resample a mask of 20 m; coarse pixels are true only if all their pixels are."""
    if resolution == 10:
        return mask.repeat(2, axis=0).repeat(2, axis=1)
    factor = resolution // 20
    rows, cols = (size // factor for size in mask.shape)
    return mask.reshape(rows, factor, cols, factor).all(axis=(1, 3))


def measure(product: Path, truth: Path, mask: Mask) -> Iterator[Error]:
    """Compute the errors of a Level-2A product of one tile."""
    for band in BANDS:
        numbers = image(product, band.name, band.resolution)
        if numbers is None:
            continue
        true = np.load(truth / f"reflectance_{band.name}_{band.resolution}m.npy") / 1e4
        valid = at_resolution(mask, band.resolution) & (numbers > 0)
        uncertainty = _read_uncertainty(product, band.name, band.resolution, 1e4)
        yield error(band.name, numbers / 1e4, true, valid, uncertainty)
    for name, kind in (("aot550", "AOT"), ("water_vapour", "WVP")):
        numbers = image(product, kind, 20)
        if numbers is not None:
            true = np.load(truth / f"{name}_60m.npy").repeat(3, axis=0).repeat(3, axis=1)
            uncertainty = _read_uncertainty(product, kind, 20, 1e3)
            yield error(kind, numbers / 1e3, true, mask & (numbers > 0), uncertainty)


def _read_uncertainty(
    product: Path, quantity: str, resolution: int, quantification: float
) -> npt.NDArray[np.floating] | None:
    numbers = image(product, f"UNC_{quantity}", resolution)
    return None if numbers is None else numbers / quantification


def correlation_with_illumination(level1c: Path, level2a: Path, truth: Path) -> dict[str, float]:
    """Correlation of the reflectance of forest with the cosine of the incidence angle.

    Returns
    -------
    dict
        Correlation in red edge, near and short-wave infrared: top of atmosphere, product, truth.
    """
    forest = [SURFACE_NAMES.index(name) for name in SURFACE_NAMES if name.startswith("forest")]
    incidence = np.load(truth / "incidence_20m.npy")
    where = np.isin(np.load(truth / "surface_10m.npy")[::2, ::2], forest)
    where &= np.load(truth / "sunny_20m.npy") > 0.5
    found = {}
    for band in ("B05", "B8A", "B11"):
        surface = image(level2a, band, 20)
        images = {
            "top": toa_reflectance(level1c, band),
            "surface": surface,
            "truth": np.load(truth / f"reflectance_{band}_20m.npy"),
        }
        for level, values in images.items():
            if values is not None:
                found[f"{band} {level}"] = float(np.corrcoef(values[where], incidence[where])[0, 1])
    return found


def draw(level1c: Path, level2a: Path, truth: Path, path: Path, title: str) -> None:
    """Draw top of atmosphere, surface, truth, and the errors of B04, AOT and water vapour."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    from tests.benchmarks.simulated_run import colour

    true = {b: np.load(truth / f"reflectance_{b}_10m.npy") / 1e4 for b in _VISIBLE}
    found = {b: image(level2a, b, 10) for b in _VISIBLE}
    visible = _VISIBLE[::-1]
    white = float(np.percentile(true["B04"], 98)) + 0.03
    figure, axes = pyplot.subplots(2, 3, figsize=(18, 12), layout="constrained")
    pictures = (
        ("top of atmosphere", colour([toa_reflectance(level1c, b) for b in visible], white)),
        ("surface", colour([found[b] / 1e4 for b in visible], white)),
        ("truth", colour([true[b] for b in visible], white)),
    )
    for axis, (name, picture) in zip(axes[0], pictures, strict=True):
        axis.imshow(picture)
        axis.set_title(name)
    errors = [("B04", found["B04"] / 1e4 - true["B04"], 0.03)]
    for name, kind, reach in (("aot550", "AOT", 0.2), ("water_vapour", "WVP", 0.5)):
        map_truth = np.load(truth / f"{name}_60m.npy")
        map_found = image(level2a, kind, 60)
        if map_found is not None:
            errors.append((kind, map_found / 1e3 - map_truth, reach))
    for axis, (name, difference, reach) in zip(axes[1], errors, strict=False):
        shown = axis.imshow(difference, cmap="RdBu_r", vmin=-reach, vmax=reach)
        axis.set_title(f"{name}: found minus truth, mean {np.nanmean(difference):+.4f}")
        figure.colorbar(shown, ax=axis, shrink=0.8)
    for axis in axes.flat:
        axis.set_axis_off()
    figure.suptitle(title)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=70)
    pyplot.close(figure)


@dataclass
class Result:
    """Result of one case.

    Attributes
    ----------
    errors : dict of str to list of Error
        By group of pixels.
    canopy_ratio : float
        Mean ratio of B04 to B12 of the dark canopies; NaN if there are none.
    correlations : dict
        From `correlation_with_illumination`; empty for flat scenes.
    """

    errors: dict[str, list[Error]]
    canopy_ratio: float
    correlations: dict[str, float]

    def of(self, quantity: str, group: str = "land") -> Error | None:
        """Error of one quantity."""
        return next((e for e in self.errors.get(group, ()) if e.quantity == quantity), None)


Key = tuple[str, str, str]
"""Scene, kind of canopies, disabled step."""


def run_case(
    name: str, colours: str, options: argparse.Namespace, work: Path
) -> Iterator[tuple[Key, Result]]:
    """Simulate a scene, process it with all steps and without some, compute the errors."""
    scene = replace(SCENES[name], canopies=colours)
    folder = work / f"{name}_{colours}"
    size = options.size or _SIDES.get(name, _SIDE)
    level1c, truth = make(scene, folder, size_km=size, seed=options.seed)
    summary = json.loads((truth / "truth.json").read_text())
    ratio = summary["dark_canopies"].get("b4_over_b12_mean", np.nan)
    for step in ("", *options.without):
        settings = AUTO | WITHOUT.get(step, {})
        correlations = {}
        if scene.terrain is not None:
            settings["DEM_Directory"] = str((truth / "dem").resolve())
        level2a = process(level1c, folder / f"level2a_{step}", settings)
        if scene.terrain is not None:
            correlations = correlation_with_illumination(level1c, level2a, truth)
        key = name, colours, step
        if options.pictures:
            path = options.pictures / f"{_title(key).replace(' ', '_')}.png"
            draw(level1c, level2a, truth, path, _title(key))
        errors = {group: list(measure(level2a, truth, m)) for group, m in groups(truth).items()}
        yield key, Result(errors, ratio, correlations)
    if options.work is None:
        shutil.rmtree(folder, ignore_errors=True)


def _title(key: Key) -> str:
    name, colours, step = key
    return f"{name} {colours} without {step}" if step else f"{name} {colours}"


def print_case(title: str, result: Result, seconds: float) -> None:
    """Print all numbers of a case."""
    ratio = f"B4/B12 of dark canopies {result.canopy_ratio:.3f}"
    print(f"\n{title}: {seconds:.0f} s, {ratio}", flush=True)
    for group, errors in result.errors.items():
        print(
            f"  {group:22s}{'truth':>9s}{'bias':>9s}{'rms':>9s}{'within':>8s}{'pixels':>10s}"
            f"{'1 sigma':>9s}{'2 sigma':>9s}"
        )
        for e in errors:
            numbers = f"{e.truth:9.4f}{e.bias:+9.4f}{e.rms:9.4f}{e.within:8.1%}{e.pixels:10d}"
            print(f"    {e.quantity:20s}{numbers}{e.covered[0]:9.1%}{e.covered[1]:9.1%}")
    for name, value in result.correlations.items():
        print(f"  correlation with the illumination of forest: {name:12s}{value:+.3f}")


def print_headline(found: Mapping[Key, Result]) -> None:
    """Print one row for each case, then the effect of the canopies."""
    print("\nland under a clear sky (below cirrus where marked *)")
    heads = ("B02", "B04", "B8A", "B12", "within", "AOT", "bias", "within", "WVP", "bias", "within")
    print(f"  {'rms of':40s}" + "".join(f"{head:>8s}" for head in heads))
    fractions: dict[str, list[tuple[float, ...]]] = {}
    for key, result in found.items():
        below = key[0].startswith("cirrus")
        group = "land below cirrus" if below else "land"
        if group not in result.errors:
            continue
        if not key[2]:
            fractions.setdefault(key[1], []).append(_fractions(result, group))
        bands = [e for e in result.errors[group] if e.quantity.startswith("B")]
        numbers = [_number(result.of(b, group), "rms", ".4f") for b in ("B02", "B04", "B8A", "B12")]
        numbers.append(f"{np.nanmean([e.within for e in bands]):.1%}" if bands else "-")
        for kind in ("AOT", "WVP"):
            entry = result.of(kind, group)
            numbers += [_number(entry, key, form) for key, form in
                        (("truth", ".3f"), ("bias", "+.3f"), ("within", ".1%"))]  # fmt: skip
        title = _title(key) + (" *" if below else "")
        print(f"  {title:40s}" + "".join(f"{number:>8s}" for number in numbers))
    print("\nmean over the scenes of the fractions within: reflectance, AOT, water vapour")
    for colours, cases in fractions.items():
        means = "".join(f"{mean:8.1%}" for mean in np.nanmean(cases, axis=0))
        print(f"  {colours:10s}{len(cases):3d} scenes{means}")
    print("\nmean over the scenes of the fractions within 1 and 2 standard uncertainties")
    print_coverage(found)
    pairs = [n for n in VEGETATED if {(n, "ideal", ""), (n, "real", "")} <= set(found)]
    if not pairs:
        return
    print("\nideal and real canopies")
    print("  AOT bias, fraction within 0.1 AOT + 0.03, fraction of reflectance within, B4/B12;")
    print("  error of AOT per 0.01 of B4/B12")
    for name in pairs:
        ideal, real = found[name, "ideal", ""], found[name, "real", ""]
        a, b = ideal.of("AOT"), real.of("AOT")
        if a is None or b is None:
            continue
        change = (b.bias - a.bias) / (100.0 * (real.canopy_ratio - ideal.canopy_ratio))
        print(f"  {name:10s} {_side(ideal, a)}   {_side(real, b)}   {change:+.4f}")


def print_coverage(found: Mapping[Key, Result]) -> None:
    """Print the coverage of reflectance and AOT, over all pixels of land and water."""
    entries = [
        entry
        for key, result in found.items()
        if not key[2]
        for errors in result.errors.values()
        for entry in errors
        if np.isfinite(entry.covered[0])
    ]
    for title, chosen in (
        ("reflectance", [entry for entry in entries if entry.quantity in BAND_NAMES]),
        ("AOT", [entry for entry in entries if entry.quantity == "AOT"]),
    ):
        if chosen:
            one, two = np.mean([entry.covered for entry in chosen], axis=0)
            print(f"  {title:12s}{one:8.1%}{two:8.1%}")


def _fractions(result: Result, group: str) -> tuple[float, ...]:
    """Fractions within the limits: mean of the bands, AOT, water vapour."""
    bands = [e.within for e in result.errors[group] if e.quantity.startswith("B")]
    others = (result.of(kind, group) for kind in ("AOT", "WVP"))
    return (
        float(np.nanmean(bands)),
        *(np.nan if entry is None else entry.within for entry in others),
    )


def _number(entry: Error | None, field: str, form: str) -> str:
    return "-" if entry is None else format(getattr(entry, field), form)


def _side(result: Result, aot: Error) -> str:
    within = np.nanmean([e.within for e in result.errors["land"] if e.quantity.startswith("B")])
    return f"{aot.bias:+.3f} {aot.within:6.1%} {within:6.1%} {result.canopy_ratio:.3f}"


def main() -> None:
    """Measure all cases, or those of given scenes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = list(dict.fromkeys(name for name, _ in CASES))
    parser.add_argument("--scene", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--without", nargs="+", choices=list(WITHOUT), default=[], metavar="STEP")
    parser.add_argument("--size", type=float, help="km; 6, and 12 below cirrus, by default")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--work", type=Path, help="keep scenes and products in this folder")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw a picture of each case")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    work = options.work or Path(tempfile.mkdtemp(prefix="sen2cor_accuracy_"))
    found: dict[Key, Result] = {}
    try:
        for name, colours in CASES:
            if name not in options.scene:
                continue
            start = time.perf_counter()
            for key, result in run_case(name, colours, options, work):
                found[key] = result
                print_case(_title(key), result, time.perf_counter() - start)
    finally:
        if options.work is None:
            shutil.rmtree(work, ignore_errors=True)
    print_headline(found)
    if options.json:
        numbers = {_title(key): asdict(result) for key, result in found.items()}
        options.json.write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
