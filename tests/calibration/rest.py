"""Calibration of the gate, of shrinkage, of rates and agreement (AT18, AT26, AT27, AT40)."""

from __future__ import annotations

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.infer.rates import korn_graubard, ratio_of_clusters
from annqc.infer.shrinkage import shrink, smooth_variances
from annqc.infer.unseen import planned_trials
from annqc.measure.agreement import agreements
from annqc.measure.offsets import iou_1d
from annqc.simulate import Habit, simulate

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


def shared_images(rng, each, n_images=3_000):
    """Let three annotators who miss 5 % draw; return overlap and boxes said of each image."""
    if each == "one, exact":
        hit = rng.random(100_000) > 0.1
        return 0.95 * hit, np.ones(hit.shape), np.ones(hit.shape)
    team = {name: [Habit.misses(0.05)] for name in "abc"}
    made = simulate(
        team, n_images=n_images, boxes_per_image=float(each), noise_df=3.0, icc=0.3, rng=rng
    )
    found = agreements(made.work)
    overlap, said = (np.bincount(found.image, one, n_images) for one in (found.overlap, found.said))
    some = said > 0
    return overlap[some], said[some], said[some] / 3


@calibrates("AT40")
def at40(run: Run):
    n, full = run.n(10_000), 10_000
    for each in (4, 1, "one, exact"):
        rng = run.rng("agreement", each)
        overlap, said, objects = shared_images(rng, each)
        truth = overlap.sum() / said.sum()
        for g in (5, 10, 20, 50):
            images = rng.integers(0, len(said), n * g)
            group = np.repeat(np.arange(n), g)
            found = ratio_of_clusters(overlap[images], said[images], group, np.arange(n * g), n)
            trials = planned_trials(np.bincount(group, objects[images], n), found.n_clusters)
            low, high = found.interval(n_eff=trials)
            words = f"agreement on {each} objects an image, G={g}"
            size = {"n": n, "full": full}
            inside = (low <= truth) & (truth <= high)
            yield check_share("AT40", words, "coverage", inside.mean(), low=0.93, **size)
            wrong = (low > truth).mean()
            yield check_share("AT40", words, "passes at the limit", wrong, high=0.05, **size)
