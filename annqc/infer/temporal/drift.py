"""temporal: whether an offset drifts along a track, and whether an annotator's tracks do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer import verdicts
from annqc.infer.temporal.estimate import CONSTANT, NO_DATA, OK, TOO_SHORT, Estimate, of_tracks
from annqc.infer.temporal.series import MAD_TO_SD, Columns, Series

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["FRAMES", "T_MIN", "TrackDrift", "annotator_drift", "theil_sen", "track_drift"]

FRAMES: Final = 100
"""Slopes are given per this many frames."""
T_MIN: Final = 50
"""Frames below which the autocorrelation of a track cannot be told."""
GROSS_SCALES: Final = 5.0
"""Residuals beyond this many scales are gross."""
GROSS_RATE: Final = 0.01
"""With a larger share of gross residuals, Theil and Sen's slope takes the place of OLS."""
R_LOW, R_HIGH = -0.5, 0.97
PAIRS: Final = 500_000
"""Pairs of frames that Theil and Sen's slope of one track looks at, at most."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackDrift:
    """Slopes of tracks, arrays shaped (s,) or (s, k).

    Attributes
    ----------
    slope, se, df : float64
        Slope per 100 frames, in the units of the values; standard error; degrees of freedom.
    r : float64
        Autocorrelation of the residuals from one frame to the next.
    n : int64
        Usable frames.
    n_eff : float64
        Independent frames that they are worth.
    gross_rate : float64
        Share of residuals beyond five scales.
    robust : bool
        Whether the slope is Theil and Sen's.
    status : int8
        ``ok``, ``no_data``, ``too_short`` (below 50 frames) or ``constant``: the offset never
        changes, which is one observation, however long it is held.
    """

    slope: Floats
    se: Floats
    df: Floats
    r: Floats
    n: Ints
    n_eff: Floats
    gross_rate: Floats
    robust: Bools
    status: Array

    def p_bias(self, delta: float = 0.0) -> Floats:
        """How surprising each slope is if the drift is at most ``delta`` per 100 frames."""
        p = verdicts.p_bias(self.slope, self.se, self.df, delta)
        return np.where(self.status == OK, p, 1.0)

    def p_clean(self, delta: float) -> Floats:
        """How surprising each slope is if the drift is at least ``delta`` per 100 frames."""
        p = verdicts.p_clean(self.slope, self.se, self.df, delta)
        return np.where(self.status == OK, p, 1.0)

    def verdict(self, delta: float, *, alpha: float = verdicts.ALPHA) -> Array:
        """Verdict on each single track: codes into `annqc.infer.verdicts.VERDICTS`."""
        enough = self.status == OK
        return verdicts.decide(self.p_bias(delta), self.p_clean(delta), enough, alpha=alpha)


def track_drift(values: Array, frame: Array, starts: Array) -> TrackDrift:
    """Slope of each series with a standard error that knows of autocorrelation.

    Parameters
    ----------
    values : (n,) or (n, k) array_like
        Offsets, annotation minus gold; NaN where not usable.
    frame : (n,) array_like of int
        Increasing inside a series; may have gaps.
    starts : (s + 1,) array_like of int
        Offsets of the series.

    Returns
    -------
    TrackDrift

    Notes
    -----
    Least squares with residuals e, and ``r1`` their lag-1 autocorrelation over rows that lie the
    usual distance apart. ``r = clip(r1 + (1 + 4 r1) / T, -.5, .97)`` undoes its small-sample bias
    (Kendall 1954); ``n_eff = T (1 - r) / (1 + r)``, ``se = se_ols sqrt((1 + r) / (1 - r))``,
    ``df = max(n_eff, 3) - 2``. With more than 1 % gross residuals the slope is Theil and Sen's, and
    the gross frames take no part in the error. A value held over many frames is one drawing, so
    ``n_eff`` is never above the number of times that the value changes, plus one.

    Examples
    --------
    >>> import numpy as np
    >>> frame = np.arange(200)
    >>> noise = np.random.default_rng(1).normal(size=200)
    >>> found = track_drift(0.05 * frame + noise, frame, [0, 200])
    >>> print(f"{found.slope[0]:.1f} +- {found.se[0]:.1f} px per 100 frames")
    5.0 +- 0.1 px per 100 frames
    """
    series = Series.of(values, frame, starts)
    rows = series.columns()
    n = rows.count()
    slope, residual = _least_squares(rows)
    _, gross_rate = _gross(rows, residual)
    robust = gross_rate > GROSS_RATE
    if robust.any():
        kept = _theil_sen_of(rows, robust, slope, residual)
        rows, residual = rows.keep(kept), residual[kept]
    se, r, n_eff = _error(rows, residual)
    df = np.maximum(n_eff, 3.0) - 2
    changes = _changes(rows)
    status = np.where(changes == 0, CONSTANT, OK)
    status = np.where(n < T_MIN, TOO_SHORT, status)
    status = np.where(n == 0, NO_DATA, status)
    undecided = status != OK
    return TrackDrift(
        slope=series.shaped(slope * FRAMES),
        se=series.shaped(np.where(undecided, np.nan, se * FRAMES)),
        df=series.shaped(np.where(undecided, 0.0, df)),
        r=series.shaped(r),
        n=series.shaped(n),
        n_eff=series.shaped(np.where(status == CONSTANT, 1.0, n_eff)),
        gross_rate=series.shaped(gross_rate),
        robust=series.shaped(robust),
        status=series.shaped(status.astype(np.int8)),
    )


def annotator_drift(track: TrackDrift, annotator: Array, n_annotators: int) -> Estimate:
    """Mean slope of each annotator's tracks, each track counted alike.

    Parameters
    ----------
    track : TrackDrift
        From `track_drift`; tracks whose status is not ``ok`` are left out.
    annotator : (s,) array_like of int
        Annotator of each track.
    n_annotators : int
        Number of annotators.

    Returns
    -------
    Estimate
        Per 100 frames, with the track as the unit of evidence.
    """
    slope = np.where(track.status == OK, track.slope, np.nan)
    tracks = np.arange(len(slope))
    return of_tracks(slope, np.asarray(annotator), tracks, n_annotators, robust=False)


def theil_sen(x: Floats, y: Floats) -> float:
    """Median slope of all pairs of points, or of half a million where there are more.

    Parameters
    ----------
    x : (n,) float64
        Increasing.
    y : (n,) float64
        Values.

    Notes
    -----
    Theil (1950), Sen (1968). Of long series only pairs at evenly spaced distances are looked at,
    which Theil calls the incomplete method.

    Examples
    --------
    >>> import numpy as np
    >>> theil_sen(np.array([0.0, 1, 2, 3, 4]), np.array([0.0, 2, 4, 60, 8]))
    2.0
    """
    n = len(x)
    wanted = n - 1 if n * (n - 1) // 2 <= PAIRS else max(2 * PAIRS // n, 1)
    reach = np.unique(np.linspace(1, n - 1, wanted).round().astype(np.int64))
    slopes = [(y[k:] - y[:-k]) / (x[k:] - x[:-k]) for k in reach.tolist()]
    return float(np.median(np.concatenate(slopes)))


def _least_squares(rows: Columns) -> tuple[Floats, Floats]:
    """Slope per frame of each series, and residuals."""
    x = rows.frame - rows.mean(rows.frame)[rows.series]
    y = rows.value - rows.mean(rows.value)[rows.series]
    with np.errstate(all="ignore"):
        slope = rows.total(x * y) / rows.total(x * x)
    return slope, y - slope[rows.series] * x


def _gross(rows: Columns, residual: Floats) -> tuple[Bools, Floats]:
    """Which residuals are gross, and their share in each series."""
    away = np.abs(residual - rows.median(residual)[rows.series])
    scale = MAD_TO_SD * rows.median(away)
    far = (away > GROSS_SCALES * scale[rows.series]) & (scale > 0)[rows.series]
    with np.errstate(invalid="ignore"):
        return far, np.nan_to_num(rows.total(far) / rows.count())


def _theil_sen_of(rows: Columns, robust: Bools, slope: Floats, residual: Floats) -> Bools:
    """Put Theil and Sen's slope and its residuals in place, and say which rows to keep."""
    end = np.cumsum(rows.count())
    for one in np.flatnonzero(robust).tolist():
        piece = slice(end[one - 1] if one else 0, end[one])
        x, y = rows.frame[piece].astype(np.float64), rows.value[piece]
        slope[one] = theil_sen(x, y)
        left = y - slope[one] * x
        residual[piece] = left - np.median(left)
    far, _ = _gross(rows, residual)
    return ~(far & robust[rows.series])


