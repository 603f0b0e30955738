"""`annqc.audit` and `Audit`: what they accept, refuse and hand on."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc import Habit, MatchPolicy, Tolerance
from annqc.ids import ids_array
from annqc.write import write_coco


@pytest.fixture(scope="module")
def made():
    return annqc.simulate({"ann": [], "bob": Habit.loose("left", px=6)}, n_images=30, rng=1)


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    write_coco(made.gold, folder / "gold.json")
    write_coco(made.work, folder / "work.json")
    return folder


def frame_of(dataset):
    table = dataset.annotations
    return table[["image_id", "annotator", "category", "x1", "y1", "x2", "y2"]]


def test_files_frames_and_datasets_give_the_same(made, folder):
    whole = annqc.audit(made.work, made.gold).bias()
    for work, gold in (
        (folder / "work.json", folder / "gold.json"),
        (str(folder / "w*.json"), [folder / "gold.json"]),
        (annqc.read(folder / "work.json"), str(folder / "gold.json")),
    ):
        found = annqc.audit(work, gold).bias()
        pd.testing.assert_frame_equal(found, whole, rtol=1e-6, atol=1e-9)
    sizes = {f"image_{k:02d}.jpg": (1920, 1080) for k in range(1, 31)}
    by_frame = annqc.audit(frame_of(made.work), made.gold, image_sizes=sizes).bias()
    assert by_frame["verdict"].tolist() == whole["verdict"].tolist()


def test_the_same_file_given_twice_is_read_once(folder):
    work = folder / "work.json"
    once = annqc.audit(work, folder / "gold.json")
    twice = annqc.audit([work, work], folder / "gold.json")
    assert len(twice.work) == len(once.work)


def test_without_gold_everybody_is_compared_with_the_others():
    made = annqc.simulate(["ann", "bob", "cem"], n_images=20, rng=4)
    audit = annqc.audit(made.work)
    assert audit.gold.annotator_ids.tolist() == ["consensus of the others"]
    assert set(audit.scores()["annotator"]) == {"ann", "bob", "cem"}


def test_of_two_annotators_without_gold_neither_is_judged(made):
    with pytest.raises(annqc.AnnqcError, match="of two annotators only the difference is known"):
        annqc.audit(made.work)


def test_parameters_are_kept(made):
    audit = annqc.audit(
        made.work,
        made.gold,
        by="annotator, size",
        tolerance=Tolerance(px=4.0, rel=0.0),
        confidence=0.9,
        border_px=7,
        policy=MatchPolicy(method="coco", pair_iou=0.3),
        iou=0.7,
        gate=0.4,
    )
    assert audit.by == ("annotator", "size")
    assert str(audit.parameters.tolerance) == "4 px"
    assert audit.parameters.confidence == 0.9
    assert audit.parameters.border_px == 7
    assert audit.parameters.policy == MatchPolicy(method="coco", iou=0.7, pair_iou=0.3, gate=0.4)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tolerance": "2"}, "cannot read the tolerance"),
        ({"confidence": 0.2}, "confidence level"),
        ({"border_px": -1}, "border width"),
        ({"method": "optimum"}, "did you mean 'optimal'"),
        ({"iou": 0}, "match parameter iou"),
        ({"engine": "abacus"}, "abacus"),
        ({"by": "annotator,annotator"}, "more than once"),
        ({"annotator": "=x"}, "Dataset already"),
        ({"format": "coco"}, "Dataset already"),
        ({"gold_format": "coco"}, "Dataset already"),
    ],
)
def test_wrong_parameters_are_refused_at_once(made, wrong, said):
    with pytest.raises(annqc.AnnqcError, match=said):
        annqc.audit(made.work, made.gold, **wrong)


def test_a_wrong_column_suggests_the_right_one(made):
    audit = annqc.audit(made.work, made.gold, by="categori")
    with pytest.raises(annqc.UnknownNameError, match="did you mean 'category'"):
        audit.to_json()


def test_no_image_in_common_is_one_clear_error(made):
    images = replace(
        made.gold.image_table, id=ids_array([f"x{k}" for k in range(30)]), file_name=None
    )
    with pytest.raises(annqc.MatchError, match="no image in common"):
        annqc.audit(made.work, replace(made.gold, image_table=images)).scores()


def test_strict_holds_for_datasets_too(made):
    problem = annqc.tables.Problem(
        kind="zero_size", severity="dropped", source="s.json", where="row 7", message="no width"
    )
    work = made.work.with_issues([problem])
    assert len(annqc.audit(work, made.gold).work.issues) == 1
    with pytest.raises(annqc.AnnqcError, match="cannot be used"):
        annqc.audit(work, made.gold, strict=True)


def test_gold_by_several_hands_is_mentioned(made):
    gold = replace(
        made.gold,
        annotator_ids=ids_array(["x", "y"]),
        table=replace(made.gold.table, annotator=np.arange(len(made.gold)) % 2),
        assigned=None,
    )
    audit = annqc.audit(made.work, gold)
    assert [one.kind for one in audit.gold.issues] == ["gold_by_several"]
    assert annqc.audit(made.work, made.gold).gold.issues == ()
    again = annqc.audit(made.work, audit.gold)
    assert len(again.gold.issues) == 1


def test_progress_is_told_of_every_file(folder):
    seen = []
    annqc.audit(
        folder / "work.json", folder / "gold.json", progress=lambda *told: seen.append(told)
    )
    assert seen == [(1, 1, "gold.json"), (1, 1, "work.json")]


def test_to_json_gives_text_or_writes_a_file(made, tmp_path):
    audit = annqc.audit(made.work, made.gold)
    text = json.loads(audit.to_json())
    path = audit.to_json(tmp_path / "a.json")
    written = json.loads(path.read_text(encoding="utf-8"))
    text.pop("created")
    written.pop("created")
    assert written == text


def test_the_summary_is_the_screen(made):
    audit = annqc.audit(made.work, made.gold)
    assert "bob draws the left edge" in audit.summary()
    assert max(map(len, audit.summary(width=100).splitlines())) > 80
    assert repr(audit).startswith("<annqc.Audit: ")
    assert "2 annotators" in repr(audit)


def test_gold_and_work_are_the_two_sides(made):
    audit = annqc.audit(made.work, made.gold)
    assert audit.gold is made.gold
    assert audit.work is made.work


def test_lint_is_a_table_of_problems(tmp_path):
    rows = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 0, 9]}]
    document = {"images": [{"id": 1}], "annotations": rows, "categories": [{"id": 1, "name": "x"}]}
    (tmp_path / "x.json").write_text(json.dumps(document), encoding="utf-8")
    assert annqc.lint(tmp_path / "x.json", annotator="=me")["kind"].tolist() == ["zero_size"]


class TestRealData:
    def test_every_worker_and_edge_of_the_crowd_is_in_the_json(self, shared_data):
        crowd = shared_data / "crowd_boxes"
        audit = annqc.audit(crowd / "workers.json", crowd / "gold.json")
        document = json.loads(audit.to_json())
        found = {(one["annotator"], one["quantity"]): one for one in document["findings"]}
        assert len(found) == 158 * 8
        known = found["worker-126", "out_right"]
        assert known["verdict"] == "biased"
        assert known["n_clusters"] == 23
        assert known["ci_low_rel"] < known["estimate_rel"] < known["ci_high_rel"]
        assert (
            "worker-126 draws the right edge 8 % too far out (6 to 11 %, 23 images)"
            in audit.summary()
        )
        assert len(audit.summary().splitlines()) <= 60

    @pytest.mark.parametrize(
        "name", ["coco_val2017_subset/instances_val2017.tiny.json", "bccd_voc_boxes/Annotations"]
    )
    def test_data_against_itself_is_without_error(self, shared_data, name):
        audit = annqc.audit(shared_data / name, shared_data / name, annotator="=me")
        scores = audit.scores()
        assert scores[["recall", "precision", "label_accuracy", "mean_iou"]].to_numpy().min() == 1
        assert len(audit.errors()) == 0
        assert np.abs(audit.bias()["estimate_px"]).max() == 0
        assert audit.summary().rstrip().endswith("Errors  none")


def test_one_annotator_is_not_called_annotators():
    made = annqc.simulate(["ann"], n_images=5, rng=1)
    assert " boxes by 1 annotator against " in repr(annqc.audit(made.work, made.gold))
