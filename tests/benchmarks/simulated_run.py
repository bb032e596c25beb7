"""Simulation and processing of a scene with known truth, for benchmarks and validation."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from lxml import etree

from sen2cor.imagery import jpeg2000
from sen2cor.simulation.create_product import simulate
from sen2cor.simulation.scenes import Scene

ROOT = Path(__file__).resolve().parents[2]

Values = Mapping[str, str]
"""Values by element name."""


def make(scene: Scene, folder: Path, *, size_km: float, seed: int) -> tuple[Path, Path]:
    """Simulate a scene, replacing an earlier one.

    Returns
    -------
    (Path, Path)
        Level-1C product, and the folder of its truth.
    """
    shutil.rmtree(folder, ignore_errors=True)
    product = simulate(scene, folder, size=round(1000 * size_km), seed=seed)
    return product, product.with_suffix(".truth")


def process(level1c: Path, target: Path, settings: Values, *options: str) -> Path:
    """Run the processor with changed settings.

    Parameters
    ----------
    level1c : Path
    target : Path
        Folder of the product; emptied first.
    settings : mapping of str to str
        Elements that exist in no settings file are ignored: they belong to another version.
    options : str
        Further options of the command.

    Returns
    -------
    Path
        The Level-2A product.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    command = [sys.executable, "-m", "sen2cor.cli", "--output_dir", str(target), *options]
    files = ("L2A_GIPP", "--GIP_L2A"), ("L2A_CAL_AC_GIPP", "--GIP_L2A_AC")
    for name, option in (*files, ("L2A_CAL_SC_GIPP", "--GIP_L2A_SC")):
        changed = changed_settings(ROOT / "cfg" / f"{name}.xml", settings)
        (target / f"{name}.xml").write_bytes(changed)
        command += [option, str(target / f"{name}.xml")]
    done = subprocess.run([*command, str(level1c)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"L2A_Process ended with {done.returncode}: {done.stderr.strip()}")
    return next(target.glob("*MSIL2A*.SAFE"))


def changed_settings(path: Path, values: Values) -> bytes:
    """Return a settings file with changed values; elements that it lacks are ignored."""
    root = etree.parse(str(path)).getroot()
    for name, value in values.items():
        for element in root.iter(name):
            element.text = value
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def image(product: Path, kind: str, resolution: int) -> npt.NDArray[Any] | None:
    """Read an image of a Level-2A product of one tile; None if it does not exist."""
    found = sorted(product.rglob(f"*_{kind}_{resolution}m.jp2"))
    return jpeg2000.read(found[0]) if found else None


def toa_reflectance(level1c: Path, band: str) -> npt.NDArray[np.float32]:
    """Read the reflectance of a band of a Level-1C product of PSD 14.2."""
    numbers = jpeg2000.read(next(level1c.rglob(f"IMG_DATA/*_{band}.jp2")))
    return np.asarray(numbers, np.float32) / np.float32(1e4)


def colour(
    red_green_blue: list[npt.NDArray[np.floating]], white: float
) -> npt.NDArray[np.floating]:
    """Make an RGB image (0..1) of three bands of reflectance."""
    return np.clip(np.stack(red_green_blue, axis=-1) / max(white, 1e-3), 0.0, 1.0) ** (1 / 1.6)
