"""run: whose work a row is, and of which batch: by a column, the file, its folder, or a list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import UnknownNameError
from annqc.ids import encode
from annqc.judge.wording import number_of
from annqc.run.scorecard.lists import header_of, read_list

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from annqc.run.audit import Run
    from annqc.tables import Dataset, Ints

__all__ = ["OPEN", "UNSAID", "Label", "images_of", "label_of", "roster_has"]

UNSAID: Final = -1
"""Code of what is said to be nobody's: an empty cell, or somebody whom a list leaves out."""
OPEN: Final = -2
"""Code of an image that was asked for, and of which nothing tells whose it is."""
WORDS: Final = ("stem", "parent", "annotator")
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
    of_problem : (m,) int64
        The same of each problem of a row, `OPEN` where the problem does not say it.
    notes : tuple of str
        What does not fit between a list and the work.
    """

    what: str
    told_by: str
    values: list[str]
    of_row: Ints
    of_asked: Ints
    of_problem: Ints
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
        return _by_annotator(work, _text, what, "the annotator")
    if rule in {"stem", "parent"}:
        paths = [one.path for one in work.sources]
        values = _names_of_files(paths, parent=rule == "parent")
        told = "the name of the file" if rule == "stem" else "the folder of the file"
        of_file = dict(zip((one.path for one in work.sources), values, strict=True))
        issues = [of_file.get(one.source, OPEN) for one in work.issues]
        cells = [values[code] for code in work.table.source.tolist()]
        return _by_row(work, cells, what, told, issues)
    if rule.lower().endswith(".csv"):
        return _by_list(run, Path(rule), what)
    told = f"the column {rule!r}"
    if rule in work.table.extra:
        cells = [_text(one) for one in work.table.extra[rule].tolist()]
        return _by_row(work, cells, what, told)
    column = _image_column(run, rule)
    if column is not None:
        return _by_image(work, [_text(one) for one in column], what, told, _of_image(run, column))
    kind = f"column, file or rule for --{what}"
    raise UnknownNameError.among(kind, rule, [*WORDS, *_known(run)])


def roster_has(rule: str | None, column: str) -> bool:
    """Whether a rule is a CSV file that has a column."""
    if rule is None or not rule.strip().lower().endswith(".csv"):
        return False
    return column in header_of(Path(rule.strip()))


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


def _codes(*sides: Sequence[Any]) -> tuple[list[Ints], list[str]]:
    """Return codes of the texts of several lists, and the texts that the codes stand for.

    `UNSAID` stands for None, and what is `OPEN` stays it.
    """
    flat = [one for texts in sides for one in texts]
    said = np.array([isinstance(one, str) for one in flat], dtype=bool)
    codes, values = encode([one for one in flat if isinstance(one, str)])
    out = np.array([OPEN if one == OPEN else UNSAID for one in flat], dtype=np.int64)
    out[said] = codes
    ends = np.cumsum([len(texts) for texts in sides])
    return np.split(out, ends[:-1]), [str(one) for one in values.tolist()]


def _asked(work: Dataset) -> Ints:
    return np.empty((0, 2), dtype=np.int64) if work.assigned is None else work.assigned


def _by_annotator(
    work: Dataset,
    value_of: Callable[[object], str | None],
    what: str,
    told: str,
    notes: tuple[str, ...] = (),
) -> Label:
    """Take the label of the annotator, where a problem names one too."""
    names = [value_of(one) for one in work.annotator_ids.tolist()]
    issues = [
        OPEN if _text(one.annotator) is None else value_of(one.annotator) for one in work.issues
    ]
    (codes, problems), values = _codes(names, issues)
    return Label(
        what=what,
        told_by=told,
        values=values,
        of_row=codes[work.table.annotator],
        of_asked=codes[_asked(work)[:, 0]],
        of_problem=problems,
        notes=notes,
    )


def _by_image(
    work: Dataset,
    names: list[str | None],
    what: str,
    told: str,
    of_image: dict[str, str | None],
    notes: tuple[str, ...] = (),
) -> Label:
    """Take the label of the image, where a problem names one too."""
    issues = [of_image.get(str(one.image_id), OPEN) for one in work.issues]
    (codes, problems), values = _codes(names, issues)
    return Label(
        what=what,
        told_by=told,
        values=values,
        of_row=codes[work.table.image],
        of_asked=codes[_asked(work)[:, 1]],
        of_problem=problems,
        notes=notes,
    )


def _by_row(
    work: Dataset,
    names: list[str | None],
    what: str,
    told: str,
    issues: Sequence[str | int | None] | None = None,
) -> Label:
    """Of what was asked for and not drawn, the annotator decides, or else the image."""
    if issues is None:
        issues = [OPEN] * len(work.issues)
    (of_row, problems), values = _codes(names, issues)
    asked = _asked(work)
    of_asked = np.full(len(asked), OPEN, dtype=np.int64)
    for column, rows in ((1, work.table.image), (0, work.table.annotator)):
        size = len(work.image_table) if column else len(work.annotator_ids)
        alone = _only_value(rows, of_row, size)[asked[:, column]]
        of_asked = np.where(alone == OPEN, of_asked, alone)
    return Label(
        what=what,
        told_by=told,
        values=values,
        of_row=of_row,
        of_asked=of_asked,
        of_problem=problems,
    )


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


def _of_image(run: Run, column: Sequence[object]) -> dict[str, str | None]:
    """Return the label by the id of the image, of the images of the work."""
    ids = run.candidate.image_table.id.tolist()
    return {str(id): _text(cell) for id, cell in zip(ids, column, strict=True)}


def images_of(run: Run) -> Ints:
    """Return the gold image of every image of the work, -1 for none."""
    from annqc.match.images import align_images

    return align_images(run.reference.image_table, run.candidate.image_table)[0]


def _by_list(run: Run, path: Path, what: str) -> Label:
    """Look annotators, or images, up in a CSV file."""
    work = run.candidate
    said, key, unnamed = read_list(path, what)
    told = f"the column {what!r} of the list {path.name}"
    if key == "annotator":
        names = [_text(one) for one in work.annotator_ids.tolist()]
        notes = _misfits(said, names, key, what, path.name, unnamed)
        return _by_annotator(work, lambda one: said.get(_text(one) or ""), what, told, notes)
    names = _images_in_list(run, key)
    notes = _misfits(said, names, key, what, path.name, unnamed)
    values = [said.get(one or "") for one in names]
    of_image = _of_image(run, values)
    for id, name in _gold_in_list(run, key).items():
        of_image.setdefault(id, said.get(name or ""))
    return _by_image(work, values, what, told, of_image, notes)


def _images_in_list(run: Run, key: str) -> list[str | None]:
    """Return what a list calls every image of the work.

    File names that the work does not have are those of the gold images that it is paired with.
    """
    own = run.candidate.image_table
    if key == "image_id":
        return [_text(one) for one in own.id.tolist()]
    none = [None] * len(own)
    names = none if own.file_name is None else [_text(one) for one in own.file_name.tolist()]
    theirs = run.reference.image_table.file_name
    if theirs is None or None not in names:
        return list(names)
    paired = [_text(theirs[at]) if at >= 0 else None for at in images_of(run).tolist()]
    return [mine or other for mine, other in zip(names, paired, strict=True)]


def _gold_in_list(run: Run, key: str) -> dict[str, str | None]:
    """Return what a list calls the gold's images, by id: the work may have no usable row there."""
    gold = run.reference.image_table
    ids = [str(one) for one in gold.id.tolist()]
    names = gold.id if key == "image_id" else gold.file_name
    if names is None:
        return {}
    return {id: _text(name) for id, name in zip(ids, names.tolist(), strict=True)}


