"""report: crops out of images, small enough that all of them fit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.imagefiles import UnusableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from annqc.report.html.imagefiles import ImageFolder
    from annqc.tables import Floats

    Pixels = npt.NDArray[np.uint8]

__all__ = ["Crop", "Crops", "Wanted", "cut_crops", "encode_crop", "window_pixels"]

FOLDER: Final = "assets/crops"
MOST_BYTES: Final = 3_000_000
"""All crops of a report together."""
LEAST_BYTES: Final = 2_500
"""With less a crop shows nothing; what does not fit is left out, the least urgent first."""
LARGEST_BYTES: Final = 40_000
LONGEST: Final = 480
"""Longer side of a crop in pixels."""
SHORTEST: Final = 24
QUALITIES: Final = (85, 70, 55, 40)
NO_ROOM: Final = "left out, for all crops of a report have to fit into 3 MB"
OUTSIDE: Final = "outside of the image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A crop that a page would like to show.

    Attributes
    ----------
    key : str
        Tells crops apart.
    image : int
        Row of the image.
    window : (4,) float64
        What it is to show, xyxy in pixels of the image; may reach beyond the image.
    urgency : tuple
        The smallest come first where not all fit.
    """

    key: str
    image: int
    window: Floats
    urgency: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A crop that was made: its file in the report, and the pixels of the image that it shows."""

    path: str
    left: int
    top: int
    right: int
    bottom: int


@dataclass(slots=True)
class Crops:
    """What became of the crops that were wanted.

    Attributes
    ----------
    made : dict of str to Crop
        By key.
    files : dict of str to bytes
        By path in the report.
    why : dict of str to str
        Why there is none, by key.
    images : dict of str to Counter
        By reason the names of the images, and how many crops of each are not there.
    """

    made: dict[str, Crop] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    images: dict[str, Counter[str]] = field(default_factory=dict)

    def refuse(self, one: Wanted, name: str, reason: str) -> None:
        """Note that a crop cannot be shown."""
        self.why[one.key] = reason
        self.images.setdefault(reason, Counter())[name] += 1


def cut_crops(
    wanted: Iterable[Wanted],
    folder: ImageFolder,
    names: Sequence[str],
    sizes: Floats,
) -> Crops:
    """Cut crops; every image is read once.

    Parameters
    ----------
    wanted : iterable of Wanted
        What pages would like to show.
    folder : ImageFolder
        Where the images are.
    names : sequence of str
        Names of the images by row.
    sizes : (m, 2) float64
        Width and height of the images as the data say, NaN where they do not.

    Notes
    -----
    A crop may take its share of 3 MB: where there are many, they are shrunk and compressed more.
    """
    crops = Crops()
    ordered = sorted(wanted, key=lambda one: one.urgency)
    fit = MOST_BYTES // LEAST_BYTES
    for one in ordered[fit:]:
        crops.refuse(one, names[one.image], NO_ROOM)
    ordered = ordered[:fit]
    share = min(LARGEST_BYTES, MOST_BYTES // max(1, len(ordered)))
    by_image: dict[int, list[Wanted]] = {}
    for one in ordered:
        by_image.setdefault(one.image, []).append(one)
    for image in sorted(by_image):
        name = names[image]
        try:
            pixels = folder.open(name, (float(sizes[image, 0]), float(sizes[image, 1])))
        except UnusableError as reason:
            for one in by_image[image]:
                crops.refuse(one, name, str(reason))
            continue
        for one in by_image[image]:
            _cut(crops, one, pixels, name, share)
    return crops


def window_pixels(window: Floats, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Return the whole pixels of an image that a window touches.

    Parameters
    ----------
    window : (4,) float64
        xyxy in pixels.
    width, height : int
        Size of the image.

    Returns
    -------
    (left, top, right, bottom) or None
        The last two are one past the end. None where the window is outside of the image.

    Examples
    --------
    >>> window_pixels(np.array([-3.0, 2.5, 4.1, 99.0]), 10, 8)
    (0, 2, 5, 8)
    """
    limits = np.array([width, height, width, height])
    low, high = np.floor(window[:2]), np.ceil(window[2:])
    left, top, right, bottom = np.clip(np.concatenate([low, high]), 0, limits).astype(int).tolist()
    return (left, top, right, bottom) if left < right and top < bottom else None


def encode_crop(pixels: Pixels, most: int) -> bytes | None:
    """Compress a crop as JPEG, shrunk as far as it takes.

    Parameters
    ----------
    pixels : (height, width, 3) uint8
        Blue, green, red.
    most : int
        Bytes.

    Returns
    -------
    bytes or None
        None where it cannot be made so small.
    """
    import cv2

    image: Any = pixels
    longer = max(image.shape[:2])
    side = min(LONGEST, longer)
    while True:
        if side < longer:
            height, width = (max(1, round(one * side / longer)) for one in pixels.shape[:2])
            image = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        for quality in QUALITIES:
            done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if done and len(data) <= most:
                return bytes(data)
        if side <= SHORTEST:
            return None
        side = max(SHORTEST, int(side * 0.7))


def _cut(crops: Crops, one: Wanted, pixels: Pixels, name: str, share: int) -> None:
    height, width = pixels.shape[:2]
    place = window_pixels(one.window, width, height)
    if place is None:
        crops.refuse(one, name, OUTSIDE)
        return
    left, top, right, bottom = place
    data = encode_crop(np.ascontiguousarray(pixels[top:bottom, left:right]), share)
    if data is None:
        crops.refuse(one, name, NO_ROOM)
        return
    path = f"{FOLDER}/c{len(crops.files) + 1}.jpg"
    crops.files[path] = data
    crops.made[one.key] = Crop(path=path, left=left, top=top, right=right, bottom=bottom)
