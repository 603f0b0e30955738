"""infer: the matrix of annotators, with intervals whose units of evidence are images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from annqc.infer.rates import rate_sums, ratio_of_clusters

if TYPE_CHECKING:
    from annqc.measure.pairwise import PairCounts
    from annqc.tables import Array, Floats, Ints

__all__ = ["Interval", "PairMatrix", "kappa", "pair_matrix"]


class Interval(NamedTuple):
    """One number a group with its interval: ``estimate, low, high`` (n_groups,)."""

    estimate: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class PairMatrix:
    """How far two annotators agree, one row a pair; or an annotator with themselves.

    Attributes
    ----------
    first, second : (n,) object
        Who.
    mean_iou : Interval
        Mean IoU of paired boxes.
    f1 : Interval
        Boxes of either that the other has as well, over all boxes of both.
    label_agreement, kappa : Interval
        Share of those pairs that have one category; Cohen's kappa of the categories, NaN where
        chance alone would agree.
    edge_sd : (n,) float64
        Robust standard deviation of an edge of one of the two, in pixels.
    edge_shift : (n, 4) float64
        Median of the second's offsets from the first: ``out_left, out_top, out_right, out_bottom``,
        in pixels. Agreement does not see what both share; this shows what they do not.
    n_images, n_pairs : (n,) int64
        Common images, and pairs of boxes.
    """

    first: Array
    second: Array
    mean_iou: Interval
    f1: Interval
    label_agreement: Interval
    kappa: Interval
    edge_sd: Floats
    edge_shift: Floats
    n_images: Ints
    n_pairs: Ints


def pair_matrix(counts: PairCounts, *, confidence: float = 0.95) -> PairMatrix:
    """Add up the images of every pair, and say how sure that is.

    Parameters
    ----------
    counts : PairCounts
        What `annqc.measure.pairwise.pair_counts` or `repeat_counts` has counted.
    confidence : float
        Level of the intervals.

    Returns
    -------
    PairMatrix
        Undefined is NaN.

    Notes
    -----
    ``mean_iou`` is a ratio of sums over images, linearised, with a t of (images - 1) degrees of
    freedom. ``f1``, twice the common boxes over all boxes of both, and ``label_agreement`` have the
    interval of Korn and Graubard, and `kappa` one made of that. ``edge_sd`` is 1.4826 times
    the median of ``|difference - edge_shift| / sqrt(2)`` over the four edges: what either adds of
    its own, if both are alike.

    Examples
    --------
    >>> import annqc
    >>> from annqc.measure.pairwise import pair_counts
    >>> made = annqc.simulate(["ann", "bob"], n_images=30, rng=1)
    >>> found = pair_matrix(pair_counts(made.work))
    >>> found.first[0], found.second[0], int(found.n_images[0]), bool(found.f1.estimate[0] > 0.9)
    ('ann', 'bob', 30, True)
    """
    n = len(counts.first)
    overlap = ratio_of_clusters(counts.overlap, counts.paired, counts.group, counts.image, n)
    low, high = overlap.interval(confidence)
    f1, labels = (
        _rate(events, trials, counts, n, confidence)
        for events, trials in ((counts.found, counts.drawn / 2), (counts.same, counts.found))
    )
    chance = kappa(
        *(counts.label_first, counts.label_second, counts.label_group, counts.label_image),
        n,
        confidence=confidence,
    )
    sd, shift = _edges(counts, n)
    return PairMatrix(
        first=counts.first,
        second=counts.second,
        mean_iou=Interval(overlap.estimate, np.maximum(low, 0.0), np.minimum(high, 1.0)),
        f1=f1,
        label_agreement=labels,
        kappa=chance,
        edge_sd=sd,
        edge_shift=shift,
        n_images=np.bincount(counts.group, minlength=n),
        n_pairs=np.bincount(counts.group, counts.paired, n).astype(np.int64),
    )


def _rate(
    events: Floats, trials: Floats, counts: PairCounts, n: int, confidence: float
) -> Interval:
    """Share of events, NaN where there are no trials."""
    found = rate_sums(events, trials, counts.group, counts.image, n).finish(confidence)
    known = found.trials > 0
    low, high = (np.where(known, bound, np.nan) for bound in (found.low, found.high))
    return Interval(found.estimate, low, high)


def kappa(
    first: Array,
    second: Array,
    group: Array,
    cluster: Array,
    n_groups: int,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Cohen's kappa of paired labels, with clusters as the units of evidence.

    Parameters
    ----------
    first, second : (m,) array_like of int
        Labels of the two, from 0.
    group, cluster : (m,) array_like of int
        Codes.
    n_groups : int
        Number of groups.
    confidence : float
        Level of the interval.

    Returns
    -------
    Interval
        NaN where both have but one label, the same; the interval NaN for one cluster.

    Notes
    -----
    With ``p_o`` the share of equal labels and ``p_e = sum_k p_k. p_.k``, kappa is
    ``1 - (1 - p_o) / (1 - p_e)``. A pair of labels (r, c) moves it by
    ``(1[r = c] - p_o) / (1 - p_e) - (1 - p_o) (p_.r + p_c. - 2 p_e) / (1 - p_e)²``; these, summed
    over clusters, give its variance. A symmetric interval from that is too narrow near 1 (88 % with
    10 images). So the interval is Korn and Graubard's of ``p_o``, stretched by the ratio of the
    standard errors of kappa and of ``p_o``; by ``1 / (1 - p_e)`` where all labels agree.

    Examples
    --------
    >>> found = kappa([0, 0, 1, 1], [0, 0, 1, 0], [0] * 4, [0, 1, 2, 3], 1)
    >>> float(found.estimate[0])
    0.5
    """
    one, two = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    who, where = np.asarray(group, dtype=np.int64), np.asarray(cluster, dtype=np.int64)
    k = int(max(one.max(initial=0), two.max(initial=0))) + 1
    total = np.bincount(who, minlength=n_groups).astype(np.float64)
    with np.errstate(all="ignore"):
        rows, columns = (
            np.bincount(who * k + label, minlength=n_groups * k).reshape(n_groups, k)
            / total[:, None]
            for label in (one, two)
        )
        same = np.bincount(who, one == two, n_groups) / total
        chance = (rows * columns).sum(axis=1)
        off = 1 - np.where(chance >= 1, np.nan, chance)
        estimate = 1 - (1 - same) / off
        pull = columns[who, one] + rows[who, two] - 2 * chance[who]
        moved = ((one == two) - same[who]) / off[who] - (1 - same[who]) * pull / off[who] ** 2
    agreed = rate_sums(one == two, np.ones(len(one)), who, where, n_groups).finish(confidence)
    spread = _spread(moved, who, where, n_groups)
    plain = _spread((one == two) - same[who], who, where, n_groups)
    with np.errstate(all="ignore"):
        wider = np.where(plain > 1e-12, spread / plain, 1 / off)
        low = estimate - wider * (same - agreed.low)
        high = estimate + wider * (agreed.high - same)
    few = ~(agreed.n_clusters > 1)
    low, high = (np.where(few, np.nan, bound) for bound in (low, high))
    return Interval(estimate, np.maximum(low, -1.0), np.minimum(high, 1.0))


def _spread(moved: Floats, group: Ints, cluster: Ints, n_groups: int) -> Floats:
    """Root of the sum of squares, over the clusters of each group, of what is added up in them."""
    width = int(cluster.max(initial=0)) + 1
    cells, place = np.unique(group * width + cluster, return_inverse=True)
    squares = np.bincount(place, moved, len(cells)) ** 2
    return np.sqrt(np.bincount(cells // width, squares, n_groups))


def _edges(counts: PairCounts, n: int) -> tuple[Floats, Floats]:
    """Spread and median of the differences of edges, group by group."""
    sd, shift = np.full(n, np.nan), np.full((n, 4), np.nan)
    order = np.argsort(counts.edge_group, kind="stable")
    bounds = np.searchsorted(counts.edge_group[order], np.arange(n + 1))
    for g in np.flatnonzero(np.diff(bounds)).tolist():
        own = counts.edges[order[bounds[g] : bounds[g + 1]]]
        shift[g] = np.median(own, axis=0)
        sd[g] = 1.4826 * np.median(np.abs(own - shift[g])) / np.sqrt(2)
    return sd, shift
