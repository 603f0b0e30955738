"""The review queue: what leads it, what it says, and that its order is always the same."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.errors import SpecError
from annqc.ids import ids_array
from annqc.run.review import queue_rows
from annqc.run.review.rows import KINDS
from annqc.tables import Annotations, Dataset, Images

EDGES = ["out_left", "out_top", "out_right", "out_bottom"]


def dataset(rows, *, annotators=("ann",), n_images=3, sizes=True, names=("cat", "dog")):
    """Rows are (image, annotator, category, box)."""
    image, annotator, category, xyxy = zip(*rows, strict=True) if rows else ((), (), (), ())
    table = Annotations.build(
        image=np.array(image, dtype=np.int64),
        annotator=np.array(annotator, dtype=np.int64),
        category=np.array(category, dtype=np.int64),
        xyxy=np.array(xyxy, dtype=np.float64).reshape(-1, 4),
    )
    side = np.full(n_images, 400.0 if sizes else np.nan)
    ids = ids_array(list(range(7, 7 + n_images)))
    images = Images.build(ids, width=side, height=side)
    asked = [(a, i) for a in range(len(annotators)) for i in range(n_images)]
    return Dataset(
        table,
        images,
        ids_array(list(annotators)),
        np.arange(1, len(names) + 1),
        np.array(names, dtype=object),
        assigned=np.array(asked),
        n_rows=len(table),
    )


BOX = (100.0, 100.0, 200.0, 200.0)
FAR = (250.0, 250.0, 350.0, 350.0)


def moved(left=0.0, top=0.0, right=0.0, bottom=0.0, box=BOX):
    return (box[0] - left, box[1] - top, box[2] + right, box[3] + bottom)


def test_every_kind_is_told_once_with_its_reason():
    gold = dataset([(0, 0, 0, BOX), (1, 0, 0, BOX), (1, 0, 0, FAR), (2, 0, 0, BOX)])
    work = dataset([(0, 0, 0, moved(right=8)), (1, 0, 1, BOX), (2, 0, 0, BOX), (2, 0, 0, FAR)])
    found = annqc.audit(work, gold).review().to_frame().set_index("kind")
    assert set(found.index) == {"mislabelled", "missed", "spurious", "loose_box"}
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert found.index[0] == "mislabelled"
    loose = found.loc["loose_box"]
    assert (loose["edge"], loose["offset_px"], loose["offset"]) == ("out_right", 8.0, 4.0)
    assert loose["change"] == pytest.approx(1 - 1 / 1.08)
    assert loose["gain"] == pytest.approx(loose["probability"] * loose["change"], abs=1e-6)
    assert (found.loc["missed", "annotation_id"], found.loc["missed", "reference_id"]) == (None, 3)
    assert found.loc["missed", ["x1", "y1", "x2", "y2"]].tolist() == list(FAR)
    assert found.loc["spurious", "annotation_id"] == 4
    assert "right edge of cat 1 is 8.0 px too far out (4.0 tolerances" in loose["text"]
    assert "the gold's cat 3 was not drawn" in found.loc["missed", "text"]


def test_work_that_is_the_gold_leaves_nothing_to_look_at():
    gold = dataset([(0, 0, 0, BOX), (1, 0, 0, FAR)])
    queue = annqc.audit(gold, gold).review(top=3)
    assert len(queue) == 0
    assert queue.to_frame().empty
    assert repr(queue) == "<annqc.Review: 0 to look at on 0 images>"


def test_ties_stand_in_the_order_of_size_and_then_of_the_input():
    small, big = (10.0, 10.0, 30.0, 30.0), (300.0, 300.0, 390.0, 390.0)
    gold = dataset([(i, 0, 0, BOX) for i in range(3)])
    rows = [(2, 0, 0, small), (1, 0, 0, small), (0, 0, 0, big)]
    found = annqc.audit(dataset([*rows, *gold_rows(gold)]), gold).review().to_frame()
    assert found["kind"].tolist() == ["spurious"] * 3
    assert found["annotation_id"].tolist() == [3, 1, 2]
    again = annqc.audit(dataset([*rows, *gold_rows(gold)]), gold).review().to_frame()
    assert again.equals(found)


def gold_rows(gold):
    table = gold.table
    return [(int(i), 0, 0, tuple(b)) for i, b in zip(table.image, table.xyxy, strict=True)]


def test_the_top_is_the_beginning_of_the_whole_queue():
    made = annqc.simulate({"a": Habit.misses(0.1), "b": []}, n_images=30, rng=2)
    audit = annqc.audit(made.work, made.gold)
    whole = audit.review().to_frame()
    assert whole["gain"].is_monotonic_decreasing
    assert audit.review(top=7).columns["text"].tolist() == whole["text"].tolist()[:7]
    assert len(audit.review(top=10**9)) == len(whole)


@pytest.mark.parametrize("top", [0, -1, 1.5, True, "3"])
def test_a_length_that_is_none_is_refused(top):
    gold = dataset([(0, 0, 0, BOX)])
    with pytest.raises(SpecError, match="whole number, 1 or more"):
        annqc.audit(gold, gold).review(top=top)


@pytest.mark.parametrize("without_gold", [False, True])
def test_by_image_opens_each_image_once(without_gold):
    fleet = {"a": Habit.parse("gross 5 %"), "b": Habit.misses(0.1), "c": [], "d": []}
    made = annqc.simulate(fleet, n_images=30, rng=2)
    audit = annqc.audit(made.work, None if without_gold else made.gold)
    found = audit.review(top=40, by_image=True).to_frame()
    ids = found["image_id"].tolist()
    runs = 1 + sum(a != b for a, b in pairwise(ids))
    assert runs == len(set(ids))
    assert set(ids) <= set(made.work.image_table.id.tolist())
    assert found.groupby("image_id", sort=False)["gain"].sum().round(6).is_monotonic_decreasing
    assert sorted(found["gain"]) == sorted(audit.review(top=40).to_frame()["gain"])


def test_without_gold_images_have_the_ids_of_the_input():
    fleet = {"a (b)": Habit.parse("gross 10 %"), "b": [], "c": []}
    made = annqc.simulate(fleet, n_images=20, rng=1)
    texts = np.array([f"x ({k})" for k in range(20)], dtype=object)
    named = replace(made.work, image_table=replace(made.work.image_table, id=texts))
    for work in (made.work, named):
        queue = annqc.audit(work).review(top=10)
        assert queue.without_gold
        found = queue.to_frame()
        assert set(found["image_id"]) <= set(work.image_table.id.tolist())
        assert found["reference_id"].isna().all()
        boxes = dict(zip(work.table.id.tolist(), work.table.xyxy.tolist(), strict=True))
        for row in found[found["annotation_id"].notna()].to_dict("records"):
            assert boxes[row["annotation_id"]] == [row[k] for k in ("x1", "y1", "x2", "y2")]


def test_others_decide_whether_the_gold_is_wrong():
    names = ("ann", "bob", "cat", "dan")
    gold = dataset([(0, 0, 0, BOX), (1, 0, 0, BOX), (1, 0, 0, FAR)])
    rows = [(0, k, 0, BOX) for k in range(4)] + [(1, k, 0, BOX) for k in range(4)]
    alone = annqc.audit(dataset(rows, annotators=names), gold).review().to_frame()
    assert (alone.loc[alone["kind"] == "missed", "probability"] < 0.05).all()
    rows += [(1, k, 0, FAR) for k in range(3)]
    found = annqc.audit(dataset(rows, annotators=names), gold).review().to_frame()
    assert found["annotator"].tolist() == ["dan"]
    assert found["probability"][0] > 0.95


def test_gold_that_several_contradict_is_in_the_queue_and_accuses_nobody():
    made = annqc.simulate(5, n_images=60, rng=3)
    gold = made.gold
    category = gold.table.category.copy()
    category[10] = (category[10] + 1) % 5
    gold = replace(gold, table=replace(gold.table, category=category))
    found = annqc.audit(made.work, gold).review().to_frame()
    doubted = found[found["kind"] == "gold"]
    assert gold.table.id[10] in doubted["reference_id"].tolist()
    one = doubted[doubted["reference_id"] == gold.table.id[10]].iloc[0]
    assert doubted["annotator"].isna().all()
    assert "Look at the gold" in one["text"]
    blamed = found[(found["kind"] == "mislabelled") & (found["reference_id"] == gold.table.id[10])]
    assert (blamed["gain"] < one["gain"]).all()


def test_what_all_drew_and_the_gold_lacks_is_a_look_at_the_gold():
    made = annqc.simulate(5, n_images=60, rng=3)
    kept = np.arange(len(made.gold)) != 10
    gold = replace(made.gold, table=made.gold.table.take(kept))
    queue = annqc.audit(made.work, gold).review()
    found = queue.to_frame()
    doubted = found[found["kind"] == "gold"]
    assert len(doubted) == 1
    assert doubted["annotator"].isna().all()
    assert made.origin[made.work.table.id == doubted["annotation_id"].iloc[0]].tolist() == [10]
    extras = found[found["kind"] == "spurious"]
    assert (extras["probability"] < 0.01).all()


def test_a_saved_run_has_the_same_queue(tmp_path):
    made = annqc.simulate({"a": Habit.parse("gross 9 %"), "b": [], "c": []}, n_images=20, rng=1)
    for audit in (annqc.audit(made.work, made.gold), annqc.audit(made.work)):
        again = annqc.load(audit.save(tmp_path / "run.annqc"))
        first, second = (one.review(url="x/{image_id}").columns for one in (audit, again))
        for name in ("gain", "text", "url", "annotation_id", "x1"):
            assert first[name].tolist() == second[name].tolist()


def test_kinds_of_one_annotation_are_told_together():
    gold = dataset([(0, 0, 0, BOX)])
    work = dataset([(0, 0, 1, moved(right=8))])
    found = annqc.audit(work, gold).review().to_frame()
    assert found["kinds"].tolist() == ["mislabelled; loose_box"]


def test_every_kind_of_error_has_its_place_in_the_queue():
    fleet = {"a": Habit.parse("merges 5 %, splits 5 %, duplicates 5 %, gross 5 %, misses 5 %")}
    fleet |= {"b": Habit.parse("wrong labels 5 %, extras 5 %")}
    made = annqc.simulate(fleet, n_images=60, rng=5)
    audit = annqc.audit(made.work, made.gold)
    errors = audit.error_rows
    rows = queue_rows(audit)
    told = {
        (int(c), KINDS[k])
        for c, kinds in zip(rows["candidate"], rows["kinds"].tolist(), strict=True)
        for k in kinds
    }
    for candidate, kind in zip(errors["candidate"].tolist(), errors["kind"], strict=True):
        assert (candidate, kind) in told


def test_a_hundred_thousand_annotations_take_seconds():
    fleet = {"a": [], "b": Habit.loose("right", px=6), "c": Habit.parse("misses 3 %, extras 3 %")}
    made = annqc.simulate(fleet, n_images=5000, boxes_per_image=6.7, rng=1)
    audit = annqc.audit(made.work, made.gold)
    assert len(audit.work) > 98_000
    _ = audit.measurements, audit.error_rows
    begin = time.perf_counter()
    assert len(audit.review()) > 90_000
    assert time.perf_counter() - begin < 20  # two seconds on an idle machine


def test_crowd_regions_and_what_they_swallow_are_not_in_the_queue():
    gold = dataset([(0, 0, 0, BOX), (1, 0, 0, FAR)])
    crowd = np.array([False, True])
    gold = replace(gold, table=replace(gold.table, crowd=crowd))
    work = dataset([(0, 0, 0, BOX), (1, 0, 0, moved(box=FAR, left=-20))])
    assert len(annqc.audit(work, gold).review()) == 0


def test_loose_boxes_are_those_of_the_errors():
    made = annqc.simulate({"a": Habit.parse("gross 5 %"), "b": []}, n_images=60, rng=7)
    audit = annqc.audit(made.work, made.gold)
    errors = audit.errors(kind="loose_box").set_index("annotation_id")
    found = audit.review().to_frame().set_index("annotation_id")
    told = found[found["kinds"].str.contains("loose_box")]
    assert set(told.index) == set(errors.index)
    for id, row in errors.iterrows():
        if abs(row["offset"]) == abs(told.loc[id, "offset"]):
            assert told.loc[id, "edge"] == row["edge"]


def test_a_near_miss_changes_what_it_does_not_overlap():
    gold = dataset([(0, 0, 0, BOX)])
    found = annqc.audit(dataset([(0, 0, 0, moved(left=-60))]), gold).review().to_frame()
    row = found[found["kind"] == "near_miss"].iloc[0]
    assert row["iou"] == pytest.approx(0.4)
    assert row["change"] == pytest.approx(0.6)


def test_each_box_of_a_habit_counts_less_than_the_one_before():
    fleet = {"a": [], "b": Habit.loose("right", px=7), "c": Habit.loose("top", px=7)}
    made = annqc.simulate(fleet, n_images=60, overlap=2, rng=4)
    found = annqc.audit(made.work, made.gold).review().to_frame()
    found = found[found["kind"].isin(["habit", "loose_box", "unlike", "offset"])]
    left = (found["change"] / (1 - found["iou"])).round(6)
    for _, some in found.groupby(["annotator", "edge"]):
        habit = some[left[some.index] < 1]
        told = sorted(left[habit.index], reverse=True)
        # The first of the habit counts in full, and is not among those that count less.
        expected = [8 / (8 + k) for k in range(1, len(told) + 1)]
        assert told == pytest.approx(expected, abs=1e-5)
        whole = habit["probability"] * (1 - habit["iou"])
        # But for gains that are alike when they are told to two decimals.
        assert (whole[left[habit.index].sort_values().index].diff().dropna() > -0.01).all()
    biased = found[found["annotator"].eq("b") & found["edge"].eq("out_right")]
    assert (left[biased.index] < 1).mean() > 0.8
    assert (left[found[found["annotator"] == "a"].index] == 1).all()
