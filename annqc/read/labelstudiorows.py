"""The tasks and regions of one Label Studio file, gathered and laid out in columns."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from annqc.ids import ids_array, objects_array
from annqc.read.options import ANNOTATOR_FIELDS
from annqc.read.part import Part, problem, tidy
from annqc.read.vertices import VertexError, ellipse, vertices
from annqc.tables import Images, Shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from annqc.read.options import Options
    from annqc.tables import Problem, Source

    Floats = npt.NDArray[np.float64]

__all__ = ["Tasks"]

_NAN: Final = (math.nan,) * 4
_IMAGE_KEYS: Final = ("image", "img", "image_url", "url", "captioning", "ocr")
_ENDING: Final = re.compile(r"\.(?:jpe?g|png|webp|bmp|gif|tiff?|svg)$", re.IGNORECASE)
_UPLOADED: Final = re.compile(r"^[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of an image that is uploaded."""
_GEOMETRIES: Final = ("rectangle", "polygon", "ellipse")
_UNSUPPORTED: Final = {
    "brush": "a brush stroke",
    "bitmask": "a bit mask",
    "keypoint": "a keypoint",
    "vector": "a line",
    "videorectangle": "a region of a video",
    "magicwand": "a brush stroke",
    "timeseries": "a stretch of a time series",
}


