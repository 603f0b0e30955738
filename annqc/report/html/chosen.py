"""report: which annotations of a person are shown: the worst, some typical, and each kind of error.

The choice hangs on the data alone: the same audit shows the same annotations.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.run.contradicted import Contradicted
from annqc.run.review.gain import WHY
from annqc.run.review.rows import KINDS
from annqc.tables import EDGES, QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.report.html.story import Person, Story
    from annqc.run.audit import Run
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = [
    "ACCUSED",
    "EVIDENCE",
    "FARTHEST",
    "SECTIONS",
    "TYPICAL",
    "Chooser",
    "Pick",
    "anchor_of",
    "first_rows",
]

ACCUSED: Final = "Farthest in the way that was found"
FARTHEST: Final = "Farthest off"
TYPICAL: Final = "Typical"
SECTIONS: Final[dict[str, tuple[tuple[str, ...], tuple[int, int]]]] = {
    ACCUSED: ((), (4, 2)),
    FARTHEST: ((), (4, 2)),
    "Others to look at first": (WHY, (0, 0)),
    TYPICAL: ((), (4, 2)),
    "Missed": (("missed",), (4, 2)),
    "Extra": (("spurious", "duplicate"), (4, 2)),
    "Too little overlap": (("near_miss", "far"), (3, 1)),
    "Wrong labels": (("mislabelled",), (3, 2)),
    "Merged or split": (("merged", "split"), (3, 1)),
    "Outlines": (("loose_outline", "odd_outline"), (3, 2)),
}
"""Title -> kinds of the review queue, and how many are shown of few people and of many.

