"""Description of a Level-1C product: names, tiles, footprints, angles, masks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from sen2cor.bands import BAND_NAMES
from sen2cor.product.name_templates import DATASTRIP_ID, TILE_ID, fields, timestamp
from sen2cor.product.psd import Psd
from sen2cor.raster.array_types import Float64Array
from sen2cor.raster.coordinates import geographic
from sen2cor.raster.grids import Grid
from sen2cor.simulation.overpass_geometry import DETECTORS, Overpass

BASELINES = {"13.1": "02.04", "14.2": "02.05", "14.5": "02.07", "15": "05.09"}
"""Processing baseline by product format."""


@dataclass
class EcmwfValues:
    """ECMWF auxiliary data of a product.

    Attributes
    ----------
    water_vapour : float
        cm.
    pressure : float
        hPa at sea level.
    ozone : float
        Dobson units.
    """

    water_vapour: float
    pressure: float
    ozone: float


@dataclass
class TileDescription:
    """One tile.

    Attributes
    ----------
    mgrs : str
    overpass : Overpass
        Its grid is that of the 10 m images.
    cloudy_percentage, snow_percentage : float
    cloud_polygons : list of ndarray, shape (corners, 2)
        Cloud outlines in map coordinates.
    """

    mgrs: str
    overpass: Overpass
    cloudy_percentage: float = 0.0
    snow_percentage: float = 0.0
    cloud_polygons: list[Float64Array] = field(default_factory=list)

    def grid(self, resolution: int) -> Grid:
        """Grid of the images of a resolution."""
        fine = self.overpass.grid
        factor = resolution // 10
        return Grid(
            fine.epsg, fine.ulx, fine.uly, float(resolution),
            fine.rows // factor, fine.cols // factor,
        )  # fmt: skip

    def footprint(self) -> list[tuple[float, float]]:
        """Latitude and longitude of the corners, closed, clockwise from the upper left."""
        grid = self.overpass.grid
        height, width = grid.rows * 10.0, grid.cols * 10.0
        east = np.array([0.0, width, width, 0.0, 0.0])
        south = np.array([0.0, 0.0, height, height, 0.0])
        longitude, latitude = geographic(grid.epsg, grid.ulx + east, grid.uly - south)
        return [(float(a), float(b)) for a, b in zip(latitude, longitude, strict=True)]

    def detectors(self) -> list[int]:
        """Detectors that see a part of the tile's angle grid."""
        x, y = self.overpass.nodes()
        seen = np.unique(self.overpass.detector(x[None, :], y[:, None]))
        return [number for number in DETECTORS if number in seen]

    def mean_view(self, band: str) -> tuple[float, float]:
        """Mean zenith and azimuth (degrees) of the view over the image."""
        x, y = self._centres()
        zenith, azimuth = self.overpass.view(band, self.overpass.detector(x, y), x, y)
        return float(zenith.mean()), _mean_direction(azimuth)

    def mean_sun(self) -> tuple[float, float]:
        """Mean zenith and azimuth (degrees) of the sun over the image."""
        zenith, azimuth = self.overpass.sun(*self._centres())
        return float(zenith.mean()), _mean_direction(azimuth)

    def _centres(self) -> tuple[Float64Array, Float64Array]:
        grid = self.overpass.grid
        offsets = (np.arange(20) + 0.5) / 20.0 * 10.0
        x, y = np.meshgrid(grid.ulx + offsets * grid.cols, grid.uly - offsets * grid.rows)
        return x, y


def _mean_direction(azimuth: Float64Array) -> float:
    angle = np.radians(azimuth)
    return float(np.degrees(np.arctan2(np.sin(angle).mean(), np.cos(angle).mean())) % 360.0)


