"""judge: where in a spec each value stands, and how its faults are told, all at once.

The TOML parser of the standard library gives values without positions. One pass over the lines
finds the headers and the keys again; that is enough to give every fault its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import AnnqcError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Fault", "Path", "Places", "as_written", "faults_error", "inline"]

Path = tuple[str | int, ...]
"""Place of a value: ``("rule", 0, "by")`` is the ``by`` of the first rule."""

MOST_LEVELS: Final = 4
"""So deep a value is shown."""
_HEADER: Final = re.compile(r"^\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(
    r"""^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*="""
)
_PART: Final = re.compile(r""""[^"]*"|'[^']*'|[\w-]+""")
_QUOTES: Final = re.compile(r'"""|\'\'\'')


def as_written(value: Any, depth: int = 0) -> str:
    """Show a value about as TOML writes it: true, and not True.

    Examples
    --------
    >>> as_written([True, "a"]), as_written({"by": False})
    ("[true, 'a']", '{ by = false }')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, list | dict):
        return repr(value)
    if depth >= MOST_LEVELS:
        return "..."
    if isinstance(value, list):
        return f"[{', '.join(as_written(one, depth + 1) for one in value)}]"
    inside = ", ".join(f"{name} = {as_written(one, depth + 1)}" for name, one in value.items())
    return f"{{ {inside} }}" if inside else "{}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a spec.

    Attributes
    ----------
    where : str
        Table or rule, and field, in words.
    text : str
        What is wrong, and what would be right.
    line : int or None
        Line of the file, from 1; None where the spec is no text.
    file : str or None
        The file, where it is not the spec itself but one that the spec extends.
    """

    where: str
    text: str
    line: int | None = None
    file: str | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f"line {self.line}"
        place = ", ".join(part for part in (self.file, line, self.where) if part)
        return f"{place}: {self.text}" if place else self.text


class Places:
    r"""Line of every table and key of a TOML text.

    Parameters
    ----------
    text : str
        The text; an empty one knows no places.

    Examples
    --------
    >>> places = Places('[annqc]\nversion = 1\n[[rule]]\nid = "a"\n')
    >>> places.line("annqc", "version"), places.line("rule", 0, "id"), places.line("rule", 0, "by")
    (2, 4, 3)
    """

    def __init__(self, text: str = "") -> None:
        self._lines: dict[Path, int] = {}
        seen: dict[Path, int] = {}
        table: Path = ()
        closing = ""
        for number, line in enumerate(text.splitlines(), start=1):
            quoted = bool(closing)
            closing = _after(line, closing)
            if quoted:
                continue
            header, key = _HEADER.match(line), _KEY.match(line)
            if header is not None:
                table = self._open(header, seen)
                name = table[:-1] if isinstance(table[-1], int) else table
                self._lines.setdefault(name, number)
                self._lines.setdefault(table, number)
            elif key is not None:
                path = table
                for part in _parts(key.group(1)):
                    path = (*path, part)
                    self._lines.setdefault(path, number)

    def line(self, *path: str | int) -> int | None:
        """Return the line of a value, else of the nearest table around it, else None."""
        for stop in range(len(path), 0, -1):
            if path[:stop] in self._lines:
                return self._lines[path[:stop]]
        return None

    @staticmethod
    def _open(header: re.Match[str], seen: dict[Path, int]) -> Path:
        """Path of a table header; an array of tables counts its elements."""
        path: Path = ()
        names = _parts(header.group(2))
        for name in names[:-1]:
            path = (*path, name)
            path = (*path, seen[path]) if path in seen else path
        path = (*path, names[-1]) if names else path
        if header.group(1) == "[[":
            seen[path] = seen.get(path, -1) + 1
            path = (*path, seen[path])
        return path


def _parts(dotted: str) -> list[str]:
    """Split a dotted key, quotes taken off."""
    return [part.strip("\"'") for part in _PART.findall(dotted)]


def _after(line: str, closing: str) -> str:
    """Return the quotes that a line leaves open: those of a text over several lines, or none."""
    for mark in _QUOTES.findall(line):
        if not closing:
            closing = mark
        elif mark == closing:
            closing = ""
    return closing


def inline(error: AnnqcError) -> str:
    """Put an error on one line, for a list of faults."""
    text = error.what
    if error.expected:
        text += f"; expected {error.expected}"
    if error.found:
        text += f"; found {error.found}"
    if error.hint:
        text += f"; {error.hint}"
    return text


def faults_error(faults: Iterable[Fault], *, name: str) -> SpecError:
    """Build the one error that lists every fault, in the order of the lines, file by file.

    Parameters
    ----------
    faults : iterable of Fault
        At least one.
    name : str
        File, or what else the spec is called.
    """
    ordered = sorted(faults, key=lambda fault: (fault.file or "", fault.line or 0))
    count = "1 fault" if len(ordered) == 1 else f"{len(ordered)} faults"
    listed = "\n".join(f"  {fault}" for fault in ordered)
    return SpecError(f"{name}: the spec has {count}\n{listed}")
