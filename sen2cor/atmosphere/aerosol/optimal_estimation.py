"""Aerosol optical thickness and its uncertainty by optimal estimation, block by block.

The unknowns are the optical thickness of a block and the surface reflectance of its pixels. Pixels
are grouped by surface type: clear and turbid water, and land by its vegetation index and
brightness. In each block, the mean of a type is one observation of eight bands, dark and bright
alike. For an optical thickness ``tau`` the observed reflectance ``y`` has one surface reflectance
``rho(y, tau)``; its probability follows from the prior of the surface
(`sen2cor.atmosphere.aerosol.surface_prior`)::

    p(y | tau) = p_surface(rho(y, tau)) |d rho / d y|

The surface is thus integrated out exactly, and the posterior of ``tau`` is tabulated at nodes
instead of linearised about one point::

    p(tau | y) ~ p(tau) prod_types p(y_type | tau) ** w

(C. D. Rodgers, Inverse Methods for Atmospheric Sounding, 2000, chapter 2; for the surface as part
of the state: D. R. Thompson et al., Remote Sens. Environ. 216 (2018) 355-373; for several spectra
of a block: L. Guanter et al., Int. J. Remote Sens. 28 (2007) 709-728).

The deviation of a type from its prior is nearly the same in all blocks around (one kind of forest).
Logarithms of likelihoods are therefore averaged over the neighbouring blocks of a type, by a
distance weight with long tails, and added over types. The result is smooth, gaps are filled by
what lies around, and the uncertainty does not decrease with the number of blocks.

The prior of the optical thickness is log-normal (N. T. O'Neill et al., J. Geophys. Res. 105 (2000)
9797-9806), about the forecast in the product or about a global median.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.integrate import trapezoid
from scipy.interpolate import Akima1DInterpolator
from scipy.ndimage import gaussian_filter

from sen2cor.atmosphere.aerosol.observations import (
    TYPES,
    Observations,
    classify_surface,
    observe,
)
from sen2cor.atmosphere.aerosol.reference_blocks import HAZIEST, BlockGrid
from sen2cor.atmosphere.aerosol.scene import AerosolScene, PointSample
from sen2cor.atmosphere.aerosol.surface_prior import (
    BANDS,
    load_surface_prior,
    log_slope,
    to_scale,
)
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.atmosphere.parameters import OptimalEstimationParameters
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.resampling import bilinear, positions

_BLOCK_SIZE = 4500.0
_MIN_SIDE = 8
"""Side of a block in metres, and its minimum in pixels."""

_NODES, _FINE_NODES = 26, 401
_NODE_SCALE = 0.05
"""Number of nodes of the optical thickness at which the tables are evaluated, and of those to which
the logarithm of the posterior is interpolated. Their distance increases with the optical thickness
plus this constant."""

_MAX_DROP = 12.0
"""A likelihood is at least this many units of its logarithm below its maximum: an observation that
is none of the surfaces of the prior does not outweigh all others."""

_KERNEL = ((5.0, 1.0), (12.0, 0.05), (40.0, 0.005))
"""Standard deviations (km) and relative weights at the centre of the Gaussians whose sum is the
distance weight."""

_HALF_WEIGHT = 0.02
"""Sum of the distance weights at which a type counts half: a single block at some 17 km."""

_QUANTILES = (0.159, 0.5, 0.841)


@dataclass(frozen=True)
class OptimalEstimate:
    """Posterior of the aerosol optical thickness at 550 nm, reduced to sea level, by block.

    Attributes
    ----------
    grid : BlockGrid
    median, sigma : ndarray of float32, shape (block rows, block columns)
        Median and half of the central 68 % of the posterior.
    log_evidence : float
        Logarithm of the probability of the observations with this look-up table, for its choice.
    used : ndarray of bool, shape (rows, cols) of the scene
        Pixels that were observed.
    information : float
        One minus the mean ratio of posterior to prior width, 0..1: 0 if the scene shows nothing.
    """

    grid: BlockGrid
    median: Float32Array
    sigma: Float32Array
    log_evidence: float
    used: BoolArray = field(repr=False)
    information: float

    def inverse_visibility(self, table: LookUpTable) -> Float32Array:
        """Inverse visibility (1/km) of the median at each pixel of the scene."""
        visibility = table.visibility_from_aot(self.median, 0.0)
        return self.to_pixels(1.0 / visibility)

    def to_pixels(self, values: Float32Array) -> Float32Array:
        """Interpolate values of the blocks to the pixels of the scene."""
        rows, cols = (positions(size, self.grid.side) for size in self.grid.shape)
        return bilinear(values, rows, cols)


def log_likelihood(
    scene: AerosolScene,
    table: LookUpTable,
    points: PointSample,
    aot550: Float32Array,
    *,
    water: BoolArray,
    self_share: Float32Array,
) -> Float32Array:
    """Logarithm of the probability density of observations for each optical thickness.

    Parameters
    ----------
    scene : AerosolScene
    table : LookUpTable
    points : PointSample
        The n observations.
    aot550 : ndarray of float32, shape (nodes, n)
        At the elevation of the points.
    water : ndarray of bool, shape (n,)
        Which observations are of water.
    self_share : ndarray of float32, shape (n,)
        Of `Observations`. Surroundings of other types are known from the image; those of the same
        type change with the surface reflectance that is sought.

    Returns
    -------
    ndarray of float32, shape (nodes, n)
    """
    scaled = np.empty((*aot550.shape, len(BANDS)), np.float32)
    log_jacobian = np.zeros(aot550.shape, np.float32)
    for index, band in enumerate(BANDS):
        terms = scene.terms_at(table, band, points, aot550)
        mean = terms.surface_signal(points.neighbourhood[band])
        reflectance = terms.surface_reflectance(points.toa[band], points.neighbourhood[band])
        scaled[..., index] = to_scale(reflectance)
        adjacency = terms.diffuse_to_direct
        log_jacobian += np.log((1.0 + adjacency) / (1.0 + adjacency * self_share))
        log_jacobian -= np.log(terms.transmittance)
        log_jacobian -= (1.0 + self_share) * np.log(1.0 + terms.spherical_albedo * mean)
        log_jacobian += log_slope(reflectance)
    for where in (water, ~water):
        prior = load_surface_prior(water=bool(where is water))
        log_jacobian[:, where] += prior.log_density(scaled[:, where])
    return log_jacobian


def estimate(
    scene: AerosolScene,
    tables: Sequence[LookUpTable],
    surface: Mapping[str, Float32Array],
    state: AtmosphereState,
    parameters: OptimalEstimationParameters,
    median_aot: float,
) -> list[OptimalEstimate]:
    """Estimate the optical thickness of the blocks of a scene, once with each table.

    Parameters
    ----------
    scene : AerosolScene
    tables : sequence of LookUpTable
    surface : mapping of band to ndarray of float32, shape (rows, cols)
        Surface reflectance in the state.
    state : AtmosphereState
    parameters : OptimalEstimationParameters
    median_aot : float
        Of the prior, at sea level.

    Returns
    -------
    list of OptimalEstimate
    """
    pixel = scene.geometry.grid.pixel_size
    grid = BlockGrid(scene.shape, max(_MIN_SIDE, round(_BLOCK_SIZE / pixel)))
    types = classify_surface(scene, surface)
    observed = observe(scene, grid, types, state)
    return [
        _estimate_with(scene, table, grid, types >= 0, observed, parameters, median_aot)
        for table in tables
    ]


def _estimate_with(
    scene: AerosolScene,
    table: LookUpTable,
    grid: BlockGrid,
    used: BoolArray,
    observed: Observations,
    parameters: OptimalEstimationParameters,
    median_aot: float,
) -> OptimalEstimate:
    block_km = grid.side * scene.geometry.grid.pixel_size / 1000.0
    nodes = _nodes(table, _NODES)
    visibility = table.visibility_from_aot(nodes, 0.0)[:, np.newaxis]
    likelihood = np.zeros((nodes.size, grid.number[0] * grid.number[1], TYPES), np.float32)
    presence = np.zeros(likelihood.shape[1:], np.float32)
    if observed.block.size:
        aot = table.aot_from_visibility(visibility, observed.points.elevation)
        found = log_likelihood(
            scene,
            table,
            observed.points,
            aot,
            water=observed.water,
            self_share=observed.self_share,
        )
        found = np.maximum(found, found.max(axis=0) - np.float32(_MAX_DROP))
        likelihood[:, observed.block, observed.kind] = found
        presence[observed.block, observed.kind] = 1.0
    shape = (*grid.number, TYPES)
    joint = _join_neighbours(likelihood.reshape(-1, *shape), presence.reshape(shape), block_km)
    fine = _nodes(table, _FINE_NODES)
    log_prior = _log_prior(fine, median_aot, parameters)
    log_posterior = Akima1DInterpolator(nodes, parameters.weight * joint)(fine)
    log_posterior = log_posterior.astype(np.float32) + log_prior[:, np.newaxis, np.newaxis]
    low, median, high = _quantiles(fine, log_posterior)
    prior_low, _, prior_high = _quantiles(fine, log_prior)
    return OptimalEstimate(
        grid=grid,
        median=median,
        sigma=np.sqrt(
            (0.5 * (high - low)) ** 2
            + (np.float32(parameters.model_error) * median) ** 2
            + np.float32(parameters.constant_error) ** 2
        ),
        log_evidence=_log_evidence(fine, log_posterior, log_prior),
        used=used,
        information=float(1.0 - np.mean((high - low) / (prior_high - prior_low))),
    )


def _nodes(table: LookUpTable, number: int) -> Float32Array:
    """Optical thicknesses at sea level, from 0 to that of the least visibility."""
    last = float(table.aot_from_visibility(1.0 / HAZIEST, 0.0))
    nodes = np.geomspace(_NODE_SCALE, last + _NODE_SCALE, number) - _NODE_SCALE
    nodes[0] = 0.0
    return nodes.astype(np.float32)


def _join_neighbours(
    likelihood: Float32Array, presence: Float32Array, block_km: float
) -> Float32Array:
    """Average over neighbouring blocks of a type, and add the types.

    Parameters
    ----------
    likelihood : ndarray of float32, shape (nodes, block rows, block columns, types)
        Logarithms; 0 where a type is absent.
    presence : ndarray of float32, shape (block rows, block columns, types)
        1 where a type is present.
    block_km : float
        Side of a block.

    Returns
    -------
    ndarray of float32, shape (nodes, block rows, block columns)
    """

    def spread(values: Float32Array) -> Float32Array:
        total = np.zeros_like(values)
        for width, weight in _KERNEL:
            sigma = width / block_km
            peak = np.float32(weight * 2.0 * np.pi * sigma**2)
            reach = (0.0, sigma, sigma, 0.0)
            total += peak * gaussian_filter(values, reach, mode="constant", truncate=3.0)
        return total

    weight = spread(presence[np.newaxis])[0]
    joint: Float32Array = (spread(likelihood) / (weight + np.float32(_HALF_WEIGHT))).sum(axis=-1)
    return joint


def _log_prior(
    nodes: Float32Array, median: float, parameters: OptimalEstimationParameters
) -> Float32Array:
    """Logarithm of the log-normal density at the nodes; constant below the second one."""
    logarithm = np.log(np.maximum(nodes, nodes[1]))
    deviation = (logarithm - np.log(median)) / np.log(parameters.spread)
    density: Float32Array = (-0.5 * deviation**2 - logarithm).astype(np.float32)
    return density


def _quantiles(nodes: Float32Array, log_density: Float32Array) -> tuple[Float32Array, ...]:
    """Quantiles of densities that are given at nodes (first axis), linear in between."""
    density = np.exp(log_density - log_density.max(axis=0))
    step = np.diff(nodes).reshape(-1, *(1,) * (density.ndim - 1))
    mass = np.cumsum(0.5 * step * (density[1:] + density[:-1]), axis=0)
    mass = np.concatenate([np.zeros_like(mass[:1]), mass]) / mass[-1]
    found = []
    for quantile in _QUANTILES:
        lower = np.clip((mass <= quantile).sum(axis=0) - 1, 0, len(nodes) - 2)[np.newaxis]
        first, second = (np.take_along_axis(mass, lower + k, 0)[0] for k in (0, 1))
        fraction = (quantile - first) / np.maximum(second - first, 1e-9)
        low, high = nodes[lower[0]], nodes[lower[0] + 1]
        found.append(np.asarray(low + fraction * (high - low), np.float32))
    return tuple(found)


def _log_evidence(
    nodes: Float32Array, log_posterior: Float32Array, log_prior: Float32Array
) -> float:
    """Mean over the blocks of the logarithm of the observations' probability."""
    peak = log_posterior.max(axis=0)
    total = trapezoid(np.exp(log_posterior - peak), nodes, axis=0)
    norm = trapezoid(np.exp(log_prior), nodes)
    return float(np.mean(peak + np.log(total / norm)))
