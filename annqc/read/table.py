"""Long tables -> `Part`: one row an annotation, from CSV, TSV, Parquet or a DataFrame.

Columns are told by their names (`annqc.read.roles`), in any case; ``columns=`` says what a name
does not. Boxes are continuous pixels, as ``xyxy``, ``xywh`` or ``cxcywh``. Columns that have no
role are kept for ``by=`` and slices.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.geometry.boxes import to_xyxy
from annqc.ids import encode, ids_array
from annqc.read import cells
from annqc.read.files import collector_paused
from annqc.read.part import Part, problem
from annqc.read.registry import MAYBE, NO, SURE, register_reader
from annqc.read.roles import lay_out, lays_out
from annqc.read.tablefiles import PARQUET, delimiter_of, from_frame, from_parquet, from_text
from annqc.tables import Images

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from annqc.read.heads import Head
    from annqc.read.options import Options
    from annqc.read.roles import Layout
    from annqc.read.tablefiles import Table

    Array = npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]


_NUMBERS: Final = ("score", "image_width", "image_height")


def sniff(head: Head) -> int:
    """Tell a table by its column names."""
    if head.data.startswith(PARQUET):
        return SURE
    if head.text is None or head.outline is not None:
        return NO
    line = head.text.lstrip("\r\n").splitlines()[0] if head.text.strip() else ""
    delimiter = delimiter_of(line)
    if delimiter and lays_out(next(csv.reader([line], delimiter=delimiter), [])):
        return SURE
    return MAYBE if head.suffix in (".csv", ".tsv", ".tab") and line else NO


@register_reader(
    "table",
    suffixes=(".csv", ".tsv", ".tab", ".parquet", ".pq"),
    sniff=sniff,
    expects="CSV, TSV or Parquet with one row a box: image_id, x1 y1 x2 y2 (or x y w h, or "
    "cx cy w h), category, annotator",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read tables, one part each."""
    parts = []
    for path in paths:
        with path.open("rb") as file:
            parquet = file.read(4) == PARQUET
        with collector_paused():
            parts.append(_part(from_parquet(path) if parquet else from_text(path), options))
        tick(path)
    return parts


def read_frame(frame: Any, options: Options) -> Part:
    """Read a table in memory."""
    return _part(from_frame(frame), options)


def _part(table: Table, options: Options) -> Part:
    """Tell what the columns stand for, and lay them out."""
    layout = lay_out(table.columns, options.columns, options.box_format, table.source.path)
    roles, text = layout.roles, table.text
    if table.semicolons:
        sides = [*layout.box, *(roles[role] for role in _NUMBERS if role in roles)]
        numbers = {name: table.columns[name] for name in sides if len(layout.box) > 1}
        table.columns.update(cells.with_points(numbers))
    xyxy, bad = _boxes(table, layout)
    image, missing = _image_ids(table, roles)
    keys = (
        cells.ids(table.columns[roles["annotation_id"]], text=text)
        if "annotation_id" in roles
        else None
    )
    bad |= dict.fromkeys(np.flatnonzero(missing).tolist(), "there is no image")
    for row, message in sorted(bad.items()):
        where = table.where.format(table.row[row])
        id = None if keys is None else keys.tolist()[row]
        known = None if missing[row] else image[row]
        one = problem(
            "malformed", table.source.path, where, message, annotation_id=id, image_id=known
        )
        table.problems.append(one)
    keep: Any = slice(None)
    if bad:
        keep = np.setdiff1d(np.arange(len(table.row)), np.fromiter(bad, np.int64, len(bad)))

    def column(role: str, make: Callable[..., Array]) -> Any:
        return make(table.columns[roles[role]])[keep] if role in roles else None

    used = {*roles.values(), *layout.box}
    if roles.get("annotator") == options.wanted:  # said twice, it is what annotator= takes
        used.discard(roles.get("annotator", ""))
    category, categories = _categories(table, roles, keep)
    image = ids_array(image[keep].tolist()) if image.dtype == object else image[keep]
    score = None
    if "score" in roles:
        score = cells.numbers_of(table.columns[roles["score"]], text=text)[0][keep]
    return Part(
        sources=[table.source],
        where=table.where,
        n_rows=table.n_rows,
        id=None if keys is None else keys[keep],
        image_id=image,
        category=category,
        categories=categories,
        xyxy=xyxy[keep],
        row=table.row[keep],
        score=score,
        crowd=column("is_crowd", cells.flags),
        ignored=column("is_ignored", cells.flags),
        track=column("track_id", lambda cell: cells.ids(cell, text=text)),
        annotator=column("annotator", lambda cell: cells.ids(cell, text=text)),
        extra={
            name: cells.ids(cell, text=text)[keep]
            if _is_id(name)
            else cells.values(cell, text=text)[keep]
            for name, cell in table.columns.items()
            if name not in used
        },
        taken=tuple(sorted(used)),
        images=_images(table, roles, image, keep),
        problems=table.problems,
    )


def _is_id(name: str) -> bool:
    """Whether a column holds ids by its name, so that its whole floats are integers."""
    return name.lower().endswith("id")


