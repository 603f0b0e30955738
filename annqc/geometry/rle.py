"""COCO's compressed run lengths: text <-> numbers, for all masks at once.

A run length is written in groups of five bits, the lowest first, as characters from ``0`` on; bit
six of a character says that more follow, and the last group's highest bit is the sign. From the
fourth run on, what is written is the difference to the run before the last. pycocotools reads and
writes the same; a test holds that.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    Ints = npt.NDArray[np.int64]

__all__ = ["decode_counts", "encode_counts"]

_LONGEST: Final = 10
"""Groups of one number: 50 bits, far beyond any canvas."""


def decode_counts(texts: Sequence[bytes | str]) -> tuple[Ints, Ints, Bools]:
    """Return the run lengths of compressed masks.

    Parameters
    ----------
    texts : sequence of bytes or str
        What COCO has under ``counts``.

    Returns
    -------
    runs : (q,) int64
        Run lengths of all masks.
    offsets : (n + 1,) int64
        Where the runs of each mask begin, and the end.
    sound : (n,) bool
        Which texts could be read; runs of others mean nothing.

    Examples
    --------
    >>> runs, offsets, sound = decode_counts([b"52203", ""])
    >>> runs.tolist(), offsets.tolist(), sound.tolist()
    ([5, 2, 2, 2, 5], [0, 5, 5], [True, True])
    """
    several = [one if isinstance(one, bytes) else one.encode() for one in texts]
    lengths = np.array([len(one) for one in several], dtype=np.int64)
    code = np.frombuffer(b"".join(several), dtype=np.uint8).astype(np.int64) - 48
    owner = np.repeat(np.arange(len(several)), lengths)
    sound = np.ones(len(several), dtype=bool)
    sound[owner[(code < 0) | (code > 63)]] = False
    ends = np.cumsum(lengths)
    last = (code & 32) == 0
    whole = ends[lengths > 0] - 1
    sound[owner[whole[~last[whole]]]] = False
    last[whole] = True
    stops = np.flatnonzero(last)
    starts = np.concatenate([[0], stops[:-1] + 1]) if len(stops) else stops
    groups = stops - starts + 1
    sound[owner[starts[groups > _LONGEST]]] = False
    place = np.minimum(np.arange(len(code)) - np.repeat(starts, groups), _LONGEST)
    values = np.zeros(len(stops), dtype=np.int64)
    if len(stops):
        values = np.add.reduceat((code & 31) << (5 * place), starts)
    shift = 5 * np.minimum(groups, _LONGEST)
    values -= np.where(code[stops] & 16, np.int64(1) << shift, 0)
    counts = np.bincount(owner[stops], minlength=len(several))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return _summed(values, offsets), offsets, sound


def encode_counts(runs: Ints, offsets: Ints) -> list[bytes]:
    """Return compressed run lengths.

    Parameters
    ----------
    runs : (q,) int64
        Run lengths of all masks.
    offsets : (n + 1,) int64
        Where the runs of each mask begin, and the end.

    Returns
    -------
    list of bytes
        What COCO has under ``counts``.

    Examples
    --------
    >>> encode_counts(np.array([5, 2, 2, 2, 5]), np.array([0, 5]))
    [b'52203']
    """
    index = np.arange(len(runs)) - np.repeat(offsets[:-1], np.diff(offsets))
    values = runs.copy()
    late = np.flatnonzero(index > 2)
    values[late] -= runs[late - 2]
    groups = np.ones(len(values), dtype=np.int64)
    rest = values >> 4  # what is left once the sign has its bit: 0 or -1 where one group will do
    while True:
        more = (rest != 0) & (rest != -1)
        if not more.any():
            break
        groups += more
        rest >>= 5
    starts = np.concatenate([[0], np.cumsum(groups)])
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], groups)
    code = (np.repeat(values, groups) >> (5 * place)) & 31
    code += np.where(place < np.repeat(groups, groups) - 1, 32, 0)
    text = (code + 48).astype(np.uint8).tobytes()
    bounds = starts[offsets].tolist()
    return [text[a:b] for a, b in pairwise(bounds)]


def _summed(values: Ints, offsets: Ints) -> Ints:
    """Undo the differences: from the fourth on, each value goes on top of the one before last."""
    runs = values.copy()
    index = np.arange(len(values)) - np.repeat(offsets[:-1], np.diff(offsets))
    for parity in (0, 1):
        chosen = np.flatnonzero((index % 2 == parity) & (index > 0))
        total = np.cumsum(values[chosen])
        first = index[chosen] < 3
        base = np.maximum.accumulate(np.where(first, np.arange(len(chosen)), 0))
        runs[chosen] = total - (total - values[chosen])[base]
    return runs
