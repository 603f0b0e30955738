"""Calibration of many tests at once: who is accused, who is missed (AT11 to AT13)."""

from __future__ import annotations

import numpy as np

from annqc.infer import verdicts
from annqc.infer.cht import cluster_location
from annqc.infer.multiplicity import accuse
from annqc.infer.verdicts import p_bias

from .core import Run, calibrates, check_share
from .data import offsets

ANNOTATORS = 100
CLASSES = 5
GUILTY = 10
FLEETS_AT_ONCE = 10

EIGHT = np.array(
    [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [-0.5, 0, 0.5, 0],
        [0, -0.5, 0, 0.5],
        [1, 0, 1, 0],
        [0, 1, 0, 1],
    ]
).T
"""From the four outward edges to the eight quantities that are tested."""


def tested(group, cluster, y, n_groups):
    """Return p-values of no bias, NaN where there are too few clusters."""
    found = cluster_location(group, cluster, y, n_groups=n_groups)
    p = p_bias(found.estimate, found.se, found.df)
    return np.where(verdicts.eligible(found.n_clusters, found.df), p, np.nan)


def fleets(rng, n_fleets, g, kind, plant):
    """Yield (who is guilty, who is accused) of simulated fleets of a hundred annotators."""
    for first in range(0, n_fleets, FLEETS_AT_ONCE):
        a = ANNOTATORS * min(FLEETS_AT_ONCE, n_fleets - first)
        group, cluster, y = offsets(rng, a, g, kind=kind, columns=4)
        label = rng.integers(0, CLASSES, len(group))
        guilty = plant(rng, group, label, y)
        head = tested(group, cluster, y @ EIGHT, a)
        strata = tested(group * CLASSES + label, cluster, y, a * CLASSES).reshape(a, -1)
        for one in range(0, a, ANNOTATORS):
            rows = slice(one, one + ANNOTATORS)
            yield guilty[rows], accuse(head[rows], strata[rows]).accused


def plant_nothing(rng, group, label, y):
    return np.zeros(group[-1] + 1, dtype=bool)


def plant_edge(rng, group, label, y, *, size=0.5, only_class=False):
    """Move one edge of the first ten of each hundred, of one class or of all."""
    a = int(group[-1]) + 1
    guilty = np.arange(a) % ANNOTATORS < GUILTY
    edge, favourite = rng.integers(0, 4, a), rng.integers(0, CLASSES, a)
    sign = rng.choice([-1.0, 1.0], a)
    rows = np.flatnonzero(guilty[group])
    if only_class:
        rows = rows[label[rows] == favourite[group[rows]]]
    who = group[rows]
    y[rows, edge[who]] += size * sign[who]
    return guilty


def plant_class(rng, group, label, y):
    return plant_edge(rng, group, label, y, size=1.0, only_class=True)


@calibrates("AT11")
def at11(run: Run):
    n = run.n(400)
    rng = run.rng("fleet null")
    anyone = [accused.any() for _, accused in fleets(rng, n, 20, "normal", plant_nothing)]
    yield check_share(
        "AT11",
        "A=100, 5 classes, nobody biased, G=20",
        "P(any accusation)",
        np.mean(anyone),
        n=n,
        full=400,
        high=0.11,
    )


def rates(run: Run, id, scenario, g, kind, plant, fdr, power_low, power_high=np.inf):
    """Check how many of the accused are innocent, and how many of the guilty are found."""
    n = run.n(150)
    innocent, found = [], []
    for guilty, accused in fleets(run.rng(id, kind), n, g, kind, plant):
        innocent.append((accused & ~guilty).sum() / max(accused.sum(), 1))
        found.append((accused & guilty).sum() / guilty.sum())
    scenario = f"{scenario}, {kind} G={g}"
    size = {"n": n, "full": 150}
    yield check_share(id, scenario, "annotator FDR", np.mean(innocent), high=fdr, **size)
    yield check_share(id, scenario, "power", np.mean(found), low=power_low, high=power_high, **size)


@calibrates("AT12")
def at12(run: Run):
    scenario = "10 % biased by .5 sd on one edge"
    yield from rates(run, "AT12", scenario, 20, "normal", plant_edge, 0.10, 0.38, 0.54)
    yield from rates(run, "AT12", scenario, 20, "t3", plant_edge, 0.10, 0.74)


@calibrates("AT13")
def at13(run: Run):
    scenario = "10 % biased by 1 sd on one class"
    yield from rates(run, "AT13", scenario, 40, "normal", plant_class, 0.09, 0.64)
    yield from rates(run, "AT13", scenario, 40, "t3", plant_class, 0.09, 0.88)
