"""Plain asserts: they pass and fail as the rules of a spec do, with the same words."""

from __future__ import annotations

import inspect
import subprocess
import sys
import traceback
import unittest

import pandas as pd
import pytest

import annqc
from annqc import testing
from annqc.errors import AnnqcError, ReadError, SpecError, UnknownNameError
from annqc.judge import Check, Judgement
from annqc.report.checks.record import failure_text, make_record
from annqc.testing import (
    assert_agreement,
    assert_categories_covered,
    assert_complete,
    assert_enough_evidence,
    assert_label_accuracy,
    assert_mean_iou,
    assert_meets,
    assert_no_duplicates,
    assert_no_errors,
    assert_no_problems,
    assert_not_worse,
    assert_precision,
    assert_recall,
    assert_unbiased,
)
from annqc.write import write_coco

HABITS = {
    "ann": [],
    "bob": annqc.Habit.loose("right", px=5),
    "eve": annqc.Habit.misses(0.4),
    "kim": annqc.Habit.extras(0.4),
    "lee": annqc.Habit.wrong_labels(0.4),
    "mia": annqc.Habit.duplicates(0.3),
}
CLEAN = ["ann", "bob", "eve"]


@pytest.fixture(scope="module")
def clean():
    made = annqc.simulate(CLEAN, n_images=80, rng=1)
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def dirty():
    made = annqc.simulate(HABITS, n_images=80, rng=1)
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def few():
    made = annqc.simulate(["ann"], n_images=4, rng=1)
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def some():
    """Images enough to fail, and objects too few to pass."""
    made = annqc.simulate(["ann"], n_images=6, rng=1)
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def files(tmp_path_factory, dirty):
    folder = tmp_path_factory.mktemp("delivery")
    return write_coco(dirty.work, folder / "work.json"), write_coco(
        dirty.gold, folder / "gold.json"
    )


def said(call, *args, **given):
    """What a failing assert says."""
    with pytest.raises(AssertionError) as caught:
        call(*args, **given)
    return str(caught.value)


def ruled(audit, baseline=None, **rule):
    """What a failing rule of a spec says in pytest."""
    spec = {"annqc": {"version": 1}, "rule": [{"id": "x", **rule}]}
    judged = audit.judge(spec, baseline=baseline)
    assert judged.outcome == "fail"
    return failure_text(make_record(judged.checks[0], spec=judged.spec))


MEASURES = [
    (
        assert_unbiased,
        {},
        {"measure": "edge_offset"},
        "bob draws the right edge 4.9 px too far out",
    ),
    (
        assert_unbiased,
        {"edges": "right", "tolerance": "2 px"},
        {"measure": "out_right", "tolerance": "2 px"},
        "bob draws the right edge 4.9 px too far out",
    ),
    (
        assert_unbiased,
        {"measure": "growth"},
        {"measure": "growth"},
        "bob draws boxes 4.8 px too wide",
    ),
    (
        assert_recall,
        {"at_least": 0.9},
        {"measure": "recall", "at_least": 0.9},
        "eve: recall 0.6",
    ),
    (
        assert_precision,
        {"at_least": 0.9, "where": {"annotator": ("ann", "kim")}},
        {"measure": "precision", "at_least": 0.9, "where": {"annotator": ["ann", "kim"]}},
        "kim: precision 0.699",
    ),
    (
        assert_label_accuracy,
        {"at_least": 0.9, "confidence": 0.99},
        {"measure": "label_accuracy", "at_least": 0.9, "confidence": 0.99},
        "lee: label accuracy 0.6",
    ),
    (
        assert_mean_iou,
        {"at_least": 0.9, "by": ["annotator", "size"]},
        {"measure": "mean_iou", "at_least": 0.9, "by": ["annotator", "size"]},
        "(size small): mean IoU",
    ),
]


@pytest.mark.parametrize(("call", "given", "rule", "words"), MEASURES)
def test_a_planted_habit_fails_with_the_text_of_the_rule(dirty, call, given, rule, words):
    text = said(call, dirty, **given)
    assert words in text.splitlines()[0]
    assert text == ruled(dirty, **rule)


def test_the_worst_annotations_are_named(dirty):
    text = said(assert_unbiased, dirty, edges="right")
    worst = dirty.worst({"annotator": "bob"}, quantity="out_right", most=1)[0]
    assert worst["text"] in " ".join(text.split())
    for name in ("annotation_id", "file_name", "row"):
        assert str(worst[name]) in worst["text"]


