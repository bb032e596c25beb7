"""A scene becomes a Level-1C product: ground, air, clouds, sensor, files."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from sen2cor.errors import OutputError, UsageError
from sen2cor.product.psd import PSD
from sen2cor.simulation.description import Meteorology, ProductDescription, TileDescription
from sen2cor.simulation.overpass_geometry import Overpass
from sen2cor.simulation.scenes import Scene
from sen2cor.simulation.tile_maker import TileMaker
from sen2cor.simulation.tiling import tile_grid
from sen2cor.simulation.writer import ProductWriter


def simulate(
    scene: Scene,
    output: Path,
    *,
    size: int,
    psd: str = "14.2",
    spacecraft: str = "S2A",
    seed: int = 7,
    mgrs: tuple[str, ...] = (),
) -> Path:
    """Write a scene as a complete Level-1C product, its truth beside it.

    Parameters
    ----------
    scene : Scene
    output : Path
        Folder in which the product appears.
    size : int
        Extent in metres, a multiple of 60; the product covers the upper left part of its tile.
    psd : str
        Format: ``"13.1"``, ``"14.2"``, ``"14.5"`` or ``"15"``.
    spacecraft : str
    seed : int
    mgrs : tuple of str
        Tiles; more than one only in format 13.1. The scene's own by default.

    Returns
    -------
    Path
        The product. Its truth is in the folder of the same name with the ending ``.truth``.

    Raises
    ------
    UsageError
        The scene cannot be that large.
    OutputError
        The product cannot be written, or is there already.
    """
    if size > 1000 * scene.extent:
        raise UsageError(f"the scene {scene.name} is at most {scene.extent:g} km large")
    tiles = [
        TileDescription(name, Overpass(tile_grid(name, size), scene.sensing_time, scene.track))
        for name in (mgrs or (scene.mgrs,))
    ]
    first = tiles[0].overpass
    for tile in tiles[1:]:
        offset = float(first.across(tile.overpass.grid.ulx, tile.overpass.grid.uly))
        tile.overpass = replace(tile.overpass, track=offset)
    product = ProductDescription(
        PSD[psd], spacecraft, scene.sensing_time, scene.relative_orbit, scene.absolute_orbit,
        tiles, Meteorology(scene.water_vapour, scene.pressure, scene.ozone),
        f"simulated scene {scene.name}, seed {seed}: {scene.description}",
    )  # fmt: skip
    final = output / product.name()
    truth = final.with_suffix(".truth")
    for path in (final, truth):
        if path.exists():
            raise OutputError(f"{path} is there already; remove it or choose another folder")
    part = output / f".{product.name()}.part"
    part_truth = output / f".{truth.name}.part"
    try:
        for path in (part, part_truth):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
        writer = ProductWriter(part, product)
        for tile in tiles:
            folder = part_truth / tile.mgrs if len(tiles) > 1 else part_truth
            TileMaker(scene, product, tile, writer, folder, seed).make()
        writer.finish()
        part_truth.rename(truth)
        part.rename(final)
    except OSError as error:
        raise OutputError(f"{output}: cannot write the product: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(part_truth, ignore_errors=True)
    return final
