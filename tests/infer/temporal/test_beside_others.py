"""Jitter beside those who drew the same, and camera cuts that everybody sees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.infer.temporal.estimate import STATUSES
from annqc.infer.temporal.jitter import MARGIN, TrackJitter, fleet_jitter, track_jitter
from annqc.infer.temporal.steps import find_steps, mark_cuts

SEEDS = st.integers(0, 10_000)
T = 100
BIASED = 2


def drawn(rng, sd, items, *, shared=0.0, tolerance=None, as_item=None):
    """Fleet jitter of annotators with these sds on lists of items, each with a shared tremble."""
    group = np.repeat(np.arange(len(items)), [len(one) for one in items])
    item = np.concatenate(items)
    shake = np.broadcast_to(shared, int(item.max()) + 1)[:, None] * rng.standard_normal(
        (int(item.max()) + 1, T)
    )
    y = np.asarray(sd)[group][:, None] * rng.standard_normal((len(group), T)) + shake[item]
    track = track_jitter(y.ravel(), np.tile(np.arange(T), len(y)), np.arange(len(y) + 1) * T)
    of = item if as_item is None else as_item
    return fleet_jitter(track, group, len(items), item=of, tolerance=tolerance)


def test_what_trembles_in_the_video_of_one_is_not_that_ones_fault():
    """Shaky cameras, or a trembling gold, where only one annotator has drawn: nobody is accused."""
    rng = np.random.default_rng(0)
    own = [range(8 * k, 8 * k + 8) for k in range(4)]
    shared = np.where(np.arange(32) < 8, 2.0, 0.3)
    found = drawn(rng, [0.3] * 4, own, shared=shared, tolerance=1.0)
    assert [STATUSES[code] for code in found.status] == ["alone"] * 4
    assert (found.verdict(MARGIN) == 0).all()
    everywhere = drawn(rng, [0.3] * 4, [range(32)] * 4, shared=shared, tolerance=1.0)
    assert (everywhere.verdict(MARGIN) == 1).all()
    np.testing.assert_allclose(everywhere.estimate, 0, atol=0.1)


def test_who_trembles_on_the_same_objects_is_named():
    found = drawn(np.random.default_rng(1), [1, 1, 3, 1], [range(8)] * 4, tolerance=1.0)
    assert found.verdict(MARGIN).tolist() == [1, 1, BIASED, 1]
    assert found.estimate[2] == pytest.approx(np.log(3), abs=0.12)


def test_a_steady_hand_beside_interpolation_is_no_tremble():
    """A fifth of a pixel by hand, nothing at all by interpolation: both below the least."""
    rng = np.random.default_rng(2)
    found = drawn(rng, [0.2, 0.0, 0.0], [range(8)] * 3, tolerance=1.0)
    np.testing.assert_allclose(found.estimate, 0, atol=0.03)
    assert found.verdict(MARGIN).tolist() == [1] * 3
    worse = drawn(rng, [0.8, 0.0, 0.0], [range(8)] * 3, tolerance=1.0)
    assert worse.verdict(MARGIN)[0] == BIASED


def test_two_others_are_needed_on_a_track():
    items = [[0, 1, 2, 3, 4, 9], [0, 1, 2, 3, 4, 8], [0, 1, 2, 3, 4], [8, 9]]
    found = drawn(np.random.default_rng(3), [1.0] * 4, [np.array(one) for one in items])
    assert found.n_clusters.tolist() == [5, 5, 5, 0]
    assert STATUSES[found.status[3]] == "alone"


@given(seed=SEEDS)
def test_equals_the_median_of_the_others_in_plain_python(seed):
    rng = np.random.default_rng(seed)
    s, n = 40, 5
    sd, group = rng.uniform(0.1, 3, s), rng.integers(0, n, s)
    item, status = rng.integers(0, 6, s), rng.choice([0, 0, 0, 2], s)
    status, sd[:3] = np.where(np.arange(s) < 3, 3, status), 0.0
    track = TrackJitter(sd=sd, n=np.full(s, 50), status=status.astype(np.int8))
    found = fleet_jitter(track, group, n, item=item, tolerance=1.0)
    log = np.log(np.maximum(sd, 0.25))
    for a in range(n):
        ratios = []
        for i in np.flatnonzero((group == a) & (status != 2)):
            mine = (item == item[i]) & (status != 2)
            others = [np.median(log[mine & (group == b)]) for b in set(group[mine]) - {a}]
            if len(others) >= 2:
                ratios.append(log[i] - np.median(others))
        assert found.n[a] == len(ratios)
        if ratios:
            assert min(ratios) - 1e-9 <= found.estimate[a] <= max(ratios) + 1e-9


def test_whole_pixels_do_not_blow_up_a_ratio():
    """.9 px beside .7 px, rounded, is 1.22 with what rounding adds; medians said 1.85."""
    rng = np.random.default_rng(4)
    sd, k = np.array([0.9, 0.7, 0.7, 0.7]), 16
    group, item = np.repeat(np.arange(4), k), np.tile(np.arange(k), 4)
    path = 1.3 * np.arange(120) + rng.uniform(0, 1, (4 * k, 1))
    y = np.rint(path + sd[group][:, None] * rng.standard_normal(path.shape)) - np.rint(path)
    rows = y.ravel(), np.tile(np.arange(120), len(y)), np.arange(len(y) + 1) * 120
    found = fleet_jitter(track_jitter(*rows, grid=1.0), group, 4, item=item, tolerance=1.0)
    low, high = (np.exp(one[0]) for one in found.interval())
    assert low < 1.22 < high < 1.5
    assert high - low > 0.02
    coarse = fleet_jitter(track_jitter(*rows), group, 4, item=item, tolerance=1.0)
    assert np.exp(coarse.estimate[0]) > 1.3


def everybody(n_annotators, jumpers, tracks=3):
    """Tracks of one video by several annotators, of whom some jump on all of theirs."""
    n = n_annotators * tracks
    who = np.repeat(np.arange(n_annotators), tracks)
    y = np.random.default_rng(5).standard_normal((n, T))
    y += 20 * np.isin(who, jumpers)[:, None] * (np.arange(T) >= 50)
    frame, starts = np.tile(np.arange(T), n), np.arange(n + 1) * T
    found = find_steps(y.ravel(), frame, starts)
    return mark_cuts(found, frame, starts, np.zeros(n, int), who)


@pytest.mark.parametrize(
    ("annotators", "jumpers", "cut"),
    [(3, [0], False), (3, [0, 1], False), (3, [0, 1, 2], True), (1, [0], True), (2, [1], False)],
)
def test_a_cut_is_there_for_everybody(annotators, jumpers, cut):
    found = everybody(annotators, jumpers)
    assert len(found.cut) == 3 * len(jumpers)
    assert (found.cut == cut).all()


def test_who_has_no_track_in_view_is_not_asked():
    who, n = np.array([0, 0, 0, 1]), 4
    y = np.random.default_rng(6).standard_normal((n, T)) + 20 * (np.arange(T) >= 50)
    frame = np.tile(np.arange(T), n)
    frame[3 * T :] += 500
    starts = np.arange(n + 1) * T
    found = find_steps(y.ravel(), frame, starts)
    marked = mark_cuts(found, frame, starts, np.zeros(n, int), who)
    assert marked.cut.tolist() == [True, True, True, False]
