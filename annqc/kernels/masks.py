"""Masks as run lengths: areas, shared pixels, boundary bands and border pixels.

A set of masks is ``(runs, offsets)``: COCO run lengths laid end to end, column by column within a
mask, the first run of zeros. Areas and shared pixels have a numpy path that works through all pairs
at once; what looks at neighbours runs compiled only, and `annqc.geometry.mask_pairs` has OpenCV and
scipy for small inputs. Counts are integers, so every path gives the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.kernels import _masks
from annqc.kernels._jit import Engine, compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = [
    "BORDER_RULES",
    "Borders",
    "areas",
    "band_counts",
    "borders",
    "centroids",
    "intersections",
]

CHUNK: Final = 1 << 17
"""Runs looked at in one go by the numpy path."""

SAVED_PER_RUN: Final = 2e-8
"""Seconds that the compiled path saves on a run of one pair, measured."""

BORDER_RULES: Final = ("eight", "four", "corners", "four within", "free within")
"""How `borders` can draw the line; their numbers are the kernel's."""


class Borders(NamedTuple):
    """The border pixels (or corners) of some masks, each mask's column by column.

    Attributes
    ----------
    starts : (n + 1,) int64
        Where each mask begins, and the end.
    x, y : (m,) int32
        Column and row of a pixel; of a corner, those of the pixel to its lower right.
    code : (m,) uint8
        Of a corner: 8 top left + 4 top right + 2 bottom left + 1 bottom right pixel. Else 0.
    """

    starts: Ints
    x: npt.NDArray[np.int32]
    y: npt.NDArray[np.int32]
    code: npt.NDArray[np.uint8]


def areas(runs: Ints, offsets: Ints, rows: Ints, *, engine: Engine = "auto") -> tuple[Ints, Ints]:
    """Count the pixels of some masks, and those of the canvas that their runs cover.

    Parameters
    ----------
    runs : (q,) int64
        Run lengths of all masks.
    offsets : (n + 1,) int64
        Where each mask begins in ``runs``, and the end.
    rows : (m,) int64
        Which masks.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    ones : (m,) int64
        Pixels of the mask; 0 where there is none.
    pixels : (m,) int64
        Pixels that are covered by its runs, -1 where a run is negative.

    Examples
    --------
    >>> ones, pixels = areas(np.array([2, 3, 1, 0, 6]), np.array([0, 3, 5]), np.array([1, 0]))
    >>> ones.tolist(), pixels.tolist()
    ([6, 3], [6, 6])
    """
    lengths = offsets[rows + 1] - offsets[rows]
    if compiled(engine, saved_seconds=float(lengths.sum()) * SAVED_PER_RUN):
        ones, pixels = np.empty(len(rows), dtype=np.int64), np.empty(len(rows), dtype=np.int64)
        _masks.areas(runs, offsets, rows, ones, pixels)
        return ones, pixels
    chosen = _gathered(runs, offsets, rows)
    new = np.concatenate([[0], np.cumsum(lengths)])
    ones, pixels, negative = (
        np.diff(np.concatenate([[0], np.cumsum(values)])[new])
        for values in (
            np.where(chosen.ones, chosen.length, 0),
            chosen.length,
            (chosen.length < 0).astype(np.int64),
        )
    )
    return ones, np.where(negative > 0, -1, pixels)


def intersections(
    runs_a: Ints,
    offsets_a: Ints,
    runs_b: Ints,
    offsets_b: Ints,
    rows_a: Ints,
    rows_b: Ints,
    *,
    engine: Engine = "auto",
) -> Ints:
    """Count the pixels that paired masks share. Both of a pair must stand on the same canvas.

    Parameters
    ----------
    runs_a, offsets_a, runs_b, offsets_b : int64 arrays
        The masks of both sides.
    rows_a, rows_b : (m,) int64
        Pair i is mask ``rows_a[i]`` of one side and mask ``rows_b[i]`` of the other.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    (m,) int64
        Shared pixels.

    Examples
    --------
    >>> a, b = np.array([2, 3, 1]), np.array([0, 4, 2])
    >>> whole, first = np.array([0, 3]), np.array([0])
    >>> intersections(a, whole, b, whole, first, first).tolist()
    [2]
    """
    lengths = np.diff(offsets_a)[rows_a] + np.diff(offsets_b)[rows_b]
    total = np.cumsum(lengths)
    n_runs = int(total[-1]) if len(total) else 0
    out = np.zeros(len(rows_a), dtype=np.int64)
    if compiled(engine, saved_seconds=n_runs * SAVED_PER_RUN):
        _masks.intersections(runs_a, offsets_a, runs_b, offsets_b, rows_a, rows_b, out)
        return out
    cuts = np.searchsorted(total, np.arange(CHUNK, n_runs + CHUNK, CHUNK)) + 1
    start = 0
    for stop in np.minimum(np.unique(cuts), len(out)).tolist():
        if stop > start:
            piece = slice(start, stop)
            one = _gathered(runs_a, offsets_a, rows_a[piece])
            two = _gathered(runs_b, offsets_b, rows_b[piece])
            out[piece] = _shared(one, two, stop - start)
        start = stop
    return out


class _Gathered(NamedTuple):
    """Runs of chosen masks: which choice each belongs to, its start, its length, ones or zeros."""

    owner: Ints
    start: Ints
    length: Ints
    ones: npt.NDArray[np.bool_]


