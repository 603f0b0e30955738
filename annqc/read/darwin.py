"""V7 Darwin JSON, versions 1.0 and 2.0 -> `Part`: one file an image.

Coordinates are continuous pixels and are taken as they stand. The paths of a polygon follow the
even-odd rule: a path inside another is a hole. An ellipse becomes a polygon. Tags say something of
the whole image and have no geometry; they are listed and left out, as are lines, keypoints, raster
layers, and annotations on several frames or slots.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import ReadError
from annqc.read.filepart import Gathered, all_of, image_names
from annqc.read.jsonrows import read_json
from annqc.read.options import ANNOTATOR_FIELDS
from annqc.read.registry import NO, SURE, register_reader
from annqc.read.vertices import VertexError, box_around, ellipse, vertices
from annqc.tables import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from annqc.read.heads import Head
    from annqc.read.options import Options
    from annqc.read.part import Part

    Floats = npt.NDArray[np.float64]

_WIDEST: Final = 1e9
_GEOMETRIES: Final = ("polygon", "complex_polygon", "ellipse", "bounding_box")
_UNSUPPORTED: Final = {
    "line": "a line",
    "keypoint": "a keypoint",
    "skeleton": "a skeleton",
    "cuboid": "a cuboid",
    "eye": "an eye",
    "simple_table": "a table",
    "graph": "a graph",
    "string": "a string",
    "mask": "a mask in a raster layer",
    "raster_layer": "a raster layer",
    "frames": "a track over frames",
}


def sniff(head: Head) -> int:
    """Tell Darwin by its keys: annotations beside one image or one item."""
    outline = head.outline
    if outline is None or outline.top != "{":
        return NO
    keys, first = outline.keys, set(outline.first.get("annotations", ()))
    if keys.get("annotations") == "[" and "image_id" not in first:
        if keys.get("image") == "{" or keys.get("item") == "{":
            return SURE
        if "name" in first and first & {*_GEOMETRIES, *_UNSUPPORTED, "tag"}:
            return SURE
    return SURE if keys.get("item") == "{" and "schema_ref" in keys else NO


@register_reader(
    "darwin",
    suffixes=(".json",),
    sniff=sniff,
    expects="V7 Darwin JSON, one file an image: an object with 'image' or 'item', and "
    "'annotations' of 'name' and 'polygon' or 'bounding_box'",
)
def read(paths: Sequence[Path], options: Options, tick: Callable[[Path], None]) -> list[Part]:
    """Read Darwin files, one part for all."""
    rows = Gathered("darwin", "annotations[{}]", options.named)
    outlines: list[list[Floats]] = []
    errors: list[ReadError] = []
    fields = [*ANNOTATOR_FIELDS, *([options.wanted] if options.wanted else [])]
    for path, id in zip(paths, image_names(paths, options.named), strict=True):
        try:
            document = _checked(read_json(path), path)
        except ReadError as error:
            errors.append(error)
        else:
            _add_image(rows, outlines, document, path, id, fields)
        tick(path)
    if errors:
        raise all_of(errors, len(paths))
    part = rows.part()
    part.shapes, part.fill = Shapes.from_rings(outlines), "even_odd"
    return [part]


@dataclass(slots=True)
class _Document:
    """What a file says: the image, and annotations as they stand."""

    annotations: list[Any]
    file_name: str | None = None
    size: tuple[float, float] | None = None
    slot: str | None = None
    told: dict[str, Any] = field(default_factory=dict)


def _checked(document: Any, path: Path) -> _Document:
    """Find the parts of a document in either version."""
    expected = "an object with 'image' or 'item', and 'annotations', a list"
    what = "the JSON is not V7 Darwin"
    if not isinstance(document, dict):
        found = f"a {type(document).__name__}"
        raise ReadError(what, where=str(path), expected=expected, found=found)
    annotations = document.get("annotations", [])
    about = document.get("item") or document.get("image")
    if not isinstance(annotations, list) or not isinstance(about, dict):
        found = "the keys " + (", ".join(map(repr, list(document)[:8])) or "(none)")
        raise ReadError(what, where=str(path), expected=expected, found=found)
    if "item" not in document:
        name = about.get("original_filename") or about.get("filename")
        size = _size(about)
        return _Document(annotations, name if isinstance(name, str) else None, size, told=document)
    slots = [one for one in _list(about.get("slots")) if isinstance(one, dict)]
    first = slots[0] if slots else {}
    name = about.get("name")
    named = first.get("slot_name") if len(slots) > 1 else None
    file_name = name if isinstance(name, str) else None
    return _Document(annotations, file_name, _size(first), named, told=document)


def _add_image(
    rows: Gathered,
    outlines: list[list[Floats]],
    document: _Document,
    path: Path,
    id: str,
    fields: list[str],
) -> None:
    """Add the annotations of one image."""
    rows.add_file(path, id, document.file_name, document.size)
    for number, one in enumerate(document.annotations):
        if not isinstance(one, dict):
            rows.bad(number, "malformed", f"expected an object, found {one!r:.60}")
            continue
        name = one.get("name")
        if not isinstance(name, str) or not name.strip():
            rows.bad(number, "malformed", "there is no name")
            continue
        slots = _list(one.get("slot_names"))
        if document.slot is not None and slots and document.slot not in slots:
            rows.bad(number, "unsupported_shape", f"{name!r} is on another slot than the first")
            continue
        try:
            box, rings = _geometry(one)
        except VertexError as error:
            rows.bad(number, error.kind, error.message)
            continue
        rows.add(number, box, name.strip(), score=_score(one), extra=_extra(one, document, fields))
        outlines.append(rings)
    rows.end_file(len(document.annotations))


def _geometry(one: dict[str, Any]) -> tuple[Sequence[float], list[Floats]]:
    """Return the box and the rings of an annotation; a box alone has no ring."""
    for key, words in _UNSUPPORTED.items():
        if one.get(key) is not None:
            kind = "unsupported_shape"
            raise VertexError(kind, f"{one['name']!r} is {words}, which is not read")
    given = next((key for key in _GEOMETRIES if one.get(key) is not None), None)
    if given is None:
        what = "a tag of the whole image" if "tag" in one else "without a shape or a box"
        raise VertexError(kind="no_geometry", message=f"{one['name']!r} is {what}")
    rings: list[Floats] = []
    if given in ("polygon", "complex_polygon"):
        rings = _rings(one[given], given)
    elif given == "ellipse":
        rings = [_ellipse(one[given])]
    frame = one.get("bounding_box")
    if frame is None:
        corners = [box_around(ring) for ring in rings]
        x1, y1, x2, y2 = zip(*corners, strict=True)
        return (min(x1), min(y1), max(x2), max(y2)), rings
    x, y, w, h = _numbers(frame, "bounding_box", ("x", "y", "w", "h"))
    return (x, y, x + w, y + h), rings


def _rings(polygon: Any, key: str) -> list[Floats]:
    """Return the paths of a polygon: 1.0 has ``path``, of vertices or of paths, 2.0 ``paths``."""
    path = _of(
        polygon, key, "paths" if isinstance(polygon, dict) and "paths" in polygon else "path"
    )
    nested = bool(path) and isinstance(path[0], list)
    rings = [vertices(_pairs(ring)) for ring in (path if nested else [path])]
    rings = [ring for ring in rings if len(ring)]
    if not rings:
        raise VertexError(kind="malformed", message=f"{key} has no vertex")
    return rings


def _pairs(path: Any) -> list[tuple[Any, Any]]:
    """Return the vertices of a path as pairs of whatever stands there."""
    if not isinstance(path, list):
        raise VertexError(kind="malformed", message=f"expected a path, found {path!r:.60}")
    for one in path:
        if not isinstance(one, dict):
            message = f"expected a vertex with x and y, found {one!r:.60}"
            raise VertexError(kind="malformed", message=message)
    return [(one.get("x"), one.get("y")) for one in path]


def _ellipse(given: Any) -> Floats:
    """Return an ellipse as vertices."""
    centre = _numbers(_member(given, "ellipse", "center"), "center", ("x", "y"))
    radii = _numbers(_member(given, "ellipse", "radius"), "radius", ("x", "y"))
    (angle,) = _numbers({"angle": given.get("angle", 0)}, "ellipse", ("angle",))
    if min(radii) < 0:
        raise VertexError(
            kind="negative_size", message=f"expected radii above 0, found {min(radii):g}"
        )
    return ellipse(centre, radii, angle)


def _numbers(given: Any, key: str, names: tuple[str, ...]) -> list[float]:
    """Return finite numbers of an object by name."""
    found = [_member(given, key, name) for name in names]
    for name, value in zip(names, found, strict=True):
        if type(value) not in (int, float):
            message = f"expected a number as {name} of {key}, found {value!r:.60}"
            raise VertexError(kind="malformed", message=message)
    return [float(value) for value in vertices([(value, 0) for value in found])[:, 0]]


def _of(given: Any, key: str, name: str) -> list[Any]:
    """Return a list in an object."""
    found = _member(given, key, name)
    if not isinstance(found, list):
        raise VertexError(
            kind="malformed", message=f"expected a list as {name} of {key}, found {found!r:.60}"
        )
    return found


def _member(given: Any, key: str, name: str) -> Any:
    """Return what stands in an object under a name."""
    if not isinstance(given, dict) or given.get(name) is None:
        raise VertexError(kind="malformed", message=f"{key} has no {name}")
    return given[name]


def _extra(one: dict[str, Any], document: _Document, fields: list[str]) -> dict[str, Any]:
    """Return attributes, the instance, and who drew."""
    attributes = [text for text in _list(one.get("attributes")) if isinstance(text, str)]
    instance = one.get("instance_id")
    value = instance.get("value") if isinstance(instance, dict) else instance
    who = {name: one.get(name, document.told.get(name)) for name in fields}
    people = [person for person in _list(one.get("annotators")) if isinstance(person, dict)]
    if people and who.get("annotator") is None:
        # The first is who made it, others corrected it.
        who["annotator"] = people[0].get("email") or people[0].get("full_name")
    return {
        "attributes": ", ".join(sorted(attributes)) or None,
        "instance_id": value if isinstance(value, (int, str)) else None,
        **{name: text for name, text in who.items() if isinstance(text, (str, int))},
    }


def _score(one: dict[str, Any]) -> float | None:
    """Return the confidence of a model."""
    inference = one.get("inference")
    found = inference.get("confidence") if isinstance(inference, dict) else None
    if not isinstance(found, (int, float)) or isinstance(found, bool):
        return None
    return float(found) if 0 <= found <= 1 else None


def _size(given: dict[str, Any]) -> tuple[float, float] | None:
    """Return the size of the image, None where it is not two positive numbers."""
    sides: list[Any] = [given.get("width"), given.get("height")]
    if not all(type(side) in (int, float) and 0 < side < _WIDEST for side in sides):
        return None
    return float(sides[0]), float(sides[1])


def _list(given: Any) -> list[Any]:
    """Return a list, empty where there is none."""
    return given if isinstance(given, list) else []
