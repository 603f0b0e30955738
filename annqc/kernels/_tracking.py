"""The one step of tracking that frames cannot take side by side: matching that prefers to go on.

CLEAR pairs a box with the track it had one frame earlier wherever it can, so what is chosen in one
frame decides what is open in the next. The routine is the same source in plain Python for few
overlaps and compiled for many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.kernels._jit import Engine, compiled, njit, python_of
from annqc.kernels.assign import best_assignment

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["follow"]

MANY: Final = 200
"""Open pairs of a frame beyond which the solver that is made for many takes over."""

SAVED_PER_EDGE: Final = 3e-6
"""Seconds that the compiled routine saves on an overlap, measured."""


def follow(
    row: Ints,
    column: Ints,
    weight: Floats,
    frame: Ints,
    *,
    track_of_column: Ints,
    previous: Ints,
    chosen: Ints,
    engine: Engine = "auto",
) -> Ints:
    """Choose pairs frame after frame: first what goes on from the frame before, then the best.

    Parameters
    ----------
    row, column : (m,) int64
        The two ends of each admissible pair that has a rival, ordered by frame.
    weight : (m,) float64
        Overlap of the pair, above zero.
    frame : (m,) int64
        Ascending.
    track_of_column : (n_columns,) int64
        Track of each column.
    previous : (n_rows,) int64
        The row of the same track one frame earlier, -1 for none.
    chosen : (n_rows,) int64
        Column of each row that has no choice, -1 for the others. Not changed.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    (n_rows,) int64
        Column of each row, -1 for none. Within a frame, pairs of the track that the row was paired
        with one frame earlier come first, then those with the largest total weight.

    Examples
    --------
    >>> one_track = dict(track_of_column=np.array([0, 1, 0]), previous=np.array([-1, 0]))
    >>> pair = np.array([1, 1]), np.array([1, 2]), np.array([0.9, 0.6]), np.array([1, 1])
    >>> follow(*pair, **one_track, chosen=np.array([0, -1])).tolist()
    [0, 2]
    """
    if not len(row):
        return chosen
    starts = np.concatenate([[0], np.flatnonzero(frame[1:] != frame[:-1]) + 1, [len(frame)]])
    n_columns = len(track_of_column)
    arrays: Any = (
        *(starts, row, column, weight, track_of_column, previous),
        np.zeros(len(row), dtype=np.bool_),
        np.full(n_columns, -1),
        np.zeros(len(previous)),
        np.zeros(n_columns),
        np.full(n_columns, -1),
    )
    use_kernel = compiled(engine, saved_seconds=len(row) * SAVED_PER_EDGE)
    shut, column_of_row = arrays[6], chosen.copy()
    if not use_kernel:  # plain Python reads lists faster
        arrays = tuple(array.tolist() for array in arrays)
        shut, column_of_row = arrays[6], column_of_row.tolist()
    run: Any = _follow if use_kernel else python_of(_follow)
    f = run(*arrays, column_of_row, 0, MANY)
    while f >= 0:
        begin, end = starts[f], starts[f + 1]
        open_ = begin + np.flatnonzero(~np.asarray(shut[begin:end]))
        for e in _solve(row[open_], column[open_], weight[open_], engine):
            column_of_row[row[open_[e]]] = column[open_[e]]
        f = run(*arrays, column_of_row, f + 1, MANY)
    return np.asarray(column_of_row, dtype=np.int64)


def _solve(row: Ints, column: Ints, weight: Floats, engine: Engine) -> Ints:
    """Solve a frame by itself."""
    rows, row = np.unique(row, return_inverse=True)
    columns, column = np.unique(column, return_inverse=True)
    return best_assignment(
        row, column, weight, n_rows=len(rows), n_columns=len(columns), engine=engine
    )


@njit
def _follow(
    starts: Ints,
    row: Ints,
    column: Ints,
    weight: Floats,
    track_of_column: Ints,
    previous: Ints,
    shut: Bools,
    row_of_column: Ints,
    row_gain: Floats,
    column_gain: Floats,
    from_edge: Ints,
    column_of_row: Ints,
    first: int,
    many: int,
) -> int:
    """Fill ``column_of_row`` from a frame on; ``shut`` pairs touch one that goes on, and are out.

    Returns the first frame with more than ``many`` pairs that are open, which it leaves so, or -1.
    """
    for f in range(first, len(starts) - 1):
        begin, end = starts[f], starts[f + 1]
        for e in range(begin, end):
            before = previous[row[e]]
            last = column_of_row[before] if before >= 0 else -1
            if last >= 0 and track_of_column[last] == track_of_column[column[e]]:
                column_of_row[row[e]] = column[e]
                row_of_column[column[e]] = row[e]
        n_open = 0
        for e in range(begin, end):
            shut[e] = column_of_row[row[e]] >= 0 or row_of_column[column[e]] >= 0
            n_open += not shut[e]
        if n_open > many:
            return f
        # Add the alternating path that gains most, until none gains: the total over k pairs is
        # concave in k, and after each path it is the largest for as many pairs.
        while True:
            for e in range(begin, end):
                row_gain[row[e]] = 0.0 if column_of_row[row[e]] < 0 else -np.inf
                column_gain[column[e]] = -np.inf
            changed = True
            while changed:
                changed = False
                for e in range(begin, end):
                    if shut[e] or column_of_row[row[e]] == column[e]:
                        continue
                    gain = row_gain[row[e]] + weight[e]
                    if gain > column_gain[column[e]] + 1e-14:  # rounding must not go in circles
                        column_gain[column[e]] = gain
                        from_edge[column[e]] = e
                        changed = True
                for e in range(begin, end):
                    if not shut[e] and column_of_row[row[e]] == column[e]:
                        row_gain[row[e]] = column_gain[column[e]] - weight[e]
            best, end_column = 0.0, -1
            for e in range(begin, end):
                free = not shut[e] and row_of_column[column[e]] < 0
                if free and column_gain[column[e]] > best:
                    best, end_column = column_gain[column[e]], column[e]
            if end_column < 0:
                break
            at = end_column
            while at >= 0:
                e = from_edge[at]
                handed_on = column_of_row[row[e]]
                column_of_row[row[e]] = at
                row_of_column[at] = row[e]
                at = handed_on
    return -1
