"""run: whose work a row is, and of which batch: by a column, the file, its folder, or a list."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError, UnknownNameError
from annqc.ids import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from annqc.run.audit import Run
    from annqc.tables import Array, Dataset, Images, Ints

__all__ = ["OPEN", "UNSAID", "Label", "images_of", "label_of", "roster_has"]

UNSAID: Final = -1
"""Code of what is said to be nobody's: an empty cell, or somebody whom a list leaves out."""
OPEN: Final = -2
"""Code of an image that was asked for, and of which nothing tells whose it is."""
WORDS: Final = ("stem", "parent", "annotator")
KEYS: Final = ("annotator", "image_id", "file_name")
"""Columns by which a list may say whose work something is; it has one of them."""
FEW: Final = 5


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Label:
    """The vendor, or the batch, of everything in the work.

    Attributes
    ----------
    what : str
        ``"vendor"`` or ``"batch"``.
    told_by : str
        What says it, in words.
    values : list of str
        Every vendor, or batch.
    of_row : (n,) int64
        Position in ``values`` of each annotation; `UNSAID` where none is said.
    of_asked : (k,) int64
        The same of each annotator x image that was asked for; `OPEN` where nothing tells it. Where
        something was drawn, what was drawn decides.
    notes : tuple of str
        What does not fit between a list and the work.
    """

    what: str
    told_by: str
    values: list[str]
    of_row: Ints
    of_asked: Ints
    notes: tuple[str, ...] = ()


def label_of(run: Run, rule: str, what: str) -> Label:
    """Find out whose work everything is.

    Parameters
    ----------
    run : Run
        The comparison.
    rule : str
        ``"annotator"``; ``"stem"`` or ``"parent"``, the name of the input file or of its folder; a
        column of the annotations or of the images; or a CSV file with a column ``annotator``,
        ``image_id`` or ``file_name`` and one that is called as ``what``.
    what : {"vendor", "batch"}
        What is looked for.

    Raises
    ------
    UnknownNameError
        There is no such column.
    ReadError
        The file cannot be read, or says two things of one annotator or image.
    """
    rule = rule.strip()
    work = run.candidate
    if rule == "annotator":
        names = [_text(one) for one in work.annotator_ids.tolist()]
        return _by_annotator(work, names, what, "the annotator")
    if rule in {"stem", "parent"}:
        paths = [one.path for one in work.sources]
        values = _names_of_files(paths, parent=rule == "parent")
        told = "the name of the file" if rule == "stem" else "the folder of the file"
        return _by_row(work, [values[code] for code in work.table.source.tolist()], what, told)
    if rule.lower().endswith(".csv"):
        return _by_list(run, Path(rule), what)
    told = f"the column {rule!r}"
    if rule in work.table.extra:
        cells = [_text(one) for one in work.table.extra[rule].tolist()]
        return _by_row(work, cells, what, told)
    column = _image_column(run, rule)
    if column is not None:
        return _by_image(work, [_text(one) for one in column], what, told)
    kind = f"column, file or rule for --{what}"
    raise UnknownNameError.among(kind, rule, [*WORDS, *_known(run)])


def roster_has(rule: str | None, column: str) -> bool:
    """Whether a rule is a CSV file that has a column."""
    if rule is None or not rule.strip().lower().endswith(".csv"):
        return False
    return column in _read(Path(rule.strip()))[0]


def _known(run: Run) -> list[str]:
    """Columns that can say it, those of the annotations first."""
    images = run.candidate.image_table
    names = [*run.candidate.table.extra, *images.extra, *run.reference.image_table.extra]
    return list(dict.fromkeys([*names, *(["sequence"] if images.sequence is not None else [])]))


def _text(value: object) -> str | None:
    """Return what a cell says, None where it says nothing."""
    missing = value is None or value != value  # noqa: PLR0124 - NaN is the value that differs from itself
    text = "" if missing else str(value).strip()
    return text or None


def _codes(texts: Sequence[str | None]) -> tuple[Ints, list[str]]:
    """Return a code for each text, `UNSAID` for none, and the texts that the codes stand for."""
    codes, values = encode([one for one in texts if one is not None])
    out = np.full(len(texts), UNSAID, dtype=np.int64)
    out[np.array([one is not None for one in texts], dtype=bool)] = codes
    return out, [str(one) for one in values.tolist()]


def _asked(work: Dataset) -> Ints:
    return np.empty((0, 2), dtype=np.int64) if work.assigned is None else work.assigned


def _by_annotator(
    work: Dataset, names: list[str | None], what: str, told: str, notes: tuple[str, ...] = ()
) -> Label:
    codes, values = _codes(names)
    asked = codes[_asked(work)[:, 0]]
    of_row = codes[work.table.annotator]
    return Label(what=what, told_by=told, values=values, of_row=of_row, of_asked=asked, notes=notes)


def _by_image(
    work: Dataset, names: list[str | None], what: str, told: str, notes: tuple[str, ...] = ()
) -> Label:
    codes, values = _codes(names)
    asked = codes[_asked(work)[:, 1]]
    of_row = codes[work.table.image]
    return Label(what=what, told_by=told, values=values, of_row=of_row, of_asked=asked, notes=notes)


def _by_row(work: Dataset, names: list[str | None], what: str, told: str) -> Label:
    """Of what was asked for and not drawn, the annotator decides, or else the image."""
    of_row, values = _codes(names)
    asked = _asked(work)
    of_asked = np.full(len(asked), OPEN, dtype=np.int64)
    for column, rows in ((1, work.table.image), (0, work.table.annotator)):
        size = len(work.image_table) if column else len(work.annotator_ids)
        alone = _only_value(rows, of_row, size)[asked[:, column]]
        of_asked = np.where(alone == OPEN, of_asked, alone)
    return Label(what=what, told_by=told, values=values, of_row=of_row, of_asked=of_asked)


