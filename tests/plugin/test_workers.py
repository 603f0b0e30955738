"""Several workers say what one process says."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

from tests.plugin.delivery import SPEC

CRASH = """
import os

def pytest_runtest_setup(item):
    if item.name == "no-edge-bias":
        os._exit(1)
"""


def test_workers_agree_with_a_single_process(project, pytester, monkeypatch):
    summary = pytester.path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    files = ("--annqc-json=out.json", "--junitxml=out.xml")

    def told() -> tuple[Any, ...]:
        """Return what a run leaves behind, without the times."""
        checks = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))["checks"]
        numbers = {
            case.get("name"): [(one.get("name"), one.get("value")) for one in case.iter("property")]
            for case in ET.parse(pytester.path / "out.xml").getroot().iter("testcase")
        }
        text = summary.read_text(encoding="utf-8")
        summary.unlink()
        return checks, numbers, text

    alone = project("biased", *files, "--annqc-cache=off")
    by_one = told()
    several = ("-n", "2", "--dist=load", "--annqc-cache=fresh")
    shared = project("biased", *files, *several, apart=True)
    assert told() == by_one
    assert [one["id"] for one in by_one[0]] == ["no-edge-bias", "recall"]
    for result in (alone, shared):
        result.assert_outcomes(passed=1, failed=1)
        result.stdout.fnmatch_lines(
            [
                "bob draws the right edge * px too far out*",
                "2 checks: 1 passed, 1 failed; 1 dataset audited, 0 checks from the cache",
                "::error *",
            ]
        )
        assert result.stdout.str().count("dataset audited") == 1
        assert result.stdout.str().count("::error") == 1


def test_a_worker_that_crashes_costs_its_own_test_alone(project, pytester):
    pytester.makeconftest(CRASH)
    result = project("biased", "-n", "2", "--dist=load", "--annqc-json=out.json", apart=True)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["1 of 2 checks ran: 1 passed; *"])
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    document = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert [one["id"] for one in document["checks"]] == ["recall"]


def test_a_broken_spec_is_told_once(pytester):
    pytester.makefile(".annqc.toml", broken=SPEC.replace("recall", "recal"))
    result = pytester.runpytest_subprocess("-n", "2")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*did you mean 'recall'*"])
