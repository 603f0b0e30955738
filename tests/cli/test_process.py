"""The command line as a process: start, pipes, terminals, and what it loads."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import annqc
from annqc.cli._progress import Progress

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


@pytest.mark.parametrize("args", [("--help",), ("--version",), ("audit", "--help")])
def test_a_reader_that_leaves_before_the_help_is_no_error(args, tmp_path):
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [sys.executable, "-m", "annqc", *args],
        cwd=tmp_path,
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
        timeout=120,
    )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("closed", "args", "code"),
    [
        (1, AUDIT, 0),
        (1, (*AUDIT, "--json", "-"), 0),
        (1, ("--help",), 0),
        (2, AUDIT, 0),
        (2, ("lint", "none.json"), 2),
        (2, ("lint",), 2),
    ],
)
def test_closed_streams_change_no_exit_code(files, closed, args, code):
    command = shlex.join([sys.executable, "-m", "annqc", *args]) + f" {closed}>&-"
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=files, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("args", [AUDIT, (*AUDIT, "--json", "-"), ("--help",)])
def test_a_full_disk_is_one_message_and_exit_2(files, args):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "annqc", *args],
            cwd=files,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=120,
        )
    assert done.returncode == 2
    assert done.stderr.startswith(b"annqc: the output cannot be written")
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_message_that_cannot_be_shown_changes_no_exit_code(tmp_path):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "annqc", "lint", "none.json"],
            cwd=tmp_path,
            stderr=full,
            stdout=subprocess.PIPE,
            check=False,
            timeout=120,
        )
    assert done.returncode == 2


def test_json_on_stdout_is_utf_8_whatever_the_terminal(files):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    args = ("-m", "annqc", *AUDIT, "--annotator", "=Zoë", "--json", "-")
    done = annqc_process(*args, cwd=files, env=environment)
    assert done.returncode == 0
    assert json.loads(done.stdout)["scores"][0]["annotator"] == "Zoë"


def test_file_names_that_are_no_utf_8_are_named_with_escapes(files, tmp_path):
    odd = os.fsencode(tmp_path) + b"/caf\xe9.json"
    try:
        with open(odd, "wb") as file:  # noqa: PTH123 - a path that is no text
            file.write((files / "work.json").read_bytes())
    except OSError:
        pytest.skip("the file system takes only UTF-8")
    outputs = ("--json", "out.json", "--csv", "tables", "--save", "run.annqc")
    gold = str(files / "gold.json")
    command = [sys.executable, "-m", "annqc", "audit", odd, "--gold", gold, *outputs]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out.json").read_text(encoding="utf-8")
    assert json.loads(text)["inputs"][1]["path"].endswith("caf\\udce9.json")
    assert annqc.load(tmp_path / "run.annqc").work.sources[0].path.endswith("caf\udce9.json")
    done = annqc_process("-m", "annqc", "lint", odd, "--json", "-", cwd=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["inputs"][0]["path"].endswith("caf\\udce9.json")


@pytest.mark.parametrize("args", [("lint", "{pipe}"), ("audit", "{pipe}", "--gold", "gold.json")])
def test_a_pipe_as_input_is_refused_with_what_to_do(files, tmp_path, args):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = annqc_process("-m", "annqc", *(one.format(pipe=pipe) for one in args), cwd=files)
    assert done.returncode == 2
    assert b"can be read only once" in done.stderr
    assert b"write it to a file first" in done.stderr


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

    @pytest.mark.parametrize(("patience", "shown"), [(0, True), (3600, False)])
    def test_it_shows_after_a_while_on_a_terminal(self, patience, shown):
        code = (
            "import time\n"
            "from annqc.cli._progress import Progress\n"
            f"progress = Progress(3, patience={patience})\n"
            "progress.step('matching')\n"
            "with progress:\n"
            "    progress.file(1, 2, 'x')\n"
            "    last = time.monotonic() + 50\n"
            f"    while {shown} and progress._bar is None and time.monotonic() < last:\n"
            "        time.sleep(0.01)\n"  # until the timer's thread has made the bar
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