class Tasks:
    """What is met in one file.

    Parameters
    ----------
    path : str
        The file.
    options : Options
        What the user says.
    predictions : bool
        Read the predictions, and not the annotations.
    """

    def __init__(self, path: str, options: Options, *, predictions: bool) -> None:
        self.path, self.predictions = path, predictions
        self._fields = [*ANNOTATOR_FIELDS, *([options.wanted] if options.wanted else [])]
        self._tells = [options.wanted] if options.wanted else [*ANNOTATOR_FIELDS]
        self.n_rows = 0
        self._problems: list[Problem] = []
        self._image_of: dict[Any, int] = {}
        self._names: list[str | None] = []
        self._sizes: list[tuple[float, float]] = []
        self._frames: list[tuple[Any, Any]] = []
        self._asked: list[tuple[Any, Any]] = []
        self._rows: list[dict[str, Any]] = []

    def add(self, row: int, task: Any) -> None:
        """Add a task with its annotations."""
        where = f"tasks[{row}]"
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict):
            self._bad(where, None, "malformed", f"expected a task with 'data', found {task!r:.60}")
            return
        name = _file_name(data)
        given = next(
            (one for one in (data.get("image_id"), task.get("id"), name) if _is_id(one)), row
        )
        image = self._image_of.setdefault(given, len(self._image_of))
        if image == len(self._names):
            self._names.append(name)
            self._sizes.append((math.nan, math.nan))
        several = task.get("predictions") if self.predictions else None
        if not self.predictions:
            several = task.get("annotations") or task.get("completions")
        for number, one in enumerate(several if isinstance(several, list) else ()):
            place = f"{where}.{'predictions' if self.predictions else 'annotations'}[{number}]"
            result = one.get("result") if isinstance(one, dict) else None
            if not isinstance(result, list):
                message = f"expected an object with a list 'result', found {one!r:.60}"
                self._bad(place, given, "malformed", message)
            elif not one.get("was_cancelled"):
                self._add_annotation(place, given, image, one)

    def _add_annotation(self, where: str, id: Any, image: int, one: dict[str, Any]) -> None:
        """Add the regions that one person drew on an image."""
        who = self._who(one)
        drawn_by = next((who[name] for name in self._tells if who.get(name) is not None), None)
        if drawn_by is not None and not self.predictions:
            self._asked.append((id, drawn_by))
        labels = _labels_by_region(one["result"])
        for number, region in enumerate(one["result"]):
            kind = region.get("type") if isinstance(region, dict) else None
            if kind in {"relation", "labels"}:
                continue  # a link between regions, or the label of a region that stands beside it
            try:
                self._add_region(region, kind, image, labels, who)
            except VertexError as error:
                self._bad(f"{where}.result[{number}]", id, error.kind, error.message)

    def _add_region(
        self, region: Any, kind: Any, image: int, labels: dict[Any, list[str]], who: dict[str, Any]
    ) -> None:
        """Add one region."""
        value = region.get("value") if isinstance(region, dict) else None
        if not isinstance(kind, str) or not isinstance(value, dict):
            message = f"expected a region with 'type' and 'value', found {region!r:.60}"
            raise VertexError(kind="malformed", message=message)
        shape = kind.removesuffix("labels")
        if shape in _UNSUPPORTED:
            what = "unsupported_shape"
            raise VertexError(what, f"{kind!r} is {_UNSUPPORTED[shape]}, which is not read")
        if shape not in _GEOMETRIES:
            raise VertexError(kind="no_geometry", message=f"{kind!r} says something of the image")
        named = _texts(value.get(kind)) or labels.get(region.get("id"), [])
        if not named:
            raise VertexError(kind="malformed", message="there is no label")
        if region.get("image_rotation") not in {None, 0, 360}:
            message = f"the image is turned by {region['image_rotation']!r:.10} degrees"
            raise VertexError(kind="unsupported_shape", message=message)
        size = _size(region)
        if size is None:
            message = "percent need the size of the image: 'original_width' and 'original_height'"
            raise VertexError(kind="malformed", message=message)
        box, ring = _geometry(shape, value, size)
        if math.isnan(self._sizes[image][0]):
            self._sizes[image] = size
        elif self._sizes[image] != size:
            first = self._sizes[image]
            message = f"{size[0]:g} x {size[1]:g} pixels here, {first[0]:g} x {first[1]:g} before"
            id = list(self._image_of)[image]
            self._problems.append(
                problem("size_mismatch", self.path, "a region", message, image_id=id)
            )
        score = region.get("score", value.get("score"))
        self._rows.append(
            {
                "row": self.n_rows,
                "image": image,
                "id": region.get("id") if _is_id(region.get("id")) else None,
                "label": named[0].strip(),
                "box": box,
                "ring": ring,
                "score": float(score) if type(score) in (int, float) else None,
                "extra": {
                    "labels": ", ".join(named) if len(named) > 1 else None,
                    "origin": region.get("origin"),
                    **_meta(region.get("meta")),
                    **who,
                },
            }
        )
        self.n_rows += 1

    def _who(self, one: dict[str, Any]) -> dict[str, Any]:
        """Return who drew: a field, or whoever completed it by e-mail address or number."""
        found = {name: one[name] for name in self._fields if _is_id(one.get(name))}
        person = one.get("completed_by")
        if isinstance(person, dict):
            by = next(
                (person[k] for k in ("email", "username", "id") if _is_id(person.get(k))), None
            )
            found["completed_by"] = by
        if self.predictions and _is_id(one.get("model_version")) and "annotator" not in found:
            found["annotator"] = one["model_version"]
        return found

    def _bad(self, where: str, id: Any, kind: str, message: str) -> None:
        self.n_rows += 1
        self._problems.append(problem(kind, self.path, where, message, image_id=id))

    def part(self, sources: list[Source]) -> Part:
        """Lay the rows out in columns."""
        rows, ids = self._rows, ids_array(list(self._image_of))
        image = np.array([one["image"] for one in rows], dtype=np.int64)
        size = np.array(self._sizes, dtype=np.float64).reshape(-1, 2)
        named = any(name is not None for name in self._names)
        extra = _columns([one["extra"] for one in rows])
        part = Part(
            sources=sources,
            where="region {}",
            n_rows=self.n_rows,
            id=objects_array([one["id"] for one in rows]),
            image_id=ids[image] if len(rows) else ids[:0],
            category=objects_array([one["label"] for one in rows]),
            xyxy=np.array([one["box"] for one in rows], dtype=np.float64).reshape(-1, 4),
            row=np.array([one["row"] for one in rows], dtype=np.int64),
            extra=extra,
            images=Images.build(
                ids,
                width=size[:, 0],
                height=size[:, 1],
                file_name=objects_array(self._names) if named else None,
            ),
            problems=self._problems,
            shapes=Shapes.from_rings([one["ring"] for one in rows]),
        )
        if any(one["score"] is not None for one in rows):
            part.score = np.array([one["score"] for one in rows], dtype=np.float64)
        if self._asked and len(self._asked) == len(set(self._asked)):
            on, who = zip(*self._asked, strict=True)
            part.assignments = ids_array(list(on)), ids_array(list(who))
        return part


