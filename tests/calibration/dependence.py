"""Calibration of what offsets depend on, and of changes over time (AT17, AT22, AT120 to AT126)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import annqc
from annqc.infer.cht import cluster_location
from annqc.infer.covariates import place_field, pseudo_values, score_tests, slopes
from annqc.infer.drift import cusum
from annqc.infer.padding import padding
from annqc.infer.verdicts import half_width
from annqc.run.dependence import QUESTIONS
from annqc.run.dependence.changes import find_changes
from annqc.run.dependence.moods import MAYBE, sittings_differ
from annqc.run.dependence.sessions import sessions
from annqc.run.dependence.stack import Stack
from annqc.simulate import Habit, simulate

from .core import Run, calibrates, check_share
from .data import draw, offsets

EACH = 5


def pseudo(group, cluster, y, n):
    """Return Huber pseudo-values."""
    return pseudo_values(y, group, cluster_location(group, cluster, y, n_groups=n))


def placed(rng, a, g, *, clustered, slope=0.0, kind="t3", rho=0.15, uneven=True):
    """Return group, cluster, pseudo-values and place (u, v) of a annotators with g images each.

    Noise is larger away from the centre where ``uneven``; places are alike inside an image where
    ``clustered``.
    """
    group, cluster, y = offsets(rng, a, g, sizes="equal", rho=rho, kind=kind, each=EACH)
    n = len(y)
    place = rng.uniform(-1, 1, (n, 2))
    if clustered:
        of_image = rng.uniform(-1, 1, (a * g, 2))[cluster]
        place = np.clip(0.7 * of_image + 0.3 * place, -1, 1)
    if uneven:
        y = y * (0.5 + np.abs(place[:, 0]))
    y = y + slope * place[:, 0]
    return group, cluster, pseudo(group, cluster, y, a), place


@calibrates("AT17")
def at17(run: Run):
    full = 2_000
    n = run.n(full)
    for q, sizes, low, high in (
        (1, (8, 15, 30, 60), 0.030, 0.070),
        (5, (15, 30, 60), 0.010, 0.055),
    ):
        for g in sizes:
            rng = run.rng("score", q, g)
            group, cluster, y, place = placed(rng, n, g, clustered=True)
            z = place[:, :1] if q == 1 else place_field(*place.T)
            p = score_tests(y, z, cluster, group, n).p_value
            words = f"no dependence, places by image, q={q}, G={g}"
            size = {"n": n, "full": full, "low": low, "high": high}
            yield check_share("AT17", words, "P(p<.05)", (p < 0.05).mean(), **size)


@calibrates("AT120")
def at120(run: Run):
    full = 2_000
    n = run.n(full)
    # What statistics.md measured, less four standard errors.
    for q, g, low in (
        (1, 15, 0.475),
        (1, 30, 0.796),
        (1, 60, 0.981),
        (5, 30, 0.425),
        (5, 60, 0.873),
    ):
        rng = run.rng("score power", q, g)
        group, cluster, y, place = placed(
            rng, n, g, clustered=False, slope=0.5, kind="normal", uneven=False
        )
        z = place[:, :1] if q == 1 else place_field(*place.T)
        p = score_tests(y, z, cluster, group, n).p_value
        words = f"slope .5 sd across half an image, q={q}, G={g}"
        measured = (p < 0.05).mean()
        yield check_share("AT120", words, "P(p<.05)", measured, n=n, full=full, low=low)


@calibrates("AT126")
def at126(run: Run):
    full = 1_000
    n = run.n(full)
    for g in (15, 60):
        rng = run.rng("slope", g)
        group, cluster, y = offsets(rng, n, g, kind="t3", rho=0.15, each=EACH)
        z = rng.uniform(-1, 1, len(y))
        found = slopes(y * (0.5 + np.abs(z)) + 3.0 * z, z, cluster, group, n)
        half = half_width(found.se[:, 0], found.df)
        missed = (np.abs(found.estimate[:, 0] - 3.0) > half).mean()
        words = f"slope of 3 sd across half an image, t3, G={g}"
        size = {"n": n, "full": full, "high": 0.08}
        yield check_share("AT126", words, "interval misses", missed, **size)


def sized(rng, a, g, *, pad=0.0, share=0.0):
    """Return offsets in px, sides, weights, clusters and groups: 4 objects, 3 % outliers.

    The weights are those that the bounds were measured with, the noise of an object. Sides are such
    that both coefficients are as uncertain as they were there: .62 px and .0097 with 15 images.
    """
    n = a * g * 4
    side = np.exp(rng.normal(4.25, 0.73, n))
    sd = np.hypot(1.5, 0.03 * side)
    error = rng.standard_normal(n) * sd
    far = rng.random(n) < 0.03
    error[far] = rng.normal(0, 10, far.sum()) * sd[far]
    cluster = np.arange(n) // 4
    return pad + share * side + error, side, sd, cluster, cluster // g


@calibrates("AT121")
def at121(run: Run):
    full = 2_000
    n = run.n(full)
    size = {"n": n, "full": full}
    for g in (15, 40, 100):
        found = padding(*sized(run.rng("padding", g), n, g), n)
        for name, low, high in (
            ("pixels", found.additive_low, found.additive_high),
            ("share", found.share_low, found.share_high),
        ):
            missed = ((low > 0) | (high < 0)).mean()
            words = f"nothing planted, {name}, G={g}"
            yield check_share("AT121", words, "interval misses", missed, high=0.08, **size)
    for pad, share, g, low in ((2.5, 0.0, 15, 0.94), (0.0, 0.04, 15, 0.94), (2.0, -0.02, 40, 0.89)):
        found = padding(*sized(run.rng("padding", pad, share), n, g, pad=pad, share=share), n)
        flagged = np.ones(n, dtype=bool)
        if pad:
            flagged &= (found.additive_low > 0) | (found.additive_high < 0)
        if share:
            flagged &= (found.share_low > 0) | (found.share_high < 0)
        words = f"{pad:g} px and {100 * share:g} %, G={g}"
        yield check_share("AT121", words, "told", flagged.mean(), low=low, **size)


@calibrates("AT22")
def at22(run: Run):
    full = 4_000
    n = run.n(full)
    size = {"n": n, "full": full}
    for kind, high in (("normal", 0.07), ("t3", 0.11)):
        x = draw(run.rng("cusum", kind), kind, (n, 500))
        wrong = (cusum(x, limit=8.0).alarm >= 0).mean()
        low = 0.035 if kind == "normal" else -np.inf
        words = f"no change, {kind}, h=8"
        yield check_share("AT22", words, "P(false<=500)", wrong, low=low, high=high, **size)
    x = draw(run.rng("cusum shift"), "normal", (n, 200))
    x[:, 100:] += 1.0
    alarm = cusum(x, limit=8.0).alarm
    seen = ((alarm >= 100) | (alarm < 0)).sum()
    found = (alarm >= 100).sum() / seen
    yield check_share(
        "AT22", "1 sd from cluster 100 on", "found within 100", found, low=0.95, **size
    )


EVENING = 12
"""Images of a sitting with a mood of its own."""


def fleet_over_time(
    rng, people, images, *, kind="t3", sizes="lognormal", rho=0.1, phi=0.0, mood=None
):
    """Return the stack of one fleet that works without a change, and when it drew what.

    With a mood, a normal one of that standard deviation is that of each edge on each day, on which
    there are twelve images, 20 minutes apart.
    """
    a = people * 4
    n = np.maximum(1, np.round(np.exp(1.0 + 0.7 * rng.standard_normal((people, images))))).astype(
        int
    )
    if sizes == "equal":
        n[:] = EACH
    per_edge = np.repeat(n, 4, axis=0)
    cell = np.repeat(np.arange(a * images), per_edge.ravel())
    group = cell // images
    image = cell % images + images * (group // 4)
    own = draw(rng, kind, (a, images))
    for t in range(1, images):
        own[:, t] = phi * own[:, t - 1] + np.sqrt(1 - phi**2) * own[:, t]
    y = np.sqrt(1 - rho) * draw(rng, kind, len(cell)) + np.sqrt(rho) * own.ravel()[cell]
    nth = np.arange(images)
    hours = 2.0 * nth
    if mood is not None:
        hours = 24.0 * (nth // EVENING) + (nth % EVENING) / 3
        y += rng.normal(0, mood, (a, images))[group, cell % images // EVENING]
    y = pseudo(group, image, y, a)
    first = np.concatenate([[0], np.cumsum(n.ravel())[:-1]])
    place = (
        np.arange(len(cell))
        - np.flatnonzero(np.r_[True, np.diff(cell) > 0])[
            np.cumsum(np.r_[True, np.diff(cell) > 0]) - 1
        ]
    )
    pair = first[image] + place
    seconds = 1e9 + 3600.0 * np.repeat(np.tile(hours, people), n.ravel())
    blank = np.zeros(a)
    one = np.ones(len(y))
    rows = {"group": group, "cluster": image, "pair": pair, "y": y, "px": y}
    stack = Stack(**rows, side=one, tolerance=one, grid=blank, grid_px=blank)
    person = np.repeat(np.repeat(np.arange(people), images), n.ravel())
    cluster = np.repeat(np.arange(people * images), n.ravel())
    return stack, seconds, sessions(seconds, cluster, person, people), a


def changes_of(*fleet):
    """Count the changes that are found in a fleet."""
    differ, maybe = sittings_differ(*fleet), sittings_differ(*fleet, level=MAYBE)
    return len(find_changes(*fleet, differ=differ, maybe=maybe, chance=0.05).group)


@calibrates("AT122")
def at122(run: Run):
    full = 400
    n = run.n(full)
    for people, images, kind, sizes in (
        (1, 80, "t3", "lognormal"),
        (5, 100, "normal", "equal"),
        (5, 100, "t3", "lognormal"),
        (10, 60, "contam", "lognormal"),
    ):
        rng = run.rng("changes", people, kind)
        wrong = [
            changes_of(*fleet_over_time(rng, people, images, kind=kind, sizes=sizes)) > 0
            for _ in range(n)
        ]
        words = f"no change, {people} x 4 edges x {images} images, {kind}"
        yield check_share(
            "AT122", words, "P(any false alarm)", np.mean(wrong), n=n, full=full, high=0.05
        )


@calibrates("AT123")
def at123(run: Run):
    full = 400
    n = run.n(full)
    for phi in (0.1, 0.2, 0.3, 0.5):
        rng = run.rng("alike", phi)
        how = {"kind": "normal", "sizes": "equal", "rho": 0.5, "phi": phi}
        wrong = [changes_of(*fleet_over_time(rng, 5, 100, **how)) > 0 for _ in range(n)]
        words = f"no change, 5 x 4 x 100, images alike by {phi}"
        yield check_share(
            "AT123", words, "P(any false alarm)", np.mean(wrong), n=n, full=full, high=0.08
        )
    for mood in (0.3, 0.5, 0.8):
        rng = run.rng("moods", mood)
        wrong = [changes_of(*fleet_over_time(rng, 8, 96, rho=0.3, mood=mood)) > 0 for _ in range(n)]
        words = f"no change, 8 x 4 x 96, 8 sittings with moods of {mood} sd"
        yield check_share(
            "AT123", words, "P(any false alarm)", np.mean(wrong), n=n, full=full, high=0.11
        )


SITTING = 10
"""Images of a sitting, 24 minutes apart; one sitting a day."""


def fleet(rng, people, n_images, habits=None):
    """Draw what a fleet of heavy tails draws, in sittings of ten images, one a day."""
    names = [f"annotator-{k:02d}" for k in range(people)]
    made = simulate(
        {name: [Habit.gross(0.03), *(habits or {}).get(k, [])] for k, name in enumerate(names)},
        n_images=n_images,
        boxes_per_image=np.full(n_images, EACH),
        noise_px=1.0,
        noise_rel=0.02,
        noise_df=2.5,
        icc=0.05,
        gold_sd=0.5,
        grid=1.0,
        rng=rng,
    )
    image = made.work.table.image
    return made, image, 24.0 * (image // SITTING) + 0.4 * (image % SITTING)


def audited(made, table, hours):
    seconds = 1.7e9 + 3600.0 * hours
    work = replace(made.work, table=replace(table, extra={"created_at": seconds}))
    return annqc.audit(work, made.gold).dependence_columns()


@calibrates("AT124")
def at124(run: Run):
    full, people = 400, 10
    n = run.n(full)
    rng = run.rng("dependence, nothing planted")
    named = {question: [] for question in QUESTIONS}
    for _ in range(n):
        made, _, hours = fleet(rng, people, 40)
        found = audited(made, made.work.table, hours)
        told = np.isin(found["verdict"], ["depends", "measurable", "changed"])
        told |= (found["question"] == "padding") & (found["p_adjusted"] <= 0.05)
        for question, one in named.items():
            one.append(told[found["question"] == question].any())
    for question, one in named.items():
        words = f"A={people}, G=40, nothing planted, {question}"
        yield check_share(
            "AT124", words, "P(anybody named)", np.mean(one), n=n, full=full, high=0.11
        )


CHANGED_AT = 40
"""The first image that is drawn otherwise."""


@calibrates("AT125")
def at125(run: Run):
    full, people = 200, 10
    n = run.n(full)
    rng = run.rng("dependence, planted")
    habits = {4: [Habit.loose("top", rel=0.05)], 5: [Habit.loose("left", px=5)]}
    wanted = {
        "change": ("annotator-00", "out_right", {"changed"}),
        "session": ("annotator-01", "out_right", {"depends"}),
        "place": ("annotator-02", "out_left", {"depends"}),
        "size": ("annotator-05", "out_left", {"depends"}),
        "padding": ("annotator-05", "out_left", {"ADDITIVE"}),
        "scaling": ("annotator-04", "out_top", {"PROPORTIONAL"}),
    }
    found = {name: [] for name in wanted}
    dated, innocent = [], []
    for _ in range(n):
        made, image, hours = fleet(rng, people, 80, habits)
        table = made.work.table
        box = table.xyxy.copy()
        late = (table.annotator == 0) & (image >= CHANGED_AT)
        box[late, 2] += 6.0
        tired = table.annotator == 1
        box[tired, 2] += 1.5 * (hours[tired] % 24.0)
        askew = table.annotator == 2
        width = made.gold.image_table.width[image[askew]]
        box[askew, 0] -= 3.0 * (box[askew, ::2].sum(axis=1) / width - 1)
        columns = audited(made, replace(table, xyxy=box), hours)
        who, edge = columns["annotator"], columns["quantity"]
        for name, (person, quantity, verdicts) in wanted.items():
            question = "padding" if name == "scaling" else name
            rows = (who == person) & (edge == quantity) & (columns["question"] == question)
            found[name].append(np.isin(columns["verdict"][rows], list(verdicts)).any())
            if name == "change" and found[name][-1]:
                first = columns["position"][rows][0]
                dated.append(abs(first - CHANGED_AT) <= 2)
        honest = np.isin(who, [f"annotator-{k:02d}" for k in (3, 6, 7, 8, 9)])
        rows = honest & np.isin(columns["verdict"], ["depends", "changed"])
        innocent.append(len(np.unique(who[rows])) / 5)
    size = {"n": n, "full": full}
    for name, one in found.items():
        words = f"A={people}, G=80, {name} planted"
        yield check_share("AT125", words, "found", np.mean(one), low=0.9, **size)
    told = {"n": len(dated), "full": max(full, len(dated))}
    yield check_share(
        "AT125", "6 px from image 41 of 80 on", "dated within 2", np.mean(dated), low=0.9, **told
    )
    yield check_share("AT125", "honest among them", "named", np.mean(innocent), high=0.05, **size)
