"""report: an audit as JSON, in the shape that `annqc.report.schema` documents."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

import annqc
from annqc.report.compared import compared, notes
from annqc.report.outlines import nobody_named
from annqc.report.plain import encodable
from annqc.report.schema import SCHEMA_VERSION
from annqc.report.standing import FEW_OBJECTS, settle_text, standings
from annqc.report.view import view_of
from annqc.report.words import accused_sentences
from annqc.run.anonymous import spoken_of
from annqc.tables import QUANTITIES, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.judge import Judgement
    from annqc.run.audit import Run
    from annqc.tables import Array, Dataset

__all__ = ["PROBLEM_FIELDS", "audit_document", "encode", "lint_document", "problem_rows", "rows_of"]

N_PROBLEMS: Final = 10_000
N_ERRORS: Final = 100
PROBLEM_FIELDS: Final = tuple(one.name for one in fields(Problem))


def audit_document(
    run: Run, *, by: Sequence[str] = ("annotator",), judgement: Judgement | None = None
) -> dict[str, Any]:
    """Lay out an audit as plain values.

    Parameters
    ----------
    run : Run
        The comparison.
    by : sequence of str
        Grouping of the findings.
    judgement : Judgement, optional
        A spec that was applied.

    Returns
    -------
    dict
        What `annqc.report.schema.AuditDocument` describes; `encode` makes it bytes.
    """
    went_in = compared(run)
    counts = asdict(went_in)
    problems = {"dropped": counts.pop("dropped"), "kept": counts.pop("kept")}
    del counts["unsigned"]  # it is among the notes
    errors = run.error_columns()
    by = spoken_of(run.candidate, by)
    return {
        "schema_version": SCHEMA_VERSION,
        "annqc_version": annqc.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": input_rows(reference=run.reference, candidate=run.candidate),
        "parameters": _parameters(run, by),
        "compared": counts,
        "notes": notes(went_in, by),
        "problems": {**problems, "rows": problem_rows(run.issues[:N_PROBLEMS])},
        "collective": _collective(run, by),
        "annotators": _standings(run, by),
        "findings": rows_of(run.bias_columns(by)),
        "scores": rows_of(run.score_columns(strata=by)),
        "outlines": _outlines(run, by),
        **_tracks(run, by),
        "errors": {
            "counts": dict(Counter(errors["kind"].tolist()).most_common()),
            "first": rows_of({name: column[:N_ERRORS] for name, column in errors.items()}),
        },
        "judgement": None if judgement is None else judgement.to_dict(),
    }


def _outlines(run: Run, by: Sequence[str]) -> dict[str, Any] | None:
    """Say what there is to say of outlines; of no annotator where the data name none."""
    if not run.has_outlines:
        return None
    names = [name for name in by if name != "annotator" or not nobody_named(run.candidate)]
    return {
        "findings": rows_of(run.outline_columns(names)),
        "scores": rows_of(run.outline_score_columns(names)),
    }


def _tracks(run: Run, by: Sequence[str]) -> dict[str, Any]:
    """Say what there is to say of tracks; None where there are none."""
    if not run.has_tracks:
        return dict.fromkeys(("tracks", "tracking_scores", "track_events"))
    names = [name for name in by if name != "annotator" or not nobody_named(run.candidate)]
    events = run.track_event_columns()
    return {
        "tracks": rows_of(run.temporal_columns(names)),
        "tracking_scores": rows_of(run.tracking_columns()) if run.tracks_are_scored else None,
        "track_events": {
            "counts": dict(Counter(events["kind"].tolist()).most_common()),
            "first": rows_of({name: column[:N_ERRORS] for name, column in events.items()}),
        },
    }


def encode(document: Any) -> bytes:
    """Encode plain values as indented JSON; NaN and infinity become null."""
    try:
        packed = msgspec.json.encode(document, enc_hook=_plain)
    except UnicodeEncodeError:  # bytes of a file name that are no UTF-8
        packed = msgspec.json.encode(_encodable(document), enc_hook=_plain)
    return msgspec.json.format(packed, indent=1) + b"\n"


def _encodable(value: Any) -> Any:
    """Make every text in a document one that UTF-8 has."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {_encodable(key): _encodable(one) for key, one in value.items()}
    return [_encodable(one) for one in value] if isinstance(value, list | tuple) else value


