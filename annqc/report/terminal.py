"""report: one screen for a person, 80 columns wide, without colour where it is piped."""

from __future__ import annotations

import io
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text

from annqc.judge.wording import number_of
from annqc.report.changed import change_sentences
from annqc.report.compared import compared, ignored_words, left_out, meeting, notes, odd_rows
from annqc.report.grid import best_ranked, hanging, score_table
from annqc.report.mistakes import examples, first_errors, unusable_drawings
from annqc.report.outlines import outline_lines
from annqc.report.parts import parts_of_work
from annqc.report.plain import clean_text
from annqc.report.standing import FEW_OBJECTS, display_name, settle_text, standings
from annqc.report.tracksection import track_lines
from annqc.report.view import side_of, view_of
from annqc.report.words import accused_sentences, biased_sentences, collective_sentences
from annqc.run.anonymous import spoken_of
from annqc.tables import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from annqc.judge import Judgement
    from annqc.report.compared import Compared
    from annqc.report.standing import Place, Standing
    from annqc.report.view import View
    from annqc.report.words import Sentence
    from annqc.run.audit import Run

__all__ = ["make_console", "render", "screen", "show_judgement"]

N_BIASED: Final = 12
N_UNDECIDED: Final = 3
N_SCORES: Final = 12
N_ERRORS: Final = 5
N_BEST: Final = 3
MANY: Final = 1_000_000
WIDEST: Final = 110
"""Wider lines are hard to read, however wide the terminal is."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the program what to do when nobody reads on."""
        raise  # noqa: PLE0704 - rich calls this while it handles the error


def make_console(file: Any = None, *, width: int | None = None) -> Console:
    """Make a console that prints text as it is: no markup, no emoji, no colour by guess."""
    plain = bool(os.environ.get("NO_COLOR"))  # bold and dim are colours to those who ask for none
    console = _Console(
        file=file,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
        color_system=None if plain else "auto",
    )
    if width is None and console.width > WIDEST:
        console.width = WIDEST
    return console


def render(
    run: Run,
    *,
    by: Sequence[str] = ("annotator",),
    everything: bool = False,
    width: int = 80,
) -> str:
    """Return the screen as plain text.

    Parameters
    ----------
    run : Run
        The comparison.
    by : sequence of str
        Grouping of the findings.
    everything : bool
        All annotators, and not the worst alone.
    width : int
        Columns.
    """
    text = io.StringIO()
    screen(make_console(text, width=width), run, by=by, everything=everything)
    return text.getvalue()


def screen(
    console: Console,
    run: Run,
    *,
    by: Sequence[str] = ("annotator",),
    everything: bool = False,
) -> None:
    """Print one screen about an audit.

    Parameters
    ----------
    console : Console
        Where to; see `make_console`.
    run : Run
        The comparison.
    by : sequence of str
        Grouping of the findings. With the annotator and other columns, annotators as a whole come
        first.
    everything : bool
        All annotators, and not the worst alone.
    """
    by = spoken_of(run.candidate, by)
    main = ("annotator",) if "annotator" in by else by
    _print_compared(console, run, compared(run), by)
    shared = collective_sentences(run, by) if main == ("annotator",) else []
    if shared:
        _heading(console, "Everybody is off alike: all annotators, or the gold, or the guideline")
        _lines(console, shared, style="magenta")
    view = view_of(run, by, whole=main != by)
    parts = view_of(run, by) if main != by else None
    sentences = accused_sentences(view, parts)
    _print_findings(console, view, sentences, everything=everything)
    if changes := change_sentences(run):
        _heading(console, "Changed", "over time, by a tolerance or more; the largest first")
        _lines(console, changes if everything else changes[:N_BIASED], style="red")
        _more(console, 0 if everything else len(changes) - N_BIASED, "such changes")
    if parts is not None:
        _print_parts(console, parts, view, sentences, everything=everything)
    if run.has_tracks and "annotator" in by:
        _print_tracks(console, run, everything=everything)
    _print_scores(console, run, by, everything=everything)
    if run.has_outlines:
        _print_outlines(console, run, by, everything=everything)
    _print_errors(console, run, sentences if "annotator" in by else [], by)


