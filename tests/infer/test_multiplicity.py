import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from annqc.infer.multiplicity import accuse, adjusted_bh, benjamini_hochberg, simes

p_values = st.floats(0, 1).map(lambda x: round(x**3, 6))


def hybrid(p_head, p_strata, q, weight):
    """The procedure, step by step, for one q: who is accused, and of what."""

    def tested(row):
        return [p for p in row if not np.isnan(p)]

    def one_simes(row):
        row = sorted(tested(row))
        return min([1.0, *(p * len(row) / (i + 1) for i, p in enumerate(row))])

    def bh(values, level):
        order = sorted(range(len(values)), key=values.__getitem__)
        passing = [
            i + 1 for i, at in enumerate(order) if values[at] <= level * (i + 1) / len(order)
        ]
        return set(order[: max(passing, default=0)])

    shares = (weight, 1 - weight) if p_strata.shape[1] else (1.0, None)
    units = [a for a in range(len(p_head)) if tested(p_head[a]) or tested(p_strata[a])]
    p = {}
    for a in units:
        p[a] = one_simes(p_head[a]) / shares[0]
        if shares[1]:
            p[a] = min(p[a], one_simes(p_strata[a]) / shares[1])
    accused = {units[i] for i in bh([min(1.0, p[a]) for a in units], q)}
    level = q * len(accused) / max(len(units), 1)
    named = {"head": set(), "strata": set()}
    for a in accused:
        for name, rows, share in (
            ("head", p_head, shares[0]),
            ("strata", p_strata, shares[1]),
        ):
            at = [k for k in range(rows.shape[1]) if not np.isnan(rows[a, k])]
            if share and at:
                named[name] |= {(a, at[i]) for i in bh([rows[a, k] for k in at], share * level)}
    return accused, named


@st.composite
def fleets(draw):
    a, k, m = draw(st.integers(1, 6)), draw(st.integers(1, 4)), draw(st.integers(0, 4))
    value = st.one_of(p_values, st.just(np.nan))
    head = draw(arrays(float, (a, k), elements=value))
    strata = draw(arrays(float, (a, m), elements=value)) if m else np.empty((a, 0))
    return head, strata


@given(fleet=fleets(), q=st.sampled_from([0.01, 0.05, 0.2]))
def test_accuse_is_the_procedure(fleet, q):
    head, strata = fleet
    found = accuse(head, strata, q=q)
    accused, named = hybrid(head, strata, q, 0.8)
    assert set(np.flatnonzero(found.accused)) == accused
    for name, got in (("head", found.head), ("strata", found.strata)):
        cells = set(zip(*np.nonzero(got), strict=True))
        # Rounding of the level may leave an accused annotator without a name; then the smallest p
        # is named.
        assert named[name] <= cells
        assert all(cell[0] in accused for cell in cells)


@given(fleet=fleets())
def test_adjusted_is_the_smallest_q_that_names(fleet):
    head, strata = fleet
    found = accuse(head, strata)
    for q in (0.003, 0.02, 0.07, 0.3, 0.9):
        _, named = hybrid(head, strata, q, 0.8)
        for name, adjusted in (("head", found.head_adjusted), ("strata", found.strata_adjusted)):
            for cell in np.ndindex(adjusted.shape):
                # Away from equality, where rounding decides.
                if abs(adjusted[cell] - q) > 1e-9:
                    assert (adjusted[cell] <= q) == (cell in named[name])


@given(p=arrays(float, st.integers(1, 30), elements=p_values))
def test_bh_equals_scipy(p):
    expected = stats.false_discovery_control(p)
    np.testing.assert_allclose(adjusted_bh(p), expected, atol=1e-12)
    clear = np.abs(expected - 0.05) > 1e-9
    assert (benjamini_hochberg(p, 0.05) == (expected <= 0.05))[clear].all()


def test_untested_cells_do_not_count():
    assert simes([0.02, np.nan, np.nan]) == pytest.approx(0.02)
    assert simes([[np.nan, np.nan]]).tolist() == [1.0]
    assert simes(np.empty((2, 0))).tolist() == [1.0, 1.0]
    assert np.isnan(adjusted_bh([0.02, np.nan])[1])


def test_annotators_without_tests_do_not_dilute():
    head = np.array([[0.04], [np.nan], [np.nan]])
    assert accuse(head).accused.tolist() == [True, False, False]
    assert accuse(np.array([[0.04], [1.0], [1.0]])).accused.tolist() == [False] * 3


def test_nobody_to_accuse():
    found = accuse(np.empty((0, 8)))
    assert len(found.accused) == 0
    assert found.head.shape == (0, 8)
