"""Rules into outcomes: what fails, what passes, what stays open, and the sentence that says so."""

from __future__ import annotations

import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import SpecError, UnknownNameError
from annqc.judge import Tolerance, judge, load_spec
from annqc.judge.verdicts import Judgement
from annqc.match import MatchPolicy
from tests.judge.staged import NAN, Staged, finding, one_rule, rate


def check(measured, measure, **given):
    return judge(measured, one_rule(measure, **given)).checks[0]


def test_all_clean_passes_and_says_the_worst():
    found = check(Staged({"ann": [], "bob": [finding("out_top", size=-0.4)]}), "edge_offset")
    assert found.outcome == "pass"
    assert found.counts == {"pass": 8, "fail": 0, "undecided": 0}
    assert found.sentence == (
        "all 8 are as asked (within max(1 px, 2 %)); the worst: bob draws the top edge 0.8 px "
        "further in (0.4 to 1.2 px, 40 images)"
    )


def test_a_bias_fails_and_names_the_worst_offender_first():
    measured = Staged(
        {
            "ann": [finding("out_left", "biased", -1.5)],
            "bob": [finding("out_right", "biased", 2.0), finding("out_top", "undecided", 0.9)],
        }
    )
    found = check(measured, "edge_offset", tolerance="2 px")
    assert found.outcome == "fail"
    assert found.sentence == (
        "2 edges of 2 annotators: "
        "bob draws the right edge 4.0 px too far out (3.6 to 4.4 px, 40 images); "
        "ann draws the left edge 3.0 px too far in (2.6 to 3.4 px, 40 images); "
        "asked: within 2 px; 1 of 8 edges undecided besides"
    )
    assert found.explain().splitlines()[1:] == [
        "  fail       bob draws the right edge 4.0 px too far out (3.6 to 4.4 px, 40 images)",
        "  fail       ann draws the left edge 3.0 px too far in (2.6 to 3.4 px, 40 images)",
        "  1 undecided",
    ]
    assert found.explain(most=1).splitlines()[-2:] == ["  and 1 more that fails", "  1 undecided"]


def test_all_groups_that_fail_are_listed_before_what_is_undecided_is_counted():
    many = {f"w{k:02}": [finding("out_right", "biased", 2.0)] for k in range(28)}
    many |= {"ann": [finding("out_top", "undecided", 9.0)]}
    lines = check(Staged(many), "edge_offset").explain().splitlines()[1:]
    assert len(lines) == 27
    assert all(line.startswith("  fail       w") for line in lines[:25])
    assert lines[25:] == ["  and 3 more that fail", "  1 undecided"]


def test_where_nothing_fails_the_undecided_groups_are_listed():
    many = {f"w{k}": [finding("out_right", "undecided", 0.9)] for k in range(3)}
    found = check(Staged(many), "edge_offset")
    assert found.outcome == "undecided"
    lines = found.explain(most=1).splitlines()[1:]
    assert lines[0].startswith("  undecided  w0 draws the right edge")
    assert lines[1] == "  and 2 more that are undecided"


def test_many_offenders_are_counted():
    many = {f"w{k}": [finding("out_left", "biased", 1 + k / 10)] for k in range(7)}
    found = check(Staged(many), "out_left")
    assert found.sentence.count("draws") == 3
    assert found.sentence.startswith("7 annotators: w6 draws")
    assert "and 4 more; asked" in found.sentence


def test_each_measure_looks_at_its_own_quantities():
    measured = Staged({"ann": [finding("out_left", "biased", 2), finding("dh", "biased", -3)]})
    outcome = {
        name: check(measured, name).outcome
        for name in (
            "edge_offset",
            "out_left",
            "out_top",
            "out_right",
            "out_bottom",
            "shift",
            "growth",
        )
    }
    assert [name for name, value in outcome.items() if value == "fail"] == [
        "edge_offset",
        "out_left",
        "growth",
    ]
    assert set(outcome.values()) == {"fail", "pass"}
    growth = check(measured, "growth")
    assert growth.sentence == (
        "ann draws boxes 6.0 px too short (5.6 to 6.4 px, 40 images); "
        "asked: within 2 times max(1 px, 2 %)"
    )


