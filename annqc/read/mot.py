"""MOTChallenge text -> `Part`: one file a sequence, one line a box, numbers between commas.

``frame, id, x, y, w, h`` and then, in ground truth of MOT16 and later, ``flag, class, visibility``;
in that of MOT15, in results and in detections, ``conf`` and three world coordinates, -1 where there
are none. Frames and pixels count from 1, so x1 = x - 1, y1 = y - 1, x2 = x1 + w, y2 = y1 + h.
An id of -1 is no track. ``seqinfo.ini`` says how long the sequence is and how large its images are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.classes import MOT_CLASSES
from annqc.errors import ReadError
from annqc.ids import ids_array, objects_array
from annqc.read.cliplines import parts_and_clips, sniff_lines
from annqc.read.files import collector_paused, read_text, shown, source_of
from annqc.read.numberlines import number_lines
from annqc.read.part import Part, problem
from annqc.read.registry import register_reader
from annqc.read.videos import on_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from annqc.read.heads import Head
    from annqc.read.numberlines import NumberLines
    from annqc.read.options import Options
    from annqc.read.videos import Clip

    Array = npt.NDArray[Any]
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

_FEWEST: Final = 6
_MOST: Final = 10
_EXACT: Final = float(1 << 53)
"""Whole numbers up to here are exact in float64."""
_NUMBER: Final = r"\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+|nan|inf)(?:e[-+]?\d+)?\s*"
_WHOLE: Final = r"\s*(?:\d+(?:\.0*)?|\d\.\d+e\+\d+)\s*"
_LINE: Final = re.compile(
    rf"{_WHOLE},(?:{_WHOLE}|\s*-1(?:\.0*)?\s*)(?:,{_NUMBER}){{4,8}},?\s*", re.IGNORECASE
)
_FRAME, _ID, _X, _Y, _W, _H, _FLAG, _CLASS, _VISIBILITY = range(9)


def sniff(head: Head) -> int:
    """Tell MOTChallenge by lines of 6 to 10 numbers between commas, the first two whole."""
    return sniff_lines(head, _LINE.fullmatch)


@register_reader(
    "mot",
    suffixes=(".txt",),
    sniff=sniff,
    expects="MOTChallenge text, one file a sequence: lines of frame,id,x,y,w,h and flag,class,"
    "visibility or conf,-1,-1,-1",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read MOTChallenge files, one part each."""
    return on_frames(*parts_and_clips(paths, options, tick, first=1, read_one=_read_one))


def _read_one(clip: Clip, options: Options) -> Part:
    """Read one file."""
    with collector_paused():
        lines = number_lines(read_text(clip.path), _FEWEST, _MOST)
    if lines.bad and not len(lines.line):
        raise _no_line(clip.path, lines)
    return _part(lines, clip, options)


def _no_line(path: Path, lines: NumberLines) -> ReadError:
    """Build the error for a file that has nothing of the format in it."""
    number, message = lines.bad[0]
    what = "no line of the file is MOTChallenge text"
    expected = f"{_FEWEST} to {_MOST} numbers between commas on each line"
    where = f"{shown(path)}, line {number}"
    return ReadError(what, where=where, expected=expected, found=message.rpartition("found ")[2])


def _part(lines: NumberLines, clip: Clip, options: Options) -> Part:
    """Lay out the lines of one file; lines that cannot be are listed."""
    values = lines.values
    told = _has_classes(values)
    path = str(clip.path)
    problems = [problem("malformed", path, f"line {n}", text) for n, text in lines.bad]
    keep = np.ones(len(values), dtype=bool)
    for kind, rows, say in _faults(values, clip, told=told):
        for row in np.flatnonzero(rows & keep).tolist():
            where = f"line {lines.line[row]}"
            problems.append(problem(kind, path, where, say(values[row])))
        keep &= ~rows
    if not keep.all():
        values = values[keep]
    score, ignored = (None, values[:, _FLAG] == 0) if told else _confidence(values)
    category = values[:, _CLASS].astype(np.int64) if told else np.ones(len(values), np.int64)
    corner = values[:, [_X, _Y]] - 1.0
    return Part(
        sources=[source_of(clip.path, "mot", lines.n_rows)],
        where="line {}",
        n_rows=lines.n_rows,
        image_id=values[:, _FRAME].astype(np.int64),
        category=category,
        categories=_names(category, clip.path, options),
        xyxy=np.concatenate([corner, corner + values[:, [_W, _H]]], axis=1),
        row=lines.line[keep],
        score=score,
        ignored=ignored,
        track=_tracks(values[:, _ID].astype(np.int64)),
        extra=_extra(values, told=told),
        problems=problems,
    )


