"""Spectra of real kinds of surfaces, and the mixture of normal distributions fitted to them.

``python -m sen2cor.simulation.surface_prior LIBRARY`` writes the prior of the aerosol
retrieval (`sen2cor.atmosphere.aerosol.surface_prior`). The spectra are:

- canopies by PROSAIL (S. Jacquemoud et al., Remote Sens. Environ. 113 (2009) S56-S66; PROSPECT-D:
  J.-B. Feret et al., Remote Sens. Environ. 193 (2017) 204-215), green and dry;
- soils by the brightness-shape-moisture model with the vectors of C. Jiang and H. Fang (Int. J.
  Appl. Earth Obs. Geoinf. 83 (2019) 101932; W. Verhoef et al., Remote Sens. Environ. 204 (2018)
  942-963), and mixtures of measured soils and rocks;
- measured leaves, litter and urban surfaces of a library (ECOSTRESS: S. K. Meerdink et al., Remote
  Sens. Environ. 230 (2019) 111196). Only its columns of even number are used: those of odd number
  are left to judge the retrieval;
- water by the model of H. R. Gordon et al. (J. Geophys. Res. 93 (1988) 10909-10924), from clear to
  full of sediment or floating plants, with foam and glint.

All are mixed at random, as in pixels of 60 m, and darkened by shadows between crowns. Vegetation is
then resampled so that its ratio of red to 2.2 um reflectance is as observed over dark vegetation:
median 0.53 with a relative standard deviation of 22 % (R. C. Levy et al., J. Geophys. Res. 112
(2007) D13211; L. A. Remer et al., IEEE Trans. Geosci. Remote Sens. 39 (2001) 2275-2283). No pixel
of a satellite and no simulated scene is among the spectra.

It needs the extra ``simulation``, scikit-learn and SPART-python (``make surface-prior``).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import gaussian_kde

from sen2cor.atmosphere.aerosol.surface_prior import BANDS, LAND, OFFSET, PATH, WATER, WIDE
from sen2cor.raster.array_types import Float64Array
from sen2cor.spectral_responses import spectral_response

WAVELENGTHS = np.arange(400.0, 2501.0)

SPECTRA_PER_TYPE = 8000
COMPONENTS_PER_TYPE = {"water": 12}
"""Components of the mixture of a surface type; `_COMPONENTS` of others."""

_COMPONENTS = 6
NOISE = (0.03, 0.001)
"""Relative and absolute standard deviation that is added to the band reflectances: calibration
between bands, and errors of the radiative transfer."""

_BACKGROUND = 0.02
"""Weight of the wide component."""

_RED_TO_SWIR = (0.53, 0.22)
_MAX_RESAMPLING = 8.0

_WATER_NODES = {
    400: 0.0066, 440: 0.0064, 490: 0.015, 530: 0.043, 560: 0.062, 600: 0.222, 640: 0.311,
    670: 0.439, 700: 0.624, 720: 1.23, 740: 2.47, 780: 2.36, 820: 2.8, 860: 4.6, 900: 6.8, 950: 39,
    1000: 37, 1100: 18, 1250: 100, 1400: 1300, 1600: 650, 1900: 12000, 2200: 2000, 2450: 8000,
}  # fmt: skip
"""Absorption of water in 1/m (R. M. Pope and E. S. Fry, Applied Optics 36 (1997) 8710-8723; L. Kou
et al., Applied Optics 32 (1993) 3531-3540)."""


@dataclass
class Population:
    """Draws random spectra.

    Attributes
    ----------
    library : mapping of str to ndarray of float64, shape (n, wavelengths)
        Measured spectra by group.
    number : int
        Spectra of a draw.
    seed : int
    """

    library: Mapping[str, Float64Array]
    number: int
    seed: int = 1
    random: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def draw(self) -> dict[str, Float64Array]:
        """Draw all surface types; band reflectances, shape (number, bands)."""
        green, dry, soil = self.canopies(dry=False), self.canopies(dry=True), self.soils()
        wood = self.measured_mixtures("mixture") * self._tilt(0.05)
        leaves = self._choose("vegetation") * self._column(0.4, 1.0) * self._tilt(0.05)
        urban = [
            self._choose("built_mineral") * self._column(0.4, 1.1) * self._tilt(0.12)
            for _ in range(3)
        ]
        water = self.water()
        plants = self._mix([water, green, dry], [1.5, 0.5, 0.2])
        spectra = {
            "vegetation": self._shade(
                self._mix([green, green, dry, soil, wood], [1.2, 1.2, 0.6, 0.5, 0.5]), 0.35
            ),
            "sparse vegetation": self._shade(
                self._mix([green, dry, soil, wood], [0.6, 0.6, 0.9, 0.6]), 0.6
            ),
            "dry vegetation": self._shade(
                self._mix([dry, dry, soil, wood], [0.7, 0.7, 0.5, 0.5]), 0.6
            ),
            "soil": self._mix([soil, soil, dry, wood], [1.0, 0.8, 0.15, 0.15]),
            "urban": self._mix([*urban, green, soil], [0.5, 0.5, 0.5, 0.4, 0.3]),
            "leaves": self._shade(
                self._mix([leaves, leaves, soil, green], [0.7, 0.7, 0.2, 0.4]), 0.5
            ),
            "water": np.where(self._share() < 0.12, plants, water),
        }
        bands = band_weights().T
        found = {name: values @ bands for name, values in spectra.items()}
        for name in ("vegetation", "sparse vegetation", "leaves"):
            found[name] = self._as_observed(found[name])
        return found

    def canopies(self, *, dry: bool) -> Float64Array:
        """Canopies by PROSAIL over random soils and litter."""
        import prosail

        ground = self.measured_mixtures("soil_rock", "mixture") if not dry else self.soils()
        uniform, log_uniform = self.random.uniform, self._log_uniform
        spectra = np.empty((self.number, WAVELENGTHS.size))
        for index in range(self.number):
            if dry:
                leaf = (uniform(1.4, 2.5), uniform(0, 10), uniform(0, 6), uniform(0.2, 2.0),
                        log_uniform(0.0005, 0.006), log_uniform(0.003, 0.02))  # fmt: skip
                area, anthocyanins, soil = uniform(0.3, 5.0), 0.0, ground[index]
            else:
                chlorophyll = uniform(8, 70)
                brown = min(1.2, self.random.exponential(0.25))
                leaf = (uniform(1.2, 2.2), chlorophyll, chlorophyll * uniform(0.15, 0.35) + 1.0,
                        brown, log_uniform(0.004, 0.035), log_uniform(0.002, 0.015))  # fmt: skip
                area = uniform(0.3, 7.0) if self.random.random() < 0.6 else uniform(2.5, 7.0)
                anthocyanins = uniform(0, 8) if self.random.random() < 0.5 else 0.0
                soil = ground[index] * uniform(0.4, 1.0)
            spectra[index] = prosail.run_prosail(
                *leaf, area, uniform(30, 75), uniform(0.02, 0.3), uniform(20, 70), uniform(0, 10),
                uniform(0, 180), ant=anthocyanins, prospect_version="D", typelidf=2, rsoil0=soil,
            )  # fmt: skip
        return spectra

    def soils(self) -> Float64Array:
        """Dry and wet soils: two thirds of the model, one third between measured ones."""
        vectors = _soil_vectors()
        modelled: list[Float64Array] = []
        while len(modelled) < self.number:
            brightness = self.random.uniform(0.15, 0.9)
            lat, lon = np.radians(self.random.uniform((-30, 80), (30, 120)))
            shape = (np.sin(lat), np.cos(lat) * np.sin(lon), np.cos(lat) * np.cos(lon))
            spectrum = brightness * np.array(shape) @ vectors
            # reflectance of soils increases from the blue to the red
            if spectrum.min() > 0.01 and spectrum.max() < 0.85 and spectrum[0] < spectrum[300]:
                modelled.append(spectrum)
        measured = self.measured_mixtures("soil_rock")
        soils = np.where(self._share() < 0.65, self._moisten(np.array(modelled)), measured)
        return soils * self._tilt(0.04)

    def measured_mixtures(self, *groups: str) -> Float64Array:
        """Spectra between two measured ones, of other brightness and contrast, dry or wet."""
        measured = np.concatenate([self.library[group] for group in groups])
        first, second = self.random.integers(len(measured), size=(2, self.number))
        weight = self._share()
        logarithm = (1.0 - weight) * np.log(np.maximum(measured[first], 1e-3))
        logarithm += weight * np.log(np.maximum(measured[second], 1e-3))
        spectra = np.exp(logarithm) ** self._column(0.8, 1.25) * self._column(0.6, 1.15)
        return np.clip(self._moisten(spectra), 1e-3, 0.9)

    def water(self) -> Float64Array:
        """Water leaving reflectance with foam and glint."""
        at = WAVELENGTHS
        absorption = np.exp(np.interp(at, list(_WATER_NODES), np.log(list(_WATER_NODES.values()))))
        pigment = np.exp(-(((at - 440.0) / 45.0) ** 2)) + 0.5 * np.exp(
            -(((at - 675.0) / 12.0) ** 2)
        )
        spectra = np.empty((self.number, at.size))
        uniform, log_uniform = self.random.uniform, self._log_uniform
        for index in range(self.number):
            chlorophyll, dissolved = log_uniform(0.05, 100), log_uniform(0.01, 3)
            sediment = log_uniform(1e-4, 20 if self.random.random() < 0.5 else 0.5)
            total = absorption + dissolved * np.exp(-uniform(0.012, 0.018) * (at - 440.0))
            total += 0.04 * chlorophyll**0.65 * pigment
            total += uniform(0.5, 2.0) * sediment * np.exp(-0.011 * (at - 440.0))
            back = 0.0011 * (at / 500.0) ** -4.3
            back += 0.0015 * chlorophyll**0.62 * (at / 550.0) ** -uniform(0.0, 1.0)
            back += sediment * (at / 550.0) ** -uniform(0.2, 1.2)
            fraction = back / (total + back)
            spectra[index] = np.pi * 0.54 * fraction * (0.0949 + 0.0794 * fraction)
        return spectra + self.random.exponential(0.004, (self.number, 1))

    def _moisten(self, spectra: Float64Array) -> Float64Array:
        """Darken a part of the soils, most where water absorbs."""
        import prosail.spectral_library

        water = prosail.spectral_library.get_spectra().prospectd.kw
        moisture = np.where(self._share() < 0.4, self._share(), 0.0)
        film = np.exp(-0.03 * moisture * self._share() * water)
        return np.asarray(spectra * (1.0 - 0.5 * moisture) * film)

    def _shade(self, spectra: Float64Array, least: float) -> Float64Array:
        return np.asarray(spectra * self._column(least, 1.0))

    def _tilt(self, deviation: float) -> Float64Array:
        """Smooth random factor: a cubic of the logarithm of the wavelength."""
        x = 2.0 * (np.log(WAVELENGTHS) - np.log(900.0)) / np.log(6.0)
        shapes = np.stack([x, x**2 - 0.3, x**3 - 0.6 * x])
        return np.asarray(np.exp(deviation * self.random.normal(size=(self.number, 3)) @ shapes))

    def _mix(self, parts: list[Float64Array], concentration: list[float]) -> Float64Array:
        """Linear mixtures with random fractions (Dirichlet)."""
        fractions = self.random.dirichlet(concentration, self.number).T[:, :, np.newaxis]
        total = np.zeros_like(parts[0])
        for part, fraction in zip(parts, fractions, strict=True):
            total += fraction * part[self.random.permutation(self.number)]
        return total

    def _as_observed(self, bands: Float64Array) -> Float64Array:
        """Resample vegetation to the observed distribution of red over 2.2 um."""
        red, infrared, swir = (bands[:, BANDS.index(name)] for name in ("B04", "B8A", "B12"))
        ratio = np.log(red / swir)
        green = ((infrared - red) / (infrared + red) > 0.4) & (swir < 0.2)
        median, deviation = _RED_TO_SWIR
        wanted = np.exp(-0.5 * ((ratio - np.log(median)) / deviation) ** 2)
        wanted /= np.maximum(gaussian_kde(ratio[green])(ratio), 1e-2)
        weight = np.where(green, wanted / wanted[green].mean(), 1.0)
        weight = np.minimum(weight, _MAX_RESAMPLING)
        chosen = self.random.choice(len(bands), len(bands), p=weight / weight.sum())
        return np.asarray(bands[chosen])

    def _choose(self, group: str) -> Float64Array:
        measured = self.library[group]
        return np.asarray(measured[self.random.integers(len(measured), size=self.number)])

    def _column(self, low: float, high: float) -> Float64Array:
        return self.random.uniform(low, high, (self.number, 1))

    def _share(self) -> Float64Array:
        return self.random.random((self.number, 1))

    def _log_uniform(self, low: float, high: float) -> float:
        return float(np.exp(self.random.uniform(np.log(low), np.log(high))))


def read_library(path: Path) -> dict[str, Float64Array]:
    """Read the columns of even number of a library, by group."""
    table = np.genfromtxt(path, delimiter=",", names=True)
    groups: dict[str, list[Float64Array]] = {}
    for name in (table.dtype.names or ())[1:]:
        group, number = name.rsplit("_", 1)
        if int(number) % 2 == 0:
            spectrum = np.interp(WAVELENGTHS, table["wavelength_nm"], table[name])
            groups.setdefault(group, []).append(spectrum)
    return {group: np.array(spectra) for group, spectra in groups.items()}


def band_weights() -> Float64Array:
    """Weights of the wavelengths in each band, mean of S2A and S2B, shape (bands, wavelengths)."""
    weights = np.zeros((len(BANDS), WAVELENGTHS.size))
    for row, band in zip(weights, BANDS, strict=True):
        for spacecraft in ("S2A", "S2B"):
            at, response = spectral_response(spacecraft, band)
            values = np.interp(WAVELENGTHS, at, response, left=0.0, right=0.0)
            row += 0.5 * values / values.sum()
    return weights


def fit_mixture(population: Mapping[str, Float64Array], *, seed: int = 0) -> dict[str, Any]:
    """Fit a mixture to each surface type, and join them with equal weights.

    Returns
    -------
    dict
        ``kinds``, ``weights``, ``means`` and ``covariances``, on the scale of the prior.
    """
    from sklearn.mixture import GaussianMixture

    random = np.random.default_rng(seed)
    relative, absolute = NOISE
    fitted = []
    kinds: list[str] = []
    for name, bands in population.items():
        noisy = bands * (1.0 + relative * random.normal(size=bands.shape))
        noisy += absolute * random.normal(size=bands.shape)
        scaled = np.log(np.maximum(noisy, -0.7 * float(OFFSET)) + float(OFFSET))
        number = COMPONENTS_PER_TYPE.get(name, _COMPONENTS)
        mixture = GaussianMixture(number, reg_covar=1e-4, max_iter=200, random_state=seed)
        fitted.append(mixture.fit(scaled))
        kinds += number * [WATER if name == "water" else LAND]
    weights = np.concatenate([each.weights_ for each in fitted]) / len(fitted)
    means = np.concatenate([each.means_ for each in fitted])
    covariances = np.concatenate([each.covariances_ for each in fitted])
    centre = weights @ means
    spread = means - centre
    wide = np.einsum("k,kij->ij", weights, covariances)
    wide += np.einsum("k,ki,kj->ij", weights, spread, spread)
    return {
        "kinds": [*kinds, WIDE],
        "weights": _rounded(np.append((1.0 - _BACKGROUND) * weights, _BACKGROUND)),
        "means": _rounded(np.vstack([means, centre])),
        "covariances": _rounded(np.concatenate([covariances, 1.5 * wide[np.newaxis]])),
    }


def _rounded(values: Float64Array) -> list[Any]:
    return list(values.round(6).tolist())


def _soil_vectors() -> Float64Array:
    """The three soil vectors at `WAVELENGTHS`, from the data of SPART-python."""
    import pickle
    from importlib.util import find_spec

    spec = find_spec("SPART")
    if spec is None or spec.origin is None:
        raise SystemExit("SPART-python is missing: run make surface-prior")
    path = Path(spec.origin).parent / "model_parameters" / "optical_params.pkl"
    table = pickle.loads(path.read_bytes())
    at = np.asarray(table["wl"]).ravel()
    return np.stack([np.interp(WAVELENGTHS, at, vector) for vector in table["GSV"].T])


def main(arguments: list[str] | None = None, *, write: Callable[[str], object] = print) -> None:
    """Write the prior into the data of the package."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("library", type=Path, help="surface_reflectance_10nm.csv")
    parser.add_argument("--output", type=Path, default=PATH)
    parser.add_argument("--number", type=int, default=SPECTRA_PER_TYPE)
    options = parser.parse_args(arguments)
    population = Population(read_library(options.library), options.number).draw()
    mixture = fit_mixture(population)
    content = {
        "source": "python -m sen2cor.simulation.surface_prior",
        "bands": list(BANDS),
        "offset": float(f"{OFFSET:.6g}"),
        "types": list(population),
        **mixture,
    }
    options.output.parent.mkdir(exist_ok=True)
    options.output.write_text(json.dumps(content, separators=(",", ":")) + "\n")
    for name, bands in population.items():
        write(
            f"{name:20s} median " + " ".join(f"{value:.3f}" for value in np.median(bands, axis=0))
        )


if __name__ == "__main__":
    main()
