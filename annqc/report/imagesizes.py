"""report: sizes of images that the data do not say, from the files of the images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from annqc.read.imagesize import image_size
from annqc.report.html.imagefiles import ImageFolder, UnusableError

if TYPE_CHECKING:
    from pathlib import Path

    from annqc.tables import Dataset

__all__ = ["with_sizes"]


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
    names = [None] * len(images) if images.file_name is None else images.file_name.tolist()
    called = [
        str(id) if name is None else str(name)
        for id, name in zip(images.id.tolist(), names, strict=True)
    ]
    width, height = images.width.copy(), images.height.copy()
    files = ImageFolder(folder, called, spared=folder / "annqc" / "none")
    for row in np.flatnonzero(np.isnan(width) | np.isnan(height)).tolist():
        try:
            size = image_size(files.find(called[row]))
        except UnusableError:
            continue
        if size is not None:
            width[row], height[row] = size
    return replace(side, image_table=replace(images, width=width, height=height))
