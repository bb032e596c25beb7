"""Sun and relief, as far as the classification looks at them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sen2cor.raster.array_types import BoolArray, Float32Array

_HIGHEST_ZENITH = 85.0
_HIGHEST_ZENITH_OF_ORIGINAL = 70.0


@dataclass(frozen=True)
class SunGeometry:
    """Where the sun stands over an image, and the size of its pixels.

    Attributes
    ----------
    zenith, azimuth : float
        Degrees; azimuth from north, clockwise. The means of the tile.
    pixel_size : float
        Metres.
    """

    zenith: float
    azimuth: float
    pixel_size: float

    @property
    def cosine(self) -> float:
        """Cosine of the zenith angle: the illumination of flat ground."""
        return math.cos(math.radians(self.zenith))

    def for_shadows(self, *, exact: bool) -> SunGeometry:
        """Sun of the cloud shadows: limited, and as the original rounds it unless ``exact``."""
        if exact:
            return SunGeometry(min(self.zenith, _HIGHEST_ZENITH), self.azimuth, self.pixel_size)
        zenith = round(min(self.zenith, _HIGHEST_ZENITH_OF_ORIGINAL))
        return SunGeometry(zenith, round(self.azimuth), self.pixel_size)


@dataclass(frozen=True)
class TerrainIllumination:
    """Slopes and their light; what is not known is None or NaN and has no effect.

    Attributes
    ----------
    slope : ndarray of float32, shape (rows, cols), or None
        Degrees.
    illumination : ndarray of float32, shape (rows, cols), or None
        Cosine of the angle between the sun and the normal of the slope, over that of the solar
        zenith angle: 1 on flat ground.
    shadow : ndarray of bool, shape (rows, cols), or None
        Shadow that the relief casts.
    """

    slope: Float32Array | None = None
    illumination: Float32Array | None = None
    shadow: BoolArray | None = None

    def rows(self, rows: slice) -> TerrainIllumination:
        """Return a block of rows."""
        return TerrainIllumination(
            slope=None if self.slope is None else self.slope[rows],
            illumination=None if self.illumination is None else self.illumination[rows],
            shadow=None if self.shadow is None else self.shadow[rows],
        )
