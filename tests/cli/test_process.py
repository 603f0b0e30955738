"""The command line as a process: start, pipes, terminals, and what it loads."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import annqc
from annqc.cli._progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

AUDIT = ("audit", "work.json", "--gold", "gold.json")
HEAVY = {"numba", "pandas", "scipy", "rich", "numpy"}


def annqc_process(*args: str, cwd: Path, **kwargs):
    return subprocess.run(
        [sys.executable, *args], cwd=cwd, capture_output=True, check=False, timeout=120, **kwargs
    )


def loaded(*args: str, cwd: Path) -> set[str]:
    report = annqc_process("-X", "importtime", *args, cwd=cwd).stderr.decode()
    return {line.rpartition("|")[2].strip() for line in report.splitlines() if "|" in line}


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(flag, tmp_path):
    modules = {name.partition(".")[0] for name in loaded("-m", "annqc", flag, cwd=tmp_path)}
    assert "annqc" in modules
    assert not modules & HEAVY


def test_an_audit_loads_no_pandas_no_numba_and_no_scipy_stats(files):
    modules = loaded("-m", "annqc", *AUDIT, "--json", "loaded.json", cwd=files)
    tops = {name.partition(".")[0] for name in modules}
    assert "scipy" in tops
    assert not tops & {"numba", "pandas"}
    assert "scipy.stats" not in modules
    (files / "loaded.json").unlink()


def test_version_names_the_program(tmp_path):
    done = annqc_process("-m", "annqc", "--version", cwd=tmp_path)
    assert done.stdout.decode() == f"annqc {annqc.__version__}\n"


def test_piped_output_is_80_columns_without_colour(files):
    environment = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "FORCE_COLOR"}}
    done = annqc_process("-m", "annqc", *AUDIT, cwd=files, env=environment)
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert max(map(len, done.stdout.decode().splitlines())) <= 80
    assert done.stderr == b""


def test_a_reader_that_leaves_is_no_error(files):
    process = subprocess.Popen(
        [sys.executable, "-m", "annqc", *AUDIT, "--all"],
        cwd=files,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=120) == 141
    assert errors == b""


def test_bad_input_is_exit_2_without_a_traceback(tmp_path):
    (tmp_path / "bad.json").write_text('{"annotations": [', encoding="utf-8")
    done = annqc_process("-m", "annqc", "lint", "bad.json", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.startswith(b"annqc: ")
    assert b"Traceback" not in done.stderr


def test_names_that_the_terminal_cannot_show_do_not_stop_it(files):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    args = ("-m", "annqc", *AUDIT, "--annotator", "=Zoë")
    done = annqc_process(*args, cwd=files, env=environment)
    assert done.returncode == 0
    assert b"Zo?" in done.stdout


class TestProgress:
    def test_nothing_is_shown_where_it_is_no_terminal(self, capsys):
        with Progress(2, patience=0) as progress:
            progress.step("one")
            progress.file(1, 2, "a")
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize(("patience", "shown"), [(0.05, True), (30, False)])
    def test_it_shows_after_a_while_on_a_terminal(self, patience, shown):
        code = (
            "import time\n"
            "from annqc.cli._progress import Progress\n"
            f"with Progress(3, patience={patience}) as progress:\n"
            "    for name in ('reading', 'matching', 'scores'):\n"
            "        progress.step(name)\n"
            "        progress.file(1, 2, 'x')\n"
            "        time.sleep(0.3)\n"
        )
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
        done = subprocess.Popen(
            [sys.executable, "-c", code], stderr=theirs, stdout=theirs, env=environment
        )
        os.close(theirs)
        assert done.wait(timeout=60) == 0
        text = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:
                break
            if not block:
                break
            text += block
        os.close(ours)
        assert (b"matching" in text) is shown
