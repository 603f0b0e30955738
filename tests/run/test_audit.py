from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from annqc.errors import SpecError, UnknownNameError
from annqc.match import MatchPolicy
from annqc.measure.tolerance import Tolerance
from annqc.run.audit import Parameters, Run
from annqc.simulate import Habit, simulate
from annqc.tables import QUANTITIES

DESIGN = [
    "quantity",
    "estimate",
    "ci_low",
    "ci_high",
    "estimate_px",
    "ci_low_px",
    "ci_high_px",
    "estimate_rel",
    "ci_low_rel",
    "ci_high_rel",
    "confidence_level",
    "n",
    "n_clusters",
    "p_value",
    "p_adjusted",
    "verdict",
    "n_more",
    "flags",
    "status",
]


@pytest.fixture(scope="module")
def planted():
    return simulate(
        {
            "ann": [],
            "bob": [Habit.loose("right", px=4)],
            "cid": [Habit.shift(dy=-4)],
            "dot": [Habit.loose("left", px=5).only(category="car")],
            "eve": [Habit.misses(0.3), Habit.extras(0.2)],
            "fay": [Habit.wrong_labels(0.3)],
            "gus": [],
        },
        n_images=80,
        categories=("person", "car", "dog"),
        rng=5,
    )


@pytest.fixture(scope="module")
def run(planted):
    return Run(planted.gold, planted.work)


def verdict(columns, **where):
    rows = np.ones(len(columns["quantity"]), dtype=bool)
    for name, value in where.items():
        rows &= columns[name] == value
    assert rows.sum() == 1
    return columns["verdict"][rows][0]


def test_findings_have_the_documented_columns(run):
    assert list(run.bias_columns())[: len(DESIGN) + 1] == ["annotator", *DESIGN]
    assert list(run.bias("annotator,category"))[:3] == ["annotator", "category", "quantity"]


def test_planted_habits_are_found_and_nobody_else(run):
    columns = run.bias_columns()
    accused = set(columns["annotator"][columns["verdict"] == "biased"])
    assert accused == {"bob", "cid"}
    assert verdict(columns, annotator="bob", quantity="out_right") == "biased"
    assert verdict(columns, annotator="bob", quantity="out_left") == "clean"
    assert verdict(columns, annotator="cid", quantity="dy") == "biased"
    shift = (columns["annotator"] == "cid") & (columns["quantity"] == "dy")
    assert columns["ci_low_px"][shift] < -4 < columns["ci_high_px"][shift]


def test_a_habit_in_one_category_shows_in_its_stratum(run):
    columns = run.bias_columns("annotator,category")
    edges = np.isin(columns["quantity"], QUANTITIES[:4])
    of_dot = edges & (columns["annotator"] == "dot") & (columns["verdict"] == "biased")
    assert columns["category"][of_dot].tolist() == ["car"]
    assert columns["quantity"][of_dot].tolist() == ["out_left"]
    descriptive = columns["status"] == "descriptive"
    assert set(columns["quantity"][descriptive]) == {"dx", "dy", "dw", "dh"}
    assert "biased" not in set(columns["verdict"][descriptive])


def test_scores_count_what_was_planted(run):
    columns = run.score_columns()
    at = {name: row for row, name in enumerate(columns["annotator"])}
    assert columns["recall"][at["eve"]] == pytest.approx(0.7, abs=0.08)
    assert columns["recall_low"][at["eve"]] < 0.7 < columns["recall_high"][at["eve"]]
    assert columns["label_accuracy"][at["fay"]] == pytest.approx(0.7, abs=0.08)
    assert columns["recall"][at["fay"]] == 1.0
    assert columns["precision"][at["ann"]] == 1.0
    assert columns["rank_low"][at["ann"]] <= 3
    assert columns["rank_high"][at["cid"]] == 7
    assert (columns["rank_low"] <= columns["rank"]).all()


def test_scores_add_up_over_strata(run):
    whole = run.score_columns()
    parts = run.score_columns("annotator,category")
    for name in ("n_reference", "n_missed", "n_drawn", "n_spurious", "n_matched"):
        for row, who in enumerate(whole["annotator"]):
            assert parts[name][parts["annotator"] == who].sum() == whole[name][row]


