from __future__ import annotations

import pytest

from annqc.errors import ReadError, UnknownNameError
from annqc.read import read

BOX = {"image_id": 7, "bbox": [10, 20, 30, 40]}


def who(source, **options):
    return read(source, **options).annotator_ids.tolist()


@pytest.mark.parametrize(
    "field",
    [
        "annotator",
        "annotator_id",
        "worker",
        "worker_id",
        "rater",
        "user",
        "username",
        "created_by",
        "labeler",
        "labeller",
    ],
)
def test_a_field_is_found(coco, field):
    assert who(coco([{**BOX, field: "ann"}, {**BOX, field: "bob"}])) == ["ann", "bob"]


def test_numbers_stay_numbers(coco):
    assert who(coco([{**BOX, "worker_id": 569716681169025}])) == [569716681169025]


def test_the_field_is_no_extra_column(coco):
    assert read(coco([{**BOX, "annotator": "ann", "shift": 1}])).table.extra.keys() == {"shift"}


def test_file_names(coco, tmp_path):
    files = [coco([BOX], name=f"work/{name}.json") for name in ("ann", "bob")]
    assert who(files) == ["ann", "bob"]
    assert who(files[0]) == ["ann"]
    assert who(files, annotator="stem") == ["ann", "bob"]
    assert who(files, annotator="parent") == ["work"]


def test_folders_where_file_names_repeat(coco):
    files = [coco([BOX], name=f"{name}/annotations/instances.json") for name in ("ann", "bob")]
    assert who(files) == ["ann", "bob"]
    assert who(files, annotator="stem") == ["instances"]


def test_constants(coco):
    files = [coco([{**BOX, "shift": "day"}], name=f"{name}.json") for name in ("a", "b")]
    assert who(files, annotator="=alice") == ["alice"]
    assert who(files, annotator="=shift") == ["shift"]
    assert who(files, annotator="shift") == ["day"]
    assert who(files, annotator=7) == [7]
    with pytest.raises(ReadError, match="no name"):
        read(files, annotator="=")


def test_misspelt_fields_are_asked_about(coco):
    path = coco([{**BOX, "reviewer": "ann"}])
    with pytest.raises(UnknownNameError, match="did you mean 'reviewer'") as caught:
        read(path, annotator="reviwer")
    assert "to give one name to all, write '=reviwer'" in str(caught.value)
    with pytest.raises(UnknownNameError, match="did you mean 'stem'"):
        read(path, annotator="stems")


def test_a_wanted_field_is_read_wherever_it_stands(coco):
    rows = [{"image_id": 1, "bbox": [k, 0, 5, 5]} for k in range(5000)]
    rows[1234]["reviewer"] = "ann"
    dataset = read(coco(rows), annotator="reviewer")
    assert dataset.annotator_ids.tolist() == ["(unknown)", "ann"]
    assert dataset.table.annotator[1234] == 1
    assert sum(i.kind == "unknown_annotator" for i in dataset.issues) == 4999


def test_a_field_that_one_file_lacks_is_refused(coco):
    files = [coco([{**BOX, "crew": "x"}], name="a.json"), coco([BOX], name="b.json")]
    with pytest.raises(ReadError, match="no field 'crew'") as caught:
        read(files, annotator="crew")
    assert "b.json" in str(caught.value)


def test_blank_annotators_are_unknown_and_listed(coco):
    dataset = read(
        coco(
            [
                {**BOX, "annotator": "ann"},
                {**BOX, "annotator": None, "bbox": [1, 1, 5, 5]},
                {**BOX, "annotator": "", "bbox": [2, 2, 5, 5]},
            ]
        )
    )
    assert len(dataset) == 3
    assert [dataset.annotator_ids[k] for k in dataset.table.annotator] == [
        "ann",
        "(unknown)",
        "(unknown)",
    ]
    assert [i.where for i in dataset.issues if i.kind == "unknown_annotator"] == [
        "annotations[1]",
        "annotations[2]",
    ]


