"""Files to audit, and a way to call the command line in this process."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import annqc
from annqc import Habit
from annqc.cli import main
from annqc.write import write_coco


@pytest.fixture(scope="session")
def made():
    return annqc.simulate(
        {"ann": [], "bob": Habit.loose("right", px=6), "eve": Habit.misses(0.2)},
        n_images=40,
        rng=1,
    )


@pytest.fixture(scope="session")
def files(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write_coco(made.gold, folder / "gold.json")
    write_coco(made.work, folder / "work.json")
    return folder


@pytest.fixture
def run(files, monkeypatch):
    """Call annqc in the folder of the files."""
    monkeypatch.chdir(files)
    monkeypatch.setenv("COLUMNS", "80")

    def call(*args: str):
        return CliRunner().invoke(main, [str(arg) for arg in args])

    return call
