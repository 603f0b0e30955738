import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from annqc.errors import UnknownNameError
from annqc.infer.cht import cluster_location
from tests.infer.oracle import cht

ENGINES = ("numpy", "numba")
NAMES = ("estimate", "se", "df", "m0", "scale", "kappa")


@st.composite
def ragged(draw):
    """Rows of a few groups and clusters: on a grid or not, with ties, gaps and zeros."""
    n = draw(st.integers(1, 40))
    group = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    cluster = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
    integral = draw(st.booleans())
    number = (
        st.integers(-4, 4).map(float) if integral else st.floats(-20, 20).map(lambda x: round(x, 3))
    )
    y = draw(st.lists(st.one_of(number, st.just(0.0), st.just(np.nan)), min_size=n, max_size=n))
    return np.array(group), np.array(cluster), np.array(y), float(integral)


@pytest.mark.parametrize("robust", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
@given(data=ragged())
def test_equals_the_loops(engine, robust, data):
    group, cluster, y, grid = data
    found = cluster_location(group, cluster, y, grid=grid, robust=robust, engine=engine)
    for g in np.unique(group):
        rows = (group == g) & np.isfinite(y)
        assert found.n[g] == rows.sum()
        assert found.n_nan[g] == (group == g).sum() - rows.sum()
        if not rows.any():
            assert np.isnan(found.estimate[g])
            continue
        expected = cht(y[rows].tolist(), cluster[rows].tolist(), grid=grid, robust=robust)
        for name, value in zip(NAMES, expected, strict=True):
            got = getattr(found, name)[g]
            np.testing.assert_allclose(got, value, rtol=1e-9, atol=1e-9, err_msg=name)


@given(data=ragged(), missing=st.floats(0, 0.7))
def test_both_engines_agree_on_everything(data, missing):
    group, cluster, y, grid = data
    columns = np.column_stack([y, y * 3 + 1, np.where(y > 2, np.nan, y)])
    share = np.full((group.max() + 1, 3), missing)
    a, b = (
        cluster_location(group, cluster, columns, grid=grid, missing=share, engine=engine)
        for engine in ENGINES
    )
    names = [
        *NAMES,
        "n_eff",
        "n_clusters",
        "clip_frac",
        "gross_rate",
        "centre",
        "mean",
        "low",
        "high",
        "bound_low",
        "bound_high",
    ]
    for name in names:
        np.testing.assert_allclose(
            getattr(a, name), getattr(b, name), rtol=1e-9, atol=1e-9, err_msg=name
        )
    assert (a.degenerate == b.degenerate).all()


def test_large_groups_agree_with_the_loops():
    # Long enough that the kernel takes its sorting order from numpy, with gaps and an infinity
    # inside.
    rng = np.random.default_rng(3)
    cluster = np.sort(rng.integers(0, 60, 500))
    y = rng.standard_t(2, 500)
    y[::17] = np.nan
    y[5] = np.inf
    expected = cht(y.tolist(), cluster.tolist())
    for engine in ENGINES:
        found = cluster_location(np.zeros(500, int), cluster, y, engine=engine)
        got = [getattr(found, name)[0] for name in NAMES]
        np.testing.assert_allclose(got, expected, rtol=1e-9)


@given(data=ragged(), seed=st.integers(0, 99))
def test_order_of_rows_does_not_matter(data, seed):
    group, cluster, y, grid = data
    order = np.random.default_rng(seed).permutation(len(y))
    a = cluster_location(group, cluster, y, grid=grid)
    b = cluster_location(group[order], cluster[order], y[order], grid=grid)
    for name in NAMES:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-9, atol=1e-9)