def test_fields_in_some_files_only(coco):
    files = [coco([{**BOX, "annotator": "ann"}], name="a.json"), coco([BOX], name="gold.json")]
    assert who(files) == ["ann", "gold"]


def test_columns_of_tables(put):
    path = put("a.csv", "image_id,x1,y1,x2,y2,Worker_ID,crew\n1,0,0,9,9,w1,c1\n")
    assert who(path) == ["w1"]
    assert who(path, annotator="crew") == ["c1"]
    assert who(path, columns={"annotator": "crew"}) == ["c1"]
    assert who(put("b.csv", "image_id,x1,y1,x2,y2\n1,0,0,9,9\n")) == ["b"]


def test_assignments_follow_a_constant(coco):
    path = coco(
        [{**BOX, "annotator": "ann"}],
        images=[{"id": 7}, {"id": 8}, {"id": 9}],
        assignments=[{"image_id": 7, "annotator": "ann"}, {"image_id": 8, "annotator": "bob"}],
    )
    dataset = read(path, annotator="=one")
    assert dataset.annotator_ids.tolist() == ["one"]
    assert dataset.assigned.tolist() == [[0, 0], [0, 1]]


def test_a_field_that_no_file_has_is_refused(coco):
    path = coco([{**BOX, "crew": "x", "shift": 1}])
    with pytest.raises(UnknownNameError, match="no file has a field 'nosuch'") as caught:
        read(path, annotator="nosuch")
    assert "the fields there are: crew, shift" in caught.value.hint
    assert "write '=nosuch'" in caught.value.hint
    assert "--annotator" in caught.value.where


@pytest.mark.parametrize("name", ["category_id", "image_id", "bbox", "id", "iscrowd", "area"])
def test_bookkeeping_does_not_say_who_drew(coco, name):
    path = coco([{**BOX, "area": 1200, "crew": "x"}])
    with pytest.raises(UnknownNameError, match="something else than who drew") as caught:
        read(path, annotator=name)
    assert "the fields there are: crew;" in caught.value.hint


def test_columns_with_a_role_do_not_say_who_drew(put):
    path = put("a.csv", "item,x1,y1,x2,y2,label,crew,area\n1,0,0,9,9,cat,c1,81\n")
    for name in ("item", "label", "X1", "area"):
        with pytest.raises(UnknownNameError, match="something else"):
            read(path, annotator=name)
    assert who(path, annotator="crew", columns={"annotator": "crew"}) == ["c1"]


def test_a_field_of_no_rows_makes_up_nobody(coco):
    empty = coco([], name="empty.json")
    assert who(empty, annotator="crew") == []
    assert who([empty, coco([{**BOX, "crew": "x"}])], annotator="crew") == ["x"]


def test_a_table_without_a_row_has_columns_all_the_same(put):
    path = put("a.csv", "image_id,x1,y1,x2,y2,crew\n")
    assert who(path, annotator="crew") == []
    with pytest.raises(UnknownNameError, match="no file has a field 'crow'"):
        read(path, annotator="crow")


def test_names_that_are_nearly_the_same_are_kept_apart_and_listed(coco):
    names = ["Carl ", "carl", "carl", "ann  lee", "ann lee", 7, "7", "bob"]
    rows = [
        {**BOX, "bbox": [k, 0, 5, 5], "annotator": name} for k, name in enumerate(names, start=1)
    ]
    dataset = read(coco(rows))
    assert len(dataset.annotator_ids) == 7
    assert [i.message for i in dataset.issues if i.kind == "similar_annotators"] == [
        "'Carl ' (rows: 1) and 'carl' (rows: 2) count as 2 annotators",
        "'ann  lee' (rows: 1) and 'ann lee' (rows: 1) count as 2 annotators",
        "7 (rows: 1) and '7' (rows: 1) count as 2 annotators",
    ]
    assert len(dataset.issues) == 3
