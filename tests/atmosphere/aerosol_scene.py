"""A scene of forest, fields and lakes below the air of a real look-up table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sen2cor.atmosphere.aerosol.retrieval import AerosolRetrieval, FirstGuess, retrieve_aerosol
from sen2cor.atmosphere.aerosol.scene import AerosolScene
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms
from sen2cor.atmosphere.interpolation_nodes import GroundElevation, NodeGeometry
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.raster.array_types import Float32Array
from sen2cor.raster.grids import AngleGrid, Grid, TileGeometry
from sen2cor.settings.l2a_cal_ac_gipp import CorrectionSettings

SHAPE = (160, 176)
OZONE = 331.0
BANDS = ("B01", "B02", "B03", "B04", "B05", "B8A", "B11", "B12")

FOREST = {
    "B01": 0.009,
    "B02": 0.01,
    "B03": 0.03,
    "B04": 0.02,
    "B05": 0.07,
    "B8A": 0.30,
    "B11": 0.12,
    "B12": 0.04,
}
CROP = {
    "B01": 0.018,
    "B02": 0.022,
    "B03": 0.06,
    "B04": 0.044,
    "B05": 0.11,
    "B8A": 0.42,
    "B11": 0.17,
    "B12": 0.088,
}
SOIL = {
    "B01": 0.07,
    "B02": 0.08,
    "B03": 0.11,
    "B04": 0.15,
    "B05": 0.17,
    "B8A": 0.22,
    "B11": 0.30,
    "B12": 0.26,
}
STUBBLE = {
    "B01": 0.022,
    "B02": 0.026,
    "B03": 0.06,
    "B04": 0.054,
    "B05": 0.09,
    "B8A": 0.30,
    "B11": 0.20,
    "B12": 0.108,
}
DARK_SOIL = {
    "B01": 0.025,
    "B02": 0.03,
    "B03": 0.04,
    "B04": 0.045,
    "B05": 0.05,
    "B8A": 0.054,
    "B11": 0.12,
    "B12": 0.09,
}
LAKE = {
    "B01": 0.028,
    "B02": 0.03,
    "B03": 0.025,
    "B04": 0.012,
    "B05": 0.009,
    "B8A": 0.005,
    "B11": 0.002,
    "B12": 0.001,
}
TURBID = {
    "B01": 0.04,
    "B02": 0.05,
    "B03": 0.09,
    "B04": 0.06,
    "B05": 0.055,
    "B8A": 0.04,
    "B11": 0.02,
    "B12": 0.015,
}

RURAL = load_table("S2A", "RURAL", "SUMMER")
MARITIME = load_table("S2A", "MARITIME", "SUMMER")

Surface = Mapping[str, float]
Place = tuple[slice, slice]


def small_geometry(shape: tuple[int, int] = SHAPE) -> NodeGeometry:
    south, east = np.mgrid[0:4, 0:4].astype(np.float32)
    sun = AngleGrid(42.0 + 0.05 * south, 150.0 + 0.1 * east, 5000.0)
    view = AngleGrid(3.0 + 0.4 * east, 100.0 + 0.8 * south, 5000.0)
    angles = TileGeometry(sun, dict.fromkeys((*BANDS, "B09"), view), 42.0, 150.0)
    return NodeGeometry.over(Grid(32633, 3e5, 5.9e6, 60.0, *shape), angles)


@dataclass
class Landscape:
    """Surfaces by pixel, and the air above them."""

    surface: dict[str, Float32Array]
    water: np.ndarray
    aot: Float32Array
    table: LookUpTable = RURAL
    elevation: GroundElevation = 0.2
    column: float = 2.0

    @classmethod
    def of(
        cls, parts: Mapping[tuple[slice, slice], Surface], aot: float, rest: Surface
    ) -> Landscape:
        """Lay surfaces over parts of a scene."""
        surface = {band: np.full(SHAPE, rest[band], np.float32) for band in BANDS}
        water = np.full(SHAPE, rest is LAKE)
        for where, part in parts:
            water[where] = part in (LAKE, TURBID)
            for band in BANDS:
                surface[band][where] = part[band]
        return cls(surface, water, np.full(SHAPE, aot, np.float32))

    def scene(self, adjacency: int = 0) -> AerosolScene:
        geometry = small_geometry()
        column = np.full(SHAPE, self.column, np.float32)
        state = AtmosphereState(self.aot, column, OZONE, self.elevation)
        toa = {}
        for band in (*BANDS, "B09"):
            terms = band_terms(self.table, band, geometry, state)
            ground = self.surface["B8A" if band == "B09" else band]
            toa[band] = terms.path_reflectance + terms.transmittance * ground / (
                1.0 - terms.spherical_albedo * ground
            )
        return AerosolScene(
            geometry=geometry,
            toa=toa.__getitem__,
            land=~self.water,
            water=self.water,
            ground=np.ones(SHAPE, bool),
            clear_land=~self.water,
            valid=self.water.size,
            snowy=False,
            elevation=self.elevation,
            ozone=OZONE,
            adjacency=adjacency,
        )

    def retrieve(
        self,
        settings: CorrectionSettings | None = None,
        *,
        scene: AerosolScene | None = None,
        tables: tuple[LookUpTable, ...] = (RURAL,),
        visibility: float = 40.0,
        forecast: bool = False,
        mapped: bool = True,
        passes: int = 2,
        **items: Any,
    ) -> AerosolRetrieval:
        """Retrieve from dark dense vegetation, with the settings of Sen2Cor or other ones."""
        items = {"aot_method": "DDV", "scaling_disabler": False} | items
        parameters = replace(settings or CorrectionSettings(), **items).aerosol_parameters(
            variable=mapped
        )
        aot = np.full(SHAPE, 0.2, np.float32)
        column = np.full(SHAPE, self.column, np.float32)
        for _ in range(passes):
            found = retrieve_aerosol(
                scene or self.scene(),
                tables,
                AtmosphereState(aot, column, OZONE, self.elevation),
                parameters,
                FirstGuess(visibility, forecast=forecast),
            )
            aot = found.aot550
        return found


LEFT = (slice(None), slice(0, 88))
CORNER = (slice(0, 48), slice(0, 48))


def forest_and_fields(aot: float = 0.3) -> Landscape:
    """Half forest, half bare fields."""
    return Landscape.of([(LEFT, FOREST)], aot, SOIL)
