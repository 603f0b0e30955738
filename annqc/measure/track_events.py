"""measure: where tracks begin late, break, change hands or name something else: stretches.

An event is a stretch of frames of one track. What is said here is a matter of identity, of being
there or not, and of the label; how far boxes are off along a track is the business of
`annqc.infer.temporal`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.measure.tracks import TrackSeries
    from annqc.tables import Array, Bools, Dataset, Ints

__all__ = ["STRUCTURAL", "TrackEvents", "events_between", "events_within"]

STRUCTURAL: Final = (
    "missed_track",
    "late_start",
    "early_start",
    "early_end",
    "late_end",
    "gap",
    "id_switch",
    "id_swap",
    "merged_tracks",
    "spurious_track",
    "duplicate_id",
    "category_flip",
)
"""Kinds of events that are about identity, presence and labels."""

SWAP_FRAMES: Final = 10
"""Two tracks that take over from each other within this many frames exchanged their ids."""
MERGED_FRAMES: Final = 10
"""A track stands for an object that it has for this many frames."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class TrackEvents:
    """m stretches.

    Attributes
    ----------
    kind : (m,) int64
        Position in `STRUCTURAL`.
    annotator : (m,) int64
        Who drew it.
    image : (m,) int64
        An image of the sequence, a row of the reference's image table (of the dataset's own, from
        `events_within`).
    track : (m,) int64
        Track of the reference, -1 where the event is about a drawn track alone.
    drawn_track : (m,) int64
        Track of the candidate; -1 where nothing was drawn. Of a switch or a swap, the new one.
    other_track : (m,) int64
        Of a switch or a swap, the track before; of merged tracks, the other reference track.
    first_frame, last_frame : (m,) int64
        The stretch.
    size : (m,) float64
        Frames of the stretch; of a switch, a swap and merged tracks, how long the new one lasts.
    """

    kind: Ints
    annotator: Ints
    image: Ints
    track: Ints
    drawn_track: Ints
    other_track: Ints
    first_frame: Ints
    last_frame: Ints
    size: Array

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, rows: Array) -> TrackEvents:
        """Return the given rows."""
        return TrackEvents(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    @classmethod
    def concat(cls, parts: list[TrackEvents]) -> TrackEvents:
        """Lay events end to end."""
        columns = {
            one.name: np.concatenate([getattr(part, one.name) for part in parts])
            for one in fields(cls)
        }
        return cls(**columns)


def events_between(matches: Matches, series: TrackSeries) -> TrackEvents:
    """List what is wrong with the tracks of a comparison.

    Parameters
    ----------
    matches : Matches
        What was matched.
    series : TrackSeries
        From `annqc.measure.tracks.measure_tracks`.

    Returns
    -------
    TrackEvents
        By annotator, sequence and frame. Frames are the reference's. Ends of a track at the first
        or last frame that the sequence has are events like any other; whether they count as
        evidence is decided later.

    Notes
    -----
    A ``gap`` lies between two drawn frames of an object. An ``id_switch`` is where an object goes
    on under another id; an ``id_swap`` is two of them, of two objects that take over each other's
    id within ten frames. Tracks are ``merged_tracks`` where one id has two objects for ten frames
    each or more, and they did not swap. A ``spurious_track`` has no frame on any object.
    """
    parts = [
        _missing(series),
        *_switches(series),
        _beyond(matches, series),
        _spurious(matches, series),
    ]
    parts += [events_within(matches.candidate, matches.image_of_candidate, matches)]
    found = TrackEvents.concat(parts)
    return found.take(np.lexsort((found.kind, found.first_frame, found.image, found.annotator)))


def events_within(
    data: Dataset, image: Ints | None = None, matches: Matches | None = None
) -> TrackEvents:
    """List what is wrong with tracks on their own: ids twice in a frame, labels that change.

    Parameters
    ----------
    data : Dataset
        What was drawn.
    image : (n,) int64, optional
        Image of each row in the numbering that events are told in; rows at -1 are left out.
    matches : Matches, optional
        Whose reference numbers the frames; the dataset itself if not given.

    Returns
    -------
    TrackEvents
        Of the kinds ``duplicate_id`` and ``category_flip``.
    """
    table = data.table
    image = table.image if image is None else image
    images = data.image_table if matches is None else matches.reference.image_table
    if table.track is None:
        return _events("gap", *(np.empty(0, dtype=np.int64) for _ in range(7)))
    rows = np.flatnonzero((table.track >= 0) & (image >= 0) & ~table.ignored & ~table.crowd)
    frame = _frame(images.frame, image[rows])
    order = np.lexsort((frame, table.track[rows]))
    rows, frame = rows[order], frame[order]
    track, category = table.track[rows], table.category[rows]
    same = np.zeros(len(rows), dtype=bool)
    same[1:] = (track[1:] == track[:-1]) & (frame[1:] == frame[:-1])
    twice = _stretches(same, track, frame)
    found = [
        _events(
            "duplicate_id",
            table.annotator[rows[twice[0]]],
            image[rows[twice[0]]],
            np.full(len(twice[0]), -1),
            track[twice[0]],
            np.full(len(twice[0]), -1),
            frame[twice[0]],
            frame[twice[1]],
        )
    ]
    alone = np.flatnonzero(~same)
    track, category, frame, rows = track[alone], category[alone], frame[alone], rows[alone]
    new = np.zeros(len(rows), dtype=bool)
    new[1:] = (track[1:] == track[:-1]) & (category[1:] != category[:-1])
    first = np.flatnonzero(new)
    bounds = np.append(np.flatnonzero(new | np.append(True, track[1:] != track[:-1])), len(rows))
    last = bounds[np.searchsorted(bounds, first, side="right")] - 1
    found.append(
        _events(
            "category_flip",
            table.annotator[rows[first]],
            image[rows[first]],
            np.full(len(first), -1),
            track[first],
            np.full(len(first), -1),
            frame[first],
            frame[last],
        )
    )
    return TrackEvents.concat(found)


def _frame(frame: Ints | None, image: Ints) -> Ints:
    return image if frame is None else frame[image]


def _stretches(flag: Array, track: Ints, frame: Ints) -> tuple[Ints, Ints]:
    """First and last row of each run of flagged rows of a track in neighbouring frames."""
    rows = np.flatnonzero(flag)
    if not len(rows):
        return rows, rows
    apart = (np.diff(frame[rows]) > 1) | (np.diff(track[rows]) != 0)
    return rows[np.append(True, apart)], rows[np.append(apart, True)]


def _events(
    kind: str,
    annotator: Ints,
    image: Ints,
    track: Ints,
    drawn_track: Ints,
    other_track: Ints,
    first_frame: Ints,
    last_frame: Ints,
) -> TrackEvents:
    return TrackEvents(
        kind=np.full(len(annotator), STRUCTURAL.index(kind)),
        annotator=annotator,
        image=image,
        track=track,
        drawn_track=drawn_track,
        other_track=other_track,
        first_frame=first_frame,
        last_frame=last_frame,
        size=(last_frame - first_frame + 1).astype(np.float64),
    )


def _missing(series: TrackSeries) -> TrackEvents:
    """Frames without a drawing: all of a track, its beginning, its end, or in between."""
    absent = series.candidate < 0
    of = series.series
    first = np.flatnonzero(absent & np.append(True, ~absent[:-1] | (of[1:] != of[:-1]))[: len(of)])
    last = np.flatnonzero(absent & np.append(~absent[1:] | (of[1:] != of[:-1]), True)[: len(of)])
    at_start = first == series.starts[of[first]]
    at_end = last == series.starts[of[last] + 1] - 1
    kinds = {
        "missed_track": at_start & at_end,
        "late_start": at_start & ~at_end,
        "early_end": ~at_start & at_end,
        "gap": ~at_start & ~at_end,
    }
    parts = []
    for kind, is_kind in kinds.items():
        one, end = first[is_kind], last[is_kind]
        drawn = np.full(len(one), -1)
        if kind in {"early_end", "gap"}:
            drawn = series.drawn_track[one - 1]
        elif kind == "late_start":
            drawn = series.drawn_track[end + 1]
        parts.append(
            _events(
                kind,
                series.annotator[of[one]],
                series.image[of[one]],
                series.track[of[one]],
                drawn,
                np.full(len(one), -1),
                series.frame[one],
                series.frame[end],
            )
        )
    return TrackEvents.concat(parts)


def _switches(series: TrackSeries) -> list[TrackEvents]:
    """Objects that go on under another id, and ids that have two objects."""
    rows = np.flatnonzero((series.candidate >= 0) & (series.drawn_track >= 0))
    of, owner, frame = series.series[rows], series.drawn_track[rows], series.frame[rows]
    same = np.zeros(len(rows), dtype=bool)
    same[1:] = of[1:] == of[:-1]
    change = np.flatnonzero(same & np.append(False, owner[1:] != owner[:-1])[: len(rows)])
    run_starts = np.flatnonzero(~same | np.append(True, owner[1:] != owner[:-1])[: len(rows)])
    run_ends = np.append(run_starts[1:], len(rows)) - 1
    run_of = np.searchsorted(run_starts, change)
    old, new, when = owner[change - 1], owner[change], frame[change]
    swap = _taken_back(of[change], old, new, when)
    found = [
        _events(
            kind,
            series.annotator[of[change[is_kind]]],
            series.image[of[change[is_kind]]],
            series.track[of[change[is_kind]]],
            new[is_kind],
            old[is_kind],
            when[is_kind],
            frame[run_ends[run_of[is_kind]]],
        )
        for kind, is_kind in (("id_switch", ~swap), ("id_swap", swap))
    ]
    swapped = {frozenset(pair) for pair in zip(old[swap].tolist(), new[swap].tolist(), strict=True)}
    merged: list[tuple[int, int]] = []
    length = run_ends - run_starts + 1
    long_runs = np.flatnonzero(length >= MERGED_FRAMES)
    by_owner: dict[int, list[int]] = {}
    for run in long_runs.tolist():
        by_owner.setdefault(int(owner[run_starts[run]]), []).append(run)
    for name, runs in by_owner.items():
        objects = {int(of[run_starts[run]]): run for run in reversed(runs)}
        if len(objects) < 2 or any(name in pair for pair in swapped):
            continue
        ordered = sorted(objects.items(), key=lambda item: int(frame[run_starts[item[1]]]))
        merged += [(run, ordered[0][0]) for _, run in ordered[1:]]
    second = np.array([run for run, _ in merged], dtype=np.int64)
    begin, end = run_starts[second], run_ends[second]
    found.append(
        _events(
            "merged_tracks",
            series.annotator[of[begin]],
            series.image[of[begin]],
            series.track[of[begin]],
            owner[begin],
            series.track[np.array([other for _, other in merged], dtype=np.int64)],
            frame[begin],
            frame[end],
        )
    )
    return found


def _taken_back(of: Ints, old: Ints, new: Ints, when: Ints) -> Bools:
    """Whether each change of id is answered by the opposite one, of another object, soon."""
    changes: dict[tuple[int, int], list[tuple[int, int]]] = {}
    listed = list(zip(old.tolist(), new.tolist(), when.tolist(), of.tolist(), strict=True))
    for before, after, frame, one in listed:
        changes.setdefault((before, after), []).append((frame, one))
    return np.array(
        [
            any(
                other != one and abs(there - frame) <= SWAP_FRAMES
                for there, other in changes.get((after, before), ())
            )
            for before, after, frame, one in listed
        ],
        dtype=bool,
    )


def _beyond(matches: Matches, series: TrackSeries) -> TrackEvents:
    """Drawn tracks that begin before their object or go on after it."""
    table = matches.candidate.table
    rows = np.flatnonzero((series.candidate >= 0) & (series.drawn_track >= 0))
    if table.track is None or not len(rows):
        return _events("gap", *(np.empty(0, dtype=np.int64) for _ in range(7)))
    free = (table.track >= 0) & (matches.image_of_candidate >= 0) & ~table.ignored & ~table.crowd
    free[series.candidate[rows]] = False
    free[matches.pair_candidate] = False
    loose = np.flatnonzero(free)
    frame = _frame(matches.reference.image_table.frame, matches.image_of_candidate)
    order = loose[np.lexsort((frame[loose], table.track[loose]))]
    track_of, frame_of = table.track[order], frame[order]
    of = series.series[rows]
    new = np.append(True, of[1:] != of[:-1])
    first, last = rows[new], rows[np.append(new[1:], True)]
    parts = []
    for kind, ends, step in (("early_start", first, -1), ("late_end", last, 1)):
        found: list[tuple[int, int, int]] = []
        at_end = ends == (
            series.starts[series.series[ends]]
            if step < 0
            else series.starts[series.series[ends] + 1] - 1
        )
        for row in ends[at_end].tolist():
            one, here = int(series.drawn_track[row]), int(series.frame[row])
            low, high = np.searchsorted(track_of, [one, one + 1])
            frames = frame_of[low:high]
            frames = frames[frames < here] if step < 0 else frames[frames > here]
            # only what joins the track without a break
            reach = frames[::-1] if step < 0 else frames
            wanted = here + step * np.arange(1, len(reach) + 1)
            n = int((reach == wanted).cumprod().sum())
            if n:
                found.append((row, here + step * n, here + step))
        picked = np.array([row for row, _, _ in found], dtype=np.int64)
        bounds = np.array([sorted(pair) for _, *pair in found], dtype=np.int64).reshape(-1, 2)
        parts.append(
            _events(
                kind,
                series.annotator[series.series[picked]],
                series.image[series.series[picked]],
                series.track[series.series[picked]],
                series.drawn_track[picked],
                np.full(len(picked), -1),
                bounds[:, 0],
                bounds[:, 1],
            )
        )
    return TrackEvents.concat(parts)


def _spurious(matches: Matches, series: TrackSeries) -> TrackEvents:
    """Drawn tracks that are on no object in any frame."""
    table = matches.candidate.table
    if table.track is None:
        return _events("gap", *(np.empty(0, dtype=np.int64) for _ in range(7)))
    known = np.zeros(int(table.track.max(initial=-1)) + 1, dtype=bool)
    known[series.drawn_track[series.drawn_track >= 0]] = True
    paired = table.track[matches.pair_candidate]
    known[paired[paired >= 0]] = True
    swallowed = table.track[matches.absorbed_candidate]
    known[swallowed[swallowed >= 0]] = True
    counts = (matches.image_of_candidate >= 0) & ~table.ignored & ~table.crowd
    rows = np.flatnonzero((table.track >= 0) & counts)
    rows = rows[~known[table.track[rows]]]
    frame = _frame(matches.reference.image_table.frame, matches.image_of_candidate)
    order = rows[np.lexsort((frame[rows], table.track[rows]))]
    track = table.track[order]
    new = np.append(True, track[1:] != track[:-1])[: len(track)]
    first, last = order[new], order[np.append(new[1:], True)[: len(track)]]
    return _events(
        "spurious_track",
        table.annotator[first],
        matches.image_of_candidate[first],
        np.full(len(first), -1),
        table.track[first],
        np.full(len(first), -1),
        frame[first],
        frame[last],
    )
