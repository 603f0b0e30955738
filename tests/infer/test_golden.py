"""Published values of the inference, to 1e-6, and a slow reference to compare with."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import fields

import numpy as np
import pytest

from annqc.infer import verdicts
from annqc.infer.cht import Sums, cluster_location
from annqc.infer.covariates import score_hotelling
from annqc.infer.drift import cusum_arl0
from annqc.infer.multiplicity import benjamini_hochberg, simes
from annqc.infer.rates import korn_graubard
from annqc.infer.sequential import cs_c2, cs_factor, e_value
from annqc.infer.shrinkage import reml_tau2, shrink
from annqc.infer.verdicts import clusters_needed, p_bias, p_clean

Y = np.array([1, 2, 3, 2, 2.5, 0.5, 4, 3, 3.5, 2.5, 1.5, 30])
CLUSTER = np.array([0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 4, 4])
ONE_GROUP = np.zeros(12, dtype=np.int64)


def close(value):
    return pytest.approx(value, rel=0, abs=1e-6)


def verdict(found, delta):
    enough = verdicts.eligible(found.n_clusters, found.df)
    biased = p_bias(found.estimate, found.se, found.df, delta)
    cleaned = p_clean(found.estimate, found.se, found.df, delta)
    return verdicts.VERDICTS[verdicts.decide(biased, cleaned, enough)[0]]


def only(found, *names):
    return [float(getattr(found, name)[0]) for name in names]


def test_gv1_ragged_clusters_with_a_gross_error():
    found = cluster_location(ONE_GROUP, CLUSTER, Y)
    assert only(found, "m0", "scale", "kappa") == close([2.5, 1.4826, 0.9071618])
    assert only(found, "estimate", "se", "df", "n_eff") == close(
        [2.40363566, 0.43255663, 3.7542053, 4.63126853]
    )
    three = (found.estimate, found.se, found.df)
    assert float(p_bias(*three, 0.0)[0]) == close(0.0061772811)
    assert float(p_bias(*three, 1.0)[0]) == close(0.0181904082)
    assert float(p_clean(*three, 4.0)[0]) == close(0.0117390897)
    assert (verdict(found, 1.0), verdict(found, 4.0)) == ("biased", "clean")


def test_gv1_without_robustness():
    found = cluster_location(ONE_GROUP, CLUSTER, Y, robust=False)
    assert only(found, "estimate", "se") == close([4.78050398, 2.57995367])
    assert float(p_bias(found.estimate, found.se, found.df)[0]) == close(0.1421882368)


def test_gv2_singletons_give_the_one_sample_t():
    y = np.arange(1.0, 7.0)
    found = cluster_location(np.zeros(6, dtype=int), np.arange(6), y, robust=False)
    assert only(found, "estimate", "se", "df") == close([3.5, 0.76376262, 5.0])


def test_gv3_constant_offsets_on_a_grid():
    group, cluster = np.zeros(10, dtype=int), np.repeat(np.arange(5), 2)
    found = cluster_location(group, cluster, np.full(10, 2.0), grid=1.0)
    assert only(found, "estimate", "se", "df") == close([2.0, 0.09128709, 4.0])
    assert found.degenerate[0]
    assert float(p_bias(found.estimate, found.se, found.df, 1.0)[0]) == close(0.0001998023)
    assert verdict(found, 1.0) == "biased"


def test_gv4_all_zeros_off_the_grid():
    found = cluster_location(np.zeros(10, dtype=int), np.repeat(np.arange(5), 2), np.zeros(10))
    three = (found.estimate, found.se, found.df)
    assert float(p_bias(*three, 1.0)[0]) == 1.0
    assert float(p_clean(*three, 1.0)[0]) == 0.0
    assert verdict(found, 1.0) == "clean"


def test_gv5_one_cluster_has_no_error():
    found = cluster_location(np.zeros(3, dtype=int), np.zeros(3, dtype=int), np.array([1.0, 2, 3]))
    assert found.estimate[0] == close(2.0)
    assert np.isnan(found.se[0])
    assert found.df[0] == 0
    assert float(p_bias(found.estimate, found.se, found.df, 1.0)[0]) == 1.0
    assert verdict(found, 1.0) == "undecided"


def test_gv6_what_is_not_finite_is_left_out_and_counted():
    y = np.concatenate([Y, [np.nan, np.inf, -np.inf]])
    group = np.concatenate([ONE_GROUP, [0, 0, 1]])
    found = cluster_location(group, np.concatenate([CLUSTER, [0, 9, 0]]), y)
    assert found.n.tolist() == [12, 0]
    assert found.n_nan.tolist() == [2, 1]
    assert found.n_clusters.tolist() == [5, 0]
    assert only(found, "estimate", "se") == close([2.40363566, 0.43255663])
    assert np.isnan([found.estimate[1], found.se[1]]).all()
    assert float(p_bias(found.estimate, found.se, found.df, 1.0)[1]) == 1.0
    assert verdicts.decide([0.0], [0.0], verdicts.eligible(found.n_clusters[1:], found.df[1:])) == [
        0
    ]


def test_gv8_shards_merge_into_the_whole():
    whole = cluster_location(ONE_GROUP, CLUSTER, Y, robust=False)
    first = CLUSTER <= 1
    shards = [
        cluster_location(ONE_GROUP[part], CLUSTER[part], Y[part], robust=False).sums
        for part in (first, ~first)
    ]
    merged = shards[0].merge(shards[1])
    for one in fields(Sums):
        assert getattr(merged, one.name) == pytest.approx(getattr(whole.sums, one.name), abs=1e-12)
    done = merged.finish()
    for name in ("estimate", "se", "df", "n_eff"):
        assert done[name][0] == pytest.approx(getattr(whole, name)[0], rel=1e-12)


def test_gv9_confidence_sequence():
    assert cs_c2(50) == close(0.1587230920)
    factor = cs_factor([19, 99, 7], [20, 100, 8], n_star=50)
    assert factor[:2].tolist() == close([3.6157770, 3.1236097])
    assert np.isinf(factor[2])
    assert float(e_value(4.0, 19, 20, n_star=50)) == close(35.0576565)


def test_gv10_simes_and_benjamini_hochberg():
    assert float(simes([0.01, 0.04, 0.2])) == close(0.03)
    rejected = benjamini_hochberg([0.001, 0.012, 0.03, 0.04, 0.5], 0.05)
    assert rejected.tolist() == [True, True, True, True, False]


def test_gv11_korn_graubard():
    some = korn_graubard([0, 1, 0, 2, 0, 0, 1, 0], [5] * 8)
    assert only(some, "estimate", "low", "high") == close([0.1, 0.0152466912, 0.2972073249])
    none = korn_graubard([0] * 8, [5] * 8)
    assert only(none, "estimate", "low", "high") == close([0.0, 0.0, 0.0880973029])


@pytest.mark.parametrize(
    ("sd", "estimate", "target", "needed"),
    [(1, 0, "clean", 11), (1, 0.5, "clean", 28), (2, 0, "clean", 38), (1, 2, "biased", 9)],
)
def test_gv12_clusters_needed(sd, estimate, target, needed):
    assert float(clusters_needed(sd, estimate, 1.0, target=target)) == needed


def test_gv13_cusum_run_length():
    assert cusum_arl0(0.5, 5) == pytest.approx(469.111, abs=5e-4)
    assert cusum_arl0(0.5, 8) == pytest.approx(9556.117, abs=5e-4)


def test_gv14_score_hotelling():
    cluster = np.repeat(np.arange(6), 2)
    found = score_hotelling([1, 2, 3, 4, 2, 3, 4, 5, 2, 2, 3, 3], [0, 1, 2, 3] * 3, cluster)
    assert found.p_value == close(0.0126967284)
    assert found.statistic == close(4.4536082)
    assert (found.rank, found.n_clusters) == (1, 6)


def test_gv15_shrinkage():
    y, v = [1, -2, 3, 0.5], [0.2, 0.3, 0.5, 0.1]
    assert reml_tau2(y, v) == close((3.7267323, 0.5978656))
    found = shrink(y, v)
    assert (found.tau2, found.mu) == close((3.7267323, 0.5978656))
    assert found.mean.tolist() == close([0.9795181, -1.8064536, 2.7158402, 0.5025574])


@pytest.fixture(scope="module")
def reference(shared_data):
    """Load the slow reference implementation, where it lies beside the real data."""
    path = shared_data.parent / "statistics_reference.py"
    if not path.is_file():
        pytest.skip(f"no reference implementation at {path}")
    spec = importlib.util.spec_from_file_location("statistics_reference", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


KINDS = ("normal", "heavy", "grid", "mostly zero", "constant", "with gaps")


def ragged(rng, kind):
    """Groups of very different sizes: some of one cluster, some of one value, rows in no order."""
    sizes = np.concatenate([[1, 1, 2, 5], rng.integers(2, 120, 26)])
    group = np.repeat(np.arange(len(sizes)), sizes)
    n = len(group)
    cluster = rng.integers(0, 12, n)
    cluster[group == 3] = 4
    cluster[group % 5 == 0] = rng.integers(0, 2, (group % 5 == 0).sum()) * 7
    y = rng.standard_normal(n) * 2 + group % 4 - 1
    if kind == "heavy":
        y = rng.standard_t(1.5, n)
    elif kind == "grid":
        y = np.round(y)
    elif kind == "mostly zero":
        y = np.where(rng.random(n) < 0.7, 0.0, y)
    elif kind == "constant":
        y = (group % 3).astype(float)
    elif kind == "with gaps":
        y[rng.random(n) < 0.2] = np.nan
        y[rng.random(n) < 0.02] = np.inf
        y[group == 7] = np.nan
    order = rng.permutation(n)
    return group[order], cluster[order], y[order]


SAME = {
    "estimate": "b",
    "se": "se",
    "df": "df",
    "n_eff": "G_eff",
    "n_clusters": "G",
    "n": "N",
    "n_nan": "n_nan",
    "degenerate": "degenerate",
}
SAME_IF_ROBUST = {"m0": "m0", "scale": "s", "kappa": "kappa", "clip_frac": "clip_frac"}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("robust", [True, False])
@pytest.mark.parametrize("grid", [0.0, 1.0, "a row"])
@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_reference(reference, kind, grid, robust, seed):
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    group, cluster, y = ragged(rng, kind)
    # A row that is left out has no say in the step.
    step = np.where(np.isfinite(y), rng.uniform(0.1, 1.0, len(y)), 0) if grid == "a row" else grid
    expected = reference.cluster_location(group, cluster, y, q=step, robust=robust)
    found = cluster_location(group, cluster, y, grid=step, robust=robust)
    used = np.isfinite(expected["b"])
    for name, other in (SAME | (SAME_IF_ROBUST if robust else {})).items():
        ours = np.asarray(getattr(found, name), dtype=float)
        theirs = np.asarray(expected[other], dtype=float)
        if name in SAME_IF_ROBUST:
            ours, theirs = ours[used], theirs[used]
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9, err_msg=name)
    for one in fields(Sums):
        np.testing.assert_allclose(
            getattr(found.sums, one.name), expected[one.name], rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_columns_at_once_equal_columns_one_by_one(engine):
    rng = np.random.default_rng(5)
    group, cluster, _ = ragged(rng, "normal")
    y = rng.standard_t(2, (len(group), 3))
    y[rng.random(y.shape) < 0.1] = np.nan
    together = cluster_location(group, cluster, y, engine=engine)
    for k in range(3):
        alone = cluster_location(group, cluster, y[:, k], engine="numpy")
        for name in (*SAME, *SAME_IF_ROBUST):
            ours = np.asarray(getattr(together, name)[:, k], dtype=float)
            np.testing.assert_allclose(
                ours, np.asarray(getattr(alone, name), dtype=float), rtol=1e-9, atol=1e-9
            )


def test_verdicts_equal_the_reference(reference):
    rng = np.random.default_rng(9)
    estimate, se = rng.normal(0, 2, 500), rng.exponential(0.5, 500)
    df = rng.uniform(0.5, 40, 500)
    se[:20], df[20:30] = 0.0, 0.0
    for delta in (0.0, 1.0, 2.0):
        np.testing.assert_allclose(
            p_bias(estimate, se, df, delta),
            reference.p_bias(estimate, se, df, delta),
            rtol=1e-12,
            atol=1e-15,
        )
        np.testing.assert_allclose(
            p_clean(estimate, se, df, delta),
            reference.p_clean(estimate, se, df, delta),
            rtol=1e-12,
            atol=1e-15,
        )
    for sd, b, target in ((0.7, 0.2, "clean"), (3.0, 0.0, "clean"), (2.0, 1.4, "biased")):
        assert clusters_needed(sd, b, 1.0, target=target) == reference.n_needed(
            sd, b, 1.0, target.upper()
        )


def test_accusations_equal_the_reference(reference):
    from annqc.infer.multiplicity import accuse

    rng = np.random.default_rng(3)
    seen = 0
    for _ in range(60):
        a, k, m = rng.integers(1, 40), 8, int(rng.choice([0, 12]))
        head, strata = rng.random((a, k)) ** 2, rng.random((a, m)) ** 2
        guilty = rng.random(a) < 0.3
        head[guilty, 0] /= 1e4
        if m:
            strata[rng.random(a) < 0.2, 1] /= 1e5
        head[rng.random(head.shape) < 0.1] = np.nan
        strata[rng.random(strata.shape) < 0.3] = np.nan
        head[:, 3] = rng.random(a)
        accused, in_head, in_strata, p = reference.hierarchical_fdr(head, strata)
        found = accuse(head, strata)
        assert found.accused.tolist() == accused.tolist()
        assert found.head.tolist() == in_head.tolist()
        assert found.strata.tolist() == in_strata.tolist()
        np.testing.assert_allclose(found.p_annotator, p, rtol=1e-12)
        seen += int(accused.sum())
    assert seen > 100
