"""report: what the documented JSON says of tracks, as types; part of `annqc.report.schema`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["TrackEvent", "TrackEvents", "TrackFinding"]

Id = str | int | float | bool | None
Number = float | None


class TrackFinding(Struct, frozen=True, kw_only=True):
    """One thing that an annotator's tracks do over time, with interval and verdict."""

    quantity: Annotated[
        str,
        Meta(
            description="drift_left, drift_top, drift_right, drift_bottom, lag, jitter, start, "
            "end, sag, sawtooth_left, sawtooth_top, sawtooth_right, sawtooth_bottom or sag_share"
        ),
    ]
    unit: Annotated[str, Meta(description="of estimate, ci_low, ci_high and margin")]
    estimate: Number
    ci_low: Number
    ci_high: Number
    estimate_px: Annotated[
        Number, Meta(description="of drifts in 100 frames, of jitter, of sag, and of sawteeth")
    ]
    ci_low_px: Number
    ci_high_px: Number
    confidence_level: float
    n: Annotated[int, Meta(description="tracks; of lag and sawteeth, frames")]
    n_clusters: Annotated[int, Meta(description="tracks; of start and end, sequences")]
    p_value: Number
    p_adjusted: Number
    verdict: Annotated[str, Meta(description="biased, clean, undecided or collective")]
    n_more: Annotated[Number, Meta(description="further clusters that would settle it")]
    flags: str
    status: str
    margin: Number
    se: Number
    df: Number
    collective: Annotated[Number, Meta(description="what everybody has alike")]
    annotator: Id = None


class TrackEvent(Struct, frozen=True, kw_only=True):
    """A stretch of one track in which something is wrong: where to look, and no verdict."""

    annotator: Id
    sequence: Id
    kind: Annotated[
        str,
        Meta(
            description="drift, jump, frozen, missed_track, late_start, early_start, early_end, "
            "late_end, gap, id_switch, id_swap, merged_tracks, spurious_track, duplicate_id, "
            "category_flip or cut"
        ),
    ]
    track_id: Annotated[Id, Meta(description="of the reference")]
    drawn_track_id: Id
    other_track_id: Id
    first_frame: int
    last_frame: int
    edge: Annotated[str, Meta(description="left, top, right, bottom, or empty")]
    size: Number
    size_low: Number
    size_high: Number
    unit: str
    text: Annotated[str, Meta(description="the same in words")]


class TrackEvents(Struct, frozen=True, kw_only=True):
    """Events in single tracks."""

    counts: Annotated[dict[str, int], Meta(description="kind -> how many")]
    first: Annotated[list[TrackEvent], Meta(description="the first hundred")]
