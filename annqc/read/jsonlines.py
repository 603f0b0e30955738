"""JSON Lines -> columns: one object a line, as ``.jsonl`` or ``.ndjson``."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError
from annqc.read.files import shown, source_of
from annqc.read.jsontext import HALF, careful, half_character, load
from annqc.read.part import problem, tidy
from annqc.read.tablefiles import Table

if TYPE_CHECKING:
    from pathlib import Path

    from annqc.read.heads import Head

__all__ = ["SUFFIXES", "from_json_lines", "keys_of_line"]

SUFFIXES: Final = (".jsonl", ".ndjson")
_SECOND: Final = re.compile(r"\}[ \t]*\r?\n\s*\{")


def keys_of_line(head: Head) -> tuple[str, ...] | None:
    """Return the keys of the first object where a file is JSON Lines, None where it is not.

    Parameters
    ----------
    head : Head
        The beginning of a file. It is JSON Lines by its name, or where its first line is a whole
        object and another line begins with one.
    """
    outline = head.outline
    if outline is None or outline.top != "{":
        return None
    if head.suffix in SUFFIXES:
        return tuple(outline.keys)
    text = (head.text or "").lstrip()
    line = text.splitlines()[0] if text else ""
    if not _SECOND.match(text, max(len(line.rstrip()) - 1, 0)):
        return None
    return tuple(outline.keys)


def from_json_lines(path: Path) -> Table:
    """Read JSON Lines; a key that a line lacks is an empty cell of it.

    Raises
    ------
    ReadError
        The file is no text, has no object, or ends in the middle of a line.
    """
    lines = bytes(load(path)).split(b"\n")
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    problems = []
    n_rows = 0
    with careful():
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            n_rows += 1
            row, message = _decoded(line)
            if row is not None:
                rows.append(row)
                numbers.append(number)
                continue
            if number == len(lines) and message.startswith(_NO_JSON):
                what = "the file is not complete: it ends in the middle of a line"
                found = f"it ends with {line[-40:].decode(errors='replace')!r}"
                hint = "the file was cut off while it was written or copied: get it again"
                where = f"{shown(path)}, line {number}"
                raise ReadError(what, where=where, found=found, hint=hint)
            problems.append(problem("malformed", str(path), f"line {number}", message))
    if not rows:
        half = problems[0].message.startswith(HALF)
        what = "no line of the file is " + ("sound" if half else "a JSON object")
        expected = 'one object a line, such as {"image_id": 7, "polygon": [[1, 2], ...]}'
        raise ReadError(what, where=shown(path), expected=expected, found=problems[0].message)
    names = dict.fromkeys(name for row in rows for name in row)
    return Table(
        {name: tidy([row.get(name) for row in rows]) for name in names},
        np.array(numbers, dtype=np.int64),
        n_rows,
        text=False,
        source=source_of(path, "table", n_rows),
        where="line {}",
        problems=problems,
    )


_NO_JSON: Final = "the line is no JSON"


def _decoded(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """Return what a line says, and where it says nothing, why."""
    import msgspec

    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:  # it knows NaN
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            return None, f"{_NO_JSON}: {error!s:.80}"
        half = half_character(found)
        if half is not None:
            return None, f"{HALF}: {half}"
    if isinstance(found, dict):
        return found, ""
    return None, f"expected a JSON object, found a {type(found).__name__}"
