from __future__ import annotations

import codecs
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.errors import ReadError
from annqc.read import formats, read

INFO = "[Sequence]\nname={}\nframeRate=25\nseqLength={}\nimWidth=640\nimHeight=480\nimExt=.jpg\n"
GT17 = "1,7,10,20,30,40,1,1,1\n3,7,11,20,30,40,0,3,0.25\n2,9,1,1,5,5,1,8,0\n"


def kinds(dataset):
    return [(i.where, i.kind) for i in dataset.issues]


def test_ground_truth_of_mot17(put):
    put("MOT/walk/seqinfo.ini", INFO.format("walk", 5))
    dataset = read(put("MOT/walk/gt/gt.txt", GT17))
    table = dataset.table
    assert table.xyxy.tolist() == [[9, 19, 39, 59], [10, 19, 40, 59], [0, 0, 5, 5]]
    assert table.ignored.tolist() == [False, True, False]
    assert dataset.tracks_of(table.track).tolist() == [7, 7, 9]
    assert dataset.category_names[table.category].tolist() == ["pedestrian", "car", "distractor"]
    assert table.extra["visibility"].tolist() == [1, 0.25, 0]
    assert np.isnan(table.score).all()
    assert table.keyframe is None
    images = dataset.image_table
    assert images.id.tolist() == [f"walk/{k}" for k in (1, 2, 3, 4, 5)]
    assert images.frame.tolist() == [1, 2, 3, 4, 5]
    assert set(images.sequence.tolist()) == {"walk"}
    assert (images.width[0], images.height[0]) == (640, 480)
    assert images.frame[table.image].tolist() == [1, 3, 2]
    assert dataset.assigned.tolist() == [[0, k] for k in range(5)]
    (video,) = dataset.sequence_table.id.tolist()
    assert (video, dataset.sequence_table.n_frames[0]) == ("walk", 5)
    assert dataset.sequence_table.frame_rate[0] == 25
    assert dataset.annotator_ids.tolist() == ["MOT"]
    assert [(i.kind, i.where) for i in dataset.issues] == [("track_gap", "line 2")]


def test_mot15_and_results(put):
    gold = read(put("a.gt.txt", "1,1,5,5,9,9,1,-1,-1,-1\n2,1,5,6,9,9,0,-1,-1,-1\n"))
    assert gold.table.ignored.tolist() == [False, True]
    assert np.isnan(gold.table.score).all()
    assert gold.annotator_ids.tolist() == ["gt"]
    results = read(put("b.txt", "1,1,5,5,9,9,0.75,-1,-1,-1\n2,1,5,6,9,9,1,-1,-1,-1\n"))
    assert results.table.score.tolist() == [0.75, 1]
    assert not results.table.ignored.any()
    assert set(results.category_names) == {"pedestrian"}
    found = read(put("det/det.txt", "1,-1,5,5,9,9,17.5\n1,-1,50,5,9,9,-2\n"))
    assert found.table.track is None
    assert found.table.score.tolist() == [17.5, -2]
    assert found.annotator_ids.tolist() == ["det"]
    mixed = read(put("c.txt", "1,-1,5,5,9,9\n1,4,50,5,9,9\n"))
    assert mixed.tracks_of(mixed.table.track).tolist() == [None, 4]
    assert np.isnan(mixed.table.score).all()
    placed = read(put("d.txt", "1,1,5,5,9,9,1,-8.5,3,0\n"))
    assert placed.table.extra["world_x"].tolist() == [-8.5]
    assert not placed.table.ignored.any()


