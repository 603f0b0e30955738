"""What counts as evidence on tracks: gold that wanders, cuts, ends beyond the object, keyframes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc.run.alonepairs import MOST_PAIRS
from annqc.simulate import TrackHabit, tracks

SIZES = (1920, 1080)


def rows_of(who, sequence, track, frames, boxes):
    names = ("annotator", "sequence", "track_id", "frame", "xmin", "ymin", "xmax", "ymax")
    told = [np.full(len(frames), one) for one in (who, sequence, track)]
    return pd.DataFrame(dict(zip(names, [*told, frames, *boxes.T], strict=True)))


def moving(rng, n, k):
    """Make a 100 px box that turns slowly, as a camera sees it."""
    t = np.arange(n)
    x = 150 + 300 * k + 40 * np.sin(t / 40 + rng.uniform(0, 6))
    y = 150 + 20 * np.sin(t / 50 + rng.uniform(0, 6))
    return np.stack([x, y, x + 100, y + 100], axis=1)


def wander(rng, n, sd=0.5):
    e = rng.normal(0, sd, (n, 4))
    for t in range(1, n):
        e[t] = 0.8 * e[t - 1] + 0.6 * e[t]
    return e


def audit(gold, work):
    return annqc.audit(pd.concat(work), pd.concat(gold), image_sizes=SIZES)


def ends(shift):
    """Make eight videos of four objects from frame 40 to 120, and one that is always there."""
    rng = np.random.default_rng(0)
    gold, work = [], []
    for video in range(8):
        for k in range(5):
            boxes = moving(rng, 200, k)
            first, last = (40, 120) if k else (0, 199)
            early, late = shift(rng) if k else (0, 0)
            mine = np.arange(first + early, last + late + 1)
            theirs = np.arange(first, last + 1)
            noise = rng.normal(0, 0.5, boxes.shape)
            gold.append(rows_of("gold", f"v{video}", k, theirs, boxes[theirs]))
            work.append(rows_of("ann", f"v{video}", k, mine, (boxes + noise)[mine]))
    return audit(gold, work)


def found(audited, *quantities):
    table = audited.tracks().set_index("quantity")
    return [table.loc[name] for name in quantities]


def test_tracks_that_begin_early_and_end_late_are_off():
    early, late = found(ends(lambda _: (-10, 10)), "start", "end")
    assert (early["verdict"], late["verdict"]) == ("biased", "biased")
    assert early["estimate"] == pytest.approx(-10, abs=0.1)
    assert late["estimate"] == pytest.approx(10, abs=0.1)


def test_ends_that_are_off_either_way_are_not_taken_for_late_ones():
    either = found(ends(lambda rng: rng.normal(0, 8, 2).round().astype(int)), "start", "end")
    for one in either:
        assert one["ci_low"] < 0 < one["ci_high"]
        assert one["verdict"] != "biased"


def test_ends_a_frame_off_either_way_are_clean():
    for one in found(ends(lambda rng: rng.integers(-1, 2, 2)), "start", "end"):
        assert one["verdict"] == "clean"


def test_two_annotators_differ_by_as_much_in_either_direction():
    made = tracks({"a": TrackHabit.late_start(12), "b": []}, n_sequences=8, n_frames=150, rng=1)
    start = annqc.tracks(made.work).relative().query("quantity == 'start'").iloc[0]
    assert start["verdict"] == "disagree"
    assert start["estimate"] == pytest.approx(-12, abs=0.5)


def many(n_tracks, work_of, gold_of=lambda *_: 0.0, who=("ann",), n=120):
    """Make three videos in which everybody draws the same tracks."""
    rng = np.random.default_rng(4)
    gold, work = [], []
    for video in range(3):
        for k in range(n_tracks):
            boxes, frames = moving(rng, n, k), np.arange(n)
            gold.append(rows_of("gold", f"v{video}", k, frames, boxes + gold_of(rng, frames)))
            for one in who:
                drawn = boxes + wander(rng, n) + work_of(rng, frames)
                work.append(rows_of(one, f"v{video}", k, frames, drawn))
    return audit(gold, work)


def test_a_cut_of_the_camera_is_no_drift():
    made = many(3, lambda _, t: np.outer(t >= 60, [6, 0, 6, 0]))
    assert set(made.track_events()["kind"]) == {"cut"}
    assert not made.tracks()["verdict"].eq("biased").any()
    assert made.track_list()["drift_left"].isna().all()


def test_gold_that_wanders_on_tracks_that_all_share_is_not_five_witnesses():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        made = many(
            3,
            lambda *_: 0.0,
            gold_of=lambda _, t, rng=rng: np.outer(t / 100 - 0.5, rng.normal(0, 5, 4)),
            who=[f"a{k}" for k in range(5)],
        )
        assert made.tracks()["collective"].isna().all()


def key_of(**videos):
    made = tracks({"key": TrackHabit.interpolated(10), "ann": []}, n_sequences=6, rng=1, **videos)
    table = annqc.audit(made.work, made.gold).tracks()
    return table[table["annotator"] == "key"].set_index("quantity")


def test_interpolation_that_costs_next_to_nothing_is_no_fault():
    key = key_of(side=(150, 250), speed=0.3, noise_px=0.3)
    assert key.loc["sag", "verdict"] == "clean"
    assert key.loc["sag", "estimate_px"] < 1


def test_interpolation_that_misses_fast_objects_is():
    key = key_of(speed=6)
    assert key.loc["sag", "verdict"] == "biased"
    assert key.loc["sag", "ci_low"] > 1
    assert key.loc["sag_share", "estimate"] == pytest.approx(1.0, abs=0.03)
    assert key.loc["sag_share", ["status", "verdict"]].tolist() == ["descriptive", "undecided"]


def test_a_sawtooth_is_judged_by_what_it_comes_to():
    small, large = (
        tracks({"a": TrackHabit.sawtooth(px, edge="right")}, n_sequences=5, side=(40, 48), rng=2)
        for px in (0.5, 3.0)
    )
    for made, verdict, truth in ((small, "clean", 0.5), (large, "biased", 3.0)):
        (one,) = found(annqc.audit(made.work, made.gold), "sawtooth_right")
        assert one["verdict"] == verdict
        assert one["ci_low_px"] <= truth <= one["ci_high_px"]
        assert one["p_adjusted"] >= one["p_value"]


def test_pairs_that_are_not_compared_are_counted():
    made = tracks(11, n_sequences=1, n_tracks=1, n_frames=30, rng=1)
    alone = annqc.tracks(made.work)
    assert len(alone.relative().groupby(["annotator", "other"])) == MOST_PAIRS == 45
    assert alone.pairs_left_out == 10


def test_one_false_discovery_rate_over_all_pairs():
    habits = {**{f"a{k}": [] for k in range(4)}, "lag": TrackHabit.lag(0.7)}
    made = tracks(habits, n_sequences=5, n_tracks=2, n_frames=100, rng=3)
    relative = annqc.tracks(made.work).relative()
    p = np.sort(relative["p_value"].dropna())
    expected = (p * len(p) / np.arange(1, len(p) + 1)).min()
    assert relative["p_adjusted"].min() == pytest.approx(min(expected, 1.0))
