"""report: ``annqc consensus`` on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.judge.wording import number_of
from annqc.report.grid import side_by_side
from annqc.report.paragraphs import heading, lines, listed, row, table
from annqc.report.plain import clean_text
from annqc.run.consensus import ANCHORED, NOT_KNOWN
from annqc.run.consensuscheck import slope_and_correlation
from annqc.tables import EDGES

if TYPE_CHECKING:
    from rich.console import Console

    from annqc.run.consensus import Consensus
    from annqc.tables import Array, Dataset

__all__ = ["consensus_screen"]

N_LINES = 8
LONGEST = 21
MARKS = {"biased": "!", "clean": " ", "undecided": "?", "disagree": "~"}


def consensus_screen(
    console: Console, found: Consensus, gold: Dataset | None = None, *, everything: bool = False
) -> None:
    """Print one screen about a consensus.

    Parameters
    ----------
    console : Console
        From `annqc.report.terminal.make_console`.
    found : Consensus
        From `annqc.consensus`.
    gold : Dataset, optional
        What to hold it against.
    everything : bool
        All annotators.
    """
    most = 10**9 if everything else N_LINES
    work, objects = found.work, found.clusters
    looked = (
        f"{number_of(len(work.image_table), 'image')}, {number_of(len(work), 'box', 'boxes')}, "
        f"{number_of(len(work.annotator_ids), 'annotator')}"
    )
    row(console, "Looked at", looked)
    n_kept, n_all = int(found.kept.sum()), len(objects)
    of_all = f"{n_kept:,} of {number_of(n_all, 'object')} that anybody drew"
    row(console, "Consensus", f"{of_all}; {found.method}, and never called truth")
    row(console, "Mind", ANCHORED if found.anchors is not None else NOT_KNOWN)
    n_contested = int(found.fit.contested.any(axis=1).sum())
    if n_contested:
        text = f"{number_of(n_contested, 'object')} that two annotators drew too far apart"
        row(console, "Contested", text + ": no consensus, somebody must look")
    bias = found.bias_columns()
    heading(
        console, "Annotators", "px from the median annotator; ! biased, ? undecided, ~ disagree"
    )
    table(console, _annotators(found, bias), most)
    differ = _disagreements(bias)
    if differ:
        heading(console, "Disagreement", "which of the two is off cannot be told without gold")
        listed(console, differ, len(differ), most, style="yellow")
    said = [clean_text(one, width=400) for one in found.suspicion_columns["text"].tolist()]
    if said:
        heading(console, "Look at this", "a reason to look, and no more")
        listed(console, said, len(said), most, style="magenta")
    if gold is not None:
        heading(console, "Against gold", "the edges of objects that all three found")
        table(console, _comparison(found.comparison_columns(gold)), most)
        slope, correlation, n = slope_and_correlation(found.against_columns(gold))
        if np.isfinite(slope):
            text = (
                f"offsets without gold follow those from gold with correlation {correlation:.2f} "
                f"and slope {slope:.2f} ({n:,} edges of annotators with five images or more)"
            )
            lines(console, [text])


def _annotators(found: Consensus, bias: dict[str, Array]) -> list[str]:
    people = found.annotator_columns()
    k = len(bias["quantity"]) // max(len(people["annotator"]), 1)
    grid = {name: column.reshape(-1, k) for name, column in bias.items()}
    size = np.nan_to_num(np.abs(grid["estimate"][:, : len(EDGES)].astype(float)), nan=-1.0)
    few = grid["n_clusters"][:, 0] < 5
    order = np.lexsort((-size.max(axis=1, initial=-1.0), few)).tolist()

    def edge(person: int, one: int) -> str:
        value = float(grid["estimate_px"][person, one])
        if np.isnan(value):
            return "-"
        low, high = (float(grid[f"ci_{end}_px"][person, one]) for end in ("low", "high"))
        half = "" if np.isnan(low) else f" ±{0.5 * (high - low):.1f}"
        return f"{value:+.1f}{half}{MARKS[grid['verdict'][person, one]]}"

    def share(name: str, person: int) -> str:
        value = float(people[name][person])
        return "-" if np.isnan(value) else f"{value:.2f}"

    columns = [
        ("annotator", [clean_text(people["annotator"][p], width=LONGEST) for p in order], False),
        ("images", [f"{int(grid['n_clusters'][p, 0]):,}" for p in order], True),
        *(
            (name.removeprefix("out_") + " ", [edge(p, one) for p in order], True)
            for one, name in enumerate(EDGES)
        ),
        ("recall", [share("recall", p) for p in order], True),
    ]
    return side_by_side(columns)


def _disagreements(bias: dict[str, Array]) -> list[str]:
    rows = np.flatnonzero(bias["verdict"] == "disagree")
    said: dict[tuple[int, str], list[int]] = {}
    for one in rows.tolist():
        said.setdefault((int(bias["component"][one]), bias["quantity"][one]), []).append(one)
    found = []
    for (_, quantity), pair in said.items():
        first, second = pair
        names = [clean_text(bias["annotator"][one], width=LONGEST) for one in pair]
        apart = float(bias["estimate_px"][first] - bias["estimate_px"][second])
        found.append(f"{names[0]} and {names[1]}: {quantity} {abs(apart):.1f} px apart")
    return found


def _comparison(columns: dict[str, Array]) -> list[str]:
    def cells(name: str, digits: int) -> list[str]:
        return [f"{float(one):.{digits}f}" for one in columns[name].tolist()]

    return side_by_side(
        [
            ("method", [str(one) for one in columns["method"].tolist()], False),
            ("objects", [f"{one:,}" for one in columns["n_objects"].tolist()], True),
            ("recall", cells("recall", 3), True),
            ("precision", cells("precision", 3), True),
            ("edge RMSE px", cells("edge_rmse_px", 2), True),
            ("labels", cells("label_accuracy", 3), True),
        ]
    )
