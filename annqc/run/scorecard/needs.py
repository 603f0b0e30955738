"""run: about how many images it takes until a rate is settled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from scipy import optimize, special

from annqc.infer.verdicts import INFEASIBLE_FROM

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["POWER", "images_for_mean", "images_for_share"]

POWER: Final = 0.8
"""Share of samples that a planned number of images settles, as of offsets."""
Z_POWER: Final = float(special.ndtri(POWER))
RESERVE: Final = 1.05
"""Sample sizes are rounded up by so much, as those of offsets are."""
SIZES: Final = (-7.0, 16.0)
"""Logarithms of the sample sizes among which one is looked for."""


def images_for_share(
    estimate: float,
    low: float,
    high: float,
    n_clusters: int,
    limit: float,
    *,
    confidence: float,
    n_tests: int = 1,
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
    n_tests : int
        Number of shares that the interval which settles it must hold for together.

    Returns
    -------
    float
        Infinity where the estimate is at the limit, or so many are needed as nobody collects.

    Notes
    -----
    The interval is Clopper and Pearson's for an effective sample (Korn and Graubard). The size of
    that of today is found from the end on the side of the limit. With as many images as are planned
    the interval is on one side of the limit in `POWER` of all samples, if the share is as it is
    estimated; images grow in proportion, 5 % are added.

    Examples
    --------
    >>> images_for_share(1.0, 0.8316, 1.0, 5, 0.95, confidence=0.95)  # 20 objects on 5 images
    19.0
    """
    tail = (1 - confidence) / 2
    above = estimate > limit

    def end(size: float, share: float, level: float) -> float:
        right, wrong = share * size, size - share * size
        if above:
            return float(special.betaincinv(right, wrong + 1, level)) if right > 0 else 0.0
        return float(special.betaincinv(right + 1, wrong, 1 - level)) if wrong > 0 else 1.0

    def today(size: float) -> float:
        return end(size, estimate, tail)

    def planned(size: float) -> float:
        spread = Z_POWER * math.sqrt(estimate * (1 - estimate) / size)
        unlucky = estimate - spread if above else estimate + spread
        return end(size, min(max(unlucky, 0.0), 1.0), tail / n_tests)

    seen = low if above else high
    if estimate == limit or not 0 < seen < 1:
        return math.inf
    now, then = _size(today, seen), _size(planned, limit)
    if now is None or then is None:
        return math.inf
    return _total(n_clusters * then / now)


def images_for_mean(
    estimate: float,
    low: float,
    high: float,
    n_clusters: int,
    limit: float,
    *,
    confidence: float,
    n_tests: int = 1,
) -> float:
    """Return how many images, all in all, bring the interval of a mean to one side of a limit.

    Parameters
    ----------
    estimate, low, high, n_clusters, limit, confidence, n_tests
        As in `images_for_share`.

    Notes
    -----
    The half of the interval shrinks with the square root of the images; it has to leave room for
    the estimate to be worse than today's, so that `POWER` of all samples settle it.
    """
    half = estimate - low if estimate > limit else high - estimate
    if estimate == limit:
        return math.inf
    tail = (1 - confidence) / 2
    z_now, z_then = (-float(special.ndtri(one)) for one in (tail, tail / n_tests))
    room = half * (z_then + Z_POWER) / z_now
    return _total(n_clusters * (room / (estimate - limit)) ** 2)


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
