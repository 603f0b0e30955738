"""run: events of tracks on their own: jumps, frozen boxes, doubled ids, changed labels, gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.temporal.leaps import find_leaps
from annqc.infer.temporal.steps import HALF
from annqc.measure.track_events import STRUCTURAL, events_within

if TYPE_CHECKING:
    from annqc.run.alone import Alone
    from annqc.tables import Array, Bools, Ints

__all__ = ["HELD", "KINDS", "event_columns"]

KINDS: Final = ("jump", "frozen", "duplicate_id", "category_flip", "gap")
HELD: Final = 25
"""Frames from which a held drawing is listed: a second of video."""


def event_columns(alone: Alone) -> dict[str, Array]:
    """Lay out every event as a stretch of frames, the largest of each kind first.

    Parameters
    ----------
    alone : Alone
        Tracks on their own.

    Returns
    -------
    dict of str to (m,) array
        ``annotator, sequence, kind, track_id, first_frame, last_frame, size, unit, text``.
    """
    rows = [*_structural(alone), *_gaps(alone), *_jumps(alone), *_frozen(alone)]
    order = sorted(range(len(rows)), key=lambda k: (KINDS.index(rows[k]["kind"]), -rows[k]["size"]))
    names = (
        *("annotator", "sequence", "kind", "track_id"),
        *("first_frame", "last_frame", "size", "unit", "text"),
    )
    columns = {}
    for name in names:
        column = np.empty(len(rows), dtype=object)
        column[:] = [rows[k][name] for k in order]
        columns[name] = column
    for name in ("first_frame", "last_frame"):
        columns[name] = columns[name].astype(np.int64)
    columns["size"] = columns["size"].astype(np.float64)
    return columns


def _event(alone: Alone, kind: str, row: int, first: int, last: int, **told: Any) -> dict[str, Any]:
    """Describe an event of the track that a row of the annotations belongs to."""
    data = alone.work
    images, image = data.image_table, int(data.table.image[row])
    sequence = None if images.sequence is None else images.sequence[image]
    track = data.tracks_of(alone.track_of_rows[[row]])[0]
    frames = f"frame {first}" if first == last else f"frames {first} to {last}"
    where = (
        f"track {track}, {frames}" if sequence is None else f"{sequence}, track {track}, {frames}"
    )
    said = told.pop("said")
    return {
        "annotator": data.annotator_ids[data.table.annotator[row]],
        "sequence": sequence,
        "kind": kind,
        "track_id": track,
        "first_frame": first,
        "last_frame": last,
        "size": float(told.get("size", last - first + 1)),
        "unit": told.get("unit", "frames"),
        "text": f"{where}: {said}",
    }


def _structural(alone: Alone) -> list[dict[str, Any]]:
    found = events_within(alone.work)
    row_of = np.full(int(alone.track_of_rows.max(initial=-1)) + 1, -1)
    row_of[alone.track_of_rows[alone.first]] = alone.first
    words = {
        "duplicate_id": "two boxes in a frame",
        "category_flip": "another label than before",
    }
    listed = []
    for k in range(len(found)):
        kind, row = STRUCTURAL[found.kind[k]], int(row_of[found.drawn_track[k]])
        if row >= 0:
            first, last = int(found.first_frame[k]), int(found.last_frame[k])
            listed.append(_event(alone, kind, row, first, last, said=words[kind]))
    return listed


def _gaps(alone: Alone) -> list[dict[str, Any]]:
    inside = np.ones(max(len(alone.rows) - 1, 0), dtype=bool)
    inside[alone.starts[1:-1] - 1] = False
    at = np.flatnonzero(inside & (np.diff(alone.frame) > 1))
    said = "not drawn in between"
    return [
        _event(
            alone,
            "gap",
            int(alone.rows[k]),
            int(alone.frame[k]) + 1,
            int(alone.frame[k + 1]) - 1,
            said=said,
        )
        for k in at.tolist()
    ]


def _jumps(alone: Alone) -> list[dict[str, Any]]:
    found = find_leaps(
        alone.boxes, alone.frame, alone.starts, tolerance=alone.allowed, grid=alone.grid
    )
    listed = []
    for k in np.flatnonzero(_seen_throughout(alone, found.series, found.frame)).tolist():
        row, frame = int(alone.first[found.series[k]]), int(found.frame[k])
        px = float(np.nanmax(np.abs(found.size[k])))
        said = f"an edge moves {px:.1f} px that its motion does not explain"
        listed.append(_event(alone, "jump", row, frame, frame, size=px, unit="px", said=said))
    return listed


def _seen_throughout(alone: Alone, series: Ints, frame: Ints) -> Bools:
    """Whether the frames around are all drawn: what an object did in a gap nobody knows."""
    n = len(alone.frame)
    width = int(alone.frame.max(initial=0)) + 1
    keys = np.repeat(np.arange(len(alone.starts) - 1), np.diff(alone.starts)) * width + alone.frame
    at = np.searchsorted(keys, series * width + frame)
    first, last = np.maximum(at - HALF, 0), np.minimum(at + HALF - 1, max(n - 1, 0))
    return np.asarray(keys[last] - keys[first] == 2 * HALF - 1)


def _frozen(alone: Alone) -> list[dict[str, Any]]:
    held = alone.held
    said = "one drawing is held; right, if the object stands still"
    return [
        _event(
            alone,
            "frozen",
            int(alone.first[held.series[k]]),
            int(held.first[k]),
            int(held.last[k]),
            said=said,
        )
        for k in np.flatnonzero(held.length >= HELD).tolist()
    ]
