"""What two deliveries have in common: images, objects and annotators, however they are numbered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from annqc.ids import ids_array
from annqc.measure.tolerance import Tolerance
from annqc.run.audit import Parameters, Run
from annqc.run.pairing import Comparison
from annqc.simulate import Habit
from tests.deliveries import deliveries, on_images, part_of

TEAM = {name: [Habit.misses(0.1), Habit.extras(0.1), Habit.wrong_labels(0.1)] for name in "abc"}
RATES = ("recall", "precision", "label_accuracy", "mean_iou")


@pytest.fixture(scope="module")
def two():
    gold, (old, new) = deliveries(TEAM, TEAM, n_images=20, boxes_per_image=np.full(20, 5), rng=5)
    return gold, old, new


def changed(run, other, measure, **options):
    columns, notes = run.changes(other, measure, margin=0.01, **options)
    return {name: column.tolist() for name, column in columns.items()}, notes


@pytest.mark.parametrize("measure", ["recall", "precision"])
def test_on_the_same_gold_the_rates_are_those_of_the_scores(two, measure):
    gold, old, new = two
    runs = Run(gold, new), Run(gold, old)
    found, notes = changed(*runs, measure)
    assert notes == ()
    for name, run in zip(("new", "old"), runs, strict=True):
        scores = run.score_columns()
        assert found["annotator"] == scores["annotator"].tolist()
        assert found[name] == pytest.approx(scores[measure].tolist())
    assert found["n_clusters"] == [20, 20, 20]


@pytest.mark.parametrize("measure", ["label_accuracy", "mean_iou"])
def test_only_objects_that_were_drawn_in_both_are_compared(two, measure):
    gold, old, new = two
    found, _ = changed(Run(gold, new), Run(gold, old), measure)
    values = []
    for work in (new, old):
        one = Run(gold, work).detected
        event = one.iou if measure == "mean_iou" else one.right_label
        who = work.table.annotator[one.pair_candidate]
        cells = zip(who.tolist(), one.pair_reference.tolist(), strict=True)
        values.append(dict(zip(cells, event.tolist(), strict=True)))
    for a in range(3):
        shared = [cell for cell in values[0] if cell in values[1] and cell[0] == a]
        assert len(shared) < sum(cell[0] == a for cell in values[0])
        assert found["n"][a] == len(shared)
        for name, side in zip(("new", "old"), values, strict=True):
            assert found[name][a] == pytest.approx(np.mean([side[cell] for cell in shared]))


@pytest.mark.parametrize("measure", RATES)
def test_the_same_boxes_are_known_as_such(two, measure):
    gold, old, new = two
    shifted = new.table.xyxy.copy()
    mine = new.table.annotator == 1
    shifted[mine] += np.array([0.0, 0.0, 0.01, 0.0])
    moved = replace(new, table=replace(new.table, xyxy=shifted))
    found, _ = changed(Run(gold, moved), Run(gold, new), measure)
    assert found["identical"] == [True, False, True]
    assert changed(Run(gold, new), Run(gold, old), measure)[0]["identical"] == [False] * 3
    turned = Run(*renumbered(gold, new, np.random.default_rng(8)))
    assert changed(Run(gold, new), turned, measure)[0]["identical"] == [True] * 3


def renumbered(gold, work, rng):
    """Turn the gold and the work round: other row orders, ids and annotator order."""
    images = rng.permutation(len(gold.image_table))
    place = np.argsort(images)
    rows = rng.permutation(len(gold.table))
    table = gold.table.take(rows)
    table = replace(
        table, image=place[table.image], id=ids_array(list(range(900, 900 + len(rows))))
    )
    assigned = np.stack([gold.assigned[:, 0], place[gold.assigned[:, 1]]], axis=1)
    image_table = replace(
        gold.image_table.take(images), id=ids_array([f"x{k}" for k in range(len(images))])
    )
    turned_gold = replace(gold, table=table, image_table=image_table, assigned=assigned)
    who = np.array([2, 0, 1])
    drawn = work.table.take(rng.permutation(len(work.table)))
    drawn = replace(drawn, annotator=who[drawn.annotator], image=place[drawn.image])
    turned_work = replace(
        work,
        table=drawn,
        image_table=image_table,
        annotator_ids=work.annotator_ids[np.argsort(who)],
        assigned=np.stack([who[work.assigned[:, 0]], place[work.assigned[:, 1]]], axis=1),
    )
    return turned_gold, turned_work


@pytest.mark.parametrize("measure", [*RATES, "edge_offset"])
def test_order_and_ids_of_the_earlier_files_do_not_matter(two, measure):
    gold, old, new = two
    turned = Run(*renumbered(gold, old, np.random.default_rng(8)))
    margin = Tolerance(px=0.3, rel=0.0) if measure == "edge_offset" else 0.01
    plain, _ = Run(gold, new).changes(Run(gold, old), measure, margin=margin)
    other, notes = Run(gold, new).changes(turned, measure, margin=margin)
    assert notes == ()
    assert set(plain) == set(other)
    for name, column in plain.items():
        if column.dtype == object:
            assert column.tolist() == other[name].tolist()
        else:
            np.testing.assert_allclose(other[name], column, rtol=1e-9, atol=1e-9)


def test_equal_boxes_are_paired_in_their_order(two):
    gold, old, new = two
    twice = np.concatenate([np.arange(len(gold.table)), [3, 3]])
    both = replace(gold, table=gold.table.take(twice))
    found = Comparison(Run(both, new), Run(both, old)).reference
    assert found.tolist() == list(range(len(twice)))
    fewer = Comparison(Run(gold, new), Run(both, old)).reference
    assert fewer.tolist() == [*range(len(gold.table)), -1, -1]


def test_changed_gold_takes_no_part_and_is_told(two):
    gold, old, new = two
    boxes = gold.table.xyxy.copy()
    boxes[:4, 2] += 3.0
    moved = replace(gold, table=replace(gold.table, xyxy=boxes))
    columns, notes = changed(Run(moved, new), Run(gold, old), "recall")
    n = len(gold.table)
    assert columns["n"] == [n - 4] * 3
    assert notes == (
        f"12 of {3 * n} objects that were asked for are new, or their gold has changed",
    )
    touched = len(np.unique(gold.table.image[:4]))
    columns, notes = changed(Run(moved, new), Run(gold, old), "precision")
    assert columns["n_clusters"] == [20 - touched] * 3
    assert notes == (
        f"{3 * touched} of 60 images that were asked for are new, or their gold has changed",
    )


def test_what_came_since_takes_no_part(two):
    gold, old, new = two
    fewer = Run(gold, on_images(old, 12))
    columns, notes = changed(Run(gold, new), fewer, "recall")
    assert columns["n_clusters"] == [12] * 3
    assert "are new, or their gold has changed" in notes[0]
    here = gold.table.image < 12
    asked = Run(gold, new).detected
    expected = asked.found[here[asked.asked_reference] & (asked.asked_annotator == 0)].mean()
    assert columns["new"][0] == pytest.approx(expected)


def test_new_annotators_are_named_and_not_judged(two):
    gold, old, new = two
    kept = old.table.annotator < 2
    two_of_them = replace(
        old,
        table=old.table.take(kept),
        annotator_ids=old.annotator_ids[:2],
        assigned=old.assigned[old.assigned[:, 0] < 2],
    )
    columns, notes = changed(Run(gold, new), Run(gold, two_of_them), "mean_iou")
    assert columns["annotator"] == ["a", "b"]
    assert notes == ("c is not in the baseline",)


def test_the_earlier_run_is_judged_by_the_parameters_of_the_newer(two):
    gold, old, new = two
    loose = Parameters(tolerance=Tolerance(px=9.0, rel=0.0), confidence=0.9, border_px=7.0)
    strict = Run(gold, new)
    again = Comparison(strict, Run(gold, old, parameters=loose)).old
    assert again.parameters == strict.parameters
    margin = Tolerance(px=0.25, rel=0.0)
    found = strict.changes(Run(gold, old, parameters=loose), "shift", margin=margin)[0]
    plain = strict.changes(Run(gold, old), "shift", margin=margin)[0]
    np.testing.assert_array_equal(found["p_value"], plain["p_value"])


def test_groups_are_those_of_the_objects(two):
    gold, old, new = two
    found, _ = changed(Run(gold, new), Run(gold, old), "recall", by=("category", "annotator"))
    scores = Run(gold, new).score_columns(("category", "annotator"))
    named = dict(
        zip(
            zip(scores["category"], scores["annotator"], strict=True),
            scores["recall"].tolist(),
            strict=True,
        )
    )
    rows = zip(found["category"], found["annotator"], found["new"], strict=True)
    assert {(one, two): rate for one, two, rate in rows} == pytest.approx(named)


def test_an_object_that_was_drawn_before_and_is_missed_now_comes_first(two):
    gold, old, new = two
    run, earlier = Run(gold, new), Run(gold, old)
    worse = run.worsened(earlier, "recall", {"annotator": "a"}, most=100)
    asked, before = run.detected, earlier.detected
    lost = set(asked.asked_reference[~asked.found & (asked.asked_annotator == 0)])
    lost &= set(before.asked_reference[before.found & (before.asked_annotator == 0)])
    assert {one["reference_id"] for one in worse} == {gold.table.id[row] for row in lost}
    assert {one["kind"] for one in worse} == {"missed"}
    assert worse[0]["text"].endswith("; before it was drawn")


def test_the_offsets_that_grew_most_come_first(two):
    gold, old, new = two
    run, earlier = Run(gold, new), Run(gold, old)
    worse = run.worsened(earlier, "edge_offset", {"annotator": "b"}, quantity="out_left", most=4)
    assert [one["edge"] for one in worse] == ["out_left"] * 4
    both = run._compared(earlier)
    first, second = both.measured
    now = run.measurements.values("tolerance")[0][first]
    then = earlier.measurements.values("tolerance")[0][second]
    theirs = run.measurements.annotator[first] == 1
    side = np.sign(np.nanmedian(now[theirs]))
    grown = (np.abs(now) - np.abs(then))[theirs & (now * side > 0)]
    assert abs(worse[0]["offset"]) > abs(worse[-1]["offset"]) - grown.max()
    named = [abs(one["offset"]) for one in worse]
    top = np.flatnonzero(theirs & (now * side > 0))
    top = top[np.argsort(-(np.abs(now) - np.abs(then))[top])][:4]
    assert named == pytest.approx(np.abs(now)[top].tolist())


def test_spurious_boxes_are_those_on_images_with_more_of_them(two):
    gold, old, new = two
    run, earlier = Run(gold, new), Run(gold, old)

    def spurious(one):
        found = one.detected
        rows = found.drawn_candidate[~found.real]
        rows = rows[one.candidate.table.annotator[rows] == 2]
        return np.bincount(one.matches.image_of_candidate[rows], minlength=20)

    gained = spurious(run) - spurious(earlier)
    worse = run.worsened(earlier, "precision", {"annotator": "c"}, most=100)
    images = [int(gold.image_table.id.tolist().index(one["image_id"])) for one in worse]
    assert sorted(set(images)) == np.flatnonzero(gained > 0).tolist()
    assert gained[images].tolist() == sorted(gained[images].tolist(), reverse=True)


def test_who_and_what_is_not_delivered_any_more_is_counted(two):
    gold, old, new = two
    gone = part_of(new, 0, ["a", "b"])
    assert changed(Run(gold, gone), Run(gold, old), "recall")[1] == (
        "c of the baseline is not in this delivery",
    )
    half = on_images(gone, 12)
    assert changed(Run(gold, half), Run(gold, old), "recall")[1] == (
        "c and 8 images of the baseline are not in this delivery",
    )
    assert changed(Run(gold, on_images(new, 12)), Run(gold, old), "mean_iou")[1] == (
        "8 images of the baseline are not in this delivery",
    )
