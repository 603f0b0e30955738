"""measure: what everybody who was asked said of every object, one entry each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from annqc.errors import TableError
from annqc.shapes import gather

if TYPE_CHECKING:
    from annqc.tables import Array, Ints

__all__ = ["Entries", "unit_entries"]


class Entries(NamedTuple):
    """One row for every object and annotator that was asked on its image, ordered by object.

    Attributes
    ----------
    unit, annotator : (m,) int64
        Which object, and who.
    row : (m,) int64
        What they drew, a row of the annotations; -1 for nothing.
    """

    unit: Ints
    annotator: Ints
    row: Ints

    def values(self, column: Array) -> Ints:
        """Return a column of the annotations for each entry, -1 for nothing drawn.

        Parameters
        ----------
        column : (n,) array_like of int
            Such as the category of each annotation.
        """
        given = np.append(np.asarray(column, dtype=np.int64), -1)
        return given[self.row]


def unit_entries(
    object: Array, annotator: Array, image: Array, asked_offsets: Array, asked: Array
) -> Entries:
    """List what everybody who was asked said of every object.

    Parameters
    ----------
    object, annotator : (n,) array_like of int
        Object of each annotation, -1 for none, and who drew it.
    image : (n_objects,) array_like of int
        Image of each object.
    asked_offsets, asked : (n_images + 1,), (k,) array_like of int
        Image i was given to the annotators ``asked[asked_offsets[i]:asked_offsets[i + 1]]``, which
        ascend.

    Returns
    -------
    Entries
        What `annqc.measure.alpha` takes.

    Raises
    ------
    TableError
        An annotator drew an object twice, or drew where they were not asked.

    Examples
    --------
    >>> found = unit_entries([0, 0, 1], [0, 1, 1], [0, 0], [0, 3], [0, 1, 2])
    >>> found.unit.tolist(), found.row.tolist()
    ([0, 0, 0, 1, 1, 1], [0, 1, -1, -1, 2, -1])
    """
    objects, who = np.asarray(object, dtype=np.int64), np.asarray(annotator, dtype=np.int64)
    where, offsets = np.asarray(image, dtype=np.int64), np.asarray(asked_offsets, dtype=np.int64)
    people = np.asarray(asked, dtype=np.int64)
    places, starts = gather(offsets, where)
    rows = np.flatnonzero(objects >= 0)
    width = int(max(people.max(initial=0), who.max(initial=0))) + 1
    of_image = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    task = of_image * width + people
    wanted = where[objects[rows]] * width + who[rows]
    at = np.minimum(np.searchsorted(task, wanted), max(len(task) - 1, 0))
    if len(rows) and (not len(task) or (task[at] != wanted).any()):
        what = "an annotator drew an object on an image that they were not asked for"
        raise TableError(what, hint="whoever drew on an image was asked for it: list them as well")
    place = starts[objects[rows]] + at - offsets[where[objects[rows]]]
    if len(np.unique(place)) < len(place):
        what = "an annotator drew one object twice"
        raise TableError(what, expected="at most one annotation of an annotator in an object")
    row = np.full(len(places), -1)
    row[place] = rows
    return Entries(np.repeat(np.arange(len(where)), np.diff(starts)), people[places], row)
