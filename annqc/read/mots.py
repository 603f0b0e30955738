"""MOTS text -> `Part`: one file a sequence, one line a mask, ``frame id class height width rle``.

Masks are COCO's compressed run lengths; the box is the one around the mask. The id of an object is
class * 1000 + number, and is its track. Class 10 is a region to leave out, and on no track. Frames
count from 0 in KITTI MOTS, from 1 in MOTSChallenge, and are taken as they stand.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.classes import MOTS_CLASSES
from annqc.geometry.repair import Fault
from annqc.geometry.rle import decode_counts
from annqc.ids import ids_array, objects_array
from annqc.read.cliplines import parts_and_clips, sniff_lines
from annqc.read.files import read_text, source_of
from annqc.read.part import Part, problem, tidy
from annqc.read.registry import register_reader
from annqc.read.videos import on_frames
from annqc.tables import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from annqc.read.heads import Head
    from annqc.read.options import Options
    from annqc.read.videos import Clip
    from annqc.tables import Problem

    Array = npt.NDArray[Any]

_FIELDS: Final = 6
_NAMES: Final = ("frame", "id", "class", "height", "width")
_LINE: Final = re.compile(r"\s*(?:\d+ +){5}[0-o]+\s*")
_IGNORE: Final = 10
_TALLEST: Final = 1 << 20


def sniff(head: Head) -> int:
    """Tell MOTS by lines of five whole numbers and run lengths."""
    return sniff_lines(head, _is_mask)


def _is_mask(line: str) -> bool:
    """Whether a line is a mask, and not six numbers, as YOLO has them."""
    return _LINE.fullmatch(line) is not None and not line.rpartition(" ")[2].strip().isdigit()


@register_reader(
    "mots",
    suffixes=(".txt",),
    sniff=sniff,
    expects="MOTS text, one file a sequence: lines of frame id class height width rle",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read MOTS files, one part each."""
    parts, clips = parts_and_clips(paths, options, tick, first=0, read_one=_read_one)
    _number_from(parts, clips)
    return on_frames(parts, clips)


def _number_from(parts: Sequence[Part], clips: Sequence[Clip]) -> None:
    """Say where sequences begin: with frame 0 where one of them has it, else with frame 1."""
    zero = any(len(part) and int(part.image_id.min()) == 0 for part in parts)
    for clip in clips:
        clip.first = clip.first if zero else 1


def _read_one(clip: Clip, options: Options) -> Part:
    """Lay out the lines of one file; lines that cannot be are listed."""
    if clip.length is not None:
        clip.first = 1  # seqinfo.ini is of MOTSChallenge
    rows: list[list[int]] = []
    counts: list[str] = []
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
        rows.append(found)
        counts.append(fields[-1])
        numbers.append(number)
    values = np.array(rows, dtype=np.int64).reshape(len(rows), _FIELDS - 1)
    frame, id, category, canvas = values[:, 0], values[:, 1], values[:, 2], values[:, 3:]
    if rows and clip.size is None:
        clip.size = float(canvas[0, 1]), float(canvas[0, 0])
    runs, offsets, sound = decode_counts(counts)
    each = [runs[a:b] for a, b in pairwise(offsets.tolist())]
    masks = [one if good else None for one, good in zip(each, sound.tolist(), strict=True)]
    ignored = category == _IGNORE
    return Part(
        sources=[source_of(clip.path, "mots", n_rows)],
        where="line {}",
        n_rows=n_rows,
        image_id=frame,
        category=category,
        categories=None if options.categories else _names(category.tolist()),
        xyxy=np.full((len(rows), 4), np.nan),
        row=np.array(numbers, dtype=np.int64),
        crowd=ignored if ignored.any() else None,
        track=tidy([None if out else one for one, out in zip(id.tolist(), ignored, strict=True)]),
        shapes=Shapes.from_runs(masks, canvas),
        faults=[
            Fault("broken_rle", row, "the last field is no run lengths")
            for row in np.flatnonzero(~sound).tolist()
        ],
        problems=problems,
    )


def _line(fields: list[str], clip: Clip) -> list[int] | tuple[str, str]:
    """Return the numbers of a line, or what is wrong with it."""
    if len(fields) != _FIELDS:
        return "malformed", f"expected {_FIELDS} fields, found {len(fields)}"
    row: list[int] = []
    for name, cell in zip(_NAMES, fields, strict=False):
        digits = cell.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
            return "malformed", f"expected a whole number as {name}, found {cell!r:.60}"
        row.append(int(cell))
    frame, id, category, height, width = row
    if id < 0 or category < 0:
        return "malformed", f"expected an id and a class from 0 on, found {id} and {category}"
    if not (0 < height <= _TALLEST and 0 < width <= _TALLEST):
        return "malformed", f"expected height and width above 0, found {height} and {width}"
    if clip.impossible(np.array([float(frame)]))[0]:
        return "bad_frame", clip.why(frame)
    return row


def _names(category: list[int]) -> tuple[Array, Array]:
    """Return the classes that occur and their names."""
    ids = sorted(set(category))
    return ids_array(ids), objects_array([MOTS_CLASSES.get(id, str(id)) for id in ids])
