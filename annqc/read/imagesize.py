"""Width and height of an image from the first bytes of its file: PNG, JPEG, GIF, BMP, WebP."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SUFFIXES", "image_size"]

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
"""Endings of files whose size can be told."""


def image_size(path: Path) -> tuple[int, int] | None:
    """Return (width, height) in pixels as the file stores them; None where they cannot be told.

    Parameters
    ----------
    path : Path
        An image file. Nothing but its header is read, and nothing is decoded.

    Notes
    -----
    An orientation in the EXIF data is not applied: annotation tools differ in whether they turn the
    image.
    """
    try:
        with path.open("rb") as file:
            size = _size(file)
    except (OSError, struct.error):
        return None
    return size if size is not None and min(size) > 0 else None


def _size(file: BinaryIO) -> tuple[int, int] | None:
    """Tell the kind of the file, and read its header."""
    head = file.read(32)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    if head.startswith((b"GIF87a", b"GIF89a")):
        width, height = struct.unpack("<HH", head[6:10])
        return width, height
    if head.startswith(b"BM"):
        width, height = struct.unpack("<ii", head[18:26])
        return width, abs(height)  # rows from the top have a negative height
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp(head)
    return _jpeg(file) if head.startswith(b"\xff\xd8") else None


def _webp(head: bytes) -> tuple[int, int] | None:
    """Read the header of one of the three kinds of WebP."""
    kind = head[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _jpeg(file: BinaryIO) -> tuple[int, int] | None:
    """Walk the segments of a JPEG up to its frame header."""
    file.seek(2)
    while True:
        byte = file.read(1)
        while byte and byte != b"\xff":
            byte = file.read(1)
        while byte == b"\xff":  # any number of fill bytes
            byte = file.read(1)
        if not byte:
            return None
        marker = byte[0]
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        if marker in (0xD9, 0xDA):
            return None
        (length,) = struct.unpack(">H", file.read(2))
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)