@pytest.mark.parametrize(
    ("quantity", "size", "words"),
    [
        ("out_left", 2, "the left edge 4.0 px too far out"),
        ("out_bottom", -2, "the bottom edge 4.0 px too far in"),
        ("dx", 2, "boxes 4.0 px too far right"),
        ("dx", -2, "boxes 4.0 px too far left"),
        ("dy", 2, "boxes 4.0 px too low"),
        ("dy", -2, "boxes 4.0 px too high"),
        ("dw", 2, "boxes 4.0 px too wide"),
        ("dw", -2, "boxes 4.0 px too narrow"),
        ("dh", 2, "boxes 4.0 px too tall"),
    ],
)
def test_words_follow_the_sign(quantity, size, words):
    measure = {"d": "shift", "o": "edge_offset"}[quantity[0]]
    measure = "growth" if quantity in {"dw", "dh"} else measure
    found = check(Staged({"ann": [finding(quantity, "biased", size)]}), measure)
    assert found.sentence.startswith(f"ann draws {words} (3.6 to 4.4 px, 40 images)")


def test_units_follow_the_tolerance_and_else_the_part_that_binds():
    measured = Staged({7: [finding("out_left", "biased", 2)]})
    assert "4.0 px" in check(measured, "out_left").sentence
    assert "annotator 7 draws the left edge 8 % too far out" in (
        check(measured, "out_left", tolerance="2 %").sentence
    )
    steady = finding(
        "out_left", "biased", 2, estimate_rel=0.06, ci_low_rel=0.058, ci_high_rel=0.062
    )
    assert "6.0 % too far out (5.8 to 6.2 %" in check(Staged({7: [steady]}), "out_left").sentence


def test_what_everybody_shares_is_said_once():
    shared = {f"w{k}": [finding("dw", "collective", 3.1, collective=3.0)] for k in range(12)}
    shared["w0"].append(finding("dh", "biased", 2.5))
    found = check(Staged(shared), "growth")
    assert found.outcome == "fail"
    assert found.counts["fail"] == 13
    assert found.sentence == (
        "13 sides of 12 annotators: w0 draws boxes 5.0 px too tall (4.6 to 5.4 px, 40 images); "
        "everybody draws boxes too wide, by 3.0 tolerances (12 annotators; "
        "the annotators, the gold or the guideline may be off); "
        "asked: within 2 times max(1 px, 2 %)"
    )
    assert found.rows[0]["group"] == {"annotator": "w0"}
    assert found.rows[1]["text"].endswith("as everybody does")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"n_more": 14.0}, "about 14 more images would settle it"),
        ({"n_more": 1.0}, "about 1 more image would settle it"),
        (
            {"status": "infeasible", "excess": -0.97},
            "no reasonable number of images would settle it: it sits on the tolerance",
        ),
        (
            {"status": "infeasible", "excess": 0.4},
            "no reasonable number of images would settle it: it varies too much",
        ),
        (
            {"status": "too_few_clusters", "n_clusters": 3, "n_more": 2.0},
            "3 images are too few to judge; 5 are needed",
        ),
        (
            {"status": "one_cluster", "n_clusters": 1, "n_more": 4.0},
            "1 image is too few to judge; 5 are needed",
        ),
        ({"status": "too_few_clusters", "n_clusters": 6}, "6 images are too few to judge;"),
        ({"status": "no_data", "n_clusters": 0}, "there is no pair to measure"),
        ({"status": "weighs_reference"}, "agrees with the gold while the others"),
    ],
)
def test_one_open_finding_leaves_the_rule_open(other, reason):
    found = check(
        Staged({"ann": [], "bob": [finding("out_top", "undecided", 0.9, **other)]}), "out_top"
    )
    assert found.outcome == "undecided"
    assert found.sentence.startswith("1 of 2 undecided: bob draws the top edge ")
    assert reason in found.sentence


def test_nothing_measured_has_no_number_and_no_direction():
    empty = finding("out_top", "undecided", NAN, status="no_data", n_clusters=0)
    found = check(Staged({"ann": [empty], "bob": []}), "out_top")
    assert "ann draws the top edge (nothing measured, 0 images)" in found.sentence


def test_without_any_pair_the_rule_does_not_apply():
    empty = finding("out_top", "undecided", NAN, status="no_data", n_clusters=0)
    found = check(Staged({"ann": [empty]}), "out_top")
    assert (found.outcome, found.sentence) == ("not_applicable", "there is no pair to measure")
    assert check(Staged({}), "out_top").outcome == "not_applicable"


