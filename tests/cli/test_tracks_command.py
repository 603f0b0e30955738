"""``annqc tracks`` in this process: what it prints, writes, refuses and exits with."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from annqc.simulate import TrackHabit, tracks

HEAD = "annotator,sequence,frame,track_id,category,x1,y1,x2,y2"


def as_table(dataset):
    images = dataset.images[["image_id", "sequence", "frame"]]
    return dataset.annotations.merge(images, on="image_id")[HEAD.split(",")]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Six videos: ann is clean, bob is two frames late."""
    folder = tmp_path_factory.mktemp("videos")
    habits = {"ann": [], "bob": TrackHabit.lag(2)}
    made = tracks(habits, n_sequences=6, n_tracks=4, n_frames=120, rng=1)
    as_table(made.gold).to_csv(folder / "gold.csv", index=False)
    work = as_table(made.work)
    work.to_csv(folder / "work.csv", index=False)
    work.drop(columns="track_id").to_csv(folder / "boxes.csv", index=False)
    return folder


@pytest.fixture
def call(run, video, monkeypatch):
    monkeypatch.chdir(video)
    return run


def test_one_screen_names_who_is_late(call):
    done = call("tracks", "work.csv", "--gold", "gold.csv")
    assert done.exit_code == 0
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    flat = " ".join(done.stdout.split())
    assert "24 reference and 48 drawn tracks, 2 annotators" in flat
    assert "Over time bob: trails the object by 2.0 frames (2.0 to 2.0, 24 tracks)" in flat
    assert "ann: trails" not in flat


def test_without_gold_it_says_what_cannot_be_known(call):
    done = call("tracks", "work.csv")
    assert done.exit_code == 0
    flat = " ".join(done.stdout.split())
    assert flat.startswith("Looked at 6 sequences, ")
    assert "Mind without gold it cannot be told how far anybody is off" in flat
    assert "Between annotators which of the two is off cannot be told ann and bob: lag +2.0" in flat


def test_frames_that_the_gold_lacks_are_counted(call):
    head, *rows = Path("gold.csv").read_text(encoding="utf-8").splitlines()
    early = [row for row in rows if int(row.split(",")[2]) < 100]
    Path("part.csv").write_text("\n".join([head, *early]), encoding="utf-8")
    done = call("tracks", "work.csv", "--gold", "part.csv")
    flat = " ".join(done.stdout.split())
    assert "Left out" in flat
    assert "that the gold does not have" in flat


def test_json_and_csv_hold_all_tables(call, tmp_path):
    folder = tmp_path / "tables"
    done = call("tracks", "work.csv", "--gold", "gold.csv", "--json", "-", "--csv", folder)
    document = json.loads(done.stdout)
    names = {"tracks", "track_list", "track_events", "tracking_scores", "bias"}
    assert set(document) == names | {"inputs"}
    assert [one["role"] for one in document["inputs"]] == ["work", "gold"]
    lag = next(
        one for one in document["tracks"] if one["annotator"] == "bob" and one["quantity"] == "lag"
    )
    assert lag["verdict"] == "biased"
    assert lag["ci_low"] < 2.0 < lag["ci_high"]
    assert {one.stem for one in folder.iterdir()} == names
    with (folder / "tracks.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(document["tracks"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("boxes.csv", "--gold", "gold.csv"), "the work has no tracks"),
        (("work.csv", "--gold", "boxes.csv"), "the gold has no tracks"),
        (("work.csv", "--gold", "gold.csv", "--json", "gold.csv"), "gold.csv"),
        (("nowhere.csv",), "nowhere.csv"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(call, args, said):
    done = call("tracks", *args)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
