"""run: which piece of a delivery everything is in: rows, tasks, and problems of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.run.scorecard.labels import OPEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.run.scorecard.labels import Label
    from annqc.tables import Dataset, Ints

__all__ = ["NOBODY", "Pieces", "pieces_of"]

NOBODY: Final = -1
"""Piece of a problem of which nothing tells whose it is."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Pieces:
    """Which piece everything is in.

    Attributes
    ----------
    codes : (k, n_labels) int64
        The pieces, as codes of the labels.
    row : (n,) int64
        Piece of each annotation.
    task : (t, 2) int64
        Annotator x image that was drawn on or asked for.
    of_task : (t,) int64
        Its piece: what was drawn on in several pieces is in each of them.
    n_open : int
        So many were asked for, and nothing tells whose they are.
    of_problem : (m,) int64
        Piece of each problem; `NOBODY` where nothing tells it.
    """

    codes: Ints
    row: Ints
    task: Ints
    of_task: Ints
    n_open: int
    of_problem: Ints

    @property
    def n(self) -> int:
        """How many pieces there are."""
        return len(self.codes)


def pieces_of(work: Dataset, labels: Sequence[Label]) -> Pieces:
    """Put everything where it belongs.

    Parameters
    ----------
    work : Dataset
        The work.
    labels : sequence of Label
        Vendors, batches, or both.
    """
    n_images = max(len(work.image_table), 1)
    of_row = np.stack([label.of_row for label in labels], axis=1)
    of_asked = np.stack([label.of_asked for label in labels], axis=1)
    of_issue = np.stack([label.of_problem for label in labels], axis=1)
    asked = np.empty((0, 2), dtype=np.int64) if work.assigned is None else work.assigned
    drawn, wanted = work.table.annotator * n_images + work.table.image, asked @ [n_images, 1]
    # Where something was drawn, that decides; whose the rest is, the labels know or do not.
    empty = ~np.isin(wanted, drawn)
    known = empty & (of_asked != OPEN).all(axis=1)
    # A row that cannot be used may be all there is of a vendor; an odd one has its place already.
    dropped = np.array([one.severity == "dropped" for one in work.issues], dtype=bool)
    told = (of_issue != OPEN).all(axis=1) & dropped
    parts = [of_row, of_asked[known], of_issue[told]]
    codes, piece = np.unique(np.concatenate(parts), axis=0, return_inverse=True)
    piece = piece.reshape(-1)
    key = np.concatenate([drawn, wanted[known]])
    pairs = np.unique(np.stack([key, piece[: len(key)]], axis=1), axis=0)
    task = np.stack(np.divmod(pairs[:, 0], n_images), axis=1)
    row = piece[: len(drawn)]
    of_problem = _by_what_is_there(work, codes, of_issue, row, task, pairs[:, 1])
    of_problem[told] = piece[len(key) :]
    return Pieces(
        codes=codes,
        row=row,
        task=task,
        of_task=pairs[:, 1],
        n_open=int((empty & ~known).sum()),
        of_problem=of_problem,
    )


def _by_what_is_there(
    work: Dataset, codes: Ints, of_issue: Ints, row: Ints, task: Ints, of_task: Ints
) -> Ints:
    """Tell whose a problem is by the usable rows beside it.

    Those of its annotator on its image, or of its annotator; those of its file, or on its image,
    only where it names no annotator, for else the work of others would decide. The first of these
    that is in one piece alone does, among the pieces that what is known of the problem leaves.
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
    for one, said in zip(work.issues, of_issue.tolist(), strict=True):
        annotator, image = str(one.annotator), str(one.image_id)
        keys: list[tuple[object, ...]] = [(annotator, image), ("a", annotator)]
        if one.annotator is None:
            keys = [("s", one.source), ("i", image)]
        fits = ((codes == said) | (np.array(said) == OPEN)).all(axis=1)
        pieces = ({k for k in known.get(key, ()) if fits[k]} for key in keys)
        found.append(next((next(iter(some)) for some in pieces if len(some) == 1), NOBODY))
    return np.array(found, dtype=np.int64)