def show_judgement(
    console: Console,
    judgement: Judgement,
    *,
    everything: bool = False,
    minds: Sequence[str] = (),
) -> None:
    """Print every check of a spec, one paragraph each.

    Parameters
    ----------
    console : Console
        Where to; see `make_console`.
    judgement : Judgement
        From `annqc.Audit.judge`.
    everything : bool
        Every group that does not pass, and not the worst alone.
    minds : sequence of str
        What to mind, above the checks.
    """
    styles = {"pass": "green", "fail": "red", "error": "red", "undecided": "yellow"}
    counts = ", ".join(f"{n} {name}" for name, n in judgement.counts.items() if n)
    _heading(console, "Checks", counts.replace("_", " "))
    _lines(console, (f"Mind: {clean_text(mind)}" for mind in minds))
    for outcome, text in judgement.paragraphs(most=MANY if everything else 0):
        for line in text.splitlines():
            _lines(console, [clean_text(line)], style=styles.get(outcome, ""))


def _heading(console: Console, title: str, note: str = "") -> None:
    console.print()
    text = f"{title}  {note}" if note else title
    for k, line in enumerate(hanging(text, console.width, indent=0)):
        console.print(
            Text.assemble((line[: len(title)], "bold"), line[len(title) :]) if k == 0 else line
        )


def _lines(console: Console, lines: Iterable[str], *, style: str = "", indent: int = 2) -> None:
    for text in lines:
        for line in hanging(text, console.width, indent=indent):
            # A word that is wider than the screen, such as a path, must stay whole to be of use.
            console.print(Text(line, style=style), no_wrap=True, crop=False, overflow="ignore")


def _more(console: Console, n: int, what: str) -> None:
    if n > 0:
        console.print(Text(f"  and {n:,} more {what}: --all", style="dim"))


def _print_compared(console: Console, run: Run, c: Compared, by: tuple[str, ...]) -> None:
    rules = run.parameters
    policy = rules.policy
    categories = number_of(c.n_categories, "category", "categories")
    images = number_of(c.n_images, "image") + c.consensus * ", each as one annotator saw it"
    boxes = f"{c.n_reference:,} reference{ignored_words(c)} and {c.n_candidate:,} candidate boxes"
    who = "anonymous annotators" if c.anonymous else number_of(c.n_annotators, "annotator")
    rates = f"tolerance {rules.tolerance}, confidence {100 * rules.confidence:g} %"
    rows = [
        ("Compared", f"{images}, {boxes}, {who}, {categories}"),
        ("Rules", f"{rates}, matching {policy.method} at IoU {policy.counting_iou:g}"),
    ]
    if c.dropped:
        n = sum(c.dropped.values())
        said = f"{number_of(n, 'row')}: {_kinds(c.dropped)} (annqc lint shows them)"
        if run.candidate.n_dropped:
            said += "; those of the work count as not drawn"
        rows.append(("Unusable", said))
    if odd := odd_rows(run):
        odd_said = number_of(sum(odd.values()), "row")
        rows.append(("Odd", f"{odd_said} kept: {_kinds(odd)} (annqc lint shows them)"))
    left = left_out(c)
    if left:
        rows.append(("Left out", "; ".join(left)))
    rows += [("Mind", clean_text(note)) for note in (*meeting(run), *notes(c, by))]
    for name, text in rows:
        first, *rest = hanging(text, console.width - 10, indent=0)
        console.print(Text.assemble((f"{name:<10}", "bold"), first))
        for line in rest:
            console.print(Text(" " * 8 + line))


def _kinds(counts: dict[str, int]) -> str:
    top = list(counts.items())[:3]
    listed = ", ".join(f"{n:,} {kind}" for kind, n in top)
    return listed + (", ..." if len(counts) > len(top) else "")


