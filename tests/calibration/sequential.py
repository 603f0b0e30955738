"""Calibration of looking again and again (AT14 to AT16, AT38), and of a spec run again (AT35)."""

from __future__ import annotations

import numpy as np

from annqc.infer.cht import cluster_location
from annqc.infer.multiplicity import benjamini_hochberg
from annqc.infer.sequential import cs_factor, e_benjamini_hochberg, e_value
from annqc.infer.verdicts import half_width, p_bias
from annqc.judge import judge
from annqc.judge.model import Header, Rule, Spec
from annqc.measure.tolerance import Tolerance
from annqc.run.audit import Parameters
from annqc.run.audit import Run as Audit
from annqc.simulate import Habit, simulate
from tests.deliveries import on_images

from .core import Run, calibrates, check_share
from .data import draw

PATHS = 3_000
FIRST, LAST = 5, 400
ANNOTATORS = 100
GUILTY = 10
FLEETS = 150
LOOKS = np.arange(20, 131, 5)
PIPELINES = 100
TEAM = 20
RERUNS = np.arange(3, 121, 3)


def running(values):
    """Mean and standard error of the first n of each path, for every n."""
    n = np.arange(1, values.shape[-1] + 1)
    mean = values.cumsum(axis=-1) / n
    with np.errstate(all="ignore"):
        variance = np.maximum((values**2).cumsum(axis=-1) / n - mean**2, 0) / (n - 1)
    return mean, np.sqrt(variance), n


def rejected(run: Run, kind):
    """Return which paths are ever rejected: by the confidence sequence, and by fixed intervals."""
    n = run.n(PATHS)
    values = draw(run.rng("looks", kind), kind, (n, LAST))
    mean, se, count = (one[..., FIRST - 1 :] for one in running(values))
    factor = cs_factor(count - 1.0, count)
    always = (np.abs(mean) > factor * se).any(axis=1)
    each = (np.abs(mean) > half_width(se, count - 1.0)).any(axis=1)
    return always, each


@calibrates("AT14")
def at14(run: Run):
    for kind, high in (("normal", 0.05), ("t3", 0.04)):
        always, _ = rejected(run, kind)
        yield check_share(
            "AT14",
            f"{kind}, a look at each of 5 to 400 clusters",
            "ever rejected",
            always.mean(),
            n=len(always),
            full=PATHS,
            high=high,
        )


@calibrates("AT15")
def at15(run: Run):
    for kind in ("normal", "t3"):
        _, each = rejected(run, kind)
        yield check_share(
            "AT15",
            f"{kind}, a fixed interval at each look",
            "ever rejected",
            each.mean(),
            n=len(each),
            full=PATHS,
            low=0.35,
        )


@calibrates("AT16")
def at16(run: Run):
    n = run.n(FLEETS)
    rng = run.rng("fleets looked at again")
    innocent = {"e-BH": [], "BH": []}
    found = []
    guilty = np.arange(ANNOTATORS) < GUILTY
    for _ in range(n):
        values = draw(rng, "normal", (ANNOTATORS, LOOKS[-1])) + 0.6 * guilty[:, None]
        mean, se, count = (one[..., LOOKS - 1] for one in running(values))
        df = count - 1.0
        e, p = e_value(np.abs(mean) / se, df, count), p_bias(mean, se, df)
        ever = {
            "e-BH": np.any([e_benjamini_hochberg(e[:, k]) for k in range(len(LOOKS))], axis=0),
            "BH": np.any([benjamini_hochberg(p[:, k]) for k in range(len(LOOKS))], axis=0),
        }
        for name, accused in ever.items():
            innocent[name].append((accused & ~guilty).sum() / max(accused.sum(), 1))
        found.append((ever["e-BH"] & guilty).sum() / GUILTY)
    scenario, size = "10 of 100 biased by .6 sd, 23 looks", {"n": n, "full": FLEETS}
    for name, bounds in (("e-BH", {"high": 0.04}), ("BH", {"low": 0.12})):
        yield check_share(
            "AT16", scenario, f"{name}: cumulative FDR", np.mean(innocent[name]), **bounds, **size
        )
    yield check_share("AT16", scenario, "e-BH: power", np.mean(found), low=0.9, **size)


SINGLE = 3_000
GROWING = np.r_[9:30, 30:121:5]
AT_MARGIN = ((1, 0.0, "normal"), (5, 0.1, "normal"), (5, 0.3, "t3"), (1, 0.0, "contam"))
QUEUES = 500
QUEUE = 100


