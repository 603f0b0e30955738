"""Masks as run lengths: areas, boxes, faults, crops, and the way to and from arrays and polygons.

Stands beside the way read -> match -> measure -> infer -> judge -> report. Runs go column by
column and begin with one of zeros, as COCO has them. A pixel is a unit square: pixel (row, column)
covers x from column to column + 1. A mask stays as runs whatever the size of its canvas; only a
crop is ever laid out as pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from annqc.errors import TableError
from annqc.geometry.polygons import segment_sums
from annqc.shapes import MASK

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Shapes

    Array = npt.NDArray[Any]
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = [
    "Strips",
    "crop",
    "mask_areas",
    "mask_boxes",
    "mask_faults",
    "paint",
    "runs_of_mask",
    "runs_of_strips",
    "strips",
]


class Strips(NamedTuple):
    """The foreground of masks as strips one pixel wide, by mask, column and row.

    Attributes
    ----------
    mask : (s,) int64
        Row number of the mask.
    column : (s,) int64
        The strip covers x from column to column + 1,
    top, bottom : (s,) int64
        and y from top to bottom.
    """

    mask: Ints
    column: Ints
    top: Ints
    bottom: Ints


def mask_areas(shapes: Shapes) -> Floats:
    """Return the number of pixels of each mask; NaN for what is none.

    Parameters
    ----------
    shapes : Shapes
        n annotations.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> mask_areas(Shapes.from_runs([np.array([5, 2, 2, 2, 5]), None], [(4, 4), (0, 0)])).tolist()
    [4.0, nan]
    """
    ones = np.where(_index(shapes) % 2 == 1, shapes.runs, 0)
    return np.where(shapes.kind == MASK, segment_sums(ones, shapes.run_offsets), np.nan)


def mask_boxes(shapes: Shapes) -> Floats:
    """Return the tight box ``x1, y1, x2, y2`` around the pixels of each mask, (n, 4).

    Parameters
    ----------
    shapes : Shapes
        n annotations.

    Returns
    -------
    (n, 4) float64
        In continuous pixels: one pixel at the top left is 0, 0, 1, 1. NaN for an empty mask, and
        for what is none.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> mask_boxes(Shapes.from_runs([np.array([5, 2, 2, 2, 5])], [(4, 4)])).tolist()
    [[1.0, 1.0, 3.0, 3.0]]
    """
    mask, start, stop = _ones(shapes)
    height = shapes.canvas[mask, 0]
    left, right = start // height, (stop - 1) // height
    one_column = left == right
    top = np.where(one_column, start % height, 0)
    bottom = np.where(one_column, (stop - 1) % height + 1, height)
    out = np.full((len(shapes), 4), np.nan)
    rows, first = np.unique(mask, return_index=True)
    if len(rows):
        out[rows, 0] = np.minimum.reduceat(left, first)
        out[rows, 1] = np.minimum.reduceat(top, first)
        out[rows, 2] = np.maximum.reduceat(right, first) + 1
        out[rows, 3] = np.maximum.reduceat(bottom, first)
    return out


def mask_faults(shapes: Shapes) -> list[tuple[str, int, str]]:
    """Return (kind, row, particulars) of each mask that cannot be used.

    Parameters
    ----------
    shapes : Shapes
        n annotations.

    Returns
    -------
    list of (str, int, str)
        ``broken_rle``: the runs are not those of the canvas; ``empty_mask``: no pixel is set.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> mask_faults(Shapes.from_runs([np.array([5, 2])], [(4, 4)]))
    [('broken_rle', 0, 'the runs cover 7 pixels of a canvas of 4 x 4')]
    """
    found: list[tuple[str, int, str]] = []
    total = segment_sums(shapes.runs, shapes.run_offsets)
    negative = segment_sums((shapes.runs < 0).astype(np.int64), shapes.run_offsets) > 0
    size = shapes.canvas.astype(np.float64).prod(axis=1)
    mask = shapes.kind == MASK
    bad = mask & ((total != size) | negative | (shapes.canvas <= 0).any(axis=1))
    for row in np.flatnonzero(bad).tolist():
        height, width = shapes.canvas[row].tolist()
        text = f"the runs cover {total[row]} pixels of a canvas of {width} x {height}"
        found.append(("broken_rle", row, "a run is negative" if negative[row] else text))
    with np.errstate(invalid="ignore"):
        empty = mask & ~bad & (mask_areas(shapes) == 0)
    found += [("empty_mask", row, "no pixel is set") for row in np.flatnonzero(empty).tolist()]
    return sorted(found, key=lambda one: one[1])


def runs_of_mask(pixels: Array) -> Ints:
    """Return the run lengths of a mask that is an array, whatever its layout in memory.

    Parameters
    ----------
    pixels : (h, w) array_like
        What is not 0 is set.

    Examples
    --------
    >>> runs_of_mask(np.array([[0, 1], [0, 1], [0, 0]])).tolist()
    [3, 2, 1]
    """
    columns = np.ascontiguousarray(np.asarray(pixels).astype(bool).T).ravel()
    changes = np.flatnonzero(columns[1:] != columns[:-1]) + 1
    bounds = np.concatenate([[0], changes, [len(columns)]]) if len(columns) else np.zeros(1)
    runs = np.diff(bounds).astype(np.int64)
    return np.concatenate([[0], runs]) if len(columns) and columns[0] else runs


def strips(shapes: Shapes) -> Strips:
    """Return the foreground of all masks as strips one pixel wide.

    Parameters
    ----------
    shapes : Shapes
        n annotations, their masks without faults.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> found = strips(Shapes.from_runs([np.array([3, 4, 1])], [(4, 2)]))
    >>> found.column.tolist(), found.top.tolist(), found.bottom.tolist()
    ([0, 1], [3, 0], [4, 3])
    """
    mask, start, stop = _ones(shapes)
    height = shapes.canvas[mask, 0]
    first, last = start // height, (stop - 1) // height
    n = last - first + 1
    offsets = np.concatenate([[0], np.cumsum(n)])
    step = np.arange(offsets[-1]) - np.repeat(offsets[:-1], n)
    column = np.repeat(first, n) + step
    tall = np.repeat(height, n)
    origin = column * tall
    return Strips(
        mask=np.repeat(mask, n),
        column=column,
        top=np.maximum(np.repeat(start, n) - origin, 0),
        bottom=np.minimum(np.repeat(stop, n) - origin, tall),
    )


def runs_of_strips(column: Ints, top: Ints, bottom: Ints, canvas: tuple[int, int]) -> Ints:
    """Return the run lengths of one mask from strips that do not overlap, in any order.

    Parameters
    ----------
    column, top, bottom : (s,) int64
        As in `Strips`.
    canvas : (int, int)
        Height and width.

    Examples
    --------
    >>> runs_of_strips(np.array([1, 0]), np.array([0, 3]), np.array([3, 4]), (4, 2)).tolist()
    [3, 4, 1]
    """
    height, width = canvas
    order = np.lexsort((top, column))
    start, stop = (column * height + top)[order], (column * height + bottom)[order]
    joins = np.flatnonzero(start[1:] == stop[:-1])
    start, stop = np.delete(start, joins + 1), np.delete(stop, joins)
    bounds = np.concatenate([[0], np.stack([start, stop], axis=1).ravel(), [height * width]])
    runs: Ints = np.diff(bounds)
    return runs if runs[-1] or len(runs) == 1 else runs[:-1]


def crop(shapes: Shapes, row: int, box: tuple[int, int, int, int]) -> Bools:
    """Return a part of one mask as pixels.

    Parameters
    ----------
    shapes : Shapes
        n annotations.
    row : int
        Which one.
    box : (x1, y1, x2, y2) int
        The part, in whole pixels; what lies beyond the canvas is not set.

    Returns
    -------
    (y2 - y1, x2 - x1) bool
        Takes memory for the part alone.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> masks = Shapes.from_runs([np.array([5, 2, 2, 2, 5])], [(4, 4)])
    >>> crop(masks, 0, (0, 1, 3, 3)).astype(int).tolist()
    [[0, 1, 1], [0, 1, 1]]
    """
    x1, y1, x2, y2 = box
    found = strips(shapes.take([row]))
    near = (found.column >= x1) & (found.column < x2) & (found.bottom > y1) & (found.top < y2)
    top = np.maximum(found.top[near], y1) - y1
    bottom = np.minimum(found.bottom[near], y2) - y1
    edges = np.zeros((x2 - x1, y2 - y1 + 1), dtype=np.int8)
    column = found.column[near] - x1
    np.add.at(edges, (column, top), 1)
    np.subtract.at(edges, (column, bottom), 1)
    np.cumsum(edges, axis=1, out=edges)
    return np.ascontiguousarray(edges[:, :-1].T.astype(bool))


def paint(shapes: Shapes, canvas: Array) -> Shapes:
    """Return polygons as masks, by COCO's rasteriser; masks stay as they are.

    Parameters
    ----------
    shapes : Shapes
        n annotations, polygons in normal form.
    canvas : (n, 2) array_like of int
        Height and width of the canvas of each polygon.

    Returns
    -------
    Shapes
        n masks. A polygon that covers no pixel gives an empty one.

    Raises
    ------
    TableError
        A polygon has no canvas.

    Notes
    -----
    pycocotools sets a pixel about where its centre is inside; the area is right on average (less
    than 0.0004 px off per px of perimeter), the outline rounded to pixels. A polygon that is
    compared with polygons should stay one. Holes are taken off.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> square = [[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]]
    >>> paint(Shapes.from_rings([[square]]), [(4, 4)]).runs.tolist()
    [5, 2, 2, 2, 5]
    """
    from annqc.geometry.painting import painted

    sizes = np.asarray(canvas, dtype=np.int64).reshape(-1, 2)
    if len(sizes) != len(shapes):
        what = "each polygon needs a canvas"
        found = f"{len(sizes)} for {len(shapes)} annotations"
        raise TableError(what, expected="a height and a width for each annotation", found=found)
    return painted(shapes, sizes)


def _index(shapes: Shapes) -> Ints:
    """Return the number of each run in its mask."""
    lengths = np.diff(shapes.run_offsets)
    return np.arange(len(shapes.runs)) - np.repeat(shapes.run_offsets[:-1], lengths)


def _ones(shapes: Shapes) -> tuple[Ints, Ints, Ints]:
    """Return the runs of ones: mask, and the first and the end pixel, counted down the columns."""
    lengths = np.diff(shapes.run_offsets)
    mask = np.repeat(np.arange(len(shapes)), lengths)
    end = np.cumsum(shapes.runs)
    before = np.concatenate([[0], end])[shapes.run_offsets[:-1]]
    stop = end - np.repeat(before, lengths)
    set_ = (_index(shapes) % 2 == 1) & (shapes.runs > 0)
    return mask[set_], (stop - shapes.runs)[set_], stop[set_]
