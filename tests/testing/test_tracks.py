"""Asserts, specs, examples and strategies that know tracks."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings

import annqc
from annqc.errors import SpecError, UnknownNameError
from annqc.judge import load_spec
from annqc.judge.model import Example
from annqc.simulate import TrackHabit, tracks
from annqc.simulate.track_phrases import TRACK_PHRASES, parse_track_habits
from annqc.testing import assert_hota, assert_no_drift, assert_no_lag, assert_no_track_events
from annqc.testing import strategies as annotated
from annqc.testing.checking import audit_dataset, check_dataset
from annqc.testing.examples import run_example
from annqc.write import write_mot

VIDEOS = {"n_sequences": 5, "n_tracks": 3, "n_frames": 100}
FEW = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def made():
    habits = {"ann": [], "bob": TrackHabit.drift(6, edge="left"), "eve": TrackHabit.lag(2)}
    return tracks(habits, rng=7, **VIDEOS)


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("delivery")
    write_mot(made.gold, path)
    write_mot(made.work, path / "work")
    return path


def test_asserts_raise_with_the_words_of_the_rule(made):
    with pytest.raises(
        AssertionError, match=r"bob: the left edge drifts .* outwards in 100 frames"
    ):
        assert_no_drift(made.work, made.gold)
    with pytest.raises(AssertionError, match=r"eve: boxes trail the object by 2\.0 frames"):
        assert_no_lag(made.work, made.gold)
    with pytest.raises(AssertionError, match=r"eve: HOTA 0\.\d+ .* asked: HOTA at least 0\.95"):
        assert_hota(made.work, made.gold, at_least=0.95)


def test_asserts_let_pass_what_is_within(made):
    audit = annqc.audit(made.work, made.gold)
    only = {"annotator": "ann"}
    judged = assert_no_drift(audit, edges=["left", "right"], where=only)
    assert [check.id for check in judged.checks] == ["drift_left", "drift_right"]
    assert assert_no_drift(audit, tolerance="20 px").outcome == "pass"
    assert assert_no_lag(audit, frames=4).outcome == "pass"
    assert assert_hota(audit, at_least=0.9, where=only).outcome == "pass"
    assert assert_no_track_events(audit, kinds="id_switch").outcome == "pass"
    with pytest.raises(UnknownNameError, match="did you mean 'left'"):
        assert_no_drift(audit, edges="lef")


def test_boxes_without_tracks_are_no_pass():
    made = annqc.simulate(["ann"], n_images=10, rng=1)
    with pytest.raises(AssertionError, match="there are no tracks in the gold"):
        assert_no_drift(made.work, made.gold)


SPEC = """
[annqc]
version = 1
gold = "gold"
candidate = "work"
{header}
[[rule]]
id = "no-drift"
measure = "drift"
[[rule]]
id = "no-lag"
measure = "lag"
at_most = 0.5
"""


def test_a_test_run_names_file_track_annotator_and_edge(folder):
    path = folder / "videos.annqc.toml"
    path.write_text(SPEC.format(header=""))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", str(path)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join(done.stdout.split())
    assert done.returncode == 1, said
    assert "bob: the left edge drifts" in said
    assert "by bob, frames" in said
    assert "gt.txt, row" in said
    assert "of video-" in said
    assert "2 failed" in said


def test_gold_can_be_one_of_those_who_drew(folder):
    text = SPEC.replace('gold = "gold"\n', "").format(header="[read]\ngold_only = 'ann'")
    path = folder / "inside.annqc.toml"
    path.write_text(text)
    spec = load_spec(path)
    (dataset,) = spec.datasets
    audit = audit_dataset(spec, dataset)
    assert audit.gold.annotator_ids.tolist() == ["ann"]
    assert audit.work.annotator_ids.tolist() == ["bob", "eve"]
    outcomes = {id: one["outcome"] for id, one in check_dataset(spec, dataset).records.items()}
    assert outcomes == {"no-drift": "fail", "no-lag": "fail"}
    done = subprocess.run(
        [sys.executable, "-m", "annqc", "audit", "--spec", str(path), "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr


def test_only_some_are_judged(folder):
    path = folder / "only.annqc.toml"
    path.write_text(SPEC.format(header="[read]\nonly = ['ann', 'eve']"))
    spec = load_spec(path)
    (dataset,) = spec.datasets
    assert audit_dataset(spec, dataset).work.annotator_ids.tolist() == ["ann", "eve"]
    done = subprocess.run(
        [sys.executable, "-m", "annqc", "audit", "--spec", str(path), "--rule", "no-drift"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 annotators" in done.stdout
    with pytest.raises(SpecError, match="no annotator is named"):
        load_spec(SPEC.format(header="[read]\nonly = []"))
    with pytest.raises(SpecError, match="names candidate but no gold"):
        load_spec(SPEC.replace('gold = "gold"\n', "").format(header="[read]\nonly = 'ann'"))


def test_an_example_draws_tracks():
    rule = {"id": "no-lag", "measure": "lag"}
    spec = load_spec({"annqc": {"version": 1}, "rule": [rule]})
    example = Example(
        name="late",
        annotators={"ann": (), "bob": ("lag 2 frames",)},
        drawn_as="tracks",
        images=100,
        scene={"n_sequences": 5, "n_tracks": 2},
        expect={"no-lag": "fail"},
    )
    found = run_example(spec, example)
    assert found.ok, str(found)
    assert found.judgement.checks[0].sentence.startswith("bob: ")


@pytest.mark.parametrize("phrase", TRACK_PHRASES)
def test_every_phrase_makes_its_habit(phrase):
    unit, _ = TRACK_PHRASES[phrase]
    (habit,) = parse_track_habits(f"{phrase} 5 {unit}")
    assert isinstance(habit, TrackHabit)
    assert habit.size == {"lead": -5.0}.get(phrase, 0.05 if unit == "%" else 5.0)
    word, _, edge = phrase.partition(" ")
    if edge in {"left", "top", "right", "bottom"}:
        assert habit.edges == (edge,)
        assert habit.kind == word


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("drifts left 5 px", "did you mean 'drift left'"),
        ("lag 2 px", "expected: 'lag 2 frames'"),
        ("lag", "say how much"),
        ("jitter -1 px", "a number above 0"),
        ("swap 120 %", "100 % or less"),
        ("gap 2.5 frames", "'gap 2 frames'"),
        (5, "text in quotes"),
    ],
)
def test_a_habit_that_cannot_be_read_is_told(text, said):
    with pytest.raises(SpecError, match=said):
        parse_track_habits(text)


@FEW
@given(annotated.tracked_datasets(annotators=["ann", "ben"]))
def test_drawn_videos_are_videos(data):
    images, table = data.image_table, data.table
    assert set(images.sequence.tolist()) == set(data.sequence_table.id.tolist())
    for video, n in zip(data.sequence_table.id, data.sequence_table.n_frames, strict=True):
        assert images.frame[images.sequence == video].tolist() == list(range(n))
    seen = list(zip(table.track.tolist(), table.image.tolist(), strict=True))
    assert len(set(seen)) == len(seen)
    for track in np.unique(table.track).tolist():
        rows = table.track == track
        assert len(np.unique(table.annotator[rows])) == 1
        assert len(np.unique(images.sequence[table.image[rows]].astype(str))) == 1
    assert (table.xyxy >= 0).all()


@FEW
@given(annotated.tracked_deliveries(perfect=True))
def test_a_copy_of_a_video_scores_one(pair):
    gold, work = pair
    if not len(gold):
        return
    scores = annqc.audit(work, gold).tracking_scores()
    assert scores["HOTA"].tolist() == [1.0]
    assert scores["IDSW"].tolist() == [0.0]


@FEW
@given(annotated.tracked_deliveries())
def test_tables_of_any_video_can_be_written(pair):
    gold, work = pair
    assert (len(gold) == 0) <= (len(work) == 0)
    if not len(gold) or not len(work):
        return
    audit = annqc.audit(work, gold)
    assert len(audit.track_list()) == len(np.unique(gold.table.track))
    assert set(audit.tracks()["verdict"]) == {"undecided"}


def test_a_video_without_frames_is_refused():
    with pytest.raises(SpecError, match="a frame and an annotator"):
        annotated.tracked_datasets(max_frames=0)