def _misfits(
    said: dict[str, str | None],
    names: list[str | None],
    key: str,
    what: str,
    file: str,
    unnamed: list[int],
) -> tuple[str, ...]:
    """Say what of the work is not in the list, and what of the list is not in the work."""
    notes = []
    thing = {"annotator": "annotator", "image_id": "image", "file_name": "image"}[key]
    absent = [one or "(no name)" for one in names if one not in said]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        count = number_of(len(absent), thing)
        notes.append(f"{count} of the work {verb} not in {file}: {_few(absent)}")
    there = set(names)
    present = {value for name, value in said.items() if name in there}
    without = sorted({value for value in said.values() if value} - present)
    if without:
        notes.append(f"{file} names a {what} of whom there is no work: {_few(without)}")
    idle = [name for name, value in said.items() if name not in there and value not in without]
    if idle:
        notes.append(f"{file} names {number_of(len(idle), thing)} without work: {_few(idle)}")
    if unnamed:
        lines = ", ".join(str(one) for one in unnamed[:FEW])
        lines += f" and {len(unnamed) - FEW:,} more" if len(unnamed) > FEW else ""
        notes.append(f"{file} has a {what} without {_a(thing)} in line {lines}")
    return tuple(notes)


def _a(thing: str) -> str:
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def _few(names: Sequence[str]) -> str:
    rest = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {rest:,} more" if rest > 0 else "")
