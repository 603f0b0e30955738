"""judge: a rule becomes a check, a spec a judgement; every outcome has its sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from annqc.errors import AnnqcError, UnknownNameError
from annqc.judge.registry import OUTCOMES, find_measure
from annqc.judge.rules.ratchet import Since, no_worse
from annqc.judge.wording import join_words, number_of
from annqc.match.authors import unsigned
from annqc.tables import is_anonymous, to_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import pandas as pd

    from annqc.judge.model import Rule, Spec
    from annqc.judge.registry import Assessment, Measured, Outcome
    from annqc.tables import Array, Ints

__all__ = ["Check", "Judgement", "judge"]

UndecidedAs = Literal["undecided", "pass", "fail"]
MOST_LISTED: Final = 25
"""Groups that are listed where nobody says how many."""
OFFENDERS_SHOWN: Final = 3
"""Groups that fail and whose worst annotations are looked up."""
WORST_SHOWN: Final = 5
"""Annotations that are looked up for each of them."""
EXIT_CODES: Final = {"pass": 0, "fail": 1, "error": 2, "undecided": 3}
SEVERITY: Final = ("fail", "undecided", "pass")
"""Outcomes of groups, the one that decides for all first."""
NOT_SHOWN: Final = frozenset({"mean", "low", "high", "bound_low", "bound_high", "se", "df"})
"""Columns of a finding that explain how it came about; `annqc.Audit.bias` has them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Check:
    """A rule applied.

    Attributes
    ----------
    id, measure : str
        Name of the rule, and what it asks.
    outcome : str
        ``pass``, ``fail``, ``undecided``, ``not_applicable`` or ``error``; only ``pass`` is a pass.
    sentence : str
        Why, the worst offender first, with estimate, interval and images.
    rule : Rule
        The rule.
    tolerance : str or None
        The tolerance in force, for measures that have one.
    confidence : float or None
        The level in force, for measures that have one.
    evidence : tuple of dict
        Of a check that fails, the annotations that weigh most against its first few groups: the
        worst of each first, see `annqc.Audit.worst`.
    """

    id: str
    measure: str
    outcome: Outcome
    sentence: str
    rule: Rule
    tolerance: str | None = None
    confidence: float | None = None
    assessment: Assessment | None = None
    evidence: tuple[dict[str, Any], ...] = ()

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many groups passed, failed and are undecided."""
        given = [] if self.assessment is None else self.assessment.outcome.tolist()
        return {name: given.count(name) for name in ("pass", "fail", "undecided")}

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """One entry a group, the worst first, of plain Python values, None for NaN.

        ``group`` is column -> value, ``outcome`` and ``text`` say how it stands; the other entries
        are the numbers of the measure.
        """
        found = self.assessment
        if found is None:
            return []
        columns = {name: c for name, c in found.columns.items() if name not in NOT_SHOWN}
        return [
            {
                "group": {name: _plain(column[row]) for name, column in found.keys.items()},
                "outcome": found.outcome[row],
                "text": found.describe(row),
                **{name: _plain(column[row]) for name, column in columns.items()},
            }
            for row in _worst_first(found).tolist()
        ]

    def explain(self, *, most: int = MOST_LISTED) -> str:
        """Return the sentence and, a line each, the groups that fail, the worst first.

        Where none fails, those that are undecided; else these are only counted. Below stand the
        annotations that weigh most against the first of the groups that fail.

        Parameters
        ----------
        most : int
            Groups to list.
        """
        found = self.assessment
        if found is None or self.outcome not in {"fail", "undecided"}:
            return self.sentence
        rows = [row for row in _worst_first(found).tolist() if found.outcome[row] == self.outcome]
        lines = [f"  {self.outcome:<9}  {found.describe(row)}" for row in rows[:most]]
        if len(rows) > most:
            lines.append(f"  and {_left_words(self.outcome, len(rows) - most)}")
        if self.outcome == "fail" and self.counts["undecided"]:
            lines.append(f"  {self.counts['undecided']:,} undecided")
        if self.evidence:
            lines += ["  worst annotations:", *(f"    {one['text']}" for one in self.evidence)]
        return "\n".join([self.sentence, *lines])

    def reconsidered(self, outcome: Array, *notes: str) -> Check:
        """Return the check with other outcomes of its groups, its own outcome and its sentence.

        Parameters
        ----------
        outcome : (n,) object
            Of each group, in the order of the assessment.
        *notes : str
            What a reader must know of that; stands at the end of the sentence.
        """
        assert self.assessment is not None
        found = replace(self.assessment, outcome=outcome, notes=(*self.assessment.notes, *notes))
        made = _outcome(found)
        said = _sentence(found, made)
        return replace(self, outcome=made, sentence=said, assessment=found, evidence=())

    def to_frame(self) -> pd.DataFrame:
        """Return one row a group, the worst first: its columns, ``outcome``, and the numbers."""
        found = self.assessment
        if found is None:
            return to_frame({"outcome": []})
        order = _worst_first(found)
        columns = {**found.keys, "outcome": found.outcome, **found.columns}
        return to_frame({name: column[order] for name, column in columns.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain Python values, ready for JSON."""
        rule = self.rule
        return {
            "id": self.id,
            "measure": self.measure,
            "outcome": self.outcome,
            "sentence": self.sentence,
            "by": list(rule.columns),
            "where": {name: list(values) for name, values in rule.where.items()},
            "tolerance": self.tolerance,
            "confidence": self.confidence,
            "at_least": rule.at_least,
            "at_most": rule.at_most,
            "counts": self.counts,
            "rows": self.rows,
            "evidence": [dict(one) for one in self.evidence],
        }

    def __repr__(self) -> str:
        return f"<annqc.Check {self.id}: {self.outcome}: {self.sentence}>"


