"""temporal: by how many frames an annotator trails the object."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.temporal.estimate import NO_DATA, NO_MOTION, Estimate, ratio_of_tracks
from annqc.infer.temporal.series import MAD_TO_SD, Series, row_at, segment_median

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = [
    "HALF_WINDOW",
    "MARGIN",
    "SPEED_MIN",
    "TrackLag",
    "annotator_lag",
    "refined_lag",
    "track_lag",
    "without_lag",
]

HALF_WINDOW: Final = 3
"""Velocity is taken over this many frames before and after: nearer, noise in gold attenuates."""
SPEED_MIN: Final = 1.0
"""Standard deviation of the velocity, in px a frame, below which no lag can be told."""
ROUNDS: Final = 5
"""Passes in which the whole frames of a lag are sought."""
LONGEST: Final = 25
"""Frames of lag that are looked for at most: a second of video."""
GROSS_SCALES: Final = 5.0
"""Frames whose offset is this many scales from what the lag explains take no part."""
LEAST_SCALE: Final = 0.25
"""Pixels that the scale of a track counts as at least."""
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
    offset: Array,
    reference: Array,
    frame: Array,
    starts: Array,
    *,
    window: int = HALF_WINDOW,
    shift: Array | int = 0,
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
    shift : int or (s,) array_like of int
        Whole frames of lag of each series that are taken for granted, as `refined_lag` finds them.

    Returns
    -------
    TrackLag

    Notes
    -----
    ``v_t = (g_{t+k} - g_{t-k}) / 2k`` leaves g_t out, which is also in the offset, so that noise in
    gold does not pass for a lag. With a shift s the box is compared with gold s frames earlier, and
    with the velocity there: where the motion changes within a few frames, as under a camera that
    shakes, the velocity of now says little of what the object did then.
    """
    y = Series.of(offset, frame, starts)
    gold = Series.of(reference, frame, starts)
    given = np.broadcast_to(np.asarray(shift, dtype=np.int64), y.n_series)
    v, away = _related(y, gold, given, window)
    return _sums(y, v, away, given)


def _related(y: Series, gold: Series, given: Ints, window: int) -> tuple[Floats, Floats]:
    """Velocity where each box is taken to lie, and how far from there it is; NaN where unknown."""
    steps = given[y.series]
    rows = row_at(y.frame, y.series, -steps)
    before, after = (row_at(y.frame, y.series, way * window - steps) for way in (-1, 1))
    there = (before >= 0) & (after >= 0) & (rows >= 0)
    v = np.full(gold.values.shape, np.nan)
    v[there] = (gold.values[after[there]] - gold.values[before[there]]) / (2 * window)
    away = y.values.copy()
    late = there & (steps != 0)
    away[late] += gold.values[late] - gold.values[rows[late]]
    return v, away


def _sums(y: Series, v: Floats, away: Floats, given: Ints) -> TrackLag:
    against, motion, n = np.zeros(y.n_series), np.zeros(y.n_series), np.zeros(y.n_series)
    for axis in range(y.n_columns):
        used = np.isfinite(v[:, axis]) & np.isfinite(away[:, axis])
        count = y.total(used)
        speed, off = (np.where(used, x[:, axis], 0.0) for x in (v, away))
        with np.errstate(all="ignore"):
            speed = np.where(used, speed - (y.total(speed) / count)[y.series], 0.0)
            off = np.where(used, off - (y.total(off) / count)[y.series], 0.0)
        against -= y.total(speed * off)
        motion += y.total(speed * speed)
        n = np.maximum(n, count)
    return TrackLag(against=against + given * motion, motion=motion, n=n.astype(np.int64))