def _boxes(table: Table, layout: Layout) -> tuple[Floats, dict[int, str]]:
    """Return the boxes as corners, and what is wrong with those that are no four numbers."""
    bad: dict[int, str] = {}
    if len(layout.box) == 1:
        four, wrong = cells.four_numbers(table.columns[layout.box[0]])
        bad = {row: f"expected four numbers, found {cell!r:.60}" for row, cell in wrong.items()}
    else:
        four = np.empty((len(table.row), 4))
        for k, name in enumerate(layout.box):
            four[:, k], wrong = cells.numbers_of(table.columns[name], text=table.text)
            for row, cell in wrong.items():
                bad.setdefault(row, _not_a_number(name, cell))
    return to_xyxy(four, box_format=layout.box_format), bad  # type: ignore[arg-type]


def _not_a_number(name: str, cell: object) -> str:
    """Say that a cell is no number, and why it may look like one."""
    if cell == "" or cells.is_missing(cell):
        return f"{name} is empty"
    hint = ""
    if isinstance(cell, str):
        try:
            float(cell.replace(",", "."))
        except ValueError:
            pass
        else:
            hint = (
                "; decimals need a point"
                if "," in cell
                else "; a number must not be stored as text"
            )
    return f"expected a number as {name}, found {cell!r:.60}{hint}"


def _image_ids(table: Table, roles: dict[str, str]) -> tuple[Array, Array]:
    """Return the image of each row, and which rows have none."""
    if "image_id" in roles or "file_name" in roles:
        name = roles.get("image_id") or roles["file_name"]
        given = cells.ids(table.columns[name], text=table.text)
        if given.dtype.kind == "i":
            return given, np.zeros(len(given), dtype=bool)
        return given, np.array([cell is None for cell in given.tolist()], dtype=bool)
    frames = cells.ids(table.columns[roles["frame"]], text=table.text).tolist()
    if "sequence" in roles:
        sequences = cells.ids(table.columns[roles["sequence"]], text=table.text).tolist()
        both = zip(sequences, frames, strict=True)
        joint = [None if s is None or f is None else f"{s}/{f}" for s, f in both]
    else:
        joint = frames
    return ids_array(joint), np.array([cell is None for cell in joint], dtype=bool)


def _categories(table: Table, roles: dict[str, str], keep: Any) -> tuple[Array, Any]:
    """Return the category of each row, and the category table where rows have both id and name."""
    text = table.text
    name = table.columns.get(roles.get("category", ""))
    number = table.columns.get(roles.get("category_id", ""))
    if name is None and number is None:
        return np.full(len(table.row), "object", dtype=object)[keep], None
    if name is None or number is None:
        given = cells.ids(number if name is None else name, text=text)[keep]
        if given.dtype.kind == "i":
            return given, None
        return ids_array(["(none)" if one is None else one for one in given.tolist()]), None
    given = cells.ids(number, text=text)[keep].tolist()
    names = cells.ids(name, text=text)[keep].tolist()
    pairs: dict[Any, int] = {}
    codes = [pairs.setdefault(pair, len(pairs)) for pair in zip(given, names, strict=True)]
    ids = [number if number is not None else label for number, label in pairs]
    labels = ids_array([str(label) for _, label in pairs])
    if len(set(ids)) < len(ids):  # ids that do not tell names apart: the names do
        labels_of_rows = labels[np.array(codes, dtype=np.int64)]
        return labels_of_rows, None
    return ids_array([ids[code] for code in codes]), (ids_array(ids), labels)


def _images(table: Table, roles: dict[str, str], image: Array, keep: Any) -> Images | None:
    """Return the image table, where the rows say more of an image than its id."""
    wanted = ("file_name", "sequence", "frame", "image_width", "image_height")
    if not any(role in roles for role in wanted):
        return None
    codes, ids = encode(image)
    first = np.unique(codes, return_index=True)[1] if len(codes) else np.empty(0, dtype=np.int64)
    columns: dict[str, Any] = {}
    for side in ("width", "height"):
        if f"image_{side}" not in roles:
            continue
        size = cells.numbers_of(table.columns[roles[f"image_{side}"]], text=table.text)[0][keep]
        with np.errstate(invalid="ignore"):
            size[~((size > 0) & (size < np.inf))] = np.nan
        columns[side] = size[first]
        with np.errstate(invalid="ignore"):
            differ = np.flatnonzero((size != columns[side][codes]) & ~np.isnan(size))
        for row in differ.tolist():
            there = columns[side][codes[row]]
            message = f"{side} {size[row]:g} here, {there:g} in the first row of the image"
            where = table.where.format(table.row[keep][row])
            path = table.source.path
            one = problem("size_mismatch", path, where, message, image_id=ids.tolist()[codes[row]])
            table.problems.append(one)
    for role in ("file_name", "sequence"):
        if role in roles:
            given = cells.ids(table.columns[roles[role]], text=table.text)[keep]
            columns[role] = given[first].astype(object)
    if "frame" in roles:
        frames = cells.ids(table.columns[roles["frame"]], text=table.text)[keep][first]
        if frames.dtype.kind == "i":
            columns["frame"] = frames
        else:
            columns["extra"] = {"frame": frames}
    return Images.build(ids, **columns)
