"""judge: what signed quantities are called: the thing that is drawn wrongly, and which way."""

from __future__ import annotations

from typing import Final

from annqc.measure.outline_values import CONTOURS

__all__ = ["DIRECTIONS", "OBJECTS", "WITHIN"]


def _part_of_contour(quantity: str) -> str:
    """Name what a contour offset is the mean over: a part of the contour, or all of it."""
    part = quantity.removeprefix("contour").strip("_").replace("_", " ")
    return f"the {part} side of the contour" if part else "the contour"


OBJECTS: Final = {
    "out_left": "the left edge",
    "out_top": "the top edge",
    "out_right": "the right edge",
    "out_bottom": "the bottom edge",
    **{name: _part_of_contour(name) for name in CONTOURS},
}
"""What is drawn wrongly; boxes as a whole for any other quantity."""

DIRECTIONS: Final = {
    "out_left": ("far out", "far in"),
    "out_top": ("far out", "far in"),
    "out_right": ("far out", "far in"),
    "out_bottom": ("far out", "far in"),
    "dx": ("far right", "far left"),
    "dy": ("low", "high"),
    "dw": ("wide", "narrow"),
    "dh": ("tall", "short"),
    **dict.fromkeys(CONTOURS, ("far out", "far in")),
}
"""What follows "too" where the quantity is positive and negative."""

WITHIN: Final = {
    "out_left": ("further out", "further in"),
    "out_top": ("further out", "further in"),
    "out_right": ("further out", "further in"),
    "out_bottom": ("further out", "further in"),
    "dx": ("further right", "further left"),
    "dy": ("lower", "higher"),
    "dw": ("wider", "narrower"),
    "dh": ("taller", "shorter"),
    **dict.fromkeys(CONTOURS, ("further out", "further in")),
}
"""The same of what is within tolerance, and so not "too" anything."""
