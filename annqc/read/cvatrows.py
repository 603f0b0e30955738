"""The rows and images of one CVAT file, gathered and laid out in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.ids import ids_array, objects_array
from annqc.read.cvatshapes import drawn
from annqc.read.options import ANNOTATOR_FIELDS
from annqc.read.part import Part, problem, tidy
from annqc.read.xmltext import flag, number_or_none, whole_or_none
from annqc.tables import Images, Sequences, Shapes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

    import numpy.typing as npt

    from annqc.read.cvatmeta import Meta, Task
    from annqc.read.cvatshapes import Drawn, Geometry
    from annqc.read.options import Options
    from annqc.tables import Problem, Source

    Array = npt.NDArray[Any]

__all__ = ["Rows", "attributes_of", "told"]

_TAKEN: Final = frozenset(
    "id annotation_id image_id category category_id bbox area segmentation iscrowd ignore x1 y1 x2 "
    "y2 shape n_vertices track_id keyframe occluded z_order group_id source rotation".split()
)
"""What an attribute cannot be called, because a column of every data set, or of CVAT, is."""
_MARKS: Final = {"is_crowd": "crowd", "is_ignored": "ignored"}


def attributes_of(one: Element, types: Mapping[str, str]) -> dict[str, Any]:
    """Return the attributes of a shape, as the types that their labels give them.

    Parameters
    ----------
    one : Element
        The shape.
    types : mapping of str to str
        Attribute -> ``checkbox``, ``number``, or one of the kinds that are text.
    """
    found: dict[str, Any] = {}
    for attribute in one.findall("attribute"):
        name, text = (attribute.get("name") or "").strip(), (attribute.text or "").strip()
        if not name or not text:
            continue
        value: Any = text
        number = number_or_none(text)
        if types.get(name) == "checkbox":
            value = flag(text) == 1
        elif types.get(name) == "number" and number is not None:
            whole = whole_or_none(text) if text.lstrip("-").isdecimal() else None
            value = number if whole is None else whole
        found[f"attribute_{name}" if name in _TAKEN else name] = value
    return found


def told(one: Element, track: Element | None = None) -> dict[str, Any]:
    """Return what CVAT itself says of a shape."""
    found: dict[str, Any] = {"occluded": flag(one.get("occluded"))}
    for name in ("z_order", "group_id", "rotation"):
        text = one.get(name) or (None if track is None else track.get(name))
        value = number_or_none(text)
        if value:
            found[name] = int(value) if value.is_integer() else value
    source = one.get("source") or (None if track is None else track.get("source"))
    return {**found, "source": source}


class Rows:
    """What is met in one file.

    Parameters
    ----------
    path : str
        The file.
    options : Options
        What the user says.
    meta : Meta
        What the file says of itself.
    """

    def __init__(self, path: str, options: Options, meta: Meta) -> None:
        self.path, self.options, self.meta = path, options, meta
        self.problems: list[Problem] = []
        self.n_bad = 0
        self.shows_absence = False
        self._drawn: list[Drawn] = []
        self._labels: list[str] = []
        self._image: list[int] = []
        self._row: list[int] = []
        self._track: list[Any] = []
        self._keyframe: list[bool | None] = []
        self._extra: list[dict[str, Any]] = []
        self._ids: list[Any] = []
        self._file_names: list[str | None] = []
        self._sizes: list[tuple[float, float]] = []
        self._frames: list[tuple[str, int] | None] = []
        self._task: list[Task] = []
        self._frame_row: dict[tuple[str, int], int] = {}
        self._videos: dict[str, Task] = {}

    @property
    def n_rows(self) -> int:
        """Rows met, usable or not, and those that were filled."""
        return len(self._row) + self.n_bad

    def image(self, name: str, task: Task, size: tuple[float, float] | None) -> int:
        """Add an image, and return its row."""
        self._ids.append(name)
        self._file_names.append(name)
        self._sizes.append(size or self._told_size(name) or (np.nan, np.nan))
        self._frames.append(None)
        self._task.append(task)
        return len(self._ids) - 1

    def frame(self, task: Task, frame: int, size: tuple[float, float] | None = None) -> int:
        """Return the row of a frame, which is added where it is not there yet."""
        key = task.name, frame
        if key not in self._frame_row:
            id = f"{task.name}/{frame}"
            self._videos[task.name] = task
            self._frame_row[key] = len(self._ids)
            self._ids.append(id)
            self._file_names.append(None)
            self._sizes.append(size or task.size or self._told_size(id) or (np.nan, np.nan))
            self._frames.append(key)
            self._task.append(task)
        return self._frame_row[key]

    def all_frames(self, task: Task) -> None:
        """Add every frame of a task."""
        for frame in task.frames or ():
            self.frame(task, frame)

    def bad(self, number: int, kind: str, message: str, image: int | None) -> None:
        """Note a shape that cannot be read."""
        self.n_bad += 1
        self.note(number, kind, message, image)

    def note(self, number: int, kind: str, message: str, image: int | None = None) -> None:
        """List what is odd about a shape."""
        id = None if image is None else self._ids[image]
        where = f"shape {number}"
        self.problems.append(problem(kind, self.path, where, message, image_id=id))

    def add(
        self,
        number: int,
        geometry: Geometry,
        label: str,
        image: int,
        extra: dict[str, Any],
        *,
        track: Any = None,
        keyframe: bool | None = None,
    ) -> None:
        """Add a row.

        Raises
        ------
        VertexError
            The shape cannot be placed on its image.
        """
        width, height = self._sizes[image]
        size = (width, height) if width > 0 and height > 0 else None
        self._drawn.append(drawn(geometry, size))
        self._labels.append(label)
        self._image.append(image)
        self._row.append(number)
        self._track.append(track)
        self._keyframe.append(keyframe)
        self._extra.append(extra)

    def part(self, sources: list[Source]) -> Part:
        """Lay the rows out in columns."""
        n = len(self._row)
        ids = objects_array(self._ids)
        image = np.array(self._image, dtype=np.int64)
        extra = self._columns()
        scores = extra.get("score")
        scored = scores is not None and all(type(one) in (int, float, type(None)) for one in scores)
        marks = {name: extra.pop(name, None) for name in _MARKS}
        part = Part(
            sources=sources,
            where="shape {}",
            n_rows=self.n_rows,
            image_id=ids[image],
            category=objects_array(self._labels),
            xyxy=np.array([one.box for one in self._drawn], dtype=np.float64).reshape(-1, 4),
            row=np.array(self._row, dtype=np.int64),
            score=np.array(extra.pop("score"), dtype=np.float64) if scored else None,
            images=self._images(ids),
            sequences=self._sequences(),
            listed=np.stack([np.zeros(len(ids), dtype=np.int64), np.arange(len(ids))], axis=1),
            problems=self.problems,
            shows_absence=self.shows_absence,
        )
        for name, column in marks.items():
            if column is not None:
                setattr(part, _MARKS[name], np.array([one is True for one in column], dtype=bool))
        self._add_annotators(part, extra)
        part.extra = {name: tidy(column) for name, column in extra.items()}
        if self.meta.labels is not None:
            names = objects_array(self.meta.labels)
            part.categories = names, names
        if any(one is not None for one in self._track):
            part.track = objects_array(self._track)
            part.taken = ("track_id",)
        if n and any(one is not None for one in self._keyframe):
            part.keyframe = np.array([one is not False for one in self._keyframe], dtype=bool)
        if any(one.rings or one.runs is not None for one in self._drawn):
            rings = Shapes.from_rings([one.rings for one in self._drawn])
            runs, canvas = ([getattr(one, k) for one in self._drawn] for k in ("runs", "canvas"))
            part.shapes = Shapes.mixed(rings, Shapes.from_runs(runs, canvas))
        return part

    def _columns(self) -> dict[str, list[Any]]:
        """Return what rows say beside their shape, by name; columns that hold nothing are out."""
        names = dict.fromkeys(name for one in self._extra for name in one)
        columns = {name: [one.get(name) for one in self._extra] for name in names}
        return {
            name: column
            for name, column in columns.items()
            if any(value is not None for value in column)
        }

    def _add_annotators(self, part: Part, extra: dict[str, list[Any]]) -> None:
        """Take the assignees of the tasks as annotators, unless rows say who drew them."""
        tasks = self._task
        named = any(name.lower() in ANNOTATOR_FIELDS for name in extra)
        if named or not tasks or any(task.assignee is None for task in tasks):
            return
        extra["annotator"] = [tasks[image].assignee for image in self._image]
        if self.options.wanted in (None, "annotator", "stem", "parent"):
            assert part.images is not None
            part.assignments = part.images.id, objects_array([task.assignee for task in tasks])

    def _images(self, ids: Array) -> Images:
        """Lay out the image table."""
        frames = self._frames
        sizes = np.array(self._sizes, dtype=np.float64).reshape(-1, 2)
        is_video = any(one is not None for one in frames)
        named = any(name is not None for name in self._file_names)
        return Images.build(
            ids,
            width=sizes[:, 0],
            height=sizes[:, 1],
            file_name=objects_array(self._file_names) if named else None,
            sequence=objects_array([one and one[0] for one in frames]) if is_video else None,
            frame=np.array([-1 if one is None else one[1] for one in frames]) if is_video else None,
        )

    def _sequences(self) -> Sequences | None:
        """Lay out the table of videos."""
        if not self._videos:
            return None
        least: dict[str, int] = {}
        for name, frame in self._frame_row:
            least[name] = min(frame, least.get(name, frame))
        known = [task.frames for task in self._videos.values()]
        return Sequences.build(
            ids_array(list(self._videos)),
            first_frame=np.array(
                [one[0] if one else least[name] for name, one in zip(least, known, strict=True)]
            ),
            n_frames=np.array([one[-1] - one[0] + 1 if one else -1 for one in known]),
        )

    def _told_size(self, name: str) -> tuple[float, float] | None:
        return self.options.sizes.of(name) if self.options.sizes else None
