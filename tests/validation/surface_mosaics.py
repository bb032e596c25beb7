"""Mosaics of measured surface reflectance, as ground truth of the validation of the aerosol.

A mosaic consists of patches of some hundred metres. Each patch has a cover, and each cover a pool
of spectra:

- forest, grass, crops: pixels of the official Level-2A of pair 433D (Chile), selected by NDVI and
  by reflectance in B12 and B8A; dry grass: all pixels of pair 38D (Tanzania) with some vegetation.
  They are means over 60 m; B01 and B09 have this pixel size.
- soil, sand, built surfaces, turbid water: the library derived from ECOSTRESS (Meerdink et al.
  2019, Remote Sensing of Environment 230, 111196). **Only its odd-numbered columns are used here:
  they judge. The even-numbered columns may build the prior of a retrieval.** The pairs only judge.
- clear water: a bio-optical model (`clear_water`) with random constituents.

The logarithm of a pixel's reflectance is the mean of its pool plus parts of the departures of three
spectra of the pool from this mean: 0.5 of one drawn for the scene, 0.6 of one drawn for the patch,
and 0.6 of one drawn for the pixel. Together they have the variance of the pool, and ratios between
bands vary as in the pool. Library covers are random mixtures by scene and by patch; they take the
departures within patches from the bare pixels of pair 38D, water from a small random variation.
Patches are drawn at 20 m and averaged to 60 m, so that their borders consist of mixed pixels.

The official reflectance of the forest is not free of assumptions: its processor retrieved aerosol
from the ratio 0.5 of red to 2.2 um reflectance of dark vegetation. A retrieval with this ratio has
an advantage here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from sen2cor.atmosphere.look_up_tables.atm_files import BANDS as BANDS_OF_FILES
from sen2cor.raster.array_types import Float32Array
from sen2cor.spectral_responses import spectral_response

Array = npt.NDArray[np.float64]

BANDS = BANDS_OF_FILES["20_60"]
PIXEL = 60.0
WAVELENGTHS = np.arange(400.0, 2451.0, 10.0)
"""Of the library, nm."""

_FINE = 3
"""Points along a side of a pixel at which patches are drawn."""

_PATCH_SIZES = (350.0, 900.0)
"""Metres; the mean size of the patches of a mosaic lies between."""

_BETWEEN_SCENES, _BETWEEN_PATCHES, _WITHIN_PATCHES = 0.5, 0.6, 0.6
_CONCENTRATION = 6.0
"""Of the random proportions of a patch around those of the scene."""

_MIN_REFLECTANCE = 1e-4

PAIRS = {"433D": ("433D_629L_3_1", -1000), "38D": ("38D_378R_2_3", 0)}
"""File and offset of the digital numbers of each pair."""

_PAIR_SIDE = 37
"""Whole pixels of 60 m along a side of a pair."""

WATER_COVERS = ("clear water", "turbid water")

_MIXTURES: Mapping[str, Mapping[str, float]] = {
    "soil": {"soil_rock_09": 0.7, "soil_rock_11": 0.7, "soil_rock_13": 0.7, "soil_rock_01": 0.7},
    "sand": {"soil_rock_11": 2.0, "soil_rock_03": 1.0, "soil_rock_05": 1.0, "soil_rock_07": 0.4},
    "urban": {"built_mineral_01": 4.0, "built_mineral_05": 4.0, "soil_rock_09": 2.0,
              "built_mineral_03": 0.5, "built_mineral_07": 0.5},
}  # fmt: skip
"""Library spectra of a cover, and the concentrations of their random proportions in a scene. A
factor of 0.6 to 0.9 darkens them by shadow and roughness."""

_MIN_CONCENTRATION = 0.05
_TURBID = ("turbid_water_01", "turbid_water_03")

_POPE_FRY = ("0.00663 0.00473 0.00454 0.00495 0.00635 0.00922 0.00979 0.0106 0.0127 0.0150 0.0204 "
             "0.0325 0.0409 0.0434 0.0474 0.0565 0.0619 0.0695 0.0896 0.1351 0.2224 0.2644 0.2755 "
             "0.2916 0.3108 0.340 0.410 0.439 0.465 0.516 0.624 0.827 1.231")  # fmt: skip
"""Absorption of pure water at 400, 410 .. 720 nm, m-1."""

_BEYOND = {740: 2.4, 780: 2.4, 820: 2.8, 860: 4.6, 900: 6.8, 950: 39.0, 1000: 37.0, 1250: 100.0,
           1400: 1200.0, 1600: 650.0, 1900: 12000.0, 2200: 2000.0, 2450: 8000.0}  # fmt: skip
"""The same beyond, by wavelength in nm."""


@dataclass(frozen=True)
class Pools:
    """Spectra by cover, arrays of shape (n, bands).

    Attributes
    ----------
    measured : mapping of cover to ndarray
        Real pixels.
    library : mapping of column to ndarray, shape (bands,)
        Odd-numbered columns of the library.
    bare : ndarray
        Real pixels from which library covers take the variation within patches.
    """

    measured: Mapping[str, Array]
    library: Mapping[str, Array]
    bare: Array

    @classmethod
    def load(cls, data: Path) -> Pools:
        """Read pairs and library from the folder of the reference data."""
        green, dry = (_official(data, *PAIRS[name]) for name in ("433D", "38D"))
        ndvi, swir, nir = _ndvi(green), _band(green, "B12"), _band(green, "B8A")
        measured = {
            "forest": green[(ndvi > 0.75) & (swir < 0.08) & (nir > 0.15)],
            "grass": green[(ndvi > 0.45) & (ndvi < 0.8) & (swir > 0.08) & (swir < 0.2)],
            "crops": green[(ndvi > 0.75) & (nir > 0.3)],
            "dry grass": dry[_ndvi(dry) > 0.3],
        }
        return cls(measured, _library(data), dry[_ndvi(dry) < 0.25])


@dataclass(frozen=True)
class Mosaic:
    """Surface reflectance of a scene.

    Attributes
    ----------
    reflectance : mapping of band to ndarray of float32, shape (rows, cols)
    water : ndarray of float32, same shape
        Fraction of water, 0..1.
    """

    reflectance: Mapping[str, Float32Array]
    water: Float32Array


def draw_mosaic(
    pools: Pools, fractions: Mapping[str, float], size: int, random: np.random.Generator
) -> Mosaic:
    """Draw a mosaic.

    Parameters
    ----------
    pools : Pools
    fractions : mapping of cover to float
        Fraction of the patches with each cover; they add up to 1.
    size : int
        Rows and columns.
    random : Generator
    """
    patches, centres = _draw_patches(size, random)
    covers = _assign_covers(centres, fractions, random)
    names = list(fractions)
    logarithms = np.empty((len(centres), len(BANDS)))
    for cover in names:
        chosen = covers == names.index(cover)
        logarithms[chosen] = _patch_spectra(pools, cover, int(chosen.sum()), random)
    spectra = np.exp(logarithms)[patches]
    shape = (size, _FINE, size, _FINE)
    mean = spectra.reshape(*shape, len(BANDS)).mean((1, 3))
    middle = covers[patches[_FINE // 2 :: _FINE, _FINE // 2 :: _FINE]]
    for cover in names:
        inside = middle == names.index(cover)
        mean[inside] *= np.exp(_departures_of_pixels(pools, cover, int(inside.sum()), random))
    is_water = np.isin(np.array(names), WATER_COVERS)[covers]
    return Mosaic(
        {band: mean[..., index].astype(np.float32) for index, band in enumerate(BANDS)},
        is_water[patches].reshape(shape).mean((1, 3)).astype(np.float32),
    )


def clear_water(chlorophyll: float, dissolved: float, sediment: float, foam: float = 0.0) -> Array:
    """Reflectance of clear water in all bands: pi times the remote-sensing reflectance, plus foam.

    Parameters
    ----------
    chlorophyll : float
        mg m-3.
    dissolved : float
        Absorption by dissolved organic matter at 440 nm, m-1.
    sediment : float
        Backscattering of mineral particles at 550 nm, m-1.
    foam : float
        Reflectance of foam and glint, the same in all bands.

    Returns
    -------
    ndarray, shape (bands,)

    Notes
    -----
    Absorption of water: R. M. Pope and E. S. Fry, Applied Optics 36 (1997) 8710-8723; beyond 720 nm
    L. Kou et al., Applied Optics 32 (1993) 3531-3540, and G. M. Hale and M. R. Querry, Applied
    Optics 12 (1973) 555-563. Absorption of phytoplankton at 440 nm: A. Bricaud et al., J. Geophys.
    Res. 100 (1995) 13321-13332; its spectrum is approximated by two bands. Backscattering: A. Morel
    and S. Maritorena, J. Geophys. Res. 106 (2001) 7163-7180. Reflectance: H. R. Gordon et al., J.
    Geophys. Res. 93 (1988) 10909-10924.
    """
    at = WAVELENGTHS
    nodes = {400 + 10 * i: float(value) for i, value in enumerate(_POPE_FRY.split())} | _BEYOND
    absorption = np.exp(np.interp(at, list(nodes), np.log(list(nodes.values()))))
    absorption += dissolved * np.exp(-0.014 * (at - 440.0))
    pigments = np.exp(-(((at - 440.0) / 45.0) ** 2)) + 0.5 * np.exp(-(((at - 675.0) / 12.0) ** 2))
    absorption += 0.0403 * chlorophyll**0.668 * pigments
    exponent = 0.5 * (np.log10(chlorophyll) - 0.3) if chlorophyll < 2.0 else 0.0
    fraction = 0.002 + 0.01 * (0.5 - 0.25 * np.log10(chlorophyll)) * (at / 550.0) ** exponent
    back = 0.5 * 0.00288 * (at / 500.0) ** -4.32
    back += fraction * 0.416 * chlorophyll**0.766 + sediment * (at / 550.0) ** -0.7
    ratio = back / (absorption + back)
    reflectance = np.pi * 0.54 * ratio * (0.0949 + 0.0794 * ratio) + foam
    return _band_weights() @ reflectance


def _official(data: Path, name: str, offset: int) -> Array:
    """Official reflectance of a pair at 60 m, shape (n, bands); B10: mean of B09 and B11."""
    columns = {}
    with np.load(data / "l1c_l2a_pairs" / f"{name}.npz") as stream:
        for band in BANDS:
            if band == "B10":
                continue
            values = 1e-4 * (stream[f"L2A_{band}"].astype(float) + offset)
            factor = {224: 6, 112: 3, 38: 1}[len(values)]
            end = _PAIR_SIDE * factor
            blocks = values[:end, :end].reshape(_PAIR_SIDE, factor, _PAIR_SIDE, factor)
            columns[band] = blocks.mean((1, 3)).ravel()
    columns["B10"] = 0.5 * (columns["B09"] + columns["B11"])
    return np.stack([columns[band] for band in BANDS], -1)


def _library(data: Path) -> dict[str, Array]:
    path = data / "surface_spectra" / "surface_reflectance_10nm.csv"
    table = np.genfromtxt(path, delimiter=",", names=True)
    names = [name for name in (table.dtype.names or ())[1:] if int(name[-2:]) % 2]
    at = table["wavelength_nm"]
    return {name: _band_weights() @ np.interp(WAVELENGTHS, at, table[name]) for name in names}


@cache
def _band_weights() -> Array:
    """Weights of the wavelengths in each band, shape (bands, wavelengths)."""
    weights = np.empty((len(BANDS), WAVELENGTHS.size))
    for row, band in enumerate(BANDS):
        at, response = spectral_response("S2A", band)
        for column, unit in enumerate(np.eye(WAVELENGTHS.size)):
            weights[row, column] = np.average(np.interp(at, WAVELENGTHS, unit), weights=response)
    return weights


def _band(spectra: Array, band: str) -> Array:
    return np.asarray(spectra[:, BANDS.index(band)])


def _ndvi(spectra: Array) -> Array:
    red, nir = _band(spectra, "B04"), _band(spectra, "B8A")
    return np.asarray((nir - red) / (nir + red))


def _draw_patches(size: int, random: np.random.Generator) -> tuple[npt.NDArray[np.intp], Array]:
    """Number of the patch at each fine point, and the centres of the patches in fine points."""
    side = size * _FINE
    patch = random.uniform(*_PATCH_SIZES) * _FINE / PIXEL
    centres = random.uniform(0.0, side, (max(int((side / patch) ** 2), 40), 2))
    points = np.stack(np.mgrid[0:side, 0:side], -1).reshape(-1, 2)
    return cKDTree(centres).query(points)[1].reshape(side, side), centres


def _assign_covers(
    centres: Array, fractions: Mapping[str, float], random: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Index of the cover of each patch. Water is connected, and sand lies at its shore."""
    number = len(centres)
    shore = [name for name in fractions if name in WATER_COVERS]
    order = random.permutation(number)
    if shore:
        origin = random.choice(centres) + random.normal(0.0, centres.max(), 2)
        distance = np.hypot(*(centres - origin).T)
        order = np.argsort(distance * random.uniform(0.9, 1.1, number))
        shore += [name for name in fractions if name == "sand"]
    names = [*shore, *(name for name in fractions if name not in shore)]
    bounds = np.rint(number * np.cumsum([fractions[name] for name in names])).astype(int)
    inland = bounds[len(shore) - 1] if shore else 0
    order[inland:] = random.permutation(order[inland:])
    covers = np.empty(number, np.intp)
    for name, part in zip(names, np.split(order, bounds[:-1]), strict=True):
        covers[part] = list(fractions).index(name)
    return covers


