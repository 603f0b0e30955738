"""infer: from an estimate to biased, clean or undecided, and how much more would settle it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats

__all__ = [
    "ALPHA",
    "DF_MIN",
    "G_MIN",
    "POWER",
    "VERDICTS",
    "clusters_needed",
    "decide",
    "eligible",
    "half_width",
    "more_clusters",
    "p_bias",
    "p_clean",
]

ALPHA: Final = 0.05
POWER: Final = 0.8
G_MIN: Final = 5
"""Nobody is called biased or clean on fewer clusters."""
DF_MIN: Final = 2.0
INFEASIBLE_FROM: Final = 10_000
"""More clusters than this are not asked for."""
TOO_CLOSE: Final = 0.05
"""An estimate within this share of the margin cannot be settled by more data."""

VERDICTS: Final = ("undecided", "clean", "biased", "collective")
UNDECIDED, CLEAN, BIASED, COLLECTIVE = range(4)


def p_bias(estimate: Array, se: Array, df: Array, delta: Array | float = 0.0) -> Floats:
    """Minimum-effect p-value: how surprising the estimate is if the bias is at most ``delta``.

    Parameters
    ----------
    estimate, se, df : array_like
        From `annqc.infer.cht.Location`.
    delta : float or array_like
        Margin; 0 gives the ordinary two-sided t test.

    Returns
    -------
    array of float64
        ``min(1, S((|b| - delta) / se) + S((|b| + delta) / se))``; 1 where it is undefined.

    Examples
    --------
    >>> round(float(p_bias(2.40363566, 0.43255663, 3.7542053, 1.0)), 6)
    0.01819
    """
    size, se = np.abs(np.asarray(estimate, dtype=np.float64)), np.asarray(se)
    with np.errstate(all="ignore"):
        p = special.stdtr(df, -(size - delta) / se) + special.stdtr(df, -(size + delta) / se)
        p = np.where(se == 0, np.where(size > delta, 0.0, 1.0), p)
    return np.where(np.isnan(p), 1.0, np.minimum(p, 1.0))


def p_clean(estimate: Array, se: Array, df: Array, delta: Array | float) -> Floats:
    """Equivalence p-value: how surprising the estimate is if the bias is at least ``delta``.

    Parameters
    ----------
    estimate, se, df : array_like
        From `annqc.infer.cht.Location`.
    delta : float or array_like
        Margin, in the units of the estimate.

    Returns
    -------
    array of float64
        Two one-sided tests (Schuirmann 1987): ``S((delta - |b|) / se)``; 1 where it is undefined.

    Examples
    --------
    >>> round(float(p_clean(2.40363566, 0.43255663, 3.7542053, 4.0)), 6)
    0.011739
    """
    size, se = np.abs(np.asarray(estimate, dtype=np.float64)), np.asarray(se)
    with np.errstate(all="ignore"):
        p = special.stdtr(df, -(delta - size) / se)
        p = np.where(se == 0, np.where(size < delta, 0.0, 1.0), p)
    return np.where(np.isnan(p), 1.0, p)


def half_width(se: Array, df: Array, confidence: float = 1 - ALPHA) -> Floats:
    """Return half of the confidence interval, ``t_df,1-alpha/2 * se``.

    Parameters
    ----------
    se, df : array_like
        From `annqc.infer.cht.Location`.
    confidence : float
        Level.

    Returns
    -------
    array of float64
        In the units of ``se``; NaN with no degree of freedom.
    """
    with np.errstate(all="ignore"):
        quantile = special.stdtrit(np.where(np.asarray(df) > 0, df, np.nan), (1 + confidence) / 2)
        return np.asarray(quantile * se, dtype=np.float64)


def eligible(n_clusters: Array, df: Array) -> Bools:
    """Whether there is enough for a verdict: at least five clusters and two degrees of freedom.

    Parameters
    ----------
    n_clusters, df : array_like
        From `annqc.infer.cht.Location`.

    Returns
    -------
    array of bool
    """
    return (np.asarray(n_clusters) >= G_MIN) & (np.asarray(df) >= DF_MIN)


def decide(p_biased: Array, p_cleaned: Array, enough: Array, *, alpha: float = ALPHA) -> Array:
    """Decide single tests, without regard to how many there are.

    Parameters
    ----------
    p_biased, p_cleaned : array_like
        From `p_bias` and `p_clean`.
    enough : array_like of bool
        From `eligible`.
    alpha : float
        Level.

    Returns
    -------
    array of int8
        Codes into `VERDICTS`.
    """
    codes = np.where(np.asarray(p_cleaned) < alpha, CLEAN, UNDECIDED)
    codes = np.where(np.asarray(p_biased) < alpha, BIASED, codes)
    return np.where(enough, codes, UNDECIDED).astype(np.int8)


def clusters_needed(
    sd_cluster: Array | float,
    estimate: Array | float,
    delta: Array | float,
    *,
    target: Literal["clean", "biased"],
    power: float = POWER,
    alpha: Array | float = ALPHA,
) -> Floats:
    """Clusters that a verdict takes, if the estimate and the spread stay as they are.

    Parameters
    ----------
    sd_cluster : array_like
        Standard deviation of one cluster mean: ``sqrt(n_eff) * se``, or planned.
    estimate, delta : array_like
        Bias and margin, in the same units.
    target : {"clean", "biased"}
        Which verdict is asked for.
    power, alpha : float or array_like
        Probability of reaching it, and level of the test.

    Returns
    -------
    array of float64
        Clusters, at least five; infinity where the estimate is on the wrong side of the margin.

    Notes
    -----
    ``G = (t_{1-alpha} + t_{power})² sd² / gap²`` with G - 1 degrees of freedom, iterated from the
    Gaussian value and raised by 5 %. For ``estimate = 0`` both one-sided tests must pass, so the
    error of the second kind is halved.

    Examples
    --------
    >>> float(clusters_needed(1.0, 0.5, 1.0, target="clean"))
    28.0
    """
    size = np.abs(np.asarray(estimate, dtype=np.float64))
    sd, size, margin = np.broadcast_arrays(
        np.asarray(sd_cluster, dtype=np.float64), size, np.asarray(delta, dtype=np.float64)
    )
    gap = margin - size if target == "clean" else size - margin
    miss = np.where((size == 0) & (target == "clean"), (1 - power) / 2, 1 - power)
    with np.errstate(all="ignore"):
        ratio = np.where(gap > 0, (sd / gap) ** 2, np.nan)
        alpha = np.asarray(alpha, dtype=np.float64)
        z = -special.ndtri(alpha) - special.ndtri(miss)
        needed = np.maximum(G_MIN, z**2 * ratio)
        for _ in range(60):
            t = -special.stdtrit(needed - 1, alpha) - special.stdtrit(needed - 1, miss)
            update = np.maximum(G_MIN, t**2 * ratio)
            settled = not (np.abs(update - needed) > 1e-13 * update).any()
            needed = update
            if settled:
                break
        return np.where(gap > 0, np.ceil(1.05 * needed), np.inf)


def more_clusters(
    estimate: Array,
    se: Array,
    n_eff: Array,
    n_clusters: Array,
    delta: Array,
    *,
    alpha: float = ALPHA,
    alpha_biased: Array | float | None = None,
) -> Floats:
    """How many more clusters would settle an undecided finding.

    Parameters
    ----------
    estimate, se, n_eff, n_clusters : (...) array_like
        From `annqc.infer.cht.Location`.
    delta : array_like
        Margin, in the units of the estimate.
    alpha, alpha_biased : float or array_like
        Level of the test for clean, and that of the test for biased: where many are tested, an
        accusation takes more. The first serves for both if the second is not given.

    Returns
    -------
    array of float64
        Further clusters, at least one; NaN where no reasonable number would do (the estimate is
        within 5 % of the margin, or more than 10,000 are needed). With too few clusters for a
        verdict, what is missing to five: before that there is nothing to plan with.
    """
    estimate = np.asarray(estimate, dtype=np.float64)
    size = np.abs(estimate)
    margin = np.broadcast_to(np.asarray(delta, dtype=np.float64), size.shape)
    level = np.broadcast_to(alpha if alpha_biased is None else alpha_biased, size.shape)
    have = np.broadcast_to(np.asarray(n_clusters), size.shape)
    with np.errstate(all="ignore"):
        sd = np.sqrt(n_eff) * se
        clean = clusters_needed(sd, size, margin, target="clean", alpha=alpha)
        biased = clusters_needed(sd, size, margin, target="biased", alpha=level)
        needed = np.where(size < margin, clean, biased)
        hopeless = (np.abs(size - margin) <= TOO_CLOSE * margin) | ~(needed <= INFEASIBLE_FROM)
        planned = np.where(hopeless, np.nan, np.maximum(needed - have, 1))
    return np.where(have < G_MIN, G_MIN - have, planned)
