"""report: the documented JSON, as types.

`annqc.report.json` fills them, and the JSON Schema is made from them.

A finding and a score have the columns of the grouping beside the fields that stand here.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from annqc.report.outline_schema import Outlines  # noqa: TC001 - msgspec reads annotations
from annqc.report.track_schema import TrackEvents, TrackFinding  # noqa: TC001

__all__ = ["SCHEMA_VERSION", "AuditDocument", "LintDocument", "json_schema", "schema_text"]

SCHEMA_VERSION: Final = 1
"""Raised when a field changes its meaning or goes; new fields do not raise it."""

Id = str | int | float | bool | None
Number = float | None
"""A number, or null where it is undefined."""


class Input(Struct, frozen=True, kw_only=True):
    """One file that was read."""

    role: Annotated[str, Meta(description="reference or candidate")]
    path: str
    format: str
    rows: Annotated[int, Meta(description="rows on input, usable or not")]
    sha256: Annotated[
        str | None, Meta(description="digest; null where it is no file, or it changed since")
    ]


class Match(Struct, frozen=True, kw_only=True):
    """How the two sides were paired."""

    method: str
    iou: Annotated[float, Meta(description="counting threshold in force")]
    pair_iou: float
    gate: float
    ambiguity: float
    low_overlap: float


class Parameters(Struct, frozen=True, kw_only=True):
    """What the audit was asked to do."""

    match: Match
    tolerance: Annotated[str, Meta(description="such as max(1 px, 2 %)")]
    tolerance_px: float
    tolerance_rel: float
    confidence: float
    border_px: float
    by: Annotated[list[str], Meta(description="grouping of the findings")]


class Compared(Struct, frozen=True, kw_only=True):
    """What was compared, and what was left out."""

    n_images: int
    n_reference: int
    n_candidate: int
    n_ignored: Annotated[
        int, Meta(description="of n_reference, those marked to be ignored, and crowds")
    ] = 0
    n_annotators: int
    n_assignments: Annotated[int, Meta(description="annotator x image that was compared")]
    n_categories: int
    n_rows: int
    n_unused_boxes: Annotated[int, Meta(description="on images that the reference does not have")]
    n_unused_images: int
    n_idle_images: Annotated[int, Meta(description="images of the reference given to nobody")]
    n_unknown_size: Annotated[int, Meta(description="images whose border is not known")]
    n_border: Annotated[int, Meta(description="edges at the border, left out of offsets")]
    n_ambiguous: Annotated[int, Meta(description="pairs with a rival, left out of offsets")]
    anonymous: Annotated[
        bool, Meta(description="the annotators are nobody in particular, so nobody is judged")
    ]


class Problem(Struct, frozen=True, kw_only=True):
    """One row that cannot be used (dropped), or is odd (kept)."""

    kind: str
    severity: str
    source: str
    where: str
    annotation_id: Any
    image_id: Any
    annotator: Any
    message: str


class Problems(Struct, frozen=True, kw_only=True):
    """Everything that is wrong with the input."""

    dropped: Annotated[dict[str, int], Meta(description="kind -> rows that cannot be used")]
    kept: Annotated[dict[str, int], Meta(description="kind -> odd rows that take part")]
    rows: Annotated[list[Problem], Meta(description="the first 10,000 of them")]


class Shared(Struct, frozen=True, kw_only=True):
    """An offset that all annotators may share: their habit, the gold's, or the guideline's."""

    quantity: str
    estimate: Annotated[Number, Meta(description="in tolerance units")]
    ci_low: Number
    ci_high: Number
    p_value: Number
    n_clusters: int
    biased: bool
    method: Annotated[str, Meta(description="objects, annotators, or empty where it was not asked")]


class Finding(Struct, frozen=True, kw_only=True):
    """One estimate with interval and verdict; the columns of the grouping stand beside it."""

    quantity: str
    estimate: Annotated[Number, Meta(description="in tolerance units")]
    ci_low: Number
    ci_high: Number
    estimate_px: Number
    ci_low_px: Number
    ci_high_px: Number
    estimate_rel: Number
    ci_low_rel: Number
    ci_high_rel: Number
    confidence_level: float
    n: Annotated[int, Meta(description="pairs")]
    n_clusters: Annotated[int, Meta(description="images or tracks")]
    n_nan: Annotated[int, Meta(description="pairs that do not speak on the quantity")]
    p_value: Number
    p_adjusted: Number
    verdict: Annotated[str, Meta(description="biased, clean, undecided or collective")]
    n_more: Annotated[Number, Meta(description="further clusters that would settle it")]
    flags: Annotated[str, Meta(description="joined by commas")]
    status: str
    margin: float
    p_clean: Number
    se: Number
    df: Number
    collective: Number
    excess: Number
    mean: Number
    low: Number
    high: Number
    clip_frac: Number
    gross_rate: Number
    n_border: int
    gate_loss: Number
    missing: Number
    bound_low: Number
    bound_high: Number
    m0: Number
    scale: Number
    kappa: Number
    annotator: Id = None


class Score(Struct, frozen=True, kw_only=True):
    """Rates and overlap of one annotator, with intervals, and how they stand among the others."""

    annotator: Id
    recall: Number
    recall_low: Number
    recall_high: Number
    recall_n_clusters: int
    precision: Number
    precision_low: Number
    precision_high: Number
    precision_n_clusters: int
    label_accuracy: Number
    label_accuracy_low: Number
    label_accuracy_high: Number
    label_accuracy_n_clusters: int
    mean_iou: Number
    mean_iou_low: Number
    mean_iou_high: Number
    mean_iou_n_clusters: int
    n_reference: int
    n_missed: int
    n_drawn: int
    n_spurious: int
    n_matched: int
    n_mislabelled: int
    n_images: int
    verdict: Annotated[str, Meta(description="over all edges")]
    status: str
    n_more: Annotated[Number, Meta(description="further clusters that would settle every edge")]
    p_adjusted: Number
    rank: Annotated[Number, Meta(description="1 is the smallest bias; null if not ranked")]
    rank_low: Number
    rank_high: Number
    p_worst: Number
    worst_edge: Number
    far_rate: Number
    far_rate_low: Number
    far_rate_high: Number
    iou_adjusted: Number
    iou_adjusted_se: Number
    component: int
    weakly_linked: bool


class Standing(Struct, frozen=True, kw_only=True):
    """Where one annotator stands over all edges, in words."""

    annotator: Id
    standing: Annotated[str, Meta(description="biased, collective, undecided, clean or too_few")]
    n_clusters: int
    n_more: Annotated[Number, Meta(description="further clusters that would settle every edge")]
    sensitive: Annotated[bool, Meta(description="too few objects were measured to be sure")]
    text: Annotated[list[str], Meta(description="the findings, or what would settle it")]


class Error(Struct, frozen=True, kw_only=True):
    """One error, ranked for review."""

    rank: int
    severity: float
    kind: Annotated[
        str,
        Meta(
            description="missed, spurious, mislabelled, near_miss, duplicate, merged, split, far, "
            "loose_box, loose_outline or odd_outline"
        ),
    ]
    annotator: Id
    image_id: Id
    file_name: str | None
    annotation_id: Id
    reference_id: Id
    category: Id
    candidate_category: Id
    iou: Annotated[Number, Meta(description="of boxes; of errors of outlines, of the outlines")]
    edge: Annotated[
        str | None, Meta(description="farthest off: an edge; of errors of outlines, a contour")
    ]
    offset: Annotated[Number, Meta(description="in tolerances")]
    offset_px: Number
    offset_rel: Number
    others_found: Number
    source: str | None
    row: int | None
    boundary_iou: Annotated[Number, Meta(description="of errors of outlines")] = None
    style: Annotated[
        str | None,
        Meta(description="of an odd_outline, such as copied, few_points or holes_filled"),
    ] = None
    sequence: Annotated[Id, Meta(description="of a frame")] = None
    track_id: Annotated[Id, Meta(description="of the gold; of what has none, as drawn")] = None


class Errors(Struct, frozen=True, kw_only=True):
    """Single errors."""

    counts: Annotated[dict[str, int], Meta(description="kind -> how many")]
    first: Annotated[list[Error], Meta(description="the first hundred")]


class Check(Struct, frozen=True, kw_only=True):
    """A rule applied."""

    id: str
    measure: str
    outcome: Annotated[str, Meta(description="pass, fail, undecided, not_applicable or error")]
    sentence: str
    by: list[str]
    where: dict[str, list[Id]]
    tolerance: str | None
    confidence: Number
    at_least: Number
    at_most: Number
    counts: dict[str, int]
    rows: Annotated[list[dict[str, Any]], Meta(description="one a group, the worst first")]
    evidence: Annotated[
        list[dict[str, Any]],
        Meta(description="of a check that fails, the annotations that weigh most against it"),
    ]


class Judgement(Struct, frozen=True, kw_only=True):
    """A spec applied."""

    spec: Annotated[str | None, Meta(description="file of the spec")]
    outcome: str
    counts: dict[str, int]
    checks: list[Check]


class AuditDocument(Struct, frozen=True, kw_only=True):
    """An audit, as `annqc audit --json` and `Audit.to_json` write it. Undefined is null."""

    schema_version: int
    annqc_version: str
    created: Annotated[str, Meta(description="ISO 8601, UTC")]
    inputs: list[Input]
    parameters: Parameters
    compared: Compared
    notes: Annotated[list[str], Meta(description="what a reader must know, in words")]
    problems: Problems
    collective: Annotated[list[Shared], Meta(description="empty where it was not asked")]
    annotators: list[Standing]
    findings: Annotated[list[Finding], Meta(description="one a group and quantity")]
    scores: list[Score]
    outlines: Annotated[
        Outlines | None, Meta(description="null where there are no outlines on both sides")
    ] = None
    tracks: Annotated[
        list[TrackFinding] | None, Meta(description="null where the reference has no tracks")
    ] = None
    tracking_scores: Annotated[
        list[dict[str, Any]] | None,
        Meta(
            description="one row an annotator: HOTA, DetA, AssA, LocA, MOTA, IDF1 and others, each "
            "with _low and _high; counts such as IDSW; n_clusters, clusters, status, n_doubled; "
            "null where a side has no tracks"
        ),
    ] = None
    track_events: Annotated[
        TrackEvents | None, Meta(description="null where the reference has no tracks")
    ] = None
    errors: Errors
    judgement: Judgement | None = None


class LintDocument(Struct, frozen=True, kw_only=True):
    """What `annqc lint --json` writes."""

    schema_version: int
    annqc_version: str
    created: str
    inputs: list[Input]
    n_rows: int
    n_annotations: int
    n_images: int
    n_annotators: int
    n_categories: int
    problems: Annotated[Problems, Meta(description="here all rows are listed")]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    import msgspec

    schema = msgspec.json.schema(AuditDocument)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_text() -> str:
    """Return `json_schema` as it stands in ``docs/audit.schema.json``."""
    import json

    return json.dumps(json_schema(), indent=2) + "\n"
