"""Cost of the look-up tables: size on disk, time to load, time to evaluate.

``python -m tests.validation.lut_cost`` evaluates the tables at random pixels, and in the way of the
processor: at nodes of a 60 m grid with the angles of a tile, interpolated to the pixels.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms
from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.atmosphere.look_up_tables.sixs_tables import TABLES, load_table
from sen2cor.bands import BAND_NAMES
from sen2cor.raster.grids import AngleGrid, Grid, TileGeometry
from sen2cor.spectral_responses import SPACECRAFT

BANDS = ("B01", "B04", "B8A", "B11")
PIXELS, GRID_SIZE = 1_000_000, 1830
MAX_LOADING_SECONDS = 0.2
REPEATS = 3


def shortest(task: Callable[[], object], repeats: int = REPEATS) -> float:
    """Measure the seconds of the fastest of several runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def tile_geometry() -> NodeGeometry:
    """Make angles of a tile like those of the metadata, every 5 km, over a 60 m grid."""
    south, east = np.mgrid[0.0:1.0:23j, 0.0:1.0:23j].astype(np.float32)
    sun = AngleGrid(40.0 + south - east, 150.0 + east, 5000.0)
    view = AngleGrid(2.0 + 9.0 * east, 100.0 + 10.0 * south, 5000.0)
    angles = TileGeometry(sun, dict.fromkeys(BAND_NAMES, view), 40.0, 150.0)
    return NodeGeometry.over(Grid(32633, 3e5, 5.9e6, 60.0, GRID_SIZE, GRID_SIZE), angles)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sensor", choices=SPACECRAFT, default="S2A")
    options = parser.parse_args()
    paths = sorted(TABLES.glob("*.nc"))
    print("size on disk, kB")
    for file in paths:
        print(f"  {file.name:20s}{file.stat().st_size / 1e3:8.0f}")
    print(f"  {'together':20s}{sum(file.stat().st_size for file in paths) / 1e3:8.0f}")

    rng = np.random.default_rng(1)
    loading = shortest(lambda: load_table(options.sensor, "RURAL", "SUMMER"), 10)
    table = load_table(options.sensor, "RURAL", "SUMMER")
    megapixel = {
        "aot550": rng.uniform(0.0, 2.0, PIXELS),
        "elevation": rng.uniform(0.0, 4.5, PIXELS),
        "solar_zenith": rng.uniform(0.0, 75.0, PIXELS),
        "view_zenith": rng.uniform(0.0, 12.0, PIXELS),
        "relative_azimuth": rng.uniform(0.0, 180.0, PIXELS),
    }
    path: dict[str, npt.ArrayLike] = {
        "water_vapour": rng.uniform(0.2, 6.5, PIXELS),
        "ozone": 331.0,
        "elevation": 0.3,
        "air_mass": rng.uniform(2.0, 5.0, PIXELS),
    }
    geometry = tile_geometry()
    shape = (GRID_SIZE, GRID_SIZE)
    state = AtmosphereState(
        rng.uniform(0.05, 0.6, shape).astype(np.float32),
        rng.uniform(0.5, 4.0, shape).astype(np.float32),
        ozone=331.0,
        elevation=0.3,
    )
    grid_megapixels = GRID_SIZE**2 / 1e6
    print("\nseconds per megapixel and band, one thread")
    print("(any state per pixel; as the processor does on a 60 m grid; the same for a whole tile)")
    print(f"{'band':5s}{'scattering':>12s}{'gas':>9s}{'processor':>12s}{'tile':>9s}")
    for band in BANDS:
        # the lambdas run within the turn of the loop that makes them
        scattering = shortest(lambda: table.scattering(band, **megapixel))  # noqa: B023
        gas = shortest(lambda: table.gas(band, **path))  # noqa: B023
        tile = shortest(lambda: band_terms(table, band, geometry, state))  # noqa: B023
        print(f"{band:5s}{scattering:12.3f}{gas:9.3f}{tile / grid_megapixels:12.3f}{tile:9.3f}")
    verdict = "pass" if loading <= MAX_LOADING_SECONDS else "FAIL"
    print(f"\n{verdict}: loading takes {loading:.3f} s (below {MAX_LOADING_SECONDS:g} s required)")


if __name__ == "__main__":
    main()
