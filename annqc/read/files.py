"""Sources -> files: globs, folders, lists, and what the system refuses."""

from __future__ import annotations

import gc
import glob
import os
import re
import stat
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import ReadError, did_you_mean
from annqc.read.heads import BOMS, cannot_open
from annqc.tables import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "Found",
    "collector_paused",
    "expand",
    "located",
    "owner",
    "read_text",
    "relative_id",
    "shown",
    "source_of",
]

_LAYOUT: Final = frozenset(
    [
        "annotation",
        "annotations",
        "anno",
        "annos",
        "label",
        "labels",
        "labeltxt",
        "txt",
        "xml",
        "xmls",
        "json",
        "bbox",
        "boxes",
        "box",
        "gt",
        "det",
        "label_02",
        "instances",
        "instances_txt",
        "train",
        "training",
        "val",
        "valid",
        "validation",
        "test",
        "testing",
        "obj_train_data",
        "obj_valid_data",
        "obj_test_data",
        "images",
        "imgs",
        "jpegimages",
        "data",
        "default",
    ]
)
"""Folder names that say how a data set is laid out, and not whose it is."""


_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_SOURCES: Final = "a path, a glob, a folder, a list of those, or a DataFrame"


@dataclass(frozen=True, slots=True)
class Found:
    """A file, and the folder that was searched for it; None where the file was asked for."""

    path: Path
    folder: Path | None = None


def expand(source: Any, suffixes: Iterable[str]) -> list[Found]:
    """Return the files behind a path, a glob, a folder, or a list of those.

    Parameters
    ----------
    source : path-like or iterable of path-like
        What the user wrote.
    suffixes : iterable of str
        Endings to look for in folders.

    Raises
    ------
    ReadError
        Nothing is there.
    """
    if isinstance(source, (bytes, bytearray, memoryview, Mapping)):
        what = "this cannot be read"
        hint = "data that are in memory are read from a DataFrame; write JSON into a file first"
        if isinstance(source, Mapping):
            hint = "write it into a file with json.dump, or make a DataFrame with one row a box"
        raise ReadError(what, expected=_SOURCES, found=type(source).__name__, hint=hint)
    if isinstance(source, (str, os.PathLike)):
        return list(_expand_one(os.fspath(source), frozenset(suffixes)))
    try:
        items = list(source)
    except TypeError:
        what = "this cannot be read"
        raise ReadError(what, expected=_SOURCES, found=type(source).__name__) from None
    if not items:
        what = "there is nothing to read: the list is empty"
        raise ReadError(what)
    wrong = next((item for item in items if not isinstance(item, (str, os.PathLike))), None)
    if wrong is not None:
        what = "a list to read holds something that is no path"
        raise ReadError(what, found=type(wrong).__name__)
    known = frozenset(suffixes)
    found = [one for item in items for one in _expand_one(os.fspath(item), known)]
    return list({one.path: one for one in found}.values())


def owner(path: Path) -> tuple[str, Path]:
    """Return whose file this is by its folder: the nearest folder whose name is not mere layout.

    Parameters
    ----------
    path : Path
        A file, such as ``alice/labels/train/1.txt``.

    Returns
    -------
    name : str
        Name of the folder, ``"alice"``.
    folder : Path
        The folder.
    """
    parents = located(path).parents
    for folder in parents:
        if folder.name and folder.name.lower() not in _LAYOUT:
            return shown(folder.name), folder
    return shown(parents[0].name) or "annotator", parents[0]


def located(path: Path) -> Path:
    """Return the absolute path of a file with names for folders: ``..`` is nobody's."""
    if ".." not in path.parts:
        return path.absolute()
    return path.parent.resolve() / path.name


def relative_id(path: Path, base: Path) -> str:
    """Return the path below ``base`` without ending and layout folders: ``train/1``, ``val/1``."""
    below = located(path).with_suffix("").relative_to(base)
    layout = {"annotations", "labels", "labeltxt", "xmls", "obj_train_data", "obj_valid_data"}
    kept = [part for part in below.parts[:-1] if part.lower() not in layout]
    return shown("/".join([*kept, below.parts[-1]]))


class _Pause:
    """How many reads, in whatever thread, have the collector paused, and how it was before."""

    lock = Lock()
    readers = 0
    collecting = False


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector: it would walk through millions of new objects, and free none.

    Reads in several threads share the pause: the last one to end it restores what was.
    """
    with _Pause.lock:
        if not _Pause.readers:
            _Pause.collecting = gc.isenabled()
            gc.disable()
        _Pause.readers += 1
    try:
        yield
    finally:
        with _Pause.lock:
            _Pause.readers -= 1
            if not _Pause.readers and _Pause.collecting:
                gc.enable()


def shown(name: object) -> str:
    r"""Return a file name, or what is made of it, as text that can be written anywhere.

    Bytes of a name that are no UTF-8 are told as ``\xe9``; to open the file takes the name itself.

    Examples
    --------
    >>> shown("caf\udce9.json")
    'caf\\xe9.json'
    """
    text = str(name)
    return text if text.isascii() else _SURROGATE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    """Return a byte that is no UTF-8 as the system hands it over, or half a character, in ASCII."""
    code = ord(match.group())
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def read_text(path: Path) -> str:
    """Read a whole text file: UTF-8 with or without a mark, or UTF-16 or UTF-32 with one.

    Raises
    ------
    ReadError
        The file cannot be opened, or is not text in one of these encodings.
    """
    try:
        data = _file(path).read_bytes()
    except OSError as error:
        raise cannot_open(path, error) from None
    encoding = next((name for bom, name in BOMS if data.startswith(bom)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise not_text(path, encoding, error.start, data) from None


def not_text(path: Path, encoding: str, byte: int, data: bytes) -> ReadError:
    """Build the error for bytes that are not the text they should be."""
    line = data.count(b"\n", 0, byte) + 1
    return ReadError(
        f"the file is not {encoding.upper().removesuffix('-SIG')} text",
        where=f"{shown(path)}, line {line} (byte {byte})",
        found=f"the bytes {data[byte : byte + 8]!r}",
        hint="save it as UTF-8",
    )


def source_of(path: Path, format: str, n_rows: int) -> Source:
    """Return the record of a file that was read."""
    status = path.stat()
    return Source(str(path), format, n_rows, status.st_size, status.st_mtime_ns)


def _expand_one(text: str, suffixes: frozenset[str]) -> Iterator[Found]:
    """Yield the files behind one path, glob or folder."""
    if not text:
        what = "there is nothing to read: the path is empty"
        raise ReadError(what)
    if "://" in text:
        what = "only local files are read"
        raise ReadError(what, found=text, hint="fetch the file first, and give its path")
    path = Path(text).expanduser()
    try:
        there = path.exists()
    except OSError as error:  # a name too long, a folder without permission
        raise cannot_open(path, error) from None
    if there:
        yield from _folder(path, suffixes) if path.is_dir() else [Found(_file(path))]
        return
    if not glob.has_magic(text):
        raise _missing(path)
    matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207  the path may be absolute
    if not matches:
        what = "the pattern matches no file"
        raise ReadError(what, where=text, hint=f"patterns are taken from {Path.cwd()}")
    for match in matches:
        found = Path(match)
        yield from _folder(found, suffixes) if found.is_dir() else [Found(_file(found))]


def _file(path: Path) -> Path:
    """Return a path, unless it leads to something that has no end or keeps the reader waiting."""
    try:
        mode = path.stat().st_mode
    except OSError:  # opening it says why
        return path
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        what = "this is a pipe or a device, and annqc reads files: it looks at them more than once"
        hint = "write it into a file first, and give the path of that"
        raise ReadError(what, where=shown(path), expected="a file or a folder", hint=hint)
    return path


def _folder(folder: Path, suffixes: frozenset[str]) -> list[Found]:
    """Return the files in a folder and below whose endings are known, in order of their names."""
    found: list[Found] = []
    seen: set[str] = set()

    def refuse(error: OSError) -> None:
        raise cannot_open(Path(error.filename or folder), error) from None

    for here, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(names):
            ending = PurePath(name).suffix.lower()
            seen.add(ending or name)
            if ending in suffixes and not name.startswith("."):
                found.append(Found(_file(Path(here, name)), folder))
    if not found:
        what = "the folder holds no annotation files"
        raise ReadError(
            what,
            where=str(folder),
            expected="files that end in " + ", ".join(sorted(suffixes)),
            found="files that end in " + ", ".join(sorted(seen)[:8]) if seen else "no file at all",
        )
    return found


def _missing(path: Path) -> ReadError:
    """Build the error for a path that is not there, with the nearest name that is."""
    what = "there is no such file or folder"
    here = path.parent
    while not here.is_dir() and here != here.parent:
        here = here.parent
    try:
        names = [one.name for one in here.iterdir()]
    except OSError:
        names = []
    wanted = path.relative_to(here).parts[0]
    close = did_you_mean(wanted, names)
    hint = f"{close} (in {here.absolute()})" if close else f"the folder {here.absolute()} is there"
    return ReadError(what, where=str(path), hint=hint)
