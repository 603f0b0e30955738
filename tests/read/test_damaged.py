"""Damaged and hostile files: a list of problems or one clear error, soon, and nothing else."""

from __future__ import annotations

import json
import time
import warnings

import numpy as np
import pandas as pd
import pytest

from annqc.errors import ReadError
from annqc.read import read
from annqc.read.cliplines import sniff_lines
from annqc.read.heads import past_prolog, read_head
from annqc.read.registry import EMPTY, NO, SURE
from annqc.read.vertices import ellipse
from annqc.read.xmltext import whole_or_none

BOX = {"x1": 1, "y1": 1, "x2": 5, "y2": 5}
HALF = '{"image_id":"b","category":"\\ud800","x1":1,"y1":1,"x2":5,"y2":5}\n'
SOUND = '{"image_id":"a","category":"c","x1":1,"y1":1,"x2":5,"y2":5}\n'


def kinds(dataset):
    return [(one.kind, one.where) for one in dataset.issues]


def cvat(*shapes, meta="", id="0"):
    image = f'<image id="{id}" name="a" width="99" height="99">{"".join(shapes)}</image>'
    return f"<annotations>{meta}{image}</annotations>"


@pytest.fixture(autouse=True)
def _no_warning_on_the_terminal():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


# Numbers that a float cannot hold, or that leave nothing of a difference


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ('<ellipse label="c" cx="5" cy="5" rx="1e18" ry="3"/>', "out_of_range"),
        ('<ellipse label="c" cx="5" cy="5" rx="1.7e308" ry="3"/>', "out_of_range"),
        ('<ellipse label="c" cx="5" cy="5" rx="3" ry="0"/>', "zero_area"),
        ('<box label="c" xtl="1" ytl="1" xbr="5" ybr="5" rotation="1e400"/>', "non_finite"),
        ('<box label="c" xtl="1" ytl="1" xbr="5" ybr="5" rotation="nan"/>', "non_finite"),
        ('<box label="c" xtl="1" ytl="1" xbr="1.7e308" ybr="5" rotation="30"/>', "out_of_range"),
        (
            '<box label="c" xtl="-1e308" ytl="1" xbr="1e308" ybr="5" rotation="9"/>',
            "out_of_range",
        ),
    ],
)
def test_numbers_too_large_in_cvat_are_listed(put, shape, kind):
    sound = '<box label="c" xtl="1" ytl="1" xbr="5" ybr="5"/>'
    dataset = read(put("a.xml", cvat(shape, sound)), shapes=True)
    assert kinds(dataset)[0] == (kind, "shape 1")
    assert dataset.table.row.tolist() == [2]


@pytest.mark.parametrize("radius", [0.0, 0.001, 5.0, 1e4, 1e6, 1e18, 1e300])
def test_an_ellipse_of_any_size_has_the_area_of_the_curve(radius):
    x, y = (ellipse((0, 0), (radius, 1.0)).T / [[radius or 1], [1]]).astype(float)
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert area == pytest.approx(np.pi if radius else 0, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("9223372036854775807", 2**63 - 1),
        (" 9007199254740993 ", 2**53 + 1),
        ("-3", -3),
        ("7.0", 7),
        ("7.5", None),
        ("1e400", None),
        ("nan", None),
        ("", None),
        (None, None),
        ("9" * 5000, None),
    ],
)
def test_whole_numbers_come_digit_by_digit(text, number):
    assert whole_or_none(text) == number


