"""report: of tracks, what cannot be told yet, and what is shown to be within tolerance."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from annqc.infer.verdicts import G_MIN
from annqc.judge.wording import number_of
from annqc.run.temporal import TEMPORAL
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.tables import Array, Bools

__all__ = ["clean_line", "open_line", "undecided_lines"]


def undecided_lines(columns: dict[str, Array]) -> list[str]:
    """Say what cannot be told yet, and what would settle it.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.temporal_columns`, by annotator.
    """
    open_ = _open(columns)
    lines = []
    few = open_ & np.isin(columns["status"], ["too_few_clusters", "one_cluster"])
    of_ends = np.isin(columns["quantity"].astype(str), ["start", "end"])
    for some, what in ((few & of_ends, "sequence"), (few & ~of_ends, "track")):
        if some.any():
            most = int(columns["n_clusters"][some].max())
            lines.append(
                f"{_quantities(columns, some)}: {number_of(most, what)} to judge by, and no "
                f"verdict is given on fewer than {G_MIN}"
            )
    still = open_ & (columns["status"] == "no_motion")
    if still.any():
        lines.append("lag: the objects hardly move, so that it cannot be told")
    alone = open_ & (columns["status"] == "alone")
    if alone.any():
        lines.append("jitter: it is told beside that of two others on the same tracks")
    more = open_ & np.isfinite(columns["n_more"].astype(float)) & (columns["status"] == "ok")
    if more.any():
        who = len(np.unique(columns["annotator"][more].astype(str)))
        least = int(columns["n_more"][more].astype(float).min())
        lines.append(
            f"{_quantities(columns, more)}: open for {number_of(who, 'annotator')}; "
            f"{number_of(least, 'more track')} or so would settle the nearest of them"
        )
    far = open_ & (columns["status"] == "infeasible")
    if far.any():
        lines.append(
            f"{_quantities(columns, far)}: so near to the margin that no number of tracks will "
            "settle it"
        )
    return lines


def open_line(columns: dict[str, Array]) -> str:
    """Name what cannot be told yet, empty where there is nothing.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.temporal_columns`, of one annotator.
    """
    open_ = _open(columns)
    return f"open: {_quantities(columns, open_)}" if open_.any() else ""


def _open(columns: dict[str, Array]) -> Bools:
    open_: Bools = (columns["verdict"] == "undecided") & (columns["status"] != "descriptive")
    return open_ & ~np.char.startswith(columns["quantity"].astype(str), "sawtooth")


def clean_line(columns: dict[str, Array]) -> str:
    """Say on what how many annotators are shown to be within tolerance, empty where nobody is.

    Parameters
    ----------
    columns : dict of str to array
        From `annqc.run.audit.Run.temporal_columns`, by annotator.
    """
    clean = columns["verdict"] == "clean"
    if not clean.any():
        return ""
    n = len(np.unique(columns["annotator"].astype(str)))
    counts = Counter(columns["quantity"][clean].tolist())
    drifts = [name for name in TEMPORAL if name.startswith("drift")]
    if all(counts[name] == counts[drifts[0]] for name in drifts) and counts[drifts[0]]:
        counts["drift"] = counts[drifts[0]]
        for name in drifts:
            del counts[name]
    ordered = [name for name in ("drift", *TEMPORAL) if counts[name]]
    if n == 1:
        return "Within tolerance: " + ", ".join(name.replace("_", " ") for name in ordered)
    told = [f"{name.replace('_', ' ')} {counts[name]:,}" for name in ordered]
    return f"Within tolerance, of {n:,} annotators: " + ", ".join(told)


def _quantities(columns: dict[str, Array], rows: Array) -> str:
    named = set(columns["quantity"][rows].tolist())
    ordered = [name.replace("_", " ") for name in TEMPORAL if name in named]
    drifts = [name for name in ordered if name.startswith("drift")]
    if len(drifts) == len(EDGES):
        ordered = ["drift", *(name for name in ordered if not name.startswith("drift"))]
    return ", ".join(ordered)
