"""What becomes of each outcome, and what a person is told."""

from __future__ import annotations

import pytest

from tests.plugin.delivery import SPEC


def test_a_clean_delivery_passes(project):
    result = project("clean", "-v", apart=True)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "checks/boxes.annqc.toml::no-edge-bias PASSED*",
            "checks/boxes.annqc.toml::recall PASSED*",
            "2 checks: 2 passed; 1 dataset audited, 0 checks from the cache",
        ]
    )
    assert result.ret == 0


def test_a_planted_bias_fails_with_annotator_edge_size_and_what_to_look_at(project):
    spec = SPEC.replace('"edge_offset"', '"edge_offset"\nwhy = "cars are cut off on the right"')
    result = project("biased", spec=spec, apart=True)
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*boxes: no-edge-bias*",
            "bob draws the right edge [34].* px too far out (* to * px, 40 images); asked: within*",
            "worst annotations:",
            "  annotation * by bob on image_*.jpg (work.json, row *): right edge * px*",
            "why: cars are cut off on the right",
            "to reproduce:",
            "  pytest checks/boxes.annqc.toml::no-edge-bias",
            "  annqc audit --spec checks/boxes.annqc.toml --rule no-edge-bias",
            "failed     checks/boxes.annqc.toml::no-edge-bias  bob draws the right edge*",
            "FAILED checks/boxes.annqc.toml::no-edge-bias*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*_collect.py*")


def test_what_is_undecided_is_skipped_with_the_reason_and_the_line(project):
    result = project("small", "-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(
        [
            "SKIPPED * checks/boxes.annqc.toml:6: no-edge-bias: undecided: * ann draws the *",
            "SKIPPED * checks/boxes.annqc.toml:10: recall: undecided: 1 of 1 undecided: ann*",
        ]
    )
    result.stdout.fnmatch_lines(["2 checks: 2 undecided; 1 dataset audited*"])


@pytest.mark.parametrize(
    ("option", "ini", "header", "outcome"),
    [
        (None, None, "fail", "failed"),
        (None, None, "pass", "passed"),
        (None, "pass", "fail", "passed"),
        ("fail", "pass", "skip", "failed"),
        ("skip", "fail", "pass", "skipped"),
    ],
)
def test_undecided_is_what_the_option_says_then_ini_then_spec(
    project, pytester, option, ini, header, outcome
):
    spec = SPEC.replace("version = 1", f'version = 1\nundecided = "{header}"')
    args = [] if option is None else [f"--annqc-undecided={option}"]
    if ini is not None:
        pytester.makeini(f"[pytest]\nannqc_undecided = {ini}\n")
    result = project("small", *args, spec=spec)
    result.assert_outcomes(**{outcome: 2})
    result.stdout.fnmatch_lines(["2 checks: 2 undecided; *"])
    if outcome == "failed":
        result.stdout.fnmatch_lines(["undecided counts as failed here*"])


def test_a_wrong_ini_value_is_a_usage_error(project, pytester):
    pytester.makeini("[pytest]\nannqc_undecided = maybe\n")
    result = project("small")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: annqc_undecided: expected one of skip, fail, pass; found 'maybe'"]
    )


def test_what_does_not_apply_is_skipped(project):
    spec = SPEC.replace('"edge_offset"', '"edge_offset"\nwhere = { category = "bus" }')
    result = project("clean", "-rs", spec=spec)
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["*no-edge-bias: not applicable: there is nothing to judge of category 'bus'*"]
    )


def test_a_slip_of_the_pen_in_where_is_an_error(project):
    spec = SPEC.replace('"edge_offset"', '"edge_offset"\nwhere = { annotator = "an" }')
    result = project("clean", spec=spec)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["there is no annotator 'an' in the data", "*did you mean 'ann'?"])


def test_a_rule_that_cannot_be_applied_is_an_error(project):
    spec = SPEC.replace('"edge_offset"', '"edge_offset"\nby = "vendor"')
    result = project("clean", spec=spec)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["there is no column to group by 'vendor'"])


def test_data_that_cannot_be_read_are_an_error_of_every_rule_told_once(project, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    result = project("clean", spec=SPEC.replace("gold.json", "golden.json"))
    result.assert_outcomes(errors=2)
    out = result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            "*ERROR at setup of*no-edge-bias*",
            "there is no such file or folder: golden.json",
            "  where: *golden.json",
            "  to do: did you mean 'gold.json'?*",
            "*ERROR at setup of*recall*",
            "there is no such file or folder: golden.json (as for *boxes.annqc.toml::no-edge-bias)",
            "ERROR *::no-edge-bias - Failed: there is no such file or folder: golden.json",
            "ERROR *::recall - Failed: there is no such file or folder: golden.json (as for *",
        ]
    )
    assert out.count("did you mean 'gold.json'") == 1
    assert "Traceback" not in out


def test_a_broken_file_says_where_it_broke(project, pytester):
    project("clean", "--collect-only")
    (pytester.path / "checks/data/work.json").write_text('{"images": [}', encoding="utf-8")
    result = project("clean")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*where: *work.json*"])


def test_what_nobody_foresaw_is_met_once_and_told_with_its_traceback(project, monkeypatch):
    import annqc.testing.checking

    met = []

    def broken(spec, dataset):
        met.append(dataset.name)
        message = "no such luck"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(annqc.testing.checking, "audit_dataset", broken)
    result = project("clean", "--annqc-cache=off")
    result.assert_outcomes(errors=2)
    assert met == [""]
    assert result.stdout.str().count("def broken(") == 1
    teller = "checks/boxes.annqc.toml::no-edge-bias"
    said = f"recall was not checked: ZeroDivisionError: no such luck (as for {teller})"
    result.stdout.fnmatch_lines([said])
