"""temporal: how much boxes tremble from frame to frame, per track and beside other annotators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from annqc.infer.temporal.estimate import (
    ALONE,
    CONSTANT,
    OK,
    TOO_SHORT,
    Estimate,
    of_tracks,
)
from annqc.infer.temporal.series import (
    MAD_TO_SD,
    Series,
    neighbours,
    second_difference,
    segment_median,
)

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["LEAST", "MARGIN", "OTHERS", "T_MIN", "TrackJitter", "fleet_jitter", "track_jitter"]

MARGIN: Final = float(np.log(1.5))
"""Default margin of the log ratio: half as much again as the fleet, or two thirds of it."""
LEAST: Final = 0.25
"""Jitter counts as at least this many tolerances: who trembles less does not tremble."""
OTHERS: Final = 2
"""Annotators besides one's own self who say what is usual on a track, or in a video."""
COARSE: Final = 4.0
"""Jitter below this many coordinate steps is that of coarse coordinates."""
CLIP: Final = 4.0
"""Differences of coarse coordinates count as at most this many scales."""
T_MIN: Final = 20
"""Differences below which a track's jitter is too uncertain (a third, at twenty) to be used."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackJitter:
    """Jitter of tracks, arrays (s,) or (s, k).

    Attributes
    ----------
    sd : float64
        Standard deviation of what is not shared by neighbouring frames, in the units of the values.
    n : int64
        Differences that it rests on.
    status : int8
        ``ok``, ``too_short`` (fewer than 20 differences) or ``constant`` (jitter 0: drawings held,
        or whole pixels that rarely change).
    """

    sd: Floats
    n: Ints
    status: Array


def track_jitter(
    values: Array,
    frame: Array,
    starts: Array,
    *,
    order: Literal[2, 3] = 2,
    grid: Array | float = 0.0,
) -> TrackJitter:
    """Jitter of each series, from differences over consecutive frames.

    Parameters
    ----------
    values : (n,) or (n, k) array_like
        Offsets from gold; or coordinates, where there is no gold.
    frame : (n,) array_like of int
        Increasing inside a series; differences over a gap are left out.
    starts : (s + 1,) array_like of int
        Offsets of the series.
    order : {2, 3}
        Second differences of offsets; third ones of coordinates, to which an object with constant
        acceleration looks still.

    Returns
    -------
    TrackJitter

    Notes
    -----
    ``1.4826 median|Δ²| / sqrt(6)`` and ``1.4826 median|Δ³| / sqrt(20)``: a standard deviation for
    Gaussian errors that are independent from frame to frame; slower errors show in part. Where that
    is less than four coordinate steps, the median can only be one of a few numbers, and the mean of
    the absolute differences takes its place (times ``sqrt(pi / 2)``; each counts as at most four
    scales). What rounding adds, a variance of ``grid² / 12``, is in it.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.random.default_rng(0).normal(0, 2, 400)
    >>> round(float(track_jitter(y, np.arange(400), [0, 400]).sd[0]), 1)
    2.0
    """
    series = Series.of(values, frame, starts)
    difference = second_difference(series.values, series.frame, series.series)
    unit = np.sqrt(6.0)
    if order == 3:
        unit = np.sqrt(20.0)
        change = np.full(difference.shape, np.nan)
        if len(difference) > 1:
            whole = neighbours(series.frame, series.series, 1)[:, None]
            change[1:] = np.where(whole, np.diff(difference, axis=0), np.nan)
        difference = change
    k, s = series.n_columns, series.n_series
    code = (series.series + np.arange(k)[:, None] * s).ravel()
    flat = difference.T.ravel()
    size = np.abs(flat)
    n = np.bincount(code[np.isfinite(flat)], minlength=s * k)
    sd = MAD_TO_SD * segment_median(size, code, s * k) / unit
    step = np.broadcast_to(np.asarray(grid, dtype=np.float64).T, (k, s)).ravel()
    coarse = COARSE * step > sd
    if coarse.any():
        most = CLIP * unit * np.maximum(sd, step)
        total = np.bincount(code, np.nan_to_num(np.minimum(size, most[code])), s * k)
        with np.errstate(all="ignore"):
            sd = np.where(coarse, np.sqrt(np.pi / 2) * total / n / unit, sd)
    status = np.where(n < T_MIN, TOO_SHORT, np.where(sd > 0, OK, CONSTANT))
    return TrackJitter(
        sd=series.shaped(sd), n=series.shaped(n), status=series.shaped(status.astype(np.int8))
    )


def fleet_jitter(
    track: TrackJitter,
    group: Array,
    n_groups: int,
    *,
    item: Array | None = None,
    tolerance: Array | float | None = None,
) -> Estimate:
    """Jitter of each annotator beside that of others, as the logarithm of a ratio.

    Parameters
    ----------
    track : TrackJitter
        From `track_jitter`; tracks whose status is not ``ok`` are left out.
    group : (s,) array_like of int
        Annotator of each track.
    n_groups : int
        Number of annotators.
    item : (s,) array_like of int, optional
        What each track shows: the object in gold, or without gold the video. A track is compared
        with what others made of the same; small objects, a trembling gold and a camera that shakes
        are then nobody's fault. Without it everybody is compared with everybody.
    tolerance : float, (s,) or (s, k) array_like, optional
        In the units of the jitter. Jitter counts as at least `LEAST` of it, so that it is the same
        whether a hand moves by a tenth of a pixel or a program by none; tracks that are
        ``constant`` then count as well.

    Returns
    -------
    Estimate
        Natural logarithm of the ratio, all columns together, with the track as the unit of
        evidence: 0 is ordinary, `MARGIN` half as much again. Status ``alone`` where no track can be
        compared with `OTHERS` others.

    Notes
    -----
    On one item an annotator has the median of the tracks there, and the median over the other
    annotators, without oneself, says what is usual, column by column. Where everybody is compared
    with everybody, it is the median over all annotators, so that whoever drew most does not say
    what is usual; the median annotator is then at zero, whatever the shape of the distribution over
    tracks.
    """
    sd = track.sd[:, None] if track.sd.ndim == 1 else track.sd
    status = track.status.reshape(sd.shape)
    ok = status == OK
    s, k = sd.shape
    if tolerance is not None:
        each = np.asarray(tolerance, dtype=np.float64)
        least = LEAST * (each[:, None] if each.ndim == 1 else each)
        sd, ok = np.maximum(sd, least), ok | (status == CONSTANT)
    code = np.asarray(group, dtype=np.int64)
    with np.errstate(all="ignore"):
        log = np.where(ok, np.log(sd), np.nan)
    own_tracks = np.repeat(np.arange(s), k)
    if item is not None:
        usual = np.stack([_others(one, code, np.asarray(item)) for one in log.T], axis=1)
        found = of_tracks((log - usual).ravel(), np.repeat(code, k), own_tracks, n_groups)
        drew = np.bincount(code, ok.any(axis=1), n_groups) > 0
        return replace(found, status=np.where(drew & (found.n == 0), ALONE, found.status))
    for column in range(k):
        own = segment_median(log[:, column], code, n_groups)
        log[:, column] -= np.median(own[np.isfinite(own)]) if np.isfinite(own).any() else np.nan
    found = of_tracks(log.ravel(), np.repeat(code, k), own_tracks, n_groups)
    known = np.isfinite(found.estimate)
    ordinary = np.median(found.estimate[known]) if known.any() else 0.0
    return replace(found, estimate=found.estimate - ordinary)


def _others(log: Floats, code: Ints, item: Array) -> Floats:
    """Median over the other annotators of the same item, (s,); NaN with fewer than `OTHERS`."""
    pair = np.stack([np.unique(item, return_inverse=True)[1].ravel(), code])
    (of_item, _), row = np.unique(pair, axis=1, return_inverse=True)
    own = segment_median(log, row.ravel(), len(of_item))
    usual = np.full(len(own), np.nan)
    for begin, end in zip(*_runs(of_item), strict=True):
        part = own[begin:end]
        known = np.isfinite(part)
        if known.sum() > OTHERS:
            usual[begin:end][known] = _without_each(part[known])
    return np.asarray(usual[row.ravel()])


def _runs(codes: Ints) -> tuple[Ints, Ints]:
    """Where each run of equal codes begins and ends."""
    change = np.flatnonzero(np.diff(codes)) + 1
    bounds = np.concatenate([[0], change, [len(codes)]])[: len(change) + 2 if len(codes) else 1]
    return bounds[:-1], bounds[1:]


def _without_each(x: Floats) -> Floats:
    """Median of all but one, for each."""
    order = np.argsort(x, kind="stable")
    rank = np.empty(len(x), dtype=np.int64)
    rank[order] = np.arange(len(x))
    middle = x[order]
    low, high = (len(x) - 2) // 2, (len(x) - 1) // 2
    return np.asarray((middle[low + (rank <= low)] + middle[high + (rank <= high)]) / 2)