def _of_ones(runs: Ints, offsets: Ints) -> npt.NDArray[np.bool_]:
    """Say which runs are of ones: every second of each mask."""
    number = np.arange(len(runs)) - np.repeat(offsets[:-1], np.diff(offsets))
    odd: npt.NDArray[np.bool_] = (number & 1).astype(np.bool_)
    return odd


def _gathered(runs: Ints, offsets: Ints, rows: Ints) -> _Gathered:
    lengths = np.diff(offsets)[rows]
    new = np.concatenate([[0], np.cumsum(lengths)])
    owner = np.repeat(np.arange(len(rows)), lengths)
    length = runs[np.arange(new[-1]) + (offsets[rows] - new[:-1])[owner]]
    before = np.concatenate([[0], np.cumsum(length)])
    start = before[:-1] - before[new[:-1]][owner]
    return _Gathered(owner, start, length, _of_ones(length, new))


def _shared(one: _Gathered, two: _Gathered, n: int) -> Ints:
    """Sum, over the runs of ones of one side, the ones of the other below its end less its start.

    All pairs stand end to end on one line, so that one search finds every place at once.
    """
    if not len(one.start) or not len(two.start):
        return np.zeros(n, dtype=np.int64)
    span = int(max((one.start + one.length).max(), (two.start + two.length).max())) + 1
    line = two.start + two.owner * span
    ones = np.where(two.ones, two.length, 0)
    below = np.cumsum(ones) - ones
    kept = np.flatnonzero(one.ones & (one.length > 0))
    start = one.start[kept] + one.owner[kept] * span
    counted = np.zeros(len(kept), dtype=np.int64)
    for place, sign in ((start + one.length[kept], 1), (start, -1)):
        run = np.searchsorted(line, place, side="right") - 1
        within = np.minimum(place - line[run], ones[run])
        counted += sign * np.where(run >= 0, below[run] + within, 0)
    # counts stay below 2**53, so that adding them up as floats is exact
    return np.bincount(one.owner[kept], weights=counted, minlength=n).astype(np.int64)


def band_counts(
    runs_a: Ints,
    offsets_a: Ints,
    runs_b: Ints,
    offsets_b: Ints,
    rows_a: Ints,
    rows_b: Ints,
    *,
    heights: Ints,
    depths: Ints,
) -> Ints:
    """Count the pixels of the boundary bands of paired masks, always compiled.

    Parameters
    ----------
    runs_a, offsets_a, runs_b, offsets_b, rows_a, rows_b : int64 arrays
        As in `intersections`.
    heights : (m,) int64
        Height of the canvas of each pair.
    depths : (m,) int64
        A pixel is in the band where the chessboard distance to the background is at most this;
        what lies beyond the canvas is background.

    Returns
    -------
    (m, 3) int64
        Pixels in both bands, in the band of the one side, in the band of the other.

    Examples
    --------
    >>> square, whole, first = np.array([0, 25]), np.array([0, 2]), np.array([0])
    >>> band_counts(square, whole, square, whole, first, first,
    ...             heights=np.array([5]), depths=np.array([1])).tolist()
    [[16, 16, 16]]
    """
    out = np.empty((len(rows_a), 3), dtype=np.int64)
    _masks.boundary_sums(runs_a, offsets_a, runs_b, offsets_b, rows_a, rows_b, heights, depths, out)
    return out


def borders(runs: Ints, offsets: Ints, canvas: Ints, rows: Ints, *, rule: str) -> Borders:
    """List the border pixels of some masks, always compiled.

    Parameters
    ----------
    runs, offsets : int64 arrays
        The masks.
    canvas : (n, 2) int64
        Height and width of the canvas of each mask.
    rows : (m,) int64
        Which masks.
    rule : str
        One of `BORDER_RULES`: pixels with one of eight neighbours outside, or one of four, where
        what lies beyond the canvas is outside; corners of pixels whose four pixels are not alike;
        pixels with one of four neighbours within the canvas outside; the same of what the mask
        leaves free.

    Returns
    -------
    Borders
        In the order of ``rows``, column by column, from top to bottom.

    Examples
    --------
    >>> found = borders(np.array([0, 9]), np.array([0, 2]), np.array([[3, 3]]), np.array([0]),
    ...                 rule="eight")
    >>> len(found.x), (1, 1) in list(zip(found.x.tolist(), found.y.tolist()))
    (8, False)
    """
    number = BORDER_RULES.index(rule)
    starts = np.zeros(len(rows) + 1, dtype=np.int64)
    for fill in (False, True):
        found = Borders(
            starts,
            np.empty(starts[-1], dtype=np.int32),
            np.empty(starts[-1], dtype=np.int32),
            np.zeros(starts[-1], dtype=np.uint8),
        )
        _masks.borders(
            runs, offsets, canvas, rows, number, fill, starts, found.x, found.y, found.code
        )
    return found


def centroids(runs: Ints, offsets: Ints, canvas: Ints) -> Floats:
    """Find the centre of gravity of every mask, always compiled.

    Parameters
    ----------
    runs, offsets : int64 arrays
        The masks.
    canvas : (n, 2) int64
        Height and width of the canvas of each.

    Returns
    -------
    (n, 2) float64
        x and y in continuous pixels; NaN where a mask is empty.

    Examples
    --------
    >>> centroids(np.array([0, 2, 2]), np.array([0, 3]), np.array([[2, 2]])).tolist()
    [[0.5, 1.0]]
    """
    out = np.empty((len(offsets) - 1, 2))
    _masks.centroids(runs, offsets, canvas, out)
    return out