def _print_findings(
    console: Console, view: View, sentences: Sequence[Sentence], *, everything: bool
) -> None:
    """Print the biased, worst first; how many are clean; and what would settle the rest."""
    stands = standings(view)
    places = Counter(one.place for one in stands)
    total = number_of(len(stands), "annotator" if "annotator" in view.by else "group")
    if sentences and not view.by:
        _heading(console, "Biased", "all of the work together")
        _print_sentences(console, sentences, everything=everything)
    elif sentences:
        _heading(console, "Biased", f"{places['biased']:,} of {total}, the worst first")
        _print_sentences(console, sentences, everything=everything)
    else:
        nobody = f"nobody, of {total}" if view.by else "nothing, all of the work together"
        _heading(console, "Biased", nobody)
    if not view.by and sentences:
        return
    doubtful = sum(one.place == "clean" and one.sensitive for one in stands)
    _heading(console, "The others" if sentences else "Of them", _rest(view, places, doubtful))
    if doubtful:
        _lines(console, [f"* {FEW_OBJECTS} ({_unseen(view, stands)})"], style="dim")
    _print_undecided(console, view, stands, everything=everything)


def _print_sentences(console: Console, sentences: Sequence[Sentence], *, everything: bool) -> None:
    shown = sentences if everything else sentences[:N_BIASED]
    _lines(console, (one.text + (" *" if one.sensitive else "") for one in shown), style="red")
    _more(console, len(sentences) - len(shown), "such findings")
    if any(one.sensitive for one in shown):
        note = "* objects that were missed or could not be paired might change this"
        _lines(console, [note], style="dim")


def _unseen(view: View, stands: Sequence[Standing]) -> str:
    """Name a few of those who are clean as far as could be seen."""
    some = [one for one in stands if one.place == "clean" and one.sensitive]
    names = ", ".join(display_name(view, one.group, width=24) for one in some[:N_UNDECIDED])
    return names + (f" and {len(some) - N_UNDECIDED:,} more" if len(some) > N_UNDECIDED else "")


def _rest(view: View, places: Counter[Place], doubtful: int) -> str:
    parts = [f"{places['clean']:,} shown to be clean on all four edges"]
    if doubtful:
        parts[0] += f" ({doubtful:,} of them on too few of their objects to be sure *)"
    if places["collective"]:
        parts.append(f"{places['collective']:,} off as everybody is")
    parts.append(f"{places['undecided']:,} undecided")
    if places["too_few"]:
        kinds = " or ".join(f"{one}s" for one in view.clusters.split(" or "))
        parts.append(f"{places['too_few']:,} with too few {kinds} (under 5)")
    return ", ".join(parts)


def _print_undecided(
    console: Console, view: View, stands: Sequence[Standing], *, everything: bool
) -> None:
    open_ = [one for one in stands if one.place == "undecided"]
    near = sorted(
        (one for one in open_ if not one.stuck_edges), key=lambda one: (one.n_more, one.group)
    )
    stuck = [one for one in open_ if one.stuck_edges]
    if everything:
        few = [one for one in stands if one.place == "too_few"]
        _lines(console, _settle(view, [*near, *stuck, *few]))
        return
    if near:
        _lines(console, _settle(view, near[:N_UNDECIDED]))
        _more(
            console, len(near) - N_UNDECIDED, f"that up to {near[-1].n_more:,.0f} more would settle"
        )
    if stuck:
        _lines(console, _settle(view, stuck[:1]))
        _more(console, len(stuck) - 1, "that no reasonable number would settle")


def _settle(view: View, some: Iterable[Standing]) -> Iterable[str]:
    return (f"{display_name(view, one.group)}: {settle_text(view, one)}" for one in some)


