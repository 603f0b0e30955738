"""temporal: jumps of an offset that stay, and camera cuts, where most tracks jump alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.temporal.series import MAD_TO_SD, Series

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["CUT_SHARE", "CUT_TRACKS", "HALF", "Z_STEP", "Steps", "find_steps", "mark_cuts"]

HALF: Final = 5
"""Frames on either side whose medians are compared."""
Z_STEP: Final = 6.0
"""A step is this many times as large as usual differences."""
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
        A jump must be larger than this, in the units of the values.
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
    where the means of the same frames differ most. Jumps in the first and last five frames are
    not seen.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.random.default_rng(3).normal(size=100) + 15 * (np.arange(100) >= 40)
    >>> found = find_steps(y, np.arange(100), [0, 100])
    >>> found.frame.tolist(), found.size.round().tolist()
    ([40], [16.0])
    """
    series = Series.of(values, frame, starts)
    size, z, sharp = _differences(series, grid)
    alarm = (z > z_step) & (np.abs(size) > series.spread(tolerance))
    height = np.where(alarm, z, 0.0)
    rows = np.flatnonzero(alarm.any(axis=1))
    event = _events(series, rows, size)
    peak = _peaks(rows, event, np.where(alarm, sharp, 0.0)[rows].max(axis=1))
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


def mark_cuts(steps: Steps, frame: Array, starts: Array, sequence: Array) -> Steps:
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
        Video of each series; where several annotators drew it, of each video and annotator.

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
    cut = np.zeros(len(steps.series), dtype=bool)
    for column in np.nan_to_num(size).T:
        way = np.sign(column).astype(np.int64)
        share = _alike(steps, video[steps.series], way) / np.maximum(in_view, 1)
        cut |= (way != 0) & (share >= CUT_SHARE) & (in_view >= CUT_TRACKS)
    n_steps = np.bincount(steps.series[~cut], minlength=len(starts) - 1)
    return replace(steps, cut=cut, n_steps=n_steps)


def _in_view(frame: Ints, starts: Ints, video: Ints, steps: Steps) -> Ints:
    """Count the tracks of the same video that have begun and not ended at each jump."""
    some = np.diff(starts) > 0
    first, last, of = frame[starts[:-1][some]], frame[starts[1:][some] - 1], video[some]
    if not len(first):
        return np.zeros(len(steps.series), np.int64)
    low = first.min()
    width = last.max() - low + 2
    here = video[steps.series] * width + steps.frame - low
    begun = np.searchsorted(np.sort(of * width + first - low), here, side="right")
    ended = np.searchsorted(np.sort(of * width + last - low), here, side="left")
    return np.asarray(begun - ended)


def _alike(steps: Steps, video: Ints, way: Ints) -> Ints:
    """Count the tracks that jump the same way near each jump, itself among them."""
    reach = np.arange(-CUT_REACH, CUT_REACH + 1)
    near = np.stack(
        [
            np.repeat(video, len(reach)),
            np.repeat(way, len(reach)),
            (steps.frame[:, None] + reach).ravel(),
            np.repeat(steps.series, len(reach)),
        ]
    )
    # A track that jumps twice within the reach speaks once.
    once = np.unique(near, axis=1)[:3]
    places, tracks = np.unique(once, axis=1, return_counts=True)
    own = np.stack([video, way, steps.frame])
    _, place = np.unique(np.concatenate([places, own], axis=1), axis=1, return_inverse=True)
    return np.asarray(tracks[place.ravel()[places.shape[1] :]])


def _differences(series: Series, grid: float) -> tuple[Floats, Floats, Floats]:
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
    usual = np.maximum(MAD_TO_SD * kept.median(np.abs(d)), 0.75 * grid)[kept.series]
    with np.errstate(all="ignore"):
        ratio = np.where(d == 0, 0.0, np.abs(d) / usual)
        slope = slope / np.where(usual > 0, usual, 1.0)
    column = kept.series // series.n_series
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
