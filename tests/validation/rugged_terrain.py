"""Official surface reflectance of hills against this processor, with and without correction.

``python -m tests.validation.rugged_terrain`` prints, for the hilly reference pair, the scatter of
the difference to the official reflectance and its correlation with the illumination, for several
widths of a Gaussian filter of the elevation (the elevation model of the official processor is
smoother than that of the pair) and several cutoffs of the ratio of corrected to flat signal.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from sen2cor.atmosphere.inversion import inversion_with_adjacency, neighbourhood_mean
from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.atmosphere.radiative_equation import AtmosphericTerms
from sen2cor.atmosphere.terrain_inversion import (
    SlopeIllumination,
    TerrainParameters,
    terrain_inversion,
)
from sen2cor.dem.illumination import SunDirections
from sen2cor.dem.terrain import derive_terrain
from sen2cor.raster.grids import AngleGrid, Grid
from sen2cor.raster.resampling import block_mean
from tests.validation.official_pairs import AEROSOL, ROOT, SEASON, SITES, Pair

SITE = SITES[1]
SOLAR_AZIMUTH = 41.0
UPPER_LEFT = (718000.0, 5700000.0)
"""Approximate position of the pair, for the meridian convergence."""

PIXEL, MARGIN = 20, 1
ADJACENCY_HALF_WIDTH, TERRAIN_HALF_WIDTH = 50, 25
BANDS = ("B05", "B06", "B07", "B8A", "B11", "B12")


@dataclass(frozen=True)
class Residuals:
    """Scatter around the official reflectance, without and with terrain correction.

    Attributes
    ----------
    flat, corrected : float
        Standard deviation of the difference to the official reflectance, in 0.001.
    flat_correlation, corrected_correlation, official_correlation : float
        Correlation of the reflectance with the illumination.
    """

    flat: float
    corrected: float
    flat_correlation: float
    corrected_correlation: float
    official_correlation: float


def compute_illumination(elevation: npt.NDArray[np.float32]) -> SlopeIllumination:
    """Compute the illumination from an elevation model of 20 m, without its margin."""
    rows, cols = (size - 2 * MARGIN for size in elevation.shape)
    grid = Grid(32718, *UPPER_LEFT, float(PIXEL), rows, cols)
    nodes = np.ones((3, 3), np.float32)
    angles = AngleGrid(SITE.solar_zenith * nodes, SOLAR_AZIMUTH * nodes, 5000.0)
    sun = SunDirections.from_angles(grid, angles)
    terrain = derive_terrain(elevation, MARGIN, grid, sun, with_sky_view=True)
    assert terrain.sky_view is not None
    illumination, sunlit = terrain.interpolate_illumination(slice(0, rows), cols)
    return SlopeIllumination(illumination, sunlit, terrain.sky_view, np.zeros((rows, cols), bool))


def residuals(folder: Path, band: str, *, smoothing: float, cutoff: float) -> Residuals:
    """Compare a band of 20 m.

    Parameters
    ----------
    folder : Path
        Of the reference data.
    band : str
    smoothing : float
        Width (standard deviation) of the filter of the elevation, in metres.
    cutoff : float
        Upper limit of the ratio of terrain-corrected to flat signal.
    """
    pair = Pair.load(folder, SITE)
    with np.load(folder / "l1c_l2a_pairs" / f"{SITE.file}.npz") as stream:
        elevation = gaussian_filter(stream["DEM_10m"].astype(np.float32), smoothing / 10.0)
    light = compute_illumination(block_mean(elevation, PIXEL // 10))
    inner = (slice(MARGIN, -MARGIN),) * 2
    toa, official = pair.toa[band][inner], pair.official[band][inner]
    table = load_table(SITE.spacecraft, AEROSOL, SEASON)
    found = pair.terms(table, band, SITE.documented)
    terms = AtmosphericTerms(*(np.full_like(toa, value) for value in vars(found).values()))
    usable = np.ones(toa.shape, bool)
    mean = neighbourhood_mean(terms.surface_signal(toa), usable, ADJACENCY_HALF_WIDTH)
    flat = inversion_with_adjacency(terms, mean)(toa)
    inversion = terrain_inversion(
        toa,
        terms,
        light,
        usable,
        TerrainParameters(0.1, 3, TERRAIN_HALF_WIDTH, cutoff),
        adjacency_half_width=ADJACENCY_HALF_WIDTH,
    )
    corrected = inversion(toa, light.illumination, light.sunlit)

    def correlation(reflectance: npt.NDArray[np.float32]) -> float:
        return float(np.corrcoef(reflectance.ravel(), light.illumination.ravel())[0, 1])

    return Residuals(
        flat=1000.0 * float(np.std(flat - official)),
        corrected=1000.0 * float(np.std(corrected - official)),
        flat_correlation=correlation(flat),
        corrected_correlation=correlation(corrected),
        official_correlation=correlation(official),
    )


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    folder = parser.parse_args().data
    print("band smoothing cutoff  flat corrected   illumination: flat corrected official")
    for band in BANDS:
        for smoothing, cutoff in ((0, 1.5), (15, 1.5), (30, 1.5), (30, 3), (30, 10), (45, 10)):
            found = residuals(folder, band, smoothing=smoothing, cutoff=cutoff)
            print(
                f"{band:4s} {smoothing:6d} m {cutoff:6.1f} {found.flat:5.1f} {found.corrected:9.1f}"
                f"{found.flat_correlation:33.2f} {found.corrected_correlation:.2f}"
                f" {found.official_correlation:.2f}"
            )


if __name__ == "__main__":
    main()
