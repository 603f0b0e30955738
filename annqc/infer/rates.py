"""infer: proportions (missed, spurious, wrong label ...) with clustered intervals.

A group is beyond a limit where its whole interval is. Asked of many groups, that happens by chance,
so every interval has a p-value as well: the smallest tail at which it still excludes the limit. The
p-values of all groups go through Benjamini-Hochberg at the tail of the interval, `beyond_together`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from annqc.infer._layout import stable_order
from annqc.infer.multiplicity import adjusted_bh
from annqc.infer.unseen import unseen

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = [
    "Rate",
    "RateSums",
    "Ratio",
    "beyond_together",
    "korn_graubard",
    "p_of_t",
    "rate_sums",
    "ratio_of_clusters",
]

SMALLEST: Final = 1e-300
"""p-values below this are 0."""
HALVINGS: Final = 50
"""Steps of the search for a p-value on the scale of logarithms: eleven digits."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Rate:
    """A proportion a group: ``estimate, low, high`` (n_groups,), events, trials and clusters."""

    estimate: Floats
    low: Floats
    high: Floats
    events: Floats
    trials: Floats
    n_clusters: Floats


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class RateSums:
    """Mergeable sums of events x and trials n over clusters: G, Σx, Σn, Σx², Σxn, Σn²."""

    G: Floats
    X: Floats
    N: Floats
    XX: Floats
    XN: Floats
    NN: Floats

    def merge(self, other: RateSums) -> RateSums:
        """Add the sums of another shard; every cluster must live entirely in one shard."""
        return RateSums(
            **{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        )

    def finish(self, confidence: float = 0.95) -> Rate:
        """Korn-Graubard intervals of the merged sums.

        Notes
        -----
        With ``p = Σx / Σn``, ``V = G/(G-1) Σ(x - p n)² / (Σn)²`` and effective sample size
        ``n_eff = min(N, p(1-p)/V (t_{N-1} / t_{G-1})²)`` (N where p is 0 or 1; ``min(N, 1)`` for
        one cluster), the interval is Clopper-Pearson's for ``p n_eff`` events of ``n_eff`` (Korn
        and Graubard 1998). Without trials the rate is NaN in [0, 1].
        """
        tail = (1 - confidence) / 2
        with np.errstate(all="ignore"):
            p = self.X / self.N
            n_eff = self._n_eff(tail)
            k = p * n_eff
            low = np.where(k > 0, special.betaincinv(k, n_eff - k + 1, tail), 0.0)
            high = np.where(k < n_eff, special.betaincinv(k + 1, n_eff - k, 1 - tail), 1.0)
        nothing = ~(self.N > 0)
        return Rate(
            estimate=np.where(nothing, np.nan, p),
            low=np.where(nothing, 0.0, low),
            high=np.where(nothing, 1.0, high),
            events=self.X,
            trials=self.N,
            n_clusters=self.G,
        )

    def _n_eff(self, tail: float | Floats) -> Floats:
        """Effective sample size of the interval that leaves ``tail`` on either side."""
        with np.errstate(all="ignore"):
            p = self.X / self.N
            residual = np.maximum(self.XX - 2 * p * self.XN + p * p * self.NN, 0.0)
            variance = self.G / (self.G - 1) * residual / self.N**2
            inner = (p > 0) & (p < 1) & (residual > 1e-12 * np.maximum(self.XX, 1))
            t = special.stdtrit(self.N - 1, tail) / special.stdtrit(self.G - 1, tail)
            n_eff = np.where(inner, np.minimum(self.N, p * (1 - p) / variance * t**2), self.N)
            return np.where(self.G < 2, np.minimum(self.N, 1.0), n_eff)

    def p_beyond(self, limit: float, *, at_least: bool, largest: float = 0.25) -> Floats:
        """One-sided p-values of "the rate keeps to the limit": those of the intervals, inverted.

        Parameters
        ----------
        limit : float
            The limit.
        at_least : bool
            Whether the rate must be at least the limit, or at most.
        largest : float
            Tails up to which a p-value is looked for; a larger one is given as 1.

        Returns
        -------
        (n_groups,) float64
            The smallest tail at which the interval of `finish` excludes the limit.

        Notes
        -----
        The effective sample size depends on the tail, through the quantiles of t, so the tail is
        found by halving. The interval grows as the tail shrinks, so there is one such tail.

        Examples
        --------
        >>> sums = rate_sums([9, 8, 9, 9, 7], [10] * 5, [0] * 5, range(5), 1)
        >>> sums.p_beyond(0.9, at_least=True, largest=0.025).round(4).tolist()
        [1.0]
        >>> sums.p_beyond(0.95, at_least=True, largest=0.025).round(4).tolist()
        [0.0117]
        """
        found = np.ones(len(self.N))
        beyond = np.flatnonzero(self._tail_left(limit, largest, at_least=at_least) <= largest)
        if not len(beyond):
            return found
        some = RateSums(**{one.name: getattr(self, one.name)[beyond] for one in fields(self)})
        low = np.full(len(beyond), np.log(SMALLEST))
        high = np.full(len(beyond), np.log(largest))
        for _ in range(HALVINGS):
            middle = np.exp((low + high) / 2)
            excluded = some._tail_left(limit, middle, at_least=at_least) <= middle
            low, high = (
                np.where(excluded, low, np.log(middle)),
                np.where(excluded, np.log(middle), high),
            )
        p = np.exp(high)
        found[beyond] = np.where(p <= 2 * SMALLEST, 0.0, p)
        return found

    def _tail_left(self, limit: float, tail: float | Floats, *, at_least: bool) -> Floats:
        """Probability of so few events (or so many), or fewer, at the limit; 1 where none can be.

        The interval that leaves ``tail`` excludes the limit where this is at most ``tail``.
        """
        with np.errstate(all="ignore"):
            n_eff = self._n_eff(tail)
            k = self.X / self.N * n_eff
            if at_least:
                left = np.where(k < n_eff, special.betaincc(k + 1, n_eff - k, limit), 1.0)
            else:
                left = np.where(k > 0, special.betainc(k, n_eff - k + 1, limit), 1.0)
        return np.where(self.N > 0, left, 1.0)


def p_of_t(estimate: Array, se: Array, df: Array, limit: float, *, at_least: bool) -> Floats:
    """One-sided p-values of "the mean keeps to the limit", from a clustered t; NaN without one.

    Examples
    --------
    >>> p_of_t([0.8], [0.02], [30], 0.85, at_least=True).round(4).tolist()
    [0.0091]
    """
    away = np.asarray(estimate, dtype=np.float64) - limit
    with np.errstate(all="ignore"):
        t = np.where(away == 0, 0.0, away / np.asarray(se, dtype=np.float64))
        p = special.stdtr(np.asarray(df, dtype=np.float64), t if at_least else -t)
    return np.asarray(np.where(np.isnan(se) | (np.asarray(df) <= 0), np.nan, p))


def beyond_together(p: Array, beyond: Bools, *, confidence: float) -> tuple[Bools, Floats]:
    """Say which groups are beyond their limit, for as many groups as were asked.

    Parameters
    ----------
    p : (n,) array_like
        One-sided p-value of each group; NaN where there is no group to speak of.
    beyond : (n,) bool
        Groups whose whole interval, taken alone, lies beyond the limit.
    confidence : float
        Level of the intervals.

    Returns
    -------
    beyond : (n,) bool
        Those that remain.
    p_adjusted : (n,) float64
        Adjusted p-values (Benjamini and Hochberg).

    Notes
    -----
    The level is that of one side of the interval, ``(1 - confidence) / 2``. So one group alone is
    judged by its interval; and where every group sits at its limit, any of them is found to be
    beyond in at most that share of runs, whatever their number.

    Examples
    --------
    >>> beyond, adjusted = beyond_together([0.001, 0.02, 0.6], [True, True, False], confidence=0.95)
    >>> beyond.tolist(), adjusted.round(3).tolist()
    ([True, False, False], [0.003, 0.03, 0.6])
    """
    level = (1 - confidence) / 2
    beyond = np.asarray(beyond, dtype=bool)
    # What the interval excludes must not be lost again to rounding in the p-value.
    p = np.where(beyond, np.minimum(np.asarray(p, dtype=np.float64), level), p)
    adjusted = adjusted_bh(p)
    return beyond & (adjusted <= level * (1 + 1e-12)), adjusted


def rate_sums(
    events: Array, trials: Array, group: Array, cluster: Array, n_groups: int
) -> RateSums:
    """Sum events and trials over the clusters of each group.

    Parameters
    ----------
    events, trials : (N,) array_like
        Counts a row; rows of the same group and cluster are added first.
    group, cluster : (N,) array_like of int
        Codes.
    n_groups : int
        Number of groups.
    """
    group = np.asarray(group, dtype=np.int64)
    cluster = np.asarray(cluster, dtype=np.int64)
    x, n = np.asarray(events, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    order = stable_order(cluster)
    order = order[stable_order(group[order])]
    group, cluster = group[order], cluster[order]
    first = np.ones(len(group), dtype=bool)
    first[1:] = (group[1:] != group[:-1]) | (cluster[1:] != cluster[:-1])
    start = np.flatnonzero(first)
    x = np.add.reduceat(x[order], start) if len(start) else x
    n = np.add.reduceat(n[order], start) if len(start) else n
    group = group[start]
    used = n > 0
    group, x, n = group[used], x[used], n[used]

    def total(values: Floats | None) -> Floats:
        return np.bincount(group, values, n_groups).astype(np.float64)

    return RateSums(
        G=total(None), X=total(x), N=total(n), XX=total(x * x), XN=total(x * n), NN=total(n * n)
    )


def korn_graubard(
    events: Array,
    trials: Array,
    group: Array | None = None,
    n_groups: int = 1,
    *,
    confidence: float = 0.95,
) -> Rate:
    """Clustered confidence interval of a proportion, one row a cluster.

    Parameters
    ----------
    events, trials : (G,) array_like
        Counts of each cluster.
    group : (G,) array_like of int, optional
        Group of each cluster; one group if not given.
    n_groups : int
        Number of groups.
    confidence : float
        Confidence level.

    Examples
    --------
    >>> rate = korn_graubard([0, 1, 0, 2, 0, 0, 1, 0], [5] * 8)
    >>> [round(float(x[0]), 4) for x in (rate.estimate, rate.low, rate.high)]
    [0.1, 0.0152, 0.2972]
    """
    codes = np.zeros(len(events), dtype=np.int64) if group is None else group
    clusters = np.arange(len(events))
    return rate_sums(events, trials, codes, clusters, n_groups).finish(confidence)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Ratio:
    """A ratio of sums a group, linearised over clusters: ``estimate, se, df, n_clusters``."""

    estimate: Floats
    se: Floats
    df: Floats
    n_clusters: Ints

    def interval(
        self, confidence: float = 0.95, *, n_eff: Array | None = None
    ) -> tuple[Floats, Floats]:
        """Interval of a t; NaN for fewer than two clusters.

        Parameters
        ----------
        confidence : float
            Confidence level.
        n_eff : (n_groups,) array_like, optional
            Of means of shares, from 0 to 1, the effective number of shares. The interval then
            reaches at least as far as if the share that they can all have missed, `unseen`, were 0,
            or 1: where all look alike, that is no proof that there are no others.
        """
        tail = (1 - confidence) / 2
        with np.errstate(all="ignore"):
            half = special.stdtrit(self.df, 1 - tail) * self.se
        low, high = self.estimate - half, self.estimate + half
        if n_eff is None:
            return low, high
        missed = unseen(n_eff, tail)
        low = np.minimum(low, self.estimate * (1 - missed))
        high = np.maximum(high, self.estimate + (1 - self.estimate) * missed)
        return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def ratio_of_clusters(
    above: Array, below: Array, group: Array, cluster: Array, n_groups: int
) -> Ratio:
    """Ratio of two sums that are anything but counts, with clusters as the units of evidence.

    Parameters
    ----------
    above, below : (N,) array_like
        What is summed up above and below the line.
    group, cluster : (N,) array_like of int
        Codes.
    n_groups : int
        Number of groups.

    Notes
    -----
    With R the ratio and r the residual ``sum(above) - R sum(below)`` of each of G clusters, the
    variance is ``G / (G - 1) sum(r²) / sum(below)²`` and t has ``G - 1`` degrees of freedom.
    Clusters with nothing below the line do not count.

    Examples
    --------
    >>> found = ratio_of_clusters([1, 2, 3], [2, 2, 4], [0, 0, 0], [0, 1, 2], 1)
    >>> float(found.estimate[0]), round(float(found.se[0]), 4)
    (0.75, 0.1083)
    """
    s = rate_sums(above, below, group, cluster, n_groups)
    with np.errstate(all="ignore"):
        ratio = s.X / s.N
        residual = s.XX - 2 * ratio * s.XN + ratio * ratio * s.NN
        residual = np.where(residual > 1e-12 * s.XX, residual, 0.0)
        se = np.sqrt(s.G / (s.G - 1) * residual) / s.N
    few = s.G < 2
    return Ratio(
        estimate=ratio,
        se=np.where(few, np.nan, se),
        df=np.where(few, np.nan, s.G - 1),
        n_clusters=s.G.astype(np.int64),
    )
