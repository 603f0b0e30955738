"""infer: shrunken estimates and rank intervals, so that twelve boxes do not make a league table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

__all__ = ["Ranks", "Shrunken", "rank_intervals", "reml_tau2", "shrink", "smooth_variances"]

N_DRAWS: Final = 2000
WORST_SHARE: Final = 0.1
SMALLEST: Final = 1e-100
"""Stands in for a variance of zero: its inverse can still be squared."""
TIE: Final = 1e-5
"""Biases this close, relative to their size, are equal for ranking."""
SMOOTH_BELOW: Final = 15
PRIOR_DF: Final = 4.0


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Shrunken:
    """Empirical-Bayes posterior ``mean, variance`` (A,), spread ``tau2`` and centre ``mu``."""

    mean: Floats
    variance: Floats
    tau2: float
    mu: float


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Ranks:
    """Rank 1 is the smallest bias on the worst edge; ``low, high`` hold 90 % of the draws.

    ``p_worst`` is the probability of being among the worst tenth (at least one annotator).
    """

    rank: Floats
    low: Ints
    high: Ints
    metric: Floats
    p_worst: Floats


def smooth_variances(se: Array, n_eff: Array, df: Array, n_clusters: Array) -> Floats:
    """Squared standard errors, those of fewer than 15 clusters drawn to the pooled one.

    Parameters
    ----------
    se, n_eff, df, n_clusters : (A,) array_like
        From `annqc.infer.cht.Location`, one quantity.

    Returns
    -------
    (A,) float64

    Notes
    -----
    With ``s_a² = n_eff se²`` the variance of one cluster mean and ``s0²`` its df-weighted average,
    ``v_a = (4 s0² + df s_a²) / (4 + df) / n_eff``.
    """
    se, n_eff, df = (np.asarray(x, dtype=np.float64) for x in (se, n_eff, df))
    with np.errstate(all="ignore"):
        one = n_eff * se**2
        usable = np.isfinite(one) & (df > 0)
        if not usable.any():
            return se**2
        pooled = np.sum(df[usable] * one[usable]) / np.sum(df[usable])
        known = np.where(usable, one, 0.0)
        weight = np.where(usable, df, 0.0)
        smooth = (PRIOR_DF * pooled + weight * known) / (PRIOR_DF + weight) / n_eff
        return np.where(np.asarray(n_clusters) < SMOOTH_BELOW, smooth, se**2)


def reml_tau2(
    y: Array,
    v: Array,
    *,
    centre: float | None = None,
    iterations: int = 500,
    tolerance: float = 1e-12,
) -> tuple[float, float]:
    """Between-annotator variance and centre by the REML fixed point (Morris 1983).

    Parameters
    ----------
    y, v : (A,) array_like
        Estimates and their sampling variances.
    centre : float, optional
        Known centre; estimated if not given.

    Returns
    -------
    tau2, mu : float
        ``tau2 = 0`` is legal: everyone is alike.
    """
    y, v = np.asarray(y, dtype=np.float64), np.asarray(v, dtype=np.float64)
    mu = float(np.mean(y)) if centre is None else centre
    known = centre is not None
    spread = float(((y - mu) ** 2).sum()) / (len(y) - (not known))
    tau2 = max(0.0, spread - float(np.mean(v)))
    for _ in range(iterations):
        w = 1 / np.maximum(v + tau2, SMALLEST)
        if not known:
            mu = float((w * y).sum() / w.sum())
        update = (w * w * ((y - mu) ** 2 - v)).sum() / (w * w).sum()
        update += 0.0 if known else 1 / w.sum()
        update = max(0.0, float(update))
        settled = abs(update - tau2) < tolerance * (1 + tau2)
        tau2 = update
        if settled:
            break
    return tau2, mu


def shrink(y: Array, v: Array, *, centre: float | None = None) -> Shrunken:
    """Draw noisy estimates towards the common centre, as far as they are noise.

    Parameters
    ----------
    y, v : (A,) array_like
        Estimates and sampling variances; entries that are not finite stay as they are.
    centre : float, optional
        Known centre; estimated if not given.

    Returns
    -------
    Shrunken
        ``B = v / (v + tau²)``, ``m = B mu + (1 - B) y`` and
        ``Var = v (1 - B) + B² / Σw + 2 B² (y - mu)² / max(A - 3, 1)``. Fewer than three annotators
        are not shrunken.
    """
    y, v = np.asarray(y, dtype=np.float64), np.asarray(v, dtype=np.float64)
    usable = np.isfinite(y) & np.isfinite(v)
    if usable.sum() < 3:
        return Shrunken(mean=y.copy(), variance=v.copy(), tau2=np.nan, mu=np.nan)
    known, noise = y[usable], v[usable]
    tau2, mu = reml_tau2(known, noise, centre=centre)
    total = np.maximum(noise + tau2, SMALLEST)
    b = np.where(noise + tau2 > 0, noise / total, 0.0)
    mean, variance = y.copy(), v.copy()
    mean[usable] = b * mu + (1 - b) * known
    variance[usable] = (
        noise * (1 - b)
        + (b**2 / (1 / total).sum() if centre is None else 0.0)
        + 2 * b**2 * (known - mu) ** 2 / max(len(known) - 3, 1)
    )
    return Shrunken(mean=mean, variance=variance, tau2=tau2, mu=mu)


def rank_intervals(
    mean: Array,
    variance: Array,
    *,
    n_draws: int = N_DRAWS,
    confidence: float = 0.9,
    rng: np.random.Generator | int | None = None,
) -> Ranks:
    """Rank annotators by their largest edge bias, with the interval that the uncertainty leaves.

    Parameters
    ----------
    mean, variance : (A, E) array_like
        Posterior of each edge's bias, in tolerance units. Annotators with an edge that is not
        finite are not ranked (rank NaN, interval 1..A).
    n_draws : int
        Posterior draws.
    confidence : float
        Share of the draws inside the interval.
    rng : Generator, int or None
        Seed.

    Returns
    -------
    Ranks
        The metric is ``max_e |m_e|``: an annotator is as good as their worst edge.
    """
    mean, variance = np.asarray(mean, dtype=np.float64), np.asarray(variance, dtype=np.float64)
    a = len(mean)
    usable = np.isfinite(mean).all(axis=1) & np.isfinite(variance).all(axis=1)
    rank = np.full(a, np.nan)
    low, high = np.ones(a, dtype=np.int64), np.full(a, max(a, 1), dtype=np.int64)
    metric, p_worst = np.full(a, np.nan), np.full(a, np.nan)
    metric[usable] = np.abs(mean[usable]).max(axis=1, initial=0.0)
    k = int(usable.sum())
    if k:
        generator = np.random.default_rng(rng)
        sd = np.sqrt(variance[usable])
        drawn = np.empty((n_draws, k), dtype=np.float32)
        block = max(1, 4_000_000 // max(sd.size, 1))
        for start in range(0, n_draws, block):
            size = min(block, n_draws - start)
            noise = generator.standard_normal((size, *sd.shape), dtype=np.float32)
            drawn[start : start + size] = np.abs(mean[usable] + sd * noise).max(axis=2)
        # Annotators who cannot be told apart share their ranks: chance decides anew in every draw.
        drawn *= 1 + TIE * generator.random(drawn.shape, dtype=np.float32)
        drawn += np.finfo(np.float32).tiny * generator.random(drawn.shape, dtype=np.float32)
        positions = drawn.argsort(axis=1).argsort(axis=1) + 1
        tail = (1 - confidence) / 2
        bounds = np.quantile(positions, (tail, 0.5, 1 - tail), axis=0, method="closest_observation")
        low[usable], _, high[usable] = bounds
        rank[usable] = metric[usable].argsort().argsort() + 1
        p_worst[usable] = (positions > k - max(1, round(k * WORST_SHARE))).mean(axis=0)
    return Ranks(rank=rank, low=low, high=high, metric=metric, p_worst=p_worst)
