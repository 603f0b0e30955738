"""kernels: samples along contours and their distances to other contours. See `contours`.

The nearest segment is found in a tree of bounding boxes over the segments in their order, which is
good because neighbours on a contour are neighbours in space. A search brings every segment
within some reach; as long as a later sample is so near to where the search stood that nothing else
can be nearer, it needs no search of its own. Which side a sample lies on is carried along in the
same way: it cannot change within a stretch shorter than the distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.kernels._jit import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["LEAF", "NEAR", "SECTORS", "add_offsets", "measure_distances"]

LEAF: Final = 4
"""Segments in a leaf of the tree."""

NEAR: Final = 24
"""Segments that one search can bring."""

SECTORS: Final = 9
"""Groups of samples: all; left, top, right, bottom; the four quadrants."""


@njit
def measure_distances(
    points_a: Floats,
    rings_a: Ints,
    shapes_a: Ints,
    points_b: Floats,
    rings_b: Ints,
    shapes_b: Ints,
    left: Ints,
    right: Ints,
    steps: Floats,
    tolerances: Floats,
    share: float,
    rooms: tuple[Floats, Floats, Floats, Floats],
    search: tuple[Ints, Ints],
    far: Floats,
    weight: Floats,
    out: Floats,
    pooled: Floats,
) -> None:
    seg_a, tree_a, seg_b, tree_b = rooms
    for k in range(left.shape[0]):
        i, j = left[k], right[k]
        na = _segments(points_a, rings_a, shapes_a[i], shapes_a[i + 1], seg_a)
        nb = _segments(points_b, rings_b, shapes_b[j], shapes_b[j + 1], seg_b)
        _grow_tree(seg_a, na, tree_a)
        _grow_tree(seg_b, nb, tree_b)
        begin = 0
        for side in range(2):
            if side == 0:
                end = _walk(
                    seg_a, na, seg_b, nb, tree_b, steps[0, k], False, search, far, weight, begin
                )
            else:
                end = _walk(
                    seg_b, nb, seg_a, na, tree_a, steps[1, k], False, search, far, weight, begin
                )
            length = total = largest = 0.0
            out[k, side, 4:] = 0.0
            for m in range(begin, end):
                length += weight[m]
                total += weight[m] * far[m]
                largest = max(largest, far[m])
                for t in range(tolerances.shape[0]):
                    if far[m] <= tolerances[t]:
                        out[k, side, 4 + t] += weight[m]
            out[k, side, 0], out[k, side, 1], out[k, side, 2] = length, total, largest
            out[k, side, 3] = _quantile(far, weight, begin, end, share * length)
            begin = end
        pooled[k] = _quantile(far, weight, 0, end, share * (out[k, 0, 0] + out[k, 1, 0]))


@njit
def add_offsets(
    points_a: Floats,
    rings_a: Ints,
    shapes_a: Ints,
    points_b: Floats,
    rings_b: Ints,
    shapes_b: Ints,
    left: Ints,
    right: Ints,
    steps: Floats,
    centre: Floats,
    window: Floats,
    rooms: tuple[Floats, Floats, Floats, Floats],
    search: tuple[Ints, Ints],
    far: Floats,
    weight: Floats,
    out: Floats,
) -> None:
    seg_a, tree_a, seg_b, tree_b = rooms
    for k in range(left.shape[0]):
        i, j = left[k], right[k]
        na = _segments(points_a, rings_a, shapes_a[i], shapes_a[i + 1], seg_a)
        nb = _segments(points_b, rings_b, shapes_b[j], shapes_b[j + 1], seg_b)
        _grow_tree(seg_b, nb, tree_b)
        _walk(seg_a, na, seg_b, nb, tree_b, steps[0, k], True, search, far, weight, 0)
        _by_sector(seg_a, na, steps[0, k], 1.0, far, centre[k], window[k], out[k, 0])
        if steps[1, k] > 0:
            _grow_tree(seg_a, na, tree_a)
            _walk(seg_b, nb, seg_a, na, tree_a, steps[1, k], True, search, far, weight, 0)
            _by_sector(seg_b, nb, steps[1, k], -1.0, far, centre[k], window[k], out[k, 1])


@njit
def _by_sector(
    seg: Floats,
    n: int,
    step: float,
    sign: float,
    far: Floats,
    centre: Floats,
    window: Floats,
    out: Floats,
) -> None:
    """Add the signed distances of a walk to the groups that its samples belong to."""
    at = 0
    for s in range(n):
        dx, dy = seg[s, 2], seg[s, 3]
        # the outward normal is (dy, -dx); a diagonal belongs to the left or the right
        if abs(dx) > abs(dy):
            side = 2 if dx > 0 else 4
        elif dy > 0:
            side = 3
        else:
            side = 1
        pieces = max(1, int(np.ceil(seg[s, 5] / step)))
        piece = seg[s, 5] / pieces
        at += 1  # the vertex
        for p in range(pieces):
            part = (p + 0.5) / pieces
            x, y = seg[s, 0] + part * dx, seg[s, 1] + part * dy
            value = sign * piece * far[at]
            at += 1
            if not (window[0] < x < window[2] and window[1] < y < window[3]):
                continue
            quadrant = 5 + (x >= centre[0]) + 2 * (y >= centre[1])
            out[0, 0] += value
            out[0, 1] += piece
            out[side, 0] += value
            out[side, 1] += piece
            out[quadrant, 0] += value
            out[quadrant, 1] += piece


@njit
def _segments(points: Floats, rings: Ints, from_ring: int, to_ring: int, seg: Floats) -> int:
    """Fill ``seg`` with x, y, dx, dy, 1 / length squared, length, and the end's x and y.

    Repeated vertices make no segment. Eight numbers fill a line of the cache.
    """
    n = 0
    for ring in range(from_ring, to_ring):
        first, last = rings[ring], rings[ring + 1]
        for k in range(first, last):
            x, y = points[k, 0], points[k, 1]
            after = k + 1 if k + 1 < last else first
            dx, dy = points[after, 0] - x, points[after, 1] - y
            square = dx * dx + dy * dy
            if square < 1e-200:
                continue
            seg[n, 0], seg[n, 1], seg[n, 2], seg[n, 3] = x, y, dx, dy
            seg[n, 4], seg[n, 5] = 1.0 / square, np.sqrt(square)
            seg[n, 6], seg[n, 7] = points[after, 0], points[after, 1]
            n += 1
    return n


@njit
def _grow_tree(seg: Floats, n: int, tree: Floats) -> None:
    """Fill ``tree`` with bounding boxes: node k is around 2 k and 2 k + 1, the root is 1."""
    leaves = (n + LEAF - 1) // LEAF
    for leaf in range(leaves):
        x1, y1, x2, y2 = np.inf, np.inf, -np.inf, -np.inf
        for s in range(LEAF * leaf, min(LEAF * leaf + LEAF, n)):
            x, y = seg[s, 0], seg[s, 1]
            u, v = seg[s, 6], seg[s, 7]
            x1, y1 = min(x1, x, u), min(y1, y, v)
            x2, y2 = max(x2, x, u), max(y2, y, v)
        node = leaves + leaf
        tree[node, 0], tree[node, 1], tree[node, 2], tree[node, 3] = x1, y1, x2, y2
    for node in range(leaves - 1, 0, -1):
        one, two = 2 * node, 2 * node + 1
        for k in range(2):
            tree[node, k] = min(tree[one, k], tree[two, k])
            tree[node, k + 2] = max(tree[one, k + 2], tree[two, k + 2])


@njit
def _square_to(seg: Floats, s: int, x: float, y: float) -> float:
    """Squared distance from a point to a segment."""
    u, v = x - seg[s, 0], y - seg[s, 1]
    along = min(1.0, max(0.0, (u * seg[s, 2] + v * seg[s, 3]) * seg[s, 4]))
    u -= along * seg[s, 2]
    v -= along * seg[s, 3]
    square: float = u * u + v * v
    return square


@njit
def _square_to_box(tree: Floats, node: int, x: float, y: float) -> float:
    """Squared distance from a point to the box of a node, 0 within it."""
    u = max(tree[node, 0] - x, 0.0, x - tree[node, 2])
    v = max(tree[node, 1] - y, 0.0, y - tree[node, 3])
    square: float = u * u + v * v
    return square


@njit
def _find(
    x: float,
    y: float,
    bound: float,
    slack: float,
    seg: Floats,
    n: int,
    tree: Floats,
    stack: Ints,
    near: Ints,
) -> tuple[int, int, float, float]:
    """Find the nearest segment, and all within ``slack`` beyond it, given a bound on its distance.

    Return how many stand in ``near``, which is the nearest, its distance, and the reach: every
    segment that is not in ``near`` is at least so far away.
    """
    leaves = (n + LEAF - 1) // LEAF
    best = bound
    reach = best + slack
    square = reach * reach
    count, nearest = 0, 0
    full = False
    stack[0] = 1
    top = 1
    while top:
        top -= 1
        node = stack[top]
        if _square_to_box(tree, node, x, y) > square:
            continue
        if node < leaves:
            one, two = 2 * node, 2 * node + 1
            to_one, to_two = _square_to_box(tree, one, x, y), _square_to_box(tree, two, x, y)
            if to_one < to_two:  # the nearer is looked at first, which may spare the other
                one, two = two, one
                to_one, to_two = to_two, to_one
            if to_one <= square:
                stack[top] = one
                top += 1
            if to_two <= square:
                stack[top] = two
                top += 1
            continue
        first = LEAF * (node - leaves)
        for s in range(first, min(first + LEAF, n)):
            d2 = _square_to(seg, s, x, y)
            if d2 > square:
                continue
            d = np.sqrt(d2)
            if d <= best:
                best, nearest = d, s
                reach = best if full else best + slack
                square = reach * reach
            if count < NEAR:
                near[count] = s
                count += 1
            elif not full:  # too many: only the nearest counts, and the next sample looks again
                full = True
                reach = best
                square = reach * reach
    if full:
        near[0] = nearest
        count = 1
    return count, nearest, best, reach


@njit
def _inside(
    x: float, y: float, nearest: int, seg: Floats, n: int, tree: Floats, stack: Ints
) -> bool:
    """Whether a point lies within, told by its nearest segment.

    Where that is nearest with its end, its side may mislead; then the edges that a ray to the right
    crosses are counted.
    """
    u, v = x - seg[nearest, 0], y - seg[nearest, 1]
    dx, dy = seg[nearest, 2], seg[nearest, 3]
    if 0 < (u * dx + v * dy) * seg[nearest, 4] < 1:
        on_the_left: bool = dx * v > dy * u
        return on_the_left
    leaves = (n + LEAF - 1) // LEAF
    turns = 0
    stack[0] = 1
    top = 1
    while top:
        top -= 1
        node = stack[top]
        if tree[node, 1] > y or tree[node, 3] < y or tree[node, 2] < x:
            continue
        if node < leaves:
            stack[top], stack[top + 1] = 2 * node, 2 * node + 1
            top += 2
            continue
        first = LEAF * (node - leaves)
        for s in range(first, min(first + LEAF, n)):
            # the ends as they were given: of two segments that meet, one alone may count
            if (seg[s, 1] <= y) == (seg[s, 7] <= y):
                continue
            across = seg[s, 2] * (y - seg[s, 1]) - seg[s, 3] * (x - seg[s, 0])
            if (across > 0) == (seg[s, 3] > 0):
                turns += 1 if seg[s, 3] > 0 else -1
    return turns != 0


@njit
def _walk(
    seg: Floats,
    n: int,
    other: Floats,
    n_other: int,
    tree: Floats,
    step: float,
    signed: bool,  # noqa: FBT001 - a kernel takes positional arguments
    search: tuple[Ints, Ints],
    far: Floats,
    weight: Floats,
    at: int,
) -> int:
    """Fill ``far`` and ``weight`` from position ``at`` on with the samples; return the end."""
    stack, near = search
    near[0] = 0
    count = 1
    from_x, from_y, reach = 0.0, 0.0, -1.0
    last_x, last_y, last = 0.0, 0.0, -1.0
    sign = 1.0
    nearest = 0
    slack = 4.0 * step
    for s in range(n):
        length = seg[s, 5]
        pieces = max(1, int(np.ceil(length / step)))
        piece = length / pieces
        for p in range(-1, pieces):
            part = 0.0 if p < 0 else (p + 0.5) / pieces
            x, y = seg[s, 0] + part * seg[s, 2], seg[s, 1] + part * seg[s, 3]
            square = np.inf
            for m in range(count):
                one = _square_to(other, near[m], x, y)
                if one < square:
                    square, nearest = one, near[m]
            d = np.sqrt(square)
            u, v = x - from_x, y - from_y
            spare = reach - d
            if spare < 0 or u * u + v * v > spare * spare:
                count, nearest, d, reach = _find(x, y, d, slack, other, n_other, tree, stack, near)
                from_x, from_y = x, y
                # a wide search serves many samples, where it does not bring too much
                if reach <= d:
                    slack *= 0.5
                elif 4 * count < NEAR:
                    slack = min(2.0 * slack, 4.0 * step + 0.25 * d)
            if signed:
                u, v = x - last_x, y - last_y
                if last < 0 or u * u + v * v >= last * last:
                    sign = 1.0 if _inside(x, y, nearest, other, n_other, tree, stack) else -1.0
                last_x, last_y, last = x, y, d
                far[at] = sign * d
            else:
                far[at] = d
            weight[at] = 0.0 if p < 0 else piece
            at += 1
    return at


@njit
def _quantile(values: Floats, weight: Floats, begin: int, end: int, wanted: float) -> float:
    """Return the smallest value up to which the weights reach ``wanted``; reorders both arrays."""
    wanted *= 1 - 1e-12  # sums in another order end elsewhere in the last digits
    lo, hi = begin, end - 1
    below = 0.0
    while lo < hi:
        first, middle, last = values[lo], values[(lo + hi) // 2], values[hi]
        pivot = max(min(first, middle), min(max(first, middle), last))
        i, j = lo, hi
        mass = 0.0
        while i <= j:
            while values[i] < pivot:
                mass += weight[i]
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                weight[i], weight[j] = weight[j], weight[i]
                mass += weight[i]
                i += 1
                j -= 1
        # lo..i-1 is at most the pivot, and weighs mass; j+1..hi is at least the pivot
        if below + mass >= wanted:
            hi = i - 1
        else:
            below += mass
            lo = i
    found: float = values[lo]
    return found
