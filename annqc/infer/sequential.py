"""infer: confidence sequences and e-values, valid however often one looks.

A test that is made again with every commit, on data that grow, gets a new chance of a false alarm
each time. A confidence sequence is an interval that holds at all looks at once; an e-value weighs
the evidence so that it can be looked at again and again, and many of them are judged together by
e-BH.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Array, Bools, Floats

__all__ = [
    "N_STAR",
    "clusters_to_settle",
    "cs_c2",
    "cs_factor",
    "e_benjamini_hochberg",
    "e_value",
]

N_STAR: Final = 50
"""Number of clusters at which the sequence is tightest."""
FARTHEST: Final = 10_000
"""More clusters than this are not asked for."""
TOO_CLOSE: Final = 0.05
"""An estimate within this share of the margin cannot be settled by more data."""


def cs_c2(n_star: float = N_STAR, alpha: float = 0.05) -> float:
    """Mixing variance of the t-mixture that is tightest at ``n_star`` clusters."""
    log = -2 * np.log(alpha)
    return float((log + np.log(log + 1)) / n_star)


def cs_factor(df: Array, n_eff: Array, *, n_star: float = N_STAR, alpha: float = 0.05) -> Floats:
    """Multiple of the standard error whose interval holds at all looks at once.

    Parameters
    ----------
    df, n_eff : array_like
        Degrees of freedom and effective clusters at this look.

    Returns
    -------
    array of float64
        Infinity while there are too few clusters for any statement.

    Notes
    -----
    ``k = 1 + n_eff c2``, ``A = (sqrt(k) / alpha)^(2 / (df + 1))``, factor ``sqrt(df (A - 1) / (1 -
    A / k))`` where A < k. Exact for Gaussian cluster means (Wang and Ramdas 2023).
    """
    df, n_eff = np.asarray(df, dtype=np.float64), np.asarray(n_eff, dtype=np.float64)
    return _factor(df, n_eff, cs_c2(n_star, alpha), alpha)


def _factor(df: Floats, n_eff: Floats, c2: float, alpha: float) -> Floats:
    """Factor of a t-mixture of this mixing variance at this level."""
    with np.errstate(all="ignore"):
        k = 1 + n_eff * c2
        growth = (np.sqrt(k) / alpha) ** (2 / (df + 1))
        square = np.where(growth < k, (growth - 1) / (1 - growth / k), np.inf)
        return np.asarray(np.where(df > 0, np.sqrt(df * square), np.inf))


def e_value(
    t: Array, df: Array, n_eff: Array, *, n_star: float = N_STAR, alpha: float = 0.05
) -> Floats:
    """Weigh the evidence against the margin; under the null its mean is at most 1.

    Parameters
    ----------
    t : array_like
        ``max(|b| - delta, 0) / se``; infinity where there is no spread.
    df, n_eff : array_like
        Degrees of freedom and effective clusters at this look.
    n_star : float
        Number of clusters at which the evidence is weighed best.
    alpha : float
        Level that ``n_star`` belongs to.

    Returns
    -------
    array of float64
        NaN without a degree of freedom. ``e >= 1 / alpha`` where, and only where, the interval of
        `cs_factor` lies beyond the margin.
    """
    t, df = np.asarray(t, dtype=np.float64), np.asarray(df, dtype=np.float64)
    k = 1 + np.asarray(n_eff, dtype=np.float64) * cs_c2(n_star, alpha)
    with np.errstate(all="ignore"):
        ratio = (1 + t * t / df) / (1 + t * t / (df * k))
        ratio = np.where(np.isinf(t * t), k, ratio)
        e = k**-0.5 * ratio ** ((df + 1) / 2)
    return np.asarray(np.where(df > 0, e, np.nan))


def e_benjamini_hochberg(e: Array, q: float = 0.05) -> Bools:
    """Which of the e-values are accused at false discovery rate ``q``, at any number of looks.

    Parameters
    ----------
    e : (m,) array_like
        e-values; NaN entries were not tested and do not count.
    q : float
        Largest expected share of false accusations.

    Returns
    -------
    (m,) bool

    Notes
    -----
    The largest k with ``e_(k) >= m / (q k)``, e sorted downward: any dependence, any rule of
    stopping (Wang and Ramdas 2022).

    Examples
    --------
    >>> e_benjamini_hochberg([90.0, 45.0, 1.0, 0.2], 0.05).tolist()
    [True, True, False, False]
    >>> e_benjamini_hochberg([19.0]).tolist(), e_benjamini_hochberg([20.0]).tolist()
    ([False], [True])
    """
    e = np.asarray(e, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(e))
    order = tested[np.argsort(-e[tested], kind="stable")]
    m = len(order)
    enough = np.flatnonzero(e[order] * np.arange(1, m + 1) * q >= m)
    out = np.zeros(len(e), dtype=bool)
    if len(enough):
        out[order[: enough[-1] + 1]] = True
    return out


def clusters_to_settle(
    estimate: Array,
    se: Array,
    n_eff: Array,
    n_clusters: Array,
    delta: Array,
    *,
    alpha: float = 0.05,
    alpha_biased: float | None = None,
    n_star: float = N_STAR,
) -> Floats:
    """How many more clusters the sequence takes, if the estimate and the spread stay as they are.

    Parameters
    ----------
    estimate, se, n_eff, n_clusters : (...) array_like
        From `annqc.infer.cht.Location`.
    delta : array_like
        Margin.
    alpha, alpha_biased : float
        Level of the interval that must lie within the margin, and of that which must lie beyond:
        where many are tested an accusation takes more. The first serves for both if the second is
        not given.
    n_star : float
        That of `cs_factor`.

    Returns
    -------
    array of float64
        Further clusters, at least one; NaN where nothing is known of the spread, or no reasonable
        number would do.

    Examples
    --------
    >>> float(clusters_to_settle(0.1, 0.4, 12.0, 12, 1.0))
    15.0
    """
    size = np.abs(np.asarray(estimate, dtype=np.float64))
    margin = np.broadcast_to(np.asarray(delta, dtype=np.float64), size.shape)
    have = np.broadcast_to(np.asarray(n_clusters), size.shape)
    count = np.arange(2, FARTHEST + 1, dtype=np.float64)
    levels = (alpha, alpha if alpha_biased is None else alpha_biased)
    needed = []
    with np.errstate(all="ignore"):
        sd = np.sqrt(np.asarray(n_eff, dtype=np.float64)) * np.asarray(se, dtype=np.float64)
        for level, gap in zip(levels, (margin - size, size - margin), strict=True):
            # mixing stays as it is at `alpha`; only the evidence asked for grows
            half = _factor(count - 1, count, cs_c2(n_star, alpha), level) / np.sqrt(count)
            falling = np.minimum.accumulate(half)
            at = np.searchsorted(-falling, -gap / sd)
            needed.append(np.where(at < len(count), at + 2.0, np.nan))
        hopeless = ~(np.abs(size - margin) > TOO_CLOSE * margin) | ~np.isfinite(sd)
        more = np.where(size < margin, *needed) - have
        return np.where(hopeless, np.nan, np.maximum(more, 1))
