"""Growing objects from the boxes of several annotators: one per annotator, most overlap.

The routine is the same source in plain Python for few boxes and compiled for many. What it is given
in order it takes in that order, and nothing else: who comes first among the rows does not matter.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from annqc.kernels._jit import njit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["grow", "near_pairs"]

GAIN: Final = 1e-9
"""A change must gain more than rounding can make of nothing."""


@njit
def near_pairs(
    x1: Floats,
    y1: Floats,
    x2: Floats,
    y2: Floats,
    area: Floats,
    who: Ints,
    stop: Ints,
    least: float,
    near: Ints,
    left: Ints,
    right: Ints,
    iou: Floats,
) -> int:
    """Find pairs of boxes with enough overlap, the earlier box by x1, y1, x2, y2 on the left.

    Parameters
    ----------
    x1, y1, x2, y2, area : (n,) float64
        Boxes, ascending in x1 within a group, and how large they are.
    who : (n,) int64
        Annotators.
    stop : (n,) int64
        Where the group of each box ends.
    least : float
        Least IoU, above 0.
    near : (longest group,) int64
        Work space.
    left, right, iou : (room,) arrays
        Out: the pairs, as far as there is room.

    Returns
    -------
    int
        How many there are, of which some may not have found room.
    """
    n, room = 0, len(left)
    share = least / (1 + least) * (1 - GAIN)
    for i in range(len(x1)):
        ax1, ay1, ax2, ay2, size, own = x1[i], y1[i], x2[i], y2[i], area[i], who[i]
        # who begins further right shares too little of this box's width
        last = ax2 - (least - GAIN) * (ax2 - ax1)
        k = 0
        for j in range(i + 1, stop[i]):
            if x1[j] > last:
                break
            width = min(ax2, x2[j]) - max(ax1, x1[j])
            height = min(ay2, y2[j]) - max(ay1, y1[j])
            # written always and kept sometimes: a branch that nobody can predict costs more
            near[k] = j
            k += (width > 0) & (width * height >= share * (size + area[j])) & (own != who[j])
        for at in range(k):
            j = near[at]
            width = min(ax2, x2[j]) - max(ax1, x1[j])
            inter = width * (min(ay2, y2[j]) - max(ay1, y1[j]))
            ratio = inter / (size + area[j] - inter)
            if ratio < least:
                continue
            if n < room:
                later = ax1 > x1[j]
                if ax1 == x1[j]:
                    later = ay1 > y1[j]
                    if ay1 == y1[j]:
                        later = ax2 > x2[j] or (ax2 == x2[j] and ay2 > y2[j])
                left[n] = j if later else i
                right[n] = i if later else j
                iou[n] = ratio
            n += 1
    return n


@njit
def grow(
    x1: Floats,
    y1: Floats,
    x2: Floats,
    y2: Floats,
    area: Floats,
    who: Ints,
    bit: Ints,
    left: Ints,
    right: Ints,
    least: float,
    passes: int,
    label: Ints,
    after: Ints,
    tail: Ints,
    mask: Ints,
    loose: Ints,
    touched: Ints,
    known: Floats,
    low: Floats,
) -> int:
    """Join boxes along pairs, then move single boxes while that raises the total.

    Parameters
    ----------
    x1, y1, x2, y2, area : (n,) float64
        Boxes, and how large they are.
    who : (n,) int64
        Annotators.
    bit : (n,) int64
        One bit for each annotator of a group; those of more than 62 share bits.
    left, right : (m,) int64
        Pairs of boxes of a group in the order in which they are tried.
    least : float
        What a pair in one object costs; it gains its IoU.
    passes : int
        How often at most all pairs are looked at again.
    label : (n,) int64
        In: the numbers 0 to n - 1. Out: object of each box, the number of one of its boxes or of
        one that has left it.
    after, tail, mask, loose, touched : (n,) int64
        Work space; ``after`` all -1, ``tail`` as ``label``, ``mask`` as ``bit``, the others all 0.
    known : (n,) float64
        Work space, all NaN.
    low : (1,) float64
        Work space.

    Returns
    -------
    int
        Passes that changed something.
    """
    n = len(who)
    head = label.copy()

    def pull(one: int, group: int, but: int) -> float:
        """Sum what a box gains from the boxes of an object, leaving out itself and another."""
        total = 0.0
        other = head[group]
        while other >= 0:
            if other not in (one, but):
                width = min(x2[one], x2[other]) - max(x1[one], x1[other])
                height = min(y2[one], y2[other]) - max(y1[one], y1[other])
                gain = -least
                if width > 0 and height > 0:
                    inter = width * height
                    gain += inter / (area[one] + area[other] - inter)
                if gain < low[0]:  # noqa: PLR1730 - min() is slower, compiled and not
                    low[0] = gain
                total += gain
            other = after[other]
        return total

    def own_pull(one: int) -> float:
        """Return what a box gains from its own object, and remember that."""
        if math.isnan(known[one]):
            known[one] = pull(one, label[one], -1)
        found: float = known[one]
        return found

    def mark(group: int, now: int) -> None:
        """Remember that an object has changed, and forget what its boxes gained before."""
        touched[group] = now
        other = head[group]
        while other >= 0:
            known[other] = math.nan
            other = after[other]

    def same(one: int, group: int) -> int:
        """Return the box of an object by the annotator of a box, -1 for none."""
        if mask[group] & bit[one] == 0:
            return -1
        other = head[group]
        while other >= 0 and who[other] != who[one]:
            other = after[other]
        found: int = other
        return found

    def move(one: int, to: int) -> None:
        """Take a box out of its object and put it at the end of another."""
        group = label[one]
        if head[group] == one:
            head[group] = after[one]
            if after[one] < 0:
                tail[group] = -1
        else:
            before = head[group]
            while after[before] != one:
                before = after[before]
            after[before] = after[one]
            if after[one] < 0:
                tail[group] = before
        mask[group] = 0
        other = head[group]
        while other >= 0:
            mask[group] |= bit[other]
            other = after[other]
        after[one] = -1
        if tail[to] < 0:
            head[to] = one
        else:
            after[tail[to]] = one
        tail[to] = one
        mask[to] |= bit[one]
        label[one] = to
        loose[to] = 1

    done = 0
    for turn in range(passes + 1):
        changed = False
        for e in range(len(left)):
            u, v = left[e], right[e]
            a, b = label[u], label[v]
            if a == b:
                continue
            if turn > 1 and touched[a] < turn - 1 and touched[b] < turn - 1:
                continue  # the last turn looked at the same two objects, and left them as they are
            apart = (mask[a] & mask[b]) != 0
            if apart:
                # bits may be shared, so equal bits need not be equal annotators
                apart = False
                other = head[a]
                while other >= 0 and not apart:
                    apart = same(other, b) >= 0
                    other = after[other]
            best, how, lowest = GAIN, 0, 0.0
            if not apart:
                low[0] = total = 0.0
                other = head[a]
                while other >= 0:
                    part = pull(other, b, -1)
                    total += part
                    other = after[other]
                lowest = low[0]
                if total > best or (turn == 0 and total >= 0):
                    best, how = max(total, GAIN), 1
            if turn > 0:
                for side in range(2):
                    one, to, own = (u, b, a) if side == 0 else (v, a, b)
                    rival = same(one, to)
                    step = pull(one, to, rival) - own_pull(one)
                    if rival >= 0:
                        step -= own_pull(rival)
                        swap = step + pull(rival, own, one)
                        if swap > best + GAIN:
                            best, how = swap, 4 + side
                    if step > best + GAIN:
                        best, how = step, 2 + side
            if how == 1:
                other = head[b]
                while other >= 0:
                    label[other] = a
                    other = after[other]
                after[tail[a]] = head[b]
                tail[a] = tail[b]
                mask[a] |= mask[b]
                head[b] = tail[b] = -1
                mask[b] = 0
                if lowest < 0 or loose[b] == 1:
                    loose[a] = 1
            elif how > 1:
                one, to, own = (u, b, a) if how % 2 == 0 else (v, a, b)
                rival = same(one, to)
                if rival >= 0:
                    empty = 0
                    if how < 4:
                        # an object for the box alone: its own number, or that of whoever has it
                        empty = rival
                        while head[empty] >= 0:
                            empty = (empty + 1) % n
                        move(rival, empty)
                        mark(empty, turn)
                    move(one, to)
                    if how >= 4:
                        move(rival, own)
                else:
                    move(one, to)
            if how > 0:
                changed = True
                mark(a, turn)
                mark(b, turn)
        for group in range(n):
            # a box that the object would be better off without
            while loose[group] == 1:
                loose[group] = 0
                worst, least_pull = -1, -GAIN
                other = head[group]
                while other >= 0:
                    if own_pull(other) < least_pull - GAIN:
                        worst, least_pull = other, own_pull(other)
                    other = after[other]
                if worst >= 0:
                    empty = worst
                    while head[empty] >= 0:
                        empty = (empty + 1) % n
                    move(worst, empty)
                    loose[empty] = 0
                    loose[group] = 1
                    mark(group, turn)
                    mark(empty, turn)
                    changed = True
        if not changed:
            break
        done += 1
    return done
