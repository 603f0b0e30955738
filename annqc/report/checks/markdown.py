"""report: checks as Markdown, for the summary of a CI job or a comment on a merge request."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from annqc.report.checks.places import inside, place_of_error, work_tree
from annqc.report.checks.trouble import one_line, ran_words
from annqc.report.plain import clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.report.checks.document import Document
    from annqc.report.checks.record import Record
    from annqc.report.checks.trouble import SpecTrouble

__all__ = ["escaped", "markdown"]

MOST_BYTES: Final = 200_000
"""GitHub takes 1 MiB a job summary, over all steps; a comment on GitLab takes 1,000,000 signs."""
MOST_ROWS: Final = 100
MOST_ERRORS: Final = 20
LONGEST: Final = 600
MARKS: Final = {
    "pass": "✅ pass",
    "fail": "❌ fail",
    "undecided": "❔ undecided",
    "not_applicable": "⬜ not applicable",
    "error": "💥 error",
}
SPECIAL: Final = re.compile(r"([\\`*_{}\[\]|~$])")
"""Signs that mean something anywhere in a line."""
BLOCK: Final = re.compile(r"^(\d*)([#+\-=.)])")
"""Signs that mean something where a line begins."""
REFERENCE: Final = re.compile(r"([@#!~%$&](?=[\w\"])|:(?=[\w+-]+:))")
LINK: Final = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp|www)(?=[:.])")


def markdown(document: Document, *, most_bytes: int = MOST_BYTES) -> str:
    """Write checks as Markdown: specs in error, counts, what does not pass, and why.

    Parameters
    ----------
    document : dict
        From `annqc.report.checks.make_document`.
    most_bytes : int
        Size to stay below; what is left out is counted in a last line.

    Returns
    -------
    str
        Whatever stands in names and messages is shown as it is: it cannot become a link, a
        mention, HTML or a further column.
    """
    checks = document["checks"]
    open_checks = [one for one in checks if one["outcome"] != "pass"]
    tally = [f"{MARKS[name]}: {count:,}" for name, count in document["counts"].items() if count]
    head = ["## annqc: checks of annotations"]
    head += _errors(document["errors"])
    ran = ran_words(document["run"])
    if tally or not (ran or document["errors"]):
        head += ["", " · ".join(tally) or "No checks were made."]
    head += ["", f"**{escaped(ran)}**"] if ran else []
    room = most_bytes - 500 - len("\n".join(head).encode())

    columns = _columns(checks)
    rows = [f"| {' | '.join(_row(one, columns))} |" for one in open_checks]
    kept = _fitting(rows[:MOST_ROWS], room)
    room -= sum(len(row.encode()) + 1 for row in kept)
    body: list[str] = []
    if kept:
        body += ["", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *kept]
    if len(kept) < len(open_checks):
        left = len(open_checks) - len(kept)
        body += ["", f"{left:,} more checks that do not pass are left out here."]

    blocks = [_details(one) for one in open_checks[: len(kept)] if one["evidence"]]
    shown = _fitting(blocks, room)
    body += [line for block in shown for line in ("", block)]
    if len(shown) < len(blocks):
        left = len(blocks) - len(shown)
        body += ["", f"The annotations behind {left:,} more checks are left out here."]
    return "\n".join([*head, *body]) + "\n"


def _errors(errors: Sequence[SpecTrouble]) -> list[str]:
    """Say, a line each, which specs could not be read."""
    home = work_tree()
    lines: list[str] = []
    for one in errors[:MOST_ERRORS]:
        file, line = place_of_error(one, home)
        place = f"<code>{_html(_broken(inside(file, home) or file))}</code>, line {line}"
        text = one_line(one)
        shown = text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
        lines.append(f"- {MARKS['error']} in {place}: {escaped(shown)}")
    if len(errors) > MOST_ERRORS:
        lines.append(f"- and {len(errors) - MOST_ERRORS:,} more specs in error")
    return ["", *lines] if lines else []


def _columns(checks: Sequence[Record]) -> list[str]:
    """Choose columns: spec and dataset only where they tell something apart."""
    spec = ["spec"] if len({one["spec"] for one in checks}) > 1 else []
    dataset = ["dataset"] if any(one["dataset"] for one in checks) else []
    return [*spec, "check", *dataset, "outcome", "what"]


def _row(record: Record, columns: Sequence[str]) -> list[str]:
    cells = {
        "spec": escaped(os.path.basename(record["spec"] or "")),  # noqa: PTH119
        "check": f"<code>{_html(record['id'])}</code>",
        "dataset": escaped(record["dataset"]),
        "outcome": MARKS[record["outcome"]],
        "what": _cell(record["sentence"]),
    }
    return [cells[name] for name in columns]


def _cell(text: str) -> str:
    shown = text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
    return "<br>".join(escaped(line.strip()) for line in shown.splitlines())


def _details(record: Record) -> str:
    name = f"{record['id']} ({record['dataset']})" if record["dataset"] else record["id"]
    lines = [
        f"<details><summary>{_html(_broken(name))}: worst annotations</summary>",
        "",
        *(f"- {escaped(one['text'][:LONGEST])}" for one in record["evidence"]),
    ]
    if record["why"]:
        lines += ["", f"Why: {escaped(record['why'])}"]
    if record["reproduce"]:
        commands = "\n".join(_html(one) for one in record["reproduce"])
        lines += ["", f"<pre>{commands}</pre>"]
    return "\n".join([*lines, "", "</details>"])


def _fitting(texts: Sequence[str], room: int) -> list[str]:
    """Return the first texts that fit, line ends included."""
    kept: list[str] = []
    for text in texts:
        room -= len(text.encode()) + 2
        if room < 0:
            break
        kept.append(text)
    return kept


def escaped(text: str) -> str:
    r"""Make text stand for itself in Markdown.

    Every sign that Markdown gives a meaning is escaped. Mentions, references and addresses have no
    escape that both GitHub and GitLab know; a sign without width takes their meaning away.

    Parameters
    ----------
    text : str
        One line.

    Examples
    --------
    >>> escaped("*bold* <b>")
    '\\*bold\\* &lt;b&gt;'
    """
    plain = SPECIAL.sub(r"\\\1", _entities(_broken(clean_text(text.strip()))))
    return BLOCK.sub(r"\1\\\2", plain)


def _html(text: str) -> str:
    """Make text stand for itself inside HTML within Markdown, where backslashes are shown."""
    return SPECIAL.sub(lambda found: f"&#{ord(found.group())};", _entities(clean_text(text)))


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _broken(text: str) -> str:
    return LINK.sub("\\1\u200b", REFERENCE.sub("\\1\u200b", text))
