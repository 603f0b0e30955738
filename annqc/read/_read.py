"""`read` and `lint`: from whatever the user points at to a `Dataset`."""

from __future__ import annotations

import os
from collections import Counter
from inspect import signature
from typing import TYPE_CHECKING, Any

from annqc.errors import ReadError, UnknownNameError, did_you_mean
from annqc.read.annotators import ANONYMOUS
from annqc.read.assemble import assemble
from annqc.read.compound import column_names
from annqc.read.files import Found, expand
from annqc.read.heads import read_head
from annqc.read.maskoptions import mask_options
from annqc.read.names import names_from
from annqc.read.only import names_of, share_of
from annqc.read.options import Options, category_names, sizes_from
from annqc.read.part import problem
from annqc.read.registry import EMPTY, LAST, MAYBE, NO, SURE, every_reader, reader_named
from annqc.tables import Dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from annqc.geometry.boxes import BoxFormat
    from annqc.read.heads import Head
    from annqc.read.part import Part
    from annqc.read.registry import Reader
    from annqc.tables import Problem

    Progress = Callable[[int, int, str], None]

__all__ = ["formats", "lint", "read"]


def read(
    source: Any,
    *,
    format: str = "auto",
    annotator: object = None,
    categories: Sequence[str] | Mapping[Any, str] | str | os.PathLike[str] | None = None,
    image_sizes: Any = None,
    box_format: BoxFormat | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    shapes: bool | None = None,
    mask_object: object = None,
    mask_values: str | None = None,
    only: object = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Read annotations.

    Parameters
    ----------
    source : path, glob, folder, list of those, or DataFrame
        What to read. Several files become one dataset: images are united by file name where all
        files know them (else by id), categories by name, annotators by id. A frame is anything with
        ``to_pandas`` or ``__dataframe__``, or a pandas DataFrame.
    format : str
        One of `formats`, or ``"auto"``: told by the content of each file.
    annotator : object, optional
        Who drew the annotations: ``"stem"`` (name of the file), ``"parent"`` (name of its folder,
        passing over folders such as ``labels`` or ``train``), the name of a field or column, which
        must be there, or ``"=alice"``, one name for all. What is no text, such as ``7``, is one
        name for all too. ``"anonymous"`` says that nobody can be told from others, as where readers
        are numbered anew on each image: findings are then about all of the work. A regular
        expression with a group ``(?P<annotator>...)`` takes the names of the files apart; a group
        ``image`` is then the image, and others become columns. By default a field such as
        ``annotator``, ``worker_id`` or ``created_by``; where there is none, the file name, or the
        folder where there is one file an image (VOC, YOLO, masks) or where file names repeat.
    categories : sequence, mapping or path, optional
        Names of the categories: a list (ids 0, 1, ...), id -> name, or a text file with one name a
        line.
    image_sizes : mapping, pair or path, optional
        Sizes of images that the files do not give: file name, path, stem or id -> (width, height);
        one (width, height) for all; or a CSV file with the columns file_name, width and height. The
        exact name goes first, then the name without its ending. YOLO needs sizes where the images
        are not there.
    box_format : {"xyxy", "xywh", "cxcywh"}, optional
        What the four numbers of a table mean, where the column names do not say.
    columns : mapping, optional
        For tables, role -> column name, such as ``{"image_id": "asset"}``, or several columns that
        say it together, such as ``{"image_id": ["patient", "slice"]}``.
    mask_object : optional
        For mask images, what the object is: ``"light"`` (everything but 0), ``"dark"`` (0 alone),
        or a value or several, such as ``255`` or ``"#ff0000"``. By default light, and masks that
        seem to be the other way round are refused.
    mask_values : {"object", "categories", "instances"}, optional
        For mask images, what several values in one mask are: one object, a category a value, or an
        object a value. By default that is told where it is plain, and asked for where it is not.
    shapes : bool, optional
        Whether to read outlines, polygons and masks, where a format has them beside boxes (COCO).
        They are checked, put into normal form, and listed among the problems where they had to be
        repaired. By default they are not read: boxes alone are read much faster. Formats whose
        annotations are outlines always have them.
    only : str, number, or sequence of those, optional
        Take what these annotators drew, and the images that they were asked for (where the data do
        not say: that they drew on). The rest is left out.
    strict : bool
        Refuse an input that has rows which cannot be used.
    progress : callable, optional
        Called with (files done, files, name of the file).

    Returns
    -------
    Dataset
        Boxes in ``xyxy`` pixels. Every row that cannot be used, or is odd, is in ``issues`` and
        ``problems``.

    Raises
    ------
    ReadError
        There is nothing to read, or what is there cannot be read; or ``strict`` and a row is
        unusable.
    UnknownNameError
        ``format``, ``box_format``, a role, a column, a field or an annotator is not one of those
        that exist.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "alice.json"
    >>> row = {"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 20, 30, 40]}
    >>> _ = file.write_text(json.dumps({"images": [{"id": 7}], "annotations": [row]}))
    >>> dataset = read(file)
    >>> dataset.annotator_ids.tolist(), dataset.table.xyxy.tolist()
    (['alice'], [[10.0, 20.0, 40.0, 60.0]])
    """
    named = names_from(annotator)
    constant = isinstance(annotator, str) and (annotator == ANONYMOUS or annotator[:1] == "=")
    plain = isinstance(annotator, str) and not constant and named is None
    options = Options(
        wanted=annotator if plain and isinstance(annotator, str) else None,
        categories=category_names(categories),
        sizes=sizes_from(image_sizes),
        box_format=_box_format(box_format),
        columns=column_names(columns),
        shapes=bool(shapes),
        masks=mask_options(mask_object, mask_values),
        named=named,
    )
    if _is_frame(source):
        from annqc.read.table import read_frame

        if format not in ("auto", "table"):
            reader_named(format)
            what = "a DataFrame is read as a table"
            raise ReadError(what, expected="format='table'", found=f"format={format!r}")
        dataset = assemble([read_frame(source, options)], annotator, options)
    else:
        parts, asides = _parts(source, format, options, progress)
        dataset = assemble(parts, annotator, options).with_issues(asides)
    names = names_of(only)
    if names:
        dataset = share_of(dataset, names)
    if strict:
        _refuse_dropped(dataset)
    return dataset


def formats() -> dict[str, str]:
    """Return the formats that can be read, and what a file of each looks like.

    Examples
    --------
    >>> [name for name in ("coco", "masks", "table") if name in formats()]
    ['coco', 'masks', 'table']
    """
    return {reader.name: reader.expects for reader in every_reader()}


def lint(source: Any, **options: Any) -> pd.DataFrame:
    """Return every row that cannot be used, or is odd, with where it stands.

    Parameters
    ----------
    source : Dataset, or whatever `read` takes
        What to check.
    **options
        Arguments of `read`.

    Returns
    -------
    DataFrame
        ``kind, severity, source, where, annotation_id, image_id, annotator, message``: one row a
        problem. ``dropped`` rows take no part in anything, ``kept`` ones do.
        ``annqc.read.problems.KINDS`` explains the kinds.

    Raises
    ------
    ReadError
        The source cannot be read at all.
    """
    known = [name for name in signature(read).parameters if name != "source"]
    for name in options:
        if name not in known:
            hint = did_you_mean(name, known)
            message = f"lint() got an unexpected keyword argument {name!r}"
            raise TypeError(message + (f"; {hint}" if hint else ""))
    if not isinstance(source, Dataset):
        return read(source, **options).problems
    given = [name for name, value in options.items() if value is not None]
    if given:
        what = f"{given[0]}= says how files are read, and this is a Dataset already"
        raise ReadError(what, where=f"{given[0]}=", hint="give it to annqc.read")
    return source.problems


def _parts(
    source: Any, format: str, options: Options, progress: Progress | None
) -> tuple[list[Part], list[Problem]]:
    """Find the files, tell their formats, and have them read."""
    forced = None if format == "auto" else reader_named(format)
    readers = [forced] if forced else list(every_reader())
    found = expand(source, [suffix for reader in readers for suffix in reader.suffixes])
    asides: list[Problem] = []
    if forced:
        groups = {forced.name: [one.path for one in found]}
    else:
        groups, asides = _by_format(found, readers)
    total, done = sum(map(len, groups.values())), 0

    def tick(path: Path) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total, path.name)

    known = {reader.name: reader for reader in readers}
    parts: list[Part] = []
    for name, paths in groups.items():
        try:
            parts += known[name].read(paths, options, tick)
        except ReadError as error:
            raise _beside_others(error, paths, total - 1) from None
    return parts, asides


def _beside_others(error: ReadError, paths: Sequence[Path], n: int) -> ReadError:
    """Add to the error of one file that there are others, which it keeps from being read."""
    if not n or not any((error.where or "").startswith(str(path)) for path in paths):
        return error
    others = f"nothing is read of the other {n} files either" if n > 1 else "nor is the other file"
    what = f"{error.what}; {others}"
    found, hint = error.found, error.hint
    return ReadError(what, where=error.where, expected=error.expected, found=found, hint=hint)


def _by_format(
    found: Sequence[Found], readers: Sequence[Reader]
) -> tuple[dict[str, list[Path]], list[Problem]]:
    """Tell the format of each file by its head.

    A file that was asked for must be in some format. In a folder, files that are in none are set
    aside and listed, and all others must be in one format.
    """
    groups: dict[str, list[Path]] = {}
    folders: dict[Path, list[tuple[int, str, Head]]] = {}
    for one in found:
        head = read_head(one.path)
        guesses = ((reader.sniff(head), reader.name) for reader in readers)
        certainty, name = max(guesses, key=lambda guess: guess[0])
        if one.folder is not None:
            folders.setdefault(one.folder, []).append((certainty, name, head))
        elif certainty == NO:
            raise _nothing_fits(head, readers)
        else:
            groups.setdefault(name, []).append(one.path)
    asides: list[Problem] = []
    for folder, guessed in folders.items():
        name, paths = _one_format(folder, guessed, readers)
        groups.setdefault(name, []).extend(paths)
        chosen = set(paths)
        for _, _, head in guessed:
            if head.path not in chosen and not _accompanies(head):
                message = f"the folder is read as {name}, and this is {head.looks_like}"
                path = str(head.path)
                asides.append(problem("skipped_file", path, "the whole file", message))
    return groups, asides


def _one_format(
    folder: Path, guessed: Sequence[tuple[int, str, Head]], readers: Sequence[Reader]
) -> tuple[str, list[Path]]:
    """Return the format of a folder, and its files in this format."""
    # Text says nothing of the images it lies beside; JSON and XML are what was meant to be read.
    strange = [
        (certainty, name, head)
        for certainty, name, head in guessed
        if certainty == NO and not _accompanies(head) and head.suffix != ".txt"
    ]
    for least in (SURE, EMPTY, MAYBE, *(() if strange else (LAST,))):
        names = {name for certainty, name, _ in guessed if certainty >= least}
        if len(names) > 1:
            raise _mixed(folder, [(name, head.path) for c, name, head in guessed if c >= least])
        if names:
            (name,) = names
            sniff = next(reader.sniff for reader in readers if reader.name == name)
            joins = min(least, EMPTY)
            return name, [
                head.path
                for c, n, head in guessed
                if c >= joins and (n == name or (c == EMPTY and sniff(head) == EMPTY))
            ]
    first = (strange or guessed)[0][2]
    n = sum(not head.is_png for *_, head in guessed)
    raise _nothing_fits(first, readers, folder=folder, n=n)


def _accompanies(head: Head) -> bool:
    """Whether a file is one that lies beside annotations: an image, a class list, a read-me."""
    stem = head.path.stem.lower()
    beside = stem.startswith("readme") or stem in _COMPANIONS or "ImageSets" in head.path.parts
    return head.is_png or beside


_COMPANIONS = frozenset(
    "classes labels labelmap label_map train val valid test trainval predefined_classes license "
    "notes".split()
)


def _nothing_fits(
    head: Head, readers: Sequence[Reader], *, folder: Path | None = None, n: int = 1
) -> ReadError:
    """Build the error for a file that no reader knows."""
    likely = [reader for reader in readers if head.suffix in reader.suffixes] or readers
    expected = "\n    ".join(f"{reader.name}: {reader.expects}" for reader in likely)
    if len(likely) < len(readers):
        expected += f"\n    or one of {len(readers) - len(likely)} formats in files of other names"
    if head.size == 0 and folder is None:
        what, hint = "the file is empty", "export it again, or leave it out"
        raise ReadError(what, where=str(head.path), found=head.looks_like, hint=hint)
    if head.has_doctype:
        what = "the XML has a document type (<!DOCTYPE ...>), and is not read"
        hint = "a document type can name other files: delete the <!DOCTYPE ...> part"
        raise ReadError(what, where=str(head.path), found=head.looks_like, hint=hint)
    if folder is None:
        what = "the format of this file is not known"
    else:
        what = f"none of the {n} files of this folder is in a known format"
    where = str(head.path) if folder is None else f"{folder}, first file {head.path.name}"
    hint = "--format (format= in Python) forces a reader, which then says what it misses"
    if head.size == 0:
        hint = "export them again, or leave them out"
    return ReadError(
        what, where=where, expected=f"one of\n    {expected}", found=head.looks_like, hint=hint
    )


def _mixed(folder: Path, guesses: Sequence[tuple[str, Path]]) -> ReadError:
    """Build the error for a folder with more than one format."""
    groups: dict[str, list[Path]] = {}
    for name, path in guesses:
        groups.setdefault(name, []).append(path)
    counts = ", ".join(
        f"{len(paths)} {name} (such as {paths[0].relative_to(folder)})"
        for name, paths in groups.items()
    )
    what = "the folder holds files of several formats"
    hint = "give --format (format= in Python), or a glob such as 'folder/*.json'"
    return ReadError(what, where=str(folder), expected="one format", found=counts, hint=hint)


def _refuse_dropped(dataset: Dataset) -> None:
    """Raise where a row was dropped, with the first five."""
    dropped = [one for one in dataset.issues if one.severity == "dropped"]
    if not dropped:
        return
    shown = "\n    ".join(
        f"{one.source}, {one.where}: {one.kind}: {one.message}" for one in dropped[:5]
    )
    kinds = ", ".join(
        f"{n} {kind}" for kind, n in Counter(one.kind for one in dropped).most_common()
    )
    rows = "row" if dataset.n_rows == 1 else "rows"
    what = f"{len(dropped)} of {dataset.n_rows} {rows} cannot be used"
    hint = "without --strict (strict=True in Python) they are left out and listed"
    raise ReadError(what, where=shown, found=kinds, hint=hint)


def _is_frame(source: Any) -> bool:
    """Whether this is a table in memory."""
    if isinstance(source, (str, os.PathLike, list, tuple, dict)):
        return False
    names = ("to_pandas", "__dataframe__", "__arrow_c_stream__", "iloc")
    if not any(hasattr(source, name) for name in names):
        return False
    if getattr(source, "ndim", 2) != 2:
        what = "a table to read has rows and columns, and this is a single column"
        hint = "give the whole DataFrame"
        raise ReadError(what, expected="a DataFrame", found=type(source).__name__, hint=hint)
    return True


def _box_format(box_format: str | None) -> str | None:
    """Check the name of a box format."""
    from annqc.geometry.boxes import BOX_FORMATS

    if box_format is not None and box_format not in BOX_FORMATS:
        kind = "box format"
        raise UnknownNameError.among(kind, box_format, BOX_FORMATS)
    return box_format
