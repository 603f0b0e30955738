"""A saved run opens again and answers the same; what is damaged or foreign is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc.tables import Annotations, Dataset, Images, Problem, ids_array
from annqc.write import write_coco


def tables(audit):
    return {
        "pairs": audit.pairs,
        "bias": audit.bias(),
        "strata": audit.bias(by=("annotator", "size")),
        "scores": audit.scores(),
        "errors": audit.errors(),
        "annotations": audit.work.annotations,
        "images": audit.gold.images,
        "problems": audit.work.problems,
    }


def assert_same(first, second):
    other = tables(second)
    for name, frame in tables(first).items():
        pd.testing.assert_frame_equal(frame, other[name], check_exact=True)


def odd_dataset() -> Dataset:
    """Ids of all kinds, extra columns of all kinds, unknown sizes, tracks, crowds."""
    mixed = np.empty(3, dtype=object)
    mixed[:] = [2**70, "a-9", None]
    lists = np.empty(3, dtype=object)
    for k, value in enumerate(([1, 2], [3, 4], [5, 6])):
        lists[k] = value
    return Dataset(
        table=Annotations.build(
            id=mixed,
            image=[0, 1, 1],
            annotator=[0, 1, 1],
            category=[0, 0, 0],
            xyxy=[[0.0, 0, 10, 10], [5, 5, 25, 25], [40, 40, 60, 60.5]],
            track=np.array([0, -1, 1]),
            crowd=np.array([False, False, True]),
            extra={
                "site": ids_array(["n", "s", "n"]),
                "points": lists,
                "x.y": np.array([0.1, np.nan, 2]),
            },
        ),
        image_table=Images.build(
            ids_array([2**62 + 3, "two"]),
            file_name=ids_array(["ä/1.png", None]),
            extra={"light": np.array(["day", "night"])},
        ),
        annotator_ids=ids_array([569716681169025, 7]),
        category_ids=ids_array([1]),
        category_names=ids_array(["ship"]),
        assigned=np.array([[0, 0], [1, 0], [1, 1]]),
        issues=(
            Problem(
                kind="zero_size",
                severity="dropped",
                source="s",
                where="w",
                message="m",
                image_id=2**62 + 3,
            ),
        ),
        n_rows=4,
    )


def test_a_run_answers_the_same(tmp_path, mixed):
    mixed.save(tmp_path / "run.annqc")
    again = annqc.load(tmp_path / "run.annqc")
    assert_same(mixed, again)
    assert again.parameters == mixed.parameters
    assert mixed.summary() == again.summary()


def test_all_parameters_come_back(tmp_path):
    made = annqc.simulate(["ann"], n_images=8, rng=1)
    audit = annqc.audit(
        made.work,
        made.gold,
        tolerance="3 px",
        confidence=0.9,
        border_px=5,
        method="coco",
        iou=0.6,
        pair_iou=0.2,
        by=("annotator", "category"),
    )
    again = annqc.load(audit.save(tmp_path / "r"))
    assert again.parameters == audit.parameters
    assert again.by == ("annotator", "category")


def test_odd_ids_and_columns_come_back(tmp_path):
    work = odd_dataset()
    audit = annqc.audit(work, replace(work, annotator_ids=ids_array(["g", "h"])))
    again = annqc.load(audit.save(tmp_path / "r"))
    assert_same(audit, again)
    assert again.work.table.id.tolist() == [2**70, "a-9", None]
    assert again.work.annotator_ids.dtype == np.int64
    assert again.work.image_table.id.tolist() == [2**62 + 3, "two"]
    assert again.work.table.extra["points"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert again.work.table.track.tolist() == [0, -1, 1]
    assert again.work.image_table.frame is None
    assert again.work.image_table.extra["light"].tolist() == ["day", "night"]
    assert again.work.issues == work.issues


def test_digests_are_those_of_the_files_that_were_audited(tmp_path):
    made = annqc.simulate(["ann"], n_images=5, rng=1)
    gold = write_coco(made.gold, tmp_path / "gold.json")
    audit = annqc.audit(made.work, gold)
    digest = audit.gold.sources[0].sha256
    audit.save(tmp_path / "r")
    gold.unlink()
    again = annqc.load(tmp_path / "r")
    assert len(digest) == 64
    assert again.gold.sources[0].sha256 == digest
    assert again.gold.sources[0].path == str(gold)
    assert json.loads(again.to_json())["inputs"][0]["sha256"] == digest


def test_a_loaded_run_can_be_saved_again(tmp_path, few):
    again = annqc.load(annqc.load(few.save(tmp_path / "a")).save(tmp_path / "b"))
    assert_same(few, again)


def test_an_earlier_run_is_replaced_and_an_empty_folder_is_taken(tmp_path, few, mixed):
    (tmp_path / "r").mkdir()
    few.save(tmp_path / "r")
    mixed.save(tmp_path / "r")
    assert len(annqc.load(tmp_path / "r").work) == len(mixed.work)
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


@pytest.mark.parametrize("inside", [("notes.txt",), ("run.json", "notes.txt"), ("gold.npz",)])
def test_a_folder_that_is_something_else_is_not_overwritten(tmp_path, few, inside):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in inside:
        (folder / name).write_text("mine", encoding="utf-8")
    with pytest.raises(annqc.AnnqcError, match="would be overwritten"):
        few.save(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(inside)


def test_a_file_and_a_link_are_not_overwritten(tmp_path, few):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(annqc.AnnqcError, match="would be overwritten"):
            few.save(tmp_path / name)


def damage_json(folder):
    (folder / "run.json").write_text('{"format": "annqc-run", "version": 1', encoding="utf-8")


def remove_side(folder):
    (folder / "candidate.npz").unlink()


def cut_side(folder):
    path = folder / "candidate.npz"
    path.write_bytes(path.read_bytes()[:-40])


def swap_sides(folder):
    path = folder / "candidate.npz"
    path.write_bytes((folder / "reference.npz").read_bytes())


def change(key, value):
    def apply(folder):
        path = folder / "run.json"
        described = json.loads(path.read_text(encoding="utf-8"))
        described[key] = value
        path.write_text(json.dumps(described), encoding="utf-8")

    return apply


@pytest.mark.parametrize(
    "damage",
    [
        damage_json,
        remove_side,
        cut_side,
        swap_sides,
        change("parameters", {}),
        change("parameters", None),
        change("sha256", {}),
        change("candidate", {"n_rows": 1}),
        change("by", 7),
    ],
)
def test_a_damaged_run_is_one_clear_error(tmp_path, few, damage):
    folder = few.save(tmp_path / "r")
    damage(folder)
    with pytest.raises(annqc.AnnqcError, match="is damaged") as caught:
        annqc.load(folder)
    assert caught.value.where == str(folder)


def test_pickles_are_not_opened(tmp_path, few):
    import hashlib

    folder = few.save(tmp_path / "r")
    path = folder / "candidate.npz"
    np.savez(path, **{"annotations.id": np.array([{"a": 1}], dtype=object)})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    old = json.loads((folder / "run.json").read_text(encoding="utf-8"))["sha256"]
    change("sha256", old | {"candidate.npz": digest})(folder)
    with pytest.raises(annqc.AnnqcError, match="is damaged"):
        annqc.load(folder)


@pytest.mark.parametrize("content", [None, "{}", "[1]", '{"format": "other"}'])
def test_what_is_no_saved_run_is_named_as_such(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(annqc.AnnqcError, match="no saved run"):
        annqc.load(tmp_path)
    with pytest.raises(annqc.AnnqcError, match="no saved run"):
        annqc.load(tmp_path / "nowhere")


def test_a_run_of_a_later_version_is_refused(tmp_path, few):
    folder = few.save(tmp_path / "r")
    change("version", 2)(folder)
    with pytest.raises(annqc.AnnqcError, match="another version"):
        annqc.load(folder)


def test_a_column_that_cannot_be_saved_is_named(tmp_path):
    made = annqc.simulate(["ann"], n_images=3, rng=1)
    extra = np.array([object()] * len(made.work), dtype=object)
    work = replace(made.work, table=replace(made.work.table, extra={"blob": extra}))
    with pytest.raises(annqc.AnnqcError, match="cannot be saved") as caught:
        annqc.audit(work, made.gold).save(tmp_path / "r")
    assert "blob" in caught.value.where
    assert not list(tmp_path.iterdir())
