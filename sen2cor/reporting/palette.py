"""Colours of pictures: scene classes in two palettes, and a scale for continuous values."""

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
"""Colours (sRGB) of the classes 0..11 by the name of the palette.

The safe one is close to the standard in meaning (vegetation is green, water blue), and moved apart
by optimisation until all pairs differ to normal eyes as well as to those without the long, middle
or short wavelength cones.
"""

SEQUENTIAL = (
    "#00224e", "#1a386f", "#434e6c", "#61656f", "#7d7c78", "#9b9476", "#bcae6c", "#dec958",
    "#fee838",
)  # fmt: skip
"""Evenly spaced stops of a scale that grows lighter: cividis, Nunez et al. (2018), PLOS ONE
13(7), e0199239; it looks the same to colour-blind eyes."""


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of a colour such as ``#ff9600``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