@dataclass(frozen=True, eq=False, kw_only=True)
class Judgement:
    """A spec applied: one check a rule, in the order of the rules."""

    checks: tuple[Check, ...]
    spec: Spec

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many checks there are of each outcome."""
        given = [check.outcome for check in self.checks]
        return {name: given.count(name) for name in OUTCOMES}

    @property
    def outcome(self) -> Outcome:
        """Outcome of all checks together.

        The first of ``error``, ``fail``, ``undecided`` that any check has. ``pass`` where every
        check passes, ``not_applicable`` where none applies. Passes beside checks that do not apply
        are ``undecided``: only ``pass`` is a pass, and a rule that found nothing to judge is none.
        """
        given = {name for name, count in self.counts.items() if count}
        for name in ("error", "fail", "undecided"):
            if name in given:
                return name
        if given == {"pass"}:
            return "pass"
        return "undecided" if "pass" in given else "not_applicable"

    def exit_code(self, *, undecided: UndecidedAs = "undecided") -> int:
        """Return what a command that judges should exit with.

        Parameters
        ----------
        undecided : {"undecided", "pass", "fail"}
            What to make of checks that the data cannot settle, and of checks that do not apply.

        Returns
        -------
        int
            0 all checks pass; 1 a check failed; 2 a check could not be made; 3 nothing failed, and
            something is undecided or does not apply.

        Raises
        ------
        UnknownNameError
            Where ``undecided`` is none of the three.
        """
        choices = ("undecided", "pass", "fail")
        if undecided not in choices:
            kind = "reading of undecided"
            raise UnknownNameError.among(kind, undecided, choices)
        outcome = self.outcome
        return EXIT_CODES[undecided if outcome in {"undecided", "not_applicable"} else outcome]

    def explain(self, *, most: int = MOST_LISTED) -> str:
        """Return every check in words, a paragraph each."""
        return "\n".join(text for _, text in self.paragraphs(most=most))

    def paragraphs(self, *, most: int = MOST_LISTED) -> list[tuple[Outcome, str]]:
        """Return outcome and words of every check; what is in the way of several is told once.

        Parameters
        ----------
        most : int
            Groups to list of each check; 0 for the sentence alone.
        """
        told: list[tuple[Outcome, str]] = []
        stuck: dict[str, list[str]] = {}
        for check in self.checks:
            if check.outcome == "error":
                stuck.setdefault(check.sentence, []).append(check.id)
        for check in self.checks:
            said = check.explain(most=most) if most else check.sentence
            ids = stuck.pop(said, []) if check.outcome == "error" else [check.id]
            if ids:
                name = check.outcome.replace("_", " ")
                told.append((check.outcome, f"{name}  {', '.join(ids)}: {said}"))
        return told

    def to_frame(self) -> pd.DataFrame:
        """Return one row a check, with its ``sentence`` and counts of its groups."""
        counts = ("pass", "fail", "undecided")
        return to_frame(
            {
                "check": [check.id for check in self.checks],
                "measure": [check.measure for check in self.checks],
                "outcome": [check.outcome for check in self.checks],
                "sentence": [check.sentence for check in self.checks],
                **{f"n_{name}": [check.counts[name] for check in self.checks] for name in counts},
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain Python values, ready for JSON."""
        return {
            "spec": self.spec.path,
            "outcome": self.outcome,
            "counts": self.counts,
            "checks": [check.to_dict() for check in self.checks],
        }

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        return f"<annqc.Judgement: {self.outcome} ({counts})>"


