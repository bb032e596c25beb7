"""Processing steps for arrays.

All steps take and return NumPy arrays of shape (rows, cols); `xarray.apply_ufunc` applies them to
labelled arrays. In the order of processing:

- `classify`: scene classes, cloud and snow probability from top-of-atmosphere reflectance.
- `GroundMasks`: masks for the following steps, from the classes.
- `load_table`: the look-up table of a spacecraft, an aerosol and a season.
- `uniform_geometry`: sun and view angles, the same for all pixels. Angles of a product come from
  `sen2cor.product.level1c.reader.open_level1c` and `NodeGeometry.over`.
- `retrieve_cirrus`: the reflectance of thin cirrus, and its removal.
- `retrieve_aerosol_and_water_vapour`: aerosol and water vapour of an `AerosolScene`. Its parts are
  `retrieve_aerosol`, `blur_window_band`, `retrieve_water_vapour`, `find_mixed_pixels` and
  `fill_water_vapour`.
- `band_terms`: the terms of the radiative equation in one band, for the retrieved `AtmosphereState`
  or that of `uniform_state`.
- `surface_reflectance`: the inversion over flat terrain, with or without the adjacency effect.
  `sen2cor.atmosphere.terrain_inversion` contains the inversion over slopes, `sen2cor.dem` derives
  the terrain.

The parameters of the steps are immutable dataclasses whose defaults are those of the processor:
`ClassificationParameters` (thresholds, constants and rules), `CirrusParameters`,
`AerosolParameters` (with `ReferencePixelParameters`, `NegativeReflectanceParameters` and
`PathRadianceParameters`) and `WaterVapourParameters`. `dataclasses.replace` changes them.
"""

from __future__ import annotations

import numpy as np

from sen2cor.atmosphere.aerosol.path_radiance_scaling import path_factors_by_band
from sen2cor.atmosphere.aerosol.retrieval import AerosolRetrieval, FirstGuess, retrieve_aerosol
from sen2cor.atmosphere.aerosol.scene import AerosolScene
from sen2cor.atmosphere.aerosol_and_water_vapour import retrieve_aerosol_and_water_vapour
from sen2cor.atmosphere.atmospheric_terms import (
    AtmosphereState,
    WaterVapourCurve,
    band_terms,
    scattering_terms,
)
from sen2cor.atmosphere.cirrus import retrieve_cirrus
from sen2cor.atmosphere.interpolation_nodes import NodeGeometry
from sen2cor.atmosphere.inversion import flat_terrain_inversion
from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.atmosphere.parameters import (
    AerosolParameters,
    CirrusParameters,
    NegativeReflectanceParameters,
    PathRadianceParameters,
    ReferencePixelParameters,
    WaterVapourParameters,
)
from sen2cor.atmosphere.radiative_equation import AtmosphericTerms
from sen2cor.atmosphere.standard_atmospheres import DEFAULT_OZONE
from sen2cor.atmosphere.water_vapour import (
    blur_window_band,
    fill_water_vapour,
    find_mixed_pixels,
    retrieve_water_vapour,
)
from sen2cor.bands import BAND_NAMES
from sen2cor.classification import (
    Classification,
    ClassificationConstants,
    ClassificationParameters,
    ClassificationRules,
    ClassificationThresholds,
    GroundMasks,
    SceneClass,
    SunGeometry,
    TerrainIllumination,
    classify,
)
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.grids import AngleGrid, Grid, TileGeometry

__all__ = [
    "AerosolParameters",
    "AerosolRetrieval",
    "AerosolScene",
    "AtmosphereState",
    "AtmosphericTerms",
    "CirrusParameters",
    "Classification",
    "ClassificationConstants",
    "ClassificationParameters",
    "ClassificationRules",
    "ClassificationThresholds",
    "FirstGuess",
    "GroundMasks",
    "NegativeReflectanceParameters",
    "NodeGeometry",
    "PathRadianceParameters",
    "ReferencePixelParameters",
    "SceneClass",
    "SunGeometry",
    "TerrainIllumination",
    "WaterVapourCurve",
    "WaterVapourParameters",
    "band_terms",
    "blur_window_band",
    "classify",
    "fill_water_vapour",
    "find_mixed_pixels",
    "load_table",
    "path_factors_by_band",
    "retrieve_aerosol",
    "retrieve_aerosol_and_water_vapour",
    "retrieve_cirrus",
    "retrieve_water_vapour",
    "scattering_terms",
    "surface_reflectance",
    "uniform_geometry",
    "uniform_state",
]


def uniform_geometry(
    shape: tuple[int, int],
    pixel_size: float,
    *,
    solar_zenith: float,
    solar_azimuth: float,
    view_zenith: float = 0.0,
    view_azimuth: float = 0.0,
) -> NodeGeometry:
    """Sun and view angles that are the same for all pixels and bands.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the arrays.
    pixel_size : float
        Metres.
    solar_zenith, solar_azimuth, view_zenith, view_azimuth : float
        Degrees; azimuths from north, clockwise.

    Returns
    -------
    NodeGeometry
    """
    grid = Grid(epsg=0, ulx=0.0, uly=0.0, pixel_size=pixel_size, rows=shape[0], cols=shape[1])
    step = pixel_size * max(shape)
    view = _uniform_angles(view_zenith, view_azimuth, step)
    angles = TileGeometry(
        sun=_uniform_angles(solar_zenith, solar_azimuth, step),
        view=dict.fromkeys(BAND_NAMES, view),
        mean_solar_zenith=solar_zenith,
        mean_solar_azimuth=solar_azimuth,
    )
    return NodeGeometry.over(grid, angles)


def _uniform_angles(zenith: float, azimuth: float, step: float) -> AngleGrid:
    shape = (2, 2)
    return AngleGrid(np.full(shape, zenith, np.float32), np.full(shape, azimuth, np.float32), step)


def uniform_state(
    shape: tuple[int, int],
    *,
    aot550: float,
    water_vapour: float,
    ozone: float = DEFAULT_OZONE["SUMMER"],
    elevation: float = 0.0,
) -> AtmosphereState:
    """State of the atmosphere that is the same for all pixels.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the arrays.
    aot550 : float
        Aerosol optical thickness at 550 nm.
    water_vapour : float
        Column above the surface in cm.
    ozone : float
        Column in Dobson units.
    elevation : float
        Elevation of the surface, km.

    Returns
    -------
    AtmosphereState
    """
    return AtmosphereState(
        np.full(shape, aot550, np.float32),
        np.full(shape, water_vapour, np.float32),
        ozone,
        elevation,
    )


def surface_reflectance(
    toa_reflectance: Float32Array,
    terms: AtmosphericTerms,
    *,
    usable: BoolArray | None = None,
    half_width: int = 0,
) -> Float32Array:
    """Compute the surface reflectance over flat terrain.

    Parameters
    ----------
    toa_reflectance : ndarray of float32, shape (rows, cols)
        Of one band; NaN stays NaN.
    terms : AtmosphericTerms
        Terms of the band from `band_terms`, on the same grid.
    usable : ndarray of bool, same shape, optional
        Pixels of the neighbourhood that contribute to the adjacency effect: no cloud, cloud shadow
        or gap. By default all finite ones.
    half_width : int
        Half width of the neighbourhood in pixels (1 km in the processor); 0: no adjacency
        correction.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
    """
    toa = np.asarray(toa_reflectance, np.float32)
    finite = np.isfinite(toa)
    seen = finite if usable is None else usable & finite
    return flat_terrain_inversion(toa, terms, seen, half_width)(toa)
