"""report: ``annqc tracks`` on one screen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from annqc.judge.wording import number_of
from annqc.report.compared import compared, left_out, meeting, notes
from annqc.report.paragraphs import heading, lines, listed, row, table
from annqc.report.plain import clean_text
from annqc.report.trackopen import clean_line, undecided_lines
from annqc.report.tracks import (
    alone_table,
    compared_tracks,
    edge_table,
    event_counts,
    event_lines,
    relative_sentences,
    score_table,
    temporal_sentences,
)
from annqc.report.view import view_of
from annqc.report.words import biased_sentences
from annqc.run.alone import NOT_KNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from annqc.run.alone import Alone
    from annqc.run.audit import Run
    from annqc.tables import Array

__all__ = ["alone_screen", "tracks_screen"]

N_LINES = 6
"""Lines of a section, where not everything is asked for."""


def tracks_screen(
    console: Console, run: Run, *, everything: bool = False, preprocess: str = "none"
) -> None:
    """Print one screen about the tracks of a comparison.

    Parameters
    ----------
    console : Console
        From `annqc.report.terminal.make_console`.
    run : Run
        The comparison.
    everything : bool
        Every annotator and event.
    preprocess : {"none", "mot"}
        As for `annqc.run.tracked.Tracked.tracking_scores`.
    """
    most = 10**9 if everything else N_LINES
    rules = run.parameters
    row(console, "Compared", compared_tracks(run))
    row(
        console,
        "Rules",
        f"tolerance {rules.tolerance}, confidence {100 * rules.confidence:g} %; evidence is "
        "counted in tracks, not in frames",
    )
    sides = compared(run)
    if sides.dropped:
        row(console, "Unusable", _unusable(sides.dropped))
    if left := left_out(sides):
        row(console, "Left out", "; ".join(left))
    for note in notes(sides, ("annotator",)):
        row(console, "Mind", clean_text(note, width=400))
    for note in meeting(run):
        row(console, "Mind", clean_text(note, width=400))
    scores = run.tracking_columns(preprocess=preprocess)
    heading(console, "Tracking", "all sequences together; the lowest HOTA first")
    table(console, score_table(scores, width=console.width), most)
    heading(console, "Edges", "px, positive is loose; ! biased, ? undecided, * everybody's")
    said = [one.text for one in biased_sentences(view_of(run))]
    listed(console, said, len(said), most, style="red")
    table(console, edge_table(run.bias_columns(), most=most), most)
    _over_time(console, run, most)
    events = run.track_event_columns()
    n_drifting = _n(events, "drift")
    note = "single objects: where to look, and no verdict on anybody" if n_drifting else "none"
    heading(console, "Drifting tracks", note)
    listed(console, event_lines(events, most=most, kinds=("drift",)), n_drifting, most)
    n_rest = len(events["kind"]) - n_drifting
    heading(console, "Events", f"{n_rest:,} in single tracks")
    lines(console, event_counts(events, most=most))
    kinds = [kind for kind in dict.fromkeys(events["kind"].tolist()) if kind != "drift"]
    shown = [line for kind in kinds for line in event_lines(events, most=1, kinds=(kind,))]
    if everything:
        others = tuple(set(events["kind"].tolist()) - {"drift"})
        shown = event_lines(events, most=most, kinds=others)
    lines(console, shown, style="dim")


def alone_screen(console: Console, made: Alone, *, everything: bool = False) -> None:
    """Print one screen about tracks without gold.

    Parameters
    ----------
    console : Console
        From `annqc.report.terminal.make_console`.
    made : Alone
        From `annqc.tracks`.
    everything : bool
        Every annotator and event.
    """
    most = 10**9 if everything else N_LINES
    data = made.work
    n_sequences = 1 if data.sequence_table is None else len(data.sequence_table)
    looked_at = (
        f"{number_of(n_sequences, 'sequence')}, {number_of(len(data.image_table), 'frame')}, "
        f"{number_of(len(made.first), 'track')}, {number_of(len(data.annotator_ids), 'annotator')}"
    )
    row(console, "Looked at", looked_at)
    dropped = Counter(one.kind for one in data.issues if one.severity == "dropped")
    if dropped:
        row(console, "Unusable", _unusable(dropped))
    row(console, "Mind", NOT_KNOWN)
    found = made.temporal_columns()
    heading(
        console, "Steadiness", "jitter beside the others'; ! shakes more than half as much again"
    )
    table(console, alone_table(found), most)
    relative = made.relative_columns()
    if len(relative["quantity"]):
        said = relative_sentences(relative)
        note = "" if said else "no two annotators are found to differ"
        heading(console, "Between annotators", note or "which of the two is off cannot be told")
        listed(console, said, len(said), most, style="yellow")
    if made.pairs_left_out:
        pairs = number_of(made.pairs_left_out, "pair")
        lines(console, [f"{pairs} of annotators more could be compared, and are not"])
    events = made.track_event_columns()
    heading(console, "Events", f"{len(events['kind']):,} in single tracks")
    lines(console, event_counts(events, most=most))
    for kind in dict.fromkeys(events["kind"].tolist()):
        n = most if everything else 2
        lines(console, event_lines(events, most=n, kinds=(kind,)), style="dim")


def _over_time(console: Console, run: Run, most: int) -> None:
    found = run.temporal_columns()
    shared = temporal_sentences(found, everybody=True)
    if shared:
        heading(console, "Everybody is off alike: all annotators, or the gold, or the guideline")
        lines(console, shared, style="magenta")
    said = temporal_sentences(found)
    heading(console, "Over time", "" if said else "nobody is shown to drift, lag, shake or be late")
    listed(console, said, len(said), most, style="red")
    if clean := clean_line(found):
        lines(console, [clean], style="green")
    open_ = undecided_lines(found)
    if open_:
        heading(console, "Undecided")
        lines(console, open_, style="yellow")


def _unusable(counts: Mapping[str, int]) -> str:
    """Say how many rows took no part, and why."""
    listed = ", ".join(f"{n:,} {kind}" for kind, n in sorted(counts.items(), key=lambda x: -x[1]))
    return f"{number_of(sum(counts.values()), 'row')}: {listed} (annqc lint shows them)"


def _n(events: dict[str, Array], kind: str) -> int:
    return int((events["kind"] == kind).sum())
