"""The plugin as its users meet it: files in an empty folder, and pytest run over them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import annqc
import annqc.api  # what in-process runs use is loaded here: they unload what they load
from annqc.simulate import Habit, simulate
from annqc.write import write_coco

SPEC = """\
[annqc]
version = 1
gold = "data/gold.json"
candidate = "data/work*.json"

[[rule]]
id = "no-edge-bias"
measure = "edge_offset"

[[rule]]
id = "recall"
measure = "recall"
at_least = 0.95
"""

HEAVY = ("numpy", "pandas", "scipy", "numba", "annqc", "msgspec")


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders with gold.json and work.json: a clean delivery, a biased one, and a small one."""
    made = {
        "clean": simulate(["ann", "bob"], n_images=40, rng=1),
        "biased": simulate({"ann": [], "bob": Habit.loose("right", px=4)}, n_images=40, rng=1),
        "small": simulate(["ann"], n_images=4, rng=1),
    }
    folders = {}
    for name, simulation in made.items():
        folders[name] = tmp_path_factory.mktemp(name)
        write_coco(simulation.gold, folders[name] / "gold.json")
        write_coco(simulation.work, folders[name] / "work.json")
        gold = json.loads((folders[name] / "gold.json").read_text(encoding="utf-8"))
        gold["categories"].append({"id": 99, "name": "bus"})  # a category without objects
        (folders[name] / "gold.json").write_text(json.dumps(gold), encoding="utf-8")
    return folders


@pytest.fixture
def project(pytester: pytest.Pytester, deliveries: dict[str, Path]):
    """Run pytest in a project whose spec, in a folder of its own, judges one of the deliveries."""

    def run(delivery: str, *args: str, spec: str = SPEC, apart: bool = False) -> pytest.RunResult:
        folder = pytester.mkdir("checks")
        (folder / "data").symlink_to(deliveries[delivery], target_is_directory=True)
        (folder / "boxes.annqc.toml").write_text(spec, encoding="utf-8")
        pytest_run = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return pytest_run("-W", "error", *args)

    return run


def test_a_clean_delivery_passes(project):
    result = project("clean", "-v", apart=True)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "checks/boxes.annqc.toml::no-edge-bias PASSED*",
            "checks/boxes.annqc.toml::recall PASSED*",
        ]
    )
    assert result.ret == 0


def test_a_planted_bias_fails_with_annotator_edge_and_size(project):
    result = project("biased", apart=True)
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*boxes: no-edge-bias*",
            "bob draws the right edge [34].* px too far out (* to * px, 40 images); asked: within*",
            "  fail       bob draws the right edge * px too far out*",
            "FAILED checks/boxes.annqc.toml::no-edge-bias*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*_collect.py*")


def test_one_rule_can_be_chosen(project):
    result = project("biased", "checks/boxes.annqc.toml::recall")
    result.assert_outcomes(passed=1)
    assert result.ret == 0


def test_rules_carry_the_marker(project):
    result = project("biased", "-m", "not annqc", "--strict-markers")
    result.assert_outcomes(deselected=2)


def test_what_is_undecided_is_skipped_with_the_reason(project):
    result = project("small", "-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(
        [
            "SKIPPED * no-edge-bias: undecided: 4 of 4 undecided: ann draws the * too few*",
            "SKIPPED * recall: undecided: 1 of 1 undecided: ann: recall *",
        ]
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


def test_a_broken_spec_is_one_error_that_lists_its_faults(project):
    spec = SPEC.replace("at_least = 0.95", "at_leest = 0.95").replace("version = 1", "version = 9")
    result = project("clean", spec=spec)
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "*ERROR collecting checks/boxes.annqc.toml*",
            "*boxes.annqc.toml: the spec has 3 faults",
            "  line 2, [[]annqc], version: this version is not known; expected 1; found 9",
            "  line 10, rule 'recall': recall needs a limit, at_least or at_most; found neither",
            "  line 13, rule 'recall': there is no field 'at_leest'; did you mean 'at_least'*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize("field", ["gold", "candidate"])
def test_half_a_pair_of_files_is_an_error(project, field):
    lines = [line for line in SPEC.splitlines() if not line.startswith(field)]
    result = project("clean", spec="\n".join(lines))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*but no {field}; a test needs both, a profile neither"])


def test_data_that_cannot_be_read_are_an_error_of_every_rule(project):
    result = project("clean", spec=SPEC.replace("gold.json", "golden.json"))
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*ERROR at setup of*no-edge-bias*", "*golden.json*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_rule_that_cannot_be_applied_is_an_error(project):
    spec = SPEC.replace('"edge_offset"', '"edge_offset"\nby = "vendor"')
    result = project("clean", spec=spec)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["there is no column to group by 'vendor'"])


def test_the_data_are_audited_once_a_spec(project, pytester):
    pytester.makeconftest(
        """
        import annqc.api

        done = annqc.api.audit

        def counting(*args, **kwargs):
            print("AUDITED")
            return done(*args, **kwargs)

        annqc.api.audit = counting
        """
    )
    result = project("clean", "-s", apart=True)
    result.assert_outcomes(passed=2)
    assert result.stdout.str().count("AUDITED") == 1


def test_profiles_are_no_tests(pytester):
    shipped = Path(annqc.__file__).parents[1] / "specs"
    result = pytester.runpytest_subprocess(str(shipped), "-p", "no:cacheprovider", "--rootdir=.")
    result.assert_outcomes()
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_workers_agree_with_a_single_process(project):
    result = project("biased", "-n", "2", "--dist", "load", apart=True)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["bob draws the right edge * px too far out*"])


def test_blocked_it_collects_nothing(project):
    result = project("biased", "-p", "no:pytest_annqc", apart=True)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_idle_it_loads_nothing(pytester):
    pytester.makefile(".toml", other="[annqc]\nversion = 9\n")
    pytester.makepyfile(
        f"""
        import sys

        def test_nothing_heavy(pytestconfig):
            assert pytestconfig.pluginmanager.hasplugin("pytest_annqc")
            assert [name for name in {HEAVY!r} if name in sys.modules] == []
            assert "pytest_annqc._collect" not in sys.modules
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-W", "error")
    result.assert_outcomes(passed=1)


def test_collecting_a_spec_opens_no_data_and_loads_no_kernel(project, pytester):
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


def test_importing_it_takes_pytest_and_the_standard_library_alone():
    code = (
        "import sys, pytest; before = set(sys.modules); import pytest_annqc; "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    extra = set(done.stdout.split()) - set(sys.stdlib_module_names)
    assert extra == {"pytest_annqc"}


def test_an_old_pytest_is_told_so_by_the_spec_alone(pytester):
    pytester.makepyfile(pretend_old="import pytest; pytest.version_tuple = (8, 3, 5)")
    pytester.makepyfile("def test_mine(): pass")
    args = ("-p", "pretend_old", "--continue-on-collection-errors", "-W", "error")
    pytester.syspathinsert()
    pytester.makefile(".annqc.toml", boxes=SPEC)
    result = pytester.runpytest_subprocess(*args)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*annqc needs pytest 8.4 or newer; this is*"])