def test_findings_by_other_columns(run):
    assert len(run.bias_columns(["category"])["quantity"]) == 3 * 8
    assert set(run.bias_columns("size")["size"]) <= {"small", "medium", "large"}
    everything = run.bias_columns([])
    assert everything["quantity"].tolist() == list(QUANTITIES)
    # Every image counts, but for those whose boxes all touch the border on that side.
    assert ((everything["n_clusters"] > 70) & (everything["n_clusters"] <= 80)).all()


def test_errors_are_ranked_and_complete(run, planted):
    errors = run.error_columns()
    assert (np.diff(errors["severity"]) <= 1e-12).all()
    matches = run.matches
    names = ("annotator", "reference_id", "annotation_id", "kind")
    assert len(set(zip(*(errors[name] for name in names), strict=True))) == len(errors["kind"])
    missed = zip(matches.missed_reference, matches.missed_partner, strict=True)
    spurious = zip(matches.spurious_reference, matches.spurious_candidate, strict=True)
    # A near miss is missed and spurious at once, and told once.
    unpaired = Counter(missed) | Counter(spurious)
    assert (errors["kind"] != "loose_box").sum() == unpaired.total() + matches.mislabelled.sum()
    only = run.errors(kind="mislabelled")
    assert len(only) == matches.mislabelled.sum()
    assert (only["category"] != only["candidate_category"]).all()
    # What everybody else drew, and eve did not, is hers to explain.
    missed = run.errors(kind="missed")
    assert missed.iloc[0]["annotator"] == "eve"
    assert missed.iloc[0]["others_found"] == 1.0


def test_pairs_have_a_row_for_every_drawn_and_every_missed(run, planted):
    pairs = run.pairs
    drawn = pairs[pairs["status"].isin(["matched", "mislabelled", "spurious", "absorbed"])]
    assert len(drawn) == len(planted.work.table)
    asked = pairs[pairs["status"].isin(["matched", "mislabelled", "missed"])]
    assert len(asked) == len(run.detected.asked_reference)
    own = pairs[pairs["in_offsets"]]
    used = run.measurements.usable.any(axis=1)
    assert len(own) == used.sum()
    by_hand = own["out_right"].mean()
    right = run.measurements.edges[used, 2].mean()
    assert by_hand == pytest.approx(right)


def test_ids_come_back_as_they_went_in(run, planted):
    pairs = run.pairs
    known = set(planted.work.table.id.tolist())
    assert set(pairs["annotation_id"].dropna()) <= known


def test_unknown_column_suggests_the_known(run):
    with pytest.raises(UnknownNameError, match="did you mean 'category'"):
        run.bias("annotator,categroy")
    with pytest.raises(SpecError, match="more than once"):
        run.bias("annotator,annotator")
    with pytest.raises(UnknownNameError, match="mislabelled"):
        run.errors(kind="mislabeled")


def test_confidence_is_checked():
    with pytest.raises(SpecError, match="confidence"):
        Parameters(confidence=95)
    with pytest.raises(SpecError, match="border"):
        Parameters(border_px=-1)


def test_a_wider_tolerance_forgives(planted):
    wide = Parameters(tolerance=Tolerance.parse("12 px"))
    columns = Run(planted.gold, planted.work, parameters=wide).bias_columns()
    assert set(columns["verdict"]) == {"clean"}


def test_a_biased_gold_is_collective_not_everybodys_fault(planted):
    tight = planted.gold.table.xyxy.copy()
    tight[:, 3] -= 6
    keep = tight[:, 3] > tight[:, 1] + 10
    table = replace(planted.gold.table.take(keep), xyxy=tight[keep])
    run = Run(replace(planted.gold, table=table), planted.work)
    columns = run.bias_columns()
    bottom = columns["quantity"] == "out_bottom"
    names = dict(zip(columns["annotator"][bottom], columns["verdict"][bottom], strict=True))
    assert set(names.values()) <= {"collective", "biased", "undecided"}
    assert names["ann"] == names["gus"] == "collective"
    assert run.findings().collective.biased[0, 3]
    # The habit that is an annotator's own is still named.
    assert verdict(columns, annotator="bob", quantity="out_right") == "biased"


