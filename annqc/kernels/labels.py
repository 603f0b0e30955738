"""Dawid and Skene's two steps on chunks of items, compiled or in numpy.

Labels come as ragged runs: those of item i are ``code[starts[i]:starts[i + 1]]``, where a code is
``annotator * n_labels + label``. What is known of the annotators is a table with one row a code and
one column a true label. Both paths add up in another order and agree to rounding.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.kernels._jit import Engine, compiled, njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["NEGLIGIBLE", "expect", "gather_counts", "pays"]

NEGLIGIBLE: Final = 36.0
"""A label whose likelihood is this far below the best one's, in logarithms, gets 0: 2e-16."""

SAVED_PER_CELL: Final = 2e-9
"""Seconds that the kernels save over numpy on one given label, true label and iteration."""


def pays(engine: Engine, *, n_given: int, n_labels: int, iterations: int) -> bool:
    """Decide once for a whole fit whether it goes through the kernels.

    Parameters
    ----------
    engine : {"auto", "numpy", "numba"}
        What was asked for.
    n_given, n_labels, iterations : int
        Size of the work.
    """
    return compiled(engine, saved_seconds=n_given * n_labels * iterations * SAVED_PER_CELL)


def expect(
    starts: Ints, code: Ints, log_table: Floats, log_prior: Floats, out: Floats, *, kernel: bool
) -> None:
    """Fill in how likely each label is the true one of each item.

    Parameters
    ----------
    starts : (n + 1,) int64
        Where the labels of each item begin in ``code``, and the end; no item is without.
    code : (m,) int64
        Who said what: a row of ``log_table``.
    log_table : (c, k) float64
        Logarithm of the probability of each code, given each true label.
    log_prior : (k,) float64
        The same of the true labels.
    out : (n, k) float64
        Filled in; each row adds up to 1.
    kernel : bool
        Whether to compile.

    Examples
    --------
    >>> out = np.empty((1, 2))
    >>> table = np.log([[0.8, 0.2], [0.2, 0.8]])
    >>> one = np.array([0, 1]), np.array([0])
    >>> expect(*one, table, np.log([0.5, 0.5]), out, kernel=False)
    >>> out.round(3).tolist()
    [[0.8, 0.2]]
    """
    if kernel:
        _expect(starts, code, log_table, log_prior, out, np.empty(len(log_prior), dtype=np.int64))
        return
    first = starts[0]
    given = code[first : starts[-1]]
    np.add(np.add.reduceat(log_table[given], starts[:-1] - first, axis=0), log_prior, out=out)
    out -= out.max(axis=1, keepdims=True)
    np.copyto(out, -np.inf, where=out <= -NEGLIGIBLE)
    np.exp(out, out=out)
    out /= out.sum(axis=1, keepdims=True)


def gather_counts(
    starts: Ints, code: Ints, posterior: Floats, table: Floats, classes: Floats, *, kernel: bool
) -> None:
    """Add up who said what of which true label, each weighted by how likely that label is.

    Parameters
    ----------
    starts, code
        As in `expect`.
    posterior : (n, k) float64
        What `expect` filled in.
    table : (c, k) float64
        Added to.
    classes : (k,) float64
        Added to: the items of each true label.
    kernel : bool
        Whether to compile.

    Examples
    --------
    >>> table, classes = np.zeros((2, 2)), np.zeros(2)
    >>> one = np.array([0, 2]), np.array([0, 1])
    >>> gather_counts(*one, np.array([[0.25, 0.75]]), table, classes, kernel=False)
    >>> table.tolist(), classes.tolist()
    ([[0.25, 0.75], [0.25, 0.75]], [0.25, 0.75])
    """
    if kernel:
        _gather_counts(
            starts, code, posterior, table, classes, np.empty(len(classes), dtype=np.int64)
        )
        return
    classes += posterior.sum(axis=0)
    item, label = np.nonzero(posterior)
    n = np.diff(starts)[item]
    step = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    given = code[np.repeat(starts[item], n) + step]
    weight = np.repeat(posterior[item, label], n)
    np.add.at(table.reshape(-1), given * len(classes) + np.repeat(label, n), weight)


@njit
def _expect(
    starts: Ints, code: Ints, log_table: Floats, log_prior: Floats, out: Floats, likely: Ints
) -> None:
    k = log_prior.shape[0]
    for i in range(starts.shape[0] - 1):
        for t in range(k):
            out[i, t] = log_prior[t]
        # four at a time, added in the same order as one by one: the row of sums is the bottleneck
        fours = starts[i] + (starts[i + 1] - starts[i]) // 4 * 4
        for j in range(starts[i], fours, 4):
            a, b, c, d = code[j], code[j + 1], code[j + 2], code[j + 3]
            for t in range(k):
                both = out[i, t] + log_table[a, t] + log_table[b, t]
                out[i, t] = both + log_table[c, t] + log_table[d, t]
        for j in range(fours, starts[i + 1]):
            row = code[j]
            for t in range(k):
                out[i, t] += log_table[row, t]
        # the largest of four at a time, or each comparison waits for the one before
        top = one = two = three = out[i, 0]
        for t in range(0, k - 3, 4):
            top, one = max(top, out[i, t]), max(one, out[i, t + 1])
            two, three = max(two, out[i, t + 2]), max(three, out[i, t + 3])
        for t in range(k // 4 * 4, k):
            top = max(top, out[i, t])
        top = max(top, one, two, three)
        total, n = 0.0, 0
        for t in range(k):
            below = out[i, t] - top
            out[i, t] = 0.0
            if below > -NEGLIGIBLE:
                out[i, t] = math.exp(below)
                total += out[i, t]
                likely[n] = t
                n += 1
        for m in range(n):
            out[i, likely[m]] /= total


@njit
def _gather_counts(
    starts: Ints, code: Ints, posterior: Floats, table: Floats, classes: Floats, likely: Ints
) -> None:
    k = classes.shape[0]
    for i in range(starts.shape[0] - 1):
        n = 0
        for t in range(k):
            p = posterior[i, t]
            if p > 0:
                classes[t] += p
                likely[n] = t
                n += 1
        for j in range(starts[i], starts[i + 1]):
            row = code[j]
            for m in range(n):
                t = likely[m]
                table[row, t] += posterior[i, t]
