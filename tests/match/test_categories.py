"""Which candidate category is which reference category."""

from __future__ import annotations

from annqc.ids import ids_array
from annqc.match.categories import align_categories
from annqc.tables import Annotations, Dataset, Images


def dataset(ids, names=None):
    names = [str(one) for one in ids] if names is None else names
    none = Annotations.build(image=[], annotator=[], category=[], xyxy=[])
    return Dataset(
        none, Images.build(ids_array([])), ids_array([]), ids_array(ids), ids_array(names)
    )


def align(reference, candidate):
    found = align_categories(dataset(*reference), dataset(*candidate))
    assert found.reference.max() < len(found.names)
    return (
        found.names.tolist(),
        found.reference.tolist(),
        found.candidate.tolist(),
        [problem.kind for problem in found.problems],
    )


def test_by_name_whatever_the_ids():
    gold, work = ([1, 2], ["cat", "dog"]), ([2, 7, 9], ["cat", "dog", "owl"])
    assert align(gold, work) == (["cat", "dog", "owl"], [0, 1], [0, 1, 2], [])


def test_by_id_where_one_side_has_no_names():
    named, bare = ([18, 17], ["dog", "cat"]), ([17, 18],)
    assert align(named, bare) == (["dog", "cat"], [0, 1], [1, 0], [])
    assert align(bare, named) == (["cat", "dog"], [0, 1], [1, 0], [])


def test_ids_as_numbers_and_as_text():
    assert align(([1, 2],), (["2", "1"],)) == (["1", "2"], [0, 1], [1, 0], [])


def test_spelling_is_forgiven_and_listed():
    gold, work = ([1, 2], ["Cat", "dog"]), ([1, 2], ["cat ", "dog"])
    assert align(gold, work) == (["Cat", "dog"], [0, 1], [0, 1], ["category_spelling"])


def test_spelling_is_not_forgiven_where_it_is_ambiguous():
    gold, work = ([1, 2], ["cat", "dog"]), ([1, 2, 3], ["Cat", "CAT", "dog"])
    assert align(gold, work) == (["cat", "dog", "Cat", "CAT"], [0, 1], [2, 3, 1], [])
    gold, work = ([1, 2], ["cat", "Cat"]), ([1], ["Cat"])
    assert align(gold, work) == (["cat", "Cat"], [0, 1], [1], [])


def test_a_name_given_twice_is_one_category():
    gold, work = ([1, 2], ["cat", "cat"]), ([5], ["cat"])
    assert align(gold, work) == (["cat"], [0, 0], [0], [])


def test_nothing_in_common_is_listed():
    gold, work = ([1], ["cat"]), ([1], ["dog"])
    assert align(gold, work) == (["cat", "dog"], [0], [1], ["category_mismatch"])
