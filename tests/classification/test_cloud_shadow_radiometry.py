from __future__ import annotations

import numpy as np

from sen2cor.classification import ClassificationParameters
from sen2cor.classification.cloud_shadow_radiometry import SHADOW_REFERENCE, spectral_shadow_match


def test_spectra_near_or_below_the_reference_match_a_shadow() -> None:
    levels = np.array(list(SHADOW_REFERENCE.values()), np.float32)
    for offset, expected in ((0.015, True), (0.03, False), (-0.02, True)):
        image = {
            band: np.full((3, 3), level + offset, np.float32)
            for band, level in zip(SHADOW_REFERENCE, levels, strict=True)
        }
        found = spectral_shadow_match(image, np.zeros((3, 3), bool), ClassificationParameters())
        assert found.all() == found.any() == expected
    image["B11"] /= 10
    found = spectral_shadow_match(image, np.zeros((3, 3), bool), ClassificationParameters())
    assert not found.any()