def test_labels_beside_the_file_name_the_classes(put):
    put("seq/gt/labels.txt", "dog\ncat\n")
    path = put("seq/gt/gt.txt", "1,1,5,5,9,9,1,2,1\n1,2,15,5,9,9,1,7,1\n")
    assert read(path).category_names.tolist() == ["cat", "7"]
    named = read(path, categories={2: "lynx", 7: "owl"})
    assert named.category_names[named.table.category].tolist() == ["lynx", "owl"]
    assert [i.kind for i in read(path, categories={2: "lynx"}).issues] == ["unknown_category"]


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("1,2,3", "malformed", "9 numbers as on the lines before, found 3"),
        ("1,2,3,4,5,6,1,1,1,1,1", "malformed", "found 11"),
        ("1,2,x,4,5,6,1,1,1", "malformed", "found 'x'"),
        ("1,2,,4,5,6,1,1,1", "malformed", "found ''"),
        ("1,2,1_0,4,5,6,1,1,1", "malformed", "found '1_0'"),
        ("1.5,2,3,4,5,6,1,1,1", "malformed", "whole number as frame, found 1.5"),
        ("nan,2,3,4,5,6,1,1,1", "malformed", "whole number as frame, found nan"),
        ("1,2.5,3,4,5,6,1,1,1", "malformed", "whole number as id"),
        ("1,1e300,3,4,5,6,1,1,1", "malformed", "whole number as id"),
        ("1,-2,3,4,5,6,1,1,1", "malformed", "-1 for no track"),
        ("1,2,3,4,5,6,1,1.5,1", "malformed", "whole number as class"),
        ("1,2,3,4,5,6,1,-3,1", "malformed", "a class from 0 on"),
        ("0,2,3,4,5,6,1,1,1", "bad_frame", "from 1 to 9, found 0"),
        ("-4,2,3,4,5,6,1,1,1", "bad_frame", "found -4"),
        ("10,2,3,4,5,6,1,1,1", "bad_frame", "found 10"),
        ("1,2,nan,4,5,6,1,1,1", "non_finite", ""),
        ("1,2,3,4,inf,6,1,1,1", "non_finite", ""),
        ("1,2,3,4,0,6,1,1,1", "zero_size", ""),
        ("1,2,3,4,-5,6,1,1,1", "negative_size", ""),
        ("1,2,700,4,5,6,1,1,1", "outside_image", ""),
        ("1,2,1e12,4,5,6,1,1,1", "out_of_range", ""),
    ],
)
def test_bad_lines_are_listed(put, line, kind, words):
    put("seqinfo.ini", INFO.format("walk", 9))
    dataset = read(put("ann.txt", f"1,1,10,20,30,40,1,1,1\n{line}\n2,1,10,20,30,40,1,1,1\n"))
    (issue,) = dataset.issues
    assert (issue.kind, issue.where, issue.severity) == (kind, "line 2", "dropped")
    assert words in issue.message
    assert (dataset.n_rows, len(dataset)) == (3, 2)
    assert dataset.image_table.frame.tolist() == list(range(1, 10))
    assert dataset.annotator_ids.tolist() == ["ann"]


def test_frames_that_no_video_has(put):
    dataset = read(put("a.txt", "1,1,10,20,30,40\n9999999999,1,10,20,30,40\n"))
    assert kinds(dataset) == [("line 2", "bad_frame")]
    assert len(dataset.image_table) == 1


def test_blank_lines_do_not_shift_line_numbers(put):
    dataset = read(put("a.txt", "\n1,1,10,20,30,40\n\n \n0,1,10,20,30,40,\n2,1,10,20,30,40,\n"))
    assert kinds(dataset) == [("line 5", "bad_frame")]
    assert dataset.table.row.tolist() == [2, 6]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.strip().encode(),
    ],
)
def test_encodings_and_ends_of_lines(put, encode):
    dataset = read(put("a.txt", encode(GT17)))
    assert dataset.table.xyxy.tolist() == read(put("b.txt", GT17)).table.xyxy.tolist()
    assert dataset.table.row.tolist() == [1, 2, 3]


