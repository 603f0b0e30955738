"""report: the documented JSON of checks, as types; the JSON Schema is made from them."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

__all__ = [
    "CheckRecord",
    "ChecksDocument",
    "Evidence",
    "Row",
    "Run",
    "SpecError",
    "json_schema",
    "schema_text",
]

Id = str | int | float | bool | None
Number = float | None
"""A number, or null where it is undefined."""
Outcome = Annotated[str, Meta(description="pass, fail, undecided, not_applicable or error")]

TITLE: Final = "What annqc found when it checked annotations against specs"


class Provenance(Struct, frozen=True, kw_only=True):
    """What the checks were made on; null for what is not known."""

    python: str
    numpy: str | None
    platform: str
    commit: str | None
    branch: str | None
    run_url: Annotated[str | None, Meta(description="page of the CI run")]


class Run(Struct, frozen=True, kw_only=True):
    """How much of what there was to check was checked."""

    n_collected: Annotated[int, Meta(description="checks of the specs that could be read")]
    n_ran: Annotated[int, Meta(description="how many of them ran; the others were not asked for")]
    exit_code: Annotated[int | None, Meta(description="of pytest, where it made the checks")]
    trouble: Annotated[str | None, Meta(description="why the run ended early, if it did")]


class SpecError(Struct, frozen=True, kw_only=True):
    """A spec that could not be read, so that none of its checks were made."""

    spec: Annotated[str, Meta(description="file of the spec")]
    file: Annotated[str | None, Meta(description="file of the first fault, where it is another")]
    line: Annotated[int | None, Meta(description="line of the first fault, from 1")]
    message: Annotated[str, Meta(description="every fault, several lines")]


class Row(Struct, frozen=True, kw_only=True):
    """One group, with the numbers of its measure beside the fields that stand here."""

    group: Annotated[dict[str, Id], Meta(description="column -> value")]
    outcome: Outcome
    text: Annotated[str, Meta(description="how it stands, in words")]


class Evidence(Struct, frozen=True, kw_only=True):
    """One annotation that weighs against a group."""

    annotator: Id
    image_id: Id
    file_name: Id
    annotation_id: Id
    reference_id: Id
    category: Id
    candidate_category: Annotated[Id, Meta(description="what it was drawn as")]
    kind: Annotated[str | None, Meta(description="kind of error, overlap, or offset")]
    edge: str | None
    offset_px: Number
    offset: Annotated[Number, Meta(description="in tolerances")]
    iou: Number
    source: Annotated[str | None, Meta(description="file that it was read from")]
    row: Annotated[int | None, Meta(description="in that file, from 0")]
    text: Annotated[str, Meta(description="the same in words")]
    sequence: Annotated[Id, Meta(description="of a stretch of a track; left out elsewhere")] = None
    track_id: Annotated[Id, Meta(description="of the reference")] = None
    drawn_track_id: Id = None
    first_frame: int | None = None
    last_frame: int | None = None
    size: Annotated[Number, Meta(description="of the stretch, in its unit")] = None
    unit: str | None = None


class CheckRecord(Struct, frozen=True, kw_only=True):
    """A rule applied to a dataset."""

    spec: Annotated[str | None, Meta(description="file of the spec")]
    dataset: Annotated[str, Meta(description="empty for the only dataset of a spec")]
    id: str
    order: Annotated[int, Meta(description="place of the rule in its spec, from 0")]
    line: int | None
    origin: Annotated[
        str | None, Meta(description="file or profile of an inherited rule, which line is in")
    ]
    measure: str
    summary: Annotated[str, Meta(description="what the measure asks")]
    outcome: Outcome
    counted_as: Annotated[
        str | None,
        Meta(description="what the test run made of it: passed, failed, skipped or xfailed"),
    ]
    sentence: str
    explanation: Annotated[str, Meta(description="the sentence and more, several lines")]
    why: Annotated[str | None, Meta(description="the reason for the rule")]
    by: list[str]
    where: dict[str, list[Id]]
    tolerance: str | None
    confidence: Number
    at_least: Number
    at_most: Number
    no_worse_than: str | None
    margin: float | str | None
    sequential: bool
    preprocess: Annotated[
        str | None, Meta(description="what was left out before tracking was scored")
    ]
    counts: Annotated[dict[str, int], Meta(description="groups of each outcome")]
    rows: Annotated[
        list[Row],
        Meta(description="the worst first, at most 50; more, up to 300, where these fail"),
    ]
    n_rows: Annotated[int, Meta(description="groups in all")]
    evidence: Annotated[list[Evidence], Meta(description="the worst first")]
    reproduce: Annotated[list[str], Meta(description="command lines that make the check again")]


class ChecksDocument(Struct, frozen=True, kw_only=True):
    """What the test run and its reports write. Undefined is null."""

    format: Annotated[str, Meta(description="annqc-checks")]
    version: int
    annqc_version: str
    created_at: Annotated[str, Meta(description="ISO 8601, UTC")]
    provenance: Provenance
    outcome: Annotated[str, Meta(description="of all checks together; only pass is a pass")]
    counts: Annotated[dict[str, int], Meta(description="checks of each outcome")]
    run: Run
    errors: Annotated[list[SpecError], Meta(description="specs that could not be read")]
    checks: Annotated[
        list[CheckRecord], Meta(description="sorted by spec, dataset and order of the rules")
    ]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    schema = msgspec.json.schema(ChecksDocument)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": TITLE, **schema}


def schema_text() -> str:
    """Return `json_schema` as it stands in ``docs/checks.schema.json``."""
    return json.dumps(json_schema(), indent=2) + "\n"
