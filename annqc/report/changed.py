"""report: whose edges are off since when, the largest changes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.report.plain import name_text
from annqc.run.times import times_of

if TYPE_CHECKING:
    from annqc.run.audit import Run

__all__ = ["change_sentences"]


def change_sentences(run: Run) -> list[str]:
    """Say who changed by a tolerance or more, and when; nothing where no time is known.

    Parameters
    ----------
    run : Run
        The comparison.

    Returns
    -------
    list of str
        Without full stops, the largest change first.
    """
    if times_of(run.candidate) is None:
        return []
    columns = run.dependence_columns()
    rows = np.flatnonzero(columns["verdict"] == "changed")
    order = rows[np.argsort(-columns["reach"][rows], kind="stable")].tolist()
    names = columns.get("annotator")
    who = [f"{name_text(names[row], width=60)}: " if names is not None else "" for row in order]
    return [f"{name}{columns['text'][row]}" for name, row in zip(who, order, strict=True)]
