"""`Matches`: which drawing means which object, as arrays of row numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from annqc.match.naming import MISSED_KINDS, SPURIOUS_KINDS
from annqc.tables import to_frame

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from annqc.match.policy import MatchPolicy
    from annqc.tables import Dataset, Problem

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Matches"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Matches:
    """Which drawing means which object.

    ``*_reference`` arrays hold rows of ``reference.table``, ``*_candidate`` and ``*_partner`` rows
    of ``candidate.table``, ``*_annotator`` rows of ``candidate.annotator_ids``; -1 means none.
    Everything is ordered by annotator and then by image.

    Attributes
    ----------
    reference, candidate : Dataset
        The two sides.
    policy : MatchPolicy
        The rules that were used.
    image_of_candidate : (n,) int64
        For each row of ``candidate.table`` its row in ``reference.image_table``, -1 where the
        reference does not cover the image. This is the common image numbering;
        ``reference.table.image`` has it already.
    reference_category, candidate_category : (n,) int64
        For each row of the two tables its position in `category_names`.
    category_names : (k,) object
        The categories of both sides.
    task_annotator, task_image : (t,) int64
        Every annotator x image that was compared: assigned or drawn on, and covered by the
        reference. Images are rows of ``reference.image_table``.
    matched_reference, matched_candidate, matched_iou : (m,)
        One-to-one pairs at the counting threshold.
    mislabelled : (m,) bool
        Matched pairs of two categories.
    missed_reference, missed_annotator, missed_kind, missed_partner : (u,)
        References that an annotator did not draw, the position of the kind in `MISSED_KINDS`, and
        the candidate that was nearly it.
    spurious_candidate, spurious_kind, spurious_reference, spurious_partner : (v,)
        Candidates that stand for nothing, the position of the kind in `SPURIOUS_KINDS`, the
        reference that they were nearly, and for duplicates the candidate that has it.
    absorbed_candidate, absorbed_reference : (k,) int64
        Candidates swallowed by crowds and ignored references: neither matched nor spurious.
    pair_reference, pair_candidate, pair_iou : (p,)
        One-to-one pairs of any category at ``policy.pair_iou``, for offsets only.
    pair_ambiguous : (p,) bool
        Pairs where either box has another partner that is nearly as good; they are left out of
        offsets.
    far_reference, far_annotator, far_candidate : (f,) int64
        References without a pair, and the nearest unpaired candidate within half a diagonal.
    not_covered : (c,) int64
        Rows of ``candidate.table`` on images that the reference does not have: left out of
        everything.
    issues : tuple of Problem
        What was assumed to put both sides on one numbering.
    """

    MISSED_KINDS: ClassVar = MISSED_KINDS
    SPURIOUS_KINDS: ClassVar = SPURIOUS_KINDS

    reference: Dataset
    candidate: Dataset
    policy: MatchPolicy
    image_of_candidate: Ints
    reference_category: Ints
    candidate_category: Ints
    category_names: Array
    task_annotator: Ints
    task_image: Ints
    matched_reference: Ints
    matched_candidate: Ints
    matched_iou: Floats
    mislabelled: Bools
    missed_reference: Ints
    missed_annotator: Ints
    missed_kind: npt.NDArray[np.int8]
    missed_partner: Ints
    spurious_candidate: Ints
    spurious_kind: npt.NDArray[np.int8]
    spurious_reference: Ints
    spurious_partner: Ints
    absorbed_candidate: Ints
    absorbed_reference: Ints
    pair_reference: Ints
    pair_candidate: Ints
    pair_iou: Floats
    pair_ambiguous: Bools
    far_reference: Ints
    far_annotator: Ints
    far_candidate: Ints
    not_covered: Ints
    issues: tuple[Problem, ...] = ()

    def __repr__(self) -> str:
        return (
            f"<annqc.Matches: {self.n_tasks} annotator x image, "
            f"{len(self.matched_reference)} matched ({int(self.mislabelled.sum())} mislabelled), "
            f"{len(self.missed_reference)} missed, {len(self.spurious_candidate)} spurious>"
        )

    @property
    def n_tasks(self) -> int:
        """Annotator x image that was compared."""
        return len(self.task_annotator)

    @property
    def n_not_covered(self) -> int:
        """Candidates on images that the reference does not have."""
        return len(self.not_covered)

    @property
    def low_overlap(self) -> Bools:
        """Matched pairs below ``policy.low_overlap``, a warning and not an error."""
        low: Bools = self.matched_iou < self.policy.low_overlap
        return low

    @cached_property
    def task_n_reference(self) -> Ints:
        """Ordinary references (no crowds, none ignored) of each task."""
        table = self.reference.table
        ordinary = table.image[~(table.crowd | table.ignored)]
        counts = np.bincount(ordinary, minlength=len(self.reference.image_table))
        return counts[self.task_image]

    def frame(self) -> pd.DataFrame:
        """Return `columns` as a table, without the row numbers."""
        columns = self.columns()
        return to_frame({name: columns[name] for name in columns if not name.endswith("_row")})

    def columns(self) -> dict[str, Array]:
        """Return every pair, missed reference and candidate left over, one row each.

        Returns
        -------
        dict of str to array
            ``reference_row, candidate_row`` (-1 for none) and ``annotator, image_id, reference_id,
            annotation_id, category, candidate_category, status, kind, iou, ambiguous,
            partner_reference_id, partner_annotation_id``. ``status`` is one of ``matched,
            mislabelled, missed, spurious, absorbed, paired``; ``paired`` rows are compared edge by
            edge and do not count as found. ``ambiguous`` is None where the row is not in the offset
            pairing. Ids are as they were given.
        """
        annotator_of = self.candidate.table.annotator
        pair_of = np.full(len(self.candidate.table), -1)
        pair_of[self.pair_candidate] = np.arange(len(self.pair_candidate))
        pair = pair_of[self.matched_candidate]
        is_pair = pair >= 0
        is_pair[is_pair] = self.pair_reference[pair[is_pair]] == self.matched_reference[is_pair]
        matched_ambiguous = np.full(len(pair), None, dtype=object)
        matched_ambiguous[is_pair] = self.pair_ambiguous[pair[is_pair]]
        only = np.ones(len(self.pair_candidate), dtype=bool)
        only[pair[is_pair]] = False
        blocks = [
            _block(
                reference=self.matched_reference,
                candidate=self.matched_candidate,
                annotator=annotator_of[self.matched_candidate],
                status=np.where(self.mislabelled, "mislabelled", "matched").astype(object),
                iou=self.matched_iou,
                ambiguous=matched_ambiguous,
            ),
            _block(
                reference=self.missed_reference,
                annotator=self.missed_annotator,
                status="missed",
                kind=np.array(MISSED_KINDS, dtype=object)[self.missed_kind],
                partner_candidate=self.missed_partner,
            ),
            _block(
                candidate=self.spurious_candidate,
                annotator=annotator_of[self.spurious_candidate],
                status="spurious",
                kind=np.array(SPURIOUS_KINDS, dtype=object)[self.spurious_kind],
                partner_reference=self.spurious_reference,
                partner_candidate=self.spurious_partner,
            ),
            _block(
                candidate=self.absorbed_candidate,
                annotator=annotator_of[self.absorbed_candidate],
                status="absorbed",
                partner_reference=self.absorbed_reference,
            ),
            _block(
                reference=self.pair_reference[only],
                candidate=self.pair_candidate[only],
                annotator=annotator_of[self.pair_candidate[only]],
                status="paired",
                iou=self.pair_iou[only],
                ambiguous=self.pair_ambiguous[only].astype(object),
            ),
        ]
        return self._columns_of(
            **{name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        )

    def _columns_of(
        self,
        *,
        reference: Ints,
        candidate: Ints,
        annotator: Ints,
        status: Array,
        kind: Array,
        iou: Floats,
        ambiguous: Array,
        partner_reference: Ints,
        partner_candidate: Ints,
    ) -> dict[str, Array]:
        """Turn rows into ids, in the order annotator, image, status."""
        ref, cand = self.reference.table, self.candidate.table
        image = np.where(
            reference >= 0, _take(ref.image, reference), _take(self.image_of_candidate, candidate)
        )
        order = np.lexsort((image, annotator))
        columns = {
            "reference_row": reference,
            "candidate_row": candidate,
            "annotator": self.candidate.annotator_ids[annotator],
            "image_id": self.reference.image_table.id[image],
            "reference_id": _pick(ref.id, reference),
            "annotation_id": _pick(cand.id, candidate),
            "category": _pick(self.category_names, _code(self.reference_category, reference)),
            "candidate_category": _pick(
                self.category_names, _code(self.candidate_category, candidate)
            ),
            "status": status,
            "kind": kind,
            "iou": iou,
            "ambiguous": ambiguous,
            "partner_reference_id": _pick(ref.id, partner_reference),
            "partner_annotation_id": _pick(cand.id, partner_candidate),
        }
        return {name: column[order] for name, column in columns.items()}


def _block(*, annotator: Ints, **given: Any) -> dict[str, Array]:
    """Complete the columns of rows of one status."""
    n = len(annotator)
    columns: dict[str, Any] = {
        "reference": -1,
        "candidate": -1,
        "annotator": annotator,
        "status": None,
        "kind": None,
        "iou": np.nan,
        "ambiguous": None,
        "partner_reference": -1,
        "partner_candidate": -1,
    }
    columns |= given
    return {
        name: value
        if isinstance(value, np.ndarray)
        else np.full(n, value, dtype=object if value is None or isinstance(value, str) else None)
        for name, value in columns.items()
    }


def _take(column: Ints, rows: Ints) -> Ints:
    """Values of rows, whatever where the row is -1."""
    return column[rows] if len(column) else np.zeros(len(rows), dtype=np.int64)


def _code(column: Ints, rows: Ints) -> Ints:
    """Codes of rows, -1 where the row is."""
    return np.where(rows >= 0, _take(column, rows), -1)


def _pick(column: Array, rows: Ints) -> Array:
    """Values of rows as they are where every row is there, else as objects with None for none."""
    if (rows >= 0).all():
        return column[rows]
    values = np.full(len(rows), None, dtype=object)
    values[rows >= 0] = column[rows[rows >= 0]]
    return values
