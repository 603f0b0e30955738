"""Overlaps of axis-aligned boxes within groups: the pairs that touch, and by how much.

Ragged groups come as runs: every box of one side has a run ``first, first + count`` of boxes of the
other side that it may touch. The numpy path works through the pairs in pieces that stay in the
cache, and looks at y only where x overlaps; the compiled path counts and then fills. Both give the
same numbers, bit for bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from annqc.kernels._jit import Engine, compiled, njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["Overlaps", "overlaps"]

CHUNK: Final = 1 << 15
"""Pairs looked at in one go by the numpy path: its temporary arrays fit the L2 cache."""

SAVED_PER_PAIR: Final = 7e-9
"""Seconds that the compiled path saves on a pair of one group, measured."""


class Overlaps(NamedTuple):
    """Pairs of boxes that share area, ordered by left box and then by right box.

    Attributes
    ----------
    left, right : (m,) int64
        Row numbers of the two sides.
    inter : (m,) float64
        Shared area in square pixels, above zero.
    iou : (m,) float64
        Intersection over union.
    """

    left: Ints
    right: Ints
    inter: Floats
    iou: Floats


def overlaps(
    left: Floats, right: Floats, first: Ints, count: Ints, *, engine: Engine = "auto"
) -> Overlaps:
    """Find the pairs of boxes that share area.

    Parameters
    ----------
    left : (4, n) float64
        Boxes of one side, one row a coordinate: x1, y1, x2, y2.
    right : (4, m) float64
        Boxes of the other side.
    first, count : (n,) int64
        Left box i may touch the right boxes ``first[i] .. first[i] + count[i]``.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    Overlaps
        The pairs with a shared area above zero.

    Examples
    --------
    >>> a = np.array([[0.0], [0.0], [4.0], [4.0]])
    >>> b = np.array([[2.0, 9.0], [0.0, 9.0], [6.0, 10.0], [4.0, 10.0]])
    >>> overlaps(a, b, np.array([0]), np.array([2])).iou.tolist()
    [0.3333333333333333]
    """
    n_pairs = int(count.sum())
    if compiled(engine, saved_seconds=n_pairs * SAVED_PER_PAIR):
        n = _count_overlaps(left, right, first, count)
        room = np.empty(n + 1, np.int64)  # the kernel writes one place ahead of what it keeps
        found = Overlaps(np.empty(n, np.int64), room[:n], np.empty(n), np.empty(n))
        _fill_overlaps(left, right, first, count, found.left, room, found.inter, found.iou)
        return found
    return _batched_overlaps(left, right, first, count)


def _batched_overlaps(left: Floats, right: Floats, first: Ints, count: Ints) -> Overlaps:
    ends = np.cumsum(count)
    n_pairs = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(CHUNK, n_pairs + CHUNK, CHUNK), side="left") + 1
    pieces = []
    start = 0
    for stop in np.minimum(np.unique(cuts), len(count)).tolist():
        if stop > start:
            pieces.append(_piece(left, right, first, count, slice(start, stop)))
        start = stop
    if not pieces:
        return Overlaps(*(np.empty(0, kind) for kind in (np.int64, np.int64, float, float)))
    columns: Any = map(np.concatenate, zip(*pieces, strict=True))
    return Overlaps(*columns)


def _piece(left: Floats, right: Floats, first: Ints, count: Ints, rows: slice) -> Overlaps:
    runs = count[rows]
    ends = np.cumsum(runs)
    x1, y1, x2, y2 = right
    j = np.repeat(first[rows] - ends + runs, runs)
    j += np.arange(len(j))
    near = x1[j] < np.repeat(left[2, rows], runs)
    near &= x2[j] > np.repeat(left[0, rows], runs)
    kept = np.flatnonzero(near)
    j = j[kept]
    i = np.repeat(np.arange(rows.start, rows.stop), runs)[kept]
    height = np.minimum(left[3, i], y2[j]) - np.maximum(left[1, i], y1[j])
    kept = np.flatnonzero(height > 0)
    i, j, height = i[kept], j[kept], height[kept]
    inter = (np.minimum(left[2, i], x2[j]) - np.maximum(left[0, i], x1[j])) * height
    if not inter.all():  # two slivers can share an area too small to be told from zero
        kept = np.flatnonzero(inter)
        i, j, inter = i[kept], j[kept], inter[kept]
    lx1, ly1, lx2, ly2 = left[:, i]
    rx1, ry1, rx2, ry2 = right[:, j]
    union = (lx2 - lx1) * (ly2 - ly1) + (rx2 - rx1) * (ry2 - ry1) - inter
    return Overlaps(i, j, inter, inter / union)


@njit
def _count_overlaps(left: Floats, right: Floats, first: Ints, count: Ints) -> int:
    n = 0
    for i in range(first.shape[0]):
        x1, y1, x2, y2 = left[0, i], left[1, i], left[2, i], left[3, i]
        for j in range(first[i], first[i] + count[i]):
            width = min(x2, right[2, j]) - max(x1, right[0, j])
            height = min(y2, right[3, j]) - max(y1, right[1, j])
            n += (width > 0) & (width * height > 0)
    return n


@njit
def _fill_overlaps(
    left: Floats,
    right: Floats,
    first: Ints,
    count: Ints,
    out_left: Ints,
    out_right: Ints,
    out_inter: Floats,
    out_iou: Floats,
) -> None:
    n = 0
    for i in range(first.shape[0]):
        x1, y1, x2, y2 = left[0, i], left[1, i], left[2, i], left[3, i]
        begin = n
        for j in range(first[i], first[i] + count[i]):
            width = min(x2, right[2, j]) - max(x1, right[0, j])
            height = min(y2, right[3, j]) - max(y1, right[1, j])
            # written always and kept sometimes: a branch that nobody can predict costs more
            out_right[n] = j
            n += (width > 0) & (width * height > 0)
        area = (x2 - x1) * (y2 - y1)
        for k in range(begin, n):
            j = out_right[k]
            width = min(x2, right[2, j]) - max(x1, right[0, j])
            inter = width * (min(y2, right[3, j]) - max(y1, right[1, j]))
            other = (right[2, j] - right[0, j]) * (right[3, j] - right[1, j])
            out_left[k] = i
            out_inter[k] = inter
            out_iou[k] = inter / (area + other - inter)
