"""Record of the retrieval of a tile's atmosphere, for the log, the metadata and ``run.json``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sen2cor.atmosphere.aerosol.retrieval import AerosolRetrieval
from sen2cor.atmosphere.aerosol_and_water_vapour import PASSES
from sen2cor.atmosphere.atmospheric_terms import AtmosphereState
from sen2cor.raster.array_types import BoolArray

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetrievalRecord:
    """What was retrieved, and with which inputs.

    Attributes
    ----------
    aerosol : AerosolRetrieval
    state : AtmosphereState
    season : str
        By date and latitude.
    candidates : tuple of str
        Names of the candidate look-up tables.
    ozone_source : str
        Origin of the ozone column, as in the metadata.
    water_vapour_retrieved : bool
    """

    aerosol: AerosolRetrieval
    state: AtmosphereState
    season: str
    candidates: tuple[str, ...]
    ozone_source: str
    water_vapour_retrieved: bool

    @property
    def reference_mask(self) -> BoolArray | None:
        """Mask of the pixels that showed the aerosol on the coarse grid, None without any."""
        if self.aerosol.observed is not None:
            return self.aerosol.observed
        reference = self.aerosol.reference
        return None if reference is None else reference.mask

    @property
    def aot_method(self) -> str:
        """Method as in the metadata."""
        if self.aerosol.observed is not None and self.aerosol.observed.any():
            return "OPTIMAL_ESTIMATION"
        if self.aerosol.reference is not None:
            return "SEN2COR_DDV"
        return "CAMS" if self.aerosol.forecast else "DEFAULT"

    @property
    def double_ratios(self) -> Mapping[str, float]:
        """Double ratio of each candidate that was tried, by the name of its table."""
        return {trial.table.name: trial.double_ratio for trial in self.aerosol.trials}

    @property
    def mean_aot(self) -> float:
        """Mean aerosol optical thickness at 550 nm."""
        return float(self.state.aot550.mean())

    @property
    def mean_aot_sigma(self) -> float | None:
        """Mean standard uncertainty of the optical thickness; None if it is not known."""
        sigma = self.aerosol.sigma
        return None if sigma is None else float(sigma.mean())

    @property
    def water_vapour(self) -> tuple[float, float, float]:
        """Mean, minimum and maximum column in cm."""
        column = self.state.water_vapour
        return float(column.mean()), float(column.min()), float(column.max())

    def details(self) -> dict[str, Any]:
        """Names and plain values for ``run.json``."""
        aerosol, reference = self.aerosol, self.aerosol.reference
        by_threshold = reference is not None and reference.threshold is not None
        return {
            "source": aerosol.source,
            "forecast": aerosol.forecast,
            "reference_pixels": 0 if reference is None else int(reference.mask.sum()),
            "reference_share": 0.0 if reference is None else reference.area,
            "swir_band": reference.predictor if reference and by_threshold else None,
            "swir_threshold": None if reference is None else reference.threshold,
            "passes": PASSES,
            "first_visibility": aerosol.first_visibility,
            "visibility": aerosol.visibility,
            "mean_aot": self.mean_aot,
            "mean_aot_sigma": self.mean_aot_sigma,
            "information": aerosol.information,
            "evidence": dict(aerosol.evidence),
            "raw_path_factor": aerosol.path_ratio,
            "path_factor": aerosol.path_factor,
            "path_reason": aerosol.path_reason,
            "stays_negative": aerosol.stays_negative,
            "table": aerosol.table.name,
            "candidates": self.candidates,
            "double_ratios": dict(self.double_ratios),
            "season": self.season,
            "ozone": self.state.ozone,
            "ozone_source": self.ozone_source,
            "water_retrieved": self.water_vapour_retrieved,
            "water_vapour": self.water_vapour,
        }

    def log(self) -> None:
        """Log the results at INFO, and assumptions at WARNING."""
        aerosol = self.aerosol
        if aerosol.sigma is None:
            self._log_reference_pixels()
            self._log_table()
            logger.info(
                "AOT at 550 nm %.3f, visibility %.1f km (before the test for negative reflectance "
                "%.1f km), %d passes.",
                self.mean_aot, aerosol.visibility, aerosol.first_visibility, PASSES,
            )  # fmt: skip
        else:
            self._log_optimal_estimation()
        if aerosol.stays_negative:
            logger.warning(
                "Dark pixels have negative reflectance at any visibility; visibility not changed."
            )
        if aerosol.path_ratio is not None:
            logger.info(
                "Blue path radiance: %.3f of that of the table, %s.",
                aerosol.path_ratio, aerosol.path_reason,
            )  # fmt: skip
        elif aerosol.reference is not None:
            logger.info("Blue path radiance not rescaled: too few reference pixels.")
        logger.info(
            "Water vapour%s %.2f cm (%.2f to %.2f); ozone %.0f DU.",
            "" if self.water_vapour_retrieved else " (not retrieved)",
            *self.water_vapour, self.state.ozone,
        )  # fmt: skip

    def _log_optimal_estimation(self) -> None:
        aerosol = self.aerosol
        for name, evidence in aerosol.evidence if len(aerosol.evidence) > 1 else ():
            logger.info("Logarithm of the evidence of %s: %.2f.", name, evidence)
        if self.aot_method != "OPTIMAL_ESTIMATION":
            logger.warning("No pixel shows the aerosol; its AOT is that of the %s.", aerosol.source)
        logger.info("Look-up table %s.", aerosol.table.name)
        logger.info(
            "AOT at 550 nm %.3f with a standard uncertainty of %.3f, visibility %.0f km; %s, which "
            "reduces the uncertainty of the prior by %.0f %%.",
            self.mean_aot, self.mean_aot_sigma, aerosol.visibility, aerosol.source,
            100.0 * (aerosol.information or 0.0),
        )  # fmt: skip

    def _log_reference_pixels(self) -> None:
        aerosol, reference = self.aerosol, self.aerosol.reference
        if reference is None:
            logger.warning(
                "No reference pixels; using visibility %.1f km from %s.",
                aerosol.visibility, aerosol.source,
            )  # fmt: skip
            return
        criterion = ""
        if reference.threshold is not None:
            criterion = f", {reference.predictor} below {reference.threshold:.2f}"
        logger.info(
            "Reference pixels: %d of %s (%.2f %% of the scene%s).",
            int(reference.mask.sum()), aerosol.source, reference.area, criterion,
        )  # fmt: skip

    def _log_table(self) -> None:
        for name, ratio in self.double_ratios.items():
            logger.info("Double ratio of %s: %.3f.", name, ratio)
        table = self.aerosol.table.name
        if len(self.candidates) > 1 and not self.double_ratios:
            logger.warning(
                "AUTO cannot select a look-up table without dark vegetation; using %s "
                "(season by date and latitude: %s).",
                table, self.season,
            )  # fmt: skip
        else:
            logger.info("Look-up table %s.", table)