def test_clean_work_passes_and_the_check_comes_back(clean):
    judged = assert_unbiased(clean)
    assert isinstance(judged, Judgement)
    assert judged.outcome == "pass"
    shared = {"at_least": 0.8}
    calls = (assert_recall, assert_precision, assert_label_accuracy, assert_mean_iou)
    for call in calls:
        check = call(clean, **shared)
        assert isinstance(check, Check)
        assert (check.outcome, check.counts["pass"]) == ("pass", 3)
    assert assert_recall(clean, by=(), **shared).counts["pass"] == 1
    assert assert_recall(clean, by="annotator,category", **shared).counts["pass"] == 15


def test_some_edges_are_a_check_each(dirty):
    judged = assert_unbiased(dirty, edges=("left", "out_top"))
    assert [check.measure for check in judged.checks] == ["out_left", "out_top"]
    text = said(assert_unbiased, dirty, edges=["left", "right"])
    assert text.startswith("fail  out_right: bob draws the right edge")
    assert "left" not in text


def test_sequential_is_the_rule_option(dirty):
    given = {"measure": "edge_offset", "where": {"annotator": ["bob"]}, "sequential": True}
    text = said(assert_unbiased, dirty, where={"annotator": "bob"}, sequential=True)
    assert text == ruled(dirty, **given)
    assert text != said(assert_unbiased, dirty, where={"annotator": "bob"})


def test_inputs_of_every_kind_agree(dirty, files):
    work, gold = files
    frame = dirty.work.annotations
    table = frame[["image_id", "annotator", "category", "x1", "y1", "x2", "y2"]]
    truth = dirty.gold.annotations[["image_id", "category", "x1", "y1", "x2", "y2"]]
    first = {
        said(assert_recall, *given, at_least=0.9).splitlines()[0]
        for given in (
            (dirty,),
            (dirty.work, dirty.gold),
            (str(work), gold),
            ([work], str(gold)),
            (work.with_name("w*.json"), dirty.gold),
        )
    }
    assert first == {said(assert_recall, dirty, at_least=0.9).splitlines()[0]}
    # Tables know nothing of images without a box.
    read = said(assert_recall, annqc.read(table), annqc.read(truth), at_least=0.9)
    assert said(assert_recall, table, truth, at_least=0.9) == read


def test_options_go_to_the_audit(dirty):
    strict = assert_recall(dirty.work, dirty.gold, at_least=0.1, iou=0.95)
    rates = strict.to_frame().set_index("annotator")["estimate"]
    expected = annqc.audit(dirty.work, dirty.gold, iou=0.95).scores().set_index("annotator")
    assert rates.to_dict() == expected["recall"].to_dict()


def test_undecided_is_no_pass_and_the_way_out_is_told(few):
    text = said(assert_recall, few, at_least=0.95)
    assert text.startswith("undecided: 1 of 1 undecided: ann: recall")
    assert "more images" in text
    assert 'undecided="pass"' in text
    assert assert_recall(few, at_least=0.95, undecided="pass").outcome == "undecided"
    with pytest.raises(unittest.SkipTest, match="undecided: 1 of 1 undecided: ann: recall"):
        assert_recall(few, at_least=0.95, undecided="skip")
    assert assert_unbiased(few, undecided="pass").outcome == "undecided"
    with pytest.raises(AssertionError, match=r"undecided: 4 of 4 undecided: .* too few to judge"):
        assert_unbiased(few)


def test_what_fails_fails_whatever_becomes_of_the_undecided(dirty):
    for undecided in ("pass", "skip", "fail"):
        text = said(assert_recall, dirty, at_least=0.9, undecided=undecided)
        assert text.startswith("eve: recall")


def test_nothing_to_judge_is_no_pass(clean):
    given = {"at_least": 0.8, "where": {"size": "large", "category": "person"}}
    made = annqc.simulate(["ann"], n_images=30, box_side=12.0, rng=1)
    text = said(assert_recall, made.work, made.gold, **given)
    assert text.startswith("not applicable: there is nothing")
    open_check = assert_recall(made.work, made.gold, undecided="pass", **given)
    assert open_check.outcome == "not_applicable"


def test_agreement_needs_no_gold(dirty, files):
    made = annqc.simulate(CLEAN, n_images=80, rng=1)
    assert assert_agreement(made.work, at_least=0.8).outcome == "pass"
    alone = said(assert_agreement, dirty.work, at_least=0.99)
    assert alone == said(assert_agreement, files[0], at_least=0.99).replace(str(files[0]), "")
    assert alone == said(assert_agreement, dirty, at_least=0.99)
    assert alone == said(assert_agreement, dirty.work, dirty.gold, at_least=0.99)
    assert "agreement" in alone


