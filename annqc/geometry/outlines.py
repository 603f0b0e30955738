"""How outlines were drawn: how densely, how smoothly, and what a simplification left behind.

Stands beside the way read -> match -> measure -> infer -> judge -> report. Takes
`annqc.tables.Shapes` and gives one row an annotation, NaN where it has no polygon. Plain numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.geometry.polygons import cyclic_next, segment_sums

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Shapes

    Floats = npt.NDArray[np.float64]

__all__ = ["OutlineStyle", "outline_style"]


LEVEL: Final = 1e-6
"""A segment that leaves its axis by no more than this share of its length runs along it."""


class OutlineStyle(NamedTuple):
    """What the vertices of outlines say about how they were drawn.

    Attributes
    ----------
    vertices : (n,) float64
        Number of vertices, repeated ones left out.
    length : (n,) float64
        Length of the contour in pixels, holes included.
    density : (n,) float64
        Vertices for each 100 px of contour.
    longest_share : (n,) float64
        Longest segment over length: near 1/3 or 1/4 where an outline is a mere triangle or box.
    mean_turn : (n,) float64
        Mean of the absolute turning angles at the vertices, in degrees. About 90 on outlines that
        follow pixels, ``360 / vertices`` on convex ones.
    collinear : (n,) float64
        Number of vertices where the outline goes straight on: they say nothing.
    duplicates : (n,) float64
        Number of vertices that repeat the one before.
    level : (n,) float64
        Share of the contour on segments that run along an axis: 1 on outlines that follow pixels.
    """

    vertices: Floats
    length: Floats
    density: Floats
    longest_share: Floats
    mean_turn: Floats
    collinear: Floats
    duplicates: Floats
    level: Floats


def outline_style(
    shapes: Shapes, *, least_distance: float = 1e-6, least_turn: float = 0.5
) -> OutlineStyle:
    """Describe how the outlines of polygons were drawn.

    Parameters
    ----------
    shapes : Shapes
        n annotations.
    least_distance : float, optional
        A vertex that is no farther than this from the one before it, in pixels, repeats it.
    least_turn : float, optional
        A vertex where the outline turns by no more than this, in degrees, is collinear.

    Returns
    -------
    OutlineStyle
        One row an annotation; NaN where it has no polygon, or one of no length.

    Examples
    --------
    >>> from annqc.tables import Shapes
    >>> square = [[0, 0], [20, 0], [20, 0], [40, 0], [40, 40], [0, 40]]
    >>> found = outline_style(Shapes.from_rings([[square]]))
    >>> found.vertices.tolist(), found.collinear.tolist(), found.duplicates.tolist()
    ([5.0], [1.0], [1.0])
    >>> found.longest_share.tolist(), found.mean_turn.tolist()
    ([0.25], [72.0])
    """
    step = shapes.points[cyclic_next(shapes.ring_offsets)] - shapes.points
    apart = np.hypot(step[:, 0], step[:, 1]) > least_distance
    rings = np.concatenate([[0], np.cumsum(apart)])[shapes.ring_offsets]
    points = shapes.points[apart]
    following = cyclic_next(rings)
    dx, dy = (points[following] - points).T
    after_x, after_y = dx[following], dy[following]
    turn = np.degrees(np.abs(np.arctan2(dx * after_y - dy * after_x, dx * after_x + dy * after_y)))
    size = np.hypot(dx, dy)

    ends = rings[shapes.shape_offsets]
    count = np.diff(ends).astype(np.float64)
    length = segment_sums(size, ends)
    longest = np.zeros(len(shapes))
    some = np.flatnonzero(count)
    if len(some):
        longest[some] = np.maximum.reduceat(size, ends[some])
    along_axis = np.where(np.minimum(np.abs(dx), np.abs(dy)) <= LEVEL * size, size, 0.0)
    given = np.diff(shapes.ring_offsets[shapes.shape_offsets])
    drawn = length > 0
    return OutlineStyle(
        np.where(drawn, count, np.nan),
        np.where(drawn, length, np.nan),
        _ratio(100 * count, length),
        _ratio(longest, length),
        _ratio(np.where(drawn, segment_sums(turn, ends), 0), np.where(drawn, count, 0)),
        np.where(drawn, segment_sums((turn <= least_turn).astype(np.float64), ends), np.nan),
        np.where(drawn, given - count, np.nan),
        _ratio(segment_sums(along_axis, ends), length),
    )


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Divide; NaN where there is nothing to divide by."""
    out = np.full(len(whole), np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out
