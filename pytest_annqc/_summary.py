"""The lines about rules at the end of a run.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pytest_annqc._hooks import SEEN

if TYPE_CHECKING:
    import pytest

    from pytest_annqc._hooks import Desk

__all__ = ["write_summary"]

_LOOKS: Final = {"fail": {"red": True}, "error": {"red": True}, "undecided": {"yellow": True}}
_WORDS: Final = {
    "pass": "passed",
    "fail": "failed",
    "undecided": "undecided",
    "not_applicable": "not applicable",
    "error": "in error",
}


MOST_UNDECIDED: Final = 5
"""Undecided rules that are listed; those that fail all are."""


def write_summary(terminal: pytest.TerminalReporter, desk: Desk) -> None:
    """Write the counts, a line for every rule that does not pass, and what was written where.

    Parameters
    ----------
    terminal : pytest.TerminalReporter
        Where to write.
    desk : Desk
        Where everything came together.
    """
    terminal.section("annqc", blue=True)
    width = shutil.get_terminal_size().columns
    checked = {nodeid: one for nodeid, one in desk.told.items() if "record" in one}
    known = max(len(checked), len(desk.config.stash[SEEN]))
    if checked or (known and (desk.errors or desk.trouble)):
        terminal.write_line(_counts(checked, known))
    for path, text in sorted(desk.errors.items()):
        from annqc.report.checks.trouble import make_spec_error, one_line

        start = f"in error   {_seen_from_here(path)}  "
        said = one_line(make_spec_error(path, text))
        terminal.write_line(_cut(start, said, width), **_LOOKS["error"])
    left = 0
    for nodeid in sorted(checked, key=lambda node: _place(node, checked[node]["record"])):
        record = checked[nodeid]["record"]
        outcome = record["outcome"]
        if outcome not in _LOOKS:
            continue
        if outcome == "undecided":
            left += 1
            if left > MOST_UNDECIDED:
                continue
        start = f"{_WORDS[outcome]:<9}  {nodeid}  "
        terminal.write_line(_cut(start, record["sentence"], width), **_LOOKS[outcome])
    if left > MOST_UNDECIDED:
        more = f"undecided  and {left - MOST_UNDECIDED:,} more; -rs shows them"
        terminal.write_line(more, **_LOOKS["undecided"])
    for note in desk.notes:
        terminal.write_line(note, yellow=note.startswith("warning:"))
    if os.environ.get("GITHUB_ACTIONS") == "true" and (checked or desk.errors):
        from annqc.report.checks.github import annotations
        from pytest_annqc._finish import document_of

        for line in annotations(document_of(desk)):
            terminal.write_line(line)


def _seen_from_here(path: str) -> str:
    try:
        return os.path.relpath(path)
    except ValueError:  # another drive
        return path


def _cut(start: str, text: str, width: int) -> str:
    """Put as much of a text behind the start of a line as the width holds."""
    text = " ".join(text.split())
    room = max(width - len(start) - 1, 30)
    return start + (text if len(text) <= room else text[: room - 1].rstrip() + "…")


def _place(nodeid: str, record: dict[str, Any]) -> tuple[str, str, int, str]:
    """Order of the lines: by spec and dataset, as the rules stand, however they were run."""
    return record["spec"] or "", record["dataset"], record["order"], nodeid


def _counts(checked: dict[str, dict[str, Any]], known: int) -> str:
    """Say how many rules came out how, of how many, and what that took."""
    outcomes = Counter(one["record"]["outcome"] for one in checked.values())
    listed = ", ".join(
        f"{outcomes[name]:,} {word}" for name, word in _WORDS.items() if outcomes[name]
    )
    audited = sum(one["audited"] for one in checked.values())
    cached = sum(one["from_cache"] for one in checked.values())
    n = len(checked)
    checks = "check" if known == 1 else "checks"
    count = f"{n:,} {checks}" if n == known else f"{n:,} of {known:,} {checks} ran"
    if not n:
        return count
    return (
        f"{count}: {listed}; "
        f"{audited:,} {'dataset' if audited == 1 else 'datasets'} audited, "
        f"{cached:,} {'check' if cached == 1 else 'checks'} from the cache"
    )
