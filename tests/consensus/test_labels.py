"""A consensus of labels, beside a slow and obvious Dawid-Skene."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.consensus.labels import LABEL_METHODS, label_consensus
from annqc.errors import AnnqcError, TableError, UnknownNameError


def dawid_skene(said, a, k, n_iterations, *, prior=0.5, right=3.0, classes=1.0):
    """Plain Python: ``said`` is a list of (annotator, label) for each item."""
    posterior = [
        [sum(one == t for _, one in labels) / len(labels) for t in range(k)] for labels in said
    ]
    for _ in range(n_iterations + 1):
        seen = [classes + sum(p[t] for p in posterior) for t in range(k)]
        share = [one / sum(seen) for one in seen]
        table = [
            [[prior + right * (t == one) for one in range(k)] for t in range(k)] for _ in range(a)
        ]
        for labels, p in zip(said, posterior, strict=True):
            for who, one in labels:
                for t in range(k):
                    table[who][t][one] += p[t]
        table = [[[x / sum(row) for x in row] for row in one] for one in table]
        last = posterior
        posterior = []
        for labels in said:
            logs = [
                math.log(share[t]) + sum(math.log(table[w][t][one]) for w, one in labels)
                for t in range(k)
            ]
            whole = sum(math.exp(one - max(logs)) for one in logs)
            posterior.append([math.exp(one - max(logs)) / whole for one in logs])
    return last, share, table


def columns(said):
    rows = [(i, w, one) for i, labels in enumerate(said) for w, one in labels]
    return np.array(rows, dtype=np.int64).reshape(-1, 3).T


def listed(found, n, k):
    out = np.zeros((n, k))
    out[np.repeat(np.arange(n), np.diff(found.offsets)), found.listed] = found.listed_probability
    return out


@st.composite
def votes(draw):
    k, a = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    one = st.tuples(st.integers(0, a - 1), st.integers(0, k - 1))
    return draw(st.lists(st.lists(one, min_size=1, max_size=6), min_size=1, max_size=12)), a, k


def made_up(seed=3, n=200, a=12, k=4, each=4):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    skill = rng.uniform(0.5, 0.95, a)
    item = np.repeat(np.arange(n), each)
    who = np.concatenate([rng.choice(a, each, replace=False) for _ in range(n)])
    said = np.where(rng.random(n * each) < skill[who], truth[item], rng.integers(0, k, n * each))
    return truth, item, who, said


@given(votes(), st.integers(1, 6), st.sampled_from(["numpy", "numba"]))
def test_it_is_the_em_of_the_specification(case, iterations, engine):
    said, a, k = case
    posterior, share, table = dawid_skene(said, a, k, iterations)
    found = label_consensus(
        *columns(said),
        n_annotators=a,
        n_labels=k,
        max_iterations=iterations,
        tol=-1,
        engine=engine,
    )
    np.testing.assert_allclose(listed(found, len(said), k), posterior, atol=2e-6)
    np.testing.assert_allclose(found.class_prior, share, atol=1e-12)
    np.testing.assert_allclose(found.confusion, table, atol=1e-12)
    assert found.iterations == iterations


@pytest.mark.parametrize("method", LABEL_METHODS)
def test_both_engines_and_any_order_of_rows(method):
    _, item, who, said = made_up()
    one = label_consensus(item, who, said, method=method, engine="numpy")
    order = np.random.default_rng(0).permutation(len(item))
    two = label_consensus(item[order], who[order], said[order], method=method, engine="numba")
    np.testing.assert_array_equal(one.label, two.label)
    np.testing.assert_allclose(one.probability, two.probability, atol=1e-6)
    np.testing.assert_allclose(one.accuracy, two.accuracy, atol=1e-6)
    assert one.converged


def one_coin(said, a, k, iterations):
    """Plain Python, over all labels."""
    p = [[sum(one == t for _, one in labels) / len(labels) for t in range(k)] for labels in said]
    for _ in range(iterations):
        seen = [1 + sum(row[t] for row in p) for t in range(k)]
        share = [one / sum(seen) for one in seen]
        accuracy = []
        for who in range(a):
            own = [(i, one) for i, labels in enumerate(said) for w, one in labels if w == who]
            accuracy.append((4 + sum(p[i][one] for i, one in own)) / (5 + len(own)))
        p = []
        for labels in said:
            row = list(share)
            for t in range(k):
                for w, one in labels:
                    row[t] *= accuracy[w] if one == t else (1 - accuracy[w]) / max(k - 1, 1)
            p.append([one / sum(row) for one in row])
    return p, share


@given(votes(), st.integers(1, 5))
def test_one_coin_is_one_accuracy_an_annotator(case, iterations):
    said, a, k = case
    expected, share = one_coin(said, a, k, iterations)
    found = label_consensus(
        *columns(said),
        n_annotators=a,
        n_labels=k,
        method="one_coin",
        max_iterations=iterations,
        tol=-1,
    )
    voted = np.zeros((len(said), k), dtype=bool)
    for i, labels in enumerate(said):
        voted[i, [one for _, one in labels]] = True
    np.testing.assert_allclose(
        listed(found, len(said), k)[voted], np.array(expected)[voted], atol=2e-6
    )
    np.testing.assert_allclose(found.class_prior, share, atol=1e-9)


def test_majority_says_where_votes_are_tied():
    found = label_consensus([0, 0, 1, 1, 1, 3], [0, 1, 0, 1, 2, 0], [2, 1, 1, 1, 0, 5],
                            method="majority")  # fmt: skip
    assert found.label.tolist() == [1, 1, -1, 5]
    assert found.tied.tolist() == [True, False, False, False]
    np.testing.assert_allclose(found.probability, [0.5, 2 / 3, np.nan, 1.0])
    np.testing.assert_allclose(found.accuracy, [(0.5 + 2 / 3 + 1) / 3, (0.5 + 2 / 3) / 2, 1 / 3])


def test_items_nobody_spoke_of_have_no_label():
    for method in LABEL_METHODS:
        found = label_consensus([2], [0], [1], n_items=4, n_annotators=2, method=method)
        assert found.label.tolist() == [-1, -1, 1, -1]
        assert np.isnan(found.accuracy[1])
        nothing = label_consensus([], [], [], n_items=2, n_labels=3, method=method)
        assert nothing.label.tolist() == [-1, -1]
        assert np.isnan(nothing.class_prior).all()


def test_a_confusion_is_found():
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 3, 600)
    item, who = np.repeat(np.arange(600), 5), np.tile(np.arange(5), 600)
    said = np.where(rng.random(3000) < 0.9, truth[item], rng.integers(0, 3, 3000))
    said[(who == 4) & (truth[item] == 1)] = 2  # the last one takes 1 for 2, always
    found = label_consensus(item, who, said)
    assert found.confusion[4, 1, 2] > 0.95
    assert (found.label == truth).mean() > 0.98
    np.testing.assert_allclose(found.confusion.sum(axis=2), 1)


def test_what_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'majority'"):
        label_consensus([0], [0], [0], method="majorty")
    with pytest.raises(TableError, match="differ in length"):
        label_consensus([0, 1], [0], [0])
    with pytest.raises(TableError, match="the column label holds what is no code"):
        label_consensus([0], [0], [-1])
    with pytest.raises(TableError, match="0 to 2"):
        label_consensus([0], [0], [3], n_labels=3)
    with pytest.raises(TableError, match="one_coin"):
        label_consensus([0], [9999], [1999])
    with pytest.raises(AnnqcError, match="engine"):
        label_consensus([0], [0], [0], engine="gpu")
