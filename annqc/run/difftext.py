"""run: changes in words."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from annqc.ids import objects_array

if TYPE_CHECKING:
    from annqc.tables import Array

__all__ = ["change_texts"]


def change_texts(columns: dict[str, Array], *, by_whom: bool) -> Array:
    """Say each change in one sentence.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.diff.Diff.change_columns`.
    by_whom : bool
        Name the annotator.
    """
    names = list(columns)
    rows = zip(*(columns[name].tolist() for name in names), strict=True)
    return objects_array([_text(dict(zip(names, row, strict=True)), by_whom) for row in rows])


def _text(row: dict[str, Any], by_whom: bool) -> str:  # noqa: FBT001
    who = f"{_first(row['annotator'], row['new_annotator'])}, " if by_whom else ""
    return f"{who}{_where(row)}: {_what(row)}"


def _where(row: dict[str, Any]) -> str:
    """Name the place: the frames of a track, or the image."""
    parts = []
    if row["first_frame"] is None:
        parts.append(f"image {_first(row['file_name'], row['image_id'])}")
    elif row["sequence"] is not None:
        parts.append(str(row["sequence"]))
    track = _first(row["track_id"], row["new_track_id"])
    if track is not None:
        parts.append(f"track {track}")
    first, last = row["first_frame"], row["last_frame"]
    if first is not None:
        parts.append(f"frame {first}" if first == last else f"frames {first} to {last}")
    if track is None:
        label = _first(row["category"], row["new_category"])
        id = _first(row["annotation_id"], row["new_annotation_id"])
        parts.append(f"{label} (annotation {id})")
    return ", ".join(parts)


def _what(row: dict[str, Any]) -> str:
    kind = row["kind"]
    if kind == "moved":
        return _moved(row)
    if kind == "outline":
        return "outline changed" + ("" if isnan(row["iou"]) else f", IoU {row['iou']:.3f}")
    if kind == "relabelled":
        return f"{row['category']} is now {row['new_category']}"
    if kind == "reassigned":
        return f"{row['new_annotator']} has it now"
    if kind == "renumbered":
        if str(row["new_track_id"]) == str(row["track_id"]):
            return "keeps its id, unlike the rest of the track"
        return f"belongs to track {row['new_track_id']} now"
    if kind == "marked":
        if row["new_mark"] is None:
            return f"no longer marked {row['mark']}"
        return f"marked {row['new_mark']} now"
    return str(kind)


def _moved(row: dict[str, Any]) -> str:
    what = "box shifted" if row["edge"] == "all" else f"{row['edge']} edge moved"
    far = f"{row['max_px']:.3g}" if row["max_px"] < 1000 else f"{row['max_px']:,.0f}"
    up_to = "up to " if row["max_px"] > row["mean_px"] + 0.001 else ""
    return f"{what} by {up_to}{far} px"


def _first(one: Any, other: Any) -> Any:
    return other if one is None else one
