"""run: what all annotators' tracks have alike, asked before anyone is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.infer.collective import object_medians
from annqc.infer.paired import adjusted_holm
from annqc.infer.temporal.estimate import of_tracks, ratio_of_tracks
from annqc.infer.verdicts import eligible, p_bias
from annqc.run.trackstack import DRIFTS, ENDS, JITTER, ONE_SIDED, SHARE, TEMPORAL

if TYPE_CHECKING:
    from annqc.infer.temporal.estimate import Estimate
    from annqc.measure.tracks import TrackSeries
    from annqc.run.trackstack import Stack, TrackParts
    from annqc.tables import Floats, Ints

__all__ = ["shared_by_all"]


def shared_by_all(
    parts: TrackParts,
    series: TrackSeries,
    video: Ints,
    stack: Stack,
    *,
    margins: Floats,
    alpha: float,
) -> Floats:
    """Say by how much all annotators are off together.

    Parameters
    ----------
    parts : TrackParts
        What every track says.
    series : TrackSeries
        Whose tracks they are.
    video : (s,) int64
        Sequence of every series.
    stack : Stack
        Estimates of the annotators, as they are judged.
    margins : (K,) float64
        What is no bias.
    alpha : float
        Level, for all quantities together (Holm 1979).

    Returns
    -------
    (K,) float64
        What nobody is blamed for, in the units of the estimates; 0 where nothing is shared.

    Notes
    -----
    The median over annotators of every gold track that at least three of them drew is tested, with
    the gold track as the unit of evidence (for ends: the sequence): however many annotators
    followed a track whose gold wanders, it is one track. Only where annotators share no tracks to
    speak of, each of five or more stands for himself.
    """
    k = len(TEMPORAL)
    p, size = np.full(k, np.nan), np.zeros(k)
    for one in range(k):
        if one in {JITTER, SHARE} or not (stack.df[:, one] > 0).any():
            continue
        found = _of_one(parts, series, video, stack, one)
        if found is None:
            continue
        estimate, se, df = np.asarray(found, dtype=np.float64)
        if one in ONE_SIDED:
            estimate = np.maximum(estimate, 0.0)
        p[one], size[one] = p_bias(estimate, se, df, margins[one]), estimate
    with np.errstate(invalid="ignore"):
        return np.where(adjusted_holm(p) < alpha, size, 0.0)


def _of_one(
    parts: TrackParts, series: TrackSeries, video: Ints, stack: Stack, k: int
) -> tuple[Floats, Floats, Floats] | None:
    """Estimate what is shared of one quantity, None where nothing can be said."""
    some = np.flatnonzero(np.isfinite(parts.value[:, k]))
    track = series.track[some]
    stacked = np.stack([parts.value[some, k], parts.weight[some, k]])
    first, medians = object_medians(stacked, track)
    _, count = np.unique(track, return_counts=True)
    if 2 * count[count >= 3].sum() >= len(some):
        cluster = (video if k in ENDS else series.track)[some[first]]
        return _told(_medians(medians[0], medians[1], cluster, k))
    who = np.flatnonzero(eligible(stack.n_clusters, stack.df)[:, k])
    one = cluster_location(np.zeros(len(who), np.int64), who, stack.estimate[who, k], n_groups=1)
    if eligible(one.n_clusters, one.df)[0]:
        return one.estimate[0], one.se[0], one.df[0]
    return None


def _medians(value: Floats, weight: Floats, cluster: Ints, k: int) -> Estimate:
    """Estimate from the objects' medians as a group's own tracks are estimated from."""
    group = np.zeros(len(value), dtype=np.int64)
    if TEMPORAL[k] == "lag" or TEMPORAL[k].startswith("sawtooth"):
        return ratio_of_tracks(value * weight, weight, group, 1)
    grid = 1.0 if k in ENDS else 0.0
    return of_tracks(value, group, cluster, 1, grid=grid, robust=k >= len(DRIFTS))


def _told(found: Estimate) -> tuple[Floats, Floats, Floats] | None:
    if not found.enough[0]:
        return None
    return found.estimate[0], found.se[0], found.df[0]
