from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.ids import encode
from annqc.read import read
from annqc.read.unite import find

BOX = {"bbox": [10, 20, 30, 40]}
IDS = st.lists(st.integers(-(2**62), 2**62) | st.integers(-9, 9), max_size=20)


@given(IDS, IDS)
def test_find_is_a_first_lookup(table, values):
    expected = [table.index(v) if v in table else -1 for v in values]
    for kind in (np.int64, object):
        found = find(np.array(table, dtype=kind), np.array(values, dtype=np.int64))
        assert found.tolist() == expected


def images_of(dataset):
    return dataset.image_table.id[dataset.table.image].tolist()


def test_images_are_united_by_id(coco):
    a = coco(
        [{**BOX, "image_id": 1}, {**BOX, "image_id": 2}],
        name="a.json",
        images=[{"id": 1}, {"id": 2, "width": 64, "height": 48}],
    )
    b = coco(
        [{**BOX, "image_id": 2}, {**BOX, "image_id": 3}],
        name="b.json",
        images=[{"id": 3}, {"id": 2}],
    )
    dataset = read([a, b])
    assert dataset.image_table.id.tolist() == [1, 2, 3]
    assert images_of(dataset) == [1, 2, 2, 3]
    np.testing.assert_array_equal(dataset.image_table.width, [np.nan, 64, np.nan])
    assert dataset.assigned.tolist() == [[0, 0], [0, 1], [1, 1], [1, 2]]


def test_images_are_united_by_name_where_files_number_them_anew(coco):
    a = coco(
        [{**BOX, "image_id": 1}, {**BOX, "image_id": 2}],
        name="a.json",
        images=[{"id": 1, "file_name": "x"}, {"id": 2, "file_name": "y"}],
    )
    b = coco(
        [{**BOX, "image_id": 1}, {**BOX, "image_id": 2}],
        name="b.json",
        images=[{"id": 1, "file_name": "y"}, {"id": 2, "file_name": "z"}],
    )
    dataset = read([a, b])
    assert dataset.image_table.file_name.tolist() == ["x", "y", "z"]
    assert dataset.table.image.tolist() == [0, 1, 1, 2]
    assert dataset.image_table.id.tolist() == ["x", "y", "z"]
    assert [i.kind for i in dataset.issues] == ["image_id_clash"]


def test_renumbered_images_without_a_clash_keep_their_ids(coco):
    a = coco([{**BOX, "image_id": 1}], name="a.json", images=[{"id": 1, "file_name": "x"}])
    b = coco([{**BOX, "image_id": 5}], name="b.json", images=[{"id": 5, "file_name": "x"}])
    dataset = read([a, b])
    assert dataset.image_table.id.tolist() == [1]
    assert not dataset.issues


def test_formats_meet_by_file_name(coco, put):
    a = coco([{**BOX, "image_id": 1}], name="gold.json", images=[{"id": 1, "file_name": "x.jpg"}])
    b = put("bob.csv", "file_name,x1,y1,x2,y2\nx.jpg,0,0,9,9\n")
    dataset = read([a, b])
    assert dataset.image_table.id.tolist() == [1]
    assert dataset.annotator_ids.tolist() == ["gold", "bob"]
    assert dataset.assigned.tolist() == [[0, 0], [1, 0]]


def test_sizes_that_contradict_are_listed(coco):
    files = [
        coco(
            [{**BOX, "image_id": 1}],
            name=f"{w}.json",
            images=[{"id": 1, "width": w, "height": 100}],
        )
        for w in (100, 200)
    ]
    dataset = read(files)
    (issue,) = dataset.issues
    assert (issue.kind, issue.image_id) == ("size_mismatch", 1)
    assert issue.source.endswith("200.json")
    assert dataset.image_table.width.tolist() == [100]


def test_categories_are_united_by_name(coco):
    a = coco(
        [{**BOX, "image_id": 1, "category_id": 1}],
        name="a.json",
        categories=[{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    )
    b = coco(
        [{**BOX, "image_id": 1, "category_id": 1}],
        name="b.json",
        categories=[{"id": 1, "name": "dog"}],
    )
    dataset = read([a, b])
    assert dataset.category_names.tolist() == ["cat", "dog"]
    assert dataset.table.category.tolist() == [0, 1]
    assert not dataset.issues


def test_extra_columns_of_some_files(coco):
    a = coco([{**BOX, "image_id": 1, "shift": "day", "batch": 1}], name="a.json")
    b = coco([{**BOX, "image_id": 1, "batch": 2}], name="b.json")
    extra = read([a, b]).table.extra
    assert extra["shift"].tolist() == ["day", None]
    assert extra["batch"].tolist() == [1, 2]


def test_rows_know_their_source(coco):
    files = [coco([{**BOX, "image_id": 1}] * n, name=f"{n}.json") for n in (1, 2)]
    dataset = read(files)
    assert dataset.table.source.tolist() == [0, 1, 1]
    assert [source.n_rows for source in dataset.sources] == [1, 2]
    assert dataset.n_rows == 3


@pytest.mark.parametrize("order", [1, -1])
def test_mixed_ids_over_files(coco, order):
    files = [
        coco([{**BOX, "image_id": id}], name=f"{type(id).__name__}.json", images=[{"id": id}])
        for id in (7, "7")
    ]
    dataset = read(files[::order])
    assert sorted(dataset.image_table.id.tolist(), key=str) in ([7, "7"], ["7", 7])
    assert len(set(dataset.table.image.tolist())) == 2


@given(IDS, st.sampled_from([np.int64, object]))
def test_encode_numbers_ids_as_they_are_met(values, kind):
    codes, ids = encode(np.array(values, dtype=kind))
    assert ids.tolist() == list(dict.fromkeys(values))
    assert [ids[code] for code in codes] == values


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.uint64])
def test_encode_takes_the_widest_span_of_a_kind(kind):
    ends = np.iinfo(kind)
    codes, ids = encode(np.array([ends.max, ends.min, ends.max], dtype=kind))
    assert (codes.tolist(), ids.tolist()) == ([0, 1, 0], [ends.max, ends.min])
