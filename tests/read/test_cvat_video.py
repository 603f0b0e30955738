from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.errors import ReadError
from annqc.read import read
from annqc.read.cvatshapes import Geometry, between
from annqc.read.cvattracks import Track, fill, writes_every_frame
from tests.read.test_cvat import document, kinds


def box(frame, x=0, *, outside=0, keyframe=1, y=0, more=""):
    flags = f'outside="{outside}" occluded="0"' + (
        "" if keyframe is None else f' keyframe="{keyframe}"'
    )
    return f'<box frame="{frame}" {flags} xtl="{x}" ytl="{y}" xbr="{x + 4}" ybr="{y + 2}" {more}/>'


def track(*shapes, id=0, label="cat", more=""):
    return f'<track id="{id}" label="{label}" {more}>{"".join(shapes)}</track>'


def meta(name="walk", size=10, more="", tag="task"):
    frame = "<original_size><width>64</width><height>48</height></original_size>"
    about = f"<name>{name}</name><size>{size}</size><mode>interpolation</mode>"
    return f"<{tag}>{about}{frame}{more}</{tag}>"


def video(*tracks, **about):
    return document(*tracks, meta=meta(**about))


def lefts(dataset):
    frames = dataset.image_table.frame[dataset.table.image].tolist()
    return dict(sorted(zip(frames, dataset.table.xyxy[:, 0].tolist(), strict=True)))


def test_frames_that_are_not_written_are_filled(put):
    shapes = box(1, 0), box(5, 8), box(7, 8, outside=1), box(8, 20)
    dataset = read(put("bob.xml", video(track(*shapes))))
    assert lefts(dataset) == {1: 0, 2: 2, 3: 4, 4: 6, 5: 8, 6: 8, 8: 20, 9: 20}
    frames = dataset.image_table.frame[dataset.table.image]
    drawn = frames[dataset.table.keyframe]
    assert sorted(drawn.tolist()) == [1, 5, 8]
    assert not dataset.issues
    assert dataset.image_table.id.tolist() == [f"walk/{k}" for k in range(10)]
    assert len(dataset.assigned) == 10
    table = dataset.sequence_table
    assert (table.id.tolist(), table.first_frame.tolist(), table.n_frames.tolist()) == (
        ["walk"],
        [0],
        [10],
    )
    assert dataset.n_rows == len(dataset)


def test_frames_are_taken_as_they_stand_where_all_are_written(put):
    shapes = box(1, 0), box(2, 1, keyframe=0), box(3, 9), box(6, 20)
    dataset = read(put("bob.xml", video(track(*shapes))))
    assert lefts(dataset) == {1: 0, 2: 1, 3: 9, 6: 20}
    assert dataset.table.keyframe.tolist() == [True, False, True, True]
    assert kinds(dataset) == {"open_track": 1, "track_gap": 1}


def test_a_last_shape_is_held_to_the_stop_frame(put):
    dataset = read(put("a.xml", video(track(box(7, 3)))))
    assert lefts(dataset) == {7: 3, 8: 3, 9: 3}
    without = document(track(box(2, 0), box(4, 2)))  # nobody knows where the video ends
    assert lefts(read(put("b.xml", without))) == {2: 0, 3: 1, 4: 2}


def test_steps_and_other_first_frames(put):
    first_and_last = "<start_frame>10</start_frame><stop_frame>22</stop_frame>"
    more = f"{first_and_last}<frame_filter>step=3</frame_filter>"
    shapes = box(10, 0), box(19, 9)
    dataset = read(put("a.xml", video(track(*shapes), size=5, more=more)))
    assert dataset.image_table.frame.tolist() == [10, 13, 16, 19, 22]
    assert lefts(dataset) == {10: 0, 13: 3, 16: 6, 19: 9, 22: 9}
    assert (dataset.sequence_table.first_frame[0], dataset.sequence_table.n_frames[0]) == (10, 13)


def test_shapes_on_frames_that_are_not_declared(put):
    dataset = read(put("a.xml", video(track(box(3), box(4, outside=1), box(12), box(-1)))))
    assert lefts(dataset) == {3: 0}
    assert [(i.kind, i.where) for i in dataset.issues] == [
        ("bad_frame", "shape 3"),
        ("bad_frame", "shape 4"),
    ]
    assert "frames 0 to 9" in dataset.issues[0].message
    more = "<stop_frame>9</stop_frame><frame_filter>step=3</frame_filter>"
    dataset = read(put("b.xml", video(track(box(4)), size=4, more=more)))
    assert kinds(dataset)["bad_frame"] == 1
    assert "every 3" in dataset.issues[0].message


def test_a_task_with_some_of_its_frames_is_not_filled(put):
    more = "<start_frame>0</start_frame><stop_frame>99</stop_frame>"
    dataset = read(put("a.xml", video(track(box(3), box(50, 8)), size=2, more=more)))
    assert dataset.image_table.frame.tolist() == [3, 50]
    assert lefts(dataset) == {3: 0, 50: 8}


