"""Frames of a track that are wrong in one way are one row of the queue."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import annqc
from annqc.ids import ids_array
from annqc.run.review import queue_rows
from annqc.simulate import tracks
from annqc.tables import Annotations, Dataset, Images

BOX = np.array([100.0, 100.0, 200.0, 200.0])


def video(frames, *, track=True, n_frames=40):
    """One object on some frames of a video of many."""
    n = len(frames)
    table = Annotations.build(
        image=np.array(frames, dtype=np.int64),
        annotator=np.zeros(n, dtype=np.int64),
        category=np.zeros(n, dtype=np.int64),
        xyxy=np.tile(BOX, (n, 1)),
        track=np.zeros(n, dtype=np.int64) if track else None,
    )
    images = Images.build(
        ids_array([f"v/{k}" for k in range(n_frames)]),
        width=np.full(n_frames, 400.0),
        height=np.full(n_frames, 400.0),
        sequence=np.array(["v"] * n_frames, dtype=object),
        frame=np.arange(10, 10 + n_frames),
    )
    return Dataset(
        table,
        images,
        ids_array(["ann"]),
        np.array([1]),
        np.array(["cat"], dtype=object),
        track_ids=ids_array([7]) if track else None,
        assigned=np.array([(0, k) for k in range(n_frames)]),
        n_rows=n,
    )


def stretches_by_hand(frames, gap=5):
    found = []
    for frame in sorted(frames):
        if found and frame - found[-1][1] <= gap + 1:
            found[-1] = (found[-1][0], frame, found[-1][2] + 1)
        else:
            found.append((frame, frame, 1))
    return found


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 39), min_size=1, max_size=20))
def test_a_stretch_has_gaps_of_five_images_at_most(missing):
    gold = video(range(40))
    work = video([k for k in range(40) if k not in missing])
    found = annqc.audit(work, gold).review().to_frame()
    found = found[found["kind"] == "missed"].sort_values("first_frame")
    columns = ["first_frame", "last_frame", "n_frames"]
    told = [tuple(row) for row in found[columns].values.tolist()]
    assert told == [(a + 10, b + 10, n) for a, b, n in stretches_by_hand(missing)]
    for row in found.itertuples():
        assert row.first_frame <= row.frame <= row.last_frame
        assert (row.n_frames == 1) == ("frames" not in row.text)


def test_a_stretch_says_how_many_frames_are_like_it():
    found = annqc.audit(video(range(30, 40)), video(range(40))).review().to_frame()
    assert len(found) == 1
    assert found["text"][0].endswith("was not drawn (one of 30 frames, 10 to 39)")
    assert found["track_id"][0] == 7


def test_objects_without_a_track_are_rows_of_their_own():
    gold, work = video(range(40), track=False), video(range(30, 40), track=False)
    found = annqc.audit(work, gold).review().to_frame()
    assert len(found) == 30
    assert (found["n_frames"] == 1).all()
    assert (found["first_frame"] == found["frame"]).all()


def test_a_stretch_is_of_one_annotator_and_one_kind():
    made = tracks({"ann": [], "bob": []}, n_sequences=2, n_tracks=4, n_frames=30, rng=1)
    kept = np.random.default_rng(1).random(len(made.work)) > 0.3
    work = replace(made.work, table=made.work.table.take(kept))
    audit = annqc.audit(work, made.gold)
    rows = queue_rows(audit)
    key = np.stack([rows["reference"], rows["candidate"], rows["annotator"]])
    assert len(np.unique(key, axis=1).T) == len(rows["gain"])
    missed = audit.errors(kind="missed")
    queue = audit.review().to_frame()
    told = queue[queue["kind"] == "missed"]
    assert told["n_frames"].sum() == len(missed)
    for name, some in missed.groupby("annotator"):
        assert told.loc[told["annotator"] == name, "n_frames"].sum() == len(some)


def test_equal_gains_go_to_the_longer_stretch():
    gold = video([*range(3), *range(20, 30)])
    found = annqc.audit(video([39]), gold).review().to_frame()
    found = found[found["kind"] == "missed"]
    assert found["n_frames"].tolist() == [10, 3]
    assert found["gain"].nunique() == 1


@pytest.mark.parametrize("top", [1, 2])
def test_the_length_of_a_queue_is_in_stretches(top):
    gold = video([*range(3), *range(20, 30)])
    assert len(annqc.audit(video([39]), gold).review(top=top)) == top


def test_videos_are_not_mixed_up():
    gold = video(range(40))
    names = np.array(["v"] * 20 + ["w"] * 20, dtype=object)
    images = replace(gold.image_table, sequence=names)
    gold = replace(gold, image_table=images)
    work = replace(video([0]), image_table=images)
    found = annqc.audit(work, gold).review().to_frame()
    assert sorted(found["n_frames"].tolist()) == [19, 20]
