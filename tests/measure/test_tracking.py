"""Sums and scores of tracking, and how datasets are laid out for them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.errors import MatchError, UnknownNameError
from annqc.ids import ids_array
from annqc.match import match
from annqc.measure import tracking as module
from annqc.measure.track_frames import track_frames, tracking
from annqc.measure.tracking import COUNTS, SCORES, track_metrics, track_sums
from annqc.tables import Annotations, Dataset, Images
from tests.kernels import tracked

seeds = st.integers(0, 2**32 - 1)
BOX, FAR = (0, 0, 10, 10), (90, 90, 99, 99)


def random_videos(seed, n=4):
    rng = np.random.default_rng(seed)
    return [tracked.random_video(rng) for _ in range(n)]


def metrics(video, **options):
    found = track_metrics(track_sums(tracked.laid_out([video])), **options)
    return {name: float(value[0]) for name, value in found.items()}


@settings(max_examples=25)
@given(seed=seeds)
def test_scores_are_those_of_the_definitions(seed):
    (video,) = random_videos(seed, 1)
    found = metrics(video)
    for name, value in tracked.scores(video).items():
        assert found[name] == pytest.approx(value, abs=1e-12), name
    # what is not a ratio of counts: means over the true positives
    hota, clear = tracked.hota(video), tracked.clear(video)
    tp = np.maximum(hota[0], 1)
    for name, row in (("AssA", 4), ("AssRe", 5), ("AssPr", 6)):
        assert found[name] == pytest.approx(np.mean(hota[row] / tp), abs=1e-12)
    assert found["LocA"] == pytest.approx(
        np.mean(np.where(hota[0] > 0, hota[3] / tp, 1)), abs=1e-12
    )
    assert found["LocA(0)"] == pytest.approx(hota[3, 0] / hota[0, 0], abs=1e-12)
    assert found["MOTP"] == pytest.approx(clear[3] / clear[0], abs=1e-12)
    assert [found[name] for name in ("IDSW", "Frag", "MT", "PT", "ML")] == list(clear[4:])


@settings(max_examples=25)
@given(seed=seeds)
def test_shards_merge_to_the_whole(seed):
    videos = random_videos(seed)
    for by in ("sequence", "track"):
        whole = track_sums(tracked.laid_out(videos), sequence=np.arange(4), by=by)
        shards = [
            track_sums(tracked.laid_out(videos[a:b]), sequence=np.arange(a, b), by=by)
            for a, b in ((0, 1), (1, 4))
        ]
        merged = shards[0].merge(shards[1])
        np.testing.assert_array_equal(merged.sequence, whole.sequence)
        np.testing.assert_allclose(merged.values, whole.values, atol=1e-12)


@settings(max_examples=25)
@given(seed=seeds)
def test_units_add_up_to_their_sequence(seed):
    frames = tracked.laid_out(random_videos(seed))
    whole = track_sums(frames)
    units = track_sums(frames, by="track").combined(by="sequence")
    np.testing.assert_array_equal(units.sequence, whole.sequence)
    np.testing.assert_allclose(units.values[:, :-1], whole.values[:, :-1], atol=1e-9)


def test_long_work_is_measured_in_pieces(monkeypatch):
    videos = random_videos(3, 12)
    frames = tracked.laid_out(videos)
    rng = np.random.default_rng(0)
    options = {
        "counted": rng.random(len(frames.ref_track)) > 0.2,
        "distractor": rng.random(len(frames.ref_track)) > 0.8,
        "annotator": np.arange(12) // 3,
    }
    whole = track_sums(frames, **options)
    monkeypatch.setattr(module, "CHUNK", 30)
    pieces = track_sums(frames, **options)
    np.testing.assert_allclose(pieces.values, whole.values, atol=1e-12)
    np.testing.assert_array_equal(pieces.annotator, whole.annotator)


def test_combining_adds_counts_and_not_scores():
    sums = track_sums(
        tracked.laid_out(random_videos(1)), annotator=np.array([0, 1, 0, 1]), sequence=np.arange(4)
    )
    by_annotator = sums.combined(by="annotator")
    assert by_annotator.annotator.tolist() == [0, 1]
    assert by_annotator.sequence.tolist() == [-1, -1]
    np.testing.assert_allclose(by_annotator.values[0], sums.values[0] + sums.values[2])
    np.testing.assert_allclose(sums.combined().values[0], sums.values.sum(axis=0))
    assert len(sums.take(np.zeros(4, dtype=bool)).combined()) == 1
    assert len(sums.take(np.zeros(4, dtype=bool)).combined(by="annotator")) == 0


def test_what_is_undefined_is_not_zero():
    lost = metrics([({0: BOX}, {})])
    for name in ("AssA", "AssRe", "AssPr", "LocA", "LocA(0)", "MOTP", "DetPr", "CLR_Pr", "IDP"):
        assert np.isnan(lost[name]), name
    for name in ("HOTA", "DetA", "DetRe", "OWTA", "MOTA", "MODA", "sMOTA", "CLR_Re", "IDR", "IDF1"):
        assert lost[name] == 0, name
    invented = metrics([({}, {4: BOX})])
    for name in ("DetRe", "OWTA", "MOTA", "MODA", "sMOTA", "CLR_Re", "IDR"):
        assert np.isnan(invented[name]), name
    for name in ("HOTA", "DetA", "DetPr", "CLR_Pr", "IDP", "IDF1"):
        assert invented[name] == 0, name
    nothing = metrics([({}, {})])
    assert all(np.isnan(nothing[name]) for name in SCORES)
    assert all(nothing[name] == 0 for name in COUNTS)
    theirs = metrics([({}, {4: BOX})], undefined="trackeval")
    assert theirs["LocA"] == 1
    assert theirs["MOTA"] == -1
    assert theirs["AssA"] == theirs["CLR_Re"] == theirs["IDF1"] == 0


def test_a_threshold_that_nothing_passes_is_no_gap():
    shifted = (0, 0, 10, 8)  # IoU .8: 16 of 19 thresholds
    found = metrics([({0: BOX}, {4: shifted})])
    assert found["AssA"] == found["HOTA"] == pytest.approx(16 / 19)
    assert found["LocA"] == pytest.approx((16 * 0.8 + 3) / 19)


def test_distractors_take_candidates_away():
    video = [({0: BOX, 1: FAR}, {4: BOX, 5: FAR})]
    frames = tracked.laid_out([video])
    counted = np.array([True, False])
    plain = track_metrics(track_sums(frames, counted=counted))
    assert (plain["CLR_TP"][0], plain["CLR_FP"][0]) == (1, 1)
    cleaned = track_metrics(track_sums(frames, counted=counted, distractor=~counted))
    assert (cleaned["CLR_TP"][0], cleaned["CLR_FP"][0], cleaned["HOTA"][0]) == (1, 0, 1)


def test_a_track_that_stands_twice_in_a_frame_is_refused():
    frames = tracked.laid_out([[({0: BOX, 1: FAR}, {4: BOX})]])
    frames.ref_track[1] = 0
    with pytest.raises(MatchError, match="a track of the reference stands twice in a frame"):
        track_sums(frames)


# datasets


def dataset(rows, *, names=("gold",), images=None, categories=("pedestrian",), **columns):
    """Rows of (annotator, sequence, frame, track, box[, category])."""
    images = images or sorted({row[1:3] for row in rows})
    table = Annotations.build(
        image=[images.index(row[1:3]) for row in rows],
        annotator=[names.index(row[0]) for row in rows],
        category=[row[5] if len(row) > 5 else 0 for row in rows],
        xyxy=np.array([row[4] for row in rows], dtype=float).reshape(-1, 4),
        track=np.array([row[3] for row in rows], dtype=np.int64),
        **columns.pop("table", {}),
    )
    labels = ids_array(list(categories))
    return Dataset(
        table,
        Images.build(
            ids_array([f"{s}/{f}" for s, f in images]),
            sequence=ids_array([s for s, _ in images]),
            frame=[f for _, f in images],
        ),
        ids_array(list(names)),
        labels,
        labels,
        **columns,
    )


def to_rows(who, videos, side):
    return [
        (who, f"v{k}", 10 * t, 1000 * k + track, box)
        for k, video in enumerate(videos)
        for t, frame in enumerate(video)
        for track, box in frame[side].items()
    ]


def every_frame(videos):
    return [(f"v{k}", 10 * t) for k, video in enumerate(videos) for t in range(len(video))]


def test_two_datasets_give_what_their_arrays_give():
    """Two annotators, two videos; rows and frames shuffled; frames numbered with gaps."""
    rng = np.random.default_rng(4)
    videos = random_videos(8, 4)
    gold = videos[:2]
    works = {
        "ann": gold,
        "bob": [
            [(a[0], b[1]) for a, b in zip(*p, strict=True)]
            for p in zip(gold, videos[2:], strict=True)
        ],
    }
    rows = [row for who, work in works.items() for row in to_rows(who, work, 1)]
    rows = [rows[k] for k in rng.permutation(len(rows))]
    images = [every_frame(gold)[k] for k in rng.permutation(len(every_frame(gold)))]
    images.sort(key=lambda image: image[0])  # sequences are numbered as they come, frames by number
    matches = match(
        dataset(to_rows("gold", gold, 0), images=images),
        dataset(rows, names=("ann", "bob"), images=images),
    )
    found = tracking(matches)
    assert found.annotator.tolist() == [0, 0, 1, 1]
    assert found.sequence.tolist() == [0, 1, 0, 1]
    expected = track_sums(tracked.laid_out([*works["ann"], *works["bob"]]))
    np.testing.assert_allclose(found.values, expected.values, atol=1e-9)


def test_whoever_drew_in_a_sequence_was_asked_for_all_of_it_unless_it_is_said():
    gold = dataset([("gold", "v", t, 0, BOX) for t in range(4)])
    rows = [("ann", "v", 0, 7, BOX)]
    work = dataset(rows, names=("ann",))
    assert tracking(match(gold, work))["clr_fn"].tolist() == [3]
    images = [("v", t) for t in range(4)]
    asked = dataset(rows, names=("ann",), images=images, assigned=np.array([[0, 0], [0, 1]]))
    found = tracking(match(gold, asked))
    assert found["clr_fn"].tolist() == [1]
    assert found["n_frames"].tolist() == [2]


def test_a_box_without_a_track_is_a_track_of_its_own():
    gold = dataset([("gold", "v", t, 0, BOX) for t in range(3)])
    work = dataset([("ann", "v", t, -1, BOX) for t in range(3)], names=("ann",))
    laid = track_frames(match(gold, work))
    assert laid.n_untracked.tolist() == [0, 3]
    found = tracking(match(gold, work))
    assert found["clr_idsw"].tolist() == [2]


def test_the_rules_of_motchallenge():
    names = ("pedestrian", "static_person", "car", "non_mot_vehicle")
    boxes = [tuple(20.0 * k + x for x in BOX) for k in range(5)]
    gold = dataset(
        [("gold", "v", 1, k, box, (0, 1, 2, 3, 0)[k]) for k, box in enumerate(boxes)],
        categories=names,
        table={"ignored": np.array([False, True, True, True, True])},
    )
    work = dataset([("ann", "v", 1, k, box) for k, box in enumerate(boxes)], names=("ann",))
    matches = match(gold, work)

    def counts(**options):
        sums = tracking(matches, **options)
        return [float(sums[f"clr_{name}"][0]) for name in ("tp", "fn", "fp")]

    assert counts() == [1, 0, 4]
    assert counts(preprocess="mot") == [1, 0, 3]
    assert counts(preprocess="mot20") == [1, 0, 2]
    assert counts(category="car") == [0, 0, 0]
    with pytest.raises(UnknownNameError, match="no preprocessing 'mott'"):
        counts(preprocess="mott")
    with pytest.raises(UnknownNameError, match="no category 'cat'"):
        counts(category="cat")


def test_classes_that_motchallenge_does_not_know_are_refused():
    gold = dataset([("gold", "v", 1, 0, BOX)], categories=("dog",))
    work = dataset([("ann", "v", 1, 0, BOX)], names=("ann",), categories=("dog",))
    with pytest.raises(MatchError, match="'dog' in the reference"):
        tracking(match(gold, work), preprocess="mot")
    gold = dataset([("gold", "v", 1, 0, BOX)])
    work = dataset([("ann", "v", 1, 0, BOX)], names=("ann",), categories=("car",))
    with pytest.raises(MatchError, match="'car' in the candidate"):
        tracking(match(gold, work), preprocess="mot")


def test_what_cannot_be_tracked_is_refused():
    gold = dataset([("gold", "v", 1, 0, BOX)])
    twice = dataset([("ann", "v", 1, 0, BOX), ("ann", "v", 1, 0, FAR)], names=("ann",))
    with pytest.raises(MatchError, match=r"track of the candidate stands twice[\s\S]*image v/1"):
        tracking(match(gold, twice))
    still = Dataset(
        Annotations.build(image=[0], annotator=[0], category=[0], xyxy=[BOX]),
        Images.build(ids_array(["v/1"])),
        *(ids_array(["pedestrian"]) for _ in range(3)),
    )
    with pytest.raises(MatchError, match="the images of the reference are no frames"):
        tracking(match(still, still))
    untracked = dataset([("ann", "v", 1, 0, BOX)], names=("ann",))
    object.__setattr__(untracked.table, "track", None)
    with pytest.raises(MatchError, match="the candidate has no tracks"):
        tracking(match(gold, untracked))


def test_crowds_take_no_part():
    crowd = {"crowd": np.array([False, True])}
    rows = [("gold", "v", 1, 0, BOX), ("gold", "v", 1, 1, FAR)]
    gold = dataset(rows, table=crowd)
    work = dataset([("ann", *row[1:]) for row in rows], names=("ann",))
    sums = tracking(match(gold, work))
    assert [sums[f"clr_{name}"][0] for name in ("tp", "fn", "fp")] == [1, 0, 1]
