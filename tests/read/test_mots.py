from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import ReadError
from annqc.geometry.rle import encode_counts
from annqc.read import read

HEIGHT, WIDTH = 40, 60


def counts(x, y, w, h):
    """Compressed run lengths of a box on the canvas."""
    canvas = np.zeros((HEIGHT, WIDTH), dtype=bool)
    canvas[y : y + h, x : x + w] = True
    flat = canvas.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges, len(flat)])
    if flat[0]:
        runs = np.array([0, *runs])
    return encode_counts(runs, np.array([0, len(runs)]))[0].decode()


def line(frame=1, id=2005, category=2, box=(10, 20, 30, 15), size=(HEIGHT, WIDTH)):
    return f"{frame} {id} {category} {size[0]} {size[1]} {counts(*box)}\n"


def test_masks_with_tracks(put):
    ignore = line(id=10000, category=10, box=(0, 0, 9, 9))
    dataset = read(put("ann/instances_txt/0002.txt", line() + line(frame=2) + ignore))
    table = dataset.table
    assert table.xyxy.tolist() == [[10, 20, 40, 35], [10, 20, 40, 35], [0, 0, 9, 9]]
    assert dataset.tracks_of(table.track).tolist() == [2005, 2005, None]
    assert table.crowd.tolist() == [False, False, True]
    assert dataset.category_names[table.category].tolist() == ["pedestrian"] * 2 + ["ignore"]
    assert table.shapes.kind_names.tolist() == ["mask"] * 3
    assert table.shapes.canvas.tolist() == [[HEIGHT, WIDTH]] * 3
    assert dataset.image_table.id.tolist() == ["0002/1", "0002/2"]
    assert set(dataset.image_table.width) == {WIDTH}
    assert dataset.annotator_ids.tolist() == ["ann"]
    assert not dataset.issues


def test_frames_begin_with_0_where_one_does(put):
    assert read(put("a.txt", line(frame=0))).image_table.frame.tolist() == [0]
    put("b/seqinfo.ini", "[Sequence]\nname=b\nseqLength=3\n")
    dataset = read(put("b/a.txt", line(frame=2)))
    assert dataset.image_table.frame.tolist() == [1, 2, 3]
    late = read(put("b/a.txt", line(frame=2) + line(frame=0) + line(frame=4)))
    assert [(i.kind, i.where) for i in late.issues] == [
        ("bad_frame", "line 2"),
        ("bad_frame", "line 3"),
    ]


@pytest.mark.parametrize(
    ("bad", "kind", "words"),
    [
        ("1 2005 2 40 60\n", "malformed", "6 fields, found 5"),
        ("1 2005 2 40 60 abc def\n", "malformed", "found 7"),
        ("x 2005 2 40 60 52203\n", "malformed", "whole number as frame, found 'x'"),
        ("1 2.5 2 40 60 52203\n", "malformed", "as id"),
        ("1 -5 2 40 60 52203\n", "malformed", "from 0 on"),
        ("1 5 2 0 60 52203\n", "malformed", "height and width"),
        ("-1 5 2 40 60 52203\n", "bad_frame", "found -1"),
        ("1 2005 2 40 60 zzz~\n", "broken_rle", ""),
        ("1 2005 2 40 60 52203\n", "broken_rle", ""),
        (f"2 2005 2 40 60 {counts(0, 0, 0, 0)}\n", "empty_mask", ""),
        (line(size=(WIDTH, HEIGHT)), "canvas_mismatch", "60 x 40"),
    ],
)
def test_bad_lines_are_listed(put, bad, kind, words):
    dataset = read(put("a.txt", line(frame=0) + bad + line(frame=1)), format="mots")
    (issue,) = dataset.issues
    assert (issue.kind, issue.where) == (kind, "line 2")
    assert words in issue.message
    assert (dataset.n_rows, len(dataset)) == (3, 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_and_ends_of_lines(put, encoding):
    assert len(read(put("a.txt", line().replace("\n", "\r\n").encode(encoding)))) == 1


def test_truncated_and_empty_and_no_text(put):
    cut = read(put("a.txt", line() + line(frame=2) + line(frame=3)[:14]))
    assert [(i.kind, i.where) for i in cut.issues] == [("malformed", "line 3")]
    empty = read(put("b.txt", ""), format="mots")
    assert [i.kind for i in empty.issues] == ["no_rows"]
    with pytest.raises(ReadError, match="not UTF-8"):
        read(put("c.txt", line().encode() + b"\xff"), format="mots")


def test_six_numbers_are_yolo(put):
    dataset = read(put("a.txt", "0 0.5 0.5 0.5 0.5 1\n1 0 0 1 1 1\n"), image_sizes=(10, 10))
    assert dataset.sources[0].format == "yolo"


BOX = st.tuples(st.integers(0, 50), st.integers(0, 30), st.integers(1, 10), st.integers(1, 10))


@given(rows=st.lists(st.tuples(st.integers(0, 9), st.integers(2000, 2009), BOX), min_size=1))
def test_what_is_written_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("mots") / "a.txt"
    path.write_text("".join(line(frame, id, 2, box) for frame, id, box in rows))
    dataset = read(path, format="mots")
    expected = [[x, y, x + w, y + h] for _, _, (x, y, w, h) in rows]
    assert dataset.table.xyxy.tolist() == expected
    frames = dataset.image_table.frame[dataset.table.image].tolist()
    ids = dataset.tracks_of(dataset.table.track).tolist()
    assert list(zip(frames, ids)) == [row[:2] for row in rows]  # noqa: B905
