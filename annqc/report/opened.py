"""report: a saved run opened, every part of it checked before it is believed.

The folder may be damaged, or come from somebody else: nothing in it is run or unpickled, no array
is larger than the bytes that are there, and no row number points outside its table.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import stat
import zipfile
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import numpy as np
from numpy.lib import format as npy

from annqc.errors import AnnqcError
from annqc.report.arrays import check_dataset
from annqc.report.saved import FACTS, FORMAT, SIDES, TABLES, VERSION
from annqc.run.audit import Parameters
from annqc.tables import Annotations, Dataset, Images, Problem, Sequences, Shapes, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from annqc.tables import Array

__all__ = ["open_run"]

T = TypeVar("T")

LARGEST: Final = 1 << 36
"""Bytes of one file; no audit that fits into memory comes near."""
SHA256_DIGITS: Final = 64


def open_run(
    folder: Path, make: Callable[[Dataset, Dataset, Parameters, tuple[str, ...]], Any]
) -> Any:
    """Open a saved run.

    Parameters
    ----------
    folder : Path
        From `annqc.report.saved.save_run`.
    make : callable
        Reference, candidate, parameters and grouping -> the run.

    Raises
    ------
    AnnqcError
        Where the folder is no saved run, is damaged, or is of another version.
    """
    described = _description(folder)
    try:
        sides = [_dataset(folder, side, described) for side in SIDES]
        parameters = _parameters(described["parameters"])
        return make(sides[0], sides[1], parameters, _grouping(described["by"], sides))
    except OSError as error:
        raise _damaged(folder, error.strerror or str(error)) from None
    except (
        KeyError,
        TypeError,
        ValueError,
        EOFError,
        MemoryError,
        NotImplementedError,  # what zipfile says of a compression that it does not know
        RecursionError,
        RuntimeError,  # what zipfile says of an encrypted file
        msgspec.MsgspecError,
        zipfile.BadZipFile,
    ) as error:
        raise _damaged(folder, f"{type(error).__name__}: {error}") from None


def _description(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    what = "this is no saved run"
    hint = "Audit.save and annqc audit --save make them"
    if not path.is_file():
        found = "no run.json in it" if folder.is_dir() else "no such folder"
        raise AnnqcError(what, where=str(folder), found=found, hint=hint)
    try:
        described = json.loads(_bytes(path))
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


def _bytes(path: Path) -> bytes:
    """Read a file that is one, and no pipe or device without an end."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
        message = f"{path.name} is no file, or too large"
        raise ValueError(message)
    return path.read_bytes()


def _parameters(described: Any) -> Parameters:
    """Read the parameters; all of them must be there."""
    parameters = _made(Parameters, described)
    _complete(type(parameters.policy), described["policy"])
    _complete(type(parameters.tolerance), described["tolerance"])
    parts = (parameters.tolerance.px, parameters.tolerance.rel)
    if not (all(0 <= part < math.inf for part in parts) and any(parts)):
        message = "the tolerance is no size"
        raise ValueError(message)
    if not math.isfinite(parameters.border_px):
        message = "the border width is no size"
        raise ValueError(message)
    return parameters


def _grouping(described: Any, sides: list[Dataset]) -> tuple[str, ...]:
    """Read the grouping: names of columns that are there."""
    by = msgspec.convert(described, list[str])
    known = {"annotator", "category", "candidate_category", "size", "image_id", "sequence"}
    known |= {name for side in sides for name in side.table.extra}
    known |= set(sides[0].image_table.extra)
    if len(set(by)) != len(by) or not known.issuperset(by):
        message = "the grouping names a column that is not there"
        raise ValueError(message)
    return tuple(by)


def _dataset(folder: Path, side: str, described: dict[str, Any]) -> Dataset:
    name, about = f"{side}.npz", described[side]
    data = _bytes(folder / name)
    if hashlib.sha256(data).hexdigest() != described["sha256"][name]:
        message = f"{name} is not the file that was saved"
        raise ValueError(message)
    parts: dict[str, dict[str, Any]] = {"": {}}
    for prefix in TABLES.values():
        parts[prefix], parts[f"{prefix}.extra"], parts[f"{prefix}.shapes"] = {}, {}, {}
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        for k, column in enumerate(about["columns"]):
            array = _array(packed, f"{k}.npy", len(data))
            place = parts[column["table"]]
            if column["name"] in place or not isinstance(column["name"], str):
                message = f"a column with the name {column['name']!r}"
                raise ValueError(message)
            place[column["name"]] = _objects(array) if column["json"] else array
    facts = {name: _fact(name, about[name]) for name in FACTS}
    shapes = parts["annotations.shapes"]
    dataset = Dataset(
        table=Annotations(
            **parts["annotations"],
            shapes=Shapes(**shapes) if shapes else None,
            extra=parts["annotations.extra"],
        ),
        image_table=Images(**parts["images"], extra=parts["images.extra"]),
        sequence_table=Sequences(**parts["sequences"]) if parts["sequences"] else None,
        **parts[""],
        **facts,
    )
    check_dataset(dataset)
    return dataset


def _array(packed: zipfile.ZipFile, name: str, n_bytes: int) -> Array:
    """Read one array: stored as it is, of plain values, and as large as it says it is."""
    info = packed.getinfo(name)
    stored = info.compress_type == zipfile.ZIP_STORED and info.file_size <= n_bytes
    with packed.open(info) as file:
        if not stored or npy.read_magic(file) != (1, 0):
            message = f"{name} is packed in another way"
            raise ValueError(message)
        shape, _, dtype = npy.read_array_header_1_0(file)
        size = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or dtype.names or file.tell() + size != info.file_size:
            message = f"{name} is not the array that it says it is"
            raise ValueError(message)
    with packed.open(info) as file:
        array: Array = npy.read_array(file, allow_pickle=False)
    return array


def _objects(column: Array) -> Array:
    """Read a column of Python objects from its JSON."""
    values = json.loads(column.tobytes())
    if not isinstance(values, list):
        message = "a column that is no list"
        raise TypeError(message)
    out = np.empty(len(values), dtype=object)
    for k, value in enumerate(values):  # an assignment at once would spread values that are lists
        out[k] = value
    return out


def _fact(name: str, described: Any) -> Any:
    """Read what is no array."""
    if name == "issues":
        return tuple(_made(Problem, one) for one in described)
    if name == "sources":
        return tuple(_source(one) for one in described)
    fact = msgspec.convert(described, bool if name == "authors_known" else int)
    if fact < 0:
        message = f"{name} is {fact}"
        raise ValueError(message)
    return fact


def _source(described: Any) -> Source:
    """Make the record of an input, with the digest that it had when it was saved."""
    digest = described["sha256"]
    if digest is not None and not (isinstance(digest, str) and len(digest) == SHA256_DIGITS):
        message = f"{digest!r} is no SHA-256 digest"
        raise ValueError(message)
    source = _made(Source, {k: value for k, value in described.items() if k != "sha256"})
    source.__dict__["sha256"] = digest
    return source


def _made(kind: type[T], described: Any) -> T:
    """Make a record of values of the right types, none missing and none unknown."""
    _complete(kind, described)
    return msgspec.convert(described, kind)


def _complete(kind: Any, described: Any) -> None:
    names = {one.name for one in fields(kind)}
    if not isinstance(described, dict) or set(described) != names:
        message = f"a {kind.__name__} has {', '.join(sorted(names))}"
        raise ValueError(message)


def _damaged(folder: Path, found: str) -> AnnqcError:
    what = "this saved run is damaged"
    return AnnqcError(what, where=str(folder), found=found, hint="audit again and save it anew")