def test_where_keeps_some_groups():
    measured = Staged({"ann": [], "bob": [finding("out_top", "biased", 2)], 7: []})
    assert check(measured, "out_top", where={"annotator": "ann"}).outcome == "pass"
    assert check(measured, "out_top", where={"annotator": ["ann", "bob"]}).outcome == "fail"
    assert check(measured, "out_top", where={"annotator": "7"}).counts["pass"] == 1


@pytest.mark.parametrize("values", ["bop", ["ann", "bop"]])
def test_a_slip_of_the_pen_in_where_is_an_error_and_never_a_pass(values):
    measured = Staged({"ann": [], "bob": []})
    spec = load_spec(
        {
            "annqc": {"version": 1},
            "rule": [
                {"id": "a", "measure": "out_top", "where": {"annotator": values}},
                {"id": "b", "measure": "unusable_rows", "at_most": 0},
            ],
        }
    )
    found = judge(measured, spec)
    assert [one.outcome for one in found.checks] == ["error", "pass"]
    assert found.checks[0].sentence.startswith("there is no annotator 'bop' in the data\n")
    assert "did you mean 'bob'?" in found.checks[0].sentence
    assert "expected: ann, bob" in found.checks[0].sentence
    assert found.exit_code() == found.exit_code(undecided="pass") == 2


def test_many_values_are_not_listed_in_the_message():
    found = check(Staged({f"w{k}": [] for k in range(40)}), "out_top", where={"annotator": "zoe"})
    assert found.outcome == "error"
    assert "expected" not in found.sentence


@pytest.mark.parametrize(
    ("low", "high", "at_least", "at_most"),
    [
        (0.90, 0.949, "fail", "pass"),
        (0.90, 0.95, "undecided", "pass"),
        (0.94, 0.96, "undecided", "undecided"),
        (0.95, 0.97, "pass", "undecided"),
        (0.951, 0.97, "pass", "fail"),
        (NAN, NAN, "undecided", "undecided"),
    ],
)
def test_rates_against_a_limit(low, high, at_least, at_most):
    measured = Staged(scores=[rate("ann", 0.945, low, high)])
    assert check(measured, "recall", at_least=0.95).outcome == at_least
    assert check(measured, "recall", at_most=0.95).outcome == at_most


def test_rates_name_the_worst_first():
    scores = [
        rate("ann", 0.80, 0.7, 0.9, "mean_iou"),
        rate("bob", 0.70, 0.6, 0.8, "mean_iou"),
        rate("cy", 0.99, 0.98, 1.0, "mean_iou"),
    ]
    found = check(Staged(scores=scores), "mean_iou", at_least=0.95)
    assert found.sentence == (
        "bob: mean IoU 0.700 (0.600 to 0.800, 40 images); ann: mean IoU 0.800 (0.700 to 0.900, "
        "40 images); asked: mean IoU at least 0.95"
    )
    found = check(Staged(scores=scores), "mean_iou", at_most=0.5)
    assert found.sentence.startswith("cy: mean IoU 0.990")


def test_a_rate_of_nothing_is_open_and_of_nothing_at_all_does_not_apply():
    scores = [rate("ann", 0.99, 0.98, 1.0), rate("bob", NAN, 0.0, 1.0)]
    found = check(Staged(scores=scores), "recall", at_least=0.95)
    assert found.outcome == "undecided"
    assert "bob: recall cannot be told" in found.sentence
    found = check(Staged(scores=scores[1:]), "recall", at_least=0.95)
    assert (found.outcome, found.sentence) == ("not_applicable", "there is nothing to count")


def issue(kind="zero_size", severity="dropped", source="a.json", where="annotations[3]"):
    return SimpleNamespace(kind=kind, severity=severity, source=source, where=where)