def _geometry(
    shape: str, value: dict[str, Any], size: tuple[float, float]
) -> tuple[Sequence[float], list[Floats]]:
    """Return the box and the rings of a region in pixels; a plain box has no ring."""
    scale = np.array(size) / 100.0
    if shape == "polygon":
        points = value.get("points")
        if not isinstance(points, list):
            raise VertexError(kind="malformed", message="there are no points")
        return _NAN, [vertices(points) * scale]
    names = ("x", "y", *(("radiusX", "radiusY") if shape == "ellipse" else ("width", "height")))
    x, y, w, h = _numbers(value, names)
    (turn,) = _numbers({"rotation": value.get("rotation") or 0}, ("rotation",))
    angle = math.radians(turn)
    left, top, wide, high = x * scale[0], y * scale[1], w * scale[0], h * scale[1]
    if min(wide, high) < 0:
        raise VertexError(kind="negative_size", message="a side or a radius is below 0")
    if shape == "ellipse":
        return _NAN, [ellipse((left, top), (wide, high), angle)]
    if turn % 360 == 0:
        return (left, top, left + wide, top + high), []
    corners = np.array([(0, 0), (wide, 0), (wide, high), (0, high)])
    cos, sin = math.cos(angle), math.sin(angle)
    turned = corners @ np.array([[cos, sin], [-sin, cos]]) + (left, top)
    return _NAN, [turned]


def _numbers(value: dict[str, Any], names: tuple[str, ...]) -> list[float]:
    """Return finite numbers by name."""
    for name in names:
        if type(value.get(name)) not in (int, float):
            message = f"expected a number as {name}, found {value.get(name)!r:.60}"
            raise VertexError(kind="malformed", message=message)
    return [float(one) for one in vertices([(value[name], 0) for name in names])[:, 0]]


def _labels_by_region(result: list[Any]) -> dict[Any, list[str]]:
    """Return the labels that stand beside regions, by the id of the region."""
    found: dict[Any, list[str]] = {}
    for one in result:
        if isinstance(one, dict) and one.get("type") == "labels" and _is_id(one.get("id")):
            value = one.get("value")
            found[one["id"]] = _texts(value.get("labels")) if isinstance(value, dict) else []
    return found


def _file_name(data: dict[str, Any]) -> str | None:
    """Return the name of the image of a task, without what Label Studio adds to it."""
    name = data.get("file_name")
    if isinstance(name, str) and name:
        return name
    texts = {key: text for key, text in data.items() if isinstance(text, str) and text}
    keys = [*_IMAGE_KEYS, *(key for key, text in texts.items() if _ENDING.search(text))]
    given = next((texts[key] for key in keys if key in texts), None)
    if given is None:
        return None
    try:
        parts = urlsplit(given)
    except ValueError:
        return given
    local = parse_qs(parts.query).get("d")
    if parts.path.endswith("/local-files/") and local:
        return local[0].rsplit("/", 1)[-1]
    if not parts.scheme and not parts.netloc and not parts.path.startswith("/data/"):
        return given
    return _UPLOADED.sub("", unquote(parts.path).rsplit("/", 1)[-1]) or None


def _meta(meta: Any) -> dict[str, Any]:
    """Return what is noted of a region, simple values only; texts as one."""
    if not isinstance(meta, dict):
        return {}
    found = {str(k): v for k, v in meta.items() if isinstance(v, str | int | float)}
    texts = _texts(meta.get("text"))
    return found | ({"text": "; ".join(texts)} if texts else {})


def _columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Lay dictionaries out as columns, those that are empty left out."""
    names = dict.fromkeys(name for one in rows for name in one)
    columns = {name: [one.get(name) for one in rows] for name in names}
    return {
        name: tidy(column)
        for name, column in columns.items()
        if any(value is not None for value in column)
    }


def _size(region: dict[str, Any]) -> tuple[float, float] | None:
    """Return the size of the image, None where it is not two positive numbers."""
    sides: list[Any] = [region.get("original_width"), region.get("original_height")]
    if not all(type(side) in (int, float) and 0 < side < 1e9 for side in sides):
        return None
    return float(sides[0]), float(sides[1])


def _texts(given: Any) -> list[str]:
    """Return the texts of a list, empty where there are none."""
    return (
        [one for one in given if isinstance(one, str) and one.strip()]
        if isinstance(given, list)
        else []
    )


def _is_id(value: Any) -> bool:
    return (isinstance(value, str) and bool(value)) or type(value) is int
