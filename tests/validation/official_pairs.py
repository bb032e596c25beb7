"""Official surface reflectance of real pixels against both kinds of look-up tables.

``python -m tests.validation.official_pairs`` inverts the Level-1C pixels of the reference pairs
one by one, over flat terrain with a nadir view, with the tables of Sen2Cor and of this project. For
each table, AOT is fitted to B02 .. B04 and water vapour to B09. Adjacency and terrain are ignored,
except in the last column.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from sen2cor.atmosphere.inversion import flat_terrain_inversion
from sen2cor.atmosphere.look_up_tables.atm_files import ELEVATION, WATER_FRACTION
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.look_up_tables.sen2cor_tables import load_atm_files
from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.atmosphere.radiative_equation import AtmosphericTerms
from sen2cor.bands import BAND

ROOT = Path(__file__).resolve().parents[2]
BANDS = tuple(band for band in BAND if band != "B10")
SEASON, AEROSOL, OZONE = "SUMMER", "RURAL", 331.0
ADJACENCY_RANGE = 1000.0
"""Half width in metres of the neighbourhood."""

AOT_BOUNDS, WATER_BOUNDS = (0.06, 1.0), (0.1, 5.0)

Reflectance = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class State:
    """Optical thickness at 550 nm; water vapour above the ground in cm."""

    aot550: float
    water_vapour: float


@dataclass(frozen=True)
class Site:
    """AxisPosition and time of a pair.

    Attributes
    ----------
    file : str
    spacecraft : str
    solar_zenith : float
        Degrees.
    offset : int
        Of the digital numbers of both levels.
    documented : State
        Documented state of the best agreement with the tables of Sen2Cor; water vapour above sea
        level.
    agreement : mapping of str to (bias, rms, slope)
        Documented agreement, bias and rms in 0.001.
    """

    file: str
    spacecraft: str
    solar_zenith: float
    offset: int
    documented: State
    agreement: Mapping[str, tuple[float, float, float]]


def _agreement(*rows: tuple[float, float, float]) -> dict[str, tuple[float, float, float]]:
    return dict(zip(BANDS, rows, strict=True))


SITES = (
    Site("38D_378R_2_3", "S2A", 38.8, 0, State(0.20, 3.4), _agreement(
        (-8, 9, 0.78), (-3, 6, 0.80), (0, 5, 0.86), (2, 5, 0.90), (1, 5, 0.89), (2, 5, 0.90),
        (1, 4, 0.90), (8, 9, 0.94), (2, 5, 0.92), (10, 14, 0.74), (5, 7, 0.98), (5, 6, 0.99),
    )),
    Site("433D_629L_3_1", "S2A", 55.8, -1000, State(0.06, 0.7), _agreement(
        (-4, 5, 0.91), (-6, 8, 0.85), (-2, 6, 0.91), (-3, 7, 0.93), (-4, 9, 0.95), (-8, 22, 0.87),
        (-11, 28, 0.87), (-20, 36, 0.84), (-10, 31, 0.89), (-18, 35, 0.74), (-6, 17, 1.00),
        (-6, 12, 0.98),
    )),
)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Pixels of a site at the native sizes: top of atmosphere, and official surface."""

    site: Site
    toa: Reflectance
    official: Reflectance
    elevation: float

    @classmethod
    def load(cls, folder: Path, site: Site) -> Pair:
        """Read the pair of a site."""
        with np.load(folder / "l1c_l2a_pairs" / f"{site.file}.npz") as stream:
            levels = [
                {
                    band: np.float32(1e-4) * (stream[f"{level}_{band}"] + np.float32(site.offset))
                    for band in BANDS
                }
                for level in ("L1C", "L2A")
            ]
            return cls(site, levels[0], levels[1], float(stream["DEM_10m"].mean()) / 1000.0)

    def terms(self, table: LookUpTable, band: str, state: State) -> AtmosphericTerms:
        """Atmospheric terms of a band, the same for all pixels."""
        air_mass = 1.0 / np.cos(np.radians(self.site.solar_zenith)) + 1.0
        found = table.scattering(
            band,
            aot550=state.aot550,
            elevation=self.elevation,
            solar_zenith=self.site.solar_zenith,
            view_zenith=0.0,
            relative_azimuth=0.0,
            water_vapour=state.water_vapour,
        )
        gas = table.gas(
            band,
            water_vapour=state.water_vapour,
            ozone=OZONE,
            elevation=self.elevation,
            air_mass=air_mass,
        )
        return AtmosphericTerms.from_table(found, gas, air_mass)

    def surface(
        self, table: LookUpTable, band: str, state: State, *, adjacency: bool = False
    ) -> npt.NDArray[np.float32]:
        """Surface reflectance of the pixels."""
        terms, toa = self.terms(table, band, state), self.toa[band]
        half_width = round(ADJACENCY_RANGE / BAND[band].resolution) if adjacency else 0
        return flat_terrain_inversion(toa, terms, np.ones(toa.shape, bool), half_width)(toa)

    def agreement(
        self, table: LookUpTable, band: str, state: State, *, adjacency: bool = False
    ) -> tuple[float, float, float]:
        """Bias and rms in 0.001, and the slope of the fit over the official reflectance."""
        official = self.official[band].astype(float).ravel()
        own = self.surface(table, band, state, adjacency=adjacency).astype(float).ravel()
        error = 1000.0 * (own - official)
        slope = np.cov(own, official)[0, 1] / official.var(ddof=1)
        return float(error.mean()), float(np.sqrt(np.mean(error**2))), float(slope)

    def fit(self, table: LookUpTable) -> State:
        """Fit optical thickness to B02 .. B04 and water vapour to B09, by least squares."""

        def cost(state: State, bands: Iterable[str]) -> float:
            return sum(self.agreement(table, band, state)[1] ** 2 for band in bands)

        state = State(0.2, 1.0)
        for _ in range(3):
            water = state.water_vapour
            aot = _least(lambda value: cost(State(value, water), ("B02", "B03", "B04")), AOT_BOUNDS)  # noqa: B023
            water = _least(lambda value: cost(State(aot, value), ("B09",)), WATER_BOUNDS)  # noqa: B023
            state = State(aot, water)
        return state


