"""JSON bytes -> typed objects, with errors that say where: line, byte, cut off or wrong.

Large files are mapped, not copied. Decoding is typed (msgspec), so that what is not asked for,
polygons above all, is skipped without making Python objects of it.
"""

from __future__ import annotations

import mmap
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import ReadError
from annqc.read.files import collector_paused, not_text
from annqc.read.heads import BOMS, cannot_open

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Buffer = bytes | memoryview

__all__ = ["NOT_NUMBERS", "NotANumberError", "careful", "decode", "load", "without_nan"]

NOT_NUMBERS: Final = ("NaN", "Infinity", "-Infinity")
"""Literals that some programs write into JSON, and JSON does not have."""

_MAP_FROM: Final = 1 << 20
_DEEPEST: Final = 2000
_LITERAL: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|-?Infinity\b|NaN\b', re.DOTALL)


class NotANumberError(Exception):
    """The JSON has a NaN or an infinity, which the decoder refuses: see `without_nan`.

    ``error`` is what to raise where that does not help.
    """

    def __init__(self, error: ReadError) -> None:
        super().__init__(str(error))
        self.error = error


def load(path: Path) -> Buffer:
    """Return the bytes of a JSON file as UTF-8 without a mark, mapped where the file is large.

    Raises
    ------
    ReadError
        The file is empty, cannot be opened, or is not text.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4)
            size = file.seek(0, 2)
            if size >= _MAP_FROM:
                data: Buffer = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            else:
                file.seek(0)
                data = file.read()
    except OSError as error:
        raise cannot_open(path, error) from None
    bom, encoding = next(((b, e) for b, e in BOMS if head.startswith(b)), (b"", "utf-8"))
    if encoding in ("utf-16", "utf-32"):
        try:
            return bytes(data).decode(encoding).encode()
        except UnicodeDecodeError as error:
            raise not_text(path, encoding, error.start, bytes(data)) from None
    if bom:
        data = memoryview(data)[len(bom) :]
    if not size or not bytes(data[:4096]).strip():
        what = "the file is empty"
        raise ReadError(what, where=str(path), expected="JSON", found=f"{size} bytes")
    return data


def decode(data: Buffer, type: Any, path: Path) -> Any:
    """Decode JSON into ``type``; to be called while `careful`.

    Parameters
    ----------
    data : bytes-like
        UTF-8 text.
    type : type
        What to decode into, as msgspec takes it.
    path : Path
        For messages.

    Raises
    ------
    msgspec.ValidationError
        It is JSON, but not of this type.
    NotANumberError
        It has a NaN or an infinity.
    ReadError
        It is no JSON, and where.
    """
    import msgspec

    try:
        return msgspec.json.decode(data, type=type)
    except msgspec.ValidationError:
        raise
    except RecursionError:
        what = "the JSON is nested too deeply"
        expected = "a few levels of brackets"
        found = f"more levels than {sys.getrecursionlimit()}"
        raise ReadError(what, where=str(path), expected=expected, found=found) from None
    except UnicodeDecodeError:
        raw = bytes(data)
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            raise not_text(path, "utf-8", error.start, raw) from None
        raise
    except msgspec.DecodeError as error:
        raise _unparseable(data, str(error), path) from None


def without_nan(data: Buffer) -> bytes:
    """Return the JSON with NaN and infinities as text, so that their rows can be found."""
    return _LITERAL.sub(_quote, bytes(data))


def _quote(match: re.Match[bytes]) -> bytes:
    """Put quotes around a literal; strings stay as they are."""
    found = match.group()
    return found if found.startswith(b'"') else b'"' + found + b'"'


@contextmanager
def careful() -> Iterator[None]:
    """Make the process ready for somebody else's JSON.

    A recursion limit that somebody raised is lowered, or a file of brackets could overflow the C
    stack; and the garbage collector is paused.
    """
    limit = sys.getrecursionlimit()
    try:
        with collector_paused():
            sys.setrecursionlimit(min(limit, _DEEPEST))
            yield
    finally:
        sys.setrecursionlimit(limit)


def _unparseable(data: Buffer, message: str, path: Path) -> Exception:
    """Build the error for bytes that are no JSON."""
    size = len(data)
    found = re.search(r"\(byte (\d+)\)", message)
    byte = int(found[1]) if found else size
    here = bytes(data[byte : byte + 40])
    start = bytes(data[:byte])
    line = start.count(b"\n") + 1
    column = byte - start.rfind(b"\n")
    where = f"{path}, line {line}, column {column} (byte {byte})"
    if "truncated" in message or not here.strip():
        what = "the file is not complete: its JSON ends in the middle"
        tail = bytes(data[max(0, size - 40) :]).decode(errors="replace")
        hint = "the file was cut off while it was written or copied: get it again"
        return ReadError(what, where=where, found=f"it ends with {tail!r}", hint=hint)
    excerpt = here.decode(errors="replace").splitlines()[0]
    if "trailing characters" in message:
        what = "the file has something after its JSON"
        hint = "several JSON texts in one file (JSON lines) are not read: put them into one list"
        return ReadError(what, where=where, found=repr(excerpt), hint=hint)
    what = f"the file is no valid JSON: {message.removeprefix('JSON is malformed: ')}"
    error = ReadError(what, where=where, found=repr(excerpt))
    around = bytes(data[max(byte - 1, 0) : byte + 9])  # the byte is that of the I of -Infinity
    if re.match(rb"NaN|-?Infinity", here) or re.match(rb"-?Infinity", around):
        return NotANumberError(error)
    return error
