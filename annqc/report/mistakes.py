"""report: single errors in words, for the person who opens the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.report.plain import clean_text
from annqc.report.words import DIRECTIONS, EDGE_NAMES
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.tables import Array

__all__ = ["error_text", "first_errors"]


def first_errors(columns: dict[str, Array], n: int) -> list[str]:
    """Say the first errors in words.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.error_columns`.
    n : int
        How many at most.
    """
    rows = range(min(n, len(columns["rank"])))
    return [error_text({name: columns[name][row] for name in columns}) for row in rows]


def error_text(error: dict[str, Any]) -> str:
    """Say one error: where it is, whose it is and what is wrong.

    Parameters
    ----------
    error : dict of str to object
        One row of `annqc.Audit.errors`.
    """
    image = clean_text(error["file_name"] or error["image_id"], width=48)
    who = _short(error["annotator"])
    return f"{image}, {who}: {_WHAT[error['kind']](error)}"


def _short(value: Any) -> str:
    return clean_text(value, width=24)


def _reference(error: dict[str, Any]) -> str:
    return f"gold {_short(error['category'])} {_short(error['reference_id'])}"


def _drawn(error: dict[str, Any]) -> str:
    return f"{_short(error['candidate_category'])} {_short(error['annotation_id'])}"


def _missed(error: dict[str, Any]) -> str:
    found = error["others_found"]
    if np.isnan(found):
        return f"{_reference(error)} is missing"
    share = "all" if found == 1 else f"{100 * found:.0f} %"
    return f"{_reference(error)} is missing; {share} of the others drew it"


def _loose(error: dict[str, Any]) -> str:
    edge, size = error["edge"], error["offset_px"]
    direction = DIRECTIONS[edge][bool(size < 0)]
    name = EDGE_NAMES[EDGES.index(edge)]
    return (
        f"the {name} of {_drawn(error)} is {abs(size):.0f} px {direction} (IoU {error['iou']:.2f})"
    )


def _mislabelled(error: dict[str, Any]) -> str:
    label, drawn = _short(error["candidate_category"]), _short(error["annotation_id"])
    return f"{_reference(error)} is labelled {label} (annotation {drawn})"


def _near(error: dict[str, Any]) -> str:
    if error["annotation_id"] is None:
        return f"{_reference(error)} has a box near by, with too little overlap to count"
    if error["reference_id"] is None:
        return f"{_drawn(error)} overlaps the gold too little to count"
    return f"{_drawn(error)} overlaps {_reference(error)} too little to count"


def _merged(error: dict[str, Any]) -> str:
    if error["reference_id"] is None:
        return f"{_drawn(error)} is one box around several objects"
    return f"{_reference(error)} shares one box with another object"


def _split(error: dict[str, Any]) -> str:
    if error["annotation_id"] is None or error["reference_id"] is None:
        return (
            f"{_reference(error) if error['annotation_id'] is None else _drawn(error)} is in pieces"
        )
    return f"{_drawn(error)} is a piece of {_reference(error)}"


_WHAT = {
    "missed": _missed,
    "spurious": lambda e: f"{_drawn(e)} is around nothing that the gold has",
    "mislabelled": _mislabelled,
    "near_miss": _near,
    "duplicate": lambda e: f"{_drawn(e)} is drawn twice",
    "merged": _merged,
    "split": _split,
    "far": lambda e: f"{_reference(e)} has its nearest box far off",
    "loose_box": _loose,
}
"""What is wrong, by kind of `annqc.run.errors.ERROR_KINDS`."""
