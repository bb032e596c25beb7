"""Errors of surface reflectance, aerosol and water vapour on the built-in scenes.

Makes the scenes (their truth is known), runs the processor on them at all resolutions, and prints
bias and root mean square of what it retrieved minus the truth: surface reflectance per band at the
band's own resolution over clear land, AOT and water vapour at 20 m over the same land.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sen2cor.bands import BANDS
from sen2cor.imagery import jpeg2000
from sen2cor.simulation.render import simulate
from sen2cor.simulation.scenes import SCENES

ROOT = Path(__file__).resolve().parents[2]

CLEAR_LAND = (4, 5, 11)
"""Classes of the truth that count: vegetation, not vegetated, snow."""

_CLEAR = {"cloud_optical_thickness": 0.02, "shadow_optical_thickness": 0.02}
_CLEAR |= {"cirrus_reflectance": 0.0005}


@dataclass(frozen=True)
class Error:
    """Retrieved minus true values.

    Attributes
    ----------
    quantity : str
    truth : float
        Mean of the true values.
    bias, rms : float
    pixels : int
    """

    quantity: str
    truth: float
    bias: float
    rms: float
    pixels: int


def error(
    quantity: str,
    retrieved: npt.NDArray[np.floating],
    truth: npt.NDArray[np.floating],
    valid: npt.NDArray[np.bool_],
) -> Error:
    """Compare two images where a mask is true; NaN in all numbers where it nowhere is.

    Parameters
    ----------
    quantity : str
    retrieved, truth : ndarray of float, one shape
    valid : ndarray of bool, same shape
    """
    pixels = int(valid.sum())
    if not pixels:
        return Error(quantity, np.nan, np.nan, np.nan, 0)
    true = truth[valid].astype(np.float64)
    difference = retrieved[valid] - true
    rms = float(np.sqrt(np.mean(difference**2)))
    return Error(quantity, float(true.mean()), float(difference.mean()), rms, pixels)


def clear_land(truth: Path) -> npt.NDArray[np.bool_]:
    """Land without cloud, shadow and cirrus in the truth of a scene, at 20 m."""
    clear = np.isin(np.load(truth / "scene_class_20m.npy"), CLEAR_LAND)
    for name, limit in _CLEAR.items():
        clear &= np.load(truth / f"{name}_20m.npy") < limit
    return clear


def at_resolution(mask: npt.NDArray[np.bool_], resolution: int) -> npt.NDArray[np.bool_]:
    """Take a mask of 20 m to another resolution; coarse pixels must be true as a whole."""
    if resolution == 10:
        return mask.repeat(2, axis=0).repeat(2, axis=1)
    factor = resolution // 20
    rows, cols = (size // factor for size in mask.shape)
    return mask.reshape(rows, factor, cols, factor).all(axis=(1, 3))


def measure(product: Path, truth: Path) -> Iterator[Error]:
    """Errors of a Level-2A product of one tile against the truth of its scene."""
    clear = clear_land(truth)
    for band in BANDS:
        images = list(product.rglob(f"*_{band.name}_{band.resolution}m.jp2"))
        if not images:
            continue
        numbers = jpeg2000.read(images[0])
        true = np.load(truth / f"reflectance_{band.name}_{band.resolution}m.npy") / 1e4
        valid = at_resolution(clear, band.resolution) & (numbers > 0)
        yield error(band.name, numbers / 1e4, true, valid)
    for name, kind in (("aot550", "AOT"), ("water_vapour", "WVP")):
        numbers = jpeg2000.read(next(product.rglob(f"*_{kind}_20m.jp2")))
        true = np.load(truth / f"{name}_60m.npy").repeat(3, axis=0).repeat(3, axis=1)
        yield error(kind, numbers / 1e3, true, clear & (numbers > 0))


def process(level1c: Path, target: Path) -> Path:
    """Run the processor; returns the Level-2A product."""
    command = [sys.executable, "-m", "sen2cor.cli", "--output_dir", str(target), str(level1c)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"L2A_Process ended with {done.returncode}: {done.stderr.strip()}")
    return next(target.glob("*MSIL2A*.SAFE"))


def main() -> None:
    """Measure all scenes, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*", default=list(SCENES), help="all by default")
    parser.add_argument("--size", type=float, default=12.0, help="km")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--work", type=Path, help="keep scenes and products in this folder")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp(prefix="sen2cor_accuracy_"))
    found: dict[str, list[dict[str, object]]] = {}
    try:
        for name in arguments.scenes:
            folder = work / name
            shutil.rmtree(folder, ignore_errors=True)
            size = round(arguments.size * 1000)
            level1c = simulate(SCENES[name], folder, size=size, seed=arguments.seed)
            level2a = process(level1c, folder / "level2a")
            print(f"{name}: {arguments.size:g} km, seed {arguments.seed}")
            print(f"  {'':8s}{'truth':>9s}{'bias':>9s}{'rms':>9s}{'pixels':>10s}")
            found[name] = []
            for entry in measure(level2a, level1c.with_suffix(".truth")):
                numbers = f"{entry.truth:9.4f}{entry.bias:+9.4f}{entry.rms:9.4f}{entry.pixels:10d}"
                print(f"  {entry.quantity:8s}{numbers}", flush=True)
                found[name].append(asdict(entry))
    finally:
        if arguments.work is None:
            shutil.rmtree(work, ignore_errors=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
