"""temporal: jumps of an offset that stay, and camera cuts, where most tracks jump alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.temporal.series import MAD_TO_SD, Series

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = [
    "ABRUPT",
    "CUT_SHARE",
    "CUT_TRACKS",
    "HALF",
    "LEAST",
    "Z_STEP",
    "Steps",
    "find_steps",
    "gather",
    "mark_cuts",
    "usual_of",
]

HALF: Final = 5
"""Frames on either side whose medians are compared."""
Z_STEP: Final = 6.0
"""A step is this many times as large as usual differences."""
LEAST: Final = 1 / 3
"""Usual differences below this many tolerances are those of an object that stands still."""
STILL: Final = 0.5
"""They then count as this many tolerances."""
ABRUPT: Final = 0.5
"""Share of a jump that comes from one frame to the next; a slow change takes several."""
NEXT: Final = 0.75
"""The frames before and after it add less than this much of that, the same way."""
ASIDE: Final = 3
"""Rows before and after that tell how much of a change is not sudden."""
CUT_SHARE: Final = 0.5
"""Share of the tracks that jump the same way where the camera was cut."""
CUT_TRACKS: Final = 3
"""Tracks in view below which nothing is put down to the camera."""
CUT_REACH: Final = 2
"""Frames by which the jumps of one cut may be placed apart."""
SPAN: Final = 2
"""The ten rows of a step may span this many times the frames of ten rows without gaps."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Steps:
    """Jumps that stay, one row each.

    Attributes
    ----------
    series, frame : (m,) int64
        Where: the first frame after the jump.
    size : (m, k) or (m,) float64
        Median of five frames after less that of five before, in the units of the values.
    z : (m,) float64
        Size of the largest column's jump over usual differences.
    cut : (m,) bool
        Whether most tracks jump the same way at that frame: the camera, not the annotator.
    n_steps, n_frames : (s,) int64
        Jumps of each series that are not cuts, and frames in which one could have been seen.
    """

    series: Ints
    frame: Ints
    size: Floats
    z: Floats
    cut: Bools
    n_steps: Ints
    n_frames: Ints


def find_steps(
    values: Array,
    frame: Array,
    starts: Array,
    *,
    tolerance: Array | float = 1.0,
    grid: float = 0.0,
    z_step: float = Z_STEP,
) -> Steps:
    """Find jumps of the level of each series, one event each.

    Parameters
    ----------
    values : (n,) or (n, k) array_like
        Offsets, annotation minus gold; NaN where not usable.
    frame : (n,) array_like of int
        Increasing inside a series.
    starts : (s + 1,) array_like of int
        Offsets of the series.
    tolerance : float, (s,) or (s, k) array_like
        A jump must be larger than this, in the units of the values; usual differences below
        `LEAST` of it count as `STILL` of it, or a track that stood still at first would jump
        whenever it moves.
    grid : float
        Coordinate step in the same units: usual differences count as at least 0.75 of it.
    z_step : float
        A jump must be larger than so many usual differences.

    Returns
    -------
    Steps
        Alarms of neighbouring frames and of several columns that jump together are one event.

    Notes
    -----
    ``d_t = median(y_t .. y_{t+4}) - median(y_{t-5} .. y_{t-1})`` and ``z = |d_t| / (1.4826
    median|d|)`` over the series' own differences, which keeps its promise under heavy tails and
    autocorrelation. Medians say that there is a jump, but are flat around it: an event is placed
    where the means of the same frames differ most. At least half of it must come from one frame to
    the next, at most two frames from there, besides what the three frames before or after it change
    each, and the frames next to it must not go on the same way: where an interpolated box leaves a
    curve, its offset changes as much, but slowly. Jumps in the first and last five frames are not
    seen.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.random.default_rng(3).normal(size=100) + 15 * (np.arange(100) >= 40)
    >>> found = find_steps(y, np.arange(100), [0, 100])
    >>> found.frame.tolist(), found.size.round().tolist()
    ([40], [16.0])
    """
    series = Series.of(values, frame, starts)
    limit = series.spread(tolerance)
    size, z, sharp = _differences(series, limit, grid)
    return gather(series, size, z, sharp, (z > z_step) & (np.abs(size) > limit))


