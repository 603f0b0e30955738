"""Ids as they come in: arrays of them, and codes for them."""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Ints = npt.NDArray[np.int64]

__all__ = ["encode", "ids_array", "objects_array"]

_NARROW: Final = 1 << 18
"""Integers that span less than this, or than four times their number, are encoded by position."""


def ids_array(values: Sequence[object]) -> Array:
    """Return ids as int64 where all are integers, else as objects: as they went in.

    Examples
    --------
    >>> ids_array([3, 569716681169025]).dtype
    dtype('int64')
    >>> ids_array([3, "a"]).dtype
    dtype('O')
    """
    if set(map(type, values)) <= {int}:
        try:
            return np.array(values, dtype=np.int64)
        except OverflowError:
            pass
    return objects_array(values)


def objects_array(values: Sequence[object]) -> Array:
    """Return values as an array of objects, whatever they are.

    Examples
    --------
    >>> objects_array([3, 7]).dtype
    dtype('O')
    """
    out = np.empty(len(values), dtype=object)
    out[:] = values if isinstance(values, list) else list(values)
    return out


def encode(values: Array | Sequence[Any]) -> tuple[Ints, Array]:
    """Dictionary-encode ids in the order in which they are met.

    Parameters
    ----------
    values : (n,) array_like
        Ids: integers, strings, or a mix.

    Returns
    -------
    codes : (n,) int64
        Row numbers into ``ids``.
    ids : (k,) array
        The distinct ids.

    Raises
    ------
    TableError
        Where an id is of a kind that cannot be one, such as a list.

    Examples
    --------
    >>> codes, ids = encode(["b", "a", "b"])
    >>> codes.tolist(), ids.tolist()
    ([0, 1, 0], ['b', 'a'])
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        return _encode_integers(values)
    listed = values.tolist() if isinstance(values, np.ndarray) else values
    try:
        distinct = set(listed)
    except TypeError as error:
        what = "an id must be a number or text"
        raise TableError(what, found=str(error)) from None
    if len(distinct) == 1:  # such as the one annotator of a file
        return np.zeros(len(listed), dtype=np.int64), ids_array(list(distinct))
    lookup: defaultdict[Any, int] = defaultdict(count().__next__)  # a new id takes the next code
    codes = np.fromiter(map(lookup.__getitem__, listed), np.int64, len(listed))
    return codes, ids_array(list(lookup))


def _encode_integers(values: Array) -> tuple[Ints, Array]:
    """Dictionary-encode integers: by position where they lie close together, else by sorting."""
    n = len(values)
    low, high = (int(values.min()), int(values.max())) if n else (0, 0)
    if high - low < max(_NARROW, 4 * n):
        signed = values.dtype.kind == "i"
        offsets = values.astype(np.int64) - low if signed else (values - low).astype(np.int64)
        first = np.full(high - low + 1, n, dtype=np.int64)
        first[offsets[::-1]] = np.arange(
            n - 1, -1, -1
        )  # the last one written, the first met, stays
        found = np.sort(first[first < n])
        codes = np.empty_like(first)
        codes[offsets[found]] = np.arange(len(found))
        return codes[offsets], values[found]
    ids, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[inverse].astype(np.int64, copy=False), ids[order]
