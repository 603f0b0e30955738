"""measure: where tracks begin late, break, change hands or name something else: stretches.

An event is a stretch of frames of one track. What is said here is a matter of identity, of being
there or not, and of the label; how far boxes are off along a track is the business of
`annqc.infer.temporal`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.measure.track_event_kinds import STRUCTURAL, SWAP_FRAMES, TrackEvents
from annqc.measure.track_reach import reach_beyond

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.measure.tracks import TrackSeries
    from annqc.tables import Array, Bools, Dataset, Ints

__all__ = ["STRUCTURAL", "TrackEvents", "events_between", "events_within"]

MERGED_FRAMES: Final = 10
"""A track stands for an object that it has for this many frames."""


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
    each or more, and they did not swap. A ``spurious_track`` has no frame on any object. A label
    that changes because the track went over to an object of another category is not told again as
    a ``category_flip``.
    """
    parts = [
        _missing(series),
        *_switches(series),
        _beyond(matches, series),
        _spurious(matches, series),
    ]
    between = TrackEvents.concat(parts)
    within = events_within(matches.candidate, matches.image_of_candidate, matches)
    found = TrackEvents.concat([between, within.take(~_told(matches, between, within))])
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


def _told(matches: Matches, between: TrackEvents, within: TrackEvents) -> Bools:
    """Which changes of a label come with a swap, or two objects on one id, that is told already."""
    track = matches.reference.table.track
    category = np.zeros(int(-1 if track is None else track.max(initial=-1)) + 2, dtype=np.int64)
    if track is not None:
        category[track] = matches.reference_category
    swap, merged = (between.kind == STRUCTURAL.index(one) for one in ("id_swap", "merged_tracks"))
    names = ("drawn_track", "other_track", "track", "first_frame")
    gone_over = [
        tuple(row) for row in np.stack([getattr(between, name) for name in names], axis=1).tolist()
    ]
    moved: dict[int, list[int]] = {}
    for k in np.flatnonzero(merged).tolist():
        drawn, before, now, frame = gone_over[k]
        if category[before] != category[now]:
            moved.setdefault(drawn, []).append(frame)
    swaps: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for k in np.flatnonzero(swap).tolist():
        drawn, other, now, frame = gone_over[k]
        swaps.setdefault((drawn, other), []).append((now, frame))
    for (drawn, other), places in swaps.items():
        for now, frame in places:
            back = swaps.get((other, drawn), ())
            partners = [one for one, there in back if abs(there - frame) <= SWAP_FRAMES]
            if any(category[one] != category[now] for one in partners):
                moved.setdefault(drawn, []).append(frame)
    flips: dict[int, list[tuple[int, int]]] = {}
    for k in np.flatnonzero(within.kind == STRUCTURAL.index("category_flip")).tolist():
        flips.setdefault(int(within.drawn_track[k]), []).append((int(within.first_frame[k]), k))
    told = np.zeros(len(within), dtype=bool)
    for drawn, frames in moved.items():
        for frame in frames:
            near = [(abs(at - frame), k) for at, k in flips.get(drawn, ())]
            away, k = min(near, default=(SWAP_FRAMES + 1, -1))
            if away <= SWAP_FRAMES:
                told[k] = True
    return told


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
    reach = reach_beyond(matches, series)
    parts = []
    for side, kind in enumerate(("early_start", "late_end")):
        k = np.flatnonzero(reach[:, side])
        n = reach[k, side]
        row = series.starts[k + 1] - 1 if side else series.starts[k]
        here = series.frame[row]
        parts.append(
            _events(
                kind,
                series.annotator[k],
                series.image[k],
                series.track[k],
                series.drawn_track[row],
                np.full(len(k), -1),
                here + 1 if side else here - n,
                here + n if side else here - 1,
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
