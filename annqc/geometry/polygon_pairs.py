"""Pairs of polygons: the area they share, exactly, and the ratios made of it.

Stands beside the way read -> match -> measure -> infer -> judge -> report. Everything takes
`annqc.tables.Shapes` in normal form on either side and two arrays of row numbers, a pair each, and
gives one row a pair. Nothing is drawn on a grid of pixels. Few pairs go through shapely, many
through the kernels; both give equal results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from annqc.errors import TableError
from annqc.geometry.polygons import bounding_boxes, polygon_areas, vertex_counts
from annqc.kernels._jit import Engine, check_engine, compiled
from annqc.kernels.polygons import bounds_and_area, shared_area

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Shapes

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["PolygonOverlap", "check_pairs", "polygon_overlap"]

SAVED_PER_VERTEX: Final = 1e-6
"""Seconds that the kernel saves over shapely on a vertex of a short pair, measured."""
LONG: Final = 15_000
"""Vertices of a pair that make it save twice as much on each, measured on smooth outlines."""


class PolygonOverlap(NamedTuple):
    """What paired polygons share. I is the shared area; R and C are the areas of the two.

    Attributes
    ----------
    intersection : (n,) float64
        I in square pixels.
    union : (n,) float64
        ``R + C - I`` in square pixels.
    iou : (n,) float64
        ``I / (R + C - I)``.
    dice : (n,) float64
        ``2 I / (R + C)``.
    coverage : (n,) float64
        ``I / R``: the share of the reference that the candidate covers.
    purity : (n,) float64
        ``I / C``: the share of the candidate that lies on the reference.
    area_ratio : (n,) float64
        ``C / R``: above 1 where the candidate is the larger.
    """

    intersection: Floats
    union: Floats
    iou: Floats
    dice: Floats
    coverage: Floats
    purity: Floats
    area_ratio: Floats


def polygon_overlap(
    reference: Shapes, candidate: Shapes, left: Ints, right: Ints, *, engine: Engine = "auto"
) -> PolygonOverlap:
    """Return the overlap of paired polygons, exactly.

    Parameters
    ----------
    reference, candidate : Shapes
        Polygons in normal form: outer rings with a positive area, holes with a negative one.
    left, right : (n,) int64
        Pair i is row ``left[i]`` of ``reference`` with row ``right[i]`` of ``candidate``.
    engine : {"auto", "numpy", "numba"}, optional
        ``numpy`` goes through shapely, ``numba`` through the kernel; both give equal results.

    Returns
    -------
    PolygonOverlap
        One row a pair; NaN where one of the two has no polygon, and where a ratio has nothing to
        divide by.

    Raises
    ------
    TableError
        Where the pairs name rows that do not exist.

    Notes
    -----
    With ``y_e(x)`` the line through edge e and ``s_e`` +1 for an edge that runs left and -1 for one
    that runs right, ``I = sum_a sum_b s_a s_b integral min(y_a, y_b) dx`` over the x that both
    edges cover. So shared edges, holes and several parts need no special case, and an error is one
    of rounding: below 1e-12 of the areas. The work grows with the number of pairs of edges that
    have x in common, about that of edges on outlines as people draw them.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> gold = Shapes.from_rings([[[[0, 0], [4, 0], [4, 4], [0, 4]]]])
    >>> work = Shapes.from_rings([[[[0, 0], [4, 0], [0, 4]]]])
    >>> found = polygon_overlap(gold, work, np.array([0]), np.array([0]))
    >>> found.intersection.tolist(), found.iou.tolist(), found.purity.tolist()
    ([8.0], [0.5], [1.0])
    """
    check_engine(engine)
    left, right = check_pairs(reference, candidate, left, right)
    vertices = vertex_counts(reference)[left] + vertex_counts(candidate)[right]
    saved = SAVED_PER_VERTEX * float((vertices * (1 + vertices / LONG)).sum())
    if compiled(engine, saved_seconds=saved):
        facts, inter = _by_kernel(reference, candidate, left, right)
    else:
        facts, inter = _by_shapely(reference, candidate, left, right)
    area, other = facts[0][left, 4], facts[1][right, 4]
    none = (np.diff(reference.shape_offsets) == 0)[left]
    none |= (np.diff(candidate.shape_offsets) == 0)[right]
    inter = np.where(none, np.nan, inter)
    union = area + other - inter
    return PolygonOverlap(
        inter,
        union,
        _ratio(inter, union),
        _ratio(2 * inter, area + other),
        _ratio(inter, area),
        _ratio(inter, other),
        _ratio(np.where(none, np.nan, other), area),
    )


def check_pairs(reference: Any, candidate: Any, left: Any, right: Any) -> tuple[Ints, Ints]:
    """Return the rows of pairs as int64; refuse rows that do not exist.

    Parameters
    ----------
    reference, candidate : sized
        The two sides.
    left, right : (n,) array_like of int
        Row numbers.

    Raises
    ------
    TableError
        The two are not of one length, or a number is below 0 or beyond the last row.

    Examples
    --------
    >>> check_pairs("abc", "de", [2, 0], [0, 1])
    (array([2, 0]), array([0, 1]))
    """
    rows = np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)
    if rows[0].ndim != 1 or rows[0].shape != rows[1].shape:
        what = "pairs need one row number on either side"
        found = f"shapes {rows[0].shape} and {rows[1].shape}"
        raise TableError(what, expected="two arrays of one length", found=found)
    for one, side in zip(rows, (reference, candidate), strict=True):
        wrong = (one < 0) | (one >= len(side))
        if wrong.any():
            what = "a pair names a row that does not exist"
            expected = f"0 to {len(side) - 1}" if len(side) else "no pair: there are no rows"
            raise TableError(what, expected=expected, found=str(one[wrong][0]))
    return rows


def _by_kernel(
    reference: Shapes, candidate: Shapes, left: Ints, right: Ints
) -> tuple[tuple[Floats, Floats], Floats]:
    """Return the facts of both sides, and the shared areas, by way of the kernel."""
    a = (reference.points, reference.ring_offsets, reference.shape_offsets)
    b = (candidate.points, candidate.ring_offsets, candidate.shape_offsets)
    facts = bounds_and_area(*a), bounds_and_area(*b)
    return facts, shared_area(*a, facts[0], *b, facts[1], left, right)


def _by_shapely(
    reference: Shapes, candidate: Shapes, left: Ints, right: Ints
) -> tuple[tuple[Floats, Floats], Floats]:
    """Return the same by way of shapely, and of the kernel where shapely refuses a ring."""
    import shapely

    from annqc.geometry._shapely_pairs import ring_products

    facts = _facts(reference), _facts(candidate)
    a, b = facts[0][left], facts[1][right]
    with np.errstate(invalid="ignore"):
        meet = (np.maximum(a[:, :2], b[:, :2]) < np.minimum(a[:, 2:4], b[:, 2:4])).all(axis=1)
        meet &= np.isfinite(a[:, 4] + b[:, 4])
    rows = np.flatnonzero(meet)
    inter = np.where(np.isfinite(a[:, 4] + b[:, 4]), 0.0, np.nan)
    try:
        shared = ring_products(reference, candidate, left[rows], right[rows])
    except shapely.errors.GEOSException:  # a ring that crosses itself
        return _by_kernel(reference, candidate, left, right)
    inter[rows] = np.maximum(0.0, np.minimum(shared, np.minimum(a[rows, 4], b[rows, 4])))
    return facts, inter


def _facts(shapes: Shapes) -> Floats:
    """Return box and area, as the kernel does."""
    return np.column_stack([bounding_boxes(shapes), polygon_areas(shapes)])


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Divide; NaN where there is nothing to divide by."""
    out = np.full(len(whole), np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out
