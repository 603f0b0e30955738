from __future__ import annotations

import json
from collections import Counter

import pytest

from annqc.errors import ReadError
from annqc.read import read
from annqc.write import write_coco

MASK = {"size": [4, 5], "counts": [5, 2, 2, 2, 9]}
RING = [[1, 1, 3, 1, 3, 2]]


def video(id=1, n=3, **more):
    return {
        "id": id,
        "width": 5,
        "height": 4,
        "file_names": [f"v{id}/{5 * k}.jpg" for k in range(n)],
        **more,
    }


def thing(id=7, bboxes=([1, 1, 2, 2], None, [1, 1, 1, 1]), **more):
    return {"id": id, "video_id": 1, "category_id": 2, "iscrowd": 0, "bboxes": bboxes, **more}


def document(*things, videos=None, **more):
    videos = [video()] if videos is None else videos
    categories = [{"id": 2, "name": "cat"}]
    return json.dumps({"videos": videos, "annotations": things, "categories": categories, **more})


def kinds(dataset):
    return Counter(issue.kind for issue in dataset.issues)


def test_one_row_a_frame(put):
    path = put(
        "bob.json", document(thing(), thing(8, [None, [0, 0, 1, 4], None], iscrowd=1, skin="red"))
    )
    dataset = read(path)
    assert dataset.sources[0].format == "cocovideo"
    assert dataset.table.xyxy.tolist() == [[1, 1, 3, 3], [1, 1, 2, 2], [0, 0, 1, 4]]
    assert dataset.image_table.id.tolist() == ["1/0", "1/1", "1/2"]
    assert dataset.image_table.frame.tolist() == [0, 1, 2]
    assert dataset.image_table.file_name.tolist() == ["v1/0.jpg", "v1/5.jpg", "v1/10.jpg"]
    assert dataset.image_table.width.tolist() == [5] * 3
    assert dataset.tracks_of(dataset.table.track).tolist() == [7, 7, 8]
    assert dataset.table.crowd.tolist() == [False, False, True]
    assert dataset.table.extra["skin"].tolist() == [None, None, "red"]
    assert dataset.sequence_table.n_frames.tolist() == [3]
    assert len(dataset.assigned) == 3
    assert dataset.category_names.tolist() == ["cat"]
    assert dataset.table.shapes is None
    assert not dataset.issues  # null says that the object is not there: no gap


def test_outlines_where_asked_for_or_needed(put):
    both = thing(segmentations=[MASK, None, RING])
    path = put("a.json", document(both))
    assert read(path).table.shapes is None
    dataset = read(path, shapes=True)
    assert dataset.table.shapes.kind.tolist() == [2, 1]
    boxless = thing(bboxes=None, segmentations=[None, MASK, RING])
    dataset = read(put("b.json", document(boxless)))
    assert dataset.table.xyxy.tolist() == [[1, 1, 3, 3], [1, 1, 3, 2]]


def test_a_list_of_results(put):
    results = [
        {"video_id": 4, "score": 0.5, "category_id": 2, "segmentations": [None, MASK, None]},
        {"video_id": 4, "score": 0.75, "category_id": 2, "segmentations": [MASK, MASK, None]},
    ]
    dataset = read(put("a.json", json.dumps(results)))
    assert dataset.table.score.tolist() == [0.5, 0.75, 0.75]
    assert dataset.image_table.id.tolist() == ["4/0", "4/1", "4/2"]
    assert dataset.image_table.height.tolist() == [4] * 3
    assert dataset.table.track.tolist() == [0, 1, 1]


def test_names_of_videos(put):
    videos = [video(1, name="walk"), video(2, name="run"), video(3, name="run"), video(4, 0)]
    dataset = read(put("a.json", document(thing(), videos=videos)))
    assert dataset.sequence_table.id.tolist() == ["walk", "run", 3, 4]


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (7, "malformed"),
        (thing(video_id=None), "malformed"),
        (thing(video_id=9), "unknown_image"),
        (thing(category_id=[1]), "malformed"),
        (thing(category_id=9), "unknown_category"),
        (thing(bboxes="x"), "malformed"),
        (thing(bboxes=[None]), "malformed"),
        (thing(bboxes=None), "no_geometry"),
        (thing(bboxes=[[1, 2, 3], None, None]), "malformed"),
        (thing(bboxes=[[1, 2, 3, "4"], None, None]), "malformed"),
        (thing(bboxes=[[1, 2, 3, float("nan")], None, None]), "non_finite"),
        (thing(bboxes=[[1, 2, 3, 10**400], None, None]), "malformed"),
        (thing(bboxes=[[1, 2, 0, 1], None, None]), "zero_size"),
        (
            thing(bboxes=None, segmentations=[{"size": [4, 5], "counts": [9]}, None, None]),
            "broken_rle",
        ),
        (thing(bboxes=None, segmentations=[[[1, 2, 3]], None, None]), "malformed"),
    ],
)
def test_bad_annotations_are_listed(put, bad, kind):
    dataset = read(
        put("a.json", document(bad, thing(8, [None, None, [0, 0, 3, 3]]))), format="cocovideo"
    )
    assert len(dataset) == 1
    assert {one.kind for one in dataset.issues if one.severity == "dropped"} == {kind}
    assert dataset.n_rows == len(dataset) + dataset.n_dropped


