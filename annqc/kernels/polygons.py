"""Areas that polygons share, exactly, with no test of what lies inside what.

Rings are oriented: outer ones have a positive shoelace area, holes a negative one. Then a shape is
the signed sum of the strips under its edges: +1 for an edge that runs left, -1 for one that runs
right. So the shared area of two shapes is a double sum over their edges,

    area(A and B) = sum_a sum_b s_a s_b integral min(y_a(x), y_b(x)) dx

over the x that both edges cover. Edges that coincide or touch need no care, nor do parts and holes.
The strips begin at the lower side of the box that both shapes share, not at zero, so that little
cancels. Edges are clipped to that box; a run of edges beyond its upper side becomes one flat piece.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.kernels._jit import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["bounds_and_area", "shared_area"]


def bounds_and_area(points: Floats, ring_offsets: Ints, shape_offsets: Ints) -> Floats:
    """Return the bounding box and the signed area of each shape.

    Parameters
    ----------
    points : (p, 2) float64
        Vertices of all rings.
    ring_offsets : (r + 1,) int64
        Where each ring begins in ``points``, and the end.
    shape_offsets : (n + 1,) int64
        Where each shape begins in the rings, and the end.

    Returns
    -------
    (n, 5) float64
        ``x1, y1, x2, y2, area``; an empty box (``x1 > x2``) and area 0 for a shape of no rings.
    """
    out = np.empty((len(shape_offsets) - 1, 5))
    _bounds_and_area(points, ring_offsets, shape_offsets, out)
    return out


def shared_area(
    points_a: Floats,
    rings_a: Ints,
    shapes_a: Ints,
    facts_a: Floats,
    points_b: Floats,
    rings_b: Ints,
    shapes_b: Ints,
    facts_b: Floats,
    left: Ints,
    right: Ints,
) -> Floats:
    """Return the area that shape ``left[k]`` of A shares with shape ``right[k]`` of B.

    Parameters
    ----------
    points_a, rings_a, shapes_a : arrays
        Vertices, ring offsets and shape offsets of A.
    facts_a : (n, 5) float64
        What `bounds_and_area` says of A.
    points_b, rings_b, shapes_b, facts_b : arrays
        The same of B.
    left, right : (k,) int64
        Row numbers of the pairs.

    Returns
    -------
    (k,) float64
        Square pixels, between 0 and the smaller of the two areas.
    """
    out = np.zeros(len(left))
    if not len(left):
        return out
    most_a = _most_vertices(rings_a, shapes_a, left)
    most_b = _most_vertices(rings_b, shapes_b, right)
    most = max(most_a, most_b)
    _shared_area(
        points_a,
        rings_a,
        shapes_a,
        facts_a,
        points_b,
        rings_b,
        shapes_b,
        facts_b,
        left,
        right,
        np.empty((2 * most_a + 2, 5)),
        np.empty((2 * most_b + 2, 5)),
        np.empty((6, 2 * most + 4), np.int64),
        out,
    )
    return out


def _most_vertices(rings: Ints, shapes: Ints, rows: Ints) -> int:
    """Return the number of vertices of the largest of these shapes."""
    return int((rings[shapes[rows + 1]] - rings[shapes[rows]]).max())


@njit
def _bounds_and_area(points: Floats, rings: Ints, shapes: Ints, out: Floats) -> None:
    for shape in range(shapes.shape[0] - 1):
        x1, y1, x2, y2 = np.inf, np.inf, -np.inf, -np.inf
        area = 0.0
        for ring in range(shapes[shape], shapes[shape + 1]):
            first, last = rings[ring], rings[ring + 1]
            if last <= first:
                continue
            # measured from a vertex of the ring: far from the origin the products lose digits
            x0, y0 = points[first, 0], points[first, 1]
            u, v = points[last - 1, 0] - x0, points[last - 1, 1] - y0
            twice = 0.0
            for k in range(first, last):
                x, y = points[k, 0], points[k, 1]
                x1, y1, x2, y2 = min(x1, x), min(y1, y), max(x2, x), max(y2, y)
                x -= x0
                y -= y0
                twice += u * y - x * v
                u, v = x, y
            area += 0.5 * twice
        out[shape, 0], out[shape, 1], out[shape, 2], out[shape, 3] = x1, y1, x2, y2
        out[shape, 4] = area


@njit
def _shared_area(
    points_a: Floats,
    rings_a: Ints,
    shapes_a: Ints,
    facts_a: Floats,
    points_b: Floats,
    rings_b: Ints,
    shapes_b: Ints,
    facts_b: Floats,
    left: Ints,
    right: Ints,
    piece_a: Floats,
    piece_b: Floats,
    room: Ints,
    out: Floats,
) -> None:
    for k in range(left.shape[0]):
        i, j = left[k], right[k]
        if not np.isfinite(facts_a[i, 4] + facts_b[j, 4]):
            out[k] = np.nan
            continue
        x0, y0 = max(facts_a[i, 0], facts_b[j, 0]), max(facts_a[i, 1], facts_b[j, 1])
        width = min(facts_a[i, 2], facts_b[j, 2]) - x0
        height = min(facts_a[i, 3], facts_b[j, 3]) - y0
        if not (width > 0 and height > 0):
            continue
        from_a, to_a, from_b, to_b = shapes_a[i], shapes_a[i + 1], shapes_b[j], shapes_b[j + 1]
        n = rings_a[to_a] - rings_a[from_a] + rings_b[to_b] - rings_b[from_b]
        # bands bound the work on jagged outlines, where many edges lie above one another
        bands = max(1, int(np.sqrt(n) / 8))
        band = height / bands
        total = 0.0
        for which in range(bands):
            base = y0 + which * band
            na = _clip(points_a, rings_a, from_a, to_a, x0, base, width, band, piece_a)
            nb = _clip(points_b, rings_b, from_b, to_b, x0, base, width, band, piece_b)
            total += _double_sum(piece_a, na, piece_b, nb, width, room)
        out[k] = max(0.0, min(total, facts_a[i, 4], facts_b[j, 4]))


@njit
def _clip(
    points: Floats,
    rings: Ints,
    from_ring: int,
    to_ring: int,
    x0: float,
    y0: float,
    width: float,
    height: float,
    piece: Floats,
) -> int:
    """Fill ``piece`` with what lies under the edges within a box: x from, x to, y, slope, sign."""
    n = 0
    flat_from, flat_to = 0.0, 0.0
    for ring in range(from_ring, to_ring):
        first, last = rings[ring], rings[ring + 1]
        if last <= first:
            continue
        u, v = points[last - 1, 0] - x0, points[last - 1, 1] - y0
        for k in range(first, last):
            xa, ya = u, v
            u, v = points[k, 0] - x0, points[k, 1] - y0
            if u < xa:
                sign, xl, yl, xr, yr = 1.0, u, v, xa, ya
            else:
                sign, xl, yl, xr, yr = -1.0, xa, ya, u, v
            if xr <= 0 or xl >= width or (yl <= 0 and yr <= 0) or xr - xl < 1e-200:
                continue
            slope = (yr - yl) / (xr - xl)
            if xl < 0:
                yl -= slope * xl
                xl = 0.0
            if xr > width:
                yr -= slope * (xr - width)
                xr = width
            if yl <= 0 and yr <= 0:
                continue
            if yl > height or yr > height:
                top_l, top_r = xl, xr
                if yl < height:
                    top_l = min(xl + (height - yl) / slope, xr)
                    xr, yr = top_l, height
                elif yr < height:
                    top_r = min(xl + (height - yl) / slope, xr)
                    yl = height
                    xl = top_r
                else:
                    xl = xr
                begin, end = (top_r, top_l) if sign > 0 else (top_l, top_r)
                if begin == flat_to:
                    flat_to = end
                else:
                    n = _lay_flat(flat_from, flat_to, height, piece, n)
                    flat_from, flat_to = begin, end
            if yl < 0:
                xl = min(xl - yl / slope, xr)
                yl = 0.0
            elif yr < 0:
                xr = min(xl - yl / slope, xr)
            if xr > xl:
                piece[n, 0], piece[n, 1], piece[n, 2] = xl, xr, yl
                piece[n, 3], piece[n, 4] = slope, sign
                n += 1
    return _lay_flat(flat_from, flat_to, height, piece, n)


@njit
def _lay_flat(begin: float, end: float, height: float, piece: Floats, n: int) -> int:
    """Add the flat piece of a run of edges beyond the upper side; return the number of pieces."""
    if begin == end:
        return n
    piece[n, 0], piece[n, 1] = min(begin, end), max(begin, end)
    piece[n, 2], piece[n, 3] = height, 0.0
    piece[n, 4] = 1.0 if end < begin else -1.0
    return n + 1


@njit
def _double_sum(a: Floats, na: int, b: Floats, nb: int, width: float, room: Ints) -> float:
    """Sum over all pairs of pieces that share x: a sweep from left to right in slabs."""
    total = 0.0
    if na * nb <= 128:
        for i in range(na):
            for j in range(nb):
                total += _under_both(a, i, b, j)
        return total
    slabs = max(na, nb)
    scale = slabs / width
    order_a, order_b, active_a, active_b = room[0], room[1], room[2], room[3]
    start_a, start_b = room[4], room[5]
    _by_slab(a, na, scale, slabs, start_a, order_a)
    _by_slab(b, nb, scale, slabs, start_b, order_b)
    in_a = in_b = 0
    done_a = done_b = 0
    for slab in range(slabs):
        end_a, end_b = start_a[slab], start_b[slab]
        edge = slab / scale
        if end_b > done_b:
            in_a = _still_active(a, active_a, in_a, edge)
            for k in range(done_b, end_b):
                j = order_b[k]
                for m in range(in_a):
                    total += _under_both(a, active_a[m], b, j)
        if end_a > done_a or end_b > done_b:
            in_b = _still_active(b, active_b, in_b, edge)
        for k in range(done_b, end_b):
            active_b[in_b] = order_b[k]
            in_b += 1
        for k in range(done_a, end_a):
            i = order_a[k]
            for m in range(in_b):
                total += _under_both(a, i, b, active_b[m])
            active_a[in_a] = i
            in_a += 1
        done_a, done_b = end_a, end_b
    return total


@njit
def _by_slab(piece: Floats, n: int, scale: float, slabs: int, end: Ints, order: Ints) -> None:
    """Order pieces by the slab they begin in; afterwards ``end`` holds the end of each slab."""
    end[: slabs + 1] = 0
    for i in range(n):
        end[min(int(piece[i, 0] * scale), slabs - 1) + 1] += 1
    for slab in range(slabs):
        end[slab + 1] += end[slab]
    for i in range(n):
        slab = min(int(piece[i, 0] * scale), slabs - 1)
        order[end[slab]] = i
        end[slab] += 1


@njit
def _still_active(piece: Floats, active: Ints, n: int, edge: float) -> int:
    """Drop the pieces that end left of ``edge``; return how many stay."""
    kept = 0
    for m in range(n):
        one = active[m]
        if piece[one, 1] > edge:
            active[kept] = one
            kept += 1
    return kept


@njit
def _under_both(a: Floats, i: int, b: Floats, j: int) -> float:
    """Signed area under two pieces at once."""
    lo, hi = max(a[i, 0], b[j, 0]), min(a[i, 1], b[j, 1])
    if hi <= lo:
        return 0.0
    a0, a1 = a[i, 2] + a[i, 3] * (lo - a[i, 0]), a[i, 2] + a[i, 3] * (hi - a[i, 0])
    b0, b1 = b[j, 2] + b[j, 3] * (lo - b[j, 0]), b[j, 2] + b[j, 3] * (hi - b[j, 0])
    d0, d1 = a0 - b0, a1 - b1
    # take from a what is above b: a strip, nothing, or the triangle beside a crossing, without a
    # branch that nobody could predict
    above = max(d0, 0.0) + max(d1, 0.0)
    twice = a0 + a1 - above * above / (abs(d0) + abs(d1) + 1e-300)
    signed: float = a[i, 4] * b[j, 4] * 0.5 * twice * (hi - lo)
    return signed
