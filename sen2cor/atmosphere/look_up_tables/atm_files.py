"""Format of the look-up tables of Sen2Cor: the ``.atm`` files.

Big-endian float32 without a header, ``[band][visibility][solar zenith][104]``: the 104 values are
solar zenith, visibility, and 17 values for each of six elevations. Each file holds one water vapour
column above sea level and one ozone column; its name encodes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sen2cor.errors import AuxiliaryDataError
from sen2cor.raster.array_types import Float32Array

BANDS = {
    "20_60": (
        "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B09", "B10", "B11", "B12",
    ),
    "10": ("B02", "B03", "B04", "B08"),
}  # fmt: skip
"""Bands of the files of each folder, in their order."""

VISIBILITY = np.array([5.0, 7.0, 10.0, 15.0, 23.0, 40.0, 80.0, 120.0], np.float32)
"""Kilometres."""

SOLAR_ZENITH = np.arange(0.0, 80.0, 10.0, dtype=np.float32)
"""Degrees."""

ELEVATION = np.arange(0.0, 3.0, 0.5, dtype=np.float32)
"""Kilometres."""

AZIMUTH = np.arange(0.0, 210.0, 30.0, dtype=np.float32)
"""Relative azimuths of the slanted view in degrees; 0 is backscatter."""

VIEW_ZENITH = 10.0
"""Zenith angle of the slanted view in degrees."""

WATER_VAPOUR = {
    "SUMMER": np.array([0.4, 1.0, 2.0, 2.9, 4.0, 5.0], np.float32),
    "WINTER": np.array([0.2, 0.4, 0.8, 1.1], np.float32),
}
"""Water vapour columns of the files above sea level, cm."""

WATER_FRACTION = {
    "SUMMER": np.array([1.0, 0.7834, 0.6069, 0.4647, 0.3514, 0.2638], np.float32),
    "WINTER": np.array([1.0, 0.8110, 0.6512, 0.5159, 0.4012, 0.3056], np.float32),
}
"""Fraction of the sea-level column that is above each elevation.

Mid-latitude profiles of LOWTRAN7 (G. P. Anderson et al., AFGL-TR-86-0110); the absorption of the
files in B09 agrees with them within 1 %.
"""

AEROSOL = {"RURAL": "rura", "MARITIME": "mari"}

_VALUES = 17
PATH, DIFFUSE_DOWN, DIRECT_DOWN, DIRECT_UP, DIFFUSE_UP, ALBEDO = range(6)
PATH_SLANTED = slice(10, 17)
"""Positions among the 17 values; fluxes include the upward transmittance at nadir."""

_IRRADIANCE_B09 = 813.04
"""W m-2 um-1, from the metadata of Sentinel-2A: absorption is too strong to derive it."""

TO_SI = 10.0
"""From mW cm-2 um-1 to W m-2 um-1."""


def derive_irradiance(band: str, cells: Float32Array) -> float:
    """Derive the extraterrestrial solar irradiance of a file, W m-2 um-1."""
    if band == "B09":
        return _IRRADIANCE_B09
    overhead = cells[..., 0, :].astype(np.float64)
    up = overhead[..., DIRECT_UP] + overhead[..., DIFFUSE_UP]
    return float(TO_SI * np.median(overhead[..., DIRECT_DOWN] / (overhead[..., DIRECT_UP] * up)))


def read_cells(path: Path, size: str) -> Float32Array:
    """Read a file as an array of shape (band, visibility, solar zenith, elevation, 17)."""
    shape = (len(BANDS[size]), VISIBILITY.size, SOLAR_ZENITH.size, 2 + ELEVATION.size * _VALUES)
    try:
        values = np.fromfile(path, ">f4").astype(np.float32)
    except OSError as error:
        raise AuxiliaryDataError(f"look-up table {path} cannot be read: {error}") from error
    _check(path, values, shape)
    cells = values.reshape(shape)
    return cells[..., 2:].reshape(*shape[:3], ELEVATION.size, _VALUES)


def holds_atm_files(folder: Path) -> bool:
    """Whether a folder contains tables as `read_folder` expects them."""
    return any(
        next(folder.glob(f"{prefix}{size}/*.atm"), None)
        for prefix in ("", "S2?/")
        for size in BANDS
    )


def read_folder(
    root: Path, letter: str, aerosol: str, season: str
) -> tuple[dict[str, Float32Array], list[str]]:
    """Read the files of an atmosphere.

    Parameters
    ----------
    root : Path
        With the folders ``20_60`` and ``10``.
    letter : str
        Of season and ozone column, the first of the file names.
    aerosol, season : str
        In upper case.

    Returns
    -------
    cells : dict of str to ndarray of float32
        By band, shape (elevation, water vapour, visibility, solar zenith, 17).
    names : list of str
        Of the files.

    Raises
    ------
    AuxiliaryDataError
        If files are absent or broken; the message names them.
    """
    names = [
        f"{letter}99000_wv{round(10 * float(water)):02d}_{AEROSOL[aerosol]}.atm"
        for water in WATER_VAPOUR[season]
    ]
    paths = {size: [root / size / name for name in names] for size in BANDS}
    missing = [path for group in paths.values() for path in group if not path.is_file()]
    if missing:
        listed = ", ".join(str(path.relative_to(root)) for path in missing)
        raise AuxiliaryDataError(
            f"look-up tables missing in {root}: {listed}; add them, choose the atmosphere of "
            "the existing files, or restore the default of Lib_Dir"
        )
    cells: dict[str, Float32Array] = {}
    for size, group in paths.items():
        stacked = np.stack([read_cells(path, size) for path in group])
        # water, band, visibility, solar zenith, elevation, value
        ordered = stacked.transpose(1, 4, 0, 2, 3, 5)
        cells.update(zip(BANDS[size], ordered, strict=True))
    return cells, names


def _check(path: Path, values: Float32Array, shape: Sequence[int]) -> None:
    if values.size != np.prod(shape) or path.stat().st_size != 4 * values.size:
        raise AuxiliaryDataError(
            f"look-up table {path} has {path.stat().st_size} bytes instead of "
            f"{4 * int(np.prod(shape))}: copy it again"
        )
    cells = values.reshape(shape)
    axes_agree = np.all(cells[..., 0] == SOLAR_ZENITH) and np.all(
        cells[..., 1] == VISIBILITY[:, np.newaxis]
    )
    if not axes_agree or not np.isfinite(values).all():
        raise AuxiliaryDataError(
            f"look-up table {path} is damaged or has another format: unexpected visibilities and "
            "solar zenith angles; copy it again"
        )