def odd_table():
    boxes = [(10, 10, 20, 20), (30, 10, 30, 20), (50, 50, 40, 60)]
    return pd.DataFrame(
        [
            {"image_id": 1, "annotator": "ann", "category": "car"}
            | dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))
            for box in boxes
        ]
    )


def test_problems_are_listed_with_file_and_row(tmp_path):
    path = tmp_path / "work.csv"
    odd_table().to_csv(path, index=False)
    text = said(assert_no_problems, path)
    found = annqc.lint(path)
    assert len(found) == 2
    listed = text.partition("\n\nproblems:\n")[2].splitlines()
    assert listed == [
        f"  {path}, {one.where}: {one.kind}: {one.message}" for one in found.itertuples()
    ]
    assert str(path) in text
    assert assert_no_problems(path, at_most=2).outcome == "pass"
    assert assert_no_problems(path, kinds="outside_image").outcome == "pass"
    assert assert_no_problems(odd_table()[:1]).outcome == "pass"
    zero = said(assert_no_problems, odd_table(), kinds=["zero_size"])
    assert zero.splitlines()[0] == (
        "1 problem: 1 zero_size in <table> (first: row 1); asked: at most 0 problems"
    )
    assert zero.count("zero_size") == 2
    assert "negative_size" not in zero
    many = pd.concat([odd_table()] * 6)
    assert "and 7 more; annqc lint lists them all" in said(assert_no_problems, many)


def test_problems_of_the_gold_count_where_there_is_one():
    good, bad = (odd_table()[:n].assign(annotator=who) for n, who in ((1, "ann"), (2, "gold")))
    bad_work = bad.assign(annotator="ann")
    assert assert_no_problems(good, bad[:1]).outcome == "pass"
    assert said(assert_no_problems, good, bad).startswith("1 problem: 1 zero_size")
    assert said(assert_no_problems, bad_work, bad).startswith("2 problems: 2 zero_size")


def test_problems_of_work_that_cannot_be_used_at_all_are_told(tmp_path):
    path = tmp_path / "work.csv"
    odd_table()[1:].to_csv(path, index=False)
    assert "2 " in said(assert_no_problems, path).splitlines()[0]


def test_errors_of_some_kinds(clean, dirty):
    text = said(assert_no_errors, dirty, kinds=["spurious", "mislabelled"], at_most=100)
    assert text == ruled(
        dirty, measure="error_count", kind=["spurious", "mislabelled"], at_most=100
    )
    first = text.splitlines()[0]
    assert "kim" in first
    assert "lee" in first
    assert "eve" not in first
    assert assert_no_errors(clean, kinds="mislabelled").outcome == "pass"
    ann = assert_no_errors(dirty, kinds="duplicate", where={"annotator": "ann"})
    assert ann.counts == {"pass": 1, "fail": 0, "undecided": 0}


def test_work_alone_is_read_as_it_is_asked(files, dirty):
    table = dirty.work.annotations.drop(columns="annotator")
    one = assert_no_problems(table, annotator="=kim")
    assert one.outcome == "pass"
    with pytest.raises(SpecError, match="the work is a Dataset already"):
        assert_agreement(dirty.work, at_least=0.5, annotator="stem")
    alone = assert_agreement(files[0], at_least=0.5, annotator="stem", undecided="pass")
    assert alone.outcome == "not_applicable"


def test_duplicates(clean, dirty):
    assert assert_no_duplicates(clean).outcome == "pass"
    text = said(assert_no_duplicates, dirty)
    assert "mia" in text.splitlines()[0]
    assert text == ruled(dirty, measure="duplicates", at_most=0)


def test_complete(clean):
    assert assert_complete(clean).outcome == "pass"
    work = clean.work
    kept = work.image_table.id[work.table.image] > 10
    table = work.annotations[["image_id", "annotator", "category", "x1", "y1", "x2", "y2"]][kept]
    text = said(assert_complete, table, clean.gold)
    assert "10 " in text.splitlines()[0]
    assert assert_complete(table, clean.gold, at_most=10).outcome == "pass"


def test_categories(clean):
    names = clean.gold.category_names.tolist()
    assert assert_categories_covered(clean).outcome == "pass"
    assert assert_categories_covered(clean.work, categories=names, at_least=10).outcome == "pass"
    text = said(assert_categories_covered, clean.work, categories=["car", "tram"])
    assert "tram" in text
    assert "car" not in text.splitlines()[0].partition("asked")[0].replace("category", "")
    with pytest.raises(AnnqcError, match="needs gold"):
        assert_categories_covered(clean.work)


