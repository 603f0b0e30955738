"""judge: measures of tracks over time: drift, lag, jitter, late ends, and what interpolation costs.

They are judged by the verdicts of `annqc.Audit.tracks`, which know how many tests were made. The
unit of evidence is the track, of ends the sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.judge.registry import Assessment, register_measure
from annqc.judge.rules.common import (
    GROUPED,
    group_of,
    nothing_words,
    split_columns,
    wanted_rows,
    who_words,
)
from annqc.judge.rules.offsets import OUTCOME_OF
from annqc.judge.wording import beyond_alone, group_words, number_of, unsettled_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured
    from annqc.measure.tolerance import Tolerance
    from annqc.tables import Array

__all__ = ["DRIFT", "DRIFTS", "OVER_TIME", "SAWTEETH", "WITHIN", "lacking_tracks"]

DRIFT: Final = "drift"
"""The measure that judges all four edges at once."""
DRIFTS: Final = ("drift_left", "drift_top", "drift_right", "drift_bottom")
SAWTEETH: Final = ("sawtooth_left", "sawtooth_top", "sawtooth_right", "sawtooth_bottom")
WITHIN: Final = {
    DRIFT: (
        DRIFTS,
        "no edge wanders away from the object by more than the tolerance in 100 frames",
        "in 100 frames",
    ),
    "sawtooth": (
        SAWTEETH,
        "no edge wanders off by more than the tolerance until the next keyframe sets it right",
        "until the next keyframe",
    ),
    "sag": (
        ("sag",),
        "what interpolation between keyframes misses of the object is within the tolerance",
        "from the object between keyframes",
    ),
}
"""What is held against the tolerance: the quantities, what is asked, and over what time."""
IN_PIXELS: Final = (*DRIFTS, *SAWTEETH, "sag")
UNTOLD: Final = ("no_data", "no_motion", "descriptive", "alone")
"""Why there is no verdict on somebody, and none would come of more data of this kind."""


@dataclass(frozen=True, slots=True)
class _OverTime:
    """One thing that is held against a margin: what it asks, and the margin of the audit."""

    summary: str
    usual: float
    unit: str
    claim: str
    clusters: str = "track"
    bounds: tuple[float, float] = (0.0, float("inf"))
    above: float = 0.0


OVER_TIME: Final = {
    "lag": _OverTime(
        "boxes do not trail the object, or run ahead of it, by more frames",
        0.5,
        "frames",
        "the lag within {:g} frames",
    ),
    "jitter": _OverTime(
        "boxes do not shake more than the fleet's, as a ratio; needs three annotators",
        1.5,
        "times the fleet's",
        "jitter at most {:g} times the fleet's",
        bounds=(1.0, float("inf")),
        above=1.0,
    ),
    "start": _OverTime(
        "tracks do not begin more frames late or early",
        3.0,
        "frames",
        "tracks begin within {:g} frames",
        clusters="sequence",
    ),
    "end": _OverTime(
        "tracks do not end more frames late or early",
        3.0,
        "frames",
        "tracks end within {:g} frames",
        clusters="sequence",
    ),
}
"""What is held against a margin of its own. The usual ones are those of `annqc.run.temporal`, which
loads scipy; a test holds the two together."""
WHY_NOT: Final = {
    "lag": "no object varies its speed enough to tell a lag",
    "jitter": "no track is long enough to tell how it shakes",
    "start": "no track begins inside its sequence",
    "end": "no track ends inside its sequence",
    "sag": "nobody leaves frames to interpolation, or not by enough to tell",
    "sawtooth": "nobody leaves frames to interpolation, so there is nothing to set right",
    DRIFT: "no track is long enough to tell a drift: it takes 50 frames without a jump",
}
FLEET: Final = 3
"""Annotators beside whom one can be too shaky; as in `annqc.run.temporal`."""
ALONE: Final = (
    "jitter is told beside that of the other annotators, which takes three of them on the same "
    "tracks, by annotator"
)


def lacking_tracks(measured: Measured, *, both: bool) -> str:
    """Say that there are no tracks to judge, and what to do; empty where there are.

    Parameters
    ----------
    measured : Measured
        The audit.
    both : bool
        Whether the work must have track ids too.
    """
    sides = {"gold": measured.matches.reference}
    if both:
        sides["work"] = measured.matches.candidate
    without = [name for name, side in sides.items() if not _has_tracks(side.table.track)]
    if without:
        return (
            f"there are no tracks in the {' and in the '.join(without)}: every box needs the id "
            "of its track (track_id in tables and in COCO, the second number of MOT lines), and "
            "every image its sequence and frame"
        )
    if both and measured.matches.reference.image_table.sequence is None:
        return (
            "the images of the gold are no frames of videos: every image needs its sequence and "
            "its frame (columns sequence and frame in tables, video_id and frame_index in COCO)"
        )
    return ""


def _has_tracks(track: Array | None) -> bool:
    return track is not None and bool((track >= 0).any())


def _only_pooled(rule: Rule) -> str | None:
    """Refuse what would never be tested: inside an annotator's strata there is drift alone."""
    if "annotator" in rule.columns and len(rule.columns) > 1:
        return (
            f"{rule.measure} is tested by annotator, or by other columns, not by both together; "
            f"{DRIFT} is tested in strata as well"
        )
    return None


