"""The command L2A_Simulate: creates Level-1C products with a known truth."""

from __future__ import annotations

import argparse
import logging
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sen2cor.errors import Sen2CorError, UsageError
from sen2cor.paths import expand_path

EPILOG = """examples:
  L2A_Simulate --scene summer --size 12 --output scenes
  L2A_Simulate --scene winter --size 109.8 --psd 15 --spacecraft S2B --output scenes
  L2A_Simulate --scene summer --size 6 --psd 13.1 --tiles 32UQD 32UPD --output scenes
  L2A_Simulate --wrap folder_of_13_bands --output scenes

The truth of a product NAME.SAFE is in the folder NAME.truth beside it: truth.json and arrays (.npy)
of surface reflectance (x 10000), classes, aerosol, water vapour and clouds. For a scene in the
mountains it also has an elevation model: set DEM_Directory to NAME.truth/dem.
"""


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="L2A_Simulate",
        description="Create a Sentinel-2 Level-1C product from a scene or from given images.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scene", metavar="NAME", default="summer", help="default: summer")
    parser.add_argument("--list", action="store_true", help="list the built-in scenes")
    parser.add_argument(
        "--size", metavar="KM", type=float, default=6.0,
        help="extent, a multiple of 0.06 up to 109.8; default: 6",
    )  # fmt: skip
    parser.add_argument(
        "--psd", choices=("13.1", "14.2", "14.5", "15"), default="14.2",
        help="format of the product; 15: baseline 05.09 with offsets; default: 14.2",
    )  # fmt: skip
    parser.add_argument(
        "--spacecraft", choices=("S2A", "S2B", "S2C"), default="S2A", help="default: S2A"
    )
    parser.add_argument(
        "--canopies", choices=("modelled", "ideal", "real"),
        help="band ratios of forests: of the model canopies; B4/B12 and B2/B4 both 0.5; "
        "variable as in real canopies",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=7, help="another seed, another ground")
    parser.add_argument(
        "--tiles", metavar="MGRS", nargs="+", default=[],
        help="tiles instead of that of the scene; several only with --psd 13.1",
    )  # fmt: skip
    parser.add_argument(
        "--wrap", metavar="FOLDER", type=_path,
        help="use the 13 band images of a folder instead of a scene",
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="DIR", type=_path, default=Path(),
        help="folder of the product; default: here",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="print only the path of the product")
    return parser


def _path(text: str) -> Path:
    try:
        return expand_path(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error


def _run(arguments: argparse.Namespace) -> str:
    from sen2cor.simulation.scenes import SCENES

    if arguments.list:
        return "\n".join(f"{scene.name:12s} {scene.description}" for scene in SCENES.values())
    if arguments.wrap is not None:
        from sen2cor.simulation.create_product import wrap_images

        return str(
            wrap_images(
                arguments.wrap, arguments.output,
                psd=arguments.psd, spacecraft=arguments.spacecraft,
            )
        )  # fmt: skip
    if arguments.scene not in SCENES:
        raise UsageError(f"no scene {arguments.scene!r}; the scenes are {', '.join(SCENES)}")
    if len(arguments.tiles) > 1 and arguments.psd != "13.1":
        raise UsageError("several tiles in one product need format 13.1: --psd 13.1")
    if arguments.seed < 0:
        raise UsageError(f"--seed {arguments.seed}: must be 0 or more")
    if not math.isfinite(arguments.size):
        raise UsageError(f"--size {arguments.size:g}: must be a multiple of 0.06 km")
    size = round(arguments.size * 1000)
    if size < 60 or size % 60 or not math.isclose(arguments.size * 1000, size, abs_tol=0.5e-3):
        raise UsageError(f"--size {arguments.size:g}: must be a multiple of 0.06 km")
    from sen2cor.simulation.create_product import simulate

    scene = SCENES[arguments.scene]
    if arguments.canopies is not None:
        scene = replace(scene, canopies=arguments.canopies)
    return str(
        simulate(
            scene, arguments.output, size=size, psd=arguments.psd,
            spacecraft=arguments.spacecraft, seed=arguments.seed, mgrs=tuple(arguments.tiles),
        )
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the last line on standard output is the path of the product.

    Returns
    -------
    int
        0, or the exit code of the error.
    """
    arguments = parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    level = logging.WARNING if arguments.quiet else logging.INFO
    logging.getLogger("sen2cor.simulation").setLevel(level)
    try:
        print(_run(arguments))
    except Sen2CorError as error:
        print(f"L2A_Simulate: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
