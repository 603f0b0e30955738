"""Calibration of the consensus without gold (AT19 to AT21, AT112 to AT115), existence (AT111)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

import annqc
from annqc.consensus.existence import existence
from annqc.consensus.objects import Asked, Objects
from annqc.consensus.twoway import SIGNS, fit_twoway
from annqc.consensus.uncertainty import offset_uncertainty

from .core import Run, calibrates, check_share, check_value

COMMON = 1.5
"""What all annotators do alike, in pixels outward."""
GROSS_SD = 40.0
PER_IMAGE = 5


def drawn(rng, n, k, people, *, offset=None, gross=0.0, sd=1.5, spread=0.6):
    """Let k of some annotators draw each of n boxes of 20 to 45 px, all with a tolerance of 1 px.

    Returns
    -------
    tuple
        Boxes, objects, annotators, true boxes, outward offsets (A, 4).
    """
    if offset is None:
        offset = COMMON + rng.standard_normal((people, 4))
    scale = sd * np.exp(spread * rng.standard_normal((people, 4)))
    corner = rng.uniform(0, 500, (n, 2))
    true = np.concatenate([corner, corner + rng.uniform(20, 45, (n, 2))], axis=1)
    who = rng.random((n, people)).argsort(axis=1)[:, :k].ravel()
    object = np.repeat(np.arange(n), k)
    error = scale[who] * rng.standard_normal((n * k, 4))
    error += GROSS_SD * rng.standard_normal(error.shape) * (rng.random(error.shape) < gross)
    boxes = true[object] + SIGNS * (offset[who] + error)
    return boxes, object, who, true, offset


def patterns(rng, people, n_images, per_image, *, rate=6.0, together=0.03):
    """Let annotators of unlike quality see objects that are there, and some that are not."""
    recall = rng.uniform(0.55, 0.98, people)
    invents = np.exp(rng.normal(-1.2, 1.0, people))
    who, image, truth, asked = [], [], [], []
    for g in range(n_images):
        team = np.sort(rng.permutation(people)[:per_image])
        asked.append(team)
        for _ in range(rng.poisson(rate)):
            who.append(team[rng.random(per_image) < recall[team]])
            truth.append(True)
        for a in team.tolist():
            for _ in range(rng.poisson(invents[a])):
                who.append(team[(team == a) | (rng.random(per_image) < together)])
                truth.append(False)
        image += [g] * (len(who) - len(image))
    seen = np.array([len(one) > 0 for one in who])
    counts = np.array([len(one) for one in who])[seen]
    m = len(counts)
    objects = Objects(
        object=np.repeat(np.arange(m), counts),
        image=np.array(image)[seen],
        n_drawn=counts,
        n_asked=np.full(m, per_image),
        category=np.zeros(m, dtype=np.int64),
        category_share=np.ones(m),
        asked=Asked(offsets=np.arange(n_images + 1) * per_image, annotator=np.concatenate(asked)),
    )
    return objects, np.concatenate(who), np.array(truth)[seen], recall


@calibrates("AT19")
def edges(run: Run):
    full = 60
    n = run.n(full)
    rng = run.rng("AT19")
    edge, bias = [], []
    for _ in range(n):
        boxes, object, who, true, offset = drawn(rng, 300, 3, 10, gross=0.03)
        fit = fit_twoway(boxes, object, who)
        # what all do alike cannot be known without gold
        error = SIGNS * (fit.edges - true) - COMMON
        contrast = fit.offset - offset
        contrast -= contrast.mean(axis=0)
        # each of the four edges is a fit of its own
        edge.append(np.sqrt((error**2).mean(axis=0)).mean())
        bias.append(np.sqrt((contrast**2).mean(axis=0)).mean())
    scenario = "two-way, 300 objects, k=3, 3 % gross"
    for name, values, high in (("edge RMSE", edge, 1.55), ("offset RMSE", bias, 0.26)):
        extra = np.std(values) * np.sqrt(max(1 / n - 1 / full, 0.0))
        yield check_value("AT19", scenario, name, np.mean(values), extra_se=extra, high=high)


@calibrates("AT20")
def culprit(run: Run):
    full = 200
    n = run.n(full)
    rng = run.rng("AT20")
    innocent, found = [], []
    offset = np.zeros((3, 4))
    offset[2, 0] = 3.0
    for _ in range(n):
        boxes, object, who, *_ = drawn(rng, 300, 3, 3, offset=offset)
        fit = fit_twoway(boxes, object, who)
        got = offset_uncertainty(fit, np.arange(300) // PER_IMAGE)
        accused = beyond(got.estimate[:, 0], got.se[:, 0], got.df, 1.0) < 0.05
        innocent.append(accused[:2].mean())
        found.append(accused[2])
    scenario = "two-way, three annotators, one +3 px, delta 1"
    sized = {"n": n, "full": full}
    yield check_share("AT20", scenario, "others accused", np.mean(innocent), high=0.02, **sized)
    yield check_share("AT20", scenario, "power", np.mean(found), low=0.97, **sized)


@calibrates("AT21")
def honest(run: Run):
    full = 250
    n = run.n(full)
    rng = run.rng("AT21")
    for gross in (0.0, 0.03):
        rejected = []
        for _ in range(n):
            boxes, object, who, *_ = drawn(
                rng, 60 * PER_IMAGE, 3, 10, offset=np.zeros((10, 4)), gross=gross
            )
            fit = fit_twoway(boxes, object, who)
            got = offset_uncertainty(fit, np.arange(60 * PER_IMAGE) // PER_IMAGE)
            rejected.append(beyond(got.estimate, got.se, got.df[:, None], 0.0) < 0.05)
        rejected = np.array(rejected)
        scenario = f"two-way se, b=0, P=10, k=3, 60 images, gross {gross:g}"
        for name, part in (("edges P(p<.05)", slice(0, 4)), ("dx..dh P(p<.05)", slice(4, 8))):
            yield check_share(
                "AT21", scenario, name, rejected[..., part].mean(), n=n, full=full, low=0.02,
                high=0.08,
            )  # fmt: skip


@calibrates("AT111")
def existing(run: Run):
    full = 100
    n = run.n(full)
    for per_image in (3, 5):
        rng = run.rng("AT111", per_image)
        said, truth, quorum = [], [], []
        for _ in range(n):
            objects, who, there, _ = patterns(rng, 12, 200, per_image)
            found = existence(objects, who, 12)
            said.append(found.probability)
            truth.append(there)
            quorum.append(objects.n_drawn >= objects.n_asked / 2)
        wrong = [np.mean((p > 0.5) != t) for p, t in zip(said, truth, strict=True)]
        by_vote = [np.mean(q != t) for q, t in zip(quorum, truth, strict=True)]
        said, truth = np.concatenate(said), np.concatenate(truth)
        scenario = f"existence, 12 annotators, {per_image} an image"
        sure = (said > 0.85) & (said < 0.95)
        gap = truth[sure].mean() - said[sure].mean()
        extra = 0.5 * np.sqrt(max(1 / sure.sum() - n / full / sure.sum(), 0.0))
        yield check_value(
            "AT111", scenario, "there less said, ~.9", gap, extra_se=extra, low=-0.03, high=0.03
        )
        ratio = np.mean(wrong) / np.mean(by_vote)
        yield check_value("AT111", scenario, "errors / majority's", ratio, high=0.8)


def covers(got, offset):
    """Which 95 % intervals of the edges hold the planted offsets."""
    return np.abs(got.estimate[:, :4] - offset) <= stdtrit(got.df, 0.975)[:, None] * got.se[:, :4]


@calibrates("AT112")
def few_gold(run: Run):
    full = 120
    n = run.n(full)
    image = np.arange(40 * PER_IMAGE) // PER_IMAGE
    for k in (2, 5, 10):
        rng = run.rng("AT112", k)
        held, accused = [], []
        for _ in range(n):
            boxes, object, who, true, _ = drawn(
                rng, len(image), 3, 3, offset=np.zeros((3, 4)), sd=3.0, spread=0.0
            )
            gold = np.where(
                image[:, None] < k, true + 0.5 * rng.standard_normal(true.shape), np.nan
            )
            got = offset_uncertainty(fit_twoway(boxes, object, who, gold=gold, image=image), image)
            held.append(covers(got, 0.0).mean())
            accused.append(
                (beyond(got.estimate[:, :4], got.se[:, :4], got.df[:, None], 1.0) < 0.05).any()
            )
        scenario = f"anchored, {k} images of gold, sd 3, 3 honest"
        sized = {"n": n, "full": full}
        yield check_share("AT112", scenario, "coverage", np.mean(held), low=0.90, **sized)
        yield check_share("AT112", scenario, "honest accused", np.mean(accused), high=0.05, **sized)


@calibrates("AT113")
def weak_bridge(run: Run):
    full = 60
    n = run.n(full)
    rng = run.rng("AT113")
    image = np.append(np.arange(30 * PER_IMAGE) // PER_IMAGE, 30)
    held = []
    for _ in range(n):
        boxes, object, who, *_ = drawn(
            rng, len(image), 3, 3, offset=np.zeros((3, 4)), sd=3.0, spread=0.0
        )
        team = np.where(image[object] % 2 == 1, 3, 0)
        kept = (object < len(image) - 1) | (who < 2)
        who = np.where((object == len(image) - 1) & (who == 1), 3, who + team)
        fit = fit_twoway(boxes[kept], object[kept], who[kept], image=image, n_annotators=6)
        held.append(covers(offset_uncertainty(fit, image), 0.0).mean())
    scenario = "two teams of three, linked by one object, sd 3"
    yield check_share("AT113", scenario, "coverage", np.mean(held), low=0.90, n=n, full=full)


@calibrates("AT114")
def small_ones(run: Run):
    full = 60
    n = run.n(full)
    image = np.repeat(np.arange(60), 3)
    for sd in (4.0, 15.0):
        rng = run.rng("AT114", int(sd))
        held = []
        for _ in range(n):
            boxes, object, who, true, _ = drawn(
                rng, len(image), 3, 3, offset=np.zeros((3, 4)), sd=2.0, spread=0.0
            )
            third = who == 2
            error = sd * rng.standard_normal((third.sum(), 4))
            boxes[third] = true[object[third]] + SIGNS * error
            who = np.where(third, 2 + image[object], who)
            kept = ~third | (who < 6)
            fit = fit_twoway(boxes[kept], object[kept], who[kept], image=image, n_annotators=6)
            held.append(covers(offset_uncertainty(fit, image), 0.0)[:2].mean())
        scenario = f"two with 60 images, four with one, sd {sd:g}"
        yield check_share("AT114", scenario, "coverage", np.mean(held), low=0.90, n=n, full=full)


@calibrates("AT115")
def even_split(run: Run):
    full = 40
    n = run.n(full)
    for people, off in ((4, 2), (6, 3), (6, 2)):
        rng = run.rng("AT115", people, off)
        named = []
        for _ in range(n):
            offset = np.zeros((people, 4))
            offset[:off, 1] = 8.0
            boxes, object, who, *_ = drawn(
                rng, 20 * PER_IMAGE, people, people, offset=offset, spread=0.0
            )
            image = object // PER_IMAGE
            # far enough from each other that no box is taken for another
            boxes[:, [0, 2]] += 600.0 * (object % PER_IMAGE)[:, None]
            frame = pd.DataFrame(boxes, columns=["x1", "y1", "x2", "y2"])
            frame = frame.assign(image_id=image, annotator=who, category="car")
            bias = annqc.consensus(frame).bias_columns()
            accused = bias["annotator"][bias["verdict"] == "biased"]
            named.append(set(accused.tolist()))
        scenario = f"{off} of {people} annotators +8 px"
        if 2 * off == people:
            share = np.mean([bool(one) for one in named])
            yield check_value("AT115", scenario, "anybody accused", share, high=0.0)
        else:
            right = np.mean([one == set(range(off)) for one in named])
            yield check_share("AT115", scenario, "named: those", right, low=0.95, n=n, full=full)


def beyond(estimate, se, df, delta):
    """P-value of an offset beyond the margin."""
    size = np.abs(estimate)
    return stdtr(df, -(size - delta) / se) + stdtr(df, -(size + delta) / se)