def _has_classes(values: Floats) -> bool:
    """Whether column 8 is the class, as in ground truth of MOT16 and later, and not a coordinate.

    Results and MOT15 have ten columns, or -1 in all that follow the confidence.
    """
    if not _CLASS < values.shape[1] < _MOST:
        return False
    return bool((values[:, _CLASS:] != -1).any())


def _faults(
    values: Floats, clip: Clip, *, told: bool
) -> list[tuple[str, Bools, Callable[[Floats], str]]]:
    """Return what can be wrong with a line: kind of problem, lines, and what to say of one."""
    wholes = [("frame", _FRAME), ("id", _ID), *([("class", _CLASS)] if told else [])]
    faults: list[tuple[str, Bools, Callable[[Floats], str]]] = []
    for name, column in wholes:
        cell = values[:, column]
        with np.errstate(invalid="ignore"):
            broken = ~((cell == np.floor(cell)) & (np.abs(cell) < _EXACT))
        faults.append(("malformed", broken, _say(f"a whole number as {name}", column)))
    below = values[:, _ID] < -1
    faults.append(("malformed", below, _say("an id from 0 on, or -1 for no track", _ID)))
    if told:
        faults.append(("malformed", values[:, _CLASS] < 0, _say("a class from 0 on", _CLASS)))
    late = clip.impossible(values[:, _FRAME])
    faults.append(("bad_frame", late, lambda row: clip.why(float(row[_FRAME]))))
    return faults


def _say(expected: str, column: int) -> Callable[[Floats], str]:
    """Return what says what was expected and found in a column."""
    return lambda row: f"expected {expected}, found {row[column]:.15g}"


def _confidence(values: Floats) -> tuple[Floats | None, Bools | None]:
    """Return scores, or what is ignored: in ground truth of MOT15, column 7 is a flag, 0 or 1."""
    if values.shape[1] <= _FLAG or not len(values):
        return None, None
    given = values[:, _FLAG]
    if np.isin(given, (0.0, 1.0)).all() and (given == 1).any():
        return None, given == 0
    return (None if (given == -1).all() else given.copy()), None


def _tracks(ids: Ints) -> Array | None:
    """Return tracks as given, None where a box is on none."""
    without = ids == -1
    if without.all():
        return None
    if not without.any():
        return ids
    tracks = ids.astype(object)
    tracks[without] = None
    return tracks


def _extra(values: Floats, *, told: bool) -> dict[str, Array]:
    """Return the visibility, or the world coordinates where there are some."""
    if told:
        has = values.shape[1] > _VISIBILITY
        return {"visibility": values[:, _VISIBILITY].copy()} if has else {}
    world = values[:, _FLAG + 1 :]
    if world.shape[1] < 3 or not (world != -1).any():
        return {}
    return {f"world_{axis}": world[:, k].copy() for k, axis in enumerate("xyz")}


def _names(category: Ints, path: Path, options: Options) -> tuple[Array, Array] | None:
    """Return the classes that occur and their names: ``labels.txt`` beside the file, or MOT's."""
    if options.categories:
        return None
    names: dict[int, str] = MOT_CLASSES
    beside = path.parent / "labels.txt"
    if beside.is_file():
        labels = [line.strip() for line in read_text(beside).splitlines()]
        names = dict(enumerate((label for label in labels if label), start=1))
    ids = np.unique(category).tolist()
    return ids_array(ids), objects_array([names.get(id, str(id)) for id in ids])
