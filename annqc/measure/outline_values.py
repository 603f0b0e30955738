"""measure: the signed offsets and overlaps of paired outlines, as they are handed on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.measure.tolerance import Tolerance
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["CONTOURS", "NSD_PX", "OVERLAPS", "QUARTERS", "OutlineMeasurements", "OutlineStatus"]

CONTOURS: Final = (
    "contour_left",
    "contour_top",
    "contour_right",
    "contour_bottom",
    "contour",
)
"""Signed offsets of the contour: of what faces each side, and of all of it."""

QUARTERS: Final = (
    "contour_top_left",
    "contour_top_right",
    "contour_bottom_right",
    "contour_bottom_left",
)
"""Signed offsets of what lies in each quarter around the reference's centre of area.

They are described and not tested: every point of a quarter is on a side as well.
"""

OVERLAPS: Final = (
    "mask_iou",
    "boundary_iou",
    "dice",
    "coverage",
    "purity",
    "area_ratio",
    "assd",
    "hd95",
    "nsd",
)
"""How well two outlines agree, without a sign; ``assd`` and ``hd95`` in pixels."""


NSD_PX: Final = 2.0
"""Contours up to this far apart agree, for ``nsd``."""


class OutlineStatus(IntEnum):
    """Why a pair of outlines has no values."""

    OK = 0
    EMPTY = 1
    OTHER_CANVAS = 2
    APART = 3


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class OutlineMeasurements:
    """One row a pair with an outline on both sides.

    Attributes
    ----------
    reference, candidate : (n,) int64
        Rows of the reference's and the candidate's annotations.
    annotator, cluster : (n,) int64
        Who drew it, and the image (or track) it belongs to.
    offsets : (n, 5) float64
        Mean signed offset of each of `CONTOURS` in pixels; NaN where there is none.
    short : (n, 5) bool
        Where the reference has too little contour on a side for an offset (under 5 px), or all of
        it lies at the border of the image.
    step : (n, 5) float64
        Smallest step that an offset of masks can make: one pixel at one place of the contour, over
        its length. 0 for polygons.
    quarters, quarter_step : (n, 4) float64
        The same for each of `QUARTERS`.
    tolerance : (n,) float64
        Tolerance in pixels: that of a side as long as the square root of the reference's area.
    overlaps : dict of str to (n,) float64
        Each of `OVERLAPS`.
    holes : (n, 4) float64
        Areas in square pixels: of the reference's holes, of the candidate's holes, of what was
        filled of the former, and of what the latter open in the reference
        (`annqc.geometry.holes.HoleAreas`). Contours of holes have no part in the offsets.
    density : (n, 2) float64
        Vertices for each 100 px of contour, of the reference and of the candidate; NaN for masks.
    pixels : (n,) bool
        Whether the pair was compared as masks, on a grid of pixels.
    no_canvas : (n,) bool
        Polygons on an image of unknown size, which have no boundary IoU.
    status : (n,) int8
        An `OutlineStatus` each. All values of a pair are NaN where a side is empty or the canvases
        differ. Outlines that share nothing have overlaps and distances, but no offsets.
    rule : Tolerance
        What ``tolerance`` was worked out from.
    """

    reference: Ints
    candidate: Ints
    annotator: Ints
    cluster: Ints
    offsets: Floats
    short: Bools
    step: Floats
    quarters: Floats
    quarter_step: Floats
    tolerance: Floats
    overlaps: dict[str, Floats]
    holes: Floats
    density: Floats
    pixels: Bools
    no_canvas: Bools
    status: Array
    rule: Tolerance

    def __len__(self) -> int:
        return len(self.reference)

    def values(self, unit: str, *, quarters: bool = False) -> Floats:
        """Offsets of `CONTOURS`, NaN where there is none.

        Parameters
        ----------
        unit : {"tolerance", "px"}
            Tolerance units, or pixels.
        quarters : bool
            Those of `QUARTERS` instead.

        Returns
        -------
        (5, n) or (4, n) float64
        """
        scale = self.tolerance if unit == "tolerance" else np.ones(len(self))
        offsets = self.quarters if quarters else self.offsets
        return np.ascontiguousarray((offsets / scale[:, None]).T)
