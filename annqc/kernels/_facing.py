"""The compiled part of which way an outline faces: the slope of a smoothed signed distance.

The signed distance is wanted in small windows around border pixels only, where no distance is
larger than a window is wide. So it is made column by column, from the distances within as many
columns as can matter, and forgotten when no window needs it any more.
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

__all__ = ["sectors"]

FAR = 1 << 20
"""Squared distance of what is too far to matter."""


@njit
def _mirrored(place: int, size: int) -> int:
    """Return where a place beyond the canvas lies when the canvas is mirrored at its edges."""
    while place < 0 or place >= size:
        place = -1 - place if place < 0 else 2 * size - 1 - place
    return place


@njit
def _within(x: Places, y: Places, at: int, end: int, column: int, top: int, squared: Places) -> int:
    """Square the distance of each row to the nearest border pixel of one column.

    ``at`` is where the border pixels of this column begin, or of a later one. Returns where those
    of the next column do.
    """
    rows = squared.shape[0]
    for r in range(rows):
        squared[r] = FAR
    first = at
    while at < end and x[at] == column:
        at += 1
    for k in range(first, at):
        # half way to the neighbours above and below, the nearest border pixel is this one
        start = 0 if k == first else (y[k - 1] + y[k]) // 2 + 1 - top
        stop = rows if k == at - 1 else (y[k] + y[k + 1]) // 2 + 1 - top
        for r in range(start, stop):
            gap = r + top - y[k]
            squared[r] = min(gap * gap, FAR)
    return at


@njit
def _nearest(ring: npt.NDArray[np.int32], column: int, reach: int, best: Places) -> None:
    """Square the distance of each row of a column to the nearest border pixel around."""
    for r in range(best.shape[0]):
        best[r] = FAR
    for k in range(-reach, reach + 1):
        beside = ring[(column + k) % ring.shape[0]]
        across = np.int32(k * k)
        for r in range(best.shape[0]):
            best[r] = min(best[r], beside[r] + across)


@njit
def _slope(
    known: Floats,
    x: int,
    y: int,
    top: int,
    height: int,
    width: int,
    smooth: Floats,
    slope: Floats,
) -> tuple[float, float]:
    """Return how fast the smoothed signed distance falls to the right, and downwards."""
    size = smooth.shape[0]
    reach = size // 2
    whole = y >= reach and y + reach < height
    across = down = 0.0
    for a in range(size):
        column = known[_mirrored(x + a - reach, width) % size]
        sum_smooth = sum_slope = 0.0
        for b in range(size):
            row = y + b - reach
            value = column[(row if whole else _mirrored(row, height)) - top]
            sum_smooth += smooth[b] * value
            sum_slope += slope[b] * value
        across -= slope[a] * sum_smooth
        down -= smooth[a] * sum_slope
    return across, down


@njit
def sectors(
    inner_starts: Ints,
    inner_x: Places,
    inner_y: Places,
    outer_starts: Ints,
    outer_x: Places,
    outer_y: Places,
    canvas: Ints,
    smooth: Floats,
    slope: Floats,
    out: Bytes,
) -> None:
    """Say which way the outline faces at each border pixel: 1 left, 2 top, 3 right, 4 bottom.

    A place in a window is at most a diagonal of half the window from the border pixel in its
    middle, and one pixel more from the nearest pixel just outside.
    """
    size = smooth.shape[0]
    reach = size // 2
    far = int(sqrt(2.0) * reach + 1)
    for i in range(inner_starts.shape[0] - 1):
        begin, end = inner_starts[i], inner_starts[i + 1]
        if begin == end:
            continue
        height, width = canvas[i, 0], canvas[i, 1]
        own, free, free_end = begin, outer_starts[i], outer_starts[i + 1]
        top, bottom = height, 0
        for k in range(begin, end):
            top, bottom = min(top, inner_y[k]), max(bottom, inner_y[k] + 1)
        top, bottom = max(top - reach, 0), min(bottom + reach, height)
        rows = bottom - top
        near_own = np.full((2 * far + 1, rows), FAR, np.int32)
        near_free = np.full((2 * far + 1, rows), FAR, np.int32)
        best_own, best_free = np.empty(rows, np.int32), np.empty(rows, np.int32)
        known = np.empty((size, rows))
        made = max(inner_x[begin] - reach, 0)
        measured = made - far
        for k in range(begin, end):
            x = inner_x[k]
            while made <= min(x + reach, width - 1):
                while measured <= made + far:
                    slot = measured % (2 * far + 1)
                    own = _within(inner_x, inner_y, own, end, measured, top, near_own[slot])
                    free = _within(outer_x, outer_y, free, free_end, measured, top, near_free[slot])
                    measured += 1
                _nearest(near_own, made, far, best_own)
                _nearest(near_free, made, far, best_free)
                column = known[made % size]
                for r in range(rows):
                    if best_own[r] < best_free[r]:
                        column[r] = sqrt(best_free[r]) - 0.5
                    else:
                        column[r] = 0.5 - sqrt(best_own[r])
                made += 1
            across, down = _slope(known, x, inner_y[k], top, height, width, smooth, slope)
            steep = max(abs(across), abs(down))
            if steep < 1e-9:
                out[k] = 0
            elif abs(across) >= abs(down) * (1 - 1e-9):
                out[k] = 1 if across < 0 else 3
            else:
                out[k] = 2 if down < 0 else 4
