"""consensus: rows laid out object by object, and sums over objects and annotators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from annqc.tables import Floats, Ints

__all__ = ["Rows", "lay_out", "medians"]


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Some rows, sorted by object.

    Attributes
    ----------
    row : (n,) int64
        Which rows of the input.
    who : (n,) int64
        Annotator.
    object : (p,) int64
        Objects that have rows.
    start, count : (p,) int64
        The rows of each.
    place : (n,) int64
        Position in ``object`` of each row.
    n_annotators : int
        Number of annotators.
    """

    row: Ints
    who: Ints
    object: Ints
    start: Ints
    count: Ints
    place: Ints
    n_annotators: int

    def by_object(self, values: Floats) -> Floats:
        """Sum over the rows of each object, (p,)."""
        if len(self.start) == 0:
            return np.zeros(0)
        return np.add.reduceat(values, self.start)

    def by_annotator(self, values: Floats) -> Floats:
        """Sum over the rows of each annotator, (A,)."""
        return np.bincount(self.who, values, self.n_annotators).astype(np.float64)


def lay_out(row: Ints, object: Ints, annotator: Ints, n_annotators: int) -> Rows:
    """Sort rows by object.

    Parameters
    ----------
    row : (n,) int64
        Rows to take.
    object, annotator : (N,) int64
        Of all rows.
    n_annotators : int
        Number of annotators.
    """
    row = row[np.argsort(object[row], kind="stable")]
    code = object[row]
    start = np.flatnonzero(np.diff(code, prepend=-1))
    count = np.diff(np.append(start, len(row)))
    place = np.repeat(np.arange(len(start)), count)
    return Rows(row, annotator[row], code[start], start, count, place, n_annotators)


def medians(values: Floats, rows: Rows) -> Floats:
    """Return the median of the values of each object.

    Parameters
    ----------
    values : (k, n) float64
        In the order of the rows.
    rows : Rows
        The objects.

    Returns
    -------
    (k, p) float64
    """
    found = np.empty((len(values), len(rows.start)))
    for n in np.unique(rows.count).tolist():
        which = np.flatnonzero(rows.count == n)
        found[:, which] = np.median(values[:, rows.start[which, None] + np.arange(n)], axis=2)
    return found
