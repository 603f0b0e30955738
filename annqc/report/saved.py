"""report: an audit as a folder that opens again; `annqc.report.opened` opens it.

``run.json`` holds the parameters, the inputs with their digests, the problems, and what each array
is; ``reference.npz`` and ``candidate.npz`` the two datasets as arrays, without pickles. What was
found is worked out again, the same, when it is asked for.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import annqc
from annqc.errors import AnnqcError
from annqc.report.arrays import check_dataset
from annqc.report.files import refuse_missing_folder, spare_inputs
from annqc.report.wholefolder import swap_in
from annqc.tables import Shapes

if TYPE_CHECKING:
    from pathlib import Path

    from annqc.run.audit import Run
    from annqc.tables import Array, Dataset

__all__ = ["FACTS", "FILES", "FORMAT", "SIDES", "TABLES", "VERSION", "refuse_foreign", "save_run"]

FORMAT: Final = "annqc-run"
VERSION: Final = 3
SIDES: Final = ("reference", "candidate")
FILES: Final = ("run.json", "reference.npz", "candidate.npz")
TABLES: Final = {
    "table": "annotations",
    "image_table": "images",
    "sequence_table": "sequences",
}
"""Fields of a `Dataset` that are tables, and what they are called in ``run.json``."""
FACTS: Final = ("issues", "sources", "n_rows", "authors_known")
"""Fields of a `Dataset` that stand in ``run.json`` itself; all others are arrays."""


def save_run(run: Run, folder: Path, *, by: tuple[str, ...] = ("annotator",)) -> Path:
    """Save a run.

    Parameters
    ----------
    run : Run
        The comparison.
    folder : Path
        Appears whole or not at all. An earlier saved run is replaced; nothing else is.
    by : tuple of str
        Grouping of the findings.

    Raises
    ------
    AnnqcError
        Where the folder is something else, or an input lies in it, or the system refuses, or a
        column cannot be saved.
    """
    refuse_missing_folder(folder)
    refuse_foreign(folder)
    spare_inputs([folder], (run.reference, run.candidate))
    contents: dict[str, bytes] = {}
    sides: dict[str, dict[str, Any]] = {}
    for side in SIDES:
        contents[f"{side}.npz"], sides[side] = _packed(getattr(run, side), side)
    described = {
        "format": FORMAT,
        "version": VERSION,
        "annqc_version": annqc.__version__,
        "by": list(by),
        "parameters": asdict(run.parameters),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        **sides,
    }
    contents["run.json"] = json.dumps(described, indent=1, default=_plain).encode()
    swap_in(contents, folder)
    return folder


def refuse_foreign(folder: Path) -> None:
    """Raise where the folder is anything but a saved run, or an empty one."""
    if not (folder.exists() or folder.is_symlink()):
        return
    what = "this is no saved run, and would be overwritten"
    hint = "give the name of a folder that does not exist yet"
    if not folder.is_dir() or folder.is_symlink():
        raise AnnqcError(what, where=str(folder), found="a file or a link", hint=hint)
    inside = sorted(one.name for one in folder.iterdir())
    foreign = [name for name in inside if name not in FILES]
    if foreign or (inside and "run.json" not in inside):
        found = ", ".join((foreign or inside)[:3])
        raise AnnqcError(what, where=str(folder), found=found, hint=hint)


def _packed(dataset: Dataset, side: str) -> tuple[bytes, dict[str, Any]]:
    """Pack the arrays of a dataset into one npz; and describe it, and what each array is."""
    try:
        check_dataset(dataset)
    except ValueError as error:
        raise _cannot_save(side, error) from None
    columns: list[tuple[str, str, Any]] = []
    for one in fields(dataset):
        value = getattr(dataset, one.name)
        if one.name in TABLES and value is not None:
            columns += _columns_of(value, TABLES[one.name])
        elif one.name not in FACTS and value is not None:
            columns.append(("", one.name, value))
    arrays: dict[str, Array] = {}
    described = []
    for k, (table, name, column) in enumerate(columns):
        listed = bool(column.dtype.hasobject)
        described.append({"table": table, "name": name, "json": listed})
        if listed:
            try:
                text = json.dumps(column.tolist(), default=_plain)
            except (TypeError, ValueError, RecursionError) as error:
                where = f"{side}, {table} {name}"
                raise _cannot_save(where, error) from None
            column = np.frombuffer(text.encode(), dtype=np.uint8)  # noqa: PLW2901
        arrays[str(k)] = column
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue(), {**_facts(dataset), "columns": described}


def _columns_of(table: Any, prefix: str) -> list[tuple[str, str, Any]]:
    """List the columns of a table that are there; ``prefix.extra`` and ``.shapes`` hold several."""
    columns: list[tuple[str, str, Any]] = []
    for one in fields(table):
        value = getattr(table, one.name)
        if isinstance(value, Shapes):
            columns += _columns_of(value, f"{prefix}.{one.name}")
        elif isinstance(value, dict):
            columns += [(f"{prefix}.{one.name}", name, column) for name, column in value.items()]
        elif value is not None:
            columns.append((prefix, one.name, value))
    return columns


def _cannot_save(where: str, error: Exception) -> AnnqcError:
    what = "this cannot be saved"
    return AnnqcError(what, where=where, found=str(error))


def _facts(dataset: Dataset) -> dict[str, Any]:
    """Describe what is no array; `FACTS` lists it."""
    sources = [
        {
            "path": one.path,
            "format": one.format,
            "n_rows": one.n_rows,
            "size": one.size,
            "mtime_ns": one.mtime_ns,
            "sha256": one.sha256,
        }
        for one in dataset.sources
    ]
    issues = [asdict(one) for one in dataset.issues]
    plain = {"n_rows": dataset.n_rows, "authors_known": dataset.authors_known}
    return {**plain, "sources": sources, "issues": issues}


def _plain(value: Any) -> Any:
    """Turn numpy values in object columns into plain ones; anything else cannot be saved."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    message = f"a value of type {type(value).__name__}"
    raise TypeError(message)
