"""What one annotator of several drew: the gold inside the work, and patterns on both sides."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc.errors import ReadError, SpecError, UnknownNameError
from annqc.match import match
from annqc.read import read
from annqc.read.names import gold_rule
from annqc.read.only import share_of, split

PATTERN = r"(?P<annotator>p\d)_(?P<image>.+)"


@pytest.fixture(scope="module")
def work():
    return annqc.simulate({"ann": [], "bob": [], "cid": []}, n_images=8, rng=2).work


def rows(dataset):
    """Every row as plain values, whatever numbers stand for it."""
    table = dataset.table
    return {
        (
            dataset.annotator_ids[a],
            dataset.image_table.id[i],
            dataset.category_names[c],
            tuple(box),
        )
        for a, i, c, box in zip(
            table.annotator, table.image, table.category, table.xyxy.tolist(), strict=True
        )
    }


def asked(dataset):
    pairs = dataset.assigned.tolist()
    return {(dataset.annotator_ids[a], dataset.image_table.id[i]) for a, i in pairs}


def test_the_shares_are_the_whole(work):
    gold, rest = split(work, ["bob"])
    assert gold.annotator_ids.tolist() == ["bob"]
    assert rest.annotator_ids.tolist() == ["ann", "cid"]
    assert rows(gold) | rows(rest) == rows(work)
    assert len(gold) + len(rest) == len(work)
    assert asked(gold) | asked(rest) == asked(work)
    assert {who for who, _ in asked(gold)} == {"bob"}
    assert rows(share_of(work, ["cid", "ann"])) == rows(rest)


def test_an_image_that_somebody_never_saw_is_not_empty(work):
    t = work.table
    keep = (work.annotator_ids[t.annotator] != "bob") | (t.image < 5)
    some = replace(work, table=t.take(keep), assigned=None)
    assert share_of(some, ["bob"]).image_table.id.tolist() == work.image_table.id[:5].tolist()
    told = replace(work, table=t.take(keep))
    assert len(share_of(told, ["bob"]).image_table) == 8


def test_problems_go_with_their_rows(put):
    rows = ["ann,0,0", "ann,9,9", "bob,9,9", "bob,0,0", "bob,x,0"]
    text = "image_id,annotator,x1,y1,x2,y2\n" + "".join(f"7,{row},5,5\n" for row in rows)
    data = read(put("w.csv", text))
    gold, rest = split(data, ["bob"])
    assert [[one.where for one in side.issues] for side in (gold, rest)] == [
        ["line 4"],
        ["line 6", "line 3"],
    ]
    assert (gold.n_rows, rest.n_rows, data.n_rows) == (2, 3, 5)
    assert read(put("w.csv", text), only="bob").n_dropped == 2
    with pytest.raises(ReadError, match="2 of 3 rows cannot be used"):
        read(put("w.csv", text), only="bob", strict=True)


def test_names_are_checked(work):
    with pytest.raises(UnknownNameError, match="bop") as caught:
        share_of(work, ["bop"])
    assert "bob" in str(caught.value)
    with pytest.raises(ReadError, match="nobody is left to compare"):
        split(work, ["ann", "bob", "cid"])
    numbered = replace(work, annotator_ids=np.array([7, 8, 9]))
    assert share_of(numbered, ["8"]).annotator_ids.tolist() == [8]


def test_gold_out_of_the_work(work):
    made = annqc.audit(work, gold_only="ann")
    assert made.gold.annotator_ids.tolist() == ["ann"]
    assert made.work.annotator_ids.tolist() == ["bob", "cid"]
    assert annqc.audit(work, gold_only="ann", only="cid").work.annotator_ids.tolist() == ["cid"]
    same = annqc.audit(work, work, gold_only=["ann"], only=["bob", "ann"])
    # Whose annotations are the gold is not judged on them, there or elsewhere.
    judged = set(same.matches.candidate.annotator_ids[same.matches.task_annotator].tolist())
    assert judged == {"bob"}
    with pytest.raises(SpecError, match="annotator= says how files are read"):
        annqc.audit(work, gold_only="ann", annotator="stem")


def darwin(*boxes):
    image = {"width": 60, "height": 40, "original_filename": "x.jpg"}
    drawn = [{"name": "mole", "bounding_box": dict(zip("xywh", box, strict=True))} for box in boxes]
    return json.dumps({"dataset": "d", "image": image, "annotations": drawn})


@pytest.fixture
def labelled(put):
    """Three people on three images, one file each; p1 found nothing on the last."""
    for who in (1, 2, 3):
        for image in "abc":
            boxes = [] if (who, image) == (1, "c") else [(5, 5, 10 + who, 10)]
            path = put(f"d/p{who}_{image}.json", darwin(*boxes))
    return path.parent


def test_a_pattern_goes_for_the_gold_too(labelled):
    glob = str(labelled / "p1_*.json")
    made = annqc.audit(labelled, glob, annotator=PATTERN)
    assert made.gold.annotator_ids.tolist() == ["p1"]
    assert made.matches.n_tasks == 6
    assert {one.kind for one in made.issues} == {"own_reference"}
    inside = annqc.audit(labelled, annotator=PATTERN, gold_only="p1")
    assert inside.matches.n_tasks == 6
    assert not inside.issues
    ours, theirs = (one.scores().set_index("annotator") for one in (made, inside))
    for column in ("recall", "precision", "mean_iou"):
        assert ours.loc[["p2", "p3"], column].equals(theirs[column])


def test_a_pattern_that_fits_no_gold_file_is_for_the_work_alone(labelled, put):
    for image in "abc":
        folder = put(f"gold/{image}.json", darwin((5, 5, 11, 10))).parent
    assert gold_rule(PATTERN, folder) is None
    assert gold_rule(PATTERN, [str(labelled)]) == PATTERN
    assert gold_rule("parent", folder) is None
    assert gold_rule("parent", folder, "gold") == "parent"
    assert gold_rule("anonymous", folder) == "anonymous"
    made = annqc.audit(labelled, folder, annotator=PATTERN)
    assert made.matches.n_tasks == 9
    put("gold/p9_a.json", darwin())
    with pytest.raises(ReadError, match="does not fit the pattern"):
        annqc.audit(labelled, folder, annotator=PATTERN)


def test_nobody_in_particular_is_no_author():
    made = annqc.simulate(["ann"], n_images=6, rng=1)
    sides = [
        replace(one, annotator_ids=np.array(["(unknown)"], dtype=object), authors_known=True)
        for one in (made.gold, made.work)
    ]
    assert match(*sides).n_tasks == 6
