"""Baselines: written when asked for, by one process, and only then."""

from __future__ import annotations

import json
import shutil

import pytest

import annqc
from tests.plugin.delivery import SPEC

RATCHET = (
    SPEC.replace("[annqc]", '[annqc]\nbaseline = "kept/run.annqc"')
    + """
[[rule]]
id = "not-worse"
measure = "edge_offset"
no_worse_than = "baseline"
"""
)


def test_a_missing_baseline_is_an_error_of_the_rules_that_need_it(project):
    result = project("clean", spec=RATCHET)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at setup of*not-worse*", "*baseline*"])
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_baseline_is_written_and_then_compared_with(project, pytester, deliveries, workers):
    folder = pytester.path / "checks/kept/run.annqc"
    first = project(
        "clean", "--annqc-update-baseline", "-rs", *workers, spec=RATCHET, apart=bool(workers)
    )
    first.assert_outcomes(passed=2, skipped=1)
    first.stdout.fnmatch_lines(
        ["baseline: *checks/kept/run.annqc", "SKIPPED * not-worse: the baseline is being written"]
    )
    assert sorted(annqc.load(folder).work.annotator_ids) == ["ann", "bob"]
    second = project("clean", spec=RATCHET)
    second.assert_outcomes(passed=3)
    for name in ("gold.json", "work.json"):
        shutil.copy(deliveries["biased"] / name, pytester.path / "checks/data" / name)
    worse = project("clean", spec=RATCHET)
    worse.assert_outcomes(passed=1, failed=2)
    worse.stdout.fnmatch_lines(["failed * checks/boxes.annqc.toml::not-worse  bob*"])


def test_without_the_option_nothing_is_written(project, pytester):
    before = None
    for _ in range(2):
        project("clean", spec=RATCHET)
        files = {
            str(path): path.stat().st_mtime_ns
            for path in (pytester.path / "checks").rglob("*")
            if path.is_file() and path.name != "boxes.annqc.toml"
        }
        assert before in (None, files)
        before = files


def test_another_baseline_judges_the_rules_that_need_it_again(project, pytester, deliveries):
    project("clean", "--annqc-update-baseline", spec=RATCHET)
    project("clean", spec=RATCHET).stdout.fnmatch_lines(["*2 checks from the cache"])
    project("clean", spec=RATCHET).stdout.fnmatch_lines(["*3 checks from the cache"])
    other = annqc.audit(deliveries["small"] / "work.json", deliveries["small"] / "gold.json")
    other.save(pytester.path / "checks/kept/run.annqc")
    project("clean", spec=RATCHET).stdout.fnmatch_lines(["*2 checks from the cache"])


def test_a_baseline_that_cannot_be_written_is_a_line(project, pytester):
    project("clean", "--collect-only", spec=RATCHET)
    (pytester.path / "checks/kept").touch()
    result = project("clean", "--annqc-update-baseline", spec=RATCHET)
    result.assert_outcomes(passed=2, skipped=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "warning: baseline not written: this cannot be written; where: *kept; found: *exists",
            "warning: the run counts as failed, as this was asked for and not done",
        ]
    )


def test_a_folder_of_somebody_else_is_no_baseline_to_replace(project, pytester):
    project("clean", "--collect-only", spec=RATCHET)
    kept = pytester.path / "checks/kept/run.annqc"
    kept.mkdir(parents=True)
    (kept / "thesis.txt").write_text("three years", encoding="utf-8")
    result = project("clean", "--annqc-update-baseline", "--annqc-json=out.json", spec=RATCHET)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["JSON: *out.json", "warning: baseline not written: *run.annqc*"])
    assert [one.name for one in kept.iterdir()] == ["thesis.txt"]
    told = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert told["run"]["exit_code"] == 1


def test_what_was_not_foreseen_is_no_baseline_and_no_success(project, monkeypatch):
    from annqc.api import Audit

    def broken(*_):
        message = "out of ink"
        raise RuntimeError(message)

    monkeypatch.setattr(Audit, "save", broken)
    result = project("clean", "--annqc-update-baseline", spec=RATCHET)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["warning: baseline not written: RuntimeError: out of ink"])