What the first page lists is shown besides.
"""
EVIDENCE: Final = (ACCUSED, FARTHEST, "Others to look at first")
"""Sections that hold boxes against a person, each by the gold's box of its pair."""
MANY: Final = 60
"""With more people each page shows less, so that a report can be sent."""
LIKELY: Final = 0.1
"""With a smaller probability hardly one in thirty is wrong, as measured on simulated work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """An annotation, or an object that was not drawn, that a page shows.

    Attributes
    ----------
    section : str
        One of `SECTIONS`.
    kind : str
        Of the review queue; empty where it was not chosen from that.
    reference, candidate : int
        Rows of the gold and of the work, -1 for none.
    pair : int
        Row of the measurements, -1 for none.
    """

    section: str
    kind: str
    reference: int
    candidate: int
    pair: int

    @property
    def anchor(self) -> str:
        """Its id on the page."""
        return anchor_of(self.reference, self.candidate)


def anchor_of(reference: int, candidate: int) -> str:
    """Return the id of an annotation on a page, or of the object that was not drawn.

    Examples
    --------
    >>> anchor_of(3, 7), anchor_of(3, -1)
    ('drawn-7', 'missed-3')
    """
    return f"drawn-{candidate}" if candidate >= 0 else f"missed-{reference}"


class Chooser:
    """Chooses what the page of each person shows.

    Parameters
    ----------
    story : Story
        The audit.
    queue : dict of str to array
        From `annqc.run.review.queue_rows`.
    first : sequence of int
        Rows of the queue that are shown whatever else is.

    Notes
    -----
    Of a track one frame is shown for each reason: the others look the same. What is farthest off
    comes after the rest where other annotators contradict its gold.

    Attributes
    ----------
    contradicted : Contradicted
        Says where they do.
    """

    def __init__(self, story: Story, queue: dict[str, Array], first: Sequence[int]) -> None:
        self.story = story
        run = story.run
        self._queue = queue
        measured = run.measurements
        self._units, self._px = (measured.values(unit) for unit in ("tolerance", "px"))
        self._far = self._units[: len(EDGES)]
        self._iou = _ious(
            run.matches.reference.table.xyxy[measured.reference],
            run.matches.candidate.table.xyxy[measured.candidate],
        )
        self.contradicted = Contradicted(run)
        self._pair_of = np.full(len(run.matches.candidate.table), -1)
        self._pair_of[measured.candidate] = np.arange(len(measured))
        self._track = tracks_of(run, measured.reference, measured.candidate)
        self.many = len(story.people) > MANY
        self._listed = self._by_person(first)

    def of(self, person: Person) -> list[Pick]:
        """Return what the page of a person shows, by section; nothing twice."""
        story = self.story
        rows = story.rows(story.run.measurements.annotator, person)
        rows = rows[np.isfinite(self._far[:, rows]).any(axis=0)]
        code = story.codes[person.group] if story.named else 0
        listed = self._listed.get(code, [])
        shown: dict[str, Pick] = {}
        for section in SECTIONS:
            most = self._most(section)
            found: list[Pick] = []
            if section == ACCUSED:
                found = [self._pair(section, row) for row in self._accused(person, rows, most)]
            elif section in {FARTHEST, TYPICAL}:
                choose = self._farthest if section == FARTHEST else self._typical
                found = [
                    one
                    for row in choose(rows, most + len(shown))
                    if (one := self._pair(section, row)).anchor not in shown
                ][:most]
            for one in (*found, *(one for one in listed if one.section == section)):
                shown.setdefault(one.anchor, one)
        return sorted(shown.values(), key=lambda one: list(SECTIONS).index(one.section))

    def _most(self, section: str) -> int:
        return SECTIONS[section][1][self.many]

    def _pair(self, section: str, row: int) -> Pick:
        measured = self.story.run.measurements
        reference, candidate = int(measured.reference[row]), int(measured.candidate[row])
        return Pick(section=section, kind="", reference=reference, candidate=candidate, pair=row)

    def _accused(self, person: Person, rows: Ints, most: int) -> list[int]:
        """Pairs that show what a person is accused of: of each habit in turn the farthest.

        The first is the one that the screen of ``annqc audit`` names, the farthest in pixels; the
        others are the farthest in tolerances.
        """
        run, by = self.story.run, self.story.by
        turns: list[list[int]] = []
        for k, said in enumerate(person.sentences):
            whole = said.part < 0 and self.story.named
            found = run.annotator_findings(by) if whole else run.findings(by)
            group = said.part if said.part >= 0 else said.group
            quantity = QUANTITIES.index(said.quantities[0])
            sign = np.sign(found.estimates.located["tolerance"].estimate[group, quantity])
            mine = rows[found.groups.of_pair[rows] == group]
            mine = mine[sign * self._units[quantity, mine] > 0]
            order = mine[np.argsort(-sign * self._units[quantity, mine], kind="stable")]
            order = self._shown_first(order)
            if k == 0 and len(mine):
                px = mine[np.argsort(-sign * self._px[quantity, mine], kind="stable")]
                named = self.contradicted.last(px)[0]
                order = np.concatenate([[named], order[order != named]])
            turns.append(order[first_of(self._track[order])][:most].tolist())
        chosen = list(
            dict.fromkeys(row for turn in zip_longest(*turns) for row in turn if row is not None)
        )
        votes = self.contradicted.votes
        return (chosen[:1] + sorted(chosen[1:], key=lambda row: votes(row).contradict))[:most]

    def _farthest(self, rows: Ints, most: int) -> list[int]:
        """Pairs with the largest offset of an edge, in tolerances."""
        if not len(rows):
            return []
        far = np.nanmax(np.abs(self._far[:, rows]), axis=0)
        order = self._shown_first(rows[np.argsort(-far, kind="stable")])
        chosen: list[int] = order[:most].tolist()
        return chosen

    def _shown_first(self, order: Ints) -> Ints:
        """Keep of each track the farthest; put those whose gold is contradicted last."""
        ordered = self.contradicted.last(order)
        return ordered[first_of(self._track[ordered])]

    def _typical(self, rows: Ints, most: int) -> list[int]:
        """Pairs that are nearest to the person's medians of the four edges, on every edge.

        What is nearest is said by the edge that deviates most, in tolerances: a box that is typical
        on three sides and far off on the fourth is not typical. IoU decides among equals.
        """
        if not len(rows):
            return []
        far, iou = self._far[:, rows], self._iou[rows]
        known = np.isfinite(far)
        middle = np.array([_median(one) for one in far])[:, None]
        away = np.where(known, np.abs(far - middle), 0.0).max(axis=0)
        unlike = np.abs(iou - _median(iou))
        order = rows[np.lexsort((unlike, np.round(away, 9), -known.sum(axis=0)))]
        chosen: list[int] = order[first_of(self._track[order])][:most].tolist()
        return chosen

    def _by_person(self, first: Sequence[int]) -> dict[int, list[Pick]]:
        """Take from the queue the first of each section of each person, and all of ``first``."""
        queue = self._queue
        titles = list(SECTIONS)
        of_kind = np.full(len(KINDS), -1)
        for k, (kinds, _) in enumerate(SECTIONS.values()):
            of_kind[[KINDS.index(one) for one in kinds]] = k
        section = of_kind[queue["kind"]]
        most = np.array([self._most(one) for one in titles])
        person = queue["annotator"] if self.story.named else np.minimum(queue["annotator"], 0)
        group = np.where((section >= 0) & (person >= 0), person * len(titles) + section, -1)
        group[~first_of(_reasons(self.story.run, queue))] = -1
        order = np.argsort(group, kind="stable")
        begins = np.searchsorted(group[order], group[order])
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order)) - begins
        forced = np.zeros(len(order), dtype=bool)
        forced[list(first)] = True
        chosen = np.flatnonzero((group >= 0) & (forced | (place < most[section])))
        found: dict[int, list[Pick]] = {}
        for row in chosen.tolist():
            candidate = int(queue["candidate"][row])
            found.setdefault(int(person[row]), []).append(
                Pick(
                    section=titles[int(section[row])],
                    kind=KINDS[int(queue["kind"][row])],
                    reference=int(queue["reference"][row]),
                    candidate=candidate,
                    pair=-1 if candidate < 0 else int(self._pair_of[candidate]),
                )
            )
        return found


def first_rows(run: Run, queue: dict[str, Array], n: int) -> list[int]:
    """Return the first rows of a queue that may well be wrong; of a track, one for each reason.

    Parameters
    ----------
    run : Run
        The comparison.
    queue : dict of str to array
        From `annqc.run.review.queue_rows`.
    n : int
        How many at most.
    """
    likely = first_of(_reasons(run, queue)) & (queue["probability"] >= LIKELY)
    chosen: list[int] = np.flatnonzero(likely)[:n].tolist()
    return chosen


def tracks_of(run: Run, reference: Ints, candidate: Ints) -> Ints:
    """Give the tracks of rows numbers, the gold's or else that of the work; -1 for none."""
    gold, drawn = run.matches.reference.table.track, run.matches.candidate.table.track
    found = np.full(len(reference), -1)
    spare = 0 if gold is None else int(gold.max(initial=-1)) + 1
    for rows, track, begin in ((candidate, drawn, spare), (reference, gold, 0)):
        if track is not None:
            some = np.flatnonzero(rows >= 0)
            some = some[track[rows[some]] >= 0]
            found[some] = track[rows[some]] + begin
    return found


