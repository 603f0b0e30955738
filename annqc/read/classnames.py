"""Names of YOLO classes from ``data.yaml``, ``obj.names`` or ``classes.txt``; no YAML library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from annqc.read.files import read_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LEVELS_UP", "NAME_FILES", "class_names", "yaml_names"]

NAME_FILES: Final = ("classes.txt", "obj.names", "_darknet.labels", "labels.txt")
LEVELS_UP: Final = 4
"""Folders looked in: that of the label files and those above it."""
_ITEM: Final = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,]*?)\s*(?:,|$)""")


def class_names(folder: Path) -> dict[int, str]:
    """Return class number -> name from the nearest file, in the folder or up to three above it.

    Parameters
    ----------
    folder : Path
        Where the label files are.

    Returns
    -------
    dict of int to str
        Empty where there is no such file.
    """
    here = folder.absolute()
    for place in [here, *here.parents][:LEVELS_UP]:
        for path in sorted((*place.glob("*.yaml"), *place.glob("*.yml"))):
            names = yaml_names(read_text(path))
            if names:
                return names
        lists = [place / name for name in NAME_FILES]
        for path in [path for path in lists if path.is_file()] or sorted(place.glob("*.names")):
            lines = [line.strip() for line in read_text(path).splitlines()]
            return dict(enumerate(line for line in lines if line))
    return {}


def yaml_names(text: str) -> dict[int, str]:
    r"""Return the ``names`` of a YOLO data file: a list or a mapping, on one line or on several.

    Parameters
    ----------
    text : str
        The YAML text.

    Returns
    -------
    dict of int to str
        Empty where there is no ``names`` in a form that is known here.

    Examples
    --------
    >>> yaml_names("nc: 2\nnames: ['cat', dog]")
    {0: 'cat', 1: 'dog'}
    >>> yaml_names("names:\n  0: cat\n  2: traffic light  # red")
    {0: 'cat', 2: 'traffic light'}
    """
    lines = [_without_comment(line) for line in text.splitlines()]
    start = next((k for k, line in enumerate(lines) if re.match(r"names\s*:", line)), None)
    if start is None:
        return {}
    rest = lines[start].partition(":")[2].strip()
    below = []
    for line in lines[start + 1 :]:
        if line.strip() and not line.startswith((" ", "\t", "-", "]", "}")):
            break
        below.append(line.strip())
    whole = " ".join([rest, *below]).strip()
    if whole.startswith("[") and "]" in whole:
        return dict(enumerate(_items(whole[1 : whole.rindex("]")])))
    if whole.startswith("{") and "}" in whole:
        return _mapping(_items(whole[1 : whole.rindex("}")], quoted=False))
    entries = [line for line in below if line]
    if entries and all(line.startswith("-") for line in entries):
        return dict(enumerate(_unquoted(line[1:]) for line in entries))
    return _mapping(entries)


def _items(text: str, *, quoted: bool = True) -> list[str]:
    """Return the items of a flow list; commas within quotes do not part them."""
    found, position = [], 0
    text = text.strip().removesuffix(",")
    while position < len(text):
        match = (_ITEM if quoted else re.compile(r"""((?:"[^"]*"|'[^']*'|[^,])*)(?:,|$)""")).match(
            text, position
        )
        if match is None or match.end() == position:
            break
        found.append(_unquoted(match[1]) if quoted else match[1])
        position = match.end()
    return found


def _mapping(entries: list[str]) -> dict[int, str]:
    """Return number -> name from ``0: cat`` entries; empty where one is not of this form."""
    names = {}
    for entry in entries:
        number, colon, name = entry.partition(":")
        number = _unquoted(number)
        if not colon or not number.isdecimal():
            return {}
        names[int(number)] = _unquoted(name)
    return names


def _unquoted(text: str) -> str:
    """Return a scalar without its quotes."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _without_comment(line: str) -> str:
    """Cut a comment off: a hash at the start or after a space, outside quotes."""
    match = re.match(
        r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|(?<!\S)(?!\#)[^\s"']|(?<=\S)[^\s"']|["']|\s+(?!\#))*""",
        line,
    )
    return line if match is None else match.group().rstrip()
