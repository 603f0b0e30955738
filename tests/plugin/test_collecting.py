"""From spec files to tests: their ids, and faults of a spec."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import annqc
from tests.plugin.delivery import SPEC

RULES = SPEC[SPEC.index("[[rule]]") :]
PROFILE = f"[annqc]\nversion = 1\n\n{RULES}"
EXAMPLE = """
[[example]]
name = "loose-right"
annotators = { ann = [], bob = ["loose right 6 px"] }
expect = { no-edge-bias = "fail" }

[[example]]
name = "all-clean"
annotators = { ann = [], bob = [] }
expect = { no-edge-bias = "fail" }
"""


def _ids(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line]


def test_one_rule_can_be_chosen(project):
    result = project("biased", "checks/boxes.annqc.toml::recall")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 of 2 checks ran: 1 passed; 1 dataset audited, 0 checks*"])


@pytest.mark.parametrize(
    ("args", "ids"),
    [
        (["-m", "annqc"], ["no-edge-bias", "recall"]),
        (["-m", "not annqc"], []),
        (["-k", "recall"], ["recall"]),
    ],
)
def test_rules_are_chosen_like_any_test(project, args, ids):
    result = project("biased", "--collect-only", "-q", "--strict-markers", *args)
    assert _ids(result) == [f"checks/boxes.annqc.toml::{id}" for id in ids]


def test_collecting_opens_no_data_and_loads_no_kernel(project, pytester):
    pytester.makeconftest(
        """
        import sys

        def pytest_collection_finish(session):
            heavy = [name for name in ("pandas", "scipy", "numba") if name in sys.modules]
            print("ITEMS", len(session.items), "HEAVY", heavy)
        """
    )
    spec = SPEC.replace("gold.json", "there-is-no-such-file.json")
    result = project(
        "clean", "--collect-only", "-q", "-p", "no:hypothesispytest", spec=spec, apart=True
    )
    assert result.ret == 0
    assert "ITEMS 2 HEAVY []" in result.stdout.str()


def test_a_broken_spec_is_one_error_that_lists_its_faults_and_hides_nothing(project, pytester):
    broken = SPEC.replace("at_least = 0.95", "at_leest = 0.95").replace(
        "version = 1", "version = 9"
    )
    pytester.makefile(".annqc.toml", broken=broken)
    result = project("clean", "--continue-on-collection-errors")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR collecting broken.annqc.toml*",
            "*broken.annqc.toml: the spec has 3 faults",
            "  line 2, [[]annqc], version: this version is not known; expected 1; found 9",
            "  line 10, rule 'recall': recall needs a limit, at_least, at_most or no_worse_than; *",
            "  line 13, rule 'recall': there is no field 'at_leest'; did you mean 'at_least'*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    assert project("clean").ret == pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize("field", ["gold", "candidate"])
def test_half_a_pair_of_files_is_an_error(project, field):
    lines = [line for line in SPEC.splitlines() if not line.startswith(field)]
    result = project("clean", spec="\n".join(lines))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{field}*"])


def test_every_dataset_of_a_spec_is_a_collector(project, pytester, deliveries):
    shutil.copytree(deliveries["biased"], pytester.path / "checks/south")
    shutil.copytree(deliveries["clean"], pytester.path / "checks/north")
    given = "".join(
        f'\n[[dataset]]\nname = "{name}"\ngold = "{name}/gold.json"\n'
        f'candidate = "{name}/work.json"\n'
        for name in ("north", "south")
    )
    result = project("clean", "-v", spec=PROFILE + given)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "checks/boxes.annqc.toml::north::no-edge-bias PASSED*",
            "checks/boxes.annqc.toml::north::recall PASSED*",
            "checks/boxes.annqc.toml::south::no-edge-bias FAILED*",
            "checks/boxes.annqc.toml::south::recall PASSED*",
            "*boxes: south: no-edge-bias*",
            "  pytest checks/boxes.annqc.toml::south::no-edge-bias",
            "4 checks: 3 passed, 1 failed; 2 datasets audited*",
        ]
    )
    one = project("clean", "checks/boxes.annqc.toml::north::recall", spec=None)
    one.assert_outcomes(passed=1)


def test_every_folder_is_a_dataset(project, pytester, deliveries):
    for name in ("North", "south"):
        shutil.copytree(deliveries["clean"], pytester.path / "checks" / name)
    header = 'version = 1\nfolders = "[Ns]*th"\ngold = "gold.json"\ncandidate = "work.json"'
    spec = PROFILE.replace("version = 1", header)
    result = project("clean", "--collect-only", "-q", spec=spec)
    assert _ids(result) == [
        f"checks/boxes.annqc.toml::{name}::{rule}"
        for name in ("north", "south")
        for rule in ("no-edge-bias", "recall")
    ]
    missing = project("clean", spec=spec.replace("[Ns]*th", "west*"))
    missing.assert_outcomes(errors=1)
    missing.stdout.fnmatch_lines(["no folder matches*"])


def test_a_profile_without_examples_is_no_test(pytester):
    pytester.makefile(".annqc.toml", boxes=PROFILE)
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_examples_of_a_profile_are_tests(pytester):
    pytester.makefile(".annqc.toml", boxes=PROFILE + EXAMPLE)
    result = pytester.runpytest_inprocess("-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "boxes.annqc.toml::example::loose-right PASSED*",
            "boxes.annqc.toml::example::all-clean FAILED*",
            "*boxes: example all-clean*",
            "*no-edge-bias: expected fail, found pass*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_example_that_cannot_be_simulated_says_why(pytester):
    spec = PROFILE + EXAMPLE.replace("loose right 6 px", "loose rihgt 6 px")
    pytester.makefile(".annqc.toml", boxes=spec)
    result = pytester.runpytest_inprocess("-k", "loose-right")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*loose-right*", "*rihgt*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_the_examples_of_shipped_profiles_come_out_as_they_say(pytester):
    shipped = Path(annqc.__file__).parents[1] / "specs"
    result = pytester.runpytest_inprocess(str(shipped), "--rootdir=.", "-p", "no:cacheprovider")
    assert set(result.parseoutcomes()) == {"passed"}
    assert result.parseoutcomes()["passed"] >= len(list(shipped.glob("*.annqc.toml")))


def test_data_may_lie_elsewhere(project, pytester, deliveries):
    spec = SPEC.replace("data/", "")
    root = deliveries["biased"]
    result = project("clean", f"--annqc-data-root={root}", spec=spec)
    result.assert_outcomes(passed=1, failed=1)
    pytester.makeini(f"[pytest]\nannqc_data_root = {root}\n")
    project("clean", spec=spec).assert_outcomes(passed=1, failed=1)
    option = project("clean", "--annqc-data-root=checks/data", spec=spec)
    option.assert_outcomes(passed=2)