def test_files_that_are_no_text_or_something_else(put):
    with pytest.raises(ReadError, match="not UTF-8 text"):
        read(put("a.txt", GT17.encode() + b"\xff\xfe\xfa"), format="mot")
    with pytest.raises(ReadError, match="no line of the file is MOTChallenge") as caught:
        read(put("b.txt", "hello\nworld\n"), format="mot")
    assert caught.value.found == "'hello'"
    path = put("c/a.txt", GT17)
    put("c/seqinfo.ini", "name=walk")
    with pytest.raises(ReadError, match="cannot be read"):
        read(path)
    for bad in ("many", "-3", "1e99"):
        put("c/seqinfo.ini", INFO.format("walk", bad))
        with pytest.raises(ReadError, match="seqLength of the sequence cannot be"):
            read(path)


def test_a_truncated_file(put):
    dataset = read(put("a.txt", GT17[: GT17.index("0,3,0.25")]))
    assert kinds(dataset) == [("line 2", "malformed")]
    assert len(dataset) == 1


def test_an_empty_file(put, tmp_path):
    put("in/seqinfo.ini", INFO.format("walk", 3))
    empty = read(put("in/ann.txt", ""), format="mot")
    assert [i.kind for i in empty.issues] == ["no_rows"]
    assert (len(empty), len(empty.assigned), empty.annotator_ids.tolist()) == (0, 3, ["ann"])
    put("in/bob.txt", GT17)
    both = read(tmp_path / "in")
    assert both.annotator_ids.tolist() == ["ann", "bob"]
    assert len(both.assigned) == 6


def test_files_about_one_sequence_share_its_frames(put, tmp_path):
    put("in/seqinfo.ini", INFO.format("walk", 4))
    put("in/ann.txt", GT17)
    put("in/bob.txt", "2,1,9,9,9,9\n")
    dataset = read(tmp_path / "in")
    assert len(dataset.image_table) == 4
    assert dataset.assigned.tolist() == [[a, k] for a in (0, 1) for k in range(4)]
    # The same id of two annotators is two tracks.
    put("in/cy.txt", "2,1,9,9,9,9\n")
    assert len(read(tmp_path / "in").track_ids) == 4


@pytest.mark.parametrize(
    ("name", "annotator", "sequence", "who"),
    [
        ("set/walk/gt/gt.txt", None, "walk", "set"),
        ("gt/walk/gt/gt.txt", None, "walk", "gt"),
        ("set/walk/det/det.txt", None, "walk", "det"),
        ("set/walk/gt/ann.txt", None, "walk", "ann"),
        ("set/sort/data/walk.txt", None, "walk", "sort"),
        ("set/walk.gt.txt", None, "walk", "gt"),
        ("set/walk/ann.txt", "stem", "walk", "ann"),
        ("set/ann/gt/gt.txt", "parent", "gt", "ann"),
        ("set/ann_walk.txt", r"(?P<annotator>[a-z]+)_(?P<sequence>.+)", "walk", "ann"),
        ("ann/walk/gt/gt.txt", r"(?P<annotator>[^/]+)/(?P<sequence>[^/]+)/gt/gt", "walk", "ann"),
        ("set/ann/gt/gt.txt", r"(?P<annotator>[^/]+)/gt/gt", "gt", "ann"),
    ],
)
def test_names_of_sequences_and_annotators(put, name, annotator, sequence, who):
    dataset = read(put(name, GT17), annotator=annotator)
    assert dataset.image_table.sequence[0] == sequence
    assert dataset.annotator_ids.tolist() == [who]


def test_other_groups_of_a_pattern_are_columns(put):
    path = put("ann_day2_walk.txt", GT17)
    dataset = read(path, annotator=r"(?P<annotator>[a-z]+)_(?P<day>\w+)_(?P<sequence>[a-z]+)")
    assert dataset.table.extra["day"].tolist() == ["day2"] * 3
    assert "sequence" not in dataset.table.extra


