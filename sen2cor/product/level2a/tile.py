"""A tile of a Level-2A product: where its images go, and which are there."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sen2cor.errors import InputError
from sen2cor.imagery import images
from sen2cor.product import naming
from sen2cor.product.level2a.content import QualityPercentages, TileRetrieval
from sen2cor.product.level2a.document_editing import find_text
from sen2cor.product.level2a.product_document import ProductTile
from sen2cor.product.level2a.shared_elements import (
    AOT_QUANTIFICATION,
    WATER_VAPOUR_QUANTIFICATION,
    read_retrieval,
)
from sen2cor.product.level2a.tile_document import TileState
from sen2cor.product.level2a.workspace import writing
from sen2cor.product.psd import Psd
from sen2cor.raster.array_types import UInt16Array
from sen2cor.xml_document import Element

logger = logging.getLogger(__name__)

_IMAGE_FOLDERS = ("IMG_DATA", "QI_DATA", "AUX_DATA")


@dataclass
class Level2ATile:
    """One tile folder.

    Attributes
    ----------
    tile_id, datastrip_id : str
        Long identifiers of Level-2A.
    folder : Path
        The tile folder inside the growing product.
    psd : Psd
    fields : mapping of str to str
        What the names of its files are made of.
    quality : QualityPercentages or None
        Shares of the classes, set by who classified; None: taken from the SCL on disk.
    retrieval : TileRetrieval or None
        What was found out about the atmosphere; None: taken from what is on disk.
    """

    tile_id: str
    datastrip_id: str
    folder: Path
    psd: Psd
    fields: Mapping[str, str]
    quality: QualityPercentages | None = None
    retrieval: TileRetrieval | None = None

    def wanted(self, resolution: int, *, classification_only: bool = False) -> tuple[str, ...]:
        """Return the kinds of images that this resolution holds when it is complete.

        DEM and DDV may come in addition, and once in a tile the preview (PVI).
        """
        return self.psd.images(resolution, classification_only=classification_only)

    def image_path(self, kind: str, resolution: int | None = None) -> Path:
        """Return where an image stands or has to be written; its folder is made.

        An image that is there may be shared with an older product: it has to be replaced by a
        new file, as `sen2cor.imagery.images.write` does, and not to be written into.

        Parameters
        ----------
        kind : str
            A band, AOT WVP SCL CLD SNW TCI PVI DEM DDV, or beyond the specification QUA (quality
            mask) and UNC_B01 .. UNC_B12 (uncertainties).
        resolution : {60, 20, 10} or None
            Metres; None for the preview.

        Raises
        ------
        OutputError
            If the folder cannot be made.
        """
        path = self._path(kind, resolution)
        folder = self.folder
        with writing(path):
            for part in path.parent.relative_to(folder).parts:
                # not of the folders above, which are gone when the run was stopped
                folder /= part
                folder.mkdir(exist_ok=True)
        return path

    def has(self, resolution: int, *, classification_only: bool = False) -> bool:
        """Whether all images of a resolution are there."""
        wanted = self.wanted(resolution, classification_only=classification_only)
        return bool(wanted) and all(_is_filled(self._path(kind, resolution)) for kind in wanted)

    def images(self) -> dict[tuple[str, int | None], str]:
        """Return the paths inside the tile folder of all images that are there.

        The keys are kind and resolution in metres, None for the preview.
        """
        found: dict[tuple[str, int | None], str] = {}
        for top in _IMAGE_FOLDERS:
            for path in sorted((self.folder / top).rglob("*.*")):
                relative = path.relative_to(self.folder).as_posix()
                for kind, template in self.psd.level2a.images.items():
                    parsed = template.match(relative)
                    if parsed is not None and _is_filled(path):
                        resolution = parsed.get("resolution")
                        key = (kind or parsed["kind"], int(resolution) if resolution else None)
                        found[key] = relative
                        break
        return found

    @property
    def gipp_path(self) -> Path:
        """Where the copy of the processing parameters stands."""
        template = self.psd.level2a.gipp
        if template is None:
            raise ValueError(f"format {self.psd.version} holds no processing parameters")
        return self.folder / template.build(self.fields)

    def state(self) -> TileState:
        """Return what there is on disk."""
        return TileState(f"GRANULE/{self.folder.name}", self.images())

    def summary(self) -> ProductTile:
        """Return what the product metadata tell of this tile."""
        state = self.state()
        gipp = self.gipp_path
        return ProductTile(
            tile_id=self.tile_id,
            datastrip_id=self.datastrip_id,
            images={key: f"{state.folder}/{path}" for key, path in state.images.items()},
            gipp=f"{state.folder}/AUX_DATA/{gipp.name}" if gipp.is_file() else None,
            quality=self.quality or QualityPercentages(),
            retrieval=self.retrieval or TileRetrieval(),
        )

    def complete_from_disk(self, metadata: Element | None) -> None:
        """Fill in quality and retrieval from images and older metadata where they are not set."""
        images = self.images()
        if self.quality is None:
            self.quality = self._quality_on_disk(images)
        if self.retrieval is None and metadata is not None:
            self.retrieval = read_retrieval(metadata)
        if self.psd.boa_offset and self.retrieval in (None, TileRetrieval()):
            self.retrieval = TileRetrieval(
                mean_aot=self._mean_on_disk("AOT", AOT_QUANTIFICATION, images),
                mean_water_vapour=self._mean_on_disk("WVP", WATER_VAPOUR_QUANTIFICATION, images),
            )

    def _path(self, kind: str, resolution: int | None) -> Path:
        fields = dict(self.fields)
        if resolution is not None:
            fields["resolution"] = str(resolution)
        return self.folder / self.psd.level2a.image(kind, fields)

    def _quality_on_disk(
        self, images: Mapping[tuple[str, int | None], str]
    ) -> QualityPercentages | None:
        for resolution in (20, 60):
            classes = self._read(images.get(("SCL", resolution)))
            if classes is not None:
                return QualityPercentages.of(classes, resolution)
        return None

    def _mean_on_disk(
        self, kind: str, scale: float, images: Mapping[tuple[str, int | None], str]
    ) -> float | None:
        for resolution in (60, 20, 10):
            values = self._read(images.get((kind, resolution)))
            if values is not None:
                known = values[values > 0]
                return float(known.mean(dtype=np.float64)) / scale if known.size else None
        return None

    def _read(self, image: str | None) -> UInt16Array | None:
        """Read an image for its statistics, which are not worth failing for."""
        if image is None:
            return None
        try:
            return np.asarray(images.read(self.folder / image), dtype=np.uint16)
        except InputError as error:
            logger.warning("No statistics of tile %s: %s", self.tile_id, error)
            return None


def tile_from_metadata(
    metadata: Element, folder: Path, psd: Psd, fields: Mapping[str, str]
) -> Level2ATile:
    """Make a tile of an existing product from its Level-2A metadata.

    Parameters
    ----------
    metadata : Element
        Root of its tile metadata.
    folder : Path
    psd : Psd
    fields : mapping of str to str
        Fields of names that the identifiers do not hold.
    """
    tile_id = find_text(metadata, f".//TILE_ID{psd.id_suffix}")
    datastrip_id = find_text(metadata, f".//DATASTRIP_ID{psd.id_suffix}")
    own = naming.TILE_ID.match(tile_id)
    if own is None:
        raise InputError(f"{folder}: its metadata hold no tile identifier")
    return Level2ATile(tile_id, datastrip_id, folder, psd, {**fields, **own})


def _is_filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
