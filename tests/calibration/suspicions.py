"""Suspicions: what is planted is named, what only looks alike is not."""

from __future__ import annotations

import numpy as np

from annqc.infer.suspicions.contradicted import Opinions, contradicted
from annqc.infer.suspicions.empty import drew_nothing
from annqc.infer.suspicions.sources import same_sources
from annqc.infer.suspicions.stamps import find_stamps

from .core import calibrates, check_share
from .suspicious import copy_of, fleet, stacked, truth

FULL = 200
N = 12
SMALL = {"low": 10, "high": 20}
HONEST = {
    "12 annotators, whole px, sd .5": {},
    "the same, careful (sd .2)": {"sd": 0.2},
    "two of sd .15 among ten of sd 2": {"sd": np.r_[0.15, 0.15, np.full(10, 2.0)]},
    "sd .1 to 1.5": {"sd": np.linspace(0.1, 1.5, N)},
    "t3, uneven objects, sd .1 to 1.5": {
        "sd": np.linspace(0.1, 1.5, N),
        "kind": "t3",
        "uneven": 0.5,
    },
    "on a grid of 1.37 px": {"pitch": 1.37},
    "3 annotators": {"n": 3},
    "2 annotators": {"n": 2},
}


def works(rng, *, n=N, sd=0.5, images=30, per_image=5, **how):
    """Boxes of annotators who work on their own, and the image of each object."""
    boxes, image = truth(rng, images, per_image, **SMALL)
    return fleet(rng, boxes, n, sd, **how), image


def named(drawn, gold=-1):
    found = same_sources(drawn, gold=gold)
    return set(
        zip(found.left[found.named].tolist(), found.right[found.named].tolist(), strict=True)
    )


@calibrates("AT80")
def honest_fleets(run):
    """Nobody is named of annotators who work on their own."""
    n = run.n(FULL)
    for scenario, how in HONEST.items():
        rng = run.rng("AT80", scenario)
        wrong = [bool(named(stacked(*works(rng, **how)))) for _ in range(n)]
        yield check_share("AT80", scenario, "any named", np.mean(wrong), n=n, full=FULL, high=0.05)


def _measured(run, id, scenario, planted, pairs):
    """How often all of the pairs are named, and how often any other."""
    n = run.n(FULL)
    rng = run.rng(id, scenario)
    found = [named(*planted(rng)) for _ in range(n)]
    hit = np.mean([pairs <= one for one in found])
    wrong = np.mean([bool(one - pairs) for one in found])
    yield check_share(id, scenario, "named", hit, n=n, full=FULL, low=0.95)
    yield check_share(id, scenario, "others named", wrong, n=n, full=FULL, high=0.05)


def _circular(share):
    def planted(rng):
        drawn, image = works(rng, n=N + 1)
        of_one = np.isin(image, rng.permutation(30)[: round(share * 30)])
        drawn[N, of_one] = drawn[3, of_one]
        return stacked(drawn, image), N

    return planted


@calibrates("AT81")
def circular_gold(run):
    """The gold is one annotator's file, all of it or on some images."""
    yield from _measured(run, "AT81", "whole gold", _circular(1.0), {(3, N)})
    yield from _measured(run, "AT81", "gold of 30 % of the images", _circular(0.3), {(3, N)})


def _copied(redrawn, **how):
    def planted(rng):
        drawn, image = works(rng, **how)
        drawn[1] = copy_of(rng, drawn[0], drawn[1], redrawn)
        return (stacked(drawn, image),)

    return planted


@calibrates("AT82")
def copied_annotator(run):
    """One annotator has another's boxes."""
    pair = {(0, 1)}
    yield from _measured(run, "AT82", "all of them", _copied(0.0), pair)
    yield from _measured(run, "AT82", "10 % redrawn", _copied(0.1), pair)
    yield from _measured(run, "AT82", "10 % redrawn, sd .2", _copied(0.1, sd=0.2), pair)
    yield from _measured(run, "AT82", "70 % redrawn, many digits", _copied(0.7, pitch=0.0), pair)
    yield from _measured(run, "AT82", "only two, many digits", _copied(0.1, n=2, pitch=0.0), pair)


@calibrates("AT83")
def accepted_model(run):
    """Three annotators accepted a model's boxes, and redrew a tenth each."""

    def planted(rng):
        drawn, image = works(rng, n=N + 1)
        for who in range(3):
            drawn[who] = copy_of(rng, drawn[N], drawn[who], 0.1)
        return (stacked(drawn[:N], image),)

    yield from _measured(run, "AT83", "3 of 12 accept a model's", planted, {(0, 1), (0, 2), (1, 2)})


