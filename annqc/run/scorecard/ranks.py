"""run: vendors and batches beside each other: who is off, in which order, and on which images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annqc.infer.multiplicity import accuse
from annqc.infer.verdicts import G_MIN, half_width
from annqc.run.scorecard.caution import too_few_boxes
from annqc.tables import EDGES, QUANTITIES

if TYPE_CHECKING:
    from annqc.run.scorecard.units import Cut
    from annqc.tables import Bools

__all__ = ["accused_units", "rank_units", "shared_images"]


def rank_units(found: Cut) -> list[tuple[int, int] | None]:
    """Say between which ranks each piece stands; 1 is the smallest bias on the worst edge.

    Parameters
    ----------
    found : Cut
        The pieces.

    Returns
    -------
    list of (int, int) or None
        All of them hold together at the confidence of the audit. None for pieces with an edge on
        too few images, and where there are fewer than two to rank.

    Notes
    -----
    The intervals of all edges of all pieces are made wide enough to hold together (Bonferroni). The
    worst edge of a piece is then at least as far off as the largest of the lower ends, and at most
    as far as the largest of the upper ends. A piece comes after those that are surely better, and
    before those that are surely worse (Mohamad, van Zwet and Goeman 2019). Draws from a posterior,
    as annotators are ranked by, would put a piece of few images behind for being small.
    """
    out: list[tuple[int, int] | None] = [None] * len(found.units)
    ends: dict[int, tuple[float, float]] = {}
    n_tests = len(EDGES) * sum(one.run is not None for one in found.units)
    for k, one in enumerate(found.units):
        if one.run is None:
            continue
        located = one.run.findings(()).estimates.located["tolerance"]
        value, se, df, clusters = (
            getattr(located, name)[0, : len(EDGES)]
            for name in ("estimate", "se", "df", "n_clusters")
        )
        if (clusters < G_MIN).any():
            continue
        half = half_width(se, df, 1 - (1 - found.run.parameters.confidence) / n_tests)
        if not np.isfinite(half).all():
            continue
        ends[k] = (
            float(np.maximum(np.abs(value) - half, 0).max()),
            float((np.abs(value) + half).max()),
        )
    if len(ends) < 2:
        return out
    lows, highs = (np.array(side) for side in zip(*ends.values(), strict=True))
    for k, (low, high) in ends.items():
        out[k] = 1 + int((highs < low).sum()), len(ends) - int((lows > high).sum())
    return out


def accused_units(found: Cut) -> Bools:
    """Say which offsets of which pieces are beyond the tolerance, as many pieces as there are.

    Parameters
    ----------
    found : Cut
        The pieces; all annotators of one are taken together.

    Returns
    -------
    (n_units, 8) bool
        Columns are `annqc.tables.QUANTITIES`. Of the pieces with any, on average at most one minus
        the confidence of the audit have none; pieces are to each other as annotators are in a
        fleet. Nothing that rests on too few boxes is among them.
    """
    p = np.full((len(found.units), len(QUANTITIES)), np.nan)
    few = np.zeros(p.shape, dtype=bool)
    for k, one in enumerate(found.units):
        if one.run is not None:
            bias = one.run.findings(())
            p[k] = np.where(bias.decisions.tested[0], bias.decisions.p_value[0], np.nan)
            few[k] = too_few_boxes(bias.estimates.located["tolerance"].n[0])
    return accuse(np.where(few, np.nan, p), q=1 - found.run.parameters.confidence).head


def shared_images(found: Cut) -> tuple[int, int, bool]:
    """Count the gold images that were compared in several pieces, and those compared at all.

    Parameters
    ----------
    found : Cut
        The pieces.

    Returns
    -------
    shared, compared : int
    alike : bool
        Whether all pieces that were compared rest on the same images.
    """
    seen = np.zeros(len(found.run.reference.image_table), dtype=np.int64)
    sets = set()
    for one in found.units:
        seen[one.gold_images] += 1
        sets |= {tuple(one.gold_images.tolist())} if len(one.gold_images) else set()
    return int((seen > 1).sum()), int((seen > 0).sum()), len(sets) == 1
