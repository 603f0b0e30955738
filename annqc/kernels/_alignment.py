"""How much the tracks of pairs of boxes belong together, and what a frame matches for sure.

Both are passes over all pairs of all frames, in numpy or compiled, with equal results: every sum is
taken in the order of the pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.kernels._jit import Engine, compiled, njit
from annqc.kernels.assign import best_assignment

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["EPS", "alignment", "best_pairs"]

EPS: Final = float(np.finfo(np.float64).eps)
SAVED_PER_PAIR: Final = 5e-8
"""Seconds that the compiled passes save on a pair, measured."""


def alignment(
    row: Ints,
    column: Ints,
    overlap: Floats,
    meeting: Ints,
    boxes: Ints,
    *,
    n_rows: int,
    n_columns: int,
    engine: Engine = "auto",
) -> Floats:
    """Weigh each pair of boxes by its overlap and by how well their tracks go together.

    Parameters
    ----------
    row, column : (m,) int64
        The two boxes of each pair.
    overlap : (m,) float64
        Their overlap, above zero.
    meeting : (m,) int64
        Number of the pair of tracks that they are of.
    boxes : (n_meetings,) int64
        Boxes of both tracks of each pair of tracks.
    n_rows, n_columns : int
        How many boxes there are on either side.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    (m,) float64
        ``A s``, with ``A = P / (n - P)`` for n boxes of both tracks and
        ``P = Σ s / (S_r + S_c - s)`` over their pairs, where S adds up all overlaps of a box: what
        Luiten et al. (2021) match by.
    """
    if compiled(engine, saved_seconds=len(row) * SAVED_PER_PAIR):
        weight = np.empty(len(row))
        sums = np.zeros(n_rows), np.zeros(n_columns), np.zeros(len(boxes))
        _align(row, column, overlap, meeting, boxes, *sums, weight)
        return weight
    of_row, of_column = np.bincount(row, overlap, n_rows), np.bincount(column, overlap, n_columns)
    either = of_row[row] + of_column[column] - overlap
    share = np.where(either > EPS, overlap / either, 0.0)
    together = np.bincount(meeting, share, len(boxes))[meeting]
    return together / (boxes[meeting] - together) * overlap


@njit
def _align(
    row: Ints,
    column: Ints,
    overlap: Floats,
    meeting: Ints,
    boxes: Ints,
    of_row: Floats,
    of_column: Floats,
    together: Floats,
    weight: Floats,
) -> None:
    for k in range(len(row)):
        of_row[row[k]] += overlap[k]
        of_column[column[k]] += overlap[k]
    for k in range(len(row)):
        share = of_row[row[k]] + of_column[column[k]] - overlap[k]
        if share > EPS:
            together[meeting[k]] += overlap[k] / share
    for k in range(len(row)):
        p = together[meeting[k]]
        weight[k] = p / (boxes[meeting[k]] - p) * overlap[k]


def best_pairs(
    row: Ints, column: Ints, weight: Floats, *, n_rows: int, n_columns: int, engine: Engine = "auto"
) -> Ints:
    """Do what `annqc.kernels.assign.best_assignment` does, with its first round in one pass.

    Parameters
    ----------
    row, column, weight, n_rows, n_columns, engine
        As there. Pairs without weight are left out.

    Returns
    -------
    (k,) int64
        Positions of the chosen pairs, ascending.
    """
    if not compiled(engine, saved_seconds=len(row) * SAVED_PER_PAIR):
        some = np.flatnonzero(weight > 0)
        sides = {"n_rows": n_rows, "n_columns": n_columns}
        return some[best_assignment(row[some], column[some], weight[some], engine=engine, **sides)]
    best = np.full(n_rows, -1), np.full(n_columns, -1)
    second = np.zeros(n_rows), np.zeros(n_columns)
    state = np.zeros(len(row), dtype=np.int8)
    _first_round(row, column, weight, *best, *second, state)
    sure, open_ = np.flatnonzero(state == 1), np.flatnonzero(state == 2)
    if not len(open_):
        return sure
    rest = best_assignment(
        row[open_],
        column[open_],
        weight[open_],
        n_rows=n_rows,
        n_columns=n_columns,
        engine=engine,
    )
    return np.sort(np.concatenate([sure, open_[rest]]))


@njit
def _first_round(
    row: Ints,
    column: Ints,
    weight: Floats,
    best_of_row: Ints,
    best_of_column: Ints,
    other_of_row: Floats,
    other_of_column: Floats,
    state: npt.NDArray[np.int8],
) -> None:
    """Set ``state`` to 1 for pairs that some best assignment has, 2 for those that are open."""
    for k in range(len(row)):
        if weight[k] <= 0:
            continue
        r, c, w = row[k], column[k], weight[k]
        if best_of_row[r] < 0:
            best_of_row[r] = k
        elif w > weight[best_of_row[r]]:
            other_of_row[r] = weight[best_of_row[r]]
            best_of_row[r] = k
        elif w > other_of_row[r]:
            other_of_row[r] = w
        if best_of_column[c] < 0:
            best_of_column[c] = k
        elif w > weight[best_of_column[c]]:
            other_of_column[c] = weight[best_of_column[c]]
            best_of_column[c] = k
        elif w > other_of_column[c]:
            other_of_column[c] = w
    for k in range(len(row)):
        r, c = row[k], column[k]
        mutual = best_of_row[r] == k and best_of_column[c] == k
        # what the two ends could have instead is not worth more than the pair
        if mutual and weight[k] >= other_of_row[r] + other_of_column[c]:
            state[k] = 1
    for k in range(len(row)):
        if weight[k] > 0 and state[k] == 0:
            free_row = state[best_of_row[row[k]]] != 1
            if free_row and state[best_of_column[column[k]]] != 1:
                state[k] = 2
