"""Smooth trajectories, and what annotators of them get wrong: data for the temporal calibration."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

__all__ = ["autoregressive", "flat", "interpolated", "trailing", "trajectories"]


def autoregressive(rng, s, t, rho, *, kind="normal", sd=1.0):
    """Draw (s, t) errors of this standard deviation whose lag-1 autocorrelation is ``rho``."""
    e = rng.standard_normal((s, t)) if kind == "normal" else rng.standard_t(3, (s, t)) / np.sqrt(3)
    e[:, 1:] *= np.sqrt(1 - rho**2)
    return sd * lfilter([1.0], [1.0, -rho], e, axis=1)


def trajectories(rng, s, t, *, columns=2, speed=3.0, memory=24.0):
    """Draw (s, t, columns) positions in px: a velocity of this spread that turns slowly.

    The velocity is noise that went twice through a filter of ``memory`` frames, so that the
    acceleration does not jump: over ten frames such a path is close to, but not, a straight line.
    """
    keep = np.exp(-1 / memory)
    before = int(10 * memory)
    noise = rng.standard_normal((s, before + t, columns))
    v = lfilter([1.0], [1.0, -2 * keep, keep**2], noise, axis=1)
    gain = np.sqrt((1 + keep**2) / (1 - keep**2) ** 3)
    start = rng.uniform(200, 800, (s, 1, columns))
    return start + speed / gain * np.cumsum(v[:, before:], axis=1)


def interpolated(drawn, gap):
    """Keep every ``gap``-th frame of (s, t, columns), interpolate those between linearly."""
    t = drawn.shape[1]
    at = np.arange(t)
    keys = np.unique(np.append(at[::gap], t - 1))
    left = np.minimum(np.searchsorted(keys, at, side="right") - 1, len(keys) - 2)
    share = ((at - keys[left]) / (keys[left + 1] - keys[left]))[None, :, None]
    return (1 - share) * drawn[:, keys[left]] + share * drawn[:, keys[left + 1]]


def trailing(path, lag):
    """Shift (s, t + lag, columns) so that it trails by ``lag`` frames: (now, then)."""
    return path[:, lag:], path[:, : path.shape[1] - lag]


def flat(x):
    """Lay (s, t) or (s, t, columns) out as ragged series: values, frame, starts."""
    s, t = x.shape[:2]
    return x.reshape(s * t, *x.shape[2:]), np.tile(np.arange(t), s), np.arange(s + 1) * t
