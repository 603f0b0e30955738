"""temporal: by how many frames an annotator trails the object."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.temporal.estimate import NO_DATA, NO_MOTION, Estimate, ratio_of_tracks
from annqc.infer.temporal.series import Series, row_at

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["HALF_WINDOW", "MARGIN", "SPEED_MIN", "TrackLag", "annotator_lag", "track_lag"]

HALF_WINDOW: Final = 3
"""Velocity is taken over this many frames before and after: nearer, noise in gold attenuates."""
SPEED_MIN: Final = 1.0
"""Standard deviation of the velocity, in px a frame, below which no lag can be told."""
MARGIN: Final = 0.5
"""Default margin in frames: a smaller lag is nearer to none than to one frame."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackLag:
    """What each track says on the lag, arrays (s,).

    Attributes
    ----------
    against, motion : float64
        ``-Σ (v - mean v)(y - mean y)`` and ``Σ (v - mean v)²``, over both axes.
    n : int64
        Frames with a velocity.
    """

    against: Floats
    motion: Floats
    n: Ints

    @property
    def lag(self) -> Floats:
        """Lag of each single track, in frames."""
        with np.errstate(all="ignore"):
            return self.against / self.motion


def track_lag(
    offset: Array, reference: Array, frame: Array, starts: Array, *, window: int = HALF_WINDOW
) -> TrackLag:
    """Relate the offset of the centre to the velocity of the object, track by track.

    Parameters
    ----------
    offset : (n,) or (n, 2) array_like
        Annotation minus gold, centre of the box in px: an axis' two edges tell the same lag, and
        their mean is less noisy than either.
    reference : (n,) or (n, 2) array_like
        Centre of the gold box in px; without gold, the mean of two annotators' boxes.
    frame : (n,) array_like of int
        Increasing inside a series; rows without one ``window`` frames before and after are left
        out.
    starts : (s + 1,) array_like of int
        Offsets of the series.
    window : int
        Frames to either side that the velocity is taken over.

    Returns
    -------
    TrackLag

    Notes
    -----
    ``v_t = (g_{t+k} - g_{t-k}) / 2k`` leaves g_t out, which is also in the offset, so that noise in
    gold does not pass for a lag.
    """
    y = Series.of(offset, frame, starts)
    gold = Series.of(reference, frame, starts)
    before, after = (row_at(y.frame, y.series, way * window) for way in (-1, 1))
    there = (before >= 0) & (after >= 0)
    v = np.full(gold.values.shape, np.nan)
    v[there] = (gold.values[after[there]] - gold.values[before[there]]) / (2 * window)
    against, motion, n = np.zeros(y.n_series), np.zeros(y.n_series), np.zeros(y.n_series)
    for axis in range(y.n_columns):
        used = np.isfinite(v[:, axis]) & np.isfinite(y.values[:, axis])
        count = y.total(used)
        speed, away = (np.where(used, x[:, axis], 0.0) for x in (v, y.values))
        with np.errstate(all="ignore"):
            speed = np.where(used, speed - (y.total(speed) / count)[y.series], 0.0)
            away = np.where(used, away - (y.total(away) / count)[y.series], 0.0)
        against -= y.total(speed * away)
        motion += y.total(speed * speed)
        n = np.maximum(n, count)
    return TrackLag(against=against, motion=motion, n=n.astype(np.int64))


def annotator_lag(track: TrackLag, group: Array, n_groups: int) -> Estimate:
    """Lag of each annotator in frames, positive where the box trails the object.

    Parameters
    ----------
    track : TrackLag
        From `track_lag`.
    group : (s,) array_like of int
        Annotator of each track.
    n_groups : int
        Number of annotators.

    Returns
    -------
    Estimate
        In frames, with the track as the unit of evidence; judge it against `MARGIN`. Status
        ``no_motion`` where the velocity varies by less than `SPEED_MIN`.

    Examples
    --------
    >>> import numpy as np
    >>> frame, starts = np.tile(np.arange(120), 6), np.arange(7) * 120
    >>> gold = 300 * np.sin(frame / 15 + np.repeat(np.arange(6), 120))
    >>> noise = np.random.default_rng(2).normal(size=720)
    >>> late = 300 * np.sin((frame - 2) / 15 + np.repeat(np.arange(6), 120)) + noise
    >>> found = annotator_lag(track_lag(late - gold, gold, frame, starts), np.zeros(6, int), 1)
    >>> round(float(found.estimate[0]), 1), found.verdict(MARGIN).tolist()
    (2.0, [2])
    """
    found = ratio_of_tracks(track.against, track.motion, group, n_groups, n=track.n)
    code = np.asarray(group, dtype=np.int64)
    with np.errstate(all="ignore"):
        variance = np.bincount(code, track.motion, n_groups) / np.bincount(code, track.n, n_groups)
    still = ~(np.sqrt(variance) >= SPEED_MIN) & (np.bincount(code, track.n, n_groups) > 0)
    status = np.where(still, NO_MOTION, found.status)
    status = np.where(found.n_clusters + still == 0, NO_DATA, status).astype(np.int8)
    return replace(found, status=status)
