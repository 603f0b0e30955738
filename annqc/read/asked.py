"""Who was asked on what: from lists of assignments, and from files that list their images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.read.part import plain, problem
from annqc.read.unite import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from annqc.read.annotators import Drawn
    from annqc.read.part import Part
    from annqc.read.unite import United
    from annqc.tables import Problem

    Array = npt.NDArray[Any]
    Ints = npt.NDArray[np.int64]

__all__ = ["Asked", "asked_of", "assigned_pairs"]

_FEW_CELLS: Final = 1 << 20
"""Annotators times images up to which pairs are ticked off in a table rather than sorted."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Annotators and images of the assignments of one part, side by side.

    ``listed`` says whether the file has a list of assignments, or only a list of images.
    """

    names: Array
    images: Ints
    listed: bool


def asked_of(
    parts: Sequence[Part], drawn: Sequence[Drawn], images: United, problems: list[Problem]
) -> list[Asked | None]:
    """Return the assignments of each part, None where the part does not say.

    A list of assignments comes first. Without one, a file of one annotator that lists its images
    counts as given to them. Assignments that name no known image or no annotator are listed in
    ``problems`` and left out.
    """
    asked: list[Asked | None] = []
    for k, (part, one) in enumerate(zip(parts, drawn, strict=True)):
        if part.assignments is not None:
            given, names = part.assignments
            codes = images.find(k, given)
            if one.by_file:
                names = np.repeat(one.ids[:1], len(given))
            nobody = np.array([name is None for name in names.tolist()], dtype=bool)
            bad = nobody | (codes < 0)
            for row in np.flatnonzero(bad).tolist():
                image = plain(given[row])
                what = (
                    "there is no annotator"
                    if nobody[row]
                    else f"image {image!r} is not in the image table"
                )
                where = f"assignments[{row}]"
                path = part.sources[0].path
                problems.append(problem("bad_assignment", path, where, what, image_id=image))
            if bad.any():
                names, codes = names[~bad], codes[~bad]
            asked.append(Asked(names, codes, listed=True))
        elif part.listed is not None and one.by_file:
            at = images.local[k][part.listed[:, 1]]
            asked.append(Asked(one.ids[part.listed[:, 0]], at, listed=False))
        else:
            asked.append(None)
    return asked


def assigned_pairs(
    parts: Sequence[Part],
    asked: Sequence[Asked | None],
    codes: Ints,
    columns: dict[str, Any],
    images: United,
    annotator_ids: Array,
    problems: list[Problem],
) -> Ints | None:
    """Return annotator x image that was asked, None where no part says.

    Parameters
    ----------
    parts, asked : sequences
        Each part, and its assignments.
    codes : (k,) int64
        Annotators of all assignments, end to end.
    columns : dict
        Annotators and images of all rows.
    images : United
        The images.
    annotator_ids : (a,) array
        For messages.
    problems : list of Problem
        Takes those who drew on images that nobody gave them.

    Returns
    -------
    (p, 2) int64 or None
        Each pair once. Whoever drew on an image was asked on it.
    """
    if not any(one is not None for one in asked):
        return None
    n_images = len(images.table)
    n_cells = len(annotator_ids) * n_images
    cells: list[Ints] = []  # annotator * n_images + image
    start = at = 0
    for part, one in zip(parts, asked, strict=True):
        rows = slice(start, start + len(part))
        start += len(part)
        if one is not None:
            given = codes[at : at + len(one.names)] * n_images + one.images
            at += len(one.names)
            cells.append(given)
            if not one.listed:  # every row is about an image of the list
                continue
        who, image = columns["annotator"][rows], columns["image"][rows]
        known = image >= 0
        drew = who * n_images + image
        drew = _distinct(drew if known.all() else drew[known], n_cells)
        if one is not None:
            missing = drew[~np.isin(drew, given)]
            problems += _not_given(part, missing, images, annotator_ids)
        cells.append(drew)
    return np.stack(np.divmod(_distinct(joined(cells), n_cells), max(n_images, 1)), axis=1)


def _not_given(part: Part, cells: Ints, images: United, annotator_ids: Array) -> list[Problem]:
    """List who drew on an image that the assignments do not give them."""
    found = []
    for cell in cells.tolist():
        who, image = divmod(cell, len(images.table))
        name, id = plain(annotator_ids[who]), plain(images.table.id[image])
        message = f"{name!r} drew on image {id!r}, and no assignment says so"
        path = part.sources[0].path
        one = problem("unassigned", path, "assignments", message, image_id=id, annotator=name)
        found.append(one)
    return found


def _distinct(cells: Ints, n_cells: int) -> Ints:
    """Return each number below ``n_cells`` once, in order."""
    if n_cells > max(_FEW_CELLS, 4 * len(cells)):
        return np.unique(cells)
    seen = np.zeros(n_cells, dtype=bool)
    seen[cells] = True
    return np.flatnonzero(seen)
