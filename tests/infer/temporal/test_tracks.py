"""Ends, switches, held drawings, and faults of tracks on their own."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.infer.rates import korn_graubard
from annqc.infer.temporal.ends import annotator_ends, switch_rate, track_ends
from annqc.infer.temporal.frozen import held_drawings, one_a_drawing
from annqc.infer.temporal.relative import track_faults
from tests.infer.temporal import oracle

SEEDS = st.integers(0, 10_000)


def test_ends_at_the_clips_ends_say_nothing():
    clip = [[0, 99]] * 4
    gold = [[10, 80], [0, 80], [10, 99], [10, 80]]
    ours = [[13, 78], [5, 80], [10, 90], [0, 99]]
    found = track_ends(ours, gold, clip)
    np.testing.assert_array_equal(
        found.difference, [[3, -2], [np.nan, 0], [0, np.nan], [np.nan, np.nan]]
    )
    assert found.touching.tolist() == np.isnan(found.difference).tolist()


def test_late_starts_are_found_with_the_clip_as_evidence():
    rng = np.random.default_rng(0)
    clip_of = np.repeat(np.arange(8), 5)
    gold = np.stack([rng.integers(10, 40, 40), rng.integers(60, 90, 40)], axis=1)
    late = gold + np.stack([rng.integers(3, 6, 40), rng.integers(-1, 2, 40)], axis=1)
    ends = track_ends(late, gold, np.tile([0, 99], (40, 1)))
    found = annotator_ends(ends, np.zeros(40, int), clip_of, 1)
    assert found.n_clusters.tolist() == [[8, 8]]
    assert found.estimate[0] == pytest.approx([4, 0], abs=0.5)
    assert found.verdict(1.0).tolist() == [[2, 1]]
    one_clip = annotator_ends(ends, np.zeros(40, int), np.zeros(40, int), 1)
    assert one_clip.verdict(1.0).tolist() == [[0, 0]]
    assert (one_clip.p_bias(1.0) == 1).all()


def test_ends_that_never_vary_are_no_surer_than_whole_frames():
    ends = track_ends([[12, 50]] * 6, [[10, 50]] * 6, [[0, 99]] * 6)
    found = annotator_ends(ends, np.zeros(6, int), np.arange(6), 1)
    assert found.se[0] == pytest.approx(1 / np.sqrt(12 * 6))


def test_switches_per_thousand_frames():
    x, n = [0, 2, 0, 1, 0, 0], [400, 500, 600, 300, 200, 1000]
    found = switch_rate(x, n, np.zeros(6, int), np.arange(6), 2)
    rate = 3 / 3000
    v = 6 / 5 * sum((a - rate * b) ** 2 for a, b in zip(x, n, strict=True)) / 3000**2
    assert found.rate[0] == pytest.approx(1000 * rate)
    assert found.se[0] == pytest.approx(1000 * np.sqrt(v))
    assert found.df[0] == 5
    expected = korn_graubard(x, n)
    assert found.low[0] == pytest.approx(1000 * expected.low[0])
    assert found.high[0] == pytest.approx(1000 * expected.high[0])
    assert np.isnan(found.rate[1])
    rows = switch_rate([0, 1, 1, 0, 1, 0, 0], [400, 250, 250, 600, 300, 200, 1000],
                       np.zeros(7, int), [0, 1, 1, 2, 3, 4, 5], 2)  # fmt: skip
    assert rows.high[0] == pytest.approx(found.high[0])
    assert rows.n_clusters[0] == 6


def test_no_switch_at_all_leaves_an_upper_bound():
    found = switch_rate([0] * 5, [100] * 5, np.zeros(5, int), np.arange(5), 1)
    assert found.rate[0] == found.se[0] == found.low[0] == 0
    assert found.high[0] == pytest.approx(1000 * (1 - 0.025 ** (1 / 500)))


@given(seed=SEEDS)
def test_drawings_are_runs_of_equal_boxes(seed):
    values, frame, starts = oracle.ragged(seed, lost=0.0)
    values = np.round(values / 3)
    gold = np.random.default_rng(seed).normal(size=values.shape).cumsum(axis=0)
    found = held_drawings(values, frame, starts, gold, tolerance=1.5, long=4)
    runs = []
    for i in range(4):
        for r in range(starts[i], starts[i + 1]):
            if r > starts[i] and (values[r] == values[r - 1]).all():
                runs[-1][1].append(r)
            else:
                runs.append((i, [r]))
    assert found.series.tolist() == [i for i, _ in runs]
    assert found.length.tolist() == [len(rows) for _, rows in runs]
    assert found.first.tolist() == [frame[rows[0]] for _, rows in runs]
    assert found.last.tolist() == [frame[rows[-1]] for _, rows in runs]
    moved = [np.abs(gold[rows] - gold[rows[0]]).max() for _, rows in runs]
    np.testing.assert_allclose(found.moved, moved)
    frozen = [len(rows) >= 4 and m > 1.5 for (_, rows), m in zip(runs, moved, strict=True)]
    assert found.frozen.tolist() == frozen
    for i in range(4):
        mine = [(len(rows), f) for (j, rows), f in zip(runs, frozen, strict=True) if i == j]
        assert found.n_drawings[i] == len(mine)
        assert found.longest[i] == max([n for n, _ in mine], default=0)
        assert found.frozen_frames[i] == sum(n for n, f in mine if f)
    assert found.drawing.tolist() == [d for d, (_, rows) in enumerate(runs) for _ in rows]
    means = one_a_drawing(gold, found)
    np.testing.assert_allclose(means, [gold[rows].mean(axis=0) for _, rows in runs] or means)


def test_a_box_held_before_a_still_object_is_not_frozen():
    boxes, frame = np.tile([5.0, 5, 20, 20], (60, 1)), np.arange(60)
    still = held_drawings(boxes, frame, [0, 60], boxes + 0.3)
    assert not still.frozen[0]
    assert still.whole[0]
    assert still.moved[0] == 0
    gone = held_drawings(boxes, frame, [0, 60], np.full((60, 4), np.nan))
    assert np.isnan(gone.moved[0])
    without = held_drawings(boxes, frame, [0, 60])
    assert np.isnan(without.moved[0])
    assert not without.frozen[0]
    assert without.n_drawings.tolist() == [1]


def test_a_series_begins_a_drawing_of_its_own():
    boxes = np.tile([5.0, 5, 20, 20], (60, 1))
    found = held_drawings(boxes, np.tile(np.arange(30), 2), [0, 30, 30, 60])
    assert found.n_drawings.tolist() == [1, 0, 1]
    assert one_a_drawing(np.full(60, np.nan), found).shape == (2,)
    empty = held_drawings(np.empty((0, 4)), [], [0, 0])
    assert empty.n_drawings.tolist() == [0]


@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 15), st.integers(0, 2)), max_size=40)
)
def test_faults_equal_plain_counting(rows):
    track, frame, category = (list(x) for x in zip(*rows, strict=True)) if rows else ([], [], [])
    found = track_faults(track, frame, category, 4)
    for i in range(4):
        mine = sorted((f, c) for t, f, c in rows if t == i)
        frames = sorted({f for f, _ in mine})
        first = {f: min(c for g, c in mine if g == f) for f in frames}
        holes = [b - a - 1 for a, b in itertools.pairwise(frames)]
        assert found.n_frames[i] == len(frames)
        assert found.duplicates[i] == len(mine) - len(frames)
        assert found.missing[i] == sum(holes)
        assert found.longest_gap[i] == max(holes, default=0)
        flips = [first[a] != first[b] for a, b in itertools.pairwise(frames)]
        assert found.flips[i] == sum(flips)
        assert found.n_categories[i] == len({c for _, c in mine})
        assert found.first[i] == (frames[0] if frames else -1)
        assert found.last[i] == (frames[-1] if frames else -1)
