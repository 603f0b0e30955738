from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.errors import TableError
from annqc.ids import ids_array, objects_array
from annqc.read import read
from annqc.simulate import simulate
from annqc.tables import Annotations, Dataset, Images, Shapes
from annqc.write import write_cvat_images, write_cvat_video


def frames(n=6, names=("walk",), step=1):
    keys = [(name, k * step) for name in names for k in range(n)]
    return Images.build(
        ids_array([f"{name}/{k}" for name, k in keys]),
        width=np.full(len(keys), 64),
        height=np.full(len(keys), 48),
        sequence=objects_array([name for name, _ in keys]),
        frame=np.array([k for _, k in keys]),
    )


def dataset(rows, images, *, annotators=("ann",), track_ids=None, **columns):
    """Rows are image, annotator, category, track and left edge."""
    image, annotator, category, track, left = (list(one) for one in zip(*rows, strict=True))
    xyxy = [[x, 1, x + 4.25, 7.125] for x in left]
    table = Annotations.build(
        image=image,
        annotator=annotator,
        category=category,
        xyxy=xyxy,
        track=np.array(track),
        **columns,
    )
    ids = np.arange(max(track) + 1) if track_ids is None else track_ids
    names = ids_array(["cat", "dog"])
    return Dataset(table, images, ids_array(list(annotators)), names, names, track_ids=ids)


def content(data):
    """What is in a dataset, whatever the order."""
    t = data.table
    tracks = [None] * len(t) if t.track is None else data.tracks_of(t.track).tolist()
    key = [True] * len(t) if t.keyframe is None else t.keyframe.tolist()
    return sorted(
        zip(
            data.image_table.id[t.image].tolist(),
            data.annotator_ids[t.annotator].tolist(),
            data.category_names[t.category].tolist(),
            map(str, tracks),
            map(tuple, t.xyxy.tolist()),
            key,
            strict=True,
        )
    )


def test_tracks_come_back(tmp_path):
    rows = [
        (0, 0, 0, 0, 1),
        (1, 0, 0, 0, 2),
        (2, 0, 0, 0, 9.1),
        (5, 0, 1, 1, 1 / 3),
        (4, 0, 1, 0, 5),
    ]
    data = dataset(rows, frames(), keyframe=np.array([1, 0, 1, 1, 1], dtype=bool))
    again = read(write_cvat_video(data, tmp_path / "a.xml"))
    assert content(again) == content(data)
    assert again.image_table.id.tolist() == data.image_table.id.tolist()
    assert again.sequence_table.n_frames.tolist() == [6]
    assert again.annotator_ids.tolist() == ["ann"]
    assert len(again.assigned) == 6
    assert not again.issues


def test_what_cvat_needs_is_there(tmp_path):
    data = dataset([(0, 0, 0, 0, 1), (1, 0, 0, 0, 2), (3, 0, 0, 0, 9)], frames(step=3))
    root = ET.parse(write_cvat_video(data, tmp_path / "a.xml")).getroot()
    about = {one.tag: one.text for one in root.find("meta/task") if one.text and one.text.strip()}
    expected = {
        "name": "walk",
        "size": "6",
        "start_frame": "0",
        "stop_frame": "15",
        "frame_filter": "step=3",
    }
    assert expected.items() <= about.items()
    (track,) = root.iter("track")
    shapes = [(s.get("frame"), s.get("outside"), s.get("keyframe")) for s in track]
    assert shapes == [
        ("0", "0", "1"),
        ("3", "0", "1"),
        ("6", "1", "1"),
        ("9", "0", "1"),
        ("12", "1", "1"),
    ]
    assert [one.text for one in root.iterfind("meta/task/labels/label/name")] == ["cat", "dog"]


def test_several_sequences_and_annotators(tmp_path):
    images = frames(3, ("walk", "run"))
    rows = [(0, 0, 0, 0, 1), (0, 1, 0, 1, 2), (4, 1, 1, 2, 3), (5, 1, 1, 2, 3)]
    ids = objects_array(["7", "7", "x"])
    score = np.array([0.5, np.nan, 0.25, np.nan])
    extra = {"weather": objects_array(["rain", None, "sun", None]), "id_of": np.array([1, 2, 3, 4])}
    data = dataset(rows, images, annotators=("ann", "bob"), track_ids=ids, score=score, extra=extra)
    again = read(write_cvat_video(data, tmp_path / "a.xml"))
    assert content(again) == content(data)
    assert again.image_table.id.tolist() == images.id.tolist()
    assert sorted(again.table.score[~np.isnan(again.table.score)].tolist()) == [0.25, 0.5]
    assert sorted(again.table.extra["id_of"].tolist()) == [1, 2, 3, 4]
    assert set(again.table.extra["weather"].tolist()) == {"rain", "sun", None}