@calibrates("AT84")
def stamps(run):
    """Sizes that come again and again; small objects on whole pixels share sizes by chance."""
    n = run.n(FULL)
    for scenario, how in (("whole px", {}), ("many digits", {"pitch": 0.0}), ("alone", {"n": 1})):
        rng = run.rng("AT84", scenario)
        wrong = [bool(find_stamps(stacked(*works(rng, **how))).named.any()) for _ in range(n)]
        yield check_share("AT84", scenario, "any named", np.mean(wrong), n=n, full=FULL, high=0.05)
    hits = []
    rng = run.rng("AT84", "planted")
    for _ in range(n):
        drawn, image = works(rng, pitch=0.0)
        some = rng.choice(len(image), 6, replace=False)
        drawn[0, some, 2:] = drawn[0, some, :2] + 15.25
        found = find_stamps(stacked(drawn, image))
        hits.append(found.author[found.named].tolist() == [0])
    scenario = "6 of 150 boxes, many digits"
    yield check_share("AT84", scenario, "named", np.mean(hits), n=n, full=FULL, low=0.95)


def opinions(rng, *, m, sd=1.5, kind="normal", uneven=0.0, missed=0.05, wrong=0.0):
    """What m annotators say of 100 objects; the gold is wrong about the first three."""
    shape = (100, m, 4)
    e = rng.standard_normal(shape) if kind == "normal" else rng.standard_t(3, shape) / np.sqrt(3)
    e *= sd * np.exp(uneven * rng.standard_normal(100))[:, None, None]
    e[:3, :, 0] += wrong
    drew = rng.random((100, m)) > missed
    e[~drew] = np.nan
    label = np.where(drew, rng.random((100, m)) < missed, -1).astype(int)
    item, who = np.divmod(np.arange(100 * m), m)
    said = Opinions(
        object=item, annotator=who, drew=drew.ravel(), label=label.ravel(), offsets=e.reshape(-1, 4)
    )
    return said, np.full((100, 4), 2.0), np.zeros(100, dtype=int)


@calibrates("AT85")
def contradicted_gold(run):
    """Gold that is right is not contradicted, an edge 8 px off is."""
    n = run.n(FULL)
    for m in (3, 5, 10):
        for scenario, how in {
            f"{m} annotators, normal": {},
            f"{m} annotators, t3, sd 3": {"kind": "t3", "sd": 3.0},
            f"{m} annotators, uneven objects": {"uneven": 0.5},
            f"{m} annotators, 30 % missed, mislabelled": {"missed": 0.3},
        }.items():
            rng = run.rng("AT85", scenario)
            false = [bool(contradicted(*opinions(rng, m=m, **how)).named.any()) for _ in range(n)]
            share, high = np.mean(false), 0.10 if "uneven" in how else 0.05
            yield check_share("AT85", scenario, "any named", share, n=n, full=FULL, high=high)
    for m in (5, 10):
        scenario = f"{m} annotators, edge 8 px off"
        rng = run.rng("AT85", scenario)
        hits = []
        for _ in range(n):
            found = contradicted(*opinions(rng, m=m, wrong=8.0))
            hits.append(np.isin(np.arange(3), found.object[found.named]).mean())
        yield check_share("AT85", scenario, "named", np.mean(hits), n=n, full=FULL, low=0.90)


@calibrates("AT86")
def left_empty(run):
    """Who leaves 30 % of the images empty is named; hard images are nobody's fault."""
    n = run.n(FULL)
    wrong, hit = [], []
    rng = run.rng("AT86")
    for _ in range(n):
        who, image = np.divmod(np.arange(N * 60), 60)
        drew = rng.random((N, 60)) > np.where(rng.random(60) < 0.2, 0.3, 0.03)
        lazy = drew.copy()
        lazy[0] &= rng.random(60) > 0.3
        for one, out in ((drew, wrong), (lazy, hit)):
            there = np.ones(N * 60, dtype=bool)
            found = drew_nothing(who, image, one.ravel(), there, cluster=image, n_annotators=N)
            out.append(bool(found.named.any()) if out is wrong else bool(found.named[0]))
    scenario = "12 annotators, 60 images, a fifth hard"
    yield check_share("AT86", scenario, "any named", np.mean(wrong), n=n, full=FULL, high=0.05)
    yield check_share("AT86", "30 % left empty", "named", np.mean(hit), n=n, full=FULL, low=0.95)
