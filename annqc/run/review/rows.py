"""run: everything that speaks for a look at an annotation, one row a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.geometry.boxes import paired_iou
from annqc.run.errors import GROSS
from annqc.run.leaveoneout import OTHERS
from annqc.run.review.gain import UNKNOWN, WHY, suspect_offsets
from annqc.run.review.rates import GOLD_RATE, annotator_wrong
from annqc.run.review.usual import slip_share
from annqc.run.review.votes import (
    SAME_OBJECT,
    doubted_boxes,
    drew_alike,
    same_sources,
    votes_of,
)
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.run.audit import Run
    from annqc.tables import Array, Floats, Ints

__all__ = ["GOLD", "KINDS", "SAME_OBJECT", "is_consensus", "reasons"]

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
OUTLINES: Final = {"loose_outline": 0.7, "odd_outline": 0.4}
"""Probability that an outline is wrong; set, for nothing that is simulated tells."""

TOLD: Final = 0.1
"""From here on probabilities are told to two decimals, for they are not known better."""
SHOWN: Final = 8.0
"""After so many boxes of a habit, known by then, a look at one more changes half as much."""

NOT_THERE: Final = "gold does not have"
"""What is said of an object that several drew, and the gold lacks."""

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
        ``text``: what was said of it elsewhere, or None. ``same, others``: how many others drew the
        same box, of how many who were asked; -1 where that was not asked.
    """
    source = np.arange(len(run.candidate.annotator_ids))
    against_gold = not is_consensus(run) and len(source) > 2
    if against_gold:
        source = same_sources(run.matches, run.suspicion_columns)
    errors = _errors(run, source)
    blocks = [_offsets(run), errors]
    if against_gold:
        blocks += [_not_in_gold(run, errors), _doubted(run)]
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
        "same": np.full(n, -1),
        "others": np.full(n, -1),
    }
    return columns | more


def _offsets(run: Run) -> Block:
    """List matched boxes, by their offsets."""
    matches, measured = run.matches, run.measurements
    names = len(matches.category_names)
    gross = np.abs(measured.edges) >= GROSS * np.tile(measured.tolerance, 2)
    far = np.flatnonzero((gross & ~measured.at_border).any(axis=1))
    alike = drew_alike(matches, measured, far)
    category = matches.candidate_category[measured.candidate]
    found = suspect_offsets(measured, category, names, alike=alike)
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


def _errors(run: Run, source: Ints) -> Block:
    """List the errors of `annqc.Audit.errors`, but for loose boxes, which their offsets tell."""
    matches, rows = run.matches, run.error_rows
    some = np.flatnonzero(rows["kind"] != "loose_box")
    rows = {name: column[some] for name, column in rows.items()}
    name, gold, drawn = rows["kind"], rows["reference"], rows["candidate"]
    p = np.array([OUTLINES.get(one, np.nan) for one in name.tolist()])
    asked = _asked(matches)
    same, others = np.full(len(name), -1), np.full(len(name), -1)
    for kind, rate in GOLD_RATE.items():
        at = np.flatnonzero(name == kind)
        votes = votes_of(matches, kind, gold[at], drawn[at], source)
        same[at], others[at] = votes.same, votes.others
        p[at] = annotator_wrong(rows["annotator"][at], votes.net, asked, gold_rate=rate)
    near = np.flatnonzero((name == "near_miss") & (gold >= 0) & (drawn >= 0))
    p[near] *= slip_share(matches, run.measurements, gold[near], int(asked.sum()))
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
        same=same,
        others=others,
    )


def _asked(matches: Matches) -> Ints:
    """Count what each annotator was asked to draw."""
    table, people = matches.candidate.table, len(matches.candidate.annotator_ids)
    drawn = table.annotator[matches.matched_candidate]
    found = np.bincount(drawn, minlength=people)
    return found + np.bincount(matches.missed_annotator, minlength=people)


def _not_in_gold(run: Run, errors: Block) -> Block:
    """List what most of those asked drew and the gold does not have, one row an object.

    One of both is wrong, so that those who drew it are no more suspected than the gold lets them.
    """
    drawn, same, others = errors["candidate"], errors["same"], errors["others"]
    named = np.isin(drawn, _named(run)) & (drawn >= 0) & (same >= 0)
    doubted, lead = doubted_boxes(run.matches, drawn, same, others, named)
    right = (same + 2.0) / (others + 3.0)
    p = errors["probability"]
    p[doubted] = np.minimum(p, 1.0 - right)[doubted]
    images = run.reference.image_table.id[run.matches.image_of_candidate[drawn[lead]]]
    ids = run.candidate.table.id[drawn[lead]]
    texts = [
        f"{n + 1} of {of + 1} annotators who were asked, each on their own, drew an object on "
        f"image {image!s} that the gold does not have (the work's annotation {id!s}). "
        "Look at the gold."
        for n, of, image, id in zip(
            same[lead].tolist(), others[lead].tolist(), images, ids, strict=True
        )
    ]
    return _block(
        np.full(len(lead), -1),
        drawn[lead],
        np.full(len(lead), -1),
        np.full(len(lead), KINDS.index(GOLD)),
        probability=right[lead],
        text=np.array([*texts, None], dtype=object)[:-1],
        same=same[lead],
        others=others[lead],
    )


def _named(run: Run) -> Ints:
    """Rows of the work that stand for what surprisingly many drew and the gold does not have."""
    columns, matches = run.suspicion_columns, run.matches
    some = columns["kind"] == "contradicted_gold"
    keys = {
        (image, id)
        for image, id, text in zip(
            *(columns[name][some] for name in ("image_id", "annotation_id", "text")), strict=True
        )
        if NOT_THERE in text
    }
    if not keys:
        return np.empty(0, dtype=np.int64)
    rows = matches.spurious_candidate
    images = run.reference.image_table.id[matches.image_of_candidate[rows]].tolist()
    pairs = zip(images, run.candidate.table.id[rows].tolist(), strict=True)
    there: Ints = rows[np.array([one in keys for one in pairs], dtype=bool)]
    return there


def _doubted(run: Run) -> Block:
    """List objects of the gold that several annotators contradict."""
    columns, reference = run.suspicion_columns, run.matches.reference
    some = np.flatnonzero(columns["kind"] == "contradicted_gold").tolist()
    image_of_gold = reference.image_table.id[reference.table.image].tolist()
    of_gold = {
        key: row
        for row, key in enumerate(zip(image_of_gold, reference.table.id.tolist(), strict=True))
    }
    rows: list[tuple[int, float, str]] = []
    for k in some:
        key = (columns["image_id"][k], columns["annotation_id"][k])
        votes, of = int(columns["n"][k]), int(columns["of"][k])
        text = str(columns["text"][k])
        # What the gold does not have has been listed, by everything that was drawn there.
        if key in of_gold and NOT_THERE not in text:
            rows.append((of_gold[key], (votes + 1.0) / (of + 2.0), text))
    columns_of: tuple[Any, ...] = tuple(zip(*rows, strict=True)) or ((),) * 3
    gold, ps, texts = columns_of
    return _block(
        np.array(gold, dtype=np.int64),
        np.full(len(rows), -1),
        np.full(len(rows), -1),
        np.full(len(rows), KINDS.index(GOLD)),
        probability=np.array(ps, dtype=np.float64),
        text=np.array([*texts, None], dtype=object)[:-1],
    )
