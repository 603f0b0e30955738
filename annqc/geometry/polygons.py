"""Polygons: areas, centroids, boxes, perimeters and vertex counts of ragged rings. Plain numpy.

Stands beside the way read -> match -> measure -> infer -> judge -> report. Everything here takes
`annqc.tables.Shapes` in normal form (`annqc.geometry.repair` makes it) and gives one row an
annotation, NaN where it has no polygon. Coordinates are continuous pixels, x right and y down: a
ring that runs clockwise on screen has a positive area.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Shapes

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = [
    "bounding_boxes",
    "centroids",
    "cyclic_next",
    "perimeters",
    "polygon_areas",
    "segment_sums",
    "signed_areas",
    "vertex_counts",
]


def signed_areas(points: Floats, ring_offsets: Ints) -> Floats:
    """Return the shoelace area of each ring.

    Parameters
    ----------
    points : (p, 2) float64
        Vertices of all rings.
    ring_offsets : (r + 1,) int64
        Where each ring begins, and the end.

    Returns
    -------
    (r,) float64
        ``sum(x[i] * y[i + 1] - x[i + 1] * y[i]) / 2``: positive where the ring runs clockwise on
        screen.

    Notes
    -----
    Worked out from the first vertex of each ring, so that polygons far from the origin lose no
    digits.

    Examples
    --------
    >>> ring = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 3.0], [0.0, 3.0]])
    >>> signed_areas(np.concatenate([ring, ring[::-1]]), np.array([0, 4, 8])).tolist()
    [6.0, -6.0]
    """
    return segment_sums(_cross(points, ring_offsets)[0], ring_offsets) / 2


def polygon_areas(shapes: Shapes) -> Floats:
    """Return the area of each polygon in square pixels, holes taken off; NaN for what is none.

    Parameters
    ----------
    shapes : Shapes
        n annotations.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> square = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    >>> polygon_areas(Shapes.from_rings([[square, (square / 2 + 1)[::-1]], []])).tolist()
    [12.0, nan]
    """
    areas = signed_areas(shapes.points, shapes.ring_offsets)
    return _where_polygon(shapes, segment_sums(areas, shapes.shape_offsets))


def perimeters(shapes: Shapes) -> Floats:
    """Return the length of all rings of each polygon in pixels, those of holes included.

    Parameters
    ----------
    shapes : Shapes
        n annotations.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> square = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    >>> perimeters(Shapes.from_rings([[square]])).tolist()
    [16.0]
    """
    following = cyclic_next(shapes.ring_offsets)
    step = shapes.points[following] - shapes.points
    lengths = segment_sums(np.hypot(step[:, 0], step[:, 1]), shapes.ring_offsets)
    return _where_polygon(shapes, segment_sums(lengths, shapes.shape_offsets))


def centroids(shapes: Shapes) -> Floats:
    """Return the centre of area of each polygon, (n, 2).

    Parameters
    ----------
    shapes : Shapes
        n annotations.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> square = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    >>> centroids(Shapes.from_rings([[square + 10]])).tolist()
    [[12.0, 12.0]]
    """
    offsets = shapes.ring_offsets
    twice, local, following = _cross(shapes.points, offsets)
    area = segment_sums(twice, offsets) / 2
    moment = [segment_sums(twice * (side + side[following]), offsets) / 6 for side in (local.T)]
    first = shapes.points[offsets[:-1]] if len(shapes.points) else np.empty((0, 2))
    total = segment_sums(area, shapes.shape_offsets)
    out = np.full((len(shapes), 2), np.nan)
    for k in range(2):
        whole = segment_sums(moment[k] + area * first[:, k], shapes.shape_offsets)
        np.divide(whole, total, out=out[:, k], where=total != 0)
    return out


def bounding_boxes(shapes: Shapes) -> Floats:
    """Return the tight box ``x1, y1, x2, y2`` around each polygon, (n, 4); NaN for what is none.

    Parameters
    ----------
    shapes : Shapes
        n annotations.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> bounding_boxes(Shapes.from_rings([[[[1, 5], [9, 2], [4, 8]]], []])).tolist()
    [[1.0, 2.0, 9.0, 8.0], [nan, nan, nan, nan]]
    """
    bounds = shapes.ring_offsets[shapes.shape_offsets]
    out = np.full((len(shapes), 4), np.nan)
    some = np.flatnonzero(np.diff(bounds) > 0)
    if len(some):
        starts = bounds[some]  # rows in between have no vertex, so these starts cover all vertices
        out[some, :2] = np.minimum.reduceat(shapes.points, starts)
        out[some, 2:] = np.maximum.reduceat(shapes.points, starts)
    return out


def vertex_counts(shapes: Shapes) -> Ints:
    """Return the number of vertices of each polygon, all rings together; 0 for what is none.

    Parameters
    ----------
    shapes : Shapes
        n annotations.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> vertex_counts(Shapes.from_rings([[[[1, 5], [9, 2], [4, 8]]], []])).tolist()
    [3, 0]
    """
    return shapes.vertex_counts


def cyclic_next(offsets: Ints) -> Ints:
    """Return for each value of a ragged table the place of the next in its row, going round.

    Parameters
    ----------
    offsets : (r + 1,) int64
        Where each row begins, and the end.

    Examples
    --------
    >>> cyclic_next(np.array([0, 3, 5])).tolist()
    [1, 2, 0, 4, 3]
    """
    following = np.arange(1, int(offsets[-1]) + 1)
    some = offsets[1:] > offsets[:-1]
    following[offsets[1:][some] - 1] = offsets[:-1][some]
    return following


def segment_sums(values: Array, offsets: Ints) -> Array:
    """Return the sum of each row of a ragged table; 0 for a row without values.

    Parameters
    ----------
    values : (q,) array
        The values of all rows.
    offsets : (n + 1,) int64
        Where each row begins, and the end.

    Examples
    --------
    >>> segment_sums(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 2, 3])).tolist()
    [3.0, 0.0, 4.0]
    """
    out = np.zeros(len(offsets) - 1, dtype=values.dtype)
    some = np.flatnonzero(offsets[1:] > offsets[:-1])
    if len(some):
        out[some] = np.add.reduceat(values[: offsets[-1]], offsets[some])
    return out


def _cross(points: Floats, ring_offsets: Ints) -> tuple[Floats, Floats, Ints]:
    """Return twice the area under each edge, vertices seen from their ring's first, and nexts."""
    following = cyclic_next(ring_offsets)
    lengths = np.diff(ring_offsets)
    local = points - np.repeat(points[np.minimum(ring_offsets[:-1], len(points) - 1)], lengths, 0)
    x, y = local.T
    return x * y[following] - x[following] * y, local, following


def _where_polygon(shapes: Shapes, values: Floats) -> Floats:
    """Return NaN for annotations that have no ring."""
    return np.where(np.diff(shapes.shape_offsets) > 0, values, np.nan)
