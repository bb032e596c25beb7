"""A tile of a Level-2A product: where its images go, and which exist."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sen2cor.errors import InputError
from sen2cor.files import raise_output_error
from sen2cor.imagery import images
from sen2cor.product import name_templates
from sen2cor.product.level2a.content import (
    ImageKey,
    QualityPercentages,
    TileContent,
    TileOutcome,
    TileRetrieval,
)
from sen2cor.product.level2a.shared_elements import (
    AOT_QUANTIFICATION,
    WATER_VAPOUR_QUANTIFICATION,
    read_retrieval,
)
from sen2cor.product.level2a.xml_editing import find_text
from sen2cor.product.psd import Psd
from sen2cor.raster.array_types import UInt16Array
from sen2cor.xml_document import Element

logger = logging.getLogger(__name__)

_IMAGE_FOLDERS = ("IMG_DATA", "QI_DATA", "AUX_DATA")


@dataclass(frozen=True)
class Level2ATile:
    """Description of a tile of a Level-2A product that is being written.

    Attributes
    ----------
    tile_id, datastrip_id : str
        Long Level-2A identifiers.
    folder : Path
        Tile folder inside the temporary product.
    psd : Psd
    fields : mapping of str to str
        Fields of its file names.
    """

    tile_id: str
    datastrip_id: str
    folder: Path
    psd: Psd
    fields: Mapping[str, str]

    def list_kinds(self, resolution: int, *, classification_only: bool = False) -> tuple[str, ...]:
        """Return the kinds of images of a complete resolution.

        Optional kinds (DEM, DDV, QUA, UNC, angles) and the preview (PVI) are not among them.
        """
        return self.psd.images(resolution, classification_only=classification_only)

    def image_path(self, kind: str, resolution: int | None = None) -> Path:
        """Return the path of an image, existing or not; make its folder.

        An existing image may be a hard link to the one of an older product: replace it by a new
        file, as `sen2cor.imagery.images.write` does; do not write into it.

        Parameters
        ----------
        kind : str
            A band, AOT WVP SCL CLD SNW TCI PVI DEM DDV, or beyond the specification QUA (quality
            mask), UNC_B01 .. UNC_B12 and UNC_AOT (uncertainties), SZA SAA VZA VAA and VZA_B01 ..
            VAA_B12 (angles).
        resolution : {60, 20, 10} or None
            Metres; None for the preview.

        Raises
        ------
        OutputError
            The folder cannot be made.
        """
        path = self._build_path(kind, resolution)
        folder = self.folder
        with raise_output_error(path):
            for part in path.parent.relative_to(folder).parts:
                # only below the tile folder, which is gone if the run was stopped
                folder /= part
                folder.mkdir(exist_ok=True)
        return path

    def has_images(self, resolution: int, *, classification_only: bool = False) -> bool:
        """Tell whether all images of a resolution exist."""
        kinds = self.list_kinds(resolution, classification_only=classification_only)
        return bool(kinds) and all(_is_filled(self._build_path(kind, resolution)) for kind in kinds)

    def list_images(self) -> dict[ImageKey, str]:
        """Return the paths of all existing images inside the tile folder."""
        found: dict[ImageKey, str] = {}
        for top in _IMAGE_FOLDERS:
            for path in sorted((self.folder / top).rglob("*.*")):
                relative = path.relative_to(self.folder).as_posix()
                for kind, template in self.psd.level2a.images.items():
                    parsed = template.match(relative)
                    if parsed is not None and self._has_ending(parsed) and _is_filled(path):
                        resolution = parsed.get("resolution")
                        key = (kind or parsed["kind"], int(resolution) if resolution else None)
                        found[key] = relative
                        break
        return found

    @property
    def gipp_path(self) -> Path:
        """Path of the copy of the processing parameters."""
        template = self.psd.level2a.gipp
        if template is None:
            raise ValueError(f"format {self.psd.version} holds no processing parameters")
        return self.folder / template.build(self.fields)

    def describe(self, outcome: TileOutcome, earlier_metadata: Element | None) -> TileContent:
        """Return the content of the metadata of the tile.

        Values missing in the outcome are taken from the images and the metadata of earlier runs.

        Parameters
        ----------
        outcome : TileOutcome
            Of this run; empty for a tile that it did not process.
        earlier_metadata : Element or None
            Root of the tile metadata of an earlier run.
        """
        existing = self.list_images()
        quality = outcome.quality or self._count_classes(existing) or QualityPercentages()
        retrieval = outcome.retrieval
        if retrieval is None and earlier_metadata is not None:
            retrieval = read_retrieval(earlier_metadata)
        if self.psd.boa_offset and retrieval in (None, TileRetrieval()):
            retrieval = TileRetrieval(
                mean_aot=self._compute_mean("AOT", AOT_QUANTIFICATION, existing),
                mean_water_vapour=self._compute_mean("WVP", WATER_VAPOUR_QUANTIFICATION, existing),
            )
        gipp = self.gipp_path
        return TileContent(
            tile_id=self.tile_id,
            datastrip_id=self.datastrip_id,
            folder=f"GRANULE/{self.folder.name}",
            images=existing,
            gipp=f"AUX_DATA/{gipp.name}" if gipp.is_file() else None,
            quality=quality,
            retrieval=retrieval or TileRetrieval(),
            ending=self.fields.get("ending", "jp2"),
        )

    def _has_ending(self, parsed: Mapping[str, str]) -> bool:
        """Tell whether an image has the ending of the product; another one was exported."""
        return parsed.get("ending") in (None, self.fields.get("ending", parsed.get("ending")))

    def _build_path(self, kind: str, resolution: int | None) -> Path:
        fields = dict(self.fields)
        if resolution is not None:
            fields["resolution"] = str(resolution)
        return self.folder / self.psd.level2a.image(kind, fields)

    def _count_classes(self, existing: Mapping[ImageKey, str]) -> QualityPercentages | None:
        for resolution in (20, 60):
            classes = self._read_image(existing.get(("SCL", resolution)))
            if classes is not None:
                return QualityPercentages.from_classes(classes, resolution)
        return None

    def _compute_mean(
        self, kind: str, scale: float, existing: Mapping[ImageKey, str]
    ) -> float | None:
        for resolution in (60, 20, 10):
            values = self._read_image(existing.get((kind, resolution)))
            if values is not None:
                known = values[values > 0]
                return float(known.mean(dtype=np.float64)) / scale if known.size else None
        return None

    def _read_image(self, image: str | None) -> UInt16Array | None:
        """Read an image for its statistics; a broken one is only logged."""
        if image is None:
            return None
        try:
            return np.asarray(images.read(self.folder / image), dtype=np.uint16)
        except InputError as error:
            logger.warning("tile %s: statistics left out of the metadata: %s", self.tile_id, error)
            return None


def read_tile(metadata: Element, folder: Path, psd: Psd, fields: Mapping[str, str]) -> Level2ATile:
    """Describe a tile of an existing product by its Level-2A metadata.

    Parameters
    ----------
    metadata : Element
        Root of its tile metadata.
    folder : Path
    psd : Psd
    fields : mapping of str to str
        Fields of file names that the identifiers do not hold.

    Raises
    ------
    InputError
        The metadata hold no tile identifier.
    """
    tile_id = find_text(metadata, f".//TILE_ID{psd.id_suffix}")
    datastrip_id = find_text(metadata, f".//DATASTRIP_ID{psd.id_suffix}")
    parsed = name_templates.TILE_ID.match(tile_id)
    if parsed is None:
        raise InputError(f"{folder}: the tile metadata hold no TILE_ID{psd.id_suffix}")
    return Level2ATile(tile_id, datastrip_id, folder, psd, {**fields, **parsed})


def _is_filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
