"""measure: two outlines held against each other, polygons as vectors and masks as pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.geometry import contour_pairs, mask_pairs
from annqc.geometry.holes import filled, hole_areas
from annqc.geometry.masks import paint
from annqc.geometry.polygon_pairs import polygon_overlap
from annqc.measure.outline_values import CONTOURS, OVERLAPS, QUARTERS, OutlineStatus
from annqc.shapes import POLYGON

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.tables import Floats, Ints, Shapes

__all__ = ["Compared", "compare_masks", "compare_polygons"]

_IN_ORDER: Final = [1, 2, 3, 4, 0, 5, 6, 7, 8]
"""Sides, the whole and quarters among the offsets of masks."""
_CLOCKWISE: Final = [0, 1, 3, 2]
"""Quarters among those of polygons, whose lower left comes before the lower right."""


class Compared:
    """What is filled in for the pairs, polygons first and masks then."""

    def __init__(self, n: int) -> None:
        self.offsets = np.full((n, len(CONTOURS) + len(QUARTERS)), np.nan)
        self.step = np.zeros_like(self.offsets)
        self.overlaps = {name: np.full(n, np.nan) for name in OVERLAPS}
        self.density = np.full((n, 2), np.nan)
        self.holes = np.full((n, 4), np.nan)
        self.pixels = np.zeros(n, dtype=bool)
        self.no_canvas = np.zeros(n, dtype=bool)
        self.status = np.zeros(n, dtype=np.int8)

    def put(self, rows: Ints, values: dict[str, Floats]) -> None:
        """Fill in overlaps of some pairs."""
        for name, column in values.items():
            self.overlaps[name][rows] = column


def compare_polygons(
    found: Compared,
    sides: tuple[Shapes, Shapes],
    pairs: tuple[Ints, Ints],
    some: Ints,
    size: Floats,
    nsd_px: float,
    border_px: float,
    engine: Engine,
) -> None:
    """Compare polygons as vectors; only the boundary IoU is one of pixels."""
    if not len(some):
        return
    rows = pairs[0][some], pairs[1][some]
    area = polygon_overlap(*sides, *rows, engine=engine)
    apart = contour_pairs.contour_distances(*sides, *rows, tolerances=(nsd_px,), engine=engine)
    moved = contour_pairs.contour_offsets(
        *(filled(sides[0]), filled(sides[1]), *rows),
        symmetric=True,
        image_size=size[some, ::-1],
        border=border_px,
        engine=engine,
    )
    found.offsets[some] = np.column_stack(
        [moved.sides, moved.whole, moved.quadrants[:, _CLOCKWISE]]
    )
    found.holes[some] = np.column_stack(hole_areas(*sides, *rows, engine=engine))
    found.put(
        some,
        {
            "mask_iou": area.iou,
            "dice": area.dice,
            "coverage": area.coverage,
            "purity": area.purity,
            "area_ratio": area.area_ratio,
            "assd": apart.assd,
            "hd95": apart.hd_percentile,
            "nsd": apart.nsd[:, 0],
        },
    )
    known = some[~found.no_canvas[some]]
    if len(known):
        drawn = _painted(sides, (pairs[0][known], pairs[1][known]), size[known])
        numbers = np.arange(len(known))
        band = mask_pairs.boundary_iou(*drawn, numbers, numbers, engine=engine)
        found.put(known, {"boundary_iou": band.iou})


def compare_masks(
    found: Compared,
    sides: tuple[Shapes, Shapes],
    pairs: tuple[Ints, Ints],
    some: Ints,
    size: Floats,
    nsd_px: float,
    engine: Engine,
) -> None:
    """Compare masks pixel by pixel, and polygons with masks as masks."""
    if not len(some):
        return
    drawn = _painted(sides, (pairs[0][some], pairs[1][some]), size[some])
    numbers = np.arange(len(some))
    shared = mask_pairs.mask_overlap(*drawn, numbers, numbers, engine=engine)
    empty = shared.status != mask_pairs.MaskStatus.OK  # a polygon that covers no pixel
    found.status[some[empty]] = OutlineStatus.EMPTY
    some, numbers = some[~empty], numbers[~empty]
    if not len(some):
        return
    apart = mask_pairs.surface_distances(*drawn, numbers, numbers, tolerance=nsd_px, engine=engine)
    band = mask_pairs.boundary_iou(*drawn, numbers, numbers, engine=engine)
    moved = mask_pairs.contour_offsets(*drawn, numbers, numbers, holes=False, engine=engine)
    found.holes[some] = np.column_stack(hole_areas(*drawn, numbers, numbers, engine=engine))
    found.offsets[some] = moved.offset[:, _IN_ORDER]
    found.step[some] = 1 / np.maximum(moved.pixels[:, _IN_ORDER], 1)
    found.put(
        some,
        {
            "mask_iou": shared.iou[numbers],
            "boundary_iou": band.iou,
            "dice": shared.dice[numbers],
            "coverage": shared.coverage[numbers],
            "purity": shared.purity[numbers],
            "area_ratio": (shared.candidate_area / shared.reference_area)[numbers],
            "assd": apart.assd,
            "hd95": apart.robust_hd,
            "nsd": apart.nsd,
        },
    )


def _painted(
    sides: tuple[Shapes, Shapes], pairs: tuple[Ints, Ints], size: Floats
) -> tuple[Shapes, Shapes]:
    """Both sides of some pairs as masks; an annotation is painted once on each of its canvases."""
    made = []
    for shapes, rows in zip(sides, pairs, strict=True):
        asked = np.column_stack([rows, size.astype(np.int64)])
        once, again = np.unique(asked, axis=0, return_inverse=True)
        part = shapes.take(once[:, 0])
        if (part.kind == POLYGON).any():
            part = paint(part, once[:, 1:])
        made.append(part.take(again))
    return made[0], made[1]
