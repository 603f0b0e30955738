"""Outlines of all parts -> one table in normal form, and what was wrong with them."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from annqc.shapes import BOX_ONLY, MASK
from annqc.tables import Shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from annqc.geometry.repair import Fault
    from annqc.read.part import Part
    from annqc.tables import Images

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["boxes_around", "outlines_of"]


def outlines_of(
    parts: Sequence[Part], image: Ints, images: Images
) -> tuple[Shapes | None, list[Fault]]:
    """Put the outlines of the parts into normal form, end to end.

    Parameters
    ----------
    parts : sequence of Part
        What the readers gave, in order.
    image : (n,) int64
        Row number of the image of each row; -1 where it is not there.
    images : Images
        The image table: a mask must be of the size of its image, where that is known.

    Returns
    -------
    shapes : Shapes or None
        n rows; None where no part has outlines.
    faults : list of Fault
        By row.
    """
    if all(part.shapes is None for part in parts):
        return None, []
    from annqc.geometry.masks import mask_faults
    from annqc.geometry.repair import Fault, normalise

    several, faults = [], []
    for part, start in zip(parts, accumulate(map(len, parts), initial=0), strict=False):
        if part.shapes is None:
            several.append(Shapes.empty(len(part)))
            continue
        normal, found = normalise(part.shapes, fill=part.fill, hole=part.hole)
        found = part.faults + found
        without = part.shapes.kind == BOX_ONLY
        without[[one.row for one in part.faults]] = False
        boxless = without & np.isnan(part.xyxy).all(axis=1)
        for kind, rows, text in (
            ("malformed", boxless, "there is no box and no outline"),
            ("no_outline", without & ~boxless, "expected an outline beside the box"),
        ):
            if kind == "malformed" or not without.all():
                found += [Fault(kind, row, text) for row in np.flatnonzero(rows).tolist()]
        faults += [one._replace(row=one.row + start) for one in found]
        several.append(normal)
    shapes = Shapes.concat(several)
    faults += [Fault(*one) for one in mask_faults(shapes)]
    broken = {one.row for one in faults if one.kind == "broken_rle"}
    height, width = images.height[image], images.width[image]
    known = (image >= 0) & (shapes.canvas[:, 0] > 0) & np.isfinite(height + width)
    wrong = known & ((shapes.canvas[:, 0] != height) | (shapes.canvas[:, 1] != width))
    for row in np.flatnonzero(wrong).tolist():
        if row not in broken:
            there, here = shapes.canvas[row].tolist()
            sizes = f"{width[row]:g} x {height[row]:g} pixels, found {here} x {there}"
            faults.append(Fault("canvas_mismatch", row, f"expected the image's {sizes}"))
    return shapes, sorted(faults, key=lambda one: one.row)


def boxes_around(xyxy: Floats, shapes: Shapes | None) -> Floats:
    """Return the boxes, those that the file does not give (four NaN) taken from the outline.

    Parameters
    ----------
    xyxy : (n, 4) float64
        Boxes as read.
    shapes : Shapes or None
        Outlines in normal form.
    """
    if shapes is None:
        return xyxy
    missing = np.asarray(np.isnan(xyxy).all(axis=1))
    if not missing.any():
        return xyxy
    from annqc.geometry.masks import mask_boxes
    from annqc.geometry.polygons import bounding_boxes

    some = shapes.take(missing)
    around = bounding_boxes(some)
    masks = some.kind == MASK
    around[masks] = mask_boxes(some.take(masks))
    xyxy = xyxy.copy()
    xyxy[missing] = around
    return xyxy