@pytest.mark.parametrize("id", ["99999999999999999999", "9223372036854775807", "1e300"])
def test_an_image_on_a_frame_that_no_video_has(put, id):
    meta = "<meta><task><size>3</size><mode>interpolation</mode></task></meta>"
    box = '<box label="c" xtl="1" ytl="1" xbr="5" ybr="5"/>'
    dataset = read(put("a.xml", cvat(box, box, meta=meta, id=id)))
    assert kinds(dataset)[:2] == [("bad_frame", "shape 1"), ("bad_frame", "shape 2")]
    assert str(int(float(id))) in dataset.issues[0].message or id in dataset.issues[0].message
    assert (dataset.n_rows, dataset.n_dropped) == (2, 2)
    assert not len(dataset.image_table)
    bare = read(put("b.xml", cvat(meta=meta, id=id)))
    assert kinds(bare)[0] == ("bad_frame", "shape 0")


def test_numbers_of_attributes_keep_their_digits(put):
    label = (
        "<meta><task><labels><label><name>c</name><attributes><attribute><name>n</name>"
        "<input_type>number</input_type></attribute></attributes></label></labels></task></meta>"
    )
    box = '<box label="c" xtl="1" ytl="1" xbr="5" ybr="5"><attribute name="n">{}</attribute></box>'
    texts = ["9007199254740993", "-4"]
    dataset = read(put("a.xml", cvat(*map(box.format, texts), meta=label)))
    assert dataset.table.extra["n"].tolist() == [2**53 + 1, -4]


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (
            {
                "item": {"name": "a.jpg"},
                "annotations": [
                    {"name": "c", "bounding_box": {"x": "BIG", "y": 2, "w": 3, "h": 4}}
                ],
            },
            "annotations[0]",
        ),
        (
            {
                "item": {"name": "a.jpg"},
                "annotations": [{"name": "c", "polygon": {"paths": [[{"x": 1, "y": 2}, None]]}}],
            },
            "annotations[0]",
        ),
        (
            {"shapes": [{"label": "c", "points": [[1, 2], ["BIG", 3]], "shape_type": "circle"}]}
            | {"imagePath": "a.jpg"},
            "object 1",
        ),
    ],
)
def test_json_of_one_image_with_a_bad_vertex(put, document, where):
    text = json.dumps(document).replace('"BIG"', "1e400")
    dataset = read(put("a.json", text))
    assert [one.where for one in dataset.issues if one.severity == "dropped"] == [where]
    assert dataset.issues[0].kind == ("malformed" if "null" in text else "non_finite")


def test_a_circle_whose_radius_no_float_holds(put):
    points = [[-1.7e308, 0], [1.7e308, 1]]
    shapes = [{"label": "c", "points": points, "shape_type": "circle"}]
    dataset = read(put("a.json", json.dumps({"shapes": shapes, "imagePath": "a.jpg"})))
    assert kinds(dataset)[0][0] == "non_finite"


# Text with half a character in it


def test_half_a_character_in_json_lines_is_listed(put):
    dataset = read(put("a.jsonl", SOUND + HALF))
    assert kinds(dataset) == [("malformed", "line 2")]
    assert "half a character" in dataset.issues[0].message
    assert dataset.annotations["category"].tolist() == ["c"]


@pytest.mark.parametrize("line", [HALF, '{"image_id":"a","polygon":"\\ud800"}\n'])
def test_nothing_but_half_a_character(put, line):
    with pytest.raises(ReadError, match="no line of the file is sound") as caught:
        read(put("a.jsonl", line))
    assert "half a character" in caught.value.found


def test_half_a_character_behind_a_number_that_no_float_holds(put):
    text = '[{"labels": [1e400], "videoName": "v", "name": "\\ud800"}]'
    with pytest.raises(ReadError, match="half a character"):
        read(put("a.json", text), format="scalabel")
    darwin = '{"item": {"name": "a", "n": 1e400, "m": "\\ud800"}, "annotations": []}'
    with pytest.raises(ReadError, match="half a character"):
        read(put("b.json", darwin), format="darwin")


