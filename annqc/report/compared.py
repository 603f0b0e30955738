"""report: what was compared, what could not be used, and what was left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.collective import MIN_ANNOTATORS
from annqc.judge.wording import number_of
from annqc.match.authors import unsigned
from annqc.run.anonymous import WHY as ANONYMOUS
from annqc.run.leaveoneout import OTHERS
from annqc.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.run.audit import Run
    from annqc.tables import Problem

__all__ = [
    "Compared",
    "compared",
    "few_annotators",
    "ignored_words",
    "left_out",
    "meeting",
    "notes",
    "odd_rows",
]

MOST_TOLD: Final = 2
"""Problems of one kind that are told one by one."""
UNREAD: Final = "unreadable_gold"
OF_BOTH: Final = "gold_by_several"
"""A problem of the gold alone that only a comparison finds."""

MANY_ALIKE: Final = 20
"""Boxes that no two people draw alike to the last digit, where they are more than half."""

OF_OTHERS: Final = "consensus_reference"
"""That there is no gold: no row of any file."""

LEAST: Final = 30
"""Pairs or objects from which on the two sides are asked whether they mean the same."""
FAR: Final = 0.2
NEAR: Final = 0.05
"""Shares of the side by which edges are far out, and are not."""
FEW: Final = 0.25
"""Share of the objects that was found, under which something else is likelier than bad work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Counts of what went into an audit.

    Attributes
    ----------
    n_images : int
        Images that were compared: in the reference, and given to somebody.
    n_reference, n_candidate : int
        Usable boxes of the two sides that were compared.
    n_ignored : int
        Boxes of the reference among them that are marked to be ignored, or are crowds: nobody is
        asked for those.
    n_annotators, n_assignments, n_categories : int
        Annotators; annotator x image that was compared; categories of both sides.
    n_rows : int
        Rows on input, both sides.
    dropped, kept : dict of str to int
        Problems by kind: rows that cannot be used, and rows that are odd and take part.
    n_unused_boxes, n_unused_images : int
        Boxes of the work on images that the reference does not have, and those images.
    n_idle_images : int
        Images of the reference that nobody was given, other than those whose gold is unreadable.
    n_unknown_size : int
        Images that were compared and whose size is not known: no edge of theirs can be told to be
        at the border.
    n_border, n_ambiguous : int
        Edges at the image border and pairs with a rival partner: both are left out of the offsets.
    anonymous : bool
        Whether the annotators are nobody in particular.
    consensus : bool
        Whether the reference is a consensus of the others, and no gold.
    unsigned : str
        Says that everything counts as the work of one, where nothing says who drew it; else empty.
    misread : str
        Asks whether the sides mean the same by their numbers; empty where nothing speaks for it.
    """

    n_images: int
    n_reference: int
    n_candidate: int
    n_ignored: int
    n_annotators: int
    n_assignments: int
    n_categories: int
    n_rows: int
    dropped: dict[str, int]
    kept: dict[str, int]
    n_unused_boxes: int
    n_unused_images: int
    n_idle_images: int
    n_unknown_size: int
    n_border: int
    n_ambiguous: int
    anonymous: bool
    consensus: bool
    unsigned: str
    misread: str


def compared(run: Run) -> Compared:
    """Count what went into a run.

    Parameters
    ----------
    run : Run
        The comparison.
    """
    matches, measured = run.matches, run.measurements
    reference, candidate = run.reference, run.candidate
    used = np.zeros(len(reference.image_table), dtype=bool)
    used[matches.task_image] = True
    lost = {one.image_id for one in matches.issues if one.kind == UNREAD}
    images = reference.image_table
    unknown = ~(np.isfinite(images.width) & np.isfinite(images.height))
    by_severity = {
        severity: Counter(one.kind for one in run.issues if one.severity == severity)
        for severity in ("dropped", "kept")
    }
    outside = candidate.table.image[matches.not_covered]
    there = used[reference.table.image]
    return Compared(
        n_images=int(used.sum()),
        n_reference=int(there.sum()),
        n_candidate=len(candidate) - matches.n_not_covered,
        n_ignored=int((there & (reference.table.ignored | reference.table.crowd)).sum()),
        n_annotators=len(candidate.annotator_ids),
        n_assignments=matches.n_tasks,
        n_categories=len(matches.category_names),
        n_rows=reference.n_rows + candidate.n_rows,
        dropped=dict(by_severity["dropped"].most_common()),
        kept=dict(by_severity["kept"].most_common()),
        n_unused_boxes=matches.n_not_covered,
        n_unused_images=len(np.unique(outside)),
        n_idle_images=int((~used).sum()) - len(lost),
        n_unknown_size=int((unknown & used).sum()),
        n_border=int(measured.at_border.sum()),
        n_ambiguous=int(matches.pair_ambiguous.sum()),
        anonymous=candidate.anonymous,
        consensus=OTHERS in reference.annotator_ids.tolist(),
        unsigned=unsigned(candidate),
        misread=misread(run),
    )


def misread(run: Run) -> str:
    """Ask whether the sides mean the same by their numbers, where they hardly meet.

    Parameters
    ----------
    run : Run
        The comparison.

    Returns
    -------
    str
        Empty where nothing speaks for it, or there is too little to tell.
    """
    side = "the consensus" if OTHERS in run.reference.annotator_ids.tolist() else "the gold"
    rel = run.measurements.values("rel")[: len(EDGES)]
    rel = rel[:, np.isfinite(rel).all(axis=0)]
    if rel.shape[1] >= LEAST:
        left, top, right, bottom = np.median(rel, axis=1).tolist()
        if min(right, bottom) > FAR and max(abs(left), abs(top)) < NEAR:
            return (
                "the right and the bottom edges are far out, and the left and top ones are not, as "
                "where x1 y1 x2 y2 are taken for x y w h: are both sides in the format that they "
                "are read as?"
            )
    found = run.score_sums().rates["recall"]
    asked = 0.0 if found is None else float(found.N.sum())
    if found is None or asked < LEAST or (recall := float(found.X.sum()) / asked) >= FEW:
        return ""
    return (
        f"{100 * recall:.0f} % of the objects of {side} were found: are both sides of the same "
        "images, of the same size, and in the format that they are read as?"
    )


def odd_rows(run: Run) -> dict[str, int]:
    """Count the odd rows of both sides by kind, as ``annqc lint`` lists them.

    Parameters
    ----------
    run : Run
        The comparison.
    """
    of_files = (*run.reference.issues, *run.candidate.issues)
    told = (OF_BOTH, OF_OTHERS)
    kinds = (one.kind for one in of_files if one.severity == "kept" and one.kind not in told)
    return dict(Counter(kinds).most_common())


def ignored_words(c: Compared) -> str:
    """Say in brackets how much of the reference is ignored; empty where nothing is.

    Parameters
    ----------
    c : Compared
        The counts.
    """
    return f" ({c.n_ignored:,} marked to be ignored)" if c.n_ignored else ""


def few_annotators(n: int) -> str:
    """Say what cannot be told apart with few annotators; empty where there are enough.

    Parameters
    ----------
    n : int
        Annotators.
    """
    if not 0 < n < MIN_ANNOTATORS:
        return ""
    return (
        f"with {number_of(n, 'annotator')} an offset of the gold looks the same "
        f"as an offset of the annotators; it takes {MIN_ANNOTATORS} to tell them apart"
    )


def left_out(c: Compared) -> list[str]:
    """Say what of the input takes no part.

    Parameters
    ----------
    c : Compared
        The counts.

    Returns
    -------
    list of str
        Empty where everything does.
    """
    left = []
    side = "consensus" if c.consensus else "gold"
    if c.n_unused_boxes:
        boxes = number_of(c.n_unused_boxes, "box", "boxes")
        left.append(
            f"{boxes} on {number_of(c.n_unused_images, 'image')} that the {side} does not have"
        )
    if c.n_idle_images:
        left.append(f"{number_of(c.n_idle_images, f'{side} image')} without work to compare")
    if c.n_border:
        left.append(f"{number_of(c.n_border, 'edge')} at the image border, from the offsets")
    if c.n_ambiguous:
        left.append(f"{number_of(c.n_ambiguous, 'ambiguous pair')}, from the offsets")
    return left


def meeting(run: Run) -> list[str]:
    """Say what came up when the two sides met, which no file shows alone.

    Parameters
    ----------
    run : Run
        The comparison.

    Returns
    -------
    list of str
        One or two of a kind with where they are, more of them by their number.
    """
    of_gold = (one for one in run.reference.issues if one.kind == OF_BOTH)
    kinds: dict[str, list[str]] = {}
    for one in (*of_gold, *run.matches.issues):
        kinds.setdefault(one.kind, []).append(_whole_sentence(one))
    said = []
    for kind, messages in kinds.items():
        said += messages[:MOST_TOLD]
        left = len(messages) - MOST_TOLD
        if left > 0:
            said.append(f"and {left:,} more {kind}: annqc audit --json lists them")
    return said + _the_same(run)


def _the_same(run: Run) -> list[str]:
    """Say so where the boxes of the work are those of the gold to the last digit."""
    found = run.matches
    drawn = run.candidate.table.xyxy[found.matched_candidate]
    same = int((drawn == run.reference.table.xyxy[found.matched_reference]).all(axis=1).sum())
    if same < MANY_ALIKE or 2 * same <= len(drawn):
        return []
    boxes = number_of(len(drawn), "paired box", "paired boxes")
    told = f"{same:,} of {boxes} are those of the gold to the last digit"
    return [f"{told}: one was made from the other, or both from a third"]


def _whole_sentence(one: Problem) -> str:
    """Put in front of a message whom, or which image, it is about, where it does not say so."""
    if one.kind == "own_reference":
        return f"{one.annotator} {one.message}"
    return f"image {one.image_id!r} {one.message}" if one.kind == "other_canvas" else one.message


def notes(c: Compared, by: Sequence[str] = ("annotator",)) -> list[str]:
    """Say what a reader must know to take the findings for what they are.

    Parameters
    ----------
    c : Compared
        Counts of what went in.
    by : sequence of str
        Grouping of the findings.

    Returns
    -------
    list of str
        Empty where there is nothing to mind.
    """
    if c.consensus:
        told = (
            "there is no gold: everybody is compared with a consensus of the others, in which an "
        )
        return [told + "offset that all have cannot be seen (annqc consensus says more)"]
    said = [one for one in (c.misread, c.unsigned) if one]
    if c.anonymous:
        said.append(
            f"{ANONYMOUS}; of several drawings of one object on an image one is paired, and the "
            "others count as spurious; an offset of the gold looks the same as one of the work"
        )
    elif few := few_annotators(c.n_annotators):
        said.append(few)
    if "annotator" not in by and c.n_annotators > 1:
        said.append(
            f"the {c.n_annotators:,} annotators are pooled here, so one who is off may not show; "
            f"--by {','.join(('annotator', *by))} tells them apart"
        )
    if c.n_unknown_size:
        some = (
            "image sizes are unknown"
            if c.n_unknown_size == c.n_images
            else f"the size of {number_of(c.n_unknown_size, 'image')} is unknown"
        )
        said.append(f"{some}: edges at the right and the bottom border could not be left out")
    return said