def _error(rows: Columns, residual: Floats) -> tuple[Floats, Floats, Floats]:
    """Find the error of the slope per frame, the autocorrelation, and what the frames are worth."""
    n = rows.count()
    residual = residual - rows.mean(residual)[rows.series]
    x = rows.frame - rows.mean(rows.frame)[rows.series]
    step = rows.step()[rows.series]
    close = (rows.series[1:] == rows.series[:-1]) & (np.diff(rows.frame) == step[1:])
    held = close & (rows.value[1:] == rows.value[:-1])
    at = rows.series[1:]

    def over(w: Array) -> Floats:
        return np.bincount(at, w, rows.n_series).astype(np.float64)

    with np.errstate(all="ignore"):
        squares = rows.total(residual**2)
        lagged = over(np.where(close, residual[1:] * residual[:-1], 0.0))
        r = lagged / squares * (n - 1) / over(close)
        r = r + (1 + 4 * r) / n
        drawings = n - over(held)
        r = np.clip(np.where(np.isnan(r), R_HIGH, r), R_LOW, R_HIGH)
        r = np.where(drawings < n, np.maximum(r, (n - drawings) / (n + drawings)), r)
        inflation = (1 + r) / (1 - r)
        se = np.sqrt(inflation * squares / (n - 2) / rows.total(x * x))
        return se, r, n / inflation


def _changes(rows: Columns) -> Ints:
    """How often the value of each series changes."""
    changed = (rows.series[1:] == rows.series[:-1]) & (rows.value[1:] != rows.value[:-1])
    return np.bincount(rows.series[1:], changed, rows.n_series).astype(np.int64)
