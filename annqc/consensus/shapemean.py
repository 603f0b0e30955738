"""consensus: the mean of outlines, as the zero line of the mean of their signed distances."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import MatchError, TableError
from annqc.geometry.masks import crop, mask_areas, mask_boxes, paint, runs_of_strips
from annqc.geometry.smoothed import smoothed
from annqc.shapes import POLYGON, Shapes

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["mean_shape", "polygon_consensus"]

FINE: Final = 256
"""Pixels that the longer side of an object gets at least, where polygons are averaged."""
FINEST: Final = 16
"""Most pixels that one pixel of the image is cut into, along a side."""


def mean_shape(masks: Shapes, canvas: tuple[int, int]) -> Ints:
    """Average the masks of one object.

    Parameters
    ----------
    masks : Shapes
        k masks on one canvas. Empty ones have no outline and are left out.
    canvas : (int, int)
        Height and width.

    Returns
    -------
    (r,) int64
        Run lengths of the mean: what lies inside by the mean signed distance. Where that is 0 the
        pixel is background.

    Notes
    -----
    The distance of a pixel is that of its centre to the nearest pixel of the other kind, less half
    a pixel, positive inside. What lies beyond the canvas is neither. Memory is for the box around
    the masks, not for the canvas.

    Examples
    --------
    >>> masks = Shapes.from_runs([[0, 12, 20], [0, 28, 4]], [(4, 8)] * 2)
    >>> mean_shape(masks, (4, 8)).tolist()
    [0, 20, 12]
    """
    height, width = canvas
    masks = masks.take(np.flatnonzero(mask_areas(masks) > 0))
    if not len(masks):
        return np.array([height * width], dtype=np.int64)
    boxes = mask_boxes(masks)
    left, top = np.maximum(boxes[:, :2].min(axis=0) - 1, 0).astype(int).tolist()
    right, bottom = np.minimum(boxes[:, 2:].max(axis=0) + 1, [width, height]).astype(int).tolist()
    total = np.zeros((bottom - top, right - left))
    for row in range(len(masks)):
        total += _signed(crop(masks, row, (left, top, right, bottom)))
    return _runs(total > 1e-9 * len(masks), left, top, canvas)


def _signed(mask: Bools) -> Floats:
    """Return the signed distance of every pixel to the outline, positive inside."""
    from scipy import ndimage

    if mask.all():  # there is no outline but the edge of the canvas
        return np.full(mask.shape, float(np.hypot(*mask.shape)))
    inside = ndimage.distance_transform_edt(mask)
    outside = ndimage.distance_transform_edt(~mask)
    signed: Floats = np.where(mask, inside - 0.5, 0.5 - outside)
    return signed


def _runs(mask: Bools, left: int, top: int, canvas: tuple[int, int]) -> Ints:
    """Return the run lengths on the canvas of a mask on a part of it."""
    edges = np.diff(np.pad(mask, ((1, 1), (0, 0))).astype(np.int8).T, axis=1)
    column, start = np.nonzero(edges == 1)
    stop = np.nonzero(edges == -1)[1]
    return runs_of_strips(column + left, start + top, stop + top, canvas)


def polygon_consensus(
    shapes: Shapes, object: Array, row: Array, *, n_objects: int | None = None
) -> Shapes:
    """Average the polygons that several annotators drew of an object.

    Parameters
    ----------
    shapes : Shapes
        Polygons in normal form.
    object, row : (m,) array_like of int
        One entry for each polygon: the object's code and the row in ``shapes``. Rows of -1, of
        annotators that did not draw the object, are left out.
    n_objects : int, optional
        How many objects there are; as many as the codes say, if not given.

    Returns
    -------
    Shapes
        One polygon an object, with holes and several parts where the mean has them; box only where
        there is none.

    Raises
    ------
    MatchError
        A row is no polygon.
    TableError
        An object or a row does not exist.

    Notes
    -----
    The polygons are painted on a grid that gives the longer side of the object 256 pixels at least,
    if that takes no more than 16 a pixel of the image; averaged by `mean_shape`; and the outline
    comes back smoothed (`annqc.geometry.smoothed`). Corners get round by about two steps of the
    grid. A single polygon is given back as it is.

    Examples
    --------
    >>> def square(side):
    ...     return [[[10, 10], [10 + side, 10], [10 + side, 10 + side], [10, 10 + side]]]
    >>> made = polygon_consensus(Shapes.from_rings([square(40), square(44)]), [0, 0], [0, 1])
    >>> bool(abs(made.points[:, 0].max() - 52) < 0.3)
    True
    """
    codes, rows = np.asarray(object, dtype=np.int64), np.asarray(row, dtype=np.int64)
    n = int(codes.max(initial=-1)) + 1 if n_objects is None else n_objects
    if len(codes) != len(rows) or not (
        codes.min(initial=0) >= 0
        and codes.max(initial=-1) < n
        and rows.max(initial=-1) < len(shapes)
    ):
        what = "the entries name objects or rows that do not exist"
        expected = f"objects 0 to {n - 1}, and a row up to {len(shapes) - 1} for each"
        raise TableError(what, expected=expected)
    codes, rows = codes[rows >= 0], rows[rows >= 0]
    odd = np.flatnonzero(shapes.kind[rows] != POLYGON)
    if len(odd):
        found = f"row {rows[odd[0]]} is a {shapes.kind_names[rows[odd[0]]]}"
        what = "a consensus of polygons takes polygons"
        raise MatchError(what, found=found)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(n + 1))
    made: list[list[Any]] = []
    for first, last in pairwise(bounds.tolist()):
        own = rows[order[first:last]]
        made.append(shapes.rings(int(own[0])) if len(own) == 1 else _mean_rings(shapes.take(own)))
    return Shapes.from_rings(made)


def _mean_rings(shapes: Shapes) -> list[Floats]:
    """Return the rings of the mean of the polygons of one object."""
    if not len(shapes):
        return []
    low, high = shapes.points.min(axis=0), shapes.points.max(axis=0)
    low, side = np.floor(low) - 2, float((high - low).max())
    scale = float(np.clip(np.ceil(FINE / max(side, 1e-9)), 1, FINEST))
    width, height = np.ceil((high - low + 2) * scale).astype(int).tolist()
    fine = Shapes.from_ragged(
        (shapes.points - low) * scale, shapes.ring_offsets, shapes.shape_offsets
    )
    canvas = np.tile([height, width], (len(shapes), 1))
    runs = mean_shape(paint(fine, canvas), (height, width))
    outline = smoothed(Shapes.from_runs([runs], [(height, width)]))
    return [ring / scale + low for ring in outline.rings(0)]
