"""The lines about rules at the end of a run.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

__all__ = ["write_summary"]

_LOOKS: Final = {"fail": {"red": True}, "error": {"red": True}, "undecided": {"yellow": True}}
_WORDS: Final = {
    "pass": "passed",
    "fail": "failed",
    "undecided": "undecided",
    "not_applicable": "not applicable",
    "error": "in error",
}


def write_summary(
    terminal: pytest.TerminalReporter, told: dict[str, dict[str, Any]], notes: list[str]
) -> None:
    """Write the counts, a line for every rule that does not pass, and what was written where.

    Parameters
    ----------
    terminal : pytest.TerminalReporter
        Where to write.
    told : dict of str to dict
        Node id -> what the item told.
    notes : list of str
        What was written, and what could not be.
    """
    terminal.section("annqc", blue=True)
    width = shutil.get_terminal_size().columns
    checked = {nodeid: one for nodeid, one in told.items() if "record" in one}
    if checked:
        terminal.write_line(_counts(checked))
    for nodeid in sorted(checked, key=lambda node: _place(node, checked[node]["record"])):
        record = checked[nodeid]["record"]
        if record["outcome"] in _LOOKS:
            start = f"{_WORDS[record['outcome']]:<9}  {nodeid}  "
            sentence = " ".join(record["sentence"].split())
            room = max(width - len(start) - 1, 30)
            cut = sentence if len(sentence) <= room else sentence[: room - 1].rstrip() + "…"
            terminal.write_line(start + cut, **_LOOKS[record["outcome"]])
    for note in notes:
        terminal.write_line(note, yellow=note.startswith("warning:"))
    if os.environ.get("GITHUB_ACTIONS") == "true" and checked:
        from annqc.report.checks.document import make_document
        from annqc.report.checks.github import annotations

        document = make_document([one["record"] for one in checked.values()])
        for line in annotations(document):
            terminal.write_line(line)


def _place(nodeid: str, record: dict[str, Any]) -> tuple[str, str, int, str]:
    """Order of the lines: by spec and dataset, as the rules stand, however they were run."""
    return record["spec"] or "", record["dataset"], record["order"], nodeid


def _counts(checked: dict[str, dict[str, Any]]) -> str:
    """Say how many rules came out how, and what that took."""
    outcomes = Counter(one["record"]["outcome"] for one in checked.values())
    listed = ", ".join(
        f"{outcomes[name]:,} {word}" for name, word in _WORDS.items() if outcomes[name]
    )
    audited = sum(one["audited"] for one in checked.values())
    cached = sum(one["from_cache"] for one in checked.values())
    n = len(checked)
    return (
        f"{n:,} {'check' if n == 1 else 'checks'}: {listed}; "
        f"{audited:,} {'dataset' if audited == 1 else 'datasets'} audited, "
        f"{cached:,} {'check' if cached == 1 else 'checks'} from the cache"
    )
