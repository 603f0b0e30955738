"""infer: change over time."""

from __future__ import annotations

import math

__all__ = ["cusum_arl0"]


def cusum_arl0(k: float, h: float) -> float:
    """Return the mean number of clusters between false alarms of a two-sided CUSUM.

    Parameters
    ----------
    k, h : float
        Reference value and limit, in standard deviations of a cluster mean.

    Notes
    -----
    Siegmund (1985): ``(e^D - D - 1) / (4 k²)`` with ``D = 2 k (h + 1.166)``.

    Examples
    --------
    >>> round(cusum_arl0(0.5, 5), 3)
    469.111
    """
    d = 2 * k * (h + 1.166)
    return (math.exp(d) - d - 1) / (4 * k * k)