@given(
    data=ragged(), shift=st.floats(-50, 50), factor=st.sampled_from([-4.0, -1.0, 0.25, 2.0, 8.0])
)
def test_follows_shifts_and_scales(data, shift, factor):
    group, cluster, y, _ = data
    a = cluster_location(group, cluster, y)
    b = cluster_location(group, cluster, factor * y + shift)
    # With no spread at all the scale is a stand-in that does not scale.
    assume((a.scale[np.isfinite(a.scale)] > 1e-6).all())
    np.testing.assert_allclose(b.estimate, factor * a.estimate + shift, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(b.se, abs(factor) * a.se, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(b.df, a.df, rtol=1e-9)


@given(data=ragged(), cut=st.integers(0, 6))
def test_shards_merge_exactly(data, cut):
    group, cluster, y, grid = data
    n_groups = int(group.max()) + 1
    ask = {"n_groups": n_groups, "grid": grid, "robust": False}
    whole = cluster_location(group, cluster, y, **ask)
    first, second = (
        cluster_location(group[rows], cluster[rows], y[rows], **ask)
        for rows in (cluster < cut, cluster >= cut)
    )
    merged = first.sums.merge(second.sums).finish(grid)
    for name in ("estimate", "se", "df", "n_eff"):
        np.testing.assert_allclose(merged[name], getattr(whole, name), rtol=1e-7, atol=1e-7)


def test_quantiles_and_bounds_are_order_statistics():
    y = np.arange(1.0, 101.0)
    missing = np.array([[0.2]])
    for engine in ENGINES:
        found = cluster_location(
            np.zeros(100, int), np.arange(100), y[:, None], missing=missing, engine=engine
        )
        assert (found.low[0, 0], found.high[0, 0]) == (5.0, 95.0)
        # (0.5 - 0.2) / 0.8 = 0.375 and 0.5 / 0.8 = 0.625 of a hundred values
        assert (found.bound_low[0, 0], found.bound_high[0, 0]) == (38.0, 63.0)


def test_half_missing_bounds_nothing():
    found = cluster_location([0, 0], [0, 1], np.ones((2, 1)), missing=np.array([[0.5]]))
    assert found.bound_low[0, 0] == -np.inf
    assert found.bound_high[0, 0] == np.inf


def test_no_rows_at_all():
    found = cluster_location([], [], np.empty((0, 2)), n_groups=3)
    assert np.isnan(found.estimate).all()
    assert (found.n == 0).all()
    assert found.estimate.shape == (3, 2)


def test_unknown_engine_is_named():
    with pytest.raises(UnknownNameError, match="numba"):
        cluster_location([0], [0], [1.0], engine="nunba")


def test_a_row_that_is_left_out_brings_no_grid():
    y = np.array([2.0, 2.0, 2.0, np.nan])
    found = cluster_location([0, 0, 0, 0], [0, 1, 2, 3], y, grid=np.array([0.5, 0.5, 0.5, 9.0]))
    assert found.se[0] == pytest.approx(0.5 / np.sqrt(12 * 3))


@given(data=ragged(), cut=st.integers(0, 6))
def test_robust_shards_merge_exactly_around_a_common_centre(data, cut):
    group, cluster, y, grid = data
    ask = {"n_groups": int(group.max()) + 1, "grid": grid}
    whole = cluster_location(group, cluster, y, **ask)
    first, second = (
        cluster_location(group[rows], cluster[rows], y[rows], given=whole, **ask)
        for rows in (cluster < cut, cluster >= cut)
    )
    merged = first.sums.merge(second.sums).finish(grid)
    for name in ("estimate", "se", "df", "n_eff"):
        expected = getattr(whole, name)
        np.testing.assert_allclose(merged[name], expected, rtol=1e-7, atol=1e-7, err_msg=name)


def test_rounding_noise_is_no_spread():
    # Half of the boxes exact but for the last digits, as after a trip through normalised numbers.
    rng = np.random.default_rng(0)
    y = np.where(rng.random(200) < 0.45, 8.0, 0.0)
    exact = cluster_location(np.zeros(200, int), np.arange(200) // 4, y)
    for engine in ENGINES:
        noisy = cluster_location(
            np.zeros(200, int), np.arange(200) // 4, y + rng.normal(0, 1e-12, 200), engine=engine
        )
        assert noisy.estimate[0] == pytest.approx(exact.estimate[0], rel=1e-6)
        assert noisy.se[0] == pytest.approx(exact.se[0], rel=1e-6)
