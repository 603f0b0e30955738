"""Which candidate frame is which reference frame."""

from __future__ import annotations

import pytest

from annqc.errors import MatchError
from annqc.ids import ids_array
from annqc.match.frames import align_frames
from annqc.match.images import align_images
from annqc.tables import Images


def video(*frames, names=None):
    sequence = ids_array([name for name, _ in frames])
    return Images.build(
        ids_array([f"{name}/{frame}" for name, frame in frames]),
        file_name=None if names is None else ids_array(names),
        sequence=sequence,
        frame=[frame for _, frame in frames],
    )


def align(reference, candidate):
    rows, problems = align_images(reference, candidate)
    return rows.tolist(), [problem.kind for problem in problems]


def test_frames_of_sequences_of_the_same_name():
    gold = video(("a", 1), ("a", 2), ("b", 1))
    assert align(gold, video(("b", 1), ("a", 2), ("a", 9))) == ([2, 1, -1], [])


def test_file_names_that_say_otherwise_do_not_decide():
    """Frames are called 000001.jpg in every folder."""
    names = ["000001.jpg", "000001.jpg"]
    gold, work = video(("a", 1), ("b", 1), names=names), video(("b", 1), ("a", 1), names=names)
    assert align(gold, work) == ([1, 0], [])


def test_a_name_that_is_a_whole_part_of_one_other_name():
    gold = video(("MOT17-02", 1), ("MOT17-020", 1), ("MOT17-05", 1))
    work = video(("MOT17-02-FRCNN", 1), ("tracker_MOT17-05", 1))
    assert align(gold, work) == ([0, 2], ["sequence_renamed"] * 2)


def test_a_name_that_could_be_two_is_not_guessed():
    gold = video(("a-1", 1), ("a-2", 1), ("c", 1))
    assert align(gold, video(("a", 1), ("c", 1))) == ([-1, 2], [])


def test_one_sequence_on_each_side_is_the_same_whatever_it_is_called():
    rows, problems = align_images(video(("ADL-Rundle-8", 1)), video(("MOT17-10", 1)))
    assert rows.tolist() == [0]
    assert "'MOT17-10'" in problems[0].message
    assert "'ADL-Rundle-8'" in problems[0].message


def test_sequences_that_share_nothing():
    with pytest.raises(MatchError, match="no image in common"):
        align_images(video(("a", 1), ("b", 1)), video(("c", 1), ("d", 1)))
    assert align_frames(video(("a", 1)), video(("a", 2))) is None


def test_images_that_are_no_frames_are_left_to_the_other_rules():
    assert align_frames(Images.build(ids_array([1])), video(("a", 1))) is None


def test_a_frame_that_is_there_twice_is_paired_once():
    assert align(video(("a", 1)), video(("a", 1), ("a", 1)))[0] == [0, -1]