def _with_room(rule: Rule) -> str | None:
    """Refuse a margin of nothing, within which nobody can be shown to be."""
    least = OVER_TIME[rule.measure].above
    if rule.at_most is not None and rule.at_most <= least:
        return f"at_most of {rule.measure} must be above {least:g}; found {rule.at_most:g}"
    return _only_pooled(rule)


@dataclass(frozen=True, eq=False, slots=True)
class _TrackWords:
    """Words for findings on tracks."""

    keys: dict[str, Array]
    columns: dict[str, Array]
    tolerance: Tolerance
    things: str

    def count(self, rows: Sequence[int]) -> str:
        """Count findings, and those who have them."""
        groups = {tuple(column[row] for column in self.keys.values()) for row in rows}
        who = number_of(len(groups), who_words(self.keys))
        if self.things == who_words(self.keys):
            return who
        return f"{number_of(len(rows), self.things)} of {who}"

    def describe(self, row: int) -> str:
        """Say one finding."""
        finding = {name: column[row] for name, column in self.columns.items()}
        quantity = str(finding["quantity"])
        where, _ = group_words(group_of(self.keys, row))
        clusters = _clusters(quantity)
        seen = number_of(int(finding["n_clusters"]), clusters)
        text = f"{where}: {_size_words(quantity, finding)}, {seen})"
        if finding["verdict"] == "collective":
            return f"{text}, as everybody does"
        if finding["verdict"] == "undecided":
            finding["excess"] = finding["estimate"]
            tests = range(len(self.columns["verdict"])) if beyond_alone(finding) else ()
            among = self.count(tests)
            return f"{text}: {unsettled_words(finding, clusters=clusters, among=among)}"
        return text

    def look(self, row: int) -> dict[str, str]:
        """Say where to look for the stretches behind a finding."""
        return {"quantity": str(self.columns["quantity"][row])}

    def together(self, rows: Sequence[int]) -> list[str]:
        """Say accusations one by one, and what everybody shares once."""
        texts: list[str] = []
        shared: dict[tuple[object, ...], list[int]] = {}
        names = [name for name in self.keys if name != "annotator"]
        for row in rows:
            if self.columns["verdict"][row] != "collective":
                texts.append(self.describe(row))
                continue
            stratum = tuple(self.keys[name][row] for name in names)
            shared.setdefault((self.columns["quantity"][row], *stratum), []).append(row)
        for (quantity, *values), members in shared.items():
            size = float(self.columns["collective"][members[0]])
            where = group_words(dict(zip(names, values, strict=True)))[0] if values else ""
            inside = f" ({where})" if where else ""
            who = number_of(len(members), "annotator")
            texts.append(
                f"everybody{inside}: {_what(str(quantity), size, 'tolerances')} ({who}; the "
                "annotators, the gold or the guideline may be off)"
            )
        return texts


def _clusters(quantity: str) -> str:
    return OVER_TIME[quantity].clusters if quantity in OVER_TIME else "track"


def _what(quantity: str, value: float, unit: str = "px") -> str:
    """Say what is done, and how much."""
    kind, _, edge = quantity.partition("_")
    size = abs(value)
    if kind == DRIFT:
        way = "outwards" if value > 0 else "inwards"
        return f"the {edge} edge drifts {size:.1f} {unit} {way} in 100 frames"
    if kind == "sawtooth":
        way = "outwards" if value > 0 else "inwards"
        return f"the {edge} edge wanders {size:.1f} {unit} {way} until the next keyframe"
    if kind == "lag":
        verb = "boxes trail the object" if value > 0 else "boxes run ahead of the object"
        return f"{verb} by {size:.1f} frames"
    if kind == "jitter":
        return f"boxes shake {size:.1f} times as much as the fleet's"
    if kind == "sag":
        return f"interpolation between keyframes misses the object by up to {value:.1f} {unit}"
    verb = {"start": "begin", "end": "end"}[kind]
    return f"tracks {verb} {size:.1f} frames {'late' if value > 0 else 'early'}"


