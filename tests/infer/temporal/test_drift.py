import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from annqc.errors import AnnqcError
from annqc.infer.multiplicity import adjusted_bh
from annqc.infer.temporal.drift import annotator_drift, theil_sen, track_drift
from annqc.infer.temporal.estimate import CONSTANT, NO_DATA, OK, STATUSES, TOO_SHORT, of_tracks
from annqc.infer.temporal.frozen import held_drawings, one_a_drawing
from tests.calibration.tracks import autoregressive, flat
from tests.infer.temporal import oracle

SEEDS = st.integers(0, 10_000)


@given(seed=SEEDS, integer=st.booleans())
def test_equals_the_formula(seed, integer):
    values, frame, starts = oracle.ragged(seed, longest=150, integer=integer)
    found = track_drift(values, frame, starts)
    for at, points in oracle.series_of(values, frame, starts):
        assert found.n[at] == len(points)
        if not points:
            assert found.status[at] == NO_DATA
        elif len(points) < 50:
            assert found.status[at] == TOO_SHORT
        elif found.status[at] == OK and not found.robust[at]:
            assert oracle.gross_rate(points) <= 0.01
            assert found.slope[at] == pytest.approx(oracle.drift(points), rel=1e-8, abs=1e-9)
        if not found.enough[at]:
            assert np.isnan(found.se[at])
            assert found.p_bias()[at] == found.p_clean(1e9)[at] == 1
        if found.status[at] != OK:
            assert np.isnan(found.se[at])
            assert found.p_bias()[at] == found.p_clean(1e9)[at] == 1


@pytest.mark.parametrize(("seed", "rho", "n"), [(0, 0.0, 60), (1, 0.5, 61), (2, 0.8, 130)])
def test_the_error_has_the_tails_of_all_spectra_together(seed, rho, n):
    y = autoregressive(np.random.default_rng(seed), 1, n, rho)[0]
    frame = np.cumsum(np.random.default_rng(seed).choice([1, 1, 1, 2], n))
    found = track_drift(y, frame, [0, n])
    assert found.enough[0]
    mixture = oracle.slopes(dict(zip(frame.tolist(), y.tolist(), strict=True)))
    for level in (0.05, 0.001):
        away = stats.t.isf(level / 2, found.df[0]) * found.se[0]
        tail = sum(w * 2 * stats.t.sf(away / error, df) for w, error, df in mixture)
        assert tail == pytest.approx(level, rel=0.15)


NOISES = [(0.8, 0.0, 60), (0.8, 0.3, 100), (0.8, 0.3, 300), (0.95, 0.3, 300)]


@pytest.mark.parametrize(("rho", "white", "t"), NOISES)
def test_a_wander_under_white_noise_is_no_drift(rho, white, t):
    rng = np.random.default_rng(7)
    y = autoregressive(rng, 2_000, t, rho) + white * rng.standard_normal((2_000, t))
    found = track_drift(*flat(y))
    assert (found.p_bias() < 0.05).mean() < 0.065
    assert (found.p_bias() < 0.001).mean() < 0.003


@pytest.mark.parametrize(("rho", "t"), [(0.95, 60), (0.98, 100), (0.8, 60)])
def test_of_fifty_clean_tracks_no_edge_drifts(rho, t):
    y = 2 * autoregressive(np.random.default_rng(8), 40 * 200, t, rho)
    p = track_drift(*flat(y)).p_bias(2.0).reshape(40, 200)
    wrong = [(adjusted_bh(one) < 0.05).any() for one in p]
    assert np.mean(wrong) <= 0.1


def test_few_independent_frames_decide_nothing_alone_but_count_among_others():
    y = autoregressive(np.random.default_rng(9), 6, 60, 0.98)
    found = track_drift(*flat(y + 0.5 * np.arange(60)))
    assert (found.status == OK).all()
    assert not found.enough.any()
    assert np.isnan(found.se).all()
    assert annotator_drift(found, [0] * 6, 1).verdict(1.0)[0] == 2


def test_theil_sen_equals_scipy():
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.integers(1, 4, 80)).astype(float)
    y = rng.standard_t(2, 80) + 0.1 * x
    assert theil_sen(x, y) == pytest.approx(stats.theilslopes(y, x).slope)


def test_theil_sen_of_a_long_series_looks_at_fewer_pairs():
    rng = np.random.default_rng(1)
    x = np.arange(6_000.0)
    assert theil_sen(x, 0.01 * x + rng.standard_normal(6_000)) == pytest.approx(0.01, abs=1e-4)


