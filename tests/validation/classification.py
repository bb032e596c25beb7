"""Agreement of the scene classification with what Sen2Cor gives for the same input.

``python -m tests.validation.classification [FOLDER]`` prints, for every reference case, the share
of equal pixels before shadows are looked for (classes, cloud and snow probability, under the rules
of Sen2Cor 2.2.1 and of 2.8) and the confusion matrix of the finished map with that of 2.2.1. Only
pixels in which no band is 0 count.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    Classification,
    ClassificationConstants,
    ClassificationRules,
    ClassificationThresholds,
    Relief,
    SpectralClasses,
    SunGeometry,
    classify,
    spectral_classes,
)
from sen2cor.classification.blocks import percent

RULES = {
    "v221": ClassificationConstants(),
    "v28": ClassificationConstants(snow_red_edge_ratio=0.85),
}
"""Constants of the versions of Sen2Cor that the reference cases were made with."""

FINISHED = "scl_v221_soilfix"


@dataclass(frozen=True)
class Case:
    """One reference case: input, and what the original makes of it.

    Attributes
    ----------
    name : str
    reflectance : mapping of band name to ndarray of float32, shape (rows, cols)
    sun : SunGeometry
    elevation : ndarray of float32, shape (rows, cols), or None
        Metres.
    relief : Relief or None
    expected : mapping of name to ndarray
        The reference maps.
    """

    name: str
    reflectance: Mapping[str, npt.NDArray[np.float32]]
    sun: SunGeometry
    elevation: npt.NDArray[np.float32] | None
    relief: Relief | None
    expected: Mapping[str, npt.NDArray[Any]]

    @classmethod
    def load(cls, path: Path) -> Case:
        """Read a case from its archive."""
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive}
        return cls(
            name=path.stem,
            reflectance={name: arrays.pop(f"toa_{name}") for name in CLASSIFICATION_BANDS},
            sun=SunGeometry(*(float(arrays.pop(name)) for name in ("sza", "saa", "pixel_size"))),
            elevation=arrays.pop("dem", None),
            relief=_relief(arrays),
            expected=arrays,
        )

    @property
    def no_data(self) -> npt.NDArray[np.bool_]:
        """Pixels in which any band is 0."""
        bands = np.stack(list(self.reflectance.values()))
        zero: npt.NDArray[np.bool_] = (bands == 0).any(axis=0)
        return zero

    def spectral(self, rules: str) -> SpectralClasses:
        """Classify up to the shadows under the rules of a version."""
        return spectral_classes(
            self.reflectance,
            self.no_data,
            thresholds=ClassificationThresholds(),
            constants=RULES[rules],
            rules=ClassificationRules.compatible(),
            elevation=self.elevation,
        )

    def classify(self, rules: ClassificationRules) -> Classification:
        """Classify to the end."""
        return classify(
            self.reflectance,
            self.no_data,
            sun=self.sun,
            rules=rules,
            elevation=self.elevation,
            relief=self.relief,
        )

    def pairs(self, rules: str) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
        """Ours and the reference over pixels with data: classes, cloud and snow probability."""
        spectral, valid = self.spectral(rules), ~self.no_data
        ours = {
            f"scl_before_shadow_{rules}": spectral.scene_class,
            f"cloud_{rules}": percent(spectral.cloud),
            f"snow_{rules}": percent(spectral.snow),
        }
        return {key: (image[valid], self.expected[key][valid]) for key, image in ours.items()}


def _relief(arrays: dict[str, npt.NDArray[Any]]) -> Relief | None:
    """Relief of the hillshade of the original, 1 + 254 times the illumination, 0 where unknown."""
    if "hillshade" not in arrays:
        return None
    shade = arrays.pop("hillshade").astype(np.float32)
    illumination = np.where(shade == 0, np.float32(np.nan), (shade - 1) / np.float32(254))
    return Relief(slope=arrays.pop("slope_deg").astype(np.float32), illumination=illumination)


def case_paths(data: Path) -> list[Path]:
    """Archives of the reference cases in the folder of the reference data."""
    return sorted((data / "classification_cases").glob("*.npz"))


def _agreement(paths: list[Path]) -> Iterator[str]:
    yield "Equal pixels before the shadow step, percent of the pixels with data"
    yield f"{'case':<28}{'rules':>6}{'pixels':>9}{'classes':>10}{'cloud':>10}{'snow':>10}"
    for path in paths:
        case = Case.load(path)
        for rules in RULES:
            pairs = case.pairs(rules).values()
            shares = "".join(f"{100 * np.mean(ours == theirs):10.4f}" for ours, theirs in pairs)
            yield f"{case.name:<28}{rules:>6}{np.count_nonzero(~case.no_data):>9}{shares}"


def _confusion(path: Path) -> Iterator[str]:
    case = Case.load(path)
    finished = classify(case.reflectance, case.no_data, elevation=case.elevation).scene_class
    ours, theirs = finished[~case.no_data], case.expected[FINISHED][~case.no_data]
    unshaded = (ours != 3) & (theirs != 3)
    table = np.zeros((12, 12), np.int64)
    np.add.at(table, (theirs, ours), 1)
    yield (
        f"{case.name}: {100 * np.mean(ours == theirs):.3f} % of the pixels equal to {FINISHED}, "
        f"{100 * np.mean((ours == theirs)[unshaded]):.3f} % where neither says cloud shadow"
    )
    columns = [code for code in range(12) if table[:, code].any()]
    yield "  reference \\ ours" + "".join(f"{code:>8}" for code in columns)
    for code in range(12):
        if table[code].any():
            yield f"{code:>18}" + "".join(f"{table[code, other]:>8}" for other in columns)


def main(arguments: list[str]) -> int:
    """Print the tables; exit code 1 where there are no reference cases."""
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    data = Path(arguments[0] if arguments else os.environ.get("SEN2COR_TEST_DATA", default))
    paths = case_paths(data)
    if not paths:
        print(f"no reference cases below {data}; set SEN2COR_TEST_DATA", file=sys.stderr)
        return 1
    print(*_agreement(paths), sep="\n")
    for path in paths:
        print()
        print(*_confusion(path), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
