"""Random patterns on the ground that depend only on map coordinates and seed.

Every function takes coordinates in metres and returns the same values for any block of the scene,
so that scenes can be made block by block and neighbouring tiles agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import Float32Array, Float64Array

IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint32]


def hashed(first: npt.ArrayLike, second: npt.ArrayLike, seed: int) -> UIntArray:
    """Hash two integers and a seed to a 32-bit number.

    Parameters
    ----------
    first, second : arrays of integers, broadcastable
    seed : int

    Returns
    -------
    ndarray of uint32
    """
    a = np.atleast_1d(np.asarray(first)).astype(np.uint32)
    b = np.atleast_1d(np.asarray(second)).astype(np.uint32)
    start = np.uint32((seed * 0x9E3779B1 + 0x7F4A7C15) & 0xFFFFFFFF)
    mixed = (a * np.uint32(0x85EBCA6B)) ^ ((b ^ start) * np.uint32(0xC2B2AE35))
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x2C1B3C6D)
    mixed ^= mixed >> np.uint32(12)
    mixed *= np.uint32(0x297A2D39)
    mixed ^= mixed >> np.uint32(15)
    return np.asarray(mixed)


def unit(number: UIntArray, part: int = 0) -> Float32Array:
    """Convert hashes to uniform numbers in [0, 1); the parts of one hash are independent."""
    if part:
        number = hashed(number, part, 17)
    return (number >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def white(y: IntArray, x: IntArray, seed: int) -> Float32Array:
    """White noise: no correlation between pixels.

    Parameters
    ----------
    y, x : ndarray of int64, shapes (rows,) and (cols,)
        Pixel numbers.
    seed : int

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        Mean 0, standard deviation 1, nearly Gaussian.
    """
    number = hashed(y[:, None], x[None, :], seed)
    total = (number & np.uint32(0x3FF)).astype(np.float32)
    total += ((number >> np.uint32(10)) & np.uint32(0x3FF)).astype(np.float32)
    total += ((number >> np.uint32(20)) & np.uint32(0x3FF)).astype(np.float32)
    return (total - np.float32(1534.5)) * np.float32(1.0 / 511.7)


def smooth(y: npt.ArrayLike, x: npt.ArrayLike, scale: float, seed: int) -> Float32Array:
    """Smooth noise: cubic B-splines between random values on a lattice.

    Parameters
    ----------
    y, x : ndarray, shapes (rows,) and (cols,)
        Metres.
    scale : float
        Node spacing of the lattice, metres.
    seed : int

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        Mean 0, standard deviation about 1.
    """
    row_nodes, row_weights = _spline(np.asarray(y, np.float64) / scale)
    col_nodes, col_weights = _spline(np.asarray(x, np.float64) / scale)
    first_row, first_col = row_nodes.min(), col_nodes.min()
    lattice = white(
        np.arange(first_row, row_nodes.max() + 4), np.arange(first_col, col_nodes.max() + 4), seed
    )
    along = np.zeros((lattice.shape[0], col_nodes.size), np.float32)
    for tap in range(4):
        along += lattice[:, col_nodes - first_col + tap] * col_weights[tap]
    across = np.zeros((row_nodes.size, col_nodes.size), np.float32)
    for tap in range(4):
        across += along[row_nodes - first_row + tap] * row_weights[tap][:, None]
    # the variance of a cubic B-spline sum over unit white noise is 0.2394 on average
    return np.asarray(across * np.float32(1.0 / 0.489), np.float32)


def _spline(at: Float64Array) -> tuple[IntArray, list[Float32Array]]:
    cell = np.floor(at)
    t = (at - cell).astype(np.float32)
    weights = [
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    ]
    return cell.astype(np.int64) - 1, [w.astype(np.float32) for w in weights]


def fractal(
    y: npt.ArrayLike, x: npt.ArrayLike, scale: float, octaves: int, seed: int, gain: float = 0.5
) -> Float32Array:
    """Sum of smooth noises, each of half the scale of the previous one.

    Parameters
    ----------
    y, x : ndarray, shapes (rows,) and (cols,)
        Metres.
    scale : float
        Of the first noise, metres.
    octaves : int
    seed : int
    gain : float
        Amplitude relative to the previous noise.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        Standard deviation about 1.
    """
    total = smooth(y, x, scale, seed)
    power = 1.0
    for octave in range(1, octaves):
        amplitude = gain**octave
        total += np.float32(amplitude) * smooth(y, x, scale / 2**octave, seed + 101 * octave)
        power += amplitude**2
    total *= np.float32(1.0 / np.sqrt(power))
    return total


@dataclass(frozen=True)
class Parcels:
    """Fields of a cultivated landscape.

    Attributes
    ----------
    parcel : ndarray of uint32
        Number of the field.
    margin : ndarray of float32
        Distance to the edge of the field, metres.
    road : ndarray of float32
        Distance to the edge of the district, metres.
    """

    parcel: UIntArray
    margin: Float32Array
    road: Float32Array


def parcels(y: Float64Array, x: Float64Array, seed: int, size: float = 2200.0) -> Parcels:
    """Divide the ground into districts, and these into strips of fields.

    Parameters
    ----------
    y, x : ndarray, shapes (rows,) and (cols,)
        Metres.
    seed : int
    size : float
        Of a district, metres.
    """
    warp_x = x[None, :] + 420.0 * fractal(y, x, 1700.0, 3, seed + 1)
    warp_y = y[:, None] + 420.0 * fractal(y, x, 1700.0, 3, seed + 2)
    at_x, at_y = (warp_x / size).astype(np.float32), (warp_y / size).astype(np.float32)
    cell_x, cell_y = np.floor(at_x), np.floor(at_y)
    region = hashed(cell_y.astype(np.int64), cell_x.astype(np.int64), seed)
    road = _edge_distance(at_x - cell_x, at_y - cell_y) * np.float32(size)

    angle = unit(region, 1) * np.float32(np.pi)
    cosine, sine = np.cos(angle), np.sin(angle)
    # half a metre of rounding is nothing beside the width of a field
    east, north = x.astype(np.float32)[None, :], y.astype(np.float32)[:, None]
    bend = np.float32(14.0) * smooth(y, x, 300.0, seed + 3)
    across = north * cosine - east * sine + bend
    along = north * sine + east * cosine
    width = np.float32(70.0) + np.float32(190.0) * unit(region, 2) ** 2
    length = width * (np.float32(1.5) + np.float32(2.5) * unit(region, 3))
    across /= width
    strip = np.floor(across)
    along /= length
    along += unit(hashed(region, strip.astype(np.int64), seed + 4))
    piece = np.floor(along)
    parcel = hashed(hashed(region, strip.astype(np.int64), seed + 5), piece.astype(np.int64), seed)
    fraction = across - strip
    margin = np.minimum(fraction, 1 - fraction) * width
    fraction = along - piece
    np.minimum(margin, np.minimum(fraction, 1 - fraction) * length, out=margin)
    return Parcels(parcel, margin, road)


def _edge_distance(x: Float32Array, y: Float32Array) -> Float32Array:
    return np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))


@dataclass(frozen=True)
class Discs:
    """Discs (towns, irrigated circles), one in every cell of a lattice.

    Attributes
    ----------
    number : ndarray of uint32
    distance : ndarray of float32
        To the centre, in radii: below 1 inside the disc.
    bearing : ndarray of float32
        Direction from the centre, radians.
    """

    number: UIntArray
    distance: Float32Array
    bearing: Float32Array


def discs(
    y: Float64Array,
    x: Float64Array,
    cell: float,
    smallest: float,
    largest: float,
    seed: int,
) -> Discs:
    """Lay out discs that do not overlap.

    Parameters
    ----------
    y, x : ndarray, shapes (rows,) and (cols,)
        Metres.
    cell : float
        Cell size of the lattice, metres; at least twice the largest radius.
    smallest, largest : float
        Radii in metres.
    seed : int
    """
    col, row = np.floor(x / cell), np.floor(y / cell)
    number = hashed(row.astype(np.int64)[:, None], col.astype(np.int64)[None, :], seed)
    radius = np.float32(smallest) + np.float32(largest - smallest) * unit(number, 1) ** 2
    room = np.float32(cell) - 2 * radius
    east = (x - col * cell).astype(np.float32)[None, :] - radius - room * unit(number, 2)
    north = (y - row * cell).astype(np.float32)[:, None] - radius - room * unit(number, 3)
    return Discs(number, np.hypot(east, north) / radius, np.arctan2(east, north))
