"""Calibration of consensus labels, of alpha, of the matrix of annotators and of the ceiling."""

from __future__ import annotations

import numpy as np

from annqc.consensus.labels import label_consensus
from annqc.geometry.boxes import paired_iou
from annqc.infer.agreement import alphas
from annqc.infer.ceiling import ceiling
from annqc.infer.pairwise import pair_matrix
from annqc.measure.alpha import alpha_loc
from annqc.measure.ceiling import ceiling_sums
from annqc.measure.pairwise import PairCounts

from .core import Run, calibrates, check_share, check_value

SKEWED = np.array([0.5, 0.25, 0.15, 0.07, 0.03])
CROWDS = 400
ALPHAS = 1_500
MATRICES = 4_000
CEILINGS = 1_000
NEVER = -1


def crowd(rng, each, *, annotators=20, k=3):
    """Return truth and labels of five skewed classes; 3 of 10 annotators take one for another."""
    n = annotators * each // k
    truth = rng.choice(5, n, p=SKEWED)
    table = np.empty((annotators, 5, 5))
    for a in range(annotators):
        skill = rng.uniform(0.7, 0.95)
        table[a] = (1 - skill) / 4
        np.fill_diagonal(table[a], skill)
        if a < 0.3 * annotators:
            one, other = rng.choice(5, 2, replace=False)
            table[a, one] = 0.05
            table[a, one, other] = 0.8
    item = np.repeat(np.arange(n), k)
    who = rng.random((n, annotators)).argsort(axis=1)[:, :k].ravel()
    bounds = table[who, truth[item]].cumsum(axis=1)
    said = np.minimum((rng.random((len(item), 1)) > bounds).sum(axis=1), 4)
    return truth, item, who, said


@calibrates("AT29")
def at29(run: Run):
    for each in (15, 40, 150):
        rng = run.rng("labels", each)
        n = run.n(CROWDS)
        gains = np.empty((n, 3))
        for i in range(n):
            truth, *said = crowd(rng, each)
            accuracy = [
                (label_consensus(*said, n_labels=5, method=method).label == truth).mean()
                for method in ("majority", "map_dawid_skene", "one_coin", "dawid_skene")
            ]
            gains[i] = np.array(accuracy[1:]) - accuracy[0]
        spread = gains.std(axis=0, ddof=1) * np.sqrt(max(1 / n - 1 / CROWDS, 0))
        words = f"labels: {each} an annotator, 3 an item"
        mean = gains.mean(axis=0)
        for name, k in (("MAP - majority", 0), ("one coin - majority", 1)):
            yield check_value("AT29", words, name, mean[k], extra_se=spread[k], low=-0.005)
        if each == 15:  # why it is not the default
            yield check_value("AT29", words, "plain - majority", mean[2], extra_se=spread[2],
                              high=-0.06)  # fmt: skip


def redrawn(rng, n_images, *, each=4, raters=3, noise=0.03, missed=0.05, difficult=0.5):
    """Return unit, row, image and boxes: spread-out objects, drawn again by each, some missed.

    Images differ in how hard they are, so that their objects go together.
    """
    n = rng.poisson(each - 1, n_images) + 1
    image = np.repeat(np.arange(n_images), n)
    hard = np.exp(difficult * rng.standard_normal(n_images))[image]
    side = np.exp(rng.normal(4, 0.5, (len(image), 2)))
    corner = rng.uniform(0, 2000, (len(image), 2))
    true = np.concatenate([corner, corner + side], axis=1)
    unit = np.repeat(np.arange(len(image)), raters)
    sd = noise * np.tile(side, 2)[unit] * hard[unit, None]
    boxes = true[unit] + rng.normal(0, 1, sd.shape) * sd
    left = rng.random(len(unit)) < missed * hard[unit] / np.exp(difficult**2 / 2)
    return unit, np.where(left, NEVER, np.arange(len(unit))), image, boxes


@calibrates("AT140")
def at140(run: Run):
    truth = alphas(_measured(redrawn(run.rng("alpha, truth"), 20_000))).estimate[0]
    for n_images, measured in ((20, 0.923), (50, 0.953), (100, 0.957)):
        rng, n = run.rng("alpha", n_images), run.n(ALPHAS)
        covered = 0
        for _ in range(n):
            found = alphas(_measured(redrawn(rng, n_images)))
            covered += found.low[0] <= truth <= found.high[0]
        words = f"alpha: {n_images} images, 3 annotators"
        share, size = covered / n, {"n": n, "full": ALPHAS}
        yield check_share("AT140", words, "coverage, at least", share, low=measured - 0.03, **size)
        yield check_share("AT140", words, "coverage, at most", share, high=measured + 0.03, **size)


