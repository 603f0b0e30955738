"""report: in which parts of their work annotators are biased, of how many that could be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.judge.wording import number_of
from annqc.report.plain import clean_text
from annqc.report.standing import TOO_FEW, edges_text

if TYPE_CHECKING:
    from annqc.report.view import View
    from annqc.tables import Array, Bools

__all__ = ["parts_of_work"]

N_NAMED: Final = 3
"""Up to so many parts are named."""
PLURALS: Final = {"category": "categories", "size": "sizes"}


def parts_of_work(whole: View, parts: View) -> list[str]:
    """Say of every biased annotator on which edges, and in how many parts, that shows.

    Parameters
    ----------
    whole, parts : View
        Annotators as a whole, and findings by the annotator and other columns.

    Returns
    -------
    list of str
        One entry an annotator and set of parts: edges that are biased in the same parts are told
        together.
    """
    judged = ~np.isin(parts.columns["status"][:, :4], TOO_FEW)
    said = []
    for who in whole.keys["annotator"][np.flatnonzero(whole.off)].tolist():
        rows = np.flatnonzero(parts.keys["annotator"] == who)
        name = clean_text(who, width=40)
        alike: dict[tuple[bytes, int], list[int]] = {}
        for edge in range(4):
            biased = parts.biased[rows, edge]
            if biased.any():
                key = (biased.tobytes(), int(judged[rows, edge].sum()))
                alike.setdefault(key, []).append(edge)
        for (where, n_judged), edges in alike.items():
            inside = rows[np.frombuffer(where, dtype=bool)]
            said.append(f"{name}: {edges_text(edges)}, {_count(parts, inside, n_judged)}")
        if not alike:
            said.append(f"{name}: {_none(parts, judged[rows])}")
    return said


def _count(parts: View, inside: Array, n_judged: int) -> str:
    names = ", ".join(parts.where(row) for row in inside.tolist())
    which = f" ({names})" if len(inside) <= N_NAMED else ""
    return f"in {len(inside):,} of the {_kinds(parts, n_judged)} that could be judged{which}"


def _none(parts: View, judged: Bools) -> str:
    n = int(judged.any(axis=1).sum())
    return f"on the whole, in none of the {_kinds(parts, n)} that could be judged by themselves"


def _kinds(parts: View, n: int) -> str:
    others = [name for name in parts.by if name != "annotator"]
    what = others[0] if len(others) == 1 and others[0] in PLURALS else "part"
    return number_of(n, what, PLURALS.get(what))