def test_rows_without_tracks_and_repeats(tmp_path):
    rows = [(0, 0, 0, 3, 1), (0, 0, 0, 3, 2), (1, 0, 0, 3, 2), (0, 0, 1, -1, 5), (0, 0, 1, -1, 6)]
    data = dataset(rows, frames(3))
    again = read(write_cvat_video(data, tmp_path / "a.xml"))
    assert again.tracks_of(again.table.track).tolist() == [3, 3, 3, 4, 5]
    assert sorted(again.table.xyxy.tolist()) == sorted(data.table.xyxy.tolist())


def test_crowds_and_ignored_objects(tmp_path):
    rows = [(0, 0, 0, 0, 1), (1, 0, 0, 0, 2)]
    data = dataset(rows, frames(2), crowd=np.array([True, False]), ignored=np.array([False, True]))
    again = read(write_cvat_video(data, tmp_path / "a.xml"))
    assert again.table.crowd.tolist() == [True, False]
    assert again.table.ignored.tolist() == [False, True]


SQUARE = [[2, 2], [12, 2], [12, 12], [2, 12]]
HOLE = [[4, 4], [4, 8], [8, 8], [8, 4]]


@pytest.mark.parametrize("write", [write_cvat_images, write_cvat_video])
def test_outlines_come_back(tmp_path, write):
    polygons = Shapes.from_rings([[SQUARE], [SQUARE, HOLE], None, None])
    runs = np.array([48 * 3 + 2, 3, 45, 4, 48 * 64 - 198])
    masks = Shapes.from_runs([None, None, runs, None], [(0, 0), (0, 0), (48, 64), (0, 0)])
    rows = [(0, 0, 0, 0, 2), (1, 0, 0, 1, 2), (0, 0, 0, 2, 3), (0, 0, 1, 3, 7)]
    data = dataset(rows, frames(2), shapes=Shapes.mixed(polygons, masks))
    again = read(write(data, tmp_path / "a.xml"))
    kind = again.table.shapes.kind.tolist()
    assert sorted(kind) == [0, 1, 2, 2]
    assert again.table.shapes.rings(kind.index(1))[0].tolist() == SQUARE
    found = [again.table.shapes.runs_of(k).tolist() for k, one in enumerate(kind) if one == 2]
    assert runs.tolist() in found
    (other,) = [one for one in found if one != runs.tolist()]
    assert sum(other[1::2]) == 100 - 16


def test_a_polygon_with_a_hole_needs_the_size_of_its_image(tmp_path):
    shapes = Shapes.from_rings([[SQUARE, HOLE]])
    images = Images.build(ids_array(["a"]))
    with pytest.raises(TableError, match="one ring"):
        write_cvat_images(dataset([(0, 0, 0, -1, 2)], images, shapes=shapes), tmp_path / "a.xml")
    assert not list(tmp_path.iterdir())


def test_an_image_is_no_frame(tmp_path):
    work = simulate(["ann"], n_images=2, rng=1).work
    with pytest.raises(TableError, match="about frames"):
        write_cvat_video(work, tmp_path / "a.xml")


def test_images_come_back(tmp_path):
    work = simulate(["ann", "bob"], n_images=5, rng=1).work
    again = read(write_cvat_images(work, tmp_path / "a.xml"))
    assert {one[:3] + one[4:] for one in content(again)} == {
        (f"image_{id}.jpg", *rest) for id, *rest in (one[:3] + one[4:] for one in content(work))
    }
    assert len(again.image_table) == len(work.image_table)


row = st.tuples(
    st.integers(0, 7), st.just(0), st.integers(0, 1), st.integers(0, 2), st.floats(-1e4, 1e4)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=12, unique_by=lambda one: (one[0], one[3])))
def test_whatever_is_drawn_comes_back(tmp_path_factory, rows):
    data = dataset([(k, a, c, t, round(x, 6)) for k, a, c, t, x in rows], frames(8))
    path = tmp_path_factory.mktemp("cvat") / "a.xml"
    again = read(write_cvat_video(data, path))
    kept = {one.where for one in again.issues if one.severity == "dropped"}
    assert len(again) + len(kept) == len(data)
    assert set(content(again)) <= set(content(data))
    assert len(again.image_table) == 8


def test_jaad_comes_back(shared_data, tmp_path):
    data = read(shared_data / "format_fixtures" / "jaad_cvat_video" / "video_0102.xml")
    again = read(write_cvat_video(data, tmp_path / "video_0102.xml"))
    assert content(again) == content(data)
    assert again.image_table.id.tolist() == data.image_table.id.tolist()
    for name, column in data.table.extra.items():
        assert sorted(map(str, again.table.extra[name])) == sorted(map(str, column))