def looked_at(rng, n, each, rho, kind):
    """Look at n paths of offsets at the margin of 1; return which are ever accused, and cleared."""
    last = int(GROWING[-1])
    cluster = np.repeat(np.arange(n * last), each)
    group, within = cluster // last, cluster % last
    y = np.sqrt(1 - rho) * draw(rng, kind, len(cluster))
    y = 1 + 2 * (y + np.sqrt(rho) * draw(rng, kind, n * last)[cluster])
    ever = np.zeros((2, n), dtype=bool)
    for look in GROWING.tolist():
        seen = within < look
        found = cluster_location(group[seen], cluster[seen], y[seen], n_groups=n)
        b, se, df, n_eff = (
            np.ravel(one) for one in (found.estimate, found.se, found.df, found.n_eff)
        )
        ever[0] |= e_value(np.maximum(np.abs(b) - 1, 0) / se, df, n_eff) >= 20
        ever[1] |= np.abs(b) + cs_factor(df, n_eff) * se < 1
    return ever


def queued(rng, n):
    """Let annotators at the margin come one after the other; return in which queues any fails."""
    ever = np.zeros(n, dtype=bool)
    for one in range(n):
        mean, se, count = running(rng.standard_normal((QUEUE, 60)))
        e = e_value(np.maximum(mean, 0)[:, 4:] / se[:, 4:], count[4:] - 1.0, count[4:])
        for k in range(QUEUE):
            # whatever e-BH accuses has an e-value of at least 1 / alpha
            for look in np.flatnonzero(e[k] >= 20):
                later = np.ones(QUEUE - k - 1)
                now = np.concatenate([e[:k, -1], e[k, look : look + 1], later])
                ever[one] |= e_benjamini_hochberg(now).any()
    return ever


@calibrates("AT38")
def at38(run: Run):
    n = run.n(SINGLE)
    for each, rho, kind in AT_MARGIN:
        accused, cleared = looked_at(run.rng("margin", each, rho, kind), n, each, rho, kind)
        words = f"one edge at tolerance, {each} {kind} an image, {len(GROWING)} looks"
        size = {"n": n, "full": SINGLE, "high": 0.05}
        yield check_share("AT38", words, "ever accused", accused.mean(), **size)
        yield check_share("AT38", words, "ever cleared", cleared.mean(), **size)
    n = run.n(QUEUES)
    share = queued(run.rng("queue"), n).mean()
    words = f"{QUEUE} at tolerance, one after the other"
    yield check_share("AT38", words, "ever fails", share, n=n, full=QUEUES, high=0.05)


def pipelines(rng, n, px):
    """Run the same spec on growing data; return which pipelines ever fail, by either rule.

    Nobody is out of tolerance, which is 1 px: one half draws all edges ``px`` too far out, and the
    other too far in, so that nobody is off as everybody is.
    """
    fleet = {
        f"ann-{k:02d}": Habit.growth(dw=2 * px * (-1) ** k, dh=2 * px * (-1) ** k) if px else []
        for k in range(TEAM)
    }
    rules = (
        Rule(id="once", measure="edge_offset"),
        Rule(id="always", measure="edge_offset", sequential=True),
    )
    spec = Spec(annqc=Header(), match=None, rules=rules)
    parameters = Parameters(tolerance=Tolerance(px=1.0, rel=0.0))
    failed = np.zeros((n, 2), dtype=bool)
    for one in range(n):
        made = simulate(
            fleet, n_images=int(RERUNS[-1]), boxes_per_image=3.0, border=0.0, noise_px=2.0, rng=rng
        )
        for images in RERUNS.tolist():
            audit = Audit(made.gold, on_images(made.work, images), parameters=parameters)
            outcomes = [check.outcome for check in judge(audit, spec).checks]
            failed[one] |= [outcome == "fail" for outcome in outcomes]
            if failed[one].all():
                break
    return failed


@calibrates("AT35")
def at35(run: Run):
    n = run.n(PIPELINES)
    for px in (0.0, 1.0):
        once, always = pipelines(run.rng("pipelines", px), n, px).T
        where = "at tolerance" if px else "unbiased"
        scenario = f"{len(RERUNS)} re-runs, {TEAM} annotators {where}"
        size = {"n": n, "full": PIPELINES}
        if px:
            yield check_share(
                "AT35", scenario, "fixed rule: ever fails", once.mean(), low=0.09, **size
            )
        yield check_share(
            "AT35", scenario, "sequential: ever fails", always.mean(), high=0.05, **size
        )