def test_bad_videos_are_listed(put):
    for bad in (3, {"id": 9}, {"file_names": []}, video(1)):
        dataset = read(put("a.json", document(thing(), videos=[video(), bad])))
        assert kinds(dataset) == {"malformed": 1}
        assert dataset.issues[0].where == "videos[1]"


def test_broken_files(put):
    good = document(thing())
    with pytest.raises(ReadError, match="not complete"):
        read(put("a.json", good[:-30]))
    with pytest.raises(ReadError, match="no annotations"):
        read(put("b.json", json.dumps({"videos": [video()]})))
    with pytest.raises(ReadError, match="not COCO for video"):
        read(put("c.json", json.dumps({"videos": 3, "annotations": []})), format="cocovideo")
    assert len(read(put("d.json", good.encode("utf-16")))) == 2


def test_a_long_list_of_videos_before_the_annotations(put):
    videos = [video(k, 400) for k in range(1, 9)]
    things = [thing(bboxes=[[1, 1, 2, 2]] * 400)]
    assert read(put("a.json", document(*things, videos=videos))).sources[0].format == "cocovideo"


def frames(*images, rows=None, videos=None, **more):
    rows = (
        [
            {
                "id": 1,
                "image_id": images[0]["id"],
                "category_id": 1,
                "bbox": [1, 1, 2, 2],
                "track_id": 5,
            }
        ]
        if rows is None
        else rows
    )
    document = {
        "images": images,
        "annotations": rows,
        "categories": [{"id": 1, "name": "cat"}],
        **more,
    }
    if videos is not None:
        document["videos"] = videos
    return json.dumps(document)


@pytest.mark.parametrize("field", ["frame_id", "frame_index"])
def test_images_of_videos_are_frames(put, field):
    images = [
        {"id": 10 + k, "file_name": f"{k}.jpg", "video_id": 3 + k // 2, field: k % 2 + 4}
        for k in range(4)
    ]
    videos = [
        {"id": 3, "name": "walk", "fps": 25, "length": 90},
        {"id": 4, "name": "run", "length": 1},
    ]
    rows = [
        {"id": k, "image_id": 10 + k, "category_id": 1, "bbox": [1, 1, 2, 2], "track_id": 5}
        for k in range(4)
    ]
    dataset = read(put("a.json", frames(*images, rows=rows, videos=videos)))
    table = dataset.image_table
    assert dataset.sources[0].format == "coco"
    assert table.id.tolist() == [10, 11, 12, 13]
    assert table.sequence.tolist() == ["walk", "walk", "run", "run"]
    assert table.frame.tolist() == [4, 5, 4, 5]
    assert dataset.table.track.tolist() == [0, 0, 1, 1]
    sequences = dataset.sequence_table
    assert sequences.id.tolist() == ["walk", "run"]
    assert (sequences.first_frame.tolist(), sequences.n_frames.tolist()) == ([4, 4], [90, -1])
    assert sequences.frame_rate[0] == 25
    assert not dataset.issues
    without = read(put("b.json", frames(*images, rows=rows)))
    assert without.image_table.sequence.tolist() == [3, 3, 4, 4]


def test_images_that_are_no_frames(put):
    for images in (
        [
            {"id": 1, "file_name": "a.jpg", "video_id": 1},
            {"id": 2, "file_name": "b.jpg", "video_id": 1},
        ],
        [{"id": k, "file_name": f"{k}.jpg", "video_id": 1, "frame_id": 0} for k in range(2)],
        [{"id": k, "file_name": f"{k}.jpg", "video_id": 1, "frame_id": f"f{k}"} for k in range(2)],
    ):
        dataset = read(put("a.json", frames(*images)))
        assert dataset.image_table.sequence is None
        assert len(dataset) == 1


def test_written_frames_come_back(put, tmp_path):
    dataset = read(put("a.json", document(thing())))
    again = read(write_coco(dataset, tmp_path / "b.json"))
    assert again.image_table.sequence.tolist() == dataset.image_table.sequence.tolist()
    assert again.image_table.frame.tolist() == dataset.image_table.frame.tolist()
    assert again.table.xyxy.tolist() == dataset.table.xyxy.tolist()


def test_posetrack(shared_data):
    dataset = read(shared_data / "format_fixtures" / "mmpose" / "test_posetrack18_val.json")
    assert dataset.image_table.sequence.tolist() == ["012834", "009473", "003418"]
    assert dataset.image_table.frame.tolist() == [0, 0, 0]
    assert dataset.sequence_table.n_frames.tolist() == [140, 101, 149]
    assert len(dataset.track_ids) == len(dataset) == 14
