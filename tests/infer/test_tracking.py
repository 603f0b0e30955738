"""Intervals of tracking scores, against a literal leave-one-out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from annqc.infer.tracking import track_scores
from annqc.measure.tracking import COUNTS, SCORES, track_metrics, track_sums
from tests.kernels import tracked


def sums_of(seed, n, annotators=None):
    rng = np.random.default_rng(seed)
    frames = tracked.laid_out([tracked.random_video(rng, n=4) for _ in range(n)])
    return track_sums(frames, annotator=annotators, by="track")


def leave_one_out(rows, name):
    """Standard error of a score from rows of sums, one left out at a time."""
    others = [
        track_metrics(rows.take(np.arange(len(rows)) != k).combined())[name][0]
        for k in range(len(rows))
    ]
    n = len(rows)
    return np.sqrt((n - 1) / n * np.sum((np.array(others) - np.mean(others)) ** 2))


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), n=st.sampled_from([2, 6]))
def test_intervals_are_those_of_the_literal_jackknife(seed, n):
    sums = sums_of(seed, n)
    found = track_scores(sums, confidence=0.9)
    rows = sums if n < 5 else sums.combined(by="sequence")
    assert found.by_track.tolist() == [n < 5]
    assert found.n_clusters.tolist() == [len(rows)]
    whole = track_metrics(sums.combined())
    t = stats.t.ppf(0.95, len(rows) - 1)
    for name in SCORES:
        estimate, se = whole[name][0], leave_one_out(rows, name)
        assert found.estimate[name][0] == pytest.approx(estimate, abs=1e-9)
        assert found.se[name][0] == pytest.approx(se, abs=1e-9, nan_ok=True)
        assert found.high[name][0] == pytest.approx(
            min(1, estimate + t * se), abs=1e-8, nan_ok=True
        )
        low = estimate - t * se
        if name not in {"MOTA", "MODA", "sMOTA"}:
            low = max(low, 0)
        assert found.low[name][0] == pytest.approx(low, abs=1e-8, nan_ok=True)
    for name in COUNTS:
        assert found.counts[name][0] == whole[name][0]


def test_annotators_are_judged_apart_and_clusters_chosen_for_each():
    who = np.array([4, 4, 7, 7, 7, 7, 7])
    sums = sums_of(2, 7, who)
    found = track_scores(sums)
    assert found.annotator.tolist() == [4, 7]
    assert found.by_track.tolist() == [True, False]
    assert found.n_clusters[1] == 5
    for k, one in enumerate((4, 7)):
        alone = track_scores(sums.take(sums.annotator == one))
        for name in SCORES:
            assert found.estimate[name][k] == alone.estimate[name][0]
            assert found.se[name][k] == alone.se[name][0]


def test_few_clusters_have_an_interval_and_decide_nothing():
    found = track_scores(sums_of(3, 3), cluster="sequence")
    assert found.n_clusters.tolist() == [3]
    assert not found.decidable[0]
    assert found.low["HOTA"][0] < found.estimate["HOTA"][0] < found.high["HOTA"][0]


def test_a_single_cluster_has_no_interval():
    found = track_scores(sums_of(3, 1), cluster="sequence")
    assert np.isnan(found.se["HOTA"][0])
    assert np.isnan(found.low["HOTA"][0])
    assert found.estimate["HOTA"][0] > 0


def test_nobody():
    sums = sums_of(3, 1)
    found = track_scores(sums.take(np.zeros(len(sums), dtype=bool)))
    assert len(found.annotator) == len(found.estimate["HOTA"]) == 0
