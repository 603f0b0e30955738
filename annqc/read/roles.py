"""What the columns of a table stand for: synonyms, and which four say the box."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from annqc.errors import ReadError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ROLES", "Layout", "lay_out", "lays_out"]

_PLAIN: Final[dict[str, tuple[str, ...]]] = {
    "annotation_id": ("annotation_id", "ann_id", "id", "uuid", "annotation_uuid", "label_id"),
    "image_id": (
        "image_id",
        "image",
        "img_id",
        "img",
        "image_uuid",
        "item",
        "item_id",
        "task",
        "task_id",
        "unit",
        "unit_id",
        "asset_id",
    ),
    "file_name": (
        "file_name",
        "filename",
        "image_name",
        "image_path",
        "file",
        "file_path",
        "filepath",
        "path",
        "external_id",
    ),
    "sequence": ("sequence", "sequence_id", "video", "video_id", "seq"),
    "frame": ("frame", "frame_id", "frame_index", "frame_number"),
    "category": (
        "category",
        "category_name",
        "label",
        "label_name",
        "class",
        "class_name",
        "name",
        "object_class",
    ),
    "category_id": ("category_id", "class_id", "cls"),
    "track_id": ("track_id", "track", "tracker_id", "object_id", "instance_id"),
    "keyframe": ("keyframe", "is_keyframe", "key_frame"),
    "outside": ("outside", "is_outside"),
    "score": ("score", "confidence", "conf"),
    "is_crowd": ("is_crowd", "iscrowd", "crowd"),
    "is_ignored": ("is_ignored", "ignored", "ignore", "difficult"),
    "image_width": ("image_width", "img_width", "im_width", "image_w", "img_w"),
    "image_height": ("image_height", "img_height", "im_height", "image_h", "img_h"),
}
_POLYGON: Final = (
    "polygon",
    "polygons",
    "points",
    "points_xy",
    "segmentation",
    "vertices",
    "contour",
    "outline",
)
"""Columns of vertices."""
_RINGS: Final[dict[str, tuple[str, ...]]] = {
    "is_hole": ("is_hole", "hole", "exclusion"),
    "inclusion": ("inclusion", "is_inclusion"),
}
"""Columns that say which rings are holes, where there is a column of vertices."""


def _boxed(*names: str) -> tuple[str, ...]:
    """Return names as they are, and as names of sides of a box: x1, bbox_x1, box_x1, bb_x1."""
    return tuple(f"{before}{name}" for before in ("", "bbox_", "box_", "bb_") for name in names)


_X1: Final = (*_boxed("x1", "xmin", "x_min", "min_x", "left", "x_1"), "x0")
_Y1: Final = (*_boxed("y1", "ymin", "y_min", "min_y", "top", "y_1"), "y0")
_X: Final = _boxed("x")
_Y: Final = _boxed("y")
_W: Final = _boxed("w", "width")
_H: Final = _boxed("h", "height")
_BOX: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "xyxy": (
        (*_X1, *_X),
        (*_Y1, *_Y),
        _boxed("x2", "xmax", "x_max", "max_x", "right", "x_2"),
        _boxed("y2", "ymax", "y_max", "max_y", "bottom", "y_2"),
    ),
    "cxcywh": (
        _boxed("cx", "x_center", "center_x", "x_centre", "centre_x", "xc", "xcenter"),
        _boxed("cy", "y_center", "center_y", "y_centre", "centre_y", "yc", "ycenter"),
        _W,
        _H,
    ),
    "xywh": ((*_X, *_X1), (*_Y, *_Y1), _W, _H),
}
_WHOLE: Final = ("bbox", "box", "boxes", "bounding_box", "xyxy", "xywh", "cxcywh")
_CORNERS: Final = ("x1", "y1", "x2", "y2")

_SIDES_OF_BOX: Final = (*_CORNERS, "x", "y", "w", "h", "cx", "cy")

ROLES: Final = (*_PLAIN, "annotator", "bbox", *_SIDES_OF_BOX, "polygon", *_RINGS)
"""What a column can be said to stand for with ``columns=``."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column stands for what.

    Attributes
    ----------
    roles : dict of str to str
        Role -> column.
    box : tuple of str
        The four columns of the box, or the one that holds all four; none where the outline alone
        says where the object is.
    box_format : str
        What the four numbers mean.
    """

    roles: dict[str, str]
    box: tuple[str, ...]
    box_format: str


def lay_out(
    names: Iterable[str],
    said: Mapping[str, str],
    box_format: str | None,
    where: str,
    *,
    shapes: bool = False,
) -> Layout:
    """Find out which column stands for what.

    Parameters
    ----------
    names : iterable of str
        The columns.
    said : mapping of str to str
        What the user said: role -> column.
    box_format : str or None
        What the user said of the box.
    where : str
        The file, for messages.
    shapes : bool
        Whether a column of vertices beside a box is an outline, too. Without a box it always is.

    Raises
    ------
    UnknownNameError
        The user named a role or a column that does not exist.
    ReadError
        There is no image or no box, or more than one way to read the box.
    """
    names = [str(name) for name in names]
    for role, column in said.items():
        if role not in ROLES:
            kind = "role of a column"
            raise UnknownNameError.among(kind, role, ROLES, where="columns=")
        if column not in names:
            kind = "column"
            raise UnknownNameError.among(kind, column, names, where=where)
    free = {_plain(name): name for name in reversed(names) if name not in said.values()}
    polygon = said.get("polygon") or next((free[s] for s in _POLYGON if s in free), None)
    box, meaning = _box(said, free, box_format, where, names, outlined=polygon is not None)
    taken = set(box)
    roles = dict(said)
    if polygon is not None and (shapes or "polygon" in said or not box):
        roles["polygon"] = polygon
        taken.add(polygon)
        for role, synonyms in _RINGS.items():
            found = next((free[s] for s in synonyms if s in free and free[s] not in taken), None)
            if role not in roles and found is not None:
                roles[role] = found
                taken.add(found)
    for role, synonyms in _PLAIN.items():
        found = next((free[s] for s in synonyms if s in free and free[s] not in taken), None)
        if role not in roles and found is not None:
            roles[role] = found
            taken.add(found)
    for side in ("width", "height"):  # of the image, where the box has no use for them
        if side in free and free[side] not in taken and f"image_{side}" not in roles:
            roles[f"image_{side}"] = free[side]
    if not {"image_id", "file_name", "frame"} & set(roles):
        what = "the table does not say which image a row is about"
        expected = "a column image_id (or image, file_name, item, task; or sequence and frame)"
        raise _lacking(what, expected, where, names, "image_id")
    return Layout(roles, box, meaning)


def lays_out(names: Iterable[str]) -> bool:
    """Tell whether these look like the columns of a table of annotations, ambiguous or not."""
    free = {_plain(name) for name in names}
    images = {s for role in ("image_id", "file_name", "frame") for s in _PLAIN[role]}
    whole = not free.isdisjoint(_WHOLE)
    where = whole or not free.isdisjoint(_POLYGON) or any(_four(free, kind) for kind in _BOX)
    return not free.isdisjoint(images) and where


def _box(
    said: Mapping[str, str],
    free: Mapping[str, str],
    box_format: str | None,
    where: str,
    names: list[str],
    *,
    outlined: bool,
) -> tuple[tuple[str, ...], str]:
    """Return the columns of the box, and what they mean; none where an outline stands for it."""
    offered = {
        **free,
        **{role: column for role, column in said.items() if role in _WHOLE or role in _SIDES},
    }
    found = {
        kind: tuple(offered[name] for name in four)
        for kind in _BOX
        if (four := _four(offered, kind)) and (box_format is None or kind == box_format)
    }
    if "xyxy" in found and "xywh" in found:
        # x1 or left begins both: w and h beside four corners repeat the size, or are the image's.
        apart = set(found["xyxy"][:2]).isdisjoint(found["xywh"][:2])
        if not apart:
            del found["xywh"]
    if len(found) == 1:
        kind, columns = next(iter(found.items()))
        return columns, kind
    whole = next((offered[name] for name in _WHOLE if name in offered), None)
    if not found and whole is not None:
        meaning = box_format or (whole if whole in _BOX else None)
        if meaning is not None:
            return (whole,), meaning
        what = f"column {whole!r} does not say what its four numbers mean"
        raise _ambiguous(what, where, f"column {whole!r}")
    if found:
        what = "the box can be read in more than one way"
        ways = " or ".join(f"{kind} ({', '.join(columns)})" for kind, columns in found.items())
        raise _ambiguous(what, where, ways)
    if outlined and box_format is None:
        return (), "xyxy"
    what = "the table has no box"
    if box_format is not None:
        what = f"the table has no box as {box_format}"
    expected = "columns x1 y1 x2 y2 (or xmin ...), or x y w h, or cx cy w h, or polygon"
    raise _lacking(what, expected, where, names, "x1")


_SIDES: Final = frozenset(_SIDES_OF_BOX)


def _four(offered: Iterable[str], kind: str) -> tuple[str, ...]:
    """Return the four names that say a box in this way, or none."""
    have = set(offered)
    found = [next((name for name in synonyms if name in have), None) for synonyms in _BOX[kind]]
    return () if None in found else tuple(name for name in found if name is not None)


def _ambiguous(what: str, where: str, found: str) -> ReadError:
    """Build the error for a box that can be read in several ways."""
    hint = (
        "say xyxy, xywh or cxcywh with --box-format (box_format= in Python) or in [read] of a spec"
    )
    return ReadError(what, where=where, expected="one way", found=found, hint=hint)


def _lacking(what: str, expected: str, where: str, names: list[str], role: str) -> ReadError:
    """Build the error for a column that is not there."""
    found = "the columns " + ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    hint = (
        f"rename the column, or name yours: --columns {role}=YOURS (columns={{'{role}': 'YOURS'}} "
        f'in Python, columns = {{ {role} = "YOURS" }} in [read] of a spec)'
    )
    return ReadError(what, where=where, expected=expected, found=found, hint=hint)


def _plain(name: str) -> str:
    """Return a column name as it is compared: lower case with underscores, xMin as x_min."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", name.strip())
    return re.sub(r"[\s./-]+", "_", parted.lower())
