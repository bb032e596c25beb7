"""What a tile's bands are corrected with: the state of its atmosphere and what follows from it.

Everything here lives on the tile's 60 m grid: the water vapour band has that pixel size, aerosol
and angles vary more slowly. The results are interpolated to 20 and 10 m.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sen2cor.atmosphere.adjacency import neighbourhood_mean
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms
from sen2cor.atmosphere.brdf import EmpiricalBrdf
from sen2cor.atmosphere.cirrus import CirrusCorrection
from sen2cor.atmosphere.inversion import Inversion, flat_terrain_inversion
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.node_geometry import NodeGeometry
from sen2cor.atmosphere.retrieval_record import RetrievalRecord
from sen2cor.atmosphere.terrain_inversion import (
    SlopeIllumination,
    TerrainInversion,
    TerrainParameters,
    terrain_inversion,
)
from sen2cor.atmosphere.uncertainty import (
    InputUncertainty,
    ReflectanceUncertainty,
    reflectance_uncertainty,
)
from sen2cor.classification import GroundMasks
from sen2cor.raster.array_types import BoolArray, Float32Array

ToaReflectance = Callable[[str], Float32Array]
"""Top-of-atmosphere reflectance of a band on the 60 m grid."""

COARSE = 60
"""Resolution in metres of the grid on which the atmosphere is described."""


@dataclass(frozen=True)
class Slopes:
    """What the correction of slopes needs beside the atmosphere.

    Attributes
    ----------
    light : SlopeIllumination
        On the 60 m grid.
    correction : TerrainParameters
    brdf : callable
        Empirical correction of a band for weak light, or None.
    """

    light: SlopeIllumination
    correction: TerrainParameters
    brdf: Callable[[str], EmpiricalBrdf | None]


@dataclass(frozen=True)
class BandUncertainty:
    """Standard uncertainty of a band's reflectance.

    Attributes
    ----------
    level : ReflectanceUncertainty
        Over level ground, on the 60 m grid.
    solar_zenith : float
        Degrees, mean of the tile.
    inputs : InputUncertainty
        What it follows from.
    """

    level: ReflectanceUncertainty
    solar_zenith: float
    inputs: InputUncertainty


@dataclass(frozen=True)
class TileAtmosphere:
    """All that the correction of a tile's bands needs.

    Attributes
    ----------
    table : LookUpTable
    geometry : NodeGeometry
    state : AtmosphereState
    masks : GroundMasks
    adjacency_range : float
        km; 0 is without adjacency.
    cirrus : CirrusCorrection
    toa : callable
        Top-of-atmosphere reflectance of a band on the 60 m grid, without cirrus.
    slopes : Slopes or None
        None: the ground is taken for level.
    retrieval : RetrievalRecord
        How the state was found.
    """

    table: LookUpTable
    geometry: NodeGeometry
    state: AtmosphereState
    masks: GroundMasks
    adjacency_range: float
    cirrus: CirrusCorrection
    toa: ToaReflectance
    slopes: Slopes | None
    retrieval: RetrievalRecord

    @property
    def reference(self) -> BoolArray:
        """Pixels of the 60 m grid from which the aerosol was found."""
        found = self.retrieval.reference
        return np.zeros(self.geometry.grid.shape, bool) if found is None else found

    def inversion(self, band: str) -> Inversion | TerrainInversion:
        """Inversion of a band on the 60 m grid."""
        functions = band_terms(self.table, band, self.geometry, self.state)
        window = half_width(self.adjacency_range, self.geometry)
        if self.slopes is not None:
            rugged = terrain_inversion(
                self.toa(band),
                functions,
                self.slopes.light,
                self.masks.ground,
                self.slopes.correction,
                adjacency_half_width=window or None,
                brdf=self.slopes.brdf(band),
            )
            return self.cirrus.before(band, rugged)
        level = flat_terrain_inversion(self.toa(band), functions, self.masks.ground, window)
        return self.cirrus.before(band, level)

    def uncertainty(self, band: str) -> BandUncertainty:
        """Standard uncertainty of a band on the 60 m grid, to first order."""
        window = half_width(self.adjacency_range, self.geometry)
        toa = self.toa(band)
        inputs = InputUncertainty()
        level = reflectance_uncertainty(
            lambda state: band_terms(self.table, band, self.geometry, state),
            self.state,
            neighbourhood_mean(toa, self.masks.ground, window) if window else toa,
            inputs,
            adjacency=window > 0,
        )
        return BandUncertainty(level, float(self.geometry.solar_zenith.mean()), inputs)


def half_width(adjacency_range: float, geometry: NodeGeometry) -> int:
    """Pixels from the centre to the edge of the window of the adjacency effect, of km."""
    return round(adjacency_range * 1000.0 / geometry.grid.pixel_size)
