"""Sun and view angles of a tile from its metadata: detectors merged, gaps filled.

Source: Sentinel-2 Products Specification Document, tile metadata, ``Tile_Angles``: grids of 23 x 23
nodes every 5 km; nodes that a detector does not see are NaN.

Some products lack angles. The bands look in nearly the same direction (within about one degree),
so the grid of the band nearest in wavelength stands in for that of a band or of one of its
detectors. Mean angles stand in where no band has a grid. The sun's direction varies smoothly: its
gaps are filled by a linear function of the position.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BAND, BANDS
from sen2cor.raster.array_types import BoolArray, Float64Array
from sen2cor.raster.grids import AngleGrid, TileGeometry
from sen2cor.raster.pixel_angles import fill_directions, to_angles, to_directions
from sen2cor.xml_document import Element, XmlDocument

logger = logging.getLogger(__name__)

_ANGLES = "Geometric_Info/Tile_Angles"
_SUN_GRID = f"{_ANGLES}/Sun_Angles_Grid"
_SUN_MEAN = f"{_ANGLES}/Mean_Sun_Angle"
_VIEW_GRIDS = f"{_ANGLES}/Viewing_Incidence_Angles_Grids"
_VIEW_MEANS = f"{_ANGLES}/Mean_Viewing_Incidence_Angle_List/Mean_Viewing_Incidence_Angle"

_NODES = 23
_STEP = 5000.0

_MAX_ZENITH = {_SUN_GRID: 180.0, _VIEW_GRIDS: 90.0}
"""Degrees; what lies beyond is no angle but the fill value of some software."""

_MIN_DETECTOR_NODES = 4
"""Nodes of a detector in another band from which on it is missed in this one."""


@dataclass(frozen=True)
class _Nodes:
    """Angles of one grid.

    Attributes
    ----------
    zenith, azimuth : ndarray of float64, shape (nodes south, nodes east)
        Degrees; NaN where there is none.
    step : float
        Metres.
    """

    zenith: Float64Array
    azimuth: Float64Array
    step: float

    @property
    def valid(self) -> BoolArray:
        """Nodes with angles, bool."""
        valid: BoolArray = np.isfinite(self.zenith) & np.isfinite(self.azimuth)
        return valid

    def pad(self, shape: tuple[int, int]) -> _Nodes:
        """Add nodes without angles in the south and east."""
        missing = [(0, size - have) for size, have in zip(shape, self.zenith.shape, strict=True)]
        zenith, azimuth = (
            np.pad(angle, missing, constant_values=np.nan) for angle in (self.zenith, self.azimuth)
        )
        return replace(self, zenith=zenith, azimuth=azimuth)


_Detectors = dict[str, _Nodes]
"""Grids by detectorId."""


def read_geometry(document: XmlDocument) -> TileGeometry:
    """Read the angles of a tile.

    Missing angles are replaced as the module says, with a WARNING.

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
        Neither grid nor mean angle of the sun, or no view angle of any band, or an invalid grid.
    """
    sun = _read_sun(document)
    sun_mean = _mean_angles(document, document.find(_SUN_MEAN))
    if sun is None:
        if sun_mean is None:
            raise document.error(
                f"{_SUN_GRID} and {_SUN_MEAN}",
                "are both missing or NaN: the sun angles are unknown; fetch the product again",
            )
        logger.warning("%s: no sun angle grid; using the mean sun angles", document.path)
        sun = _make_constant_grid(sun_mean)
    if sun_mean is None:
        logger.warning("%s: no mean sun angles; using the mean of the grid", document.path)
        sun_mean = _compute_mean(sun)
    view, detectors = _read_view(document)
    return TileGeometry(sun, view, *sun_mean, detectors)


def detector_parallax(
    geometry: TileGeometry, band: str, reference: str
) -> dict[int, tuple[float, float]]:
    """Compute how two bands displace what is above the ground.

    Parameters
    ----------
    geometry : TileGeometry
    band, reference : str

    Returns
    -------
    dict of int to tuple of float
        By detector, see `sen2cor.raster.parallax.Parallax`: the mean over the nodes that it sees
        in both bands. Without the detectors that have no such node.
    """
    ours, theirs = (geometry.detector_view.get(name, {}) for name in (band, reference))
    found = {}
    for number in sorted(ours.keys() & theirs.keys()):
        here, there = (_horizontal_direction(grids[number]) for grids in (ours, theirs))
        rows, cols = np.minimum(here.shape[1:], there.shape[1:])
        difference = here[:, :rows, :cols] - there[:, :rows, :cols]
        seen = np.isfinite(difference).all(axis=0)
        if seen.any():
            east, north = difference[:, seen].mean(axis=1)
            found[number] = float(east), float(north)
    return found


def _horizontal_direction(view: AngleGrid) -> Float64Array:
    """East and north component, per unit of height, of the lines from the ground to the sensor."""
    zenith, azimuth = (
        np.radians(angle.astype(np.float64)) for angle in (view.zenith, view.azimuth)
    )
    direction: Float64Array = np.tan(zenith) * np.stack([np.sin(azimuth), np.cos(azimuth)])
    return direction


def _read_sun(document: XmlDocument) -> AngleGrid | None:
    """Read the sun's grid and fill its gaps; None if there is no valid node in it."""
    grids = [
        nodes
        for element in document.find_all(_SUN_GRID)
        if (nodes := _read_nodes(document, element, _SUN_GRID)) is not None
    ]
    if not grids:
        return None
    nodes = grids[0]
    gaps = ~nodes.valid
    if gaps.any():
        logger.warning(
            "%s: %d of %d sun angles are missing in the grid; filling them from the others",
            document.path,
            gaps.sum(),
            gaps.size,
        )
        nodes = _fill_linearly(nodes)
    return _merge(document, {"sun": nodes})


