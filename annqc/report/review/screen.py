"""report: ``annqc review`` on one screen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from annqc.judge.wording import number_of
from annqc.report.paragraphs import heading, listed, row
from annqc.report.plain import clean_text
from annqc.report.review.links import FIELDS, LinkPattern
from annqc.report.review.text import REASONS
from annqc.run.review.rows import GOLD

if TYPE_CHECKING:
    from rich.console import Console

    from annqc.report.review import Review
    from annqc.tables import Array

__all__ = ["WITHOUT_GOLD", "review_screen"]

N_LINES = 15
WITHOUT_GOLD = "no gold: compared with a consensus of the others; what all do alike cannot be seen"
ENOUGH = 200
"""With fewer annotations it is not told how many are wrong: base rates cannot be fitted to them."""

ALONE = "with one annotator it cannot be told who is wrong, the annotator or the gold"


def review_screen(
    console: Console, queue: Review, *, everything: bool = False, url: str | None = None
) -> None:
    """Print what to look at first.

    Parameters
    ----------
    console : Console
        From `annqc.report.terminal.make_console`.
    queue : Review
        From `annqc.Audit.review`.
    everything : bool
        All rows.
    url : str, optional
        The pattern of the queue's links: rows that have none are told.
    """
    columns, run = queue.columns, queue.run
    n = len(queue)
    work = number_of(len(run.candidate), "annotation")
    who = number_of(len(run.candidate.annotator_ids), "annotator")
    row(console, "Looked at", f"{work} by {who}")
    if queue.without_gold:
        row(console, "Mind", WITHOUT_GOLD)
    if not n:
        row(console, "Queue", "nothing that is worth a look")
        return
    n_images = len({str(one) for one in columns["image_id"].tolist()})
    row(console, "Queue", f"{n:,} to look at on {number_of(n_images, 'image')}")
    if len(run.candidate) >= ENOUGH:
        row(
            console, "Expected", _expected(queue) if len(run.candidate.annotator_ids) > 1 else ALONE
        )
    if url is not None:
        row(console, "Links", _links(columns, LinkPattern.parse(url)))
    kinds = "; ".join(f"{count:,} x {REASONS[kind]}" for kind, count in queue.counts.items())
    row(console, "Reasons", kinds)
    heading(console, "First", "rank, expected gain, where and why")
    shown = n if everything else min(n, N_LINES)
    gains, texts = columns["gain"][:shown].tolist(), columns["text"][:shown].tolist()
    pairs = enumerate(zip(gains, texts, strict=True), start=1)
    said = [f"{k}. {gain:.3f} {clean_text(text, width=400)}" for k, (gain, text) in pairs]
    listed(console, said, n, shown)


def _expected(queue: Review) -> str:
    """Say in how many the annotator is wrong, and who else may be."""
    columns = queue.columns
    accused = columns["kind"] != GOLD
    wrong = float(np.sum(columns["probability"][accused]))
    other = "consensus" if queue.without_gold else "gold"
    about = f"about {wrong:,.0f}" if wrong >= 1 else "fewer than one"
    return f"the annotator is wrong in {about}; in the rest the {other} is, or nobody"


def _links(columns: dict[str, Array], pattern: LinkPattern) -> str:
    """Say how many rows have no link, and for want of what."""
    given = zip(*(columns[name].tolist() for name in FIELDS), strict=True)
    lacks = Counter(pattern.lacks(dict(zip(FIELDS, one, strict=True))) for one in given)
    without = sum(n for name, n in lacks.items() if name is not None)
    n = sum(lacks.values())
    if not without:
        return "every row has one" if n > 1 else "the row has one"
    why = "; ".join(f"{{{name}}}: {k:,}" for name, k in lacks.most_common() if name is not None)
    many = "no row has one" if without == n else f"{without:,} of {n:,} rows have none"
    return f"{many}, for want of a value that can stand for {why}"
