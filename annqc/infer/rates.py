"""infer: proportions (missed, spurious, wrong label ...) with clustered intervals."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from annqc.infer._layout import stable_order

if TYPE_CHECKING:
    from annqc.tables import Array, Floats

__all__ = ["Rate", "RateSums", "korn_graubard", "rate_sums"]


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
            residual = np.maximum(self.XX - 2 * p * self.XN + p * p * self.NN, 0.0)
            variance = self.G / (self.G - 1) * residual / self.N**2
            inner = (p > 0) & (p < 1) & (residual > 1e-12 * np.maximum(self.XX, 1))
            t = special.stdtrit(self.N - 1, tail) / special.stdtrit(self.G - 1, tail)
            n_eff = np.where(inner, np.minimum(self.N, p * (1 - p) / variance * t**2), self.N)
            n_eff = np.where(self.G < 2, np.minimum(self.N, 1.0), n_eff)
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
