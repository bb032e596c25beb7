"""Retrieved aerosol of real scenes, with the settings that the processor ships.

``python -m tests.validation.aerosol_real_scenes`` processes the real scenes at 60 m, by optimal
estimation and by dark dense vegetation, and prints for each the aerosol optical thickness (AOT),
its standard uncertainty and origin, the largest step between neighbouring pixels, and the mean
reflectance of dense vegetation in the blue and green: positive, and rising from B01 to B03. For the
pairs with official surface reflectance it prints the share of the pixels within 0.05 rho + 0.005.
These scenes only judge. ``--pictures`` draws the maps.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sen2cor.atmosphere.look_up_tables.sixs_tables import load_table
from sen2cor.pipeline.execution.workers import start_workers
from sen2cor.simulation.create_product import wrap_images
from tests.benchmarks.simulated_run import image, process
from tests.validation import surface_reflectance
from tests.validation.surface_reflectance import SITES, Scene

ROOT = Path(__file__).resolve().parents[2]
PIXELS = ("t18svg_2016_l1c", "berlin_2017_l1c")
PRODUCTS = ("S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.SAFE",)
METHODS = ("OE", "DDV")
BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")

_DENSE = 0.7
"""NDVI of dense vegetation."""


@dataclass(frozen=True)
class Maps:
    """Maps of a Level-2A product at 60 m, and its record of the retrieval."""

    aot: npt.NDArray[np.float64]
    reflectance: dict[str, npt.NDArray[np.float64]]
    record: dict[str, object]

    @classmethod
    def read(cls, product: Path) -> Maps:
        """Read a product."""
        names = ("B01", "B02", "B03", "B04", "B8A")
        images = {name: image(product, name, 60) for name in (*names, "AOT")}
        assert all(values is not None for values in images.values())
        run = json.loads(next(product.glob("*run.json")).read_text())
        record = next(iter(run["tiles"].values()))["retrieval"]["details"]
        scaled = {name: images[name].astype(float) / 1e4 for name in names}
        return cls(images["AOT"].astype(float) / 1e3, scaled, record)

    def summary(self) -> str:
        """One line of numbers."""
        valid = self.reflectance["B8A"] > 0
        red, infrared = self.reflectance["B04"], self.reflectance["B8A"]
        dense = valid & (infrared - red > _DENSE * (infrared + red)) & (infrared > 0.1)
        aot = self.aot[valid]
        steps = max(np.abs(np.diff(self.aot, axis=axis)).max() for axis in (0, 1))
        line = f"{aot.mean():6.3f}{aot.min():7.3f}{aot.max():7.3f}{steps:7.3f}"
        sigma = self.record.get("mean_aot_sigma")
        line += f"{sigma:7.3f}" if isinstance(sigma, float) else f"{'-':>7s}"
        for band in ("B01", "B02", "B03"):
            mean = self.reflectance[band][dense].mean() if dense.sum() > 20 else np.nan
            line += f"{mean:8.4f}"
        return f"{line}  {self.record.get('source')}"


def scenes(data: Path, work: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and Level-1C product of the scenes."""
    for name in PIXELS:
        yield name, wrap_images(data / "pixels" / name, work)
    for name in PRODUCTS:
        yield name[38:44], data / "l1c_products" / name


def agreement(data: Path, work: Path, method: str) -> Iterator[str]:
    """Yield one line for each pair: AOT and share of the pixels within the requirement."""
    table = load_table("S2A", surface_reflectance.AEROSOL, surface_reflectance.SEASON)
    for site in SITES:
        folder = work / f"{site.file}_{method}"
        folder.mkdir()
        with start_workers() as pool:
            scene = Scene.load(data, site, folder, pool)
            correction = replace(scene.settings.correction, aot_method=method)
            scene = replace(scene, settings=replace(scene.settings, correction=correction))
            found = scene.retrieved(table)
            line = f"{site.file[:4]:6s}{float(found.state.aot550.mean()):6.3f}"
            sigma = found.retrieval.mean_aot_sigma
            line += f"{sigma:7.3f}" if sigma is not None else f"{'-':>7s}"
            for band in BANDS:
                own, official = scene.surface(found, band), scene.official[band]
                margin = 0.05 * official + 0.005
                line += f"{100.0 * float((np.abs(own - official) <= margin).mean()):6.1f}"
            yield line


def draw(maps: dict[str, Maps], path: Path, title: str) -> None:
    """Draw true colour and the maps of both methods."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 1 + len(maps), figsize=(18, 6), layout="constrained")
    first = next(iter(maps.values()))
    colour = np.stack([first.reflectance[band] for band in ("B04", "B03", "B02")], axis=-1)
    axes[0].imshow(np.clip(colour / np.percentile(colour, 98), 0.0, 1.0) ** 0.6)
    for axis, (method, each) in zip(axes[1:], maps.items(), strict=True):
        shown = axis.imshow(each.aot)
        axis.set_title(f"AOT, {method}")
        figure.colorbar(shown, ax=axis, shrink=0.8)
    figure.suptitle(title)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=70)
    pyplot.close(figure)


def main() -> None:
    """Process and print."""
    default = os.environ.get("SEN2COR_TEST_DATA", ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=default, help="folder of the reference data")
    parser.add_argument("--pictures", type=Path, metavar="DIR")
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.error(f"no reference data in {options.data}; give their folder with --data")
    with tempfile.TemporaryDirectory(prefix="sen2cor_aerosol_") as folder:
        work = Path(folder)
        heads = ("mean", "min", "max", "step", "sigma", "B01", "B02", "B03")
        print("AOT, and mean reflectance of dense vegetation")
        print(f"{'':24s}" + "".join(f"{head:>7s}" for head in heads))
        for name, level1c in scenes(options.data, work):
            maps = {}
            for method in METHODS:
                settings = {"AC_Aot_Method": method}
                product = process(
                    level1c, work / f"{name}_{method}", settings, "--resolution", "60",
                    "--no-checksums",
                )  # fmt: skip
                maps[method] = Maps.read(product)
                print(f"{name:20s}{method:4s}{maps[method].summary()}", flush=True)
            if options.pictures:
                draw(maps, options.pictures / f"aerosol_{name}.png", name)
        print("\nsurface reflectance within 0.05 rho + 0.005 of the official one, %")
        print(f"{'':10s}{'AOT':>6s}{'sigma':>7s}" + "".join(f"{band:>6s}" for band in BANDS))
        for method in METHODS:
            for line in agreement(options.data, work, method):
                print(f"{method:4s}{line}", flush=True)


if __name__ == "__main__":
    main()