def _patch_spectra(pools: Pools, cover: str, number: int, random: np.random.Generator) -> Array:
    """Logarithms of the spectra of patches, shape (number, bands)."""
    if cover in pools.measured:
        pool = np.log(np.maximum(pools.measured[cover], _MIN_REFLECTANCE))
        mean = pool.mean(0)
        scene = _BETWEEN_SCENES * (random.choice(pool) - mean)
        return np.asarray(mean + scene + _BETWEEN_PATCHES * (random.choice(pool, number) - mean))
    if cover in WATER_COVERS:
        return np.log(np.maximum(_waters(pools, cover, number, random), _MIN_REFLECTANCE))
    columns = np.stack([pools.library[name] for name in _MIXTURES[cover]])
    scene = random.dirichlet(list(_MIXTURES[cover].values()))
    proportions = np.stack(
        [random.dirichlet(_CONCENTRATION * scene + _MIN_CONCENTRATION) for _ in range(number)]
    )
    shade = random.uniform(0.6, 0.9) * np.exp(random.normal(0.0, 0.1, (number, 1)))
    return np.log(np.maximum(shade * (proportions @ columns), _MIN_REFLECTANCE))


def _waters(pools: Pools, cover: str, number: int, random: np.random.Generator) -> Array:
    """Spectra of patches of one water body."""
    chlorophyll, dissolved, sediment, foam = (
        float(np.exp(random.uniform(np.log(low), np.log(high))))
        for low, high in ((0.1, 5.0), (0.01, 0.3), (0.0003, 0.01), (0.0005, 0.006))
    )
    share, kind = random.uniform(0.1, 0.5), random.choice(_TURBID)
    result = []
    for factor in np.exp(random.normal(0.0, 0.15, number)):
        water = clear_water(chlorophyll * factor, dissolved * factor, sediment, foam)
        if cover == "turbid water":
            part = float(np.clip(share * factor, 0.0, 1.0))
            water = part * pools.library[kind] + (1.0 - part) * water
        result.append(water)
    return np.array(result)


def _departures_of_pixels(
    pools: Pools, cover: str, number: int, random: np.random.Generator
) -> Array:
    """Departures of the logarithms of pixels within patches, shape (number, bands)."""
    if cover in WATER_COVERS:
        return np.asarray(random.normal(0.0, 0.03, (number, 1)))
    pool = np.log(np.maximum(pools.measured.get(cover, pools.bare), _MIN_REFLECTANCE))
    return np.asarray(_WITHIN_PATCHES * (random.choice(pool, number) - pool.mean(0)))
