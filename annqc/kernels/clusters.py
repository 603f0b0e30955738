"""Objects from the boxes of several annotators: at most one box of each, most overlap in all.

What is sought is the partition with the largest sum of ``IoU - least`` over the pairs of boxes that
share an object, no object with two boxes of one annotator. With three annotators that is a
three-dimensional assignment, which is NP-hard, so it is sought greedily and then mended: pairs are
joined from the largest IoU down wherever the two objects gain by it as a whole (average linkage),
then single boxes move, trade places or are put out while the sum grows. Ties are broken by where
the boxes lie, never by rows or annotators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.kernels._clusters import grow, near_pairs
from annqc.kernels._jit import Engine, compiled, python_of
from annqc.kernels.boxes import overlaps

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["clusters"]

PASSES: Final = 20
"""Passes of mending at most; few works need more than two."""
BITS: Final = 62
DIGITS: Final = 40
"""Binary digits of an IoU that pairs are first sorted by, where there is room for so many."""
ROOM: Final = 8
"""Pairs for each box that there is room for at first."""
SAVED_PER_PAIR: Final = 2e-8
"""Seconds that the compiled search saves on a pair of boxes of a group, measured."""
SAVED_PER_EDGE: Final = 4e-6
"""Seconds that the compiled routine saves on a pair that overlaps enough, measured."""


def clusters(
    boxes: Floats,
    offsets: Ints,
    who: Ints,
    *,
    least: float = 0.2,
    passes: int = PASSES,
    engine: Engine = "auto",
) -> Ints:
    """Cluster the boxes of each group into objects.

    Parameters
    ----------
    boxes : (4, n) float64
        One row a coordinate: x1, y1, x2, y2. Rows of a group stand together, and in a group those
        of an annotator.
    offsets : (n_groups + 1,) int64
        Group g has the boxes ``offsets[g] : offsets[g + 1]``.
    who : (n,) int64
        Annotator of each box, ascending within a group.
    least : float
        IoU from which on two boxes are rather one object than two, above 0.
    passes : int
        Passes of mending at most; 0 leaves the greedy partition.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    (n,) int64
        Object of each box, numbered from 0 group by group, in the order of the first row.

    Examples
    --------
    >>> boxes = np.array([[0.0, 1, 50], [0, 0, 50], [10, 10, 60], [10, 10, 60]])
    >>> clusters(boxes, np.array([0, 3]), np.array([0, 1, 1])).tolist()
    [0, 0, 1]
    """
    n = boxes.shape[1]
    if n == 0:
        return np.empty(0, np.int64)
    size = np.diff(offsets)
    group = np.repeat(np.arange(len(size)), size)
    start = np.ones(n, dtype=bool)
    np.not_equal(who[1:], who[:-1], out=start[1:])
    start[offsets[:-1][size > 0]] = True
    run = np.cumsum(start) - 1
    bit = np.left_shift(1, (run - run[offsets[:-1] % n][group]) % BITS)
    # Groups apart from left to right: one sort does for all. Rounding may confuse boxes that begin
    # within a billionth of each other, which no later step minds.
    order = np.argsort(group + (boxes[0] - boxes[0].min()) / (np.ptp(boxes[0]) + 1))
    laid = boxes[:, order]
    found = _pairs(laid, who[order], offsets, group, least, engine)
    left, right = _in_order(laid, group[found[0]], *found)
    left, right = order[left], order[right]
    label = np.arange(n)
    x1, y1, x2, y2 = sides = [np.ascontiguousarray(one) for one in boxes]
    work = [*sides, (x2 - x1) * (y2 - y1), who, bit, left, right]
    spare: list[Any] = [label, np.full(n, -1), label.copy(), bit.copy()]
    spare += [np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, np.nan), np.zeros(1)]
    if compiled(engine, saved_seconds=len(left) * SAVED_PER_EDGE):
        join: Any = grow
        join(*work, least, passes, *spare)
    else:
        spare = [array.tolist() for array in spare]
        join = python_of(grow)
        join(*(array.tolist() for array in work), least, passes, *spare)
        label = np.array(spare[0], dtype=np.int64)
    row = np.arange(n)
    earliest = np.empty(n, dtype=np.int64)
    earliest[label[::-1]] = row[::-1]  # of several rows the one that is written last stays
    root = earliest[label]
    number: Ints = (np.cumsum(root == row) - 1)[root]
    return number


def _pairs(
    boxes: Floats, who: Ints, offsets: Ints, group: Ints, least: float, engine: Engine
) -> tuple[Ints, Ints, Floats]:
    """Find pairs of different annotators that overlap enough, among boxes ascending in x1."""
    stop = offsets[1:][group]
    row = np.arange(len(stop))
    if not compiled(engine, saved_seconds=float((stop - row).sum()) * SAVED_PER_PAIR):
        found = overlaps(boxes, boxes, row + 1, stop - row - 1, engine="numpy")
        near = (found.iou >= least) & (who[found.left] != who[found.right])
        left, right = found.left[near], found.right[near]
        flip = _later(boxes, left, right)
        return np.where(flip, right, left), np.where(flip, left, right), found.iou[near]
    x1, y1, x2, y2 = boxes
    sides = (x1, y1, x2, y2, (x2 - x1) * (y2 - y1))
    space = np.empty(int(np.diff(offsets).max(initial=0)), np.int64)
    room = ROOM * len(stop)
    while True:
        left, right, iou = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
        n = near_pairs(*sides, who, stop, least, space, left, right, iou)
        if n <= room:
            return left[:n], right[:n], iou[:n]
        room = n


def _in_order(
    boxes: Floats, group: Ints, left: Ints, right: Ints, iou: Floats
) -> tuple[Ints, Ints]:
    """Order the pairs of a group from the largest IoU down, equal ones by where they lie."""
    # Group, IoU and row in one number: sorting those is quicker than sorting rows by a key. It
    # leaves the IoU fewer digits, so ties are looked at exactly.
    row_bits = len(iou).bit_length()
    digits = min(DIGITS, BITS - row_bits - int(group.max(initial=0)).bit_length())
    key = (group << digits) + ((1 - iou) * (1 << digits)).astype(np.int64)
    key = np.sort((key << row_bits) + np.arange(len(iou)))
    order = key & ((1 << row_bits) - 1)
    key >>= row_bits
    tie = np.zeros(len(order), dtype=bool)
    equal = key[1:] == key[:-1]
    tie[1:] |= equal
    tie[:-1] |= equal
    if tie.any():
        rows = order[tie]
        keys = [boxes[k, side[rows]] for side in (right, left) for k in (3, 2, 1, 0)]
        order[tie] = rows[np.lexsort((*keys, -iou[rows], group[rows]))]
    return left[order], right[order]


def _later(boxes: Floats, left: Ints, right: Ints) -> Bools:
    """Whether the left box of a pair comes after the right one, by x1, then y1, x2, y2."""
    later = np.zeros(len(left), dtype=bool)
    open_rows = np.arange(len(left))
    for k in range(4):
        a, b = boxes[k, left[open_rows]], boxes[k, right[open_rows]]
        later[open_rows] = a > b
        open_rows = open_rows[a == b]
        if len(open_rows) == 0:
            break
    return later
