"""report: outputs appear whole or not at all; tables as CSV or Parquet."""

from __future__ import annotations

import csv
import os
import stat
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from math import isnan
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import AnnqcError
from annqc.report.json import PROBLEM_FIELDS, problem_rows
from annqc.report.plain import encodable
from annqc.tables import to_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from annqc.run.audit import Run
    from annqc.tables import Array, Dataset

__all__ = [
    "cannot_write",
    "refuse_missing_folder",
    "spare_inputs",
    "table_paths",
    "whole_file",
    "write_tables",
]

TABLES: Final = ("pairs", "bias", "scores", "errors", "problems")


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside ``path`` that takes its place once everything is written.

    A link stays, and what it points to is replaced. What is there and is no file, such as a pipe
    or a device, stays what it is and is written into.

    Parameters
    ----------
    path : Path
        The file that is to appear; its folder must be there.

    Raises
    ------
    AnnqcError
        Where there is no such folder, or the system refuses.
    """
    refuse_missing_folder(path)
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        mode = _mode(path)
        if mode is not None and (not stat.S_ISREG(mode) or _is_stream(path)):
            with path.open("wb") as file:
                yield file
            return
        with part.open("wb") as file:
            yield file
        if mode is not None:
            part.chmod(stat.S_IMODE(mode))
        part.replace(target)
    except BrokenPipeError:  # whoever read a pipe has left; the program knows what to do
        raise
    except OSError as error:
        raise cannot_write(path, error) from None
    finally:
        with suppress(OSError):  # what refused the file refuses this too, and has been said
            part.unlink(missing_ok=True)


def refuse_missing_folder(path: Path) -> None:
    """Raise where the folder that an output goes into is not there: a slip of the pen, mostly."""
    parent = Path(os.path.realpath(path)).parent
    if not os.path.lexists(parent):
        what = "there is no such folder to write into"
        hint = f"make it first, or mend the path: {path}"
        raise AnnqcError(what, where=str(parent), hint=hint)


def _mode(path: Path) -> int | None:
    """Return what a path is, links followed; None where there is nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _is_stream(path: Path) -> bool:
    """Whether a path stands for an open stream of this process, whatever is behind it."""
    text = os.path.abspath(path)  # noqa: PTH100 - links must stay links
    return text in {"/dev/stdout", "/dev/stderr"} or text.startswith(("/dev/fd/", "/proc/"))


def cannot_write(path: Path, error: OSError) -> AnnqcError:
    """Build the error for a path that cannot be written."""
    what = "this cannot be written"
    return AnnqcError(what, where=str(path), found=error.strerror or str(error))


def spare_inputs(
    targets: Iterable[Path], sides: Iterable[Dataset], *, also: Iterable[str | Path] = ()
) -> None:
    """Refuse to write over anything that was read, whatever the path to it is called.

    Parameters
    ----------
    targets : iterable of Path
        Files that are to be written; for a folder that is replaced, the folder.
    sides : iterable of Dataset
        What was read.
    also : iterable of path
        Other inputs, such as a spec.

    Raises
    ------
    AnnqcError
        Where a target is an input, or a folder that an input lies in.
    """
    inputs = [Path(one.path) for side in sides for one in side.sources] + [Path(p) for p in also]
    real = {os.path.realpath(one): one for one in inputs}
    same = {key: one for one in inputs if (key := _identity(one)) is not None}
    for target in targets:
        key = _identity(target)
        if key is None:
            continue
        found = same.get(key) or real.get(os.path.realpath(target))
        if found is None and target.is_dir():
            inside = os.path.realpath(target) + os.sep
            found = next((one for path, one in real.items() if path.startswith(inside)), None)
        if found is not None:
            what = "an output would overwrite an input"
            hint = "give the output another name"
            raise AnnqcError(what, where=str(target), found=f"the input {found}", hint=hint)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells one file from another, whatever it is called; None where it is no file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    is_file = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return (status.st_dev, status.st_ino) if is_file else None


def table_paths(folder: Path, *, parquet: bool = False) -> list[Path]:
    """Return the files that `write_tables` writes."""
    return [folder / f"{name}.{'parquet' if parquet else 'csv'}" for name in TABLES]


def write_tables(
    run: Run, folder: Path, *, by: Sequence[str] = ("annotator",), parquet: bool = False
) -> list[Path]:
    """Write pairs, bias, scores, errors and problems, one file each.

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
        Where a file is an input, or cannot be written.
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
    for name, path in zip(TABLES, paths, strict=True):
        with whole_file(path) as file:
            if parquet:
                _parquet(tables[name], file)
            else:
                _csv(tables[name], file)
    return paths


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
