"""run: a CSV file that says whose work something is, or of which batch."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from annqc.errors import ReadError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["header_of", "read_list"]

KEYS: Final = ("annotator", "image_id", "file_name")
"""Columns by which a list may say whose work something is; it has one of them."""


def header_of(path: Path) -> list[str]:
    """Return the names of the columns of a list.

    Raises
    ------
    ReadError
        The file cannot be read.
    """
    return _read(path)[0]


def read_list(path: Path, what: str) -> tuple[dict[str, str | None], str, list[int]]:
    """Read who, or which image, belongs where.

    Parameters
    ----------
    path : Path
        A CSV file with commas, semicolons or tabs between its cells.
    what : {"vendor", "batch"}
        The column that is asked for.

    Returns
    -------
    said : dict of str to str or None
        Annotator, or image, to vendor or batch; None where the cell is empty.
    key : str
        The column that names annotators or images: one of ``annotator, image_id, file_name``.
    unnamed : list of int
        Lines that have a vendor, or batch, and do not say whose.

    Raises
    ------
    ReadError
        The file cannot be read, has not the columns it needs or has one of them twice, or says two
        things of one annotator or image.
    """
    header, lines = _read(path)
    keys = [name for name in KEYS if name in header]
    found = f"the columns {', '.join(map(repr, header))}"
    if len(keys) != 1 or what not in header:
        wrong = "the list does not say whose work it is" if what == "vendor" else ""
        expected = f"a column {what!r}, and one of {', '.join(KEYS)}"
        problem = wrong or "the list does not say of which batch the work is"
        raise ReadError(problem, where=str(path), expected=expected, found=found)
    key = keys[0]
    for name in (key, what):
        if header.count(name) > 1:
            problem = f"the list has the column {name!r} {header.count(name)} times"
            hint = "leave one of them, or give the others another name"
            raise ReadError(problem, where=str(path), found=found, hint=hint)
    at, value_at = header.index(key), header.index(what)
    said: dict[str, str | None] = {}
    unnamed = []
    for number, cells in lines:
        name = cells[at].strip() if at < len(cells) else ""
        value = (cells[value_at].strip() if value_at < len(cells) else "") or None
        if not name:
            unnamed += [number] if value else []
            continue
        if said.setdefault(name, value) != value:
            problem = f"the list says two things of {key} {name!r}"
            differ = f"{said[name]!r} and {value!r}"
            hint = f"a {what} by annotator and image needs a column in the data"
            raise ReadError(problem, where=f"{path}, line {number}", found=differ, hint=hint)
    return said, key, unnamed


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a CSV file: the header, and the other lines with their numbers."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        problem = "the list of vendors or batches cannot be read"
        if isinstance(error, UnicodeDecodeError):
            raise ReadError(problem, where=str(path), hint="save it as UTF-8") from None
        found = getattr(error, "strerror", None) or str(error)
        raise ReadError(problem, where=str(path), found=found) from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        lines = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        problem = "the list of vendors or batches is no CSV"
        raise ReadError(problem, where=str(path), found=str(error)) from None
    if not lines:
        problem = "the list of vendors or batches is empty"
        raise ReadError(problem, where=str(path))
    return [cell.strip() for cell in lines[0][1]], lines[1:]