def test_engines_agree(planted):
    a, b = (Run(planted.gold, planted.work, engine=engine) for engine in ("numpy", "numba"))
    for by in ("annotator", "annotator,category", "size"):
        one, other = a.bias_columns(by), b.bias_columns(by)
        for name, column in one.items():
            if column.dtype.kind == "f":
                np.testing.assert_allclose(column, other[name], rtol=1e-8, atol=1e-9, err_msg=name)
            else:
                assert (column == other[name]).all(), name


def test_policies_are_passed_on(planted):
    strict = Run(planted.gold, planted.work, parameters=Parameters(policy=MatchPolicy(iou=0.95)))
    assert (strict.score_columns()["recall"] < 0.9).all()


def test_nothing_drawn_is_undefined_not_zero(planted):
    nobody = planted.work.table.take(np.zeros(len(planted.work.table), dtype=bool))
    run = Run(planted.gold, replace(planted.work, table=nobody))
    columns = run.bias_columns()
    assert set(columns["status"]) == {"no_data"}
    assert np.isnan(columns["estimate"]).all()
    scores = run.score_columns()
    assert (scores["recall"] == 0).all()
    assert np.isnan(scores["precision"]).all()
    assert np.isnan(scores["rank"]).all()


def test_strata_and_the_whole_work_share_one_rate(run):
    alone, together = run.findings(), run.annotator_findings("annotator,category")
    # Four fifths of the level are left for the whole work, so a finding costs five quarters, unless
    # the strata add to the accused.
    clear = alone.accusation.head_adjusted < 1e-4
    assert clear.any()
    ratio = together.accusation.head_adjusted[clear] / alone.accusation.head_adjusted[clear]
    assert ratio.max() == pytest.approx(1.25)
    who = dict(zip(together.groups.keys["annotator"], together.accusation.accused, strict=True))
    assert {name for name, accused in who.items() if accused} == {"bob", "cid", "dot"}
    strata = run.findings("annotator,category")
    assert strata.pooled is together
    assert run.annotator_findings("category") is alone


def test_a_column_named_like_an_answer_is_refused(planted):
    extra = {"status": np.zeros(len(planted.work.table), dtype=int)}
    extra["recall"] = extra["status"]
    work = replace(planted.work, table=replace(planted.work.table, extra=extra))
    run = Run(planted.gold, work)
    with pytest.raises(SpecError, match="'status'"):
        run.bias("annotator,status")
    with pytest.raises(SpecError, match="'recall'"):
        run.scores("recall")


def test_other_parameters_share_what_they_can(run):
    wide = run.with_parameters(tolerance="12 px")
    assert type(wide) is type(run)
    assert wide.matches is run.matches
    assert wide.measurements is not run.measurements
    assert set(wide.bias_columns()["verdict"]) == {"clean"}
    assert "biased" in set(run.bias_columns()["verdict"])
    sure = run.with_parameters(confidence=0.99)
    assert sure.measurements is run.measurements
    assert run.with_parameters() is run
    assert run.with_parameters(confidence=0.99) is sure


def test_copies_of_the_gold_give_no_warning(planted):
    made = simulate(3, n_images=12, noise_px=0.0, noise_rel=0.0, rng=0)
    scores = Run(made.gold, made.work).score_columns()
    assert set(scores["verdict"]) == {"clean"}
    assert set(scores["rank_low"]) == {1}


def test_a_box_just_at_three_tolerances_is_an_error():
    made = simulate(["ann"], n_images=10, noise_px=0.0, noise_rel=0.0, border=0.0, rng=0)
    boxes = np.round(made.gold.table.xyxy)
    gold = replace(made.gold, table=replace(made.gold.table, xyxy=boxes))
    moved = boxes.copy()
    moved[:, 2] += 3
    work = replace(made.work, table=replace(made.work.table, xyxy=moved))
    run = Run(gold, work, parameters=Parameters(tolerance=Tolerance.parse("1 px")))
    assert (run.error_columns()["kind"] == "loose_box").sum() == len(boxes)


def test_an_empty_by_is_refused(run):
    with pytest.raises(SpecError, match="names no column"):
        run.bias("")
