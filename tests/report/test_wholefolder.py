"""A folder is there whole, the new one or the old one, whatever happens; outputs stay apart."""

from __future__ import annotations

from pathlib import Path

import pytest

import annqc
from annqc.report.files import LONGEST_NAME, refuse_missing_folder, refuse_same_targets
from annqc.report.wholefolder import swap_in

OLD, NEW = {"a.txt": b"old"}, {"a.txt": b"new", "in/b.txt": b"more"}


def held(folder):
    return {
        one.relative_to(folder).as_posix(): one.read_bytes()
        for one in folder.rglob("*")
        if one.is_file()
    }


def test_the_new_takes_the_place_of_the_old(tmp_path):
    swap_in(OLD, tmp_path / "f")
    swap_in(NEW, tmp_path / "f")
    assert held(tmp_path / "f") == NEW
    assert [one.name for one in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError, OSError(28, "full")])
@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("at", ["mkdir", "write_bytes", "rename 1", "rename 2"])
def test_whatever_stops_it_leaves_what_was_there(tmp_path, monkeypatch, error, there, at):
    if there:
        swap_in(OLD, tmp_path / "f")
    name, _, number = at.partition(" ")
    work, calls = getattr(Path, name), []

    def stopped(self, *args, **more):
        calls.append(self)
        if len(calls) == int(number or 1):
            raise error
        return work(self, *args, **more)

    monkeypatch.setattr(Path, name, stopped)
    kind = annqc.AnnqcError if isinstance(error, OSError) else error
    if at == "rename 2" and not there:
        swap_in(NEW, tmp_path / "f")  # there is nothing to move aside
    else:
        with pytest.raises(kind):
            swap_in(NEW, tmp_path / "f")
    monkeypatch.undo()
    if at == "rename 2" and not there:
        assert held(tmp_path / "f") == NEW
    else:
        assert [one.name for one in tmp_path.iterdir()] == ["f"] * there
        assert not there or held(tmp_path / "f") == OLD


@pytest.mark.parametrize("how", ["to_html", "save", "to_scorecard"])
def test_every_folder_of_an_audit_survives_an_interrupt(tmp_path, monkeypatch, how):
    made = annqc.simulate(["ann"], n_images=6, rng=1)
    audit = annqc.audit(made.work, made.gold)
    write = getattr(audit, how)
    write(tmp_path / "f")
    before = held(tmp_path / "f")
    rename, calls = Path.rename, []

    def stopped(self, target):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "f")
    monkeypatch.undo()
    assert held(tmp_path / "f") == before
    assert [one.name for one in tmp_path.iterdir()] == ["f"]


def test_the_longest_name_can_be_written_and_one_more_is_refused(tmp_path):
    swap_in(OLD, tmp_path / ("x" * LONGEST_NAME))
    with pytest.raises(annqc.AnnqcError, match="too long"):
        swap_in(OLD, tmp_path / ("x" * (LONGEST_NAME + 1)))
    with pytest.raises(annqc.AnnqcError, match="too long"):
        refuse_missing_folder(tmp_path / ("\u00e9" * LONGEST_NAME))


def test_outputs_are_compared_by_where_they_are(tmp_path, monkeypatch):
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "d")
    monkeypatch.chdir(tmp_path)
    for one, other in (("a", "./a"), ("d/a", "link/a"), ("a", str(tmp_path / "a"))):
        with pytest.raises(annqc.AnnqcError, match="two outputs have the same name"):
            refuse_same_targets([Path(one), Path(other)])
    with pytest.raises(annqc.AnnqcError, match="two outputs have the same name"):
        refuse_same_targets([Path("a")], [Path("d/../a")])
    with pytest.raises(annqc.AnnqcError, match="an output lies in another"):
        refuse_same_targets([Path("link/a")], [Path("d")])
    with pytest.raises(annqc.AnnqcError, match="an output lies in another"):
        refuse_same_targets([], [Path("d"), Path("d") / "e"])
    refuse_same_targets([Path("d/a"), Path("d/b")], [Path("c"), Path("da")])
    assert not list(Path("d").iterdir())
