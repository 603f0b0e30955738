"""infer: confidence sequences and e-values, valid however often one looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Array, Floats

__all__ = ["N_STAR", "cs_c2", "cs_factor", "e_value"]

N_STAR: Final = 50
"""Number of clusters at which the sequence is tightest."""


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
    k = 1 + n_eff * cs_c2(n_star, alpha)
    growth = (np.sqrt(k) / alpha) ** (2 / (df + 1))
    with np.errstate(all="ignore"):
        square = np.where(growth < k, (growth - 1) / (1 - growth / k), np.inf)
        return np.asarray(np.sqrt(df * square))


def e_value(
    t: Array, df: Array, n_eff: Array, *, n_star: float = N_STAR, alpha: float = 0.05
) -> Floats:
    """Weigh the evidence against the margin; under the null its mean is at most 1.

    ``t = max(|b| - delta, 0) / se``; the other parameters are those of `cs_factor`.
    """
    t, df = np.asarray(t, dtype=np.float64), np.asarray(df, dtype=np.float64)
    k = 1 + np.asarray(n_eff, dtype=np.float64) * cs_c2(n_star, alpha)
    ratio = (1 + t * t / df) / (1 + t * t / (df * k))
    return k**-0.5 * ratio ** ((df + 1) / 2)
