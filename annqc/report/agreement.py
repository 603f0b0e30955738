"""report: ``annqc agreement`` on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.judge.wording import number_of
from annqc.report.grid import side_by_side
from annqc.report.paragraphs import heading, row, table
from annqc.report.plain import clean_text
from annqc.run.agreeing import BLIND

if TYPE_CHECKING:
    from rich.console import Console

    from annqc.run.agreeing import Agreement
    from annqc.tables import Array

__all__ = ["agreement_screen"]

N_LINES = 8
LONGEST = 19


def agreement_screen(
    console: Console,
    found: Agreement,
    documents: dict[str, dict[str, Array]],
    *,
    everything: bool = False,
) -> None:
    """Print one screen about agreement.

    Parameters
    ----------
    console : Console
        From `annqc.report.terminal.make_console`.
    found : Agreement
        From `annqc.agreement`.
    documents : dict of str to dict
        Its tables: ``alpha, pairs`` and, where they were asked for, ``repeatability, ceiling``.
    everything : bool
        All pairs and categories.
    """
    most = 10**9 if everything else N_LINES
    work = found.work
    looked = (
        f"{number_of(len(work.image_table), 'image')}, "
        f"{number_of(len(found.clusters), 'object')} that anybody drew, "
        f"{number_of(len(work.annotator_ids), 'annotator')}"
    )
    row(console, "Looked at", looked)
    row(console, "Mind", BLIND)
    heading(console, "Krippendorff's alpha", "missing objects count; intervals are over images")
    table(console, _alphas(documents["alpha"]), most)
    pairs = documents["pairs"]
    note = f"{number_of(len(pairs['first']), 'pair')}, the least alike first"
    heading(console, "Every two annotators", note)
    table(console, _pairs(pairs), most)
    if "repeatability" in documents:
        heading(console, "Themselves, twice", "what one person's second drawing is like")
        table(console, _pairs(documents["repeatability"]), most)
    if "ceiling" in documents:
        heading(
            console, "Ceiling", "mean IoU with the gold; a perfect annotator is an extrapolation"
        )
        table(console, _ceiling(documents["ceiling"]), most)


def _interval(columns: dict[str, Array], name: str, k: int) -> str:
    value = float(columns[name][k])
    if np.isnan(value):
        return "-"
    low, high = (float(columns[f"{name}_{end}"][k]) for end in ("low", "high"))
    return f"{value:.2f}" if np.isnan(low) else f"{value:.2f} ({low:.2f}-{high:.2f})"


def _alphas(columns: dict[str, Array]) -> list[str]:
    named = {
        "alpha": columns["estimate"],
        "alpha_low": columns["low"],
        "alpha_high": columns["high"],
    }
    rows = range(len(columns["kind"]))
    return side_by_side(
        [
            ("of", [str(columns["kind"][k]) for k in rows], False),
            ("category", [clean_text(columns["category"][k], width=LONGEST) for k in rows], False),
            ("alpha", [_interval(named, "alpha", k) for k in rows], False),
            ("observed", [f"{float(columns['observed'][k]):.3f}" for k in rows], True),
            ("by chance", [f"{float(columns['expected'][k]):.3f}" for k in rows], True),
            ("images", [f"{int(columns['n_images'][k]):,}" for k in rows], True),
        ]
    )


def _pairs(columns: dict[str, Array]) -> list[str]:
    few = columns["n_images"] < 5
    order = np.lexsort((np.nan_to_num(columns["f1"], nan=2.0), few)).tolist()
    names = [
        clean_text(f"{columns['first'][k]} - {columns['second'][k]}", width=2 * LONGEST - 8)
        for k in order
    ]
    return side_by_side(
        [
            ("pair", names, False),
            ("images", [f"{int(columns['n_images'][k]):,}" for k in order], True),
            ("F1", [_interval(columns, "f1", k) for k in order], False),
            ("mean IoU", [_interval(columns, "mean_iou", k) for k in order], False),
        ]
    )


def _ceiling(columns: dict[str, Array]) -> list[str]:
    rows = range(len(columns["of"]))
    words = {
        "single": "one annotator",
        "consensus": "their consensus",
        "perfect": "a perfect annotator",
    }
    return side_by_side(
        [
            ("who", [words[columns["of"][k]] for k in rows], False),
            ("mean IoU", [_interval(columns, "mean_iou", k) for k in rows], False),
            ("objects", [f"{int(columns['n_objects'][k]):,}" for k in rows], True),
            ("images", [f"{int(columns['n_images'][k]):,}" for k in rows], True),
        ]
    )
