"""infer: change over time, by a self-starting two-sided CUSUM over cluster means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.kernels._cht import MAD_TO_SD

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["N_REFERENCE", "Alarms", "change_point", "cusum", "cusum_arl0", "cusum_limit"]
__all__ += ["false_alarm", "lag_one"]

N_REFERENCE: Final = 20
"""Cluster means that a sequence starts from."""
K: Final = 0.5
"""Half of the shift that is looked for, in standard deviations of a cluster mean."""
CLIP: Final = 3.0
LAG: Final = 5
"""Differences at this lag stand for what is not alike."""
TOO_LOW: Final = 1.5
"""What likeness is too low by, times the length: from 3,000 sequences of 25 to 200 values each."""
AFTER: Final = 10
"""Values after an alarm that help to date the change."""
CHANCE: Final = 0.05
"""Chance of any false alarm in all sequences that are watched together."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Alarms:
    """What `cusum` found in each sequence, arrays (s,).

    Attributes
    ----------
    alarm : int64
        Position of the first value with a CUSUM beyond the limit; -1 without one.
    start : int64
        Position of the first value since the CUSUM was last at zero before the alarm; -1 without
        one. See `change_point`.
    peak : float64
        The largest that the CUSUM of the alarming side, or of either without an alarm, became.
    """

    alarm: Ints
    start: Ints
    peak: Floats


def cusum_arl0(k: float, h: float) -> float:
    """Return the mean number of clusters between false alarms of a two-sided CUSUM.

    Parameters
    ----------
    k, h : float
        Reference value and limit, in standard deviations of a cluster mean.

    Notes
    -----
    Siegmund (1985): ``(e^D - D - 1) / (4 k²)`` with ``D = 2 k (h + 1.166)``.

    Examples
    --------
    >>> round(cusum_arl0(0.5, 5), 3)
    469.111
    """
    d = 2 * k * (h + 1.166)
    return (math.exp(d) - d - 1) / (4 * k * k)


def false_alarm(peak: Array | float, n: float, *, k: float = K) -> Floats:
    """Return the chance that honest sequences reach a peak anywhere, with n values in all.

    Parameters
    ----------
    peak : float or array_like
        CUSUM.
    n : float
        Values of all sequences together.
    k : float
        Reference value.

    Returns
    -------
    array of float64
        ``1 - exp(-n / ARL0)``; NaN for NaN.

    Examples
    --------
    >>> false_alarm([5.0, 8.0], 100).round(4).tolist()
    [0.192, 0.0104]
    """
    d = 2 * k * (np.asarray(peak, dtype=np.float64) + 1.166)
    with np.errstate(over="ignore"):
        return np.asarray(-np.expm1(-4 * k * k * n / (np.exp(d) - d - 1)))


def cusum_limit(n: float, *, chance: float = CHANCE, k: float = K) -> float:
    """Return the smallest limit with at most this chance of any false alarm.

    Parameters
    ----------
    n : float
        Values of all sequences that are watched together.
    chance : float
        Largest chance of a false alarm in any of them.
    k : float
        Reference value.

    Notes
    -----
    The smallest h with ``1 - exp(-n / ARL0(h)) <= chance``.

    Examples
    --------
    >>> round(cusum_limit(490), 2)
    8.0
    """
    low, high = 0.0, 60.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if false_alarm(middle, n, k=k) <= chance:
            high = middle
        else:
            low = middle
    return high


