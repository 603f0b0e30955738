"""Category tables of several files -> one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.ids import encode
from annqc.read.part import problem
from annqc.read.unite import find, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from annqc.read.part import Part
    from annqc.tables import Problem

    Array = npt.NDArray[Any]
    Ints = npt.NDArray[np.int64]

__all__ = ["Categories", "unite_categories"]


@dataclass(frozen=True, slots=True)
class Categories:
    """The categories of all parts, and of each row of each part (-1 where there is none)."""

    ids: Array
    names: Array
    codes: list[Ints]


def unite_categories(
    parts: Sequence[Part], given: dict[Any, str] | None, problems: list[Problem]
) -> Categories:
    """Unite the categories of all parts by name.

    A part without a category table whose categories are numbers takes the names from
    ``categories=``, or from the parts that have one; else the number is the name.
    """
    ids: list[Array] = []
    names: list[Array] = []
    rows: list[Ints] = []
    known = dict(given or {})
    for part in parts:
        if part.categories is not None and given is None:
            for id, name in zip(*(column.tolist() for column in part.categories), strict=True):
                known.setdefault(id, name)
    for part in parts:
        if part.categories is None:
            code, own = encode(part.category)
            ids.append(own)
            names.append(_text([known.get(one, one) for one in own.tolist()]))
            if given and own.dtype.kind == "i":
                code = np.where(np.array([one in known for one in own.tolist()])[code], code, -1)
            rows.append(code)
        else:
            _repeated_categories(part, problems)
            ids.append(part.categories[0])
            names.append(part.categories[1])
            rows.append(find(part.categories[0], part.category))
    code, all_names = encode(joined(names))
    all_ids = joined(ids)[np.unique(code, return_index=True)[1]]
    if len(parts) > 1 and len(set(all_ids.tolist())) < len(all_ids):
        message = "one category id has several names in the files; categories are told by name"
        problems.append(
            problem("category_id_clash", parts[0].sources[0].path, "categories", message)
        )
    starts = np.cumsum([0, *map(len, ids)])
    united = [
        np.where(row < 0, -1, code[start:end][row]) if end > start else row
        for row, (start, end) in zip(rows, pairwise(starts), strict=True)
    ]
    return Categories(all_ids, all_names, united)


def _text(values: list[object]) -> Array:
    """Return names as an array of text."""
    out = np.empty(len(values), dtype=object)
    out[:] = [str(value) for value in values]
    return out


def _repeated_categories(part: Part, problems: list[Problem]) -> None:
    """List ids and names that stand twice in the category table of a part."""
    assert part.categories is not None
    for what, column in zip(("id", "name"), part.categories, strict=True):
        seen: dict[object, int] = {}
        for row, value in enumerate(column.tolist()):
            met = seen.setdefault(value, row)
            if met != row:
                message = f"{what} {value!r} stands at categories[{met}] already"
                path = part.sources[0].path
                problems.append(problem("duplicate_category", path, f"categories[{row}]", message))
