"""The outlines of annotations: polygons and masks, ragged, one array a column.

Part of the canonical tables (`annqc.tables` gives it out as ``tables.Shapes``). Polygons are rings
of vertices in continuous pixels, origin at the top-left corner of the top-left pixel, x right, y
down. Masks are run lengths as COCO has them: column by column, the first run is of zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["BOX_ONLY", "MASK", "POLYGON", "Shapes", "gather"]

BOX_ONLY: Final = 0
POLYGON: Final = 1
MASK: Final = 2


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Shapes:
    """The outlines of n annotations, ragged as values and offsets.

    Attributes
    ----------
    kind : (n,) int8
        `BOX_ONLY` (0), `POLYGON` (1) or `MASK` (2).
    points : (p, 2) float64
        Vertices of all rings in pixels. A ring is open: its first vertex is not repeated.
    ring_offsets : (r + 1,) int64
        Ring j is ``points[ring_offsets[j]:ring_offsets[j + 1]]``.
    shape_offsets : (n + 1,) int64
        The rings of annotation i are ``shape_offsets[i]`` up to ``shape_offsets[i + 1]``.
    runs : (q,) int64
        Run lengths of all masks.
    run_offsets : (n + 1,) int64
        The runs of annotation i are ``runs[run_offsets[i]:run_offsets[i + 1]]``.
    canvas : (n, 2) int64
        Height and width of the mask's canvas; 0 where there is no mask.

    Notes
    -----
    Readers give polygons in normal form, which `annqc.geometry.repair.normalise` makes: outer
    rings have a positive shoelace area (clockwise on screen), holes a negative one, holes lie
    inside outer rings, and rings overlap in no other way. So the area of a shape is the sum of the
    signed areas of its rings.

    Examples
    --------
    >>> square = [[0, 0], [4, 0], [4, 4], [0, 4]]
    >>> shapes = Shapes.from_rings([[square], [], [square]])
    >>> len(shapes), shapes.kind.tolist(), shapes.take([2, 2]).shape_offsets.tolist()
    (3, [1, 0, 1], [0, 1, 2])
    """

    kind: npt.NDArray[np.int8]
    points: Floats
    ring_offsets: Ints
    shape_offsets: Ints
    runs: Ints
    run_offsets: Ints
    canvas: Ints

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def kind_names(self) -> Array:
        """What each annotation is: ``box``, ``polygon`` or ``mask``."""
        return np.array(["box", "polygon", "mask"], dtype=object)[self.kind]

    @property
    def vertex_counts(self) -> Ints:
        """Number of vertices of each annotation, all rings together."""
        return np.diff(self.ring_offsets[self.shape_offsets])

    def take(self, rows: Array | Sequence[int]) -> Shapes:
        """Return the given rows (indices or a boolean mask).

        Parameters
        ----------
        rows : (k,) array_like
            Row numbers, in any order and as often as wanted, or one boolean a row.
        """
        chosen = np.asarray(rows)
        if chosen.dtype.kind == "b":
            chosen = np.flatnonzero(chosen)
        chosen = chosen.astype(np.int64, copy=False)
        chosen = np.where(chosen < 0, chosen + len(self), chosen)
        rings, shape_offsets = gather(self.shape_offsets, chosen)
        points, ring_offsets = gather(self.ring_offsets, rings)
        runs, run_offsets = gather(self.run_offsets, chosen)
        return Shapes(
            kind=self.kind[chosen],
            points=self.points[points],
            ring_offsets=ring_offsets,
            shape_offsets=shape_offsets,
            runs=self.runs[runs],
            run_offsets=run_offsets,
            canvas=self.canvas[chosen],
        )

    def rings(self, row: int) -> list[Floats]:
        """Return the rings of one annotation, each (k, 2)."""
        first, last = self.shape_offsets[row], self.shape_offsets[row + 1]
        bounds = self.ring_offsets[first : last + 1]
        return [self.points[a:b] for a, b in pairwise(bounds.tolist())]

    def runs_of(self, row: int) -> Ints:
        """Return the run lengths of one annotation."""
        return self.runs[self.run_offsets[row] : self.run_offsets[row + 1]]

    @classmethod
    def empty(cls, n: int) -> Shapes:
        """Return n annotations that have nothing but their box."""
        return cls.from_ragged(
            np.empty((0, 2)), np.zeros(1, dtype=np.int64), np.zeros(n + 1, dtype=np.int64)
        )

    @classmethod
    def from_ragged(cls, points: Array, ring_offsets: Array, shape_offsets: Array) -> Shapes:
        """Make polygons of vertices, rings and the rings of each annotation; none means box only.

        Parameters
        ----------
        points : (p, 2) array_like
            Vertices.
        ring_offsets : (r + 1,) array_like of int
            Where each ring begins in ``points``, and the end.
        shape_offsets : (n + 1,) array_like of int
            Where each annotation begins in the rings, and the end.
        """
        of_shape = np.ascontiguousarray(shape_offsets, dtype=np.int64)
        n = len(of_shape) - 1
        return cls(
            kind=np.where(np.diff(of_shape) > 0, POLYGON, BOX_ONLY).astype(np.int8),
            points=np.ascontiguousarray(points, dtype=np.float64).reshape(-1, 2),
            ring_offsets=np.ascontiguousarray(ring_offsets, dtype=np.int64),
            shape_offsets=of_shape,
            runs=np.empty(0, dtype=np.int64),
            run_offsets=np.zeros(n + 1, dtype=np.int64),
            canvas=np.zeros((n, 2), dtype=np.int64),
        )

    @classmethod
    def from_rings(cls, rings: Sequence[Sequence[Any] | None]) -> Shapes:
        """Make polygons of a list of rings an annotation; an empty list or None means box only.

        Parameters
        ----------
        rings : sequence of sequence of (k, 2) array_like
            The rings of each annotation, as they are to stand.
        """
        counts = [0 if one is None else len(one) for one in rings]
        every = [np.asarray(ring, dtype=np.float64) for one in rings for ring in one or ()]
        points = [ring.reshape(-1, 2) for ring in every]
        return cls.from_ragged(
            np.concatenate(points) if points else np.empty((0, 2)),
            _offsets([len(ring) for ring in points]),
            _offsets(counts),
        )

    @classmethod
    def from_runs(cls, runs: Sequence[Array | None], canvas: Array | Sequence[Any]) -> Shapes:
        """Make masks of run lengths; None means box only.

        Parameters
        ----------
        runs : sequence of (k,) array_like of int
            Run lengths of each annotation: column by column, the first run is of zeros.
        canvas : (n, 2) array_like of int
            Height and width of each canvas.
        """
        given = [np.empty(0, np.int64) if one is None else np.asarray(one) for one in runs]
        flat = np.concatenate([*given, np.empty(0, np.int64)])
        return cls.from_ragged_runs(
            flat,
            _offsets([len(one) for one in given]),
            canvas,
            kind=np.array([BOX_ONLY if one is None else MASK for one in runs], dtype=np.int8),
        )

    @classmethod
    def from_ragged_runs(
        cls, runs: Array, run_offsets: Array, canvas: Array | Sequence[Any], *, kind: Array
    ) -> Shapes:
        """Make masks of run lengths laid end to end.

        Parameters
        ----------
        runs : (q,) array_like of int
            Run lengths.
        run_offsets : (n + 1,) array_like of int
            Where the runs of each annotation begin, and the end.
        canvas : (n, 2) array_like of int
            Height and width of each canvas.
        kind : (n,) array_like of int
            `MASK`, or `BOX_ONLY` where there is no mask.
        """
        kinds = np.asarray(kind, dtype=np.int8)
        sizes = np.asarray(canvas, dtype=np.int64).reshape(-1, 2)
        return cls(
            kind=kinds,
            points=np.empty((0, 2)),
            ring_offsets=np.zeros(1, dtype=np.int64),
            shape_offsets=np.zeros(len(kinds) + 1, dtype=np.int64),
            runs=np.ascontiguousarray(runs, dtype=np.int64),
            run_offsets=np.ascontiguousarray(run_offsets, dtype=np.int64),
            canvas=np.where((kinds == MASK)[:, None], sizes, 0),
        )

    @classmethod
    def mixed(cls, polygons: Shapes, masks: Shapes) -> Shapes:
        """Return polygons and masks of the same annotations as one; no row has both.

        Parameters
        ----------
        polygons, masks : Shapes
            n rows each; a row is box only in one of them at least.
        """
        return cls(
            kind=np.maximum(polygons.kind, masks.kind),
            points=polygons.points,
            ring_offsets=polygons.ring_offsets,
            shape_offsets=polygons.shape_offsets,
            runs=masks.runs,
            run_offsets=masks.run_offsets,
            canvas=masks.canvas,
        )

    @classmethod
    def concat(cls, several: Sequence[Shapes]) -> Shapes:
        """Lay shapes end to end.

        Parameters
        ----------
        several : sequence of Shapes
            At least one.
        """
        if len(several) == 1:
            return several[0]
        return cls(
            kind=np.concatenate([one.kind for one in several]),
            points=np.concatenate([one.points for one in several]),
            ring_offsets=_end_to_end([one.ring_offsets for one in several]),
            shape_offsets=_end_to_end([one.shape_offsets for one in several]),
            runs=np.concatenate([one.runs for one in several]),
            run_offsets=_end_to_end([one.run_offsets for one in several]),
            canvas=np.concatenate([one.canvas for one in several]),
        )


def gather(offsets: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Return where the values of some rows of a ragged table stand, and the offsets among them.

    Parameters
    ----------
    offsets : (n + 1,) int64
        Offsets of the table.
    rows : (k,) int64
        Row numbers.

    Returns
    -------
    places : (q,) int64
        Row numbers into the values.
    new_offsets : (k + 1,) int64
        Offsets into ``values[places]``.

    Examples
    --------
    >>> places, new = gather(np.array([0, 2, 5]), np.array([1, 0]))
    >>> places.tolist(), new.tolist()
    ([2, 3, 4, 0, 1], [0, 3, 5])
    """
    starts = offsets[rows]
    lengths = offsets[rows + 1] - starts
    new = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(lengths, out=new[1:])
    places = np.arange(new[-1]) + np.repeat(starts - new[:-1], lengths)
    return places, new


def _offsets(lengths: Sequence[int]) -> Ints:
    """Return offsets of rows of these lengths."""
    out = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=out[1:])
    return out


def _end_to_end(several: Sequence[Ints]) -> Ints:
    """Lay offsets end to end."""
    ends = np.cumsum([0, *(one[-1] for one in several)])
    return np.concatenate(
        [several[0][:1], *(one[1:] + end for one, end in zip(several, ends, strict=False))]
    )
