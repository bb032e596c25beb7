"""Surface reflectance of single places for any optical thickness of the aerosol.

The aerosol retrieval asks what the ground of some thousand places would be at one optical
thickness after another. Here the look-up table is evaluated at these places alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.node_geometry import NodeGeometry
from sen2cor.raster.array_types import Float32Array


@dataclass(frozen=True)
class PointSample:
    """Places on the coarse grid; arrays of float32 of shape (n,).

    Attributes
    ----------
    rows, cols : ndarray
        Pixel coordinates.
    elevation, water_vapour : ndarray
        Km; column in cm.
    toa : mapping of band to ndarray
        Top-of-atmosphere reflectance.
    surroundings : mapping of band to ndarray
        That of the neighbourhood; the same as `toa` where adjacency is left out.
    """

    rows: Float32Array
    cols: Float32Array
    elevation: Float32Array
    water_vapour: Float32Array
    toa: Mapping[str, Float32Array]
    surroundings: Mapping[str, Float32Array]


@dataclass(frozen=True)
class SiteFunctions:
    """Atmospheric functions of a band at places; float32 arrays of shape (..., n).

    Attributes
    ----------
    offset, slope, spherical_albedo, diffuse_to_direct : ndarray
        As those of `sen2cor.atmosphere.atmospheric_terms.AtmosphericTerms`.
    """

    offset: Float32Array
    slope: Float32Array
    spherical_albedo: Float32Array
    diffuse_to_direct: Float32Array

    def surface(self, toa: Float32Array, surroundings: Float32Array) -> Float32Array:
        """Surface reflectance with the adjacency effect, see `sen2cor.atmosphere.inversion`."""
        x = (toa - self.offset) / self.slope
        mean = (surroundings - self.offset) / self.slope
        damping = 1.0 / (1.0 + self.spherical_albedo * mean)
        result: Float32Array = (x + self.diffuse_to_direct * (x - mean)) * damping
        return result

    def signal(self, surface: Float32Array, surroundings: Float32Array) -> Float32Array:
        """Reflectance at the top of the atmosphere without that of the path."""
        mean = (surroundings - self.offset) / self.slope
        x = surface * (1.0 + self.spherical_albedo * mean) + self.diffuse_to_direct * mean
        result: Float32Array = self.slope * x / (1.0 + self.diffuse_to_direct)
        return result


def evaluate_at_points(
    table: LookUpTable,
    band: str,
    geometry: NodeGeometry,
    sites: PointSample,
    aot550: Float32Array,
    ozone: float,
) -> SiteFunctions:
    """Evaluate the table at places.

    Parameters
    ----------
    table : LookUpTable
    band : str
    geometry : NodeGeometry
    sites : PointSample
    aot550 : ndarray of float32, shape (..., n)
        At the elevation of the places.
    ozone : float
        Dobson units.

    Returns
    -------
    SiteFunctions
    """
    at = np.stack(
        [
            place * np.float32((nodes.size - 1.0) / nodes[-1])
            for place, nodes in ((sites.rows, geometry.rows), (sites.cols, geometry.cols))
        ]
    )

    def here(nodes: Float32Array) -> Float32Array:
        return np.asarray(map_coordinates(nodes, at, order=1, mode="nearest"), np.float32)

    sun = here(geometry.solar_zenith)
    view_zenith, relative_azimuth = (here(angle) for angle in geometry.view(band))
    scattering = table.scattering(
        band,
        aot550=aot550,
        elevation=sites.elevation,
        solar_zenith=sun,
        view_zenith=view_zenith,
        relative_azimuth=relative_azimuth,
        water_vapour=sites.water_vapour,
    )
    gas = table.gas(
        band,
        water_vapour=sites.water_vapour,
        ozone=ozone,
        elevation=sites.elevation,
        air_mass=here(geometry.air_mass(band)),
    )
    aerosol = scattering.path_reflectance - scattering.rayleigh_reflectance
    constant = gas.ozone * gas.other
    down = scattering.transmittance_down_direct + scattering.transmittance_down_diffuse
    up = scattering.transmittance_up_direct + scattering.transmittance_up_diffuse
    return SiteFunctions(
        offset=constant * (scattering.rayleigh_reflectance + aerosol * gas.water_half),
        slope=constant * gas.water * down * up,
        spherical_albedo=scattering.spherical_albedo,
        diffuse_to_direct=scattering.transmittance_up_diffuse / scattering.transmittance_up_direct,
    )
