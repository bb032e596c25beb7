"""Landscapes of the built-in scenes: every pixel is a mixture of two surfaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sen2cor.raster.array_types import BoolArray, Float32Array, Float64Array, UInt8Array
from sen2cor.simulation.patterns import (
    Parcels,
    discs,
    fractal,
    hashed,
    parcels,
    smooth,
    unit,
    white,
)

PIXEL = 10.0
"""Pixel size of the ground, metres."""

VEGETATION, BARE, WATER, SNOW = 4, 5, 6, 11
"""Codes of the scene classification."""

SURFACES: Mapping[str, tuple[int, float]] = {
    "forest_broadleaf": (VEGETATION, 0.09),
    "forest_mixed": (VEGETATION, 0.10),
    "forest_conifer": (VEGETATION, 0.12),
    "tree_crowns_light": (VEGETATION, 0.10),
    "crop_dense": (VEGETATION, 0.03),
    "crop_row": (VEGETATION, 0.04),
    "crop_ripening": (VEGETATION, 0.04),
    "grass": (VEGETATION, 0.05),
    "dry_grass": (VEGETATION, 0.05),
    "straw": (BARE, 0.04),
    "shrubs_on_soil": (BARE, 0.10),
    "litter": (BARE, 0.08),
    "soil_dark": (BARE, 0.05),
    "soil_brown": (BARE, 0.04),
    "soil_light": (BARE, 0.04),
    "sand": (BARE, 0.02),
    "sand_bright": (BARE, 0.02),
    "gravel": (BARE, 0.05),
    "rock_dark": (BARE, 0.10),
    "rock_light": (BARE, 0.08),
    "playa": (BARE, 0.02),
    "asphalt": (BARE, 0.08),
    "concrete": (BARE, 0.10),
    "roof_tiles": (BARE, 0.15),
    "roof_bright": (BARE, 0.15),
    "roof_dark": (BARE, 0.15),
    "snow_fresh": (SNOW, 0.01),
    "snow_fine": (SNOW, 0.01),
    "snow_old": (SNOW, 0.02),
    "ice": (SNOW, 0.02),
    "water_clear": (WATER, 0.02),
    "water_lake": (WATER, 0.02),
    "water_turbid": (WATER, 0.02),
    "snow_coarse": (SNOW, 0.02),
    "char": (BARE, 0.08),
    "salt": (BARE, 0.02),
    "dune": (BARE, 0.02),
    "roof_membrane": (BARE, 0.10),
    "roof_metal": (BARE, 0.10),
    "water_silty": (WATER, 0.02),
}
"""Surfaces: class in the scene classification, and relative variation of the brightness."""

SURFACE_NAMES = tuple(SURFACES)
SURFACE_CLASSES = np.array([SURFACES[name][0] for name in SURFACE_NAMES], np.uint8)
_TEXTURE = np.array([SURFACES[name][1] for name in SURFACE_NAMES], np.float32)
_INDEX = {name: number for number, name in enumerate(SURFACE_NAMES)}

Coordinates = Float64Array


@dataclass
class Ground:
    """A block of ground.

    Attributes
    ----------
    first, second : ndarray of uint8, shape (rows, cols)
        Indices of the two surfaces in `SURFACE_NAMES`.
    fraction : ndarray of float32
        Fraction of the second, 0..1.
    brightness : ndarray of float32
        Factor on the reflectance in all bands.
    """

    first: UInt8Array
    second: UInt8Array
    fraction: Float32Array
    brightness: Float32Array

    def scene_class(self) -> UInt8Array:
        """Class of the surface that covers more of the pixel (codes of the classification)."""
        return np.asarray(SURFACE_CLASSES[np.where(self.fraction > 0.5, self.second, self.first)])

    def reflectance(self, table: Float32Array) -> Float32Array:
        """Reflectance in one band.

        Parameters
        ----------
        table : ndarray of float32, shape (number of surfaces,)

        Returns
        -------
        ndarray of float32, shape (rows, cols)
        """
        mixed = table[self.first]
        mixed += self.fraction * (table[self.second] - mixed)
        mixed *= self.brightness
        return np.minimum(mixed, np.float32(1.2), out=mixed)

    def put(
        self, where: BoolArray, first: str, second: str | None = None, fraction: npt.ArrayLike = 0.0
    ) -> None:
        """Cover some pixels with a surface, or a mixture of two."""
        self.first[where] = _INDEX[first]
        self.second[where] = _INDEX[second or first]
        self.fraction[where] = fraction if np.ndim(fraction) == 0 else np.asarray(fraction)[where]


def _blank(y: Coordinates, x: Coordinates, surface: str) -> Ground:
    shape = (y.size, x.size)
    number = np.full(shape, _INDEX[surface], np.uint8)
    return Ground(number, number.copy(), np.zeros(shape, np.float32), np.ones(shape, np.float32))


def _texture(ground: Ground, y: Coordinates, x: Coordinates, seed: int) -> None:
    rows, cols = _pixels(y), _pixels(x)
    scatter = _TEXTURE[ground.first]
    noise = 0.65 * white(rows, cols, seed + 71) + 0.55 * smooth(y, x, 35.0, seed + 72)
    noise += 0.5 * smooth(y, x, 140.0, seed + 73)
    ground.brightness *= np.clip(1.0 + scatter * noise, 0.4, 1.8).astype(np.float32)


def _pixels(metres: Coordinates) -> npt.NDArray[np.int64]:
    return np.asarray(np.floor(metres / PIXEL), np.int64)


def _crops(
    ground: Ground,
    fields: Parcels,
    calendar: tuple[tuple[str, str, float], ...],
    vigour: Float32Array,
) -> None:
    """Assign a crop to every field; growth varies within and between fields."""
    draw = unit(fields.parcel, 1)
    bound = 0.0
    thin = np.clip(0.12 + 0.25 * unit(fields.parcel, 2) ** 2 + 0.07 * vigour, 0.0, 0.8)
    for crop, between, probability in calendar:
        ground.put((draw >= bound) & (draw < bound + probability), crop, between, thin)
        bound += probability
    ground.brightness *= 0.90 + 0.2 * unit(fields.parcel, 3)


def _towns(
    ground: Ground,
    y: Coordinates,
    x: Coordinates,
    seed: int,
    cell: float,
    open_ground: tuple[str, str, float] = ("grass", "tree_crowns_light", 1.0),
) -> None:
    town = discs(y, x, cell, 0.06 * cell, 0.22 * cell, seed)
    edge = town.distance * (1.0 + 0.28 * smooth(y, x, 350.0, seed + 1))
    inside = edge < 1.0
    if not inside.any():
        return
    rows, cols = _pixels(y), _pixels(x)
    street = ((rows % 9 == 0)[:, None] | (cols % 7 == 0)[None, :]) & inside
    plot = hashed((rows // 2)[:, None], (cols // 2)[None, :], seed + 2)
    draw = unit(plot)
    dense = 0.75 - 0.5 * edge
    base, between, most = open_ground
    snow = base.startswith("snow")
    cover = (0.6 if snow else 0.25) * unit(plot, 2)
    ground.put(inside, base, between, most * unit(plot, 1))
    kinds = ("roof_tiles", "roof_dark", "concrete", "roof_bright")
    for number, kind in enumerate(kinds):
        chosen = inside & (draw < dense * (1 - 0.25 * number)) & (draw >= 0)
        chosen &= unit(plot, 3) >= number / len(kinds) * np.minimum(1.0, edge + 0.4)
        ground.put(chosen, kind, base, cover)
    ground.put(street, "asphalt", base, 0.25)


def _river(y: Coordinates, x: Coordinates, seed: int, width: float) -> tuple[BoolArray, BoolArray]:
    """Winding bands around the zero line of a smooth field: water, and its banks."""
    field = smooth(y, x, 9000.0, seed) + 0.22 * smooth(y, x, 1600.0, seed + 1)
    field += 0.03 * smooth(y, x, 350.0, seed + 2)
    distance = np.abs(field)
    return distance < width, distance < 3.0 * width


def summer(y: Coordinates, x: Coordinates, seed: int) -> Ground:
    """Central European fields, forests, lakes, a river and towns in July."""
    ground = _blank(y, x, "grass")
    fields = parcels(y, x, seed)
    vigour = fractal(y, x, 260.0, 3, seed + 10)
    calendar = (
        ("crop_dense", "crop_row", 0.17), ("crop_row", "soil_brown", 0.15),
        ("crop_ripening", "straw", 0.19), ("straw", "soil_light", 0.09),
        ("grass", "crop_ripening", 0.20), ("soil_brown", "crop_row", 0.08),
        ("soil_light", "straw", 0.04), ("dry_grass", "straw", 0.08),
    )  # fmt: skip
    _crops(ground, fields, calendar, vigour)
    ground.put(fields.margin < 6.0, "grass", "soil_brown", 0.35)
    _towns(ground, y, x, seed + 20, 4200.0)

    wood = fractal(y, x, 3600.0, 5, seed + 30, 0.55)
    kind = fractal(y, x, 1500.0, 4, seed + 40)
    stand = np.clip(0.5 + 0.6 * fractal(y, x, 120.0, 2, seed + 50), 0, 1)
    forest = wood > 0.55
    ground.put(forest, "forest_mixed", "forest_broadleaf", 0.6 * stand)
    ground.put(forest & (kind < -0.25), "forest_conifer", "forest_mixed", 0.5 * stand)
    ground.put(forest & (kind > 0.5), "forest_broadleaf", "forest_mixed", 0.5 * stand)
    clearing = forest & (smooth(y, x, 420.0, seed + 60) > 1.9)
    ground.put(clearing, "grass", "litter", 0.35)
    hedge = ~forest & (fields.margin < 9.0) & (unit(fields.parcel, 5) < 0.18)
    ground.put(hedge, "forest_broadleaf", "grass", 0.35)

    ground.put((fields.road < 9.0) & ~forest, "asphalt", "grass", 0.45)
    water, bank = _river(y, x, seed + 80, 0.0075)
    ground.put(bank & ~forest, "grass", "forest_broadleaf", 0.3 * stand)
    ground.put(water, "water_turbid", "water_lake", 0.4)
    lake = smooth(y, x, 1300.0, seed + 90) + 0.15 * smooth(y, x, 240.0, seed + 91)
    ground.put(lake > 2.15, "water_lake", "water_clear", np.clip(2.0 * (lake - 2.2), 0, 1))
    _texture(ground, y, x, seed)
    return ground


def arid(y: Coordinates, x: Coordinates, seed: int) -> Ground:
    """Sand, gravel, rock and irrigated circles of a desert."""
    ground = _blank(y, x, "sand")
    form = fractal(y, x, 5200.0, 5, seed + 10)
    grain = np.clip(0.5 + 0.4 * fractal(y, x, 700.0, 4, seed + 20), 0, 1)
    ground.put(np.ones(form.shape, bool), "sand", "sand_bright", 0.8 * grain)
    ground.put(form > 0.35, "gravel", "sand", grain)
    ground.put(form > 0.95, "rock_light", "gravel", 0.7 * grain)
    ground.put(form > 1.35, "rock_dark", "rock_light", 0.5 * grain)
    dunes = form < 0.35
    phase = (0.7 * x[None, :] + 0.4 * y[:, None]) / 190.0
    crest = np.sin(2 * np.pi * (phase + 0.55 * fractal(y, x, 800.0, 3, seed + 30)))
    ground.brightness[dunes] *= (1.0 + 0.10 * crest.astype(np.float32))[dunes]
    shrubs = np.clip(0.25 * fractal(y, x, 1800.0, 4, seed + 40) - 0.05, 0, 0.5)
    open_gravel = (form > 0.2) & (form < 0.95) & (shrubs > 0.02)
    ground.put(open_gravel, "gravel", "shrubs_on_soil", np.clip(2 * shrubs, 0, 0.9))
    playa = fractal(y, x, 2600.0, 3, seed + 50) > 1.95
    ground.put(playa, "playa", "sand_bright", 0.4 * grain)
    wadi, bank = _river(y, x, seed + 60, 0.010)
    ground.put(bank, "gravel", "shrubs_on_soil", 0.5 * grain)
    ground.put(wadi, "sand_bright", "gravel", 0.3)
    grove = wadi & (fractal(y, x, 500.0, 3, seed + 70) > 0.9)
    ground.put(grove, "forest_mixed", "shrubs_on_soil", 0.3 * grain)

    circle = discs(y, x, 1000.0, 330.0, 440.0, seed + 80)
    farm = smooth(y, x, 6500.0, seed + 81)
    irrigated = (circle.distance < 1.0) & (farm > 0.45) & (unit(circle.number, 4) < 0.85)
    sector = np.floor((circle.bearing / np.float32(np.pi) + 1) * (1 + 2 * unit(circle.number, 5)))
    crop = unit(hashed(circle.number, sector.astype(np.int64), seed + 82))
    thin = np.clip(0.08 + 0.06 * fractal(y, x, 160.0, 2, seed + 83), 0, 0.6)
    ground.put(irrigated, "crop_dense", "soil_light", thin)
    ground.put(irrigated & (crop > 0.45), "crop_row", "soil_light", 2.0 * thin)
    ground.put(irrigated & (crop > 0.65), "straw", "soil_light", thin)
    ground.put(irrigated & (crop > 0.82), "soil_light", "straw", thin)
    _towns(ground, y, x, seed + 90, 7800.0, ("soil_light", "shrubs_on_soil", 0.6))
    lake = smooth(y, x, 1500.0, seed + 95) + 0.12 * smooth(y, x, 240.0, seed + 96)
    ground.put((lake > 2.4) & (farm > 0.0), "water_lake", "water_turbid", 0.3)
    _texture(ground, y, x, seed)
    return ground


def winter(y: Coordinates, x: Coordinates, seed: int) -> Ground:
    """Snow on fields and lakes, dark conifers, leafless woods, an open river and towns."""
    ground = _blank(y, x, "snow_fresh")
    fields = parcels(y, x, seed)
    drift = fractal(y, x, 420.0, 4, seed + 10)
    calendar = (
        ("snow_fresh", "snow_fine", 0.42), ("snow_fresh", "snow_old", 0.30),
        ("snow_fine", "litter", 0.16), ("snow_old", "soil_dark", 0.12),
    )  # fmt: skip
    _crops(ground, fields, calendar, drift)
    ground.brightness[:] = 0.97 + 0.03 * unit(fields.parcel, 3)
    ground.put(fields.margin < 6.0, "snow_old", "litter", 0.3)
    _towns(ground, y, x, seed + 20, 4200.0, ("snow_old", "litter", 0.45))

    wood = fractal(y, x, 3600.0, 5, seed + 30, 0.55)
    kind = fractal(y, x, 1500.0, 4, seed + 40)
    canopy_snow = np.clip(0.05 * fractal(y, x, 300.0, 3, seed + 50), 0, 0.4)
    forest = wood > 0.75
    ground.put(forest, "forest_conifer", "snow_old", canopy_snow)
    ground.put(forest & (kind > 0.5), "litter", "snow_old", 0.25 + canopy_snow)
    ground.put(forest & (smooth(y, x, 420.0, seed + 60) > 1.9), "snow_fresh")
    ground.put((fields.road < 9.0) & ~forest, "asphalt", "snow_old", 0.4)
    lake = smooth(y, x, 1300.0, seed + 90) + 0.15 * smooth(y, x, 240.0, seed + 91)
    ground.put(lake > 2.0, "snow_fine", "ice", np.clip(0.4 + 0.4 * drift, 0, 1))
    water, _ = _river(y, x, seed + 80, 0.0075)
    ground.put(water, "water_clear", "water_lake", 0.5)
    _texture(ground, y, x, seed)
    return ground


def coast(y: Coordinates, x: Coordinates, seed: int) -> Ground:
    """Summer's land in strips between arms of the sea, beaches, silt near the shore."""
    ground = summer(y, x, seed)
    phase = 2 * np.pi * (x[None, :] + 0.35 * y[:, None]) / 9000.0
    inland = 1400.0 * (np.sin(phase) + 0.35 * fractal(y, x, 2600.0, 4, seed + 201))
    plume = np.clip(1.0 + inland / 900.0 + 0.4 * fractal(y, x, 1100.0, 3, seed + 202), 0, 1)
    sea = inland < 0.0
    ground.brightness[inland < 110.0] = 1.0
    ground.put(sea & (plume > 0.45), "water_turbid", "water_silty", np.clip(plume - 0.45, 0, 1))
    ground.put(sea & (plume <= 0.45), "water_lake", "water_turbid", 2.2 * plume)
    ground.put(sea & (plume <= 0.0), "water_clear", "water_lake", 0.3)
    ground.put(~sea & (inland < 110.0), "sand_bright", "sand", 0.4)
    return ground


