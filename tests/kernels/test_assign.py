"""Assignment on sparse overlaps, against scipy, brute force and a literal greedy loop."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment

from annqc.kernels.assign import best_assignment, greedy_assignment

ENGINES = ["numpy", "numba"]

matrices = hnp.arrays(
    float,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=8),
    # a coarse grid makes ties, the finer values make none
    elements=st.one_of(st.just(0.0), st.sampled_from([0.25, 0.5, 0.75, 1.0]), st.floats(0.1, 1)),
)


def sparse(matrix):
    column, row = np.nonzero(matrix.T)
    return row, column, matrix[row, column]


def solve(matrix, engine="numpy"):
    row, column, weight = sparse(matrix)
    return best_assignment(
        row, column, weight, n_rows=matrix.shape[0], n_columns=matrix.shape[1], engine=engine
    )


def brute_force(matrix):
    """The largest total over every one-to-one choice."""
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    rows = range(matrix.shape[0])
    return max(
        sum(matrix[r, c] for r, c in zip(rows, columns, strict=True))
        for columns in itertools.permutations(range(matrix.shape[1]), matrix.shape[0])
    )


def assert_one_to_one(row, column):
    assert len(set(row.tolist())) == len(row)
    assert len(set(column.tolist())) == len(column)


@settings(max_examples=300)
@given(matrix=matrices)
def test_total_equals_scipy(matrix):
    row, column, weight = sparse(matrix)
    chosen = solve(matrix)
    assert_one_to_one(row[chosen], column[chosen])
    assert (np.diff(chosen) > 0).all()
    best = matrix[linear_sum_assignment(matrix, maximize=True)].sum()
    assert weight[chosen].sum() == pytest.approx(best, abs=1e-12)


@given(matrix=hnp.arrays(float, (3, 4), elements=st.sampled_from([0, 0.3, 0.5, 0.8])))
def test_total_equals_brute_force(matrix):
    weight = sparse(matrix)[2]
    assert weight[solve(matrix)].sum() == pytest.approx(brute_force(matrix), abs=1e-12)


@settings(max_examples=300)
@given(matrix=matrices)
def test_both_engines_choose_the_same_pairs(matrix):
    np.testing.assert_array_equal(solve(matrix, "numpy"), solve(matrix, "numba"))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(60, 60), (80, 30), (30, 80)])
def test_large_parts_with_many_rivals(engine, shape):
    rng = np.random.default_rng(3)
    for density in (0.1, 0.6, 1.0):
        matrix = 0.1 + 0.9 * rng.random(shape)
        matrix[rng.random(shape) > density] = 0
        chosen = solve(matrix, engine)
        best = matrix[linear_sum_assignment(matrix, maximize=True)].sum()
        assert sparse(matrix)[2][chosen].sum() == pytest.approx(best, abs=1e-9)


@given(matrix=matrices, seed=st.integers(0, 99))
def test_the_order_of_distinct_weights_does_not_matter(matrix, seed):
    rng = np.random.default_rng(seed)
    matrix = np.where(matrix > 0, matrix + 1e-6 * rng.random(matrix.shape), 0)
    row, column, weight = sparse(matrix)
    shuffle = rng.permutation(len(row))
    shape = {"n_rows": matrix.shape[0], "n_columns": matrix.shape[1]}
    straight = best_assignment(row, column, weight, **shape)
    mixed = shuffle[best_assignment(row[shuffle], column[shuffle], weight[shuffle], **shape)]
    assert set(straight.tolist()) == set(mixed.tolist())


def test_equal_weights_go_to_the_first_row():
    row, column = np.array([0, 1, 2]), np.array([0, 0, 0])
    for engine in ENGINES:
        chosen = best_assignment(row, column, np.full(3, 0.5), n_rows=3, n_columns=1, engine=engine)
        assert chosen.tolist() == [0]


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_to_assign(engine):
    none = np.empty(0, dtype=np.int64)
    assert len(best_assignment(none, none, np.empty(0), n_rows=0, n_columns=3, engine=engine)) == 0


def literal_greedy(matrix, rank, last, many):
    """The loop of COCOeval.evaluateImg at one threshold; a zero stands for below it."""
    order = sorted(range(matrix.shape[1]), key=lambda c: rank[c])
    rows = sorted(range(matrix.shape[0]), key=lambda r: bool(last[r]))
    taken = {}
    pairs = set()
    for column in order:
        best, best_row = 0.0, -1
        for row in rows:
            if row in taken and not many[row]:
                continue
            if best_row > -1 and not last[best_row] and last[row]:
                break
            if matrix[row, column] == 0 or matrix[row, column] < best:
                continue
            best, best_row = matrix[row, column], row
        if best_row > -1:
            taken[best_row] = column
            pairs.add((best_row, column))
    return pairs


@settings(max_examples=300)
@given(matrix=matrices, data=st.data())
def test_greedy_equals_the_literal_loop(matrix, data):
    n_rows, n_columns = matrix.shape
    flags = st.lists(st.booleans(), min_size=n_rows, max_size=n_rows)
    last, crowd = np.array(data.draw(flags)), np.array(data.draw(flags))
    many = last & crowd
    rank = np.array(data.draw(st.permutations(range(n_columns))))
    row, column, weight = sparse(matrix)
    expected = literal_greedy(matrix, rank, last, many)
    for engine in ENGINES:
        chosen = greedy_assignment(
            row, column, weight, rank=rank, last=last, many=many, engine=engine
        )
        assert set(zip(row[chosen].tolist(), column[chosen].tolist(), strict=True)) == expected