@pytest.mark.parametrize(
    "column", ["image_id", "category", "annotator", "track_id", "note", "polygon"]
)
def test_half_a_character_in_memory_is_refused(column):
    row = {"image_id": "a", "category": "c", "annotator": "x", "track_id": "t", **BOX}
    if column == "polygon":
        row = {name: value for name, value in row.items() if name not in BOX}
    frame = pd.DataFrame([row, row | {column: "\ud800"}], dtype=object)
    with pytest.raises(ReadError, match="half a character") as caught:
        read(frame)
    assert caught.value.where == f"<table>, column {column!r}, row 1"


def test_half_a_character_that_the_user_gives(put):
    with pytest.raises(ReadError, match="half a character"):
        read(put("a.jsonl", SOUND), annotator="=\ud800")


# Frames


def test_a_frame_without_a_sequence_and_a_sequence_without_an_image(put):
    one = {"image_id": "a", "frame": 1, **BOX}
    two = {"image_id": "a", "frame": 0, "sequence": 5, **BOX, "x2": 9}
    dataset = read(put("a.jsonl", f"{json.dumps(one)}\n{json.dumps(two)}\n"))
    assert len(dataset.table) == 2


@pytest.mark.parametrize("sequence", [{}, {"sequence": "s"}])
@pytest.mark.parametrize("frame", [-1, -7, 2**63 - 1, 10**30])
def test_frames_that_no_video_has_in_tables(put, sequence, frame):
    one = {"image_id": "a", "sequence": "s", "frame": 0, "track_id": 4, **BOX}
    two = {"image_id": "b", "frame": frame, "track_id": 4, **BOX, **sequence}
    dataset = read(put("a.jsonl", f"{json.dumps(one)}\n{json.dumps(two)}\n"))
    assert kinds(dataset) == [("bad_frame", "line 2")]
    assert str(frame) in dataset.issues[0].message
    assert dataset.image_table.frame.tolist() == [0]


# Few bytes that stand for millions of frames


def track(number, frames):
    boxes = "".join(
        f'<box frame="{frame}" outside="0" keyframe="1" xtl="1" ytl="2" xbr="3" ybr="4"/>'
        for frame in frames
    )
    return f'<track id="{number}" label="c">{boxes}</track>'


@pytest.mark.parametrize("n", [3, 200])
def test_tracks_that_leave_millions_of_frames_are_refused_at_once(put, n):
    meta = "<meta><task><size>1000000</size><mode>interpolation</mode></task></meta>"
    tracks = "".join(track(number, (0, 999_999)) for number in range(n))
    path = put("a.xml", f"<annotations>{meta}{tracks}</annotations>")
    start = time.perf_counter()
    with pytest.raises(ReadError, match="more frames to be interpolated") as caught:
        read(path)
    assert time.perf_counter() - start < 1
    assert caught.value.found.startswith(f"{n * 999_998:,}, of which 999,998 are of track 0, ")


@pytest.mark.parametrize("n", [1, 3])
def test_tasks_of_more_frames_than_any_video_has(put, n):
    size = 1_000_001 // n + 1
    task = f"<task><id>1</id><size>{size}</size><mode>interpolation</mode></task>"
    meta = f"<meta><project><tasks>{task * n}</tasks></project></meta>"
    with pytest.raises(ReadError, match="more frames than any video has"):
        read(put("a.xml", f"<annotations>{meta}</annotations>"))


def test_a_step_of_thousands_of_digits(put):
    step = f"<frame_filter>step={'9' * 5000}</frame_filter>"
    meta = f"<meta><task><size>3</size>{step}<mode>interpolation</mode></task></meta>"
    box = '<box label="c" xtl="1" ytl="1" xbr="5" ybr="5"/>'
    dataset = read(put("a.xml", cvat(box, meta=meta)))
    assert len(dataset.table) == 1
    assert dataset.image_table.id.tolist() == ["a/0"]


