import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.infer.temporal.estimate import STATUSES
from annqc.infer.temporal.keyframes import integer_gap, interpolation
from annqc.infer.temporal.sag import annotator_sag, chords, gap_errors, track_sag
from tests.calibration.tracks import flat, interpolated, trajectories
from tests.infer.temporal import oracle

SEEDS = st.integers(0, 10_000)


def drawn(seed=0, s=12, t=120, sd=1.0):
    rng = np.random.default_rng(seed)
    gold = trajectories(rng, s, t, columns=4)
    return gold, gold + sd * rng.standard_normal(gold.shape)


@given(seed=SEEDS)
def test_f0_counts_straight_frames_of_a_moving_box(seed):
    values, frame, starts = oracle.ragged(seed, lost=0.05)
    values = np.round(values * 4) / 4
    found = interpolation(values, frame, starts)
    for i in range(4):
        rows = {int(frame[r]): values[r] for r in range(starts[i], starts[i + 1])}
        bends, breaks = 0, []
        for f, b in rows.items():
            if f - 1 in rows and f + 1 in rows:
                a, c = rows[f - 1], rows[f + 1]
                if np.isfinite([a, b, c]).all() and not (a == b).all() & (b == c).all():
                    bends += 1
                    if (np.abs(a - 2 * b + c) > 0.01).any():
                        breaks.append(f)
        assert found.n[i] == bends
        assert found.n_breaks[i] == len(breaks)
        if STATUSES[found.status[i]] == "ok":
            assert found.f0[i] == pytest.approx(1 - len(breaks) / bends)
            if found.interpolated[i]:
                np.testing.assert_allclose(found.gap[i], np.median(np.diff(breaks) or [np.nan]))


@pytest.mark.parametrize("gap", [5, 10, 20])
def test_keyframes_are_found_where_they_are(gap):
    _, boxes = drawn()
    found = interpolation(*flat(interpolated(boxes, gap)))
    assert found.interpolated.all()
    assert (found.gap == gap).all()
    expected = (np.arange(120) % gap == 0) | (np.arange(120) == 119)
    assert (found.keyframe.reshape(12, 120) == expected).all()


def test_hand_drawn_and_held_boxes_are_not_called_interpolated():
    _, boxes = drawn()
    assert not interpolation(*flat(boxes)).interpolated.any()
    held = interpolation(np.full((100, 4), 0.5), np.arange(100), [0, 100])
    assert STATUSES[held.status[0]] == "no_motion"
    assert not held.interpolated[0]


