"""A Level-1C tile: identifiers, grids, angles, and access to its images, masks and weather."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sen2cor.bands import BAND, BAND_NAMES
from sen2cor.imagery import jpeg2000
from sen2cor.product.checksums import Checksums
from sen2cor.product.level1c.angles import detector_parallax
from sen2cor.product.level1c.auxiliary_data import EcmwfData, read_cams_aot, read_ecmwf
from sen2cor.product.level1c.masks import TILE_BAND, read_detectors, read_mask
from sen2cor.raster.array_types import BoolArray, UInt8Array, UInt16Array
from sen2cor.raster.grids import Grid, TileGeometry
from sen2cor.raster.parallax import Parallax
from sen2cor.raster.windows import Window


@dataclass(frozen=True)
class Level1CTile:
    """A tile with all of its bands.

    Attributes
    ----------
    tile_id, datastrip_id : str
        Long identifiers.
    folder, metadata_path : Path
        ``GRANULE/<tile>`` and the tile metadata in it.
    mgrs : str
        Tile of the grid, for example ``56JKT``.
    sensing_time : datetime
        UTC.
    grids : mapping of resolution in metres to Grid
        Size of the images, corner and projection of the metadata.
    geometry : TileGeometry
    bands : mapping of band name to Path
        Images of all 13 bands.
    ecmwf : Path or None
        ECMWF auxiliary data.
    cams : Path or None
        CAMS auxiliary data.
    checksums : Checksums
        Of the files of the product; `read_band` checks the images by them.
    window : Window or None
        Part of the tile that this is, see `crop`; None: all of it.
    whole_grid : Grid or None
        Grid of 10 m of the whole tile if this is a part of it.
    """

    tile_id: str
    datastrip_id: str
    folder: Path
    metadata_path: Path
    mgrs: str
    sensing_time: datetime
    grids: Mapping[int, Grid]
    geometry: TileGeometry
    bands: Mapping[str, Path]
    ecmwf: Path | None
    cams: Path | None = None
    checksums: Checksums = field(default_factory=Checksums)
    window: Window | None = None
    whole_grid: Grid | None = None

    def crop(self, window: Window) -> Level1CTile:
        """Return a part of the tile: grids, angles and images follow. Means stay those of all."""
        return replace(
            self,
            grids={resolution: window.crop(grid) for resolution, grid in self.grids.items()},
            geometry=window.crop_geometry(self.geometry),
            window=window,
            whole_grid=self.grids[10],
        )

    def read_band(self, name: str, *, reduce: int = 0) -> UInt16Array:
        """Decode the image of a band.

        Parameters
        ----------
        name : str
        reduce : int
            Resolution levels to skip: 1 gives half the size, which is decoded quickly.

        Returns
        -------
        ndarray of uint16, shape (rows, cols)

        Raises
        ------
        InputError
            The image is damaged.
        """
        path = self.bands[name]
        self.checksums.verify(path, f"image of band {name}")
        if self.window is None:
            return jpeg2000.read(path, reduce=reduce)
        rows, cols = self.window.slices(BAND[name].resolution)
        return jpeg2000.read(path, rows, reduce, cols)

    def read_ecmwf(self) -> EcmwfData | None:
        """Read the ECMWF data at the centre; None where the product has none that can be used."""
        grid = self.whole_grid or self.grids[10]
        return None if self.ecmwf is None else read_ecmwf(self.ecmwf, grid)

    def read_cams_aot(self) -> float | None:
        """Read the CAMS aerosol optical depth at 550 nm at the centre; None as for `read_ecmwf`."""
        grid = self.whole_grid or self.grids[10]
        return None if self.cams is None else read_cams_aot(self.cams, grid)

    def read_detectors(self, band: str, grid: Grid) -> UInt8Array | None:
        """Read which detector sees each pixel of a grid, as of `masks.read_detectors`."""
        return read_detectors(self.folder / "QI_DATA", band, grid)

    def read_parallax(self, band: str, reference: str, grid: Grid) -> Parallax | None:
        """Read the parallax of a band; None where the product has no detector footprints."""
        detectors = self.read_detectors(band, grid)
        per_height = detector_parallax(self.geometry, band, reference)
        if detectors is None or not per_height:
            return None
        return Parallax(detectors, per_height, grid.pixel_size)

    def mask(self, kind: str, band: str | None, grid: Grid) -> BoolArray | None:
        """Return a quality mask on a grid.

        Parameters
        ----------
        kind : {"NODATA", "LOST", "DEGRADED", "SATURA", "DEFECT", "CLOUDS"}
            Or several with ``+`` between: their union.
        band : str or None
            None: of the tile for clouds, of any band for the others.
        grid : Grid
            In the tile's projection.

        Returns
        -------
        ndarray of bool, shape ``grid.shape``, or None
            None where the product carries no such mask.
        """
        names: Iterable[str] = BAND_NAMES if band is None else (band,)
        if kind == "CLOUDS":
            names = (TILE_BAND,)
        merged: BoolArray | None = None
        for name in names:
            mask = read_mask(self.folder / "QI_DATA", kind, name, grid)
            if mask is not None:
                merged = mask if merged is None else merged | mask
        return merged
