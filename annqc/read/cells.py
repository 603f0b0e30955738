"""Columns of a table, typed or text -> numbers, ids and flags, with the rows that are none."""

from __future__ import annotations

import json
import math
import numbers
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.ids import ids_array
from annqc.read.part import tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

__all__ = ["flags", "four_numbers", "ids", "is_missing", "numbers_of", "values", "with_points"]

_MISSING: Final = frozenset(("", "na", "n/a", "null", "none", "nan", "<na>", "nat"))
_DECIMAL_COMMA: Final = re.compile(r"[-+]?[0-9]+,[0-9]+")
_THOUSANDS: Final = 3
_TRUE: Final = frozenset(("1", "true", "yes", "t", "y"))


def is_missing(value: object) -> bool:
    """Whether a cell says nothing: empty, None, NaN, NaT."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return type(value).__name__ in ("NAType", "NaTType")


def numbers_of(column: Any, *, text: bool) -> tuple[Floats, dict[int, object]]:
    """Return a column of numbers, and the cells that are none.

    Parameters
    ----------
    column : list of str or (n,) array
        The cells.
    text : bool
        Whether the file has nothing but text, so that text is how numbers are written.

    Returns
    -------
    numbers : (n,) float64
        NaN where a cell is no number.
    bad : dict of int to object
        Row -> cell. A cell that says NaN is a number here: the checks of the box find it.
    """
    if isinstance(column, np.ndarray) and column.dtype.kind in "iuf":
        return column.astype(np.float64), {}
    if text:
        try:
            return np.fromiter(map(float, column), np.float64, len(column)), {}
        except ValueError:
            pass
    out = np.full(len(column), np.nan)
    bad: dict[int, object] = {}
    for row, cell in enumerate(column.tolist() if isinstance(column, np.ndarray) else column):
        number = _number(cell, text=text)
        if number is None:
            bad[row] = cell
        else:
            out[row] = number
    return out, bad


def with_points(columns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return columns of numbers written ``12,5`` with points; empty where they are not all so.

    ``1,250`` may be a thousand and more: commas that all stand before three digits tell nothing.
    """
    commas = [cell.strip() for column in columns.values() for cell in column if "," in cell]
    points = any("." in cell for column in columns.values() for cell in column)
    if points or not all(map(_DECIMAL_COMMA.fullmatch, commas)):
        return {}
    if all(len(cell.rpartition(",")[2]) == _THOUSANDS for cell in commas):
        return {}
    return {name: [cell.replace(",", ".") for cell in column] for name, column in columns.items()}


def four_numbers(column: Any) -> tuple[Floats, dict[int, object]]:
    """Return a column of boxes, each a list or the JSON text of one, and the cells that are not."""
    out = np.full((len(column), 4), np.nan)
    bad: dict[int, object] = {}
    for row, cell in enumerate(column):
        sides = cell
        if isinstance(cell, str):
            try:
                sides = json.loads(cell.replace("(", "[").replace(")", "]"))
            except (ValueError, RecursionError):
                sides = None
        try:
            four = [_number(side, text=False) for side in sides]
        except TypeError:
            four = []
        if len(four) == 4 and None not in four:
            out[row] = four
        else:
            bad[row] = cell
    return out, bad


def ids(column: Any, *, text: bool) -> Array:
    """Return ids as given: whole numbers as int64, None where there is none.

    Text from a file is a number where all of the column is, written without leading zeros.
    """
    if isinstance(column, np.ndarray) and column.dtype.kind in "iu":
        return column.astype(np.int64) if column.dtype != np.uint64 else ids_array(column.tolist())
    listed = column.tolist() if isinstance(column, np.ndarray) else column
    if text:
        given = [None if cell == "" else cell for cell in listed]
        try:
            whole = [None if cell is None else int(cell) for cell in given]
        except ValueError:
            return ids_array(given)
        same = all(str(n) == cell for n, cell in zip(whole, given, strict=True) if n is not None)
        return ids_array(whole if same else given)
    return ids_array([_id(cell) for cell in listed])


def values(column: Any, *, text: bool) -> Array:
    """Return a column to carry along: numbers where all are, else as given, None where empty."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "iufbM":
        return column
    listed = column.tolist() if isinstance(column, np.ndarray) else column
    if not text:
        return tidy([None if is_missing(cell) else _flat(cell) for cell in listed])
    whole = ids(listed, text=True)
    if whole.dtype.kind == "i":
        return whole
    try:
        return np.fromiter((float(cell) if cell else math.nan for cell in listed), np.float64)
    except ValueError:
        pass
    return ids_array([None if cell == "" else cell for cell in listed])


def flags(column: Any) -> Bools:
    """Return a column of yes and no; empty is no."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "iub":
        return column.astype(bool)
    listed = column.tolist() if isinstance(column, np.ndarray) else column
    return np.array([_flag(cell) for cell in listed], dtype=bool)


def _flag(cell: object) -> bool:
    """Whether a cell says yes."""
    if is_missing(cell):
        return False
    if isinstance(cell, str):
        return cell.strip().lower().removesuffix(".0") in _TRUE
    return bool(cell)


def _number(cell: object, *, text: bool) -> float | None:
    """Return a cell as a number; None for text in a typed column, a boolean, or nothing."""
    if isinstance(cell, (bool, np.bool_)) or cell is None:
        return None
    if isinstance(cell, str) and not text:
        return None
    if not isinstance(cell, str) and not isinstance(cell, numbers.Number):
        return None
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    except OverflowError:
        return math.inf


def _flat(cell: object) -> object:
    """Return a cell to carry along; a list or an object as its JSON text."""
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    return json.dumps(cell, default=str) if isinstance(cell, (list, tuple, dict, set)) else cell


def _id(cell: object) -> object:
    """Return a typed cell as an id: gaps in a column make floats of whole numbers."""
    if is_missing(cell):
        return None
    cell = _flat(cell)
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell
