"""temporal: how much boxes tremble from frame to frame, per track and beside other annotators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from annqc.infer.temporal.estimate import CONSTANT, OK, TOO_SHORT, Estimate, of_tracks
from annqc.infer.temporal.series import (
    MAD_TO_SD,
    Series,
    neighbours,
    second_difference,
    segment_median,
)

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["MARGIN", "T_MIN", "TrackJitter", "fleet_jitter", "track_jitter"]

MARGIN: Final = float(np.log(1.5))
"""Default margin of the log ratio: half as much again as the fleet, or two thirds of it."""
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
    values: Array, frame: Array, starts: Array, *, order: Literal[2, 3] = 2
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
    Gaussian errors that are independent from frame to frame; slower errors show in part.

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
    sd = MAD_TO_SD * segment_median(np.abs(flat), code, s * k) / unit
    n = np.bincount(code[np.isfinite(flat)], minlength=s * k)
    status = np.where(n < T_MIN, TOO_SHORT, np.where(sd > 0, OK, CONSTANT))
    return TrackJitter(
        sd=series.shaped(sd), n=series.shaped(n), status=series.shaped(status.astype(np.int8))
    )


def fleet_jitter(track: TrackJitter, group: Array, n_groups: int) -> Estimate:
    """Jitter of each annotator beside the fleet's, as the logarithm of a ratio.

    Parameters
    ----------
    track : TrackJitter
        From `track_jitter`; tracks whose status is not ``ok`` are left out.
    group : (s,) array_like of int
        Annotator of each track.
    n_groups : int
        Number of annotators.

    Returns
    -------
    Estimate
        Natural logarithm of the ratio to the median annotator, all columns together, with the track
        as the unit of evidence: 0 is ordinary, `MARGIN` half as much again.

    Notes
    -----
    The fleet is the median over annotators of their median, column by column, so that whoever drew
    most does not say what is usual; the median annotator is then at zero, whatever the shape of the
    distribution over tracks.
    """
    sd = track.sd[:, None] if track.sd.ndim == 1 else track.sd
    ok = (track.status == OK).reshape(sd.shape)
    s, k = sd.shape
    code = np.asarray(group, dtype=np.int64)
    with np.errstate(all="ignore"):
        log = np.where(ok, np.log(sd), np.nan)
    for column in range(k):
        own = segment_median(log[:, column], code, n_groups)
        log[:, column] -= np.median(own[np.isfinite(own)]) if np.isfinite(own).any() else np.nan
    found = of_tracks(log.ravel(), np.repeat(code, k), np.repeat(np.arange(s), k), n_groups)
    known = np.isfinite(found.estimate)
    ordinary = np.median(found.estimate[known]) if known.any() else 0.0
    return replace(found, estimate=found.estimate - ordinary)
