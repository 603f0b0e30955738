"""One audit a dataset, kept for the next run, and made again when anything has changed."""

from __future__ import annotations

import json

import pytest

import annqc
from annqc.testing import checking
from tests.plugin.delivery import SPEC

HEADER = SPEC[: SPEC.index("[[rule]]")]
MANY = HEADER + "".join(
    f'\n[[rule]]\nid = "recall-{k}"\nmeasure = "recall"\nat_least = {0.5 + k / 1000}\n'
    for k in range(300)
)
COLD = "2 checks: 2 passed; 1 dataset audited, 0 checks from the cache"
WARM = "2 checks: 2 passed; 0 datasets audited, 2 checks from the cache"
ONE_NEW = "2 checks: 2 passed; 1 dataset audited, 1 check from the cache"


@pytest.fixture
def kept(project, pytester):
    """Run once; return what runs again and what the summary must say then."""
    project("clean").stdout.fnmatch_lines([COLD])

    def again(expected: str, *args: str, spec: str = SPEC) -> None:
        result = project("clean", *args, spec=spec)
        result.stdout.fnmatch_lines([expected])

    return again


def test_a_second_run_computes_nothing(kept):
    kept(WARM)


def test_300_rules_are_one_audit_whatever_the_number_of_workers(project):
    first = project("clean", "-n", "2", "--dist=load", spec=MANY, apart=True)
    first.assert_outcomes(passed=300)
    first.stdout.fnmatch_lines(["300 checks: 300 passed; 1 dataset audited, 0 checks from the*"])
    second = project("clean", spec=MANY)
    second.assert_outcomes(passed=300)
    second.stdout.fnmatch_lines(["300 checks: 300 passed; 0 datasets audited, 300 checks from*"])


def test_a_warm_run_reads_and_matches_nothing(project, pytester):
    project("clean")
    pytester.makeconftest(
        """
        import sys

        def pytest_unconfigure():
            slow = ("pandas", "scipy", "numba", "annqc.api", "annqc.run", "annqc.infer.cht")
            print("LOADED", [name for name in slow if name in sys.modules])
        """
    )
    result = project("clean", "-s", "-p", "no:hypothesispytest", apart=True)
    result.stdout.fnmatch_lines([WARM])
    assert "LOADED []" in result.stdout.str()


def test_a_failure_from_the_cache_reads_as_the_first_one(project):
    def told(result: pytest.RunResult) -> list[str]:
        lines = result.outlines
        start = next(k for k, line in enumerate(lines) if "boxes: no-edge-bias" in line)
        end = next(k for k, line in enumerate(lines) if "= annqc =" in line)
        return lines[start:end]

    first, second = project("biased"), project("biased")
    second.stdout.fnmatch_lines(["*0 datasets audited, 2 checks from the cache"])
    assert told(first) == told(second)
    assert len(told(first)) > 5


def test_changed_data_are_audited_again(kept, pytester):
    work = pytester.path / "checks/data/work.json"
    work.write_text(work.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    kept(COLD)
    kept(WARM)


def test_the_time_of_a_file_does_not_matter(kept, pytester):
    import os

    os.utime(pytester.path / "checks/data/work.json", (1, 1))
    kept(WARM)


def test_an_added_and_a_removed_file_count(kept, pytester):
    data = pytester.path / "checks/data"
    added = json.loads((data / "work.json").read_text(encoding="utf-8"))
    (data / "work2.json").write_text(json.dumps(added), encoding="utf-8")
    kept("2 checks: *; 1 dataset audited, 0 checks from the cache")
    (data / "work2.json").unlink()
    kept(WARM)  # it is as before, and that was kept


def test_a_changed_rule_alone_is_checked_again(kept):
    kept(ONE_NEW, spec=SPEC.replace("0.95", "0.94"))


def test_a_rule_that_moved_is_kept_and_told_at_its_new_line(project, pytester):
    project("small")
    result = project("small", "-rs", "--annqc-json=out.json", spec="# a comment\n" + SPEC)
    document = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert [one["line"] for one in document["checks"]] == [7, 11]
    result.stdout.fnmatch_lines(
        ["*2 checks from the cache", "SKIPPED * checks/boxes.annqc.toml:7: no-edge-bias*"]
    )


def test_other_rules_of_matching_count(kept):
    kept(COLD, spec=SPEC + "\n[match]\niou = 0.6\n")


def test_another_annqc_makes_everything_again(kept, monkeypatch):
    monkeypatch.setattr(annqc, "__version__", "99.0")
    checking._this_annqc.cache_clear()
    try:
        kept(COLD)
    finally:
        checking._this_annqc.cache_clear()


def test_damaged_and_foreign_files_are_made_again(kept, pytester):
    files = sorted((pytester.path / ".pytest_cache/d/annqc").glob("*/*.json"))
    assert len(files) == 2
    whole = files[0].read_bytes()
    for damaged in (b"", whole[:-20], b'{"mine": 1}', b"[]", b"\xff\xfe"):
        files[0].write_bytes(damaged)
        kept(ONE_NEW)
        files[0].write_bytes(damaged)
    files[0].write_bytes(files[1].read_bytes())  # the record of another rule
    kept(ONE_NEW)
    kept(WARM)


def test_errors_are_not_kept(project, pytester):
    spec = SPEC.replace('"edge_offset"', '"edge_offset"\nby = "vendor"')
    for _ in range(2):
        result = project("clean", spec=spec)
        result.stdout.fnmatch_lines(["*there is no column to group by 'vendor'*"])
        result.stdout.fnmatch_lines(["2 checks: 1 passed, 1 in error; 1 dataset audited*"])


def test_the_cache_may_lie_elsewhere_or_be_off(kept, pytester):
    kept(COLD, "--annqc-cache=mine")
    kept(WARM, "--annqc-cache=mine")
    assert list((pytester.path / "mine").glob("*/*.json"))
    kept(COLD, "--annqc-cache=off")
    pytester.makeini("[pytest]\nannqc_cache = off\n")
    kept(COLD)
    kept(WARM, "--annqc-cache=mine")
    pytester.makeini("[pytest]\nannqc_cache = mine\n")
    kept(WARM)


def test_without_pytests_cache_there_is_none(project):
    for _ in range(2):
        result = project("clean", "-p", "no:cacheprovider")
        result.assert_outcomes(passed=2)
        result.stdout.fnmatch_lines([COLD])


def test_a_cache_that_cannot_be_written_costs_time_alone(project, pytester):
    (pytester.path / "full").write_text("a file where a folder should be", encoding="utf-8")
    result = project("clean", "--annqc-cache=full")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([COLD, "warning: cache not written: *full*"])
    assert result.ret == 0


def test_old_entries_go_at_the_end_of_a_run(kept, pytester):
    import os

    folder = pytester.path / ".pytest_cache/d/annqc/forgotten"
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "old.json").touch()
    os.utime(folder / "old.json", (1, 1))
    kept(WARM)
    assert not folder.exists()


def test_a_cache_of_pytest_that_cannot_be_written_costs_time_alone(project, pytester):
    (pytester.path / ".pytest_cache").write_text("a file where a folder should be")
    result = project("clean", "-W", "ignore::pytest.PytestCacheWarning", "-p", "cacheprovider")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([COLD, "warning: cache not written: *.pytest_cache*"])
    assert result.ret == 0
