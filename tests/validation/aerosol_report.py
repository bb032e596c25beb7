"""Tables and picture of the errors of the aerosol retrieval (`tests.validation.aerosol`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sen2cor.bands import REFLECTANCE_BANDS
from tests.validation.aerosol_scenes import KINDS, WITHOUT_LAND, State

BANDS = tuple(band for band in REFLECTANCE_BANDS[60] if band != "B09")
"""Bands whose surface reflectance is judged; B09 determines the water vapour."""

LIMITS = {True: (0.03, 0.10), False: (0.04, 0.15)}
"""Constant and proportional part of the required accuracy of AOT, with and without dark
vegetation."""

REFLECTANCE_LIMIT = (0.005, 0.05)
_WORST = 10


@dataclass(frozen=True)
class Result:
    """Errors of one method in one scene.

    Attributes
    ----------
    state : State
    method : str
    vegetated : bool
    truth, found : float
        Mean AOT at 550 nm.
    spread : float
        Standard deviation of the retrieved map; the true one is constant.
    sigma : float or None
        Mean standard uncertainty of the AOT that the retrieval states.
    source : str
        Reference pixels, or the origin of the first guess.
    water_vapour : (float, float)
        True and found mean column in cm.
    within : mapping of band to float
        % of the pixels whose surface reflectance has the required accuracy.
    bias : mapping of band to float
        Of surface reflectance.
    seconds : float
        Duration of the retrieval.
    """

    state: State
    method: str
    vegetated: bool
    truth: float
    found: float
    spread: float
    sigma: float | None
    source: str
    water_vapour: tuple[float, float]
    within: Mapping[str, float]
    bias: Mapping[str, float]
    seconds: float

    @property
    def error(self) -> float:
        """Retrieved minus true AOT."""
        return self.found - self.truth

    @property
    def accurate(self) -> bool:
        """Whether the error is within the required accuracy."""
        constant, proportional = LIMITS[self.vegetated]
        return abs(self.error) <= constant + proportional * self.truth


Grouping = Callable[[Result], float | str]
_OTHER_GROUPS: Mapping[str, Grouping] = {
    "visibility, km": lambda result: result.state.visibility or "nearly none",
    "solar zenith": lambda result: result.state.solar_zenith,
    "water vapour, cm": lambda result: result.state.water_vapour,
    "aerosol": lambda result: result.state.aerosol,
    "elevation, km": lambda result: result.state.elevation,
}
_TOTALS = {True: "with dark vegetation", False: "without"}


def statistics(results: Sequence[Result]) -> dict[str, float]:
    """Number, bias, root mean square error, and % within the required accuracy."""
    error = np.array([result.error for result in results])
    return {
        "number": len(results),
        "bias": float(error.mean()),
        "rms": float(np.sqrt(np.mean(error**2))),
        "within": 100.0 * float(np.mean([result.accurate for result in results])),
    }


def coverage(results: Sequence[Result]) -> tuple[float, float] | None:
    """% of the scenes whose error is at most one and two stated standard uncertainties."""
    ratios = [abs(result.error) / result.sigma for result in results if result.sigma]
    if not ratios:
        return None
    return tuple(100.0 * float(np.mean(np.array(ratios) <= limit)) for limit in (1.0, 2.0))  # type: ignore[return-value]


def _row(label: str, results: Iterable[Result], methods: Sequence[str]) -> str:
    group = list(results)
    cells = []
    for method in methods:
        found = statistics([result for result in group if result.method == method])
        cells.append(f"{found['bias']:+9.3f}{found['rms']:8.3f}{found['within']:10.0f}")
    return f"{label:22s}{len(group) // len(methods):7d}" + "  ".join(cells)


def print_tables(results: Sequence[Result], methods: Sequence[str]) -> None:
    """Print all tables."""
    names = "  ".join(f"{method:>27s}" for method in methods)
    columns = "  ".join(f"{'bias':>9s}{'rms':>8s}{'within %':>10s}" for _ in methods)
    print(f"error of the mean AOT{'':8s}{names}\n{'kind':22s}{'number':>7s}{columns}")
    for kind in KINDS:
        if group := [result for result in results if result.state.kind == kind]:
            print(_row(kind, group, methods))
    for vegetated, label in _TOTALS.items():
        group = [result for result in results if result.vegetated == vegetated]
        if not group:
            continue
        print(f"\n{_row(label, group, methods)}")
        for name, key in _OTHER_GROUPS.items():
            print(f"  {name}")
            for value in sorted({key(result) for result in group}, key=_numbers_first):
                part = [result for result in group if key(result) == value]
                print(_row(f"    {value}", part, methods))
    _print_reflectance(results, methods)
    _print_others(results, methods)


def _numbers_first(value: float | str) -> tuple[bool, float | str]:
    return isinstance(value, str), value


def _print_reflectance(results: Sequence[Result], methods: Sequence[str]) -> None:
    print("\nsurface reflectance: % of the pixels within 0.05 rho + 0.005; bias in 0.001")
    print(f"{'':29s}" + "".join(f"{band:>7s}" for band in BANDS))
    for vegetated, label in _TOTALS.items():
        for method in methods:
            group = [r for r in results if r.vegetated == vegetated and r.method == method]
            if not group:
                continue
            within = (np.mean([result.within[band] for result in group]) for band in BANDS)
            bias = (1000.0 * np.mean([result.bias[band] for result in group]) for band in BANDS)
            print(f"{label:22s}{method:7s}" + "".join(f"{value:7.0f}" for value in within))
            print(f"{'':29s}" + "".join(f"{value:+7.1f}" for value in bias))


def _print_others(results: Sequence[Result], methods: Sequence[str]) -> None:
    print(
        "\nspread of the map, error of water vapour, coverage of the stated uncertainty, duration"
    )
    for method in methods:
        group = [result for result in results if result.method == method]
        ratio = [
            result.water_vapour[1] / result.water_vapour[0]
            for result in group
            if result.state.kind not in WITHOUT_LAND
        ] or [np.nan]
        line = f"{method:7s} spread {np.mean([result.spread for result in group]):.3f}"
        line += f", water vapour of land found / true {np.median(ratio):.2f}"
        for vegetated, label in _TOTALS.items():
            if found := coverage([r for r in group if r.vegetated == vegetated]):
                line += f", {label}: {found[0]:.0f} % within 1, {found[1]:.0f} % within 2 sigma"
        print(f"{line}, {np.mean([result.seconds for result in group]):.2f} s a scene")
    for method in methods:
        print(f"\nworst scenes of {method}")
        group = [result for result in results if result.method == method]
        for result in sorted(group, key=lambda result: -abs(result.error))[:_WORST]:
            state = result.state
            print(
                f"{state.number:4d} {state.kind:20s} AOT {result.truth:.3f} found "
                f"{result.found:.3f}, sun {state.solar_zenith:.0f}, {state.aerosol.lower()}, "
                f"{state.water_vapour} cm, {state.elevation} km; {result.source}"
            )


def draw(results: Sequence[Result], methods: Sequence[str], folder: Path) -> Path:
    """Draw AOT found against true for each method, with and without dark vegetation."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        len(methods), 2, figsize=(11, 5.2 * len(methods)), squeeze=False, sharex=True, sharey=True
    )
    top = max(max(result.truth, result.found) for result in results) + 0.05
    line = np.array([0.0, top])
    for row, method in enumerate(methods):
        for column, (vegetated, label) in enumerate(_TOTALS.items()):
            axis = axes[row, column]
            constant, proportional = LIMITS[vegetated]
            for sign in (-1, 1):
                axis.plot(line, line + sign * (constant + proportional * line), "0.7", lw=0.8)
            axis.plot(line, line, "k", lw=0.8)
            group = [r for r in results if r.vegetated == vegetated and r.method == method]
            for kind in dict.fromkeys(result.state.kind for result in group):
                part = [result for result in group if result.state.kind == kind]
                truth, found = ([getattr(r, name) for r in part] for name in ("truth", "found"))
                axis.scatter(truth, found, s=16, label=kind, alpha=0.8)
            axis.set(title=f"{method}, {label}", xlim=(0.0, top), ylim=(0.0, top))
            axis.set(xlabel="true AOT at 550 nm", ylabel="retrieved AOT at 550 nm")
            axis.legend(fontsize=7)
    figure.tight_layout()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "aerosol.png"
    figure.savefig(path, dpi=110)
    return path
