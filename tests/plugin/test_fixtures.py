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


def test_assert_meets_says_what_the_rule_says(pytester, deliveries):
    code = """
        import pytest

        def test_recall(annqc):
            annqc.assert_meets("boxes.annqc.toml", rule="recall")

        def test_all(annqc):
            annqc.assert_meets("boxes.annqc.toml")

        def test_slip(annqc):
            with pytest.raises(KeyError, match="did you mean 'recall'"):
                annqc.assert_meets("boxes.annqc.toml", rule="recal")
        """
    result = _run(pytester, deliveries, "biased", code)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["E * AssertionError: bob draws the right edge * px too far out*", "E *to reproduce:"]
    )
    assert "_bench.py" not in result.stdout.str()


@pytest.mark.parametrize(("undecided", "outcome"), [("skip", "skipped"), ("fail", "failed")])
def test_assert_meets_takes_undecided_as_rules_do(pytester, deliveries, undecided, outcome):
    code = """
        def test_all(annqc):
            annqc.assert_meets("boxes.annqc.toml")
        """
    result = _run(pytester, deliveries, "small", code, f"--annqc-undecided={undecided}")
    result.assert_outcomes(**{outcome: 1})


def test_data_that_are_not_there_are_no_failed_assertion(pytester, deliveries):
    code = """
        import annqc as library
        import pytest

        def test_all(annqc):
            with pytest.raises(library.AnnqcError, match="golden.json"):
                annqc.assert_meets("boxes.annqc.toml")
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
            with pytest.raises(AttributeError):
                annqc.assert_recal()
            with pytest.raises(AttributeError):
                annqc.nonsense
        """
    result = _run(pytester, deliveries, "biased", code, "--annqc-data-root=data")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E * AssertionError: *bob draws the right edge*"])
