"""run: how the tracks of every two annotators of one video differ, neither of whom is right."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from annqc.infer.multiplicity import adjusted_bh
from annqc.read.only import share_of
from annqc.run.audit import Parameters, Run
from annqc.run.temporal import DRIFTS, find_temporal, temporal_columns
from annqc.run.trackvalues import series_values
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.run.alone import Alone
    from annqc.tables import Array

__all__ = ["MOST_PAIRS", "pair_columns", "pairs_of"]

MOST_PAIRS: Final = 45
"""Pairs of annotators that are compared with each other: those of ten annotators."""
RELATIVE: Final = (*EDGES, "lag", *DRIFTS, "start", "end")
"""What can be said of a pair: the difference between the two."""
COLUMNS: Final = (
    *("quantity", "unit", "estimate", "ci_low", "ci_high", "n", "n_clusters"),
    *("p_value", "p_adjusted", "verdict", "n_more", "status"),
)
TOO_LITTLE: Final = ("too_few_clusters", "one_cluster", "no_data", "no_motion")


def pairs_of(alone: Alone) -> list[tuple[int, int]]:
    """Return every two annotators who drew tracks on one video, by number.

    Parameters
    ----------
    alone : Alone
        Tracks on their own.
    """
    n = len(alone.work.annotator_ids)
    drawn_on: list[set[int]] = [set() for _ in range(n)]
    for who, where in zip(alone.annotator.tolist(), alone.sequence.tolist(), strict=True):
        drawn_on[who].add(where)
    return [pair for pair in combinations(range(n), 2) if drawn_on[pair[0]] & drawn_on[pair[1]]]


def pair_columns(alone: Alone) -> dict[str, Array]:
    """Lay out how every two annotators differ, one row a pair and quantity.

    Parameters
    ----------
    alone : Alone
        Tracks on their own.

    Returns
    -------
    dict of str to (m,) array
        ``annotator, other`` and `COLUMNS`, of the first `MOST_PAIRS` pairs.

    Notes
    -----
    The pair disagrees where Benjamini and Hochberg's p-value over all pairs and quantities is
    significant.
    """
    names = alone.work.annotator_ids
    parts = [_between(alone, *pair) for pair in pairs_of(alone)[:MOST_PAIRS]]
    if not parts:
        return {name: np.empty(0, dtype=object) for name in ("annotator", "other", *COLUMNS)}
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    found["annotator"], found["other"] = names[found["annotator"]], names[found["other"]]
    found["p_adjusted"] = adjusted_bh(found["p_value"].astype(np.float64))
    with np.errstate(invalid="ignore"):
        disagree = found["p_adjusted"] < 1 - alone.confidence
    open_ = np.where(found["verdict"] == "biased", "undecided", found["verdict"])
    found["verdict"] = np.where(disagree, "disagree", open_).astype(object)
    return found


def _between(alone: Alone, one: int, other: int) -> dict[str, Array]:
    """Hold the second annotator against the first."""
    names = alone.work.annotator_ids
    sides = [share_of(alone.work, [str(names[k])]) for k in (one, other)]
    rules = Parameters(tolerance=alone.tolerance, confidence=alone.confidence)
    run = Run(*sides, parameters=rules)
    values = series_values(run.matches, run.track_series, mutual=True)
    over_time = find_temporal(run.matches, run.track_series, values, confidence=alone.confidence)
    found = _with_offsets(temporal_columns(over_time), run.bias_columns())
    mine = found["annotator"].astype(str) == str(names[other])
    mine &= np.isin(found["quantity"].astype(str), RELATIVE)
    n = int(mine.sum())
    part = {name: found[name][mine] for name in COLUMNS}
    enough = ~np.isin(part["status"].astype(str), TOO_LITTLE)
    part["p_value"] = np.where(enough, part["p_value"].astype(np.float64), np.nan)
    return {"annotator": np.full(n, one), "other": np.full(n, other), **part}


def _with_offsets(temporal: dict[str, Array], bias: dict[str, Array]) -> dict[str, Array]:
    """Put the offsets of the edges, in pixels, before what happens over time."""
    n = len(bias["quantity"])
    told = bias | {"unit": np.full(n, "px", dtype=object)}
    told |= {name: bias[f"{name}_px"] for name in ("estimate", "ci_low", "ci_high")}
    return {name: np.concatenate([told[name], temporal[name]]) for name in ("annotator", *COLUMNS)}
