"""Agreement of annotators among themselves, beside loops over all assignments."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annqc.errors import SpecError, UnknownNameError
from annqc.ids import ids_array
from annqc.infer.rates import p_of_t, ratio_of_clusters
from annqc.infer.unseen import p_unseen, planned_trials
from annqc.judge import judge
from annqc.match import MatchPolicy
from annqc.measure.agreement import agreements
from annqc.run.agreement import agreement_columns
from annqc.run.audit import Run
from annqc.simulate import Habit, simulate
from annqc.tables import Annotations, Dataset, Images
from tests.judge.staged import one_rule


def iou(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    inter = w * h
    whole = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return inter / (whole - inter)


def best(left, right, least):
    """Total IoU and number of the pairs, over every one-to-one assignment."""
    if len(left) > len(right):
        left, right = right, left
    places = [*range(len(right)), *[None] * len(left)]
    found = (0.0, 0)
    for order in set(itertools.permutations(places, len(left))):
        pairs = [iou(a, right[at]) for a, at in zip(left, order, strict=True) if at is not None]
        pairs = [one for one in pairs if one >= least]
        found = max(found, (sum(pairs), len(pairs)))
    return found


def drawn(rows, *, n_annotators=3, n_images=3, assigned=None, crowd=None):
    """One row a box: annotator, image, box."""
    names = ids_array(["car", "dog"])
    return Dataset(
        Annotations.build(
            image=[row[1] for row in rows],
            annotator=[row[0] for row in rows],
            category=[k % 2 for k in range(len(rows))],
            xyxy=np.array([row[2] for row in rows], dtype=float).reshape(-1, 4),
            crowd=np.zeros(len(rows), dtype=bool) if crowd is None else np.array(crowd),
        ),
        Images.build(ids_array([f"{k}.jpg" for k in range(n_images)])),
        ids_array(["ann", "bob", "cid"][:n_annotators]),
        names,
        names,
        assigned=None if assigned is None else np.array(assigned),
    )


BOX = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 6), st.integers(1, 6)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), BOX), max_size=12).filter(
    lambda rows: all(
        sum(row[:2] == (a, i) for row in rows) <= 3 for a in range(3) for i in range(3)
    )
)


def on_paper(rows, asked, least):
    """First, second, image -> total overlap, boxes said."""
    out = {}
    for image in range(3):
        there = [who for who in range(3) if (who, image) in asked]
        for a, b in itertools.combinations(there, 2):
            left = [box for who, at, box in rows if (who, at) == (a, image)]
            right = [box for who, at, box in rows if (who, at) == (b, image)]
            total, n = best(left, right, least)
            out[a, b, image] = (total, len(left) + len(right) - n)
    return out


@given(rows=ROWS, extra=st.sets(st.tuples(st.integers(0, 2), st.integers(0, 2))))
def test_every_comparison_is_that_of_all_assignments(rows, extra):
    data = drawn(rows, assigned=sorted(extra) or None)
    asked = {row[:2] for row in rows} | extra
    found = agreements(data, pair_iou=0.2, engine="numpy")
    expected = on_paper(rows, asked, 0.2)
    keys = zip(found.first.tolist(), found.second.tolist(), found.image.tolist(), strict=True)
    assert list(keys) == sorted(expected, key=lambda key: (key[2], key[1], key[0]))
    for k, key in enumerate(
        zip(found.first.tolist(), found.second.tolist(), found.image.tolist(), strict=True)
    ):
        assert found.overlap[k] == pytest.approx(expected[key][0])
        # equal totals may come from more or fewer pairs only where a pair adds nothing
        assert found.said[k] == expected[key][1]


@given(rows=ROWS)
def test_agreement_by_annotator_is_the_ratio_of_the_sums(rows):
    data = drawn(rows)
    asked = {row[:2] for row in rows}
    expected = on_paper(rows, asked, 0.1)
    columns = agreement_columns(data, by="annotator", engine="numpy")
    for who in range(3):
        own = [value for key, value in expected.items() if who in key[:2]]
        below = sum(one[1] for one in own)
        got = columns["estimate"][who]
        assert columns["n"][who] == len(own)
        if below:
            assert got == pytest.approx(sum(one[0] for one in own) / below)
        else:
            assert np.isnan(got)


@given(rows=ROWS, order=st.permutations(range(3)))
def test_the_order_of_annotators_does_not_matter(rows, order):
    again = [(order[who], image, box) for who, image, box in rows]
    first = agreement_columns(drawn(rows), by=(), engine="numpy")
    second = agreement_columns(drawn(again), by=(), engine="numpy")
    for name in ("estimate", "ci_low", "ci_high", "n", "n_clusters"):
        np.testing.assert_allclose(first[name], second[name])


@given(boxes=st.lists(st.tuples(st.integers(0, 2), BOX), min_size=1, max_size=6, unique=True))
def test_identical_drawings_agree_fully(boxes):
    rows = [(who, image, box) for who in range(3) for image, box in boxes]
    columns = agreement_columns(drawn(rows), by="annotator")
    np.testing.assert_allclose(columns["estimate"], 1.0)


def test_the_engines_agree():
    work = simulate({"ann": [], "bob": Habit.misses(0.2), "cid": []}, n_images=40, rng=2).work
    first, second = (agreements(work, engine=engine) for engine in ("numpy", "numba"))
    np.testing.assert_array_equal(first.overlap, second.overlap)
    np.testing.assert_array_equal(first.said, second.said)


def test_the_interval_is_that_of_a_ratio_over_images():
    work = simulate({"ann": [], "bob": Habit.misses(0.2), "cid": []}, n_images=25, rng=2).work
    found = agreements(work)
    columns = agreement_columns(work, by=(), confidence=0.9)
    s = np.bincount(found.image, found.overlap)
    d = np.bincount(found.image, found.said)
    r = s.sum() / d.sum()
    se = np.sqrt(25 / 24 * ((s - r * d) ** 2).sum()) / d.sum()
    half = stats.t.ppf(0.95, 24) * se
    # Each image has as many objects as its comparisons have on average.
    objects = sum(d[image] / (found.image == image).sum() for image in range(25))
    missed = 1 - 0.05 ** ((1 + (objects / 25 - 1) * 0.3) / objects)
    assert r - half > r * (1 - missed)
    assert columns["n_clusters"].tolist() == [25]
    np.testing.assert_allclose(columns["estimate"], r)
    np.testing.assert_allclose(columns["ci_low"], r * (1 - missed))
    np.testing.assert_allclose(columns["ci_high"], max(r + half, r + (1 - r) * missed))


@pytest.mark.parametrize(("images", "low"), [(5, 0.47818), (20, 0.83157)])
def test_boxes_that_agree_exactly_are_no_proof_of_more_than_they_are(images, low):
    rows = [(who, image, (0, 0, 10, 10)) for who in (0, 1) for image in range(images)]
    columns = agreement_columns(drawn(rows, n_images=images), by=())
    assert (columns["estimate"][0], columns["se"][0]) == (1.0, 0.0)
    assert columns["ci_low"][0] == pytest.approx(0.025 ** (1 / images))
    assert columns["ci_low"][0] == pytest.approx(low, abs=1e-5)


def test_a_rare_miss_that_was_not_seen_yet_does_not_let_pass():
    """One object an image, missed by one of two in a tenth of the images."""
    rng = np.random.default_rng(3)
    g, n, truth = 10, 4000, 0.9 * 0.95
    overlap = np.where(rng.random(n * g) < 0.1, 0.0, 0.95)
    group = np.repeat(np.arange(n), g)
    found = ratio_of_clusters(overlap, np.ones(n * g), group, np.arange(n * g), n)
    trials = planned_trials(np.full(n, g), g)
    low, high = found.interval(n_eff=trials)
    assert (low > truth).mean() <= 0.025
    assert (found.interval()[0] > truth).mean() > 0.3
    p = np.maximum(
        p_of_t(found.estimate, found.se, found.df, truth, at_least=True),
        p_unseen(found.estimate, trials, truth, at_least=True),
    )
    assert ((p < 0.025) == (high < truth)).all()


def test_who_drew_nothing_where_others_did_disagrees():
    rows = [(0, 0, (0, 0, 10, 10)), (1, 0, (0, 0, 10, 10)), (0, 1, (0, 0, 10, 10))]
    asked = [(0, 0), (1, 0), (0, 1), (1, 1)]
    silent = agreement_columns(drawn(rows, n_annotators=2, assigned=asked), by=())
    absent = agreement_columns(drawn(rows, n_annotators=2), by=())
    assert (silent["estimate"].tolist(), silent["n"].tolist()) == ([0.5], [2])
    assert (absent["estimate"].tolist(), absent["n"].tolist()) == ([1.0], [1])


def test_crowds_take_no_part_and_a_higher_threshold_parts_pairs():
    rows = [(0, 0, (0, 0, 10, 10)), (1, 0, (0, 0, 10, 5)), (1, 0, (50, 50, 90, 90))]
    data = drawn(rows, crowd=[False, False, True])
    assert agreement_columns(data, by=())["estimate"].tolist() == [0.5]
    strict = agreement_columns(data, by=(), policy=MatchPolicy(pair_iou=0.6))
    assert strict["estimate"].tolist() == [0.0]


def test_columns_of_images_group_and_others_are_refused():
    work = simulate({"ann": [], "bob": []}, n_images=4, rng=2).work
    weather = np.array(["sun", "sun", "rain", "rain"], dtype=object)
    work = replace(work, image_table=replace(work.image_table, extra={"weather": weather}))
    columns = agreement_columns(work, by="annotator,weather")
    assert columns["annotator"].tolist() == ["ann", "ann", "bob", "bob"]
    assert columns["weather"].tolist() == ["sun", "rain"] * 2
    assert columns["n_clusters"].tolist() == [2, 2, 2, 2]
    with pytest.raises(UnknownNameError, match="did you mean 'weather'"):
        agreement_columns(work, by="wether")
    with pytest.raises(SpecError, match="cannot be told by category"):
        one_rule("agreement", by="category", at_least=0.5)


def judged(made, **rule):
    return judge(Run(made.gold, made.work), one_rule("agreement", **rule)).checks[0]


def test_the_one_who_differs_fails_and_a_shared_bias_is_not_seen():
    habits = {"ann": [], "bob": [], "cid": [], "dot": Habit.loose("right", px=20)}
    found = judged(simulate(habits, n_images=60, rng=4), at_least=0.8, by="annotator")
    assert found.outcome == "fail"
    failed = [row["group"]["annotator"] for row in found.rows if row["outcome"] == "fail"]
    assert failed == ["dot"]
    assert found.sentence.startswith("dot: agreement 0.")
    assert found.sentence.endswith(
        "; agreement does not see what all annotators do alike; a low value may be the fault of "
        "those who drew on the same images"
    )
    shared = {who: Habit.loose("right", px=20) for who in ("ann", "bob", "cid")}
    found = judged(simulate(shared, n_images=60, rng=4), at_least=0.8)
    assert found.outcome == "pass"
    assert [row["group"] for row in found.rows] == [{}]
    assert found.sentence.endswith("; agreement does not see what all annotators do alike")
    few = judged(simulate(["ann", "bob"], n_images=4, rng=4), at_least=0.1)
    assert few.outcome == "undecided"
    assert "4 images are too few; 5 are needed" in few.sentence


def test_one_annotator_has_nobody_to_agree_with():
    found = judged(simulate(["ann"], n_images=20, rng=4), at_least=0.8)
    assert found.outcome == "not_applicable"
    assert found.sentence.startswith("no two annotators were asked for the same image")
