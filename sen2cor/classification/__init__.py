"""Scene classification: reflectance to classes and to probabilities of cloud and snow.

Pure: arrays and dataclasses only. `decision_tree` calls the tests of `land_cover`, `snow`, `clouds`
and `reclassification`, each a function that also works on its own; `classify_image` adds cloud
shadow and applies them to an image.

The modules are imported when one of their names is used: settings need the parameters only.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sen2cor.classification.classify_image import (
        CLASSIFICATION_BANDS,
        Classification,
        classify,
        classify_rows,
    )
    from sen2cor.classification.cloud_detectors import (
        DETECTOR_BANDS,
        CloudDetector,
        detect_clouds,
        find_cloud_detector,
    )
    from sen2cor.classification.decision_tree import SpectralClasses, classify_spectra, reclassify
    from sen2cor.classification.ground_masks import GroundMasks
    from sen2cor.classification.morphology import dilate_euclidean, median_filter
    from sen2cor.classification.parameters import (
        ClassificationConstants,
        ClassificationParameters,
        ClassificationRules,
        ClassificationThresholds,
    )
    from sen2cor.classification.quality_mask import QualityBit, compute_quality_mask
    from sen2cor.classification.scene import ClassificationScene, SunGeometry, TerrainIllumination
    from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
    from sen2cor.classification.validity import (
        find_defective,
        find_lost,
        find_no_data,
        find_outside_swath,
    )

__all__ = [
    "CLASSIFICATION_BANDS",
    "DETECTOR_BANDS",
    "NOT_CLASSIFIED",
    "Classification",
    "ClassificationConstants",
    "ClassificationParameters",
    "ClassificationRules",
    "ClassificationScene",
    "ClassificationThresholds",
    "CloudDetector",
    "GroundMasks",
    "QualityBit",
    "SceneClass",
    "SpectralClasses",
    "SunGeometry",
    "TerrainIllumination",
    "classify",
    "classify_rows",
    "classify_spectra",
    "compute_quality_mask",
    "detect_clouds",
    "dilate_euclidean",
    "find_cloud_detector",
    "find_defective",
    "find_lost",
    "find_no_data",
    "find_outside_swath",
    "median_filter",
    "reclassify",
]

_MODULES = {
    "classify_image": (
        "CLASSIFICATION_BANDS",
        "Classification",
        "classify",
        "classify_rows",
    ),
    "cloud_detectors": (
        "DETECTOR_BANDS",
        "CloudDetector",
        "detect_clouds",
        "find_cloud_detector",
    ),
    "decision_tree": (
        "SpectralClasses",
        "classify_spectra",
        "reclassify",
    ),
    "ground_masks": ("GroundMasks",),
    "morphology": (
        "dilate_euclidean",
        "median_filter",
    ),
    "parameters": (
        "ClassificationConstants",
        "ClassificationParameters",
        "ClassificationRules",
        "ClassificationThresholds",
    ),
    "quality_mask": (
        "QualityBit",
        "compute_quality_mask",
    ),
    "scene": (
        "ClassificationScene",
        "SunGeometry",
        "TerrainIllumination",
    ),
    "scene_class": (
        "NOT_CLASSIFIED",
        "SceneClass",
    ),
    "validity": (
        "find_defective",
        "find_lost",
        "find_no_data",
        "find_outside_swath",
    ),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"sen2cor.classification.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
