"""Cast shadows and the sky view factor.

The elevation has a margin around the tile, so that the surroundings can shade it.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter

from sen2cor.dem.illumination import gradient
from sen2cor.raster.array_types import BoolArray, Float32Array
from sen2cor.raster.grids import Run, row_blocks

EARTH_RADIUS = 6371000.0
"""Mean radius in metres."""

AZIMUTHS = 16
"""Directions in which the horizon is searched."""

MAX_HORIZON_DISTANCE = 15000.0
"""Distance in metres up to which the horizon is searched."""

_MIN_TANGENT = 1e-4
"""Tangent of the solar zenith angle below which nothing casts a shadow."""


def cast_shadow(elevation: Float32Array, pixel_size: float, sun: tuple[float, float]) -> BoolArray:
    """Pixels from which the terrain hides the centre of the sun.

    A vertical plane through the sun's rays cuts the terrain along a line. Along this line, away
    from the sun, the upper edge of the shadow is the running maximum of the elevation so far,
    lowered by the slope of the rays. All lines advance together, row by row, so the cost is that
    of a few passes over the image. The rays are parallel and the ground is curved as the Earth;
    this is also why the solar zenith angle in the tile metadata varies from pixel to pixel.

    Parameters
    ----------
    elevation : ndarray of float32, shape (rows, cols)
        Metres, without gaps.
    pixel_size : float
        Metres.
    sun : (float, float)
        Components of the direction to the sun at the centre, as in `sen2cor.dem.illumination`.

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        True in shadow; slopes that face away from the sun (self shadow) are included.
    """
    east, north = sun
    if max(abs(east), abs(north)) < _MIN_TANGENT:
        return np.zeros(elevation.shape, bool)
    shadow = np.empty(elevation.shape, bool)
    swept, result = elevation, shadow
    if abs(east) > abs(north):
        swept, result = swept.T, result.T
        east, north = -north, -east
    if north < 0.0:
        swept, result = swept[::-1], result[::-1]
        north = -north
    _sweep(swept, result, pixel_size, shift=-east / north, drop=pixel_size / north)
    return shadow


def _sweep(
    elevation: Float32Array, shadow: BoolArray, pixel_size: float, *, shift: float, drop: float
) -> None:
    """Advance all lines away from the sun, which lies beyond the first row.

    Line k meets row i at column ``k + i * shift``. The elevation is interpolated onto the lines
    and the edge of the shadow back to the pixels, once each: no error accumulates along a line.
    """
    rows, cols = elevation.shape
    across, along = (pixel_size * (np.arange(size) - 0.5 * (size - 1)) for size in (cols, rows))
    bulge = (across**2 / (2.0 * EARTH_RADIUS)).astype(np.float32)
    sunken = along**2 / (2.0 * EARTH_RADIUS)
    reached = int(np.ceil(abs(shift) * rows)) + 2
    # edge[k + start] belongs to line k
    start = reached if shift > 0.0 else 0
    lowest = np.float32(elevation.min() - bulge.max() - sunken.max() - 1000.0)
    edge = np.full(cols + reached, lowest, np.float32)
    at_pixels = np.empty(cols, np.float32)
    height, on_line, part = (np.empty(cols, np.float32) for _ in range(3))
    for block in row_blocks(rows):
        # rows that are columns in memory are copied together
        heights = np.ascontiguousarray(elevation[block])
        hidden = np.empty(heights.shape, bool)
        for row in range(block.start, block.stop):
            whole = int(np.floor(row * shift))
            weight = np.float32(row * shift - whole)
            rest = np.float32(1.0) - weight
            np.subtract(heights[row - block.start], bulge, out=height)
            height -= np.float32(sunken[row])
            # the lines that meet this row between its first and its last column
            lines = edge[start - whole : start - whole + cols]
            lines -= np.float32(drop)
            np.multiply(lines, rest, out=at_pixels)
            np.multiply(lines[:-1], weight, out=part[1:])
            at_pixels[1:] += part[1:]
            at_pixels[0] += weight * lines[0]
            np.greater(at_pixels, height, out=hidden[row - block.start])
            np.multiply(height, rest, out=on_line)
            np.multiply(height[1:], weight, out=part[:-1])
            on_line[:-1] += part[:-1]
            on_line[-1] += weight * height[-1]
            np.maximum(lines, on_line, out=lines)
        shadow[block] = hidden


def sky_view_factor(
    elevation: Float32Array,
    margin: int,
    pixel_size: float,
    *,
    azimuths: int = AZIMUTHS,
    max_distance: float = MAX_HORIZON_DISTANCE,
    run: Run = map,
) -> Float32Array:
    """Sky view factor: fraction of the irradiance of an isotropic sky that reaches a slope.

    With H the angle from the zenith down to the horizon in direction phi, S the slope and A its
    aspect, averaged over N directions::

        V = 1/N sum [cos S sin^2 H + sin S cos(phi - A) (H - sin H cos H)]

    (J. Dozier, J. Frew, IEEE Trans. Geosci. Remote Sensing 28 (1990) 963-969). Flat ground has
    V = 1, an infinite tilted plane (1 + cos S) / 2. With distance, the steps of the search become
    wider and the terrain is smoothed more.

    Parameters
    ----------
    elevation : ndarray of float32, shape (rows + 2 margin, cols + 2 margin)
        Metres, without gaps.
    margin : int
        Pixels around the tile, at least 1; terrain beyond it hides nothing.
    pixel_size : float
        Metres.
    azimuths : int
        Number of directions.
    max_distance : float
        Metres up to which the horizon is searched.
    run : callable
        Calls a function for every block of rows, as `map` does.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        0..1; ``1 - V`` is the terrain view factor.
    """
    pixels = int(max_distance / pixel_size)
    steps = _horizon_steps(pixels)
    outside = max(0, steps[-1][0] + 1 - margin)
    smoothed = {
        width: np.pad(
            uniform_filter(elevation, width, mode="nearest"),
            outside,
            constant_values=elevation.min(),
        )
        for width in {width for _, width in steps}
    }
    frame = margin + outside
    rows, cols = (size - 2 * margin for size in elevation.shape)
    result = np.empty((rows, cols), np.float32)

    def fill(block: slice) -> None:
        centre = elevation[block.start + margin - 1 : block.stop + margin + 1]
        slope_east, slope_north = gradient(centre[:, margin - 1 : margin + cols + 1], pixel_size)
        upright = 1.0 / np.sqrt(1.0 + slope_east**2 + slope_north**2)
        total = np.zeros_like(upright)
        for azimuth in 2.0 * np.pi * np.arange(azimuths) / azimuths:
            tangent = _horizon_tangent(smoothed, steps, block, frame, cols, azimuth, pixel_size)
            facing = slope_east * np.float32(-np.sin(azimuth))
            facing -= slope_north * np.float32(np.cos(azimuth))
            squared = 1.0 / (1.0 + tangent**2)
            facing *= np.float32(0.5 * np.pi) - np.arctan(tangent) - tangent * squared
            total += squared
            total += facing
        total *= upright / np.float32(azimuths)
        np.clip(total, 0.0, 1.0, out=result[block])

    list(run(fill, row_blocks(rows)))
    return result


def _horizon_steps(pixels: int) -> list[tuple[int, int]]:
    """Distances in pixels, and the width of the box that smooths the terrain there."""
    steps: list[tuple[int, int]] = []
    distance, width = 1, 1
    while distance <= max(1, pixels):
        steps.append((distance, width if width == 1 else width + 1))
        if distance >= 32 * width:
            width *= 2
        distance += width
    return steps


def _horizon_tangent(
    smoothed: dict[int, Float32Array],
    steps: list[tuple[int, int]],
    block: slice,
    frame: int,
    cols: int,
    azimuth: float,
    pixel_size: float,
) -> Float32Array:
    """Tangent of the horizon's elevation angle in one direction, never below 0."""
    south, east = -np.cos(azimuth), np.sin(azimuth)
    longest = max(abs(south), abs(east))
    south, east = south / longest, east / longest
    length = pixel_size * float(np.hypot(south, east))

    def shifted(source: Float32Array, down: int, right: int) -> Float32Array:
        top, left = frame + block.start + down, frame + right
        return source[top : top + block.stop - block.start, left : left + cols]

    here = shifted(smoothed[1], 0, 0)
    tangent = np.zeros(here.shape, np.float32)
    rise, other = np.empty_like(tangent), np.empty_like(tangent)
    for distance, width in steps:
        down, right = distance * south, distance * east
        # one of the two is whole; the other lies between two pixels
        first = int(np.floor(down + 1e-6)), int(np.floor(right + 1e-6))
        weight = np.float32(max(down - first[0], right - first[1]))
        source = smoothed[width]
        if weight > 1e-5:
            on_rows = down - first[0] > right - first[1]
            second = (first[0] + 1, first[1]) if on_rows else (first[0], first[1] + 1)
            np.multiply(shifted(source, *first), np.float32(1.0) - weight, out=rise)
            np.multiply(shifted(source, *second), weight, out=other)
            rise += other
            rise -= here
        else:
            np.subtract(shifted(source, *first), here, out=rise)
        rise *= np.float32(1.0 / (distance * length))
        np.maximum(tangent, rise, out=tangent)
    return tangent
