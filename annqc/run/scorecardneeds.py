"""run: about how many images it takes until a rate is settled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from scipy import optimize, special

from annqc.infer.verdicts import INFEASIBLE_FROM

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["images_for_mean", "images_for_share"]

RESERVE: Final = 1.05
"""Sample sizes are rounded up by so much, as those of offsets are."""
SIZES: Final = (-7.0, 16.0)
"""Logarithms of the sample sizes among which one is looked for."""


def images_for_share(
    estimate: float, low: float, high: float, n_clusters: int, limit: float, *, confidence: float
) -> float:
    """Return how many images, all in all, bring the interval of a share to one side of a limit.

    Parameters
    ----------
    estimate, low, high : float
        The share, and its interval on the images there are.
    n_clusters : int
        Those images.
    limit : float
        What the interval must not hold.
    confidence : float
        Level of the interval.

    Returns
    -------
    float
        Infinity where the estimate is at the limit, or so many are needed as nobody collects.

    Notes
    -----
    The interval is Clopper and Pearson's for an effective sample (Korn and Graubard). Its size is
    found from the end on the side of the limit, and then that at which this end is at the limit;
    images grow in proportion, 5 % are added.

    Examples
    --------
    >>> images_for_share(1.0, 0.8316, 1.0, 5, 0.95, confidence=0.95)  # 20 objects on 5 images
    19.0
    """
    tail = (1 - confidence) / 2

    def low_end(size: float) -> float:
        return float(special.betaincinv(estimate * size, size - estimate * size + 1, tail))

    def high_end(size: float) -> float:
        return float(special.betaincinv(estimate * size + 1, size - estimate * size, 1 - tail))

    end, seen = (low_end, low) if estimate > limit else (high_end, high)
    if estimate == limit or not 0 < seen < 1:
        return math.inf
    now, then = _size(end, seen), _size(end, limit)
    if now is None or then is None:
        return math.inf
    return _total(n_clusters * then / now)


def images_for_mean(
    estimate: float, low: float, high: float, n_clusters: int, limit: float
) -> float:
    """Return how many images, all in all, bring the interval of a mean to one side of a limit.

    Parameters
    ----------
    estimate, low, high, n_clusters, limit
        As in `images_for_share`.

    Notes
    -----
    The half of the interval shrinks with the square root of the images.
    """
    half = estimate - low if estimate > limit else high - estimate
    if estimate == limit:
        return math.inf
    return _total(n_clusters * (half / (estimate - limit)) ** 2)


def _size(end: Callable[[float], float], wanted: float) -> float | None:
    """Return the sample size at which an end of the interval is somewhere; None where at none."""

    def off(log_size: float) -> float:
        return end(math.exp(log_size)) - wanted

    if off(SIZES[0]) * off(SIZES[1]) > 0:
        return None
    return math.exp(float(optimize.brentq(off, *SIZES)))


def _total(images: float) -> float:
    total = math.ceil(RESERVE * images)
    return math.inf if total > INFEASIBLE_FROM else float(total)
