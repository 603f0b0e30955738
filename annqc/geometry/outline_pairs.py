"""Pairs of outlines by how they were drawn: what straight chords cut off, and what is a copy.

Stands beside the way read -> match -> measure -> infer -> judge -> report. Takes what
`annqc.geometry.contour_pairs` takes and gives one row a pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.geometry.polygon_pairs import check_pairs
from annqc.geometry.polygons import perimeters, segment_sums, vertex_counts
from annqc.kernels import contours
from annqc.kernels._jit import Engine, check_engine, compiled
from annqc.shapes import MASK, POLYGON

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Shapes

    Array = npt.NDArray[np.uint64]
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["ChordOffsets", "chord_offsets", "same_outlines"]

SAVED_PER_VERTEX: Final = 1e-6
"""Seconds that the kernel saves over shapely on a vertex of a pair, measured."""

OF_MIDDLE: Final = 2 / 3
"""Mean depth of a shallow arc over its chord, as a share of its depth at the middle (sagitta)."""

_ODD: Final = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64)


class ChordOffsets(NamedTuple):
    """What the straight segments of candidates do to their contour, in pixels.

    Attributes
    ----------
    mean : (n,) float64
        Mean signed offset that is due to chords, by length: negative where they cut through the
        reference, as on convex parts, positive where they bridge dents.
    depth : (n,) float64
        Mean of its absolute value.
    """

    mean: Floats
    depth: Floats


def chord_offsets(
    reference: Shapes,
    candidate: Shapes,
    left: Ints,
    right: Ints,
    *,
    engine: Engine = "auto",
) -> ChordOffsets:
    """Return how far the segments of candidates lie off because they are straight.

    Parameters
    ----------
    reference, candidate : Shapes
        Polygons in normal form.
    left, right : (n,) int64
        Pair i is row ``left[i]`` of ``reference`` with row ``right[i]`` of ``candidate``.
    engine : {"auto", "numpy", "numba"}, optional
        ``numpy`` goes through shapely, ``numba`` through the kernel; both give equal results.

    Returns
    -------
    ChordOffsets
        One row a pair; NaN where one of the two has no polygon.

    Notes
    -----
    Of each segment of the candidate, take the signed distance to the reference of its middle, less
    the mean of those of its ends. That is the sagitta of the reference's arc over the chord, with a
    minus, wherever the ends lie: a contour that is dilated or eroded as a whole has none of it. A
    shallow arc is a parabola, whose mean depth is two thirds of the sagitta. On a circle of radius
    r, chords of length c lie ``c² / (12 r)`` too far in.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> turn = np.arange(240) / 240 * 2 * np.pi
    >>> circle = np.column_stack([100 * np.cos(turn), 100 * np.sin(turn)])
    >>> gold, work = Shapes.from_rings([[circle]]), Shapes.from_rings([[1.02 * circle[::20]]])
    >>> found = chord_offsets(gold, work, np.array([0]), np.array([0]))
    >>> found.mean.round(2).tolist(), round((2 * 102 * np.sin(np.pi / 12)).item() ** 2 / 1200, 2)
    ([-2.32], 2.32)
    """
    check_engine(engine)
    rows, others = check_pairs(reference, candidate, left, right)
    long = perimeters(reference)[rows], perimeters(candidate)[others]
    some = np.flatnonzero(np.isfinite(long).all(axis=0) & (np.minimum(*long) > 1e-9))
    pairs = rows[some], others[some]
    n_looked_at = float(vertex_counts(candidate)[pairs[1]].sum())
    if compiled(engine, saved_seconds=n_looked_at * SAVED_PER_VERTEX):
        sums = contours.chords(
            *(reference.points, reference.ring_offsets, reference.shape_offsets),
            *(candidate.points, candidate.ring_offsets, candidate.shape_offsets),
            *pairs,
        )
    else:
        from annqc.geometry import _shapely_pairs

        sums = _shapely_pairs.chords(reference, candidate, *pairs)
    out = np.full((2, len(rows)), np.nan)
    out[:, some] = OF_MIDDLE * (sums[:, :2] / sums[:, 2:]).T
    return ChordOffsets(out[0], out[1])


def same_outlines(reference: Shapes, candidate: Shapes, left: Ints, right: Ints) -> Bools:
    """Say which pairs are copies: the same vertices to the last digit, or the same pixels.

    Parameters
    ----------
    reference, candidate : Shapes
        Polygons and masks.
    left, right : (n,) int64
        Pair i is row ``left[i]`` of ``reference`` with row ``right[i]`` of ``candidate``.

    Returns
    -------
    (n,) bool
        False where one is a polygon and the other a mask, or either is neither.

    Notes
    -----
    The order of vertices and of rings does not matter. Outlines are compared by sums of 64-bit
    hashes of their vertices or runs, and by their numbers.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> square = [[0, 0], [4, 0], [4, 4], [0, 4]]
    >>> shapes = Shapes.from_rings([[square], [square[2:] + square[:2]], [square[:3]]])
    >>> same_outlines(shapes, shapes, np.array([0, 0, 0]), np.array([0, 1, 2])).tolist()
    [True, True, False]
    """
    rows, others = check_pairs(reference, candidate, left, right)
    one, two = (_prints(side) for side in (reference, candidate))
    alike: Bools = (one[rows] == two[others]).all(axis=1)
    return alike & (reference.kind[rows] > 0)


def _prints(shapes: Shapes) -> Array:
    """Kind, canvas, number of vertices or runs, and their hash, of each annotation; (n, 5)."""
    x, y = (shapes.points + 0.0).T  # -0 and 0 are one place
    of_points = _mixed(np.ascontiguousarray(x).view(np.uint64), np.ascontiguousarray(y))
    bounds = shapes.ring_offsets[shapes.shape_offsets]
    counts = np.diff(shapes.run_offsets)
    place = np.arange(len(shapes.runs)) - np.repeat(shapes.run_offsets[:-1], counts)
    of_runs = _mixed(shapes.runs.astype(np.uint64), place)
    polygon, mask = shapes.kind == POLYGON, shapes.kind == MASK
    columns = [
        shapes.kind.astype(np.uint64),
        *shapes.canvas.astype(np.uint64).T,
        np.where(polygon, np.diff(bounds), counts * mask).astype(np.uint64),
        np.where(polygon, segment_sums(of_points, bounds), 0)
        + np.where(mask, segment_sums(of_runs, shapes.run_offsets), 0),
    ]
    return np.stack(columns, axis=1)


def _mixed(one: Array, two: Floats | Ints) -> Array:
    """Hash pairs of numbers, in the manner of splitmix64."""
    with np.errstate(over="ignore"):
        value = one + _ODD[0]
        for other in (np.uint64(0), two.view(np.uint64)):
            value = (value ^ (value >> np.uint64(30))) * _ODD[1]
            value = (value ^ (value >> np.uint64(27))) * _ODD[2]
            value = (value ^ (value >> np.uint64(31))) + other
        value = (value ^ (value >> np.uint64(30))) * _ODD[1]
        value = (value ^ (value >> np.uint64(27))) * _ODD[2]
        mixed: Array = value ^ (value >> np.uint64(31))
    return mixed
