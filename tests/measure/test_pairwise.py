"""Every two annotators, and one with themselves, beside plain Python over images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

import annqc
from annqc.errors import TableError, UnknownNameError
from annqc.geometry.boxes import paired_iou
from annqc.infer.ceiling import ceiling
from annqc.infer.pairwise import kappa, pair_matrix
from annqc.infer.rates import korn_graubard
from annqc.measure.ceiling import ceiling_sums
from annqc.measure.pairwise import pair_counts, repeat_counts


def best(one, two, least):
    """Pairs of the largest total IoU, at least ``least`` each."""
    if not len(one) or not len(two):
        return []
    iou = np.array([paired_iou(np.tile(box, (len(two), 1)), two) for box in one])
    worth = np.where(iou >= least, iou, 0.0)
    return [
        (i, j, iou[i, j])
        for i, j in zip(*linear_sum_assignment(-worth), strict=True)
        if worth[i, j] > 0
    ]


@pytest.fixture(scope="module")
def made():
    return annqc.simulate(
        ["ann", "bob misses 20%", "cid mislabels 30%"], n_images=25, boxes_per_image=4, rng=3
    )


def test_every_pair_is_counted_as_by_hand(made):
    table = made.work.table
    counts = pair_counts(made.work)
    found = pair_matrix(counts)
    assert found.n_images.tolist() == [25, 25, 25]
    for g, (a, b) in enumerate([(0, 1), (0, 2), (1, 2)]):
        overlap = paired = hits = same = drawn = 0
        edges = []
        for image in range(25):
            one, two = (
                np.flatnonzero((table.image == image) & (table.annotator == who)) for who in (a, b)
            )
            drawn += len(one) + len(two)
            for i, j, iou in best(table.xyxy[one], table.xyxy[two], 0.1):
                overlap, paired = overlap + iou, paired + 1
                edges.append((table.xyxy[two[j]] - table.xyxy[one[i]]) * [-1, -1, 1, 1])
            for i, j, _ in best(table.xyxy[one], table.xyxy[two], 0.5):
                hits += 1
                same += table.category[one[i]] == table.category[two[j]]
        assert found.mean_iou.estimate[g] == pytest.approx(overlap / paired)
        assert found.f1.estimate[g] == pytest.approx(2 * hits / drawn)
        assert found.label_agreement.estimate[g] == pytest.approx(same / hits)
        assert found.n_pairs[g] == paired
        np.testing.assert_allclose(found.edge_shift[g], np.median(edges, axis=0))
    for one in (found.mean_iou, found.f1, found.label_agreement):
        assert (one.low < one.estimate).all()
        assert (one.estimate < one.high).all() or (one.high == 1).any()


def test_repeats_by_two_names_are_the_same_comparison(made):
    names = made.work.annotator_ids.tolist()
    counts = repeat_counts(made.work, [(names[2], names[0])])
    assert (counts.first.tolist(), counts.second.tolist()) == ([names[2]], [names[0]])
    mine, every = pair_matrix(counts), pair_matrix(pair_counts(made.work))
    assert mine.f1.estimate[0] == every.f1.estimate[1]
    assert mine.edge_sd[0] == every.edge_sd[1]


def test_repeats_by_a_column_are_found_within_an_annotator():
    rng = np.random.default_rng(0)
    rows = []
    for who, sd in (("ann", 1.0), ("bob", 3.0)):
        for image in range(200):
            for session in ("spring", "autumn"):
                if who == "bob" and image >= 150 and session == "autumn":
                    continue
                edges = np.array([50, 50, 150, 150]) + rng.normal(0, sd, 4)
                rows.append((f"i{image}", who, "cat", *edges, session))
    columns = ("image_id", "annotator", "category", "x1", "y1", "x2", "y2", "session")
    import pandas as pd

    data = annqc.read(pd.DataFrame(rows, columns=columns))
    found = pair_matrix(repeat_counts(data, "session"))
    assert found.first.tolist() == ["ann", "bob"]
    assert found.n_images.tolist() == [200, 150]
    np.testing.assert_allclose(found.edge_sd, [1, 3], rtol=0.12)
    assert found.f1.estimate.tolist() == [1, 1]
    with pytest.raises(UnknownNameError, match="did you mean 'session'"):
        repeat_counts(data, "sesion")
    with pytest.raises(UnknownNameError, match="did you mean 'ann'"):
        repeat_counts(data, [("an", "bob")])
    with pytest.raises(TableError, match="two names"):
        repeat_counts(data, [("ann", "ann")])


def slow_kappa(first, second):
    names = sorted({*first, *second})
    n = len(first)
    same = sum(a == b for a, b in zip(first, second, strict=True)) / n
    chance = sum(first.count(one) * second.count(one) for one in names) / n**2
    return (same - chance) / (1 - chance) if chance < 1 else np.nan


labels = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=20)


@given(st.lists(labels, min_size=1, max_size=3))
def test_kappa_of_each_group(groups):
    first, second = (np.array([pair[k] for one in groups for pair in one]) for k in (0, 1))
    group = np.repeat(np.arange(len(groups)), [len(one) for one in groups])
    cluster = np.arange(len(group)) % 4
    found = kappa(first, second, group, cluster, len(groups) + 1)
    expected = [slow_kappa(*map(list, zip(*one, strict=True))) for one in groups]
    np.testing.assert_allclose(found.estimate, [*expected, np.nan], atol=1e-12)


@given(labels.filter(lambda one: len({pair[0] for pair in one}) > 1 and len(one) > 2))
def test_the_spread_of_kappa_is_its_derivative(pairs):
    """One object more of a kind moves kappa as the influence says."""
    first, second = (np.array(one) for one in zip(*pairs, strict=True))
    n = len(first)
    step = 1e-6

    def of(weight):
        a, b = (np.bincount(one, weight, 3) / weight.sum() for one in (first, second))
        same, chance = weight @ (first == second) / weight.sum(), a @ b
        return (same - chance) / (1 - chance)

    influence = [(of(np.ones(n) + step * (np.arange(n) == k)) - of(np.ones(n))) / step
                 for k in range(n)]  # fmt: skip
    found = kappa(first, second, np.zeros(n, int), np.arange(n), 1)
    same = first == second
    agreed = korn_graubard(same, np.ones(n))
    if 0 < same.mean() < 1:
        wider = np.sqrt(np.sum(np.square(influence)) / np.sum(((same - same.mean()) / n) ** 2))
    else:
        chance = (np.bincount(first, minlength=3) / n) @ (np.bincount(second, minlength=3) / n)
        wider = 1 / (1 - chance)
    expected = [
        max(found.estimate[0] - wider * (same.mean() - agreed.low[0]), -1),
        min(found.estimate[0] + wider * (agreed.high[0] - same.mean()), 1),
    ]
    np.testing.assert_allclose([found.low[0], found.high[0]], expected, atol=1e-4)


def gold_and_work(rng, n, k, *, gold_sd, sd):
    true = np.tile([100.0, 100.0, 160.0, 150.0], (n, 1))
    gold = true + rng.normal(0, gold_sd, true.shape)
    drawn = np.repeat(true, k, axis=0) + rng.normal(0, sd, (n * k, 4))
    return true, gold, drawn


@pytest.mark.parametrize("k", [2, 3, 5, 11])
def test_the_ceiling_is_what_a_perfect_annotator_would_score(k):
    true, gold, drawn = gold_and_work(np.random.default_rng(k), 4000, k, gold_sd=1.0, sd=2.5)
    sums = ceiling_sums(gold, drawn, np.repeat(np.arange(4000), k), np.arange(4000) // 5)
    found = ceiling(sums)
    best_possible = paired_iou(gold, true).mean()
    assert found.perfect[0] == pytest.approx(best_possible, abs=0.005)
    assert found.single[0] == pytest.approx(
        paired_iou(np.repeat(gold, k, axis=0), drawn).mean(), abs=1e-9
    )
    assert found.single[0] < found.consensus[0] < found.perfect[0]
    assert found.perfect[1] < best_possible < found.perfect[2] + 0.005
    assert (found.n_images, found.n_objects) == (800, 4000)


def test_gold_without_error_has_a_ceiling_of_one():
    _, gold, drawn = gold_and_work(np.random.default_rng(1), 500, 5, gold_sd=0.0, sd=2.0)
    found = ceiling(ceiling_sums(gold, drawn, np.repeat(np.arange(500), 5), np.arange(500)))
    assert found.perfect[0] > 0.985


def test_objects_that_one_drew_say_nothing_of_the_ceiling():
    box = [[0.0, 0.0, 4.0, 4.0]]
    found = ceiling(ceiling_sums(box, box, [0], [0]))
    assert found.n_objects == 0
    assert np.isnan(found.perfect).all()
    with pytest.raises(TableError, match="fit together"):
        ceiling_sums(box, box, [1], [0])


def test_real_labellers_with_a_second_session(shared_data):
    files = shared_data / "dermx_polygons" / "darwin_json_repeated12" / "*.json"
    data = annqc.read(str(files), annotator="(?P<annotator>[^_]+)_(?P<image>.+)")
    twice = [(f"labeller{k}", f"labeller{k}2") for k in range(1, 9)]
    repeats = pair_matrix(repeat_counts(data, twice))
    others = pair_matrix(pair_counts(data))
    assert repeats.n_images.tolist() == [12] * 8
    assert len(others.first) == 120
    # people agree with themselves better than with each other
    assert np.nanmean(repeats.f1.estimate) > np.nanmean(others.f1.estimate)
