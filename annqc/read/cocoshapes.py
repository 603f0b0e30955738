"""COCO's ``segmentation`` -> `Shapes` as they stand: lists of x, y, x, y, or run lengths."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from annqc.geometry.repair import Fault
from annqc.geometry.rle import decode_counts
from annqc.tables import Shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]

__all__ = ["outlines"]

_AT_ONCE: Final = 1 << 12


class _Mask(msgspec.Struct, gc=False):
    """A mask as COCO has it: canvas and run lengths, as text or numbers."""

    size: tuple[int, int]
    counts: str | list[int]


_Segmentation = list[list[float]] | _Mask | None


def outlines(texts: Sequence[Any]) -> tuple[Shapes, list[Fault]]:
    """Lay out the segmentations of n annotations.

    Parameters
    ----------
    texts : sequence of bytes-like
        The JSON of each: a list of lists of x, y, x, y, or an object with ``size`` and ``counts``;
        null, an empty list and no text at all are no outline.

    Returns
    -------
    shapes : Shapes
        n rows, not in normal form yet.
    faults : list of Fault
        Rows whose segmentation cannot be understood; they have no shape.

    Notes
    -----
    A few rows at a time: vertices as Python objects take sixteen times the memory of their array.
    """
    decode_all = msgspec.json.Decoder(list[_Segmentation]).decode
    several: list[Shapes] = [Shapes.empty(0)]
    faults: list[Fault] = []
    for start in range(0, len(texts), _AT_ONCE):
        some = [bytes(one) or b"null" for one in texts[start : start + _AT_ONCE]]
        found: list[Fault] = []
        try:
            decoded = decode_all(b"[" + b",".join(some) + b"]")
        except msgspec.MsgspecError:
            decoded = [_decoded(one, row, found) for row, one in enumerate(some)]
        several.append(_laid_out(decoded, found))
        faults += [one._replace(row=one.row + start) for one in found]
    return Shapes.concat(several), faults


def _decoded(text: bytes, row: int, faults: list[Fault]) -> Any:
    """Decode one segmentation; one of other types is listed, and counts as none."""
    try:
        return msgspec.json.decode(text, type=_Segmentation)
    except msgspec.MsgspecError as error:
        message, _, path = str(error).partition(" - at `$")
        what = f"{message[0].lower()}{message[1:]}".replace("`", "")
        kind = "non_finite" if re.search(rb"NaN|Infinity", text) else "malformed"
        faults.append(Fault(kind, row, f"segmentation{path.rstrip('`')}: {what}"))
        return None


def _laid_out(segmentations: Sequence[Any], faults: list[Fault]) -> Shapes:
    """Lay out decoded segmentations."""
    rings = [one if type(one) is list else [] for one in segmentations]
    length = np.fromiter(map(len, chain.from_iterable(rings)), np.int64)
    if (length % 2).any():
        for row, several in enumerate(rings):
            odd = [len(ring) for ring in several if len(ring) % 2]
            if odd:
                message = f"expected an even number of coordinates in a ring, found {odd[0]}"
                faults.append(Fault("malformed", row, message))
                rings[row] = []
        length = np.fromiter(map(len, chain.from_iterable(rings)), np.int64)
    per_row = np.fromiter(map(len, rings), np.int64, len(rings))
    numbers = chain.from_iterable(chain.from_iterable(rings))
    points = np.fromiter(numbers, np.float64, int(length.sum())).reshape(-1, 2)
    polygons = Shapes.from_ragged(points, _offsets(length // 2), _offsets(per_row))
    rows = [row for row, one in enumerate(segmentations) if isinstance(one, _Mask)]
    if not rows:
        return polygons
    masks = _masks(len(rings), rows, [segmentations[row] for row in rows], faults)
    return Shapes.mixed(polygons, masks)


def _masks(n: int, rows: list[int], given: list[Any], faults: list[Fault]) -> Shapes:
    """Lay out run lengths: text for all masks at once, lists as they are."""
    written = [k for k, one in enumerate(given) if isinstance(one.counts, str)]
    decoded, bounds, sound = decode_counts([given[k].counts for k in written])
    runs: list[Any] = [one.counts for one in given]
    for k, a, b, good in zip(written, bounds[:-1], bounds[1:], sound.tolist(), strict=True):
        runs[k] = decoded[a:b]
        if not good:
            faults.append(Fault("broken_rle", rows[k], "the counts are no run lengths"))
            runs[k] = None
    every: list[Any] = [None] * n
    canvas = np.zeros((n, 2), dtype=np.int64)
    for row, one, size in zip(rows, runs, (one.size for one in given), strict=True):
        if one is not None:
            try:
                every[row] = np.array(one, dtype=np.int64)
                canvas[row] = size
            except OverflowError:
                faults.append(Fault("broken_rle", row, "a number is too large"))
                every[row] = None
    return Shapes.from_runs(every, canvas)


def _offsets(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
