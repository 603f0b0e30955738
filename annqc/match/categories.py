"""Which candidate category is which reference category: by name, by id where there are no names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from annqc.ids import ids_array
from annqc.tables import Problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Dataset

    Array = npt.NDArray[Any]
    Ints = npt.NDArray[np.int64]

__all__ = ["CategoryAlignment", "align_categories"]


class CategoryAlignment(NamedTuple):
    """One numbering for the categories of both sides.

    Attributes
    ----------
    names : (k,) object
        Names: the reference's first, then those that only the candidate has.
    reference, candidate : (c,) int64
        For each category of the side its number in the common numbering.
    problems : list of Problem
        Names that were taken for the same though they are not spelt alike.
    """

    names: Array
    reference: Ints
    candidate: Ints
    problems: list[Problem]


def align_categories(reference: Dataset, candidate: Dataset) -> CategoryAlignment:
    """Put the categories of both sides on one numbering.

    Names decide, case-sensitively. Where one side has ids and no names, ids decide. Names that
    differ only in case or surrounding space are taken for the same where that is unambiguous, and
    listed.

    Parameters
    ----------
    reference, candidate : Dataset
        The two sides.

    Returns
    -------
    CategoryAlignment
        The common numbering and what was assumed for it.
    """
    numbers: dict[str, int] = {}
    ref_names = [str(name) for name in reference.category_names.tolist()]
    cand_names = [str(name) for name in candidate.category_names.tolist()]
    ref_codes = [numbers.setdefault(name, len(numbers)) for name in ref_names]
    cand_codes = [numbers.get(name, -1) for name in cand_names]
    ref_texts = [str(one) for one in reference.category_ids.tolist()]
    cand_texts = [str(one) for one in candidate.category_ids.tolist()]
    ref_unnamed, cand_unnamed = ref_texts == ref_names, cand_texts == cand_names
    names = list(numbers)
    if ref_unnamed != cand_unnamed:
        for row in _fill(cand_codes, ref_texts, cand_texts, ref_codes):
            if ref_unnamed and cand_names[row] not in numbers:
                names[cand_codes[row]] = cand_names[row]
    problems = [
        _problem(
            "category_spelling",
            f"the candidate's category {cand_names[row]!r} is taken for the reference's "
            f"{names[cand_codes[row]]!r}",
        )
        for row in _fill(cand_codes, _folded(ref_names), _folded(cand_names), ref_codes)
    ]
    if ref_codes and cand_codes and max(cand_codes) < 0:
        message = (
            f"no category in common, so every match is mislabelled: {_some(ref_names)} in the "
            f"reference, {_some(cand_names)} in the candidate"
        )
        problems.append(_problem("category_mismatch", message))
    for row, name in enumerate(cand_names):
        if cand_codes[row] < 0:
            cand_codes[row] = numbers.setdefault(name, len(numbers))
            if cand_codes[row] == len(names):
                names.append(name)
    return CategoryAlignment(
        ids_array(names),
        np.array(ref_codes, dtype=np.int64),
        np.array(cand_codes, dtype=np.int64),
        problems,
    )


def _problem(kind: str, message: str) -> Problem:
    return Problem(
        kind=kind, severity="kept", source="<match>", where="categories", message=message
    )


def _some(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:3]) + (", ..." if len(names) > 3 else "")


def _folded(names: list[str]) -> list[str]:
    return [name.strip().casefold() for name in names]


def _fill(
    cand_codes: list[int], ref_keys: list[str], cand_keys: list[str], ref_codes: list[int]
) -> list[int]:
    """Give the number of the reference's equal key to what has none yet; return which."""
    ref_counts, cand_counts = Counter(ref_keys), Counter(cand_keys)
    lookup = dict(zip(ref_keys, ref_codes, strict=True))
    taken = set(cand_codes)
    filled = []
    for row, key in enumerate(cand_keys):
        unambiguous = ref_counts[key] == 1 and cand_counts[key] == 1
        if cand_codes[row] < 0 and unambiguous and lookup[key] not in taken:
            cand_codes[row] = lookup[key]
            filled.append(row)
    return filled
