"""Tracking metrics beside TrackEval: equal to 1e-9, on made-up tracks and on MOTChallenge files."""

from __future__ import annotations

import contextlib
import io
import shutil

import numpy as np
import pytest

from annqc.kernels.tracking import ALPHAS, Frames
from annqc.match import match
from annqc.measure.track_frames import tracking
from annqc.measure.tracking import COUNTS, SCORES, hota_curves, track_metrics, track_sums
from annqc.read import read
from tests.bench.tracking import batch, by_trackeval, made, trackeval_data
from tests.kernels import tracked

trackeval = pytest.importorskip("trackeval")

TOLERANCE = 1e-9
MOT = ("MOT17-02", "MOT17-05", "MOT17-09")
DISTRACTORS = (2, 7, 8, 12)


def assert_equal(sums, theirs):
    """Compare every score and count with a dictionary of TrackEval."""
    ours = track_metrics(sums, undefined="trackeval")
    assert set(ours) == {*SCORES, *COUNTS}
    for name, value in ours.items():
        assert value[0] == pytest.approx(float(np.mean(theirs[name])), abs=TOLERANCE), name
    for name, curve in hota_curves(sums, undefined="trackeval").items():
        np.testing.assert_allclose(curve[0], theirs[name], atol=TOLERANCE, err_msg=name)
    for name in ("tp", "fn", "fp"):
        np.testing.assert_array_equal(sums[f"hota_{name}"][0], theirs[f"HOTA_{name.upper()}"])


def data_of(video):
    """A video of `tests.kernels.tracked` as TrackEval's metrics take it."""
    numbers, ids = ({}, {}), ([], [])
    for frame in video:
        for side in (0, 1):
            codes = [numbers[side].setdefault(one, len(numbers[side])) for one in frame[side]]
            ids[side].append(np.array(codes, dtype=int))
    return {
        "num_timesteps": len(video),
        "num_gt_ids": len(numbers[0]),
        "num_tracker_ids": len(numbers[1]),
        "num_gt_dets": sum(map(len, ids[0])),
        "num_tracker_dets": sum(map(len, ids[1])),
        "gt_ids": ids[0],
        "tracker_ids": ids[1],
        "similarity_scores": [
            np.array([[tracked.iou(a, b) for b in cand.values()] for a in ref.values()]).reshape(
                len(ref), len(cand)
            )
            for ref, cand in video
        ],
    }


def test_the_thresholds_are_the_same_floats():
    assert trackeval.metrics.HOTA().array_labels.tolist() == ALPHAS.tolist()


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.3])
def test_random_videos(noise):
    rng = np.random.default_rng(7)
    for _ in range(25):
        video = tracked.random_video(rng, n=5, noise=noise)
        theirs = by_trackeval([data_of(video)])
        assert_equal(track_sums(tracked.laid_out([video])), theirs)


def test_videos_of_which_a_side_is_empty():
    box = (0, 0, 10, 10)
    for video in ([({0: box}, {})], [({}, {4: box})], [({0: box}, {}), ({}, {4: box})]):
        assert_equal(track_sums(tracked.laid_out([video])), by_trackeval([data_of(video)]))


@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_several_sequences_combined(engine):
    sequences = made(0.1, seed=3)
    theirs = by_trackeval([trackeval_data(*one) for one in sequences])
    frames = batch(sequences)
    assert_equal(track_sums(frames, engine=engine).combined(), theirs)
    assert_equal(track_sums(frames, engine=engine, by="track").combined(), theirs)


def mot_file(path, n_frames):
    """Read a MOTChallenge file as it stands: rows in the order of frames, and their offsets."""
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    frame = rows[:, 0].astype(int) - 1
    return rows, np.concatenate([[0], np.cumsum(np.bincount(frame, minlength=n_frames))])


