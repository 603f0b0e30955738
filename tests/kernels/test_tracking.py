"""HOTA, CLEAR and Identity against plain Python written from the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from annqc.kernels import _track_counts, _tracking
from annqc.kernels._alignment import best_pairs
from annqc.kernels._tracking import follow
from annqc.kernels.assign import best_assignment
from annqc.kernels.tracking import box_pairs, count_tracks, kept
from tests.kernels import tracked

ENGINES = ["numpy", "numba"]
seeds = st.integers(0, 2**32 - 1)


def counts(videos, engine="numpy"):
    frames = tracked.laid_out(videos)
    return count_tracks(frames, box_pairs(frames, engine=engine), engine=engine)


def by_task(found, n):
    """Add the units of each task up."""
    rows = [*found.hota, *found.clear, *found.identity]
    out = []
    for one in rows:
        total = np.zeros((n, *one.shape[1:]))
        np.add.at(total, found.task, one)
        out.append(total)
    return out[:7], out[7:16], out[16:]


def random_videos(seed, n=3, **options):
    rng = np.random.default_rng(seed)
    return [tracked.random_video(rng, **options) for _ in range(n)]


@settings(max_examples=40)
@given(seed=seeds)
def test_counts_are_those_of_the_definitions(seed):
    videos = random_videos(seed)
    hota, clear, identity = by_task(counts(videos), len(videos))
    for k, video in enumerate(videos):
        np.testing.assert_allclose([one[k] for one in hota], tracked.hota(video), atol=1e-12)
        np.testing.assert_allclose([one[k] for one in clear], tracked.clear(video), atol=1e-12)
        assert [one[k] for one in identity] == list(tracked.identity(video))


@settings(max_examples=40)
@given(seed=seeds, noise=st.sampled_from([0.0, 0.05, 0.3]), n=st.integers(1, 6))
def test_both_engines_give_the_same_bits(seed, noise, n):
    videos = random_videos(seed, noise=noise, n=n)
    one, two = (counts(videos, engine) for engine in ENGINES)
    for a, b in zip((*one.hota, *one.clear), (*two.hota, *two.clear), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(one.identity, two.identity, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=20)
@given(seed=seeds)
def test_frames_that_are_solved_by_themselves_make_no_difference(seed):
    videos = random_videos(seed, noise=0.3, n=6, gaps=0.05)
    for engine in ENGINES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_tracking, "MANY", 0)
            alone = counts(videos, engine)
        for a, b in zip(alone.clear, counts(videos, engine).clear, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)


@settings(max_examples=40)
@given(seed=seeds)
def test_names_of_tracks_and_the_order_of_boxes_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    videos = random_videos(seed)
    mixed = []
    for video in videos:
        name = [rng.permutation(500), rng.permutation(500)]
        mixed.append(
            [
                tuple(
                    {
                        int(name[side][track]): frame[side][track]
                        for track in rng.permutation(list(frame[side])).tolist()
                    }
                    for side in (0, 1)
                )
                for frame in video
            ]
        )
    for a, b in zip(by_task(counts(videos), 3), by_task(counts(mixed), 3), strict=True):
        for one, two in zip(a, b, strict=True):
            np.testing.assert_allclose(one, two, atol=1e-12)


@settings(max_examples=30)
@given(seed=seeds)
def test_perfect_work_is_perfect(seed):
    videos = [[(ref, ref) for ref, _ in video] for video in random_videos(seed)]
    hota, clear, identity = by_task(counts(videos), 3)
    n = [sum(len(ref) for ref, _ in video) for video in videos]
    for one in (hota[0], hota[3], hota[4], hota[5], hota[6]):
        np.testing.assert_allclose(one, np.repeat(np.array(n)[:, None], 19, axis=1), atol=1e-9)
    assert clear[0].tolist() == identity[0].tolist() == n
    for one in (hota[1], hota[2], clear[1], clear[2], clear[4], identity[1], identity[2]):
        assert not one.any()


@settings(max_examples=30)
@given(seed=seeds)
def test_tasks_do_not_see_each_other(seed):
    videos = random_videos(seed, n=4)
    together = by_task(counts(videos), 4)
    for k, video in enumerate(videos):
        for a, b in zip(together, by_task(counts([video]), 1), strict=True):
            for one, two in zip(a, b, strict=True):
                np.testing.assert_allclose(one[k], two[0], atol=1e-12)


@settings(max_examples=20)
@given(seed=seeds)
def test_few_places_for_pairs_of_tracks_make_no_difference(seed):
    videos = random_videos(seed)
    with pytest.MonkeyPatch.context() as patch:
        whole = counts(videos)
        patch.setattr(_track_counts, "DENSE", 0)
        sparse = counts(videos)
    for a, b in zip((*whole.hota, *whole.identity), (*sparse.hota, *sparse.identity), strict=True):
        np.testing.assert_array_equal(a, b)


def test_keeping_some_boxes_is_as_if_the_others_had_never_been():
    videos = random_videos(5)
    frames = tracked.laid_out(videos)
    rng = np.random.default_rng(0)
    ref, cand = (rng.random(len(one)) > 0.3 for one in (frames.ref_track, frames.cand_track))
    some, pairs = kept(frames, box_pairs(frames), ref, cand)
    again = box_pairs(some)
    for one, two in zip(pairs, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert some.ref_offsets[-1] == ref.sum()
    assert some.cand_offsets[-1] == cand.sum()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_track_goes_on_though_another_is_nearer(engine):
    box, near = (0, 0, 10, 10), (1, 0, 11, 10)
    video = [({0: box}, {7: box}), ({0: box}, {7: near, 8: box})]
    _, clear, _ = by_task(counts([video], engine), 1)
    assert clear[4] == 0
    assert clear[3] == 1 + tracked.iou(box, near)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_frame_without_boxes_of_a_side_breaks_no_track(engine):
    box, near = (0, 0, 10, 10), (1, 0, 11, 10)
    for gap in (({}, {}), ({0: box}, {}), ({}, {7: box})):
        video = [({0: box}, {7: box}), gap, ({0: box}, {7: near, 8: box})]
        assert by_task(counts([video], engine), 1)[1][4] == 0
    # another object in the frame makes it one that counts
    far = (90, 90, 99, 99)
    video = [({0: box}, {7: box}), ({1: far}, {9: far}), ({0: box}, {7: near, 8: box})]
    assert by_task(counts([video], engine), 1)[1][4] == 1


def test_what_belongs_to_nobody_is_a_unit_of_its_own():
    box, far = (0, 0, 10, 10), (90, 90, 99, 99)
    found = counts([[({0: box}, {5: box, 6: far})]])
    assert found.task.tolist() == [0, 0, 0]
    assert found.is_reference.tolist() == [True, False, False]
    assert found.clear.fp.tolist() == [0, 0, 1]
    assert found.clear.tp.tolist() == [1, 0, 0]


@pytest.mark.parametrize("videos", [[], [[]], [[({}, {})]], [[], [({}, {})], []]])
def test_nothing_at_all(videos):
    for engine in ENGINES:
        assert len(counts(videos, engine).task) == 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("many", [0, _tracking.MANY, 10_000])
def test_many_rivals_in_a_frame_are_matched_as_by_scipy(engine, many, monkeypatch):
    monkeypatch.setattr(_tracking, "MANY", many)
    rng = np.random.default_rng(3)
    for shape in ((20, 20), (30, 12), (12, 30)):
        matrix = 0.5 + 0.5 * rng.random(shape)
        matrix[rng.random(shape) > 0.4] = 0
        row, column = np.nonzero(matrix)
        chosen = follow(
            row,
            column,
            matrix[row, column],
            np.zeros(len(row), dtype=np.int64),
            track_of_column=np.arange(shape[1]),
            previous=np.full(shape[0], -1),
            chosen=np.full(shape[0], -1),
            engine=engine,
        )
        taken = np.flatnonzero(chosen >= 0)
        assert len(set(chosen[taken].tolist())) == len(taken)
        best = matrix[linear_sum_assignment(matrix, maximize=True)].sum()
        assert matrix[taken, chosen[taken]].sum() == pytest.approx(best, abs=1e-10)


@settings(max_examples=100)
@given(seed=seeds, ties=st.booleans())
def test_the_first_round_in_one_pass_changes_nothing(seed, ties):
    rng = np.random.default_rng(seed)
    matrix = rng.random(rng.integers(1, 9, 2))
    if ties:
        matrix = np.round(4 * matrix) / 4
    row, column = np.nonzero(rng.random(matrix.shape) < 0.7)
    weight = matrix[row, column]
    shape = {"n_rows": matrix.shape[0], "n_columns": matrix.shape[1]}
    one, two = (best_pairs(row, column, weight, **shape, engine=engine) for engine in ENGINES)
    np.testing.assert_array_equal(one, two)
    some = weight > 0
    plain = best_assignment(row[some], column[some], weight[some], **shape)
    np.testing.assert_array_equal(np.flatnonzero(some)[plain], one)
