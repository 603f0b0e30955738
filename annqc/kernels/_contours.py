"""kernels: samples along contours and their distances to other contours. See `contours`.

The nearest segment is found in a tree of square cells, each divided into four where many segments
pass through it, as long as there is room: so a jagged outline whose segments lie side by side costs
little more than a smooth one, and memory grows with the segments alone. A cell knows the winding
number at its middle. A search brings every segment within some reach; as long as a later sample is
so near to where the search stood that nothing else can be nearer, it needs no search of its own.
Which side a sample lies on is carried along in the same way: it cannot change within a stretch
shorter than the distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.kernels._jit import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Places = npt.NDArray[np.int32]
    Tree = tuple[Floats, Places, Places]

__all__ = ["NEAR", "SECTORS", "add_chords", "add_offsets", "measure_distances"]

CROWDED: Final = 32
"""A cell with more segments than this is divided."""

FINEST: Final = 2.0**-20
"""Cells that are narrower than this share of the whole are not divided."""

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
    rooms: tuple[Floats, Tree, Floats, Tree],
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
        _grow_tree(seg_a, na, False, tree_a)
        _grow_tree(seg_b, nb, False, tree_b)
        begin = 0
        for side in range(2):
            if side == 0:
                end = _walk(
                    seg_a, na, seg_b, tree_b, steps[0, k], False, search, far, weight, begin
                )
            else:
                end = _walk(
                    seg_b, nb, seg_a, tree_a, steps[1, k], False, search, far, weight, begin
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
    rooms: tuple[Floats, Tree, Floats, Tree],
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
        _grow_tree(seg_b, nb, True, tree_b)
        _walk(seg_a, na, seg_b, tree_b, steps[0, k], True, search, far, weight, 0)
        _by_sector(seg_a, na, steps[0, k], 1.0, far, centre[k], window[k], out[k, 0])
        if steps[1, k] > 0:
            _grow_tree(seg_a, na, True, tree_a)
            _walk(seg_b, nb, seg_a, tree_a, steps[1, k], True, search, far, weight, 0)
            _by_sector(seg_b, nb, steps[1, k], -1.0, far, centre[k], window[k], out[k, 1])


@njit
def add_chords(
    points_a: Floats,
    rings_a: Ints,
    shapes_a: Ints,
    points_b: Floats,
    rings_b: Ints,
    shapes_b: Ints,
    left: Ints,
    right: Ints,
    rooms: tuple[Floats, Tree, Floats, Tree],
    search: tuple[Ints, Ints],
    far: Floats,
    weight: Floats,
    out: Floats,
) -> None:
    seg_a, tree_a, seg_b, _ = rooms
    for k in range(left.shape[0]):
        i, j = left[k], right[k]
        na = _segments(points_a, rings_a, shapes_a[i], shapes_a[i + 1], seg_a)
        nb = _segments(points_b, rings_b, shapes_b[j], shapes_b[j + 1], seg_b)
        _grow_tree(seg_a, na, True, tree_a)
        longest = 0.0
        for s in range(nb):
            longest = max(longest, seg_b[s, 5])
        # of each segment its first vertex and its middle, and nothing between
        _walk(seg_b, nb, seg_a, tree_a, longest, True, search, far, weight, 0)
        first = 0
        for s in range(nb):
            after = s + 1
            # a ring ends where it began, and so may a loop of it, which is as good
            if after == nb or (seg_b[s, 6] == seg_b[first, 0] and seg_b[s, 7] == seg_b[first, 1]):
                after = first
                first = s + 1
            bow = 0.5 * (far[2 * s] + far[2 * after]) - far[2 * s + 1]
            out[k, 0] += seg_b[s, 5] * bow
            out[k, 1] += seg_b[s, 5] * abs(bow)
            out[k, 2] += seg_b[s, 5]


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
def _grow_tree(seg: Floats, n: int, signed: bool, tree: Tree) -> None:  # noqa: FBT001
    """Divide the square around the segments, level by level, where it is crowded and room is left.

    ``signed`` tells whether the winding numbers at the middles are wanted.
    """
    cells, links, listed = tree
    x1, y1, x2, y2 = np.inf, np.inf, -np.inf, -np.inf
    for s in range(n):
        x1, y1 = min(x1, seg[s, 0]), min(y1, seg[s, 1])
        x2, y2 = max(x2, seg[s, 0]), max(y2, seg[s, 1])
        listed[s] = s
    cells[0, 0], cells[0, 1], cells[0, 2], cells[0, 3] = x1, y1, x2, y2
    size = max(x2 - x1, y2 - y1)
    # odd shares, so that the middle of no cell lies on a grid that vertices may lie on
    x1, y1, size = x1 - 0.00371 * size, y1 - 0.00293 * size, 1.00837 * size
    x, y, half = x1 + 0.5 * size, y1 + 0.5 * size, 0.5 * size
    cells[0, 4], cells[0, 5], cells[0, 6] = x, y, half
    links[0, 0], links[0, 1], links[0, 2], links[0, 3] = 0, 0, n, 0
    links[0, 4] = _turns(seg, listed, 0, n, x, y, x1, y1) if signed else 0
    hair, finest = 1e-9 * size, size * FINEST
    made, filled, k = 1, n, 0
    while k < made:
        begin, end = links[k, 1], links[k, 2]
        x, y, half = cells[k, 4], cells[k, 5], 0.5 * cells[k, 6]
        count = end - begin
        if (
            count > CROWDED
            and half > finest
            and made + 4 <= cells.shape[0]
            and filled + 4 * count <= listed.shape[0]
        ):
            links[k, 0] = made
            for c in range(4):
                u, v = x + half if c & 1 else x - half, y + half if c & 2 else y - half
                cells[made, 4], cells[made, 5], cells[made, 6] = u, v, half
                links[made, 0], links[made, 1], links[made, 3] = 0, filled, k
                filled = _within(seg, listed, begin, end, cells, made, hair, filled)
                links[made, 2] = filled
                if signed:
                    links[made, 4] = links[k, 4] + _turns(seg, listed, begin, end, u, v, x, y)
                made += 1
        k += 1


@njit
def _within(
    seg: Floats,
    listed: Places,
    begin: int,
    end: int,
    cells: Floats,
    k: int,
    hair: float,
    filled: int,
) -> int:
    """List those of some segments that pass through a cell; return where the list ends."""
    x1, y1, x2, y2 = np.inf, np.inf, -np.inf, -np.inf
    x, y, reach = cells[k, 4], cells[k, 5], cells[k, 6] + hair
    for e in range(begin, end):
        s = listed[e]
        dx, dy = seg[s, 2], seg[s, 3]
        u, v = seg[s, 0] - x, seg[s, 1] - y
        w, z = seg[s, 6] - x, seg[s, 7] - y
        left, right, top, bottom = min(u, w), max(u, w), min(v, z), max(v, z)
        if left > reach or right < -reach or top > reach or bottom < -reach:
            continue
        if abs(dx * v - dy * u) <= reach * (abs(dx) + abs(dy)):
            listed[filled] = s
            filled += 1
            x1, y1, x2, y2 = min(x1, left), min(y1, top), max(x2, right), max(y2, bottom)
    cells[k, 0], cells[k, 1] = x + max(x1, -reach), y + max(y1, -reach)
    cells[k, 2], cells[k, 3] = x + min(x2, reach), y + min(y2, reach)
    return filled


@njit
def _turns(
    seg: Floats, listed: Places, begin: int, end: int, x: float, y: float, to_x: float, to_y: float
) -> int:
    """Return the winding number at one point less that at another, by the segments between them."""
    u, v = to_x - x, to_y - y
    turns = 0
    for e in range(begin, end):
        s = listed[e]
        # the ends as they were given: of two segments that meet, one alone may count
        one = u * (seg[s, 1] - y) - v * (seg[s, 0] - x) > 0
        two = u * (seg[s, 7] - y) - v * (seg[s, 6] - x) > 0
        if one == two:
            continue
        near = seg[s, 2] * (y - seg[s, 1]) - seg[s, 3] * (x - seg[s, 0]) > 0
        far = seg[s, 2] * (to_y - seg[s, 1]) - seg[s, 3] * (to_x - seg[s, 0]) > 0
        if near != far:
            turns += 1 if two else -1
    return turns


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
def _square_to_cell(cells: Floats, k: int, x: float, y: float) -> float:
    """Squared distance from a point to a cell, 0 within it."""
    u = max(cells[k, 0] - x, 0.0, x - cells[k, 2])
    v = max(cells[k, 1] - y, 0.0, y - cells[k, 3])
    square: float = u * u + v * v
    return square


@njit
def _leaf(x: float, y: float, tree: Tree) -> int:
    """Return the undivided cell that a point lies in, -1 beyond all."""
    cells, links, _ = tree
    if abs(x - cells[0, 4]) > cells[0, 6] or abs(y - cells[0, 5]) > cells[0, 6]:
        return -1
    k = 0
    while links[k, 0]:
        k = links[k, 0] + (x >= cells[k, 4]) + 2 * (y >= cells[k, 5])
    return k


@njit
def _find(
    x: float, y: float, bound: float, slack: float, seg: Floats, tree: Tree, stack: Ints, near: Ints
) -> tuple[int, int, float, float]:
    """Find the nearest segment, and all within ``slack`` beyond it, given a bound on its distance.

    Return how many stand in ``near``, which is the nearest, its distance, and the reach: every
    segment that is not in ``near`` is at least so far away.
    """
    cells, links, listed = tree
    best = bound
    reach = best + slack
    square = reach * reach * (1 + 1e-12)  # what the bound was taken from must pass
    count, nearest = 0, 0
    full = False
    # the cell of the point comes first, then what is left of the smallest around all that is near
    own = _leaf(x, y, tree)
    stack[0] = max(own, 0)
    top = 1
    looked = own < 0
    done = -1
    while True:
        if top == 0:
            if looked:
                break
            looked = True
            k = done = own
            while k and max(abs(x - cells[k, 4]), abs(y - cells[k, 5])) + reach > cells[k, 6]:
                k = links[k, 3]
            if k == own:
                break
            stack[0] = k
            top = 1
        top -= 1
        k = stack[top]
        if k == done or _square_to_cell(cells, k, x, y) > square:
            continue
        first = links[k, 0]
        if first:
            quarter = (x >= cells[k, 4]) + 2 * (y >= cells[k, 5])
            for c in (3, 1, 2, 0):  # the nearest is looked at first, which may spare the others
                k = first + (quarter ^ c)
                if links[k, 1] < links[k, 2] and _square_to_cell(cells, k, x, y) <= square:
                    stack[top] = k
                    top += 1
            continue
        for e in range(links[k, 1], links[k, 2]):
            s = listed[e]
            d2 = _square_to(seg, s, x, y)
            if d2 > square:
                continue
            d = np.sqrt(d2)
            if d <= best:
                best, nearest = d, s
                reach = best if full else best + slack
                square = reach * reach
            if full:
                continue
            known = False
            for m in range(count):  # it may pass through many cells
                known = known or near[m] == s
            if known:
                continue
            if count < NEAR:
                near[count] = s
                count += 1
            else:  # too many: only the nearest counts, and the next sample looks again
                full = True
                reach = best
                square = reach * reach
    if full:
        near[0] = nearest
        count = 1
    return count, nearest, best, reach


@njit
def _inside(x: float, y: float, nearest: int, seg: Floats, tree: Tree) -> bool:
    """Whether a point lies within, told by its nearest segment.

    Where that is nearest with its end, its side may mislead; then it is told by what lies between
    the point and the middle of its cell, whose winding number is known.
    """
    u, v = x - seg[nearest, 0], y - seg[nearest, 1]
    dx, dy = seg[nearest, 2], seg[nearest, 3]
    if 0 < (u * dx + v * dy) * seg[nearest, 4] < 1:
        on_the_left: bool = dx * v > dy * u
        return on_the_left
    k = _leaf(x, y, tree)
    if k < 0:
        return False
    cells, links, listed = tree
    begin, end = links[k, 1], links[k, 2]
    turns = links[k, 4] + _turns(seg, listed, begin, end, x, y, cells[k, 4], cells[k, 5])
    return bool(turns != 0)


@njit
def _walk(
    seg: Floats,
    n: int,
    other: Floats,
    tree: Tree,
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
                # a wide search serves many samples, where it does not bring too much; one that
                # would not even serve the next looks for the nearest alone
                wide = slack if slack >= piece else 0.0
                count, nearest, d, reach = _find(x, y, d, wide, other, tree, stack, near)
                from_x, from_y = x, y
                if wide == 0.0:
                    slack *= 1.1
                elif reach <= d:
                    slack *= 0.5
                elif 4 * count < NEAR:
                    slack = min(2.0 * slack, 4.0 * step + 0.25 * d)
            if signed:
                u, v = x - last_x, y - last_y
                if last < 0 or u * u + v * v >= last * last:
                    sign = 1.0 if _inside(x, y, nearest, other, tree) else -1.0
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
