"""Looking again and again: e-values, confidence sequences and what would settle them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.infer.sequential import (
    clusters_to_settle,
    cs_c2,
    cs_factor,
    e_benjamini_hochberg,
    e_value,
)

LEVELS = st.sampled_from([0.01, 0.05, 0.1, 0.3])


def plain_e_bh(e, q):
    """Accuse the largest k with e_(k) >= m / (q k), one candidate after the other."""
    tested = [one for one in e if not math.isnan(one)]
    m = len(tested)
    for k in range(m, 0, -1):
        limit = sorted(tested, reverse=True)[k - 1]
        if limit * k * q >= m:
            return [not math.isnan(one) and one >= limit for one in e]
    return [False] * len(e)


@given(
    st.lists(st.one_of(st.floats(0, 500), st.just(math.nan)), max_size=12, unique_by=str), LEVELS
)
def test_e_bh_is_that_of_its_definition(e, q):
    assert e_benjamini_hochberg(e, q).tolist() == plain_e_bh(e, q)


@given(
    size=st.floats(0, 20),
    se=st.floats(0.01, 3),
    df=st.floats(2, 300),
    n_eff=st.floats(3, 300),
    alpha=LEVELS,
)
def test_one_cell_is_accused_where_its_interval_lies_beyond_the_margin(size, se, df, n_eff, alpha):
    margin = 1.0
    half = float(cs_factor(df, n_eff, alpha=alpha)) * se
    if abs(size - half - margin) < 1e-9 * max(size, 1):
        return  # on the line, rounding decides
    e = e_value(max(size - margin, 0.0) / se, df, n_eff, alpha=alpha)
    accused = e_benjamini_hochberg([float(e)], alpha)[0]
    assert accused == (size - half > margin)


def test_no_spread_and_no_degree_of_freedom():
    e = e_value([np.inf, 0.0, 3.0], [9, 9, 0], [10, 10, 1])
    k = 1 + 10 * cs_c2()
    assert e[0] == pytest.approx(k**4.5)
    assert e[1] == pytest.approx(k**-0.5)
    assert np.isnan(e[2])
    assert cs_factor([0.0], [1.0])[0] == np.inf


def test_below_ten_clusters_there_is_no_interval():
    counts = np.arange(2, 30)
    finite = np.isfinite(cs_factor(counts - 1.0, counts))
    assert not finite[counts < 9].any()
    assert finite[counts >= 11].all()


@pytest.mark.parametrize(("estimate", "alpha_biased"), [(0.2, None), (1.8, None), (1.8, 0.001)])
def test_clusters_to_settle_counts_up_to_the_first_interval_that_is_clear(estimate, alpha_biased):
    sd, have, margin = 1.5, 12, 1.0
    more = clusters_to_settle(
        estimate, sd / math.sqrt(have), have, have, margin, alpha_biased=alpha_biased
    )
    count, c2 = have, cs_c2()
    level = 0.05 if estimate < margin or alpha_biased is None else alpha_biased
    while True:
        df, k = count - 1, 1 + count * c2
        a = (math.sqrt(k) / level) ** (2 / (df + 1))
        half = math.sqrt(df * (a - 1) / (1 - a / k)) * sd / math.sqrt(count) if a < k else math.inf
        if half <= abs(margin - estimate):
            break
        count += 1
    assert float(more) == count - have


def test_what_cannot_be_settled_says_so():
    more = clusters_to_settle([0.97, 0.2, 1.5, np.nan], [0.5, np.nan, 1e6, 1.0], 10.0, 10, 1.0)
    assert np.isnan(more).all()
