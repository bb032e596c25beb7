"""Rules of the scene classification that differ between Sen2Cor 2.3 and this processor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassificationRules:
    """Switches; the defaults are what finds the right class more often.

    Attributes
    ----------
    vegetation_is_no_cloud : bool
        Whether vegetation loses its cloud probability, and so throws no cloud shadow.
    cirrus_spares_high_snow : bool
        Whether thick cirrus leaves snow above the elevation limit of thin cirrus alone.
    shadow_spares_bright : bool
        Whether cloud shadow leaves snow, clouds and cirrus alone.
    exact_sun : bool
        Whether shadows are cast by the sun as it stands, not in whole degrees and with a zenith of
        at most 70 degrees.
    relief_against_flat : bool
        Whether the relief is shaded in relation to flat ground, not to a fixed illumination.
    """

    vegetation_is_no_cloud: bool = True
    cirrus_spares_high_snow: bool = True
    shadow_spares_bright: bool = True
    exact_sun: bool = True
    relief_against_flat: bool = True

    @classmethod
    def compatible(cls) -> ClassificationRules:
        """Return the rules of Sen2Cor 2.3."""
        return cls(
            vegetation_is_no_cloud=False,
            cirrus_spares_high_snow=False,
            shadow_spares_bright=False,
            exact_sun=False,
            relief_against_flat=False,
        )
