"""judge: what the measures share: which groups a rule asks about, and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import SpecError, did_you_mean
from annqc.judge.wording import number_of

if TYPE_CHECKING:
    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured
    from annqc.tables import Array, Bools

__all__ = [
    "GROUPED",
    "clusters_of",
    "group_of",
    "limit_words",
    "nothing_words",
    "split_columns",
    "wanted_rows",
    "who_words",
]

GROUPED: Final = ("by", "where", "confidence")
FEW_VALUES: Final = 12
"""Up to so many values of a column are listed in a message."""


def wanted_rows(
    found: dict[str, Array], rule: Rule, measured: Measured
) -> tuple[Bools, tuple[str, ...]]:
    """Rows that ``where`` keeps, and a note on each value that has no row.

    A value that is nowhere in the data is a slip of the pen: a rule that looks at nothing because
    of it must not go unnoticed.
    """
    some = next(iter(found.values()))
    keep = np.ones(len(some), dtype=bool)
    notes: list[str] = []
    for name, values in rule.where.items():
        column = found[name].tolist()
        asked = {*values, *map(str, values)}
        keep &= np.array([value in asked or str(value) in asked for value in column], dtype=bool)
        present = {str(value) for value in column}
        absent = [value for value in values if str(value) not in present]
        known = present | measured.known_values(name) if absent else present
        for value in absent:
            if str(value) not in known:
                what = f"there is no {name} {value!r} in the data"
                few = ", ".join(sorted(known)) if len(known) <= FEW_VALUES else None
                hint = did_you_mean(str(value), known)
                raise SpecError(what, where=f"where = {{ {name} = ... }}", expected=few, hint=hint)
            notes.append(f"there is nothing to judge of {name} {value!r}")
    return keep, tuple(notes)


def clusters_of(measured: Measured) -> str:
    """Name what evidence is counted in."""
    return "image" if measured.matches.reference.table.track is None else "image or track"


def split_columns(
    found: dict[str, Array], rule: Rule, wanted: Bools
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Separate the groups' columns from the numbers, wanted rows only."""
    kept = {name: column[wanted] for name, column in found.items()}
    keys = {name: kept.pop(name) for name in rule.columns}
    return keys, kept


def who_words(keys: dict[str, Array]) -> str:
    """Name what a row stands for."""
    return "annotator" if list(keys) == ["annotator"] else "group"


def group_of(keys: dict[str, Array], row: int) -> dict[str, Any]:
    """Return column -> value of one row."""
    return {name: column[row] for name, column in keys.items()}


def limit_words(limit: float, what: str, many: str) -> str:
    """Say a limit of a count, such as ``"1 error"``; limits need not be whole."""
    return number_of(int(limit), what, many) if limit == int(limit) else f"{limit:g} {many}"


def nothing_words(notes: tuple[str, ...], otherwise: str) -> str:
    """Say why there is nothing to judge."""
    return "; ".join(notes) or otherwise
