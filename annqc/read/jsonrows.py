"""JSON files and rows of them -> plain Python values, whatever numbers are in them; and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from annqc.errors import ReadError
from annqc.read.files import shown
from annqc.read.jsontext import (
    HALF,
    HALF_HINT,
    NotANumberError,
    careful,
    decode,
    first_sign,
    half_character,
    load,
    without_nan,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from annqc.read.jsontext import Buffer
    from annqc.read.part import Part

__all__ = ["as_text", "pieces_of", "plain_row", "read_each", "read_json"]


def read_each(
    paths: Sequence[Path], read_one: Callable[[Buffer, Path], Part], tick: Callable[[Path], None]
) -> list[Part]:
    """Read JSON files, one part each.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    read_one : callable
        Makes a part of the bytes of a file. Where those have a NaN, it is called once more with the
        NaN as text, to find its row.
    tick : callable
        Is told of each file that is done.

    Raises
    ------
    ReadError
        A file is no JSON, or not of the format.
    """
    parts = []
    for path in paths:
        parts.append(_with_or_without_nan(path, read_one))
        tick(path)
    return parts


def read_json(path: Path) -> Any:
    """Return what a JSON file says as plain Python values; NaN and infinities are text.

    Parameters
    ----------
    path : Path
        A file of one image, small enough for Python objects.

    Raises
    ------
    ReadError
        The file is no JSON.
    """
    return _with_or_without_nan(path, plain_row)


def _with_or_without_nan(path: Path, read_one: Callable[[Buffer, Path], Any]) -> Any:
    """Read one file; where it has a NaN, once more with the NaN as text."""
    with careful():
        data = load(path)
        try:
            return read_one(data, path)
        except NotANumberError as refused:
            try:
                return read_one(without_nan(data), path)
            except NotANumberError:
                raise refused.error from None


def pieces_of(
    data: Buffer, path: Path, fields: Sequence[tuple[Any, ...]], what: str, expected: str
) -> tuple[bool, Any]:
    """Decode a list, or an object with lists, and leave what is in the lists for later.

    Parameters
    ----------
    data : bytes-like
        The file.
    path : Path
        For messages.
    fields : sequence of tuple
        Fields of the object, as ``msgspec.defstruct`` takes them.
    what, expected : str
        What to say where it is something else.

    Returns
    -------
    bare : bool
        Whether it is a list.
    decoded : list of msgspec.Raw, or struct

    Raises
    ------
    ReadError
        It is neither.
    NotANumberError
        It has a NaN or an infinity.
    """
    import msgspec

    from annqc.read.cocotypes import struct

    bare = first_sign(data) == b"["
    several: Any = list[msgspec.Raw]
    try:
        return bare, decode(data, several if bare else struct("File", list(fields)), path)
    except msgspec.ValidationError as error:
        raise ReadError(what, where=str(path), expected=expected, found=str(error)) from None


def plain_row(text: Buffer, path: Path) -> Any:
    """Return what a piece of JSON says; to be called while `annqc.read.jsontext.careful`.

    Parameters
    ----------
    text : bytes-like
        The piece.
    path : Path
        For messages.

    Raises
    ------
    ReadError
        A number has thousands of digits, or a text half a character.
    NotANumberError
        It has a NaN or an infinity.

    Notes
    -----
    Numbers beyond what a float can hold, such as 1e400, become infinities, which checks find.
    """
    import msgspec

    try:
        return decode(text, Any, path)
    except msgspec.ValidationError:
        try:
            found = json.loads(bytes(text))
        except (ValueError, RecursionError) as error:
            what = "a row of the file cannot be read"
            raise ReadError(what, where=shown(path), found=str(error)) from None
    half = half_character(found)
    if half is not None:
        raise ReadError(HALF, where=shown(path), found=half, hint=HALF_HINT)
    return found


def as_text(value: Any) -> bytes:
    """Return a value as JSON; one with half a character in it becomes text that says so.

    Examples
    --------
    >>> as_text([1, None])
    b'[1,null]'
    """
    import msgspec

    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return b'"half a character"'
