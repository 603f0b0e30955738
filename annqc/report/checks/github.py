"""report: checks as annotations of GitHub Actions, which show beside the line of the spec."""

from typing import TYPE_CHECKING, Final

from annqc.report.checks.places import inside, place_of, place_of_error, work_tree
from annqc.report.checks.record import stops
from annqc.report.plain import clean_lines, clean_text

if TYPE_CHECKING:
    from annqc.report.checks.document import Document
    from annqc.report.checks.record import Record
    from annqc.report.checks.trouble import SpecTrouble

__all__ = ["annotations"]

MOST: Final = 10
"""GitHub shows so many annotations of a kind a step, and drops the rest in silence."""
MOST_EVIDENCE: Final = 5
LONGEST: Final = 2_000
LONGEST_TITLE: Final = 200


def annotations(document: "Document", *, root: str | None = None) -> list[str]:
    """Return workflow commands, a line each, for specs in error and checks that do not pass.

    Parameters
    ----------
    document : dict
        From `annqc.report.checks.make_document`.
    root : str, optional
        Root of the work tree; the one of the workflow, or the current folder, if not given.

    Returns
    -------
    list of str
        At most ten errors and ten notices. Where there are more, the last of a kind says how many.
    """
    home = work_tree() if root is None else root
    lines: list[str] = []
    for kind in ("error", "notice"):
        found = [_spec_error(one, home) for one in document["errors"] if kind == "error"]
        found += [_check(kind, one, home) for one in document["checks"] if kind_of(one) == kind]
        shown = found if len(found) <= MOST else found[: MOST - 1]
        lines += shown
        if len(found) > len(shown):
            what = "that fail" if kind == "error" else "that the data cannot settle"
            said = f"and {len(found) - len(shown):,} more checks {what}"
            lines.append(f"::{kind} title=annqc::{said}")
    return lines


def kind_of(record: "Record") -> str | None:
    """Return the kind of mark that a check gets; None where there is nothing to mark."""
    if stops(record):
        return "error"
    return "notice" if record["outcome"] in {"fail", "error", "undecided"} else None


def _spec_error(error: "SpecTrouble", root: str) -> str:
    file, line = place_of_error(error, root)
    return _command("error", file, line, "annqc: spec in error", error["message"], root)


def _check(kind: str, record: "Record", root: str) -> str:
    file, line = place_of(record, root)
    name = f"{record['id']} ({record['dataset']})" if record["dataset"] else record["id"]
    outcome = "" if record["outcome"] == "fail" else f": {record['outcome']}"
    return _command(kind, file, line, f"annqc: {name}{outcome}", _said(record), root)


def _command(
    kind: str, file: str | None, line: int | None, title: str, said: str, root: str
) -> str:
    given: dict[str, str] = {}
    if file is not None:
        given["file"] = clean_text(inside(file, root) or file)
        if line is not None:
            given["line"] = str(line)
    given["title"] = clean_text(title, width=LONGEST_TITLE)
    where = ",".join(f"{key}={_property(value)}" for key, value in given.items())
    return f"::{kind} {where}::{_message(_cut(clean_lines(said)))}"


def _said(record: "Record") -> str:
    lines = [clean_lines(record["sentence"])]
    lines += [f"- {clean_text(one['text'])}" for one in record["evidence"][:MOST_EVIDENCE]]
    if record["why"]:
        lines.append(f"why: {clean_text(record['why'])}")
    return "\n".join(lines)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _message(text: str) -> str:
    """Escape the text of a command; ``%`` first, or the escapes would be escaped."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape the value of a property, which ends at a comma or a colon."""
    return _message(text).replace(":", "%3A").replace(",", "%2C")