def montane(y: Coordinates, x: Coordinates, seed: int) -> Ground:
    """Forests, meadows and some rock."""
    ground = _blank(y, x, "grass")
    stand = np.clip(0.5 + 0.6 * fractal(y, x, 120.0, 2, seed + 50), 0, 1)
    ground.put(stand >= 0.0, "grass", "dry_grass", 0.5 * stand)
    forest = fractal(y, x, 1500.0, 5, seed + 30, 0.55) > -0.6
    kind = fractal(y, x, 900.0, 4, seed + 40)
    ground.put(forest, "forest_mixed", "forest_broadleaf", 0.6 * stand)
    ground.put(forest & (kind < 0.1), "forest_conifer", "forest_mixed", 0.5 * stand)
    rock = fractal(y, x, 700.0, 4, seed + 60) > 1.9
    ground.put(rock, "rock_light", "gravel", 0.5 * stand)
    _texture(ground, y, x, seed)
    return ground


def thawed(y: Coordinates, x: Coordinates, seed: int) -> Ground:
    """Winter without snow: bare and green fields, leafless woods, conifers, towns, water."""
    ground = _blank(y, x, "dry_grass")
    fields = parcels(y, x, seed)
    growth = fractal(y, x, 420.0, 4, seed + 10)
    calendar = (
        ("soil_brown", "litter", 0.28), ("soil_dark", "soil_brown", 0.17),
        ("dry_grass", "straw", 0.20), ("crop_row", "soil_brown", 0.20),
        ("grass", "dry_grass", 0.15),
    )  # fmt: skip
    _crops(ground, fields, calendar, growth)
    _towns(ground, y, x, seed + 20, 4200.0, ("dry_grass", "litter", 0.6))
    kind = fractal(y, x, 1500.0, 4, seed + 40)
    stand = np.clip(0.5 + 0.6 * fractal(y, x, 120.0, 2, seed + 50), 0, 1)
    forest = fractal(y, x, 3600.0, 5, seed + 30, 0.55) > 0.55
    ground.put(forest, "forest_conifer", "forest_mixed", 0.3 * stand)
    ground.put(forest & (kind > 0.5), "litter", "shrubs_on_soil", 0.5 * stand)
    ground.put((fields.road < 9.0) & ~forest, "asphalt", "dry_grass", 0.45)
    water, _ = _river(y, x, seed + 80, 0.0075)
    lake = smooth(y, x, 1300.0, seed + 90) + 0.15 * smooth(y, x, 240.0, seed + 91)
    ground.put(water | (lake > 2.1), "water_lake", "water_clear", 0.4)
    _texture(ground, y, x, seed)
    return ground


