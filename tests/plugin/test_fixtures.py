"""annqc at hand in test functions."""

from __future__ import annotations

import shutil

import pytest

from tests.plugin.delivery import SPEC


def _run(pytester, deliveries, delivery, code, *args, spec=SPEC):
    shutil.copytree(deliveries[delivery], pytester.path / "data", dirs_exist_ok=True)
    pytester.makefile(".annqc.toml", boxes=spec)
    module = pytester.makepyfile(code)
    return pytester.runpytest_inprocess("-W", "error", module, *args)


def test_reading_auditing_judging_and_simulating(pytester, deliveries, monkeypatch):
    result = _run(
        pytester,
        deliveries,
        "biased",
        """
        def test_read(annqc):
            assert annqc.read("data/work.json").annotator_ids.tolist() == ["ann", "bob"]

        def test_audit(annqc):
            audit = annqc.audit("data/work.json", ["data/gold.json"])
            assert audit is annqc.audit("data/work.json", ["data/gold.json"])
            assert audit is not annqc.audit("data/work.json", "data/gold.json", tolerance="9 px")
            bias = audit.bias()
            assert set(bias.loc[bias["verdict"] == "biased", "annotator"]) == {"bob"}

        def test_judge(annqc):
            assert annqc.judge("boxes.annqc.toml").outcome == "fail"
            rule = {"id": "a", "measure": "recall", "at_least": 0.9}
            profile = {"annqc": {"version": 1}, "rule": [rule]}
            assert annqc.judge(profile, "data/work.json", "data/gold.json").outcome == "pass"

        def test_simulate(annqc):
            made = annqc.simulate(["ann"], n_images=3, rng=1)
            assert len(annqc.audit(made.work, made.gold).gold.image_table) == 3
        """,
    )
    result.assert_outcomes(passed=4)


def test_meets_says_what_the_rule_says(pytester, deliveries):
    code = """
        import pytest

        def test_recall(annqc):
            annqc.meets("boxes.annqc.toml", rule="recall")

        def test_all(annqc):
            annqc.meets("boxes.annqc.toml")

        def test_slip(annqc):
            with pytest.raises(KeyError, match="did you mean 'recall'"):
                annqc.meets("boxes.annqc.toml", rule="recal")
        """
    result = _run(pytester, deliveries, "biased", code)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["E * AssertionError: bob draws the right edge * px too far out*", "E *to reproduce:"]
    )
    assert "_bench.py" not in result.stdout.str()


@pytest.mark.parametrize(("undecided", "outcome"), [("skip", "skipped"), ("fail", "failed")])
def test_meets_takes_undecided_as_rules_do(pytester, deliveries, undecided, outcome):
    code = """
        def test_all(annqc):
            annqc.meets("boxes.annqc.toml")
        """
    result = _run(pytester, deliveries, "small", code, f"--annqc-undecided={undecided}")
    result.assert_outcomes(**{outcome: 1})


def test_data_that_are_not_there_are_no_failed_assertion(pytester, deliveries):
    code = """
        import annqc as library
        import pytest

        def test_all(annqc):
            with pytest.raises(library.AnnqcError, match="golden.json"):
                annqc.meets("boxes.annqc.toml")
        """
    spec = SPEC.replace("gold.json", "golden.json")
    _run(pytester, deliveries, "clean", code, spec=spec).assert_outcomes(passed=1)


def test_the_marker_says_what_to_audit(pytester, deliveries):
    code = """
        import pytest

        pytestmark = pytest.mark.annqc(work="data/work.json", gold="data/gold.json")

        def test_bias(annqc_audit):
            bias = annqc_audit.bias()
            assert set(bias.loc[bias["verdict"] == "biased", "annotator"]) == {"bob"}

        @pytest.mark.annqc(work="work.json", gold="gold.json", tolerance="9 px")
        def test_wide(annqc_audit):
            assert str(annqc_audit.parameters.tolerance) == "9 px"

        @pytest.mark.annqc(work="work.json")
        def test_half(annqc_audit): pass
        """
    result = _run(pytester, deliveries, "biased", code, "-k", "not wide")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["annqc_audit needs to know what to compare: *"])
    moved = _run(pytester, deliveries, "biased", code, "-k", "wide", "--annqc-data-root=data")
    moved.assert_outcomes(passed=1)


def test_the_asserts_see_the_same_paths(pytester, deliveries, monkeypatch):
    code = """
        import pytest

        def test_recall(annqc):
            annqc.assert_recall("work.json", gold="gold.json", at_least=0.9)

        def test_bias(annqc):
            annqc.assert_unbiased("work.json", gold="gold.json")

        def test_slip(annqc):
            with pytest.raises(AttributeError, match="did you mean 'assert_recall'"):
                annqc.assert_recal()
            with pytest.raises(AttributeError, match="no 'audits'; did you mean 'audit'"):
                annqc.audits
            with pytest.raises(AttributeError, match="the fixture annqc has no 'nonsense'$"):
                annqc.nonsense
            assert not hasattr(annqc, "__wrapped__")
            assert {"audit", "meets", "assert_recall"} <= set(dir(annqc))
        """
    result = _run(pytester, deliveries, "biased", code, "--annqc-data-root=data")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E * AssertionError: *bob draws the right edge*"])