def judge(
    measured: Measured,
    spec: Spec,
    *,
    only: Collection[str] | None = None,
    baseline: Callable[[], Measured] | None = None,
) -> Judgement:
    """Apply a spec to an audit.

    Parameters
    ----------
    measured : Measured
        An audit. Where the spec has its own rules of matching, tolerance or confidence, the audit
        is redone under those.
    spec : Spec
        From `load_spec`.
    only : collection of str, optional
        Ids of the rules to apply; all of them if not given.
    baseline : callable, optional
        Gives the earlier audit that rules with ``no_worse_than`` compare with, when the first of
        them asks for it. What it raises is an error of those rules alone.

    Returns
    -------
    Judgement

    Raises
    ------
    UnknownNameError
        Where ``only`` names a rule that does not exist.

    Notes
    -----
    A rule on bias fails if any group is biased after multiplicity, or collectively biased; it
    passes only if all are clean. A rule on a rate fails if the whole interval of any group lies
    beyond the limit and the number of groups does not explain that; it passes only if the whole
    interval of every group lies within. Whatever is left is undecided. A rule that cannot be
    applied, because a column is missing, say, or because ``where`` names a value that is nowhere in
    the data, is an error of that check alone.
    """
    known = [rule.id for rule in spec.rules]
    for id in only or ():
        if id not in known:
            kind = "rule"
            raise UnknownNameError.among(kind, id, known, where=spec.name)
    if spec.match is not None and spec.match != measured.parameters.policy:
        measured = measured.with_parameters(policy=spec.match)
    rules = [rule for rule in spec.rules if only is None or rule.id in only]
    return Judgement(checks=tuple(_check(measured, rule, baseline) for rule in rules), spec=spec)


def _check(measured: Measured, rule: Rule, baseline: Callable[[], Measured] | None = None) -> Check:
    measure = find_measure(rule.measure)
    try:
        anonymous = _nobody_to_judge(measured, rule)
        if anonymous:
            return Check(
                id=rule.id,
                measure=rule.measure,
                outcome="not_applicable",
                sentence=anonymous,
                rule=rule,
            )
        if rule.tolerance is not None or rule.confidence is not None:
            measured = measured.with_parameters(
                tolerance=rule.tolerance, confidence=rule.confidence
            )
        since = Since(measured, baseline) if rule.no_worse_than is not None else None
        found = measure.assess(measured, rule) if since is None else no_worse(since, rule)
    except AnnqcError as error:
        return Check(
            id=rule.id, measure=rule.measure, outcome="error", sentence=str(error), rule=rule
        )
    found = replace(found, notes=(*found.notes, *_of_whom(measured, rule)))
    outcome = _outcome(found)
    takes, used = measure.takes, measured.parameters
    return Check(
        id=rule.id,
        measure=rule.measure,
        outcome=outcome,
        sentence=_sentence(found, outcome),
        rule=rule,
        tolerance=str(used.tolerance) if "tolerance" in takes else None,
        confidence=used.confidence if "confidence" in takes else None,
        assessment=found,
        evidence=_evidence(since or measured, found) if outcome == "fail" else (),
    )


def _of_whom(measured: Measured, rule: Rule) -> list[str]:
    """Say that a rule by annotator saw one of them alone, since nothing says who drew."""
    grouped = "by" in find_measure(rule.measure).takes and "annotator" in rule.columns
    said = unsigned(measured.matches.candidate) if grouped else ""
    return [said] if said else []


