"""The compiled part of the work on run lengths: overlaps, boundary bands and border pixels.

Run lengths go column by column and begin with a run of zeros. For everything that looks at
neighbours a mask is cut into the pieces that lie in one column each, ``low <= y < high``; memory
grows with the runs and the width of the object, never with the canvas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.kernels._jit import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bytes = npt.NDArray[np.uint8]

__all__ = ["areas", "borders", "boundary_sums", "centroids", "intersections"]


@njit
def areas(runs: Ints, offsets: Ints, rows: Ints, out: Ints, pixels: Ints) -> None:
    """Count the pixels of chosen masks, and those of their canvas; -1 where a run is negative."""
    for i in range(rows.shape[0]):
        ones, total, least = 0, 0, 0
        for k in range(offsets[rows[i]], offsets[rows[i] + 1]):
            total += runs[k]
            least = min(least, runs[k])
        for k in range(offsets[rows[i]] + 1, offsets[rows[i] + 1], 2):
            ones += runs[k]
        out[i], pixels[i] = ones, total if least >= 0 else -1


@njit
def intersections(
    runs_a: Ints,
    offsets_a: Ints,
    runs_b: Ints,
    offsets_b: Ints,
    rows_a: Ints,
    rows_b: Ints,
    out: Ints,
) -> None:
    """Count the pixels that paired masks share: two lists of runs, merged."""
    for i in range(out.shape[0]):
        a, end_a = offsets_a[rows_a[i]] + 1, offsets_a[rows_a[i] + 1]
        b, end_b = offsets_b[rows_b[i]] + 1, offsets_b[rows_b[i] + 1]
        shared = 0
        if a < end_a and b < end_b:
            start_a, start_b = runs_a[a - 1], runs_b[b - 1]
            stop_a, stop_b = start_a + runs_a[a], start_b + runs_b[b]
            while True:
                shared += max(min(stop_a, stop_b) - max(start_a, start_b), 0)
                if stop_a <= stop_b:
                    a += 2
                    if a >= end_a:
                        break
                    start_a = stop_a + runs_a[a - 1]
                    stop_a = start_a + runs_a[a]
                else:
                    b += 2
                    if b >= end_b:
                        break
                    start_b = stop_b + runs_b[b - 1]
                    stop_b = start_b + runs_b[b]
        out[i] = shared


@njit
def _extent(runs: Ints, begin: int, end: int, height: int) -> tuple[int, int, int]:
    """Return the first and the last column of a mask, and how many pieces it may have."""
    position, left, right, pieces = 0, -1, -1, 0
    for k in range(begin, end):
        if (k - begin) & 1 and runs[k] > 0:
            if left < 0:
                left = position // height
            right = (position + runs[k] - 1) // height
            pieces += right - position // height + 1
        position += runs[k]
    return left, right, pieces


@njit
def _pieces(
    runs: Ints, begin: int, end: int, height: int, left: int, low: Ints, high: Ints, first: Ints
) -> None:
    """Cut a mask into pieces of one column each; those that touch are one.

    The pieces of column ``left + c`` are ``first[c] .. first[c + 1]``.
    """
    n, column, position = 0, -1, 0
    for k in range(begin, end):
        start, stop = position, position + runs[k]
        position = stop
        if not ((k - begin) & 1) or start == stop:
            continue
        x = start // height
        while start < stop:
            base = x * height
            limit = min(stop, base + height)
            while column < x - left:
                column += 1
                first[column] = n
            if n > first[column] and high[n - 1] == start - base:
                high[n - 1] = limit - base
            else:
                low[n], high[n] = start - base, limit - base
                n += 1
            start = limit
            x += 1
    for c in range(column + 1, first.shape[0]):
        first[c] = n


@njit
def centroids(runs: Ints, offsets: Ints, canvas: Ints, out: Floats) -> None:
    """Find the centre of gravity of every mask, x and y; NaN where it is empty."""
    for i in range(out.shape[0]):
        height = canvas[i, 0]
        position, size, sum_x, sum_y = 0, 0, 0, 0
        for k in range(offsets[i], offsets[i + 1]):
            start, stop = position, position + runs[k]
            position = stop
            if not ((k - offsets[i]) & 1):
                continue
            while start < stop:
                x, y = start // height, start % height
                rows = min(stop - start, height - y)
                size += rows
                sum_x += (2 * x + 1) * rows
                sum_y += (2 * y + rows) * rows
                start += rows
        out[i, 0] = sum_x / (2 * size) if size else np.nan
        out[i, 1] = sum_y / (2 * size) if size else np.nan


@njit
def _cut(
    runs: Ints, begin: int, end: int, height: int, width: int, margin: int
) -> tuple[int, Ints, Ints, Ints]:
    """Return the first column of a mask and its pieces, with so many empty columns around them."""
    left, right, most = _extent(runs, begin, end, height)
    low, high = np.empty(most, np.int64), np.empty(most, np.int64)
    if most == 0:
        return 0, low, high, np.zeros(1, np.int64)
    left, right = max(left - margin, 0), min(right + margin, width - 1)
    first = np.zeros(right - left + 2, np.int64)
    _pieces(runs, begin, end, height, left, low, high, first)
    return left, low, high, first


@njit
def _complement(
    low: Ints, high: Ints, first: Ints, height: int, out_low: Ints, out_high: Ints, out_first: Ints
) -> None:
    """Turn the pieces of an object into those of what it leaves free, column by column."""
    n = 0
    for c in range(first.shape[0] - 1):
        out_first[c] = n
        start = 0
        for k in range(first[c], first[c + 1]):
            if low[k] > start:
                out_low[n], out_high[n] = start, low[k]
                n += 1
            start = high[k]
        if start < height:
            out_low[n], out_high[n] = start, height
            n += 1
    out_first[first.shape[0] - 1] = n


@njit
def _advance(
    low: Ints, high: Ints, first: Ints, column: int, depth: int, top: int, counts: Ints
) -> None:
    """Step to the next column: how many columns in a row each row has been deep in the mask."""
    for y in range(counts.shape[0]):
        counts[y] = -counts[y]
    if 0 <= column < first.shape[0] - 1:
        for k in range(first[column], first[column + 1]):
            for y in range(low[k] + depth - top, high[k] - depth - top):
                counts[y] = 1 - counts[y]
    for y in range(counts.shape[0]):
        counts[y] = max(counts[y], 0)


@njit
def _band(
    low: Ints,
    high: Ints,
    first: Ints,
    column: int,
    depth: int,
    top: int,
    counts: Ints,
    band: Bytes,
) -> int:
    """Mark the pixels of one column that are within ``depth`` of the background; count them."""
    for y in range(band.shape[0]):
        band[y] = 0
    marked = 0
    if 0 <= column < first.shape[0] - 1:
        for k in range(first[column], first[column + 1]):
            for y in range(low[k] - top, high[k] - top):
                near = counts[y] <= 2 * depth
                band[y] = near
                marked += near
    return marked


@njit
def boundary_sums(
    runs_a: Ints,
    offsets_a: Ints,
    runs_b: Ints,
    offsets_b: Ints,
    rows_a: Ints,
    rows_b: Ints,
    heights: Ints,
    depths: Ints,
    out: Ints,
) -> None:
    """Count the pixels of both bands and those they share, for every pair.

    A pixel is in the band where the chessboard distance to the background, or to what lies beyond
    the canvas, is at most the depth. Three facts make it one pass over the columns: a run of rows
    shrinks at its ends; the square of side ``2 * depth + 1`` fits where the shrunk runs of as many
    columns agree; so it is enough to count, row by row, for how many columns they have agreed.
    """
    for i in range(out.shape[0]):
        a, b = rows_a[i], rows_b[i]
        height, depth = heights[i], depths[i]
        left_a, low_a, high_a, first_a = _cut(
            runs_a, offsets_a[a], offsets_a[a + 1], height, 1 << 40, 0
        )
        left_b, low_b, high_b, first_b = _cut(
            runs_b, offsets_b[b], offsets_b[b + 1], height, 1 << 40, 0
        )
        top, bottom = height, 0
        for k in range(first_a[-1]):
            top, bottom = min(top, low_a[k]), max(bottom, high_a[k])
        for k in range(first_b[-1]):
            top, bottom = min(top, low_b[k]), max(bottom, high_b[k])
        rows = max(bottom - top, 0)
        counts_a, counts_b = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
        band_a, band_b = np.empty(rows, np.uint8), np.empty(rows, np.uint8)
        end_a, end_b = left_a + first_a.shape[0] - 1, left_b + first_b.shape[0] - 1
        size_a = size_b = shared = 0
        if rows:
            left = min(left_a if end_a else left_b, left_b if end_b else left_a)
            right = max(end_a, end_b) - 1
            for x in range(left, right + depth + 1):
                _advance(low_a, high_a, first_a, x - left_a, depth, top, counts_a)
                _advance(low_b, high_b, first_b, x - left_b, depth, top, counts_b)
                at = x - depth
                if at < left:
                    continue
                size_a += _band(low_a, high_a, first_a, at - left_a, depth, top, counts_a, band_a)
                size_b += _band(low_b, high_b, first_b, at - left_b, depth, top, counts_b, band_b)
                common = 0
                for y in range(rows):
                    common += band_a[y] & band_b[y]
                shared += common
        out[i, 0], out[i, 1], out[i, 2] = shared, size_a, size_b


@njit
def _inner_border(
    low: Ints,
    high: Ints,
    first: Ints,
    left: int,
    width: int,
    height: int,
    rule: int,
    fill: int,
    x_out: npt.NDArray[np.int32],
    y_out: npt.NDArray[np.int32],
    n: int,
) -> int:
    """List the pixels that have a neighbour outside the object, column by column.

    The rules are those of `borders`. What lies beyond the canvas is outside (``closed``), or there
    is no telling; what a mask leaves free goes on beyond its first and last column (``cut``).
    """
    diagonal, closed, cut = rule == 0, rule < 3, rule == 4
    shrink = 1 if diagonal else 0
    columns = first.shape[0] - 1
    for c in range(columns):
        x = left + c
        before, end_before = (first[c - 1], first[c]) if c > 0 else (0, 0)
        after, end_after = (first[c + 1], first[c + 2]) if c + 1 < columns else (0, 0)
        no_before = (cut and c == 0) or (not closed and x == 0)
        no_after = (cut and c == columns - 1) or (not closed and x == width - 1)
        for k in range(first[c], first[c + 1]):
            y = low[k]
            inner = low[k] if not closed and low[k] == 0 else low[k] + 1
            last = high[k] if not closed and high[k] == height else high[k] - 1
            while y < high[k]:
                start, stop = max(inner, y), last
                # the next rows that have all their neighbours: where three lists agree
                while start < stop:
                    begin = start
                    if not no_before:
                        while before < end_before and (
                            _deep_stop(high[before], height, shrink, closed) <= start
                        ):
                            before += 1
                        if before == end_before:
                            start = stop
                            break
                        start = max(start, _deep_start(low[before], shrink, closed))
                    if not no_after:
                        while after < end_after and (
                            _deep_stop(high[after], height, shrink, closed) <= start
                        ):
                            after += 1
                        if after == end_after:
                            start = stop
                            break
                        start = max(start, _deep_start(low[after], shrink, closed))
                    if start == begin:
                        break
                if start < stop:
                    if not no_before:
                        stop = min(stop, _deep_stop(high[before], height, shrink, closed))
                    if not no_after:
                        stop = min(stop, _deep_stop(high[after], height, shrink, closed))
                else:
                    start = stop = high[k]
                if fill:
                    for row in range(y, start):
                        x_out[n], y_out[n] = x, row
                        n += 1
                else:
                    n += start - y
                y = stop
    return n


@njit
def _deep_start(low: int, shrink: int, closed: int) -> int:
    return low if not closed and low == 0 else low + shrink


@njit
def _deep_stop(high: int, height: int, shrink: int, closed: int) -> int:
    return high if not closed and high == height else high - shrink


@njit
def _surfels(
    low: Ints,
    high: Ints,
    first: Ints,
    left: int,
    fill: int,
    x_out: npt.NDArray[np.int32],
    y_out: npt.NDArray[np.int32],
    code_out: Bytes,
    n: int,
) -> int:
    """List the pixel corners whose four pixels are not all alike, with a code of the four.

    The code is 8 top left + 4 top right + 2 bottom left + 1 bottom right.
    """
    columns = first.shape[0] - 1
    for c in range(columns + 1):
        one, end_one = (first[c - 1], first[c]) if c > 0 else (0, 0)
        two, end_two = (first[c], first[c + 1]) if c < columns else (0, 0)
        in_one = in_two = 0
        y = 0
        while one < end_one or two < end_two:
            # the next row where one of the two columns changes
            edge_one = (high[one] if in_one else low[one]) if one < end_one else 1 << 40
            edge_two = (high[two] if in_two else low[two]) if two < end_two else 1 << 40
            edge = min(edge_one, edge_two)
            if in_one != in_two:
                if fill:
                    for row in range(y + 1, edge):
                        x_out[n], y_out[n], code_out[n] = left + c, row, 10 * in_one + 5 * in_two
                        n += 1
                else:
                    n += edge - y - 1
            code = 8 * in_one + 4 * in_two
            if edge_one == edge:
                one += in_one
                in_one = 1 - in_one
            if edge_two == edge:
                two += in_two
                in_two = 1 - in_two
            if fill:
                x_out[n], y_out[n], code_out[n] = left + c, edge, code + 2 * in_one + in_two
            n += 1
            y = edge
    return n


@njit
def borders(
    runs: Ints,
    offsets: Ints,
    canvas: Ints,
    rows: Ints,
    rule: int,
    fill: int,
    starts: Ints,
    x_out: npt.NDArray[np.int32],
    y_out: npt.NDArray[np.int32],
    code_out: Bytes,
) -> None:
    """List the border of each mask; without ``fill`` count only, into ``starts``.

    Rules: 0 eight neighbours, 1 four neighbours, 2 pixel corners, 3 four neighbours within the
    canvas, 4 the same of what the mask leaves free.
    """
    n = 0
    for i in range(rows.shape[0]):
        height, width = canvas[rows[i], 0], canvas[rows[i], 1]
        begin, end = offsets[rows[i]], offsets[rows[i] + 1]
        left, low, high, first = _cut(runs, begin, end, height, width, int(rule == 4))
        if first.shape[0] > 1:
            if rule == 2:
                n = _surfels(low, high, first, left, fill, x_out, y_out, code_out, n)
            elif rule == 4:
                most = low.shape[0] + first.shape[0]
                free_low, free_high = np.empty(most, np.int64), np.empty(most, np.int64)
                free = np.empty_like(first)
                _complement(low, high, first, height, free_low, free_high, free)
                low, high, first = free_low, free_high, free
            if rule != 2:
                n = _inner_border(
                    low, high, first, left, width, height, rule, fill, x_out, y_out, n
                )
        starts[i + 1] = n
