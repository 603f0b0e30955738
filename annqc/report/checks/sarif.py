"""report: checks as SARIF 2.1.0, which code scanning and editors read."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from annqc.report.checks.places import inside, place_of, place_of_error, work_tree
from annqc.report.checks.record import limit_words, numbers_of, stops
from annqc.report.checks.trouble import ran_words
from annqc.report.plain import clean_lines, clean_text, encodable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from annqc.report.checks.document import Document
    from annqc.report.checks.record import Record

__all__ = ["sarif", "write_sarif"]

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
ROOT: Final = "%SRCROOT%"
REMOTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
TOLD: Final = frozenset({"fail", "error", "undecided"})
"""Outcomes that are results."""
MOST: Final = 5_000
"""GitHub keeps so many results of a run; what is left out is counted in a notification."""


def sarif(document: Document, *, root: str | None = None) -> dict[str, Any]:
    """Return checks as a SARIF log: a rule each, and a result for each group that does not pass.

    Parameters
    ----------
    document : dict
        From `annqc.report.checks.make_document`.
    root : str, optional
        Root of the work tree; the one of the CI, or the current folder, if not given. Files inside
        it are told relative to it, as ``%SRCROOT%``.

    Returns
    -------
    dict
        Ready for JSON. A result stands where its rule stands in the spec; the annotations that
        weigh most are its related locations.
    """
    home = work_tree() if root is None else root
    places: dict[str, int] = {}
    rules: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for record in document["checks"]:
        if record["id"] not in places:
            places[record["id"]] = len(rules)
            rules.append(_rule(record))
        if record["outcome"] in TOLD:
            results += _results(record, places[record["id"]], home)
    driver = {"name": "annqc", "version": document["annqc_version"], "rules": rules}
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(document, home, left=len(results) - MOST)],
        "originalUriBaseIds": {ROOT: {"description": {"text": "Root of the work tree."}}},
        "columnKind": "unicodeCodePoints",
        "results": results[:MOST],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def write_sarif(document: Document, path: Path, *, root: str | None = None) -> None:
    """Write checks as a SARIF file, which appears whole or not at all.

    Raises
    ------
    AnnqcError
        Where there is no such folder, or the system refuses.
    """
    from annqc.report.files import whole_file

    with whole_file(path) as file:
        file.write((json.dumps(sarif(document, root=root), indent=2) + "\n").encode())


def _rule(record: Record) -> dict[str, Any]:
    summary = clean_text(record["summary"])
    return {
        "id": clean_text(record["id"]),
        "shortDescription": {"text": summary},
        "fullDescription": {"text": clean_lines(record["why"] or summary)},
        "defaultConfiguration": {"level": "error"},
        "properties": {"measure": record["measure"], "tags": ["annotations"]},
    }


def _invocation(document: Document, root: str, *, left: int) -> dict[str, Any]:
    run = document["run"]
    successful = document["outcome"] != "error" and run["trouble"] is None
    found: dict[str, Any] = {"executionSuccessful": successful}
    if run["exit_code"] is not None:
        found["exitCode"] = run["exit_code"]
    notes: list[dict[str, Any]] = []
    for error in document["errors"]:
        place = _physical(*place_of_error(error, root), root=root)
        text = clean_lines(error["message"])
        notes.append(_note("error", text) | {"locations": [{"physicalLocation": place}]})
    said = ran_words(run)
    if said:
        notes.append(_note("warning" if run["trouble"] else "note", f"{said}."))
    if left > 0:
        text = f"{left:,} more results are left out; the JSON of the checks has them."
        notes.append(_note("warning", text))
    if notes:
        found["toolExecutionNotifications"] = notes
    return found


def _note(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": text}}


def _results(record: Record, rule: int, root: str) -> list[dict[str, Any]]:
    """Return a result for each group with the outcome of the check; one where there is no group."""
    rows: list[dict[str, Any]] = [
        row for row in record["rows"] if row["outcome"] == record["outcome"]
    ]
    return [_result(record, row, rule, root) for row in rows or [{}]]


def _result(record: Record, row: Mapping[str, Any], rule: int, root: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": clean_text(record["id"]),
        "ruleIndex": rule,
        "level": "error" if stops(record) else "note",
        "message": {"text": clean_lines(row.get("text") or record["sentence"])},
        "partialFingerprints": {"annqcCheck/v1": _fingerprint(record, row, root)},
        "properties": _numbers(record, row),
    }
    file, line = place_of(record, root)
    if file is not None:
        result["locations"] = [{"physicalLocation": _physical(file, line, root=root)}]
    related = [
        _evidence(one, root, k)
        for k, one in enumerate(record["evidence"])
        if _is_file(one["source"]) and _belongs(one, row)
    ]
    if related:
        result["relatedLocations"] = related
    return result


def _physical(file: str, line: int | None = None, *, root: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(file, root)}
    if line is not None:
        place["region"] = {"startLine": line}
    return place


def _artifact(file: str, root: str) -> dict[str, str]:
    file = encodable(file)
    if REMOTE.match(file):
        return {"uri": quote(file, safe=":/?&=")}
    seen = inside(file, root)
    if seen is not None:
        return {"uri": quote(seen), "uriBaseId": ROOT}
    return {"uri": Path(os.path.abspath(file)).as_uri()}  # noqa: PTH100 - links stay links


def _evidence(one: Mapping[str, Any], root: str, number: int) -> dict[str, Any]:
    """Point at an annotation: its file, and in words its id and row, for no line is known."""
    location = {
        "id": number,
        "physicalLocation": _physical(str(one["source"]), root=root),
        "message": {"text": clean_text(one["text"])},
    }
    named = one["annotation_id"] if one["annotation_id"] is not None else one["reference_id"]
    if named is not None:
        location["logicalLocations"] = [{"name": clean_text(named), "kind": "annotation"}]
    return location


def _is_file(source: str | None) -> bool:
    """Whether a source is a file; data that came from memory have names like ``<simulated>``."""
    return source is not None and not source.startswith("<")


def _belongs(one: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether an annotation is evidence against the group of a row."""
    group = row.get("group", {})
    shared = {name: value for name, value in group.items() if one.get(name) is not None}
    if any(str(one[name]) != str(value) for name, value in shared.items()):
        return False
    return one.get("edge") is None or row.get("quantity") in {None, one["edge"]}


def _fingerprint(record: Record, row: Mapping[str, Any], root: str) -> str:
    """Tell a result from others and know it again next time: nothing that is measured goes in."""
    spec = record["spec"]
    seen = None if spec is None else (inside(spec, root) or os.path.basename(spec))  # noqa: PTH119
    what = [seen, record["dataset"], record["id"], row.get("group"), row.get("quantity")]
    text = json.dumps(what, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _numbers(record: Record, row: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "outcome": record["outcome"],
        "dataset": record["dataset"] or None,
        "measure": record["measure"],
        "group": row.get("group"),
        "quantity": row.get("quantity"),
        "tolerance": record["tolerance"],
        "limit": limit_words(record) or None,
        "confidence": record["confidence"],
        **numbers_of(row),
        "reproduce": record["reproduce"] or None,
    }
    return {name: value for name, value in found.items() if value is not None}
