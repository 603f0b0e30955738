"""run: tracking scores, switches of identity and events of tracks, held against limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import SpecError, UnknownNameError
from annqc.infer.rates import p_of_t, rate_sums
from annqc.infer.temporal.ends import FRAMES
from annqc.measure.track_events import STRUCTURAL
from annqc.measure.tracking import SCORES
from annqc.run.keys import grouped, refuse_taken_names, resolve
from annqc.run.tracklists import EVENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.infer.tracking import TrackScores
    from annqc.match import Matches
    from annqc.measure.track_events import TrackEvents
    from annqc.measure.tracks import TrackSeries
    from annqc.tables import Array

__all__ = ["FAULTS", "SWITCHES", "switch_columns", "track_count_columns", "track_score_columns"]

SWITCHES: Final = "id_switches"
SWITCHING: Final = tuple(STRUCTURAL.index(name) for name in ("id_switch", "id_swap"))
FAULTS: Final = tuple(name for name in EVENTS if name != "cut")
"""Events that are somebody's fault; a cut is the camera's."""
TAKEN: Final = ("estimate", "ci_low", "ci_high", "n", "n_clusters", "p_value", "clusters")
"""Columns of the answer, which ``by`` cannot name."""


def track_score_columns(
    matches: Matches,
    found: TrackScores,
    name: str,
    by: Sequence[str],
    *,
    limit: float,
    at_least: bool,
) -> dict[str, Array]:
    """Hold a tracking score of every annotator against a limit.

    Parameters
    ----------
    matches : Matches
        What was matched.
    found : TrackScores
        From `annqc.run.trackscores.scored`.
    name : str
        One of `annqc.measure.tracking.SCORES`, such as ``"HOTA"``.
    by : sequence of str
        ``("annotator",)``; scores have no other groups.
    limit : float
        The limit.
    at_least : bool
        Whether the score must be at least the limit, or at most.

    Returns
    -------
    dict of str to (n_annotators,) array
        ``annotator, estimate, ci_low, ci_high, n`` (clusters) ``, n_clusters, p_value``, one-sided
        for "the score keeps to the limit", and ``clusters``: ``"sequences"`` or ``"tracks"``.

    Notes
    -----
    The interval is that of the jackknife, see `annqc.infer.tracking.track_scores`; the p-value is
    the tail at which it would just touch the limit, before it is cut off where the score cannot go.
    """
    if name not in SCORES:
        what = "tracking score"
        raise UnknownNameError.among(what, name, SCORES)
    if tuple(by) != ("annotator",):
        what = "tracking scores are told by annotator alone"
        raise SpecError(what, found=", ".join(by) or "no column")
    n = len(matches.candidate.annotator_ids)

    def spread(values: Array, blank: Any) -> Array:
        out = np.full(n, blank, dtype=object if isinstance(blank, str) else None)
        out[found.annotator] = values
        return out

    estimate, se = found.estimate[name], found.se[name]
    df = (found.n_clusters - 1).astype(np.float64)
    clusters = spread(found.n_clusters, 0)
    return {
        "annotator": matches.candidate.annotator_ids,
        "estimate": spread(estimate, np.nan),
        "ci_low": spread(found.low[name], np.nan),
        "ci_high": spread(found.high[name], np.nan),
        "n": clusters,
        "n_clusters": clusters,
        "p_value": spread(p_of_t(estimate, se, df, limit, at_least=at_least), np.nan),
        "clusters": spread(np.where(found.by_track, "tracks", "sequences"), ""),
    }


def switch_columns(
    matches: Matches,
    series: TrackSeries,
    events: TrackEvents,
    by: Sequence[str],
    *,
    limit: float,
    at_least: bool,
    confidence: float = 0.95,
) -> dict[str, Array]:
    """Hold switches of identity per 1000 frames against a limit.

    Parameters
    ----------
    matches : Matches
        What was matched.
    series : TrackSeries
        From `annqc.measure.tracks.measure_tracks`.
    events : TrackEvents
        From `annqc.measure.track_events.events_between`; switches and swaps count.
    by : sequence of str
        Columns. An object belongs to the group that its first frame is in.
    limit : float
        Switches per 1000 frames in which an object was drawn.
    at_least : bool
        Whether there must be at least so many, or at most.
    confidence : float
        Level of the intervals.

    Returns
    -------
    dict of str to (n_groups,) array
        The ``by`` columns, ``estimate, ci_low, ci_high`` per 1000 frames, ``n`` (frames),
        ``n_clusters`` (reference tracks), ``p_value``, and ``clusters``, which is ``"tracks"``.

    Notes
    -----
    Rate and interval are those of `annqc.infer.temporal.ends.switch_rate`: the track is the unit of
    evidence, and an interval is not empty where there is no switch at all.
    """
    refuse_taken_names(by, TAKEN)
    first = series.reference[series.starts[:-1]]
    nothing = np.full(len(series), -1)
    groups = grouped(resolve(matches, by), (first, nothing, series.annotator))
    frames = np.bincount(series.series[series.candidate >= 0], minlength=len(series))
    some = np.isin(events.kind, SWITCHING)
    width = int(series.track.max(initial=0)) + 1
    at = events.annotator[some] * width + events.track[some]
    own = series.annotator * width + series.track
    order = np.argsort(own)
    switches = np.bincount(order[np.searchsorted(own[order], at)], minlength=len(series))
    sums = rate_sums(switches, frames, groups.codes[0], series.track, groups.n)
    rate = sums.finish(confidence)
    p = sums.p_beyond(limit / FRAMES, at_least=at_least, largest=(1 - confidence) / 2)
    columns: dict[str, Any] = {
        "estimate": FRAMES * rate.estimate,
        "ci_low": np.where(rate.trials > 0, FRAMES * rate.low, np.nan),
        "ci_high": np.where(rate.trials > 0, FRAMES * rate.high, np.nan),
        "n": rate.trials.astype(np.int64),
        "n_clusters": rate.n_clusters.astype(np.int64),
        "p_value": np.where(rate.trials > 0, p, np.nan),
        "clusters": np.full(groups.n, "tracks", dtype=object),
    }
    return {name: groups.keys[name] for name in by} | columns


def track_count_columns(
    matches: Matches,
    series: TrackSeries,
    rows: list[dict[str, Any]],
    by: Sequence[str],
    *,
    kinds: Sequence[str] = (),
) -> dict[str, Array]:
    """Count events of tracks in every group.

    Parameters
    ----------
    matches : Matches
        What was matched.
    series : TrackSeries
        From `annqc.measure.tracks.measure_tracks`.
    rows : list of dict
        From `annqc.run.tracklists.event_rows`.
    by : sequence of str
        Columns. An event belongs to the group of its object, or else of what was drawn.
    kinds : sequence of str
        Of `annqc.run.tracklists.EVENTS`; all but ``cut`` if empty.

    Returns
    -------
    dict of str to array
        The ``by`` columns, and ``count``. Groups without any are there, with 0.
    """
    for kind in kinds:
        if kind not in EVENTS:
            what = "kind of event"
            raise UnknownNameError.among(what, kind, EVENTS)
    refuse_taken_names(by, ("count",))
    chosen = [row for row in rows if row["kind"] in (kinds or FAULTS)]
    gold, work = (first_rows(one.table.track) for one in (matches.reference, matches.candidate))
    events = tuple(
        np.array(values, dtype=np.int64)
        for values in (
            [gold.get(int(row["track"]), -1) for row in chosen],
            [work.get(int(row["drawn"]), -1) for row in chosen],
            [int(row["annotator"]) for row in chosen],
        )
    )
    asked = series.reference[series.starts[:-1]], np.full(len(series), -1), series.annotator
    groups = grouped(resolve(matches, by), (events[0], events[1], events[2]), asked)
    code = groups.codes[0]
    count = np.bincount(code[code >= 0], minlength=groups.n)
    return {name: groups.keys[name] for name in by} | {"count": count}


def first_rows(track: Array | None) -> dict[int, int]:
    """Return the first row of the table that each track has."""
    if track is None:
        return {}
    tracks, rows = np.unique(track, return_index=True)
    return {int(one): int(row) for one, row in zip(tracks, rows, strict=True) if one >= 0}
