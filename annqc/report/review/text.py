"""report: what is to be looked at, in one sentence a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from annqc.judge.wording import number_of
from annqc.report.plain import clean_text
from annqc.report.words import DIRECTIONS, EDGE_NAMES
from annqc.tables import EDGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.tables import Array

    Row = dict[str, Any]

__all__ = ["REASONS", "review_texts"]

REASONS: Final = {
    "missed": "an object that was not drawn",
    "far": "an object whose nearest box is far off",
    "spurious": "a box around nothing",
    "near_miss": "a box with too little overlap",
    "duplicate": "an object drawn twice",
    "merged": "one box around several objects",
    "split": "an object in pieces",
    "mislabelled": "another label",
    "gold": "gold that several contradict",
    "loose_outline": "an outline far off",
    "loose_box": "an edge three tolerances out or more",
    "unlike": "an edge unlike the annotator's others",
    "habit": "an edge that shows a habit",
    "offset": "edges as usual",
    "odd_outline": "an outline drawn in another way",
}
"""What each kind of reason is, in a few words."""


def review_texts(columns: dict[str, Array], said: Array, *, consensus: bool) -> list[str]:
    """Say of each row where it is, whose it is, and why to look.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.review.queue_columns`.
    said : (n,) array
        What was said elsewhere of gold that is doubted; None where nothing was.
    consensus : bool
        Whether the reference is a consensus of the others, and not gold.
    """
    names = [*_USED]
    other = "the consensus's" if consensus else "the gold's"
    told = []
    for values, text in zip(
        zip(*(columns[name].tolist() for name in names), strict=True), said.tolist(), strict=True
    ):
        row = dict(zip(names, values, strict=True))
        image = clean_text(row["file_name"] or row["image_id"], width=48)
        who = "" if row["annotator"] is None else f", {_short(row['annotator'])}"
        if row["kind"] == "gold":
            told.append(f"{image}: {text}")
            continue
        what = f"{_WHAT[row['kind']](row, other)}{_drawn_too(row)}{_like_it(row)}"
        told.append(f"{image}{who}: {what}")
    return told


def _drawn_too(row: Row) -> str:
    """Say how many others drew the same box, where there are others."""
    if not row["others_asked"]:
        return ""
    return f"; {row['others_same']} of {number_of(row['others_asked'], 'other')} drew it too"


def _like_it(row: Row) -> str:
    """Say how many frames of the track are the same look."""
    if row["n_frames"] < 2:
        return ""
    return f" (one of {row['n_frames']:,} frames, {row['first_frame']} to {row['last_frame']})"


_USED: Final = (
    *("file_name", "image_id", "annotator", "kind", "category", "reference_category"),
    *("annotation_id", "reference_id", "edge", "offset", "offset_px", "iou"),
    *("others_same", "others_asked"),
    *("n_frames", "first_frame", "last_frame"),
)


def _short(value: Any) -> str:
    return clean_text(value, width=24)


def _drawn(row: Row) -> str:
    return f"{_short(row['category'])} {_short(row['annotation_id'])}"


def _object(row: Row, other: str) -> str:
    number = "" if row["reference_id"] is None else f" {_short(row['reference_id'])}"
    return f"{other} {_short(row['reference_category'])}{number}"


def _either(row: Row, other: str) -> str:
    return _object(row, other) if row["annotation_id"] is None else _drawn(row)


def _edge(row: Row, why: str) -> str:
    if row["edge"] not in EDGES:
        return f"{_drawn(row)} overlaps by {row['iou']:.2f}; its edges cannot be told"
    size, units = row["offset_px"], abs(row["offset"])
    way = DIRECTIONS[row["edge"]][bool(size < 0)]
    name = EDGE_NAMES[EDGES.index(row["edge"])]
    decimals = 0 if abs(size) >= 10 else 1
    return (
        f"the {name} of {_drawn(row)} is {abs(size):.{decimals}f} px {way} "
        f"({units:.1f} tolerances, IoU {row['iou']:.2f}){why}"
    )


def _near(row: Row, other: str) -> str:
    said = f"{_either(row, other)} overlaps {other} too little to count"
    if row["edge"] not in EDGES:
        return said
    size, name = row["offset_px"], EDGE_NAMES[EDGES.index(row["edge"])]
    way = DIRECTIONS[row["edge"]][bool(size < 0)]
    return f"{said}; its {name} is {abs(size):.0f} px {way}"


_WHAT: Final[dict[str, Callable[[Row, str], str]]] = {
    "missed": lambda row, other: f"{_object(row, other)} was not drawn",
    "far": lambda row, other: f"{_object(row, other)} has its nearest box far off",
    "spurious": lambda row, other: f"{_drawn(row)} is around none of {other} objects",
    "near_miss": _near,
    "duplicate": lambda row, _: f"{_drawn(row)} is drawn twice",
    "merged": lambda row, other: f"{_either(row, other)} shares one box with another object",
    "split": lambda row, other: f"{_either(row, other)} is in pieces",
    "mislabelled": lambda row, other: f"{_drawn(row)} is {_object(row, other)}",
    "loose_outline": lambda row, other: f"the outline of {_drawn(row)} is far off {other}",
    "odd_outline": lambda row, _: f"the outline of {_drawn(row)} is unlike the annotator's others",
    "loose_box": lambda row, _: _edge(row, ""),
    "unlike": lambda row, _: _edge(row, ", unlike the annotator's others"),
    "habit": lambda row, _: _edge(row, ", as the annotator often has it"),
    "offset": lambda row, _: _edge(row, ""),
}
"""What is wrong, by kind."""