def test_the_same_content_is_compared_once_and_changed_content_again(pytester, deliveries):
    code = """
        import json, pathlib
        import pandas as pd

        WORK = pathlib.Path("data/work.json")

        def test_files(annqc):
            before = annqc.audit(WORK, "data/gold.json")
            assert annqc.audit([WORK], "data/gold.json", iou=0.5) is not before
            text = WORK.read_text()
            WORK.write_text(json.dumps(json.loads(text) | {"annotations": []}))
            assert len(annqc.audit(WORK, "data/gold.json").work) == 0
            WORK.write_text(text)
            assert annqc.audit(WORK, "data/gold.json") is before
            pathlib.Path("names.txt").write_text("a")
            named = annqc.audit(WORK, "data/gold.json", categories="names.txt")
            assert named is annqc.audit(WORK, "data/gold.json", categories="names.txt")
            pathlib.Path("names.txt").write_text("b")
            assert named is not annqc.audit(WORK, "data/gold.json", categories="names.txt")

        def test_datasets(annqc):
            made = annqc.simulate(["ann"], n_images=3, rng=1)
            other = annqc.simulate(["ann"], n_images=3, rng=2)
            assert annqc.audit(made.work, made.gold) is annqc.audit(made.work, made.gold)
            assert annqc.audit(made.work, made.gold) is not annqc.audit(other.work, other.gold)

        def test_tables_may_change(annqc):
            table = {"image_id": [1], "category": "a", "x1": 1, "y1": 1, "x2": 9, "y2": 9}
            frame = pd.DataFrame(table)
            annqc.audit(frame, frame)
            frame.loc[0, "category"] = "b"
            assert annqc.audit(frame, frame).work.category_names == ["b"]
        """
    _run(pytester, deliveries, "biased", code).assert_outcomes(passed=3)


def test_assert_meets_is_that_of_annqc_testing(pytester, deliveries):
    code = """
        import inspect, pytest
        import annqc.testing as testing

        def test_signature(annqc):
            assert inspect.signature(annqc.assert_meets) == inspect.signature(testing.assert_meets)

        def test_spec(annqc, monkeypatch):
            monkeypatch.chdir("data")
            with pytest.raises(AssertionError, match="^fail  no-edge-bias: bob draws"):
                annqc.assert_meets("data/work.json", "data/gold.json", spec="boxes.annqc.toml")

        def test_profile(annqc):
            data = ("data/work.json", "data/gold.json")
            judged = annqc.assert_meets(*data, spec="boxes", rules=["label-accuracy"])
            assert [check.id for check in judged.checks] == ["label-accuracy"]
            assert annqc.judge("boxes", *data).outcome == "fail"
            with pytest.raises(Exception, match="no profile 'boxs'(.|\\n)*did you mean 'boxes'"):
                annqc.meets("boxs")
            with pytest.raises(Exception, match="the spec names no data"):
                annqc.meets("boxes")
        """
    _run(pytester, deliveries, "biased", code).assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("args", "outcomes"),
    [
        ((), {"failed": 2, "passed": 1}),
        (("--annqc-undecided=skip",), {"skipped": 2, "passed": 1}),
        (("--annqc-undecided=pass",), {"passed": 3}),
        (("-o", "annqc_undecided=skip"), {"skipped": 2, "passed": 1}),
    ],
)
def test_the_option_says_what_asserts_make_of_what_is_undecided(
    pytester, deliveries, args, outcomes
):
    code = """
        DATA = ("data/work.json", "data/gold.json")

        def test_recall(annqc):
            annqc.assert_recall(*DATA, at_least=0.95)

        def test_meets(annqc):
            annqc.assert_meets(*DATA, spec="boxes.annqc.toml", rules=["recall"])

        def test_own(annqc):
            annqc.assert_recall(*DATA, at_least=0.95, undecided="pass")
        """
    _run(pytester, deliveries, "small", code, *args).assert_outcomes(**outcomes)


def test_what_lies_beside_the_data_is_seen_from_there(pytester, deliveries, monkeypatch):
    code = """
        import pathlib

        def test_beside(annqc, monkeypatch):
            audit = annqc.audit("work.json", "gold.json")
            audit.save("data/old.annqc")
            pathlib.Path("data/names.txt").write_text("a")
            monkeypatch.chdir("/")
            read = annqc.read("work.json", categories="names.txt")
            assert len(read) == len(audit.work)
            annqc.assert_not_worse(audit, baseline="old.annqc", measures=["recall"])
            annqc.assert_no_problems("work.json", categories="names.txt", at_most=9999)
            annqc.audit("work.json", "gold.json", categories=["a", "b"])
        """
    _run(pytester, deliveries, "clean", code, "--annqc-data-root=data").assert_outcomes(passed=1)
