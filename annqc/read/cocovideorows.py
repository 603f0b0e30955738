"""The videos and objects of one COCO file for video, laid out frame by frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from annqc.ids import ids_array, objects_array
from annqc.read.jsonrows import as_text
from annqc.read.jsontext import NOT_NUMBERS
from annqc.read.part import Part, problem, tidy
from annqc.tables import Images, Sequences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.read.options import Options
    from annqc.tables import Problem, Source

__all__ = ["Objects"]

_NAN: Final = (math.nan,) * 4
_ALONG: Final = ("bboxes", "segmentations")
_MOST_FRAMES: Final = 1_000_000
_KNOWN: Final = frozenset(
    "id video_id category_id iscrowd ignore score bboxes segmentations areas width height length "
    "area bbox segmentation".split()
)


class _Video(NamedTuple):
    """A video: what it is called, and the rows of its frames in the image table."""

    name: Any
    first: int
    length: int


class Objects:
    """What is met in one file.

    Parameters
    ----------
    path : str
        The file.
    options : Options
        What the user says.
    where : str
        How to name an annotation.
    """

    def __init__(self, path: str, options: Options, where: str) -> None:
        self.path, self.options, self.where = path, options, where
        self._problems: list[Problem] = []
        self._n_bad = 0
        self._videos: dict[Any, _Video] = {}
        self._names: set[Any] = set()
        self._frames: list[tuple[Any, int]] = []
        self._file_names: list[str | None] = []
        self._sizes: list[tuple[float, float]] = []
        self._categories: dict[Any, str] = {}
        self._image: list[int] = []
        self._boxes: list[Sequence[float]] = []
        self._category: list[Any] = []
        self._row: list[int] = []
        self._track: list[Any] = []
        self._marks: list[tuple[bool, bool, float | None]] = []
        self._extra: list[dict[str, Any]] = []
        self._outlines: list[Any] = []

    @property
    def n_rows(self) -> int:
        """Objects on frames, and annotations that cannot be read."""
        return len(self._row) + self._n_bad

    def add_video(self, row: int, video: Any) -> None:
        """Add a video and its frames."""
        where = f"videos[{row}]"
        id = video.get("id") if isinstance(video, dict) else None
        files = video.get("file_names") if isinstance(video, dict) else None
        length = len(files) if isinstance(files, list) else None
        if length is None and isinstance(video, dict):
            length = video.get("length")
        if not isinstance(id, str) and type(id) is not int:
            message = f"expected a video with an id, found {video!r:.60}"
        elif type(length) is not int or not 0 <= length < _MOST_FRAMES:
            message = f"expected file_names or a length, found {length!r:.60}"
        elif not isinstance(files, list) and len(self._frames) + length > _MOST_FRAMES:
            message = f"expected at most {_MOST_FRAMES:,} frames in all, found {length:,} more"
        elif id in self._videos:
            message = f"video {id!r} stands in the list already"
        else:
            name = video.get("name")
            name = name if isinstance(name, str) and name and name not in self._names else id
            size = _size(video)
            self._start(id, name, length, files if isinstance(files, list) else None, size)
            return
        self._n_bad += 1
        self._problems.append(problem("malformed", self.path, where, message))

    def _start(
        self, id: Any, name: Any, length: int, files: list[Any] | None, size: tuple[float, float]
    ) -> None:
        """Add the frames of a video."""
        self._videos[id] = _Video(name, len(self._frames), length)
        self._names.add(name)
        self._frames += [(name, k) for k in range(length)]
        named = files or [None] * length
        self._file_names += [one if isinstance(one, str) else None for one in named]
        self._sizes += [size] * length

    def add_category(self, category: Any) -> None:
        """Add a category."""
        id = category.get("id") if isinstance(category, dict) else None
        if isinstance(id, str) or type(id) is int:
            name = category.get("name")
            self._categories[id] = str(id if name is None else name)

    def add(self, row: int, one: Any, *, declared: bool) -> None:
        """Add an annotation: one row for each frame on which the object is.

        Parameters
        ----------
        row : int
            Its place in the list.
        one : object
            What stands there.
        declared : bool
            Whether the file lists its videos; else a video is as long as the lists along it.
        """
        wrong = self._wrong(one, declared=declared)
        if wrong is not None:
            kind, message = wrong
            id = one.get("id") if isinstance(one, dict) else None
            shown = id if isinstance(id, str) or type(id) is int else None
            where = self.where.format(row)
            self._n_bad += 1
            self._problems.append(problem(kind, self.path, where, message, annotation_id=shown))
            return
        boxes, outlines, id = one.get("bboxes"), one.get("segmentations"), one.get("id")
        video = self._videos[one["video_id"]]
        score = one.get("score")
        marks = (
            one.get("iscrowd") in (1, True),
            one.get("ignore") in (1, True),
            float(score) if type(score) in (int, float) else None,
        )
        extra = {
            name: value
            for name, value in one.items()
            if name not in _KNOWN and isinstance(value, bool | int | float | str)
        }
        track = id if isinstance(id, str) or type(id) is int else row
        for k in range(video.length):
            box = boxes[k] if boxes else None
            outline = outlines[k] if outlines else None
            if box is None and not outline:
                continue
            image = video.first + k
            try:
                sides = _NAN if box is None else _box(box)
            except ValueError as error:
                kind = "non_finite" if _not_finite(box) else "malformed"
                where = f"{self.where.format(row)}.bboxes[{k}]"
                frame = "/".join(map(str, self._frames[image]))
                one_bad = problem(kind, self.path, where, str(error), image_id=frame)
                self._problems.append(one_bad)
                self._n_bad += 1
                continue
            self._image.append(image)
            self._boxes.append(sides)
            self._category.append(one["category_id"])
            self._row.append(row)
            self._track.append(track)
            self._marks.append(marks)
            self._extra.append(extra)
            self._outlines.append(outline)

    def _wrong(self, one: Any, *, declared: bool) -> tuple[str, str] | None:
        """Return the kind of problem of an annotation and a message, None where it is sound."""
        if not isinstance(one, dict):
            return "malformed", f"expected an object, found {one!r:.60}"
        for name in ("video_id", "category_id"):
            if not isinstance(one.get(name), str) and type(one.get(name)) is not int:
                return "malformed", f"expected a {name}, found {one.get(name)!r:.60}"
        lists = {name: one[name] for name in _ALONG if one.get(name) is not None}
        for name, some in lists.items():
            if not isinstance(some, list):
                return "malformed", f"expected a list of {name}, found {some!r:.60}"
        if not any(lists.values()):
            return "no_geometry", "there are neither bboxes nor segmentations"
        id = one["video_id"]
        if id not in self._videos:
            if declared:
                return "unknown_image", f"video {id!r} is not in the list of videos"
            longest = max(map(len, lists.values()))
            self._start(id, id, longest, None, _canvas(one.get("segmentations")))
        length = self._videos[id].length
        for name, some in lists.items():
            if len(some) not in (0, length):
                return "malformed", f"expected {length} {name}, one a frame, found {len(some)}"
        return None

    def part(self, sources: list[Source]) -> Part:
        """Lay the rows out in columns."""
        ids = objects_array([f"{name}/{frame}" for name, frame in self._frames])
        image = np.array(self._image, dtype=np.int64)
        sizes = np.array(self._sizes, dtype=np.float64).reshape(-1, 2)
        crowd, ignored, score = ([one[k] for one in self._marks] for k in range(3))
        named = any(name is not None for name in self._file_names)
        names = dict.fromkeys(name for one in self._extra for name in one)
        part = Part(
            sources=sources,
            where=self.where,
            n_rows=self.n_rows,
            image_id=ids[image],
            category=ids_array(self._category),
            xyxy=np.array(self._boxes, dtype=np.float64).reshape(-1, 4),
            row=np.array(self._row, dtype=np.int64),
            track=ids_array(self._track) if self._track else None,
            taken=("id",),
            score=np.array(score, dtype=np.float64) if set(score) - {None} else None,
            crowd=np.array(crowd, dtype=bool) if any(crowd) else None,
            ignored=np.array(ignored, dtype=bool) if any(ignored) else None,
            extra={name: tidy([one.get(name) for one in self._extra]) for name in names},
            images=Images.build(
                ids,
                width=sizes[:, 0],
                height=sizes[:, 1],
                file_name=objects_array(self._file_names) if named else None,
                sequence=objects_array([name for name, _ in self._frames]),
                frame=np.array([frame for _, frame in self._frames], dtype=np.int64),
            ),
            sequences=Sequences.build(
                ids_array([video.name for video in self._videos.values()]),
                n_frames=np.array([video.length for video in self._videos.values()]),
            ),
            listed=np.stack([np.zeros(len(ids), dtype=np.int64), np.arange(len(ids))], axis=1),
            problems=self._problems,
            shows_absence=True,
        )
        if self._categories:
            category_names = objects_array(list(self._categories.values()))
            part.categories = ids_array(list(self._categories)), category_names
        if any(box is _NAN for box in self._boxes) or (
            self.options.shapes and any(one is not None for one in self._outlines)
        ):
            from annqc.read.cocoshapes import outlines

            texts = [as_text(one) for one in self._outlines]
            part.shapes, part.faults = outlines(texts)
        return part


def _box(box: Any) -> Sequence[float]:
    """Return a box as x1, y1, x2, y2."""
    if not isinstance(box, list) or len(box) != 4 or not all(type(v) in (int, float) for v in box):
        message = f"expected four numbers, found {box!r:.60}"
        raise ValueError(message)
    try:
        x, y, width, height = map(float, box)
    except OverflowError:
        message = f"a number is too large: {box!r:.60}"
        raise ValueError(message) from None
    return x, y, x + width, y + height


def _not_finite(box: Any) -> bool:
    """Whether a box has a NaN or an infinity, which stand as text."""
    return isinstance(box, list) and any(isinstance(v, str) and v in NOT_NUMBERS for v in box)


def _size(video: dict[str, Any]) -> tuple[float, float]:
    """Return width and height, NaN where they are not two positive numbers."""
    sides: list[Any] = [video.get("width"), video.get("height")]
    if not all(type(side) in (int, float) and 0 < side < math.inf for side in sides):
        return math.nan, math.nan
    return float(sides[0]), float(sides[1])


def _canvas(outlines: Any) -> tuple[float, float]:
    """Return the size of the first mask's canvas, NaN where there is none."""
    for one in outlines or ():
        size = one.get("size") if isinstance(one, dict) else None
        if (
            isinstance(size, list)
            and len(size) == 2
            and all(type(v) is int and v > 0 for v in size)
        ):
            return float(size[1]), float(size[0])
    return math.nan, math.nan
