"""Selection of the aerosol model and season that fit a scene (AUTO).

Each candidate table is tried on the dark vegetation. The double ratio of path radiances::

    dp = (L_scene(blue) / L_scene(red)) / (L_table(blue) / L_table(red))

compares the spectral slope of the candidate's aerosol with that of the scene. The candidate whose
ratio is closest to 1 is selected (R. Richter and D. Schlaepfer, ATCOR user guide, DLR-IB 565-01).
The seasons differ only in their profiles, to which this ratio is hardly sensitive: if the ratios of
two seasons agree within a tolerance, date and latitude decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sen2cor.atmosphere.aerosol.dark_reference_pixels import BLUE, RED
from sen2cor.atmosphere.aerosol.path_radiance_scaling import path_radiance_ratio
from sen2cor.atmosphere.aerosol.reference_blocks import CLEAREST, HAZIEST, ReferenceBlocks
from sen2cor.atmosphere.aerosol.scene import AerosolScene
from sen2cor.atmosphere.look_up_tables.look_up_table import LookUpTable


@dataclass(frozen=True)
class Trial:
    """A candidate table and its double ratio over the dark vegetation of a scene.

    Attributes
    ----------
    table : LookUpTable
    double_ratio : float
    """

    table: LookUpTable
    double_ratio: float

    @property
    def misfit(self) -> float:
        """Distance of the double ratio from 1."""
        return abs(self.double_ratio - 1.0)


def compute_double_ratio(
    scene: AerosolScene, table: LookUpTable, blocks: ReferenceBlocks, blue_to_red: float
) -> float:
    """Compute the double ratio of a candidate.

    Parameters
    ----------
    scene : AerosolScene
    table : LookUpTable
        The candidate.
    blocks : ReferenceBlocks
        Of dark vegetation.
    blue_to_red : float
        Expected ratio of blue to red surface reflectance.

    Returns
    -------
    float
    """
    inverse = blocks.retrieve_inverse_visibility(scene, table)
    visibility = 1.0 / np.clip(inverse, CLEAREST, HAZIEST)
    aot = table.aot_from_visibility(visibility, blocks.points.elevation)
    red = blocks.expected_red(scene, table, aot)
    blue = np.float32(blue_to_red) * red
    return path_radiance_ratio(scene, table, BLUE, blue, blocks, aot) / path_radiance_ratio(
        scene, table, RED, red, blocks, aot
    )


def select_model(trials: Sequence[Trial], season: str, tolerance: float) -> Trial:
    """Select the candidate that fits best.

    Parameters
    ----------
    trials : sequence of Trial
        At least one.
    season : str
        ``SUMMER`` or ``WINTER`` by date and latitude.
    tolerance : float
        Difference of the double ratios up to which two seasons count as equal.

    Returns
    -------
    Trial
    """
    best = min(trials, key=lambda trial: trial.misfit)
    equal = [
        trial
        for trial in trials
        if trial.table.aerosol == best.table.aerosol
        and trial.table.season == season
        and trial.misfit - best.misfit <= tolerance
    ]
    return equal[0] if equal else best
