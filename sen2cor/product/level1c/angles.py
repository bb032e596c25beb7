"""Sun and view angles of a tile from its metadata: detectors merged, gaps filled.

Source: Sentinel-2 Products Specification Document, tile metadata, ``Tile_Angles``: grids of 23 x 23
nodes every 5 km; nodes that a detector does not see are NaN.
"""

from __future__ import annotations

import logging
from collections import defaultdict

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BANDS
from sen2cor.raster.array_types import BoolArray, Float64Array
from sen2cor.raster.grids import AngleGrid, TileGeometry
from sen2cor.xml_document import Element, XmlDocument

logger = logging.getLogger(__name__)

_ANGLES = "Geometric_Info/Tile_Angles"
_SUN_GRID = f"{_ANGLES}/Sun_Angles_Grid"
_SUN_MEAN = f"{_ANGLES}/Mean_Sun_Angle"
_VIEW_GRIDS = f"{_ANGLES}/Viewing_Incidence_Angles_Grids"
_VIEW_MEANS = f"{_ANGLES}/Mean_Viewing_Incidence_Angle_List/Mean_Viewing_Incidence_Angle"

_NODES = 23
_STEP = 5000.0


def read_geometry(document: XmlDocument) -> TileGeometry:
    """Read the angles of a tile.

    Missing grids are replaced by the mean angles, with a WARNING.

    Parameters
    ----------
    document : XmlDocument
        Tile metadata.

    Returns
    -------
    TileGeometry
        Without NaN; a view grid for each of the 13 bands.

    Raises
    ------
    InputError
        Neither grid nor mean angle of the sun or of a band, or an invalid grid.
    """
    sun = _read_merged(document, document.find_all(_SUN_GRID), _SUN_GRID)
    sun_mean = _mean_angles(document, document.find(_SUN_MEAN))
    if sun is None:
        if sun_mean is None:
            raise document.error(
                f"{_SUN_GRID} and {_SUN_MEAN}", "are both missing: the sun angles are unknown"
            )
        logger.warning("%s: no sun angle grid; using the mean sun angles", document.path)
        sun = _make_constant_grid(sun_mean)
    if sun_mean is None:
        logger.warning("%s: no mean sun angles; using the mean of the grid", document.path)
        sun_mean = _compute_mean(sun)
    return TileGeometry(sun, _read_view(document), *sun_mean)


def _read_view(document: XmlDocument) -> dict[str, AngleGrid]:
    grids: dict[str | None, list[Element]] = defaultdict(list)
    for element in document.find_all(_VIEW_GRIDS):
        grids[element.get("bandId")].append(element)
    means = {
        element.get("bandId"): _mean_angles(document, element)
        for element in document.find_all(_VIEW_MEANS)
    }
    view: dict[str, AngleGrid] = {}
    without_grid = []
    for band in BANDS:
        merged = _read_merged(document, grids[str(band.index)], _VIEW_GRIDS)
        if merged is None:
            mean = means.get(str(band.index))
            if mean is None:
                raise document.error(
                    f"{_VIEW_GRIDS} and {_VIEW_MEANS}",
                    f"with bandId {band.index} ({band.name}) are both missing: "
                    "the view angles of this band are unknown",
                )
            merged = _make_constant_grid(mean)
            without_grid.append(band.name)
        view[band.name] = merged
    if without_grid:
        logger.warning(
            "%s: no view angle grids of %s; using the mean view angles of these bands",
            document.path,
            ", ".join(without_grid),
        )
    return view


def _read_merged(document: XmlDocument, elements: list[Element], where: str) -> AngleGrid | None:
    """Merge the grids of some elements; None if there is no valid node in them."""
    zeniths = [_read_values(document, element, "Zenith") for element in elements]
    azimuths = [_read_values(document, element, "Azimuth") for element in elements]
    steps = {
        document.number(f"{angle}/{step}", element)
        for element in elements
        for angle in ("Zenith", "Azimuth")
        for step in ("COL_STEP", "ROW_STEP")
    }
    if not elements:
        return None
    if len({values.shape for values in zeniths + azimuths}) != 1 or len(steps) != 1:
        raise document.error(where, "has zeniths and azimuths on different nodes")
    if min(steps) <= 0.0:
        raise document.error(where, "has a step that is not positive")
    return _merge(np.stack(zeniths), np.stack(azimuths), steps.pop())


def _read_values(document: XmlDocument, element: Element, angle: str) -> Float64Array:
    where = f"{angle}/Values_List/VALUES"
    rows = document.find_all(where, element)
    if not rows:
        raise document.missing(where)
    try:
        values = np.array([[float(value) for value in (row.text or "").split()] for row in rows])
    except ValueError as error:
        raise document.error(where, f"is not a grid of numbers ({error})") from error
    if values.ndim != 2 or values.size == 0:
        raise document.error(where, "is not a grid of numbers (rows of different lengths)")
    return values


def _merge(zenith: Float64Array, azimuth: Float64Array, step: float) -> AngleGrid | None:
    """Merge the detectors; nodes that no detector sees get the values of the nearest valid node.

    Zenith angles are averaged; azimuth angles as unit vectors.

    Parameters
    ----------
    zenith, azimuth : ndarray of float64, shape (detectors, nodes south, nodes east)
        Degrees; NaN where a detector does not see.
    """
    valid = np.isfinite(zenith) & np.isfinite(azimuth)
    count = valid.sum(axis=0)
    if not count.any():
        return None
    direction = np.radians(np.where(valid, azimuth, 0.0))
    east = (np.sin(direction) * valid).sum(axis=0)
    north = (np.cos(direction) * valid).sum(axis=0)
    mean_zenith = np.where(valid, zenith, 0.0).sum(axis=0) / np.maximum(count, 1)
    mean_azimuth = np.degrees(np.arctan2(east, north)) % 360.0
    nearest = _nearest_valid(count > 0)
    return AngleGrid(
        mean_zenith[nearest].astype(np.float32), mean_azimuth[nearest].astype(np.float32), step
    )


def _nearest_valid(valid: BoolArray) -> tuple[npt.NDArray[np.intp], ...]:
    """Indices of the nearest valid node of each node."""
    rows, cols = np.nonzero(valid)
    here = np.indices(valid.shape)[..., np.newaxis]
    nearest = ((here[0] - rows) ** 2 + (here[1] - cols) ** 2).argmin(axis=-1)
    return rows[nearest], cols[nearest]


def _mean_angles(document: XmlDocument, element: Element | None) -> tuple[float, float] | None:
    """Zenith and azimuth in degrees; None where they are not given or NaN."""
    if element is None:
        return None
    angles = []
    for name in ("ZENITH_ANGLE", "AZIMUTH_ANGLE"):
        text = document.text(name, element)
        if text.lower() == "nan":
            return None
        angles.append(document.parse_number(text, name))
    return angles[0], angles[1]


def _make_constant_grid(angles: tuple[float, float]) -> AngleGrid:
    shape = (_NODES, _NODES)
    return AngleGrid(
        np.full(shape, angles[0], np.float32), np.full(shape, angles[1], np.float32), _STEP
    )


def _compute_mean(grid: AngleGrid) -> tuple[float, float]:
    azimuth = np.radians(grid.azimuth.astype(np.float64))
    mean = np.degrees(np.arctan2(np.sin(azimuth).mean(), np.cos(azimuth).mean())) % 360.0
    return float(grid.zenith.mean(dtype=np.float64)), float(mean)
