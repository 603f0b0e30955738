"""A COCO file whose rows are not all sound: gone through row by row, each bad one listed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError
from annqc.read.cocotypes import SECTIONS, struct
from annqc.read.jsontext import NOT_NUMBERS, decode
from annqc.read.options import ANNOTATOR_FIELDS
from annqc.read.part import problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from annqc.read.cocotypes import Sample
    from annqc.read.jsontext import Buffer
    from annqc.tables import Problem

    Ints = npt.NDArray[np.int64]

__all__ = ["one_by_one"]

_FIRST: Final = 20


def one_by_one(
    data: Buffer, sample: Sample, path: Path, *, bare: bool
) -> tuple[Any, dict[str, Ints], list[Problem], int]:
    """Decode row by row: each row that is not of the right types is listed, the others are kept.

    Returns
    -------
    decoded : object or list
        As the fast way gives it.
    rows : dict of str to (n,) int64
        For each section, where the kept rows stood.
    problems : list of Problem
        The others.
    n_rows : int
        Annotations in the file.
    """
    import msgspec

    raw_list = list[msgspec.Raw]
    fields = [(name, raw_list | None, None) for name in SECTIONS]
    try:
        raw = decode(data, raw_list if bare else struct("File", fields), path)
    except msgspec.ValidationError as error:
        message, json_path = _split(str(error))
        what = "the file is JSON, but not COCO"
        where = f"{path}, {json_path.lstrip('.') or 'top level'}"
        expected = "an object with lists of images, annotations and categories"
        raise ReadError(what, where=where, expected=expected, found=message) from None
    types = sample.types(strict=False)
    problems: list[Problem] = []
    source = str(path)
    if not sample.shapes:
        _insist_on_boxes(raw if bare else raw.annotations or (), path)
    if bare:
        kept, rows = _decode_each(raw, types.annotation, "", source, problems)
        return kept, {"annotations": rows}, problems, len(raw)
    members: dict[str, Any] = {}
    all_rows: dict[str, Ints] = {}
    for name, one in zip(SECTIONS, types[: len(SECTIONS)], strict=True):
        section = getattr(raw, name)
        if section is None:
            continue
        members[name], all_rows[name] = _decode_each(section, one, name, source, problems)
    return types.file(**members), all_rows, problems, len(raw.annotations or ())


def _insist_on_boxes(raw: Sequence[Any], path: Path) -> None:
    """Refuse a file whose annotations are no boxes: captions, labels, panoptic segments."""
    first = [row for row in map(_untyped, raw[:_FIRST]) if isinstance(row, dict)]
    if not first or any("bbox" in row for row in first) or len(first) < min(len(raw), _FIRST):
        return
    if any("bbox" in row for row in map(_untyped, raw) if isinstance(row, dict)):
        return
    what = "the annotations of this file have no boxes"
    raise ReadError(
        what,
        where=str(path),
        expected="bbox: [x, y, width, height] on each annotation",
        found="annotations with the fields " + ", ".join(first[0]),
        hint="captions, labels, panoptic segments and bare keypoints are not boxes",
    )


def _untyped(text: Any) -> Any:
    """Return a row as it stands, None where it is no JSON."""
    try:
        return json.loads(bytes(text))  # unlike the typed decoder, it takes 1e999 for an infinity
    except (ValueError, RecursionError):
        return None


def _decode_each(
    raw: list[Any], type: Any, section: str, source: str, problems: list[Problem]
) -> tuple[list[Any], Ints]:
    """Decode row by row; what does not fit becomes a problem."""
    import msgspec

    decoder = msgspec.json.Decoder(type)
    kept, rows = [], []
    for row, text in enumerate(raw):
        try:
            kept.append(decoder.decode(text))
            rows.append(row)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problems.append(_explain(text, str(error), f"{section}[{row}]", source))
    return kept, np.array(rows, dtype=np.int64)


def _explain(text: Any, error: str, where: str, source: str) -> Problem:
    """Say what is wrong with one row."""
    row = _untyped(text)
    message, json_path = _split(error)
    found = _follow(row, json_path)
    kind = "malformed"
    if found in NOT_NUMBERS or "out of range" in message:
        kind = "non_finite"
        message = f"expected a number, found {found}"
    elif missing := re.search(r"missing required field `(\w+)`", message):
        message = f"there is no {missing[1]}"
    else:
        message = f"{message[0].lower()}{message[1:]}".replace("`", "")
        if found is not None:
            message += f": {repr(found)[:60]}"
        if isinstance(found, str) and re.fullmatch(r"\s*[-+]?\d+([.,]\d+)?\s*", found):
            message += "; a number must not stand in quotes"
    if where.startswith("assignments"):
        kind = "bad_assignment"
    ids = row if isinstance(row, dict) else {}
    return problem(
        kind,
        source,
        where + json_path,
        message,
        annotation_id=_scalar(ids.get("id")),
        image_id=_scalar(ids.get("image_id")),
        annotator=next((_scalar(ids[n]) for n in ANNOTATOR_FIELDS if n in ids), None),
    )


def _split(error: str) -> tuple[str, str]:
    """Split a message of the decoder into what and where: ``.bbox[2]``."""
    message, _, json_path = error.partition(" - at `$")
    return message, json_path.rstrip("`")


def _follow(value: Any, json_path: str) -> Any:
    """Return what stands at a path such as ``.bbox[2]``."""
    for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", json_path):
        try:
            value = value[key] if key else value[int(index)]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _scalar(value: Any) -> Any:
    """Return an id that can be shown, None for anything else."""
    return value if isinstance(value, (int, str)) else None
