"""Real tracking files: MOTChallenge, KITTI tracking, and the fixtures of other projects."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from annqc.read import read
from annqc.read.heads import read_head
from annqc.read.registry import SURE, every_reader
from annqc.write import write_mot

MOT = {
    "MOT15-ADL-Rundle-8.gt": ("ADL-Rundle-8", 654, 28),
    "MOT17-02.gt": ("MOT17-02-FRCNN", 600, 83),
    "MOT17-05.gt": ("MOT17-05-FRCNN", 837, None),
    "MOT17-09.gt": ("MOT17-09-FRCNN", 525, None),
    "MOT17-10.gt": ("MOT17-10", 654, None),
    "tracker_MoTT_MOT17-02-FRCNN": ("tracker_MoTT_MOT17-02-FRCNN", 600, None),
}


@pytest.mark.parametrize("name", MOT)
def test_motchallenge_is_as_the_text_has_it(shared_data, name):
    path = shared_data / "mot_relabelled" / f"{name}.txt"
    raw = [line.split(",") for line in path.read_text().split()]
    dataset = read(path)
    sequence, n_frames, n_tracks = MOT[name]
    assert len(dataset) == dataset.n_rows == len(raw)
    x, y, w, h = np.array([row[2:6] for row in raw], dtype=np.float64).T
    expected = np.stack([x - 1, y - 1, x - 1 + w, y - 1 + h], axis=1)
    np.testing.assert_array_equal(dataset.table.xyxy, expected)
    frames = dataset.image_table.frame[dataset.table.image]
    assert frames.tolist() == [int(row[0]) for row in raw]
    assert dataset.tracks_of(dataset.table.track).tolist() == [int(row[1]) for row in raw]
    assert dataset.table.ignored.tolist() == [row[6] == "0" for row in raw]
    assert set(dataset.image_table.sequence) == {sequence}
    assert len(dataset.image_table) == n_frames
    assert n_tracks in (None, len(dataset.track_ids))
    assert {i.kind for i in dataset.issues if i.severity == "dropped"} == set()
    on = defaultdict(list)
    for row in raw:
        on[row[1]].append(int(row[0]))
    gaps = {id for id, some in on.items() if max(some) - min(some) + 1 > len(set(some))}
    assert sum(i.kind == "track_gap" for i in dataset.issues) == len(gaps)
    assert not any(i.kind == "duplicate_track_box" for i in dataset.issues)


@pytest.mark.parametrize("name", [name for name in MOT if name.endswith(".gt")])
def test_ground_truth_goes_back_as_it_was(shared_data, tmp_path, name):
    path = shared_data / "mot_relabelled" / f"{name}.txt"
    (copy,) = write_mot(read(path), tmp_path)
    assert copy.read_bytes() == path.read_bytes()


def test_trackers_are_told_by_a_pattern(shared_data):
    dataset = read(
        shared_data / "mot_relabelled" / "tracker_*.txt",
        annotator=r"tracker_(?P<annotator>[^_]+)_(?P<sequence>.+)",
    )
    assert dataset.annotator_ids.tolist() == ["MoTT"]
    assert dataset.sequence_table.id.tolist() == [f"MOT17-{k}-FRCNN" for k in ("02", "05", "09")]


def test_kitti_tracking(shared_data):
    folder = shared_data / "format_fixtures/scalabel/tests/label/testcases/kitti_sample/tracking"
    path = folder / "training/label_02/0001.txt"
    raw = [line.split() for line in path.read_text().splitlines()]
    dataset = read(path)
    assert len(dataset) == len(raw) == 4271
    assert dataset.table.xyxy.tolist() == [list(map(float, row[6:10])) for row in raw]
    frames = dataset.image_table.frame[dataset.table.image].tolist()
    assert frames == [int(row[0]) for row in raw]
    assert dataset.table.crowd.sum() == sum(row[2] == "DontCare" for row in raw)
    ids = [None if row[1] == "-1" else int(row[1]) for row in raw]
    assert dataset.tracks_of(dataset.table.track).tolist() == ids
    assert dataset.image_table.frame.tolist() == list(range(447))
    whole = read(folder / "training")  # calibration and positions lie beside
    assert len(whole) == 4271
    assert Counter(i.kind for i in whole.issues) == {"skipped_file": 2}


def test_datumaro_mot(shared_data):
    folder = shared_data / "format_fixtures" / "datumaro" / "mot_dataset"
    dataset = read(folder)
    assert dataset.table.xyxy.tolist() == [[-1, 3, 3, 11]] * 2
    assert dataset.table.track is None
    assert dataset.category_names.tolist() == ["label_2"]
    assert dataset.sequence_table.id.tolist() == ["mot_seq", "Test"]


TAKEN = {
    "gt.txt": "mot",
    "motchallenge_labels.txt": "mot",
    "0001.txt": "kitti",
}


def test_no_fixture_is_taken_for_another_format(shared_data):
    """Text that is no tracking stays what it was, and tracking is told by its own reader alone."""
    readers = list(every_reader())
    found = Counter()
    for path in sorted((shared_data / "format_fixtures").rglob("*")):
        if not path.is_file():
            continue
        head = read_head(path)
        sure = {reader.name for reader in readers if reader.sniff(head) == SURE}
        mine = sure & {"mot", "kitti", "mots"}
        if mine:
            assert sure == {TAKEN[path.name]}, path
            found[path.name] += 1
        if path.name == "0001.txt":
            assert bool(mine) == (path.parent.name == "label_02")
    assert found == {"gt.txt": 2, "motchallenge_labels.txt": 1, "0001.txt": 1}
