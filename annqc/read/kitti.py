"""KITTI tracking ``label_02`` text -> `Part`: one file a sequence, one line an object.

``frame track type truncated occluded alpha left top right bottom`` and seven numbers of the object
in space; results have a score at the end. Frames and pixels count from 0, and edges are taken as
they stand. ``DontCare`` is a region to leave out, and on no track.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.ids import objects_array
from annqc.read.cliplines import parts_and_clips, sniff_lines
from annqc.read.files import read_text, source_of
from annqc.read.numberlines import number_of
from annqc.read.part import Part, problem, tidy
from annqc.read.registry import register_reader
from annqc.read.videos import on_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from annqc.read.heads import Head
    from annqc.read.options import Options
    from annqc.read.videos import Clip
    from annqc.tables import Problem

_FIELDS: Final = (17, 18)
_NUMBER: Final = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+|nan|inf)(?:e[-+]?\d+)?"
_LINE: Final = re.compile(rf"\s*\d+ +-?\d+ +[A-Za-z]\w*(?: +{_NUMBER}){{14,15}}\s*", re.IGNORECASE)
_EXACT: Final = float(1 << 53)
"""Whole numbers up to here are exact in float64."""
_DONT_CARE: Final = "dontcare"


def sniff(head: Head) -> int:
    """Tell KITTI tracking by lines of a frame, a track, a type, and 14 or 15 numbers."""
    return sniff_lines(head, _LINE.fullmatch)


@register_reader(
    "kitti",
    suffixes=(".txt",),
    sniff=sniff,
    expects="KITTI tracking text (label_02), one file a sequence: lines of 17 fields, frame track "
    "type truncated occluded alpha left top right bottom ..., and a score in results",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read KITTI tracking files, one part each."""
    return on_frames(*parts_and_clips(paths, options, tick, first=0, read_one=_read_one))


def _read_one(clip: Clip, _: Options) -> Part:
    """Lay out the lines of one file; lines that cannot be are listed."""
    names: list[str] = []
    rows: list[list[float]] = []
    numbers: list[int] = []
    problems: list[Problem] = []
    path, n_rows = str(clip.path), 0
    for number, line in enumerate(read_text(clip.path).splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        n_rows += 1
        found = _line(fields, clip)
        if isinstance(found, tuple):
            problems.append(problem(found[0], path, f"line {number}", found[1]))
            continue
        names.append(fields[2])
        rows.append(found)
        numbers.append(number)
    values = np.array(rows, dtype=np.float64).reshape(len(rows), _FIELDS[1] - 1)
    care = np.array([name.lower() == _DONT_CARE for name in names], dtype=bool)
    score = values[:, -1]
    tracks = [
        None if track < 0 or not cares else int(track)
        for track, cares in zip(values[:, 1].tolist(), (~care).tolist(), strict=True)
    ]
    return Part(
        sources=[source_of(clip.path, "kitti", n_rows)],
        where="line {}",
        n_rows=n_rows,
        image_id=values[:, 0].astype(np.int64),
        category=objects_array(names),
        xyxy=np.ascontiguousarray(values[:, 5:9]),
        row=np.array(numbers, dtype=np.int64),
        score=None if np.isnan(score).all() else score,
        crowd=care if care.any() else None,
        track=tidy(tracks) if any(track is not None for track in tracks) else None,
        extra={
            "truncated": values[:, 2],
            "occluded": values[:, 3],
        },
        problems=problems,
    )


def _line(fields: list[str], clip: Clip) -> list[float] | tuple[str, str]:
    """Return the numbers of a line, NaN for a score that is not there; or what is wrong with it."""
    if len(fields) not in _FIELDS:
        return "malformed", f"expected {_FIELDS[0]} or {_FIELDS[1]} fields, found {len(fields)}"
    row: list[float] = []
    for cell in (*fields[:2], *fields[3:]):
        value = number_of(cell)
        if value is None:
            return "malformed", f"expected a number, found {cell!r:.60}"
        row.append(value)
    for name, value in (("frame", row[0]), ("track", row[1])):
        if not (abs(value) < _EXACT and value.is_integer()):
            return "malformed", f"expected a whole number as {name}, found {value:.15g}"
    if row[1] < -1:
        return "malformed", f"expected a track from 0 on, or -1 for none, found {row[1]:.15g}"
    if clip.impossible(np.array(row[:1]))[0]:
        return "bad_frame", clip.why(row[0])
    return row if len(fields) == _FIELDS[1] else [*row, np.nan]
