"""report: ``annqc consensus`` on one screen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from annqc.judge.wording import DIRECTIONS, OBJECTS, number_of
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
MOST_NAMED = 6
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
    anchored = found.fit.links.anchored
    if anchored.any():
        row(console, "Mind", ANCHORED)
    if not anchored.all():
        row(console, "Mind", NOT_KNOWN)
    odd = Counter(one.kind for one in work.issues)
    if odd:
        told = ", ".join(f"{n:,} {kind}" for kind, n in odd.most_common(4))
        row(console, "Problems", f"{told} (annqc lint shows them)")
    if work.table.shapes is not None and (work.table.shapes.kind > 0).any():
        row(console, "Mind", "outlines are compared by the boxes around them here")
    n_contested = int(found.fit.contested.any(axis=1).sum())
    if n_contested:
        text = f"{number_of(n_contested, 'object')} that two annotators drew too far apart"
        row(console, "Apart", text + ": no consensus, somebody must look")
    bias = found.bias_columns()
    zero = "gold" if found.anchors is not None else "median annotator"
    named = _sentences(bias, "image" if work.image_table.sequence is None else "image or video")
    heading(console, "Biased", f"from the {zero}" if named else f"nobody, from the {zero}")
    listed(console, named, len(named), most, style="red")
    heading(console, "Annotators", f"px from the {zero}; ! biased, ? undecided, ~ disagree")
    table(console, _annotators(found, bias), most)
    differ = _disagreements(bias)
    if differ:
        heading(console, "Disagreement", "which of them is off cannot be told without gold")
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
    settled = ~np.isin(grid["verdict"][:, : len(EDGES)].astype(str), ["biased", "disagree"])
    order = np.lexsort((-size.max(axis=1, initial=-1.0), few, settled.all(axis=1))).tolist()

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


def _sentences(bias: dict[str, Array], unit: str) -> list[str]:
    """Say who is biased, the farthest first."""
    rows = np.flatnonzero(bias["verdict"] == "biased")
    edges = rows[np.char.startswith(bias["quantity"][rows].astype(str), "out_")]
    named = set(bias["annotator"][edges].tolist())
    # shift and growth are told where no single edge is
    rest = [row for row in rows.tolist() if bias["annotator"][row] not in named]
    chosen = sorted([*edges.tolist(), *rest], key=lambda row: -abs(float(bias["estimate"][row])))
    said = []
    for one in chosen:
        value, low, high = (
            float(bias[f"{name}_px"][one]) for name in ("estimate", "ci_low", "ci_high")
        )
        quantity = bias["quantity"][one]
        way = DIRECTIONS[quantity][value < 0]
        what = OBJECTS.get(quantity, "boxes")
        bounds = (
            sorted((abs(low), abs(high))) if low * high > 0 else [0.0, max(abs(low), abs(high))]
        )
        n = int(bias["n_clusters"][one])
        name = clean_text(bias["annotator"][one], width=LONGEST)
        size = f"{abs(value):.1f} px too {way} ({bounds[0]:.1f} to {bounds[1]:.1f} px"
        said.append(f"{name} draws {what} {size}, {number_of(n, unit)})")
    return said


def _disagreements(bias: dict[str, Array]) -> list[str]:
    rows = np.flatnonzero(bias["verdict"] == "disagree")
    said: dict[tuple[int, str], list[int]] = {}
    for one in rows.tolist():
        said.setdefault((int(bias["component"][one]), bias["quantity"][one]), []).append(one)
    found = []
    for (_, quantity), pair in said.items():
        names = [clean_text(bias["annotator"][one], width=LONGEST) for one in pair]
        values = bias["estimate_px"][pair].astype(float)
        # of two each has the whole difference, with opposite signs
        two = bias["status"][pair[0]] == "two_annotators"
        apart = float(np.ptp(values)) / (2 if two else 1)
        if len(names) > MOST_NAMED:
            names = [*names[: MOST_NAMED - 1], f"{len(names) - MOST_NAMED + 1:,} more"]
        together = " and ".join([", ".join(names[:-1]), *names[-1:]]) if names[:-1] else names[0]
        found.append(f"{together}: {quantity} {apart:.1f} px apart")
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
