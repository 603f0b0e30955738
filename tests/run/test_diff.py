"""What changed between two versions: planted edits are found, with exact frames and ids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc import MatchError, ReadError, SpecError
from annqc.ids import ids_array
from annqc.run.diff import diff
from annqc.run.diffrows import KINDS
from annqc.simulate import tracks
from annqc.tables import Annotations, Dataset, Images, Shapes

BOX = ["x1", "y1", "x2", "y2"]


def rows_of(data):
    """The annotations as a table that can be edited and read again."""
    images = data.images[["image_id", "sequence", "frame"]]
    columns = ["annotator", "sequence", "frame", "track_id", "category", *BOX]
    return data.annotations.merge(images, on="image_id")[columns]


@pytest.fixture(scope="module")
def video():
    made = tracks(["ann", "bob"], n_sequences=2, n_tracks=4, n_frames=120, rng=3)
    return rows_of(made.work)


def some(table, *, track=1, first=0, last=10**9, annotator="ann", sequence=None):
    sequence = table["sequence"].iloc[0] if sequence is None else sequence
    return (
        (table["annotator"] == annotator)
        & (table["sequence"] == sequence)
        & (table["track_id"] == track)
        & table["frame"].between(first, last)
    )


def told(made, *columns):
    return made.changes()[["kind", *columns]].values.tolist()


def test_equal_versions_are_identical(video):
    made = diff(video, video)
    assert made.identical
    assert made.untouched == 1.0
    assert len(made.changes()) == len(made.images()) == len(made.renumbered()) == 0
    assert made.summary()["n_annotations"].tolist() == [0] * len(KINDS) + [len(video)]


def test_a_moved_stretch_is_found_with_its_frames(video):
    new = video.copy()
    new.loc[some(new, first=50, last=80), ["x1", "x2"]] += 4.0
    new.loc[some(new, track=2, first=60, last=64), "y2"] += [1, 2, 3, 2, 2]
    made = diff(video, new)
    height = (video["y2"] - video["y1"])[some(new, track=2, first=60, last=64)]
    worst = (height / height.add([1, 2, 3, 2, 2])).min()
    assert made.changes()["iou"].iloc[1] == pytest.approx(worst)
    columns = ("track_id", "first_frame", "last_frame", "n_frames", "edge", "max_px", "mean_px")
    assert told(made, *columns) == [
        ["moved", 1, 50, 80, 31, "all", 4.0, 4.0],
        ["moved", 2, 60, 64, 5, "bottom", 3.0, 2.0],
    ]
    assert not made.identical
    assert made.untouched == pytest.approx(1 - 36 / len(video))
    name = video["sequence"].iloc[0]
    assert made.changes()["text"].tolist() == [
        f"ann, {name}, track 1, frames 50 to 80: box shifted by 4 px",
        f"ann, {name}, track 2, frames 60 to 64: bottom edge moved by up to 3 px",
    ]


def test_deleted_and_added_frames(video):
    gone = some(video, first=60, last=69)
    made = diff(video[~gone], video)
    assert told(made, "new_track_id", "first_frame", "last_frame") == [["added", 1, 60, 69]]
    made = diff(video, video[~gone])
    assert told(made, "track_id", "first_frame", "last_frame") == [["removed", 1, 60, 69]]


def test_an_added_track_is_one_stretch(video):
    other = video[some(video)].assign(track_id=77)
    other[BOX] += 300.0
    made = diff(video, pd.concat([other, video]))
    first, last = other["frame"].min(), other["frame"].max()
    rows = ["new_track_id", "first_frame", "last_frame", "n_frames"]
    assert told(made, *rows) == [["added", 77, first, last, len(other)]]


def test_a_label_that_changes(video):
    new = video.copy()
    new.loc[some(new, first=70, last=75), "category"] = "bicycle"
    made = diff(video, new)
    was = video.loc[some(video), "category"].iloc[0]
    columns = ("first_frame", "last_frame", "category", "new_category")
    assert told(made, *columns) == [["relabelled", 70, 75, was, "bicycle"]]


def test_ids_that_are_swapped_for_a_while(video):
    new = video.copy()
    one, two = (some(new, track=k, first=50, last=70) for k in (1, 2))
    new.loc[one, "track_id"], new.loc[two, "track_id"] = 2, 1
    made = diff(video, new)
    columns = ("track_id", "new_track_id", "first_frame", "last_frame")
    assert sorted(told(made, *columns)) == [
        ["renumbered", 1, 2, 50, 70],
        ["renumbered", 2, 1, 50, 70],
    ]
    assert len(made.renumbered()) == 0
    one, two = (some(video, track=k, first=40) for k in (1, 2))
    new = video.copy()
    new.loc[one, "track_id"], new.loc[two, "track_id"] = 2, 1
    found = diff(video, new).changes()
    assert found["kind"].tolist() == ["renumbered", "renumbered"]
    assert found["first_frame"].tolist() == [40, 40]


def test_a_track_that_was_parted_is_not_identical(video):
    new = video.copy()
    last = new.loc[some(new), "frame"].max()
    new.loc[some(new, last=last - 3), "track_id"] = 50
    made = diff(video, new)
    assert told(made, "first_frame", "last_frame") == [["renumbered", last - 2, last]]
    assert made.changes()["text"].iloc[0].endswith("keeps its id, unlike the rest of the track")
    assert made.renumbered()["new_track_id"].tolist() == [50]


def test_new_ids_for_whole_tracks_change_nothing(video):
    new = video.assign(track_id=100 + (video["track_id"] * 7) % 5)
    made = diff(video, new)
    assert made.identical
    found = made.renumbered()
    assert len(found) == 16
    assert (found["new_track_id"] == 100 + (found["track_id"] * 7) % 5).all()


def test_edits_are_found_under_new_ids_too(video):
    new = video.assign(track_id=video["track_id"] % 4 + 1)
    new.loc[some(video, first=50, last=80), "x2"] += 4.0
    made = diff(video, new)
    assert told(made, "track_id", "new_track_id", "first_frame", "last_frame") == [
        ["moved", 1, 2, 50, 80]
    ]


def test_a_box_that_jumped_far_is_told_by_its_track(video):
    new = video.copy()
    new.loc[some(new, first=60, last=61), BOX] += 700.0
    made = diff(video, new)
    assert told(made, "track_id", "first_frame", "last_frame", "max_px", "iou") == [
        ["moved", 1, 60, 61, 700.0, 0.0]
    ]


def test_a_stretch_ends_where_a_frame_is_as_it_was(video):
    new = video.copy()
    new.loc[some(new, first=50, last=54), "x1"] -= 3.0
    new.loc[some(new, first=56, last=58), "x1"] -= 5.0
    assert told(diff(video, new), "first_frame", "last_frame", "max_px") == [
        ["moved", 50, 54, 3.0],
        ["moved", 56, 58, 5.0],
    ]


def test_tolerance_hides_what_is_within(video):
    new = video.copy()
    new.loc[some(new, first=50, last=59), "x1"] -= 0.8
    new.loc[some(new, first=60, last=63), "x1"] -= 2.0
    made = diff(video, new, tolerance="1 px")
    assert told(made, "first_frame", "last_frame", "max_px") == [["moved", 60, 63, 2.0]]
    assert diff(video, new, tolerance="2 px").identical
    assert diff(video, video.assign(x1=video["x1"] + 0.004)).identical


def test_what_another_annotator_has_now(video):
    new = video.copy()
    taken = some(new, first=50, last=60)
    new.loc[taken, "annotator"] = "bob"
    new.loc[taken, "track_id"] = 9
    columns = (
        "annotator",
        "new_annotator",
        "track_id",
        "new_track_id",
        "first_frame",
        "last_frame",
    )
    assert told(diff(video, new), *columns) == [
        ["reassigned", "ann", "bob", 1, 9, 50, 60],
        ["renumbered", "ann", "bob", 1, 9, 50, 60],
    ]


def test_annotators_of_other_names_are_compared_as_a_whole(video):
    new = video.assign(annotator=video["annotator"].map({"ann": "x", "bob": "y"}))
    made = diff(video, new)
    assert made.identical
    assert made.sides.whole


def test_someone_who_is_gone_is_removed(video):
    made = diff(video, video[video["annotator"] == "ann"])
    found = made.changes()
    assert set(found["kind"]) == {"removed"}
    assert set(found["annotator"]) == {"bob"}
    assert found["n_frames"].sum() == (video["annotator"] == "bob").sum()


def still(boxes, images=None, *, labels=None, ids=None, who="ann", **columns):
    """A table of images, one box a row."""
    n = len(boxes)
    frame = pd.DataFrame(np.asarray(boxes, dtype=float).reshape(-1, 4), columns=BOX)
    frame["file_name"] = images if images is not None else ["a.jpg"] * n
    frame["category"] = labels if labels is not None else "cat"
    frame["annotation_id"] = ids if ids is not None else range(501, 501 + n)
    return frame.assign(annotator=who, **columns)


ONE = [[0, 0, 10, 10], [100, 0, 130, 30], [0, 100, 20, 120]]


def test_images_are_told_annotation_by_annotation():
    moved = [[0, 0, 10, 12], [100, 0, 130, 30], [200, 200, 210, 210]]
    made = diff(still(ONE), still(moved, labels=["cat", "dog", "cat"], ids=[501, 502, 504]))
    found = made.changes().set_index("kind")
    assert found["text"].tolist() == [
        "image a.jpg, cat (annotation 501): bottom edge moved by 2 px",
        "image a.jpg, cat (annotation 503): removed",
        "image a.jpg, cat (annotation 502): cat is now dog",
        "image a.jpg, cat (annotation 504): added",
    ]
    assert found["first_frame"].isna().all()
    assert found.loc["moved", "iou"] == pytest.approx(10 / 12)


def test_an_id_that_holds_tells_a_box_that_went_elsewhere():
    far = [[400, 400, 410, 410], *ONE[1:]]
    assert told(diff(still(ONE), still(far)), "max_px") == [["moved", 400.0]]
    other = still(far, ids=[9, 502, 503])
    assert {one[0] for one in told(diff(still(ONE), other))} == {"removed", "added"}


def test_the_id_tells_under_other_annotator_names_too():
    far = [[400, 400, 410, 410], *ONE[1:]]
    made = diff(still(ONE, who="ann"), still(far, who="bob"))
    assert told(made, "max_px") == [["moved", 400.0]]


def test_ids_that_do_not_hold_elsewhere_tell_nothing():
    old = still([[0, 0, 10, 10], [4, 0, 14, 10], *ONE[1:]], ids=[1, 2, 3, 4])
    new = still([[0, 1, 10, 11], [4, 1, 14, 11], *ONE[1:]], ids=[2, 1, 4, 3])
    made = diff(old, new)
    assert told(made, "annotation_id", "new_annotation_id", "max_px") == [
        ["moved", 1, 2, 1.0],
        ["moved", 2, 1, 1.0],
    ]
    assert made.n_renumbered_ids == 4


def test_tracks_that_cross_stay_apart_where_all_moved():
    frame = np.arange(60)
    rows = []
    for track, x in ((1, 2.0 * frame), (2, 118.0 - 2.0 * frame)):
        rows.append(pd.DataFrame({"frame": frame, "track_id": track, "x1": x, "x2": x + 50}))
    old = pd.concat(rows).assign(y1=0.0, y2=50.0, sequence="s", category="cat", annotator="ann")
    new = old.assign(track_id=old["track_id"] + 10)
    for edge in ("x1", "x2"):  # later than the other, by more than the way to the wrong one
        new[edge] += np.where(new["track_id"] == 11, 7.0, -7.0)
    made = diff(old, new.sample(frac=1, random_state=1))
    assert [one[:3] for one in told(made, "track_id", "new_track_id", "n_frames")] == [
        ["moved", 1, 11],
        ["moved", 2, 12],
    ]


def test_images_of_one_version_alone_are_told_apart():
    old = still(ONE, ["a.jpg", "a.jpg", "b.jpg"])
    new = still(ONE[:2], ["a.jpg", "a.jpg"])
    made = diff(old, new)
    assert made.images()[["kind", "file_name", "n_annotations"]].values.tolist() == [
        ["images_removed", "b.jpg", 1]
    ]
    assert told(made, "file_name") == [["removed", "b.jpg"]]
    assert diff(new, old).images()["kind"].tolist() == ["images_added"]


def shaped(rings, ids=(1, 2)):
    shapes = Shapes.from_rings(rings)
    xyxy = [[*np.min(one[0], axis=0), *np.max(one[0], axis=0)] for one in rings]
    n = len(rings)
    zero = np.zeros(n, dtype=np.int64)
    table = Annotations.build(image=zero, annotator=zero, category=zero, xyxy=xyxy, shapes=shapes)
    name = ids_array(["x"])
    table = replace(table, id=np.array(ids[:n]))
    return Dataset(table, Images.build(name), name, name, name)


def test_an_outline_that_changed_within_its_box():
    square = [[0, 0], [10, 0], [10, 10], [0, 10]]
    corner = [[0, 0], [10, 0], [10, 10], [5, 10], [0, 5]]
    away = [[x + 50, y] for x, y in square]
    made = diff(shaped([[square], [away]]), shaped([[corner], [away]]))
    found = made.changes()
    assert found["kind"].tolist() == ["outline"]
    assert found["iou"].iloc[0] == pytest.approx(0.875)
    assert diff(shaped([[square]]), shaped([[[[0, 0], [12, 0], [12, 9]]]])).changes()[
        "kind"
    ].tolist() == ["moved"]
    turned = [square[2:] + square[:2]]
    assert diff(shaped([[square]]), shaped([turned])).identical


def test_marks_are_compared():
    old, new = shaped([[[[0, 0], [9, 0], [9, 9]]]]), shaped([[[[0, 0], [9, 0], [9, 9]]]])
    new = replace(new, table=replace(new.table, crowd=np.array([True])))
    made = diff(old, new)
    assert made.changes()["text"].str.endswith("marked crowd now").tolist() == [True]
    assert not made.identical


def test_tracks_that_end_with_the_only_box_of_a_frame():
    old = pd.DataFrame({"frame": range(20), "x1": 0.0, "y1": 0.0, "x2": 9.0, "y2": 9.0})
    old = old.assign(sequence="s", track_id=4, category="cat", annotator="ann")
    made = diff(old, old[old["frame"] < 15])
    assert told(made, "first_frame", "last_frame") == [["removed", 15, 19]]
    assert made.images()["frame"].tolist() == [15, 16, 17, 18, 19]


def test_nothing_in_common_is_an_error():
    with pytest.raises(MatchError, match="no image in common") as error:
        diff(still(ONE), still(ONE, ["z.jpg"] * 3))
    assert "older version" in str(error.value)
    assert "reference" not in str(error.value)


def test_an_empty_version_is_compared():
    empty = still(ONE).iloc[:0]
    assert {one[0] for one in told(diff(still(ONE), annqc.read(empty)))} == {"removed"}
    assert diff(annqc.read(empty), annqc.read(empty)).identical


def test_wrong_calls_are_refused():
    with pytest.raises(SpecError, match="tolerance"):
        diff(still(ONE), still(ONE), tolerance="4")
    with pytest.raises(ReadError):
        diff("no-such-file.json", still(ONE))


def test_an_independent_annotation_of_one_video(shared_data):
    folder = shared_data / "mot_relabelled"
    made = diff(folder / "MOT15-ADL-Rundle-8.gt.txt", folder / "MOT17-10.gt.txt")
    found = made.changes()
    assert len(found) < 200
    assert made.untouched < 0.001
    counts = made.summary().set_index("kind")["n_annotations"]
    assert counts["removed"] == 0
    assert counts["moved"] + counts["untouched"] == 6783


def test_planted_edits_of_a_real_video(shared_data):
    folder = shared_data / "mot_relabelled"
    old = annqc.read(folder / "MOT17-09.gt.txt")
    frame = old.image_table.frame[old.table.image]
    track = np.array(old.tracks_of(old.table.track), dtype=np.int64)
    xyxy = old.table.xyxy.copy()
    xyxy[(track == 1) & (frame >= 50) & (frame <= 80), 2] += 4
    kept = ~((track == 8) & (frame >= 200) & (frame < 210))
    table = replace(old.table, xyxy=xyxy).take(kept)
    made = diff(old, replace(old, table=replace(table, id=np.arange(1, len(table) + 1))))
    assert told(made, "track_id", "first_frame", "last_frame") == [
        ["moved", 1, 50, 80],
        ["removed", 8, 200, 209],
    ]
