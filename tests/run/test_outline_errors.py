"""Single outlines to look at: far off, or drawn unlike the annotator's others."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from annqc.match import match
from annqc.measure.outline_styles import measure_styles
from annqc.measure.outlines import measure_outlines
from annqc.measure.tolerance import Tolerance
from annqc.report.mistakes import first_errors
from annqc.run.audit import Parameters, Run
from annqc.run.counts import count_columns
from annqc.run.evidence import worst_annotations
from annqc.run.rates import rate_columns
from annqc.tables import ERROR_KINDS
from tests.geometry.figures import shapes_of, star
from tests.measure.test_outlines import dataset

N = 40
PIXELS = Parameters(tolerance=Tolerance.parse("2 px"))


def rounds(seed=1, points=60):
    rng = np.random.default_rng(seed)
    return [shapely.Polygon(star(rng, points, jitter=0.003)) for _ in range(N)]


def run_of(work, gold=None, *, category=None, names=("ann",)):
    gold = rounds() if gold is None else gold
    image = np.arange(len(work)) % N
    made = dataset(shapes_of(work), image, np.arange(len(work)) // N, names=names)
    if category is not None:
        object.__setattr__(made, "category_ids", np.array([1, 2]))
        object.__setattr__(made, "category_names", np.array(["cell", "rod"], dtype=object))
        made.table.category[:] = category
    return Run(dataset(shapes_of(gold)), made, parameters=PIXELS)


def drawn(seed=9):
    rng = np.random.default_rng(seed)
    return [one.buffer(extra) for one, extra in zip(rounds(), rng.normal(0, 0.4, N), strict=True)]


def of_outlines(run):
    errors = run.error_columns()
    some = np.isin(errors["kind"], ["loose_outline", "odd_outline"])
    return {name: column[some] for name, column in errors.items()}


def test_the_kinds_are_known():
    assert {"loose_outline", "odd_outline"} <= set(ERROR_KINDS)
    errors = of_outlines(run_of(drawn()))
    assert len(errors["kind"]) == 0


def test_a_contour_three_tolerances_out_is_listed_and_ranked():
    work = drawn()
    work[3] = rounds()[3].buffer(7)
    work[8] = rounds()[8].buffer(-12)
    work[11] = rounds()[11].buffer(1.8)
    run = run_of(work)
    errors = of_outlines(run)
    assert errors["kind"].tolist() == ["loose_outline"] * 2
    assert errors["annotation_id"].tolist() == [9, 4]
    assert errors["offset_px"] == pytest.approx([-12, 7], abs=0.3)
    assert errors["offset"] == pytest.approx([-6, 3.5], abs=0.15)
    assert all(str(edge).startswith("contour") for edge in errors["edge"])
    overlap = [
        rounds()[k].intersection(work[k]).area / rounds()[k].union(work[k]).area for k in (8, 3)
    ]
    assert errors["iou"] == pytest.approx(overlap)
    assert errors["severity"] == pytest.approx(1 - np.array(overlap))
    every = run.error_columns()
    assert (np.diff(every["severity"]) <= 1e-12).all()
    assert run.errors(kind="loose_outline")["annotation_id"].tolist() == [9, 4]


def test_one_side_is_named_where_it_is_far_off_alone():
    work = drawn()
    moved = shapely.affinity.translate(work[5], 12, 0)
    work[5] = work[5].union(moved)
    errors = of_outlines(run_of(work))
    assert errors["edge"].tolist() == ["contour_right"]
    said = first_errors({name: column[:1] for name, column in errors.items()}, 1)
    assert "the right side of the outline of cell 6 is 1" in said[0]
    assert "px too far out (IoU" in said[0]


def test_just_at_three_tolerances():
    square = [shapely.box(100, 100, 200, 200)] * 10  # too few for a usual boundary IoU
    work = list(square)
    for growth, n in ((6.2, 1), (5.8, 0)):
        work[7] = square[7].buffer(growth, join_style="mitre")
        assert len(of_outlines(run_of(work, square))["kind"]) == n


def test_an_outline_that_shares_nothing_is_the_worst():
    gold = rounds()
    gold[2] = shapely.box(50, 50, 150, 150).difference(shapely.box(55, 55, 145, 145))
    work = drawn()
    work[2] = shapely.box(56, 56, 144, 144)
    errors = of_outlines(run_of(work, gold))
    assert errors["iou"].tolist() == [0]
    assert errors["severity"].tolist() == [1]
    assert errors["edge"].tolist() == [None]
    assert np.isnan(errors["offset_px"]).all()
    said = first_errors(errors, 5)
    assert "the outline of cell 3 shares nothing with that of gold cell 3" in said[0]


def test_a_boundary_far_below_the_annotators_own():
    """Teeth in and out, as long as each other: no side is off on average."""
    rng = np.random.default_rng(4)
    work = drawn()
    ring = np.array(rounds()[6].exterior.coords)[:-1] - (200, 150)
    teeth = 1 + 0.14 * np.where(np.arange(len(ring)) % 2, 1.0, -1.0) + rng.normal(0, 0.01, 60)
    work[6] = shapely.Polygon(ring * teeth[:, None] + (200, 150))
    run = run_of(work)
    errors = of_outlines(run)
    assert errors["annotation_id"].tolist() == [7]
    assert abs(errors["offset"][0]) < 3
    assert errors["boundary_iou"][0] < 0.8
    assert "strays from that of gold cell 7 (boundary IoU" in first_errors(errors, 1)[0]
    # somebody who always draws so has no such outline: that is for the scores to tell
    toothed = []
    for one in rounds():
        ring = np.array(one.exterior.coords)[:-1] - (200, 150)
        teeth = 1 + 0.14 * np.where(np.arange(len(ring)) % 2, 1.0, -1.0)
        toothed.append(shapely.Polygon(ring * teeth[:, None] + (200, 150)))
    assert len(of_outlines(run_of(toothed))["kind"]) == 0


def test_mislabelled_and_ambiguous_outlines_are_not_loose():
    work = drawn()
    work[3] = rounds()[3].buffer(9)
    wrong = np.zeros(N, dtype=int)
    wrong[3] = 1
    errors = run_of(work, category=wrong).error_columns()
    assert errors["kind"].tolist() == ["mislabelled"]


def test_what_one_outline_alone_has_is_odd_and_a_habit_is_not():
    work = drawn()
    coarse = [shapely.Polygon(np.array(one.exterior.coords)[:-1:10]) for one in rounds()]
    work[4] = coarse[4]
    work[9] = rounds()[9]
    run = run_of([*work, *coarse], names=("ann", "bob"))
    errors = of_outlines(run)
    odd = errors["kind"] == "odd_outline"
    found = zip(*(errors[name][odd].tolist() for name in ("annotator", "annotation_id", "style")),
                strict=True)  # fmt: skip
    assert set(found) == {("ann", 5, "few_points"), ("ann", 10, "copied")}
    said = " ".join(first_errors({name: column[odd] for name, column in errors.items()}, 9))
    assert "has few points where the gold has many, unlike the annotator's others" in said
    assert "is that of the gold to the last digit" in said
    scores = run.outline_score_columns()
    assert scores["few_points"].tolist() == [1 / N, 1.0]
    assert scores["simplified"].tolist() == [1 / N, 1.0]
    assert scores["copied"].tolist() == [1 / N, 0.0]
    assert scores["chord_px_high"][1] < -1
    assert scores["density_ratio_high"][1] < 0.2
    assert scores["density_ratio"][1] == pytest.approx(6 / 60 * 6.25 / 5.97, abs=0.005)
    for name in ("few_points", "simplified", "copied", "staircase"):
        assert (scores[f"{name}_low"] <= scores[name]).all()
        assert (scores[f"{name}_high"] >= scores[name]).all()
        assert scores[f"{name}_n"].tolist() == [N, N]
    assert scores["few_points_high"][0] > 0.05  # one of forty proves little


def test_one_drawing_is_shown_once():
    work = drawn()
    work[3] = rounds()[3].buffer(15)
    run = run_of(work)
    errors = run.error_columns()
    assert sorted(errors["kind"].tolist()) == ["loose_box", "loose_outline"]
    assert len(first_errors(errors, 5)) == 1


def test_a_check_that_counts_them_shows_them():
    work = drawn()
    work[3] = rounds()[3].buffer(7)
    run = run_of(work)
    (shown,) = worst_annotations(run, {"annotator": "ann"}, kinds=("loose_outline",))
    assert shown["annotation_id"] == 4
    assert "loose outline: annotation 4 on 3 (row 3): " in shown["text"]
    assert "px too far out" in shown["text"]
    counts = count_columns(run, "error_count", ("annotator",), kinds=("loose_outline",))
    assert counts["count"].tolist() == [1]
    rate = rate_columns(
        run, "error_rate", ("annotator",), limit=0.5, at_least=False, kinds=("loose_outline",)
    )
    assert rate["estimate"].tolist() == [1 / N]


def test_without_styles_and_without_outlines():
    gold = dataset(shapes_of(rounds()))
    matches = match(gold, dataset(shapes_of(drawn())))
    measured = measure_outlines(matches)
    styles = measure_styles(matches, measured)
    assert not any(odd.any() for odd in styles.odd.values())
    object.__setattr__(gold.table, "shapes", None)
    run = Run(gold, dataset(shapes_of(drawn())))
    assert len(of_outlines(run)["kind"]) == 0
