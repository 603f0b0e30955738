"""run: how far every annotator is from the middle of all, or from the gold there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.consensus.uncertainty import disagreements
from annqc.infer.fleet import decide_fleet
from annqc.infer.verdicts import (
    DF_MIN,
    G_MIN,
    UNDECIDED,
    VERDICTS,
    half_width,
    p_bias,
)
from annqc.measure.offsets import MARGIN
from annqc.run.anonymous import STATUS as NAMELESS_STATUS
from annqc.run.consensusrules import torn_apart
from annqc.tables import QUANTITIES, nameless

if TYPE_CHECKING:
    from annqc.run.consensus import Consensus
    from annqc.tables import Array, Bools, Floats, Ints

__all__ = ["bias_columns"]


@dataclass(frozen=True, eq=False, slots=True)
class _Estimates:
    """Offsets of annotators as what verdicts are decided on."""

    estimate: Floats
    se: Floats
    df: Floats
    n_clusters: Ints

    @property
    def n_eff(self) -> Floats:
        """Images."""
        return np.maximum(self.n_clusters, 1).astype(np.float64)


@dataclass(frozen=True, eq=False, slots=True)
class _Standing:
    """Of whom what can be judged at all, one entry an annotator."""

    two: Bools
    little_gold: Bools
    nobody: Bools
    beside_nobody: Bools

    @classmethod
    def of(cls, found: Consensus) -> _Standing:
        links = found.fit.links
        two = np.asarray(links.status == "two_annotators")
        nobody = nameless(found.work.annotator_ids)
        return cls(
            # of two annotators only the difference is known; it is judged apart, and blames neither
            two,
            np.asarray(links.anchored & (found.offsets.n_gold < G_MIN)),
            nobody,
            np.asarray(two & np.isin(links.component, links.component[nobody & two])),
        )


def bias_columns(found: Consensus) -> dict[str, Array]:
    """Work `annqc.run.consensus.Consensus.bias` out as numpy columns.

    Parameters
    ----------
    found : Consensus
        The consensus of all.

    Returns
    -------
    dict of str to array
        One entry an annotator and quantity.
    """
    n, k = len(found.work.annotator_ids), len(QUANTITIES)
    offsets, px = found.offsets, found.offsets_px
    links = found.fit.links
    stands = _Standing.of(found)
    two, nobody = stands.two, stands.nobody
    df = np.repeat(offsets.df[:, None], k, axis=1)
    images = np.repeat(offsets.n_images[:, None], k, axis=1)
    alone = (two | stands.little_gold | nobody | ~np.isfinite(offsets.estimate[:, 0]))[:, None]
    judged = _Estimates(
        offsets.estimate, offsets.se, np.where(alone, 0.0, df), np.where(alone, 0, images)
    )
    alpha = 1 - found.confidence
    decided, _, _ = decide_fleet(judged, margin=MARGIN, shared=np.zeros(k), alpha=alpha, q=alpha)
    verdict = _disagreeing(found, np.array(VERDICTS, dtype=object)[decided.verdict], alpha)
    torn = torn_apart(links, decided.p_value, verdict, alpha) & ~nobody[:, None]
    verdict[torn & (images >= G_MIN)] = "disagree"
    verdict[nobody | stands.beside_nobody] = VERDICTS[UNDECIDED]
    told = np.full((n, k), "ok", dtype=object)
    told[(decided.verdict == UNDECIDED) & np.isnan(decided.n_more)] = "infeasible"
    told[(images < G_MIN) | (df < DF_MIN)] = "too_few_clusters"
    told[(told == "ok") & links.split[:, None]] = "weakly_linked"
    told[torn] = "no_majority"
    told[stands.little_gold] = "too_few_gold"
    told[two] = "two_annotators"
    told[links.status == "one_source"] = "one_source"
    told[nobody] = NAMELESS_STATUS
    told[~np.isfinite(offsets.estimate)] = "no_data"
    # either of two lies half of what they differ by from the middle, which is nobody's zero
    times = np.where(two, 2.0, 1.0)[:, None]
    origin = np.where(two, "other annotator", "median annotator")
    untested = alone | torn
    columns: dict[str, Any] = {
        "annotator": np.repeat(found.work.annotator_ids, k),
        "quantity": np.tile(np.array(QUANTITIES, dtype=object), n),
        **_interval("", times * offsets.estimate, times * offsets.se, df, found.confidence),
        **_interval(
            "_px",
            times * px.estimate,
            times * px.se,
            np.repeat(px.df[:, None], k, axis=1),
            found.confidence,
        ),
        "confidence_level": np.full((n, k), found.confidence),
        "n_clusters": images,
        "p_value": np.where(untested, np.nan, decided.p_value),
        "p_adjusted": np.where(untested, np.nan, decided.p_adjusted),
        "verdict": verdict,
        "n_more": np.where(untested, np.nan, decided.n_more),
        "status": told,
        "from": np.repeat(np.where(links.anchored, "gold", origin).astype(object), k),
        "component": np.repeat(links.component, k),
    }
    return {name: np.asarray(column).reshape(-1) for name, column in columns.items()}


def _interval(
    unit: str, estimate: Floats, se: Floats, df: Floats, confidence: float
) -> dict[str, Floats]:
    half = half_width(se, df, confidence)
    return {
        f"estimate{unit}": estimate,
        f"ci_low{unit}": estimate - half,
        f"ci_high{unit}": estimate + half,
    }


def _disagreeing(found: Consensus, verdict: Array, alpha: float) -> Array:
    """Call two annotators who differ by more than the margin in disagreement, both of them."""
    pairs = disagreements(found.fit, found.offsets)
    enough = pairs.df + 1 >= G_MIN
    p = p_bias(pairs.difference, pairs.se, np.repeat(pairs.df[:, None], 8, axis=1), MARGIN)
    differ = (p < alpha / max(len(MARGIN), 1)) & enough[:, None]
    for who in (pairs.first, pairs.second):
        verdict[who] = np.where(differ, "disagree", verdict[who])
    return verdict
