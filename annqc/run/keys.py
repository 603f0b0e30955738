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

__all__ = [
    "SIZES",
    "Groups",
    "Key",
    "as_names",
    "codes_of",
    "combine",
    "grouped",
    "known_keys",
    "known_values",
    "refuse_taken_names",
    "resolve",
]

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


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Groups:
    """Groups of several kinds of rows: ``n`` of them, the value of each column, a code a row.

    A row that no group can be told of has the code -1.
    """

    n: int
    keys: dict[str, Array]
    codes: list[Ints]


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


def known_values(matches: Matches, name: str) -> set[str]:
    """Every value that a column can have, as text, with or without an object that has it.

    Parameters
    ----------
    matches : Matches
        The comparison.
    name : str
        A column.

    Raises
    ------
    UnknownNameError
        Where there is no such column.
    """
    known = set(map(str, _resolve(matches, name).values.tolist()))
    if name == "image_id":
        known |= set(map(str, matches.candidate.image_table.id.tolist()))
    return known


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


def codes_of(key: Key, reference: Ints, candidate: Ints, annotator: Ints) -> Ints:
    """Give rows their code of a column: that of the gold object, else that of the drawn one.

    Parameters
    ----------
    key : Key
        The column.
    reference, candidate : (n,) int64
        Rows of the two tables, -1 for none.
    annotator : (n,) int64
        Whose row it is.

    Returns
    -------
    (n,) int64
        -1 where the column says nothing of the row.
    """
    if key.name == "annotator":
        return annotator
    out = np.full(len(annotator), -1, dtype=np.int64)
    for side, rows in ((key.candidate, candidate), (key.reference, reference)):
        if side is not None:
            there = rows >= 0
            out[there] = side[rows[there]]
    return out


def grouped(keys: Sequence[Key], *rows: tuple[Ints, Ints, Ints]) -> Groups:
    """Group several kinds of rows by the same columns.

    Parameters
    ----------
    keys : sequence of Key
        From `resolve`.
    *rows : (reference, candidate, annotator)
        As `codes_of` takes them.

    Returns
    -------
    Groups
        The combinations that occur in any of the rows; by annotator alone, every annotator.
    """
    sizes = [len(key.values) for key in keys]
    codes = []
    for one in rows:
        parts = [codes_of(key, *one) for key in keys]
        code = combine(parts, sizes) if parts else np.zeros(len(one[2]), dtype=np.int64)
        for part in parts:
            code[part < 0] = -1
        codes.append(code)
    if not keys:
        return Groups(n=1, keys={}, codes=codes)
    if [key.name for key in keys] == ["annotator"]:
        return Groups(n=sizes[0], keys={"annotator": keys[0].values}, codes=codes)
    present = np.unique(np.concatenate(codes))
    present = present[present >= 0]
    dense = [np.where(code < 0, -1, np.searchsorted(present, code)) for code in codes]
    values: dict[str, Array] = {}
    rest = present
    for key in reversed(keys):
        values[key.name] = key.values[rest % max(len(key.values), 1)]
        rest = rest // max(len(key.values), 1)
    return Groups(n=len(present), keys={key.name: values[key.name] for key in keys}, codes=dense)
