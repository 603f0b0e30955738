"""report: the size and the turn of a picture, from the first bytes of its file.

Read before anything is decoded, so that a file that says it is enormous costs nothing.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

__all__ = ["Head", "head_of"]

UPRIGHT: Final = 1
TURNS: Final = range(2, 9)
"""Other values, such as 0, say nothing."""
_WIDTH, _HEIGHT, _TURN = 256, 257, 274
_EXIF: Final = b"Exif\0\0"
_JPEG_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN, _JPEG_APP1 = 0xDA, 0xE1


class Head(NamedTuple):
    """What a file says of its picture.

    Attributes
    ----------
    width, height : int
        Pixels as they are stored.
    turn : int
        EXIF orientation; 1 is upright.
    """

    width: int
    height: int
    turn: int = UPRIGHT


def head_of(data: bytes) -> Head | None:
    """Read size and turn of a JPEG, PNG, WebP, BMP or TIFF.

    Parameters
    ----------
    data : bytes
        The file.

    Returns
    -------
    Head or None
        None where the file is none of these, or ends too early.

    Examples
    --------
    >>> head_of(b"BM" + bytes(16) + (7).to_bytes(4, "little") + (5).to_bytes(4, "little"))
    Head(width=7, height=5, turn=1)
    >>> head_of(b"GIF89a") is None
    True
    """
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
        if data.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", data, 18)
            return _sound(width, abs(height), UPRIGHT)
        if data.startswith((b"II*\0", b"MM\0*")):
            tags = _tags(data)
            return _sound(tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0), tags.get(_TURN, UPRIGHT))
    except (struct.error, IndexError):
        pass
    return None


def _sound(width: int, height: int, turn: int) -> Head | None:
    if width <= 0 or height <= 0:
        return None
    return Head(width, height, turn if turn in TURNS else UPRIGHT)


def _jpeg(data: bytes) -> Head | None:
    """Go from segment to segment up to the pixels; a file without an end is cut off."""
    at, width, height, turn = 2, 0, 0, UPRIGHT
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _JPEG_ALONE:
            at += 2
            continue
        if marker == _JPEG_SCAN:
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
        elif marker == _JPEG_APP1 and data.startswith(_EXIF, at + 4):
            turn = _turn(data[at + 4 + len(_EXIF) : at + 2 + length])
        at += 2 + length
    return _sound(width, height, turn) if data.find(b"\xff\xd9", at) >= 0 else None


def _png(data: bytes) -> Head | None:
    width, height = struct.unpack_from(">II", data, 16)
    at, turn = 8, UPRIGHT
    while True:
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        if kind == b"eXIf":
            turn = _turn(data[at + 8 : at + 8 + length])
        if kind == b"IEND":
            return _sound(width, height, turn)
        at += 12 + length


def _webp(data: bytes) -> Head | None:
    at, width, height, turn = 12, 0, 0, UPRIGHT
    while at + 8 <= len(data):
        kind = data[at : at + 4]
        (length,) = struct.unpack_from("<I", data, at + 4)
        body = at + 8
        if kind == b"VP8 ":
            width, height = (one & 0x3FFF for one in struct.unpack_from("<HH", data, body + 6))
        elif kind == b"VP8L":
            (bits,) = struct.unpack_from("<I", data, body + 1)
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        elif kind == b"EXIF":
            turn = _turn(data[body : body + length].removeprefix(_EXIF))
        at = body + length + (length & 1)
    return _sound(width, height, turn)


def _turn(tiff: bytes) -> int:
    """Return the orientation of EXIF data; upright where it says none or makes no sense."""
    try:
        return _tags(tiff).get(_TURN, UPRIGHT)
    except struct.error:
        return UPRIGHT


def _tags(data: bytes) -> dict[int, int]:
    """Return the single whole numbers of the first directory of a TIFF."""
    order = "<" if data[:2] == b"II" else ">"
    (first,) = struct.unpack_from(order + "I", data, 4)
    (n,) = struct.unpack_from(order + "H", data, first)
    found = {}
    for k in range(n):
        at = first + 2 + 12 * k
        tag, kind, count = struct.unpack_from(order + "HHI", data, at)
        if count == 1 and kind in {3, 4}:
            (found[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, at + 8)
    return found
