"""Rules on polygons and masks, beside the tables of the audit, shapely, and plain loops."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely

from annqc.errors import SpecError
from annqc.ids import ids_array
from annqc.infer.fleet import N_TESTED_IN_STRATA
from annqc.judge import judge, load_spec
from annqc.judge.registry import find_measure, measures
from annqc.judge.rules.outlines import AGREEMENT, TESTED_IN_STRATA
from annqc.measure.outlines import CONTOURS, OVERLAPS
from annqc.run.audit import Parameters, Run
from annqc.shapes import Shapes
from annqc.simulate import OutlineHabit, outlines, simulate
from annqc.tables import Annotations, Dataset, Images
from tests.judge.staged import one_rule

OUTCOMES = {"biased": "fail", "collective": "fail", "clean": "pass", "undecided": "undecided"}


def run_of(habits, *, n_images=40, **scene):
    made = outlines(habits, n_images=n_images, rng=1, **scene)
    return Run(made.gold, made.work, engine="numpy")


@pytest.fixture(scope="module")
def run():
    return run_of({"ann": [], "bob": OutlineHabit.dilated(4), "cy": OutlineHabit.moved("left", -5)})


def check(run, measure, **given):
    return judge(run, one_rule(measure, **given)).checks[0]


def test_every_contour_offset_and_every_overlap_is_a_measure():
    known = measures()
    assert {"contour_offset", *CONTOURS} <= set(known)
    assert set(AGREEMENT) == set(OVERLAPS)
    assert all(known[name].outlines for name in ("contour_offset", *CONTOURS, *OVERLAPS))
    assert not known["edge_offset"].outlines
    assert not known["mean_iou"].outlines
    assert len(TESTED_IN_STRATA) == N_TESTED_IN_STRATA
    assert set(CONTOURS) - set(TESTED_IN_STRATA) == {"contour"}


@pytest.mark.parametrize("given", [{}, {"tolerance": "6 px"}, {"confidence": 0.999}])
@pytest.mark.parametrize("name", ["contour_offset", *CONTOURS])
def test_an_outcome_is_the_verdict_of_the_audit(run, name, given):
    found = check(run, name, **given)
    table = run.with_parameters(**given).outlines()
    asked = set(CONTOURS) if name == "contour_offset" else {name}
    expected = {
        (row.annotator, row.quantity): OUTCOMES[row.verdict]
        for row in table.itertuples()
        if row.quantity in asked
    }
    told = {(row["group"]["annotator"], row["quantity"]): row["outcome"] for row in found.rows}
    assert told == expected
    worst = next(one for one in ("fail", "undecided", "pass") if one in told.values())
    assert found.outcome == worst


def test_who_is_off_alike_all_around_is_told_once(run):
    said = check(run, "contour_offset").sentence
    assert "bob draws the contour 4.0 px too far out all around (" in said
    assert "bob draws the left side" not in said
    assert "cy draws the left side of the contour 4.5 px too far in (" in said
    assert "cy draws the contour" not in said.partition(";")[0]
    assert "within max(1 px, 2 %)" in said


def test_in_strata_the_sides_are_judged_and_the_whole_is_refused(run):
    found = check(run, "contour_offset", by=["annotator", "size"])
    assert {row["quantity"] for row in found.rows} == set(TESTED_IN_STRATA)
    assert check(run, "contour_left", by=["annotator", "size"]).outcome == "fail"
    with pytest.raises(SpecError, match="contour is tested by annotator, or by other columns"):
        one_rule("contour", by=["annotator", "size"])
    by_size = check(run, "contour_offset", by=["size"])
    assert {row["quantity"] for row in by_size.rows} == set(CONTOURS)


def polygon(shapes, row):
    first, last = shapes.shape_offsets[row], shapes.shape_offsets[row + 1]
    assert last == first + 1
    return shapely.Polygon(shapes.points[shapes.ring_offsets[first] : shapes.ring_offsets[last]])


def test_means_are_those_of_plain_loops_over_shapely(run):
    gold, work = run.reference.table.shapes, run.candidate.table.shapes
    measured = run.outline_measurements
    values = {"mask_iou": {}, "dice": {}, "coverage": {}, "purity": {}, "area_ratio": {}}
    pairs = zip(measured.reference, measured.candidate, measured.annotator, strict=True)
    for one, other, who in pairs:
        a, b = polygon(gold, one), polygon(work, other)
        both = a.intersection(b).area
        name = run.candidate.annotator_ids[who]
        numbers = {
            "mask_iou": both / a.union(b).area,
            "dice": 2 * both / (a.area + b.area),
            "coverage": both / a.area,
            "purity": both / b.area,
            "area_ratio": math.log(b.area / a.area),
        }
        for measure, value in numbers.items():
            values[measure].setdefault(name, []).append(value)
    for measure, by_name in values.items():
        limit = "at_least" if measure != "area_ratio" else "at_most"
        for row in check(run, measure, **{limit: 0.9}).rows:
            listed = by_name[row["group"]["annotator"]]
            mean = sum(listed) / len(listed)
            expected = math.exp(mean) if measure == "area_ratio" else mean
            assert row["estimate"] == pytest.approx(expected, rel=1e-9)
            assert row["n"] == len(listed)


@pytest.mark.parametrize("name", ["mask_iou", "boundary_iou", "dice", "nsd", "assd", "hd95"])
def test_the_interval_is_that_of_the_scores_and_decides(run, name):
    scores = run.outline_scores().set_index("annotator")
    way = AGREEMENT[name].better[0]
    least = way == "at_least"
    for row in scores.itertuples():
        value, low, high = (getattr(row, f"{name}{end}") for end in ("", "_low", "_high"))
        room = (high - low) / 4
        for limit, expected in (
            (low - room, "pass" if least else "fail"),
            (value, "undecided"),
            (high + room, "fail" if least else "pass"),
        ):
            where = {"annotator": row.Index}
            found = check(run, name, where=where, **{way: float(min(limit, 1) if least else limit)})
            if limit <= 1 or not least:
                assert found.outcome == expected
            shown = found.rows[0]
            assert (shown["ci_low"], shown["ci_high"]) == pytest.approx((low, high))


def test_distances_are_told_in_pixels(run):
    found = check(run, "hd95", at_most=3)
    assert "px (" in found.sentence
    assert "asked: HD95 at most 3 px" in found.sentence
    with pytest.raises(SpecError, match="assd is no share, so its limit cannot be a percentage"):
        one_rule("assd", at_most="3 %")
    with pytest.raises(SpecError, match="mask_iou has no at_most"):
        one_rule("mask_iou", at_most=0.9)
    with pytest.raises(SpecError, match="no sequential"):
        one_rule("contour_offset", sequential=True)


@pytest.mark.parametrize(
    ("measure", "given"),
    [("mask_iou", {"at_least": 0.1}), ("assd", {"at_most": 0.001}), ("contour_offset", {})],
)
def test_four_images_settle_nothing(measure, given):
    found = check(run_of(["ann"], n_images=4, objects_per_image=[5] * 4), measure, **given)
    assert found.outcome == "undecided"
    assert "4 images are too few" in found.sentence


def test_many_groups_at_the_limit_are_judged_together():
    made = run_of(12, n_images=12, objects_per_image=[3] * 12)
    scores = made.outline_scores()
    least = scores.sort_values("mask_iou_high").iloc[0]
    limit = float(least["mask_iou_high"]) + 1e-6
    alone = check(made, "mask_iou", at_least=limit, where={"annotator": least["annotator"]})
    assert alone.outcome == "fail"
    among = check(made, "mask_iou", at_least=limit)
    assert among.counts["fail"] == 0
    assert "among 12 groups this can be chance" in among.explain()


def without_shapes(data):
    return replace(data, table=replace(data.table, shapes=None))


@pytest.mark.parametrize("measure", ["contour_offset", "contour_top", "mask_iou", "hd95"])
@pytest.mark.parametrize(("gold", "work"), [(True, False), (False, True), (True, True)])
def test_without_outlines_a_rule_says_what_to_do(run, measure, gold, work):
    sides = [
        without_shapes(side) if gone else side
        for side, gone in ((run.reference, gold), (run.candidate, work))
    ]
    limit = dict.fromkeys(find_measure(measure).limits, 0.5)
    found = check(Run(*sides, engine="numpy"), measure, **limit)
    assert found.outcome == "not_applicable"
    named = [name for name, gone in (("gold", gold), ("work", work)) if gone]
    assert f"no polygons or masks in the {' and in the '.join(named)}," in found.sentence
    assert "[read] in the spec has shapes = true" in found.sentence
    assert "annqc audit --shapes" in found.sentence


def test_pairs_of_boxes_take_no_part_and_are_counted(run):
    table = run.candidate.table
    kept = np.flatnonzero(table.annotator < 2)
    cy = np.flatnonzero(table.annotator == 2)
    boxes = Shapes.from_rings([[]] * len(cy))
    shapes = Shapes.concat([table.shapes.take(kept), boxes])
    order = np.argsort(np.concatenate([kept, cy]))
    half = replace(run.candidate, table=replace(table, shapes=shapes.take(order)))
    made = Run(run.reference, half, engine="numpy")
    found = check(made, "mask_iou", at_least=0.5)
    assert found.outcome == "undecided"
    n = int((~made.matches.pair_ambiguous).sum())
    left = n - len(made.outline_measurements)
    assert left > 100
    assert f"{left} of {n} pairs are boxes on a side, and take no part" in found.sentence
    contours = check(made, "contour_left", where={"annotator": ["ann", "bob"]})
    assert f"{left} of {n} pairs are boxes on a side" in contours.sentence
    assert "take no part" not in check(run, "contour_left").sentence


def test_boxes_are_no_outlines():
    made = simulate(["ann"], n_images=10, rng=1)
    found = check(Run(made.gold, made.work, engine="numpy"), "contour_offset")
    assert found.outcome == "not_applicable"


def test_pairs_without_a_value_are_counted(run):
    images = run.reference.image_table
    unknown = np.full(len(images), np.nan)
    blind = replace(images, width=unknown, height=unknown)
    sides = (replace(one, image_table=blind) for one in (run.reference, run.candidate))
    blind_run = Run(*sides, engine="numpy")
    found = check(blind_run, "boundary_iou", at_least=0.5)
    assert found.outcome == "not_applicable"
    assert "the size of the image is not known" in found.sentence
    assert check(blind_run, "mask_iou", at_least=0.5).outcome == "pass"


def drawn(ring, n, who):
    """One outline, the same on n images."""
    points = np.array(ring, dtype=np.float64)
    table = Annotations.build(
        image=np.arange(n),
        annotator=np.zeros(n, dtype=np.int64),
        category=np.zeros(n, dtype=np.int64),
        xyxy=np.tile(np.concatenate([points.min(axis=0), points.max(axis=0)]), (n, 1)),
        shapes=Shapes.from_rings([[points]] * n),
    )
    names = ids_array([f"{k}.png" for k in range(n)])
    size = np.full(n, 200.0)
    images = Images.build(names, file_name=names, width=size, height=size)
    return Dataset(table, images, ids_array([who]), ids_array(["a"]), ids_array(["a"]))


def test_what_shares_nothing_counts_with_an_iou_of_zero():
    angle = [(20, 20), (120, 20), (120, 40), (40, 40), (40, 120), (20, 120)]
    inside = [(50, 50), (110, 50), (110, 110), (50, 110)]
    made = Run(drawn(angle, 8, "gold"), drawn(inside, 8, "eve"), engine="numpy")
    found = check(made, "mask_iou", at_least=0.5)
    assert found.outcome == "fail"
    assert found.rows[0]["estimate"] == 0
    assert found.evidence[0]["text"].endswith("mask IoU 0.00, the two share nothing")
    nowhere = check(made, "contour_offset")
    assert nowhere.outcome == "not_applicable"


def test_rules_of_one_tolerance_measure_once(run, monkeypatch):
    calls = []
    from annqc.run import outlined

    real = outlined.measure_outlines
    monkeypatch.setattr(
        outlined, "measure_outlines", lambda *a, **k: calls.append(k["tolerance"]) or real(*a, **k)
    )
    fresh = Run(run.reference, run.candidate, parameters=Parameters(), engine="numpy")
    rules = [
        {"id": "a", "measure": "contour_offset", "tolerance": "2 px"},
        {"id": "b", "measure": "contour", "tolerance": "2 px", "confidence": 0.9},
        {"id": "c", "measure": "mask_iou", "at_least": 0.5},
        {"id": "d", "measure": "dice", "at_least": 0.5, "confidence": 0.9},
    ]
    judge(fresh, load_spec({"annqc": {"version": 1}, "rule": rules}))
    assert [str(one) for one in calls] == ["2 px", "max(1 px, 2 %)"]
