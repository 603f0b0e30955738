"""Which rule for annotators was at work where nobody gave one, so that a spec can keep it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from annqc.errors import AnnqcError

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.tables import Dataset

__all__ = ["rule_at_work"]

MOST_BYTES: Final = 1 << 26
"""So much of a file is searched for the name of a field."""


def rule_at_work(drawn: Dataset, again: Callable[[str], Dataset]) -> str | None:
    """Find the rule that says in so many words who drew.

    Parameters
    ----------
    drawn : Dataset
        The work, read without such a rule.
    again : callable
        Rule -> the same work, read with it.

    Returns
    -------
    str or None
        A field, ``"stem"`` or ``"parent"``, with which the work comes out as it did. None where
        there is none, or nothing says who drew.
    """
    if drawn.authors_known:
        rules = _fields(drawn)
    else:
        rules = ["stem", "parent"] if len(drawn.annotator_ids) > 1 else []
    return next((rule for rule in rules if _same(drawn, again, rule)), None)


def _fields(drawn: Dataset) -> list[str]:
    """List the fields of the first file that may say who drew, as they are written there."""
    from annqc.read.options import ANNOTATOR_FIELDS

    paths = [Path(source.path) for source in drawn.sources[:1]]
    if not paths or not paths[0].is_file():
        return []
    with paths[0].open("rb") as file:
        text = file.read(MOST_BYTES)
    pattern = rb"(?<![\w])(?:%b)(?![\w])" % "|".join(ANNOTATOR_FIELDS).encode()
    found = {one.decode() for one in re.findall(pattern, text, re.IGNORECASE)}
    return sorted(found, key=lambda name: (ANNOTATOR_FIELDS.index(name.lower()), name))


def _same(drawn: Dataset, again: Callable[[str], Dataset], rule: str) -> bool:
    """Whether the work comes out as it did."""
    try:
        other = again(rule)
    except AnnqcError:
        return False
    return bool(
        other.annotator_ids.tolist() == drawn.annotator_ids.tolist()
        and other.table.annotator.tolist() == drawn.table.annotator.tolist()
    )
