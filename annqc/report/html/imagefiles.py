"""report: the files of images in a folder, found by name, and never outside of it."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.imagehead import UPRIGHT, head_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]

__all__ = ["ImageFolder", "UnusableError"]

MOST_PIXELS: Final = 120_000_000
MOST_BYTES: Final = 256_000_000
LONGEST_NUMBER: Final = 18
SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
# Why an image cannot be shown.
NO_PICTURE: Final = "no whole JPEG, PNG, WebP, BMP or TIFF"
TURNED: Final = "turned by its EXIF data, and it is not known which way the boxes were drawn"
TOO_LARGE: Final = f"more than {MOST_PIXELS // 1_000_000} million pixels"
OTHER_SIZE: Final = "of another size than the data say"
ELSEWHERE: Final = "named by a path that leads elsewhere"
NOT_FOUND: Final = "not found"
SEVERAL: Final = "there are several of this name"
NO_FILE: Final = "a link that leads out of the folder, or no file"
TOO_LONG: Final = f"more than {MOST_BYTES // 1_000_000} MB"
NOT_READABLE: Final = "not readable"
NOT_DECODABLE: Final = "not decodable"
_DRIVE: Final = re.compile(r"[A-Za-z]:/")


class UnusableError(Exception):
    """An image cannot be shown; its text says why."""


class ImageFolder:
    """Images in a folder.

    Parameters
    ----------
    folder : Path
        Where they are, in it or below it. Links that lead out of it are not followed.
    names : iterable of str
        What all images of the data are called: two that end alike must not be mixed up.
    spared : Path
        A folder that is not searched: the report itself.
    """

    def __init__(self, folder: Path, names: Iterable[str], *, spared: Path) -> None:
        self.root = Path(os.path.realpath(folder))
        self._spared = os.path.realpath(spared)
        self._called = Counter(parts[-1] for one in set(names) if (parts := _parts(one)))
        self._index: dict[str, list[tuple[str, ...]]] | None = None

    def open(self, name: str, size: tuple[float, float]) -> Pixels:
        """Read an image.

        Parameters
        ----------
        name : str
            File name as the data have it, or the id of the image.
        size : (float, float)
            Width and height that the data say; NaN where they do not.

        Returns
        -------
        (height, width, 3) uint8
            Blue, green, red.

        Raises
        ------
        UnusableError
            It is not there, cannot be read, is turned, or is of another size.
        """
        data = self._read(self.find(name))
        head = head_of(data)
        if head is None:
            raise UnusableError(NO_PICTURE)
        if head.turn != UPRIGHT:
            raise UnusableError(TURNED)
        if head.width * head.height > MOST_PIXELS:
            raise UnusableError(TOO_LARGE)
        stated = [s for s in zip((head.width, head.height), size, strict=True) if np.isfinite(s[1])]
        if any(abs(have - said) > 0.5 for have, said in stated):
            raise UnusableError(OTHER_SIZE)
        return _decoded(data, (head.height, head.width))

    def find(self, name: str) -> Path:
        """Return the file of an image.

        Raises
        ------
        UnusableError
            There is none, there are several, or the name leads out of the folder.
        """
        parts = _parts(name)
        if not parts:
            raise UnusableError(ELSEWHERE)
        straight = self._inside(parts)
        if straight is not None:
            return straight
        if self._index is None:
            self._index = self._searched()
        found: dict[tuple[str, ...], None] = {}
        ways = ((_plain(parts[-1]), _shared_end), (_numbered(parts[-1]), _shared_folders))
        for key, shared in ways:  # the second: "film/7" may be film/img1/000007.jpg
            alike = {
                one: shared((*self.root.parts, *one), parts) for one in self._index.get(key, [])
            }
            most = max(alike.values(), default=0)
            best = [one for one, n in alike.items() if n == most]
            if len(best) == 1 and most == len(parts):
                return self._checked(best[0])
            found |= dict.fromkeys(best)
        if not found:
            raise UnusableError(NOT_FOUND)
        if len(found) > 1 or self._called[parts[-1]] > 1:
            raise UnusableError(SEVERAL)
        return self._checked(next(iter(found)))

    def _checked(self, parts: Sequence[str]) -> Path:
        """Return a file that was listed, unless it is a link that leads out of the folder."""
        file = self._inside(parts)
        if file is None:
            raise UnusableError(NO_FILE)
        return file

    def _inside(self, parts: Sequence[str]) -> Path | None:
        """Return the file that a path in the folder leads to; None where it leads out of it."""
        try:
            path = os.path.realpath(self.root.joinpath(*parts))
            inside = Path(path).is_relative_to(self.root)
            return Path(path) if inside and stat.S_ISREG(Path(path).stat().st_mode) else None
        except (OSError, ValueError):
            return None

    def _searched(self) -> dict[str, list[tuple[str, ...]]]:
        """List the pictures in the folder by name, and by name without ending."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for where, folders, files in os.walk(self.root):
            folders[:] = sorted(
                one for one in folders if os.path.realpath(Path(where, one)) != self._spared
            )
            above = Path(where).relative_to(self.root).parts
            for file in sorted(files):
                name = Path(file)
                if name.suffix.lower() in SUFFIXES:
                    keys = {_plain(name.name), _plain(name.stem), _numbered(name.stem)}
                    for key in keys - {""}:
                        found.setdefault(key, []).append((*above, file))
        return found

    def _read(self, path: Path) -> bytes:
        try:
            size = path.stat().st_size
            data = path.read_bytes() if size <= MOST_BYTES else b""
        except OSError:
            raise UnusableError(NOT_READABLE) from None
        if size > MOST_BYTES:
            raise UnusableError(TOO_LONG)
        return data


def _parts(name: str) -> tuple[str, ...]:
    """Split a name from the data into folders and file; nothing where it would lead elsewhere."""
    text = name.replace("\\", "/")
    text = _DRIVE.sub("", text, count=1) if _DRIVE.match(text) else text
    parts = tuple(one for one in text.split("/") if one not in {"", "."})
    return () if ".." in parts or "\0" in text else parts


def _shared_end(path: Sequence[str], name: Sequence[str]) -> int:
    """Count the folders, from the file upwards, in which a path and a name agree."""
    n = 1  # the file was found by its name, with or without the ending
    for one, other in zip(reversed(path[:-1]), reversed(name[:-1]), strict=False):
        if _plain(one) != _plain(other):
            break
        n += 1
    return n


def _shared_folders(path: Sequence[str], name: Sequence[str]) -> int:
    """Count the parts of a name that are in a path, if its folders are all there, in this order."""
    rest = iter(path[:-1])
    return len(name) if all(one in rest for one in name[:-1]) else 1


def _numbered(stem: str) -> str:
    """Return what files of one number have in common; nothing where there is no number."""
    is_number = stem.isascii() and stem.isdecimal() and len(stem) <= LONGEST_NUMBER
    return f"/{int(stem)}" if is_number else ""  # no file name has a slash


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _decoded(data: bytes, shape: tuple[int, int]) -> Pixels:
    import cv2

    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image: Any = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error:
        image = None
    if image is None or image.shape[:2] != shape:
        raise UnusableError(NOT_DECODABLE)
    decoded: Pixels = image
    return decoded
