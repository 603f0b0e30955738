"""kernels: the door to distances between contours, measured on the vectors themselves: no pixels.

Each segment of a contour is cut into equal pieces no longer than the step; the middle of a piece is
a sample that stands for the length of its piece. A sample's distance is that to the nearest segment
of the other contour, exactly. Vertices are looked at too, with no length, so that a spike between
samples cannot hide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.kernels._contours import (
    NEAR,
    SECTORS,
    add_chords,
    add_offsets,
    measure_distances,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Places = npt.NDArray[np.int32]
    Tree = tuple[Floats, Places, Places]

__all__ = ["COLUMNS", "SECTORS", "chords", "distances", "offsets"]

COLUMNS: Final = ("length", "sum", "largest", "quantile")
"""What `distances` says of one direction, before the lengths within each tolerance."""

CELLS: Final = 4
"""Cells of a tree for every segment, at most."""

LISTED: Final = 64
"""How often a segment is listed in the cells of a tree, at most and on average."""


def distances(
    points_a: Floats,
    rings_a: Ints,
    shapes_a: Ints,
    samples_a: Ints,
    points_b: Floats,
    rings_b: Ints,
    shapes_b: Ints,
    samples_b: Ints,
    left: Ints,
    right: Ints,
    steps: Floats,
    tolerances: Floats,
    share: float,
) -> tuple[Floats, Floats]:
    """Measure how far the contours of pairs lie apart, from both sides.

    Parameters
    ----------
    points_a, rings_a, shapes_a : arrays
        Vertices, ring offsets and shape offsets of A.
    samples_a : (n,) int64
        At most so many samples on each shape of A, vertices included.
    points_b, rings_b, shapes_b, samples_b : arrays
        The same of B.
    left, right : (k,) int64
        Row numbers of the pairs, both of shapes that have rings.
    steps : (2, k) float64
        The longest piece on the left and on the right contour of each pair.
    tolerances : (m,) float64
        Distances for which the length within them is wanted.
    share : float
        The quantile, between 0 and 1.

    Returns
    -------
    directed : (k, 2, 4 + m) float64
        From A to B and from B to A: `COLUMNS`, then the length within each tolerance.
    pooled : (k,) float64
        The quantile of the samples of both contours together.
    """
    directed = np.empty((len(left), 2, len(COLUMNS) + len(tolerances)))
    pooled = np.empty(len(left))
    if len(left):
        room_a, tree_a = _room(rings_a, shapes_a, left)
        room_b, tree_b = _room(rings_b, shapes_b, right)
        most = int((samples_a[left] + samples_b[right]).max())
        measure_distances(
            points_a,
            rings_a,
            shapes_a,
            points_b,
            rings_b,
            shapes_b,
            left,
            right,
            steps,
            tolerances,
            share,
            (room_a, tree_a, room_b, tree_b),
            (np.empty(128, np.int64), np.empty(NEAR, np.int64)),
            np.empty(most),
            np.empty(most),
            directed,
            pooled,
        )
    return directed, pooled


def offsets(
    points_a: Floats,
    rings_a: Ints,
    shapes_a: Ints,
    samples_a: Ints,
    points_b: Floats,
    rings_b: Ints,
    shapes_b: Ints,
    samples_b: Ints,
    left: Ints,
    right: Ints,
    steps: Floats,
    centre: Floats,
    window: Floats,
) -> Floats:
    """Add up signed distances by the side that the contour looks to, and by quadrant.

    Parameters
    ----------
    points_a, rings_a, shapes_a, samples_a, points_b, rings_b, shapes_b, samples_b, left, right
        As for `distances`.
    steps : (2, k) float64
        The longest piece on either contour; 0 on the right where that side is not wanted.
    centre : (k, 2) float64
        Where the quadrants meet.
    window : (k, 4) float64
        ``x1, y1, x2, y2``: only samples strictly within are counted.

    Returns
    -------
    (k, 2, 9, 2) float64
        From A and from B: for each of the `SECTORS` the sum of length times offset, and the length.
        Positive where B reaches beyond A.
    """
    out = np.zeros((len(left), 2, SECTORS, 2))
    if len(left):
        room_a, tree_a = _room(rings_a, shapes_a, left)
        room_b, tree_b = _room(rings_b, shapes_b, right)
        most = int(max(samples_a[left].max(), samples_b[right].max()))
        add_offsets(
            points_a,
            rings_a,
            shapes_a,
            points_b,
            rings_b,
            shapes_b,
            left,
            right,
            steps,
            centre,
            window,
            (room_a, tree_a, room_b, tree_b),
            (np.empty(128, np.int64), np.empty(NEAR, np.int64)),
            np.empty(most),
            np.empty(most),
            out,
        )
    return out


def chords(
    points_a: Floats,
    rings_a: Ints,
    shapes_a: Ints,
    points_b: Floats,
    rings_b: Ints,
    shapes_b: Ints,
    left: Ints,
    right: Ints,
) -> Floats:
    """Add up how far the middles of B's segments lie beside where their ends lie, seen from A.

    Parameters
    ----------
    points_a, rings_a, shapes_a, points_b, rings_b, shapes_b, left, right : arrays
        As for `distances`.

    Returns
    -------
    (k, 3) float64
        The sum of length times bow, that of length times its absolute value, and the length. The
        bow of a segment is the signed distance to A of its middle less the mean of those of its
        ends, positive outward: negative where a chord cuts through A.
    """
    out = np.zeros((len(left), 3))
    if len(left):
        room_a, tree_a = _room(rings_a, shapes_a, left)
        room_b, tree_b = _room(rings_b, shapes_b, right)
        add_chords(
            points_a,
            rings_a,
            shapes_a,
            points_b,
            rings_b,
            shapes_b,
            left,
            right,
            (room_a, tree_a, room_b, tree_b),
            (np.empty(128, np.int64), np.empty(NEAR, np.int64)),
            np.empty(2 * len(room_b)),
            np.empty(2 * len(room_b)),
            out,
        )
    return out


def _room(rings: Ints, shapes: Ints, rows: Ints) -> tuple[Floats, Tree]:
    """Make room for the segments of the largest of these shapes, and for their tree."""
    most = int((rings[shapes[rows + 1]] - rings[shapes[rows]]).max())
    cells = CELLS * most + 64
    tree = (
        np.empty((cells, 7)),
        np.empty((cells, 5), dtype=np.int32),
        np.empty(LISTED * most + 64, dtype=np.int32),
    )
    return np.empty((most, 8)), tree
