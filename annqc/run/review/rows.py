"""run: everything that speaks for a look at an annotation, one row a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.geometry.boxes import paired_iou
from annqc.kernels.boxes import overlaps
from annqc.run.leaveoneout import OTHERS
from annqc.run.review.gain import UNKNOWN, WHY, suspect_offsets
from annqc.run.review.rates import GOLD_RATE, annotator_wrong
from annqc.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.match import Matches
    from annqc.run.audit import Run
    from annqc.tables import Array, Floats, Ints

__all__ = ["GOLD", "KINDS", "is_consensus", "reasons"]

GOLD: Final = "gold"
"""Kind of the reason that accuses the gold, and no annotator."""
KINDS: Final = (
    "missed",
    "far",
    "spurious",
    "near_miss",
    "duplicate",
    "merged",
    "split",
    "mislabelled",
    GOLD,
    "loose_outline",
    *WHY,
    "odd_outline",
)
"""What may be wrong, in the order in which reasons of equal gain are told."""
SAME_OBJECT: Final = 0.5
"""Boxes of two annotators that the gold has nothing for are of one object from this IoU on."""

OUTLINES: Final = {"loose_outline": 0.7, "odd_outline": 0.4}
"""Probability that an outline is wrong; set, for nothing that is simulated tells."""

TOLD: Final = 0.1
"""From here on probabilities are told to two decimals, for they are not known better."""
SHOWN: Final = 8.0
"""After so many boxes of a habit, known by then, a look at one more changes half as much."""

Block = dict[str, "Array"]


def is_consensus(run: Run) -> bool:
    """Whether everybody is compared with a consensus of the others, and not with gold."""
    return bool(run.reference.annotator_ids.tolist() == [OTHERS])


def reasons(run: Run) -> Block:
    """List every reason to look at an annotation of the work, or at an object of the gold.

    Parameters
    ----------
    run : Run
        The comparison.

    Returns
    -------
    dict of str to (n,) array
        ``reference, candidate, annotator``: rows, -1 for none. ``kind``: position in `KINDS`.
        ``probability, change``: of being wrong, and what mending changes, between 0 and 1. ``edge,
        offset``: the accused edge (a name or None) and how far it is out in tolerances. ``iou``.
        ``text``: what was said of it elsewhere, or None.
    """
    blocks = [_offsets(run), _errors(run)]
    if not is_consensus(run) and len(run.candidate.annotator_ids) > 2:
        blocks.append(_doubted(run))
    rows = {name: np.concatenate([one[name] for one in blocks]) for name in blocks[0]}
    p = rows["probability"]
    rows["probability"] = np.where(p >= TOLD, np.round(p, 2), p)
    return rows


def _block(reference: Ints, candidate: Ints, annotator: Ints, kind: Array, **more: Any) -> Block:
    n = len(reference)
    columns: Block = {
        "reference": reference,
        "candidate": candidate,
        "annotator": annotator,
        "kind": np.asarray(kind, dtype=np.int64),
        "probability": np.zeros(n),
        "change": np.ones(n),
        "edge": np.full(n, None, dtype=object),
        "offset": np.full(n, np.nan),
        "iou": np.full(n, np.nan),
        "text": np.full(n, None, dtype=object),
    }
    return columns | more


def _offsets(run: Run) -> Block:
    """List matched boxes, by their offsets."""
    matches, measured = run.matches, run.measurements
    names = len(matches.category_names)
    found = suspect_offsets(measured, matches.candidate_category[measured.candidate], names)
    width = len(matches.candidate.table)
    gold, drawn = matches.matched_reference, matches.matched_candidate
    code = measured.reference * width + measured.candidate
    order = np.argsort(code)
    n = len(gold)
    p, edge = np.full(n, UNKNOWN), np.full(n, len(EDGES))
    offset, why = np.full(n, np.nan), np.full(n, WHY.index("offset"))
    usual = np.zeros(n, dtype=bool)
    if len(code):
        wanted = gold * width + drawn
        at = order[np.minimum(np.searchsorted(code, wanted, sorter=order), len(code) - 1)]
        there = code[at] == wanted
        rows = at[there]
        p[there], offset[there] = found.probability[rows], found.offset[rows]
        why[there], usual[there] = found.why[rows], found.usual[rows]
        edge[there] = found.edge[rows]
    kinds = np.array([KINDS.index(name) for name in WHY])
    who = matches.candidate.table.annotator[drawn]
    change = 1.0 - matches.matched_iou
    habit = (who * len(EDGES) + edge)[usual]
    change[usual] *= _known(habit, (p * change)[usual])
    return _block(
        gold,
        drawn,
        who,
        kinds[why],
        probability=p,
        change=change,
        edge=np.array([*EDGES, None], dtype=object)[edge],
        offset=offset,
        iou=matches.matched_iou,
    )


def _known(habit: Ints, gain: Floats) -> Floats:
    """Return what is left of a look at each box of a habit after those with larger gains."""
    order = np.lexsort((-gain, habit))
    first = np.searchsorted(habit[order], habit[order])
    place = np.empty(len(habit), dtype=np.int64)
    place[order] = np.arange(len(habit)) - first
    return np.asarray(SHOWN / (SHOWN + place), dtype=np.float64)


def _errors(run: Run) -> Block:
    """List the errors of `annqc.Audit.errors`, but for loose boxes, which their offsets tell."""
    matches, rows = run.matches, run.error_rows
    some = np.flatnonzero(rows["kind"] != "loose_box")
    rows = {name: column[some] for name, column in rows.items()}
    name, gold, drawn = rows["kind"], rows["reference"], rows["candidate"]
    p = np.array([OUTLINES.get(one, np.nan) for one in name.tolist()])
    asked = _asked(matches)
    for kind, rate in GOLD_RATE.items():
        at = np.flatnonzero(name == kind)
        votes = np.zeros(len(at), dtype=np.int64)
        if kind in _VOTES:
            some = np.flatnonzero((gold[at] >= 0) | (kind == "spurious"))
            for_gold, others = _VOTES[kind](matches, gold[at[some]], drawn[at[some]])
            votes[some] = 2 * for_gold - others
        p[at] = annotator_wrong(rows["annotator"][at], votes, asked, gold_rate=rate)
    near = np.flatnonzero((name == "near_miss") & (gold >= 0) & (drawn >= 0))
    iou = rows["iou"].copy()
    iou[near] = paired_iou(
        matches.reference.table.xyxy[gold[near]], matches.candidate.table.xyxy[drawn[near]]
    )
    overlapping = np.isin(name, ("near_miss", "loose_outline", "odd_outline"))
    kinds = np.array([KINDS.index(one) for one in name.tolist()], dtype=np.int64)
    return _block(
        gold,
        drawn,
        rows["annotator"],
        kinds,
        probability=p,
        change=np.where(overlapping, 1.0 - np.nan_to_num(iou), 1.0),
        edge=rows["edge"],
        offset=rows["offset"],
        iou=iou,
        text=rows["style"],
    )


def _asked(matches: Matches) -> Ints:
    """Count what each annotator was asked to draw."""
    table, people = matches.candidate.table, len(matches.candidate.annotator_ids)
    drawn = table.annotator[matches.matched_candidate]
    found = np.bincount(drawn, minlength=people)
    return found + np.bincount(matches.missed_annotator, minlength=people)


def _asked_of(matches: Matches) -> Ints:
    """Count the annotators who were asked on each image."""
    return np.bincount(matches.task_image, minlength=len(matches.reference.image_table))


def _drew_it(matches: Matches, gold: Ints, _: Ints) -> tuple[Ints, Ints]:
    """Count others who drew what somebody missed, of those who were asked."""
    n = len(matches.reference.table)
    found = np.bincount(matches.matched_reference, minlength=n)
    missed = np.bincount(matches.missed_reference, minlength=n)
    return found[gold], found[gold] + missed[gold] - 1


def _drew_too(matches: Matches, _: Ints, drawn: Ints) -> tuple[Ints, Ints]:
    """Count others who did not draw what somebody invented, of those who were asked."""
    image = matches.image_of_candidate[drawn]
    order = np.argsort(image, kind="stable")
    sorted_image = image[order]
    boxes = np.ascontiguousarray(matches.candidate.table.xyxy[drawn[order]].T)
    first = np.searchsorted(sorted_image, sorted_image)
    count = np.searchsorted(sorted_image, sorted_image, side="right") - first
    pairs = overlaps(boxes, boxes, first, count)
    who = matches.candidate.table.annotator[drawn[order]]
    near = (pairs.iou >= SAME_OBJECT) & (who[pairs.left] != who[pairs.right])
    people = len(matches.candidate.annotator_ids)
    both = np.unique(pairs.left[near] * people + who[pairs.right[near]])
    too = np.zeros(len(drawn), dtype=np.int64)
    too[order] = np.bincount(both // people, minlength=len(drawn))
    others = np.maximum(_asked_of(matches)[image] - 1, too)
    return others - too, others


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


_VOTES: Final[dict[str, Callable[[Matches, Ints, Ints], tuple[Ints, Ints]]]] = {
    "missed": _drew_it,
    "spurious": _drew_too,
    "mislabelled": _said_so,
    # What nearly is an object is wrong where others drew the object.
    "near_miss": _drew_it,
    "far": _drew_it,
}
"""How the others are asked: how many see it as the gold does, of how many."""


def _doubted(run: Run) -> Block:
    """List gold that several annotators contradict, and what all have but the gold."""
    columns, matches = run.suspicion_columns, run.matches
    some = np.flatnonzero(columns["kind"] == "contradicted_gold").tolist()
    reference, candidate = matches.reference, matches.candidate
    image_of_gold = reference.image_table.id[reference.table.image].tolist()
    of_gold = {
        key: row
        for row, key in enumerate(zip(image_of_gold, reference.table.id.tolist(), strict=True))
    }
    rows: list[tuple[int, int, int, float, str]] = []
    extra = {}
    if some:
        spurious = matches.spurious_candidate
        images = reference.image_table.id[matches.image_of_candidate[spurious]].tolist()
        ids = candidate.table.id[spurious].tolist()
        extra = {key: row for row, key in zip(spurious, zip(images, ids, strict=True), strict=True)}
    for k in some:
        key = (columns["image_id"][k], columns["annotation_id"][k])
        votes, of = int(columns["n"][k]), int(columns["of"][k])
        p, text = (votes + 1.0) / (of + 2.0), str(columns["text"][k])
        if "gold does not have" in text:
            drawn = int(extra.get(key, -1))
            rows += [(-1, drawn, -1, p, text)] if drawn >= 0 else []
        elif key in of_gold:
            rows.append((of_gold[key], -1, -1, p, text))
    columns_of: tuple[Any, ...] = tuple(zip(*rows, strict=True)) or ((),) * 5
    gold, drawn_rows, who_rows, ps, texts = columns_of
    return _block(
        np.array(gold, dtype=np.int64),
        np.array(drawn_rows, dtype=np.int64),
        np.array(who_rows, dtype=np.int64),
        np.full(len(rows), KINDS.index(GOLD)),
        probability=np.array(ps, dtype=np.float64),
        text=np.array([*texts, None], dtype=object)[:-1],
    )
