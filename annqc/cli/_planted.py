"""The demo's annotators, and what was planted in them beside what the audit finds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import Console

    from annqc.api import Audit
    from annqc.report.view import View
    from annqc.simulate import Planted, Simulation

__all__ = ["MARKER", "Row", "found_rows", "run_demo", "show_found", "take_folder"]

N_IMAGES: Final = 150

MARKER: Final = "made-by-annqc-demo.txt"
"""Tells the folder of a demo from one that holds somebody's work."""
MARKER_TEXT: Final = "annqc demo made the files beside this one, and may replace them.\n"

RATES: Final = {
    "missed": ("recall", "misses {:g} % of the objects"),
    "spurious": ("precision", "draws {:g} extra boxes for every 100"),
    "mislabelled": ("label_accuracy", "labels {:g} % wrong"),
}
"""Planted rate -> the score that shows it by going down, and what it is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One planted habit, or one clean annotator, and what was found.

    ``as_planted`` says whether the habit was found, or the clean annotator left alone.
    """

    annotator: str
    planted: str
    found: str
    as_planted: bool


def run_demo(folder: Path, *, seed: int, step: Callable[[str], None]) -> tuple[Simulation, Audit]:
    """Make the set, write it, read it back, audit it and write what was found.

    Parameters
    ----------
    folder : Path
        Where the files go; made where it is not there.
    seed : int
        Seed.
    step : callable
        Called with the name of each step.

    Raises
    ------
    AnnqcError
        Where the folder holds files that no demo made, or cannot be written.
    """
    import annqc
    from annqc.report.files import cannot_write
    from annqc.simulate import Habit, simulate
    from annqc.write import write_coco

    step("making the set")
    try:
        take_folder(folder)
    except OSError as error:
        raise cannot_write(folder, error) from None
    made = simulate(
        {
            "alice": [],
            "ben": Habit.loose("right", px=5),
            "chloe": Habit.shift(dy=-5),
            "dan": Habit.growth(dw=0.12, unit="rel"),
            "emma": Habit.tight("bottom", rel=0.06),
            "finn": Habit.loose("top", px=8).only(category="dog"),
            "gita": Habit.misses(0.15),
            "hugo": Habit.extras(0.15),
            "ines": Habit.wrong_labels(0.12),
            "jon": Habit.jitter(px=4),
            "kara": [],
            "liam": [],
        },
        n_images=N_IMAGES,
        rng=seed,
    )
    step("writing and reading the files")
    try:
        gold = write_coco(made.gold, folder / "gold.json")
        work = write_coco(made.work, folder / "work.json")
    except OSError as error:
        raise cannot_write(folder, error) from None
    audit = annqc.audit(work, gold, by=("annotator", "category"))
    step("auditing")
    audit.to_json(folder / "audit.json")
    step("writing the tables")
    audit.to_csv(folder / "tables")
    audit.save(folder / "run.annqc")
    audit.to_html(folder / "report")
    return made, audit


def take_folder(folder: Path) -> None:
    """Make the folder of the demo, or take it where it is empty or an earlier demo made it.

    Parameters
    ----------
    folder : Path
        Where the files go.

    Raises
    ------
    AnnqcError
        Where the folder holds files that no demo made.
    """
    from annqc.errors import AnnqcError

    folder.mkdir(parents=True, exist_ok=True)
    inside = sorted(one.name for one in folder.iterdir())
    if inside and MARKER not in inside:
        what = "this folder holds files that the demo did not make"
        hint = "give --out the name of a folder that does not exist yet"
        raise AnnqcError(what, where=str(folder), found=", ".join(inside[:3]), hint=hint)
    (folder / MARKER).write_text(MARKER_TEXT, encoding="utf-8")


def found_rows(made: Simulation, audit: Audit) -> list[Row]:
    """Compare what was planted with what was found.

    Parameters
    ----------
    made : Simulation
        The set, with the record of what was planted.
    audit : Audit
        Its audit.

    Returns
    -------
    list of Row
        One for every planted habit and every clean annotator, in the order of the annotators.
    """
    from annqc.report.view import view_of

    pooled, parts = view_of(audit), view_of(audit, ("annotator", "category"))
    scores = audit.score_columns()
    rows: list[Row] = []
    for who in made.work.annotator_ids.tolist():
        habits = [one for one in made.planted if one.annotator == who]
        if not habits:
            rows.append(_clean(who, pooled, parts))
        for one in habits:
            if one.kind == "offset":
                row = _offset(one, parts if one.category else pooled)
            elif one.kind in RATES:
                row = _rate(one, scores)
            else:
                row = _jitter(one, scores)
            if any(_accused_elsewhere(who, habits, view) for view in (pooled, parts)):
                found = f"{row.found}; ACCUSED of an edge that was not moved"
                row = replace(row, found=found, as_planted=False)
            rows.append(row)
    return rows


def _accused_elsewhere(who: str, habits: list[Planted], view: View) -> bool:
    """Whether an edge is called biased that no planted habit moves."""
    from annqc.simulate.habits import OUTWARD

    moved = np.zeros(4, dtype=bool)
    for one in habits:
        moved |= np.array(OUTWARD.get(one.quantity, (0.0,) * 4)) != 0
    biased = view.biased[view.keys["annotator"] == who, :4].any(axis=0)
    return bool((biased & ~moved).any())