def test_tracks_that_are_odd(put):
    dataset = read(put("a.xml", video(track(box(3, 3), box(1, 1), box(2, 2), box(4, outside=1)))))
    assert lefts(dataset) == {1: 1, 2: 2, 3: 3}
    assert kinds(dataset) == {"frames_out_of_order": 1}
    dataset = read(put("b.xml", video(track(box(3, keyframe=0), box(4, keyframe=0, outside=1)))))
    assert kinds(dataset) == {"no_keyframe": 1}
    assert len(dataset) == 1
    dataset = read(put("c.xml", video(track(box(3), box(3, 5), box(4, outside=1)))))
    assert kinds(dataset) == {"duplicate_track_box": 1}
    assert len(dataset) == 2
    dataset = read(put("d.xml", video(track(box(3), label=""), track(box("x")), track())))
    assert kinds(dataset)["malformed"] == 2
    assert len(dataset) == 0
    dataset = read(
        put(
            "e.xml",
            video(track(box(1), box(5).replace('xtl="0"', ""), box(7, 8), box(8, outside=1))),
        )
    )
    assert lefts(dataset) == {1: 0, 2: 0, 3: 0, 4: 0, 7: 8}  # nothing is made up after a bad shape


def test_tracks_without_ids_or_keyframes(put):
    text = video(track(box(0, keyframe=None), box(1, outside=1, keyframe=None)) * 2)
    dataset = read(put("a.xml", text.replace('id="0"', "")))
    assert dataset.track_ids.tolist() == [0, 1]
    assert dataset.table.keyframe is None


def test_polygons_between_keyframes():
    one, two = (
        Geometry("polygon", np.array([0.0, 0, 4, 0, 4, 4])),
        Geometry("polygon", np.arange(6.0)),
    )
    assert between(one, two, 0.5).numbers.tolist() == [0, 0.5, 3, 1.5, 4, 4.5]
    other = Geometry("polygon", np.arange(8.0))
    assert between(one, other, 0.5) is one
    turned = [Geometry("box", np.zeros(4), angle) for angle in (350, 10)]
    assert between(*turned, 0.25).rotation == 355
    assert between(*turned[::-1], 0.25).rotation == 5


def test_masks_and_polygons_in_tracks(put):
    polygon = '<polygon frame="0" outside="0" keyframe="1" points="0,0;8,0;8,8"/>'
    last = polygon.replace('frame="0"', 'frame="2"').replace("8,8", "8,12")
    gone = polygon.replace('frame="0" outside="0"', 'frame="3" outside="1"')
    mask = (
        '<mask frame="4" outside="0" keyframe="1" rle="0,2" left="1" top="1" width="2" height="1"/>'
    )
    dataset = read(put("a.xml", video(track(polygon, last, gone), track(mask, id=1), size=6)))
    areas = {0: 32.0, 1: 40.0, 2: 48.0}
    frames = dataset.image_table.frame[dataset.table.image].tolist()
    for row, frame in enumerate(frames):
        if frame in areas:
            x, y = dataset.table.shapes.rings(row)[0].T
            assert abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2 == areas[frame]
    assert sorted(frames) == [0, 1, 2, 4, 5]
    assert sorted(dataset.table.shapes.kind.tolist()) == [1, 1, 1, 2, 2]


def test_a_project_has_a_sequence_a_task(put):
    tasks = "".join(
        meta(
            name="walk",
            size=3,
            more=f"<id>{id}</id><assignee><username>{who}</username></assignee>",
        )
        for id, who in ((5, "ann"), (6, "bob"))
    )
    tracks = (track(box(0), box(1, outside=1), more=f'task_id="{id}"') for id in (5, 6))
    dataset = read(
        put("a.xml", document(*tracks, meta=f"<project><tasks>{tasks}</tasks></project>"))
    )
    names = ["walk (task 5)", "walk (task 6)"]
    assert dataset.sequence_table.id.tolist() == names
    assert len(dataset.image_table) == 6
    assert dataset.table.track.tolist() == [0, 1]
    assert dataset.annotator_ids.tolist() == ["ann", "bob"]
    assert len(dataset.assigned) == 6


def test_jobs_and_sources_name_the_video(put):
    text = document(
        track(box(0), box(1, outside=1)),
        meta=meta(tag="job", size=2) + "<source>clips/t.mp4</source>",
    )
    dataset = read(put("a.xml", text))
    assert dataset.image_table.id.tolist() == ["t/0", "t/1"]


def test_a_file_that_is_called_after_its_video(put):
    assert read(put("bob/walk.xml", video(size=4))).annotator_ids.tolist() == ["bob"]
    assert read(put("bob/ann.xml", video(size=4))).annotator_ids.tolist() == ["ann"]


