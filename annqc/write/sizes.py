"""write: formats whose coordinates are shares of the image need its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from annqc.tables import Dataset

__all__ = ["sizes_needed"]

MOST: Final = 10


def sizes_needed(sides: Iterable[Dataset], format: str) -> None:
    """Refuse images whose size is not known, and name them.

    Parameters
    ----------
    sides : iterable of Dataset
        What is to be written.
    format : str
        What it is written as.

    Raises
    ------
    TableError
        There are annotations on images of unknown size.
    """
    unknown: dict[str, None] = {}
    for side in sides:
        images = side.image_table
        for row in np.unique(side.table.image).tolist():
            if not (images.width[row] > 0 and images.height[row] > 0):
                name = None if images.file_name is None else images.file_name[row]
                unknown[str(images.id[row] if name is None else name)] = None
    if unknown:
        what = f"{format} has coordinates as shares of the image, and sizes are not known"
        listed = ", ".join(list(unknown)[:MOST])
        more = f" and {len(unknown) - MOST:,} more" if len(unknown) > MOST else ""
        count = f"{len(unknown):,} image{'s' if len(unknown) > 1 else ''}"
        hint = "give image_sizes= to annqc.read, or --image-sizes FILE|WxH"
        raise TableError(what, where=count, found=f"{listed}{more}", hint=hint)
