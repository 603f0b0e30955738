"""report: text laid out in a fixed width: hanging lines, and the table of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from rich.cells import cell_len, set_cell_size

from annqc.report.plain import name_text
from annqc.report.shares import share_ends, share_text

if TYPE_CHECKING:
    from annqc.tables import Array

__all__ = ["best_ranked", "hanging", "score_table", "side_by_side"]

LONGEST_NAME: Final = 24
TITLES: Final = {"label_accuracy": "label accuracy", "mean_iou": "mean IoU"}


def hanging(text: str, width: int, *, indent: int = 2) -> list[str]:
    """Wrap at spaces; later lines hang by two columns.

    Parameters
    ----------
    text : str
        One paragraph.
    width : int
        Columns, wide characters counted as two.
    indent : int
        Columns that stay empty on the left.

    Examples
    --------
    >>> hanging("one two three four", 12)
    ['  one two', '    three', '    four']
    """
    lines, line = [], " " * indent
    empty = True
    for word in text.split(" "):
        if not empty and cell_len(line) + 1 + cell_len(word) > width:
            lines.append(line)
            line, empty = " " * (indent + 2), True
        line += word if empty else f" {word}"
        empty = False
    return [*lines, line]


def side_by_side(columns: list[tuple[str, list[str], bool]]) -> list[str]:
    """Set columns side by side, each as wide as it needs.

    Parameters
    ----------
    columns : list of (str, list of str, bool)
        Title, cells, and whether they are set to the right.

    Returns
    -------
    list of str
        The titles, then the rows, indented by two columns.

    Examples
    --------
    >>> side_by_side([("who", ["ann", "bob"], False), ("boxes", ["7", "12"], True)])
    ['  who boxes', '  ann     7', '  bob    12']
    """
    made = [_column(title, cells, right=right) for title, cells, right in columns]
    return ["  " + " ".join(row).rstrip() for row in zip(*made, strict=True)]


def score_table(
    columns: dict[str, Array], n_rows: int, *, width: int, labels: bool
) -> tuple[list[str], list[str]]:
    """Lay out scores, the annotator with the largest bias first.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.score_columns`, by annotator.
    n_rows : int
        Annotators at most.
    width : int
        Columns of text; measures that do not fit are left out, the label accuracy after the mean
        IoU unless ``labels``.
    labels : bool
        Whether there is more than one category.

    Returns
    -------
    lines : list of str
        The titles, then one line an annotator.
    left_out : list of str
        Measures that do not fit.
    """
    rank = columns["rank"]
    order = np.lexsort((np.arange(len(rank)), -np.nan_to_num(rank, nan=-1.0)))[:n_rows].tolist()
    names = [name_text(columns["annotator"][row], width=LONGEST_NAME) for row in order]
    images = [f"{columns['n_images'][row]:,}" for row in order]
    alone = np.isfinite(rank).sum() < 2  # nobody to be ranked beside
    ranks = [
        "-"
        if alone or np.isnan(rank[row])
        else f"{columns['rank_low'][row]:g}-{columns['rank_high'][row]:g}"
        for row in order
    ]
    first = [_column("annotator", names), _column("images", images, right=True)]
    last = _column("rank", ranks)
    third = ["label_accuracy", "mean_iou"] if labels else ["mean_iou", "label_accuracy"]
    measures: list[list[str]] = []
    gap = 2
    names_of_measures = ("recall", "precision", *third)
    for name in names_of_measures:
        column = _column(TITLES.get(name, name), [_interval(columns, name, row) for row in order])
        together = [*first, *measures, column, last]
        tight = 2 + sum(cell_len(one[0]) for one in together) + len(together) - 1
        if tight > width and len(measures) >= 2:
            break
        measures.append(column)
        gap = 2 if tight + len(together) - 1 <= width else 1
    rows = zip(*first, *measures, last, strict=True)
    lines = ["  " + (" " * gap).join(row).rstrip() for row in rows]
    return lines, [TITLES.get(name, name) for name in names_of_measures[len(measures) :]]


def best_ranked(columns: dict[str, Array], n: int) -> str:
    """Name the annotators with the smallest bias, with the range in which each may stand.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.score_columns`, by annotator.
    n : int
        Annotators at most; those without a rank are left out.
    """
    rank = columns["rank"]
    order = [row for row in np.argsort(rank, kind="stable")[:n].tolist() if not np.isnan(rank[row])]
    return ", ".join(
        f"{name_text(columns['annotator'][row], width=LONGEST_NAME)} "
        f"({columns['rank_low'][row]:g}-{columns['rank_high'][row]:g})"
        for row in order
    )


def _column(title: str, cells: list[str], *, right: bool = False) -> list[str]:
    """Make all cells as wide as the widest."""
    widest = max(cell_len(cell) for cell in (title, *cells))
    if right:
        return [" " * (widest - cell_len(cell)) + cell for cell in (title, *cells)]
    return [set_cell_size(cell, widest) for cell in (title, *cells)]


def _interval(columns: dict[str, Array], name: str, row: int) -> str:
    """Write a score with its interval, rounded outwards."""
    value, low, high = (float(columns[name + end][row]) for end in ("", "_low", "_high"))
    if np.isnan(value):
        return "-"
    if np.isnan(low) or np.isnan(high):
        return f"{value:.2f} (no interval)"
    ends = share_ends(low, high)
    return f"{share_text(value)} ({ends[0] / 100:.2f}-{ends[1] / 100:.2f})"