def _nobody_to_judge(measured: Measured, rule: Rule) -> str:
    """Say that a rule by annotator has nobody to speak of, where the annotators are anonymous."""
    grouped = "by" in find_measure(rule.measure).takes and "annotator" in rule.columns
    if not grouped or not is_anonymous(measured.matches.candidate.annotator_ids):
        return ""
    rest = ", ".join(f'"{name}"' for name in rule.by if name != "annotator")
    return (
        "the annotators are anonymous, so that nobody can be judged by name; "
        f"by = [{rest}] judges all of the work"
    )


def _evidence(measured: Measured | Since, found: Assessment) -> tuple[dict[str, Any], ...]:
    """Look up the annotations behind the worst of the groups that fail; each is told once."""
    if found.look is None:
        return ()
    failed = [row for row in _worst_first(found).tolist() if found.outcome[row] == "fail"]
    told: dict[str, dict[str, Any]] = {}
    for row in failed[:OFFENDERS_SHOWN]:
        asked = found.look(row)
        if asked is None:
            continue
        group = {name: column[row] for name, column in found.keys.items()}
        for one in measured.worst(asked.pop("group", group), **asked, most=WORST_SHOWN):
            told.setdefault(one["text"], one)
    return tuple(told.values())


def _outcome(found: Assessment) -> Outcome:
    if found.nothing:
        return "not_applicable"
    given = set(found.outcome.tolist())
    if "fail" in given:
        return "fail"
    return "undecided" if "undecided" in given else "pass"


def _worst_first(found: Assessment) -> Ints:
    """Row numbers: failed, undecided, passed; the worst of each first."""
    place = {name: at for at, name in enumerate(SEVERITY)}
    severity = np.array([place[name] for name in found.outcome], dtype=np.int64)
    return np.lexsort((-found.badness, severity))


def _sentence(found: Assessment, outcome: Outcome) -> str:
    order = _worst_first(found).tolist()
    decisive = [row for row in order if found.outcome[row] == outcome]
    asked = f"asked: {found.claim}"
    if outcome == "not_applicable":
        known = found.nothing.split("; ")
        return "; ".join([*known, *(note for note in found.notes if note not in known)])
    if outcome == "pass":
        text = found.passes or _passed(found, order)
    elif outcome == "fail":
        text = f"{_offences(found, decisive)}; {asked}"
        open_rows = found.outcome.tolist().count("undecided")
        of = number_of(len(order), found.things)
        text += f"; {open_rows:,} of {of} undecided besides" if open_rows else ""
    else:
        few = [found.describe(row) for row in decisive[:3]]
        count = f"{len(decisive):,} of {len(order):,} undecided"
        text = f"{count}: {join_words(few, left=len(decisive) - len(few))}; {asked}"
    return "; ".join([text, *found.notes])


def _passed(found: Assessment, order: list[int]) -> str:
    worst = found.describe(order[0])
    few = "too few of the objects were measured to be sure"
    doubtful = 0 if found.doubtful is None else int(found.doubtful.sum())
    if len(order) == 1:
        return f"{worst}; asked: {found.claim}" + (f"; {few}" if doubtful else "")
    text = f"all {len(order):,} are as asked ({found.claim}); the worst: {worst}"
    return text + (f"; of {doubtful:,} of them {few}" if doubtful else "")


def _offences(found: Assessment, rows: list[int]) -> str:
    if found.together is None:
        few = [found.describe(row) for row in rows[:3]]
        return join_words(few, left=len(rows) - len(few))
    texts = found.together(rows)
    count = f"{found.count(rows)}: " if found.count is not None and len(texts) > 1 else ""
    return count + join_words(texts)


def _left_words(outcome: str, count: int) -> str:
    """Count the groups of an outcome that are not listed."""
    verbs = ("fails", "fail") if outcome == "fail" else ("is undecided", "are undecided")
    return f"{count:,} more that {verbs[int(count != 1)]}"


def _plain(value: Any) -> Any:
    """Turn a cell into what JSON knows: no numpy scalar, None for NaN and infinity."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
