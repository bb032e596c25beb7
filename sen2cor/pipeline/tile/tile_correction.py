"""The correction of a tile's bands: inversion and uncertainty from the state of its atmosphere.

All arrays are on the tile's 60 m grid: the water vapour band has this pixel size, aerosol and
angles vary more slowly. The results are interpolated to 20 and 10 m.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sen2cor.atmosphere.atmospheric_terms import AtmosphereState, band_terms
from sen2cor.atmosphere.brdf import EmpiricalBrdf
from sen2cor.atmosphere.cirrus import CirrusCorrection
from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.atmosphere.inversion import Inversion, flat_terrain_inversion, neighbourhood_mean
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.parameters import TerrainParameters
from sen2cor.atmosphere.retrieval_record import RetrievalRecord
from sen2cor.atmosphere.terrain_inversion import (
    SlopeIllumination,
    TerrainInversion,
    terrain_inversion,
)
from sen2cor.atmosphere.toa_uncertainty import Radiometry
from sen2cor.atmosphere.uncertainty import (
    InputUncertainty,
    ReflectanceUncertainty,
    reflectance_uncertainty,
)
from sen2cor.classification import GroundMasks
from sen2cor.product.level1c.reader import Level1CProduct, Level1CTile
from sen2cor.raster.array_types import BoolArray, Float32Array

ToaReflectance = Callable[[str], Float32Array]
"""Top-of-atmosphere reflectance of a band on the 60 m grid."""

COARSE = 60
"""Resolution in metres of the grid on which the atmosphere is described."""


@dataclass(frozen=True)
class SlopeCorrection:
    """Inputs of the correction of slopes besides the atmosphere.

    Attributes
    ----------
    illumination : SlopeIllumination
        On the 60 m grid.
    parameters : TerrainParameters
    brdf : callable
        Returns the empirical correction of a band for low illumination, or None.
    """

    illumination: SlopeIllumination
    parameters: TerrainParameters
    brdf: Callable[[str], EmpiricalBrdf | None]


@dataclass(frozen=True)
class BandUncertainty:
    """Standard uncertainty of a band's reflectance.

    Attributes
    ----------
    flat_terrain : ReflectanceUncertainty
        Over flat terrain, on the 60 m grid.
    geolocation : float
        Error of the position in metres.
    solar_zenith : float
        Degrees, mean of the tile.
    inputs : InputUncertainty
        Uncertainties that it is derived from.
    """

    flat_terrain: ReflectanceUncertainty
    geolocation: float
    solar_zenith: float
    inputs: InputUncertainty


@dataclass(frozen=True)
class TileCorrection:
    """Inputs of the correction of a tile's bands.

    Attributes
    ----------
    table : LookUpTable
    geometry : NodeGeometry
    state : AtmosphereState
    masks : GroundMasks
    adjacency_range : float
        Km; 0: no adjacency correction.
    cirrus : CirrusCorrection
    toa : callable
        Top-of-atmosphere reflectance of a band on the 60 m grid, without cirrus.
    slopes : SlopeCorrection or None
        None: the terrain is treated as flat.
    retrieval : RetrievalRecord
        Record of how the state was retrieved.
    """

    table: LookUpTable
    geometry: NodeGeometry
    state: AtmosphereState
    masks: GroundMasks
    adjacency_range: float
    cirrus: CirrusCorrection
    toa: ToaReflectance
    slopes: SlopeCorrection | None
    retrieval: RetrievalRecord

    @property
    def reference_mask(self) -> BoolArray:
        """Pixels of the 60 m grid from which the aerosol was retrieved."""
        mask = self.retrieval.reference_mask
        return np.zeros(self.geometry.grid.shape, bool) if mask is None else mask

    def inversion(self, band: str) -> Inversion | TerrainInversion:
        """Inversion of a band on the 60 m grid."""
        terms = band_terms(self.table, band, self.geometry, self.state)
        window = adjacency_half_width(self.adjacency_range, self.geometry)
        if self.slopes is not None:
            over_slopes = terrain_inversion(
                self.toa(band),
                terms,
                self.slopes.illumination,
                self.masks.ground,
                self.slopes.parameters,
                adjacency_half_width=window or None,
                brdf=self.slopes.brdf(band),
            )
            return self.cirrus.fold_into(band, over_slopes)
        flat = flat_terrain_inversion(self.toa(band), terms, self.masks.ground, window)
        return self.cirrus.fold_into(band, flat)

    @property
    def input_uncertainty(self) -> InputUncertainty:
        """Standard uncertainties of the atmosphere and the terrain."""
        return InputUncertainty(aot550=self.retrieval.aerosol.sigma)

    def uncertainty(self, band: str, resolution: int, radiometry: Radiometry) -> BandUncertainty:
        """Standard uncertainty of a band at a resolution, on the 60 m grid, to first order."""
        window = adjacency_half_width(self.adjacency_range, self.geometry)
        toa = self.toa(band)
        inputs = self.input_uncertainty
        solar_zenith, valid = self.geometry.solar_zenith, self.masks.valid
        toa_uncertainty = radiometry.uncertainty(
            band,
            resolution,
            cosine=self.geometry.to_pixels(np.cos(np.radians(solar_zenith))),
            mean_reflectance=float(toa.sum(where=valid, dtype=np.float64)) / max(valid.sum(), 1),
        )
        flat_terrain = reflectance_uncertainty(
            lambda state: band_terms(self.table, band, self.geometry, state),
            self.state,
            neighbourhood_mean(toa, self.masks.ground, window) if window else toa,
            toa_uncertainty,
            inputs,
            adjacency=window > 0,
        )
        return BandUncertainty(
            flat_terrain, toa_uncertainty.geolocation, float(solar_zenith.mean()), inputs
        )


def adjacency_half_width(adjacency_range: float, geometry: NodeGeometry) -> int:
    """Half width in pixels of the neighbourhood for a range of the adjacency effect in km."""
    return round(adjacency_range * 1000.0 / geometry.grid.pixel_size)


def describe_radiometry(product: Level1CProduct, tile: Level1CTile) -> Radiometry:
    """Describe the radiometry of a tile for the uncertainty of its Level-1C reflectance."""
    refined = any(
        datastrip.is_refined()
        for datastrip in product.datastrips
        if datastrip.datastrip_id == tile.datastrip_id
    )
    return Radiometry(
        product.spacecraft,
        product.solar_irradiance,
        product.reflectance_conversion,
        product.quantification_value,
        refined,
    )
