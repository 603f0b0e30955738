"""run: every pair as a row, with its signed offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.measure.offsets import offsets
from annqc.tables import EDGES

if TYPE_CHECKING:
    from annqc.match import Matches
    from annqc.measure.offsets import Measurements
    from annqc.tables import Array

__all__ = ["pair_columns"]


def pair_columns(matches: Matches, measurements: Measurements) -> dict[str, Array]:
    """Lay out every pair, missed and spurious object as columns.

    Parameters
    ----------
    matches, measurements
        What was matched and measured.

    Returns
    -------
    dict of str to array
        The columns of `annqc.match.Matches.columns`, the edge offsets in pixels and relative to the
        reference's side (NaN where there is no pair), and ``in_offsets``: whether any of them
        entered the tests.
    """
    columns = matches.columns()
    gold, drawn = columns.pop("reference_row"), columns.pop("candidate_row")
    paired = (gold >= 0) & (drawn >= 0)
    edges = np.full((len(gold), 4), np.nan)
    box = matches.reference.table.xyxy[gold[paired]]
    edges[paired] = offsets(box, matches.candidate.table.xyxy[drawn[paired]])
    sides = np.full((len(gold), 2), np.nan)
    sides[paired] = box[:, 2:] - box[:, :2]
    relative = edges / np.tile(sides, 2)
    columns |= {name: edges[:, k] for k, name in enumerate(EDGES)}
    columns |= {f"{name}_rel": relative[:, k] for k, name in enumerate(EDGES)}
    width = max(len(matches.candidate.table), 1)
    used = measurements.usable.any(axis=1)
    measured = measurements.reference[used] * width + measurements.candidate[used]
    columns["in_offsets"] = paired & np.isin(gold * width + drawn, measured)
    return columns
