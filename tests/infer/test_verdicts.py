import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annqc.infer.verdicts import (
    VERDICTS,
    clusters_needed,
    decide,
    eligible,
    half_width,
    more_clusters,
    p_bias,
    p_clean,
)

numbers = st.floats(-5, 5)


@given(b=numbers, se=st.floats(0.01, 3), df=st.floats(1, 60), delta=st.floats(0, 3))
def test_p_values_are_t_tails(b, se, df, delta):
    size = abs(b)
    expected = stats.t.sf((size - delta) / se, df) + stats.t.sf((size + delta) / se, df)
    assert p_bias(b, se, df, delta) == pytest.approx(min(1, expected), abs=1e-9)
    assert p_clean(b, se, df, delta) == pytest.approx(stats.t.sf((delta - size) / se, df), abs=1e-9)


@given(b=numbers, se=st.floats(0.01, 3), df=st.floats(2, 60))
def test_never_biased_and_clean_at_once(b, se, df):
    assert not (p_bias(b, se, df, 1.0) < 0.05 and p_clean(b, se, df, 1.0) < 0.05)


def test_no_margin_is_the_two_sided_t_test():
    assert p_bias(2.0, 1.0, 7.0) == pytest.approx(2 * stats.t.sf(2.0, 7))


def test_without_spread_the_side_of_the_margin_decides():
    assert p_bias([2.0, 0.5], [0.0, 0.0], [4.0, 4.0], 1.0).tolist() == [0.0, 1.0]
    assert p_clean([2.0, 0.5], [0.0, 0.0], [4.0, 4.0], 1.0).tolist() == [1.0, 0.0]


def test_undefined_is_no_evidence():
    assert p_bias(3.0, np.nan, 0.0, 1.0) == 1.0
    assert p_clean(0.0, np.nan, 0.0, 1.0) == 1.0
    assert np.isnan(half_width(np.nan, 0.0))


def test_half_width_is_the_t_quantile():
    assert half_width(2.0, 9.0, 0.9) == pytest.approx(2 * stats.t.ppf(0.95, 9))


def test_few_clusters_decide_nothing():
    codes = decide([0.0, 0.0, 0.9], [0.9, 0.9, 0.0], eligible([4, 5, 5], [9.0, 9.0, 1.9]))
    assert [VERDICTS[code] for code in codes] == ["undecided", "biased", "undecided"]


@pytest.mark.parametrize(("target", "b"), [("clean", 0.0), ("clean", 0.4), ("biased", 2.0)])
def test_planned_clusters_reach_the_power(target, b):
    # Normal cluster means: simulate the very test that the plan is for.
    n = int(clusters_needed(1.5, b, 1.0, target=target))
    rng = np.random.default_rng(8)
    draws = rng.normal(b, 1.5, (40_000, n))
    mean, se = draws.mean(axis=1), draws.std(axis=1, ddof=1) / np.sqrt(n)
    test = p_clean if target == "clean" else p_bias
    power = (test(mean, se, n - 1, 1.0) < 0.05).mean()
    assert 0.78 < power < 0.90


def test_wrong_side_needs_infinitely_many():
    assert clusters_needed(1.0, 1.5, 1.0, target="clean") == np.inf
    assert clusters_needed(1.0, 0.5, 1.0, target="biased") == np.inf


def test_more_clusters_asks_for_the_side_the_estimate_is_on():
    needed = [
        clusters_needed(2.0, 0.2, 1.0, target="clean"),
        clusters_needed(2.0, 2.5, 1.0, target="biased"),
    ]
    got = more_clusters(
        np.array([0.2, 2.5]), np.array([0.5, 0.5]), np.array([16.0, 16.0]), np.array([16, 16]), 1.0
    )
    np.testing.assert_array_equal(got, np.maximum(np.array(needed) - 16, 1))


def test_more_clusters_gives_up_on_the_margin():
    got = more_clusters(
        np.array([1.04, 0.9, np.nan]),
        np.array([0.5, 50.0, np.nan]),
        np.array([9.0, 9.0, 1.0]),
        np.array([9, 9, 1]),
        1.0,
    )
    assert np.isnan(got[:2]).all()
    assert got[2] == 4  # before five clusters there is nothing to plan with


def test_an_accusation_among_many_takes_more():
    ask = (np.array([1.5]), np.array([0.5]), np.array([16.0]), np.array([16]), 1.0)
    alone, among_many = (more_clusters(*ask, alpha_biased=level) for level in (0.05, 0.05 / 480))
    assert among_many > 2 * alone
