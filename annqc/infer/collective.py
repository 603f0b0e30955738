"""infer: is everybody off alike? Asked before anyone is accused.

A gold that is 3 px too tight makes every annotator look loose. So the offsets of one gold object
are first summarised over its annotators, and that summary is tested: if it is biased, the finding
is collective (all annotators, or the gold, or the guideline), it is reported once, and individuals
are judged on the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer._layout import runs, stable_order
from annqc.infer.cht import cluster_location
from annqc.infer.verdicts import ALPHA, eligible, half_width, p_bias

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["MIN_ANNOTATORS", "Collective", "collective", "inherit", "object_medians"]

MIN_ANNOTATORS: Final = 3
"""Annotators on a gold object for their median to speak for everybody."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Collective:
    """Shared offset of each group and quantity, arrays (n_groups, K), in the units of the values.

    ``shift`` is what individuals are not blamed for: the estimate on every quantity of an axis on
    which the group is collectively biased, else 0. ``method`` is ``"objects"`` (median over at
    least three annotators of each gold object, clustered by image), ``"annotators"`` (each
    annotator a cluster) or ``""`` where there is too little to ask.
    """

    estimate: Floats
    ci_low: Floats
    ci_high: Floats
    p_value: Floats
    n_clusters: Ints
    biased: Bools
    shift: Floats
    method: Array