def rows_of(columns: dict[str, Array]) -> list[dict[str, Any]]:
    """Turn columns into one dict a row, of plain Python values, None for NaN and infinity.

    Examples
    --------
    >>> rows_of({"n": np.array([1, 2]), "x": np.array([0.5, np.nan])})
    [{'n': 1, 'x': 0.5}, {'n': 2, 'x': None}]
    """
    listed = []
    for column in columns.values():
        values = column.tolist()
        if column.dtype.kind == "f" and not np.isfinite(column).all():
            values = [value if np.isfinite(value) else None for value in values]
        listed.append(values)
    return [dict(zip(columns, row, strict=True)) for row in zip(*listed, strict=True)]


def input_rows(**sides: Dataset) -> list[dict[str, Any]]:
    """Describe the inputs, one dict a file; the arguments are named after the side."""
    return [
        {
            "role": role,
            "path": source.path,
            "format": source.format,
            "rows": source.n_rows,
            "sha256": source.sha256,
        }
        for role, side in sides.items()
        for source in side.sources
    ]


def lint_document(dataset: Dataset) -> dict[str, Any]:
    """Lay out what is wrong with a dataset, every problem of it.

    Parameters
    ----------
    dataset : Dataset
        What was read.

    Returns
    -------
    dict
        What `annqc.report.schema.LintDocument` describes.
    """
    issues = dataset.issues
    counts = {
        severity: dict(Counter(i.kind for i in issues if i.severity == severity).most_common())
        for severity in ("dropped", "kept")
    }
    return {
        "schema_version": SCHEMA_VERSION,
        "annqc_version": annqc.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": input_rows(candidate=dataset),
        "n_rows": dataset.n_rows,
        "n_annotations": len(dataset),
        "n_images": len(dataset.image_table),
        "n_annotators": len(dataset.annotator_ids),
        "n_categories": len(dataset.category_ids),
        "problems": {**counts, "rows": problem_rows(issues)},
    }


def problem_rows(issues: Sequence[Problem]) -> list[dict[str, Any]]:
    """Describe problems, one dict each."""
    return [{name: getattr(one, name) for name in PROBLEM_FIELDS} for one in issues]


def _parameters(run: Run, by: tuple[str, ...]) -> dict[str, Any]:
    rules = run.parameters
    return {
        "match": {**asdict(rules.policy), "iou": rules.policy.counting_iou},
        "tolerance": str(rules.tolerance),
        "tolerance_px": rules.tolerance.px,
        "tolerance_rel": rules.tolerance.rel,
        "confidence": rules.confidence,
        "border_px": rules.border_px,
        "by": list(by),
    }


def _collective(run: Run, by: tuple[str, ...]) -> list[dict[str, Any]]:
    found = run.annotator_findings(by).collective
    if found is None:
        return []
    names = ("estimate", "ci_low", "ci_high", "p_value", "n_clusters", "biased", "method")
    columns: dict[str, Any] = {"quantity": np.array(QUANTITIES, dtype=object)}
    return rows_of(columns | {name: getattr(found, name)[0] for name in names})


def _standings(run: Run, by: tuple[str, ...]) -> list[dict[str, Any]]:
    """Say where each annotator stands; the same words as on the screen."""
    view = view_of(run, by, whole=True)
    parts = view_of(run, by) if "annotator" in by and len(by) > 1 else None
    said: dict[int, list[str]] = {}
    for sentence in accused_sentences(view, parts):
        said.setdefault(sentence.group, []).append(sentence.text)
    names = view.keys["annotator"].tolist()
    rows = []
    for one in standings(view):
        text = said.get(one.group, [])
        if one.place in {"undecided", "too_few"}:
            text = [settle_text(view, one)]
        elif one.place != "biased" and one.sensitive:
            text = [FEW_OBJECTS]
        rows.append(
            {
                "annotator": names[one.group],
                "standing": one.place,
                "n_clusters": one.n_clusters,
                "n_more": one.n_more if np.isfinite(one.n_more) else None,
                "sensitive": one.sensitive,
                "text": text,
            }
        )
    return rows


def _plain(value: Any) -> Any:
    """Turn what JSON does not know, such as dates in user columns, into what it does."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
