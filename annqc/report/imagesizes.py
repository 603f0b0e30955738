"""report: sizes of images that the data do not say, from the files of the images."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.read.imagesize import image_size
from annqc.report.html.imagefiles import ImageFolder, UnusableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from annqc.tables import Dataset

__all__ = ["why_unknown", "with_sizes"]

NO_IMAGE: Final = "no image whose size can be read"


def with_sizes(side: Dataset, folder: Path) -> Dataset:
    """Fill in sizes that are not known from the files of a folder.

    Parameters
    ----------
    side : Dataset
        Work or gold.
    folder : Path
        Where the images are, in it or below it. They are found by file name, or by id where there
        is none.

    Returns
    -------
    Dataset
        Sizes that were known stay; those of images that are not found, or are none, stay unknown.

    Notes
    -----
    Nothing but the beginning of a file is read. Sizes are those that the file stores: an
    orientation in its EXIF data is not applied.
    """
    images = side.image_table
    width, height = images.width.copy(), images.height.copy()
    for row, found in _looked_up(side, folder):
        if not isinstance(found, str):
            width[row], height[row] = found
    return replace(side, image_table=replace(images, width=width, height=height))


def why_unknown(side: Dataset, folder: Path) -> dict[str, int]:
    """Count why images have no size, neither in the data nor from the files of a folder.

    Parameters
    ----------
    side : Dataset
        Work, gold or a queue of them.
    folder : Path
        Where the images are.

    Returns
    -------
    dict of str to int
        Such as ``{"not found": 3}``, the most frequent first.
    """
    found = Counter(why for _, why in _looked_up(side, folder) if isinstance(why, str))
    return dict(found.most_common())


def _looked_up(side: Dataset, folder: Path) -> Iterator[tuple[int, tuple[float, float] | str]]:
    """Yield the rows of images whose size is not known, and their size or why there is none."""
    images = side.image_table
    names = [None] * len(images) if images.file_name is None else images.file_name.tolist()
    called = [
        str(id) if name is None else str(name)
        for id, name in zip(images.id.tolist(), names, strict=True)
    ]
    files = ImageFolder(folder, called, spared=folder / "annqc" / "none")
    for row in np.flatnonzero(np.isnan(images.width) | np.isnan(images.height)).tolist():
        try:
            size = image_size(files.find(called[row]))
        except UnusableError as error:
            yield row, str(error)
            continue
        yield row, NO_IMAGE if size is None else size
