"""Inputs of the classification besides reflectance: sun, terrain, valid pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sen2cor.raster.array_types import BoolArray, Float32Array, UInt8Array
from sen2cor.raster.grids import AngleGrid

_MAX_SHADOW_ZENITH = 85.0
"""Degrees; a shadow then reaches 11 times as far as its cloud is high."""

_MAX_SHADOW_ZENITH_SEN2COR = 70.0
"""Degrees; limit of Sen2Cor 2.3."""


@dataclass(frozen=True)
class SunGeometry:
    """Direction of the sun, and the pixel size of the image.

    Attributes
    ----------
    zenith, azimuth : float
        Degrees, means of the tile; azimuth clockwise from north.
    pixel_size : float
        Metres.
    """

    zenith: float
    azimuth: float
    pixel_size: float

    @property
    def cosine(self) -> float:
        """Cosine of the solar zenith angle: the illumination of flat terrain."""
        return math.cos(math.radians(self.zenith))

    def limit_for_shadows(self, *, exact: bool) -> SunGeometry:
        """Limit the zenith angle for the projection of cloud shadows.

        Parameters
        ----------
        exact : bool
            True: zenith of at most 85 degrees. False, as in Sen2Cor 2.3: at most 70 degrees, and
            both angles rounded to whole degrees.
        """
        if exact:
            return SunGeometry(min(self.zenith, _MAX_SHADOW_ZENITH), self.azimuth, self.pixel_size)
        zenith = round(min(self.zenith, _MAX_SHADOW_ZENITH_SEN2COR))
        return SunGeometry(zenith, round(self.azimuth), self.pixel_size)

    def coarsening_factor(self, cell_size: float) -> int:
        """Image pixels along one side of a cell of ``cell_size`` metres; at least 1."""
        return max(1, round(cell_size / self.pixel_size))


@dataclass(frozen=True)
class TerrainIllumination:
    """Slope and solar illumination of the terrain; unknown values are None or NaN.

    Attributes
    ----------
    slope : ndarray of float32, shape (rows, cols), or None
        Degrees.
    illumination_ratio : ndarray of float32, shape (rows, cols), or None
        Cosine of the local solar incidence angle divided by the cosine of the solar zenith angle;
        1 on flat terrain.
    cast_shadow : ndarray of bool, shape (rows, cols), or None
        Shadow that other terrain casts on the pixel.
    """

    slope: Float32Array | None = None
    illumination_ratio: Float32Array | None = None
    cast_shadow: BoolArray | None = None

    def rows(self, rows: slice) -> TerrainIllumination:
        """Return a block of rows."""
        illumination, shadow = self.illumination_ratio, self.cast_shadow
        return TerrainIllumination(
            slope=None if self.slope is None else self.slope[rows],
            illumination_ratio=None if illumination is None else illumination[rows],
            cast_shadow=None if shadow is None else shadow[rows],
        )


@dataclass(frozen=True)
class ClassificationScene:
    """Everything but reflectance that the classification of an image uses.

    Attributes
    ----------
    no_data : ndarray of bool, shape (rows, cols)
        Pixels that get class 0.
    sun : SunGeometry or None
        None: neither cloud shadow nor topographic shadow is detected.
    elevation : ndarray of float32, shape (rows, cols), or None
        Metres above sea level; NaN where unknown.
    terrain : TerrainIllumination or None
        None: the terrain is taken as flat.
    defective : ndarray of bool, shape (rows, cols), or None
        Saturated or defective pixels, which get class 1.
    snow_possible : bool
        Whether the snow climatology allows snow; if False, no pixel gets class 11.
    cloud_probability : ndarray of uint8, shape (rows, cols), or None
        Percent, of a cloud detector that decides in place of the rules; None: the rules decide.
    view : AngleGrid or None
        Of the sensor; None: in the zenith.
    convergence : float
        Degrees: azimuth of grid north, that of the columns of the image.
    """

    no_data: BoolArray
    sun: SunGeometry | None = None
    elevation: Float32Array | None = None
    terrain: TerrainIllumination | None = None
    defective: BoolArray | None = None
    snow_possible: bool = True
    cloud_probability: UInt8Array | None = None
    view: AngleGrid | None = None
    convergence: float = 0.0

    def rows(self, rows: slice) -> ClassificationScene:
        """Return a block of rows; `view` remains that of the whole image."""
        return ClassificationScene(
            no_data=self.no_data[rows],
            sun=self.sun,
            elevation=None if self.elevation is None else self.elevation[rows],
            terrain=None if self.terrain is None else self.terrain.rows(rows),
            defective=None if self.defective is None else self.defective[rows],
            snow_possible=self.snow_possible,
            cloud_probability=None
            if self.cloud_probability is None
            else self.cloud_probability[rows],
            view=self.view,
            convergence=self.convergence,
        )
