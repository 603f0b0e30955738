"""``annqc demo``: every planted habit is found, and nobody is accused of what was not planted."""

from __future__ import annotations

import msgspec
import pytest

import annqc
from annqc.cli._planted import MARKER, found_rows, run_demo
from annqc.report.schema import AuditDocument


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_is_found_and_clean_is_spared(tmp_path, seed):
    made, audit = run_demo(tmp_path, seed=seed, step=lambda _: None)
    rows = found_rows(made, audit)
    assert [row for row in rows if not row.as_planted] == []
    planted = {row.annotator for row in rows if row.planted != "nothing"}
    assert planted == {one.annotator for one in made.planted}
    assert {row.annotator for row in rows} == set(made.work.annotator_ids)
    assert len(rows) - len(planted) == 3


def test_the_demo_prints_planted_beside_found_and_writes_its_files(run, tmp_path):
    done = run("demo", "--out", tmp_path / "d")
    assert done.exit_code == 0, done.output
    assert "ben draws the right edge" in done.stdout
    assert "finn draws the top edge" in done.stdout
    assert "9 of 9 planted habits found, 0 of 3 clean annotators accused." in done.stdout
    after = done.stdout[done.stdout.index("Planted beside found") :]
    assert after.count("planted  ") == after.count("found    ") == 12
    names = {"gold.json", "work.json", "audit.json", "tables", "report", "run.annqc", MARKER}
    assert {path.name for path in (tmp_path / "d").iterdir()} == names
    assert (tmp_path / "d" / "report" / "index.html").is_file()
    assert str(tmp_path / "d" / "report" / "index.html") in done.stdout
    msgspec.json.decode((tmp_path / "d" / "audit.json").read_bytes(), type=AuditDocument)
    assert len(annqc.load(tmp_path / "d" / "run.annqc").work.annotator_ids) == 12


def test_a_seed_below_zero_is_a_wrong_call(run, tmp_path):
    done = run("demo", "--seed", "-1", "--out", tmp_path / "d")
    assert done.exit_code == 2
    assert "--seed" in done.stderr
    assert not (tmp_path / "d").exists()


def test_the_demo_says_the_same_twice(run, tmp_path):
    first = run("demo", "--out", tmp_path / "d").stdout
    assert run("demo", "--out", tmp_path / "d").stdout == first


@pytest.mark.parametrize("name", ["gold.json", "work.json", "notes.txt"])
def test_the_demo_leaves_a_folder_alone_that_holds_somebodys_files(run, tmp_path, name):
    (tmp_path / name).write_text("mine", encoding="utf-8")
    done = run("demo", "--out", tmp_path)
    assert done.exit_code == 2
    assert "did not make" in done.stderr
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {
        name: "mine"
    }


def test_the_demo_into_a_file_is_one_message(run, tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    done = run("demo", "--out", tmp_path / "file")
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr


def test_a_habit_that_is_not_found_is_a_failure(run, tmp_path, monkeypatch):
    from annqc.cli import _planted

    honest = _planted.found_rows

    def blind(made, audit):
        lenient = audit.with_parameters(tolerance="500 px")
        rows = honest(made, lenient)
        assert not any(row.as_planted for row in rows if row.annotator in {"ben", "chloe", "finn"})
        return rows

    monkeypatch.setattr(_planted, "found_rows", blind)
    done = run("demo", "--out", tmp_path / "d", "--quiet")
    assert done.exit_code == 1
    assert "4 of 9 planted habits found" in done.stdout
