"""run: annotators who are nobody in particular. What is found of them is told, and none is accused.

Where readers are numbered anew in every scan, or nobody wrote down who drew, several people stand
behind one name. An estimate of all their work means something; a verdict on "them" does not.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.infer.verdicts import UNDECIDED
from annqc.tables import nameless

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.infer.fleet import Decisions
    from annqc.infer.multiplicity import Accusation
    from annqc.tables import Array, Bools, Dataset

__all__ = ["STATUS", "WHY", "accused_by_name", "declined", "nameless_groups", "spoken_of"]

STATUS: Final = "anonymous"
"""Status of findings on annotators that are nobody in particular."""
WHY: Final = (
    "the annotators are anonymous: what is said is said of all of the work, and of nobody in it"
)


def spoken_of(candidate: Dataset, by: Sequence[str]) -> tuple[str, ...]:
    """Return the columns to group by, without the annotator where all are anonymous.

    Parameters
    ----------
    candidate : Dataset
        The work.
    by : sequence of str
        What was asked for.
    """
    return tuple(name for name in by if name != "annotator" or not candidate.anonymous)


def nameless_groups(keys: Mapping[str, Array], by: Sequence[str], n: int) -> Bools:
    """Return which groups are those of annotators that are nobody in particular.

    Parameters
    ----------
    keys : mapping of str to (n,) array
        The columns of the groups.
    by : sequence of str
        Those that the findings are grouped by.
    n : int
        Groups.
    """
    if "annotator" not in by:
        return np.zeros(n, dtype=bool)
    return nameless(keys["annotator"])


def declined(decisions: Decisions, groups: Bools) -> Decisions:
    """Take back what was decided on some groups: no p-value, no verdict, nothing to wait for.

    Parameters
    ----------
    decisions : Decisions
        Of n groups.
    groups : (n,) bool
        Which.
    """
    if not groups.any():
        return decisions
    changed: dict[str, Any] = {}
    for field in fields(decisions):
        column = getattr(decisions, field.name).copy()
        blank: Any = np.nan if column.dtype.kind == "f" else False
        column[groups] = UNDECIDED if field.name == "verdict" else blank
        changed[field.name] = column
    return replace(decisions, **changed)


def accused_by_name(accusation: Accusation, annotators: Bools) -> Accusation:
    """Take back what annotators that are nobody in particular are accused of.

    Parameters
    ----------
    accusation : Accusation
        Of a annotators.
    annotators : (a,) bool
        Which.
    """
    if not annotators.any():
        return accusation
    changed: dict[str, Any] = {}
    for field in fields(accusation):
        column = getattr(accusation, field.name)
        if len(column) != len(annotators):
            continue
        column = column.copy()
        column[annotators] = np.nan if column.dtype.kind == "f" else False
        changed[field.name] = column
    return replace(accusation, **changed)
