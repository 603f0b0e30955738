"""report: whose edges changed over time, found in the whole delivery; no rule can ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.drift import N_REFERENCE
from annqc.judge.wording import number_of
from annqc.report.plain import clean_text
from annqc.report.words import EDGE_NAMES
from annqc.run.dependence.changes import LEAST_AFTER
from annqc.run.scorecard.caution import LEAST_BOXES
from annqc.run.times import times_of
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.run.audit import Run

__all__ = ["Changed", "change_phrase", "changes_of", "untested_words"]

TESTED: Final = ("ok", "by_session")
UNTESTED: Final = (
    "too_few_clusters",
    "no_times",
    "no_data",
    "sittings_differ",
    "like_sizes",
)
"""Status of an edge that was watched over time, and of one that was not."""
EVERYBODY: Final = "all of the work together"
FEW: Final = 5
WIDTH: Final = 40


@dataclass(frozen=True, eq=False, slots=True)
class Changed:
    """What was found of changes over time.

    Attributes
    ----------
    found : list of (object, dict)
        Annotator, None where nobody is named, and ``annotator, quantity, since, text`` of a change
        by a tolerance or more; the largest first.
    tested, untested : frozenset of object
        Annotators with an edge that was watched, and those of whom there is too little.
    """

    found: list[tuple[object, dict[str, Any]]]
    tested: frozenset[object]
    untested: frozenset[object]

    def on(self, run: Run) -> list[dict[str, Any]]:
        """Return the changes of those who have work on a page."""
        here = _people(run)
        return [change for who, change in self.found if who in here]

    def n_tested(self, run: Run) -> int:
        """Count those on a page of whom an edge was watched."""
        return len(self.tested & _people(run))

    def left(self, run: Run) -> list[str]:
        """Name those on a page of whom there is too little to tell."""
        return [str(who) for who in run.candidate.annotator_ids.tolist() if who in self.untested]


def changes_of(run: Run) -> Changed:
    """Find whose edges changed, of everybody in the delivery together.

    Parameters
    ----------
    run : Run
        The whole delivery.

    Returns
    -------
    Changed
        Empty where nothing says when the work was done: nothing is worked out then.
    """
    if times_of(run.candidate) is None:
        return Changed([], frozenset(), frozenset())
    columns = run.dependence_columns()
    asked = columns["question"] == "change"
    status = columns["status"]
    names = columns.get("annotator", np.full(len(asked), None, dtype=object))
    tested = frozenset(names[asked & np.isin(status, TESTED)].tolist())
    left = frozenset(names[asked & np.isin(status, UNTESTED)].tolist())
    rows = np.flatnonzero(asked & (columns["verdict"] == "changed"))
    order = rows[np.argsort(-columns["reach"][rows], kind="stable")].tolist()
    found = []
    for row in order:
        who = EVERYBODY if names[row] is None else clean_text(names[row], width=60)
        n = int(columns["n"][row])
        few = f"; {number_of(n, 'box', 'boxes')} are few, {LEAST_BOXES} are asked for elsewhere"
        change = {
            "annotator": None if names[row] is None else who,
            "quantity": str(columns["quantity"][row]),
            "since": str(columns["since"][row]),
            "text": f"{who}: {columns['text'][row]}{few if n < LEAST_BOXES else ''}",
        }
        found.append((names[row], change))
    return Changed(found, tested, left - tested)


def change_phrase(changes: list[dict[str, Any]]) -> str:
    """Say in a few words who changed, for a table of many pages; "" where nobody did.

    Examples
    --------
    >>> one = {"annotator": "bob", "quantity": "out_right", "since": "2026-03-16T09:00:00+00:00"}
    >>> change_phrase([one])
    'right edge of bob changed about 2026-03-16, which no rule asks for'
    """
    if not changes:
        return ""
    first, rest = changes[0], len(changes) - 1
    whose = "" if first["annotator"] is None else f" of {clean_text(first['annotator'], width=30)}"
    edge = EDGE_NAMES[EDGES.index(first["quantity"])]
    more = f" and {number_of(rest, 'more edge')}" if rest else ""
    return f"{edge}{whose}{more} changed about {first['since'][:10]}, which no rule asks for"


def untested_words(names: list[str]) -> str:
    """Say of whom too little is known for changes over time; "" for nobody.

    Examples
    --------
    >>> untested_words(["ann"]).partition(":")[0]
    'change over time of the edges of 1 annotator (ann)'
    """
    if not names:
        return ""
    shown = ", ".join(clean_text(one, width=WIDTH) for one in names[:FEW])
    rest = f" and {len(names) - FEW:,} more" if len(names) > FEW else ""
    who = number_of(len(names), "annotator")
    least = N_REFERENCE + LEAST_AFTER
    return (
        f"change over time of the edges of {who} ({shown}{rest}): it takes {least} images with a "
        "time, as many sittings where these differ, and sizes of objects that do not change along"
    )


def _people(run: Run) -> set[object]:
    return {None} if run.candidate.anonymous else set(run.candidate.annotator_ids.tolist())
