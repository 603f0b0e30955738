"""Rows of a JSON file -> plain Python values, and those -> JSON, whatever numbers are in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from annqc.errors import ReadError
from annqc.read.files import shown
from annqc.read.jsontext import decode

if TYPE_CHECKING:
    from pathlib import Path

    from annqc.read.jsontext import Buffer

__all__ = ["as_text", "plain_row"]


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
        A number has thousands of digits.
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
            return json.loads(bytes(text))
        except ValueError as error:
            what = "a row of the file cannot be read"
            raise ReadError(what, where=shown(path), found=str(error)) from None


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