@dataclass
class ProductDescription:
    """One product.

    Attributes
    ----------
    psd : Psd
    spacecraft : str
    sensing_time : datetime
    relative_orbit, absolute_orbit : int
    tiles : list of TileDescription
    ecmwf : EcmwfValues or None
        None: the product has no AUX_ECMWFT.
    title : str
        Free text in the metadata.
    """

    psd: Psd
    spacecraft: str
    sensing_time: datetime
    relative_orbit: int
    absolute_orbit: int
    tiles: list[TileDescription]
    ecmwf: EcmwfValues | None = None
    title: str = "simulated scene"

    @property
    def baseline(self) -> str:
        """Processing baseline, as ``02.05``."""
        return BASELINES[self.psd.version]

    @property
    def offset(self) -> int:
        """RADIO_ADD_OFFSET of all bands."""
        return -1000 if self.psd.version == "15" else 0

    @property
    def raster_masks(self) -> bool:
        """Whether masks are images; else GML."""
        return self.psd.version == "15"

    @property
    def datastrip_time(self) -> datetime:
        """Sensing start of the datastrip."""
        return self.sensing_time - timedelta(seconds=1)

    @property
    def created(self) -> datetime:
        """Creation time in names: some hours after the overpass.

        Independent of the clock, so that a scene always has the same name.
        """
        return self.sensing_time + timedelta(hours=4)

    @property
    def datatake_id(self) -> str:
        """Identifier of the datatake."""
        return (
            f"G{self.spacecraft}_{timestamp(self.sensing_time)}_{self.absolute_orbit:06d}"
            f"_N{self.baseline}"
        )

    def fields(self, tile: TileDescription | None = None) -> dict[str, str]:
        """Fields of names (`sen2cor.product.name_templates`)."""
        chosen = tile or self.tiles[0]
        return fields(
            datatake_start=self.sensing_time,
            relative_orbit=self.relative_orbit,
            discriminator=self.created,
            spacecraft=self.spacecraft,
            file_class="OPER",
            level="1C",
            unit="TL",
            centre="SGS_",
            created=timestamp(self.created),
            start=timestamp(self.sensing_time),
            stop=timestamp(self.sensing_time),
            absolute_orbit=f"{self.absolute_orbit:06d}",
            mgrs=chosen.mgrs,
            baseline=self.baseline,
            baseline_digits=self.baseline.replace(".", ""),
            datastrip_centre="SGS_",
            datastrip_created=timestamp(self.created),
            datastrip_start=timestamp(self.datastrip_time),
        )

    def tile_id(self, tile: TileDescription) -> str:
        """Identifier of a tile."""
        return TILE_ID.build(self.fields(tile))

    def datastrip_id(self) -> str:
        """Identifier of the datastrip."""
        return DATASTRIP_ID.build(self.fields())

    def name(self) -> str:
        """Folder name of the product."""
        return self.psd.level1c.product.build(self.fields())

    def tile_folder(self, tile: TileDescription) -> Path:
        """Folder of a tile, relative to the product."""
        return Path("GRANULE") / self.psd.level1c.tile_folder.build(self.fields(tile))

    def datastrip_folder(self) -> Path:
        """Folder of the datastrip, relative to the product."""
        return Path("DATASTRIP") / self.psd.level1c.datastrip_folder.build(self.fields())

    def image(self, tile: TileDescription, kind: str) -> Path:
        """Path of an image (a band, TCI or PVI) relative to the product."""
        return self.tile_folder(tile) / self.psd.level1c.image(kind, self.fields(tile))

    def image_kinds(self) -> tuple[str, ...]:
        """Kinds of images in IMG_DATA."""
        return (*BAND_NAMES, "TCI") if self.psd.compact else BAND_NAMES

    def mask(self, tile: TileDescription, kind: str, band: str | None) -> Path:
        """Path of a mask relative to the product; kind as ``NODATA``; band None: all bands."""
        suffix = band or "B00"
        folder = self.tile_folder(tile) / "QI_DATA"
        if self.psd.compact:
            return folder / f"MSK_{kind}_{suffix}.{'jp2' if self.raster_masks else 'gml'}"
        return folder / (self.mask_id(tile, kind, band) + ".gml")

    def mask_id(self, tile: TileDescription, kind: str, band: str | None) -> str:
        """Long identifier of a mask."""
        values = self.fields(tile)
        return (
            f"{self.spacecraft}_OPER_MSK_{kind}_SGS__{values['created']}"
            f"_A{values['absolute_orbit']}_T{tile.mgrs}_{band or 'B00'}_MSIL1C"
        )

    def masks(self) -> list[tuple[str, str | None]]:
        """Kinds and bands of all masks of a tile."""
        if self.raster_masks:
            kinds: tuple[str, ...] = ("DETFOO", "QUALIT")
            last = "CLASSI"
        else:
            kinds = ("DEFECT", "DETFOO", "NODATA", "SATURA", "TECQUA")
            last = "CLOUDS"
        return [*((kind, band) for band in BAND_NAMES for kind in kinds), (last, None)]