def test_unusable_rows_are_counted():
    assert check(Staged(), "unusable_rows", at_most=0).sentence == "no unusable row"
    issues = (issue(), issue(where="annotations[9]"), issue("nan"), issue(severity="kept"))
    measured = Staged(issues=issues)
    found = check(measured, "unusable_rows", at_most=2)
    assert found.outcome == "fail"
    assert found.sentence == (
        "3 unusable rows: 2 zero_size in a.json (first: annotations[3]); 1 nan in a.json (first: "
        "annotations[3]); asked: at most 2 unusable rows"
    )
    assert [row["count"] for row in found.rows] == [2, 1]
    found = check(measured, "unusable_rows", at_most=3)
    assert (found.outcome, found.sentence) == ("pass", "3 unusable rows")


def test_a_rule_has_its_own_tolerance_and_confidence():
    measured = Staged({"ann": []})
    found = check(measured, "edge_offset", tolerance="3 %", confidence=0.9)
    assert measured.asked == [{"tolerance": Tolerance(px=0, rel=0.03), "confidence": 0.9}]
    assert (found.tolerance, found.confidence) == ("3 %", 0.9)
    plain = check(measured, "edge_offset")
    assert len(measured.asked) == 1
    assert (plain.tolerance, plain.confidence) == ("max(1 px, 2 %)", 0.95)


def test_the_policy_of_the_spec_binds():
    rule = {"id": "x", "measure": "unusable_rows", "at_most": 0}
    spec = {"annqc": {"version": 1}, "rule": [rule], "match": {"iou": 0.7}}
    measured = Staged()
    judge(measured, load_spec(spec))
    assert measured.asked == [{"policy": MatchPolicy(iou=0.7)}]
    same = Staged()
    judge(same, load_spec(spec | {"match": {"pair_iou": 0.1}}))
    assert same.asked == []


def test_a_rule_that_cannot_be_applied_is_an_error_of_that_check_alone():
    class Broken(Staged):
        def bias_columns(self, by=()):
            kind = "column to group by"
            raise UnknownNameError.among(kind, "vendr", ["vendor"])

    spec = load_spec(
        {
            "annqc": {"version": 1},
            "rule": [
                {"id": "a", "measure": "edge_offset", "by": "vendr"},
                {"id": "b", "measure": "unusable_rows", "at_most": 0},
            ],
        }
    )
    found = judge(Broken(), spec)
    assert [one.outcome for one in found.checks] == ["error", "pass"]
    assert "did you mean 'vendor'?" in found.checks[0].sentence
    assert found.checks[0].rows == []
    assert found.exit_code() == 2
    assert found.checks[0].to_frame().empty


def judgement(*outcomes):
    return Judgement(checks=tuple(SimpleNamespace(outcome=one) for one in outcomes), spec=None)


@pytest.mark.parametrize(
    ("outcomes", "outcome", "code", "lenient", "strict"),
    [
        (["pass", "pass"], "pass", 0, 0, 0),
        (["pass", "not_applicable"], "undecided", 3, 0, 1),
        (["fail", "not_applicable"], "fail", 1, 1, 1),
        (["pass", "undecided"], "undecided", 3, 0, 1),
        (["not_applicable"], "not_applicable", 3, 0, 1),
        (["undecided", "fail", "pass"], "fail", 1, 1, 1),
        (["fail", "error"], "error", 2, 2, 2),
    ],
)
def test_the_outcome_of_all_checks_and_its_exit_code(outcomes, outcome, code, lenient, strict):
    found = judgement(*outcomes)
    assert found.outcome == outcome
    assert found.exit_code() == code
    assert found.exit_code(undecided="pass") == lenient
    assert found.exit_code(undecided="fail") == strict


def test_exit_code_knows_three_readings_of_undecided():
    with pytest.raises(UnknownNameError, match="did you mean 'pass'"):
        judgement("pass").exit_code(undecided="pas")


def test_only_some_rules():
    rules = [{"id": id, "measure": "unusable_rows", "at_most": 0} for id in ("a", "b")]
    spec = load_spec({"annqc": {"version": 1}, "rule": rules})
    assert [one.id for one in judge(Staged(), spec, only=["b"]).checks] == ["b"]
    with pytest.raises(UnknownNameError, match="no rule 'c'"):
        judge(Staged(), spec, only=["c"])


