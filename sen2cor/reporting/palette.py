"""Colours of pictures: two palettes of the scene classes, and a scale for continuous values."""

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
"""Name and colour (sRGB) of the classes 0..11, as the user guides of the mission show them."""

SCENE_CLASS_NAMES = tuple(name for name, _ in SCENE_CLASS_COLOURS)

PALETTES = {
    "standard": tuple(colour for _, colour in SCENE_CLASS_COLOURS),
    "colour-blind-safe": (
        "#000000", "#b84507", "#444444", "#6d0c00", "#1bba67", "#f9e22e",
        "#1f21c6", "#767676", "#b0b0b0", "#ffffff", "#b8d1fe", "#aa79c9",
    ),
}  # fmt: skip
"""Colours (sRGB) of the classes 0..11 by palette.

The colour-blind-safe palette keeps the meaning of the standard one (vegetation green, water blue).
Optimisation separated its colours until all pairs differ for normal vision and for protanopia,
deuteranopia and tritanopia.
"""

SEQUENTIAL = (
    "#00224e", "#1a386f", "#434e6c", "#61656f", "#7d7c78", "#9b9476", "#bcae6c", "#dec958",
    "#fee838",
)  # fmt: skip
"""Evenly spaced stops of the scale cividis, which is safe for colour-blind readers.

Source: Nunez et al. (2018), PLOS ONE 13(7), e0199239.
"""


def parse_colour(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue of a colour such as ``#ff9600``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