def cusum(
    x: Array,
    *,
    limit: float,
    widen: Array | float = 1.0,
    floor: Array | float = 0.0,
    k: float = K,
    n_reference: int = N_REFERENCE,
) -> Alarms:
    """Watch sequences for a lasting change, upward or downward.

    Parameters
    ----------
    x : (s, t) array_like
        Cluster means of s sequences in the order of time; shorter ones end in NaN.
    limit : float
        From `cusum_limit`.
    widen : float or (s,) array_like
        What standard deviations are multiplied by, for neighbours that are alike: see `lag_one`.
    floor : float or (s,) array_like
        Least standard deviation, such as that of rounding.
    k : float
        Reference value, in standard deviations.
    n_reference : int
        Values that a sequence starts from, before it is watched.

    Returns
    -------
    Alarms

    Notes
    -----
    Self-starting (Hawkins 1987): each value is held against mean and standard deviation of all
    before it, ``u = (x - m) / (sd sqrt(1 + 1 / n))`` clipped to ±3, and taken into them clipped to
    m ± 3 sd. ``hi = max(0, hi + u - k)``, ``lo = max(0, lo - u - k)``.
    """
    x = np.asarray(x, dtype=np.float64)
    s, t_max = x.shape
    least = np.maximum(np.broadcast_to(np.asarray(floor, dtype=np.float64), (s,)), 1e-9)
    wide = np.broadcast_to(np.asarray(widen, dtype=np.float64), (s,))
    mean, m2 = np.zeros(s), np.zeros(s)
    level, begun, peak = np.zeros((2, s)), np.zeros((2, s), dtype=np.int64), np.zeros((2, s))
    alarm, start = np.full(s, -1, dtype=np.int64), np.full(s, -1, dtype=np.int64)
    side = np.full(s, -1, dtype=np.int64)
    sign = np.array([[1.0], [-1.0]])
    for t in range(t_max):
        value = x[:, t]
        there = np.isfinite(value)
        if t >= n_reference:
            sd = np.maximum(np.sqrt(m2 / (t - 1)), least)
            u = np.clip((value - mean) / (wide * sd * math.sqrt(1 + 1 / t)), -CLIP, CLIP)
            moved = np.maximum(0.0, level + sign * u - k)
            begun = np.where(there & (level <= 0), t, begun)
            level = np.where(there, moved, level)
            peak = np.maximum(peak, level)
            new = (alarm < 0) & (level.max(axis=0) > limit)
            side = np.where(new, level.argmax(axis=0), side)
            alarm = np.where(new, t, alarm)
            start = np.where(new, begun[level.argmax(axis=0), np.arange(s)], start)
            value = np.clip(value, mean - CLIP * sd, mean + CLIP * sd)
        step = np.where(there, value - mean, 0.0)
        mean = mean + step / (t + 1)
        m2 = m2 + np.where(there, step * (value - mean), 0.0)
    watched = np.isfinite(x).sum(axis=1) > n_reference
    top = np.where(side < 0, peak.max(axis=0), peak[side, np.arange(s)])
    return Alarms(alarm=alarm, start=start, peak=np.where(watched, top, np.nan))


def change_point(x: Array, start: int, alarm: int) -> int:
    """Date the change behind an alarm.

    Parameters
    ----------
    x : (t,) array_like
        The sequence.
    start, alarm : int
        From `cusum`.

    Returns
    -------
    int
        Position of the first value after the change, from ``start`` to ``alarm``.

    Notes
    -----
    Where the CUSUM left zero a change may have begun, or noise that the change came upon. Of the
    positions since then this is the one that parts the values, ten after the alarm included, with
    the smallest sum of squares.

    Examples
    --------
    >>> change_point([0, 1, 0, 1, 0, 1, 9, 8, 9], 3, 7)
    6
    """
    values = np.asarray(x, dtype=np.float64)[: alarm + AFTER]
    values = values[np.isfinite(values)]
    n = len(values)
    at = np.arange(max(start, 1), alarm + 1)
    before = np.cumsum(values)[at - 1]
    return int(at[np.argmax((before - at * values.mean()) ** 2 / (at * (n - at)))])


def lag_one(x: Array) -> Floats:
    """Estimate how alike neighbours in sequences are, whether or not there is a change in them.

    Parameters
    ----------
    x : (s, t) array_like
        Sequences; shorter ones end in NaN.

    Returns
    -------
    (s,) float64
        Lag-1 correlation; NaN where all is constant or there are fewer than seven values.

    Notes
    -----
    ``1 - V_1 / V_5 + 1.5 / t``, where V_k is the mean square of the differences at lag k, clipped
    at three robust standard deviations. A step is in one difference at lag 1 and in five at lag 5,
    where it would be in every deviation from the mean.
    """
    values = np.asarray(x, dtype=np.float64)
    out = np.full(len(values), np.nan)
    for row in np.flatnonzero(np.isfinite(values).sum(axis=1) > LAG + 1).tolist():
        one = values[row][np.isfinite(values[row])]
        near, far = (_mean_square(one[k:] - one[:-k]) for k in (1, LAG))
        out[row] = 1 - near / far + TOO_LOW / len(one) if far > 0 else np.nan
    return out


def _mean_square(difference: Floats) -> float:
    """Return the mean square of what is clipped at three robust standard deviations."""
    size = np.abs(difference)
    far = CLIP * MAD_TO_SD * float(np.median(size))
    return float((np.minimum(size, far) ** 2).mean())
