"""report: records of checks as one document, with what they were made on; all formats take it."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

import annqc
from annqc.report.checks.trouble import make_run
from annqc.report.plain import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from annqc.report.checks.record import Record
    from annqc.report.checks.trouble import SpecTrouble

__all__ = [
    "FORMAT",
    "VERSION",
    "Document",
    "document_text",
    "make_document",
    "provenance",
    "write_json",
]

Document = dict[str, Any]

FORMAT: Final = "annqc-checks"
VERSION: Final = 1
"""Raised when a field changes its meaning or goes; new fields do not raise it."""
OUTCOMES: Final = ("pass", "fail", "undecided", "not_applicable", "error")


def make_document(
    records: Iterable[Record],
    *,
    errors: Iterable[SpecTrouble] = (),
    run: Mapping[str, Any] | None = None,
) -> Document:
    """Put records together.

    Parameters
    ----------
    records : iterable of dict
        From `annqc.report.checks.make_record`, in any order.
    errors : iterable of dict, optional
        Specs that could not be read, from `annqc.report.checks.make_spec_error`.
    run : mapping, optional
        From `annqc.report.checks.make_run`; all checks that there were have run if not given.

    Returns
    -------
    dict
        As `annqc.report.checks.schema.ChecksDocument` describes it. ``outcome`` is the first of
        error, fail and undecided that any check has; pass where all pass. A spec that could not be
        read is an error, and checks that did not run are undecided. The records are sorted by
        spec, dataset and the order of the rules.

    Examples
    --------
    >>> document = make_document([])
    >>> document["format"], document["outcome"], document["checks"]
    ('annqc-checks', 'not_applicable', [])
    """
    checks = sorted(records, key=_place)
    given = [record["outcome"] for record in checks]
    counts = {name: given.count(name) for name in OUTCOMES}
    unread = sorted(errors, key=lambda one: one["spec"])
    made = make_run(len(checks)) if run is None else dict(run)
    return {
        "format": FORMAT,
        "version": VERSION,
        "annqc_version": annqc.__version__,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "provenance": provenance(),
        "outcome": "error" if unread else _outcome(counts, whole=_is_whole(made)),
        "counts": counts,
        "run": made,
        "errors": unread,
        "checks": checks,
    }


def provenance(environment: Mapping[str, str] = os.environ) -> dict[str, str | None]:
    """Say what the checks were made on; None for what is not known.

    Parameters
    ----------
    environment : mapping of str to str
        Variables that a continuous integration sets: those of GitHub Actions and GitLab are known.

    Examples
    --------
    >>> found = provenance({"GITHUB_SHA": "5c1f", "GITHUB_REF_NAME": "main"})
    >>> found["commit"], found["branch"], found["run_url"]
    ('5c1f', 'main', None)
    """

    def first(*names: str) -> str | None:
        return next((encodable(environment[name]) for name in names if environment.get(name)), None)

    return {
        "python": platform.python_version(),
        "numpy": _version("numpy"),
        "platform": platform.platform(),
        "commit": first("GITHUB_SHA", "CI_COMMIT_SHA"),
        # Of a pull request, the branch that is to be merged; GITHUB_REF_NAME is "12/merge" there.
        "branch": first("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"),
        "run_url": _github_run(environment) or first("CI_JOB_URL", "CI_PIPELINE_URL"),
    }


def document_text(document: Document) -> str:
    """Write a document as JSON."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(document: Document, path: Path) -> None:
    """Write a document to a file, which appears whole or not at all.

    Raises
    ------
    AnnqcError
        Where there is no such folder, or the system refuses.
    """
    from annqc.report.files import whole_file

    with whole_file(path) as file:
        # What UTF-8 does not have is written as JSON writes it: as an escape.
        file.write(document_text(document).encode("utf-8", "backslashreplace"))


def _place(record: Record) -> tuple[str, str, int]:
    return record["spec"] or "", record["dataset"], record["order"]


def _is_whole(run: Mapping[str, Any]) -> bool:
    """Whether every check that there was has run."""
    return run["n_ran"] == run["n_collected"] and run["trouble"] is None


def _outcome(counts: Mapping[str, int], *, whole: bool) -> str:
    """Sum outcomes up as `annqc.judge.Judgement.outcome` does: only ``pass`` is a pass."""
    given = [name for name, count in counts.items() if count]
    for name in ("error", "fail", "undecided"):
        if name in given:
            return name
    if not whole:
        return "undecided"
    if "not_applicable" in given or not given:
        return "undecided" if "pass" in given else "not_applicable"
    return "pass"


def _github_run(environment: Mapping[str, str]) -> str | None:
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    parts = [environment.get(name) for name in names]
    if not all(parts):
        return None
    server, repository, run = parts
    return encodable(f"{server}/{repository}/actions/runs/{run}")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