@pytest.fixture(scope="module")
def mot(shared_data):
    """The sequences of MOT17 with a tracker's output; see SOURCE.txt beside the files."""
    folder = shared_data / "mot_relabelled"
    found = {}
    for name in MOT:
        text = (folder / f"{name}.seqinfo.ini").read_text().splitlines()
        n_frames = int(next(line for line in text if line.startswith("seqLength")).split("=")[1])
        found[name] = (
            mot_file(folder / f"{name}.gt.txt", n_frames),
            mot_file(folder / f"tracker_MoTT_{name}-FRCNN.txt", n_frames),
            n_frames,
        )
    return found


def mot_sums(mot, *, preprocess, by="sequence"):
    """Measure all sequences in one batch."""
    rows, offsets, numbers = ([], []), ([0], [0]), ([], [])
    for *sides, _ in mot.values():
        for k, (table, ends) in enumerate(sides):
            rows[k].append(table)
            offsets[k].extend(ends[1:] + offsets[k][-1])
            numbers[k].append(np.unique(table[:, 1], return_inverse=True)[1])
    boxes = []
    for one in rows:
        table = np.concatenate(one)[:, 2:6]
        boxes.append(np.concatenate([table[:, :2], table[:, :2] + table[:, 2:]], axis=1).T.copy())
    gold = np.concatenate(rows[0])
    kind, flag = gold[:, 7].astype(int), gold[:, 6] != 0
    return track_sums(
        Frames(
            frame_offsets=np.cumsum([0, *(n for *_, n in mot.values())]),
            ref_offsets=np.array(offsets[0]),
            cand_offsets=np.array(offsets[1]),
            ref_boxes=boxes[0],
            cand_boxes=boxes[1],
            ref_track=np.concatenate(numbers[0]),
            cand_track=np.concatenate(numbers[1]),
        ),
        counted=flag & (kind == 1) if preprocess else flag,
        distractor=np.isin(kind, DISTRACTORS) if preprocess else None,
        by=by,
    )


def run_trackeval(mot, files, folder, *, preprocess):
    """Evaluate files as TrackEval does, from the text on."""
    gold, work = folder / "gt", folder / "trackers" / "MoTT" / "data"
    work.mkdir(parents=True)
    for name in mot:
        (gold / name / "gt").mkdir(parents=True)
        shutil.copyfile(files / f"{name}.gt.txt", gold / name / "gt" / "gt.txt")
        shutil.copyfile(files / f"tracker_MoTT_{name}-FRCNN.txt", work / f"{name}.txt")
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = trackeval.datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": str(gold),
                "TRACKERS_FOLDER": str(folder / "trackers"),
                "OUTPUT_FOLDER": str(folder / "out"),
                "BENCHMARK": "MOT17",
                "SKIP_SPLIT_FOL": True,
                "DO_PREPROC": preprocess,
                "SEQ_INFO": {name: n for name, (*_, n) in mot.items()},
                "PRINT_CONFIG": False,
            }
        )
        data = {}
        for name in mot:
            raw = dataset.get_raw_seq_data("MoTT", name)
            data[name] = dataset.get_preprocessed_seq_data(raw, "pedestrian")
    return by_trackeval(list(data.values())), [by_trackeval([one]) for one in data.values()]


@pytest.mark.parametrize("preprocess", [True, False])
def test_motchallenge_files(mot, shared_data, tmp_path, preprocess):
    files = shared_data / "mot_relabelled"
    combined, each = run_trackeval(mot, files, tmp_path, preprocess=preprocess)
    sums = mot_sums(mot, preprocess=preprocess)
    for k, theirs in enumerate(each):
        assert_equal(sums.take(np.array([k])), theirs)
    assert_equal(sums.combined(), combined)
    if preprocess:
        for name, theirs in zip(MOT, each, strict=True):
            gold = read(files / f"{name}.gt.txt")
            work = read(files / f"tracker_MoTT_{name}-FRCNN.txt")
            assert_equal(tracking(match(gold, work), preprocess="mot"), theirs)
    by_track = mot_sums(mot, preprocess=preprocess, by="track")
    assert_equal(by_track.combined(), combined)
