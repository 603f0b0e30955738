"""Long tables -> `Part`: one row an annotation, from CSV, TSV, JSON Lines, Parquet or a DataFrame.

Columns are told by their names (`annqc.read.roles`), in any case; ``columns=`` says what a name
does not. Boxes are continuous pixels, as ``xyxy``, ``xywh`` or ``cxcywh``; a column of vertices is
an outline, and rows of one annotation are its rings. Columns that have no role are kept for ``by=``
and slices.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.geometry.boxes import to_xyxy
from annqc.ids import encode, ids_array
from annqc.read import cells
from annqc.read.compound import join_columns
from annqc.read.files import collector_paused
from annqc.read.heads import read_head
from annqc.read.jsonlines import SUFFIXES, from_json_lines, keys_of_line
from annqc.read.options import ANNOTATOR_FIELDS
from annqc.read.part import Part, problem
from annqc.read.registry import MAYBE, NO, SURE, register_reader
from annqc.read.roles import lay_out, lays_out
from annqc.read.tablefiles import PARQUET, delimiter_of, from_frame, from_parquet, from_text
from annqc.read.tableoutlines import put_together, rings_of_cells
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
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]


_LAST_FRAME: Final = 1 << 53
_NUMBERS: Final = ("score", "image_width", "image_height")


def sniff(head: Head) -> int:
    """Tell a table by its column names."""
    if head.data.startswith(PARQUET):
        return SURE
    keys = keys_of_line(head)
    if keys is not None and lays_out(keys):
        return SURE
    if head.suffix in SUFFIXES:
        return MAYBE if keys is not None else NO
    if head.text is None or head.outline is not None:
        return NO
    line = head.text.lstrip("\r\n").splitlines()[0] if head.text.strip() else ""
    delimiter = delimiter_of(line)
    if delimiter and lays_out(next(csv.reader([line], delimiter=delimiter), [])):
        return SURE
    return MAYBE if head.suffix in (".csv", ".tsv", ".tab") and line else NO


@register_reader(
    "table",
    suffixes=(".csv", ".tsv", ".tab", *SUFFIXES, ".parquet", ".pq"),
    sniff=sniff,
    expects="CSV, TSV, JSON Lines or Parquet with one row a box: image_id, x1 y1 x2 y2 (or "
    "x y w h, or cx cy w h), category, annotator; or with a polygon for the box",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read tables, one part each."""
    parts = []
    for path in paths:
        with collector_paused():
            parts.append(_part(_table(path), options))
        tick(path)
    return parts


def _table(path: Path) -> Table:
    """Read a file into columns."""
    head = read_head(path)
    if head.data.startswith(PARQUET):
        return from_parquet(path)
    if path.suffix.lower() in SUFFIXES or keys_of_line(head) is not None:
        return from_json_lines(path)
    return from_text(path)


def read_frame(frame: Any, options: Options) -> Part:
    """Read a table in memory."""
    return _part(from_frame(frame), options)


def _part(table: Table, options: Options) -> Part:
    """Tell what the columns stand for, and lay them out."""
    said = join_columns(table.columns, options.columns, table.source.path, text=table.text)
    layout = lay_out(
        table.columns, said, options.box_format, table.source.path, shapes=options.shapes
    )
    roles, text = layout.roles, table.text
    whole, absent = table, _absent(table, roles)
    if absent.any():
        table = table.take(~absent)
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
    kinds: dict[int, str] = {}
    for row, frame in _bad_frames(table, roles):
        if row not in bad:
            end = "on" if frame < 0 else f"to {_LAST_FRAME}"
            bad[row], kinds[row] = f"expected a frame from 0 {end}, found {frame}", "bad_frame"
    drawn = None
    if "polygon" in roles:
        rings, unlike = rings_of_cells(table.columns[roles["polygon"]])
        kinds |= {row: kind for row, (kind, _) in unlike.items() if row not in bad}
        bad = {row: message for row, (_, message) in unlike.items()} | bad
        hole = _holes(table, roles)
        drawn = put_together(_owners(table, roles, options, image, keys), rings, hole, bad)
    listed = None if keys is None else keys.tolist()
    for row, message in sorted(bad.items()):
        where = table.where.format(table.row[row])
        id = None if listed is None else listed[row]
        known = None if missing[row] else image[row]
        kind = kinds.get(row, "malformed")
        one = problem(kind, table.source.path, where, message, annotation_id=id, image_id=known)
        table.problems.append(one)
    keep: Any = slice(None)
    if drawn is not None:
        keep = drawn.first
        xyxy[keep[~drawn.single]] = np.nan
    elif bad:
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
        # Rows that are further rings of an annotation are no rows of their own.
        n_rows=table.n_rows - (0 if drawn is None else drawn.n_further),
        id=None if keys is None else keys[keep],
        image_id=image,
        category=category,
        categories=categories,
        xyxy=xyxy[keep],
        row=table.row[keep],
        score=score,
        crowd=column("is_crowd", cells.flags),
        ignored=column("is_ignored", cells.flags),
        keyframe=column("keyframe", cells.flags),
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
        images=_all_images(whole, roles) if absent.any() else _images(table, roles, image, keep),
        problems=table.problems,
        shapes=None if drawn is None else drawn.shapes,
        hole=None if drawn is None else drawn.hole,
        ids_by_image=drawn is not None,
        shows_absence="outside" in roles,
    )


