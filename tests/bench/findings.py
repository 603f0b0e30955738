"""Cluster-robust findings: rows in, estimates, p-values and verdicts out."""

from __future__ import annotations

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.infer.fleet import decide_fleet
from annqc.infer.verdicts import p_bias
from annqc.measure.offsets import MARGIN

from .peers import clustered_dummies, clustered_ols, load
from .report import Goal, Row
from .timing import child, interleave, launch, same

ROWS, CLUSTERS, OFFSETS, ANNOTATORS = 3_000_000, 1_000_000, 8, 100
PEER_ROWS, PEER_ANNOTATORS = 360_000, 10


def make(n, n_clusters, n_groups, k, *, seed=0):
    """Offsets of boxes that share something with the other boxes of their image."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, n_clusters, n)
    cluster.sort()
    group = cluster % n_groups
    shared = 0.3 * rng.standard_normal((n_clusters, k))
    values = rng.standard_t(4, (n, k))
    values += shared[cluster]
    return group, cluster, values


def verdicts(group, cluster, values, *, n_groups, engine="auto"):
    """Estimate, test and decide."""
    located = cluster_location(group, cluster, values, n_groups=n_groups, engine=engine)
    return decide_fleet(located, margin=MARGIN, shared=np.zeros(OFFSETS))[0]


def means(group, cluster, values, *, n_groups):
    """Plain means, clustered standard errors and p-values: what the peer computes, and no more."""
    found = cluster_location(
        group, cluster, values, n_groups=n_groups, rho0=0.0, robust=False, engine="numba"
    )
    return p_bias(found.estimate, found.se, found.df)


def check(group, cluster, values):
    """Plain means and standard errors must be statsmodels', small-sample factors aside."""
    y = values[:, 0]
    ours = cluster_location(group, cluster, y, rho0=0.0, robust=False)
    n_groups, n = int(group.max()) + 1, len(y)
    n_clusters = len(np.unique(cluster))
    inflated = n_clusters / (n_clusters - 1) * (n - 1) / (n - n_groups)
    mean, se, _ = clustered_dummies(y, group, cluster)
    for k in range(n_groups):
        size = np.bincount(cluster[group == k])
        share = size[size > 0] / size.sum()
        plain = float(ours.se[k] ** 2 * (1 - (share**2).sum()))
        same("mean", float(ours.estimate[k]), float(mean[k]), within=1e-9)
        same("variance", plain, float(se[k] ** 2 / inflated), within=1e-9)
        alone, its_se, _ = clustered_ols(y[group == k], cluster[group == k])
        same("mean", float(ours.estimate[k]), alone, within=1e-9)
        same("variance", plain, its_se**2 * (len(share) - 1) / len(share), within=1e-9)


PEERS = {
    "dummies": "statsmodels OLS cluster, one fit",
    "constant": "statsmodels OLS cluster, one an annotator",
}


def findings(works):
    """Findings on 3,000,000 rows and eight offsets against OLS with clusters on 360,000 and one."""
    share, size = works.size.share, works.size
    n, n_peer = round(ROWS * share), round(PEER_ROWS * share)
    n_groups = max(2, round(ANNOTATORS * min(1, 10 * share)))
    rows = make(n, max(10, n // 3), n_groups, OFFSETS)
    group, cluster, values = make(n_peer, n_peer // 7, PEER_ANNOTATORS, 1, seed=1)
    there = load("statsmodels.regression.linear_model") is not None
    contestants = {
        "numba": lambda: verdicts(*rows, n_groups=n_groups, engine="numba"),
        "numpy": lambda: verdicts(*rows, n_groups=n_groups, engine="numpy"),
        "means": lambda: means(*rows, n_groups=n_groups),
    }
    if there:
        check(group, cluster, values)
        inputs = [(values[group == k, 0], cluster[group == k]) for k in range(PEER_ANNOTATORS)]
        contestants["dummies"] = lambda: clustered_dummies(values[:, 0], group, cluster)
        contestants["constant"] = lambda: [clustered_ols(*one) for one in inputs]
    times = interleave(contestants, budget=4 * size.budget, rounds=(size.rounds[0], 3))
    done = launch(child("verdicts", n, n_groups), works.folder).value
    per_value = (n * OFFSETS) / n_peer
    note = (
        f"{n // 3:,} clusters, {n_groups} annotators; the peer has {n_peer:,} rows, one offset and "
        "10 annotators, and the ratio is per row and offset; plain means and clustered variances "
        "are equal; verdicts rest on robust locations, which the peer has not"
    )
    goal = Goal(faster=10, cpu=8.0)
    parts = {
        "numba": ("verdicts, numba", goal),
        "numpy": ("verdicts, numpy", Goal()),
        "auto": (f"verdicts, auto in a fresh process: {done['engine']}", goal),
        "means": ("means and p-values alone, numba", Goal()),
    }
    for key, (label, asked) in parts.items():
        for peer, peer_label in PEERS.items():
            ratio = None
            if there and key == "auto":
                ratio = done["cpu"] / times.cpu(peer) / per_value
            elif there:
                ratio = times.ratio(key, peer) / per_value
            yield Row(
                work=f"findings, {n:,} rows x {OFFSETS} offsets",
                ours=label,
                cpu=done["cpu"] if key == "auto" else times.cpu(key),
                peer=peer_label,
                peer_cpu=times.cpu(peer) if there else None,
                ratio=ratio,
                goal=asked if peer == "dummies" else Goal(),
                note=note,
            )
