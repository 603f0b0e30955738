"""run: every track with its slope and lag, and every event as a stretch of frames.

What stands here is about single objects. It names where to look, and accuses nobody: one object is
one piece of evidence on an annotator, however many frames it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.multiplicity import adjusted_bh
from annqc.infer.temporal.estimate import OK, STATUSES
from annqc.infer.temporal.frozen import held_drawings
from annqc.infer.verdicts import VERDICTS, half_width, p_bias, p_clean
from annqc.measure.track_events import STRUCTURAL, TrackEvents
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.measure.tracks import TrackSeries
    from annqc.run.trackvalues import SeriesValues
    from annqc.tables import Array, Bools, Dataset, Floats, Ints

__all__ = ["EVENTS", "event_columns", "event_rows", "track_columns"]

EVENTS: Final = ("drift", "jump", "frozen", *STRUCTURAL, "cut")
"""Kinds of events, those of where boxes are first. A ``cut`` is a jump that most tracks make."""
DIRECTIONS: Final = ("left", "top", "right", "bottom")


def track_columns(
    matches: Matches, series: TrackSeries, values: SeriesValues, *, confidence: float = 0.95
) -> dict[str, Array]:
    """Lay out what is known of every object by every annotator, one row each.

    Parameters
    ----------
    matches, series, values
        What was matched, measured and estimated.
    confidence : float
        Level of the intervals; one minus it is the false discovery rate over tracks and edges.

    Returns
    -------
    dict of str to (s,) array
        ``annotator, sequence, track_id, drawn_track_id`` (the one that has most frames, None for
        none), ``first_frame, last_frame, n_frames, n_drawn, n_drawings`` (different boxes; a held
        one counts once); for each edge the median offset ``out_left_px`` and so on, and its slope
        ``drift_left`` and so on in pixels per 100 frames with ``_low, _high, _verdict``; ``lag``
        in frames (NaN where the object hardly moves), ``jitter_px``, ``start, end`` in frames,
        ``interpolated``, ``keyframe_gap``, ``status`` (``few_frames``: its errors are so alike
        from frame to frame that the track is worth fewer than eight).

    Notes
    -----
    The verdict is on the single object, at one tolerance per 100 frames, after Benjamini and
    Hochberg over all tracks and edges. It needs 50 frames. A track with a jump has no slope.
    """
    s, v = series, values
    gold, work = matches.reference, matches.candidate
    first, last = s.starts[:-1], s.starts[1:] - 1
    columns: dict[str, Any] = {
        "annotator": work.annotator_ids[s.annotator],
        "sequence": _sequence(gold, s.image),
        "track_id": gold.tracks_of(s.track),
        "drawn_track_id": work.tracks_of(_main_track(s)),
        "first_frame": s.frame[first],
        "last_frame": s.frame[last],
        "n_frames": np.diff(s.starts),
        "n_drawn": np.bincount(s.series[s.candidate >= 0], minlength=len(s)),
        "n_drawings": _held(s).n_drawings,
    }
    verdict, low, high = _track_verdicts(v, confidence)
    slope = np.where(_sloped(v), v.drift.slope, np.nan)
    middle = _medians(s)
    for k, edge in enumerate(DIRECTIONS):
        columns[f"{EDGES[k]}_px"] = middle[:, k]
        columns[f"drift_{edge}"] = slope[:, k]
        columns[f"drift_{edge}_low"], columns[f"drift_{edge}_high"] = low[:, k], high[:, k]
        columns[f"drift_{edge}_verdict"] = np.array(VERDICTS, dtype=object)[verdict[:, k]]
    with np.errstate(all="ignore"):
        moving = v.lag.motion >= v.lag.n  # a speed that varies by a pixel a frame
        known = v.jitter.status == OK
        squares = np.where(known, v.jitter.sd, 0.0) ** 2
        columns["lag"] = np.where(moving, v.lag.lag, np.nan)
        columns["jitter_px"] = np.sqrt(squares.sum(axis=1) / known.sum(axis=1))
    columns |= {"start": v.ends[:, 0], "end": v.ends[:, 1]}
    columns |= {"interpolated": v.interpolated, "keyframe_gap": v.gap}
    status = np.array(STATUSES, dtype=object)[v.drift.status.min(axis=1)]
    few = (v.drift.status == OK).any(axis=1) & ~v.drift.enough.any(axis=1)
    status[few] = "few_frames"
    columns["status"] = np.where(v.jumps, "jumps", status)
    return columns


def _sequence(data: Dataset, image: Ints) -> Array:
    images = data.image_table
    return np.full(len(image), None) if images.sequence is None else images.sequence[image]


def _main_track(series: TrackSeries) -> Ints:
    """Track that has most frames of each object, -1 for none."""
    of, track = series.series, series.drawn_track
    some = track >= 0
    main = np.full(len(series), -1, dtype=np.int64)
    if some.any():
        pairs, counts = np.unique(np.stack([of[some], track[some]]), axis=1, return_counts=True)
        order = np.lexsort((-pairs[1], counts, pairs[0]))
        main[pairs[0][order]] = pairs[1][order]
    return main


def _held(series: TrackSeries) -> Any:
    return held_drawings(series.drawn, series.frame, series.starts, series.gold)


def _medians(series: TrackSeries) -> Floats:
    """Median offset of every edge of every track; NaN where there is none."""
    out = np.full((len(series), 4), np.nan)
    for k in range(len(series)):
        rows = series.edges[series.starts[k] : series.starts[k + 1]]
        for edge in np.flatnonzero(np.isfinite(rows).any(axis=0)).tolist():
            out[k, edge] = np.nanmedian(rows[:, edge])
    return out


def _sloped(values: SeriesValues) -> Bools:
    return np.asarray((values.drift.status == OK) & ~values.jumps[:, None])


def _track_verdicts(values: SeriesValues, confidence: float) -> tuple[Array, Floats, Floats]:
    """Verdict and interval of the slope of every edge of every track."""
    drift, alpha = values.drift, 1 - confidence
    margin = np.tile(values.tolerance, 2)
    known = _sloped(values)
    with np.errstate(invalid="ignore"):
        off = np.where(known, p_bias(drift.slope, drift.se, drift.df, margin), np.nan)
        on = np.where(known, p_clean(drift.slope, drift.se, drift.df, margin), 1.0)
        adjusted = adjusted_bh(off.reshape(-1)).reshape(off.shape)
        verdict = np.zeros(off.shape, dtype=np.int64)
        verdict[on < alpha] = VERDICTS.index("clean")
        verdict[adjusted < alpha] = VERDICTS.index("biased")
    half = np.where(known, half_width(drift.se, drift.df, confidence), np.nan)
    return verdict, drift.slope - half, drift.slope + half


def event_rows(
    series: TrackSeries,
    values: SeriesValues,
    structural: TrackEvents,
    *,
    confidence: float = 0.95,
) -> list[dict[str, Any]]:
    """List every event with row numbers in place of ids, the largest of each kind first.

    Parameters
    ----------
    series, values, structural
        What was measured and estimated.
    confidence : float
        As for `track_columns`.

    Returns
    -------
    list of dict
        ``annotator, image, track, drawn, other`` are numbers, -1 for none; ``kind, first, last,
        edge, size, low, high, unit`` as `event_columns` has them; ``said`` is empty where the kind
        says it all.
    """
    rows: list[dict[str, Any]] = [
        *_drifts(series, values, confidence),
        *_jumps(values),
        *_frozen(series, values),
    ]
    main = _main_track(series)
    for row in rows:
        k = row.pop("series")
        row |= {"annotator": series.annotator[k], "image": series.image[k], "other": -1}
        row |= {"track": series.track[k], "drawn": main[k]}
    for k in range(len(structural)):
        kind = STRUCTURAL[structural.kind[k]]
        row = {"annotator": structural.annotator[k], "image": structural.image[k], "kind": kind}
        row |= {"track": structural.track[k], "drawn": structural.drawn_track[k]}
        row |= {"other": structural.other_track[k], "first": structural.first_frame[k]}
        row |= {"last": structural.last_frame[k], "size": structural.size[k], "unit": "frames"}
        row |= {"low": np.nan, "high": np.nan, "edge": "", "said": ""}
        rows.append(row)
    order = sorted(
        range(len(rows)),
        key=lambda k: (EVENTS.index(rows[k]["kind"]), -abs(rows[k]["size"]), rows[k]["annotator"]),
    )
    return [rows[k] for k in order]


def event_columns(matches: Matches, rows: list[dict[str, Any]]) -> dict[str, Array]:
    """Lay out every event as a stretch of frames, the largest of each kind first.

    Parameters
    ----------
    matches : Matches
        What was matched.
    rows : list of dict
        From `event_rows`.

    Returns
    -------
    dict of str to (m,) array
        ``annotator, sequence, kind, track_id, drawn_track_id, other_track_id, first_frame,
        last_frame, edge, size, size_low, size_high, unit, text``.
    """
    gold, work = matches.reference, matches.candidate

    def ints(name: str) -> Ints:
        return np.array([row[name] for row in rows], dtype=np.int64)

    def floats(name: str) -> Floats:
        return np.array([row[name] for row in rows], dtype=np.float64)

    def words(name: str) -> Array:
        return np.array([row[name] for row in rows], dtype=object)

    of_gold = np.array([row["kind"] == "merged_tracks" for row in rows], dtype=bool)
    other = work.tracks_of(np.where(of_gold, -1, ints("other")))
    other[of_gold] = gold.tracks_of(ints("other")[of_gold])
    columns: dict[str, Any] = {
        "annotator": work.annotator_ids[ints("annotator")],
        "sequence": _sequence(gold, ints("image")),
        "kind": words("kind"),
        "track_id": gold.tracks_of(ints("track")),
        "drawn_track_id": work.tracks_of(ints("drawn")),
        "other_track_id": other,
        "first_frame": ints("first"),
        "last_frame": ints("last"),
        "edge": words("edge"),
        "size": floats("size"),
        "size_low": floats("low"),
        "size_high": floats("high"),
        "unit": words("unit"),
    }
    columns["text"] = _texts(columns, words("said"))
    return columns


def _drifts(series: TrackSeries, values: SeriesValues, confidence: float) -> list[dict[str, Any]]:
    verdict, low, high = _track_verdicts(values, confidence)
    found = []
    for k, edge in zip(*np.nonzero(verdict == VERDICTS.index("biased")), strict=True):
        rows = slice(series.starts[k], series.starts[k + 1])
        frames = series.frame[rows][np.isfinite(series.edges[rows, edge])]
        slope = float(values.drift.slope[k, edge])
        way = "outwards" if slope > 0 else "inwards"
        said = f"the {DIRECTIONS[edge]} edge drifts {abs(slope):.1f} px per 100 frames {way}"
        found.append(
            {
                "kind": "drift",
                "series": int(k),
                "first": int(frames[0]),
                "last": int(frames[-1]),
                "edge": DIRECTIONS[edge],
                "size": slope,
                "low": float(low[k, edge]),
                "high": float(high[k, edge]),
                "unit": "px per 100 frames",
                "said": said,
            }
        )
    return found


def _jumps(values: SeriesValues) -> list[dict[str, Any]]:
    steps, found = values.steps, []
    for k in range(len(steps.series)):
        size = np.nan_to_num(steps.size[k])
        edge = int(np.abs(size).argmax())
        # the usual difference that z is told in units of is the spread of a difference
        spread = abs(size[edge]) / steps.z[k] if steps.z[k] > 0 else np.nan
        one, shift = int(steps.series[k]), 0.5 * (size[2:] - size[:2])
        grown = 0.5 * (size[2:] + size[:2])
        moved = np.abs(shift).max() >= np.abs(grown).max()
        axis = int(np.abs(shift).argmax())
        way = (("left", "right"), ("up", "down"))[axis][int(shift[axis] > 0)]
        amount = abs(shift[axis]) if moved else abs(size[edge])
        said = (
            f"the box jumps {amount:.1f} px {way}"
            if moved
            else f"the {DIRECTIONS[edge]} edge jumps {amount:.1f} px "
            f"{'outwards' if size[edge] > 0 else 'inwards'}"
        )
        frame = int(steps.frame[k])
        if steps.cut[k]:
            said += ", as most others of the video do: a cut of the camera?"
        found.append(
            {
                "kind": "cut" if steps.cut[k] else "jump",
                "series": one,
                "first": frame,
                "last": frame,
                "edge": DIRECTIONS[edge],
                "size": float(size[edge]),
                "low": float(size[edge] - 1.96 * spread),
                "high": float(size[edge] + 1.96 * spread),
                "unit": "px",
                "said": said,
            }
        )
    return found


def _frozen(series: TrackSeries, values: SeriesValues) -> list[dict[str, Any]]:
    held = held_drawings(
        series.drawn,
        series.frame,
        series.starts,
        series.gold,
        tolerance=values.tolerance.max(axis=1, initial=1.0),
    )
    found = []
    for k in np.flatnonzero(held.frozen).tolist():
        moved = float(held.moved[k])
        found.append(
            {
                "kind": "frozen",
                "series": int(held.series[k]),
                "first": int(held.first[k]),
                "last": int(held.last[k]),
                "edge": "",
                "size": float(held.length[k]),
                "low": np.nan,
                "high": np.nan,
                "unit": "frames",
                "said": f"one drawing is held while the object moves {moved:.0f} px",
            }
        )
    return found


_WORDS: Final = {
    "missed_track": "the object was never drawn",
    "late_start": "not drawn at the beginning",
    "early_start": "drawn before the object is there",
    "early_end": "not drawn at the end",
    "late_end": "drawn when the object is gone",
    "gap": "not drawn in between",
    "id_switch": "goes on as track {drawn}, was {other}",
    "id_swap": "took over id {drawn}, was {other}",
    "merged_tracks": "track {drawn} has object {other} as well",
    "spurious_track": "track {drawn} is on no object",
    "duplicate_id": "track {drawn} has two boxes in a frame",
    "category_flip": "track {drawn} has another label than before",
}


def _texts(columns: dict[str, Array], said: Array) -> Array:
    """Return a sentence for each event: where, and what."""
    out = np.empty(len(said), dtype=object)
    for k in range(len(said)):
        first, last = columns["first_frame"][k], columns["last_frame"][k]
        frames = f"frame {first}" if first == last else f"frames {first} to {last}"
        drawn, other = columns["drawn_track_id"][k], columns["other_track_id"][k]
        what = said[k] or _WORDS[columns["kind"][k]].format(drawn=drawn, other=other)
        track = columns["track_id"][k]
        whose = f"track {drawn}" if track is None else f"object {track}"
        sequence = columns["sequence"][k]
        where = f"{whose}, {frames}" if sequence is None else f"{sequence}, {whose}, {frames}"
        out[k] = f"{where}: {what}"
    return out
