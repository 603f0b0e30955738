"""run: whom a consensus may not name, and numbers that it cannot be made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.errors import SpecError

if TYPE_CHECKING:
    from annqc.consensus.graph import Links
    from annqc.tables import Array, Bools, Floats

__all__ = ["check_numbers", "torn_apart"]


def torn_apart(links: Links, p_value: Floats, verdict: Array, alpha: float) -> Bools:
    """Return where somebody would be named though no majority may lie near the median, (A, 8).

    Where two halves of the annotators are further apart than the margin the median lies between
    them, where nobody draws: neither half is the measure of the other. Who is not shown to be
    beyond the margin, taken alone, may lie near: noise is no split.
    """
    n = int(links.component.max(initial=-1)) + 2
    free = (links.component >= 0) & ~links.anchored
    torn = np.zeros(p_value.shape, dtype=bool)
    near = ~(p_value < alpha)
    for k in range(p_value.shape[1]):
        share = np.bincount(links.component[free], (links.gauge * near[:, k])[free], n)
        named = np.bincount(links.component[free], (verdict[free, k] == "biased"), n) > 0
        torn[:, k] = free & (named & (share < 0.5 + 1e-9))[links.component]
    return torn


def check_numbers(pair_iou: Any, gold_sd: Any, confidence: Any) -> None:
    """Refuse what is no share, no length or no level."""
    for name, value, low, high, expected in (
        ("confidence", confidence, 0.5, 1.0, "a number between 0.5 and 1, such as 0.95"),
        ("pair_iou", pair_iou, 0.0, 1.0, "a number between 0 and 1, such as 0.5"),
        ("gold_sd", gold_sd, 0.0, np.inf, "a number of pixels above 0, such as 0.5"),
    ):
        if isinstance(value, str) or value is None or not low < value < high:
            what = f"a consensus cannot be made with this {name}"
            raise SpecError(what, where=name, expected=expected, found=repr(value))
