"""Gold that could not be read is no gold without objects: its images are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.read.files import shown
from annqc.read.part import problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Dataset, Problem

    Ints = npt.NDArray[np.int64]

__all__ = ["unread_gold"]

MEANT: Final = frozenset(
    {"no_geometry", "unsupported_shape", "deleted_object", "empty_mask", "duplicate_row"}
)
"""Rows of these kinds were read, and there is no object in them."""


def unread_gold(reference: Dataset, candidate: Dataset) -> tuple[Ints, list[Problem]]:
    """List the images whose gold is in a file of which nothing could be used.

    Parameters
    ----------
    reference, candidate : Dataset
        The two sides.

    Returns
    -------
    keys : (k,) int64
        Sorted codes ``annotator * n_images + image``, with the candidate's annotators and the
        reference's images: all annotators on each such image.
    problems : list of Problem
        One ``unreadable_gold`` an image and file.

    Notes
    -----
    A file counts that has rows, none of them usable, and one at least that is damaged rather than
    empty or marked as deleted. With one file an image, whoever drew there would be said to have
    drawn around nothing.

    Examples
    --------
    >>> from annqc.ids import ids_array
    >>> from annqc.tables import Annotations, Dataset, Images, Problem, Source
    >>> def side(issues=()):
    ...     table = Annotations.build(image=[0], annotator=[0], category=[0], xyxy=[[0, 0, 9, 9]])
    ...     ids, images = ids_array(["x"]), Images.build(ids_array(["a", "b"]))
    ...     sources = (Source("a.png", "masks", 1, 0, 0), Source("b.png", "masks", 1, 0, 0))
    ...     return Dataset(table, images, ids, ids, ids, issues=issues, sources=sources)
    >>> said = {"kind": "unreadable_mask", "severity": "dropped", "message": "damaged"}
    >>> lost = Problem(**said, source="b.png", where="object 0", image_id="b")
    >>> keys, problems = unread_gold(side([lost]), side())
    >>> keys.tolist(), problems[0].source, problems[0].image_id
    ([1], 'b.png', 'b')
    """
    usable = np.bincount(reference.table.source, minlength=len(reference.sources))
    each = zip(reference.sources, usable.tolist(), strict=False)
    without = {shown(one.path) for one, n in each if one.n_rows and not n}
    row_of = {id: row for row, id in enumerate(reference.image_table.id.tolist())}
    found: dict[tuple[int, str], Problem] = {}
    for one in reference.issues:
        lost = one.severity == "dropped" and one.kind not in MEANT and one.source in without
        if not lost or one.image_id not in row_of:
            continue
        said = f"the gold of image {one.image_id!r} is left out, for its file cannot be used"
        said = f"{said} ({one.message}): {one.source}"
        new = problem("unreadable_gold", one.source, one.where, said, image_id=one.image_id)
        found.setdefault((row_of[one.image_id], one.source), new)
    images = np.unique(np.array([row for row, _ in found], dtype=np.int64))
    everybody = np.arange(len(candidate.annotator_ids)) * len(reference.image_table)
    return (everybody[:, None] + images).reshape(-1), list(found.values())