def test_evidence(clean, few):
    assert assert_enough_evidence(clean).outcome == "pass"
    text = said(assert_enough_evidence, few)
    assert text.startswith("ann")
    assert "4 images" in text
    assert assert_enough_evidence(few, at_least=4).outcome == "pass"


@pytest.fixture(scope="module")
def worse():
    made = annqc.simulate(
        {"ann": [], "bob": annqc.Habit.misses(0.3), "eve": annqc.Habit.loose("top", px=4)},
        n_images=80,
        rng=1,
    )
    return annqc.audit(made.work, made.gold)


def test_not_worse_than_a_saved_run(clean, worse, tmp_path):
    saved = clean.save(tmp_path / "before.annqc")
    again = assert_not_worse(clean.work, clean.gold, baseline=saved)
    assert [check.measure for check in again.checks] == [
        "recall",
        "precision",
        "mean_iou",
        "edge_offset",
    ]
    assert again.outcome == "pass"
    text = said(assert_not_worse, worse, baseline=saved, measures=["recall"])
    assert text == ruled(worse, saved, measure="recall", no_worse_than="baseline")
    assert "bob" in text.splitlines()[0]
    assert text == said(assert_not_worse, worse, baseline=clean, measures=["recall"])
    both = said(assert_not_worse, worse, baseline=saved, measures=["recall", "edge_offset"])
    assert "fail  recall: " in both
    assert "fail  edge_offset: " in both
    assert "eve" in both


def test_margins_go_where_they_fit(clean, worse):
    wide = assert_not_worse(worse, baseline=clean, measures=["recall"], margin=0.9)
    assert wide.checks[0].rule.margin == 0.9
    given = {"recall": 0.9, "edge_offset": "9 px"}
    both = assert_not_worse(
        worse, baseline=clean, measures=list(given), margin=given, undecided="pass"
    )
    assert str(both.checks[1].rule.margin) == "9 px"
    with pytest.raises(SpecError, match="margin fits none of the measures"):
        assert_not_worse(worse, baseline=clean, measures=["edge_offset"], margin=0.1)


SPEC = """
[annqc]
version = 1
gold = "nowhere.json"
candidate = "nowhere-either.json"

[[rule]]
id = "found"
measure = "recall"
at_least = 0.9
why = "what is missed is never learned"

[[rule]]
id = "labels"
measure = "label_accuracy"
at_least = 0.9
"""


def test_a_whole_spec(clean, dirty, tmp_path):
    path = tmp_path / "boxes.annqc.toml"
    path.write_text(SPEC, encoding="utf-8")
    assert assert_meets(clean, spec=path).counts["pass"] == 2
    text = said(assert_meets, dirty.work, dirty.gold, spec=str(path))
    assert "fail  found: eve: recall" in text
    assert "fail  labels: lee: label accuracy" in text
    assert "why: what is missed is never learned" in text
    assert "nowhere" not in text
    assert "reproduce" not in text
    only = said(assert_meets, dirty, spec=SPEC, rules=["labels"])
    assert only.startswith("lee: label accuracy")
    with pytest.raises(UnknownNameError, match="did you mean 'labels'"):
        assert_meets(dirty, spec=SPEC, rules=["label"])


