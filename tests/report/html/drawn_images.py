"""Images on disk for the galleries: dark objects on a light ground."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np

EXIF = b"Exif\0\0"


def draw_images(folder, dataset, *, skip=()):
    """Write an image a row, with a black rectangle for each object of the dataset."""
    folder.mkdir(parents=True, exist_ok=True)
    images, table = dataset.image_table, dataset.table
    for row, name in enumerate(images.file_name.tolist()):
        if name in skip:
            continue
        pixels = np.full((int(images.height[row]), int(images.width[row]), 3), 235, dtype=np.uint8)
        for x1, y1, x2, y2 in np.round(table.xyxy[table.image == row]).astype(int).tolist():
            pixels[max(y1, 0) : y2, max(x1, 0) : x2] = 0
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / name), pixels)


def encoded(ending, pixels):
    done, data = cv2.imencode(ending, pixels)
    assert done
    return bytes(data)


def exif(turn, order="<"):
    """EXIF data with an orientation, and a tag before it."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    tags = struct.pack(order + "HHI4s", 271, 2, 3, b"ab\0\0")
    tags += struct.pack(order + "HHIHH", 274, 3, 1, turn, 0)
    return head + struct.pack(order + "H", 2) + tags + struct.pack(order + "I", 0)


def turned(ending, pixels, turn, order="<"):
    """Encode a picture whose EXIF data say that it is to be turned."""
    data, tiff = encoded(ending, pixels), exif(turn, order)
    if ending == ".jpg":
        body = EXIF + tiff
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]
    if ending == ".png":
        chunk = b"eXIf" + tiff
        chunk = struct.pack(">I", len(tiff)) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return data[:33] + chunk + data[33:]
    assert ending == ".webp"
    body = data[8:] + b"EXIF" + struct.pack("<I", len(tiff)) + tiff + b"\0" * (len(tiff) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body