def _offset(one: Planted, view: View) -> Row:
    """Look for a planted offset, in the unit in which it was planted."""
    from annqc.judge.wording import amount
    from annqc.report.view import clusters_word
    from annqc.report.words import DIRECTIONS, EDGE_NAMES
    from annqc.tables import QUANTITIES

    k = QUANTITIES.index(one.quantity)
    group = _group(view, one)
    unit = "rel" if one.unit == "rel" else "px"
    value, low, high = view.estimate(group, k, unit)
    verdict = view.columns["verdict"][group, k]
    size, interval = amount(value, low, high, unit)
    planted = f"{abs(one.size):g} px" if unit == "px" else f"{abs(100 * one.size):g} %"
    what = EDGE_NAMES[k] if k < 4 else "boxes"
    direction = DIRECTIONS[one.quantity]
    evidence = clusters_word(view, int(view.columns["n_clusters"][group, k]))
    on = f", on {one.category} alone" if one.category else ""
    same = value * one.size > 0
    return Row(
        annotator=one.annotator,
        planted=f"{what} {planted} {direction[one.size < 0]}{on}",
        found=f"{verdict}, {size} {direction[value < 0]} ({interval}, {evidence})",
        as_planted=bool(verdict == "biased" and same),
    )


def _group(view: View, one: Planted) -> int:
    mine = view.keys["annotator"] == one.annotator
    if one.category is not None:
        mine = mine & (view.keys["category"] == one.category)
    return int(np.flatnonzero(mine)[0])


def _score(scores: dict[str, Any], name: str, who: str) -> tuple[float, float, float, int]:
    row = int(np.flatnonzero(scores["annotator"] == who)[0])
    one, low, high = (float(scores[name + end][row]) for end in ("", "_low", "_high"))
    return one, low, high, int(scores["n_images"][row])


def _beside(score: tuple[float, float, float, int], typical: float) -> str:
    value, low, high, n = score
    from annqc.report.shares import share_ends, share_text

    ends = " to ".join(f"{one / 100:.2f}" for one in share_ends(low, high))
    return f"{share_text(value)} ({ends}, {n} images); the others {share_text(typical)}"


def _rate(one: Planted, scores: dict[str, Any]) -> Row:
    """Look for a planted rate: the score's whole interval lies below the typical annotator's."""
    name, said = RATES[one.kind]
    value, low, high, n = _score(scores, name, one.annotator)
    typical = float(np.median(scores[name]))
    label = name.replace("_", " ")
    return Row(
        annotator=one.annotator,
        planted=said.format(100 * one.size),
        found=f"{label} {_beside((value, low, high, n), typical)}",
        as_planted=high < typical,
    )


def _jitter(one: Planted, scores: dict[str, Any]) -> Row:
    """Look for scatter: less overlap than the others have."""
    value, low, high, n = _score(scores, "mean_iou", one.annotator)
    typical = float(np.median(scores["mean_iou"]))
    return Row(
        annotator=one.annotator,
        planted=f"{one.size:g} px of scatter on every edge, to no side",
        found=f"mean IoU {_beside((value, low, high, n), typical)}",
        as_planted=high < typical,
    )


def _clean(who: str, pooled: View, parts: View) -> Row:
    """Look whether a clean annotator was left alone."""
    mine = pooled.keys["annotator"] == who
    accused = bool(pooled.biased[mine].any() or parts.biased[parts.keys["annotator"] == who].any())
    n_clean = int((pooled.columns["verdict"][mine, :4] == "clean").sum())
    edges = "all four edges" if n_clean == 4 else f"{n_clean} of 4 edges"
    found = "ACCUSED" if accused else f"not accused; {edges} shown to be clean"
    return Row(annotator=who, planted="nothing", found=found, as_planted=not accused)


def show_found(console: Console, rows: list[Row]) -> None:
    """Print planted beside found, and a last word.

    Parameters
    ----------
    console : Console
        Where to.
    rows : list of Row
        From `found_rows`.
    """
    from rich.text import Text

    from annqc.report.grid import hanging

    console.print()
    console.print(Text("Planted beside found", style="bold"))
    who = max(len(row.annotator) for row in rows) + 2
    for row in rows:
        for line in _two_lines(row, who, console.width):
            console.print(Text(line, style="" if row.as_planted else "bold red"))
    n_planted = sum(row.planted != "nothing" for row in rows)
    n_found = sum(row.planted != "nothing" and row.as_planted for row in rows)
    n_clean = len(rows) - n_planted
    n_spared = sum(row.planted == "nothing" and row.as_planted for row in rows)
    console.print()
    verdict = (
        f"{n_found} of {n_planted} planted habits found, "
        f"{n_clean - n_spared} of {n_clean} clean annotators accused."
    )
    for line in hanging(verdict, console.width, indent=0):
        console.print(Text(line, style="bold"))


def _two_lines(row: Row, who: int, width: int) -> Iterator[str]:
    from annqc.report.grid import hanging

    yield f"  {row.annotator:<{who}}planted  {row.planted}"
    first, *rest = hanging(row.found, width - who - 11, indent=0)
    yield " " * (who + 2) + f"found    {first}"
    for line in rest:
        yield " " * (who + 9) + line
