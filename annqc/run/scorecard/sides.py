"""run: both sides of a comparison, cut down to a piece of the work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.tables import Images

if TYPE_CHECKING:
    from annqc.run.audit import Run
    from annqc.tables import Array, Bools, Dataset, Ints, Problem

__all__ = ["sides_of", "was_asked"]


def was_asked(work: Dataset, task: Ints) -> Bools:
    """Say which of some annotator x image were asked for, by the rows of the tables of the work.

    Parameters
    ----------
    work : Dataset
        The work.
    task : (t, 2) int64
        Annotators and images.
    """
    n_images = max(len(work.image_table), 1)
    asked = np.empty((0, 2), dtype=np.int64) if work.assigned is None else work.assigned
    return np.isin(task @ [n_images, 1], asked @ [n_images, 1])


def sides_of(
    run: Run, rows: Ints, task: Ints, image: Ints, issues: tuple[Problem, ...]
) -> tuple[Dataset, Dataset]:
    """Return the gold on the images of a piece, and the work of the piece on them.

    Parameters
    ----------
    run : Run
        The whole.
    rows : (n,) int64
        What the piece has drawn.
    task : (t, 2) int64
        Annotators and images of the piece, all of which have gold.
    image : (m,) int64
        Gold image of every image of the work.
    issues : tuple of Problem
        Problems of the piece.

    Notes
    -----
    The problems of the gold are nobody's, and stay with the whole. Images of the work take the
    names of the gold's, so that a small piece is paired as the whole was.
    """
    gold, work = run.reference, run.candidate
    seen = np.unique(task[:, 1])
    seen = seen[np.argsort(image[seen], kind="stable")]
    wanted = np.unique(image[seen])
    there = np.isin(gold.table.image, wanted)
    gold_table = gold.table.take(there)
    asked_gold = None
    if gold.assigned is not None:
        asked_gold = gold.assigned[np.isin(gold.assigned[:, 1], wanted)]
        columns = [asked_gold[:, 0], np.searchsorted(wanted, asked_gold[:, 1])]
        asked_gold = np.stack(columns, axis=1)
    reference = replace(
        gold,
        table=_moved(gold_table, image=np.searchsorted(wanted, gold_table.image)),
        image_table=gold.image_table.take(wanted),
        assigned=asked_gold,
        issues=(),
        n_rows=len(gold_table),
    )
    used = np.unique(task[:, 0])
    code_of_image = np.full(len(work.image_table), -1, dtype=np.int64)
    code_of_image[seen] = np.arange(len(seen))
    kept = rows[code_of_image[work.table.image[rows]] >= 0]
    table = work.table.take(kept)
    asked = None
    if work.assigned is not None:
        some = task[was_asked(work, task)]
        asked = np.stack([np.searchsorted(used, some[:, 0]), code_of_image[some[:, 1]]], axis=1)
    images = work.image_table.take(seen)
    if len(wanted) == len(seen) and images.sequence is None:
        images = _named_as(images, reference.image_table)
    moved = {
        "annotator": np.searchsorted(used, table.annotator),
        "image": code_of_image[table.image],
    }
    candidate = replace(
        work,
        table=_moved(table, **moved),
        image_table=images,
        annotator_ids=work.annotator_ids[used],
        assigned=asked,
        issues=issues,
        n_rows=len(table) + sum(one.severity == "dropped" for one in issues),
    )
    return reference, candidate


def _moved(table: Any, **codes: Array) -> Any:
    return replace(table, **codes)


def _named_as(images: Images, gold: Images) -> Images:
    return Images.build(
        gold.id,
        width=images.width,
        height=images.height,
        file_name=gold.file_name,
        extra=images.extra,
    )