def gather(
    series: Series,
    size: Floats,
    z: Floats,
    sharp: Floats,
    alarm: Bools,
    *,
    velocity: Floats | None = None,
) -> Steps:
    """Bring alarms of neighbouring frames and of several columns together, one event each.

    Parameters
    ----------
    series : Series
        What was looked at.
    size, z : (n, k) float64
        Jump of the level at each row, NaN where it cannot be told, and over usual differences.
    sharp : (n, k) float64
        The event is where this is largest.
    alarm : (n, k) bool
        Rows that may be a jump. Those that lack a change of `ABRUPT` times their size from one row
        to the next, nearby and the same way, are left out.
    velocity : (n, k) float64, optional
        Change per frame that is no part of a jump.
    """
    alarm = alarm & _abrupt(series, size, alarm, velocity)
    height = np.where(alarm, z, 0.0)
    rows = np.flatnonzero(alarm.any(axis=1))
    event = _events(series, rows, size)
    peak = _peaks(rows, event, np.where(alarm, sharp, 0.0)[rows].max(axis=1, initial=0.0))
    owner = series.series[peak]
    seen = np.asarray(np.isfinite(size).any(axis=1))
    return Steps(
        series=owner,
        frame=series.frame[peak],
        size=size[peak, 0] if series.flat else size[peak],
        z=height[peak].max(axis=1) if len(peak) else np.empty(0),
        cut=np.zeros(len(peak), dtype=bool),
        n_steps=np.bincount(owner, minlength=series.n_series),
        n_frames=series.total(seen).astype(np.int64),
    )


def mark_cuts(
    steps: Steps,
    frame: Array,
    starts: Array,
    sequence: Array,
    annotator: Array | None = None,
) -> Steps:
    """Mark jumps that at least half of the tracks in view make in the same direction.

    Parameters
    ----------
    steps : Steps
        From `find_steps`.
    frame : (n,) array_like of int
        Frames of all series.
    starts : (s + 1,) array_like of int
        Offsets of the series.
    sequence : (s,) array_like of int
        Video of each series.
    annotator : (s,) array_like of int, optional
        Who drew each series. A camera cut is there for everybody: where several have tracks in view
        of it, each of them must jump. Otherwise a person's own mistake on all objects would be put
        down to the camera.

    Returns
    -------
    Steps
        With ``cut`` set, and without the cuts in ``n_steps``. Jumps within two frames of each other
        are counted together. With fewer than three tracks in view nothing is called a cut.
    """
    frame, starts = np.asarray(frame, dtype=np.int64), np.asarray(starts, dtype=np.int64)
    video = np.asarray(sequence, dtype=np.int64)
    size = np.asarray(steps.size)
    size = size if size.ndim == 2 else size[:, None]
    in_view = _in_view(frame, starts, video, steps)
    who = np.zeros(len(video), np.int64) if annotator is None else np.asarray(annotator)
    views = _views(frame, starts, video, who, steps)
    cut = np.zeros(len(steps.series), dtype=bool)
    for column in np.nan_to_num(size).T:
        way = np.sign(column).astype(np.int64)
        tracks, jumpers = _alike(steps, video[steps.series], way, who[steps.series])
        most = tracks >= CUT_SHARE * in_view
        cut |= (way != 0) & most & (in_view >= CUT_TRACKS) & (jumpers >= views)
    n_steps = np.bincount(steps.series[~cut], minlength=len(starts) - 1)
    return replace(steps, cut=cut, n_steps=n_steps)


def _in_view(
    frame: Ints, starts: Ints, video: Ints, steps: Steps, chosen: Bools | None = None
) -> Ints:
    """Count the (chosen) tracks of the same video that have begun and not ended at each jump."""
    some = np.diff(starts) > 0
    low, top = int(frame.min(initial=0)), int(frame.max(initial=0))
    if chosen is not None:
        some = some & chosen
    first, last, of = frame[starts[:-1][some]], frame[starts[1:][some] - 1], video[some]
    width = top - low + 2
    here = video[steps.series] * width + steps.frame - low
    begun = np.searchsorted(np.sort(of * width + first - low), here, side="right")
    ended = np.searchsorted(np.sort(of * width + last - low), here, side="left")
    return np.asarray(begun - ended)


def _views(frame: Ints, starts: Ints, video: Ints, who: Ints, steps: Steps) -> Ints:
    """Count the annotators of the same video with a track in view at each jump."""
    count = np.zeros(len(steps.series), np.int64)
    for one in np.unique(who).tolist():
        count += _in_view(frame, starts, video, steps, who == one) > 0
    return count


def _alike(steps: Steps, video: Ints, way: Ints, who: Ints) -> tuple[Ints, Ints]:
    """Count the tracks that jump the same way near each jump, and the annotators who drew them."""
    reach = np.arange(-CUT_REACH, CUT_REACH + 1)
    place = [np.repeat(video, len(reach)), np.repeat(way, len(reach))]
    place.append((steps.frame[:, None] + reach).ravel())
    own = np.stack([video, way, steps.frame])
    found = []
    for speaker in (steps.series, who):
        # A track that jumps twice within the reach speaks once.
        once = np.unique(np.stack([*place, np.repeat(speaker, len(reach))]), axis=1)[:3]
        places, count = np.unique(once, axis=1, return_counts=True)
        _, at = np.unique(np.concatenate([places, own], axis=1), axis=1, return_inverse=True)
        found.append(count[at.ravel()[places.shape[1] :]])
    return found[0], found[1]


