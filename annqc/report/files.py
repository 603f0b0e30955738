"""report: outputs appear whole or not at all; tables as CSV or Parquet."""

from __future__ import annotations

import csv
import os
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from math import isnan
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import AnnqcError
from annqc.report.json import PROBLEM_FIELDS, problem_rows
from annqc.tables import to_frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from annqc.run.audit import Run
    from annqc.tables import Array

__all__ = ["cannot_write", "whole_file", "write_tables"]

TABLES: Final = ("pairs", "bias", "scores", "errors", "problems")


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside ``path`` that takes its place once everything is written.

    Parameters
    ----------
    path : Path
        The file that is to appear; its folder is made where it is not there.

    Raises
    ------
    AnnqcError
        Where the system refuses.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        with suppress(OSError):  # what refused the file refuses this too, and has been said
            part.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> AnnqcError:
    """Build the error for a path that cannot be written."""
    what = "this cannot be written"
    return AnnqcError(what, where=str(path), found=error.strerror or str(error))


def write_tables(
    run: Run, folder: Path, *, by: Sequence[str] = ("annotator",), parquet: bool = False
) -> list[Path]:
    """Write pairs, bias, scores, errors and problems, one file each.

    Parameters
    ----------
    run : Run
        The comparison.
    folder : Path
        Made where it is not there.
    by : sequence of str
        Grouping of the findings.
    parquet : bool
        Parquet instead of CSV; needs pyarrow.

    Returns
    -------
    list of Path
        The files.
    """
    # Imported late: the pairs are the one table that an audit on screen does not need.
    from annqc.run.pairs import pair_columns

    problems = problem_rows(run.issues)
    tables: dict[str, dict[str, Any]] = {
        "pairs": pair_columns(run.matches, run.measurements),
        "bias": run.bias_columns(by),
        "scores": run.score_columns(strata=by),
        "errors": run.error_columns(),
        "problems": {name: [row[name] for row in problems] for name in PROBLEM_FIELDS},
    }
    written = []
    for name in TABLES:
        path = folder / f"{name}.{'parquet' if parquet else 'csv'}"
        with whole_file(path) as file:
            if parquet:
                _parquet(tables[name], file)
            else:
                _csv(tables[name], file)
        written.append(path)
    return written


def _csv(columns: dict[str, Any], file: IO[bytes]) -> None:
    """Write columns; NaN and None become empty cells."""
    listed = [_cells(column) for column in columns.values()]
    text = _Text(file)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*listed, strict=True))


def _cells(column: Array | list[Any]) -> list[Any]:
    values = column.tolist() if isinstance(column, np.ndarray) else column
    return [None if isinstance(value, float) and isnan(value) else value for value in values]


class _Text:
    """What `csv.writer` writes to: text in, UTF-8 out."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def write(self, text: str) -> int:
        return self.file.write(text.encode("utf-8", errors="surrogatepass"))


def _parquet(columns: dict[str, Any], file: IO[bytes]) -> None:
    if find_spec("pyarrow") is None:
        what = "Parquet needs pyarrow, which is not installed"
        raise AnnqcError(what, hint="pip install 'annqc[parquet]', or write CSV")
    frame = to_frame(columns)
    for name in frame.columns:
        if frame[name].dtype.kind != "O":
            continue
        kinds = {type(value) for value in frame[name] if value is not None}
        if len(kinds) > 1:  # a Parquet column has one type
            frame[name] = [None if value is None else str(value) for value in frame[name]]
    frame.to_parquet(file, index=False)
