"""JSON bytes -> typed objects, with errors that say where: line, byte, cut off or wrong.

Large files are mapped, not copied. Decoding is typed (msgspec), so that what is not asked for,
polygons above all, is skipped without making Python objects of it.
"""

from __future__ import annotations

import inspect
import json
import mmap
import re
import sys
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import ReadError
from annqc.read.files import collector_paused, not_text, shown
from annqc.read.heads import BOMS, cannot_open

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Buffer = bytes | memoryview

__all__ = [
    "HALF",
    "HALF_HINT",
    "NOT_NUMBERS",
    "NotANumberError",
    "careful",
    "decode",
    "first_sign",
    "half_character",
    "load",
    "without_nan",
]

NOT_NUMBERS: Final = ("NaN", "Infinity", "-Infinity")
"""Literals that some programs write into JSON, and JSON does not have."""

HALF: Final = "a text has half a character: one half of a surrogate pair without the other"
HALF_HINT: Final = (
    "the text was cut in the middle of a character when it was written: mend it there"
)

_MAP_FROM: Final = 1 << 20
_DEEPEST: Final = 4000
"""Levels that the decoder may go down; each takes about 600 bytes of the C stack."""
_ROOM: Final = 1000
"""Frames that are left to the reader below those of the caller."""
_SIGN: Final = re.compile(rb"[^ \t\r\n]")
_HALF: Final = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[c-fC-F][0-9a-fA-F]{2})"
)
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
    if not first_sign(data):
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


class _Limit:
    """How many reads, in whatever thread, have the recursion limit lowered, and how it was."""

    lock = Lock()
    readers = 0
    before = 0


@contextmanager
def careful() -> Iterator[None]:
    """Make the process ready for somebody else's JSON.

    A recursion limit that somebody raised very far is lowered, or a file of brackets could overflow
    the C stack; and the garbage collector is paused. Both belong to the process and not to the
    thread, so reads in several threads share them, and the last one restores what was. The limit
    stays well above the frames of the caller.
    """
    with collector_paused():
        _lower()
        try:
            yield
        finally:
            _restore()


def _lower() -> None:
    """Lower the recursion limit, or leave it lowered."""
    with _Limit.lock:
        now = sys.getrecursionlimit()
        if not _Limit.readers:
            _Limit.before = now
        _Limit.readers += 1
        if _Limit.before <= _DEEPEST:
            return
        wanted = max(_DEEPEST, _depth() + _ROOM)
        if _Limit.readers > 1:
            wanted = max(wanted, now)
        sys.setrecursionlimit(min(_Limit.before, wanted))


def _restore() -> None:
    """Restore the recursion limit where nobody reads any more."""
    with _Limit.lock:
        _Limit.readers -= 1
        if not _Limit.readers and sys.getrecursionlimit() != _Limit.before:
            sys.setrecursionlimit(_Limit.before)


def _depth() -> int:
    """Count the frames of this thread."""
    frame = inspect.currentframe()
    depth = 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


def first_sign(data: Buffer) -> bytes:
    """Return the first byte that is no white space; empty where there is none."""
    found = _SIGN.search(data)
    return found.group() if found else b""


def _unparseable(data: Buffer, message: str, path: Path) -> Exception:
    """Build the error for bytes that are no JSON."""
    size = len(data)
    half = _half_a_character(data, message, path)
    if half is not None:
        return half
    found = re.search(r"\(byte (\d+)\)", message)
    byte = int(found[1]) if found else size
    trailing = "trailing characters" in message
    byte -= trailing  # the decoder is one sign past the first that it does not want
    here = bytes(data[byte : byte + 40])
    start = bytes(data[:byte])
    line = start.count(b"\n") + 1
    column = byte - start.rfind(b"\n")
    where = f"{shown(path)}, line {line}, column {column} (byte {byte})"
    if not trailing and ("truncated" in message or not here.strip()):
        what = "the file is not complete: its JSON ends in the middle"
        tail = bytes(data[max(0, size - 40) :]).decode(errors="replace")
        hint = "the file was cut off while it was written or copied: get it again"
        return ReadError(what, where=where, found=f"it ends with {tail!r}", hint=hint)
    excerpt = here.decode(errors="replace").splitlines()[0]
    if trailing:
        what = "the file has something after the end of its JSON"
        hint = "take away what stands after the last bracket"
        if here[:1] in b"{[":
            hint = (
                "several JSON texts in one file (JSON lines) are not read: put them into one list"
            )
        return ReadError(what, where=where, found=repr(excerpt), hint=hint)
    what = f"the file is no valid JSON: {message.removeprefix('JSON is malformed: ')}"
    error = ReadError(what, where=where, found=repr(excerpt))
    around = bytes(data[max(byte - 1, 0) : byte + 9])  # the byte is that of the I of -Infinity
    if re.match(rb"NaN|-?Infinity", here) or re.match(rb"-?Infinity", around):
        return NotANumberError(error)
    return error


def half_character(value: object) -> str | None:
    r"""Return the first half of a surrogate pair in texts at any depth, None where there is none.

    The decoder refuses them; Python's own, which reads what that cannot, does not.

    Examples
    --------
    >>> half_character({"category": ["a\ud800"]})
    '\\ud800'
    """
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        return f"\\u{ord(error.object[error.start]):04x}"
    return None


def _half_a_character(data: Buffer, message: str, path: Path) -> ReadError | None:
    """Build the error for one half of a surrogate pair, which the decoder may take for the end."""
    near_end = max(0, len(data) - 32) if "truncated" in message else 0
    if not any(sign in message for sign in ("truncated", "surrogate", "hex escape")):
        return None
    for match in _HALF.finditer(bytes(data[near_end:])):
        byte = near_end + match.start()
        if match.group()[3:4].lower() in b"cdef" and _is_high(bytes(data[byte - 6 : byte])):
            continue  # the second half of a whole pair
        if b'"' not in bytes(data[byte + 6 :]):
            continue  # the text does end here
        line = bytes(data[:byte]).count(b"\n") + 1
        where = f"{shown(path)}, line {line} (byte {byte})"
        return ReadError(HALF, where=where, found=match.group().decode(), hint=HALF_HINT)
    return None


def _is_high(escape: bytes) -> bool:
    """Whether six bytes are the first half of a surrogate pair."""
    return re.fullmatch(rb"\\u[dD][89abAB][0-9a-fA-F]{2}", escape) is not None
