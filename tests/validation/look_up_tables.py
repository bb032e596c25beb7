"""Compare the look-up tables with those of Sen2Cor 2.2.1 (libRadtran), at all of their nodes.

``python -m tests.validation.look_up_tables`` prints, for each quantity and band, the median and the
95th percentile of the difference, and draws them as a figure. It then prints the error of surface
reflectance when the top-of-atmosphere signal of the Sen2Cor tables is inverted with the tables of
this project. AOT at 550 nm and gas columns are equal. The Sen2Cor files of 4.0 and 5.0 cm contain
more than gas absorption and are listed separately.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sen2cor.atmosphere.look_up_tables.atm_files import ELEVATION, SOLAR_ZENITH, VISIBILITY
from sen2cor.atmosphere.look_up_tables.sixs_tables import SixSLookUpTable, load_table
from sen2cor.bands import BAND_NAMES

from .atm_reference import (
    Array,
    AtmFile,
    Functions,
    extinction_ratio,
    original,
    ours,
    retrieved_water,
)

ROOT = Path(__file__).resolve().parents[2]
SURFACES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
CLEAR, HAZE = (23, 40, 80, 120), (10,)
INVERTED = tuple(band for band in BAND_NAMES if band not in ("B09", "B10"))
MAX_RMS, MAX_BIAS, MAX_RMS_IN_HAZE = 0.005, 0.003, 0.008
DARK = 0.05


@dataclass(frozen=True)
class Quantity:
    """A compared quantity.

    Attributes
    ----------
    name, unit : str
    values : function of `Functions`
    relative : bool
        Whether the difference is relative to the value of Sen2Cor.
    scale : float
        To the unit.
    limit : mapping of str to float
        Upper limit of the 95th percentile by band.
    """

    name: str
    unit: str
    values: Callable[[Functions], Array]
    relative: bool
    scale: float
    limit: dict[str, float]

    def difference(self, own: Functions, theirs: Functions) -> Array:
        """Tables of this project minus those of Sen2Cor, at all nodes."""
        reference = self.values(theirs)
        result = self.values(own) - reference
        return (self.scale * (result / reference if self.relative else result)).ravel()


_TO_B8A = BAND_NAMES[: BAND_NAMES.index("B8A") + 1]
QUANTITIES = (
    Quantity("gas transmittance, vertical", "0.001", lambda f: f.gas_one_way, False, 1000.0,
             dict.fromkeys(BAND_NAMES, 10.0) | {"B09": 15.0}),
    Quantity("gas transmittance, both ways", "0.001", lambda f: f.gas_two_way, False, 1000.0, {}),
    Quantity("direct transmittance", "%", lambda f: f.direct, True, 100.0,
             dict.fromkeys(_TO_B8A, 1.0)),
    Quantity("total transmittance up", "%", lambda f: f.total_up, True, 100.0, {}),
    Quantity("total transmittance down", "%", lambda f: f.total_down, True, 100.0, {}),
    Quantity("path reflectance", "0.001", lambda f: f.path, False, 1000.0, {}),
    Quantity("path reflectance", "%", lambda f: f.path, True, 100.0, {}),
    Quantity("path, 10 degrees minus nadir", "0.001",
             lambda f: f.path_slanted - f.path[..., np.newaxis], False, 1000.0, {}),
    Quantity("spherical albedo", "0.001", lambda f: f.albedo, False, 1000.0, {}),
    Quantity("spherical albedo", "%", lambda f: f.albedo, True, 100.0, {}),
)  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """A band in the tables of Sen2Cor, of this project, and of this project with one change.

    ``own_gas_apart``: gas transmittances of the two ways multiplied; ``own_extinction``: aerosol
    extinction relative to B03 as in Sen2Cor; ``own_retrieved``: water vapour retrieved from the B09
    signal of Sen2Cor, as in a run.
    """

    file: AtmFile
    band: str
    theirs: Functions
    own: Functions
    own_gas_apart: Functions
    own_extinction: Functions
    own_retrieved: Functions


def find_group(file: AtmFile) -> str:
    """Return the heading of a file in the tables."""
    name = f"{file.aerosol.lower()}, {file.season.lower()}"
    return f"{name}, 4.0 and 5.0 cm" if file.water_vapour > 3.0 else name


def compare(folder: Path) -> list[Compared]:
    """Compare all files below a folder; B02 .. B04 occur in two files and are compared once."""
    tables: dict[tuple[str, str], SixSLookUpTable] = {}
    result = []
    for path in sorted(folder.glob("esa_lut/S2A/*/*.atm")):
        file = AtmFile.of_path(path)
        key = file.aerosol, file.season
        if key not in tables:
            tables[key] = load_table("S2A", *key)
        water = retrieved_water(file, tables[key])
        for band in file.bands:
            if file.size == "10" and band != "B08":
                continue
            own = tables[key]
            result.append(
                Compared(
                    file,
                    band,
                    original(band, file, own),
                    ours(band, file, own),
                    ours(band, file, own, gas_apart=True),
                    ours(band, file, own, extinction=extinction_ratio(band, file, own)),
                    ours(band, file, own, water_vapour=water),
                )
            )
    return result


def grouped(compared: Iterable[Compared]) -> dict[str, list[Compared]]:
    """Group the comparisons, those with gas absorption only first."""
    groups: defaultdict[str, list[Compared]] = defaultdict(list)
    for entry in compared:
        groups[find_group(entry.file)].append(entry)
    return dict(sorted(groups.items(), key=lambda item: "cm" in item[0]))


def statistics(entries: Iterable[Compared], quantity: Quantity) -> dict[str, tuple[float, float]]:
    """Median of the difference and 95th percentile of its size, by band."""
    differences: defaultdict[str, list[Array]] = defaultdict(list)
    for entry in entries:
        differences[entry.band].append(quantity.difference(entry.own, entry.theirs))
    return {
        band: (
            float(np.median(found := np.concatenate(differences[band]))),
            float(np.percentile(np.abs(found), 95)),
        )
        for band in BAND_NAMES
        if band in differences
    }


def differences_text(groups: dict[str, list[Compared]]) -> str:
    """Table of the differences: rows are quantities of a group, columns bands."""
    lines = ["ours minus Sen2Cor: median, and below it the 95th percentile of the size;"]
    lines.append("* beyond what is asked for (gas 0.010, B09 0.015; direct 1 % to B8A)")
    for group, entries in groups.items():
        files = sorted({entry.file.path.name for entry in entries})
        lines += ["", f"{group} ({len(files)} atmospheres)"]
        lines.append(f"{'':38s}" + "".join(f"{band:>8s}" for band in BAND_NAMES))
        for quantity in QUANTITIES:
            found = statistics(entries, quantity)
            cells = [found.get(band) for band in BAND_NAMES]
            title = f"{quantity.name}, {quantity.unit}"
            lines.append(f"{title:38s}" + "".join(_cell(cell and cell[0], "+") for cell in cells))
            marks = [
                "*" if cell and cell[1] > quantity.limit.get(band, np.inf) else ""
                for band, cell in zip(BAND_NAMES, cells, strict=True)
            ]
            lines.append(
                f"{'':38s}"
                + "".join(
                    f"{_cell(cell and cell[1], '').strip() + mark:>8s}"
                    for cell, mark in zip(cells, marks, strict=True)
                )
            )
    return "\n".join(lines)


def files_text(compared: Iterable[Compared]) -> str:
    """Largest 95th percentile over the bands that have a target, file by file."""
    files: defaultdict[str, list[Compared]] = defaultdict(list)
    for entry in compared:
        files[entry.file.path.name].append(entry)
    asked = [quantity for quantity in QUANTITIES if quantity.limit]
    lines = ["", "worst band of each atmosphere: 95th percentile of the size"]
    for name, entries in files.items():
        row = f"{name:24s}"
        for quantity in asked:
            found = statistics(entries, quantity)
            band = max(quantity.limit, key=lambda each: found[each][1] / quantity.limit[each])
            row += f"  {quantity.name} {band} {found[band][1]:6.2f} {quantity.unit}"
        lines.append(row)
    return "\n".join(lines)


def _cell(value: float | None, sign: str) -> str:
    if value is None:
        return f"{'':8s}"
    return f"{value:{sign}8.2f}" if abs(value) < 1000 else f"{value:{sign}8.0f}"


def _nodes(axis: Array, chosen: Iterable[float]) -> list[int]:
    return [int(np.flatnonzero(np.isclose(axis, value))[0]) for value in chosen]


def surface_errors(entry: Compared, own: Functions, visibilities: Iterable[float]) -> Array:
    """Error of surface reflectance, shape (surfaces, nodes), for the chosen states."""
    nodes = np.ix_(
        _nodes(ELEVATION, (0.0, 1.5)),
        _nodes(VISIBILITY, visibilities),
        _nodes(SOLAR_ZENITH, (20, 30, 40, 50, 60)),
    )
    return np.stack(
        [(own.surface(entry.theirs.toa(surface)) - surface)[nodes].ravel() for surface in SURFACES]
    )


def surface_text(groups: dict[str, list[Compared]]) -> str:
    """Table of the error of surface reflectance by group and band."""
    dark = SURFACES.index(DARK)
    lines = [
        "",
        f"surface reflectance {SURFACES[0]} .. {SURFACES[-1]} from Sen2Cor's signal, inverted "
        "with ours: error x 1000",
        "solar zenith 20 .. 60, elevation 0 and 1.5 km; * beyond rms 5, bias 3 at 0.05, rms 8 at "
        "10 km",
        "gas of each way apart: ours with the product of the band averages down and up, as the "
        "original has it, instead of the average of the product",
    ]
    for group, entries in groups.items():
        lines += ["", f"{group:38s}" + "".join(f"{band:>8s}" for band in INVERTED)]
        clear: defaultdict[str, list[Array]] = defaultdict(list)
        haze: defaultdict[str, list[Array]] = defaultdict(list)
        apart: defaultdict[str, list[Array]] = defaultdict(list)
        retrieved: defaultdict[str, list[Array]] = defaultdict(list)
        both: defaultdict[str, list[Array]] = defaultdict(list)
        apart_in_haze: defaultdict[str, list[Array]] = defaultdict(list)
        for entry in entries:
            clear[entry.band].append(surface_errors(entry, entry.own, CLEAR))
            apart[entry.band].append(surface_errors(entry, entry.own_gas_apart, CLEAR))
            retrieved[entry.band].append(surface_errors(entry, entry.own_retrieved, CLEAR))
            both[entry.band].append(surface_errors(entry, entry.own_retrieved, HAZE))
            haze[entry.band].append(surface_errors(entry, entry.own, HAZE))
            apart_in_haze[entry.band].append(surface_errors(entry, entry.own_gas_apart, HAZE))
        fields = [
            ("rms, visibility 23 .. 120 km", clear, slice(None), _rms, MAX_RMS),
            ("bias at 0.05", clear, slice(dark, dark + 1), np.mean, MAX_BIAS),
            ("rms at 0.05", clear, slice(dark, dark + 1), _rms, np.inf),
            ("rms at 0.5", clear, slice(-1, None), _rms, np.inf),
            ("rms, gas of each way apart", apart, slice(None), _rms, MAX_RMS),
            ("rms, water vapour as B09 gives it", retrieved, slice(None), _rms, MAX_RMS),
            ("rms, visibility 10 km", haze, slice(None), _rms, MAX_RMS_IN_HAZE),
            (
                "the same, gas of each way apart",
                apart_in_haze,
                slice(None),
                _rms,
                MAX_RMS_IN_HAZE,
            ),
            ("the same, water as B09 gives it", both, slice(None), _rms, MAX_RMS_IN_HAZE),
        ]
        for title, errors, surfaces, measure, limit in fields:
            row = f"{title:38s}"
            for band in INVERTED:
                value = float(measure(np.concatenate(errors[band], 1)[surfaces]))
                mark = "*" if abs(value) > limit else ""
                row += f"{f'{1000 * value:+.2f}{mark}':>8s}"
            lines.append(row)
    return "\n".join(lines)


def _rms(errors: Array) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def draw(groups: dict[str, list[Compared]], path: Path) -> None:
    """Draw median and 95th percentile of every quantity over the bands."""
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(5, 2, figsize=(13, 17), sharex=True)
    position = np.arange(len(BAND_NAMES))
    width = 0.8 / len(groups)
    for panel, quantity in zip(panels.flat, QUANTITIES, strict=True):
        tallest = 0.0
        for number, (group, entries) in enumerate(groups.items()):
            found = statistics(entries, quantity)
            median, size = np.array([found[band] for band in BAND_NAMES]).T
            at = position + (number - 0.5 * (len(groups) - 1)) * width
            panel.bar(at, 2 * size, width, -size, alpha=0.35, color=f"C{number}", label=group)
            panel.plot(at, median, "_", color=f"C{number}", markersize=7, markeredgewidth=2)
            if "cm" not in group:
                tallest = max(tallest, *size[: BAND_NAMES.index("B09")])
        for band, limit in quantity.limit.items():
            at = position[BAND_NAMES.index(band)]
            panel.hlines([-limit, limit], at - 0.45, at + 0.45, "k", linewidth=1)
        panel.axhline(0.0, color="0.3", linewidth=0.7)
        tallest = max([tallest, *quantity.limit.values()])
        panel.set(ylim=(-1.15 * tallest, 1.15 * tallest), xticks=position)
        panel.set_xticklabels(BAND_NAMES, fontsize=8)
        panel.set_title(f"{quantity.name}, {quantity.unit}", fontsize=10)
        panel.grid(axis="y", alpha=0.3)
    figure.legend(*panels[0, 0].get_legend_handles_labels(), ncol=5, loc="lower center")
    figure.suptitle(
        "Our look-up tables minus Sen2Cor's at all nodes, equal AOT 550 and gas columns\n"
        "line: median; bar: 95th percentile of the size; black: what is asked for"
    )
    figure.tight_layout(rect=(0, 0.02, 1, 0.985))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def main() -> None:
    default = os.environ.get("SEN2COR_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default, help="folder of the reference data")
    parser.add_argument("--figure", type=Path, default=ROOT / "validation" / "look_up_tables.png")
    options = parser.parse_args()
    compared = compare(options.data)
    if not compared:
        parser.exit(1, f"no esa_lut/S2A/*/*.atm in {options.data}\n")
    groups = grouped(compared)
    print(differences_text(groups))
    print("\nthe same with the aerosol's extinction relative to B03 as in Sen2Cor")
    print(differences_text(grouped(replace(each, own=each.own_extinction) for each in compared)))
    print(files_text(compared))
    print(surface_text(groups))
    draw(groups, options.figure)
    print(f"\nfigure: {options.figure}")


if __name__ == "__main__":
    main()
