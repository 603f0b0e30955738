"""run: a consensus held against gold, beside plainer ways of making one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.match import match
from annqc.run.audit import Parameters, Run
from annqc.tables import QUANTITIES

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.run.consensus import Consensus, Method
    from annqc.tables import Array, Dataset, Floats, Ints

__all__ = ["COMPARED", "against_columns", "comparison_columns", "slope_and_correlation"]

COMPARED: Final[tuple[Method, ...]] = ("model", "median", "wbf")
"""Methods that a consensus is shown beside, where there is gold."""


def comparison_columns(found: Consensus, gold: Dataset) -> dict[str, Array]:
    """Hold a consensus and two plainer ones against gold.

    Parameters
    ----------
    found : Consensus
        The consensus.
    gold : Dataset
        What is trusted.

    Returns
    -------
    dict of str to (k,) array
        As `annqc.run.consensus.Consensus.comparison` says.
    """
    names = list(dict.fromkeys((found.method, *COMPARED)))
    made = [found if name == found.method else replace(found, method=name) for name in names]
    sides = [match(gold, one.dataset) for one in made]
    common = set.intersection(*(set(one.matched_reference.tolist()) for one in sides))
    rows = np.array(sorted(common), dtype=np.int64)
    asked = np.unique(match(gold, found.work).task_image)
    counted = np.isin(gold.table.image, asked) & ~gold.table.crowd & ~gold.table.ignored
    lines = [_line(one, rows, int(counted.sum())) for one in sides]
    columns: dict[str, Array] = {"method": np.array(names, dtype=object)}
    return columns | {name: np.array([line[name] for line in lines]) for name in lines[0]}


def _line(one: Matches, rows: Ints, n_gold: int) -> dict[str, Any]:
    """Describe one way of making a consensus."""
    n_kept = int((one.image_of_candidate >= 0).sum())
    place = np.full(len(one.reference.table), -1)
    place[one.matched_reference] = one.matched_candidate
    drawn = place[rows]
    off = one.candidate.table.xyxy[drawn] - one.reference.table.xyxy[rows]
    right = one.reference_category[rows] == one.candidate_category[drawn]
    return {
        "n_objects": n_kept,
        "recall": len(one.matched_reference) / n_gold if n_gold else np.nan,
        "precision": len(one.matched_candidate) / n_kept if n_kept else np.nan,
        "n_common": len(rows),
        "edge_rmse_px": float(np.sqrt((off**2).mean())) if len(rows) else np.nan,
        "edge_median_px": float(np.median(np.abs(off))) if len(rows) else np.nan,
        "label_accuracy": float(right.mean()) if len(rows) else np.nan,
    }


def against_columns(found: Consensus, gold: Dataset) -> dict[str, Array]:
    """Put offsets from the consensus beside those from gold, a row an annotator and quantity.

    Parameters
    ----------
    found : Consensus
        The consensus.
    gold : Dataset
        What is trusted.

    Returns
    -------
    dict of str to (n,) array
        ``annotator, quantity``, and ``estimate, ci_low, ci_high, n_clusters, verdict`` without gold
        and, with ``_gold``, from it.
    """
    truth = Run(gold, found.work, parameters=Parameters(confidence=found.confidence))
    theirs, ours = truth.bias_columns(), found.bias_columns()
    k = len(QUANTITIES)
    place = {name: row for row, name in enumerate(ours["annotator"][::k].tolist())}
    at = np.array([place[name] * k for name in theirs["annotator"].tolist()], dtype=np.int64)
    at += np.tile(np.arange(k), len(at) // k)
    columns = {name: theirs[name] for name in ("annotator", "quantity")}
    for name in ("estimate", "ci_low", "ci_high", "n_clusters", "verdict"):
        columns[name] = ours[name][at]
        columns[f"{name}_gold"] = theirs[name]
    return columns


def slope_and_correlation(columns: dict[str, Array], *, least: int = 5) -> tuple[float, float, int]:
    """Relate the offsets of edges without gold to those from gold.

    Parameters
    ----------
    columns : dict of str to array
        From `against_columns`.
    least : int
        Images that both must rest on.

    Returns
    -------
    slope, correlation : float
        Of the offset without gold on that from gold; NaN with fewer than three edges.
    n : int
        Edges of annotators.
    """
    edges = np.char.startswith(columns["quantity"].astype(str), "out_")
    enough = (columns["n_clusters"] >= least) & (columns["n_clusters_gold"] >= least)
    ours: Floats = columns["estimate"].astype(np.float64)
    theirs: Floats = columns["estimate_gold"].astype(np.float64)
    some = edges & enough & np.isfinite(ours) & np.isfinite(theirs)
    n = int(some.sum())
    if n < 3 or np.ptp(theirs[some]) == 0:
        return np.nan, np.nan, n
    slope = float(np.polyfit(theirs[some], ours[some], 1)[0])
    return slope, float(np.corrcoef(theirs[some], ours[some])[0, 1]), n
