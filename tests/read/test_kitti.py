from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import ReadError
from annqc.read import read

TAIL = "1.5 1.6 3.9 -1.2 1.8 12.5 -1.57"


def line(frame=0, track=2, type="Car", box="10.5 20 30.25 40", tail=TAIL):
    return f"{frame} {track} {type} 0 1 -1.5 {box} {tail}\n"


CARE = line(track=-1, type="DontCare", box="300 100 350 120", tail="-1000 " * 7)


def test_boxes_stand_as_they_are(put):
    dataset = read(put("ann/label_02/0001.txt", CARE + line() + line(frame=2)))
    table = dataset.table
    assert table.xyxy.tolist()[1:] == [[10.5, 20, 30.25, 40]] * 2
    assert table.crowd.tolist() == [True, False, False]
    assert dataset.tracks_of(table.track).tolist() == [None, 2, 2]
    assert dataset.image_table.id.tolist() == ["0001/0", "0001/1", "0001/2"]
    assert dataset.image_table.frame.tolist() == [0, 1, 2]
    assert dataset.category_names[table.category].tolist() == ["DontCare", "Car", "Car"]
    assert table.extra["occluded"].tolist() == [1, 1, 1]
    assert np.isnan(table.score).all()
    assert dataset.annotator_ids.tolist() == ["ann"]
    assert [i.kind for i in dataset.issues] == ["track_gap"]
    assert len(dataset.assigned) == 3


def test_results_have_scores(put):
    dataset = read(put("0001.txt", line(tail=f"{TAIL} 0.75") + line(frame=1)))
    assert dataset.table.score[0] == 0.75
    assert np.isnan(dataset.table.score[1])


@pytest.mark.parametrize(
    ("bad", "kind", "words"),
    [
        ("1 2 Car 0 0 0 1 2 3 4\n", "malformed", "17 or 18 fields, found 10"),
        (line(frame="x"), "malformed", "expected a number, found 'x'"),
        (line(frame="0.5"), "malformed", "whole number as frame"),
        (line(frame="nan"), "malformed", "whole number as frame"),
        (line(track="1.5"), "malformed", "whole number as track"),
        (line(track=-2), "malformed", "-1 for none"),
        (line(frame=-1), "bad_frame", "from 0, found -1"),
        (line(box="1 2 3 abc"), "malformed", "found 'abc'"),
        (line(box="1 2 nan 9"), "non_finite", ""),
        (line(box="1 2 1 9"), "zero_size", ""),
        (line(box="9 2 1 9"), "negative_size", ""),
    ],
)
def test_bad_lines_are_listed(put, bad, kind, words):
    dataset = read(put("0001.txt", line() + bad + line(frame=1)))
    (issue,) = dataset.issues
    assert (issue.kind, issue.where) == (kind, "line 2")
    assert words in issue.message
    assert (dataset.n_rows, len(dataset)) == (3, 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_and_ends_of_lines(put, encoding):
    text = (CARE + line()).replace("\n", "\r\n")
    assert len(read(put("0001.txt", text.encode(encoding)))) == 2


def test_truncated_and_empty_and_no_text(put):
    cut = read(put("0001.txt", line() + line(frame=1) + line(frame=2)[:30]))
    assert [(i.kind, i.where) for i in cut.issues] == [("malformed", "line 3")]
    empty = read(put("0002.txt", ""), format="kitti")
    assert [i.kind for i in empty.issues] == ["no_rows"]
    with pytest.raises(ReadError, match="not UTF-8"):
        read(put("0003.txt", line().encode() + b"\xff"), format="kitti")


def test_detection_labels_are_not_taken_for_tracks(put):
    path = put(
        "000001.txt", "Truck 0.00 0 -1.57 599.4 156.4 629.7 189.2 2.8 2.6 12.3 0.4 1.4 9 1\n"
    )
    with pytest.raises(ReadError, match="not known"):
        read(path)


SIDE = st.floats(0, 900).map(lambda x: round(x, 3))


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 9), SIDE, SIDE, st.floats(1, 90)), min_size=1
    )
)
def test_what_is_written_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("kitti") / "0001.txt"
    boxes = [(x, y, x + w, y + w) for _, _, x, y, w in rows]
    text = [line(f, t, "Van", " ".join(map(repr, b))) for (f, t, *_), b in zip(rows, boxes)]  # noqa: B905
    path.write_text("".join(text))
    dataset = read(path)
    assert list(map(tuple, dataset.table.xyxy.tolist())) == boxes
    frames = dataset.image_table.frame[dataset.table.image].tolist()
    ids = dataset.tracks_of(dataset.table.track).tolist()
    assert list(zip(frames, ids)) == [row[:2] for row in rows]  # noqa: B905
