"""temporal: boxes that were not drawn but computed between keyframes.

Between two keyframes a linearly interpolated box moves by the same amount every frame: its second
difference is zero but for rounding. Coordinates in whole pixels hide that, and a smooth track looks
alike; then nothing is said of a single track, and nobody is accused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.temporal.estimate import INTEGER, NO_DATA, NO_MOTION, OK, TOO_SHORT
from annqc.infer.temporal.series import Series, second_difference, segment_median

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = [
    "BEND",
    "SHARE",
    "TRACKS",
    "IntegerGap",
    "Interpolation",
    "integer_gap",
    "interpolation",
]

BEND: Final = 0.01
"""Largest second difference, in px on any edge, of a frame that was interpolated."""
SHARE: Final = 0.5
"""Share of straight frames from which a track is interpolated."""
T_MIN: Final = 10
"""Moving frames below which nothing is said."""
TRACKS: Final = 10
"""Tracks in whole pixels that the usual gap is taken from, at least."""
LONGEST: Final = 50
"""Keyframe gaps that are looked for in whole pixels, at most."""
SLACKS: Final = (0.5, 1.0)
"""A box may lie off its chord by half a pixel, or by one if the keyframes were rounded as well."""
ROUNDING: Final = 1e-9
IN_PHASE, OUT_OF_PHASE = 0.95, 0.8
"""Chords that fit from the first frame on, and how many may fit from any other."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Interpolation:
    """Signature of linear interpolation, arrays (s,).

    Attributes
    ----------
    f0 : float64
        Share of the moving frames that go on as straight as the frames around them.
    gap : float64
        Median distance in frames of the frames where the motion breaks: the keyframes.
    n, n_breaks : int64
        Moving frames, and breaks.
    interpolated : bool
        ``f0`` is at least one half.
    keyframe : (n_rows,) bool
        Breaks, and the first and last frame of each series.
    status : int8
        ``ok``, ``no_data``, ``integer`` (whole pixels: not decidable), ``no_motion`` (held
        throughout) or ``too_short`` (fewer than ten moving frames).
    """

    f0: Floats
    gap: Floats
    n: Ints
    n_breaks: Ints
    interpolated: Bools
    keyframe: Bools
    status: Array


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class IntegerGap:
    """Usual keyframe gap of tracks in whole pixels.

    Attributes
    ----------
    gap : (s,) int64
        Best gap of each track, 0 for none. Not to be reported of a single track: a track that is
        merely smooth may have one.
    mode : (n_groups,) int64
        Most frequent gap of each group; 0 where fewer than ten tracks have one, or fewer than half
        of those in whole pixels have this one.
    n_tracks : (n_groups,) int64
        Tracks that have one.
    """

    gap: Ints
    mode: Ints
    n_tracks: Ints


def interpolation(
    coordinates: Array, frame: Array, starts: Array, *, bend: float = BEND
) -> Interpolation:
    """Look for frames that were interpolated between keyframes.

    Parameters
    ----------
    coordinates : (n, k) array_like
        Boxes as they were exported, px; NaN where there is none.
    frame : (n,) array_like of int
        Increasing inside a series; only three consecutive frames are compared.
    starts : (s + 1,) array_like of int
        Offsets of the series.
    bend : float
        Largest second difference of a straight frame, px. Coordinates rounded to 0.01 px ask for
        0.02.

    Returns
    -------
    Interpolation

    Notes
    -----
    A frame is straight where ``|x_{t+1} - 2 x_t + x_{t-1}|`` is at most ``bend`` on all edges, and
    moving where one of the two neighbours differs from it: a held box says nothing. With a keyframe
    every K frames ``f0`` tends to 1 - 1/K; boxes drawn one by one have nearly none.

    Examples
    --------
    >>> import numpy as np
    >>> frame = np.arange(101)
    >>> keys = np.random.default_rng(5).normal(0, 50, (11, 4))
    >>> boxes = np.stack([np.interp(frame, frame[::10], key) for key in keys.T], axis=1)
    >>> found = interpolation(boxes, frame, [0, 101])
    >>> round(float(found.f0[0]), 2), float(found.gap[0])
    (0.91, 10.0)
    """
    series = Series.of(coordinates, frame, starts)
    values, s = series.values, series.n_series
    curve = second_difference(values, series.frame, series.series)
    known: Bools = np.asarray(np.isfinite(curve).all(axis=1))
    moving = known.copy()
    moves = (values[1:] != values[:-1]).any(axis=1)
    if len(values) > 2:
        moving[1:-1] &= moves[1:] | moves[:-1]
    with np.errstate(invalid="ignore"):
        breaks = np.asarray(moving & (np.abs(curve) > bend).any(axis=1))
    n = np.bincount(series.series[moving], minlength=s)
    n_breaks = np.bincount(series.series[breaks], minlength=s)
    with np.errstate(invalid="ignore"):
        f0 = 1 - n_breaks / n
    at = np.flatnonzero(breaks)
    owner = series.series[at]
    inside = owner[1:] == owner[:-1]
    gap = segment_median(np.diff(series.frame[at])[inside].astype(np.float64), owner[1:][inside], s)
    whole = _whole_pixels(series)
    count = np.bincount(series.series[known], minlength=s)
    status = np.where(n < T_MIN, TOO_SHORT, OK)
    status = np.where((n == 0) & (count >= T_MIN), NO_MOTION, status)
    status = np.where(whole, INTEGER, status)
    status = np.where(np.diff(series.starts) == 0, NO_DATA, status)
    told = status == OK
    interpolated = told & (f0 >= SHARE)
    keyframe = breaks.copy()
    some = np.diff(series.starts) > 0
    keyframe[series.starts[:-1][some]] = True
    keyframe[series.starts[1:][some] - 1] = True
    return Interpolation(
        f0=np.where(told, f0, np.nan),
        gap=np.where(interpolated, gap, np.nan),
        n=n,
        n_breaks=n_breaks,
        interpolated=interpolated,
        keyframe=keyframe,
        status=status.astype(np.int8),
    )