def _measured(drawn):
    unit, row, image, boxes = drawn
    return alpha_loc(
        unit, row, image, xyxy=boxes, expected="sampled" if len(unit) > 1e5 else "auto"
    )


def couples(rng, a, g, *, each=5, icc=0.2, iou=0.85, f1=0.9, same=0.85):
    """Return counts of a pairs on g images each, every number correlated within an image."""
    drawn = rng.poisson(each - 1, (a, g)) + 1
    image = np.repeat(np.arange(a * g), drawn.ravel())

    def rate(p):
        k = 1 / icc - 1
        return rng.beta(p * k, (1 - p) * k, a * g)[image]

    hit = rng.random(len(image)) < rate(f1)
    agree = rng.random(len(image)) < rate(same)
    overlap = np.clip(
        iou + 0.05 * rng.standard_normal(a * g)[image] + 0.08 * rng.standard_normal(len(image)),
        0, 1,
    )  # fmt: skip
    kind = rng.integers(0, 4, len(image))
    other = np.where(agree, kind, (kind + rng.integers(1, 4, len(image))) % 4)
    per = [np.bincount(image, one, a * g) for one in (overlap * hit, hit, hit & agree)]
    group, cluster = np.divmod(np.arange(a * g), g)
    names = np.arange(a).astype(object)
    own = np.flatnonzero(hit)
    return PairCounts(
        group=group, image=cluster, overlap=per[0], paired=per[1], found=per[1],
        drawn=2.0 * drawn.ravel(), same=per[2], first=names, second=names,
        label_group=group[image[own]], label_image=cluster[image[own]],
        label_first=kind[own], label_second=other[own],
        edge_group=group[:0], edge_image=group[:0], edges=np.empty((0, 4)),
    )  # fmt: skip


@calibrates("AT141")
def at141(run: Run):
    whole = pair_matrix(couples(run.rng("matrix, truth"), 1, 400_000))
    for g in (10, 20, 50):
        n = run.n(MATRICES)
        found = pair_matrix(couples(run.rng("matrix", g), n, g))
        for name in ("mean_iou", "f1", "label_agreement", "kappa"):
            truth, one = getattr(whole, name).estimate[0], getattr(found, name)
            covered = ((one.low <= truth) & (truth <= one.high)).mean()
            words = f"two annotators: {g} images, 5 objects, ICC .2"
            yield check_share("AT141", words, name, covered, low=0.92, n=n, full=MATRICES)
            yield check_share("AT141", words, f"{name}, at most", covered, high=0.98, n=n,
                              full=MATRICES)  # fmt: skip


@calibrates("AT142")
def at142(run: Run):
    for k in (2, 3, 5):
        rng, n, covered, missed = run.rng("ceiling", k), run.n(CEILINGS), 0, []
        truth = None
        for _ in range(n):
            objects = 40 * 5
            side = np.exp(rng.normal(4.3, 0.3, (objects, 2)))
            true = np.concatenate([np.zeros((objects, 2)), side], axis=1)
            gold = true + rng.normal(0, 1.0, true.shape)
            drawn = np.repeat(true, k, axis=0) + rng.normal(0, 2.0, (objects * k, 4))
            sums = ceiling_sums(gold, drawn, np.repeat(np.arange(objects), k),
                                np.arange(objects) // 5)  # fmt: skip
            if truth is None:
                many = np.exp(rng.normal(4.3, 0.3, (200_000, 2)))
                right = np.concatenate([np.zeros((len(many), 2)), many], axis=1)
                truth = paired_iou(right, right + rng.normal(0, 1.0, right.shape)).mean()
            found = ceiling(sums).perfect
            covered += found[1] <= truth <= found[2]
            missed.append(found[0] - truth)
        words = f"ceiling: {k} annotators, 40 images of 5"
        se = np.std(missed) * np.sqrt(max(1 / n - 1 / CEILINGS, 0))
        yield check_value("AT142", words, "bias", np.mean(missed), extra_se=se,
                          low=-0.004, high=0.004)  # fmt: skip
        yield check_share("AT142", words, "coverage", covered / n, n=n, full=CEILINGS, low=0.90)
