"""Columns of a table that say something together, such as an image by patient and slice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError, UnknownNameError
from annqc.read import cells

if TYPE_CHECKING:
    Columns = Mapping[str, str | tuple[str, ...]]

__all__ = ["JOINED_ROLES", "column_names", "join_columns"]

JOINED_ROLES: Final = ("image_id", "annotation_id", "sequence", "track_id", "annotator")
"""What several columns can stand for together."""


def join_columns(table: dict[str, Any], said: Columns, where: str, *, text: bool) -> dict[str, str]:
    """Put columns that are named together side by side as one, ``a/b``.

    Parameters
    ----------
    table : dict of str to column
        Cells by column; the joint ones are added.
    said : mapping
        Role -> column, or several: as a tuple, or as text ``"patient+z"`` where no column is called
        so.
    where : str
        The file, for messages.
    text : bool
        Whether all cells are text.

    Returns
    -------
    dict of str to str
        Role -> column.

    Raises
    ------
    ReadError
        A role takes a single column.
    UnknownNameError
        There is no such column.

    Examples
    --------
    >>> table = {"patient": ["p1", "p1"], "z": ["2.5", "5.0"]}
    >>> join_columns(table, {"image_id": ("patient", "z")}, "t.csv", text=True)
    {'image_id': 'patient+z'}
    >>> table["patient+z"]
    ['p1/2.5', 'p1/5.0']
    """
    roles: dict[str, str] = {}
    for role, named in said.items():
        if isinstance(named, str) and (named in table or "+" not in named):
            roles[role] = named
            continue
        parts = (
            tuple(part.strip() for part in named.split("+")) if isinstance(named, str) else named
        )
        for part in parts:
            if part not in table:
                kind = "column"
                raise UnknownNameError.among(kind, part, list(table), where=where)
        if role not in JOINED_ROLES and len(parts) > 1:
            what = f"{role} is one column, and {len(parts)} are named"
            hint = f"several columns together may stand for {', '.join(JOINED_ROLES)}"
            raise ReadError(what, where=where, found=" + ".join(parts), hint=hint)
        name = "+".join(parts)
        if len(parts) > 1:
            table[name] = _joint([table[part] for part in parts], text=text)
        roles[role] = name
    return roles


def column_names(columns: Any) -> dict[str, str | tuple[str, ...]]:
    """Return the mapping of roles to columns that the user gave.

    Parameters
    ----------
    columns : mapping or None
        Role -> column, or several columns.

    Raises
    ------
    ReadError
        It is no such mapping.
    """
    if columns is None:
        return {}
    what = "columns= cannot be understood"
    expected = (
        "a mapping of role to column name, such as {'image_id': 'asset'}, or to several that say "
        "it together, such as {'image_id': ['patient', 'slice']}"
    )
    if not isinstance(columns, Mapping):
        raise ReadError(what, where="columns=", expected=expected, found=type(columns).__name__)
    named: dict[str, str | tuple[str, ...]] = {}
    for role, name in columns.items():
        several = isinstance(name, (list, tuple)) and bool(name)
        parts = tuple(name) if several else (name,)
        if not isinstance(role, str) or not all(isinstance(part, str) for part in parts):
            raise ReadError(what, where="columns=", expected=expected, found=f"{role!r}: {name!r}")
        named[role] = parts if len(parts) > 1 else parts[0]
    return named


def _joint(columns: list[Any], *, text: bool) -> Any:
    """Return texts ``a/b``; nothing where one of them is nothing."""
    if text:
        rows = zip(*columns, strict=True)
        return ["/".join(row) if all(row) else "" for row in rows]
    listed = [cells.ids(column, text=False).tolist() for column in columns]
    out = np.empty(len(listed[0]), dtype=object)
    out[:] = [
        None if any(cell is None for cell in row) else "/".join(map(str, row))
        for row in zip(*listed, strict=True)
    ]
    return out
