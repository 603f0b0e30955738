from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.read import read
from annqc.read.tracks import in_words


def listed(dataset, kind):
    return [(i.where, i.annotator, i.message) for i in dataset.issues if i.kind == kind]


def mot(put, *rows, name="walk.txt"):
    return put(name, "".join(f"{frame},{id},{x},9,30,40\n" for frame, id, x in rows))


def test_two_boxes_of_a_track_on_a_frame(put):
    dataset = read(mot(put, (1, 5, 9), (2, 5, 9), (1, 5, 90), (1, 6, 200), (1, 5, 400)))
    found = listed(dataset, "duplicate_track_box")
    assert [where for where, _, _ in found] == ["line 3", "line 5"]
    assert found[0][2] == "track 5 has a box on this frame already: line 1"
    assert len(dataset) == 5


def test_gaps_are_listed_once_a_track(put):
    rows = [(k, 1, 9) for k in (2, 3, 5, 9, 10)] + [(k, 2, 99) for k in range(1, 12)]
    dataset = read(mot(put, *rows))
    ((where, who, message),) = listed(dataset, "track_gap")
    assert where == "line 3"
    assert who == dataset.annotator_ids[0]
    assert message == ("track 1 is not drawn on 4 frames between its first and its last: 4, 6 to 8")


def test_boxes_without_a_track_have_neither(put):
    assert not read(mot(put, (1, -1, 9), (1, -1, 90), (5, -1, 9))).issues


def test_dropped_rows_do_not_count(put):
    path = put("a.txt", "1,1,9,9,30,40\n2,1,9,9,0,40\n2,1,9,9,30,40\n3,1,9,9,0,0\n4,1,9,9,30,40\n")
    dataset = read(path)
    assert [where for where, _, _ in listed(dataset, "track_gap")] == ["line 5"]
    assert not listed(dataset, "duplicate_track_box")


def test_annotators_and_sequences_are_kept_apart(put, tmp_path):
    for who in ("ann", "bob"):
        for sequence in ("day", "night"):
            mot(put, (1, 1, 9), (2, 1, 9), name=f"in/{who}/{sequence}/gt/gt.txt")
    dataset = read(tmp_path / "in")
    assert dataset.annotator_ids.tolist() == ["ann", "bob"]
    assert len(dataset.track_ids) == 4
    assert not dataset.issues


TABLE = {"sequence": "walk", "x1": 9, "y1": 9, "x2": 30, "y2": 30, "category": "car"}


def frame(**columns):
    n = len(columns["frame"])
    return pd.DataFrame({**{name: [value] * n for name, value in TABLE.items()}, **columns})


def test_frames_that_were_never_cut_out_are_no_gap():
    sampled = frame(frame=[0, 10, 20, 0, 20], track_id=[1, 1, 1, 2, 2], x1=[1, 2, 3, 4, 5])
    ((_, _, message),) = listed(read(sampled), "track_gap")
    assert message == "track 2 is not drawn on 1 frame between its first and its last: 10"


def test_negative_frames_of_a_table():
    dataset = read(frame(frame=[0, -3, 1], track_id=[1, 1, 1], x1=[1, 2, 3]))
    assert [(i.kind, i.where) for i in dataset.issues] == [("bad_frame", "row 1")]
    assert len(dataset) == 2


def test_a_table_of_tracks():
    outside = [False, True, False, False]
    given_ = frame(
        frame=[0, 1, 2, 0], track_id=["a", "a", "a", "b"], keyframe=[1, 0, 1, 1], outside=outside
    )
    dataset = read(given_.assign(x1=[1, 2, 3, 4]))
    assert dataset.table.keyframe.tolist() == [True, True, True]
    assert dataset.tracks_of(dataset.table.track).tolist() == ["a", "a", "b"]
    assert dataset.image_table.id.tolist() == ["walk/0", "walk/1", "walk/2"]
    assert dataset.image_table.frame.tolist() == [0, 1, 2]
    assert dataset.image_table.sequence.tolist() == ["walk"] * 3
    # Nothing is drawn where the object is out of sight, and that is no gap and no problem.
    assert (len(dataset), dataset.n_rows) == (3, 3)
    assert not dataset.issues
    without = read(given_.drop(columns="outside").assign(x1=[1, 2, 3, 4]))
    assert len(without) == 4


def test_outside_says_nothing_where_nothing_is_tracked():
    rows = frame(frame=[0, 1], outside=[True, False])
    assert len(read(rows)) == 2


def test_outside_in_a_file(put):
    dataset = read(
        put(
            "ann.csv",
            "sequence,frame,track_id,is_keyframe,outside,x1,y1,x2,y2\n"
            "w,0,1,1,0,1,1,9,9\nw,1,1,0,1,1,1,9,9\nw,2,1,1,0,2,1,9,9\n",
        )
    )
    assert dataset.table.row.tolist() == [2, 4]
    assert dataset.table.keyframe.tolist() == [True, True]
    assert len(dataset.image_table) == 3


BOX = st.tuples(st.integers(1, 9), st.integers(0, 3), st.integers(0, 400))


def spelled_out(frames):
    text = ""
    for k, frame_ in enumerate(frames):
        follows = k > 0 and frames[k - 1] == frame_ - 1
        goes_on = k + 1 < len(frames) and frames[k + 1] == frame_ + 1
        if not follows:
            text += f", {frame_}"
        elif not goes_on:
            text += f" to {frame_}"
    return text[2:]


@given(rows=st.lists(BOX, min_size=1, max_size=30, unique=True))
def test_as_a_slow_count_has_it(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("t") / "a.txt"
    path.write_text("".join(f"{f},{i},{x},9,30,40\n" for f, i, x in rows))
    dataset = read(path)
    met, twice = set(), 0
    for frame_, id, _ in rows:
        twice += (frame_, id) in met
        met.add((frame_, id))
    assert len(listed(dataset, "duplicate_track_box")) == twice
    expected = {}
    for id in {id for _, id in met}:
        on = [frame_ for frame_, other in met if other == id]
        missing = sorted(set(range(min(on), max(on))) - set(on))
        if missing:
            expected[id] = spelled_out(missing)
    found = {}
    for _, _, message in listed(dataset, "track_gap"):
        id, spans = re.fullmatch(r"track (\d+) is not drawn .*: (.*)", message).groups()
        assert int(id) not in found
        found[int(id)] = spans
    assert found == expected


@pytest.mark.parametrize(
    ("spans", "text"),
    [([(4, 4)], "4"), ([(1, 2)], "1 to 2"), ([(1, 1), (3, 3), (5, 7)], "1, 3, 5 to 7")],
)
def test_spans(spans, text):
    assert in_words(spans) == text


def test_many_spans_are_cut():
    assert in_words([(k, k) for k in range(0, 100, 2)]).endswith("38, ...")
