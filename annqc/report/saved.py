"""report: an audit as a folder that opens again.

``run.json`` holds the parameters, the inputs with their digests and the problems; ``reference.npz``
and ``candidate.npz`` the two datasets as arrays, without pickles. What was found is worked out
again, the same, when it is asked for.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import annqc
from annqc.errors import AnnqcError
from annqc.match import MatchPolicy
from annqc.measure.tolerance import Tolerance
from annqc.report.files import cannot_write
from annqc.run.audit import Parameters
from annqc.tables import Annotations, Dataset, Images, Problem, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from annqc.run.audit import Run
    from annqc.tables import Array

__all__ = ["open_run", "save_run"]

FORMAT: Final = "annqc-run"
VERSION: Final = 1
SIDES: Final = ("reference", "candidate")
FILES: Final = ("run.json", "reference.npz", "candidate.npz")
JSON: Final = "#json"
"""Ending of the name of an array that holds UTF-8 JSON: a column of Python objects."""


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
        Where the folder is something else, or the system refuses, or a column cannot be saved.
    """
    _refuse_foreign(folder)
    contents = {f"{side}.npz": _packed(getattr(run, side), side) for side in SIDES}
    described = {
        "format": FORMAT,
        "version": VERSION,
        "annqc_version": annqc.__version__,
        "by": list(by),
        "parameters": asdict(run.parameters),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        **{side: _described(getattr(run, side)) for side in SIDES},
    }
    contents["run.json"] = json.dumps(described, indent=1, default=_plain).encode()
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        part.mkdir(parents=True)
        for name, data in contents.items():
            (part / name).write_bytes(data)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    except OSError as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise cannot_write(folder, error) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return folder


def _refuse_foreign(folder: Path) -> None:
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


def _packed(dataset: Dataset, side: str) -> bytes:
    """Pack the arrays of a dataset into one npz; object columns as JSON."""
    arrays: dict[str, Array] = {}

    def add(name: str, column: Any) -> None:
        if isinstance(column, dict):
            for key, value in column.items():
                add(f"{name}.extra.{key}", value)
        elif column is not None and column.dtype.hasobject:
            try:
                text = json.dumps(column.tolist(), default=_plain)
            except (TypeError, ValueError) as error:
                what = "a column cannot be saved"
                raise AnnqcError(what, where=f"{side}, {name}", found=str(error)) from None
            arrays[name + JSON] = np.frombuffer(text.encode(), dtype=np.uint8)
        elif column is not None:
            arrays[name] = column

    for table, prefix in ((dataset.table, "annotations"), (dataset.image_table, "images")):
        for one in fields(table):
            value = getattr(table, one.name)
            add(prefix if isinstance(value, dict) else f"{prefix}.{one.name}", value)
    for name in ("annotator_ids", "category_ids", "category_names", "assigned"):
        add(name, getattr(dataset, name))
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _described(dataset: Dataset) -> dict[str, Any]:
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
    return {"n_rows": dataset.n_rows, "sources": sources, "issues": issues}


def _plain(value: Any) -> Any:
    """Turn numpy values in object columns into plain ones; anything else cannot be saved."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    message = f"a value of type {type(value).__name__}"
    raise TypeError(message)


def open_run(
    folder: Path, make: Callable[[Dataset, Dataset, Parameters, tuple[str, ...]], Any]
) -> Any:
    """Open a saved run.

    Parameters
    ----------
    folder : Path
        From `save_run`.
    make : callable
        Reference, candidate, parameters and grouping -> the run.

    Raises
    ------
    AnnqcError
        Where the folder is no saved run, is damaged, or is of a later version.
    """
    described = _read_description(folder)
    try:
        sides = [_dataset(folder, side, described) for side in SIDES]
        rules = described["parameters"]
        parameters = Parameters(
            policy=MatchPolicy(**rules["policy"]),
            tolerance=Tolerance(**rules["tolerance"]),
            confidence=rules["confidence"],
            border_px=rules["border_px"],
        )
        return make(sides[0], sides[1], parameters, tuple(described["by"]))
    except OSError as error:
        raise _damaged(folder, error.strerror or str(error)) from None
    except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(folder, f"{type(error).__name__}: {error}") from None


def _read_description(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    what = "this is no saved run"
    hint = "Audit.save and annqc audit --save make them"
    if not path.is_file():
        found = "no run.json in it" if folder.is_dir() else "no such folder"
        raise AnnqcError(what, where=str(folder), found=found, hint=hint)
    try:
        described = json.loads(path.read_bytes())
    except OSError as error:
        raise _damaged(folder, error.strerror or str(error)) from None
    except (ValueError, RecursionError) as error:
        raise _damaged(folder, f"run.json: {error}") from None
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise AnnqcError(what, where=str(path), found="another kind of JSON", hint=hint)
    if described.get("version") != VERSION:
        what = "this run was saved by another version of annqc"
        found = f"version {described.get('version')!r}"
        hint = "open it with that version, or audit again"
        raise AnnqcError(
            what, where=str(path), expected=f"version {VERSION}", found=found, hint=hint
        )
    return described


def _dataset(folder: Path, side: str, described: dict[str, Any]) -> Dataset:
    name = f"{side}.npz"
    data = (folder / name).read_bytes()
    if hashlib.sha256(data).hexdigest() != described["sha256"][name]:
        message = f"{name} is not the file that was saved"
        raise ValueError(message)
    with np.load(io.BytesIO(data), allow_pickle=False) as packed:
        arrays = {key.removesuffix(JSON): _unpacked(key, packed[key]) for key in packed.files}
    parts: dict[str, dict[str, Any]] = {"annotations": {}, "images": {}, "": {}}
    extra: dict[str, dict[str, Array]] = {"annotations": {}, "images": {}}
    for key, column in arrays.items():
        prefix, dot, rest = key.partition(".")
        if rest.startswith("extra."):
            extra[prefix][rest.removeprefix("extra.")] = column
        else:
            parts[prefix if dot else ""][rest or key] = column
    about = described[side]
    return Dataset(
        table=Annotations(**parts["annotations"], extra=extra["annotations"]),
        image_table=Images(**parts["images"], extra=extra["images"]),
        issues=tuple(Problem(**one) for one in about["issues"]),
        sources=tuple(_source(one) for one in about["sources"]),
        n_rows=about["n_rows"],
        **parts[""],
    )


def _unpacked(key: str, column: Array) -> Array:
    if not key.endswith(JSON):
        return column
    values = json.loads(column.tobytes())
    out = np.empty(len(values), dtype=object)
    for k, value in enumerate(values):  # an assignment at once would spread values that are lists
        out[k] = value
    return out


def _source(described: dict[str, Any]) -> Source:
    """Make the record of an input, with the digest that it had when it was saved."""
    digest = described.pop("sha256")
    source = Source(**described)
    source.__dict__["sha256"] = digest
    return source


def _damaged(folder: Path, found: str) -> AnnqcError:
    what = "this saved run is damaged"
    return AnnqcError(what, where=str(folder), found=found, hint="audit again and save it anew")
