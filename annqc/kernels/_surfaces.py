"""The compiled part of the distances between borders, and of signed contour offsets.

Border pixels come column by column, so the nearest one is looked for in the column of the query,
then in the columns beside it, and no further than the best distance so far. That is exact, needs no
distance transform and no memory but the border pixels themselves.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from annqc.kernels._jit import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Places = npt.NDArray[np.int32]
    Bytes = npt.NDArray[np.uint8]

__all__ = ["distances", "offset_sums"]


@njit
def _index(x: Places, begin: int, end: int) -> Ints:
    """Say where each column begins, from the first that has a border pixel to the last."""
    if begin == end:
        return np.zeros(1, np.int64)
    left = x[begin]
    first = np.empty(x[end - 1] - left + 2, np.int64)
    column = -1
    for k in range(begin, end):
        while column < x[k] - left:
            column += 1
            first[column] = k
    first[column + 1] = end
    return first


@njit
def _nearest(
    x: int, y: int, ys: Places, left: int, first: Ints, step_x: float, step_y: float
) -> float:
    """Return the squared distance to the nearest of the border pixels of one mask."""
    best = np.inf
    columns = first.shape[0] - 1
    at = x - left
    away = max(-at, at - columns + 1, 0)
    last = max(at, columns - 1 - at)
    while away <= last:
        across = (away * step_x) * (away * step_x)
        if across >= best:
            break
        for side in range(2 if away else 1):
            column = at - away if side else at + away
            if column < 0 or column >= columns:
                continue
            low, high = first[column], first[column + 1]
            if low == high:
                continue
            while high - low > 8:
                middle = (low + high) >> 1
                if ys[middle] <= y:
                    low = middle
                else:
                    high = middle + 1
            gap = abs(ys[low] - y)
            for k in range(low + 1, high):
                gap = min(gap, abs(ys[k] - y))
            best = min(best, across + (gap * step_y) * (gap * step_y))
        away += 1
    return best


@njit
def _select(values: Floats, weights: Floats, n: int, target: float) -> float:
    """Return the least value below or at which weights add up to ``target``. Orders in place."""
    low, high = 0, n
    while high - low > 1:
        one, two, three = values[low], values[(low + high) >> 1], values[high - 1]
        pivot = max(min(one, two), min(max(one, two), three))
        below = equal = 0.0
        i, j, k = low, low, high
        while j < k:  # smaller ones to the left of i, larger ones from k on
            value, weight = values[j], weights[j]
            if value < pivot:
                values[j], weights[j] = values[i], weights[i]
                values[i], weights[i] = value, weight
                below += weight
                i += 1
                j += 1
            elif value > pivot:
                k -= 1
                values[j], weights[j] = values[k], weights[k]
                values[k], weights[k] = value, weight
            else:
                equal += weight
                j += 1
        if target <= below:
            high = i
        elif target <= below + equal or k == high:
            return float(pivot)
        else:
            target -= below + equal
            low = k
    return float(values[low])


@njit
def _quantile(values: Floats, weights: Floats, n: int, share: float, total: float) -> float:
    """Return the quantile of squared values as that of their roots.

    ``total`` above zero: the least value that so much of the weight reaches. Else the weights are
    ones, and the quantile lies between two values as `numpy.percentile` has it.
    """
    if n == 0:
        return float(np.nan)
    if total > 0:
        # a hair less, so that rounding does not keep the weight from reaching what it equals
        return sqrt(_select(values, weights, n, share * total * (1 - 1e-9)))
    place = (n - 1) * share
    whole = int(place)
    squared = _select(values, weights, n, whole + 1.0)
    reached, above = 0, np.inf
    for k in range(n):
        if values[k] <= squared:
            reached += 1
        else:
            above = min(above, values[k])
    low = sqrt(squared)
    if whole + 1 == n or reached >= whole + 2:
        return low
    part, high = place - whole, sqrt(above)
    if part < 0.5:
        return low + (high - low) * part
    return high - (high - low) * (1 - part)


@njit
def distances(
    starts_a: Ints,
    x_a: Places,
    y_a: Places,
    code_a: Bytes,
    starts_b: Ints,
    x_b: Places,
    y_b: Places,
    code_b: Bytes,
    rows_a: Ints,
    rows_b: Ints,
    step_x: float,
    step_y: float,
    tolerance: float,
    share: float,
    pooled: int,
    lengths: Floats,
    weighted: int,
    out: Floats,
) -> None:
    """Sum up the distances from each border to the other, for every pair.

    ``out`` has, of either direction, the weight, the sum of distances, the largest, the quantile
    and the weight within the tolerance; then the quantile of both directions together.
    """
    room = np.empty(0)
    heavy = np.empty(0)
    for i in range(rows_a.shape[0]):
        begin_a, end_a = starts_a[rows_a[i]], starts_a[rows_a[i] + 1]
        begin_b, end_b = starts_b[rows_b[i]], starts_b[rows_b[i] + 1]
        n_a, n_b = end_a - begin_a, end_b - begin_b
        if n_a + n_b > room.shape[0]:
            room, heavy = np.empty(2 * (n_a + n_b)), np.empty(2 * (n_a + n_b))
        for side in range(2):
            if side == 0:
                begin, end, xs, ys, codes = begin_a, end_a, x_a, y_a, code_a
                other, other_end, other_xs, other_ys = begin_b, end_b, x_b, y_b
            else:
                begin, end, xs, ys, codes = begin_b, end_b, x_b, y_b, code_b
                other, other_end, other_xs, other_ys = begin_a, end_a, x_a, y_a
            first = _index(other_xs, other, other_end)
            left = other_xs[other] if other < other_end else 0
            at = n_a if side and pooled else 0
            weight = total = near = largest = 0.0
            for k in range(begin, end):
                squared = _nearest(xs[k], ys[k], other_ys, left, first, step_x, step_y)
                distance, length = sqrt(squared), lengths[codes[k]]
                room[at], heavy[at] = squared, length
                at += 1
                weight += length
                total += length * distance
                largest = max(largest, squared)
                near += length if distance <= tolerance else 0.0
            out[i, 5 * side], out[i, 5 * side + 1] = weight, total
            out[i, 5 * side + 2], out[i, 5 * side + 4] = sqrt(largest), near
            out[i, 5 * side + 3] = np.nan
            if not pooled:
                out[i, 5 * side + 3] = _quantile(
                    room, heavy, end - begin, share, weight if weighted else 0.0
                )
        out[i, 10] = np.nan
        if pooled:
            weight = out[i, 0] + out[i, 5] if weighted else 0.0
            out[i, 10] = _quantile(room, heavy, n_a + n_b, share, weight)


@njit
def _signed(
    x: int,
    y: int,
    inner: Places,
    inner_left: int,
    inner_first: Ints,
    outer: Places,
    outer_left: int,
    outer_first: Ints,
) -> float:
    """Return the distance to the outline: of pixel centres, less half a pixel, positive inside.

    ``inner`` lists the object's own border pixels, ``outer`` those just outside. From within the
    object its own border is the nearer of the two, from outside the other one is.
    """
    own = _nearest(x, y, inner, inner_left, inner_first, 1.0, 1.0)
    free = _nearest(x, y, outer, outer_left, outer_first, 1.0, 1.0)
    if own < free:
        return sqrt(free) - 0.5
    return 0.5 - sqrt(own)


@njit
def _listed(x: int, y: int, ys: Places, left: int, first: Ints) -> bool:
    """Whether a pixel is among the border pixels of one mask."""
    column = x - left
    if column < 0 or column >= first.shape[0] - 1:
        return False
    low, high = first[column], first[column + 1]
    while low < high:
        middle = (low + high) >> 1
        if ys[middle] < y:
            low = middle + 1
        else:
            high = middle
    return bool(low < first[column + 1] and ys[low] == y)


@njit
def offset_sums(
    starts: Ints,
    xs: Places,
    ys: Places,
    facing: Bytes,
    centres: Floats,
    closed_starts: Ints,
    closed_x: Places,
    closed_y: Places,
    inner_starts: Ints,
    inner_x: Places,
    inner_y: Places,
    outer_starts: Ints,
    outer_x: Places,
    outer_y: Places,
    canvas: Ints,
    full: npt.NDArray[np.bool_],
    rows_a: Ints,
    rows_b: Ints,
    sums: Floats,
    counts: Ints,
) -> None:
    """Sum up the signed offsets at the border pixels of the reference, for every pair.

    Columns of ``sums`` and ``counts``: all, left, top, right, bottom, then the quarters top left,
    top right, bottom right, bottom left. The last of ``counts`` is the pixels left out, because
    the candidate has no outline that they could be compared with.
    """
    for i in range(rows_a.shape[0]):
        a, b = rows_a[i], rows_b[i]
        height, width = canvas[b, 0], canvas[b, 1]
        inner, outer, closed = inner_starts[b], outer_starts[b], closed_starts[a]
        bare = inner == inner_starts[b + 1]
        inner_first = _index(inner_x, inner, inner_starts[b + 1])
        outer_first = _index(outer_x, outer, outer_starts[b + 1])
        closed_first = _index(closed_x, closed, closed_starts[a + 1])
        sums[i, :] = 0.0
        counts[i, :] = 0
        for k in range(starts[a], starts[a + 1]):
            x, y = xs[k], ys[k]
            if not bare:
                signed = _signed(
                    x, y, inner_y, inner_x[inner], inner_first, outer_y, outer_x[outer], outer_first
                )
            else:
                signed = np.inf if full[b] else -np.inf
            for side in range(4):
                # the canvas ends a candidate where it does not end the reference
                if side < 2:
                    gap, foot_x, foot_y = (x + 1, 0, y) if side else (width - x, width - 1, y)
                else:
                    gap, foot_x, foot_y = (
                        (y + 1, x, 0) if side == 2 else (height - y, x, height - 1)
                    )
                if gap - 0.5 < signed and not _listed(
                    foot_x, foot_y, closed_y, closed_x[closed], closed_first
                ):
                    signed = gap - 0.5
            if np.isinf(signed):
                counts[i, 9] += 1
                continue
            offset = signed - 0.5
            below, beyond = y + 0.5 >= centres[a, 1], x + 0.5 >= centres[a, 0]
            quarter = (7 if beyond else 8) if below else (6 if beyond else 5)
            sums[i, 0] += offset
            counts[i, 0] += 1
            sums[i, quarter] += offset
            counts[i, quarter] += 1
            if facing[k]:
                sums[i, facing[k]] += offset
                counts[i, facing[k]] += 1