def test_sizes_that_the_user_gives(put):
    path = put("walk.txt", GT17)
    assert set(read(path, image_sizes=(80, 60)).image_table.width) == {80}
    assert set(read(path, image_sizes={"walk": (80, 60)}).image_table.height) == {60}


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.txt", "0 0.5 0.5 0.2 0.2\n", "yolo"),
        ("a.txt", "0, 1, 2, 3, 4\n", None),
        ("a.txt", "209.13,111.3,9.5,10,3,4,5,6\n", None),
        ("a.txt", "1,0,5.5,6,7,8\n", "mot"),
        ("a.txt", "1.0,2.0,5.5,6.0,7.0,8.0,-1.0,-1,-1,-1\n", "mot"),
        ("a.txt", "1,-1,5.5,6,7,8\n", "mot"),
        ("a.txt", "frame,id,x,y,w,h\n1,2,3,4,5,6\n", "table"),
        ("a.csv", "image_id,x,y,w,h\n1,2,3,4,5\n", "table"),
    ],
)
def test_what_is_taken_for_what(put, name, content, format):
    path = put(name, content)
    if format is None:
        with pytest.raises(ReadError, match="not known"):
            read(path)
    else:
        assert read(path, image_sizes=(640, 480)).sources[0].format == format
    assert {"mot", "mots", "kitti"} <= set(formats())


NUMBER = st.floats(0.5, 900).map(lambda x: round(x, 2))
LINE = st.tuples(
    st.integers(1, 40), st.integers(-1, 30), NUMBER, NUMBER, NUMBER, NUMBER, st.integers(0, 1)
)


@settings(max_examples=60)
@given(
    rows=st.lists(LINE, min_size=1, max_size=20),
    end=st.sampled_from(["\n", "\r\n", ",\n", "\n\n", " \n"]),
)
def test_what_is_written_is_read(tmp_path_factory, rows, end):
    path = tmp_path_factory.mktemp("mot") / "a.txt"
    lines = [f"{f},{i},{x!r},{y!r},{w!r},{h!r},{c},4,0.5" for f, i, x, y, w, h, c in rows]
    path.write_bytes(end.join([*lines, ""]).encode())
    dataset = read(path, format="mot")
    table = dataset.table
    assert len(table) == len(rows)
    expected = [(x - 1, y - 1, x - 1 + w, y - 1 + h) for _, _, x, y, w, h, _ in rows]
    assert list(map(tuple, table.xyxy.tolist())) == expected
    assert dataset.image_table.frame[table.image].tolist() == [row[0] for row in rows]
    tracks = [-1] * len(rows) if table.track is None else table.track
    ids = [-1 if t < 0 else i for t, i in zip(tracks, dataset.tracks_of(np.array(tracks)))]  # noqa: B905
    assert ids == [row[1] for row in rows]
    assert table.ignored.tolist() == [not row[6] for row in rows]
    assert len(dataset.image_table) == max(row[0] for row in rows)


def test_reading_is_quick_and_needs_no_pandas(put):
    rows = [f"{k % 600 + 1},{k // 600},{k % 977}.25,{k % 83},9,9,1,1,0.5\n" for k in range(122_831)]
    path = put("a.txt", "".join(rows))
    times = []
    for _ in range(3):
        start = time.perf_counter()
        dataset = read(path)
        times.append(time.perf_counter() - start)
    assert (len(dataset), len(dataset.track_ids)) == (122_831, 205)
    assert min(times) < 1.0  # about 0.15 s on a free machine
    code = f"import annqc, sys; annqc.read({str(path)!r}); print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("sign", [" ", ","])
def test_lines_of_digits_that_fit_nothing_are_told_quickly(put, sign):
    line = sign.join(["0", "1", *["123456789"] * 20, "x"])
    start = time.perf_counter()
    with pytest.raises(ReadError, match="not known"):
        read(put("a.txt", f"{line}\n" * 100))
    with pytest.raises(ReadError, match="not known"):
        read(put("b.txt", f"0 1 Car{line[3:]}\n" * 100))
    assert time.perf_counter() - start < 1