def test_outputs_hold_the_same_facts():
    measured = Staged({"ann": [], "bob": [finding("out_right", "biased", np.float64(2.0))]})
    found = judge(measured, one_rule("edge_offset"))
    whole = found.to_dict()
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
    assert whole["outcome"] == "fail"
    (one,) = whole["checks"]
    assert one["counts"] == {"pass": 7, "fail": 1, "undecided": 0}
    first = one["rows"][0]
    assert first["group"] == {"annotator": "bob"}
    assert (first["quantity"], first["outcome"]) == ("out_right", "fail")
    assert first["estimate_px"] == 4.0
    assert first["n_more"] is None
    frame = found.to_frame()
    assert frame.loc[0, ["check", "outcome", "n_fail"]].tolist() == ["x", "fail", 1]
    assert frame.loc[0, "sentence"] == one["sentence"]
    rows = found.checks[0].to_frame()
    assert len(rows) == 8
    assert rows.loc[0, ["annotator", "outcome", "quantity"]].tolist() == [
        "bob",
        "fail",
        "out_right",
    ]
    assert "1 fail" in repr(found)
    assert found.explain().startswith("fail  x: bob draws")


VERDICTS = st.sampled_from(["clean", "undecided", "biased", "collective"])


@given(st.lists(st.tuples(VERDICTS, st.floats(-5, 5)), min_size=1, max_size=12))
def test_one_group_decides_for_all(given_verdicts):
    measured = Staged(
        {
            f"w{k}": [finding("out_left", verdict, size, collective=1.5)]
            for k, (verdict, size) in enumerate(given_verdicts)
        }
    )
    found = check(measured, "out_left")
    verdicts = {verdict for verdict, _ in given_verdicts}
    expected = "pass"
    if verdicts & {"biased", "collective"}:
        expected = "fail"
    elif "undecided" in verdicts:
        expected = "undecided"
    assert found.outcome == expected
    outcomes = [row["outcome"] for row in found.rows]
    assert outcomes == sorted(outcomes, key=["fail", "undecided", "pass"].index)
    assert sum(found.counts.values()) == len(given_verdicts)
    leader = found.rows[0]["text"].split(" (")[0]
    assert leader in found.sentence or "everybody" in found.sentence


def test_a_size_that_would_speak_against_the_verdict_is_told_in_tolerances():
    other = {"ci_low_px": -0.1, "estimate_px": 0.9, "ci_high_px": 1.9}
    row = finding("out_left", "biased", 3.5, **other)
    found = check(Staged({"ann": [row]}), "out_left", tolerance="2 px")
    assert found.sentence.startswith(
        "ann draws the left edge 3.5 tolerances too far out (3.3 to 3.7 tolerances, 40 images)"
    )
    turned = finding("out_left", "undecided", 0.1, ci_low=-1, estimate_px=-0.4)
    found = check(Staged({"ann": [turned]}), "out_left", tolerance="2 px")
    assert "0.1 tolerances further out" in found.sentence


@pytest.mark.parametrize(
    ("quantity", "size", "words"),
    [
        ("out_left", 0.5, "the left edge 1.0 px further out"),
        ("dx", -0.5, "boxes 1.0 px further left"),
        ("dy", 0.5, "boxes 1.0 px lower"),
        ("dw", 1.5, "boxes 3.0 px wider"),
        ("dh", -1.5, "boxes 3.0 px shorter"),
    ],
)
def test_what_is_within_tolerance_is_not_too_anything(quantity, size, words):
    measure = {"o": "edge_offset", "x": "shift", "y": "shift"}.get(quantity[0], "growth")
    measure = "shift" if quantity in {"dx", "dy"} else measure
    found = check(Staged({"ann": [finding(quantity, "clean", size)]}), measure)
    assert found.sentence.split("the worst: ")[1].startswith(f"ann draws {words} (")
    assert "too" not in found.sentence


def test_a_pass_on_too_few_objects_says_so():
    doubtful = {"flags": "MEASURABLE,SELECTION_SENSITIVE"}
    staged = Staged({"ann": [finding("out_left", **doubtful)], "bob": []})
    found = check(staged, "edge_offset")
    assert found.outcome == "pass"
    assert found.sentence.endswith("; of 1 of them too few of the objects were measured to be sure")
    alone = check(Staged({"ann": [finding("out_left", **doubtful)]}), "out_left")
    assert alone.sentence.endswith("; too few of the objects were measured to be sure")
    assert "to be sure" not in check(Staged({"ann": []}), "edge_offset").sentence