def _read_view(
    document: XmlDocument,
) -> tuple[dict[str, AngleGrid], dict[str, dict[int, AngleGrid]]]:
    """Read the view angles of all bands, with those of other bands for those that are missing.

    Returns
    -------
    dict of band name to AngleGrid
        Of all bands, merged over the detectors.
    dict of band name to dict of detector number to AngleGrid
        Of the bands and detectors that have a grid.
    """
    grids: dict[str, _Detectors] = defaultdict(dict)
    names = {str(band.index): band.name for band in BANDS}
    for number, element in enumerate(document.find_all(_VIEW_GRIDS)):
        nodes = _read_nodes(document, element, _VIEW_GRIDS)
        name = names.get(element.get("bandId"))
        if nodes is not None and name is not None:
            detector = element.get("detectorId")
            if detector is None or detector in grids[name]:
                detector = f"grid {number}"
            grids[name][detector] = nodes
    if not grids:
        return _read_mean_view(document), {}
    _add_missing_detectors(document, grids)
    view = {name: _merge(document, detectors) for name, detectors in grids.items()}
    without = [band.name for band in BANDS if band.name not in view]
    if without:
        logger.warning(
            "%s: no view angle grids of %s; using those of the bands nearest in wavelength",
            document.path,
            ", ".join(without),
        )
    by_detector = {
        name: {
            int(number): AngleGrid(
                nodes.zenith.astype(np.float32), nodes.azimuth.astype(np.float32), nodes.step
            )
            for number, nodes in detectors.items()
            if number.isdecimal()
        }
        for name, detectors in grids.items()
    }
    return {band.name: view[_nearest_band(band.name, grids)] for band in BANDS}, by_detector


def _read_mean_view(document: XmlDocument) -> dict[str, AngleGrid]:
    """Read the mean view angles, for a tile without any grid."""
    by_index = {
        element.get("bandId"): _mean_angles(document, element)
        for element in document.find_all(_VIEW_MEANS)
    }
    means = {
        band.name: mean for band in BANDS if (mean := by_index.get(str(band.index))) is not None
    }
    if not means:
        raise document.error(
            f"{_VIEW_GRIDS} and {_VIEW_MEANS}",
            "are missing or NaN for all bands: the view angles are unknown; "
            "fetch the product again",
        )
    logger.warning("%s: no view angle grids of any band; using the mean view angles", document.path)
    without = [band.name for band in BANDS if band.name not in means]
    if without:
        logger.warning(
            "%s: no mean view angles of %s; using those of the bands nearest in wavelength",
            document.path,
            ", ".join(without),
        )
    return {
        band.name: _make_constant_grid(means[_nearest_band(band.name, means)]) for band in BANDS
    }


def _nearest_band(name: str, present: Collection[str]) -> str:
    """Return the band itself if it is present, otherwise the present one nearest in wavelength."""
    return min(present, key=lambda other: abs(BAND[other].wavelength - BAND[name].wavelength))


def _add_missing_detectors(document: XmlDocument, grids: dict[str, _Detectors]) -> None:
    """Add detectors that a band has no angles of, or few, from the nearest band that has them.

    A detector sees the same ground in all bands, so the numbers of nodes differ by few.
    """
    seen = {
        name: {detector: int(nodes.valid.sum()) for detector, nodes in detectors.items()}
        for name, detectors in grids.items()
    }
    replaced: dict[str, list[str]] = {}
    for detector in dict.fromkeys(key for detectors in seen.values() for key in detectors):
        most = max(numbers.get(detector, 0) for numbers in seen.values())
        if most < _MIN_DETECTOR_NODES:
            continue
        whole = [name for name, numbers in seen.items() if 2 * numbers.get(detector, 0) >= most]
        for name in grids.keys() - set(whole):
            grids[name][detector] = grids[_nearest_band(name, whole)][detector]
            replaced.setdefault(name, []).append(detector)
    if replaced:
        logger.warning(
            "%s: view angles of detectors are missing (%s); using those of the bands "
            "nearest in wavelength",
            document.path,
            "; ".join(
                f"{band.name}: {', '.join(replaced[band.name])}"
                for band in BANDS
                if band.name in replaced
            ),
        )


