"""measure: keeping an object with the track that has it, where objects pass close by each other.

Overlap in a single frame does not know which of two boxes on two objects that nearly coincide is
whose. As CLEAR has it (Bernardin and Stiefelhagen 2008), the track that had the object keeps it for
as long as its box overlaps the object by half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.tables import Ints

__all__ = ["KEEPS", "kept_owners"]

KEEPS: Final = 0.5
"""Overlap from which the track that had the object last keeps it."""


def kept_owners(matches: Matches, candidate: Ints, reference: Ints, starts: Ints) -> Ints:
    """Pair objects with the tracks that had them before, where those still overlap them by half.

    Parameters
    ----------
    matches : Matches
        What was matched.
    candidate, reference : (n,) int64
        Rows of the two annotation tables, as paired by overlap frame by frame; candidate -1 for
        none. By annotator, reference track and frame.
    starts : (s + 1,) int64
        Where each series begins, and the end.

    Returns
    -------
    (n,) int64
        The candidate rows. A box is never given to two objects: who loses it takes what the other
        leaves, if that is its own track's or overlaps it by half. Where tracks do exchange their
        objects, they do so where overlap in single frames says it, and not only where they have
        come apart.
    """
    tracks = matches.candidate.table.track
    if tracks is None or not len(candidate):
        return candidate
    lengths = np.diff(starts)
    series = np.repeat(np.arange(len(lengths)), lengths)
    there = np.flatnonzero(candidate >= 0)
    owner = tracks[candidate[there]]
    change = (series[there][1:] == series[there][:-1]) & (owner[1:] != owner[:-1])
    restless = np.zeros(len(lengths), dtype=bool)
    restless[series[there][1:][change]] = True
    if not restless.any():
        return candidate
    keeper = _Keeper(matches, candidate, reference, series, tracks)
    kept = keeper.kept(restless[series])
    return _put_back(kept, candidate, keeper.group, starts, tracks)


class _Keeper:
    """Goes through frames in their order, and remembers who had which object."""

    def __init__(
        self, matches: Matches, candidate: Ints, reference: Ints, series: Ints, tracks: Ints
    ) -> None:
        gold, work = matches.reference, matches.candidate
        self.candidate, self.series, self.tracks = candidate, series, tracks
        self.gold, self.drawn = gold.table.xyxy[reference], work.table.xyxy
        image = gold.table.image[reference]
        n_images = len(gold.image_table)
        # an image of one annotator; series of one track are one annotator's
        annotator = _annotator_of_rows(matches, candidate, series)
        self.group = annotator * n_images + image
        frames = gold.image_table.frame
        self.frame = image if frames is None else frames[image]
        usable = (tracks >= 0) & ~work.table.ignored & ~work.table.crowd
        rows = np.flatnonzero(usable & (matches.image_of_candidate >= 0))
        keys = zip(tracks[rows].tolist(), matches.image_of_candidate[rows].tolist(), strict=True)
        self.box_of = dict(zip(keys, rows.tolist(), strict=True))
        self.image = image

    def kept(self, restless: Any) -> Ints:
        """Pair frame by frame; only where a series with a change is in view can anything differ."""
        groups = np.unique(self.group[restless])
        rows = np.flatnonzero(np.isin(self.group, groups))
        rows = rows[np.lexsort((self.group[rows], self.frame[rows]))]
        new = np.append(True, self.group[rows][1:] != self.group[rows][:-1])
        out = self.candidate.copy()
        had: dict[int, int] = {}
        for some in np.split(rows, np.flatnonzero(new)[1:]):
            self._one_frame(some.tolist(), out, had)
        return out

    def _one_frame(self, rows: list[int], out: Ints, had: dict[int, int]) -> None:
        paired = {row: int(self.candidate[row]) for row in rows}
        firm: dict[int, int] = {}
        own: dict[int, int] = {}
        for row in rows:
            before = had.get(int(self.series[row]), -1)
            box = self.box_of.get((before, int(self.image[row])), -1) if before >= 0 else -1
            own[row] = box
            if box >= 0 and (box == paired[row] or self._overlap(row, box) >= KEEPS):
                firm[row] = box
        by_box: dict[int, list[int]] = {}
        for row, box in firm.items():
            by_box.setdefault(box, []).append(row)
        for box, claims in by_box.items():
            if len(claims) > 1:  # it stays with the object that overlap gives it to
                for row in claims:
                    if paired[row] != box:
                        del firm[row]
        taken = set(firm.values())
        left = {paired[row] for row in firm if paired[row] >= 0} - taken
        for row in rows:
            box = paired[row]
            if row in firm:
                box = firm[row]
            elif box in taken:
                box = own[row] if own[row] in left else self._best(row, left)
                left.discard(box)
            taken.add(box)
            out[row] = box
            if box >= 0 and self.tracks[box] >= 0:
                had[int(self.series[row])] = int(self.tracks[box])

    def _best(self, row: int, left: set[int]) -> int:
        """Of the boxes that others leave the one that overlaps the object most, and by half."""
        best = max(left, key=lambda one: self._overlap(row, one), default=-1)
        return best if best >= 0 and self._overlap(row, best) >= KEEPS else -1

    def _overlap(self, row: int, box: int) -> float:
        one, other = self.gold[row].tolist(), self.drawn[box].tolist()
        width = min(one[2], other[2]) - max(one[0], other[0])
        height = min(one[3], other[3]) - max(one[1], other[1])
        if width <= 0 or height <= 0:
            return 0.0
        areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
        return float(width * height / (areas - width * height))


def _annotator_of_rows(matches: Matches, candidate: Ints, series: Ints) -> Ints:
    """Annotator of every row, as the drawings of its series tell; a number of its own for none."""
    annotator = np.full(int(series.max(initial=-1)) + 1, len(matches.candidate.annotator_ids))
    there = candidate >= 0
    annotator[series[there]] = matches.candidate.table.annotator[candidate[there]]
    return np.asarray(annotator[series])


def _put_back(kept: Ints, paired: Ints, group: Ints, starts: Ints, tracks: Ints) -> Ints:
    """Let a lasting change begin where overlap in single frames saw it first.

    A track that is left for good was left when its box began to overlap another object more.
    """
    out = kept.copy()
    for k in range(len(starts) - 1):
        rows = np.arange(starts[k], starts[k + 1])
        rows = rows[kept[rows] >= 0]
        owner = tracks[kept[rows]]
        for at in np.flatnonzero(owner[1:] != owner[:-1]).tolist():
            now = owner[at + 1]
            for row in rows[at::-1].tolist():
                if paired[row] < 0 or tracks[paired[row]] != now:
                    break
                out[row] = paired[row]
    changed = np.isin(group, np.unique(group[out != kept]))
    pairs = np.stack([group[changed], out[changed]], axis=1)
    drawn = pairs[:, 1] >= 0
    distinct, counts = np.unique(pairs[drawn], axis=0, return_counts=True)
    twice = np.isin(group, distinct[counts > 1, 0])
    return np.where(twice, kept, out)