def test_a_stray_frame_number_is_cheap(put):
    lines = "".join(f"{f},{t},10,20,30,40\n" for t in range(1, 51) for f in (1, 999_999))
    path = put("a.txt", lines)
    start = time.perf_counter()
    dataset = read(path)
    assert time.perf_counter() - start < 12
    assert len(dataset.image_table) == 999_999
    gaps = [one.message for one in dataset.issues if one.kind == "track_gap"]
    assert len(gaps) == 50
    assert gaps[0].endswith(
        "is not drawn on 999997 frames between its first and its last: 2 to 999998"
    )


def test_many_stray_frame_numbers_are_refused_at_once(put, tmp_path):
    for k in range(6):
        put(f"{k}.txt", "1,1,10,20,30,40\n999999,1,10,20,30,40\n")
    start = time.perf_counter()
    with pytest.raises(ReadError, match="more frames than can be read at once") as caught:
        read(tmp_path, format="mot")
    assert time.perf_counter() - start < 1
    assert caught.value.found == "5,999,994, of which 999,999 are of '0'"


def test_videos_of_millions_of_frames_in_coco(put):
    videos = [{"id": k, "name": f"v{k}", "length": 600_000} for k in range(3)]
    document = {"videos": videos, "annotations": [], "categories": []}
    dataset = read(put("a.json", json.dumps(document)), format="cocovideo")
    assert kinds(dataset)[:2] == [("malformed", "videos[1]"), ("malformed", "videos[2]")]
    assert len(dataset.image_table) == 600_000


# Names of folders, document types, and what is in sight


def test_two_dots_are_nobody(put, tmp_path, monkeypatch):
    put("alice/drawn/0001.txt", "1,1,10,20,30,40\n")
    put("alice/1.json", json.dumps([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}]))
    monkeypatch.chdir(tmp_path / "alice" / "drawn")
    (tmp_path / "alice" / "0001.txt").write_text("1,1,10,20,30,40\n")
    assert read("../0001.txt").annotator_ids.tolist() == ["alice"]
    assert read("../drawn/0001.txt").annotator_ids.tolist() == ["drawn"]
    assert read("../1.json", annotator="parent").annotator_ids.tolist() == ["alice"]


@pytest.mark.parametrize("before", ["", '<?xml version="1.0"?>\n', "<!-- a <b> --> "])
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>',
        '<!DOCTYPE annotations [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        "<!DOCTYPE annotations>",
    ],
)
def test_a_document_type_is_named_as_the_reason(put, before, doctype):
    with pytest.raises(ReadError, match="has a document type"):
        read(put("a.xml", before + doctype + cvat()))
    with pytest.raises(ReadError, match="has a document type"):
        read(put("a.xml", before + doctype + cvat()), format="cvat")


def test_a_web_page_is_no_xml_with_a_document_type(put):
    with pytest.raises(ReadError, match="format of this file is not known"):
        read(put("a.xml", "<!DOCTYPE html><html></html>"))


@pytest.mark.parametrize("text", [" " * 32_000 + "x", "<??>" * 8_000, "<!---->" * 4_000 + "<a>"])
def test_a_prolog_of_any_length_is_passed_soon(put, text):
    start = time.perf_counter()
    with pytest.raises(ReadError, match="not known"):
        read(put("a.xml", text))
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<a/>", "<a/>"),
        (" \n<?xml?><!--a--> <!-- <b> --><a/>", "<a/>"),
        ("<?xml", ""),
        ("<!-- <a/>", ""),
        ("<!--><a/>", ""),
        ("", ""),
    ],
)
def test_past_the_prolog(text, rest):
    assert past_prolog(text) == rest


@pytest.mark.parametrize(
    ("text", "sure"), [("y\ny\n", SURE), ("y\nn\n", NO), ("\n \n", EMPTY), ("", EMPTY), ("n", NO)]
)
def test_most_lines_decide(put, text, sure):
    assert sniff_lines(read_head(put("a.txt", text)), "y".__eq__) == sure
    assert sniff_lines(read_head(put("a.csv", text)), "y".__eq__) == NO
