"""What formats with one file an image share: rows gathered file by file, ids from names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.errors import ReadError
from annqc.ids import encode, ids_array
from annqc.read.files import owner, relative_id, shown, source_of
from annqc.read.part import Part, problem, tidy
from annqc.tables import Images, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from annqc.read.names import Names
    from annqc.tables import Problem

__all__ = ["Gathered", "all_of", "image_names"]


@dataclass(slots=True)
class Gathered:
    """Rows of many files, one file an image."""

    format: str
    where: str
    named: Names | None = None
    boxes: list[Sequence[float]] = field(default_factory=list)
    categories: list[Any] = field(default_factory=list)
    source: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    score: list[float | None] = field(default_factory=list)
    ignored: list[bool] = field(default_factory=list)
    extra: dict[str, list[Any]] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    image_ids: list[str] = field(default_factory=list)
    file_names: list[str | None] = field(default_factory=list)
    sizes: list[tuple[float, float]] = field(default_factory=list)
    _told: dict[str, str | None] = field(default_factory=dict)

    def add_file(
        self, path: Path, id: str, file_name: str | None, size: tuple[float, float] | None
    ) -> None:
        """Start the next file."""
        self.sources.append(source_of(path, self.format, 0))
        self.image_ids.append(id)
        self.file_names.append(file_name if self.named is None else self.named.file_name(file_name))
        self._told = {} if self.named is None else self.named.others(path)
        self.sizes.append(size or (np.nan, np.nan))

    def end_file(self, n_rows: int) -> None:
        """Note how many rows the file had."""
        last = self.sources[-1]
        self.sources[-1] = Source(last.path, last.format, n_rows, last.size, last.mtime_ns)

    def add(
        self,
        row: int,
        box: Sequence[float],
        category: Any,
        *,
        score: float | None = None,
        ignored: bool = False,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a row of the current file; extra columns that it lacks are empty in it."""
        self.row.append(row)
        self.boxes.append(box)
        self.categories.append(category)
        self.source.append(len(self.sources) - 1)
        self.score.append(score)
        self.ignored.append(ignored)
        for name, value in {**(extra or {}), **self._told}.items():
            column = self.extra.setdefault(name, [])
            column += [None] * (len(self.row) - 1 - len(column))
            column.append(value)

    def bad(self, row: int, kind: str, message: str) -> None:
        """Note a row of the current file that cannot be read."""
        where = self.where.format(row)
        path = self.sources[-1].path
        self.problems.append(problem(kind, path, where, message, image_id=self.image_ids[-1]))

    def _note_size(self, row: int, first: Sequence[float]) -> None:
        """Note a file in which its image has another size than in the first that knows one."""
        here = self.sizes[row]
        message = f"{here[0]:g} x {here[1]:g} pixels here, {first[0]:g} x {first[1]:g} in another"
        path, id = self.sources[row].path, self.image_ids[row]
        one = problem("size_mismatch", path, "the image", f"{message} file", image_id=id)
        self.problems.append(one)

    def part(self, categories: dict[Any, str] | None = None) -> Part:
        """Lay the rows out in columns."""
        codes, ids = encode(self.image_ids)
        first = np.unique(codes, return_index=True)[1]
        source = np.array(self.source, dtype=np.int64)
        names = np.array(self.file_names, dtype=object)[first]
        size = np.array(self.sizes, dtype=np.float64).reshape(-1, 2)[first]
        # Two annotators' files on one image: whichever knows the size.
        for row in np.flatnonzero(~np.isnan(np.array(self.sizes).reshape(-1, 2)).any(axis=1)):
            if np.isnan(size[codes[row]]).any():
                size[codes[row]] = self.sizes[row]
            elif tuple(size[codes[row]].tolist()) != tuple(self.sizes[row]):
                self._note_size(int(row), size[codes[row]].tolist())
        table = None
        if categories:
            table = ids_array(list(categories)), np.array(list(categories.values()), dtype=object)
        scored = any(score is not None for score in self.score)
        image_of_file = ids_array(self.image_ids)
        return Part(
            sources=self.sources,
            where=self.where,
            n_rows=sum(source.n_rows for source in self.sources),
            image_id=image_of_file[source] if len(source) else ids[:0],
            category=ids_array(self.categories),
            categories=table,
            xyxy=np.array(self.boxes, dtype=np.float64).reshape(-1, 4),
            row=np.array(self.row, dtype=np.int64),
            source=source,
            score=np.array(self.score, dtype=np.float64) if scored else None,
            ignored=np.array(self.ignored, dtype=bool) if any(self.ignored) else None,
            extra={
                name: tidy([*column, *[None] * (len(self.row) - len(column))])
                for name, column in self.extra.items()
                if any(value is not None for value in column)
            },
            images=Images.build(
                ids,
                width=size[:, 0],
                height=size[:, 1],
                file_name=None if all(name is None for name in names.tolist()) else names,
            ),
            listed=np.stack([np.arange(len(codes)), codes], axis=1),
            problems=self.problems,
            file_is_image=True,
        )


def all_of(errors: Sequence[ReadError], n: int) -> ReadError:
    """Return one error for the files that cannot be read, of n."""
    if len(errors) == 1:
        return errors[0]
    what = f"{len(errors)} of {n} files cannot be read"
    listed = "\n    ".join(
        f"{error.where}: {error.what}" + (f" ({error.found})" if error.found else "")
        for error in errors[:5]
    )
    return ReadError(what, where=listed, hint=errors[0].hint)


def image_names(paths: Sequence[Path], named: Names | None = None) -> list[str]:
    """Return the image id of each file: its stem, or its path where one folder has a stem twice.

    Files of the same name in different annotators' folders are about one image; ``train/1`` and
    ``val/1`` of one data set are two. Where the user said which part of the name is the image, that
    part is the id.
    """
    if named is not None and named.has_image:
        return [named.image(path) for path in paths]
    owners = [owner(path)[1] for path in paths]
    seen = Counter((folder, path.stem) for folder, path in zip(owners, paths, strict=True))
    if not seen or max(seen.values()) == 1:
        return [shown(path.stem) for path in paths]
    return [relative_id(path, folder) for folder, path in zip(owners, paths, strict=True)]
