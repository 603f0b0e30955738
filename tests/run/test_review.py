"""The review queue: what leads it, what it says, and that its order is always the same."""

from __future__ import annotations

import math
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
from annqc.run.reviewgain import agreed, suspect_offsets
from annqc.run.reviewrows import KINDS
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


@pytest.mark.parametrize(("votes", "others"), [(0, 0), (0, 3), (2, 3), (5, 5)])
def test_agreement_is_odds_times_eight_a_vote(votes, others):
    odds = 0.6 / 0.4 * 8.0**votes / 8.0 ** (others - votes)
    assert agreed("missed", np.array([votes]), np.array([others]))[0] == pytest.approx(
        odds / (1 + odds)
    )


def test_probabilities_of_offsets_are_those_of_the_formula():
    fleet = {"a": [], "b": Habit.loose("right", px=7), "c": Habit.parse("gross 5 %")}
    made = annqc.simulate(fleet, n_images=60, overlap=2, categories=2, rng=4)
    audit = annqc.audit(made.work, made.gold)
    measured = audit.measurements
    category = audit.matches.candidate_category[measured.candidate]
    found = suspect_offsets(measured, category, 2)
    units = measured.edges / np.tile(measured.tolerance, 2)
    rng = np.random.default_rng(0)
    for row in rng.choice(len(units), 150, replace=False).tolist():
        every = [by_hand(measured, units, category, row, k) for k in range(4)]
        best = max(every)
        assert found.probability[row] == pytest.approx(best, abs=1e-9)
        assert every[found.edge[row]] == pytest.approx(best, abs=1e-6)
        assert found.offset[row] == units[row, found.edge[row]]


def by_hand(measured, units, category, row, k):
    """The formula of one edge, in plain Python."""
    if measured.at_border[row, k]:
        return 0.0
    mine = measured.annotator == measured.annotator[row]
    same = mine & (category == category[row])
    everybody = np.ones(len(mine), dtype=bool)
    for some in (same, mine, everybody):
        values = units[some & ~measured.at_border[:, k], k]
        if len(values) >= 20:
            break
    middle = float(np.median(values))
    scale = max(1.4826 * float(np.median(np.abs(values - middle))), 0.25)
    se = 1.2533 * scale / math.sqrt(len(values))
    u = float(units[row, k])
    p = 1 / (1 + math.exp(-(abs(u) - 3.25) / 0.25))
    if abs(u) >= 1:
        p = max(p, 1 / (1 + math.exp(-(abs(u - middle) / scale - 7) / 0.5)))
        if u * middle > 0:
            p = max(p, 0.5 * math.erfc(-(abs(middle) - 1) / se / math.sqrt(2)))
    others = [
        float(units[j, k])
        for j in range(len(units))
        if j != row and measured.reference[j] == measured.reference[row]
        if not measured.at_border[j, k]
    ]
    nearer = sum(abs(v - u) < abs(v) for v in others)
    odds = 0.95 / 0.05 * 8.0 ** (len(others) - 2 * nearer)
    return p * odds / (1 + odds)


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
