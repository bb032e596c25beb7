"""Agreement of the scene classification with that of Sen2Cor for the same input.

``python -m tests.validation.classification [FOLDER]`` prints, for each reference case, the
percentage of equal pixels before the shadow step (classes, cloud and snow probability, with the
parameters of Sen2Cor 2.2.1 and of 2.8). For the compatible and the improved rules it prints the
confusion matrix of the final map with that of 2.2.1 and the differences of the probabilities. Only
pixels without a 0 in any band count. It then scores both sets of rules against a reference of
clouds and shadows and against official maps.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND_NAMES
from sen2cor.classification import (
    CLASSIFICATION_BANDS,
    Classification,
    ClassificationConstants,
    ClassificationParameters,
    ClassificationRules,
    ClassificationScene,
    SceneClass,
    SpectralClasses,
    SunGeometry,
    TerrainIllumination,
    classify,
    classify_spectra,
)
from sen2cor.classification.classify_image import to_percent

MODES = {
    "compatible": ClassificationParameters(rules=ClassificationRules.compatible()),
    "improved": ClassificationParameters(),
}

VERSIONS = {
    "v221": MODES["compatible"],
    "v28": replace(
        MODES["compatible"], constants=ClassificationConstants(snow_red_edge_ratio_min=0.85)
    ),
}
"""Parameters of the versions of Sen2Cor that the reference cases were made with."""

FINISHED = "scl_v221_soilfix"


@dataclass(frozen=True)
class Case:
    """One reference case: input, and the maps of Sen2Cor.

    Attributes
    ----------
    name : str
    reflectance : mapping of band name to ndarray of float32, shape (rows, cols)
    sun : SunGeometry
    elevation : ndarray of float32, shape (rows, cols), or None
        Metres.
    terrain : TerrainIllumination or None
    expected : mapping of name to ndarray
        The reference maps.
    """

    name: str
    reflectance: Mapping[str, npt.NDArray[np.float32]]
    sun: SunGeometry
    elevation: npt.NDArray[np.float32] | None
    terrain: TerrainIllumination | None
    expected: Mapping[str, npt.NDArray[Any]]

    @classmethod
    def load(cls, path: Path) -> Case:
        """Read a case from its archive."""
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive}
        sun = SunGeometry(*(float(arrays.pop(name)) for name in ("sza", "saa", "pixel_size")))
        return cls(
            name=path.stem,
            reflectance={name: arrays.pop(f"toa_{name}") for name in CLASSIFICATION_BANDS},
            sun=sun,
            elevation=arrays.pop("dem", None),
            terrain=_read_terrain(arrays, sun),
            expected=arrays,
        )

    @property
    def no_data(self) -> npt.NDArray[np.bool_]:
        """Pixels in which any band is 0."""
        bands = np.stack(list(self.reflectance.values()))
        zero: npt.NDArray[np.bool_] = (bands == 0).any(axis=0)
        return zero

    def classify_spectra(self, version: str) -> SpectralClasses:
        """Classify up to the shadow step with the parameters of a version."""
        scene = ClassificationScene(self.no_data, elevation=self.elevation)
        return classify_spectra(self.reflectance, scene, VERSIONS[version])

    def classify(self, parameters: ClassificationParameters) -> Classification:
        """Classify to the end."""
        return classify(
            self.reflectance,
            self.no_data,
            sun=self.sun,
            parameters=parameters,
            elevation=self.elevation,
            terrain=self.terrain,
        )

    def pairs(self, version: str) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
        """Ours and the reference over pixels with data: classes, cloud and snow probability."""
        spectral, valid = self.classify_spectra(version), ~self.no_data
        ours = {
            f"scl_before_shadow_{version}": spectral.scene_class,
            f"cloud_{version}": to_percent(spectral.cloud),
            f"snow_{version}": to_percent(spectral.snow),
        }
        return {key: (image[valid], self.expected[key][valid]) for key, image in ours.items()}


def _read_terrain(
    arrays: dict[str, npt.NDArray[Any]], sun: SunGeometry
) -> TerrainIllumination | None:
    """Terrain from the hillshade of Sen2Cor: 1 + 254 times the cosine of the incidence angle, 0
    where unknown.
    """
    if "hillshade" not in arrays:
        return None
    shade = arrays.pop("hillshade").astype(np.float32)
    cosine = np.where(shade == 0, np.float32(np.nan), (shade - 1) / np.float32(254))
    illumination = cosine / np.float32(sun.cosine)
    return TerrainIllumination(
        slope=arrays.pop("slope_deg").astype(np.float32), illumination_ratio=illumination
    )


def case_paths(data: Path) -> list[Path]:
    """Archives of the reference cases in the folder of the reference data."""
    return sorted((data / "classification_cases").glob("*.npz"))


def _agreement(paths: list[Path]) -> Iterator[str]:
    yield "Equal pixels before the shadow step, percent of the pixels with data"
    yield f"{'case':<28}{'rules':>6}{'pixels':>9}{'classes':>10}{'cloud':>10}{'snow':>10}"
    for path in paths:
        case = Case.load(path)
        for version in VERSIONS:
            pairs = case.pairs(version).values()
            percentages = "".join(
                f"{100 * np.mean(ours == theirs):10.4f}" for ours, theirs in pairs
            )
            yield f"{case.name:<28}{version:>6}{np.count_nonzero(~case.no_data):>9}{percentages}"


def _finished(path: Path) -> Iterator[str]:
    case = Case.load(path)
    valid = ~case.no_data
    for mode, parameters in MODES.items():
        result = case.classify(parameters)
        ours, theirs = result.scene_class[valid], case.expected[FINISHED][valid]
        unshaded = (ours != SceneClass.CLOUD_SHADOWS) & (theirs != SceneClass.CLOUD_SHADOWS)
        yield (
            f"{case.name}, {mode}: {100 * np.mean(ours == theirs):.3f} % of the pixels equal to "
            f"{FINISHED}, {100 * np.mean((ours == theirs)[unshaded]):.3f} % where neither says "
            "cloud shadow"
        )
        for name, image in (
            ("cloud", result.cloud_probability),
            ("snow", result.snow_probability),
        ):
            difference = image[valid].astype(int) - case.expected[f"{name}_v221"][valid]
            yield (
                f"  {name} probability: {100 * np.mean(difference == 0):.3f} % equal, mean "
                f"difference {difference.mean():+.2f} %, maximum {np.abs(difference).max()} %"
            )
        yield from confusion(theirs, ours)


def confusion(theirs: npt.NDArray[Any], ours: npt.NDArray[Any]) -> Iterator[str]:
    """Confusion matrix of two maps, with the accuracy of the first."""
    table = np.zeros((12, 12), np.int64)
    np.add.at(table, (theirs, ours), 1)
    columns = [code for code in range(12) if table[:, code].any()]
    head = "".join(f"{code:>8}" for code in columns)
    yield f"  reference \\ ours{head}  producer's"
    for code in range(12):
        if total := table[code].sum():
            counts = "".join(f"{table[code, other]:>8}" for other in columns)
            yield f"{code:>18}{counts}{100 * table[code, code] / total:>10.1f} %"
    fractions = (100 * table[code, code] / table[:, code].sum() for code in columns)
    yield f"{'user' + chr(39) + 's, %':>18}" + "".join(
        f"{fraction:>8.1f}" for fraction in fractions
    )


REFERENCE_CODES = {0: 3, 1: 6, 3: 5, 4: 9}
"""Shadow, water, land and cloud of the cloud reference."""

MERGED = np.array([0, 1, 3, 3, 5, 5, 6, 7, 9, 9, 9, 5], np.uint8)
"""Class of the cloud reference by our class."""

SUNS = ((40.0, 150.0), (25.0, 150.0), (55.0, 150.0), (40.0, 110.0), (40.0, 190.0))
"""Zenith and azimuth; the product of the cloud reference is not known."""


def cloud_reference(data: Path) -> Iterator[str]:
    """Scores against the reference of clouds and shadows, over assumed suns."""
    path = data / "pixels" / "cloud_reference" / "six_bands_cloud_shadow.npz"
    if not path.is_file():
        return
    with np.load(path) as archive:
        bands, reference = archive["img"], archive["msk"][..., 0]
    names = ("B02", "B03", "B04", "B8A", "B11", "B12")
    image = {name: np.ascontiguousarray(bands[..., i]) for i, name in enumerate(names)}
    image["B05"] = (image["B04"] + image["B8A"]) / 2
    image["B10"] = np.full_like(image["B02"], 0.001)
    no_data = np.zeros(reference.shape, np.bool_)
    shadow, land, cloud = (reference == code for code in (0, 3, 4))
    yield "Cloud reference, %; B05, B10, pixel size and sun are assumed"
    yield (
        f"{'rules':<12}{'zenith':>7}{'azimuth':>8} | shadow as 3    as 2    as 4    as 5, "
        "3 is shadow | cloud as 8..10 as 7..10, 8..10 is cloud | land as 8..10     as 7"
    )
    for mode, parameters in MODES.items():
        for zenith, azimuth in SUNS:
            ours = classify(
                image, no_data, sun=SunGeometry(zenith, azimuth, 20.0), parameters=parameters
            ).scene_class
            clouds = np.isin(ours, (8, 9, 10))
            fractions = [np.mean(ours[shadow] == code) for code in (3, 2, 4, 5)]
            fractions.append(np.mean(shadow[ours == SceneClass.CLOUD_SHADOWS]))
            fractions += [np.mean(clouds[cloud]), np.mean((clouds | (ours == 7))[cloud])]
            fractions += [np.mean(cloud[clouds]), np.mean(clouds[land]), np.mean(ours[land] == 7)]
            texts = [f"{100 * fraction:.2f}" for fraction in fractions]
            yield f"{mode:<12}{zenith:>7.0f}{azimuth:>8.0f} | " + "".join(
                f"{text:>9}" for text in texts
            )
    theirs = np.zeros(reference.shape, np.uint8)
    for code, ours_code in REFERENCE_CODES.items():
        theirs[reference == code] = ours_code
    for mode, parameters in MODES.items():
        ours = classify(
            image, no_data, sun=SunGeometry(*SUNS[0], 20.0), parameters=parameters
        ).scene_class
        merged = MERGED[ours]
        yield (
            f"{mode}: overall accuracy {100 * np.mean(merged == theirs):.2f} % (2 counts as "
            "shadow, 4 and 11 as land, 8 and 10 as cloud, 7 as wrong)"
        )
        yield from confusion(theirs.ravel(), merged.ravel())


def slovenia(data: Path) -> Iterator[str]:
    """Agreement with the official map, on pixels averaged to 20 m as that map shows them."""
    path = data / "pixels" / "slovenia_winter_l1c_scl" / "scenes.npz"
    if not path.is_file():
        return
    with np.load(path) as archive:
        scenes = {name: archive[name] for name in archive}
    numbers = {BAND_NAMES.index(name): name for name in CLASSIFICATION_BANDS}
    all_theirs, all_ours = [], {mode: [] for mode in MODES}
    yield "Official map of Slovenia in winter (versions not known), % of the pixels equal"
    for index, date in enumerate(scenes["dates"]):
        valid = _blocks(scenes["valid"][index]).all(axis=(1, 3))
        theirs = _blocks(scenes["scl"][index])[:, 0, :, 0]
        image = {
            name: _blocks(scenes["reflectance"][index, ..., number]).mean(axis=(1, 3))
            for number, name in numbers.items()
        }
        image = {name: np.where(valid, band, 0).astype(np.float32) for name, band in image.items()}
        sun = SunGeometry(float(scenes["solar_zenith_approx"][index]), 165.0, 20.0)
        elevation = _blocks(scenes["dem"]).mean(axis=(1, 3)).astype(np.float32)
        fractions = []
        all_theirs.append(theirs[valid])
        for mode, parameters in MODES.items():
            ours = classify(
                image, ~valid, sun=sun, parameters=parameters, elevation=elevation
            ).scene_class
            all_ours[mode].append(ours[valid])
            fractions.append(f"{mode} {100 * np.mean(ours[valid] == theirs[valid]):.2f}")
        yield f"  {date}, {np.count_nonzero(valid)} pixels: {', '.join(fractions)}"
    theirs = np.concatenate(all_theirs)
    for mode in MODES:
        ours = np.concatenate(all_ours[mode])
        yield f"{mode}: overall accuracy {100 * np.mean(ours == theirs):.2f} %"
        yield from confusion(theirs, ours)


def _blocks(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Blocks of 2 by 2 pixels of 10 m, with the phase of the official map."""
    whole = image[1:, :]
    rows, cols = (size // 2 for size in whole.shape)
    return whole[: 2 * rows, : 2 * cols].reshape(rows, 2, cols, 2)


def main(arguments: list[str]) -> int:
    """Print the tables; exit code 1 if there are no reference cases."""
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    data = Path(arguments[0] if arguments else os.environ.get("SEN2COR_TEST_DATA", default))
    paths = case_paths(data)
    if not paths:
        print(f"no reference cases below {data}; set SEN2COR_TEST_DATA", file=sys.stderr)
        return 1
    print(*_agreement(paths), sep="\n")
    tables = [*(_finished(path) for path in paths), cloud_reference(data), slovenia(data)]
    for table in tables:
        print()
        print(*table, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
