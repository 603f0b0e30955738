"""judge: tracking scores, switches of identity, and events of tracks.

Scores and rates are judged by their intervals, as recall is; events are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.judge.registry import Assessment, register_measure
from annqc.judge.rules.common import (
    GROUPED,
    group_of,
    limit_words,
    nothing_words,
    split_columns,
    wanted_rows,
    who_words,
)
from annqc.judge.rules.counts import UNBOUNDED
from annqc.judge.rules.rates import hold_to_limit
from annqc.judge.rules.tracks import lacking_tracks
from annqc.judge.wording import group_words, number_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.judge.model import Rule
    from annqc.judge.registry import Measured
    from annqc.tables import Array, Bools

__all__ = ["SCORES", "TRACK_EVENTS"]

SCORES: Final = {
    "hota": ("HOTA", "how well objects are found and kept apart, at every overlap (HOTA)"),
    "mota": ("MOTA", "share of boxes that are neither missed, nor spurious, nor switched (MOTA)"),
    "idf1": ("IDF1", "share of boxes that are on the right object by id (IDF1)"),
    "deta": ("DetA", "how well objects are found, at every overlap (DetA of HOTA)"),
    "assa": ("AssA", "how well tracks stay on their objects, at every overlap (AssA of HOTA)"),
    "loca": ("LocA", "mean overlap of what was matched, at every overlap (LocA of HOTA)"),
}
"""Scores that a rule may limit: what tables call them, and what they are."""
SWITCHES: Final = "id_switches"
TRACK_EVENTS: Final = (
    "drift",
    "jump",
    "frozen",
    "missed_track",
    "late_start",
    "early_start",
    "early_end",
    "late_end",
    "gap",
    "id_switch",
    "id_swap",
    "merged_tracks",
    "spurious_track",
    "duplicate_id",
    "category_flip",
    "cut",
)
"""`annqc.run.tracklists.EVENTS`, which loads scipy; a test holds the two together."""


@dataclass(frozen=True, eq=False, slots=True)
class _ScoreWords:
    """Words for scores."""

    measure: str
    keys: dict[str, Array]
    columns: dict[str, Array]
    chance: Bools
    few: Bools

    def describe(self, row: int) -> str:
        """Say one score."""
        from annqc.infer.verdicts import G_MIN  # loads scipy, which reading a spec does without

        value, low, high = (
            float(self.columns[name][row]) for name in ("estimate", "ci_low", "ci_high")
        )
        where = group_words(group_of(self.keys, row))[0]
        if np.isnan(value):
            return f"{where}: {_named(self.measure)} cannot be told, there is nothing to score"
        digits = 2 if self.measure == SWITCHES else 3
        n = int(self.columns["n_clusters"][row])
        seen = number_of(n, str(self.columns["clusters"][row]).removesuffix("s"))
        spread = "no interval" if np.isnan(low) else f"{low:.{digits}f} to {high:.{digits}f}"
        said = f"{value:.{digits}f}{' in 1000 frames' if self.measure == SWITCHES else ''}"
        text = f"{where}: {_named(self.measure)} {said} ({spread}, {seen})"
        if self.few[row]:
            return f"{text}: {seen} {'is' if n == 1 else 'are'} too few; {G_MIN} are needed"
        if self.chance[row]:
            among = number_of(int(np.sum(~self.few)), "group")
            return f"{text}: among {among} this can be chance"
        return text

    def look(self, _row: int) -> dict[str, Any]:
        """Say where to look for what lowers a score."""
        return {"quantity": self.measure}


def _named(measure: str) -> str:
    return SCORES[measure][0] if measure in SCORES else "switches of identity"


def _score(name: str) -> Callable[[Measured, Rule], Assessment]:
    def assess(measured: Measured, rule: Rule) -> Assessment:
        at_least = rule.at_least is not None
        limit = float((rule.at_least if at_least else rule.at_most) or 0.0)
        per = " in 1000 frames" if name == SWITCHES else ""
        claim = f"{_named(name)} {'at least' if at_least else 'at most'} {limit:g}{per}"
        lacking = lacking_tracks(measured, both=True)
        if lacking:
            return _nothing(claim, rule, lacking)
        found = measured.track_rate_columns(
            SCORES[name][0] if name in SCORES else name,
            rule.columns,
            limit=limit,
            at_least=at_least,
            preprocess=rule.preprocess or "none",
        )
        wanted, notes = wanted_rows(found, rule, measured)
        keys, columns = split_columns(found, rule, wanted)
        held = hold_to_limit(measured, columns, limit, at_least=at_least)
        words = _ScoreWords(name, keys, columns, held.alone & ~held.bad, held.few)
        estimate = columns["estimate"]
        empty = bool(np.isnan(estimate).all())
        return Assessment(
            claim=claim,
            keys=keys,
            columns=columns,
            outcome=held.outcome,
            badness=-estimate if at_least else estimate,
            describe=words.describe,
            things=who_words(keys),
            nothing=nothing_words(notes, "there is nothing to score") if empty else "",
            notes=(*notes, *_by_track(name, columns)),
            look=words.look,
        )

    return assess


def _by_track(name: str, columns: dict[str, Array]) -> tuple[str, ...]:
    """Say that intervals over tracks speak of these videos alone."""
    if name == SWITCHES or not (columns["clusters"] == "tracks").any():
        return ()
    few = "with fewer than five sequences the intervals rest on tracks"
    return (f"{few}, and speak of these sequences alone",)


def _nothing(claim: str, rule: Rule, why: str) -> Assessment:
    """Return an assessment of nothing."""
    none = np.empty(0, dtype=object)
    return Assessment(
        claim=claim,
        keys=dict.fromkeys(rule.columns, none),
        columns={},
        outcome=none,
        badness=np.empty(0),
        describe=str,
        nothing=why,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _EventWords:
    """Words for counts of events."""

    keys: dict[str, Array]
    count: Array
    what: tuple[str, str]
    kinds: tuple[str, ...]

    def describe(self, row: int) -> str:
        """Say one count."""
        where = group_words(group_of(self.keys, row))[0]
        return f"{where}: {number_of(int(self.count[row]), *self.what)}"

    def look(self, _row: int) -> dict[str, Any]:
        """Say where to look for what was counted."""
        return {"kinds": self.kinds}


def _event_words(kinds: tuple[str, ...]) -> tuple[str, str]:
    listed = f" ({', '.join(kinds)})" if kinds else ""
    return f"event of tracks{listed}", f"events of tracks{listed}"


def _events(measured: Measured, rule: Rule) -> Assessment:
    what, limit = _event_words(rule.kind), rule.at_most or 0.0
    claim = f"at most {limit_words(limit, *what)}"
    lacking = lacking_tracks(measured, both=True)
    if lacking:
        return _nothing(claim, rule, lacking)
    found = measured.track_count_columns(rule.columns, kinds=rule.kind)
    wanted, notes = wanted_rows(found, rule, measured)
    keys, columns = split_columns(found, rule, wanted)
    count = columns["count"]
    words = _EventWords(keys, count, what, rule.kind or TRACK_EVENTS[:-1])
    return Assessment(
        claim=claim,
        keys=keys,
        columns=columns,
        outcome=np.where(count > limit, "fail", "pass").astype(object),
        badness=count.astype(np.float64),
        describe=words.describe,
        things=who_words(keys),
        nothing="" if len(count) else nothing_words(notes, "there is nothing to count"),
        notes=notes,
        look=words.look,
    )


def _by_annotator(rule: Rule) -> str | None:
    """Refuse groups that a score does not have."""
    if rule.columns != ("annotator",):
        return f'{rule.measure} is told by annotator alone: by = ["annotator"]'
    return None


for _name, (_, _summary) in SCORES.items():
    register_measure(
        _name,
        _summary,
        takes=(*GROUPED, "preprocess"),
        limits=("at_least",),
        check=_by_annotator,
        tracks=True,
    )(_score(_name))

register_measure(
    SWITCHES,
    "how often an object goes on under another id, in 1000 frames",
    takes=GROUPED,
    limits=("at_most",),
    limit_range=(0.0, 1000.0),
    tracks=True,
    unit="in 1000 frames",
)(_score(SWITCHES))

register_measure(
    "track_events",
    "events of these kinds in single tracks, such as jumps and gaps",
    takes=("by", "where", "kind"),
    limits=("at_most",),
    limit_range=UNBOUNDED,
    kinds=TRACK_EVENTS,
    tracks=True,
)(_events)
