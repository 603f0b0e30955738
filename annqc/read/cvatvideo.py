"""The tracks of a CVAT file -> rows: frames checked, missing ones filled, outside ones left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import ReadError
from annqc.read.cvatrows import attributes_of, told
from annqc.read.cvatshapes import SHAPES, between, geometry_of
from annqc.read.cvattracks import Track, fill, n_missing, writes_every_frame
from annqc.read.vertices import VertexError
from annqc.read.xmltext import flag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from annqc.read.cvatmeta import Meta, Task
    from annqc.read.cvatrows import Rows
    from annqc.read.cvatshapes import Geometry

__all__ = ["LAST_FRAME", "add_tracks"]

LAST_FRAME: Final = 10_000_000
"""No frame of a video has a greater number."""
_MOST_FILLED: Final = 2_000_000
"""Frames that are interpolated at most, unless a file has more shapes that are written out."""


@dataclass(slots=True, eq=False)
class _Shape:
    """One shape of a track; ``geometry`` is None where it cannot be read."""

    number: int
    frame: int
    outside: bool
    keyframe: bool | None
    geometry: Geometry | None
    extra: dict[str, Any]


@dataclass(slots=True, eq=False)
class _Object:
    """One track: an object, and its shapes in order of their frames."""

    id: Any
    label: str
    task: Task
    shapes: list[_Shape] = field(default_factory=list)
    track: Track | None = None

    @property
    def step(self) -> int:
        """From one frame to the next."""
        return 1 if self.task.frames is None else self.task.frames.step

    @property
    def may_be_filled(self) -> bool:
        """Whether frames between two shapes are there: not where a task has some of them only."""
        return self.task.frames is None or self.task.all_known

    @property
    def last(self) -> int | None:
        """The last frame of the video, None where unknown."""
        frames = self.task.frames
        return frames[-1] if frames and self.task.all_known else None


def add_tracks(rows: Rows, root: Element, meta: Meta, number: int) -> None:
    """Add the tracks of a file.

    Parameters
    ----------
    rows : Rows
        Where to.
    root : Element
        The document.
    meta : Meta
        What it says of its tasks and labels.
    number : int
        Shapes met before.

    Raises
    ------
    ReadError
        The frames to fill are more than fit.
    """
    objects: list[_Object] = []
    for order, element in enumerate(one for one in root if one.tag == "track"):
        task = meta.task_of(element.get("task_id"))
        id = (element.get("id") or "").strip()
        known = int(id) if id.isascii() and id.isdigit() and len(id) < 16 else id or order
        one = _Object(known, (element.get("label") or "").strip(), task)
        number = _read_shapes(rows, one, element, meta.types, number)
        if one.shapes:
            _put_in_order(rows, one)
            objects.append(one)
    tracks = [(one.track, one.step) for one in objects if one.may_be_filled and one.track]
    whole = writes_every_frame(tracks)
    rows.shows_absence = not whole or any(one.outside for x in objects for one in x.shapes)
    if not whole:
        _refuse_too_many(rows, [one for one in objects if one.may_be_filled])
    for one in objects:
        if one.task.frames is not None and one.task.all_known:
            rows.all_frames(one.task)
        for shape in one.shapes:
            _add(rows, one, shape)
        if whole:
            _note_open_end(rows, one)
        elif one.may_be_filled:
            _add_filled(rows, one)


def _read_shapes(
    rows: Rows, one: _Object, element: Element, types: Mapping[str, str], number: int
) -> int:
    """Read the shapes of a track; those that are on no frame of the task are listed."""
    for shape in element:
        if shape.tag not in SHAPES:
            continue
        number += 1
        text = (shape.get("frame") or "").strip()
        digits = text.removeprefix("-")
        if (
            not digits.isascii()
            or not digits.isdigit()
            or len(digits) > 8
            or int(text) > LAST_FRAME
        ):
            message = f"track {one.id}: expected the number of a frame, found {text!r:.60}"
            rows.bad(number, "malformed", message, None)
            continue
        frame, outside = int(text), flag(shape.get("outside")) == 1
        frames = one.task.frames
        if frames is not None and frame not in frames:
            message = f"track {one.id}: frame {frame} is not among the frames {_words(frames)}"
            rows.bad(number, "bad_frame", message, None)
            continue
        given = flag(shape.get("keyframe"))
        keyframe = None if given is None else given == 1
        extra = {**told(shape, element), **attributes_of(shape, types)}
        geometry = None
        try:
            geometry = geometry_of(shape, one.label)
        except VertexError as error:
            if not outside:
                message = f"track {one.id}, {one.label!r}: {error.message}"
                rows.bad(number, error.kind, message, rows.frame(one.task, frame))
        one.shapes.append(_Shape(number, frame, outside, keyframe, geometry, extra))
    return number


def _words(frames: range) -> str:
    step = f", every {frames.step}" if frames.step > 1 else ""
    return f"{frames.start} to {frames[-1]}{step}" if frames else "(none)"


def _put_in_order(rows: Rows, one: _Object) -> None:
    """Sort the shapes of a track by their frames, and look at its keyframes."""
    order = [shape.frame for shape in one.shapes]
    first = one.shapes[0].number
    for before, after in zip(one.shapes, one.shapes[1:], strict=False):
        if after.frame < before.frame:
            message = f"track {one.id}: frame {after.frame} stands after frame {before.frame}"
            rows.note(after.number, "frames_out_of_order", message)
            one.shapes.sort(key=lambda shape: shape.frame)
            break
    keyframe = np.array([shape.keyframe is not False for shape in one.shapes])
    if not keyframe.any():
        message = f"track {one.id}: none of its {len(order)} shapes is a keyframe"
        rows.note(first, "no_keyframe", message)
    gone = [shape.outside or shape.geometry is None for shape in one.shapes]
    frame = np.array([shape.frame for shape in one.shapes], dtype=np.int64)
    one.track = Track(frame, np.array(gone), keyframe)


def _add(rows: Rows, one: _Object, shape: _Shape) -> None:
    """Add a shape as it stands; on its frame the object is there, or it is not."""
    image = rows.frame(one.task, shape.frame)
    if shape.geometry is None or shape.outside:
        return
    _try(rows, one, shape, shape.geometry, image, keyframe=shape.keyframe)


def _refuse_too_many(rows: Rows, objects: Sequence[_Object]) -> None:
    """Refuse a file of a few shapes that stand for millions, before any of them is made."""
    counts = [int(n_missing(one.track, one.last, one.step).sum()) for one in objects if one.track]
    most = max(_MOST_FILLED, sum(len(one.shapes) for one in objects))
    if sum(counts) <= most:
        return
    largest = max(counts)
    one = objects[counts.index(largest)]
    first, last = one.shapes[0].frame, one.shapes[-1].frame
    what = "the tracks leave more frames to be interpolated than can be read"
    expected = f"at most {most:,} frames between and after the shapes that are written"
    found = f"{sum(counts):,}, of which {largest:,} are of track {one.id}"
    found += f", which has {len(one.shapes)} shapes on frames {first} to {last}"
    hint = "see whether a frame number is wrong, or export the file with all shapes written out"
    raise ReadError(what, where=rows.path, expected=expected, found=found, hint=hint)


def _add_filled(rows: Rows, one: _Object) -> None:
    """Add the frames that CVAT would fill."""
    assert one.track is not None
    found = fill(one.track, one.last, one.step)
    columns = (column.tolist() for column in found)
    for left, right, frame, part in zip(*columns, strict=True):
        shape, other = one.shapes[left], one.shapes[right]
        assert shape.geometry is not None
        there = other.geometry or shape.geometry
        geometry = between(shape.geometry, there, part)
        if "rotation" in shape.extra or geometry.rotation:
            shape = _turned(shape, geometry.rotation)
        _try(rows, one, shape, geometry, rows.frame(one.task, frame), keyframe=False)


def _turned(shape: _Shape, rotation: float) -> _Shape:
    """Return a shape that says how far it is turned."""
    extra = {**shape.extra, "rotation": rotation}
    return _Shape(shape.number, shape.frame, False, False, shape.geometry, extra)


def _try(
    rows: Rows,
    one: _Object,
    shape: _Shape,
    geometry: Geometry,
    image: int,
    *,
    keyframe: bool | None,
) -> None:
    """Add a row, or list why it cannot be one."""
    try:
        rows.add(
            shape.number, geometry, one.label, image, shape.extra, track=one.id, keyframe=keyframe
        )
    except VertexError as error:
        message = f"track {one.id}, {one.label!r}: {error.message}"
        rows.bad(shape.number, error.kind, message, image)


def _note_open_end(rows: Rows, one: _Object) -> None:
    """List a track that stops before the video does, and does not say that the object is gone."""
    last, frames = one.shapes[-1], one.task.frames
    if last.outside or not frames or not one.task.all_known or last.frame == frames[-1]:
        return
    message = (
        f"track {one.id}: the last shape is on frame {last.frame} of {frames[-1]} and is not "
        "outside; the object counts as gone"
    )
    rows.note(last.number, "open_track", message, rows.frame(one.task, last.frame))
