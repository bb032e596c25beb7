"""Colours and names of the scene classes, as the user guides of the mission show them."""

from __future__ import annotations

SCENE_CLASS_COLOURS = (
    ("no data", "#000000"),
    ("saturated or defective", "#ff0000"),
    ("dark features", "#404040"),
    ("cloud shadow", "#833c0c"),
    ("vegetation", "#00a000"),
    ("not vegetated", "#ffe65a"),
    ("water", "#0000ff"),
    ("unclassified", "#808080"),
    ("cloud, medium probability", "#c0c0c0"),
    ("cloud, high probability", "#ffffff"),
    ("thin cirrus", "#64c8ff"),
    ("snow or ice", "#ff96ff"),
)
"""Name and colour (sRGB) of the classes 0..11."""
