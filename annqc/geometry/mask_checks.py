"""Pairs of masks, checked before they are compared: every row a mask, both canvases of one size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from annqc.errors import MatchError, UnknownNameError
from annqc.geometry.mask_values import MaskStatus
from annqc.kernels import masks as kernel
from annqc.kernels._jit import Engine, check_engine, compiled
from annqc.shapes import MASK

if TYPE_CHECKING:
    import numpy.typing as npt

    from annqc.tables import Shapes

    Ints = npt.NDArray[np.int64]
    Codes = npt.NDArray[np.int8]
    Bools = npt.NDArray[np.bool_]
    Rows = npt.NDArray[Any] | list[int]

__all__ = ["MaskPairs", "OtherCanvas"]

OtherCanvas = Literal["error", "nan"]

SLICE: Final = 512
"""Pairs whose border pixels are in memory at once."""

SAVED: Final = {"band": (7e-5, 1.3e-9), "distance": (3e-4, 8e-8), "offset": (5e-4, 1.4e-7)}
"""Seconds that the compiled path saves on a pair, and on a pixel of either mask, measured."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class MaskPairs:
    """Pairs that can be compared, and those that cannot.

    Attributes
    ----------
    rows, others : (m,) int64
        Row numbers of the reference and of the candidate.
    areas : ((m,) int64, (m,) int64)
        Pixels of both.
    status : (m,) int8
        A `MaskStatus` each.
    usable : (k,) int64
        Numbers of the pairs on one canvas where something is drawn.
    """

    rows: Ints
    others: Ints
    areas: tuple[Ints, Ints]
    status: Codes
    usable: Ints

    @classmethod
    def of(
        cls,
        reference: Shapes,
        candidate: Shapes,
        reference_rows: Rows,
        candidate_rows: Rows,
        other_canvas: str,
        engine: Engine,
    ) -> MaskPairs:
        """Check pairs.

        Parameters
        ----------
        reference, candidate : Shapes
            Masks of both sides.
        reference_rows, candidate_rows : (m,) array_like of int
            The pairs.
        other_canvas : {"error", "nan"}
            What to do with canvases of different sizes.
        engine : {"auto", "numpy", "numba"}
            Which path will be taken.

        Raises
        ------
        MatchError
            A row is no mask or has broken runs, or canvases differ and that is an error.
        UnknownNameError
            There is no such way or engine.
        """
        check_engine(engine)
        if other_canvas not in get_args(OtherCanvas):
            kind = "way to treat another canvas"
            raise UnknownNameError.among(kind, other_canvas, get_args(OtherCanvas))
        rows = np.asarray(reference_rows, dtype=np.int64).reshape(-1)
        others = np.asarray(candidate_rows, dtype=np.int64).reshape(-1)
        if len(rows) != len(others):
            what = "pairs need a reference row and a candidate row each"
            raise MatchError(what, found=f"{len(rows)} and {len(others)} rows")
        one = _areas(reference, rows, "reference", engine)
        two = _areas(candidate, others, "candidate", engine)
        differ = (reference.canvas[rows] != candidate.canvas[others]).any(axis=1)
        if differ.any() and other_canvas == "error":
            _refuse(reference, candidate, rows, others, differ)
        status = ((one == 0) + 2 * (two == 0)).astype(np.int8)
        status[differ] = MaskStatus.OTHER_CANVAS
        # where nothing is set on either side there is nothing to do
        usable = np.flatnonzero(~differ & (status != MaskStatus.BOTH_EMPTY))
        return cls(rows=rows, others=others, areas=(one, two), status=status, usable=usable)

    def compiled(self, what: str, engine: Engine) -> bool:
        """Decide whether a piece of work on these pairs goes to a compiled kernel."""
        per_pair, per_pixel = SAVED[what]
        pixels = sum(int(area[self.usable].sum()) for area in self.areas)
        saved = len(self.usable) * per_pair + pixels * per_pixel
        return compiled(engine, saved_seconds=saved)

    def slices(self) -> list[Ints]:
        """Return the pairs that can be compared, some at a time."""
        cuts = range(0, len(self.usable), SLICE)
        return [self.usable[start : start + SLICE] for start in cuts]


def _areas(shapes: Shapes, rows: Ints, side: str, engine: Engine) -> Ints:
    """Count the pixels of some masks, and refuse those that are none."""
    known = (rows >= 0) & (rows < len(shapes))
    if not known.all():
        what = f"a pair names a row that the {side} does not have"
        raise MatchError(what, found=f"row {rows[~known][0]} of {len(shapes)}")
    others = rows[shapes.kind[rows] != MASK]
    if len(others):
        what = f"row {others[0]} of the {side} is no mask"
        hint = "paint polygons on the canvas of the image first: annqc.geometry.masks.paint"
        raise MatchError(what, found=f"{len(np.unique(others))} rows without a mask", hint=hint)
    ones, pixels = kernel.areas(shapes.runs, shapes.run_offsets, rows, engine=engine)
    # a kernel trusts the runs, so what does not fit the canvas must not reach it
    canvas = shapes.canvas[rows]
    broken = rows[(pixels != canvas.prod(axis=1)) | (canvas < 0).any(axis=1)]
    if len(broken):
        what = f"the run lengths of row {broken[0]} of the {side} are not those of its canvas"
        height, width = shapes.canvas[broken[0]].tolist()
        expected = f"{height * width} pixels of {width} x {height}, none negative"
        raise MatchError(what, expected=expected)
    return ones


def _refuse(reference: Shapes, candidate: Shapes, rows: Ints, others: Ints, differ: Bools) -> None:
    first = int(np.argmax(differ))
    (height, width), (other_height, other_width) = (
        shapes.canvas[row].tolist()
        for shapes, row in ((reference, rows[first]), (candidate, others[first]))
    )
    what = "masks on canvases of different sizes cannot be compared"
    raise MatchError(
        what,
        where=f"reference row {rows[first]}, candidate row {others[first]}"
        f" ({np.count_nonzero(differ)} of {len(rows)} pairs)",
        expected=f"{width} x {height} pixels on both sides; annqc never resizes a mask",
        found=f"{other_width} x {other_height} in the candidate",
        hint="export both at the size of the image",
    )