def refined_lag(
    offset: Array,
    reference: Array,
    frame: Array,
    starts: Array,
    group: Array,
    n_groups: int,
    *,
    window: int = HALF_WINDOW,
) -> TrackLag:
    """Relate offset and velocity again at the whole frames of lag that each group is found to have.

    Parameters
    ----------
    offset, reference, frame, starts, window
        As for `track_lag`.
    group : (s,) array_like of int
        Annotator of each track: whoever lags, lags on all of them.
    n_groups : int
        Number of annotators.

    Returns
    -------
    TrackLag
        Up to half a frame of lag the same as `track_lag`, but for frames that are grossly off.

    Examples
    --------
    >>> import numpy as np
    >>> shaking = np.random.default_rng(1).normal(size=200).cumsum() * 5
    >>> late = np.append([shaking[0]] * 4, shaking[:-4])
    >>> given = late - shaking, shaking, np.arange(200), [0, 200]
    >>> found = refined_lag(*given, np.zeros(1, int), 1)
    >>> round(float(track_lag(*given).lag[0]), 1), round(float(found.lag[0]), 1)
    (2.5, 4.0)
    """
    y = Series.of(offset, frame, starts)
    gold = Series.of(reference, frame, starts)
    code = np.asarray(group, dtype=np.int64)
    shift = np.zeros(n_groups, dtype=np.int64)
    for _ in range(ROUNDS):
        v, away = _related(y, gold, shift[code], window)
        found = _sums(y, v, away, shift[code])
        lag = _of_groups(found, code, n_groups)
        away[_gross(y, away + (lag - shift)[code][y.series, None] * v)] = np.nan
        found = _sums(y, v, away, shift[code])
        lag = _of_groups(found, code, n_groups)
        nearest = np.clip(np.rint(lag), -LONGEST, LONGEST).astype(np.int64)
        if (nearest == shift).all():
            break
        shift = nearest
    return found


def _of_groups(track: TrackLag, code: Ints, n_groups: int) -> Floats:
    """Lag of each group, 0 where nothing moves."""
    with np.errstate(all="ignore"):
        lag = np.bincount(code, track.against, n_groups) / np.bincount(code, track.motion, n_groups)
    return np.nan_to_num(lag, posinf=0.0, neginf=0.0)


def _gross(y: Series, residual: Floats) -> Bools:
    """Frames in which the box is on something else, as far as what is left of its offset tells."""
    s, k = y.n_series, y.n_columns
    code = (y.series + np.arange(k)[:, None] * s).ravel()
    flat = residual.T.ravel()
    flat = flat - segment_median(flat, code, s * k)[code]
    scale = MAD_TO_SD * segment_median(np.abs(flat), code, s * k)
    with np.errstate(invalid="ignore"):
        gross = np.abs(flat) > GROSS_SCALES * np.maximum(scale, LEAST_SCALE)[code]
    return np.asarray(gross.reshape(k, -1).T)


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


def without_lag(
    values: Array,
    reference: Array,
    frame: Array,
    starts: Array,
    lag: Array | float,
    *,
    outward: bool = False,
) -> Floats:
    """Compare each box with where its object was ``lag`` frames ago, not with where it is.

    The offset of a box that trails follows the velocity, and its slope the acceleration: what is
    left when the lag is told once can be judged for drift, jumps and jitter.

    Parameters
    ----------
    values : (n,) or (n, k) array_like
        Offsets from ``reference``, column by column.
    reference : (n,) or (n, k) array_like
        Gold coordinates.
    frame : (n,) array_like of int
        Increasing inside a series.
    starts : (s + 1,) array_like of int
        Offsets of the series.
    lag : float or (s,) array_like
        Frames that each series trails by, as its annotator does; 0 or NaN leaves it as it is.
    outward : bool
        Whether ``values`` are positive outwards, with ``k = 4``: left and top the other way round.

    Returns
    -------
    array like ``values``
        ``values + g_t - g_{t - lag}``, the gold of between two frames being interpolated; NaN where
        there is no gold of then, as at the beginning of a track.

    Examples
    --------
    >>> import numpy as np
    >>> frame = np.arange(6)
    >>> gold = frame ** 2.0
    >>> late = np.array([0.0, 0, 1, 4, 9, 16]) - gold
    >>> without_lag(late, gold, frame, [0, 6], 1.0).tolist()
    [nan, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    y = Series.of(values, frame, starts)
    gold = Series.of(reference, frame, starts).values
    each = np.nan_to_num(np.broadcast_to(np.asarray(lag, dtype=np.float64), y.n_series))
    whole = np.floor(each).astype(np.int64)
    share = (each - whole)[y.series, None]
    near, far = (row_at(y.frame, y.series, -(whole + more)[y.series]) for more in (0, 1))
    then = np.where(near[:, None] >= 0, gold[near], np.nan)
    if (share > 0).any():
        before = np.where(far[:, None] >= 0, gold[far], np.nan)
        then = np.where(share > 0, (1 - share) * then + share * before, then)
    way = np.array([-1.0, -1.0, 1.0, 1.0]) if outward else 1.0
    moved = np.where((each != 0)[y.series, None], way * (gold - then), 0.0)
    found = np.asarray(y.values + moved)
    return found[:, 0] if y.flat else found