def _abrupt(series: Series, size: Floats, alarm: Bools, velocity: Floats | None) -> Bools:
    """Whether a good part of a jump comes from one usable row to the next, within two rows.

    What the three rows before or after it change each is no part of it.
    """
    found = np.zeros(alarm.shape, dtype=bool)
    reach, side = CUT_REACH, ASIDE
    around = np.arange(-reach - side - 1, reach + side + 1)
    for k in range(series.n_columns):
        used = np.flatnonzero(np.isfinite(series.values[:, k]))
        at = np.flatnonzero(alarm[used, k])
        jump = size[used[at], k]
        rows = at[:, None] + around
        inside = (rows >= 0) & (rows < len(used))
        rows = used[np.clip(rows, 0, max(len(used) - 1, 0))]
        inside &= series.series[rows] == series.series[used[at], None]
        level = series.values[rows, k]
        if velocity is not None:
            level = level - velocity[used[at], k, None] * series.frame[rows]
        level = np.where(inside, np.sign(jump)[:, None] * level, np.nan)
        change = np.diff(level, axis=1)[:, side : side + 2 * reach + 1]
        best = np.nan_to_num(change, nan=-np.inf).argmax(axis=1)
        one = np.arange(len(at))
        last, first = best + side, best + side + 1
        slow = np.fmax(
            level[one, last] - level[one, last - side], level[one, first + side] - level[one, first]
        )
        sudden = change[one, best] - np.fmax(slow, 0.0) / side
        beside = np.fmax(
            level[one, last] - level[one, last - 1], level[one, first + 1] - level[one, first]
        )
        alone = ~(beside >= NEXT * change[one, best])
        found[used[at], k] = alone & (sudden >= ABRUPT * np.abs(jump))
    return found


def usual_of(own: Floats, tolerance: Floats, grid: float) -> Floats:
    """Return what a jump is held against, from the usual difference of a track, row by row.

    Parameters
    ----------
    own : (m,) float64
        1.4826 times the median absolute difference of the series.
    tolerance : (m,) float64
        In the same units.
    grid : float
        Coordinate step.
    """
    still = own < LEAST * tolerance
    return np.maximum(np.where(still, STILL * tolerance, own), 0.75 * grid)


def _differences(series: Series, limit: Floats, grid: float) -> tuple[Floats, Floats, Floats]:
    """Differences of medians, (n, k), and beside usual ones they and the differences of means."""
    size, z, sharp = (np.full(series.values.shape, np.nan) for _ in range(3))
    rows = series.columns()
    if len(rows.value) < 2 * HALF:
        return size, z, sharp
    windows = np.lib.stride_tricks.sliding_window_view(rows.value, HALF)
    middle = np.partition(windows, HALF // 2, axis=1)[:, HALF // 2]
    d = middle[HALF:] - middle[:-HALF]
    mean = windows.mean(axis=1)
    slope = np.abs(mean[HALF:] - mean[:-HALF])
    at = np.arange(HALF, HALF + len(d))
    ends, begins = at + HALF - 1, at - HALF
    span = (2 * HALF - 1) * SPAN * rows.step()[rows.series[at]]
    seen = (rows.series[ends] == rows.series[begins]) & (
        rows.frame[ends] - rows.frame[begins] <= span
    )
    at, d, slope = at[seen], d[seen], slope[seen]
    seen_rows = np.zeros(len(rows.value), dtype=bool)
    seen_rows[at] = True
    kept = rows.keep(seen_rows)
    column = kept.series // series.n_series
    own = (MAD_TO_SD * kept.median(np.abs(d)))[kept.series]
    usual = usual_of(own, np.broadcast_to(limit, series.values.shape)[kept.row, column], grid)
    with np.errstate(all="ignore"):
        ratio = np.where(d == 0, 0.0, np.abs(d) / usual)
        slope = slope / np.where(usual > 0, usual, 1.0)
    size[kept.row, column] = d
    z[kept.row, column] = ratio
    sharp[kept.row, column] = slope
    return size, z, sharp


def _peaks(rows: Ints, event: Ints, sharp: Floats) -> Ints:
    """Row of each event where the jump is sharpest; of equally sharp ones the middle."""
    if not len(rows):
        return rows
    highest = np.zeros(int(event[-1]) + 1)
    np.maximum.at(highest, event, sharp)
    top = sharp >= highest[event] * (1 - 1e-9)
    count = np.bincount(event[top])
    return np.asarray(rows[top][np.cumsum(count) - count + count // 2])


def _events(series: Series, rows: Ints, size: Floats) -> Ints:
    """Give numbers to events: alarms of one series in a row, all the same way."""
    if not len(rows):
        return rows
    one = np.nan_to_num(size[rows])
    turned = (one[1:] * one[:-1]).sum(axis=1) < 0
    apart = np.diff(rows) > HALF
    other = series.series[rows[1:]] != series.series[rows[:-1]]
    return np.concatenate([[0], np.cumsum(turned | apart | other)])
