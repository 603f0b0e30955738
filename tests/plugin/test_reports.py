"""What a run leaves behind: JUnit, JSON, SARIF, a page, and lines for GitHub."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from tests.plugin.delivery import SPEC


def _properties(path) -> dict[str, dict[str, str]]:
    cases = ET.parse(path).getroot().iter("testcase")
    return {
        case.get("name"): {one.get("name"): one.get("value") for one in case.iter("property")}
        for case in cases
    }


def test_junit_has_the_numbers(project, pytester):
    project("biased", "--junitxml=out.xml")
    told = _properties(pytester.path / "out.xml")
    assert sorted(told) == ["no-edge-bias", "recall"]
    bias = told["no-edge-bias"]
    assert bias["annqc.outcome"] == "fail"
    assert bias["annqc.measure"] == "edge_offset"
    assert bias["annqc.annotator"] == "bob"
    assert bias["annqc.quantity"] == "out_right"
    assert 3.5 < float(bias["annqc.estimate_px"]) < 4.5
    assert float(bias["annqc.ci_low"]) < float(bias["annqc.estimate"])
    assert float(bias["annqc.estimate"]) < float(bias["annqc.ci_high"])
    assert int(bias["annqc.n_clusters"]) == 40
    assert int(bias["annqc.n_fail"]) == 1
    assert len(bias["annqc.worst_annotations"].split(",")) == 5
    assert told["recall"]["annqc.outcome"] == "pass"
    assert told["recall"]["annqc.limit"] == "at least 0.95"


def test_every_file_that_was_asked_for_is_written_and_named(project, pytester):
    result = project(
        "biased", "--annqc-report=page", "--annqc-json=out.json", "--annqc-sarif=out.sarif"
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["report: *page*", "JSON: *out.json", "SARIF: *out.sarif"])
    document = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert document["format"] == "annqc-checks"
    assert document["outcome"] == "fail"
    assert document["counts"]["fail"] == document["counts"]["pass"] == 1
    assert [one["line"] for one in document["checks"]] == [6, 10]
    sarif = json.loads((pytester.path / "out.sarif").read_text(encoding="utf-8"))
    assert [one["ruleId"] for one in sarif["runs"][0]["results"]] == ["no-edge-bias"]
    page = (pytester.path / "page/index.html").read_text(encoding="utf-8")
    assert "no-edge-bias" in page
    assert "bob" in page


def test_reports_of_a_run_without_rules_are_empty_and_not_missing(pytester):
    pytester.makepyfile("def test_mine(): pass")
    result = pytester.runpytest_inprocess("--annqc-json=out.json")
    assert result.ret == 0
    document = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert document["checks"] == []


def test_collecting_alone_writes_nothing(project, pytester):
    project("biased", "--annqc-json=out.json", "--collect-only")
    assert not (pytester.path / "out.json").exists()


def test_a_report_that_cannot_be_written_is_a_line_and_changes_nothing(project, pytester):
    (pytester.path / "file").touch()
    result = project("clean", "--annqc-json=missing/out.json", "--annqc-report=file/page")
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "2 checks: 2 passed*",
            "warning: report not written: *file*",
            "warning: JSON not written: there is no such folder to write into; where: *missing*",
        ]
    )
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


def test_a_report_that_breaks_off_is_a_line_and_changes_nothing(project, monkeypatch):
    import annqc.report.checks.document

    def broken(records, **_):
        message = "out of ink"
        raise RuntimeError(message)

    monkeypatch.setattr(annqc.report.checks.document, "make_document", broken)
    result = project("clean", "--annqc-json=out.json")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["warning: annqc's reports broke off: RuntimeError: out of ink"])


def test_on_github_rules_are_annotated_and_summed_up(project, pytester, monkeypatch):
    summary = pytester.path / "summary.md"
    summary.write_text("# before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path))
    result = project("biased")
    result.stdout.fnmatch_lines(["::error file=checks/boxes.annqc.toml,line=6,*bob*"])
    assert result.stdout.str().count("::error") == 1
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("# before\n")
    assert text.count("no-edge-bias") >= 1
    assert "bob" in text


def test_elsewhere_nothing_is_annotated(project):
    assert "::error" not in project("biased").stdout.str()


def test_the_summary_is_sorted_and_cut_to_the_width(project, pytester, monkeypatch, deliveries):
    import shutil

    monkeypatch.setenv("COLUMNS", "90")
    shutil.copytree(deliveries["biased"], pytester.path / "a/data")
    result = project("biased")
    for name in ("z", "b"):
        spec = (pytester.path / "checks/boxes.annqc.toml").read_text(encoding="utf-8")
        (pytester.path / f"a/{name}.annqc.toml").write_text(spec, encoding="utf-8")
    result = project("biased", "-p", "no:randomly")
    lines = [line for line in result.outlines if line.startswith("failed  ")]
    assert [line.split()[1].split("::")[0] for line in lines] == [
        "a/b.annqc.toml",
        "a/z.annqc.toml",
        "checks/boxes.annqc.toml",
    ]
    assert max(map(len, lines)) <= 90
    assert all(line.endswith("…") for line in lines)


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_no_report_replaces_what_was_read(project, pytester, workers):
    spec = SPEC.replace("[annqc]", '[annqc]\nbaseline = "kept.annqc"')
    project("clean", "--annqc-update-baseline", spec=spec)
    files = [one for one in sorted((pytester.path / "checks").rglob("*")) if one.is_file()]
    before = {one: one.read_bytes() for one in files}
    assert len(before) == 6
    for path in [one for one in before if not workers or one.name == "work.json"]:
        result = project(
            "clean",
            f"--annqc-json={path}",
            f"--annqc-sarif={path.parent}/../{path.parent.name}/{path.name}",
            "--annqc-report=page",
            *workers,
            spec=None,
            apart=bool(workers),
        )
        assert result.ret == pytest.ExitCode.TESTS_FAILED
        result.assert_outcomes(passed=2)
        result.stdout.fnmatch_lines(
            [
                f"warning: JSON not written: an output would overwrite an input; *{path.name};*",
                "warning: SARIF not written: an output would overwrite an input; *",
                "report: *page*",
                "warning: the run counts as failed, as this was asked for and not done",
            ]
        )
    assert {one: one.read_bytes() for one in files} == before


def test_nor_what_a_spec_with_faults_names(project, pytester):
    result = project("clean", "--annqc-json=checks/data/work.json", spec=SPEC + "nonsense = 1\n")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["warning: JSON not written: an output would overwrite an input*"])
    assert b"annotations" in (pytester.path / "checks/data/work.json").read_bytes()


def test_a_page_does_not_replace_data_either(project, pytester):
    project("clean", "--collect-only")
    data = pytester.path / "checks/data"
    (data / "work.json").rename(data / "checks.json")
    spec = SPEC.replace("work*.json", "checks.json")
    result = project("clean", "--annqc-report=checks/data", spec=spec)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["warning: report not written: an output would overwrite an *"])
    assert not (data / "index.html").exists()


def test_marks_and_reports_follow_what_the_run_made_of_a_rule(project, pytester, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    strict = project("small", "--annqc-undecided=fail", "--annqc-json=out.json")
    strict.stdout.fnmatch_lines(["::error *no-edge-bias%3A undecided::*"])
    document = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert [one["counted_as"] for one in document["checks"]] == ["failed", "failed"]
    mild = project("small", "--annqc-sarif=out.sarif")
    mild.stdout.fnmatch_lines(["::notice *no-edge-bias%3A undecided::*"])
    mild.stdout.no_fnmatch_line("::error *")
    sarif = json.loads((pytester.path / "out.sarif").read_text(encoding="utf-8"))
    assert {one["level"] for one in sarif["runs"][0]["results"]} == {"note"}


def test_an_expected_failure_is_no_error_in_the_reports(project, pytester, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.xfail(reason="known"))
        """
    )
    result = project("biased", "--annqc-json=out.json")
    result.assert_outcomes(xfailed=1, xpassed=1)
    result.stdout.no_fnmatch_line("::error *")
    document = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert [one["counted_as"] for one in document["checks"]] == ["xfailed", "passed"]
