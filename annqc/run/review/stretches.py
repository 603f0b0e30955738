"""run: frames of one track that are to be looked at for one reason, which are one look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.ids import encode

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.tables import Array, Images, Ints

__all__ = ["Stretches", "stretches_of"]

GAP: Final = 5
"""A stretch goes on where so many images of the video or fewer have no such row between them."""


class Stretches(NamedTuple):
    """Stretches of m rows.

    Attributes
    ----------
    lead : (s,) int64
        The row of each stretch that gains most.
    n, first, last : (s,) int64
        How many frames it has, and the first and last of them, as rows of the images.
    """

    lead: Ints
    n: Ints
    first: Ints
    last: Ints


def stretches_of(matches: Matches, rows: dict[str, Array], best: Ints) -> Stretches:
    """Put together frames of a track that one annotator has wrong in one way.

    Parameters
    ----------
    matches : Matches
        What was matched.
    rows : dict of str to (m,) array
        ``reference, candidate, annotator, kind, image``, one row a unit of the queue.
    best : (m,) int64
        The rows, the one that gains most first.

    Returns
    -------
    Stretches
        In the order of ``best``. A row without a track or without a frame is one of its own.
    """
    m = len(rows["kind"])
    if not m:
        none = np.empty(0, dtype=np.int64)
        return Stretches(none, none, none, none)
    video, place = _places(matches.reference.image_table)
    track = _tracks(matches, rows["reference"], rows["candidate"])
    alone = (track < 0) | (place[rows["image"]] < 0)
    columns = [track, rows["annotator"], rows["kind"], video[rows["image"]]]
    columns = [np.where(alone, -1, one) for one in columns]
    at = np.where(alone, np.arange(m) * (GAP + 2), place[rows["image"]])
    order = np.lexsort((at, *columns))
    apart = np.arange(m) == 0
    for one in columns:
        apart[1:] |= np.diff(one[order]) != 0
    apart[1:] |= np.diff(at[order]) > GAP + 1
    number = np.empty(m, dtype=np.int64)
    number[order] = np.cumsum(apart) - 1
    begin = np.flatnonzero(apart)
    end = np.append(begin[1:], m) - 1
    _, lead = np.unique(number[best], return_index=True)
    lead = best[np.sort(lead)]
    of = number[lead]
    images = rows["image"][order]
    return Stretches(lead, (end - begin + 1)[of], images[begin][of], images[end][of])


def _places(images: Images) -> tuple[Ints, Ints]:
    """Return the video of each image, and which of its images it is; -1 for none."""
    m = len(images)
    video, place = np.zeros(m, dtype=np.int64), np.full(m, -1)
    if images.frame is None:
        return video, place
    if images.sequence is not None:
        names = [str(one) for one in images.sequence.tolist()]
        video = encode(np.array([*names, None], dtype=object)[:-1])[0]
    order = np.lexsort((images.frame, video))
    begin = np.searchsorted(video[order], video[order])
    place[order] = np.arange(m) - begin
    return video, place


def _tracks(matches: Matches, reference: Ints, candidate: Ints) -> Ints:
    """Give the tracks of rows numbers, that of the reference or else that of the work."""
    gold, drawn = matches.reference.table.track, matches.candidate.table.track
    found = np.full(len(reference), -1)
    spare = 0 if gold is None else int(gold.max(initial=-1)) + 1
    for rows, track, begin in ((candidate, drawn, spare), (reference, gold, 0)):
        if track is not None:
            some = np.flatnonzero(rows >= 0)
            some = some[track[rows[some]] >= 0]
            found[some] = track[rows[some]] + begin
    return found
