"""run: the others on the same image: who of them drew the same, and what that says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from annqc.geometry.boxes import paired_iou
from annqc.kernels.boxes import overlaps

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.measure.offsets import Measurements
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["SAME_OBJECT", "Votes", "doubted_boxes", "drew_alike", "same_sources", "votes_of"]

SAME_OBJECT: Final = 0.5
"""Boxes of two annotators are of one object from this IoU on."""
FEWEST: Final = 3
"""So many others, each on their own, must have drawn what the gold does not have."""
APART: Final = 0.5
"""Two boxes are nearly one where they differ by this share, or less, of what both are off."""
OF_GOLD: Final = -1


class Votes(NamedTuple):
    """What others say of n rows.

    Attributes
    ----------
    net : (n,) int64
        How many more others see it as the gold does than see it as the annotator does.
    same, others : (n,) int64
        How many others drew the same box, of how many who were asked; -1 where nothing was drawn.
    """

    net: Ints
    same: Ints
    others: Ints


def same_sources(matches: Matches, suspected: dict[str, Array]) -> Ints:
    """Give annotators whose boxes have one source one number: copies are one opinion.

    Parameters
    ----------
    matches : Matches
        What was matched.
    suspected : dict of str to array
        From `annqc.run.suspicions.suspicion_columns`.

    Returns
    -------
    (n_annotators,) int64
        Equal for those of one source, -1 for those whose boxes are the gold's.
    """
    ids = matches.candidate.annotator_ids.tolist()
    code = {one: k for k, one in enumerate(ids)}
    source = np.arange(len(ids))
    for kind, group in zip(suspected["kind"], suspected["annotators"], strict=True):
        if kind in ("same_source", "circular_gold"):
            members = np.array([code[one] for one in group if one in code], dtype=np.int64)
            source[members] = OF_GOLD if kind == "circular_gold" else members.min(initial=len(ids))
    return source


def votes_of(matches: Matches, kind: str, gold: Ints, drawn: Ints, source: Ints) -> Votes:
    """Ask the others about differences of one kind.

    Parameters
    ----------
    matches : Matches
        What was matched.
    kind : str
        A kind of error.
    gold, drawn : (n,) int64
        Rows of the gold and of the work, -1 for none.
    source : (n_annotators,) int64
        From `same_sources`.

    Notes
    -----
    Of a label those are asked who gave that or the gold's. Of what was drawn and is not matched,
    who has a box there is for the annotator, whatever that box is matched with, unless the gold's
    object that it is matched with is nearer to it. Of an object of the gold, who drew it is for the
    gold.
    """
    n = len(gold)
    none = np.full(n, -1)
    if kind == "mislabelled":
        right, of = _said_so(matches, gold, drawn)
        return Votes(2 * right - of, none, none)
    has = drawn >= 0
    same, others, of_gold = none.copy(), none.copy(), np.zeros(n, dtype=np.int64)
    at = np.flatnonzero(has)
    once = gold[at] if kind == "duplicate" else np.full(len(at), -1)
    same[at], others[at], of_gold[at] = _drew_too(matches, gold[at], drawn[at], source, once)
    net = np.where(has, others - 2 * same, 0)
    if kind != "spurious":  # that nobody else did so too says nothing of what is drawn in two ways
        net = np.minimum(net, 0)
    if kind in ("missed", "near_miss", "far"):
        of = np.flatnonzero(gold >= 0)
        found, asked = _drew_it(matches, gold[of])
        net[of] = 2 * (found - of_gold[of]) - asked
    return Votes(net, same, others)


def doubted_boxes(
    matches: Matches, drawn: Ints, same: Ints, others: Ints, named: Bools
) -> tuple[Bools, Ints]:
    """Tell boxes that most of those asked drew, and the gold does not have.

    Parameters
    ----------
    matches : Matches
        What was matched.
    drawn, same, others : (n,) int64
        Boxes that are not matched, and the votes on them.
    named : (n,) bool
        Those of which it is known already, from how surprising it is.

    Returns
    -------
    doubted : (n,) bool
        Whether it is known, or three others and more than half of those asked have a box there.
    lead : (k,) int64
        Of those of one object, the position of that which most others are near.
    """
    doubted = named | ((same >= FEWEST) & (2 * (same + 1) > others + 1))
    some = np.flatnonzero(doubted)
    some = some[np.lexsort((drawn[some], -same[some]))]
    some = some[np.sort(np.unique(drawn[some], return_index=True)[1])]
    left, row, _ = _near(matches, drawn[some])
    begin = np.searchsorted(left, np.arange(len(some) + 1))
    taken: set[int] = set()
    lead = []
    for k, one in enumerate(drawn[some].tolist()):
        if one not in taken:
            lead.append(k)
            taken.update(row[begin[k] : begin[k + 1]].tolist())
    return doubted, some[np.array(lead, dtype=np.int64)]


def drew_alike(matches: Matches, measured: Measurements, pairs: Ints) -> tuple[Ints, Ints]:
    """Find others whose box is that of a pair, and is nearer to it than to the gold's.

    Parameters
    ----------
    matches : Matches
        What was matched.
    measured : Measurements
        What was measured.
    pairs : (n,) int64
        Rows of it that are asked about.

    Returns
    -------
    pair, annotator : (k,) int64
        Rows of ``measured``, and who drew that box; each once.

    Notes
    -----
    Boxes that are measured against the same object of the gold are left out: their edges tell.
    """
    left, row, iou = _near(matches, measured.candidate[pairs])
    width = len(matches.candidate.table)
    told = np.isin(
        measured.reference[pairs[left]] * width + row,
        measured.reference * width + measured.candidate,
    )
    left, row, iou = left[~told], row[~told], iou[~told]
    boxes, gold = matches.candidate.table.xyxy, matches.reference.table.xyxy
    nearer = paired_iou(gold[measured.reference[pairs[left]]], boxes[row]) < iou
    people = max(len(matches.candidate.annotator_ids), 1)
    both = pairs[left[nearer]] * people + matches.candidate.table.annotator[row[nearer]]
    both = np.unique(both)
    return both // people, both % people


def _near(matches: Matches, drawn: Ints) -> tuple[Ints, Ints, Floats]:
    """Find boxes of others on the same image that are of the object of each of n boxes.

    Returns
    -------
    at, row : (k,) int64
        Position among the n, ascending, and the row of the other box.
    iou : (k,) float64
    """
    table, image = matches.candidate.table, matches.image_of_candidate
    rows = np.flatnonzero((image >= 0) & ~(table.crowd | table.ignored))
    rows = rows[np.argsort(image[rows], kind="stable")]
    first = np.searchsorted(image[rows], image[drawn])
    count = np.searchsorted(image[rows], image[drawn], side="right") - first
    mine, theirs = (np.ascontiguousarray(table.xyxy[one].T) for one in (drawn, rows))
    found = overlaps(mine, theirs, first, count)
    row = rows[found.right]
    some = (found.iou >= SAME_OBJECT) & (table.annotator[drawn[found.left]] != table.annotator[row])
    return found.left[some], row[some], found.iou[some]


def _drew_too(
    matches: Matches, gold: Ints, drawn: Ints, source: Ints, once: Ints
) -> tuple[Ints, Ints, Ints]:
    """Count others who drew what somebody invented, of those who were asked.

    The third are those of them whose box is matched with the row's object of the gold.
    """
    n, people = len(drawn), max(len(source), 1)
    left, row, iou = _near(matches, drawn)
    width = len(matches.candidate.table)
    partner, overlap = np.full(width, -1), np.zeros(width)
    partner[matches.matched_candidate] = matches.matched_reference
    overlap[matches.matched_candidate] = matches.matched_iou
    mine = source[matches.candidate.table.annotator[drawn]]
    voter = matches.candidate.table.annotator[row]
    alike = iou > overlap[row]
    # Who drew an object once has not drawn it twice, however near to both boxes theirs is; but
    # where theirs and the second are nearly one box and both are far off the gold, that lacks it.
    again = np.flatnonzero(alike & (partner[row] >= 0) & (partner[row] == once[left]))
    second = paired_iou(
        matches.reference.table.xyxy[partner[row[again]]],
        matches.candidate.table.xyxy[drawn[left[again]]],
    )
    alike[again] = 1.0 - iou[again] <= APART * (1.0 - np.maximum(second, overlap[row[again]]))
    alike &= (source[voter] != mine[left]) & (source[voter] != OF_GOLD)
    left, row, voter = left[alike], row[alike], voter[alike]
    both = np.unique(left * people + source[voter])
    same = np.bincount(both // people, minlength=n)
    own = (partner[row] >= 0) & (partner[row] == gold[left])
    of_gold = np.bincount(np.unique(left[own] * people + voter[own]) // people, minlength=n)
    tasks = source[matches.task_annotator] != OF_GOLD
    asked = np.unique(matches.task_image[tasks] * people + source[matches.task_annotator[tasks]])
    images = len(matches.reference.image_table)
    of = np.bincount(asked // people, minlength=images)[matches.image_of_candidate[drawn]]
    return same, np.maximum(of - (mine != OF_GOLD), same), of_gold


def _drew_it(matches: Matches, gold: Ints) -> tuple[Ints, Ints]:
    """Count others who drew what somebody missed, of those who were asked."""
    n = len(matches.reference.table)
    found = np.bincount(matches.matched_reference, minlength=n)
    missed = np.bincount(matches.missed_reference, minlength=n)
    return found[gold], found[gold] + missed[gold] - 1


def _said_so(matches: Matches, gold: Ints, drawn: Ints) -> tuple[Ints, Ints]:
    """Count others who gave the gold's label, of those who gave that or this one."""
    names = len(matches.category_names)
    given = matches.candidate_category[matches.matched_candidate]
    key = np.sort(matches.matched_reference * names + given)

    def count(label: Ints) -> Ints:
        wanted = gold * names + label
        return np.searchsorted(key, wanted, "right") - np.searchsorted(key, wanted, "left")

    right = count(matches.reference_category[gold])
    alike = count(matches.candidate_category[drawn]) - 1
    return right, right + alike
