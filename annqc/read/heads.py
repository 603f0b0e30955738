"""The first bytes of a file, and what they look like: all that sniffing may see."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from annqc.errors import ReadError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BOMS", "PNG", "Head", "Outline", "past_prolog", "read_head"]

PNG: Final = b"\x89PNG\r\n\x1a\n"
"""What a PNG image begins with."""

HEAD_BYTES: Final = 32768
_ENOUGH: Final = 500
_ODD: Final = 8
"""Text up to here may be by chance."""

BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the other's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, and the encoding each stands for."""

_MAGIC: Final = (
    (PNG, "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"PK\x03\x04", "a ZIP archive (unpack it first)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive (unpack it first)"),
    (b"BZh", "a bzip2 archive (unpack it first)"),
    (b"\xfd7zXZ", "an xz archive (unpack it first)"),
    (b"7z\xbc\xaf", "a 7z archive (unpack it first)"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x04", "a Python pickle (never opened: it can run code)"),
    (b"\x80\x05", "a Python pickle (never opened: it can run code)"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file (save it as Parquet)"),
    (b"\x7fELF", "a program"),
)

_BLANK: Final = re.compile(r"\s*")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


@dataclass(frozen=True)
class Outline:
    """The shape of the beginning of a JSON text.

    Attributes
    ----------
    top : str
        ``"{"`` or ``"["``.
    keys : dict of str to str
        Keys of the top-level object, with the first sign of their values.
    first : dict of str to tuple of str
        For each key whose value is a list of objects: the keys of the first object, where its end
        is in sight. ``""`` stands for the top level where that is a list.
    """

    top: str
    keys: dict[str, str]
    first: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Head:
    """The first bytes of a file."""

    path: Path
    data: bytes
    size: int

    @property
    def suffix(self) -> str:
        """Ending of the file name, lower case with the dot."""
        return self.path.suffix.lower()

    @property
    def is_png(self) -> bool:
        """Whether this is a PNG image."""
        return self.data.startswith(PNG)

    @property
    def whole(self) -> bool:
        """Whether this is all of the file."""
        return len(self.data) == self.size

    @cached_property
    def text(self) -> str | None:
        """The beginning as text, or None where it is not text."""
        if self.encoding in ("utf-8", "utf-8-sig") and b"\x00" in self.data:
            return None
        decoder = codecs.getincrementaldecoder(self.encoding)()
        try:
            return decoder.decode(self.data, final=False)  # a character may be cut at the end
        except UnicodeDecodeError:
            return None

    @property
    def encoding(self) -> str:
        """Encoding by the byte order mark, UTF-8 without one."""
        return next((name for bom, name in BOMS if self.data.startswith(bom)), "utf-8")

    @cached_property
    def outline(self) -> Outline | None:
        """The shape of the JSON this begins with, or None where it is no JSON object or list."""
        return None if self.text is None else _outline(self.text)

    @property
    def has_doctype(self) -> bool:
        """Whether this is XML with a document type, which no reader takes."""
        start = past_prolog(self.text or "")[:100].lower()
        return start.startswith("<!doctype") and "html" not in start.partition(">")[0]

    @property
    def looks_like(self) -> str:
        """What the file seems to be, in words."""
        if not self.size:
            return "an empty file"
        for magic, words in _MAGIC:
            if self.data.startswith(magic):
                return words
        if self.text is None:
            return self._binary
        if self.outline is not None:
            return _words_of(self.outline)
        start = " ".join(self.text[:200].split())[:60]
        if not start:
            return "nothing but white space"
        if start.startswith("<"):
            roots = re.findall(r"<([A-Za-z_][\w.:-]*)", self.text)
            return (
                f"XML with the root element <{roots[0]}>" if roots else f"it begins with {start!r}"
            )
        return f"text that begins with {start!r}"

    @property
    def _binary(self) -> str:
        """Say from where on this is no text."""
        at = self.data.find(b"\x00")
        try:
            codecs.getincrementaldecoder(self.encoding)().decode(self.data, final=False)
        except UnicodeDecodeError as error:
            at = error.start if at < 0 else min(at, error.start)
        if at < _ODD:
            return f"no UTF-8 text; it begins with the bytes {self.data[:16]!r}"
        line = self.data.count(b"\n", 0, at) + 1
        name = "UTF-8" if self.encoding == "utf-8-sig" else self.encoding.upper()
        return f"text up to line {line:,}, where the byte {self.data[at]:#04x} is no {name} text"


def read_head(path: Path) -> Head:
    """Read the first bytes of a file.

    Raises
    ------
    ReadError
        The file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            data = file.read(HEAD_BYTES)
            while data and not data.strip() and (more := file.read(HEAD_BYTES)):
                data = more  # white space says nothing, however much there is
            file.seek(0, 2)
            return Head(path, data, file.tell())
    except OSError as error:
        raise cannot_open(path, error) from None


def past_prolog(text: str) -> str:
    """Return XML from where its root element or its document type begins.

    Examples
    --------
    >>> past_prolog('<?xml version="1.0"?> <!-- one --><annotation/>')
    '<annotation/>'
    """
    at = 0
    while True:
        at = _BLANK.match(text, at).end()  # type: ignore[union-attr]
        begins = next((sign for sign in ("<!--", "<?") if text.startswith(sign, at)), None)
        if begins is None:
            return text[at:]
        ends = "-->" if begins == "<!--" else "?>"
        end = text.find(ends, at + len(begins))
        if end < 0:
            return ""
        at = end + len(ends)


def cannot_open(path: Path, error: OSError) -> ReadError:
    """Build the error for a file that the system does not hand over."""
    what = "the file cannot be opened"
    hint = "ask for the right to read it" if isinstance(error, PermissionError) else None
    return ReadError(what, where=str(path), found=error.strerror or str(error), hint=hint)


def _outline(text: str) -> Outline | None:
    """Walk the tokens until the lists that matter have been seen, or the text ends."""
    top, key, inner = "", "", ""
    depth = inside = 0
    keys: dict[str, str] = {}
    first: dict[str, list[str]] = {}
    done: set[str] = set()
    previous = ""
    listed = False
    quiet = 0
    for match in _TOKEN.finditer(text):
        token = match.group()
        if not top:
            if token not in "{[":
                return None
            top, depth, listed = token, 1, token == "["
            inside = 2 if listed else 3
            previous = token
            continue
        if depth == 1 and top == "{" and previous in "{," and token.startswith('"'):
            key = token[1:-1]
        elif depth == 1 and previous == ":":
            keys[key] = token[0]
            listed = token == "["
        if token in "{[":
            depth += 1
            if token == "{" and listed and depth == inside and key not in first:
                first[key], inner = [], key
        elif token in "}]":
            ends = token == "}" and depth == inside
            if ends and inner in first and inner not in done:
                done.add(inner)
                quiet = 0
            depth -= 1
            if depth <= 0:
                break
        elif (
            token.startswith('"')
            and previous in "{,"
            and inner in first
            and inner not in done
            and depth == inside
        ):
            first[inner].append(token[1:-1])
        previous = token
        quiet = quiet + 1 if done else 0
        if quiet > (0 if top == "[" else _ENOUGH):
            break
    if not top:
        return None
    return Outline(top, keys, {name: tuple(first[name]) for name in done})


def _words_of(outline: Outline) -> str:
    """Say what a JSON text holds."""
    if outline.top == "[":
        if "" in outline.first:
            return "a JSON list of objects with the keys " + _some(outline.first[""])
        return "a JSON list that does not begin with an object"
    return "a JSON object with the keys " + _some(tuple(outline.keys))


def _some(names: tuple[str, ...], most: int = 8) -> str:
    """List a few names."""
    if not names:
        return "(none)"
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
