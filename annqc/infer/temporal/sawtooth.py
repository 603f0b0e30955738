"""temporal: whether an offset grows with the frames since the last keyframe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from annqc.infer.temporal.series import Series

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["G_MIN", "Sawtooth", "frames_since_keyframe", "sawtooth"]

G_MIN: Final = 8
"""Tracks that the score test of one covariate needs."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Sawtooth:
    """Dependence of an offset on the frames since the last keyframe, arrays (n_groups,).

    Attributes
    ----------
    slope : float64
        Offset gained per frame since the keyframe, by least squares.
    p_value : float64
        Of "it does not depend"; 1 below eight tracks.
    statistic : float64
        Hotelling's W.
    n_clusters, n : int64
        Tracks and frames.
    """

    slope: Floats
    p_value: Floats
    statistic: Floats
    n_clusters: Ints
    n: Ints


def frames_since_keyframe(keyframe: Array, frame: Array, starts: Array) -> Floats:
    """Frames since the last keyframe of the same series.

    Parameters
    ----------
    keyframe : (n,) array_like of bool
        Whether the box of a row was drawn, rather than computed from others.
    frame : (n,) array_like of int
        Increasing inside a series.
    starts : (s + 1,) array_like of int
        Offsets of the series.

    Returns
    -------
    (n,) float64
        0 at a keyframe; NaN before the first.

    Examples
    --------
    >>> frames_since_keyframe([0, 1, 0, 0, 1, 0], [1, 2, 3, 5, 1, 2], [0, 4, 6]).tolist()
    [nan, 0.0, 1.0, 3.0, 0.0, 1.0]
    """
    drawn = np.asarray(keyframe, dtype=bool)
    series = Series.of(np.zeros(len(drawn)), frame, starts)
    rows = np.arange(len(drawn))
    last = np.maximum.accumulate(np.where(drawn, rows, -1)) if len(rows) else rows
    known = last >= series.starts[series.series]
    since = series.frame - series.frame[np.maximum(last, 0)]
    return np.where(known, since.astype(np.float64), np.nan)


def sawtooth(offset: Array, since: Array, track: Array, group: Array, n_groups: int) -> Sawtooth:
    """Test that the offset does not depend on the frames since the last keyframe.

    Parameters
    ----------
    offset : (n,) array_like
        Offsets (Huber pseudo-values); NaN where not usable.
    since : (n,) array_like
        From `frames_since_keyframe`.
    track, group : (n,) array_like of int
        Track, the unit of evidence, and annotator of each row.
    n_groups : int
        Number of annotators.

    Returns
    -------
    Sawtooth

    Notes
    -----
    `annqc.infer.covariates.score_hotelling` with one covariate, for many annotators at once: with
    ``S_g = Σ (z - mean z)(y - mean y)`` of a track, ``W = (Σ S_g)² / Σ S_g²``, and
    ``W (G - 1) / (G - W)`` is F(1, G - 1).
    """
    y, z = np.asarray(offset, dtype=np.float64), np.asarray(since, dtype=np.float64)
    used = np.isfinite(y) & np.isfinite(z)
    y, z = y[used], z[used]
    code = np.asarray(group, dtype=np.int64)[used]
    pair = np.stack([code, np.asarray(track, dtype=np.int64)[used]])
    clusters, cluster = np.unique(pair, axis=1, return_inverse=True)
    owner = clusters[0]

    def total(x: Array | None) -> Floats:
        return np.bincount(code, x, n_groups).astype(np.float64)

    n = total(None)
    with np.errstate(all="ignore"):
        z = z - (total(z) / n)[code]
        product = z * (y - (total(y) / n)[code])
        scores = np.bincount(cluster.ravel(), product, len(owner))
        g = np.bincount(owner, minlength=n_groups)
        whole = np.bincount(owner, scores, n_groups)
        w = whole**2 / np.bincount(owner, scores**2, n_groups)
        w = np.minimum(w, g * (1 - 1e-12))
        p = special.fdtrc(1, g - 1, w * (g - 1) / (g - w))
        slope = whole / total(z * z)
    decidable = (g >= G_MIN) & np.isfinite(w)
    return Sawtooth(
        slope=slope,
        p_value=np.where(decidable, p, 1.0),
        statistic=w,
        n_clusters=g,
        n=n.astype(np.int64),
    )
