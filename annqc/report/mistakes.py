"""report: single errors in words, for the person who opens the image."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.judge.wording import number_of
from annqc.report.plain import clean_text
from annqc.report.words import DIRECTIONS, EDGE_NAMES
from annqc.run.contradicted import Contradicted
from annqc.run.outline_errors import GROSS, ROUNDING
from annqc.tables import EDGES, QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from annqc.measure.offsets import Measurements
    from annqc.report.words import Sentence
    from annqc.run.audit import Run
    from annqc.tables import Array

__all__ = ["error_text", "examples", "first_errors", "unusable_drawings"]


def examples(run: Run, sentences: Sequence[Sentence], by: tuple[str, ...], n: int) -> list[str]:
    """Show for each biased annotator the box that is farthest off in the way they are biased.

    Parameters
    ----------
    run : Run
        The comparison.
    sentences : sequence of Sentence
        From `annqc.report.words.accused_sentences`, the worst first.
    by : tuple of str
        Grouping of the findings.
    n : int
        Annotators at most.

    Notes
    -----
    A box whose gold other annotators contradict is shown only if there is no other.
    """
    first: dict[int, Sentence] = {}
    for one in sentences:
        first.setdefault(one.group, one)
    measured, offsets = run.measurements, run.measurements.values("px")
    contradicted = Contradicted(run)
    shown = []
    for one in list(first.values())[:n]:
        k = QUANTITIES.index(one.quantities[0])
        found = run.findings(by) if one.part >= 0 else run.annotator_findings(by)
        group = one.part if one.part >= 0 else one.group
        sign = np.sign(found.estimates.located["tolerance"].estimate[group, k])
        rows = np.flatnonzero(found.groups.of_pair == group)
        rows = rows[sign * offsets[k, rows] > 0]
        far = np.argsort(-sign * offsets[k, rows], kind="stable")
        row = int(contradicted.last(rows[far])[0])
        doubt = contradicted.said(row)
        text = _example(run, row, k, float(offsets[k, row]), measured)
        shown.append(f"{text}; {doubt}" if doubt else text)
    return shown


def unusable_drawings(run: Run) -> set[tuple[object, object]]:
    """Return annotator and image of rows of the work that could not be used, as far as known.

    Images go by the id and the file name that the work has for them.
    """
    names = run.candidate.annotator_ids.tolist()
    images = run.candidate.image_table
    files: dict[object, object] = {}
    if images.file_name is not None:
        files = dict(zip(images.id.tolist(), images.file_name, strict=True))
    found: set[tuple[object, object]] = set()
    for one in run.candidate.issues:
        if one.severity == "dropped" and one.image_id is not None:
            who = names[0] if one.annotator is None and len(names) == 1 else one.annotator
            if who is not None:
                found |= {(who, one.image_id), (who, files.get(one.image_id, one.image_id))}
    return found


def first_errors(
    columns: dict[str, Array],
    n: int,
    unusable: Collection[tuple[object, object]] = (),
    *,
    side: str = "gold",
) -> list[str]:
    """Say the first errors in words; of a loose box with a loose outline, the first of the two.

    Of errors of one kind in one track, that is on its frames, the first stands for all.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.error_columns`.
    n : int
        How many at most.
    unusable : collection of (annotator, image)
        From `unusable_drawings`.
    side : str
        What the reference is called.
    """
    said: list[str] = []
    shown: set[tuple[object, ...]] = set()
    tracks = _tracks(columns)
    frames = Counter(tracks)
    for row in range(len(columns["rank"])):
        if len(said) == n:
            break
        error = {name: columns[name][row] for name in columns}
        drawing = tuple(error[name] for name in ("source", "row", "annotation_id", "reference_id"))
        if error["kind"] in _OF_DRAWINGS and drawing in shown:
            continue
        track = tracks[row]
        if track is not None:
            if track in shown:
                continue
            shown.add(track)
        shown.add(drawing)
        text = error_text(error, unusable, side=side)
        if track is not None:
            like_this = number_of(frames[track], "frame")
            text += f" (track {_short(error['track_id'])}, {like_this} like this)"
        said.append(text)
    return said


def _tracks(columns: dict[str, Array]) -> list[tuple[object, ...] | None]:
    """Name of each error its kind, annotator and track; None where it is in no track."""
    named = (columns[name].tolist() for name in ("kind", "annotator", "sequence", "track_id"))
    return [None if key[-1] is None else key for key in zip(*named, strict=True)]


def error_text(
    error: dict[str, Any],
    unusable: Collection[tuple[object, object]] = (),
    *,
    side: str = "gold",
) -> str:
    """Say one error: where it is, whose it is and what is wrong.

    Parameters
    ----------
    error : dict of str to object
        One row of `annqc.Audit.errors`.
    unusable : collection of (annotator, image)
        From `unusable_drawings`: where such a row may be what is missing, that is said.
    side : str
        What the reference is called.
    """
    image = clean_text(error["file_name"] or error["image_id"], width=48)
    who = _short(error["annotator"])
    said = f"{image}, {who}: {_WHAT[error['kind']](error | {'side': side})}"
    places = {(error["annotator"], error[name]) for name in ("image_id", "file_name")}
    if error["annotation_id"] is None and not places.isdisjoint(unusable):
        said += ", or its row could not be used"
    return said


def _example(run: Run, row: int, quantity: int, size: float, measured: Measurements) -> str:
    """Say how far off one box is."""
    gold, drawn = int(measured.reference[row]), int(measured.candidate[row])
    images, table = run.reference.image_table, run.candidate.table
    at = int(run.reference.table.image[gold])
    image = images.id[at] if images.file_name is None else images.file_name[at] or images.id[at]
    who = _short(run.candidate.annotator_ids[int(measured.annotator[row])])
    category = run.matches.category_names[int(run.matches.candidate_category[drawn])]
    box = f"{_short(category)} {_short(table.id[drawn])}"
    what = f"the {EDGE_NAMES[quantity]} of {box}" if quantity < len(EDGES) else box
    direction = DIRECTIONS[QUANTITIES[quantity]][size < 0]
    decimals = 0 if abs(size) >= 10 else 1
    said = f"{what} is {abs(size):.{decimals}f} px {direction}"
    return f"{clean_text(image, width=48)}, {who}: {said}"


def _short(value: Any) -> str:
    return clean_text(value, width=24)


def _reference(error: dict[str, Any]) -> str:
    return f"{error['side']} {_short(error['category'])} {_short(error['reference_id'])}"


def _drawn(error: dict[str, Any]) -> str:
    return f"{_short(error['candidate_category'])} {_short(error['annotation_id'])}"


def _missed(error: dict[str, Any]) -> str:
    found = error["others_found"]
    if np.isnan(found):
        return f"{_reference(error)} was not drawn"
    share = "all" if found == 1 else f"{100 * found:.0f} %"
    return f"{_reference(error)} was not drawn; {share} of the others drew it"


def _loose(error: dict[str, Any]) -> str:
    edge, size = error["edge"], error["offset_px"]
    direction = DIRECTIONS[edge][bool(size < 0)]
    name = EDGE_NAMES[EDGES.index(edge)]
    return (
        f"the {name} of {_drawn(error)} is {abs(size):.0f} px {direction} (IoU {error['iou']:.2f})"
    )


def _loose_outline(error: dict[str, Any]) -> str:
    edge, size = error["edge"], error["offset_px"]
    if edge is None:
        return f"the outline of {_drawn(error)} shares nothing with that of {_reference(error)}"
    if abs(error["offset"]) < GROSS - ROUNDING:
        how = f"(boundary IoU {error['boundary_iou']:.2f}, IoU {error['iou']:.2f})"
        return f"the outline of {_drawn(error)} strays from that of {_reference(error)} {how}"
    part = "" if edge == "contour" else f"{edge.removeprefix('contour_')} side of the "
    way = "far in" if size < 0 else "far out"
    how = f"{abs(size):.0f} px too {way} (IoU {error['iou']:.2f})"
    return f"the {part}outline of {_drawn(error)} is {how}"


def _odd_outline(error: dict[str, Any]) -> str:
    how = _STYLES[error["style"]].format(side=error["side"])
    return f"the outline of {_drawn(error)} {how}, unlike the annotator's others"


def _mislabelled(error: dict[str, Any]) -> str:
    label, drawn = _short(error["candidate_category"]), _short(error["annotation_id"])
    return f"{_reference(error)} is labelled {label} (annotation {drawn})"


def _near(error: dict[str, Any]) -> str:
    if error["annotation_id"] is None:
        return f"{_reference(error)} has a box near by, with too little overlap to count"
    if error["reference_id"] is None:
        return f"{_drawn(error)} overlaps the {error['side']} too little to count"
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


_STYLES: Final = {
    "copied": "is that of the {side} to the last digit",
    "few_points": "has few points where the {side} has many",
    "staircase": "follows the pixels of a mask",
    "simplified": "cuts corners between points far apart",
    "holes_filled": "fills the holes that the {side} has",
    "holes_opened": "has holes that the {side} does not have",
}
"""How an outline was drawn, by `annqc.measure.outline_styles.STYLES`."""

_OF_DRAWINGS: Final = frozenset({"loose_box", "loose_outline", "odd_outline"})
"""Kinds of which one drawing may have several."""

_WHAT = {
    "missed": _missed,
    "spurious": lambda e: f"{_drawn(e)} is around none of the {e['side']}'s objects",
    "mislabelled": _mislabelled,
    "near_miss": _near,
    "duplicate": lambda e: f"{_drawn(e)} is drawn twice",
    "merged": _merged,
    "split": _split,
    "far": lambda e: f"{_reference(e)} has its nearest box far off",
    "loose_box": _loose,
    "loose_outline": _loose_outline,
    "odd_outline": _odd_outline,
}
"""What is wrong, by kind of `annqc.run.errors.ERROR_KINDS`."""
