"""`match`: from two datasets to `Matches`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.kernels._jit import Engine, check_engine
from annqc.match.authors import authored, own_work
from annqc.match.canvases import foreign_canvases
from annqc.match.categories import align_categories
from annqc.match.counting import count_matches, threshold_of
from annqc.match.images import align_images
from annqc.match.matches import Matches
from annqc.match.naming import name_errors
from annqc.match.offsets import pair_for_offsets
from annqc.match.policy import MatchPolicy, resolve_policy
from annqc.match.tasks import lay_out
from annqc.match.unread import unread_gold

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Dataset

__all__ = ["match"]


def match(
    reference: Dataset,
    candidate: Dataset,
    *,
    policy: MatchPolicy | None = None,
    engine: Engine = "auto",
    **policy_fields: Any,
) -> Matches:
    """Say which drawing means which object, for every annotator and image.

    Matching is within an annotator and an image. Counting (matched, missed, spurious) and the
    pairing for offsets are two assignments over the same overlaps. Crowds and ignored references
    are never missed; leftover candidates of their category that they cover are absorbed, neither
    matched nor spurious. An annotator who drew part of an image's reference is not compared there,
    nor is one whose outlines of an image are on a canvas of another size.

    Parameters
    ----------
    reference : Dataset
        What is compared with; all of its annotations, whoever drew them.
    candidate : Dataset
        The work of one or many annotators.
    policy : MatchPolicy, optional
        The rules; None for the defaults.
    engine : {"auto", "numpy", "numba"}, optional
        How it is computed. Results are equal; ``auto`` takes what is quicker for the size of the
        work.
    **policy_fields
        Parameters of `MatchPolicy`, in place of those of ``policy``.

    Returns
    -------
    Matches
        Rows of both sides that belong together, and those that belong to nobody.

    Raises
    ------
    MatchError
        Where the two sides share no image.
    SpecError, UnknownNameError
        Where a parameter is wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from annqc.ids import ids_array
    >>> from annqc.tables import Annotations, Dataset, Images
    >>> def one_image(box):
    ...     table = Annotations.build(image=[0], annotator=[0], category=[0], xyxy=[box])
    ...     ids = ids_array(["x"])
    ...     return Dataset(table, Images.build(ids), ids, ids, ids)
    >>> matches = match(one_image([0, 0, 10, 10]), one_image([0, 0, 10, 8]))
    >>> matches.matched_iou.tolist()
    [0.8]
    """
    rules = resolve_policy(policy, policy_fields)
    check_engine(engine)
    image_rows, image_issues = align_images(reference.image_table, candidate.image_table)
    categories = align_categories(reference, candidate)
    ref_category = categories.reference[reference.table.category]
    cand_category = categories.candidate[candidate.table.category]
    image_of_candidate = image_rows[candidate.table.image]
    own = authored(reference, candidate)
    foreign, canvas_issues = foreign_canvases(reference, candidate, image_rows)
    unread, gold_issues = unread_gold(reference, candidate)
    tasks = lay_out(
        reference,
        candidate,
        image_of_candidate=image_of_candidate,
        image_rows=image_rows,
        ref_category=ref_category,
        cand_category=cand_category,
        barred=np.union1d(np.union1d(own, foreign), unread),
    )
    edges = tasks.edges(engine=engine)
    score = candidate.table.score[tasks.cand_row] if rules.method == "coco" else np.empty(0)
    counted = count_matches(tasks, edges, rules, score=score, engine=engine)
    paired = pair_for_offsets(tasks, edges, rules, engine=engine)
    named = name_errors(tasks, edges, counted, paired, threshold=threshold_of(rules))

    def ref_rows(positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return _rows(tasks.ref_row, positions)

    def cand_rows(positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return _rows(tasks.cand_row, positions)

    missed_task, missed_reference = tasks.locate(named.missed)
    far_task, far_reference = tasks.locate(paired.far_slot)
    return Matches(
        reference=reference,
        candidate=candidate,
        policy=rules,
        image_of_candidate=image_of_candidate,
        reference_category=ref_category,
        candidate_category=cand_category,
        category_names=categories.names,
        task_annotator=tasks.annotator,
        task_image=tasks.image,
        matched_reference=ref_rows(edges.reference[counted.matched]),
        matched_candidate=cand_rows(edges.candidate[counted.matched]),
        matched_iou=edges.iou[counted.matched],
        mislabelled=counted.mislabelled,
        missed_reference=ref_rows(missed_reference),
        missed_annotator=tasks.annotator[missed_task],
        missed_kind=named.missed_kind,
        missed_partner=cand_rows(named.missed_partner),
        spurious_candidate=cand_rows(named.spurious),
        spurious_kind=named.spurious_kind,
        spurious_reference=ref_rows(named.spurious_reference),
        spurious_partner=cand_rows(named.spurious_partner),
        absorbed_candidate=cand_rows(edges.candidate[counted.absorbed]),
        absorbed_reference=ref_rows(edges.reference[counted.absorbed]),
        pair_reference=ref_rows(edges.reference[paired.pairs]),
        pair_candidate=cand_rows(edges.candidate[paired.pairs]),
        pair_iou=edges.iou[paired.pairs],
        pair_ambiguous=paired.ambiguous,
        far_reference=ref_rows(far_reference),
        far_annotator=tasks.annotator[far_task],
        far_candidate=cand_rows(paired.far_candidate),
        not_covered=np.flatnonzero(image_of_candidate < 0),
        issues=(
            *image_issues,
            *categories.problems,
            *own_work(candidate, own, len(reference.image_table)),
            *canvas_issues,
            *gold_issues,
        ),
    )


def _rows(order: npt.NDArray[np.int64], positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Table rows of sorted positions, -1 where there is none."""
    if not len(order):
        return np.full(len(positions), -1)
    return np.where(positions >= 0, order[positions], -1)
