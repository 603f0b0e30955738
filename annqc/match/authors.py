"""Whoever drew the reference is not judged on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.tables import Problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Dataset

    Ints = npt.NDArray[np.int64]

__all__ = ["authored", "own_work"]


def authored(reference: Dataset, candidate: Dataset) -> Ints:
    """List what annotators of the candidate drew in the reference.

    Parameters
    ----------
    reference, candidate : Dataset
        The two sides.

    Returns
    -------
    (k,) int64
        Sorted codes ``annotator * n_images + image``, with the candidate's annotators and the
        reference's images. Empty unless the rows of both sides say who drew them: the name of a
        file is not an author.
    """
    if not (reference.authors_known and candidate.authors_known):
        return np.empty(0, dtype=np.int64)
    # The number 7 in one file and the text "7" in another are one person.
    code = {str(who): row for row, who in enumerate(candidate.annotator_ids.tolist())}
    same = [code.get(str(who), -1) for who in reference.annotator_ids.tolist()]
    drawn = np.array(same, dtype=np.int64)[reference.table.annotator]
    there = drawn >= 0
    return np.unique(drawn[there] * len(reference.image_table) + reference.table.image[there])


def own_work(candidate: Dataset, keys: Ints, n_images: int) -> list[Problem]:
    """Say who is left out where.

    Parameters
    ----------
    candidate : Dataset
        The work.
    keys : (k,) int64
        Annotator x image that is left out, as in `authored`.
    n_images : int
        Images of the reference.
    """
    who, counts = np.unique(keys // max(n_images, 1), return_counts=True)
    return [
        Problem(
            kind="own_reference",
            severity="kept",
            source="<match>",
            where="annotators",
            annotator=candidate.annotator_ids[row],
            message=f"drew the reference of {count} images, and is not judged on them",
        )
        for row, count in zip(who.tolist(), counts.tolist(), strict=True)
    ]