def _read_nodes(document: XmlDocument, element: Element, where: str) -> _Nodes | None:
    """Read one grid; None if there is no valid node in it."""
    zenith, azimuth = (_read_values(document, element, angle) for angle in ("Zenith", "Azimuth"))
    if zenith is None or azimuth is None:
        return None
    steps = {
        document.number(f"{angle}/{step}", element)
        for angle in ("Zenith", "Azimuth")
        for step in ("COL_STEP", "ROW_STEP")
    }
    if zenith.shape != azimuth.shape or len(steps) != 1:
        raise document.error(where, "has zeniths and azimuths on different nodes")
    step = steps.pop()
    if step <= 0.0:
        raise document.error(where, "has a step that is not positive")
    with np.errstate(invalid="ignore"):
        angles = (zenith >= 0.0) & (zenith <= _MAX_ZENITH[where]) & (np.abs(azimuth) <= 360.0)
    if not angles.any():
        return None
    return _Nodes(np.where(angles, zenith, np.nan), np.where(angles, azimuth, np.nan), step)


def _read_values(document: XmlDocument, element: Element, angle: str) -> Float64Array | None:
    """Read the zeniths or azimuths of a grid; None if there are none."""
    where = f"{angle}/Values_List/VALUES"
    rows = document.find_all(where, element)
    if not any((row.text or "").strip() for row in rows):
        return None
    try:
        values = np.array([[float(value) for value in (row.text or "").split()] for row in rows])
    except ValueError as error:
        raise document.error(where, f"is not a grid of numbers ({error})") from error
    if values.ndim != 2 or values.size == 0:
        raise document.error(where, "is not a grid of numbers (rows of different lengths)")
    return values


def _merge(document: XmlDocument, detectors: Mapping[str, _Nodes]) -> AngleGrid:
    """Merge the detectors; nodes that no detector sees get the values of the nearest valid node.

    Zenith angles are averaged; azimuth angles as unit vectors. The nodes of all grids start at the
    same corner; a smaller grid lacks nodes in the south or east.
    """
    steps = {nodes.step for nodes in detectors.values()}
    if len(steps) != 1:
        raise document.error(_VIEW_GRIDS, "has detectors on different nodes")
    shapes = [nodes.zenith.shape for nodes in detectors.values()]
    shape = max(rows for rows, _ in shapes), max(cols for _, cols in shapes)
    padded = [nodes.pad(shape) for nodes in detectors.values()]
    zenith = np.stack([nodes.zenith for nodes in padded])
    azimuth = np.stack([nodes.azimuth for nodes in padded])
    valid = np.stack([nodes.valid for nodes in padded])
    count = valid.sum(axis=0)
    direction = np.radians(np.where(valid, azimuth, 0.0))
    east = (np.sin(direction) * valid).sum(axis=0)
    north = (np.cos(direction) * valid).sum(axis=0)
    mean_zenith = np.where(valid, zenith, 0.0).sum(axis=0) / np.maximum(count, 1)
    mean_azimuth = np.degrees(np.arctan2(east, north)) % 360.0
    nearest = _nearest_valid(count > 0)
    return AngleGrid(
        mean_zenith[nearest].astype(np.float32),
        mean_azimuth[nearest].astype(np.float32),
        steps.pop(),
    )


def _fill_linearly(nodes: _Nodes) -> _Nodes:
    """Fill gaps by the linear function of the position that fits the direction of the others."""
    gaps = ~nodes.valid
    directions = fill_directions(to_directions(nodes.zenith, nodes.azimuth), nodes.valid)
    filled = replace(nodes, zenith=nodes.zenith.copy(), azimuth=nodes.azimuth.copy())
    filled.zenith[gaps], filled.azimuth[gaps] = to_angles(*np.moveaxis(directions[gaps], -1, 0))
    return filled


def _nearest_valid(valid: BoolArray) -> tuple[npt.NDArray[np.intp], ...]:
    """Indices of the nearest valid node of each node."""
    rows, cols = np.nonzero(valid)
    here = np.indices(valid.shape)[..., np.newaxis]
    nearest = ((here[0] - rows) ** 2 + (here[1] - cols) ** 2).argmin(axis=-1)
    return rows[nearest], cols[nearest]


def _mean_angles(document: XmlDocument, element: Element | None) -> tuple[float, float] | None:
    """Zenith and azimuth in degrees; None where they are not given or NaN."""
    angles = []
    for name in ("ZENITH_ANGLE", "AZIMUTH_ANGLE"):
        found = None if element is None else document.find(name, element)
        text = "" if found is None else (found.text or "").strip()
        if text.lower() in ("", "nan"):
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
