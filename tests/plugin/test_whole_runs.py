"""No report claims more than was done: specs in error, runs cut short, rules left out."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.plugin.delivery import SPEC

BROKEN = SPEC.replace("version = 1", 'version = 1\nextends = "boxs"')
REPORTS = ("--annqc-report=page", "--annqc-json=out.json", "--annqc-sarif=out.sarif")
STOP = """
def pytest_runtest_setup(item):
    if item.name == "recall":
        raise KeyboardInterrupt
"""
BREAK_DOWN = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    if item.name == "recall":
        raise RuntimeError("out of paper")
"""


@pytest.fixture
def on_github(pytester, monkeypatch):
    """Run as a step of a workflow; return the file of its summary."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "step.md"))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path))
    return pytester.path / "step.md"


def _left(pytester, name: str = "out.json"):
    return json.loads((pytester.path / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_spec_in_error_stands_in_every_output(project, pytester, on_github, workers):
    result = project("clean", *REPORTS, *workers, spec=BROKEN, apart=bool(workers))
    result.assert_outcomes(errors=1)
    fault = "line 3, [[]annqc], extends: there is no profile 'boxs'"
    result.stdout.fnmatch_lines(
        [
            f"in error   checks/boxes.annqc.toml  the spec has 1 fault: {fault[:21]}*…",
            "::error file=checks/boxes.annqc.toml,line=3,title=annqc%3A spec in error::*boxs*",
        ]
    )
    assert result.stdout.str().count("::error") == 1

    document = _left(pytester)
    assert document["outcome"] == "error"
    (error,) = document["errors"]
    assert error["spec"] == str(pytester.path / "checks/boxes.annqc.toml")
    assert (error["file"], error["line"]) == (None, 3)
    first, second = error["message"].splitlines()
    assert first == "the spec has 1 fault"
    assert second.startswith("  line 3, [annqc], extends: there is no profile 'boxs'")

    (run,) = _left(pytester, "out.sarif")["runs"]
    (made,) = run["invocations"]
    assert made["executionSuccessful"] is False
    assert made["exitCode"] == document["run"]["exit_code"] != 0
    note = made["toolExecutionNotifications"][0]
    assert note["level"] == "error"
    assert "there is no profile 'boxs'" in note["message"]["text"]
    place = note["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "checks/boxes.annqc.toml"
    assert place["region"] == {"startLine": 3}

    summary = (pytester.path / "page/summary.md").read_text(encoding="utf-8")
    assert on_github.read_text(encoding="utf-8") == summary
    page = (pytester.path / "page/index.html").read_text(encoding="utf-8")
    for text in (summary, page):
        assert "checks/boxes.annqc.toml" in text
        assert "there is no profile" in text
        assert "No checks were made" not in text


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_one_spec_in_error_does_not_hide_behind_others(project, pytester, workers):
    pytester.makefile(".annqc.toml", broken=BROKEN)
    more = ("--continue-on-collection-errors", "--annqc-json=out.json", *workers)
    result = project("clean", *more, apart=bool(workers))
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["2 checks: 2 passed; *", "in error   broken.annqc.toml  *"])
    document = _left(pytester)
    assert document["outcome"] == "error"
    assert [one["outcome"] for one in document["checks"]] == ["pass", "pass"]
    assert [one["spec"] for one in document["errors"]] == [str(pytester.path / "broken.annqc.toml")]


def test_checks_that_a_spec_in_error_kept_from_running_are_counted(project, pytester, on_github):
    pytester.makefile(".annqc.toml", broken=BROKEN)
    result = project("clean", "--annqc-json=out.json")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["0 of 2 checks ran", "in error   broken.annqc.toml*"])
    assert _left(pytester)["run"] == {
        "n_collected": 2,
        "n_ran": 0,
        "exit_code": 2,
        "trouble": "the run was interrupted",
    }
    assert "0 of 2 checks ran: the run was interrupted" in on_github.read_text(encoding="utf-8")


def test_a_fault_of_our_own_is_told_by_its_last_line(project, pytester, monkeypatch):
    import annqc.testing.checking

    well = annqc.testing.checking.datasets_of
    calls = []

    def broken(*args, **options):
        calls.append(args)
        if len(calls) > 1:
            return well(*args, **options)
        message = "out of ink"
        raise RuntimeError(message)

    monkeypatch.setattr(annqc.testing.checking, "datasets_of", broken)
    project("clean", "--annqc-json=out.json").assert_outcomes(errors=1)
    (error,) = _left(pytester)["errors"]
    assert error["message"] == "RuntimeError: out of ink"


@pytest.mark.parametrize(
    ("args", "conftest", "ran", "code", "trouble"),
    [
        (("-x", "-p", "no:randomly"), "", 1, 1, "stopping after 1 failures"),
        (("-k", "recall"), "", 1, 0, None),
        (("checks/boxes.annqc.toml::recall",), "", 1, 0, None),
        ((), STOP, 1, 2, "the run was interrupted"),
        ((), BREAK_DOWN, 1, 3, "pytest met an internal error"),
    ],
)
def test_what_did_not_run_is_not_claimed(project, pytester, args, conftest, ran, code, trouble):
    pytester.makeconftest(conftest)
    result = project("biased", *REPORTS, *args, apart=bool(conftest))
    assert result.ret == code
    document = _left(pytester)
    expected = {"n_collected": 2, "n_ran": ran, "exit_code": code, "trouble": trouble}
    assert document["run"] == expected
    assert document["outcome"] in {"fail", "undecided"}  # and never pass
    said = "1 of 2 checks ran" + (f": {trouble}" if trouble else "")
    assert said in (pytester.path / "page/index.html").read_text(encoding="utf-8")
    assert said in (pytester.path / "page/summary.md").read_text(encoding="utf-8")
    (run,) = _left(pytester, "out.sarif")["runs"]
    (made,) = run["invocations"]
    assert made["executionSuccessful"] is (trouble is None)
    assert made["toolExecutionNotifications"][-1]["message"]["text"] == f"{said}."


def test_workers_count_what_was_deselected_too(project, pytester):
    args = ("-n", "2", "-k", "recall", "--annqc-json=out.json")
    result = project("clean", *args, apart=True)
    result.stdout.fnmatch_lines(["1 of 2 checks ran: 1 passed; *"])
    assert _left(pytester)["run"]["n_collected"] == 2
    assert _left(pytester)["outcome"] == "undecided"


def test_a_job_without_any_of_our_checks_gets_no_summary(project, pytester, on_github):
    pytester.makepyfile("def test_mine(): pass")
    project("clean", "-k", "mine").assert_outcomes(passed=1, deselected=2)
    assert not on_github.exists()


def test_last_failed_and_stepwise_run_what_failed_and_nothing_else(project, pytester):
    named = SPEC.replace("data/", "").replace("version = 1", 'version = 1\nfolders = "data/*"')
    project("clean", "--collect-only", spec=None)
    data = pytester.path / "checks/data"
    for name in ("north", "south"):
        (data / name).mkdir()
        for side in ("gold.json", "work.json"):
            shutil.copy(data / side, data / name)
    work = json.loads((data / "south/work.json").read_text(encoding="utf-8"))
    work["annotations"] = work["annotations"][::2]  # every other object is missed
    (data / "south/work.json").write_text(json.dumps(work), encoding="utf-8")
    for side in ("gold.json", "work.json"):
        (data / side).unlink()

    first = project("clean", "-p", "no:randomly", spec=named)
    first.assert_outcomes(passed=3, failed=1)
    failed = "FAILED checks/boxes.annqc.toml::south::recall*"
    first.stdout.fnmatch_lines([failed])
    for option in ("--lf", "--sw"):
        again = project("clean", option, "--annqc-cache=off", "-p", "no:randomly", spec=named)
        again.stdout.fnmatch_lines(
            ["1 of 4 checks ran: 1 failed; 1 dataset audited, *", failed]
            if option == "--lf"
            else ["4 checks: 3 passed, 1 failed; 2 datasets audited, *", failed]
        )
    again = project("clean", "--sw", "--annqc-cache=off", "-p", "no:randomly", spec=named)
    again.stdout.fnmatch_lines(["1 of 4 checks ran: 1 failed; 1 dataset audited, *", failed])


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_specs_outside_the_root_keep_their_names(project, pytester, workers):
    project("biased", "--collect-only")
    odd = pytester.path / "räum lich"
    shutil.move(pytester.path / "checks", odd)
    (odd / "a b.annqc.toml").symlink_to(odd / "boxes.annqc.toml")
    home = pytester.mkdir("home")
    (home / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    given = (str(odd / "boxes.annqc.toml"), str(odd / "a b.annqc.toml"))
    args = (f"--rootdir={home}", "-c", str(home / "pytest.ini"), *workers)
    result = project("biased", *args, *given, "--annqc-json=out.json", spec=None, apart=True)
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "failed     ../räum lich/a b.annqc.toml::no-edge-bias  bob draws*",
            "failed     ../räum lich/boxes.annqc.toml::no-edge-bias  bob draws*",
        ]
    )
    document = _left(pytester)
    assert document["run"]["n_ran"] == 4
    assert [one["spec"] for one in document["checks"]] == [str(odd / "a b.annqc.toml")] * 2 + [
        str(odd / "boxes.annqc.toml")
    ] * 2


def test_a_spec_in_error_outside_the_root_is_found(project, pytester):
    pytester.makefile(".annqc.toml", broken=BROKEN)
    home = pytester.mkdir("home")
    (home / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    spec = str(pytester.path / "broken.annqc.toml")
    args = (f"--rootdir={home}", "-c", str(home / "pytest.ini"), "--annqc-json=out.json")
    project("clean", *args, spec, apart=True).assert_outcomes(errors=1)
    assert [one["spec"] for one in _left(pytester)["errors"]] == [spec]


def test_a_spec_given_twice_is_run_once(project):
    result = project("clean", "checks/boxes.annqc.toml", "checks/boxes.annqc.toml")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["2 checks: 2 passed; 1 dataset audited, *"])


def test_a_cache_folder_that_cannot_be_made_is_a_line(project, pytester):
    project("clean", "--collect-only")
    shutil.rmtree(pytester.path / ".pytest_cache", ignore_errors=True)
    (pytester.path / ".pytest_cache").mkdir()
    (pytester.path / ".pytest_cache/d").touch()
    result = project("clean")
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["2 checks: 2 passed; 1 *", "warning: cache not written: *"])


def test_undecided_rules_are_listed_up_to_five(project, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    rules = [f'\n[[rule]]\nid = "r{k}"\nmeasure = "recall"\nat_least = 0.9{k}\n' for k in range(7)]
    spec = SPEC[: SPEC.index("[[rule]]")] + "".join(rules)
    result = project("small", spec=spec)
    result.assert_outcomes(skipped=7)
    lines = [line for line in result.outlines if line.startswith("undecided  ")]
    assert [line.split()[1].partition("::")[2] for line in lines[:-1]] == [
        "r0",
        "r1",
        "r2",
        "r3",
        "r4",
    ]
    assert lines[-1] == "undecided  and 2 more; -rs shows them"
    assert max(map(len, lines)) <= 80
    assert all(line.endswith("…") for line in lines[:-1])