def test_a_video_on_which_nothing_is_drawn(put):
    dataset = read(put("a.xml", video(size=4)))
    assert len(dataset.image_table) == 4
    assert len(dataset.assigned) == 4
    assert kinds(dataset) == {"no_rows": 1}


def test_numbers_of_frames_that_no_video_has(put):
    with pytest.raises(ReadError, match="more frames"):
        read(put("a.xml", video(track(box(0)), size=10**12)))
    dataset = read(put("b.xml", document(track(box(10**12)))))
    assert kinds(dataset)["malformed"] == 1


def oracle(frames, outside, last, step):
    """Go through the video frame by frame, as one does in the tool."""
    found = []
    for frame in range(frames[0], last + 1, step):
        if frame in frames:
            continue
        before = max(k for k, one in enumerate(frames) if one < frame)
        if outside[before]:
            continue
        if before + 1 < len(frames):
            a, b = frames[before], frames[before + 1]
            found.append((before, before + 1, frame, (frame - a) / (b - a)))
        else:
            found.append((before, before, frame, 0.0))
    return found


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_filling_is_what_going_through_the_frames_gives(data):
    step = data.draw(st.integers(1, 3))
    places = data.draw(
        st.lists(st.integers(0, 15), min_size=1, max_size=6, unique=True).map(sorted)
    )
    outside = data.draw(st.lists(st.booleans(), min_size=len(places), max_size=len(places)))
    last = (places[-1] + data.draw(st.integers(0, 4))) * step
    frames = [place * step for place in places]
    keyframe = np.ones(len(frames), dtype=bool)
    found = fill(Track(np.array(frames), np.array(outside), keyframe), last, step)
    rows = zip(*(column.tolist() for column in found), strict=True)
    assert list(rows) == oracle(frames, outside, last, step)


coordinate = st.floats(-1e4, 1e4)


@settings(max_examples=100, deadline=None)
@given(st.lists(coordinate, min_size=8, max_size=8), st.floats(0, 1))
def test_between_two_boxes_is_on_the_chord(numbers, part):
    one, two = (Geometry("box", np.array(some)) for some in (numbers[:4], numbers[4:]))
    assert between(one, two, 0).numbers.tolist() == one.numbers.tolist()
    np.testing.assert_allclose(between(one, two, 1).numbers, two.numbers, atol=1e-9)
    found = between(one, two, part).numbers
    chord = (1 - part) * one.numbers + part * two.numbers
    np.testing.assert_allclose(found, chord, atol=1e-9)


def test_what_counts_as_written_out():
    def one(frames, outside=(), keyframe=True):
        gone = np.isin(frames, outside)
        return Track(np.array(frames), gone, np.full(len(frames), keyframe)), 1

    assert writes_every_frame([one([0, 9, 18]), one([3, 7], keyframe=False)])
    assert writes_every_frame([one([0, 1, 2, 3, 9])])
    assert not writes_every_frame([one([0, 1, 5, 9])])
    assert not writes_every_frame([one([4])])
    assert writes_every_frame([one([4, 5, 90], outside=[5])])


@pytest.mark.parametrize(
    "name", ["video_0001", "video_0003", "video_0012", "video_0027", "video_0044", "video_0102"]
)
def test_jaad(shared_data, name):
    path = shared_data / "format_fixtures" / "jaad_cvat_video" / f"{name}.xml"
    root = ET.parse(path).getroot()
    expected = [
        (
            k,
            int(shape.get("frame")),
            *(float(shape.get(side)) for side in ("xtl", "ytl", "xbr", "ybr")),
        )
        for k, one in enumerate(root.iter("track"))
        for shape in one
    ]
    dataset = read(path)
    table = dataset.table
    tracks = dataset.tracks_of(table.track).tolist()
    frames = dataset.image_table.frame[table.image].tolist()
    found = [(t, f, *xyxy) for t, f, xyxy in zip(tracks, frames, table.xyxy.tolist(), strict=True)]
    assert found == expected
    assert table.keyframe.all()
    n = int(root.findtext("meta/task/size"))
    assert (len(dataset.image_table), dataset.sequence_table.n_frames.tolist()) == (n, [n])
    assert dataset.image_table.sequence[0] == name
    assert set(Counter(i.kind for i in dataset.issues)) <= {"open_track", "track_gap"}


def test_datumaro_video(shared_data):
    path = (
        shared_data
        / "format_fixtures"
        / "datumaro"
        / "cvat_dataset"
        / "for_video"
        / "annotations.xml"
    )
    dataset = read(path)
    assert lefts(dataset) == {10: 3}
    assert dataset.image_table.id.tolist() == ["t/10", "t/13", "t/16", "t/19"]
    assert dataset.image_table.width.tolist() == [25] * 4
    assert kinds(dataset) == {"unsupported_shape": 2}
