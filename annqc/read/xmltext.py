"""XML files -> elements, with errors that say where; and the values that stand in them as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from annqc.errors import ReadError
from annqc.read.heads import cannot_open

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["flag", "number_or_none", "parse_xml", "positive", "whole_or_none"]

_DEEPEST: Final = 100
_MOST_DIGITS: Final = 100


def parse_xml(path: Path, root: str, format: str) -> Element:
    """Parse XML without document types, which are the door to entities and to other files.

    Parameters
    ----------
    path : Path
        The file.
    root : str
        The root element that the format has.
    format : str
        Name of the format, for messages.

    Raises
    ------
    ReadError
        The file cannot be opened, is no XML, or has another root element.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise cannot_open(path, error) from None
    if not data.strip():
        what = "the file is empty"
        raise ReadError(what, where=str(path), expected=f"{format} XML")
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def start(tag: str, attributes: dict[str, Any]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            what = "the XML is nested too deeply"
            where = f"{path}, line {parser.CurrentLineNumber}"
            raise ReadError(what, where=where, expected=f"at most {_DEEPEST} levels")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> NoReturn:
        what = "the XML has a document type, and is not read"
        hint = "a document type can name other files: delete the <!DOCTYPE ...> part"
        raise ReadError(what, where=f"{path}, line {parser.CurrentLineNumber}", hint=hint)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, ReadError):
            raise
        what = "the file is no valid XML"
        where = f"{path}, line {parser.ErrorLineNumber}, column {parser.ErrorColumnNumber + 1}"
        cut = parser.ErrorByteIndex >= len(data.rstrip()) - 1
        hint = "the file may have been cut off: get it again" if cut else None
        raise ReadError(what, where=where, found=str(error), hint=hint) from None
    element = builder.close()
    if element.tag != root:
        what = f"the XML is not {format}"
        found = f"<{element.tag:.60}>"
        raise ReadError(what, where=str(path), expected=f"the root element <{root}>", found=found)
    return element


def number_or_none(text: str | None) -> float | None:
    """Return text as a number, None where it is none."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def whole_or_none(text: str | None) -> int | None:
    """Return text as a whole number, digit by digit; None where it is none.

    Examples
    --------
    >>> whole_or_none("9223372036854775807"), whole_or_none("7.0"), whole_or_none("7.5")
    (9223372036854775807, 7, None)
    """
    digits = (text or "").strip()
    if digits.removeprefix("-").isdecimal() and len(digits) < _MOST_DIGITS:
        return int(digits)
    number = number_or_none(text)
    return int(number) if number is not None and number.is_integer() else None


def positive(text: str | None) -> float | None:
    """Return a side of an image; 0 stands for unknown."""
    side = number_or_none(text)
    return side if side is not None and 0 < side < float("inf") else None


def flag(text: str | None) -> int | None:
    """Return a flag as 0 or 1, None where it is not given."""
    if text is None or not text.strip():
        return None
    return int(text.strip().lower() in ("1", "true", "yes"))
