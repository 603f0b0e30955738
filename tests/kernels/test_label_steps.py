"""The two steps of Dawid and Skene, and STAPLE: compiled, in numpy, and one pixel at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annqc.kernels.labels import expect, gather_counts
from annqc.kernels.staple import staple


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 5))
def test_both_ways_of_each_step_agree(seed, n, k):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 5, n)
    starts = np.concatenate([[0], np.cumsum(counts)]) + 2  # a chunk need not begin at the first
    code = rng.integers(0, 3 * k, starts[-1])
    table = np.log(rng.random((3 * k, k)) ** 12 + 1e-9)
    prior = np.log(rng.dirichlet(np.ones(k)))
    out = [np.empty((n, k)) for _ in range(2)]
    sums = [(np.zeros((3 * k, k)), np.zeros(k)) for _ in range(2)]
    for kernel in (False, True):
        expect(starts, code, table, prior, out[kernel], kernel=kernel)
        gather_counts(starts, code, out[kernel], *sums[kernel], kernel=kernel)
    np.testing.assert_allclose(out[0], out[1], atol=1e-13)
    np.testing.assert_allclose(out[0].sum(axis=1), 1)
    slow = np.zeros((3 * k, k))
    for i in range(n):
        for j in range(starts[i], starts[i + 1]):
            slow[code[j]] += out[0][i]
    for one in sums:
        np.testing.assert_allclose(one[0], slow, atol=1e-12)
        np.testing.assert_allclose(one[1], out[0].sum(axis=0), atol=1e-12)


def test_a_negligible_label_gets_nothing():
    out = np.empty((1, 2))
    table = np.array([[0.0, -36.5], [0.0, -35.5]])
    for kernel in (False, True):
        for code, expected in ((0, 0.0), (1, np.exp(-35.5))):
            one = np.array([0, 1]), np.array([code])
            expect(*one, table, np.zeros(2), out, kernel=kernel)
            np.testing.assert_allclose(out[0, 1], expected, rtol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_both_ways_of_staple_agree(seed):
    rng = np.random.default_rng(seed)
    k = rng.integers(0, 6, 5)
    patterns = [np.unique(np.append(rng.integers(0, 1 << one, 6), 0)) for one in k.tolist()]
    cells = np.concatenate([[0], np.cumsum([len(one) for one in patterns])])
    raters = np.concatenate([[0], np.cumsum(k)])
    pixels = rng.integers(1, 50, cells[-1]).astype(float)
    one, two = (
        staple(cells, np.concatenate(patterns), pixels, raters,
               max_iterations=30, tol=1e-7, engine=engine)
        for engine in ("numpy", "numba")
    )  # fmt: skip
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8)
