from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import TableError, UnknownNameError
from annqc.read import read
from annqc.write import write_mot

INFO = "[Sequence]\nname=walk\nframeRate=25\nseqLength=9\nimWidth=640\nimHeight=480\n"
GT17 = "1,7,10,20,30,40,1,1,1\n3,7,11,20.25,30,40,0,3,0.25\n2,9,1,1,5.1,5,1,8,0\n"
GT15 = "1,7,10,20,30,40,1,-1,-1,-1\n2,7,-11.7,20,30.3,40,0,-1,-1,-1\n"
DETECTED = "1,-1,10,20,30,40,0.75,-1,-1,-1\n1,-1,90.1,20,30,40,17.5,-1,-1,-1\n"
PLACED = "1,7,10,20,30,40,1,-8.5,3,0\n"


def put(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", [GT17, GT15, DETECTED, PLACED])
def test_what_was_read_is_written(tmp_path, text):
    path = put(tmp_path, "in/ann.txt", text)
    put(tmp_path, "in/seqinfo.ini", INFO)
    dataset = read(path)
    (copy,) = write_mot(dataset, tmp_path / "out")
    assert copy == tmp_path / "out/ann/walk/gt/gt.txt"
    assert copy.read_text() == text
    assert (tmp_path / "out/ann/walk/seqinfo.ini").read_text() == INFO
    again = read(tmp_path / "out")
    assert again.annotator_ids.tolist() == ["ann"]
    assert again.image_table.id.tolist() == dataset.image_table.id.tolist()
    assert again.assigned.tolist() == dataset.assigned.tolist()
    assert again.table.xyxy.tolist() == dataset.table.xyxy.tolist()
    assert not list((tmp_path / "out").rglob("*.part"))


def test_annotators_and_sequences_have_folders(tmp_path):
    for who in ("ann", "bob"):
        for sequence in ("day", "night"):
            put(tmp_path, f"in/{who}/{sequence}/gt/gt.txt", GT17)
    put(tmp_path, "in/bob/night/gt/gt.txt", "")
    dataset = read(tmp_path / "in")
    written = write_mot(dataset, tmp_path / "out")
    assert len(written) == 4
    again = read(tmp_path / "out")
    assert len(again) == len(dataset) == 9
    assert again.annotator_ids.tolist() == ["ann", "bob"]
    assert sorted(again.assigned.tolist()) == sorted(dataset.assigned.tolist())


def table(**columns):
    n = len(columns["frame"])
    fixed = {"sequence": "walk", "x1": 9, "y1": 9, "x2": 30, "y2": 30, "annotator": "ann"}
    return pd.DataFrame({**{name: [one] * n for name, one in fixed.items()}, **columns})


def test_frames_from_0_ids_that_are_text_and_other_categories(tmp_path):
    rows = table(
        frame=[0, 1, 1], track_id=["b", "a", "b"], category=["dog", "cat", "dog"], x1=[1, 2, 3]
    )
    (path,) = write_mot(read(rows), tmp_path)
    assert path.read_text().splitlines() == [
        "1,1,2,10,29,21,1,1,1",
        "2,2,3,10,28,21,1,2,1",
        "2,1,4,10,27,21,1,1,1",
    ]
    again = read(tmp_path)
    assert again.category_names[again.table.category].tolist() == ["dog", "cat", "dog"]
    people = write_mot(read(rows), tmp_path / "15", layout="mot15")[0].read_text()
    assert people.splitlines()[0] == "1,1,2,10,29,21,1,-1,-1,-1"


def test_frames_that_begin_late_stay(tmp_path):
    (path,) = write_mot(read(table(frame=[5, 6], category=["car"] * 2)), tmp_path)
    assert [line.split(",")[0] for line in path.read_text().splitlines()] == ["5", "6"]
    assert path.read_text().startswith("5,-1,10,10,21,21,1,3,1")


def test_what_cannot_be_written(tmp_path):
    images = read(pd.DataFrame({"image_id": [1], "x1": [1], "y1": [1], "x2": [2], "y2": [2]}))
    with pytest.raises(TableError, match="no frames of sequences"):
        write_mot(images, tmp_path)
    with pytest.raises(TableError, match="cannot be that of a folder"):
        write_mot(read(table(frame=[1], annotator=["../ann"])), tmp_path)
    with pytest.raises(UnknownNameError, match="mot16"):
        write_mot(read(table(frame=[1])), tmp_path, layout="mot16")
    assert not list(tmp_path.iterdir())


NUMBER = st.floats(-50, 2000).map(lambda x: round(x, 2))
LENGTH = st.floats(0.01, 2000).map(lambda x: round(x, 2) + 0.0)
ROW = st.tuples(st.integers(1, 30), st.integers(-1, 9), NUMBER, NUMBER, LENGTH, LENGTH)


def said(number):
    return str(int(number)) if number.is_integer() else repr(number)


@given(rows=st.lists(ROW, min_size=1, max_size=12, unique_by=lambda row: row[2]))
def test_numbers_come_back_as_they_were(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("mot")
    lines = [
        ",".join([str(frame), str(id), *map(said, box), "1", "-1", "-1", "-1"])
        for frame, id, *box in rows
    ]
    text = "".join(f"{line}\n" for line in lines)
    dataset = read(put(folder, "walk.txt", text), annotator="=ann")
    (copy,) = write_mot(dataset, folder)
    assert len(dataset) == len(rows)
    assert copy.read_text() == text


def test_numbers_of_many_decimals_come_back_up_to_rounding(tmp_path):
    path = put(tmp_path, "walk.txt", f"1,1,{np.pi!r},{np.e!r},{np.pi * 9!r},7.123456789012,0.5\n")
    dataset = read(path, annotator="=ann")
    write_mot(dataset, tmp_path / "out")
    again = read(tmp_path / "out")
    np.testing.assert_allclose(again.table.xyxy, dataset.table.xyxy, rtol=0, atol=1e-12)
