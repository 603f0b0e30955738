"""Calibration of the gate, of shrinkage and of rates (AT18, AT26, AT27)."""

from __future__ import annotations

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.infer.rates import korn_graubard
from annqc.infer.shrinkage import shrink, smooth_variances
from annqc.measure.offsets import iou_1d

from .core import Run, calibrates, check_share, check_value


def correlated_t4(rng, n, correlation, sd):
    """Draw n pairs of t4 errors of this standard deviation and correlation."""
    z = rng.standard_normal((n, 2))
    z[:, 1] = correlation * z[:, 0] + np.sqrt(1 - correlation**2) * z[:, 1]
    return sd / np.sqrt(2) * z / np.sqrt(rng.chisquare(4, (n, 1)) / 4)


@calibrates("AT18")
def at18(run: Run):
    full, tau, bias = 400_000, 0.7, 0.05
    n = run.n(full)
    for correlation in (-0.6, 0.0, 0.6):
        rng = run.rng("gate", correlation)
        left, right = correlated_t4(rng, n, 0.0, 0.2).T
        top, bottom = correlated_t4(rng, n, correlation, 0.2).T
        top = top + bias
        length = np.ones(n)
        across = iou_1d(left, right, length) >= tau
        width, height = 1 + left + right, 1 + top + bottom
        inter = np.maximum(1 + np.minimum(left, 0) + np.minimum(right, 0), 0)
        inter *= np.maximum(1 + np.minimum(top, 0) + np.minimum(bottom, 0), 0)
        whole = (width > 0) & (height > 0) & (inter >= tau * (1 + width * height - inter))
        scenario = f"tau .7, sd .20 t4, bias .05, corr {correlation}"
        kept = top[across]
        extra = (1 / n - 1 / full) / across.mean()
        yield check_value(
            "AT18",
            scenario,
            "|error|, other axis",
            abs(kept.mean() - bias),
            extra_se=0.2 * np.sqrt(max(extra, 0.0)),
            high=0.0010,
        )
        yield check_value(
            "AT18", scenario, "|error|, full IoU", abs(top[whole].mean() - bias), low=0.012
        )


@calibrates("AT26")
def at26(run: Run):
    n, a, tau, sd = run.n(400), 30, 0.5, 1.95
    rng = run.rng("shrink")
    covered = []
    for _ in range(n):
        g = np.round(np.exp(rng.uniform(np.log(5), np.log(60), a))).astype(int)
        group = np.repeat(np.arange(a), g)
        true = tau * rng.standard_normal(a)
        y = true[group] + sd * rng.standard_normal(len(group))
        found = cluster_location(group, np.arange(len(group)), y, n_groups=a)
        v = smooth_variances(found.se, found.n_eff, found.df, found.n_clusters)
        after = shrink(found.estimate, v)
        covered.append((np.abs(after.mean - true) <= 1.96 * np.sqrt(after.variance)).mean())
    yield check_share(
        "AT26", "A=30, tau .5", "coverage", np.mean(covered), n=n, full=400, low=0.91, high=0.965
    )


@calibrates("AT27")
def at27(run: Run):
    n, g, p, icc = run.n(2_000), 10, 0.1, 0.2
    rng = run.rng("rates")
    spread = 1 / icc - 1
    own = rng.beta(p * spread, (1 - p) * spread, (n, g))
    events = rng.binomial(5, own).ravel()
    found = korn_graubard(events, np.full(n * g, 5), np.repeat(np.arange(n), g), n)
    inside = (found.low <= p) & (p <= found.high)
    yield check_share(
        "AT27", "ICC .2, p .1, G=10", "coverage", inside.mean(), n=n, full=2_000, low=0.94
    )
