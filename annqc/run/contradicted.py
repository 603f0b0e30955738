"""run: pairs whose gold may be what is off, for others drew what the annotator drew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.geometry.boxes import paired_iou
from annqc.run.review.rows import is_consensus

if TYPE_CHECKING:
    from annqc.run.audit import Run
    from annqc.tables import Floats, Ints

__all__ = ["Contradicted", "Votes"]

SAME_OBJECT: Final = 0.5
"""Boxes of two annotators are of one object from this IoU on."""
ENOUGH: Final = 3
"""So many others are asked at least: two may err alike."""
SEARCHED: Final = 200
"""Of so many pairs, the farthest off, others are asked; where all are in doubt the rest is too."""


class Votes(NamedTuple):
    """How many others drew a box like the annotator's and unlike the gold's, of how many asked."""

    like_this: int
    asked: int

    @property
    def contradict(self) -> bool:
        """Whether the gold is likely what is off: at least half of three or more say so."""
        return self.asked >= ENOUGH and 2 * self.like_this >= self.asked


class Contradicted:
    """Asks the others on an image whether the annotator or the gold is off.

    Parameters
    ----------
    run : Run
        The comparison. Where everybody is compared with the others there is no gold to doubt.

    Notes
    -----
    Another annotator contradicts the gold if a box of theirs, of whatever category, overlaps the
    annotator's with an IoU of at least 0.5, and of the three boxes these two are the nearest to
    each other: both overlap the gold's box less. A box that is merely as near to the annotator's
    as the gold is, by the noise of all three, is no vote.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        matches = run.matches
        image = matches.image_of_candidate
        self._order = np.argsort(image, kind="stable")
        self._image = image[self._order]
        self._asked = np.bincount(
            matches.task_image, minlength=len(matches.reference.image_table)
        ).tolist()
        alone = len(run.candidate.annotator_ids) <= ENOUGH
        self._mute = alone or is_consensus(run)
        self._votes: dict[int, Votes] = {}

    def votes(self, pair: int) -> Votes:
        """Count the others who contradict the gold of a pair.

        Parameters
        ----------
        pair : int
            Row of the measurements.
        """
        if self._mute:
            return Votes(0, 0)
        if pair not in self._votes:
            self._votes[pair] = self._count(pair)
        return self._votes[pair]

    def last(self, pairs: Ints) -> Ints:
        """Put pairs whose gold is contradicted after the others; the order stays otherwise.

        Parameters
        ----------
        pairs : (n,) int64
            Rows of the measurements, the farthest off first; of the first 200 others are asked.
        """
        if self._mute:
            return pairs
        asked = pairs[:SEARCHED]
        doubted = np.array([self.votes(one).contradict for one in asked.tolist()], dtype=bool)
        rest = pairs[SEARCHED:]
        return np.concatenate([asked[~doubted], asked[doubted], rest])

    def said(self, pair: int) -> str:
        """Say that the gold of a pair may be off; nothing where it is not contradicted.

        Parameters
        ----------
        pair : int
            Row of the measurements.
        """
        votes = self.votes(pair)
        if not votes.contradict:
            return ""
        many = f"{votes.like_this} of {votes.asked} others"
        return f"{many} drew it like this: the gold may be what is off"

    def _count(self, pair: int) -> Votes:
        measured, matches = self._run.measurements, self._run.matches
        gold, mine = int(measured.reference[pair]), int(measured.candidate[pair])
        image = int(matches.image_of_candidate[mine])
        table = matches.candidate.table
        begin, end = np.searchsorted(self._image, [image, image + 1])
        here = self._order[begin:end]
        here = here[table.annotator[here] != table.annotator[mine]]
        gold_box, my_box = matches.reference.table.xyxy[gold], table.xyxy[mine]
        like_me = _ious(table.xyxy[here], my_box)
        like_gold = _ious(table.xyxy[here], gold_box)
        far = _ious(my_box[None], gold_box)[0]
        nearest = (like_me >= SAME_OBJECT) & (like_me > far) & (like_me > like_gold)
        n = len(np.unique(table.annotator[here[nearest]]))
        return Votes(n, max(self._asked[image] - 1, n))


def _ious(boxes: Floats, other: Floats) -> Floats:
    return paired_iou(boxes, np.broadcast_to(other, boxes.shape))