def _print_parts(
    console: Console, view: View, whole: View, shown: Sequence[Sentence], *, everything: bool
) -> None:
    """Print in which parts the biased are biased, and what their whole work has not shown."""
    above = {one.part for one in shown}
    new = [
        one
        for one in biased_sentences(view)
        if one.group not in above and not _known(one, view, whole)
    ]
    lines = parts_of_work(whole, view)
    note = "where each of them is biased" if lines else "nobody is biased in part of the work"
    _heading(console, f"By {clean_text(', '.join(view.by))}", note)
    n = len(lines) if everything else N_BIASED
    _lines(console, lines[:n])
    _more(console, len(lines) - n, "such lines")
    if new:
        _print_sentences(console, new, everything=everything)


def _known(one: Sentence, view: View, whole: View) -> bool:
    """Whether the annotator is biased on the same quantity over the whole work."""
    who = whole.keys["annotator"] == view.keys["annotator"][one.group]
    return bool(whole.biased[who, QUANTITIES.index(one.quantities[0])].any())


def _print_scores(console: Console, run: Run, by: tuple[str, ...], *, everything: bool) -> None:
    columns = run.score_columns(strata=by)
    n = len(columns["rank"])
    n_shown = n if everything else N_SCORES
    many = len(run.matches.category_names) > 1
    table, left_out = score_table(columns, n_shown, width=console.width, labels=many)
    title, *rows = table
    n_ranked = int((columns["rank"] == columns["rank"]).sum())
    first = f"largest bias on an edge first; rank 1 of {n_ranked:,} is the smallest"
    note = first if n_ranked > 1 else ""
    _heading(console, "Scores", note)
    console.print(Text(title, style="dim"), no_wrap=True, crop=False, overflow="ignore")
    for row in rows:
        console.print(Text(row), no_wrap=True, crop=False, overflow="ignore")
    _more(console, n - len(rows), "annotators")
    if n > len(rows) and n_ranked > 1:
        _lines(console, [f"best: {best_ranked(columns, N_BEST)}"])
    if left_out:
        _lines(console, [f"{', '.join(left_out)}: a wider screen, or --json"], style="dim")


def _print_outlines(console: Console, run: Run, by: tuple[str, ...], *, everything: bool) -> None:
    n = len(run.candidate.annotator_ids) if everything else N_SCORES
    section = outline_lines(run, most=n, by=by)
    _heading(console, "Outlines", section.note)
    n_said = len(section.sentences) if everything else N_BIASED
    _lines(console, section.sentences[:n_said], style="red")
    _more(console, len(section.sentences) - n_said, "such findings")
    n_told = len(section.remarks) if everything else N_BIASED
    _lines(console, section.remarks[:n_told])
    _more(console, len(section.remarks) - n_told, "such remarks")
    for k, row in enumerate(section.table):
        style = "" if k else "dim"
        console.print(Text(row, style=style), no_wrap=True, crop=False, overflow="ignore")
    _more(console, section.n_left, "annotators")


def _print_tracks(console: Console, run: Run, *, everything: bool) -> None:
    section = track_lines(run)
    _heading(console, "Tracks", section.note)
    _lines(console, section.shared, style="magenta")
    n_said = len(section.sentences) if everything else N_BIASED
    _lines(console, section.sentences[:n_said], style="red")
    _more(console, len(section.sentences) - n_said, "such findings")
    _lines(console, section.open)


def _print_errors(
    console: Console, run: Run, sentences: Sequence[Sentence], by: tuple[str, ...]
) -> None:
    errors = run.error_columns()
    n = len(errors["rank"])
    shown = examples(run, sentences, by, N_ERRORS)
    if n == 0 and not shown:
        _heading(console, "Errors", "none")
        return
    title = "The largest errors"
    if shown:
        title = "The farthest box of the biased, and the largest errors"
    note = f"{min(n, N_ERRORS)} of {number_of(n, 'error')}; annqc review ranks them"
    _heading(console, title, note)
    side = side_of(run)
    _lines(console, [*shown, *first_errors(errors, N_ERRORS, unusable_drawings(run), side=side)])
