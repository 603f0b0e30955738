"""run: the stretches of tracks behind a finding: those that weigh most against a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.run.keys import codes_of, resolve
from annqc.run.places import entry_of, stands
from annqc.run.tracklists import event_columns
from annqc.run.trackrates import SWITCHES, first_rows
from annqc.run.trackstack import DRIFTS, SAWTEETH, TEMPORAL, track_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.run.audit import Run
    from annqc.tables import Array, Floats

__all__ = ["OF_SCORES", "STRETCHES", "worst_stretches", "worst_track_events"]

STRETCHES: Final = TEMPORAL[:13]
"""Quantities whose worst tracks can be shown."""
_FOUND: Final = ("missed_track", "gap", "late_start", "early_end", "spurious_track")
_KEPT: Final = ("id_switch", "id_swap", "merged_tracks")
OF_SCORES: Final[dict[str, tuple[str, ...]]] = {
    "hota": (*_FOUND, *_KEPT),
    "mota": (*_FOUND, "id_switch", "id_swap"),
    "idf1": (*_FOUND, *_KEPT),
    "deta": _FOUND,
    "assa": _KEPT,
    "loca": (),
    SWITCHES: ("id_switch", "id_swap"),
}
"""Events that lower a score, the longest of which are shown."""
EDGED: Final = (*DRIFTS, *SAWTEETH)
"""Quantities of one edge."""
WAYS: Final = ("inwards", "outwards")


def worst_stretches(
    run: Run, group: Mapping[str, object], quantity: str, most: int
) -> list[dict[str, Any]]:
    """Find the tracks of a group that drift most, or lag, shake, or begin late.

    Parameters
    ----------
    run : Run
        The comparison.
    group : mapping of str to object
        Column -> value.
    quantity : str
        One of `STRETCHES`. The direction of the group is that of the median of its tracks.
    most : int
        How many at most.

    Returns
    -------
    list of dict
        As `annqc.run.evidence.worst_annotations` has them, ``kind`` being the quantity without the
        edge, with ``sequence, track_id, drawn_track_id, first_frame, last_frame, size, unit``
        besides. The annotation is the one of the stretch that is farthest off.
    """
    s = run.track_series
    size, weight, unit = _sizes(run, quantity)
    first = s.reference[s.starts[:-1]]
    keep = _members(run, group, first, np.full(len(s), -1), s.annotator) & np.isfinite(weight)
    rows = np.flatnonzero(keep)
    if not len(rows):
        return []
    sign = -1.0 if np.median(weight[rows]) < 0 and quantity not in {"jitter", "sag"} else 1.0
    towards = sign * weight[rows]
    order = np.argsort(-towards, kind="stable")[:most]
    found = []
    for k in rows[order[towards[order] > 0]].tolist():
        at = _farthest(run, k, quantity, sign)
        places = np.flatnonzero(s.candidate[s.starts[k] : s.starts[k + 1]] >= 0) + s.starts[k]
        entry = _entry(run, int(s.reference[at]), int(s.candidate[at]), int(s.annotator[k]))
        kind, _, edge = quantity.partition("_")
        entry |= {"kind": kind, "edge": edge or None, "size": float(size[k]), "unit": unit}
        entry |= {"first_frame": int(s.frame[places[0]]), "last_frame": int(s.frame[places[-1]])}
        if edge:
            place = EDGED.index(quantity) % 4
            entry["offset_px"] = _plain(s.edges[at, place])
            entry["offset"] = _plain(s.edges[at, place] / s.tolerance[at, place % 2])
        found.append(entry | {"text": f"{_place(run, entry)}: {_words(quantity, size[k])}"})
    return found


def worst_track_events(
    run: Run, group: Mapping[str, object], kinds: Sequence[str], most: int
) -> list[dict[str, Any]]:
    """Find the events of some kinds in the tracks of a group, the longest first.

    Parameters
    ----------
    run, group, most
        As for `worst_stretches`.
    kinds : sequence of str
        Of `annqc.run.tracklists.EVENTS`.
    """
    rows = [row for row in run.track_event_rows if row["kind"] in kinds]
    gold, work = (first_rows(one.table.track) for one in (run.reference, run.candidate))
    reference = np.array([gold.get(int(row["track"]), -1) for row in rows], dtype=np.int64)
    candidate = np.array([work.get(int(row["drawn"]), -1) for row in rows], dtype=np.int64)
    annotator = np.array([row["annotator"] for row in rows], dtype=np.int64)
    chosen = np.flatnonzero(_members(run, group, reference, candidate, annotator)).tolist()
    chosen.sort(key=lambda k: -abs(rows[k]["size"]))
    chosen = chosen[:most]
    texts = event_columns(run.matches, [rows[k] for k in chosen])["text"].tolist()
    found = []
    for k, text in zip(chosen, texts, strict=True):
        row = rows[k]
        entry = _entry(run, int(reference[k]), int(candidate[k]), int(annotator[k]))
        entry |= {"kind": row["kind"], "edge": row["edge"] or None, "unit": row["unit"]}
        entry |= {"first_frame": int(row["first"]), "last_frame": int(row["last"])}
        entry["size"] = float(row["size"])
        kind = str(row["kind"]).replace("_", " ")
        found.append(entry | {"text": f"{kind}{_by(run, entry)}: {text}{_stands(run, entry)}"})
    return found


def _sizes(run: Run, quantity: str) -> tuple[Floats, Floats, str]:
    """Return the size of every track, what it weighs, and the unit of the size."""
    parts, k = track_parts(run.track_series, run.track_values), TEMPORAL.index(quantity)
    if quantity == "lag":
        lag = run.track_values.lag
        with np.errstate(invalid="ignore"):
            told = np.where(lag.motion >= lag.n, parts.value[:, k], np.nan)
        return told, told, "frames"
    if quantity in {"start", "end"}:
        return parts.value[:, k], parts.value[:, k], "frames"
    size = parts.pixels[:, k]
    unit = "px per 100 frames" if quantity in DRIFTS else "px"
    return size, size if quantity == "jitter" else parts.value[:, k], unit


def _farthest(run: Run, k: int, quantity: str, sign: float) -> int:
    """Return the drawn row of a series that shows a finding best."""
    s = run.track_series
    there = np.flatnonzero(s.candidate[s.starts[k] : s.starts[k + 1]] >= 0) + s.starts[k]
    if quantity == "end":
        return int(there[-1])
    if quantity not in EDGED:
        return int(there[0])
    off = sign * s.edges[there, EDGED.index(quantity) % 4]
    return int(there[0] if np.isnan(off).all() else there[np.nanargmax(off)])


def _words(quantity: str, size: float) -> str:
    kind, _, edge = quantity.partition("_")
    if kind == "drift":
        way = WAYS[int(size > 0)]
        return f"the {edge} edge drifts {abs(size):.1f} px {way} in 100 frames"
    if kind == "sawtooth":
        way = WAYS[int(size > 0)]
        return f"the {edge} edge wanders {abs(size):.1f} px {way} until the next keyframe"
    if kind == "lag":
        verb = "trails" if size > 0 else "runs ahead of"
        return f"{verb} the object by {abs(size):.1f} frames"
    if kind == "jitter":
        return f"shakes by {size:.1f} px from frame to frame"
    if kind == "sag":
        return f"interpolation between keyframes misses the object by up to {size:.1f} px"
    verb = {"start": "begins", "end": "ends"}[kind]
    return f"{verb} {abs(size):.0f} frames {'late' if size > 0 else 'early'}"


def _entry(run: Run, gold: int, drawn: int, annotator: int) -> dict[str, Any]:
    entry = entry_of(run, gold, drawn, annotator)
    images, of = run.reference.image_table, run.reference.table.image
    image = int(of[gold] if gold >= 0 else run.matches.image_of_candidate[drawn])
    sides = ((run.reference, gold), (run.candidate, drawn))
    ids = [None if row < 0 else _track_id(side, row) for side, row in sides]
    sequence = None if images.sequence is None else images.sequence[image]
    entry |= {"sequence": _plain(sequence), "track_id": ids[0], "drawn_track_id": ids[1]}
    return entry | dict.fromkeys(("first_frame", "last_frame", "size", "unit"))


def _track_id(side: Any, row: int) -> Any:
    return None if side.table.track is None else _plain(side.tracks_of(side.table.track[[row]])[0])


def _place(run: Run, entry: dict[str, Any]) -> str:
    """Say which track it is, and where it stands."""
    drawn, gold = entry["drawn_track_id"], entry["track_id"]
    track = f"object {gold}" if drawn is None else f"track {drawn}"
    if drawn is not None and str(drawn) != str(gold):
        track += f" on object {gold}"
    of = "" if entry["sequence"] is None else f" of {entry['sequence']}"
    frames = f"frames {entry['first_frame']} to {entry['last_frame']}"
    return f"{track}{of}{_by(run, entry)}, {frames}{_stands(run, entry)}"


def _stands(run: Run, entry: dict[str, Any]) -> str:
    return "" if entry["row"] is None else f" ({stands(run, entry)})"


def _by(run: Run, entry: dict[str, Any]) -> str:
    """Name the annotator where there are several."""
    return f" by {entry['annotator']}" if len(run.candidate.annotator_ids) > 1 else ""


def _members(
    run: Run, group: Mapping[str, object], reference: Array, candidate: Array, annotator: Array
) -> Array:
    keep = np.ones(len(annotator), dtype=bool)
    for key, value in zip(resolve(run.matches, tuple(group)), group.values(), strict=True):
        text = np.array([str(one) == str(value) for one in key.values.tolist()], dtype=bool)
        code = codes_of(key, reference, candidate, annotator)
        keep &= (code >= 0) & np.append(text, False)[code]
    return keep


def _plain(value: Any) -> Any:
    """Turn a cell into a plain value, None for NaN."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and np.isnan(value) else value