def test_outliers_bring_in_theil_and_sen_and_do_no_harm():
    rng = np.random.default_rng(2)
    y = rng.standard_normal((200, 200)) + 0.02 * np.arange(200)
    y[rng.random(y.shape) < 0.03] += 25
    found = track_drift(y.ravel(), np.tile(np.arange(200), 200), np.arange(201) * 200)
    assert found.robust.mean() > 0.9
    plain = [np.polyfit(np.arange(200), one, 1)[0] * 100 for one in y]
    assert np.std(found.slope) < 0.4 * np.std(plain)
    clean = 100 * np.sqrt(12 / 200**3)
    assert np.median(found.se) == pytest.approx(clean, rel=0.2)
    t = stats.t.isf(0.025, found.df)
    assert (np.abs(found.slope - 2) <= t * found.se).mean() > 0.9


@given(seed=SEEDS, scale=st.floats(0.1, 10), shift=st.floats(-50, 50))
def test_slopes_scale_with_the_values_and_ignore_their_level(seed, scale, shift):
    values, frame, starts = oracle.ragged(seed)
    one = track_drift(values, frame, starts)
    other = track_drift(scale * values + shift, frame + 7, starts)
    np.testing.assert_allclose(other.slope, scale * one.slope, rtol=1e-6, atol=1e-6)


def test_a_held_offset_is_one_observation():
    """A static object drawn once, ten pixels off, for 5,000 frames: nothing is concluded."""
    frame, starts = np.arange(5_000), [0, 5_000]
    track = track_drift(np.full(5_000, 10.0), frame, starts)
    assert STATUSES[track.status[0]] == "constant"
    assert track.status[0] == CONSTANT
    assert track.n_eff[0] == 1
    assert track.verdict(1.0)[0] == 0
    for found in (
        annotator_drift(track, [0], 1),
        of_tracks(np.full(5_000, 10.0), np.zeros(5_000, int), np.zeros(5_000, int), 1),
    ):
        assert found.p_bias(1.0)[0] == 1
        assert found.verdict(1.0)[0] == 0
    boxes = np.tile([10.0, 10, 50, 50], (5_000, 1))
    held = held_drawings(boxes, frame, starts, boxes - 10)
    assert one_a_drawing(np.full(5_000, 10.0), held).tolist() == [10.0]


def test_few_drawings_held_long_are_few_observations():
    rng = np.random.default_rng(3)
    y = np.repeat(rng.standard_normal((400, 6)), 100, axis=1)
    found = track_drift(y.ravel(), np.tile(np.arange(600), 400), np.arange(401) * 600)
    assert (found.n_eff <= 6 + 1e-9).all()
    assert (found.p_bias() < 0.05).mean() < 0.09


def test_rows_that_skip_frames_are_compared_at_their_own_distance():
    rng = np.random.default_rng(4)
    y = rng.standard_normal(120)
    dense = track_drift(y, np.arange(120), [0, 120])
    sparse = track_drift(y, 5 * np.arange(120), [0, 120])
    assert sparse.r[0] == pytest.approx(dense.r[0])
    assert sparse.slope[0] == pytest.approx(dense.slope[0] / 5)


def test_tracks_count_alike_and_five_are_needed():
    rng = np.random.default_rng(5)
    length = [60, 900, 60, 60, 60]
    starts = np.concatenate([[0], np.cumsum(length)])
    frame = np.concatenate([np.arange(n) for n in length])
    y = 0.1 * frame + 0.1 * rng.standard_normal(len(frame))
    track = track_drift(y, frame, starts)
    found = annotator_drift(track, [0] * 5, 1)
    assert found.estimate[0] == pytest.approx(track.slope.mean())
    assert found.verdict(1.0)[0] == 2
    fewer = annotator_drift(track, [0, 0, 0, 0, 1], 2)
    assert fewer.verdict(1.0).tolist() == [0, 0]
    assert [STATUSES[code] for code in fewer.status] == ["too_few_clusters"] * 2


def test_the_mean_of_the_slopes_is_not_robust():
    frame, starts = np.tile(np.arange(60), 6), np.arange(7) * 60
    noise = 0.01 * np.random.default_rng(6).standard_normal(360)
    y = np.repeat([0, 0, 0, 0, 0, 0.5], 60) * frame + noise
    track = track_drift(y, frame, starts)
    found = annotator_drift(track, [0] * 6, 1)
    assert found.estimate[0] == pytest.approx(track.slope.mean())
    assert found.estimate[0] == pytest.approx(50 / 6, abs=0.1)


def test_series_that_do_not_fit_are_refused():
    with pytest.raises(AnnqcError, match="do not fit their rows: 3 values and 2 frames"):
        track_drift([1.0, 2, 3], [0, 1], [0, 3])
    with pytest.raises(AnnqcError, match=r"frames of series 1 do not increase: 4 is followed by 4"):
        track_drift([1.0, 2, 3], [0, 4, 4], [0, 1, 3])
    with pytest.raises(AnnqcError, match="starts begins with 0"):
        track_drift([1.0], [0], [])


def test_nothing_gives_nothing():
    found = track_drift(np.empty((0, 4)), [], [0])
    assert found.slope.shape == (0, 4)
    assert annotator_drift(found, np.empty(0, int), 2).status.tolist() == [[NO_DATA] * 4] * 2
