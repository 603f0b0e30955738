"""What can be wrong with tracks, whatever the format: frames that cannot be, repeats, gaps.

A part of the checks of `annqc.read.assemble`. Tracks are told apart by annotator, sequence and id.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.ids import encode
from annqc.read.part import plain
from annqc.sequences import UNKNOWN_LENGTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from annqc.read.part import Part
    from annqc.tables import Images, Problem, Sequences

    Array = npt.NDArray[Any]
    Bools = npt.NDArray[np.bool_]
    Ints = npt.NDArray[np.int64]

__all__ = ["check_frames", "check_tracks", "in_words"]

_MOST_SPANS: Final = 20


def check_frames(
    parts: Sequence[Part],
    columns: dict[str, Any],
    images: Images,
    sequences: Sequences | None,
    keep: Bools,
    problems: list[Problem],
) -> None:
    """List rows on frames that their sequence cannot have; they leave ``keep``, in place.

    Parameters
    ----------
    parts : sequence of Part
        What the readers gave.
    columns : dict
        Columns of all rows: ``image`` (n,) as row numbers of ``images``, -1 for none.
    images : Images
        The image table.
    sequences : Sequences or None
        The videos.
    keep : (n,) bool
        Rows that can be used.
    problems : list of Problem
        Takes what is found.
    """
    if images.sequence is None or images.frame is None or not sequences:
        return
    row_of = {id: row for row, id in enumerate(sequences.id.tolist())}
    code = np.array([row_of.get(id, -1) for id in images.sequence.tolist()], dtype=np.int64)
    last = sequences.first_frame + sequences.n_frames - 1
    endless = (sequences.n_frames == UNKNOWN_LENGTH)[code]
    wrong = (code >= 0) & ((images.frame < 0) | (~endless & (images.frame > last[code])))
    image = columns["image"]
    starts = _starts(parts)
    for row in np.flatnonzero(keep & (image >= 0) & wrong[image]).tolist():
        part, at = _at(parts, starts, row)
        frame, end = images.frame[image[row]], "on"
        if part.images is None or part.images.frame is None:
            continue  # united with frames of other files, its own have no number
        if not endless[image[row]]:
            end = f"to {last[code[image[row]]]}"
        message = f"expected a frame from 0 {end}, found {frame}"
        problems.append(part.problem("bad_frame", at, message))
        keep[row] = False


def check_tracks(
    parts: Sequence[Part],
    columns: dict[str, Any],
    images: Images,
    keep: Bools,
    annotator_ids: Array,
    problems: list[Problem],
) -> None:
    """List tracks that have two boxes on one frame, and tracks with gaps.

    Parameters
    ----------
    parts, columns, images, keep, problems
        As for `check_frames`; ``columns`` has ``track`` (n,), -1 for none, and ``annotator``.
    annotator_ids : (a,) array
        For messages.

    Notes
    -----
    A gap is a frame that is known to exist, between the first and the last frame of a track, on
    which the track is not drawn. Frames that were never cut out of a video are no gap. A track is
    listed once, at the first row after its first gap.
    """
    track, image = columns.get("track"), columns["image"]
    if track is None or images.sequence is None or images.frame is None:
        return
    place, start_of = _places(images)
    rows = np.flatnonzero(keep & (track >= 0) & (image >= 0))
    rows = rows[place[image[rows]] >= 0]
    if not len(rows):
        return
    order = rows[np.lexsort((rows, place[image[rows]], track[rows]))]
    same_track = track[order][1:] == track[order][:-1]
    step = np.diff(place[image[order]])
    starts = _starts(parts)

    def who(row: int) -> object:
        return plain(annotator_ids[columns["annotator"][row]])

    again = np.flatnonzero(same_track & (step == 0))
    for k in again[np.argsort(order[again + 1])].tolist():
        row, earlier = int(order[k + 1]), int(order[k])
        part, at = _at(parts, starts, row)
        home, there = _at(parts, starts, earlier)
        before = home.where.format(home.row[there])
        message = f"track {_id(part, at)!r} has a box on this frame already: {before}"
        problems.append(part.problem("duplicate_track_box", at, message, annotator=who(row)))

    silent = np.repeat([part.shows_absence for part in parts], [len(part) for part in parts])
    gaps = np.flatnonzero(same_track & (step > 1) & ~silent[order[1:]])
    frame_at = images.frame[start_of]
    run_end = np.append(np.flatnonzero(np.diff(frame_at) != 1), len(frame_at) - 1)
    of_track: dict[int, list[int]] = {}
    for k in gaps.tolist():
        of_track.setdefault(int(track[order[k]]), []).append(k)
    for some in of_track.values():
        row = int(order[some[0] + 1])
        part, at = _at(parts, starts, row)
        n = 0
        spans: list[tuple[int, int]] = []
        for k in some:
            a, b = (int(place[image[order[k + side]]]) for side in (0, 1))
            n += b - a - 1
            a += 1
            while a < b and len(spans) <= _MOST_SPANS:  # the frames may have gaps themselves
                end = min(int(run_end[np.searchsorted(run_end, a)]), b - 1)
                spans.append((int(frame_at[a]), int(frame_at[end])))
                a = end + 1
        frames = "frame" if n == 1 else "frames"
        message = f"track {_id(part, at)!r} is not drawn on {n} {frames}"
        message += f" between its first and its last: {in_words(spans)}"
        problems.append(part.problem("track_gap", at, message, annotator=who(row)))


def in_words(spans: Sequence[tuple[int, int]]) -> str:
    """Return first and last frames, the first twenty of them.

    Examples
    --------
    >>> in_words([(3, 5), (9, 9)])
    '3 to 5, 9'
    """
    told = [f"{a}" if a == b else f"{a} to {b}" for a, b in spans[:_MOST_SPANS]]
    return ", ".join(told) + (", ..." if len(spans) > _MOST_SPANS else "")


def _places(images: Images) -> tuple[Ints, Ints]:
    """Return the place of each image among the frames of all sequences, and the image there.

    Sequences stand one after the other; an image that is no frame has place -1. A track is of one
    sequence, so that frames of two never count as neighbours.
    """
    assert images.sequence is not None
    assert images.frame is not None
    real = np.array([one is not None for one in images.sequence.tolist()], dtype=bool)
    rows = np.flatnonzero(real & (images.frame >= 0))
    codes = encode(images.sequence[rows])[0]
    order = rows[np.lexsort((images.frame[rows], codes))]
    place = np.full(len(images), -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    return place, order


def _starts(parts: Sequence[Part]) -> Ints:
    """Return the row at which each part begins, and the end."""
    return np.array([0, *accumulate(len(part) for part in parts)], dtype=np.int64)


def _at(parts: Sequence[Part], starts: Ints, row: int) -> tuple[Part, int]:
    """Return the part of a row, and its row in it."""
    k = int(np.searchsorted(starts, row, side="right")) - 1
    return parts[k], row - int(starts[k])


def _id(part: Part, row: int) -> object:
    """Return the id of a track as it was given."""
    assert part.track is not None
    return plain(part.track[row])
