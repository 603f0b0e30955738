"""kernels: compiled statistics of cluster-Huber t, one pass over (group, column).

Rows are sorted by (group, cluster); ``columns`` is (K, N), so that a group's values lie side by
side. Large groups come with their sorting order, which numpy finds faster than compiled code would;
small ones are sorted here by insertion.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from annqc.kernels._jit import njit

if TYPE_CHECKING:
    from annqc.tables import Array, Floats, Ints

MAD_TO_SD = 1.4826
MEAN_DEVIATION_TO_SD = 1.2533
KAPPA_MIN = 0.25
"""Smallest share of unclipped weight that the Newton step divides by."""
SCALE_FLOOR = 0.75
"""Scale is at least this many grid steps: without it the tails break on integer coordinates."""
GROSS_SCALES = 5.0
"""A value further than this many scales from the estimate is a gross error."""
NO_SPREAD = 1e-6
"""A scale below this share of the mean deviation is the rounding noise of equal values."""


@njit
def insertion_argsort(v: Floats, order: Ints, n: int) -> None:
    """Fill ``order[:n]`` with the stable sorting order of ``v[:n]``."""
    for i in range(n):
        x = v[i]
        j = i - 1
        while j >= 0 and v[order[j]] > x:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = i


@njit
def weighted_median(v: Floats, w: Floats, order: Ints, n: int, total: float) -> float:
    """Midpoint of the lower and the upper weighted median of sorted values."""
    slack = 1e-12 * max(total, 1.0)
    half = 0.5 * total
    acc = 0.0
    low = v[order[n - 1]]
    found = False
    for i in range(n):
        acc += w[order[i]]
        if not found and acc >= half - slack:
            low = v[order[i]]
            found = True
        if acc >= half + slack:
            return float(0.5 * (low + v[order[i]]))
    return float(0.5 * (low + v[order[n - 1]]))


@njit
def weighted_deviation(
    v: Floats, w: Floats, order: Ints, n: int, total: float, centre: float
) -> float:
    """Weighted median of ``|v - centre|``, by merging the two sorted runs on either side."""
    slack = 1e-12 * max(total, 1.0)
    half = 0.5 * total
    right = 0
    while right < n and v[order[right]] < centre:
        right += 1
    left = right - 1
    acc = 0.0
    low = 0.0
    deviation = 0.0
    found = False
    while left >= 0 or right < n:
        below = centre - v[order[left]] if left >= 0 else math.inf
        above = v[order[right]] - centre if right < n else math.inf
        if below < above:
            deviation = below
            acc += w[order[left]]
            left -= 1
        else:
            deviation = above
            acc += w[order[right]]
            right += 1
        if not found and acc >= half - slack:
            low = deviation
            found = True
        if acc >= half + slack:
            return 0.5 * (low + deviation)
    return 0.5 * (low + deviation)


@njit
def quantile(v: Floats, order: Ints, n: int, share: float) -> float:
    """Smallest value with at least ``share`` of the values at or below it."""
    at = math.ceil(share * n - 1e-9) - 1
    return float(v[order[min(max(at, 0), n - 1)]])


@njit
def locate_groups(
    start: Ints,
    cluster: Ints,
    columns: Floats,
    order_in: Ints,
    big: Array,
    grid: Floats,
    missing: Floats,
    wants_bounds: bool,  # noqa: FBT001 - kernels take no keywords
    rho0: float,
    c: float,
    robust: bool,  # noqa: FBT001
    steps: int,
    sums: Floats,
    stats: Floats,
) -> None:
    """Fill ``sums`` (8, n_groups, K) and ``stats`` (11, n_groups, K); NaN values are left out."""
    n_groups, k = grid.shape
    longest = 1
    for g in range(n_groups):
        longest = max(longest, start[g + 1] - start[g])
    v = np.empty(longest)
    w = np.empty(longest)
    kept = np.empty(longest, np.int64)
    size = np.empty(longest, np.int64)
    order = np.empty(longest, np.int64)
    place = np.empty(longest, np.int64)
    for column in range(k):
        y = columns[column]
        for g in range(n_groups):
            first, last = start[g], start[g + 1]
            n = 0
            n_clusters = 0
            previous = np.int64(-1)
            for i in range(first, last):
                place[i - first] = n
                if math.isfinite(y[i]):
                    if n == 0 or cluster[i] != previous:
                        size[n_clusters] = 0
                        n_clusters += 1
                        previous = cluster[i]
                    size[n_clusters - 1] += 1
                    v[n] = y[i]
                    kept[n] = n_clusters - 1
                    n += 1
            if n == 0:
                continue
            total = 0.0
            raw = 0.0
            for i in range(n):
                w[i] = 1.0 / (1.0 + (size[kept[i]] - 1.0) * rho0)
                total += w[i]
                raw += v[i]
            stats[0, g, column] = raw / n
            if robust or wants_bounds:
                if big[g]:
                    for i in range(n):
                        order[i] = place[order_in[column, first + i]]
                else:
                    insertion_argsort(v, order, n)
            m, scale, kappa = 0.0, 1.0, 1.0
            if robust:
                m = weighted_median(v, w, order, n, total)
                stats[1, g, column] = m
                scale = MAD_TO_SD * weighted_deviation(v, w, order, n, total, m)
                scale = max(scale, SCALE_FLOOR * grid[g, column])
                if not scale > NO_SPREAD:
                    spread = 0.0
                    for i in range(n):
                        spread += w[i] * abs(v[i] - m)
                    if not scale > min(NO_SPREAD, NO_SPREAD * spread / total):
                        scale = MEAN_DEVIATION_TO_SD * spread / total
                    if not scale > 0:
                        scale = 1e-12
                clipped = 0
                for step in range(steps + 1):
                    inside = 0.0
                    pull = 0.0
                    clipped = 0
                    for i in range(n):
                        z = (v[i] - m) / scale
                        if abs(z) <= c:
                            inside += w[i]
                            pull += w[i] * z
                        else:
                            clipped += 1
                            pull += w[i] * (c if z > 0 else -c)
                    kappa = max(inside / total, KAPPA_MIN)
                    if step < steps:
                        m += scale * (pull / total) / kappa
                stats[10, g, column] = m
                stats[2, g, column] = scale
                stats[3, g, column] = kappa
                stats[4, g, column] = clipped / n
                stats[6, g, column] = quantile(v, order, n, 0.05)
                stats[7, g, column] = quantile(v, order, n, 0.95)
            if wants_bounds:
                share = missing[g, column]
                if share >= 0.5:
                    stats[8, g, column] = -math.inf
                    stats[9, g, column] = math.inf
                else:
                    share = max(share, 0.0)
                    stats[8, g, column] = quantile(v, order, n, (0.5 - share) / (1.0 - share))
                    stats[9, g, column] = quantile(v, order, n, 0.5 / (1.0 - share))
            i = 0
            w1, w2, w3, t1, t2, q2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for one in range(n_clusters):
                mean = 0.0
                for _ in range(size[one]):
                    if robust:
                        z = (v[i] - m) / scale
                        mean += m + scale / kappa * min(max(z, -c), c)
                    else:
                        mean += v[i]
                    i += 1
                mean /= size[one]
                weight = size[one] / (1.0 + (size[one] - 1.0) * rho0)
                square = weight * weight
                w1 += weight
                w2 += square
                w3 += square * weight
                t1 += weight * mean
                t2 += square * mean
                q2 += square * mean * mean
            sums[0, g, column] = n_clusters
            sums[1, g, column] = n
            sums[2, g, column] = w1
            sums[3, g, column] = w2
            sums[4, g, column] = w3
            sums[5, g, column] = t1
            sums[6, g, column] = t2
            sums[7, g, column] = q2
            if robust:
                far = 0
                for i in range(n):
                    if abs(v[i] - t1 / w1) > GROSS_SCALES * scale:
                        far += 1
                stats[5, g, column] = far / n
