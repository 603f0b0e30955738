"""infer: what so few trials may have missed.

Where all trials look alike there is no spread to judge by, and yet others may be to come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Array, Floats

__all__ = ["PLANNED_ICC", "p_unseen", "planned_trials", "unseen"]

PLANNED_ICC: Final = 0.3
"""How closely mistakes of one cluster are taken to go together, where too few are seen to tell."""


def planned_trials(trials: Array, n_clusters: Array) -> Floats:
    """Effective number of trials, where too few mistakes were seen to tell how they cluster.

    Parameters
    ----------
    trials, n_clusters : array_like
        Trials of a group, and the clusters they are on.

    Returns
    -------
    array of float64
        ``n / (1 + (n / G - 1) PLANNED_ICC)``: never fewer than the clusters.

    Examples
    --------
    >>> planned_trials([20, 100, 1000], [20, 20, 20]).round(1).tolist()
    [20.0, 45.5, 63.7]
    """
    n, count = np.asarray(trials, dtype=np.float64), np.asarray(n_clusters, dtype=np.float64)
    with np.errstate(all="ignore"):
        return np.asarray(n / (1 + (n / count - 1) * PLANNED_ICC))


def unseen(n_eff: Array, tail: float) -> Floats:
    """Largest share that ``n_eff`` trials can all have missed, but for a chance of ``tail``.

    Parameters
    ----------
    n_eff : array_like
        Effective number of trials.
    tail : float
        Chance.

    Returns
    -------
    array of float64
        ``1 - tail ** (1 / n_eff)``, the upper end of Clopper and Pearson's interval for no event.

    Examples
    --------
    >>> unseen([5, 60], 0.025).round(3).tolist()
    [0.522, 0.06]
    """
    with np.errstate(divide="ignore"):
        return np.asarray(1 - tail ** (1 / np.asarray(n_eff, dtype=np.float64)))


def p_unseen(estimate: Array, n_eff: Array, limit: float, *, at_least: bool) -> Floats:
    """Smallest p-value that so few trials allow, for "the mean share keeps to the limit".

    Parameters
    ----------
    estimate, n_eff : array_like
        Mean of shares, and their effective number.
    limit : float
        The limit.
    at_least : bool
        Whether the mean must be at least the limit, or at most.

    Returns
    -------
    array of float64
        The tail at which `annqc.infer.rates.Ratio.interval`, by `unseen` alone, would just touch
        the limit; 1 where the estimate keeps to it.

    Examples
    --------
    >>> p_unseen([0.5, 0.9], 10, 0.8, at_least=True).round(6).tolist()
    [0.000105, 1.0]
    """
    mean = np.asarray(estimate, dtype=np.float64)
    with np.errstate(all="ignore"):
        left = (1 - limit) / (1 - mean) if at_least else limit / mean
        return np.asarray(np.minimum(left, 1.0) ** np.asarray(n_eff, dtype=np.float64))
