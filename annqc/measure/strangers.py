"""measure: how far apart two drawings are that have nothing to do with each other.

That is what agreement is measured against: values of different images, all equally likely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.kernels.boxes import overlaps

if TYPE_CHECKING:
    from annqc.kernels._jit import Engine
    from annqc.measure.distances import Distance
    from annqc.tables import Floats, Ints

__all__ = ["SAMPLES", "all_strangers", "some_strangers", "told_apart", "value_distances"]

SAMPLES: Final = 100_000
"""Pairs of strangers that are drawn where there are too many to look at all."""
SEED: Final = 20_221
"""They are always the same."""
CHUNK: Final = 1 << 20
"""Pairs looked at in one go."""
QUANTILE: Final = 0.05
"""Sigma: share of the strangers that are closer than a pair may be to count as near."""


def value_distances(distance: Distance, left: Ints, right: Ints) -> Floats:
    """Distances of values: of drawings by the distance, else 1, or 0 of nothing and nothing.

    Parameters
    ----------
    distance : Distance
        Distance of two drawings.
    left, right : (m,) int64
        Rows of the drawings, -1 for nothing.
    """
    d: Floats = ((left >= 0) != (right >= 0)).astype(np.float64)
    both = np.flatnonzero((left >= 0) & (right >= 0))
    for start in range(0, len(both), CHUNK):
        part = both[start : start + CHUNK]
        d[part] = distance(left[part], right[part])
    return d


def some_strangers(image: Ints) -> tuple[Ints, Ints]:
    """Draw pairs of values of different images, all equally likely; the same ones every time.

    Parameters
    ----------
    image : (n,) int64
        Image of each value.

    Returns
    -------
    first, second : (`SAMPLES`,) int64
        Positions; none where there is but one image.

    Examples
    --------
    >>> image = np.array([0, 0, 1])
    >>> one, two = some_strangers(image)
    >>> len(one), bool((image[one] != image[two]).all())
    (100000, True)
    """
    order = np.argsort(image, kind="stable")
    image = image[order]
    first = np.searchsorted(image, image, side="left")
    same = np.searchsorted(image, image, side="right") - first
    others = len(image) - same
    if not others.any():
        return order[:0], order[:0]
    rng = np.random.default_rng(SEED)
    # values of a common image have fewer strangers, and are drawn less often
    total = np.cumsum(others)
    one = np.searchsorted(total, rng.integers(0, total[-1], SAMPLES), side="right")
    two = rng.integers(0, others[one])
    two += np.where(two >= first[one], same[one], 0)
    return order[one], order[two]


def all_strangers(
    image: Ints, row: Ints, boxes: Floats, *, most: int | None, engine: Engine = "auto"
) -> float | None:
    """Mean distance of all pairs of values of different images, by 1 - IoU.

    Parameters
    ----------
    image, row : (n,) int64
        Image of each value, and its box, -1 for nothing.
    boxes : (m, 4) float64
        Boxes.
    most : int or None
        Pairs of boxes that share x up to which the work is done.
    engine : {"auto", "numpy", "numba"}, optional
        How to compute.

    Returns
    -------
    float or None
        NaN where there is but one image; None where they are more than ``most``.

    Notes
    -----
    Only boxes that share area have an IoU: they are found by a sweep along x, the rest is counted.

    Examples
    --------
    >>> boxes = np.array([[0.0, 0, 4, 4], [0, 0, 4, 2], [9, 9, 10, 10]])
    >>> all_strangers(np.arange(3), np.arange(3), boxes, most=None)
    0.8333333333333334
    """
    drawn = row >= 0
    n_pairs = _pairs(image)
    if not n_pairs:
        return float("nan")
    at = boxes[row[drawn]]
    order = np.argsort(at[:, 0], kind="stable")
    at, of = np.ascontiguousarray(at[order].T), image[drawn][order]
    n = len(of)
    start = np.arange(1, n + 1)
    reach = np.maximum(np.searchsorted(at[0], at[2], side="left") - start, 0)
    if most is not None and reach.sum() > most:
        return None
    shared, done = 0.0, np.concatenate([[0], np.cumsum(reach)])
    begin = 0
    while begin < n:
        end = int(np.searchsorted(done, done[begin] + CHUNK, side="right")) - 1
        end = min(max(end, begin + 1), n)
        part = slice(begin, end)
        left = np.ascontiguousarray(at[:, part])
        found = overlaps(left, at, start[part], reach[part], engine=engine)
        apart = of[begin + found.left] != of[found.right]
        shared += float(found.iou[apart].sum())
        begin = end
    return (n_pairs - _pairs(image[~drawn]) - shared) / n_pairs


def _pairs(image: Ints) -> int:
    """Count the pairs of different images."""
    _, n = np.unique(image, return_counts=True)
    return int((len(image) ** 2 - (n.astype(np.int64) ** 2).sum()) // 2)


def told_apart(observed: Floats, strangers: Floats) -> tuple[float, float]:
    """Sigma and the one-sided Kolmogorov-Smirnov statistic (Braylan, Alonso and Lease, 2022).

    Parameters
    ----------
    observed, strangers : array of float64
        Distances.

    Returns
    -------
    sigma : float
        Share of the observed distances that less than 5 % of the strangers keep to.
    ks : float
        The largest lead of the distribution of the observed ones over that of the strangers.

    Examples
    --------
    >>> told_apart(np.array([0.1, 0.2, 1.0]), np.ones(10))
    (0.6666666666666666, 0.6666666666666666)
    """
    if not len(observed) or not len(strangers):
        return np.nan, np.nan
    seen, chance = np.sort(observed), np.sort(strangers)
    by_chance = np.searchsorted(chance, seen, side="right") / len(chance)
    so_far = np.searchsorted(seen, seen, side="right") / len(seen)
    return float((by_chance < QUANTILE).mean()), float(max((so_far - by_chance).max(), 0.0))
