"""A decoded mask image -> run lengths of each value in it, without a bitmap for each value.

The image is gone through column by column, a block of columns at a time, as COCO counts its runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.read.maskoptions import Value
    from annqc.read.png import Picture

    Array = npt.NDArray[Any]
    Bools = npt.NDArray[np.bool_]
    Ints = npt.NDArray[np.int64]

__all__ = ["Segments", "border_values", "segments_of"]

_BLOCK: Final = 1 << 24
_FEW_PIXELS: Final = 1 << 14
_FEW_VALUES: Final = 64


class Segments:
    """The runs of a whole image: where each starts, and its value."""

    def __init__(self, starts: Ints, codes: Ints, n_pixels: int, values: list[Value]) -> None:
        self.starts = starts
        self.codes = codes
        self.n_pixels = n_pixels
        self.values = values
        self._ends = np.append(starts[1:], n_pixels)
        self._order = np.argsort(codes, kind="stable")
        self._bounds = np.searchsorted(codes[self._order], np.arange(len(values) + 1))

    def runs(self, chosen: list[int]) -> Ints:
        """Return COCO run lengths of the pixels that have one of the chosen values.

        Parameters
        ----------
        chosen : list of int
            Row numbers of ``values``; at least one.
        """
        rows = [self._order[self._bounds[k] : self._bounds[k + 1]] for k in chosen]
        at = rows[0] if len(rows) == 1 else np.sort(np.concatenate(rows))
        first, last = self.starts[at], self._ends[at]
        apart = first[1:] != last[:-1]
        first, last = first[np.append(True, apart)], last[np.append(apart, True)]
        edges = np.empty(2 * len(first) + 1, dtype=np.int64)
        edges[0], edges[1::2], edges[2::2] = 0, first, last
        runs = np.diff(edges)
        rest = self.n_pixels - int(last[-1])
        return np.append(runs, rest) if rest else runs


def segments_of(picture: Picture, block: int = _BLOCK) -> Segments | None:
    """Return the runs of an image; None where it has so many values and runs that it is no mask.

    Parameters
    ----------
    picture : Picture
        A decoded image.
    block : int
        Pixels to go through at a time.
    """
    step = max(1, block // picture.height)
    starts: list[Ints] = []
    codes: list[Array] = []
    previous: int | None = None
    n_runs = 0
    for left in range(0, picture.width, step):
        part = picture.samples[:, left : left + step]
        flat = picture.codes(part.swapaxes(0, 1)).reshape(-1)
        at = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        if previous is None or int(flat[0]) != previous:
            at = np.concatenate([np.zeros(1, dtype=np.int64), at])
        previous = int(flat[-1])
        starts.append(at + left * picture.height)
        codes.append(flat[at])
        n_runs += len(at)
        seen = min(left + step, picture.width) * picture.height
        if seen > _FEW_PIXELS and n_runs > seen // 2 and len(np.unique(codes[-1])) > _FEW_VALUES:
            return None
    found, code = np.unique(np.concatenate(codes), return_inverse=True)
    told = [picture.value(one) for one in found.tolist()]
    values = list(dict.fromkeys(told))  # two palette entries may be one value
    place = {value: k for k, value in enumerate(values)}
    row = np.array([place[value] for value in told], dtype=np.int64)
    n_pixels = picture.width * picture.height
    return Segments(np.concatenate(starts), row[code.reshape(-1)], n_pixels, values)


def border_values(picture: Picture) -> list[tuple[Value, int]]:
    """Return the values of the pixels along the border, and how many have each."""
    samples = picture.samples
    sides = [samples[:1], samples[-1:], samples[:, :1], samples[:, -1:]]
    codes = np.concatenate([picture.codes(side).reshape(-1) for side in sides])
    found, counts = np.unique(codes, return_counts=True)
    return [(picture.value(c), n) for c, n in zip(found.tolist(), counts.tolist(), strict=True)]
