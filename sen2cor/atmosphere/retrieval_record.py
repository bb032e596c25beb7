"""What the retrieval of a tile's atmosphere found, and how: for the log and the metadata."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sen2cor.atmosphere.aerosol.model_selection import described
from sen2cor.atmosphere.aerosol.retrieval import AerosolRetrieval
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable
from sen2cor.raster.array_types import BoolArray

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetrievalRecord:
    """Account of one retrieval.

    Attributes
    ----------
    source : str
        What the aerosol comes from: kind of the reference pixels, or what stood in for them.
    forecast : bool
        Whether a forecast stood in for them.
    reference : ndarray of bool, shape (rows, cols) of the coarse grid, or None
        Mask of the reference pixels.
    reference_pixels : int
    reference_share : float
        Of the valid pixels, %.
    swir_band, swir_threshold : str, float; or None
        With which dark vegetation was found.
    passes : int
        How often aerosol and water vapour were retrieved in turn.
    first_visibility, visibility : float
        Mean in km as found, and after negative pixels.
    mean_aot : float
        At 550 nm.
    raw_path_factor : float or None
        Blue path radiance of the scene over that of the table.
    path_factor, path_reason : float, str
        By which it was multiplied, and why.
    stays_negative : bool
        Whether dark pixels are negative at any visibility.
    table : str
        Name of the one that was used.
    candidates : tuple of str
        Names of those that could have been.
    double_ratios : mapping of str to float
        Of the trials of AUTO, by table.
    season : str
        By date and latitude.
    ozone, ozone_source : float, str
        Dobson units; and where it comes from, in the words of the metadata.
    water_retrieved : bool
    water_vapour : (float, float, float)
        Mean, least and greatest column in cm.
    """

    source: str
    forecast: bool
    reference: BoolArray | None
    reference_pixels: int
    reference_share: float
    swir_band: str | None
    swir_threshold: float | None
    passes: int
    first_visibility: float
    visibility: float
    mean_aot: float
    raw_path_factor: float | None
    path_factor: float
    path_reason: str
    stays_negative: bool
    table: str
    candidates: tuple[str, ...]
    double_ratios: Mapping[str, float]
    season: str
    ozone: float
    ozone_source: str
    water_retrieved: bool
    water_vapour: tuple[float, float, float]

    @classmethod
    def of(
        cls,
        aerosol: AerosolRetrieval,
        state: AtmosphereState,
        *,
        passes: int,
        season: str,
        tables: Sequence[LookUpTable],
        water_retrieved: bool,
        ozone_source: str,
    ) -> RetrievalRecord:
        """Sum up a retrieval."""
        found, water_vapour = aerosol.reference, state.water_vapour
        return cls(
            source=aerosol.source,
            forecast=aerosol.forecast,
            reference=None if found is None else found.mask,
            reference_pixels=0 if found is None else int(found.mask.sum()),
            reference_share=0.0 if found is None else found.share,
            swir_band=None if found is None or found.threshold is None else found.predictor,
            swir_threshold=None if found is None else found.threshold,
            passes=passes,
            first_visibility=aerosol.first_visibility,
            visibility=aerosol.visibility,
            mean_aot=float(state.aot550.mean()),
            raw_path_factor=aerosol.raw_path_factor,
            path_factor=aerosol.path_factor,
            path_reason=aerosol.path_reason,
            stays_negative=aerosol.stays_negative,
            table=aerosol.table.name,
            candidates=tuple(table.name for table in tables),
            double_ratios=described(aerosol.trials),
            season=season,
            ozone=state.ozone,
            ozone_source=ozone_source,
            water_retrieved=water_retrieved,
            water_vapour=(
                float(water_vapour.mean()),
                float(water_vapour.min()),
                float(water_vapour.max()),
            ),
        )

    @property
    def aot_method(self) -> str:
        """Method in the words of the metadata."""
        if self.reference is not None:
            return "SEN2COR_DDV"
        return "CAMS" if self.forecast else "DEFAULT"

    def account(self) -> dict[str, Any]:
        """Names and plain values, without the mask."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        del found["reference"]
        return {**found, "double_ratios": dict(self.double_ratios)}

    def log(self) -> None:
        """Say it at INFO; what had to be assumed at WARNING."""
        if self.reference is None:
            logger.warning(
                "no reference pixels: visibility %.1f km from %s", self.visibility, self.source
            )
        else:
            darkness = (
                "" if self.swir_threshold is None
                else f", {self.swir_band} below {self.swir_threshold:.2f}"
            )  # fmt: skip
            logger.info(
                "reference pixels: %d of %s (%.2f %% of the scene%s)",
                self.reference_pixels, self.source, self.reference_share, darkness,
            )  # fmt: skip
        self._log_choice()
        logger.info(
            "AOT at 550 nm %.3f, visibility %.1f km (found %.1f km, %d passes)",
            self.mean_aot, self.visibility, self.first_visibility, self.passes,
        )  # fmt: skip
        if self.stays_negative:
            logger.warning("dark pixels stay negative at any visibility: it was left as found")
        if self.raw_path_factor is not None:
            logger.info(
                "blue path radiance: %.3f of that of the table, %s",
                self.raw_path_factor, self.path_reason,
            )  # fmt: skip
        elif self.reference is not None:
            logger.info("too few reference pixels to rescale the blue path radiance")
        logger.info(
            "water vapour%s %.2f cm (%.2f to %.2f); ozone %.0f DU",
            "" if self.water_retrieved else " not retrieved:", *self.water_vapour, self.ozone,
        )  # fmt: skip

    def _log_choice(self) -> None:
        for name, ratio in self.double_ratios.items():
            logger.info("trial of %s: aerosol double ratio %.3f", name, ratio)
        if len(self.candidates) > 1 and not self.double_ratios:
            logger.warning(
                "AUTO without dark vegetation: look-up table %s; by date and latitude it is %s",
                self.table, self.season,
            )  # fmt: skip
        else:
            logger.info("look-up table %s", self.table)