@pytest.mark.parametrize("gap", [5, 10, 20])
def test_whole_pixels_say_nothing_of_a_track_and_little_of_ten(gap):
    _, boxes = drawn()
    rows = flat(np.round(interpolated(boxes, gap)))
    one = interpolation(*rows)
    assert {STATUSES[code] for code in one.status} == {"integer"}
    assert np.isnan(one.f0).all()
    assert not one.interpolated.any()
    assert integer_gap(*rows, np.zeros(12, int), 1).mode.tolist() == [gap]
    few = integer_gap(*rows, np.arange(12) // 9, 2)
    assert few.mode.tolist() == [0, 0]
    assert integer_gap(*flat(interpolated(boxes, gap)), np.zeros(12, int), 1).mode.tolist() == [0]


def test_smooth_tracks_in_whole_pixels_have_no_usual_gap():
    gold, boxes = drawn(s=40)
    for one in (gold, boxes):
        assert integer_gap(*flat(np.round(one)), np.zeros(40, int), 1).mode.tolist() == [0]
    straight = np.arange(100.0)[:, None] * [1, 1, 1, 1]
    rows = np.tile(straight, (12, 1)), np.tile(np.arange(100), 12), np.arange(13) * 100
    assert integer_gap(*rows, np.zeros(12, int), 1).mode.tolist() == [0]


@given(seed=SEEDS)
def test_chords_and_sag_equal_the_formula(seed):
    values, frame, starts = oracle.ragged(seed, k=2, lost=0.0)
    gold, y = values[:, :1] * 5, values[:, 1]
    key = np.random.default_rng(seed + 1).random(len(y)) < 0.2
    line = chords(gold, key, frame, starts)[:, 0]
    found = track_sag(y, gold[:, 0], key, frame, starts)
    for (i, _), points in oracle.series_of(gold, frame, starts):
        rows = slice(starts[i], starts[i + 1])
        expected = [oracle.chord(list(points), points, key[rows], f) for f in points]
        np.testing.assert_allclose(line[rows], expected, atol=1e-9)
        bow = np.array(expected) - gold[rows, 0]
        use = np.isfinite(bow) & ~key[rows]
        assert found.n[i] == use.sum()
        if STATUSES[found.status[i]] == "ok":
            share = (bow[use] * y[rows][use]).sum() / (bow[use] ** 2).sum()
            assert found.share[i] == pytest.approx(share)
            assert found.sag[i] == pytest.approx(np.sqrt((bow[use] ** 2).mean()))


def test_who_interpolates_has_a_share_of_one_and_who_draws_none():
    gold, boxes = drawn(s=16)
    key = np.tile((np.arange(120) % 10 == 0) | (np.arange(120) == 119), 16)
    made = np.concatenate([interpolated(boxes[:8], 10), boxes[8:]])
    y, frame, starts = flat(made - gold)
    sag = track_sag(y, flat(gold)[0], key, frame, starts)
    found = annotator_sag(sag, np.repeat([0, 1], 8), 2)
    np.testing.assert_allclose(found.estimate, [1, 0], atol=0.15)
    assert found.verdict(0.5).tolist() == [2, 1]


def test_gap_errors_equal_interpolating_and_looking():
    gold, _ = drawn(s=5, t=101)
    y, frame, starts = flat(gold)
    found = gap_errors(y, frame, starts, tolerance=2.0, gaps=(2, 10, 200))
    for one, gap in enumerate((2, 10)):
        errors = []
        for phase in range(0, gap, max(gap // 5, 1)):
            whole = (100 - phase) // gap * gap + 1
            part = gold[:, phase : phase + whole]
            errors.append((np.abs(interpolated(part, gap) - part) / 2).reshape(-1, 4))
        errors = np.concatenate(errors)
        assert found.n[one] == len(errors)
        assert found.rms[one] == pytest.approx(np.sqrt((errors**2).mean()))
        assert found.quantile[one] == pytest.approx(np.quantile(errors, 0.95))
    assert np.isnan(found.rms[2])
    assert found.n[2] == 0


def test_chords_over_a_lost_keyframe_are_left_out():
    frame = np.delete(np.arange(31), 10)
    found = gap_errors(0.0 * frame, frame, [0, 30], gaps=(10,))
    phases = [0, 2, 4, 6, 8]
    # Frames between the grid's first and last keyframe, less those whose keyframe is lost.
    expected = 0
    for phase in phases:
        keys = [f for f in range(phase, 31, 10) if f != 10]
        good = {f for a in keys if a + 10 in keys for f in range(a, a + 11)} | set(keys)
        expected += len(good & set(frame.tolist()))
    assert found.n.tolist() == [expected]


def test_the_largest_gap_that_keeps_the_tolerance():
    frame = np.arange(400)
    gold = 40 * np.sin(frame / 20)
    # The sagitta of a chord over K frames is A K²/(8 · 20²): one pixel at K = 9.
    assert gap_errors(gold, frame, [0, 400], gaps=tuple(range(2, 30))).largest == 9
    assert gap_errors(gold, frame, [0, 400], tolerance=1e-9).largest == 1
    assert gap_errors(3.0 * frame, frame, [0, 400]).largest == 50
    assert gap_errors(3.0 * frame[:10], frame[:10], [0, 10]).largest == 8
