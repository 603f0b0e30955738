"""report: ``annqc review`` on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.judge.wording import number_of
from annqc.report.paragraphs import heading, listed, row
from annqc.report.plain import clean_text
from annqc.report.reviewtext import REASONS

if TYPE_CHECKING:
    from rich.console import Console

    from annqc.report.review import Review

__all__ = ["WITHOUT_GOLD", "review_screen"]

N_LINES = 15
WITHOUT_GOLD = "no gold: compared with the others, and what all do alike cannot be seen"


def review_screen(console: Console, queue: Review, *, everything: bool = False) -> None:
    """Print what to look at first.

    Parameters
    ----------
    console : Console
        From `annqc.report.terminal.make_console`.
    queue : Review
        From `annqc.Audit.review`.
    everything : bool
        All rows.
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
    wrong = float(np.sum(columns["probability"]))
    text = f"{n:,} to look at on {number_of(n_images, 'image')}; about {wrong:,.0f} are wrong"
    row(console, "Queue", text)
    kinds = "; ".join(f"{count:,} x {REASONS[kind]}" for kind, count in queue.counts.items())
    row(console, "Reasons", kinds)
    heading(console, "First", "rank, expected gain, where and why")
    shown = n if everything else min(n, N_LINES)
    gains, texts = columns["gain"][:shown].tolist(), columns["text"][:shown].tolist()
    pairs = enumerate(zip(gains, texts, strict=True), start=1)
    said = [f"{k}. {gain:.2f} {clean_text(text, width=400)}" for k, (gain, text) in pairs]
    listed(console, said, n, shown)
