"""A digest changes with everything that a reading would see, and with nothing else."""

from __future__ import annotations

import os
import struct

import pytest

from annqc.errors import ReadError
from annqc.read import read, register_reader
from annqc.read.inputs import inputs_digest, only_built_in
from annqc.read.registry import NO, _readers

CSV = "image_id,xmin,ymin,xmax,ymax,label\n1,0,0,9,9,cat\n"


def _png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\0" * 8


@pytest.fixture
def yolo(tmp_path):
    for folder in ("labels", "images"):
        (tmp_path / "set" / folder).mkdir(parents=True)
    for name in ("a", "b"):
        (tmp_path / f"set/labels/{name}.txt").write_text("0 0.5 0.5 0.2 0.2\n", encoding="utf-8")
        (tmp_path / f"set/images/{name}.png").write_bytes(_png(640, 480))
    (tmp_path / "set/data.yaml").write_text("names: [cat, dog]\n", encoding="utf-8")
    return tmp_path / "set"


def test_content_counts_and_time_does_not(tmp_path):
    file = tmp_path / "ann.csv"
    file.write_text(CSV, encoding="utf-8")
    before = inputs_digest(file)
    os.utime(file, (1, 1))
    assert inputs_digest(file) == before == inputs_digest([str(file)])
    file.write_text(CSV.replace("9,9", "9,8"), encoding="utf-8")
    assert inputs_digest(file) != before


def test_names_count_as_they_name_annotators(tmp_path):
    (tmp_path / "ann.csv").write_text(CSV, encoding="utf-8")
    before = inputs_digest(tmp_path / "*.csv")
    (tmp_path / "ann.csv").rename(tmp_path / "bob.csv")
    assert inputs_digest(tmp_path / "*.csv") != before


def test_files_that_come_and_go_count_in_folders_and_patterns(tmp_path):
    (tmp_path / "ann.csv").write_text(CSV, encoding="utf-8")
    for source in (tmp_path, tmp_path / "*.csv"):
        before = inputs_digest(source)
        (tmp_path / "bob.csv").write_text(CSV, encoding="utf-8")
        assert inputs_digest(source) != before
        (tmp_path / "bob.csv").unlink()
        assert inputs_digest(source) == before
        (tmp_path / "notes.md").write_text("nobody reads this", encoding="utf-8")
        assert inputs_digest(source) == before


def _set_size(folder):
    (folder / "images/a.png").write_bytes(_png(320, 480))


def _drop_image(folder):
    (folder / "images/a.png").rename(folder / "images/other.png")


def _other_names(folder):
    (folder / "data.yaml").write_text("names: [cow, dog]\n", encoding="utf-8")


def _nearer_names(folder):
    (folder / "labels/classes.txt").write_text("cow\ndog\n", encoding="utf-8")


def _other_ending(folder):
    (folder / "images/a.png").rename(folder / "images/a.bmp")


@pytest.mark.parametrize(
    "change", [_set_size, _drop_image, _other_names, _nearer_names, _other_ending]
)
def test_what_lies_beside_yolo_labels_counts(yolo, change):
    before = inputs_digest(yolo / "labels")
    change(yolo)
    assert inputs_digest(yolo / "labels") != before


def test_pixels_do_not_count(yolo):
    before, boxes = inputs_digest(yolo / "labels"), read(yolo / "labels").table.xyxy
    with (yolo / "images/a.png").open("ab") as file:
        file.write(b"other pixels")
    (yolo / "images/unlabelled.png").write_bytes(_png(1, 1))
    assert inputs_digest(yolo / "labels") == before
    assert (read(yolo / "labels").table.xyxy == boxes).all()


@pytest.mark.parametrize("source", ["missing.json", "missing*.json", ""])
def test_what_cannot_be_read_is_told_as_reading_tells_it(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReadError) as of_digest:
        inputs_digest(source)
    with pytest.raises(ReadError) as of_reading:
        read(source)
    assert str(of_digest.value) == str(of_reading.value)


def test_a_reader_of_others_is_noticed():
    assert only_built_in()
    register_reader("mine", suffixes=(".mine",), sniff=lambda _: NO, expects="mine")(lambda *_: [])
    try:
        assert not only_built_in()
    finally:
        del _readers["mine"]


def test_masks_count_where_they_are_read(tmp_path):
    for name in ("Masks/m.png", "work/a.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(_png(640, 480))
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations/a.xml").write_text("<annotation><segm/></annotation>")
    before = [inputs_digest(tmp_path / name) for name in ("Annotations", "work")]
    (tmp_path / "work/a.png").write_bytes(_png(640, 480) + b"1")
    assert inputs_digest(tmp_path / "work") != before[1]
    assert inputs_digest(tmp_path / "Annotations") == before[0]
    (tmp_path / "Masks/m.png").write_bytes(_png(640, 480) + b"1")
    assert inputs_digest(tmp_path / "Annotations") != before[0]
