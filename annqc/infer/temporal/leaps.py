"""temporal: jumps of a box that stay, told from its coordinates alone."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.temporal.series import MAD_TO_SD, Columns, Series
from annqc.infer.temporal.steps import HALF, SPAN, Steps, gather, usual_of

if TYPE_CHECKING:
    from annqc.tables import Array, Floats

__all__ = ["TOLERANCES", "Z_LEAP", "find_leaps"]

Z_LEAP: Final = 8.0
"""A leap is this many times as large as usual differences."""
TOLERANCES: Final = 3.0
"""And larger than this many tolerances: what motion does cannot be told from it for certain."""
ROWS: Final = 100_000
"""Rows that are looked at together, for the sake of memory."""
PAIRS: Final = tuple(combinations(range(HALF), 2))


def find_leaps(
    coordinates: Array,
    frame: Array,
    starts: Array,
    *,
    tolerance: Array | float = 1.0,
    grid: float = 0.0,
    z_leap: float = Z_LEAP,
) -> Steps:
    """Find jumps of the place of a box that its motion before and after does not explain.

    Parameters
    ----------
    coordinates : (n,) or (n, k) array_like
        Without gold; NaN where not usable.
    frame : (n,) array_like of int
        Increasing inside a series.
    starts : (s + 1,) array_like of int
        Offsets of the series.
    tolerance : float, (s,) or (s, k) array_like
        In the units of the coordinates; a leap is larger than three, and usual differences count as
        in `annqc.infer.temporal.steps.find_steps`.
    grid : float
        Coordinate step in the same units: usual differences count as at least 0.75 of it.
    z_leap : float
        A leap must be larger than so many usual differences.

    Returns
    -------
    Steps
        One row an event, with the frame after the leap; ``cut`` is nowhere set.

    Notes
    -----
    The velocity around a frame is the median of the twenty slopes between the five frames before,
    and between the five from it on (Theil and Sen's, of both sides together). With the motion taken
    out, the jump is the median of those after less that of those before, held against usual jumps
    of the same track; most of it must come at once, as in `annqc.infer.temporal.steps.find_steps`.
    An object that sets off, stops or turns goes on changing and does not jump. A frame that leaps
    and comes back is no jump: the medians do not see it.

    Examples
    --------
    >>> import numpy as np
    >>> at = np.arange(100)
    >>> x = 3.0 * at + np.random.default_rng(3).normal(size=100) + 25 * (at >= 40)
    >>> found = find_leaps(x, at, [0, 100])
    >>> found.frame.tolist(), found.size.round().tolist()
    ([40], [27.0])
    """
    series = Series.of(coordinates, frame, starts)
    limit = series.spread(tolerance)
    size, z, sharp, moving = (np.full(series.values.shape, np.nan) for _ in range(4))
    rows = series.columns()
    at = _seen(rows)
    d, slope, step = _jumps(rows, at)
    row, column = rows.row[at], rows.series[at] // max(series.n_series, 1)
    mask = np.zeros(len(rows.value), dtype=bool)
    mask[at] = True
    own = (MAD_TO_SD * rows.keep(mask).median(np.abs(d)))[rows.series[at]]
    usual = usual_of(own, np.broadcast_to(limit, size.shape)[row, column], grid)
    size[row, column] = d
    with np.errstate(all="ignore"):
        height = np.abs(d) / usual
    z[row, column] = np.where(d == 0, 0.0, height)
    sharp[row, column] = np.sign(d) * step
    moving[row, column] = slope
    alarm = (z > z_leap) & (np.abs(size) > TOLERANCES * limit)
    return gather(series, size, z, sharp, alarm, velocity=moving)


def _seen(rows: Columns) -> Array:
    """Rows with five before and five from them on, in one series and without long gaps."""
    at = np.arange(HALF, len(rows.value) - HALF + 1)
    ends, begins = at + HALF - 1, at - HALF
    span = (2 * HALF - 1) * SPAN * rows.step()[rows.series[at]]
    near = rows.frame[ends] - rows.frame[begins] <= span
    return np.asarray(at[(rows.series[ends] == rows.series[begins]) & near])


def _jumps(rows: Columns, at: Array) -> tuple[Floats, Floats, Floats]:
    """Jump of the level at each row, the velocity around it, and what comes from one frame."""
    d, slope, step = (np.empty(len(at)) for _ in range(3))
    for begin in range(0, len(at), ROWS):
        part = slice(begin, begin + ROWS)
        around = at[part, None] + np.arange(-HALF, HALF)
        x, time = rows.value[around], rows.frame[around].astype(np.float64)
        speed = np.median(
            [
                (x[:, side + j] - x[:, side + i]) / (time[:, side + j] - time[:, side + i])
                for side in (0, HALF)
                for i, j in PAIRS
            ],
            axis=0,
        )
        still = x - speed[:, None] * (time - time[:, HALF, None])
        d[part] = np.median(still[:, HALF:], axis=1) - np.median(still[:, :HALF], axis=1)
        step[part] = still[:, HALF] - still[:, HALF - 1]
        slope[part] = speed
    return d, slope, step