def _least(cost: object, bounds: tuple[float, float]) -> float:
    return float(minimize_scalar(cost, bounds=bounds, method="bounded").x)


def compare(pair: Pair, folder: Path) -> str:
    """Compare a pair; return the table as text."""
    site = pair.site
    original = load_atm_files(folder / "esa_lut", site.spacecraft, AEROSOL, SEASON, ozone=OZONE)
    own = load_table(site.spacecraft, AEROSOL, SEASON)
    fraction = float(np.interp(pair.elevation, ELEVATION, WATER_FRACTION[SEASON]))
    documented = State(site.documented.aot550, site.documented.water_vapour * fraction)
    fitted, own_fitted = pair.fit(original), pair.fit(own)
    columns = [
        ("documented", None, documented, False),
        ("original, same state", original, documented, False),
        ("original, fitted", original, fitted, False),
        ("ours, fitted", own, own_fitted, False),
        ("ours, Sen2Cor's state", own, fitted, False),
        ("ours, with adjacency", own, own_fitted, True),
    ]
    lines = [
        "",
        f"{site.file}: elevation {pair.elevation:.2f} km, solar zenith {site.solar_zenith:.1f}; "
        "bias, rms (0.001), slope of the fit over the official reflectance",
        f"{'':5s}" + "".join(f"{title:>25s}" for title, *_ in columns),
        f"{'':5s}"
        + "".join(
            f"{f'AOT {state.aot550:.3f} WV {state.water_vapour:.2f}':>25s}"
            for _, _, state, _ in columns
        ),
    ]
    for band in BANDS:
        row = f"{band:5s}"
        for _, table, state, adjacency in columns:
            bias, rms, slope = (
                site.agreement[band]
                if table is None
                else pair.agreement(table, band, state, adjacency=adjacency)
            )
            row += f"{bias:+11.1f}{rms:8.1f}{slope:6.2f}"
        lines.append(row)
    return "\n".join(lines)


def main() -> None:
    default = os.environ.get("SEN2COR_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default, help="folder of the reference data")
    folder = parser.parse_args().data
    logging.basicConfig(format="%(levelname)s: %(message)s")
    for site in SITES:
        print(compare(Pair.load(folder, site), folder))


if __name__ == "__main__":
    main()
