"""report: an audit as CSV or Parquet, one table a file.

In CSV, which spreadsheets open, a text that one would take for a formula has an apostrophe before
it; `annqc.read` takes it away again. Parquet has the text as it is.
"""

from __future__ import annotations

import csv
import io
from importlib.util import find_spec
from math import isnan
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import AnnqcError
from annqc.read.spreadsheets import spreadsheet_safe, spreadsheet_text
from annqc.report.files import cannot_write, refuse_missing_folder, spare_inputs, whole_file
from annqc.report.json import PROBLEM_FIELDS, problem_rows
from annqc.report.plain import encodable
from annqc.tables import to_frame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from annqc.run.audit import Run
    from annqc.tables import Array

__all__ = ["csv_bytes", "table_paths", "write_columns", "write_csv", "write_tables"]

TABLES: Final = ("pairs", "bias", "scores", "errors", "problems")
OF_OUTLINES: Final = ("outlines", "outline_scores")
"""Tables that are written where both sides have polygons or masks."""

OF_TRACKS: Final = ("tracks", "track_list", "track_events", "tracking_scores")
"""Tables that are written where the reference has tracks; scores, where the work has too."""

LONGEST_HEAD: Final = 1 << 16
PARQUET: Final = b"PAR1"
"""What a Parquet file begins with."""


def table_paths(folder: Path, *, parquet: bool = False) -> list[Path]:
    """Return the files that `write_tables` writes, those of outlines and tracks too."""
    suffix = "parquet" if parquet else "csv"
    return [folder / f"{name}.{suffix}" for name in (*TABLES, *OF_OUTLINES, *OF_TRACKS)]


def write_tables(
    run: Run, folder: Path, *, by: Sequence[str] = ("annotator",), parquet: bool = False
) -> list[Path]:
    """Write pairs, bias, scores, errors and problems, one file each.

    Where outlines were compared, ``outlines`` and ``outline_scores`` are written besides; where the
    reference has tracks, ``tracks, track_list, track_events`` and ``tracking_scores``.

    Parameters
    ----------
    run : Run
        The comparison.
    folder : Path
        Made where it is not there; the folder around it must be.
    by : sequence of str
        Grouping of the findings.
    parquet : bool
        Parquet instead of CSV; needs pyarrow.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    AnnqcError
        Where a file is an input, is there and is no earlier table of this name, or cannot be
        written.
    """
    paths = table_paths(folder, parquet=parquet)
    spare_inputs(paths, (run.reference, run.candidate))
    refuse_missing_folder(folder)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    problems = problem_rows(run.issues)
    tables: dict[str, dict[str, Any]] = {
        "pairs": run.pair_columns(),
        "bias": run.bias_columns(by),
        "scores": run.score_columns(strata=by),
        "errors": run.error_columns(),
        "problems": {name: [row[name] for row in problems] for name in PROBLEM_FIELDS},
    }
    if run.has_outlines:
        tables["outlines"] = run.outline_columns(by)
        tables["outline_scores"] = run.outline_score_columns()
    if run.has_tracks:
        tables["tracks"] = run.temporal_columns(by)
        tables["track_list"] = run.track_columns()
        tables["track_events"] = run.track_event_columns()
        if run.tracks_are_scored:
            tables["tracking_scores"] = run.tracking_columns()
    written = [path for path in paths if path.stem in tables]
    for path in written:
        _refuse_other(path, tables[path.stem])
    for path in written:
        with whole_file(path) as file:
            if parquet:
                _parquet(tables[path.stem], file)
            else:
                _csv(tables[path.stem], file)
    return written


def write_columns(folder: Path, tables: dict[str, dict[str, Any]]) -> list[Path]:
    """Write tables as CSV files of their names.

    Parameters
    ----------
    folder : Path
        Made where it is not there; the folder around it must be.
    tables : dict of str to dict
        Name -> column -> values.

    Returns
    -------
    list of Path
        The files, each of which appears whole or not at all.
    """
    refuse_missing_folder(folder)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    paths = [folder / f"{name}.csv" for name in tables]
    for path, columns in zip(paths, tables.values(), strict=True):
        _refuse_other(path, columns)
    for path, columns in zip(paths, tables.values(), strict=True):
        with whole_file(path) as file:
            _csv(columns, file)
    return paths


def _refuse_other(path: Path, columns: dict[str, Any]) -> None:
    """Raise where a file is there that is no earlier table: nobody gave its name, but the folder's.

    An earlier table may have been grouped otherwise or be of another version, so half of the
    columns being ours is enough.
    """
    try:
        if not path.is_file():
            return
        with path.open("rb") as file:
            head = file.readline(LONGEST_HEAD)
    except OSError as error:
        raise cannot_write(path, error) from None
    if path.suffix == ".parquet":
        ours = head.startswith(PARQUET)
    else:
        named = next(csv.reader([head.decode("utf-8", "replace")]), [])
        named = [spreadsheet_text(name) for name in named]
        ours = 2 * len(set(named) & set(columns)) >= len(named)
    if not ours:
        what = "this is a file already, and no table of annqc"
        hint = "give another folder, or move the file away"
        found = f"it begins with {head[:60].decode('utf-8', 'replace').strip()!r}"
        raise AnnqcError(what, where=str(path), found=found, hint=hint)


def write_csv(path: Path, columns: dict[str, Any]) -> None:
    """Write columns as one CSV file, which appears whole or not at all.

    Parameters
    ----------
    path : Path
        The file; its folder must be there.
    columns : dict of str to array
        Equal-length columns; NaN and None become empty cells.
    """
    with whole_file(path) as file:
        _csv(columns, file)


def csv_bytes(columns: dict[str, Any]) -> bytes:
    """Return columns as what is in a CSV file.

    Parameters
    ----------
    columns : dict of str to array
        Equal-length columns; NaN and None become empty cells.
    """
    file = io.BytesIO()
    _csv(columns, file)
    return file.getvalue()


def _csv(columns: dict[str, Any], file: IO[bytes]) -> None:
    """Write columns; NaN and None become empty cells, and no text is a formula."""
    listed = [_cells(column) for column in columns.values()]
    text = _Text(file)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([spreadsheet_safe(name) for name in columns])
    writer.writerows(zip(*listed, strict=True))


def _cells(column: Array | list[Any]) -> list[Any]:
    values = column.tolist() if isinstance(column, np.ndarray) else column
    return [_cell(value) for value in values]


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return spreadsheet_safe(value)
    return None if isinstance(value, float) and isnan(value) else value


class _Text:
    """What `csv.writer` writes to: text in, UTF-8 out."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def write(self, text: str) -> int:
        return self.file.write(text.encode("utf-8", errors="backslashreplace"))


def _parquet(columns: dict[str, Any], file: IO[bytes]) -> None:
    if find_spec("pyarrow") is None:
        what = "Parquet needs pyarrow, which is not installed"
        raise AnnqcError(what, hint="pip install 'annqc[parquet]', or write CSV")
    frame = to_frame({name: _one_type(column) for name, column in columns.items()})
    frame.to_parquet(file, index=False)


def _one_type(column: Array | list[Any]) -> Array | list[Any]:
    """Make a column one that Parquet has: of one type, and its text UTF-8."""
    if isinstance(column, np.ndarray) and column.dtype.kind not in "OU":
        return column
    values = column.tolist() if isinstance(column, np.ndarray) else column
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) < 2 and str not in kinds:
        return values
    return [None if value is None else encodable(str(value)) for value in values]