def burnt(y: Coordinates, x: Coordinates, seed: int) -> Ground:
    """Summer's land with the scars of fires and with large bright roofs."""
    ground = summer(y, x, seed)
    severity = fractal(y, x, 2200.0, 5, seed + 211)
    fraction = np.clip(0.45 - 0.25 * (severity - 0.7), 0.05, 0.6)
    ground.put(severity > 0.7, "char", "litter", fraction)
    site = discs(y, x, 1700.0, 180.0, 380.0, seed + 220)
    rows, cols = _pixels(y), _pixels(x)
    hall = hashed((rows // 14)[:, None], (cols // 11)[None, :], seed + 221)
    yard = ((rows % 14 < 4)[:, None] | (cols % 11 < 3)[None, :]) & (site.distance < 1.0)
    roofs = ("roof_membrane", "roof_metal", "roof_bright", "roof_dark")
    for number, roof in enumerate(roofs):
        ground.put((site.distance < 1.0) & (unit(hall) >= number / len(roofs)), roof)
    ground.put(yard, "asphalt", "concrete", 0.4)
    return ground


def erg(y: Coordinates, x: Coordinates, seed: int) -> Ground:
    """Dunes of light sand, salt flats, gravel, few shrubs."""
    ground = _blank(y, x, "sand_bright")
    form = fractal(y, x, 2400.0, 4, seed + 231)
    grain = np.clip(0.5 + 0.4 * fractal(y, x, 500.0, 4, seed + 232), 0, 1)
    ground.put(form < 0.6, "sand_bright", "dune", grain)
    ground.put(form >= 0.6, "gravel", "shrubs_on_soil", 0.6 * grain)
    ground.put(form < -0.9, "salt", "dune", 0.5 * grain)
    ground.put(form < -2.0, "water_silty", "water_turbid", 0.3)
    ground.put(form > 1.7, "rock_light", "rock_dark", 0.6 * grain)
    _texture(ground, y, x, seed)
    return ground


LANDSCAPES: Mapping[str, Callable[[Coordinates, Coordinates, int], Ground]] = {
    "summer": summer,
    "arid": arid,
    "winter": winter,
    "coast": coast,
    "montane": montane,
    "thawed": thawed,
    "burnt": burnt,
    "erg": erg,
}
