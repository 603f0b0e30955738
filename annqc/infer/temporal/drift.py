"""temporal: whether an offset drifts along a track, and whether an annotator's tracks do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer import verdicts
from annqc.infer.temporal.estimate import CONSTANT, NO_DATA, OK, TOO_SHORT, Estimate, of_tracks
from annqc.infer.temporal.series import MAD_TO_SD, Columns, Series
from annqc.infer.temporal.slope_error import slope_error

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = [
    "FRAMES",
    "N_EFF_MIN",
    "T_MIN",
    "TrackDrift",
    "annotator_drift",
    "theil_sen",
    "track_drift",
]

FRAMES: Final = 100
"""Slopes are given per this many frames."""
T_MIN: Final = 50
"""Frames below which the memory of a track's errors cannot be told."""
GROSS_SCALES: Final = 5.0
"""Residuals beyond this many scales are gross."""
GROSS_RATE: Final = 0.01
"""With a larger share of gross residuals, Theil and Sen's slope takes the place of OLS."""
N_EFF_MIN: Final = 8.0
"""Independent frames that a track must be worth before anything is concluded from it alone."""
PAIRS: Final = 500_000
"""Pairs of frames that Theil and Sen's slope of one track looks at, at most."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackDrift:
    """Slopes of tracks, arrays shaped (s,) or (s, k).

    Attributes
    ----------
    slope, se, df : float64
        Slope per 100 frames, in the units of the values; standard error; degrees of freedom. No
        error (NaN) and no degree of freedom where the frames are worth fewer than `N_EFF_MIN`
        independent ones: the slope is then one of several on an annotator, and no finding alone.
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

    @property
    def enough(self) -> Bools:
        """Whether anything can be concluded from the single track."""
        return np.asarray((self.status == OK) & np.isfinite(self.se))

    def p_bias(self, delta: float = 0.0) -> Floats:
        """How surprising each slope is if the drift is at most ``delta`` per 100 frames."""
        p = verdicts.p_bias(self.slope, self.se, self.df, delta)
        return np.where(self.enough, p, 1.0)

    def p_clean(self, delta: float) -> Floats:
        """How surprising each slope is if the drift is at least ``delta`` per 100 frames."""
        p = verdicts.p_clean(self.slope, self.se, self.df, delta)
        return np.where(self.enough, p, 1.0)

    def verdict(self, delta: float, *, alpha: float = verdicts.ALPHA) -> Array:
        """Verdict on each single track: codes into `annqc.infer.verdicts.VERDICTS`."""
        return verdicts.decide(self.p_bias(delta), self.p_clean(delta), self.enough, alpha=alpha)


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
    The slope is that of least squares, its error and degrees of freedom are those of
    `annqc.infer.temporal.slope_error.slope_error`, which weighs memories of different lengths, with
    and without white noise upon them. ``n_eff = T (se_iid / se)²``. With more than 1 % gross
    residuals the slope is Theil and Sen's, and the gross frames take no part in the error. A value
    held over many frames is one drawing, so ``n_eff`` is never above the number of times that the
    value changes, plus one. Rows are taken to be equally far apart.

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
    se, df, r, n_eff = _error(rows, residual)
    changes = _changes(rows)
    status = np.where(changes == 0, CONSTANT, OK)
    status = np.where(n < T_MIN, TOO_SHORT, status)
    status = np.where(n == 0, NO_DATA, status)
    undecided = (status != OK) | ~(n_eff >= N_EFF_MIN)
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


def _error(rows: Columns, residual: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Find error and degrees of freedom of the slope, the autocorrelation, and what frames weigh.

    Of series that are too short only the autocorrelation is found.
    """
    n = rows.count()
    residual = residual - rows.mean(residual)[rows.series]
    x = rows.frame - rows.mean(rows.frame)[rows.series]
    step = rows.step()[rows.series]
    close = (rows.series[1:] == rows.series[:-1]) & (np.diff(rows.frame) == step[1:])
    held = close & (rows.value[1:] == rows.value[:-1])
    at = rows.series[1:]

    def over(w: Array) -> Floats:
        return np.bincount(at, w, rows.n_series).astype(np.float64)

    se, df = np.full((2, rows.n_series), np.nan)
    long = np.flatnonzero(n >= T_MIN)
    with np.errstate(all="ignore"):
        squares = rows.total(residual**2)
        lagged = over(np.where(close, residual[1:] * residual[:-1], 0.0))
        r = np.clip(lagged / squares * (n - 1) / over(close), -1.0, 1.0)
        if len(long):
            some = np.isin(rows.series, long)
            se[long], df[long] = slope_error(rows.keep(some).numbered(long), residual[some])
        alone = np.sqrt(squares / (n - 2) / rows.total(x * x))
        n_eff = np.minimum(n * (alone / se) ** 2, n)
        # A value held over many frames is one drawing.
        drawings = n - over(held)
        few = (drawings < n) & (n_eff > drawings)
        se = np.where(few, se * np.sqrt(n_eff / drawings), se)
        return se, np.where(few, np.minimum(df, drawings), df), r, np.where(few, drawings, n_eff)


def _changes(rows: Columns) -> Ints:
    """How often the value of each series changes."""
    changed = (rows.series[1:] == rows.series[:-1]) & (rows.value[1:] != rows.value[:-1])
    return np.bincount(rows.series[1:], changed, rows.n_series).astype(np.int64)
