from __future__ import annotations

import struct

import pytest

from annqc.read.imagesize import image_size


def jpeg(*segments):
    return b"\xff\xd8" + b"".join(
        b"\xff" + bytes([m]) + struct.pack(">H", len(d) + 2) + d for m, d in segments
    )


FRAME = b"\x08" + struct.pack(">HH", 48, 64) + b"\x03"
WEBP = b"RIFF\x00\x00\x00\x00WEBP"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 64, 48),
        b"GIF89a" + struct.pack("<HH", 64, 48),
        b"BM" + b"\x00" * 16 + struct.pack("<ii", 64, 48),
        b"BM" + b"\x00" * 16 + struct.pack("<ii", 64, -48),
        jpeg((0xE0, b"JFIF"), (0xE1, b"\xff\xc0" * 50), (0xC4, b"x" * 9), (0xC2, FRAME)),
        jpeg((0xC0, FRAME)).replace(b"\xff\xc0", b"\xff\xff\xff\xc0"),
        WEBP + b"VP8X" + b"\x00" * 8 + (63).to_bytes(3, "little") + (47).to_bytes(3, "little"),
        WEBP + b"VP8 " + b"\x00" * 10 + struct.pack("<HH", 64 | 0x4000, 48),
        WEBP + b"VP8L" + b"\x00" * 5 + struct.pack("<I", 63 | 47 << 14) + b"\x00" * 8,
    ],
)
def test_headers(tmp_path, data):
    path = tmp_path / "image"
    path.write_bytes(data)
    assert image_size(path) == (64, 48)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        jpeg((0xE0, b"x"))[:-2],
        jpeg((0xDA, b"x")),
        b"GIF89a\x00\x00\x00\x00",
        b"text",
        WEBP,
        WEBP + b"VP9 " + b"\x00" * 20,
    ],
)
def test_no_size_where_there_is_none(tmp_path, data):
    path = tmp_path / "image"
    path.write_bytes(data)
    assert image_size(path) is None
    assert image_size(tmp_path / "missing") is None


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp"])
def test_real_files(tmp_path, suffix):
    cv2 = pytest.importorskip("cv2")
    import numpy as np

    path = tmp_path / f"image{suffix}"
    assert cv2.imwrite(str(path), np.zeros((48, 64, 3), dtype=np.uint8))
    assert image_size(path) == (64, 48)
