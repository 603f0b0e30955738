"""Calibration of one test at a time: errors, power, verdicts, planned sizes (AT1 to AT10)."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import special

from annqc.infer import verdicts
from annqc.infer.cht import cluster_location
from annqc.infer.verdicts import clusters_needed, p_bias, p_clean

from .core import Run, calibrates, check_share
from .data import KINDS, SIZES, offsets

GROUPS_AT_ONCE = 2_500


def batches(total):
    """Split so many groups into batches that fit the cache."""
    return [min(GROUPS_AT_ONCE, total - k) for k in range(0, total, GROUPS_AT_ONCE)]


def located(rng, total, g, *, bias=0.0, scale=1.0, step=0.0, **made):
    """Estimate `total` simulated groups; yields (estimate, se, df, n_clusters) of all of them."""
    parts = []
    for a in batches(total):
        group, cluster, y = offsets(rng, a, g, **made)
        y = bias + scale * y
        if step:
            y = np.round(y / step) * step
        found = cluster_location(group, cluster, y, n_groups=a, grid=step)
        parts.append((found.estimate, found.se, found.df, found.n_clusters))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


FULL = 20_000


@cache
def null_p(run: Run, g: int, sizes: str, rho: float, kind: str):
    """Return p-values of one cell without bias; AT1 to AT4 look at the same ones."""
    rng = run.rng("null", g, sizes, rho, kind)
    b, se, df, _ = located(rng, run.n(FULL), g, sizes=sizes, rho=rho, kind=kind)
    return p_bias(b, se, df)


def null_cells(run: Run, gs):
    for g in gs:
        for sizes in SIZES:
            for rho in (0.0, 0.1, 0.4):
                for kind in KINDS:
                    yield f"{kind} {sizes} rho {rho} G={g}", null_p(run, g, sizes, rho, kind)


@calibrates("AT1")
def at1(run: Run):
    for scenario, p in null_cells(run, (5, 10, 20)):
        share = (p < 0.05).mean()
        yield check_share(
            "AT1", scenario, "P(p<.05)", share, n=len(p), full=FULL, low=0.028, high=0.066
        )


@calibrates("AT2")
def at2(run: Run):
    for scenario, p in null_cells(run, (3,)):
        share = (p < 0.05).mean()
        yield check_share(
            "AT2", scenario, "P(p<.05)", share, n=len(p), full=FULL, low=0.034, high=0.068
        )


@calibrates("AT3")
def at3(run: Run):
    for gs in ((3,), (5, 10, 20)):
        for scenario, p in null_cells(run, gs):
            share = (p < 0.001).mean()
            yield check_share("AT3", scenario, "P(p<.001)", share, n=len(p), full=FULL, high=0.0024)


@calibrates("AT4")
def at4(run: Run):
    p = null_p(run, 20, "equal", 0.1, "normal")
    scenario = "normal equal rho 0.1 G=20"
    share = (p < 0.05).mean()
    yield check_share(
        "AT4", scenario, "P(p<.05)", share, n=len(p), full=FULL, low=0.045, high=0.060
    )


@calibrates("AT5")
def at5(run: Run):
    rng = run.rng("naive")
    rejected = []
    for a in batches(run.n(FULL)):
        group, _, y = offsets(rng, a, 20, sizes="lognormal", rho=0.4)
        n = np.bincount(group, minlength=a)
        mean = np.bincount(group, y, a) / n
        sd = np.sqrt(np.bincount(group, (y - mean[group]) ** 2, a) / (n - 1))
        t = np.abs(mean) / (sd / np.sqrt(n))
        rejected.append(2 * special.stdtr(n - 1, -t) < 0.05)
    share = np.concatenate(rejected)
    yield check_share(
        "AT5",
        "naive t, normal lognormal rho 0.4 G=20",
        "P(p<.05)",
        share.mean(),
        n=len(share),
        full=FULL,
        low=0.37,
        high=0.46,
    )


@calibrates("AT6")
def at6(run: Run):
    for g in (5, 10, 20):
        rng = run.rng("grid", g)
        b, se, df, _ = located(rng, run.n(FULL), g, sizes="lognormal", rho=0.1, step=1.0)
        p = p_bias(b, se, df)
        scenario, size = f"grid q = 1 sd, normal lognormal G={g}", {"n": len(p), "full": FULL}
        yield check_share(
            "AT6", scenario, "P(p<.05)", (p < 0.05).mean(), low=0.035, high=0.060, **size
        )
        yield check_share("AT6", scenario, "P(p<.001)", (p < 0.001).mean(), high=0.0025, **size)


@calibrates("AT7")
def at7(run: Run):
    bounds = {
        "normal": (0.82, 0.88),
        "t3": (0.95, 0.98),
        "contam": (0.66, 0.74),
        "t1.5": (0.33, 0.40),
    }
    for kind, (low, high) in bounds.items():
        rng = run.rng("power", kind)
        b, se, df, _ = located(
            rng, run.n(5_000), 50, sizes="lognormal", rho=0.1, kind=kind, bias=0.25
        )
        p = p_bias(b, se, df)
        yield check_share(
            "AT7",
            f"{kind} lognormal rho 0.1 G=50 b=0.25",
            "power",
            (p < 0.05).mean(),
            n=len(p),
            full=5_000,
            low=low,
            high=high,
        )


def verdict_shares(rng, total, g, *, bias, scale, kind):
    """Return the shares of groups that are called biased and clean at a margin of one."""
    b, se, df, n_clusters = located(rng, total, g, bias=bias, scale=scale, kind=kind, each=4)
    codes = verdicts.decide(
        p_bias(b, se, df, 1.0), p_clean(b, se, df, 1.0), verdicts.eligible(n_clusters, df)
    )
    named = np.array(verdicts.VERDICTS)[codes]
    return (named == "biased").mean(), (named == "clean").mean()


@calibrates("AT8")
def at8(run: Run):
    size = {"n": run.n(8_000), "full": 8_000}
    for kind in ("normal", "t3"):
        for g in (5, 10, 20, 40):
            rng = run.rng("margin", kind, g)
            biased, clean = verdict_shares(rng, size["n"], g, bias=1.0, scale=2.0, kind=kind)
            scenario = f"b = delta, s=2, {kind} G={g}"
            yield check_share("AT8", scenario, "P(biased)", biased, low=0.035, high=0.066, **size)
            yield check_share("AT8", scenario, "P(clean)", clean, low=0.030, high=0.066, **size)


@calibrates("AT9")
def at9(run: Run):
    size = {"n": run.n(FULL), "full": FULL}
    rng = run.rng("verdict power")
    biased, _ = verdict_shares(rng, size["n"], 20, bias=2.0, scale=2.0, kind="normal")
    yield check_share("AT9", "b = 2 delta, s=2, normal G=20", "P(biased)", biased, low=0.96, **size)
    _, clean = verdict_shares(rng, size["n"], 20, bias=0.0, scale=2.0, kind="normal")
    yield check_share("AT9", "b = 0, s=2, normal G=20", "P(clean)", clean, low=0.93, **size)


@calibrates("AT10")
def at10(run: Run):
    size = {"n": run.n(FULL), "full": FULL}
    plans = [("clean", b, s) for b in (0.0, 0.5) for s in (1.0, 2.0, 3.0, 4.0)]
    plans += [("biased", 2.0, s) for s in (2.0, 4.0)]
    for target, bias, scale in plans:
        sd = scale * np.sqrt(0.1 + 0.9 / 4)
        g = int(clusters_needed(sd, bias, 1.0, target=target))
        if g <= np.ceil(1.05 * verdicts.G_MIN):
            continue  # five clusters are the least there is, and give more power than was asked for
        rng = run.rng("plan", target, bias, scale)
        biased, clean = verdict_shares(rng, size["n"], g, bias=bias, scale=scale, kind="normal")
        yield check_share(
            "AT10",
            f"plan for {target}, b={bias} s={scale} -> G={g}",
            "power",
            clean if target == "clean" else biased,
            low=0.76,
            high=0.86,
            **size,
        )
