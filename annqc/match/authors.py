"""Who drew what: whoever drew the reference is not judged on it, and some work does not say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.tables import Problem, is_anonymous

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Dataset

    Ints = npt.NDArray[np.int64]

__all__ = ["author_columns", "authored", "own_work", "unsigned"]

MOST_AUTHORS: Final = 200
"""A column of more different texts does not say who drew."""
ROWS_EACH: Final = 3
"""Rows that whoever drew has at least, on average."""
FEW_COLUMNS: Final = 3
HINTS: Final = re.compile(
    r"annot|label+e|rater|work|user|draw|author|person|vendor|who|by(?![a-z])"
)
"""What is in the name of a column that says who drew; such columns are named first."""


def author_columns(candidate: Dataset) -> list[str]:
    """List the columns that could say who drew: texts of few different values.

    Parameters
    ----------
    candidate : Dataset
        The work.

    Returns
    -------
    list of str
        Names of further columns, at most three; those first whose names speak for it.
    """
    found = []
    for name, column in candidate.table.extra.items():
        values = column.tolist()
        texts = {value for value in values if isinstance(value, str) and value}
        whole = all(value is None or isinstance(value, str) for value in values)
        if whole and 1 < len(texts) <= min(MOST_AUTHORS, len(values) / ROWS_EACH):
            found.append(name)
    return sorted(found, key=lambda name: HINTS.search(name.lower()) is None)[:FEW_COLUMNS]


def unsigned(candidate: Dataset) -> str:
    """Say that everything counts as the work of one, where nothing says who drew it.

    Parameters
    ----------
    candidate : Dataset
        The work.

    Returns
    -------
    str
        Empty where the rows say it, there are several annotators, they are anonymous, or the work
        is simulated.
    """
    if candidate.authors_known or len(candidate.annotator_ids) != 1:
        return ""
    if is_anonymous(candidate.annotator_ids):
        return ""
    if any(source.format == "simulated" for source in candidate.sources):
        return ""
    who = candidate.annotator_ids.tolist()[0]
    said = (
        f"the work does not say who drew what, so everything counts as one annotator, {str(who)!r}"
    )
    columns = author_columns(candidate)
    if not columns:
        return f"{said}; --annotator =NAME calls them otherwise"
    listed = " or ".join(filter(None, (", ".join(columns[:-1]), columns[-1])))
    return f"{said}; if the column {listed} says it, name it (--annotator, or annotator in a spec)"


def authored(reference: Dataset, candidate: Dataset) -> Ints:
    """List what annotators of the candidate drew in the reference, or found to be empty there.

    Parameters
    ----------
    reference, candidate : Dataset
        The two sides.

    Returns
    -------
    (k,) int64
        Sorted codes ``annotator * n_images + image``, with the candidate's annotators and the
        reference's images. Empty unless the rows of both sides say who drew them: the name of a
        file is not an author. Nor is anybody who is nobody in particular.
    """
    if not (reference.authors_known and candidate.authors_known):
        return np.empty(0, dtype=np.int64)
    # The number 7 in one file and the text "7" in another are one person.
    code = {str(who): row for row, who in enumerate(candidate.annotator_ids.tolist())}
    same = np.array(
        [code.get(str(who), -1) for who in reference.annotator_ids.tolist()], dtype=np.int64
    )
    same[reference.nameless] = -1
    drawn, image = same[reference.table.annotator], reference.table.image
    if reference.assigned is not None:  # that nothing is there was said by whoever was asked
        asked = reference.assigned[~np.isin(reference.assigned[:, 1], image)]
        drawn = np.concatenate([drawn, same[asked[:, 0]]])
        image = np.concatenate([image, asked[:, 1]])
    there = drawn >= 0
    return np.unique(drawn[there] * len(reference.image_table) + image[there])


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
