"""report: one screen for a person, 80 columns wide, without colour where it is piped."""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text

from annqc.judge.wording import number_of
from annqc.report.compared import compared, notes
from annqc.report.grid import hanging, score_table
from annqc.report.mistakes import first_errors
from annqc.report.plain import clean_text
from annqc.report.standing import display_name, settle_text, standings
from annqc.report.view import view_of
from annqc.report.words import biased_sentences, collective_sentences
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
MANY: Final = 1_000_000
WIDEST: Final = 110
"""Wider lines are hard to read, however wide the terminal is."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the program what to do when nobody reads on."""
        raise  # noqa: PLE0704 - rich calls this while it handles the error


def make_console(file: Any = None, *, width: int | None = None) -> Console:
    """Make a console that prints text as it is: no markup, no emoji, no colour by guess."""
    console = _Console(
        file=file, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False
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
    by = tuple(by)
    main = ("annotator",) if "annotator" in by else by
    _print_compared(console, run, compared(run))
    sentences = collective_sentences(run, by) if main == ("annotator",) else []
    if sentences:
        _heading(console, "Everybody is off alike: all annotators, or the gold, or the guideline")
        _lines(console, sentences, style="magenta")
    view = view_of(run, by, whole=main != by)
    _print_findings(console, view, everything=everything)
    if main != by:
        _print_parts(console, view_of(run, by), view, everything=everything)
    if "annotator" in by:
        _print_scores(console, run, by, everything=everything)
    _print_errors(console, run)


def show_judgement(console: Console, judgement: Judgement, *, everything: bool = False) -> None:
    """Print every check of a spec, one paragraph each.

    Parameters
    ----------
    console : Console
        Where to; see `make_console`.
    judgement : Judgement
        From `annqc.Audit.judge`.
    everything : bool
        Every group that does not pass, and not the worst alone.
    """
    styles = {"pass": "green", "fail": "red", "error": "red", "undecided": "yellow"}
    counts = ", ".join(f"{n} {name}" for name, n in judgement.counts.items() if n)
    _heading(console, "Checks", counts.replace("_", " "))
    for check in judgement.checks:
        name = check.outcome.replace("_", " ")
        said = check.explain(most=MANY) if everything else check.sentence
        for line in f"{name}  {check.id}: {said}".splitlines():
            _lines(console, [clean_text(line)], style=styles.get(check.outcome, ""))


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


def _print_compared(console: Console, run: Run, c: Compared) -> None:
    rules = run.parameters
    policy = rules.policy
    categories = number_of(c.n_categories, "category", "categories")
    boxes = f"{c.n_reference:,} reference and {c.n_candidate:,} candidate boxes"
    who = number_of(c.n_annotators, "annotator")
    rates = f"tolerance {rules.tolerance}, confidence {100 * rules.confidence:g} %"
    rows = [
        ("Compared", f"{number_of(c.n_images, 'image')}, {boxes}, {who}, {categories}"),
        ("Rules", f"{rates}, matching {policy.method} at IoU {policy.counting_iou:g}"),
    ]
    if c.dropped:
        n = sum(c.dropped.values())
        rows.append(
            ("Unusable", f"{number_of(n, 'row')}: {_kinds(c.dropped)} (annqc lint shows them)")
        )
    if c.kept:
        n = sum(c.kept.values())
        rows.append(
            ("Odd", f"{number_of(n, 'row')} kept: {_kinds(c.kept)} (annqc lint shows them)")
        )
    left = _left_out(c)
    if left:
        rows.append(("Left out", "; ".join(left)))
    rows += [("Mind", note) for note in notes(c)]
    for name, text in rows:
        first, *rest = hanging(text, console.width - 10, indent=0)
        console.print(Text.assemble((f"{name:<10}", "bold"), first))
        for line in rest:
            console.print(Text(" " * 8 + line))


def _kinds(counts: dict[str, int]) -> str:
    top = list(counts.items())[:3]
    listed = ", ".join(f"{n:,} {kind}" for kind, n in top)
    return listed + (", ..." if len(counts) > len(top) else "")


def _left_out(c: Compared) -> list[str]:
    left = []
    if c.n_unused_boxes:
        boxes = number_of(c.n_unused_boxes, "box", "boxes")
        left.append(
            f"{boxes} on {number_of(c.n_unused_images, 'image')} that the gold does not have"
        )
    if c.n_idle_images:
        left.append(f"{number_of(c.n_idle_images, 'gold image')} without work to compare")
    if c.n_border:
        left.append(f"{number_of(c.n_border, 'edge')} at the image border, from the offsets")
    if c.n_ambiguous:
        left.append(f"{number_of(c.n_ambiguous, 'ambiguous pair')}, from the offsets")
    return left


def _print_findings(console: Console, view: View, *, everything: bool) -> None:
    """Print the biased, worst first; how many are clean; and what would settle the rest."""
    stands = standings(view)
    places = Counter(one.place for one in stands)
    sentences = biased_sentences(view)
    total = (
        number_of(len(stands), "annotator")
        if "annotator" in view.by
        else number_of(len(stands), "group")
    )
    if sentences:
        _heading(console, "Biased", f"{places['biased']:,} of {total}, the worst first")
        _print_sentences(console, sentences, everything=everything)
    else:
        _heading(console, "Biased", f"nobody, of {total}")
    _heading(console, "The others" if sentences else "Of them", _rest(view, places))
    _print_undecided(console, view, stands, everything=everything)


def _print_sentences(console: Console, sentences: Sequence[Sentence], *, everything: bool) -> None:
    shown = sentences if everything else sentences[:N_BIASED]
    _lines(console, (one.text + (" *" if one.sensitive else "") for one in shown), style="red")
    _more(console, len(sentences) - len(shown), "such findings")
    if any(one.sensitive for one in shown):
        note = "  * objects that were missed or could not be paired might change this"
        console.print(Text(note, style="dim"))


def _rest(view: View, places: Counter[Place]) -> str:
    parts = [f"{places['clean']:,} shown to be clean on all four edges"]
    if places["collective"]:
        parts.append(f"{places['collective']:,} off as everybody is")
    parts.append(f"{places['undecided']:,} undecided")
    if places["too_few"]:
        parts.append(f"{places['too_few']:,} with too few {view.clusters}s (under 5)")
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


def _print_parts(console: Console, view: View, whole: View, *, everything: bool) -> None:
    """Print findings inside strata, but those that an annotator's whole work has already shown."""
    sentences = biased_sentences(view)
    new = [one for one in sentences if not _known(one, view, whole)]
    repeated = len(sentences) - len(new)
    note = (
        "biased in part of the work" if new else "nothing is shown to be biased in part of the work"
    )
    _heading(console, f"By {clean_text(', '.join(view.by))}", note + (" alone" if repeated else ""))
    if new:
        _print_sentences(console, new, everything=everything)
    if repeated:
        text = f"  {number_of(repeated, 'finding')} that say the same as those above: --json, --csv"
        console.print(Text(text, style="dim"))


def _known(one: Sentence, view: View, whole: View) -> bool:
    """Whether the annotator is biased on the same quantity over the whole work."""
    who = whole.keys["annotator"] == view.keys["annotator"][one.group]
    return bool(whole.biased[who, QUANTITIES.index(one.quantities[0])].any())


def _print_scores(console: Console, run: Run, by: tuple[str, ...], *, everything: bool) -> None:
    columns = run.score_columns(strata=by)
    n = len(columns["rank"])
    n_shown = n if everything else N_SCORES
    many = len(run.matches.category_names) > 1
    title, *rows = score_table(columns, n_shown, width=console.width, labels=many)
    n_ranked = int((columns["rank"] == columns["rank"]).sum())
    note = (
        f"largest bias on an edge first; rank 1 of {n_ranked:,} is the smallest" if n_ranked else ""
    )
    _heading(console, "Scores", note)
    console.print(Text(title, style="dim"), no_wrap=True, crop=False, overflow="ignore")
    for row in rows:
        console.print(Text(row), no_wrap=True, crop=False, overflow="ignore")
    _more(console, n - len(rows), "annotators")


def _print_errors(console: Console, run: Run) -> None:
    errors = run.error_columns()
    n = len(errors["rank"])
    if n == 0:
        _heading(console, "Errors", "none")
        return
    _heading(console, "Look at these first", f"of {number_of(n, 'error')}")
    _lines(console, first_errors(errors, N_ERRORS))
