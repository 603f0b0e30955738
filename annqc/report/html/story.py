"""report: what all pages share: who took part, where everybody stands, and their pages."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.report.html.habits import outline_habits, track_habits
from annqc.report.html.names import page_name
from annqc.report.html.rates import Rates
from annqc.report.plain import name_text
from annqc.report.standing import STANDINGS, settle_text, standings
from annqc.report.view import view_of
from annqc.report.words import accused_sentences, collective_sentences
from annqc.run.anonymous import spoken_of

if TYPE_CHECKING:
    from annqc.report.checks.record import Record
    from annqc.report.html.habits import Habit
    from annqc.report.standing import Standing
    from annqc.report.view import View
    from annqc.report.words import Sentence
    from annqc.run.audit import Run
    from annqc.tables import Ints

__all__ = ["OUTLINES", "OVER_TIME", "TOGETHER", "Person", "Story", "tell"]

ORDER: Final = {place: k for k, place in enumerate(STANDINGS)}
TOGETHER: Final = "all of the work together"
OVER_TIME: Final = "Over time"
OUTLINES: Final = "Outlines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One annotator, or all of the work where nobody is told apart.

    Attributes
    ----------
    group : int
        Row of the view.
    name, page : str
        What they are called, and the file name of their page.
    standing : Standing
    settle : str
        What would settle an undecided one; else empty.
    sentences : tuple of Sentence
        Their habits.
    score : dict of str to object
        Their row of `annqc.Audit.scores`.
    habits : dict of str to Habit
        What their tracks and outlines tell, under what that is called: ``"Over time"``,
        ``"Outlines"``. What they have none of is not in it.
    """

    group: int
    name: str
    page: str
    standing: Standing
    settle: str
    sentences: tuple[Sentence, ...]
    score: dict[str, Any]
    habits: dict[str, Habit]

    @property
    def place(self) -> str:
        """Where they stand on edges."""
        return self.standing.place

    @property
    def accused(self) -> bool:
        """Whether they are biased on edges, over time or on outlines."""
        return self.place == "biased" or any(
            one.verdict == "biased" for one in self.habits.values()
        )


@dataclass(frozen=True, eq=False)
class Story:
    """One audit, laid out for pages.

    Parameters
    ----------
    run : Run
        The comparison, under pseudonyms where they were asked for.
    by : tuple of str
        Grouping that the verdicts share a false discovery rate with.
    view : View
        Findings, one row a person.
    people : list of Person
        Accused first, then by how far they are off.
    collective : list of str
        What everybody does alike.
    veiled : bool
        Whether names are pseudonyms: what could hold a name is left out.
    checks : list of Record
        Of a judgement, if there is one.
    remarks : dict of str to list of str
        What tracks and outlines tell of everybody that is no accusation, by `Person.habits`.
    """

    run: Run
    by: tuple[str, ...]
    view: View
    people: list[Person]
    collective: list[str]
    veiled: bool
    checks: list[Record] = field(default_factory=list)
    remarks: dict[str, list[str]] = field(default_factory=dict)

    @property
    def named(self) -> bool:
        """Whether people are told apart."""
        return bool(self.view.by)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many stand where, in the order of `STANDINGS`."""
        found = Counter(one.place for one in self.people)
        return {place: found[place] for place in STANDINGS}

    @cached_property
    def rates(self) -> Rates:
        """Recall, precision and labels of everybody beside those of the others."""
        return Rates(self)

    @cached_property
    def codes(self) -> dict[int, int]:
        """Code of the annotator of each row of the view."""
        if not self.named:
            return {}
        code = {who: k for k, who in enumerate(self.run.candidate.annotator_ids.tolist())}
        names = self.view.keys["annotator"].tolist()
        return {group: code[who] for group, who in enumerate(names)}

    @cached_property
    def of_code(self) -> dict[int, Person]:
        """Person by code of the annotator."""
        return {self.codes[one.group]: one for one in self.people} if self.named else {}

    def rows(self, annotator: Ints, person: Person) -> Ints:
        """Return which of the rows of a table, whose annotators are given, are a person's."""
        if not self.named:
            return np.arange(len(annotator))
        return np.flatnonzero(annotator == self.codes[person.group])


def tell(run: Run, by: tuple[str, ...], *, veiled: bool, checks: list[Record]) -> Story:
    """Lay an audit out.

    Parameters
    ----------
    run : Run
        The comparison.
    by : tuple of str
        Grouping of its findings.
    veiled : bool
        Whether names are pseudonyms.
    checks : list of Record
        Of a judgement.
    """
    main = spoken_of(run.candidate, ("annotator",))
    spoken = spoken_of(run.candidate, by)
    by = spoken if main and "annotator" in spoken else main
    view = view_of(run, by, whole=by != main)
    parts = view_of(run, by) if by != main else None
    mine: dict[int, list[Sentence]] = {}
    for said in accused_sentences(view, parts):
        mine.setdefault(said.group, []).append(said)
    scores = run.score_columns(main, strata=by) if main else run.score_columns(main)
    at = {who: k for k, who in enumerate(scores["annotator"].tolist())} if main else {}
    lists = {name: column.tolist() for name, column in scores.items()}
    told = {OVER_TIME: track_habits(run, main), OUTLINES: outline_habits(run, main, by)}
    found = []
    for one in standings(view):
        who = view.keys["annotator"][one.group] if main else None
        row = at[who] if main else 0
        found.append(
            Person(
                group=one.group,
                name=name_text(who, width=60) if main else TOGETHER,
                page="",
                standing=one,
                settle=settle_text(view, one) if one.place in {"undecided", "too_few"} else "",
                sentences=tuple(mine.get(one.group, ())),
                score={name: column[row] for name, column in lists.items()},
                habits={what: habits[who] for what, (habits, _) in told.items() if who in habits},
            )
        )
    found.sort(key=_first)
    people = [
        replace(one, page=page_name(one.name if main else "all", k))
        for k, one in enumerate(found, start=1)
    ]
    return Story(
        run=run,
        by=by,
        view=view,
        people=people,
        collective=collective_sentences(run, by) if main else [],
        veiled=veiled,
        checks=checks,
        remarks={what: remarks for what, (_, remarks) in told.items()},
    )


def _first(one: Person) -> tuple[object, ...]:
    """Order people: the accused first, the farthest off first, ties by name."""
    rank = one.score.get("rank")
    off = -rank if rank is not None and math.isfinite(rank) else math.inf
    weight = max((said.weight for said in one.sentences), default=0.0)
    place = ORDER["biased"] if one.accused else ORDER[one.standing.place]
    return place, one.place != "biased", -weight, off, len(one.name), one.name
