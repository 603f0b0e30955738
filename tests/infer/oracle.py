"""Cluster-Huber t as one would write it on paper: loops, lists, one group at a time."""

from __future__ import annotations

import math

C, KAPPA_MIN = 1.345, 0.25


def weighted_median(pairs):
    pairs = sorted(pairs)
    total = sum(w for _, w in pairs)
    acc, low = 0.0, None
    for value, weight in pairs:
        acc += weight
        if low is None and acc >= total / 2 - 1e-9:
            low = value
        if acc >= total / 2 + 1e-9:
            return (low + value) / 2
    return (low + pairs[-1][0]) / 2


def cht(values, clusters, *, grid=0.0, rho0=0.2, robust=True):
    """Return (estimate, se, df, m0, scale, kappa) of one group."""
    rows = [(y, g) for y, g in zip(values, clusters, strict=True) if math.isfinite(y)]
    size = {g: sum(1 for _, other in rows if other == g) for _, g in rows}
    om = [1 / (1 + (size[g] - 1) * rho0) for _, g in rows]
    y = [value for value, _ in rows]
    m0 = scale = kappa = math.nan
    used = y
    if robust:
        m0 = weighted_median(zip(y, om, strict=True))
        deviation = [abs(value - m0) for value in y]
        scale = max(1.4826 * weighted_median(zip(deviation, om, strict=True)), 0.75 * grid)
        if scale == 0:
            scale = 1.2533 * sum(w * d for w, d in zip(om, deviation, strict=True)) / sum(om)
        if scale == 0:
            scale = 1e-12
        m = m0
        for last in (False, True):
            z = [(value - m) / scale for value in y]
            inside = sum(w for w, one in zip(om, z, strict=True) if abs(one) <= C)
            kappa = max(inside / sum(om), KAPPA_MIN)
            clipped = [min(max(one, -C), C) for one in z]
            if not last:
                pull = sum(w * one for w, one in zip(om, clipped, strict=True)) / sum(om)
                m = m + scale * pull / kappa
        used = [m + scale * one / kappa for one in clipped]
    means, weights = [], []
    for g, n in size.items():
        means.append(sum(v for v, (_, other) in zip(used, rows, strict=True) if other == g) / n)
        weights.append(n / (1 + (n - 1) * rho0))
    total = sum(weights)
    p = [w / total for w in weights]
    b = sum(share * mean for share, mean in zip(p, means, strict=True))
    if len(means) < 2:
        return b, math.nan, 0.0, m0, scale, kappa
    p2, p3 = sum(x**2 for x in p), sum(x**3 for x in p)
    spread = sum(x**2 * (mean - b) ** 2 for x, mean in zip(p, means, strict=True))
    se = max(math.sqrt(spread / (1 - p2)), grid / math.sqrt(12 * len(y)))
    df = (1 - p2) ** 2 / (p2 - 2 * p3 + p2**2)
    return b, se, df, m0, scale, kappa
