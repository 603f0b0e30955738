"""Calibration of two deliveries side by side, on plain arrays: thousands of them (AT36, AT37)."""

from __future__ import annotations

import numpy as np

from annqc.infer.paired import adjusted_holm, bias_change, ratio_change

from .core import Run, calibrates, check_share
from .data import draw, sizes_of

GROUPS = 10_000
FLEETS = 1_000
MARGIN = 0.01


def rates_of(rng, p, icc, shape):
    """Draw the rate of each cluster: beta with this correlation of its objects."""
    if not icc:
        return np.full(shape, p)
    return rng.beta(p * (1 / icc - 1), (1 - p) * (1 / icc - 1), shape)


def delivery(rng, sizes, p, icc):
    """Return (event, group, cluster) of a groups with g clusters of these sizes (a, g)."""
    a, g = sizes.shape
    cluster = np.repeat(np.arange(a * g), sizes.ravel())
    found = rng.random(len(cluster)) < rates_of(rng, p, icc, a * g)[cluster]
    return found.astype(float), cluster // g, cluster % g


def equal(a, g, n):
    return np.full((a, g), n)


ERRORS = (
    # clusters, objects, recall before, correlation
    (5, 5, 0.90, 0.0),
    (10, 5, 0.95, 0.0),
    (10, 5, 0.95, 0.3),
    (20, "lognormal", 0.90, 0.3),
    (60, 5, 0.95, 0.3),
    (60, 1, 0.95, 0.0),
)
LOSSES = (
    # clusters, objects, recall before and after, correlation
    (5, 5, 0.99, 0.96, 0.0),
    (20, 1, 0.99, 0.97, 0.0),
    (20, 3, 0.99, 0.97, 0.0),
    (60, 5, 0.995, 0.99, 0.0),
    (10, 5, 0.95, 0.90, 0.0),
    (10, 5, 0.95, 0.90, 0.5),
    (20, 5, 0.98, 0.95, 0.5),
    (60, 5, 0.95, 0.90, 0.5),
)
UNCHANGED = (
    # annotators, clusters, objects, recall, correlation
    (200, 5, 2, 0.5, 0.0),
    (200, 5, 3, 0.8, 0.0),
    (200, 5, 5, 0.9, 0.0),
    (200, 10, 3, 0.8, 0.0),
    (200, 20, 3, 0.9, 0.3),
    (12, 60, 5, 0.95, 0.3),
)


@calibrates("AT36")
def at36(run: Run):
    n = run.n(GROUPS)
    size = {"n": n, "full": GROUPS}
    for g, objects, p, icc in ERRORS:
        rng = run.rng("worse by the margin", g, objects, p, icc)
        sizes = sizes_of(rng, "lognormal", n, g) if objects == "lognormal" else equal(n, g, objects)
        old, new = (delivery(rng, sizes, one, icc) for one in (p, p - MARGIN))
        share = (ratio_change(new, old, n).p_worse(MARGIN) <= 0.05).mean()
        words = f"{g} x {objects} at {p}, ICC {icc}: worse by the margin"
        yield check_share("AT36", words, "P(p<=.05)", share, high=0.06, **size)
    for k in (5, 10, 20):
        rng = run.rng("baseline on few", k)
        old, new = (delivery(rng, equal(n, one, 3), 0.9, 0.0) for one in (k, 30))
        share = (ratio_change(new, old, n).p_worse(MARGIN) <= 0.05).mean()
        words = f"baseline on {k} of 30 images, nothing changed"
        yield check_share("AT36", words, "P(p<=.05)", share, high=0.06, **size)
    for g, objects, before, after, icc in LOSSES:
        rng = run.rng("loss", g, objects, before, after, icc)
        sizes = equal(n, g, objects)
        old, new = (delivery(rng, sizes, one, icc) for one in (before, after))
        most = -ratio_change(new, old, n).interval(0.95)[0]
        share = (most >= before - after - 1e-12).mean()
        words = f"{g} x {objects}, {before} -> {after}, ICC {icc}"
        yield check_share("AT36", words, "loss named covers it", share, low=0.97, **size)
    fleets = run.n(FLEETS)
    for a, g, objects, p, icc in UNCHANGED:
        rng = run.rng("unchanged", a, g, objects, p, icc)
        failed = []
        for _ in range(fleets):
            old, new = (delivery(rng, equal(a, g, objects), p, icc) for _ in (0, 1))
            worst = adjusted_holm(ratio_change(new, old, a).p_worse(MARGIN)).min()
            failed.append(worst <= 0.05)
        words = f"{a} unchanged, {g} x {objects} at {p}, ICC {icc}"
        yield check_share(
            "AT36", words, "anybody fails", np.mean(failed), n=fleets, full=FLEETS, high=0.05
        )


OFFSETS = (
    # clusters, objects, kind, before, after
    (5, 1, "normal", 0.0, 0.25),
    (5, 5, "normal", 0.5, 0.75),
    (10, 3, "normal", 0.0, 0.25),
    (10, 3, "t3", -0.5, 0.75),
    (40, 3, "normal", 0.5, 0.75),
    (40, 3, "contam", 0.0, 0.25),
)


@calibrates("AT37")
def at37(run: Run):
    n = run.n(GROUPS)
    size = {"n": n, "full": GROUPS}
    for g, each, kind, before, after in OFFSETS:
        rng = run.rng("offsets", g, each, kind, before, after)
        cluster = np.repeat(np.arange(n * g), each)

        def noise(rng=rng, cluster=cluster, kind=kind, g=g):
            shared = draw(rng, kind, n * g)[cluster]
            return np.sqrt(0.8) * draw(rng, kind, len(cluster)) + np.sqrt(0.2) * shared

        gold = noise() * np.sqrt(0.5)  # what the gold is off by, alike in both deliveries
        old, new = (b + gold + noise() * np.sqrt(0.5) for b in (before, after))
        found = bias_change(
            new[:, None],
            old[:, None],
            group=cluster // g,
            cluster=cluster,
            n_groups=n,
            margin=np.full((len(cluster), 1), 0.25),
        )
        words = f"{g} x {each} {kind}, {before} -> {after}"
        grown = abs(after) - abs(before)
        share = (found.p_value <= 0.05).mean()
        yield check_share("AT37", words, "P(p<=.05)", share, high=0.05, **size)
        share = (found.high >= grown).mean()
        yield check_share("AT37", words, "growth named covers it", share, low=0.97, **size)
