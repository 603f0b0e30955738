"""run: what ``by=`` may name, and the value it takes for each annotation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.errors import SpecError, UnknownNameError
from annqc.ids import encode, ids_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.match import Matches
    from annqc.tables import Array, Ints

__all__ = ["SIZES", "Key", "as_names", "combine", "known_keys", "refuse_taken_names", "resolve"]

SIZES: Final = ("small", "medium", "large")
SIZE_EDGES: Final = (32.0**2, 96.0**2)
"""COCO's size classes: area in square pixels below 32², below 96², above."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Key:
    """One column to group by.

    ``values`` are the distinct values; ``reference`` and ``candidate`` give each annotation's code
    into them, or are None where that side does not know the column.
    """

    name: str
    values: Array
    reference: Ints | None
    candidate: Ints | None


def as_names(by: object) -> tuple[str, ...]:
    """Read ``by``: a name, names separated by commas, or a sequence of names.

    Parameters
    ----------
    by : str or sequence of str
        What the user wrote.

    Raises
    ------
    SpecError
        Where it is nothing of the kind, or names a column twice.

    Examples
    --------
    >>> as_names("annotator, category")
    ('annotator', 'category')
    """
    if not isinstance(by, Iterable):
        what = "by= takes names of columns"
        raise SpecError(what, expected="a name, or a list of names", found=repr(by))
    if isinstance(by, str) and not by.strip():
        what = "by= names no column"
        raise SpecError(what, expected="a name, or names separated by commas", found=repr(by))
    names = by.split(",") if isinstance(by, str) else list(by)
    cleaned = tuple(str(name).strip() for name in names)
    twice = {name for name in cleaned if cleaned.count(name) > 1}
    if twice:
        what = f"by= names {', '.join(map(repr, sorted(twice)))} more than once"
        raise SpecError(what, hint="name each column once")
    return tuple(name for name in cleaned if name)


def known_keys(matches: Matches) -> list[str]:
    """Every column that ``by=`` may name for this comparison.

    Parameters
    ----------
    matches : Matches
        The comparison.
    """
    reference, candidate = matches.reference, matches.candidate
    names = ["annotator", "category", "candidate_category", "size", "image_id"]
    if reference.image_table.sequence is not None:
        names.append("sequence")
    for extra in (candidate.table.extra, reference.table.extra, reference.image_table.extra):
        names += [name for name in extra if name not in names]
    return names


def resolve(matches: Matches, names: Sequence[str]) -> list[Key]:
    """Look the columns up.

    Parameters
    ----------
    matches : Matches
        The comparison.
    names : sequence of str
        From `as_names`.

    Returns
    -------
    list of Key

    Raises
    ------
    UnknownNameError
        Where a name is not among `known_keys`.
    """
    return [_resolve(matches, name) for name in names]


def _resolve(matches: Matches, name: str) -> Key:
    reference, candidate = matches.reference, matches.candidate
    if name == "annotator":
        return Key(
            name=name,
            values=candidate.annotator_ids,
            reference=None,
            candidate=candidate.table.annotator,
        )
    if name in {"category", "candidate_category"}:
        own = name == "category"
        return Key(
            name=name,
            values=ids_array(list(matches.category_names)),
            reference=matches.reference_category if own else None,
            candidate=matches.candidate_category,
        )
    if name == "size":
        return Key(
            name=name,
            values=ids_array(SIZES),
            reference=_size(reference.table.xyxy),
            candidate=_size(candidate.table.xyxy),
        )
    if name not in known_keys(matches):
        what = "column to group by"
        raise UnknownNameError.among(what, name, known_keys(matches))
    if name in {"image_id", "sequence"} or name in reference.image_table.extra:
        images = reference.image_table
        column = {"image_id": images.id, "sequence": images.sequence}.get(name)
        codes, values = encode(images.extra[name] if column is None else column)
        at = matches.image_of_candidate
        return Key(
            name=name,
            values=values,
            reference=codes[reference.table.image],
            candidate=np.where(at >= 0, codes[np.maximum(at, 0)], -1),
        )
    sides = [data.table.extra.get(name) for data in (reference, candidate)]
    joined = [value for side in sides if side is not None for value in side.tolist()]
    codes, values = encode(["" if _is_missing(value) else value for value in joined])
    found: list[Ints | None] = []
    at_row = 0
    for side in sides:
        found.append(None if side is None else codes[at_row : at_row + len(side)])
        at_row += 0 if side is None else len(side)
    return Key(name=name, values=values, reference=found[0], candidate=found[1])


def refuse_taken_names(by: Sequence[str], taken: Iterable[str]) -> None:
    """Refuse to group by a column that has the name of a column of the answer.

    Parameters
    ----------
    by : sequence of str
        Columns to group by.
    taken : iterable of str
        Columns of the answer.

    Raises
    ------
    SpecError
        Where a name is in both.
    """
    both = sorted(set(by) & set(taken))
    if both:
        what = f"cannot group by {', '.join(map(repr, both))}: the answer has columns of that name"
        raise SpecError(what, hint="rename the column in the data")


def _is_missing(value: object) -> bool:
    return value is None or value != value  # noqa: PLR0124 - NaN is the value that differs from itself


def _size(xyxy: Array) -> Ints:
    area = (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])
    return np.asarray(np.digitize(area, SIZE_EDGES), dtype=np.int64)


def combine(codes: Sequence[Ints], sizes: Sequence[int]) -> Ints:
    """Make one code of each combination of codes: mixed radix, in the order of the keys.

    Parameters
    ----------
    codes : sequence of (n,) int64
        One array a key.
    sizes : sequence of int
        Number of values of each key.

    Examples
    --------
    >>> combine([np.array([0, 1]), np.array([2, 0])], [2, 3]).tolist()
    [2, 3]
    """
    out = np.zeros(len(codes[0]) if codes else 0, dtype=np.int64)
    for code, size in zip(codes, sizes, strict=True):
        out = out * max(size, 1) + code
    return out