def test_a_spec_says_what_becomes_of_the_undecided(some):
    strict = SPEC.replace("0.9", "0.97")
    assert "undecided  found: " in said(assert_meets, some, spec=strict)
    mixed = strict.replace('"label_accuracy"\nat_least', '"label_accuracy"\nat_most').replace(
        "at_most = 0.97", "at_most = 0.1"
    )
    both = said(assert_meets, some, spec=mixed)
    assert both.index("fail  labels: ann") < both.index("undecided  found: ")
    assert "undecided" not in said(assert_meets, some, spec=mixed, undecided="pass")
    easy = strict.replace("version = 1", 'version = 1\nundecided = "pass"')
    assert assert_meets(some, spec=easy).outcome == "undecided"
    assert "undecided  found: " in said(assert_meets, some, spec=easy, undecided="fail")


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (assert_recall, TypeError, "'at_least'"),
        (lambda a: assert_recall(a, at_least=0.9, whre={}), TypeError, "did you mean 'where'"),
        (lambda a: assert_recall(a, at_least=0.9, tolerance="1 px"), TypeError, "no argument"),
        (lambda a: assert_recall(a.work, at_least=0.9), AnnqcError, "needs gold"),
        (lambda a: assert_recall(a, a.gold, at_least=0.9), SpecError, "has its gold already"),
        (lambda a: assert_recall(a, at_least=0.9, iou=0.7), SpecError, "iou= says how the audit"),
        (lambda a: assert_recall(a, at_least=95), SpecError, "for 95 % write 0.95"),
        (lambda a: assert_recall(a, at_least="high"), SpecError, "assert_recall: the call has 1"),
        (lambda a: assert_recall(a, at_least=0.9, by="sise"), AnnqcError, "did you mean 'size'"),
        (
            lambda a: assert_recall(a, at_least=0.9, where={"annotator": "anne"}),
            AnnqcError,
            "no annotator 'anne'",
        ),
        (
            lambda a: assert_recall(a, at_least=0.9, undecided="ignore"),
            UnknownNameError,
            "no reading of undecided 'ignore'",
        ),
        (lambda a: assert_unbiased(a, edges=["upper"]), UnknownNameError, "no edge 'upper'"),
        (lambda a: assert_unbiased(a, edges=[]), SpecError, "nothing is asked"),
        (lambda a: assert_unbiased(a, edges="left", measure="shift"), SpecError, "different"),
        (lambda a: assert_unbiased(a, measure="shfit"), SpecError, "did you mean 'shift'"),
        (lambda a: assert_unbiased(a, tolerance="2 pt"), SpecError, "tolerance"),
        (lambda a: assert_no_errors(a, kinds="mised"), AnnqcError, "did you mean 'missed'"),
        (lambda a: assert_no_problems(a, kinds="zero"), AnnqcError, "zero"),
        (lambda a: assert_recall("nope.json", "nope.json", at_least=1), ReadError, "nope.json"),
        (lambda a: assert_meets(a, spec="nope.annqc.toml"), SpecError, "nope.annqc.toml"),
        (lambda a: assert_not_worse(a, baseline="nope.annqc"), AnnqcError, "nope.annqc"),
    ],
)
def test_wrong_calls_are_told_apart_from_bad_work(clean, call, error, says):
    with pytest.raises(error, match=says) as caught:
        call(clean)
    assert not isinstance(caught.value, AssertionError)


def test_sides_without_a_common_image_are_an_error(clean):
    gold = annqc.simulate(["x"], n_images=5, rng=2).gold.annotations
    gold["image_id"] = gold["image_id"] + 1000
    table = gold[["image_id", "category", "x1", "y1", "x2", "y2"]]
    with pytest.raises(AnnqcError, match="no image in common"):
        assert_recall(clean.work, table, at_least=0.5)


def test_pytest_shows_the_call_and_nothing_of_annqc(dirty):
    """Frames say that they are to be hidden, and refusals carry no frames of the rooms below."""
    for call, error in (
        (lambda: assert_recall(dirty, at_least=0.9), AssertionError),
        (lambda: assert_recall(dirty, at_least=9), SpecError),
        (lambda: assert_meets(dirty, spec="nope.annqc.toml"), SpecError),
        (lambda: assert_no_problems("nope.json"), ReadError),
    ):
        with pytest.raises(error) as caught:
            call()
        frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][2:]
        assert frames
        assert all(frame.f_locals.get("__tracebackhide__") for frame in frames)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_in_pytest_a_failure_is_short_and_a_skip_is_a_skip(pytester, files):
    work, gold = files
    pytester.makepyfile(
        f"""
        from annqc.testing import assert_recall, assert_unbiased

        def test_recall():
            assert_recall({str(work)!r}, {str(gold)!r}, at_least=0.9)

        def test_edges():
            where = {{"image_id": [1]}}
            assert_recall({str(work)!r}, {str(gold)!r}, at_least=0.7, by=["image_id"],
                          where=where, undecided="skip")
        """
    )
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-rs")
    done.assert_outcomes(failed=1, skipped=1)
    done.stdout.fnmatch_lines(["E * AssertionError: eve: recall 0.6*"])
    done.stdout.no_fnmatch_line("*judged.py*")


def test_asserts_are_listed_and_loaded_when_they_are_used():
    assert set(testing.__all__) == {name for name in dir(testing) if name.startswith("assert_")}
    for name in testing.__all__:
        call = getattr(testing, name)
        names = list(inspect.signature(call).parameters)
        assert names[:2] == ["work", "gold"]
        assert names[-1] == "options"
    with pytest.raises(AttributeError, match="no attribute 'assert_recal'"):
        testing.assert_recal  # noqa: B018
    code = (
        "import sys, annqc.testing; from annqc.testing import assert_recall; "
        "print(sorted({'numpy', 'pandas', 'scipy', 'numba', 'hypothesis'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