def integer_gap(
    coordinates: Array,
    frame: Array,
    starts: Array,
    group: Array,
    n_groups: int,
    *,
    longest: int = LONGEST,
) -> IntegerGap:
    """Usual keyframe gap of each group whose coordinates are whole pixels.

    Parameters
    ----------
    coordinates : (n, k) array_like
        Boxes in whole pixels.
    frame : (n,) array_like of int
        Increasing inside a series.
    starts : (s + 1,) array_like of int
        Offsets of the series.
    group : (s,) array_like of int
        Whose tracks share a habit: an annotator, a tool, a data set.
    n_groups : int
        Number of groups.
    longest : int
        Largest gap looked for.

    Returns
    -------
    IntegerGap
        A description of how the boxes came about, never an accusation.

    Notes
    -----
    A chord fits where all boxes between its ends lie within half a pixel of it, as rounding puts
    them; where no gap is found so, within a pixel, as the rounding of keyframes does. A gap K is a
    track's where all but 5 % of its chords of K frames fit from the first frame on, and not
    more than 80 % do from the other frames: a track that is straight or smooth fits from anywhere.
    The largest such gap counts, because chords of its divisors fit too.
    """
    series = Series.of(coordinates, frame, starts)
    n, s = len(series.values), series.n_series
    best = np.zeros(s, np.int64)
    for slack in SLACKS if n else ():
        best = np.where(best > 0, best, _best_gap(series, longest, slack))
    whole = _whole_pixels(series) & (np.diff(series.starts) > 0)
    best = np.where(whole, best, 0)
    code = np.asarray(group, dtype=np.int64)
    table = np.zeros((n_groups, longest + 1), np.int64)
    np.add.at(table, (code, best), 1)
    table[:, 0] = 0
    n_tracks = table.sum(axis=1)
    usual = 2 * table.max(axis=1) >= np.bincount(code[whole], minlength=n_groups)
    mode = np.where((n_tracks >= TRACKS) & usual, table.argmax(axis=1), 0)
    return IntegerGap(gap=best, mode=mode, n_tracks=n_tracks)


def _best_gap(series: Series, longest: int, slack: float) -> Ints:
    """Largest gap whose chords fit from the first frame of each series, and only from there."""
    x, frame, code = series.values, series.frame, series.series
    n, s = len(x), series.n_series
    since = frame - frame[series.starts[code]]
    low, high = np.full(x.shape, -np.inf), np.full(x.shape, np.inf)
    best = np.zeros(s, np.int64)
    for gap in range(1, min(longest, n - 1) + 1):
        whole = (code[gap:] == code[:-gap]) & (frame[gap:] - frame[:-gap] == gap)
        rise = x[gap:] - x[:-gap]
        slope = rise / gap
        fits = whole & ((slope >= low[:-gap]) & (slope <= high[:-gap])).all(axis=1)
        if gap > 1:
            phase = since[:-gap] % gap == 0
            inside, outside = whole & phase, whole & ~phase
            owner = code[:-gap]
            n_in, n_out = (np.bincount(owner[m], minlength=s) for m in (inside, outside))
            fit_in = np.bincount(owner[inside & fits], minlength=s)
            fit_out = np.bincount(owner[outside & fits], minlength=s)
            found = (n_in >= 2) & (fit_in >= IN_PHASE * n_in)
            found &= fit_out <= OUT_OF_PHASE * n_out
            best[found] = gap
        low[:-gap] = np.maximum(low[:-gap], (rise - slack) / gap - ROUNDING)
        high[:-gap] = np.minimum(high[:-gap], (rise + slack) / gap + ROUNDING)
    return best


def _whole_pixels(series: Series) -> Bools:
    """Whether all coordinates of each series are whole."""
    value = series.values
    broken = (np.isfinite(value) & (value != np.round(value))).any(axis=1)
    return np.asarray(np.bincount(series.series, broken, series.n_series) == 0)
