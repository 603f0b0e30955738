"""A column of vertices -> outlines: the rings of each row, and rows that are one annotation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.read.cells import is_missing
from annqc.read.vertices import VertexError, vertices
from annqc.tables import Shapes

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["Drawn", "put_together", "rings_of_cells"]

_EXPECTED: Final = "[[x, y], ...], [x, y, x, y, ...], or a list of such rings"
_OTHER_RING: Final = "another ring of this annotation cannot be used ({}), so none of it is"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Annotations of one or more rows each.

    Attributes
    ----------
    first : (n,) int64
        The row that each begins with, in order.
    single : (n,) bool
        Whether each is of that row alone.
    shapes : Shapes
        n outlines as they stand.
    hole : (r,) bool or None
        Which rings are holes.
    n_further : int
        Rows that belong to an annotation which an earlier row began.
    """

    first: Ints
    single: Bools
    shapes: Shapes
    hole: Bools | None
    n_further: int


def rings_of_cells(column: Any) -> tuple[list[list[Floats]], dict[int, tuple[str, str]]]:
    """Return the rings of each cell, and what is wrong with cells that have none.

    Parameters
    ----------
    column : sequence of n cells
        Lists, arrays, or their JSON text. A list of [x, y] or of {"x": x, "y": y}, a flat list, or
        a list of rings of either kind. An empty cell has no ring.

    Returns
    -------
    rings : list of list of (k, 2) float64
        n lists.
    bad : dict of int to (str, str)
        Row -> kind of problem and message.

    Examples
    --------
    >>> rings, bad = rings_of_cells([[[0, 0], [4, 0], [4, 4]], "[0, 0, 4, 0, 4, 4]", "[1, 2, 3]"])
    >>> [len(one) for one in rings], bad[2][0]
    ([1, 1, 0], 'malformed')
    """
    rings: list[list[Floats]] = []
    bad: dict[int, tuple[str, str]] = {}
    for row, cell in enumerate(column):
        try:
            rings.append([vertices(ring) for ring in _rings(cell)])
        except VertexError as error:
            rings.append([])
            bad[row] = error.kind, error.message
    return rings, bad


def put_together(
    keys: Sequence[Hashable],
    rings: Sequence[list[Floats]],
    hole: Bools | None,
    bad: dict[int, str],
) -> Drawn:
    """Make one annotation of the rows that have the same key.

    Parameters
    ----------
    keys : sequence of n
        What rows of one annotation share; None for a row that is one by itself.
    rings : sequence of n lists
        Rings of each row.
    hole : (n,) bool or None
        Rows whose rings are holes.
    bad : dict of int to str
        Row -> why it cannot be used. The other rows of such an annotation are added: a part of an
        outline says something else than the whole.

    Returns
    -------
    Drawn
    """
    groups: dict[Hashable, list[int]] = {}
    for row, key in enumerate(keys):
        groups.setdefault(("row", row) if key is None else ("key", key), []).append(row)
    whole = []
    for rows in groups.values():
        why = next((bad[row] for row in rows if row in bad), None)
        if why is None:
            whole.append(rows)
        for row in rows if why is not None else ():
            bad.setdefault(row, _OTHER_RING.format(why))
    outlines = [[ring for row in rows for ring in rings[row]] for rows in whole]
    holes = None
    if hole is not None:
        flags = [hole[row] for rows in whole for row in rows for _ in rings[row]]
        holes = np.array(flags, dtype=bool)
    return Drawn(
        first=np.array([rows[0] for rows in whole], dtype=np.int64),
        single=np.array([len(rows) == 1 for rows in whole], dtype=bool),
        shapes=Shapes.from_rings(outlines),
        hole=holes,
        n_further=sum(len(rows) - 1 for rows in whole),
    )


def _rings(cell: Any) -> list[list[Any]]:
    """Return the rings of a cell, each a list of pairs of whatever stands there."""
    if isinstance(cell, str):
        cell = _decoded(cell) if cell.strip() else None
    cell = _plain(cell)
    if cell is None or is_missing(cell) or cell == []:
        return []
    if not isinstance(cell, list):
        raise VertexError(kind="malformed", message=f"expected {_EXPECTED}; found {cell!r:.60}")
    first = cell[0]
    several = isinstance(first, list) and (len(first) != 2 or not _is_number(first[0]))
    return [_ring(ring) for ring in (cell if several else [cell])]


def _ring(ring: Any) -> list[Any]:
    """Return one ring as pairs."""
    if not isinstance(ring, list):
        raise VertexError(kind="malformed", message=f"expected {_EXPECTED}; found {ring!r:.60}")
    if ring and _is_number(ring[0]):
        if len(ring) % 2:
            message = f"expected x, y, x, y, ...; found {len(ring)} numbers, which is odd"
            raise VertexError(kind="malformed", message=message)
        return [list(pair) for pair in zip(ring[::2], ring[1::2], strict=True)]
    return [[one.get("x"), one.get("y")] if isinstance(one, dict) else one for one in ring]


def _decoded(text: str) -> Any:
    """Return what the text of a cell says as JSON; tuples of Python are taken for lists."""
    import msgspec

    try:
        return msgspec.json.decode(text.replace("(", "[").replace(")", "]"))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        message = f"expected JSON such as {_EXPECTED}; found {text!r:.60}"
        raise VertexError(kind="malformed", message=message) from None


def _plain(cell: Any) -> Any:
    """Return a cell with lists in place of arrays and tuples."""
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if isinstance(cell, (list, tuple)):
        return [_plain(one) for one in cell]
    return cell.item() if isinstance(cell, np.generic) else cell


def _is_number(value: Any) -> bool:
    """Whether this is a number, and no text or boolean."""
    return type(value) in (int, float)
