"""run: a delivery cut into vendors and batches, each compared with the gold on its own images."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.errors import AnnqcError, SpecError
from annqc.judge.wording import number_of
from annqc.run.audit import Run
from annqc.run.scorecardlabels import OPEN, UNSAID, images_of, label_of, roster_has
from annqc.run.scorecardsides import sides_of, was_asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.run.scorecardlabels import Label
    from annqc.tables import Dataset, Ints

__all__ = ["NOT_SAID", "Cut", "Unit", "cut"]

NOT_SAID: Final = "(not said)"
"""What the vendor, or batch, is called where the data name none."""
MOST: Final = 1_000
"""More pages than anybody reads: the column was a wrong one."""
UNREAD: Final = "unreadable_gold"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Unit:
    """The work of one vendor in one batch.

    Attributes
    ----------
    vendor, batch : str or None
        None where the delivery is not cut that way.
    run : Run or None
        The comparison of this work alone; None where there is nothing to compare.
    trouble : str
        Why there is nothing to compare.
    rows : (n,) int64
        Rows of the table of the whole work.
    n_asked : int or None
        Images that were asked for, with gold or without; None where the data do not say.
    n_drawn_on : int
        Images with a usable drawing, with gold or without.
    n_outside_boxes, n_outside_images : int
        Drawings on images that the gold does not have, and those images.
    n_annotators : int
        Who drew or was asked to.
    n_idle_annotators : int
        Those of them who were not asked for any image with gold, and drew on none.
    gold_images : (k,) int64
        Rows of the gold's image table that were compared.
    """

    vendor: str | None
    batch: str | None
    run: Run | None
    trouble: str
    rows: Ints
    n_asked: int | None
    n_drawn_on: int
    n_outside_boxes: int
    n_outside_images: int
    n_annotators: int
    n_idle_annotators: int
    gold_images: Ints

    @property
    def name(self) -> str:
        """Vendor and batch in words."""
        parts = [] if self.vendor is None else [self.vendor]
        parts += [] if self.batch is None else [f"batch {self.batch}"]
        return ", ".join(parts) or "the whole delivery"


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Cut:
    """A delivery in pieces.

    Attributes
    ----------
    run : Run
        The whole.
    units : list of Unit
        By vendor and then by batch, in the order of their names.
    told_by : dict of str to str
        ``vendor`` and ``batch``, as far as they are told apart, and what tells them.
    notes : list of str
        What is on no page, and why.
    """

    run: Run
    units: list[Unit]
    told_by: dict[str, str]
    notes: list[str]

    @property
    def whole(self) -> bool:
        """Whether there is one piece, which is everything."""
        return not self.told_by

    @property
    def asked_is_known(self) -> bool:
        """Whether the work says who was asked for what."""
        return self.run.candidate.assigned is not None


def cut(run: Run, *, vendor: str | None = None, batch: str | None = None) -> Cut:
    """Cut a delivery into vendors and batches.

    Parameters
    ----------
    run : Run
        The comparison.
    vendor, batch : str, optional
        What tells vendors, and batches, apart: see `annqc.run.scorecardlabels.label_of`. A list of
        vendors that has a column ``batch`` tells the batches too.

    Raises
    ------
    SpecError
        There are more pieces than `MOST`.
    UnknownNameError, ReadError
        From `annqc.run.scorecardlabels.label_of`.
    """
    if batch is None and roster_has(vendor, "batch"):
        batch = vendor
    given = {"vendor": vendor, "batch": batch}
    labels = [label_of(run, rule, what) for what, rule in given.items() if rule is not None]
    if not labels:
        return Cut(run=run, units=[_everything(run)], told_by={}, notes=[])
    notes = [note for label in labels for note in label.notes]
    pieces = _Pieces.of(run.candidate, labels)
    if pieces.n > MOST:
        what = f"there would be {pieces.n:,} pages"
        hint = "name a column that tells vendors, or batches, apart, and not single images"
        raise SpecError(what, expected=f"at most {MOST:,}", found=f"{labels[0].told_by}", hint=hint)
    image = images_of(run)
    units = [_unit(run, labels, pieces, k, image) for k in range(pieces.n)]
    units.sort(key=lambda unit: (_natural(unit.vendor), _natural(unit.batch)))
    told_by = {label.what: label.told_by for label in labels}
    notes += _left(run, labels, pieces)
    return Cut(run=run, units=units, told_by=told_by, notes=notes)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class _Pieces:
    """Which piece everything is in.

    ``codes`` (k, n_labels) are the pieces, as codes of the labels. ``row`` has the piece of each
    annotation; ``task`` (t, 2) lists annotator x image that was drawn on or asked for, and
    ``of_task`` its piece: what was drawn on in several pieces is in each of them. ``n_open`` were
    asked for, and nothing tells whose they are. ``of_problem`` is `UNSAID` where nothing tells it.
    """

    codes: Ints
    row: Ints
    task: Ints
    of_task: Ints
    n_open: int
    of_problem: Ints

    @property
    def n(self) -> int:
        return len(self.codes)

    @classmethod
    def of(cls, work: Dataset, labels: Sequence[Label]) -> _Pieces:
        n_images = max(len(work.image_table), 1)
        of_row = np.stack([label.of_row for label in labels], axis=1)
        of_asked = np.stack([label.of_asked for label in labels], axis=1)
        asked = np.empty((0, 2), dtype=np.int64) if work.assigned is None else work.assigned
        drawn, wanted = work.table.annotator * n_images + work.table.image, asked @ [n_images, 1]
        # Where something was drawn, that decides; whose the rest is, the labels know or do not.
        empty = ~np.isin(wanted, drawn)
        known = empty & (of_asked != OPEN).all(axis=1)
        codes, piece = np.unique(
            np.concatenate([of_row, of_asked[known]]), axis=0, return_inverse=True
        )
        piece = piece.reshape(-1)
        key = np.concatenate([drawn, wanted[known]])
        pairs = np.unique(np.stack([key, piece], axis=1), axis=0)
        task = np.stack(np.divmod(pairs[:, 0], n_images), axis=1)
        row = piece[: len(drawn)]
        return cls(
            codes=codes,
            row=row,
            task=task,
            of_task=pairs[:, 1],
            n_open=int((empty & ~known).sum()),
            of_problem=_of_problems(work, row, task, pairs[:, 1]),
        )


def _of_problems(work: Dataset, row: Ints, task: Ints, of_task: Ints) -> Ints:
    """Tell whose each problem is: annotator and image, annotator, file, image; `UNSAID` for nobody.

    The first of these that is in one piece alone decides.
    """
    if not work.issues:
        return np.empty(0, dtype=np.int64)
    known: dict[tuple[object, ...], set[int]] = {}
    who = [str(one) for one in work.annotator_ids.tolist()]
    where = [str(one) for one in work.image_table.id.tolist()]
    for (annotator, image), piece in zip(task.tolist(), of_task.tolist(), strict=True):
        for key in (("a", who[annotator]), ("i", where[image]), (who[annotator], where[image])):
            known.setdefault(key, set()).add(piece)
    for source, piece in np.unique(np.stack([work.table.source, row], axis=1), axis=0).tolist():
        if source < len(work.sources):
            known.setdefault(("s", work.sources[source].path), set()).add(piece)
    found = []
    for one in work.issues:
        annotator, image = str(one.annotator), str(one.image_id)
        keys = ((annotator, image), ("a", annotator), ("s", one.source), ("i", image))
        pieces = (known.get(key, set()) for key in keys)
        found.append(next((next(iter(some)) for some in pieces if len(some) == 1), UNSAID))
    return np.array(found, dtype=np.int64)


def _everything(run: Run) -> Unit:
    """Return the whole delivery as one piece."""
    work, matches = run.candidate, run.matches
    drawn_on = np.unique(work.table.image)
    outside = work.table.image[matches.not_covered]
    busy = np.unique(matches.task_annotator)
    asked = None if work.assigned is None else len(np.unique(work.assigned[:, 1]))
    return Unit(
        vendor=None,
        batch=None,
        run=run,
        trouble="",
        rows=np.arange(len(work)),
        n_asked=asked,
        n_drawn_on=len(drawn_on),
        n_outside_boxes=len(outside),
        n_outside_images=len(np.unique(outside)),
        n_annotators=len(work.annotator_ids),
        n_idle_annotators=len(work.annotator_ids) - len(busy),
        gold_images=np.unique(matches.task_image),
    )


def _unit(run: Run, labels: Sequence[Label], pieces: _Pieces, k: int, image: Ints) -> Unit:
    """Take one piece out."""
    work = run.candidate
    names: dict[str, str | None] = {"vendor": None, "batch": None}
    for label, code in zip(labels, pieces.codes[k].tolist(), strict=True):
        names[label.what] = NOT_SAID if code < 0 else label.values[code]
    rows = np.flatnonzero(pieces.row == k)
    task = pieces.task[pieces.of_task == k]
    issues = tuple(
        one for one, of in zip(work.issues, pieces.of_problem.tolist(), strict=True) if of == k
    )
    covered = (image >= 0) & ~np.isin(image, _unread(run))
    inside = covered[task[:, 1]]
    outside = work.table.image[rows[~covered[work.table.image[rows]]]]
    found, trouble = None, "none of its images is in the gold"
    if inside.any():
        sides = sides_of(run, rows, task[inside], image, issues)
        made = Run(*sides, parameters=run.parameters, engine=run.engine)
        try:
            _ = made.matches
        except AnnqcError as error:
            trouble = error.what
        else:
            found, trouble = made, ""
    asked = None
    if work.assigned is not None:
        asked = len(np.unique(task[was_asked(work, task)][:, 1]))
    return Unit(
        vendor=names["vendor"],
        batch=names["batch"],
        run=found,
        trouble=trouble,
        rows=rows,
        n_asked=asked,
        n_drawn_on=len(np.unique(work.table.image[rows])),
        n_outside_boxes=len(outside),
        n_outside_images=len(np.unique(outside)),
        n_annotators=len(np.unique(task[:, 0])),
        n_idle_annotators=len(np.setdiff1d(task[:, 0], task[inside, 0])),
        gold_images=np.unique(image[task[inside, 1]]),
    )


def _unread(run: Run) -> Ints:
    """Gold images whose gold could not be read: they are compared with nothing."""
    lost = {one.image_id for one in run.matches.issues if one.kind == UNREAD}
    ids = run.reference.image_table.id.tolist()
    return np.array([row for row, id in enumerate(ids) if id in lost], dtype=np.int64)


def _left(run: Run, labels: Sequence[Label], pieces: _Pieces) -> list[str]:
    """Say what is on no page."""
    said = []
    work = run.candidate
    if pieces.n_open:
        what = " and ".join(f"the {label.what}" for label in labels)
        said.append(
            f"{number_of(pieces.n_open, 'image')} that an annotator was asked for and drew nothing "
            f"on: nothing tells {what}, so they count for nobody"
        )
    whose = zip(work.issues, pieces.of_problem.tolist(), strict=True)
    dropped = sum(one.severity == "dropped" for one, of in whose if of == UNSAID)
    if dropped:
        said.append(
            f"{number_of(dropped, 'row')} that cannot be used and do not say whose they are"
        )
    used = np.zeros(len(run.reference.image_table), dtype=bool)
    used[run.matches.task_image] = True
    used[_unread(run)] = True
    if not used.all():
        said.append(
            f"{number_of(int((~used).sum()), 'gold image')} that nobody was asked for or drew on"
        )
    return said


def _natural(name: str | None) -> list[tuple[int, int, str]]:
    """Order names as people do: batch 9 before batch 10."""
    parts = re.split(r"([0-9]{1,18})", name or "")
    return [(0, int(one), "") if k % 2 else (1, 0, one) for k, one in enumerate(parts)]