def test_rates_count_the_images_that_their_interval_rests_on():
    found = check(Staged(scores=[rate("ann", 0.9, 0.8, 0.95)]), "recall", at_least=0.5)
    assert "0.950, 40 images)" in found.sentence  # and not the 45 that were compared


def test_the_same_fault_of_several_rules_is_told_once():
    rules = [{"id": id, "measure": "out_top", "where": {"annotator": "bop"}} for id in "abc"]
    rules.append({"id": "d", "measure": "unusable_rows", "at_most": 0})
    spec = load_spec({"annqc": {"version": 1}, "rule": rules})
    text = judge(Staged({"ann": []}), spec).explain()
    assert text.count("there is no annotator 'bop'") == 1
    assert text.startswith("error  a, b, c: there is no annotator")
    assert text.endswith("pass  d: no unusable row")


def test_specs_are_checked_before_anything_is_judged():
    with pytest.raises(SpecError):
        one_rule("edge_offset", tolerance="two")


def test_where_there_are_tracks_the_evidence_is_not_called_images():
    row = finding("out_top", "undecided", n_more=14.0)
    measured = Staged({"ann": [row]}, scores=[], tracks=True)
    text = check(measured, "out_top").sentence
    assert "40 images or tracks)" in text
    assert "about 14 more images or tracks would settle it" in text
    scores = [rate("ann", 0.9, 0.8, 0.95) | {"recall_n_clusters": 12}]
    found = check(Staged(scores=scores, tracks=True), "recall", at_least=0.5)
    assert found.sentence.startswith("ann: recall 0.900 (0.800 to 0.950, 12 images or tracks)")
    assert found.rows[0]["n_clusters"] == 12


def test_a_judgement_pickles_with_its_words():
    rules = [
        {"id": "a", "measure": "edge_offset", "tolerance": "2 px"},
        {"id": "b", "measure": "recall", "at_least": 0.95},
        {"id": "c", "measure": "unusable_rows", "at_most": 0},
        {"id": "d", "measure": "out_top", "where": {"annotator": "bop"}},
    ]
    spec = load_spec({"annqc": {"version": 1}, "match": {"iou": 0.6}, "rule": rules})
    measured = Staged(
        {"ann": [], "bob": [finding("out_top", "biased", 2)]},
        scores=[rate("bob", 0.8, 0.7, 0.9)],
        issues=(issue(),),
    )
    found = judge(measured, spec)
    again = pickle.loads(pickle.dumps(found))
    assert again.to_dict() == found.to_dict()
    assert again.explain() == found.explain()
    assert again.exit_code() == 2
    one = pickle.loads(pickle.dumps(found.checks[0]))
    assert one.rows == found.checks[0].rows
    assert again.spec == pickle.loads(pickle.dumps(spec)) == spec
    with pytest.raises(SpecError) as caught:
        load_spec('[annqc]\nversion = 9\n[[rule]]\nid = "A"\n')
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_what_only_the_number_of_tests_leaves_open_says_so():
    many = {f"w{k}": [] for k in range(7)}
    measured = Staged(many | {"bob": [finding("out_right", "undecided", 1.5, n_more=12.0)]})
    found = check(measured, "edge_offset", tolerance="2 px")
    assert found.outcome == "undecided"
    alone = "alone it would count as biased; among 32 edges of 8 annotators it can be chance"
    assert f"(2.6 to 3.4 px, 40 images): {alone}, and about 12 more images" in found.sentence
    near = Staged(many | {"bob": [finding("out_right", "undecided", 1.1, n_more=12.0)]})
    assert "alone" not in check(near, "edge_offset", tolerance="2 px").sentence
    inward = Staged(many | {"bob": [finding("out_right", "undecided", -1.5)]})
    assert found.sentence.count("alone") == 1
    assert (
        check(inward, "out_right", tolerance="2 px").sentence.count(
            "among 8 annotators it can be chance"
        )
        == 1
    )


def test_a_rule_by_annotator_says_where_nobody_signed(monkeypatch):
    said = "the work does not say who drew what"
    monkeypatch.setattr("annqc.judge.verdicts.unsigned", lambda _: said)
    measured = Staged({"work": []})
    assert check(measured, "edge_offset").sentence.endswith(f"; {said}")
    assert said not in check(measured, "unusable_rows", at_most=0).sentence
