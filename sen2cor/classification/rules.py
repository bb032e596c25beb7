"""Rules of the scene classification that differ between Sen2Cor 2.3 and this processor."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class ClassificationRules:
    """Switches; the defaults are what finds the right class more often.

    Attributes
    ----------
    vegetation_is_no_cloud : bool
        Whether vegetation loses its cloud probability, and so throws no cloud shadow.
    cirrus_spares_high_snow : bool
        Whether thick cirrus leaves snow above the elevation limit of thin cirrus alone.
    cirrus_over_snow : bool
        Whether thin cirrus is looked for above bright ground too, less what dry air lets through.
    ground_by_infrared : bool
        Whether what is brighter in the short-wave infrared than clouds and shadows are is ground:
        bright sand, burnt ground, dark soil far from clouds.
    high_clouds_cast : bool
        Whether clouds that show in B10 may stand up to the tropopause.
    correct_haze : bool
        Whether the light of haze and of a long path is taken off the visible bands.
    clouds_are_patches : bool
        Whether single bright pixels are no clouds, and the rims of clouds belong to them.
    shadow_by_contrast : bool
        Whether what is much darker than the lit ground around may be cloud shadow too.
    shadow_spares_clouds : bool
        Whether cloud shadow leaves cirrus and clouds of medium and high probability alone.
    clear_water_by_green : bool
        Whether water that is dark in red may fall from green to the near infrared, instead of from
        red.
    mirror_cloud_edges : bool
        Whether the sky beyond the edges of the image is taken to go on as within.
    exact_sun : bool
        Whether shadows are cast by the sun as it stands, not in whole degrees and with a zenith of
        at most 70 degrees.
    relief_against_flat : bool
        Whether the relief is shaded in relation to flat ground, not to a fixed illumination, and
        dark features that it keeps the sun from stay what they are.
    """

    vegetation_is_no_cloud: bool = True
    cirrus_spares_high_snow: bool = True
    cirrus_over_snow: bool = True
    ground_by_infrared: bool = True
    high_clouds_cast: bool = True
    correct_haze: bool = True
    clouds_are_patches: bool = True
    shadow_by_contrast: bool = True
    shadow_spares_clouds: bool = True
    clear_water_by_green: bool = True
    mirror_cloud_edges: bool = True
    exact_sun: bool = True
    relief_against_flat: bool = True

    @classmethod
    def compatible(cls) -> ClassificationRules:
        """Return the rules of Sen2Cor 2.3."""
        return cls(**{entry.name: False for entry in fields(cls)})