def first_of(group: Ints) -> Bools:
    """Say which rows are the first of their group; those of group -1 are alone.

    Examples
    --------
    >>> first_of(np.array([3, -1, 3, -1, 5])).tolist()
    [True, True, False, True, True]
    """
    first = group < 0
    first[np.unique(group, return_index=True)[1]] = True
    return first


def _reasons(run: Run, queue: dict[str, Array]) -> Ints:
    """Give frames of a track to be looked at for the same reason one number; -1 for others."""
    track = tracks_of(run, queue["reference"], queue["candidate"])
    people = len(run.candidate.annotator_ids) + 1
    code = (track * people + queue["annotator"] + 1) * len(KINDS) + queue["kind"]
    return np.where(track >= 0, code, -1)


def _median(values: Floats) -> float:
    """Return the median of what is finite; NaN of nothing."""
    some = values[np.isfinite(values)]
    return float(np.median(some)) if len(some) else np.nan


def _ious(one: Floats, other: Floats) -> Floats:
    """IoU of boxes, row by row."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    both: Any = np.prod(np.maximum(high - low, 0.0), axis=1)
    areas = [np.prod(box[:, 2:] - box[:, :2], axis=1) for box in (one, other)]
    found: Floats = both / (areas[0] + areas[1] - both)
    return found