def _only_value(group: Ints, value: Ints, size: int) -> Ints:
    """Return the one value that the rows of each group have; `OPEN` where there are several."""
    out = np.full(size, OPEN, dtype=np.int64)
    pairs = np.unique(np.stack([group, value]), axis=1)
    count = np.bincount(pairs[0], minlength=size)
    single = count[pairs[0]] == 1
    out[pairs[0][single]] = pairs[1][single]
    return out


def _names_of_files(paths: list[str], *, parent: bool) -> list[str | None]:
    """Name files, or their folders, by so much of the path as tells them apart."""
    pure = [PurePath(one) for one in paths]
    parts = [one.parent.parts if parent else (*one.parent.parts, one.stem) for one in pure]
    names = ["/".join(one[-1:]) for one in parts]
    for length in range(2, 1 + max(map(len, parts), default=1)):
        several = {
            name
            for name in names
            if len({p for p, n in zip(parts, names, strict=True) if n == name}) > 1
        }
        if not several:
            break
        longer = ["/".join(one[-length:]) for one in parts]
        names = [new if old in several else old for old, new in zip(names, longer, strict=True)]
    return [one or None for one in names]


def _image_column(run: Run, name: str) -> list[Any] | None:
    """Return a column of the images, a value for each image of the work."""
    own = run.candidate.image_table
    if name in own.extra:
        return list(own.extra[name].tolist())
    if name == "sequence" and own.sequence is not None:
        return list(own.sequence.tolist())
    theirs = run.reference.image_table
    if name not in theirs.extra:
        return None
    row = images_of(run)
    column = theirs.extra[name].tolist()
    return [column[at] if at >= 0 else None for at in row.tolist()]


def images_of(run: Run) -> Ints:
    """Return the gold image of every image of the work, -1 for none."""
    from annqc.match.images import align_images

    return align_images(run.reference.image_table, run.candidate.image_table)[0]


def _by_list(run: Run, path: Path, what: str) -> Label:
    """Look annotators, or images, up in a CSV file."""
    work = run.candidate
    header, lines = _read(path)
    keys = [name for name in KEYS if name in header]
    if len(keys) != 1 or what not in header:
        wrong = "the list does not say whose work it is" if what == "vendor" else ""
        expected = f"a column {what!r}, and one of {', '.join(KEYS)}"
        found = f"the columns {', '.join(map(repr, header))}"
        problem = wrong or "the list does not say of which batch the work is"
        raise ReadError(problem, where=str(path), expected=expected, found=found)
    key = keys[0]
    at, value_at = header.index(key), header.index(what)
    said: dict[str, str | None] = {}
    for number, cells in lines:
        name = cells[at].strip() if at < len(cells) else ""
        value = _text(cells[value_at]) if value_at < len(cells) else None
        if not name:
            continue
        if said.setdefault(name, value) != value:
            problem = f"the list says two things of {key} {name!r}"
            found = f"{said[name]!r} and {value!r}"
            hint = f"a {what} by annotator and image needs a column in the data"
            raise ReadError(problem, where=f"{path}, line {number}", found=found, hint=hint)
    made: Callable[..., Label] = _by_annotator if key == "annotator" else _by_image
    names = _keys_of(work, key, run.reference.image_table)
    told = f"the column {what!r} of the list {path.name}"
    label = made(work, [said.get(one or "") for one in names], what, told)
    notes = _misfits(said, names, key, what, path.name)
    return Label(
        what=what,
        told_by=told,
        values=label.values,
        of_row=label.of_row,
        of_asked=label.of_asked,
        notes=notes,
    )


def _keys_of(work: Dataset, key: str, gold: Images) -> list[str | None]:
    """Return what a list calls every annotator, or every image, of the work."""
    ids: Array | None = work.annotator_ids
    if key == "image_id":
        ids = work.image_table.id
    elif key == "file_name":
        ids = work.image_table.file_name
        if ids is None and gold.file_name is not None and len(gold) == len(work.image_table):
            ids = gold.file_name
    return [None] * len(work.image_table) if ids is None else [_text(one) for one in ids.tolist()]


def _misfits(
    said: dict[str, str | None], names: list[str | None], key: str, what: str, file: str
) -> tuple[str, ...]:
    """Say who is not in the list, and which vendors of the list delivered nothing."""
    notes = []
    thing = {"annotator": "annotators", "image_id": "images", "file_name": "images"}[key]
    absent = [one or "(no name)" for one in names if one not in said]
    if absent:
        notes.append(f"{len(absent):,} {thing} of the work are not in {file}: {_few(absent)}")
    there = set(names)
    present = {value for name, value in said.items() if name in there}
    without = sorted({value for value in said.values() if value} - present)
    if without:
        notes.append(f"{file} names a {what} of whom there is no work: {_few(without)}")
    return tuple(notes)


def _few(names: Sequence[str]) -> str:
    rest = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {rest:,} more" if rest > 0 else "")


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a CSV file: the header, and the other lines with their numbers."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        problem = "the list of vendors or batches cannot be read"
        if isinstance(error, UnicodeDecodeError):
            raise ReadError(problem, where=str(path), hint="save it as UTF-8") from None
        found = getattr(error, "strerror", None) or str(error)
        raise ReadError(problem, where=str(path), found=found) from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        lines = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        problem = "the list of vendors or batches is no CSV"
        raise ReadError(problem, where=str(path), found=str(error)) from None
    if not lines:
        problem = "the list of vendors or batches is empty"
        raise ReadError(problem, where=str(path))
    return [cell.strip() for cell in lines[0][1]], lines[1:]
