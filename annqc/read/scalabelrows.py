"""The frames and labels of one Scalabel file, gathered and laid out in columns."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.ids import ids_array, objects_array
from annqc.read.jsontext import NOT_NUMBERS
from annqc.read.part import Part, problem, tidy
from annqc.read.scalabelshapes import outline_of, outlines_of
from annqc.read.vertices import VertexError
from annqc.tables import Images, Sequences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from annqc.read.options import Options
    from annqc.tables import Problem, Source

__all__ = ["Frames"]

_NAN: Final = (math.nan,) * 4
_SIDES: Final = ("x1", "y1", "x2", "y2")
_LONGEST: Final = 1 << 53
_NUMBER: Final = re.compile(r"[-_./]?\d*\.\w+$")
"""The number of a frame, and the ending, of the name of an image file."""
_OTHER: Final = {"box3d": "a box in space", "graph": "a graph of keypoints"}


class Frames:
    """What is met in one file.

    Parameters
    ----------
    path : str
        The file.
    options : Options
        What the user says.
    config : object
        What stands under ``config``.
    """

    def __init__(self, path: str, options: Options, config: Any) -> None:
        self.path, self.options = path, options
        config = config if isinstance(config, dict) else {}
        self._names = list(dict.fromkeys(_leaves(config.get("categories"))))
        self._size = _size(config.get("imageSize"))
        self._problems: list[Problem] = []
        self._n_labels = 0
        self._ids: list[Any] = []
        self._file_names: list[str | None] = []
        self._sizes: list[tuple[float, float]] = []
        self._frame: list[tuple[str, int] | None] = []
        self._of_frame: list[dict[str, Any]] = []
        self._boxes: list[Sequence[float]] = []
        self._labels: list[str] = []
        self._image: list[int] = []
        self._row: list[int] = []
        self._track: list[Any] = []
        self._keyframe: list[Any] = []
        self._score: list[float | None] = []
        self._extra: list[dict[str, Any]] = []
        self._outlines: list[Any] = []

    @property
    def n_rows(self) -> int:
        """Labels met, readable or not."""
        return self._n_labels

    def add(self, row: int, frame: Any) -> None:
        """Add a frame with its labels."""
        where = f"frames[{row}]"
        if not isinstance(frame, dict):
            message = f"expected an object, found {frame!r:.60}"
            self._n_labels += 1
            self._problems.append(problem("malformed", self.path, where, message))
            return
        labels = frame.get("labels")
        name, video = _text(frame, "name"), _text(frame, "videoName", "video_name")
        index = _first(frame, "frameIndex", "frame_index")
        numbered = type(index) is int and abs(index) < _LONGEST
        of_video = (video, int(index)) if video is not None and numbered else None
        id = name if video is None or name is None else f"{video}/{name}"
        id = id if of_video is None else f"{video}/{index}"
        if id is None or not isinstance(labels, list | None):
            what = (
                "there is no name" if id is None else f"expected a list of labels: {labels!r:.60}"
            )
            self._n_labels += 1
            self._problems.append(problem("malformed", self.path, where, what, image_id=id))
            return
        self._ids.append(id)
        self._file_names.append(name)
        self._sizes.append(_size(frame.get("size")) or self._size or (math.nan, math.nan))
        self._frame.append(of_video)
        self._of_frame.append(_scalars(frame.get("attributes")))
        for label in labels or ():
            self._n_labels += 1
            try:
                self._add_label(label, in_video=of_video is not None)
            except VertexError as error:
                place = f"{where}, label {self._n_labels}"
                kind, message = error.kind, error.message
                self._problems.append(problem(kind, self.path, place, message, image_id=id))

    def _add_label(self, label: Any, *, in_video: bool) -> None:
        """Add one label of the last frame."""
        if not isinstance(label, dict):
            raise VertexError(kind="malformed", message=f"expected an object, found {label!r:.60}")
        category = label.get("category")
        if not isinstance(category, str) or not category.strip():
            raise VertexError(
                kind="malformed", message=f"expected a category, found {category!r:.60}"
            )
        polygons = label.get("poly2d") or None
        outline: Any = polygons or label.get("rle") or None
        box = label.get("box2d")
        if box is None and outline is None:
            other = next((words for key, words in _OTHER.items() if label.get(key)), None)
            kind = "no_geometry" if other is None else "unsupported_shape"
            what = "without a shape or a box" if other is None else f"{other}, which is not read"
            raise VertexError(kind, f"{category!r} is {what}")
        if isinstance(polygons, list):
            outline = outline_of(category, polygons, boxed=box is not None)
        sides = _NAN if box is None else _box(box)
        attributes = _scalars(label.get("attributes"))
        id = label.get("id")
        given = id if isinstance(id, str) or type(id) is int else None
        score: Any = label.get("score")
        self._boxes.append(sides)
        self._labels.append(category.strip())
        self._image.append(len(self._ids) - 1)
        self._row.append(self._n_labels)
        self._track.append(given if in_video else None)
        self._keyframe.append(label.get("manualShape") if in_video else None)
        self._score.append(float(score) if type(score) in (int, float) else None)
        self._extra.append(attributes if in_video else {"label_id": given, **attributes})
        self._outlines.append(outline)

    def part(self, sources: list[Source]) -> Part:
        """Lay the rows out in columns."""
        self._tell_cameras_apart()
        ids, image = ids_array(self._ids), np.array(self._image, dtype=np.int64)
        extra = _columns(self._extra)
        crowd, ignored = (extra.pop(name, None) for name in ("crowd", "ignored"))
        scored = any(score is not None for score in self._score)
        part = Part(
            sources=sources,
            where="label {}",
            n_rows=self._n_labels,
            image_id=ids[image] if len(image) else ids[:0],
            category=objects_array(self._labels),
            xyxy=np.array(self._boxes, dtype=np.float64).reshape(-1, 4),
            row=np.array(self._row, dtype=np.int64),
            score=np.array(self._score, dtype=np.float64) if scored else None,
            crowd=None if crowd is None else np.array(list(map(bool, crowd))),
            ignored=None if ignored is None else np.array(list(map(bool, ignored))),
            extra={name: tidy(column) for name, column in extra.items()},
            images=self._images(),
            sequences=self._sequences(),
            listed=np.stack([np.zeros(len(ids), dtype=np.int64), np.arange(len(ids))], axis=1),
            problems=self._problems,
        )
        if self._names and not self.options.categories:
            names = objects_array(self._names)
            part.categories = names, names
        if any(one is not None for one in self._track):
            part.track = objects_array(self._track)
            part.taken = ("track_id",)
        if self._keyframe and all(type(one) is bool for one in self._keyframe):
            part.keyframe = np.array(self._keyframe, dtype=bool)
        boxless = any(math.isnan(box[0]) and box is _NAN for box in self._boxes)
        if (self.options.shapes and any(self._outlines)) or boxless:
            part.shapes, part.faults = outlines_of(self._outlines)
        return part

    def _tell_cameras_apart(self) -> None:
        """Name videos anew that have a frame twice, under different file names: several cameras."""
        names: dict[tuple[str, int], set[Any]] = {}
        for key, name in zip(self._frame, self._file_names, strict=True):
            if key is not None:
                names.setdefault(key, set()).add(name)
        shared = {key[0] for key, some in names.items() if len(some) > 1}
        for row, (key, name) in enumerate(zip(self._frame, self._file_names, strict=True)):
            if key is not None and key[0] in shared and name is not None:
                camera = _NUMBER.sub("", name) or key[0]
                self._frame[row] = camera, key[1]
                self._ids[row] = f"{camera}/{key[1]}"

    def _images(self) -> Images:
        """Lay out the image table."""
        sizes = np.array(self._sizes, dtype=np.float64).reshape(-1, 2)
        video = any(one is not None for one in self._frame)
        named = any(name is not None for name in self._file_names)
        return Images.build(
            ids_array(self._ids),
            width=sizes[:, 0],
            height=sizes[:, 1],
            file_name=objects_array(self._file_names) if named else None,
            sequence=objects_array([one and one[0] for one in self._frame]) if video else None,
            frame=np.array([one[1] if one else -1 for one in self._frame]) if video else None,
            extra={name: tidy(one) for name, one in _columns(self._of_frame).items()},
        )

    def _sequences(self) -> Sequences | None:
        """Lay out the table of videos; how long they are the format does not say."""
        frames = [one for one in self._frame if one is not None]
        first: dict[str, int] = {}
        for name, frame in frames:
            first[name] = min(frame, first.get(name, frame))
        if not frames:
            return None
        return Sequences.build(ids_array(list(first)), first_frame=np.array(list(first.values())))


def _box(box: Any) -> Sequence[float]:
    """Return a box: its last pixel is inside."""
    given: list[Any] = [box.get(side) for side in _SIDES] if isinstance(box, dict) else []
    wrong = [value for value in given if type(value) not in (int, float)]
    if len(given) != 4 or wrong:
        kind = "non_finite" if wrong and wrong[0] in NOT_NUMBERS else "malformed"
        raise VertexError(kind, f"expected x1, y1, x2 and y2 as numbers, found {box!r:.80}")
    try:
        x1, y1, x2, y2 = map(float, given)
    except OverflowError:
        raise VertexError(
            kind="out_of_range", message=f"a number is too large: {box!r:.80}"
        ) from None
    return x1, y1, x2 + 1, y2 + 1


def _leaves(categories: Any) -> Iterator[str]:
    """Yield the names in a tree of categories, those of branches too."""
    todo = list(categories) if isinstance(categories, list) else []
    while todo:
        one = todo.pop(0)
        if isinstance(one, dict):
            if isinstance(one.get("name"), str):
                yield one["name"]
            below = one.get("subcategories")
            todo = [*(below if isinstance(below, list) else ()), *todo]


def _size(given: Any) -> tuple[float, float] | None:
    """Return the size of an image, None where it is not two positive numbers."""
    if not isinstance(given, dict):
        return None
    sides: list[Any] = [given.get(side) for side in ("width", "height")]
    if not all(type(s) in (int, float) and 0 < s < _LONGEST for s in sides):
        return None
    return float(sides[0]), float(sides[1])


def _scalars(given: Any) -> dict[str, Any]:
    """Return the numbers, texts and booleans of an object."""
    if not isinstance(given, dict):
        return {}
    return {
        name: value for name, value in given.items() if isinstance(value, bool | int | float | str)
    }


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return what rows say, by name; columns that hold nothing are out."""
    names = dict.fromkeys(name for one in rows for name in one)
    columns = {name: [one.get(name) for one in rows] for name in names}
    return {name: one for name, one in columns.items() if any(value is not None for value in one)}


def _first(given: dict[str, Any], *names: str) -> Any:
    """Return what stands under the first of the names that has something."""
    return next((given[name] for name in names if given.get(name) is not None), None)


def _text(given: dict[str, Any], *names: str) -> str | None:
    """Return a text or a number as text, None where there is none."""
    found = _first(given, *names)
    return str(found).strip() or None if isinstance(found, str) or type(found) is int else None
