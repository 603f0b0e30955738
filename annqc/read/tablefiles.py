"""CSV, Parquet and frames -> columns, before anybody asks what the columns stand for."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError
from annqc.read.files import read_text, shown, source_of
from annqc.read.jsontext import HALF, HALF_HINT
from annqc.read.part import problem
from annqc.read.spreadsheets import spreadsheet_text
from annqc.tables import Source

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from annqc.tables import Problem

    Array = npt.NDArray[Any]

__all__ = ["PARQUET", "Table", "delimiter_of", "from_frame", "from_parquet", "from_text"]

PARQUET: Final = b"PAR1"
"""What a Parquet file begins with."""

_DELIMITERS: Final = ",;\t|"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns as they stand: text cells, or typed arrays; n rows.

    Attributes
    ----------
    columns : dict of str to sequence
        Cells by column.
    row : (n,) int64
        Number of each row, for ``where``.
    n_rows : int
        Rows met, readable or not.
    text : bool
        Whether all cells are text, as in a CSV file.
    source : Source
        The file.
    where : str
        How to name a row.
    problems : list of Problem
        Rows that could not be read.
    semicolons : bool
        Whether semicolons part the cells, as where decimals have a comma.
    """

    columns: dict[str, Any]
    row: Array
    n_rows: int
    text: bool
    source: Source
    where: str
    problems: list[Problem]
    semicolons: bool = False

    def take(self, rows: Array) -> Table:
        """Return the rows of a boolean mask; the others do not count as rows."""
        chosen = np.flatnonzero(rows)
        columns: dict[str, Any] = {
            name: cells[chosen]
            if isinstance(cells, np.ndarray)
            else [cells[row] for row in chosen.tolist()]
            for name, cells in self.columns.items()
        }
        n_rows = self.n_rows - (len(self.row) - len(chosen))
        return replace(self, columns=columns, row=self.row[chosen], n_rows=n_rows)


def from_frame(frame: Any) -> Table:
    """Take a table in memory."""
    frame = _pandas(frame)
    if len({str(name) for name in frame.columns}) < len(frame.columns):
        what = "the table has two columns of the same name"
        raise ReadError(what, where="<table>", found=", ".join(map(str, frame.columns)))
    columns = {str(name): _array(frame[name]) for name in frame.columns}
    for name, column in columns.items():
        _refuse_half_characters(name, column)
    n = len(frame)
    source = Source("<table>", "table", n)
    return Table(columns, np.arange(n), n, text=False, source=source, where="row {}", problems=[])


def _refuse_half_characters(name: str, column: Array) -> None:
    """Refuse text in memory that no file could hold, and that nothing could write."""
    cells = column.tolist() if column.dtype == object else []
    try:
        "".join([name, *(cell for cell in cells if isinstance(cell, str))]).encode()
    except UnicodeEncodeError:
        bad = next((k for k, cell in enumerate(cells) if shown(cell) != str(cell)), None)
        where = f"<table>, column {shown(name)!r}" + ("" if bad is None else f", row {bad}")
        raise ReadError(HALF, where=where, hint=HALF_HINT) from None


def _pandas(frame: Any) -> Any:
    """Return a pandas DataFrame from anything that can become one."""
    if hasattr(frame, "iloc"):
        return frame
    if hasattr(frame, "to_pandas"):
        return frame.to_pandas()
    if hasattr(frame, "__arrow_c_stream__"):
        return _pyarrow("a frame of this kind").table(frame).to_pandas()
    from pandas.api.interchange import from_dataframe

    return from_dataframe(frame)


def _array(series: Any) -> Array:
    """Return a pandas column as an array: numbers and times typed, everything else objects."""
    kind = getattr(series.dtype, "kind", "O")
    if isinstance(series.dtype, np.dtype) and kind in "iufbM":
        return np.asarray(series.to_numpy())
    return np.asarray(series.astype(object).to_numpy(dtype=object))


def from_parquet(path: Path) -> Table:
    """Read a Parquet file with pyarrow."""
    arrow = _pyarrow("Parquet")
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (arrow.ArrowException, OSError) as error:
        what = "the Parquet file cannot be read"
        raise ReadError(what, where=str(path), found=str(error).splitlines()[0]) from None
    columns: dict[str, Any] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        plain = not column.null_count and (
            arrow.types.is_integer(column.type) or arrow.types.is_floating(column.type)
        )
        cells_of = column.to_numpy() if plain else _objects(column.to_pylist())
        columns[name] = cells_of
    n = table.num_rows
    source = source_of(path, "table", n)
    return Table(columns, np.arange(n), n, text=False, source=source, where="row {}", problems=[])


def _objects(listed: list[Any]) -> Array:
    """Return a list as an array of objects, even where these are lists."""
    out = np.empty(len(listed), dtype=object)
    out[:] = listed
    return out


def _pyarrow(what: str) -> Any:
    """Import pyarrow, or say how to get it."""
    try:
        import pyarrow as pa
    except ImportError:
        message = f"{what} needs pyarrow, which is not installed"
        raise ReadError(message, hint="pip install 'annqc[parquet]'") from None
    return pa


def from_text(path: Path) -> Table:
    """Read a CSV or TSV file: the delimiter is the sign that is most frequent in the first line."""
    text = read_text(path)
    if not text.strip():
        what = "the file is empty"
        raise ReadError(what, where=str(path), expected="a line of column names, and rows")
    first = text.lstrip("\r\n").splitlines()[0]
    delimiter = delimiter_of(first) or ","
    reader = csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=delimiter)
    skipped = text[: len(text) - len(text.lstrip("\r\n"))].count("\n")
    lines, rows = [], []
    try:
        header = [spreadsheet_text(name.strip()) for name in next(reader)]
        for row in reader:
            if row:
                rows.append(row)
                lines.append(reader.line_num + skipped)
    except csv.Error as error:
        what = "the file is no table of text"
        where = f"{path}, line {reader.line_num + skipped}"
        raise ReadError(what, where=where, found=str(error), hint="is a quote left open?") from None
    if "'" in text:  # which annqc writes before what a spreadsheet would take for a formula
        rows = [[spreadsheet_text(cell) for cell in row] for row in rows]
    twice = sorted({name for name in header if header.count(name) > 1 and name})
    if twice:
        what = "the table has two columns of the same name"
        raise ReadError(what, where=f"{path}, line {skipped + 1}", found=", ".join(twice))
    width, problems = len(header), []
    if any(len(row) != width for row in rows):
        for row, line in zip(rows, lines, strict=True):
            if len(row) != width:
                message = f"expected {width} cells, found {len(row)}"
                problems.append(problem("malformed", str(path), f"line {line}", message))
        lines = [line for row, line in zip(rows, lines, strict=True) if len(row) == width]
        n_rows, rows = len(rows), [row for row in rows if len(row) == width]
    else:
        n_rows = len(rows)
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in header]
    named = {
        name or f"column {k + 1}": cell
        for k, (name, cell) in enumerate(zip(header, columns, strict=True))
    }
    source = source_of(path, "table", n_rows)
    row_numbers = np.array(lines, dtype=np.int64)
    return Table(
        named,
        row_numbers,
        n_rows,
        text=True,
        source=source,
        where="line {}",
        problems=problems,
        semicolons=delimiter == ";",
    )


def delimiter_of(line: str) -> str:
    """Return the sign that parts the cells of a line, or nothing."""
    counts = {sign: line.count(sign) for sign in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda sign: counts[sign])
    return best if counts[best] else ""
