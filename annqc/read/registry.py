r"""The registry of readers: who reads which format, and how a format is recognised.

A reader is one module with one function under `register_reader`. It gets the files that are in its
format and gives back `annqc.read.part.Part`\ s; putting them together is not its business. A
reader recognises a file by its first bytes, not by its name alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol

from annqc.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from annqc.read.heads import Head
    from annqc.read.options import Options
    from annqc.read.part import Part

__all__ = [
    "EMPTY",
    "LAST",
    "MAYBE",
    "NO",
    "SURE",
    "Reader",
    "every_reader",
    "reader_named",
    "register_reader",
]

NO: Final = 0
"""This is not the reader's format."""
LAST: Final = 1
"""An image, which is an annotation only where a folder has nothing but images."""
MAYBE: Final = 2
"""The best guess where nothing else fits; set aside where a folder has files that are sure."""
EMPTY: Final = 3
"""The format, as far as can be told of a file with nothing in it; joins files that are sure."""
SURE: Final = 4
"""The content is in the reader's format."""

_BUILT_IN: Final = (
    "coco",
    "cocovideo",
    "cvat",
    "darwin",
    "labelme",
    "labelstudio",
    "masks",
    "scalabel",
    "table",
    "voc",
    "yolo",
    "kitti",  # from here on after YOLO: the first of equals wins, and an empty text is YOLO's
    "mot",
    "mots",
)
_readers: dict[str, Reader] = {}


class ReadFunction(Protocol):
    """What a reader does: files in its format -> parts, calling ``tick`` after each file."""

    def __call__(
        self, paths: Sequence[Path], options: Options, tick: Callable[[Path], None]
    ) -> list[Part]: ...


@dataclass(frozen=True, slots=True)
class Reader:
    """A format that can be read.

    Attributes
    ----------
    name : str
        What ``format=`` calls it.
    suffixes : tuple of str
        Endings of file names, lower case with the dot; a folder is searched for them.
    expects : str
        What a file looks like, for messages.
    sniff : callable
        Head of a file -> `NO`, `LAST`, `MAYBE`, `EMPTY` or `SURE`.
    read : callable
        Files -> parts.
    """

    name: str
    suffixes: tuple[str, ...]
    expects: str
    sniff: Callable[[Head], int]
    read: ReadFunction


def register_reader(
    name: str, *, suffixes: tuple[str, ...], sniff: Callable[[Head], int], expects: str
) -> Callable[[ReadFunction], ReadFunction]:
    """Register the decorated function as the reader of a format.

    Parameters
    ----------
    name : str
        What ``format=`` calls the format; a later reader of the same name takes the place of an
        earlier one.
    suffixes : tuple of str
        Endings of file names, lower case with the dot.
    sniff : callable
        Head of a file -> `NO`, `LAST`, `MAYBE`, `EMPTY` or `SURE`. It sees the first bytes only.
    expects : str
        What a file of this format looks like, for the message when nothing fits.
    """

    def add(read: ReadFunction) -> ReadFunction:
        _readers[name] = Reader(name, suffixes, expects, sniff, read)
        return read

    return add


def every_reader() -> Iterator[Reader]:
    """Yield the readers, those of annqc first."""
    for module in _BUILT_IN:
        import_module(f"annqc.read.{module}")
    yield from tuple(_readers.values())


def reader_named(name: str) -> Reader:
    """Return the reader of a format.

    Raises
    ------
    UnknownNameError
        There is none of this name.
    """
    known = {reader.name: reader for reader in every_reader()}
    if name not in known:
        kind = "format"
        raise UnknownNameError.among(kind, name, ["auto", *known])
    return known[name]
