"""Scene classification: reflectance in, classes and probabilities of cloud and snow out.

Pure: arrays and dataclasses only. Each step of the algorithm stands in the file of its name and can
be called alone; `chain` says in which order they
come, and `blocks` applies it to an image.
"""

from sen2cor.classification.blocks import (
    CLASSIFICATION_BANDS,
    Classification,
    classify,
    classify_rows,
)
from sen2cor.classification.chain import SpectralClasses, finished_classes, spectral_classes
from sen2cor.classification.defective import find_defective
from sen2cor.classification.geometry import SunGeometry, TerrainIllumination
from sen2cor.classification.ground_masks import GroundMasks
from sen2cor.classification.median_filter import median_filter
from sen2cor.classification.no_data import find_no_data
from sen2cor.classification.quality_mask import QualityBit, compute_quality_mask
from sen2cor.classification.rules import ClassificationRules
from sen2cor.classification.scene_class import NOT_CLASSIFIED, SceneClass
from sen2cor.classification.thresholds import ClassificationConstants, ClassificationThresholds

__all__ = [
    "CLASSIFICATION_BANDS",
    "NOT_CLASSIFIED",
    "Classification",
    "ClassificationConstants",
    "ClassificationRules",
    "ClassificationThresholds",
    "GroundMasks",
    "QualityBit",
    "SceneClass",
    "SpectralClasses",
    "SunGeometry",
    "TerrainIllumination",
    "classify",
    "classify_rows",
    "compute_quality_mask",
    "find_defective",
    "find_no_data",
    "finished_classes",
    "median_filter",
    "spectral_classes",
]
