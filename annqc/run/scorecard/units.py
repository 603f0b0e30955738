"""run: a delivery cut into vendors and batches, each compared with the gold on its own images."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.errors import AnnqcError, SpecError
from annqc.judge.wording import number_of
from annqc.run.audit import Run
from annqc.run.scorecard.labels import images_of, label_of, roster_has
from annqc.run.scorecard.pieces import NOBODY, pieces_of
from annqc.run.scorecard.sides import sides_of, was_asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.run.scorecard.labels import Label
    from annqc.run.scorecard.pieces import Pieces
    from annqc.tables import Ints, Problem

__all__ = ["NOT_SAID", "Cut", "Unit", "cut"]

NOT_SAID: Final = "(not said)"
"""What the vendor, or batch, is called where the data name none, and none is called so."""
NOUNS: Final = {
    (): ("page", "pages"),
    ("vendor",): ("vendor", "vendors"),
    ("batch",): ("batch", "batches"),
    ("vendor", "batch"): ("part of the delivery", "parts of the delivery"),
}
"""What a piece is, by what tells the pieces apart."""
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
    issues : tuple of Problem
        What is wrong with the rows of this work, those that cannot be used among it.
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
    issues: tuple[Problem, ...]

    @property
    def n_dropped(self) -> int:
        """Rows that cannot be used."""
        return sum(one.severity == "dropped" for one in self.issues)

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
    def noun(self) -> tuple[str, str]:
        """What a piece is called, one and several."""
        return NOUNS[tuple(name for name in ("vendor", "batch") if name in self.told_by)]

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
        What tells vendors, and batches, apart: see `annqc.run.scorecard.labels.label_of`. A list of
        vendors that has a column ``batch`` tells the batches too.

    Raises
    ------
    SpecError
        There are more pieces than `MOST`.
    UnknownNameError, ReadError
        From `annqc.run.scorecard.labels.label_of`.
    """
    if batch is None and roster_has(vendor, "batch"):
        batch = vendor
    given = {"vendor": vendor, "batch": batch}
    labels = [label_of(run, rule, what) for what, rule in given.items() if rule is not None]
    if not labels:
        return Cut(run=run, units=[_everything(run)], told_by={}, notes=[])
    notes = [note for label in labels for note in label.notes]
    pieces = pieces_of(run.candidate, labels)
    if pieces.n > MOST:
        what = f"there would be {pieces.n:,} pages"
        hint = "name a column that tells vendors, or batches, apart, and not single images"
        raise SpecError(what, expected=f"at most {MOST:,}", found=f"{labels[0].told_by}", hint=hint)
    image = images_of(run)
    units = [_unit(run, labels, pieces, k, image) for k in range(pieces.n)]
    named = {label.what: set(label.values) for label in labels}
    units.sort(key=lambda unit: (_place(unit.vendor, named), _place(unit.batch, named, "batch")))
    told_by = {label.what: label.told_by for label in labels}
    notes += _left(run, labels, pieces)
    return Cut(run=run, units=units, told_by=told_by, notes=notes)


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
        issues=work.issues,
    )


def _unit(run: Run, labels: Sequence[Label], pieces: Pieces, k: int, image: Ints) -> Unit:
    """Take one piece out."""
    work = run.candidate
    names: dict[str, str | None] = {"vendor": None, "batch": None}
    for label, code in zip(labels, pieces.codes[k].tolist(), strict=True):
        names[label.what] = _unsaid(label.values) if code < 0 else label.values[code]
    rows = np.flatnonzero(pieces.row == k)
    task = pieces.task[pieces.of_task == k]
    issues = tuple(
        one for one, of in zip(work.issues, pieces.of_problem.tolist(), strict=True) if of == k
    )
    covered = (image >= 0) & ~np.isin(image, _unread(run))
    inside = covered[task[:, 1]]
    outside = work.table.image[rows[~covered[work.table.image[rows]]]]
    found, trouble = None, "none of its images is in the gold"
    if not len(task):
        trouble = f"none of its {number_of(len(issues), 'row')} can be used"
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
        issues=issues,
    )


def _unread(run: Run) -> Ints:
    """Gold images whose gold could not be read: they are compared with nothing."""
    lost = {one.image_id for one in run.matches.issues if one.kind == UNREAD}
    ids = run.reference.image_table.id.tolist()
    return np.array([row for row, id in enumerate(ids) if id in lost], dtype=np.int64)


def _left(run: Run, labels: Sequence[Label], pieces: Pieces) -> list[str]:
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
    dropped = sum(one.severity == "dropped" for one, of in whose if of == NOBODY)
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


def _unsaid(values: Sequence[str]) -> str:
    """Return a name for what is nobody's that nobody has."""
    name = NOT_SAID
    while name in values:
        name = f"({name})"
    return name


Place = tuple[bool, list[tuple[int, int, str]]]


def _place(name: str | None, named: dict[str, set[str]], what: str = "vendor") -> Place:
    """Order names as people do, batch 9 before batch 10; what is nobody's comes last."""
    parts = re.split(r"([0-9]{1,18})", name or "")
    order = [(0, int(one), "") if k % 2 else (1, 0, one) for k, one in enumerate(parts)]
    return name is not None and name not in named.get(what, ()), order