def _size_words(quantity: str, finding: dict[str, Any]) -> str:
    """Say an estimate with its interval; the bracket stays open for what it rests on."""
    names, unit = ("estimate", "ci_low", "ci_high"), "px"
    value, low, high = (float(finding[name]) for name in names)
    if quantity in IN_PIXELS:
        pixels = [float(finding[f"{name}_px"]) for name in names]
        if np.isnan(pixels[0]) or pixels[0] * value < 0:
            unit = "tolerances"
        else:
            value, low, high = pixels
    if np.isnan(value):
        kind = quantity.partition("_")[0]
        return f"{kind} cannot be told (nothing measured"
    said = _what(quantity, value, unit)
    if np.isnan(low):
        return f"{said} (no interval"
    signed = quantity not in {"jitter", "sag"}
    ends = sorted((-low, -high) if signed and value < 0 else (low, high))
    digits = 2 if ends[1] - ends[0] < 0.2 else 1
    unit = f" {unit}" if quantity in IN_PIXELS else ""
    return f"{said} ({ends[0]:.{digits}f} to {ends[1]:.{digits}f}{unit}"


def _assess(name: str, quantities: tuple[str, ...]) -> Callable[[Measured, Rule], Assessment]:
    def assess(measured: Measured, rule: Rule) -> Assessment:
        of = OVER_TIME.get(name)
        limit = None if of is None else (of.usual if rule.at_most is None else rule.at_most)
        margins = {} if limit is None else {name: float(limit)}
        found = measured.temporal_columns(rule.columns, margins=margins)
        wanted, notes = wanted_rows(found, rule, measured)
        wanted &= np.array([one in quantities for one in found["quantity"]], dtype=bool)
        untold = np.array([one in UNTOLD for one in found["status"]], dtype=bool)
        notes = (*notes, *_left_out(found, rule, wanted & untold, name))
        asked = wanted
        wanted = wanted & ~untold
        keys, columns = split_columns(found, rule, wanted)
        things = "edge" if len(quantities) > 1 else who_words(keys)
        tolerance = measured.parameters.tolerance
        words = _TrackWords(keys, columns, tolerance, things)
        verdict = columns["verdict"]
        with np.errstate(invalid="ignore"):
            badness = np.abs(columns["estimate"]) / columns["margin"]
        nothing = ""
        if not len(verdict):
            reason = lacking_tracks(measured, both=False)
            reason = reason or _reason(measured, rule, found["status"][asked], name)
            nothing = reason if asked.any() else nothing_words(notes, reason)
        over = WITHIN[name.partition("_")[0]][2] if of is None else ""
        claim = f"within {tolerance} {over}" if of is None else of.claim.format(limit)
        return Assessment(
            claim=claim,
            keys=keys,
            columns=columns,
            outcome=np.array([OUTCOME_OF[one] for one in verdict], dtype=object),
            badness=badness + np.where(verdict == "biased", 1e6, 0.0),
            describe=words.describe,
            nothing=nothing,
            notes=() if nothing else notes,
            together=words.together,
            things=things,
            count=words.count,
            look=words.look,
        )

    return assess


def _reason(measured: Measured, rule: Rule, status: Array, name: str) -> str:
    """Say why there is no verdict on anybody."""
    few = len(measured.matches.candidate.annotator_ids) < FLEET
    alone = few or "annotator" not in rule.columns or bool((status == "alone").any())
    if name == "jitter" and alone:
        return ALONE
    if (status == "descriptive").any():
        return f"{name} is only described here, and not tested"
    return WHY_NOT[name.partition("_")[0]]


def _left_out(found: dict[str, Array], rule: Rule, untold: Array, name: str) -> tuple[str, ...]:
    """Name groups on which nothing can be said at all, where others are judged."""
    groups = {tuple(found[one][k] for one in rule.columns) for k in np.flatnonzero(untold).tolist()}
    if not groups:
        return ()
    said = sorted(group_words(dict(zip(rule.columns, one, strict=True)))[0] for one in groups)
    few = ", ".join(said[:3]) + (f" and {len(said) - 3:,} more" if len(said) > 3 else "")
    return (f"no {name.partition('_')[0]} can be told of {few}",)


for _name, (_quantities, _summary, _) in WITHIN.items():
    register_measure(
        _name,
        _summary,
        takes=(*GROUPED, "tolerance"),
        check=None if _name == DRIFT else _only_pooled,
        tracks=True,
    )(_assess(_name, _quantities))

for _name in DRIFTS:
    register_measure(
        _name,
        f"the {_name.removeprefix('drift_')} edge does not wander by more than the tolerance in "
        "100 frames",
        takes=(*GROUPED, "tolerance"),
        tracks=True,
    )(_assess(_name, (_name,)))

for _name, _of in OVER_TIME.items():
    register_measure(
        _name,
        _of.summary,
        takes=GROUPED,
        limits=("at_most",),
        limit_range=_of.bounds,
        check=_with_room,
        tracks=True,
        unit=_of.unit,
        usual=_of.usual,
    )(_assess(_name, (_name,)))
