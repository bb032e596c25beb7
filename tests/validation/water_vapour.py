"""Water vapour from B09 with both kinds of look-up tables, against the ECMWF auxiliary data.

``python -m tests.validation.water_vapour`` retrieves the water vapour of the complete real Level-1C
products among the reference data, which contain the ECMWF column. Their images are decimated: few
pixels, but real ones. The aerosol is that of a clear sky; its effect is small.
"""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

import numpy as np

from sen2cor.atmosphere.atmospheric_terms import WaterVapourCurve, scattering_terms
from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.look_up_tables.sen2cor_tables import load_atm_files
from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.atmosphere.water_vapour import MEASUREMENT_BAND, WINDOW_BAND, retrieve_water_vapour
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.pipeline.tile.pixels import TilePixels
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile, open_level1c
from sen2cor.raster.array_types import Float32Array

ROOT = Path(__file__).resolve().parents[2]
RESOLUTION = 60
AOT = 0.12
ELEVATION = 0.2
MEASURED = (MEASUREMENT_BAND, WINDOW_BAND)
BANDS = ("B02", "B04", *MEASURED)
ITERATIONS = 3


def retrieve(
    table: LookUpTable, pixels: TilePixels, tile: Level1CTile, ozone: float
) -> Float32Array:
    """Retrieve the column (cm) of each pixel; scattering uses the median of the scene."""
    geometry = NodeGeometry.over(pixels.grids[RESOLUTION], tile.geometry)
    toa = [pixels.toa_reflectance(band, RESOLUTION) for band in MEASURED]
    aot = np.full(toa[0].shape, AOT, np.float32)
    column = np.ones_like(aot)
    curves = [WaterVapourCurve.for_band(table, band, ELEVATION) for band in MEASURED]
    for _ in range(ITERATIONS):
        found = [
            scattering_terms(
                table,
                band,
                geometry,
                aot550=aot,
                ozone=ozone,
                elevation=ELEVATION,
                water_vapour=np.full_like(aot, np.nanmedian(column)),
            )
            for band in MEASURED
        ]
        column = retrieve_water_vapour(
            toa[0],
            toa[1],
            scattering=(found[0], found[1]),
            water=(curves[0], curves[1]),
            start=float(np.nanmedian(column)),
        )
    return column


def clear_land(pixels: TilePixels) -> np.ndarray:
    """Mask pixels with data that are bright in the near infrared and dark in the visible."""
    blue, red, measured, window = (pixels.toa_reflectance(band, RESOLUTION) for band in BANDS)
    return (window > 0.15) & (red < 0.25) & (blue < 0.2) & (blue > 0.01) & (measured > 0.01)


def compare(product: Level1CProduct, folder: Path) -> list[str]:
    """Compare a product; return one line for each tile with an ECMWF column."""
    tables: dict[str, LookUpTable] = {
        "ours": load_table(product.spacecraft, "RURAL", "SUMMER"),
        "original": load_atm_files(folder / "esa_lut" / "S2A", "S2A", "RURAL", "SUMMER"),
    }
    lines = []
    for tile in product.tiles:
        weather = tile.read_ecmwf()
        if weather is None:
            continue
        with start_workers() as pool:
            pixels = TilePixels.decode(product, tile, BANDS, pool)
            pixels.compute_block_means(RESOLUTION, BANDS, pool)
        chosen = clear_land(pixels)
        row = f"{tile.mgrs}  {chosen.sum():4d} pixels, ECMWF {weather.water_vapour:.2f} cm"
        for name, table in tables.items():
            column = retrieve(table, pixels, tile, weather.ozone)[chosen]
            low, median, high = np.nanpercentile(column, (16, 50, 84))
            row += f";  {name} {median:.2f} ({low:.2f} .. {high:.2f})"
        lines.append(row)
    return lines


def main() -> None:
    default = os.environ.get("SEN2COR_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=default, help="folder of the reference data")
    folder = parser.parse_args().data
    logging.disable(logging.WARNING)
    print("median of the retrieved column, and its central 68 %")
    for path in sorted(folder.glob("l1c_products/*.SAFE")):
        for line in compare(open_level1c(path, checksums=False), folder):
            print(line)


if __name__ == "__main__":
    main()
