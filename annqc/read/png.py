"""PNG bytes -> one value a pixel: greys as numbers, palette indices, or colours.

The file is taken apart first, and only its header, pixels and end go to the decoder (OpenCV). So a
damaged file and one that says it is enormous are refused before anything is allocated, no colour
correction happens, and a palette image gives its indices.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError
from annqc.read.heads import PNG, cannot_open

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Ints = npt.NDArray[np.int64]

__all__ = ["CLEAR", "Picture", "open_png", "picture_of"]

CLEAR: Final = -1
"""The value of a transparent pixel."""

_MOST_BYTES: Final = 1 << 31
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_CHANNELS: Final = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 4, _RGBA: 4}
_DEPTHS: Final = {
    _GREY: (1, 2, 4, 8, 16),
    _RGB: (8,),
    _PALETTE: (1, 2, 4, 8),
    _GREY_ALPHA: (8,),
    _RGBA: (8,),
}
_SPREAD: Final = {1: 255, 2: 85, 4: 17}
"""What the decoder multiplies samples of less than 8 bits by."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded PNG.

    Attributes
    ----------
    samples : (height, width) or (height, width, 3 or 4) array
        As decoded; colours as blue, green, red, alpha.
    depth : int
        Bits a sample in the file.
    values : (k,) int64 or None
        What a sample stands for, where that is not the sample itself.
    """

    samples: Array
    depth: int
    values: Ints | None

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.samples.shape[0])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.samples.shape[1])

    def codes(self, block: Array) -> Array:
        """Return one number a pixel of a block of ``samples``, to be told apart quickly."""
        if block.ndim == 2:
            return np.ascontiguousarray(block)
        packed = np.zeros((*block.shape[:2], 4), dtype=np.uint8)
        packed[..., : block.shape[2]] = block
        if block.shape[2] == 3:
            packed[..., 3] = 255
        return packed.view("<u4")[..., 0]

    def value(self, code: int) -> int | str:
        """Return what a code stands for: a number, a colour that is no grey, or `CLEAR`."""
        if self.samples.ndim == 2:
            return code if self.values is None else int(self.values[code])
        blue, green, red, alpha = code.to_bytes(4, "little")
        if not alpha:
            return CLEAR
        return red if red == green == blue else f"#{red:02x}{green:02x}{blue:02x}"


def open_png(path: Path) -> Picture:
    """Decode a PNG file.

    Raises
    ------
    ReadError
        It cannot be opened, is damaged, or is too large.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise cannot_open(path, error) from None
    return picture_of(data, str(path))


def picture_of(data: bytes, where: str) -> Picture:
    """Decode the bytes of a PNG.

    Parameters
    ----------
    data : bytes
        The file.
    where : str
        For messages.

    Raises
    ------
    ReadError
        It is damaged, or too large.
    """
    if not data.startswith(PNG):
        raise _damaged(where, "it does not begin as a PNG does")
    header, palette, clear = b"", b"", b""
    pixels: list[bytes] = []
    for kind, content in _chunks(data, where):
        if kind == b"IHDR" and not header:
            header = content
            _check_header(header, where)
        elif kind == b"PLTE":
            palette = content
        elif kind == b"tRNS":
            clear = content
        elif kind == b"IDAT":
            pixels.append(content)
    if not header or not pixels:
        raise _damaged(where, "it has no header" if not header else "it has no pixels")
    _, _, depth, colours = struct.unpack(">IIBB", header[:10])
    plain = header[:9] + bytes([_GREY]) + header[10:] if colours == _PALETTE else header
    bare = [PNG, _chunk(b"IHDR", plain), *(_chunk(b"IDAT", one) for one in pixels)]
    bare.append(_chunk(b"IEND", b""))
    pixels.clear()
    samples = _decoded(b"".join(bare), where)
    values: Ints | None = None
    if colours == _PALETTE:
        values = _palette_values(palette, clear, depth)
    elif colours == _GREY and depth < 8:
        values = np.arange(1 << depth)
    if values is not None and depth < 8:
        values = np.repeat(values[: 1 << depth], _SPREAD[depth])
    return Picture(samples, depth, values)


def _chunks(data: bytes, where: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG up to its end, each checked against its check sum."""
    at = len(PNG)
    view = memoryview(data)
    while True:
        if at + 12 > len(data):
            raise _damaged(where, "it is cut off")
        length, kind = struct.unpack(">I4s", view[at : at + 8])
        end = at + 8 + length
        if end + 4 > len(data):
            raise _damaged(where, "it is cut off")
        (told,) = struct.unpack(">I", view[end : end + 4])
        if zlib.crc32(view[at + 4 : end]) != told:
            raise _damaged(where, f"the check sum at byte {end} is wrong")
        if kind == b"IEND":
            return
        yield kind, bytes(view[at + 8 : end])
        at = end + 4


def _check_header(header: bytes, where: str) -> None:
    """Refuse a size that is none or too large, and kinds of pixels that there are not."""
    if len(header) != 13:
        raise _damaged(where, "its header is of the wrong length")
    width, height, depth, colours = struct.unpack(">IIBB", header[:10])
    if colours in _DEPTHS and depth == 16 and colours != _GREY:
        what = "colours of 16 bits a channel are not read"
        raise ReadError(what, where=where, hint="save the mask with 8 bits a channel")
    if not width or not height or depth not in _DEPTHS.get(colours, ()):
        raise _damaged(where, "its header says what no PNG can be")
    size = width * height * _CHANNELS[colours] * max(depth // 8, 1)
    if size > _MOST_BYTES or max(width, height) >= 1 << 20:
        what = "the image is too large to be a mask"
        expected = f"at most {_MOST_BYTES >> 30} GB of pixels, and sides below {1 << 20} pixels"
        found = f"{width} x {height} pixels, {size / 2**30:.1f} GB"
        raise ReadError(what, where=where, expected=expected, found=found)


def _palette_values(palette: bytes, clear: bytes, depth: int) -> Ints:
    """Return what each index stands for: its grey where all colours are greys, else the index."""
    colours = np.frombuffer(palette[: len(palette) // 3 * 3], dtype=np.uint8).reshape(-1, 3)
    values = np.arange(1 << depth)
    k = min(len(colours), len(values))
    if k and bool((colours[:k] == colours[:k, :1]).all()):
        values[:k] = colours[:k, 0]
    seen_through = np.frombuffer(clear, dtype=np.uint8)[: len(values)] == 0
    values[: len(seen_through)][seen_through] = CLEAR
    return values


def _decoded(data: bytes, where: str) -> Array:
    """Decode a PNG that is whole."""
    import cv2

    try:
        samples = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    except (cv2.error, MemoryError) as error:
        raise _damaged(where, str(error).strip().splitlines()[-1][:200]) from None
    if samples is None:
        raise _damaged(where, "its pixels cannot be decoded")
    return samples


def _chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk with its length and check sum."""
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _damaged(where: str, why: str) -> ReadError:
    """Build the error for a file that is no whole PNG."""
    what = "the PNG cannot be read"
    return ReadError(what, where=where, found=why, hint="save or copy it again")
