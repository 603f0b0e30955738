"""run: the annotations behind a finding: those that weigh most against a group, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.errors import UnknownNameError
from annqc.judge.quantities import DIRECTIONS, OBJECTS, WITHIN
from annqc.judge.rules.outlines import AGREEMENT, TESTED_IN_STRATA
from annqc.measure.offsets import AXIS, MARGIN, offsets
from annqc.measure.outlines import CONTOURS
from annqc.run.errors import ERROR_KINDS
from annqc.run.keys import codes_of, resolve
from annqc.run.places import (
    entry_of,
    first_of_track,
    image_words,
    place_of,
    plain,
    tracks_of_rows,
    worst_of_tracks,
)
from annqc.run.trackevidence import (
    OF_SCORES,
    STRETCHES,
    worst_stretches,
    worst_track_events,
)
from annqc.run.tracklists import EVENTS
from annqc.tables import EDGES, QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.measure.offsets import Measurements
    from annqc.measure.outlines import OutlineMeasurements
    from annqc.run.audit import Run
    from annqc.run.keys import Key
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["error_words", "offset_words", "worst_annotations"]

WHOLE: Final = "contour"
OVERLAP: Final = "iou"
"""What may stand for a quantity: matched pairs, the smallest overlap first."""


def worst_annotations(
    run: Run,
    group: Mapping[str, object],
    *,
    quantity: str | None = None,
    kinds: Sequence[str] = (),
    most: int = 5,
) -> list[dict[str, Any]]:
    """Find the annotations of a group that weigh most against it.

    Parameters
    ----------
    run : Run
        The comparison.
    group : mapping of str to object
        Column -> value, for any columns that ``by=`` may name. Empty is everything.
    quantity : str, optional
        One of `annqc.tables.QUANTITIES`: the pairs that entered the offsets and are farthest off,
        in the direction in which the group is off. Or ``"iou"``: the matched pairs that overlap
        least. One of `annqc.measure.outlines.CONTOURS`: the outlines that are farthest off, in the
        direction in which the group is; or ``mask_iou``, ``assd`` and so on: those that agree
        worst. ``drift_left``, ``lag`` and so on: the tracks that are worst; ``hota`` and so on: the
        events that cost most, then the pairs that overlap least.
    kinds : sequence of str
        Instead: errors of these kinds, in the order of `annqc.Audit.errors`; or events of tracks,
        the longest first.
    most : int
        How many at most.

    Returns
    -------
    list of dict
        Plain values: ``annotator, image_id, file_name, annotation_id, reference_id, category, kind,
        edge, offset_px, offset, iou, source, row, text``. ``kind`` is that of the error, or
        ``"offset"`` or ``"overlap"``; ``offset`` is in tolerances. Of outlines, ``edge`` is the
        contour offset that is meant, such as ``"contour_left"``, and ``iou`` that of the outlines.
        Of tracks, a stretch: ``sequence, track_id, drawn_track_id, first_frame, last_frame, size,
        unit`` besides.

    Raises
    ------
    UnknownNameError
        Where there is no such column, quantity or kind.

    Notes
    -----
    The direction of a group is that of the median of its pairs. An object that was drawn is in the
    group if its gold is, and what has no gold if it is itself, as in `annqc.Audit.scores`.
    """
    keys = resolve(run.matches, tuple(group))
    wanted = list(zip(keys, group.values(), strict=True))
    if kinds and set(kinds) <= set(EVENTS):
        return worst_track_events(run, group, kinds, most)
    if kinds:
        return _errors(run, wanted, kinds, most)
    if quantity == OVERLAP:
        return _overlaps(run, wanted, most)
    if quantity in CONTOURS:
        return _contours(run, wanted, quantity, most)
    if quantity in AGREEMENT:
        return _outlines(run, wanted, quantity, most)
    if quantity in STRETCHES:
        return worst_stretches(run, group, quantity, most)
    if quantity in OF_SCORES:
        found = worst_track_events(run, group, OF_SCORES[quantity], most)
        return found + _overlaps(run, wanted, most - len(found))
    if quantity not in QUANTITIES:
        of_tracks = (*STRETCHES, *OF_SCORES)
        what, known = "quantity", (*QUANTITIES, OVERLAP, *CONTOURS, *AGREEMENT, *of_tracks)
        raise UnknownNameError.among(what, str(quantity), known)
    return _offsets(run, wanted, QUANTITIES.index(quantity), most)


def _errors(
    run: Run, wanted: list[tuple[Key, object]], kinds: Sequence[str], most: int
) -> list[dict[str, Any]]:
    for kind in kinds:
        if kind not in ERROR_KINDS:
            what = "kind of error"
            raise UnknownNameError.among(what, kind, ERROR_KINDS)
    rows = run.error_rows
    keep = _members(wanted, rows["reference"], rows["candidate"], rows["annotator"])
    keep &= np.isin(rows["kind"], list(kinds))
    some = np.flatnonzero(keep)
    named = (rows[name][some] for name in ("reference", "candidate", "annotator"))
    shown, frames = first_of_track(tracks_of_rows(run, *named))
    found = []
    for at, count in zip(some[shown[:most]].tolist(), frames.tolist(), strict=False):
        one = {name: column[at] for name, column in rows.items()}
        entry = entry_of(run, int(one["reference"]), int(one["candidate"]), int(one["annotator"]))
        entry |= {name: plain(one[name]) for name in ("kind", "edge", "offset_px", "offset")}
        entry["iou"] = plain(one["iou"])
        found.append(entry | {"text": f"{error_words(run, entry)}{_frames(entry, count)}"})
    return found


def _overlaps(run: Run, wanted: list[tuple[Key, object]], most: int) -> list[dict[str, Any]]:
    matches = run.matches
    gold, drawn, iou = matches.matched_reference, matches.matched_candidate, matches.matched_iou
    annotator = matches.candidate.table.annotator[drawn]
    rows = np.flatnonzero(_members(wanted, gold, drawn, annotator))
    tracks = tracks_of_rows(run, gold[rows], drawn[rows], annotator[rows])
    chosen, frames = worst_of_tracks(tracks, -iou[rows])
    rows = rows[chosen[:most]]
    boxes = matches.reference.table.xyxy[gold[rows]]
    edges = offsets(boxes, matches.candidate.table.xyxy[drawn[rows]])
    tolerance = np.asarray(run.parameters.tolerance.of(boxes[:, 2:] - boxes[:, :2]))
    units = edges / np.tile(tolerance, 2)
    found = []
    for at, row in enumerate(rows.tolist()):
        worst = int(np.abs(units[at]).argmax())
        entry = entry_of(run, int(gold[row]), int(drawn[row]), int(annotator[row]))
        entry |= {"kind": "overlap", "edge": EDGES[worst], "iou": float(iou[row])}
        entry |= {"offset_px": float(edges[at, worst]), "offset": float(units[at, worst])}
        said = f"IoU {entry['iou']:.2f}, {offset_words(worst, entry)}{_frames(entry, frames[at])}"
        found.append(entry | {"text": f"{place_of(run, entry)}: {said}"})
    return found


def _offsets(
    run: Run, wanted: list[tuple[Key, object]], quantity: int, most: int
) -> list[dict[str, Any]]:
    measured = run.measurements
    keep = _members(wanted, measured.reference, measured.candidate, measured.annotator)
    rows = np.flatnonzero(keep & measured.usable[:, quantity])
    if not len(rows):
        return []
    pixels = _pixels(measured.edges[rows], quantity)
    units = pixels / measured.tolerance[rows, AXIS[quantity]]
    middle = float(np.median(units)) or float(units.mean())
    towards = units * (-1.0 if middle < 0 else 1.0)
    chosen, frames = _heaviest(run, measured, rows, towards, most)
    code = measured.reference[rows[chosen]], measured.candidate[rows[chosen]]
    iou = _overlap_of(run, *code)
    # The order is that of tolerances, which sizes in pixels may not keep.
    both = bool((np.diff(np.round(np.abs(pixels[chosen]), 1)) > 0).any())
    found = []
    for at, (place, gold, drawn) in enumerate(
        zip(chosen.tolist(), *(part.tolist() for part in code), strict=True)
    ):
        entry = entry_of(run, gold, drawn, int(measured.annotator[rows[place]]))
        edge = EDGES[quantity] if quantity < len(EDGES) else None
        entry |= {"kind": "offset", "edge": edge, "iou": float(iou[at])}
        entry |= {"offset_px": float(pixels[place]), "offset": float(units[place])}
        size = f" ({abs(entry['offset']):.1f} tolerances)" if both else ""
        said = f"{offset_words(quantity, entry)}{size}{_frames(entry, frames[at])}"
        found.append(entry | {"text": f"{place_of(run, entry)}: {said}"})
    return found


def _contours(
    run: Run, wanted: list[tuple[Key, object]], quantity: str, most: int
) -> list[dict[str, Any]]:
    measured, k = run.outline_measurements, CONTOURS.index(quantity)
    keep = _members(wanted, measured.reference, measured.candidate, measured.annotator)
    rows = np.flatnonzero(keep & np.isfinite(measured.offsets[:, k]))
    if not len(rows):
        return []
    units = measured.offsets[rows, k] / measured.tolerance[rows]
    middle = float(np.median(units)) or float(units.mean())
    towards = units * (-1.0 if middle < 0 else 1.0)
    chosen, frames = _heaviest(run, measured, rows, towards, most)
    # The order is that of tolerances, which sizes in pixels may not keep.
    pixels = np.abs(measured.offsets[rows[chosen], k])
    both = bool((np.diff(np.round(pixels, 1)) > 0).any())
    found = []
    for row, count in zip(rows[chosen].tolist(), frames.tolist(), strict=True):
        entry = _outline_entry(run, row) | {"kind": "offset"} | _offset_of(run, row, k)
        size = f" ({abs(entry['offset']):.1f} tolerances)" if both else ""
        said = f"{contour_words(entry)}{size}"
        side = _worst_side(run, row, entry["offset_px"]) if quantity == WHOLE else None
        if side is not None:
            most_px = abs(_offset_of(run, row, side)["offset_px"])
            said += f", most on {_side_name(side)} ({most_px:.1f} px)"
        said += _frames(entry, count)
        found.append(entry | {"text": f"{place_of(run, entry)}: {said}"})
    return found


def _outlines(
    run: Run, wanted: list[tuple[Key, object]], name: str, most: int
) -> list[dict[str, Any]]:
    measured, of = run.outline_measurements, AGREEMENT[name]
    values = measured.overlaps[name]
    keep = _members(wanted, measured.reference, measured.candidate, measured.annotator)
    rows = np.flatnonzero(keep & np.isfinite(values))
    weight = values[rows] if "at_most" in of.better else -values[rows]
    if "at_least" in of.better and "at_most" in of.better:  # a ratio: to the side of the group
        with np.errstate(divide="ignore"):
            weight = np.log(values[rows])
        weight = weight * (-1.0 if len(rows) and np.median(weight) < 0 else 1.0)
    digits, unit = (1, f" {of.unit}") if of.unit else (2, "")
    found = []
    who = (one[rows] for one in (measured.reference, measured.candidate, measured.annotator))
    chosen, frames = worst_of_tracks(tracks_of_rows(run, *who), weight)
    for row, count in zip(rows[chosen[:most]].tolist(), frames.tolist(), strict=False):
        entry = _outline_entry(run, row) | {"kind": "overlap"}
        said = f"{of.words} {values[row]:.{digits}f}{unit}"
        side = _worst_side(run, row)
        if side is not None:
            entry |= _offset_of(run, row, side)
            said += f", {contour_words(entry)}"
        elif entry["iou"] == 0:
            said += ", the two share nothing"
        said += _frames(entry, count)
        found.append(entry | {"text": f"{place_of(run, entry)}: {said}"})
    return found


def _outline_entry(run: Run, row: int) -> dict[str, Any]:
    """Say what and where a pair of outlines is."""
    measured = run.outline_measurements
    rows = (one[row] for one in (measured.reference, measured.candidate, measured.annotator))
    entry = entry_of(run, *map(int, rows))
    return entry | {"iou": plain(measured.overlaps["mask_iou"][row])}


def _offset_of(run: Run, row: int, k: int) -> dict[str, Any]:
    """Say how far one of the contour offsets of a pair is off."""
    measured = run.outline_measurements
    pixels = float(measured.offsets[row, k])
    offset = pixels / float(measured.tolerance[row])
    return {"edge": CONTOURS[k], "offset_px": pixels, "offset": offset}


def _worst_side(run: Run, row: int, towards: float = np.nan) -> int | None:
    """Find the side of a pair that is farthest off, in the direction of a size if one is given."""
    sides = run.outline_measurements.offsets[row, : len(TESTED_IN_STRATA)]
    size = np.abs(sides) if np.isnan(towards) else sides * np.sign(towards)
    return int(np.nanargmax(size)) if (size > 0).any() else None


def _side_name(side: int) -> str:
    return OBJECTS[CONTOURS[side]].removesuffix(" of the contour")


def contour_words(entry: dict[str, Any]) -> str:
    """Say how far one outline is off on one side, or all around; "too" beyond the tolerance."""
    name, beyond = entry["edge"], abs(entry["offset"]) > 1
    words = (DIRECTIONS if beyond else WITHIN)[name][int(entry["offset_px"] < 0)]
    thing = OBJECTS[name].removeprefix("the ")
    return f"{thing} {abs(entry['offset_px']):.1f} px {'too ' if beyond else ''}{words}"


def _pixels(edges: Floats, quantity: int) -> Floats:
    """One quantity of outward edge offsets: an edge, a shift of the centre, or a growth."""
    if quantity < len(EDGES):
        return edges[:, quantity]
    low, high = edges[:, AXIS[quantity]], edges[:, AXIS[quantity] + 2]
    shift = QUANTITIES[quantity] in {"dx", "dy"}
    return (high - low) / 2 if shift else high + low


def _members(
    wanted: list[tuple[Key, object]], reference: Ints, candidate: Ints, annotator: Ints
) -> Bools:
    """Rows of the group. A row of -1 on one side is told by the other side."""
    keep = np.ones(len(annotator), dtype=bool)
    for key, value in wanted:
        own = codes_of(key, reference, candidate, annotator)
        keep &= np.isin(own, _places(key.values, value))
    return keep


def _places(values: Array, value: object) -> Ints:
    """Positions of a value; what a file or a spec can only write as text is found as text."""
    listed = values.tolist()
    exact = [at for at, one in enumerate(listed) if one == value]
    return np.array(exact or [at for at, one in enumerate(listed) if str(one) == str(value)], int)


def _heaviest(
    run: Run,
    measured: Measurements | OutlineMeasurements,
    rows: Ints,
    towards: Floats,
    most: int,
) -> tuple[Ints, Ints]:
    """Return positions in ``rows``, one a track, the farthest off first; and of how many frames."""
    off = np.flatnonzero(towards > 0)
    some = rows[off]
    who = (one[some] for one in (measured.reference, measured.candidate, measured.annotator))
    chosen, frames = worst_of_tracks(tracks_of_rows(run, *who), towards[off])
    return off[chosen[:most]], frames[:most]


def _frames(entry: dict[str, Any], count: int) -> str:
    """Say of how many frames of a track this is the worst."""
    if count < 2:
        return ""
    if entry["annotation_id"] is None:
        return f", on {count:,} frames of track {entry['track_id']}"
    return f"; the worst of {count:,} such frames of the track"


def _overlap_of(run: Run, gold: Ints, drawn: Ints) -> Floats:
    """IoU of some pairs of the offset pairing."""
    matches = run.matches
    of_drawn = np.zeros(len(matches.candidate.table))
    of_drawn[matches.pair_candidate] = matches.pair_iou
    return of_drawn[drawn] if len(gold) else np.empty(0)


def offset_words(quantity: int, entry: dict[str, Any]) -> str:
    """Say how far one box is off in one quantity; "too" only beyond the tolerance."""
    name = QUANTITIES[quantity]
    beyond = abs(entry["offset"]) > MARGIN[quantity]
    words = (DIRECTIONS if beyond else WITHIN)[name][int(entry["offset_px"] < 0)]
    thing = OBJECTS.get(name, "the box").removeprefix("the ")
    return f"{thing} {abs(entry['offset_px']):.1f} px {'too ' if beyond else ''}{words}"


def error_words(run: Run, entry: dict[str, Any]) -> str:
    """Say one error: its kind, which annotation, and where."""
    kind = str(entry["kind"]).replace("_", " ")
    gold = f"object {entry['reference_id']} of the gold"
    if entry["annotation_id"] is None:
        whose = f", asked of {entry['annotator']}" if len(run.candidate.annotator_ids) > 1 else ""
        return f"{kind}: {gold} on {image_words(entry)}{whose}"
    said = f"{kind}: {place_of(run, entry)}"
    if kind == "mislabelled":
        return f"{said}: {entry['category']} labelled {entry['candidate_category']}"
    if kind == "loose box":
        return f"{said}: {offset_words(EDGES.index(entry['edge']), entry)}"
    if kind in {"loose outline", "odd outline"}:
        return said if entry["edge"] is None else f"{said}: {contour_words(entry)}"
    return said if entry["reference_id"] is None else f"{said}, beside {gold}"