def _bad_frames(table: Table, roles: dict[str, str]) -> list[tuple[int, int]]:
    """Return rows whose frame is a whole number that is none of a video, and that number."""
    if "frame" not in roles:
        return []
    frame = cells.ids(table.columns[roles["frame"]], text=table.text)
    if frame.dtype.kind == "i" and not ((frame < 0) | (frame > _LAST_FRAME)).any():
        return []
    return [
        (row, one)
        for row, one in enumerate(frame.tolist())
        if type(one) is int and not 0 <= one <= _LAST_FRAME
    ]


def _absent(table: Table, roles: dict[str, str]) -> Bools:
    """Return which rows say that a tracked object is out of sight: nothing is drawn there."""
    if "outside" not in roles or "track_id" not in roles:
        return np.zeros(len(table.row), dtype=bool)
    return cells.flags(table.columns[roles["outside"]])


def _all_images(table: Table, roles: dict[str, str]) -> Images | None:
    """Return the image table with the frames on which nothing was drawn."""
    image, missing = _image_ids(table, roles)
    named = np.flatnonzero(~missing)
    return _images(table, roles, ids_array(image[named].tolist()), named)


def _holes(table: Table, roles: dict[str, str]) -> Bools | None:
    """Return which rows are holes, None where nothing says it; an empty cell is none."""
    if "is_hole" in roles:
        return cells.flags(table.columns[roles["is_hole"]])
    if "inclusion" not in roles:
        return None
    column = table.columns[roles["inclusion"]]
    listed = column.tolist() if isinstance(column, np.ndarray) else column
    empty = np.array([cells.is_missing(cell) or cell == "" for cell in listed], dtype=bool)
    return np.asarray(~(cells.flags(column) | empty))


def _owners(
    table: Table, roles: dict[str, str], options: Options, image: Array, keys: Array | None
) -> list[Any]:
    """Return what rows of one annotation share: image, id, who drew and category."""
    if keys is None:
        return [None] * len(table.row)
    told = {name.lower(): name for name in table.columns}
    who = roles.get("annotator") or (options.wanted if options.wanted in table.columns else None)
    who = who or next((told[name] for name in ANNOTATOR_FIELDS if name in told), None)
    others = [who, roles.get("category"), roles.get("category_id")]
    columns = [cells.ids(table.columns[one], text=table.text).tolist() for one in others if one]
    rows = zip(image.tolist(), keys.tolist(), *columns, strict=True)
    return [None if row[1] is None else row for row in rows]


def _is_id(name: str) -> bool:
    """Whether a column holds ids by its name, so that its whole floats are integers."""
    return name.lower().endswith("id")


def _boxes(table: Table, layout: Layout) -> tuple[Floats, dict[int, str]]:
    """Return the boxes as corners, and what is wrong with those that are no four numbers."""
    bad: dict[int, str] = {}
    if not layout.box:  # the box is that around the outline
        return np.full((len(table.row), 4), np.nan), bad
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
        frames = ids_array(frames.tolist()) if frames.dtype == object and len(frames) else frames
        if frames.dtype.kind == "i":
            columns["frame"] = frames
        else:
            columns["extra"] = {"frame": frames}
    return Images.build(ids, **columns)
