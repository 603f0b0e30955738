"""One-to-one assignment on sparse overlaps: the best total, or greedily by rank.

Groups need not be named: an overlap only joins boxes of one group, so the connected parts of the
graph of overlaps are the groups, or smaller. Most parts are a single pair. What is left goes
through one shortest augmenting path routine, the same source in plain Python for few overlaps and
compiled for many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from annqc.kernels._jit import Engine, compiled, njit, python_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["best_assignment", "greedy_assignment"]

SAVED_PER_EDGE: Final = 2e-6
"""Seconds that the compiled routines save on an overlap, measured."""


def best_assignment(
    row: Ints, column: Ints, weight: Floats, *, n_rows: int, n_columns: int, engine: Engine = "auto"
) -> Ints:
    """Choose one-to-one pairs with the largest total weight.

    Pairs that stand alone are taken at once. Then, in rounds, every pair whose weight is at least
    that of the best alternatives of its two ends together: exchanging those for the pair loses
    nothing, so some best assignment holds it. The rest is solved exactly by shortest augmenting
    paths (Jonker and Volgenant, Computing 38, 1987).

    Parameters
    ----------
    row, column : (m,) int64
        The two ends of each admissible pair; no pair twice.
    weight : (m,) float64
        What the pair is worth, above zero.
    n_rows, n_columns : int
        How many ends there are on either side.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    (k,) int64
        Positions of the chosen pairs, ascending. Among equal totals the choice is deterministic.

    Examples
    --------
    >>> row, column = np.array([0, 0, 1]), np.array([0, 1, 0])
    >>> best_assignment(row, column, np.array([0.9, 0.8, 0.7]), n_rows=2, n_columns=2).tolist()
    [1, 2]
    """
    alone = _alone(row, column, n_rows, n_columns)
    taken = np.flatnonzero(alone)
    rest = np.flatnonzero(~alone)
    if not len(rest):
        return taken
    r, n_r = _renumber(row[rest], n_rows)
    c, n_c = _renumber(column[rest], n_columns)
    w = weight[rest]
    safe, open_ = _safe_pairs(r, c, w, n_r, n_c)
    chosen = [taken, rest[safe]]
    if len(open_):
        paths = _shortest_paths(r[open_], c[open_], w[open_], n_r, n_c, engine)
        chosen.append(rest[open_[paths]])
    return np.sort(np.concatenate(chosen))


def greedy_assignment(
    row: Ints,
    column: Ints,
    weight: Floats,
    *,
    rank: Ints,
    last: Bools,
    many: Bools,
    engine: Engine = "auto",
) -> Ints:
    """Let columns choose in turn, each the free row with the largest weight, as COCOeval does.

    Rows that are `last` (ignored references) are chosen only where no other will do. Among equal
    weights the later pair wins. Rows that are `many` (crowds) are never used up.

    Parameters
    ----------
    row, column : (m,) int64
        The two ends of each admissible pair, ordered by column and then by row.
    weight : (m,) float64
        What the pair is worth to the column.
    rank : (n_columns,) int64
        The turn of each column.
    last, many : (n_rows,) bool
        Rows that come last, and rows that take many columns.
    engine : {"auto", "numpy", "numba"}, optional
        Which path to take; both give equal results.

    Returns
    -------
    (k,) int64
        Positions of the chosen pairs, ascending.

    Examples
    --------
    >>> none = np.zeros(2, dtype=bool)
    >>> row, column, weight = np.array([0, 1, 0]), np.array([0, 0, 1]), np.array([0.9, 0.8, 0.7])
    >>> greedy_assignment(
    ...     row, column, weight, rank=np.array([0, 1]), last=none, many=none
    ... ).tolist()
    [0]
    """
    alone = _alone(row, column, len(last), len(rank))
    taken = np.flatnonzero(alone)
    rest = np.flatnonzero(~alone)
    if not len(rest):
        return taken
    rest = rest[np.argsort(rank[column[rest]], kind="stable")]
    r, n_r = _renumber(row[rest], len(last))
    known = np.empty((2, n_r), dtype=bool)
    known[:, r] = last[row[rest]], many[row[rest]]
    starts = np.concatenate([_run_starts(column[rest]), [len(rest)]])
    use_kernel = compiled(engine, saved_seconds=len(rest) * SAVED_PER_EDGE)
    arrays = (starts, r, weight[rest], *known, np.zeros(n_r, dtype=bool))
    picked = np.full(len(starts) - 1, -1)
    choice = _run(_greedy, arrays, picked, use_kernel=use_kernel)
    return np.sort(np.concatenate([taken, rest[choice[choice >= 0]]]))


def _alone(row: Ints, column: Ints, n_rows: int, n_columns: int) -> Bools:
    """Mark the pairs whose two ends have no other partner."""
    alone = np.bincount(row, minlength=n_rows)[row] == 1
    alone &= np.bincount(column, minlength=n_columns)[column] == 1
    return cast("Bools", alone)


def _renumber(code: Ints, n: int) -> tuple[Ints, int]:
    """Give the codes in use the numbers 0, 1, ... in their order."""
    used = np.zeros(n, dtype=bool)
    used[code] = True
    number = np.cumsum(used) - 1
    return number[code], int(number[-1]) + 1


def _run_starts(code: Ints) -> Ints:
    """First position of each run of equal codes."""
    return np.concatenate([[0], np.flatnonzero(code[1:] != code[:-1]) + 1]).astype(np.int64)


def _safe_pairs(r: Ints, c: Ints, w: Floats, n_r: int, n_c: int) -> tuple[Ints, Ints]:
    """Take, in rounds, pairs that some best assignment holds; return them and what is left."""
    open_ = np.arange(len(w))
    safe = []
    while len(open_):
        rows, columns, weights = r[open_], c[open_], w[open_]
        best_of_row, other_of_row = _two_best(rows, weights, n_r)
        best_of_column, other_of_column = _two_best(columns, weights, n_c)
        mutual = np.flatnonzero(best_of_row[rows] == best_of_column[columns])
        alternative = other_of_row[rows[mutual]] + other_of_column[columns[mutual]]
        take = mutual[weights[mutual] >= alternative]
        if not len(take):
            break
        safe.append(open_[take])
        row_free, column_free = np.ones(n_r, dtype=bool), np.ones(n_c, dtype=bool)
        row_free[rows[take]] = False
        column_free[columns[take]] = False
        open_ = open_[row_free[rows] & column_free[columns]]
    return np.concatenate(safe) if safe else np.empty(0, np.int64), open_


def _two_best(code: Ints, weights: Floats, n: int) -> tuple[Ints, Floats]:
    """Find the best pair of each end, the first among equals, and its second best weight."""
    largest = np.zeros(n)
    np.maximum.at(largest, code, weights)
    ties = np.flatnonzero(weights == largest[code])[::-1]
    best = np.full(n, -1)
    best[code[ties]] = ties  # the last write wins, and that is the first of equals
    others = np.ones(len(code), dtype=bool)
    others[best[best >= 0]] = False
    second = np.zeros(n)
    np.maximum.at(second, code[others], weights[others])
    return best, second


def _shortest_paths(r: Ints, c: Ints, w: Floats, n_r: int, n_c: int, engine: Engine) -> Ints:
    """Solve what no rule decides; return positions into ``r``."""
    order = np.lexsort((c, r))
    rows, n_rows = _renumber(r[order], n_r)
    columns, n_columns = _renumber(c[order], n_c)
    starts = np.concatenate([_run_starts(rows), [len(rows)]])
    inf = np.full(n_columns, np.inf)
    none = np.full(n_columns, -1)
    arrays = (
        starts,
        rows,
        columns,
        w[order],
        np.zeros(n_rows),
        np.zeros(n_columns),
        inf,
        none.copy(),
        none.copy(),
        np.zeros(n_columns, dtype=bool),
        none.copy(),
        np.empty(n_rows, dtype=np.int64),
        np.zeros(n_rows),
    )
    use_kernel = compiled(engine, saved_seconds=len(rows) * SAVED_PER_EDGE)
    edge = _run(_augment, arrays, np.full(n_rows, -1), use_kernel=use_kernel)
    return order[edge[edge >= 0]]


def _run(kernel: Any, arrays: tuple[Any, ...], out: Ints, *, use_kernel: bool) -> Ints:
    """Call a kernel compiled on arrays, or as plain Python on lists, which Python reads faster."""
    if use_kernel:
        kernel(*arrays, out)
        return out
    listed = out.tolist()
    python_of(kernel)(*(array.tolist() for array in arrays), listed)
    return np.array(listed, dtype=np.int64)


@njit
def _augment(
    starts: Ints,
    row_of: Ints,
    column_of: Ints,
    weight: Floats,
    row_price: Floats,
    column_price: Floats,
    distance: Floats,
    from_edge: Ints,
    row_of_column: Ints,
    done: Bools,
    touched: Ints,
    tree: Ints,
    row_distance: Floats,
    edge_of_row: Ints,
) -> None:
    """Fill ``edge_of_row`` with the pair of each row, -1 for none; costs are minus the weights.

    One function with its workspace handed in, so that it runs on arrays and on lists alike.
    """
    for source in range(len(edge_of_row)):
        n_touched = 0
        n_tree = 0
        row = source
        reached = 0.0
        stop_cost = np.inf
        stop_row = -1
        free_column = -1
        while True:
            tree[n_tree] = row
            row_distance[row] = reached
            n_tree += 1
            # leaving this row without a partner costs nothing but its price
            alone_cost = reached - row_price[row]
            if alone_cost < stop_cost:
                stop_cost = alone_cost
                stop_row = row
            for edge in range(starts[row], starts[row + 1]):
                column = column_of[edge]
                if not done[column]:
                    cost = reached - weight[edge] - row_price[row] - column_price[column]
                    if distance[column] == np.inf:
                        touched[n_touched] = column
                        n_touched += 1
                    if cost < distance[column]:
                        distance[column] = cost
                        from_edge[column] = edge
            nearest = -1
            least = np.inf
            for k in range(n_touched):
                column = touched[k]
                if not done[column] and (
                    distance[column] < least or (distance[column] == least and column < nearest)
                ):
                    least = distance[column]
                    nearest = column
            if nearest < 0 or least > stop_cost:
                reached = stop_cost
                break
            reached = least
            if row_of_column[nearest] < 0:
                free_column = nearest
                break
            done[nearest] = True
            row = row_of_column[nearest]
        for k in range(n_tree):
            row_price[tree[k]] += reached - row_distance[tree[k]]
        for k in range(n_touched):
            column = touched[k]
            if done[column]:
                column_price[column] -= reached - distance[column]
        if free_column >= 0:
            column = free_column
            row = -1
        else:
            # the row that ends up alone hands its partner back along the path
            row = stop_row
            column = -1
            if edge_of_row[row] >= 0:
                column = column_of[edge_of_row[row]]
                edge_of_row[row] = -1
        while column >= 0:
            edge = from_edge[column]
            row = row_of[edge]
            next_column = -1
            if edge_of_row[row] >= 0:
                next_column = column_of[edge_of_row[row]]
            edge_of_row[row] = edge
            row_of_column[column] = row
            column = next_column
        for k in range(n_touched):
            distance[touched[k]] = np.inf
            done[touched[k]] = False


@njit
def _greedy(
    starts: Ints,
    row: Ints,
    weight: Floats,
    last: Bools,
    many: Bools,
    used: Bools,
    choice: Ints,
) -> None:
    """Fill ``choice`` with the pair each column takes in its turn, -1 for none."""
    for turn in range(len(choice)):
        best = -1
        for last_round in range(2):
            for edge in range(starts[turn], starts[turn + 1]):
                at = row[edge]
                if last[at] != (last_round == 1) or (used[at] and not many[at]):
                    continue
                if best < 0 or weight[edge] >= weight[best]:
                    best = edge
            if best >= 0:
                break
        if best >= 0:
            choice[turn] = best
            used[row[best]] = True