def object_medians(values: Array, item: Array) -> tuple[Ints, Floats]:
    """Median over annotators of each gold object that at least three of them drew.

    Parameters
    ----------
    values : (K, n) array_like
        One column a pair; NaN where not usable.
    item : (n,) array_like of int
        Gold object of each pair.

    Returns
    -------
    first : (m,) int64
        One pair of each object with at least three.
    medians : (K, m) float64
        NaN where fewer than three of the values are usable.
    """
    item = np.asarray(item, dtype=np.int64)
    order = stable_order(item)
    start = runs(item[order])
    count = np.diff(np.append(start, len(item)))
    first, found = [], []
    for k in np.unique(count[count >= MIN_ANNOTATORS]):
        rows = start[count == k]
        dense = np.sort(values[:, order[rows[:, None] + np.arange(k)]], axis=2)
        usable = np.isfinite(dense).sum(axis=2)
        low = np.maximum((usable - 1) // 2, 0)[..., None]
        high = np.minimum(usable // 2, k - 1)[..., None]
        middle = 0.5 * (
            np.take_along_axis(dense, low, axis=2) + np.take_along_axis(dense, high, axis=2)
        )
        found.append(np.where(usable >= MIN_ANNOTATORS, middle[..., 0], np.nan))
        first.append(order[rows])
    if not first:
        return np.empty(0, np.int64), np.empty((len(values), 0))
    return np.concatenate(first), np.concatenate(found, axis=1)


def collective(
    values: Array,
    *,
    item: Array,
    annotator: Array,
    cluster: Array,
    group: Array,
    n_groups: int,
    margin: Array,
    group_grid: Array,
    axis: Array | None = None,
    alpha: float = ALPHA,
    engine: Engine = "auto",
) -> Collective:
    """Test each group for an offset that everybody shares.

    Parameters
    ----------
    values : (K, n) array_like
        Offsets in tolerance units, one column a pair; NaN where not usable.
    item, annotator, cluster, group : (n,) array_like of int
        Gold object, annotator, image or track, and group of each pair.
    n_groups : int
        Number of groups.
    margin : (K,) array_like
        Largest offset that is no bias.
    group_grid : (n_groups, K) array_like
        Coordinate step.
    axis : (K,) array_like of int, optional
        Quantities with the same number hang together (an edge, the shift and the growth that it is
        part of): what is shared in one is shared in all. Each stands alone if not given.
    alpha : float
        Level.
    engine : {"auto", "numpy", "numba"}
        How to estimate.

    Returns
    -------
    Collective

    Notes
    -----
    Where gold objects with at least three annotators are the rule (half of the pairs or more) and
    span five images, the medians over annotators are tested with images as clusters; else, with at
    least five annotators, all values with annotators as clusters; else the medians after all, where
    they span five images. Otherwise nothing is claimed: with one or two annotators a biased gold
    and a biased annotator look the same.

    The quantities of a group are one family (Holm 1979): where everybody is off by just the margin
    on all sides, a claim on any of them stays at the level. All annotators together bring so much
    evidence that this costs next to nothing elsewhere.
    """
    group = np.asarray(group, dtype=np.int64)
    margin = np.asarray(margin, dtype=np.float64)
    shape = (n_groups, len(margin))
    first, medians = object_medians(values, item)
    by_object, by_annotator = (
        cluster_location(
            rows, units, columns, n_groups=n_groups, group_grid=group_grid, engine=engine
        )
        for rows, units, columns in (
            (group[first], np.asarray(cluster)[first], medians.T),
            (group, annotator, np.asarray(values).T),
        )
    )
    objects_speak = eligible(by_object.n_clusters, by_object.df)
    annotators_speak = eligible(by_annotator.n_clusters, by_annotator.df)
    n_pairs = np.bincount(group, minlength=n_groups)
    n_shared = np.bincount(group[_shared(item)], minlength=n_groups)
    objects_speak &= (2 * n_shared >= n_pairs)[:, None] | ~annotators_speak
    annotators_speak &= ~objects_speak

    def pick(name: str, default: float) -> Array:
        first, second = getattr(by_object, name), getattr(by_annotator, name)
        return np.where(objects_speak, first, np.where(annotators_speak, second, default))

    estimate, se, df = pick("estimate", np.nan), pick("se", np.nan), pick("df", 0.0)
    p = np.where(objects_speak | annotators_speak, p_bias(estimate, se, df, margin), np.nan)
    biased = np.broadcast_to(_holm(p) < alpha, shape)
    half = half_width(se, df, 1 - alpha)
    method = np.where(objects_speak, "objects", np.where(annotators_speak, "annotators", ""))
    return Collective(
        estimate=estimate,
        ci_low=estimate - half,
        ci_high=estimate + half,
        p_value=p,
        n_clusters=pick("n_clusters", 0).astype(np.int64),
        biased=biased,
        shift=np.where(_along_axes(biased, axis), np.nan_to_num(estimate), 0.0),
        method=method,
    )


def _holm(p: Floats) -> Floats:
    """Adjust p-values along the last axis for their number; NaN stays NaN and does not count."""
    order = np.argsort(p, axis=-1)
    sorted_p = np.take_along_axis(p, order, axis=-1)
    tested = (~np.isnan(p)).sum(axis=-1, keepdims=True)
    left = np.maximum(tested - np.arange(p.shape[-1]), 1)
    adjusted = np.fmin(np.fmax.accumulate(sorted_p * left, axis=-1), 1.0)
    out = np.empty_like(p)
    np.put_along_axis(out, order, np.where(np.isnan(sorted_p), np.nan, adjusted), axis=-1)
    return out


def _shared(item: Ints) -> Bools:
    """Whether at least three annotators drew the gold object of each pair."""
    _, inverse, count = np.unique(item, return_inverse=True, return_counts=True)
    return np.asarray(count[inverse] >= MIN_ANNOTATORS)


def _along_axes(biased: Bools, axis: Array | None) -> Bools:
    """Spread a collective finding over the quantities that hang together with it."""
    if axis is None:
        return biased
    axis = np.asarray(axis)
    out = np.zeros_like(biased)
    for one in np.unique(axis):
        out[:, axis == one] = biased[:, axis == one].any(axis=1, keepdims=True)
    return out


def inherit(strata: Collective, pooled: Collective) -> Floats:
    """Take each stratum's shared offset: its own where it was tested, else the pooled one.

    Parameters
    ----------
    strata, pooled : Collective
        (S, K) and (1, K).

    Returns
    -------
    (S, K) float64
    """
    return np.where(strata.method == "", pooled.shift, strata.shift)
