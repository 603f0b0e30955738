"""Which candidate image is which reference image."""

from __future__ import annotations

import pytest

from annqc.errors import MatchError
from annqc.ids import ids_array
from annqc.match.images import align_images
from annqc.tables import Images


def images(ids, names=None):
    return Images.build(ids_array(ids), file_name=None if names is None else ids_array(names))


def align(reference, candidate):
    rows, problems = align_images(images(*reference), images(*candidate))
    return rows.tolist(), [problem.kind for problem in problems]


def test_the_same_ids_without_names():
    assert align(([3, 1, 2],), ([3, 1, 2],)) == ([0, 1, 2], [])
    assert align(([3, 1, 2],), ([2, 9, 3],)) == ([2, -1, 0], [])


def test_ids_that_are_names_of_image_files():
    gold = [1, 2, 3], ["image_01.jpg", "image_02.jpg", "image_03.jpg"]
    assert align(gold, (["image_03.jpg", "image_01.jpg"],)) == ([2, 0], [])
    assert align((["image_03.jpg", "image_01.jpg"],), gold) == ([1, -1, 0], [])
    assert align(gold, (["image_02.png", "x"],)) == ([1, -1], [])
    with pytest.raises(MatchError):
        align(gold, (["image_03.txt"],))


def test_the_same_table_on_both_sides():
    gold = [1, 2, 3], ["a.jpg", None, "a.jpg"]
    assert align(gold, gold) == ([0, 1, 2], [])


def test_file_names_go_before_ids_and_a_contradiction_is_listed():
    gold = [1, 2], ["a.jpg", "b.jpg"]
    work = [1, 2], ["b.jpg", "a.jpg"]
    assert align(gold, work) == ([1, 0], ["image_id_conflict"])


def test_the_contradiction_says_which_files():
    gold, work = images([1, 2], ["a.jpg", "b.jpg"]), images([1, 2], ["b.jpg", "a.jpg"])
    (problem,) = align_images(gold, work)[1]
    assert "1 is 'b.jpg' in the candidate and 'a.jpg' in the reference" in problem.message


def test_own_numbering_of_other_files_is_no_contradiction():
    gold = [1, 2], ["a.jpg", "b.jpg"]
    assert align(gold, ([7, 8], ["b.jpg", "c.jpg"])) == ([1, -1], [])


def test_a_file_with_another_name_is_not_paired_by_id():
    gold = [1, 2], ["a.jpg", "b.jpg"]
    assert align(gold, ([1, 2], ["a.jpg", "c.jpg"])) == ([0, -1], [])


def test_an_image_without_a_name_is_paired_by_id():
    gold = [1, 2], ["a.jpg", "b.jpg"]
    assert align(gold, ([1, 2], ["a.jpg", None])) == ([0, 1], [])


def test_folders_and_suffixes_may_differ():
    gold = [1, 2], ["train/a.jpg", "train/b.jpg"]
    assert align(gold, ([5, 6], ["b.png", "C:\\work\\a.png"])) == ([1, 0], [])


def test_a_stem_that_stands_for_two_files_tells_nothing():
    gold = [1, 2, 3], ["x/a.jpg", "y/a.jpg", "y/b.jpg"]
    assert align(gold, ([5, 6], ["a.jpg", "b.jpg"])) == ([-1, 2], [])


def test_ids_that_are_stems():
    gold = [139, 285], ["000000000139.jpg", "000000000285.jpg"]
    assert align(gold, (["000000000285", "000000000139"],)) == ([1, 0], [])
    assert align((["b", "a"],), ([1, 2], ["a.jpg", "b.jpg"])) == ([1, 0], [])


def test_stems_go_before_ids_as_text():
    gold = [1, 2], ["2.jpg", "1.jpg"]
    assert align(gold, (["1", "2"],)) == ([1, 0], [])


def test_ids_as_text_where_nothing_else_fits():
    assert align(([7, 8],), (["8", "7"],)) == ([1, 0], [])


def test_ids_where_no_file_name_is_shared():
    gold = [1, 2], ["a.jpg", "b.jpg"]
    work = [2, 1], ["x.jpg", "y.jpg"]
    assert align(gold, work) == ([1, 0], ["image_name_mismatch"])


def test_an_id_given_twice_tells_nothing():
    assert align(([1, 1, 2],), ([1, 2],)) == ([-1, 2], [])


def test_nothing_in_common_shows_both_sides():
    with pytest.raises(MatchError, match="no image in common") as caught:
        align(([1, 2, 3, 4], ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]), (["x"],))
    assert "1 (a.jpg), 2 (b.jpg), 3 (c.jpg), ..." in str(caught.value)
    assert "'x' (the candidate)" in str(caught.value)


def test_no_images_at_all():
    with pytest.raises(MatchError, match="none"):
        align(([1],), ([],))


def test_ids_left_over_are_paired_as_text_and_listed():
    assert align(([0, 1, 2],), (["0", 1, 9],)) == ([0, 1, -1], ["image_id_type"])
    assert align(([0, "1"],), ([0, 1],)) == ([0, 1], ["image_id_type"])
    (problem,) = align_images(images([0, 1]), images(["0", 1]))[1]
    assert "'0' in the candidate is 0 in the reference" in problem.message
    assert (problem.severity, problem.image_id) == ("kept", "0")


def test_ids_left_over_beside_file_names():
    gold = [0, 1], ["a.jpg", "b.jpg"]
    assert align(gold, (["0", 1], [None, "b.jpg"])) == ([0, 1], ["image_id_type"])
    assert align(gold, (["0", 1], ["c.jpg", "b.jpg"])) == ([-1, 1], [])


def test_one_id_of_two_types_in_one_table_is_not_paired_twice():
    assert align(([0, 1],), ([0, "0", 1],)) == ([0, -1, 1], ["image_id_type"])
    assert align(([0, 1],), ([0, "7", 1],)) == ([0, -1, 1], [])
