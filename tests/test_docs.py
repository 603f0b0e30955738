"""Every example in the documentation runs, and gives what the page says."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import annqc
from annqc.judge import measures
from annqc.judge.model import DatasetSpec, Example, Header, Rule
from annqc.read import registry
from annqc.read.problems import KINDS
from annqc.run.findings import FLAGS, STATUSES
from annqc.simulate import tracks

REPO = Path(__file__).parents[1]
DOCS = REPO / "docs"
PAGES = [REPO / "README.md", REPO / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^```(?P<kind>python|console)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(page: Path) -> list[tuple[int, str, str]]:
    """Line, kind and body of each block that can run."""
    text = page.read_text(encoding="utf-8")
    found = [
        (text.count("\n", 0, block.start()) + 1, block["kind"], block["body"])
        for block in BLOCK.finditer(text)
    ]
    # Python first, so that the files a page speaks of are there whatever its order.
    return sorted(found, key=lambda block: block[1] != "python")


RUNNABLE = [page for page in PAGES if blocks(page)]


def test_the_main_pages_have_examples() -> None:
    assert {"README.md", "tutorial.md", "method.md"} <= {page.name for page in RUNNABLE}


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.relative_to(REPO).as_posix())
def test_examples_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    list(registry.every_reader())  # those of annqc are there before a page adds one
    monkeypatch.setattr(registry, "_readers", dict(registry._readers))
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=OPTIONS)
    names: dict[str, object] = {}
    for line, kind, body in blocks(page):
        if kind == "python":
            test = parser.get_doctest(body, names, page.name, str(page), line)
            assert test.examples, f"{page.name}:{line} has nothing to run"
            runner.run(test, clear_globs=False)
            names = test.globs
            continue
        for command in re.findall(r"^\$ (.*)$", body, re.MULTILINE):
            program, *args = shlex.split(command)
            assert program == "annqc"
            done = subprocess.run(
                [sys.executable, "-m", "annqc", *args], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert runner.failures == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("howto/read-errors.md", KINDS),
        ("reference/findings.md", FLAGS),
        ("reference/findings.md", STATUSES),
    ],
)
def test_tables_of_names_are_whole(page: str, names: dict[str, object]) -> None:
    listed = re.findall(r"^\| `(\w+)` \|", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert set(names) <= set(listed)


def test_columns_of_the_tables_of_tracks_are_whole() -> None:
    text = (DOCS / "reference" / "findings.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w()]+)`", text.replace(", ", "` `")))
    made = tracks(["ann"], n_sequences=1, n_tracks=2, n_frames=60, rng=1)
    audit = annqc.audit(made.work, made.gold)
    tables = audit.tracks(), audit.track_list(), audit.track_events(), audit.tracking_scores()
    endings = ("_low", "_high", "_verdict")
    for table in tables:
        for column in table.columns:
            plain = next((column.removesuffix(one) for one in endings if column.endswith(one)), "")
            assert column in named or plain in named, column


def test_every_measure_and_field_of_a_rule_is_in_the_reference() -> None:
    page = (DOCS / "reference" / "spec.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    assert set(measures()) <= named
    for struct in (Header, DatasetSpec, Rule, Example):
        assert set(struct.__struct_fields__) <= named
