"""run: a page refuses nobody on a handful of boxes, and passes nothing that may well be broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annqc.judge.rules.ratchet import default_margin
from annqc.judge.wording import number_of
from annqc.measure.offsets import MARGIN
from annqc.measure.tolerance import Tolerance
from annqc.tables import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.judge.registry import Assessment
    from annqc.judge.verdicts import Check
    from annqc.run.audit import Run
    from annqc.tables import Array, Bools

__all__ = ["LEAST_BOXES", "cautious", "is_test", "too_few_boxes"]

LEAST_BOXES: Final = 30
"""Nobody is refused, or called biased, on fewer boxes or objects than these."""
DIFFERS: Final = (
    "the delivery's own check fails; on a scorecard nobody is refused on fewer than "
    f"{LEAST_BOXES} boxes"
)
"""Why a page says otherwise than the screen and the exit code."""


def is_test(check: Check) -> bool:
    """Whether a check is judged at a level; counts are facts."""
    return check.confidence is not None


def too_few_boxes(n: Array) -> Bools:
    """Whether so many boxes, or objects, are too few to refuse anybody on.

    Examples
    --------
    >>> too_few_boxes([12, 30]).tolist()
    [True, False]
    """
    few: Bools = np.asarray(n) < LEAST_BOXES
    return few


def cautious(check: Check, run: Run, whole: Callable[[], Check]) -> Check:
    """Return a check as a page tells it.

    Parameters
    ----------
    check : Check
        As it was judged.
    run : Run
        What it was judged of.
    whole : callable
        Gives the check of the same rule on the whole delivery, which the exit code rests on.

    Returns
    -------
    Check
        A group that fails on fewer than `LEAST_BOXES` boxes is undecided. So is one that
        ``no_worse_than`` passes for want of proof, as long as a loss beyond the margin may hide.
    """
    found = check.assessment
    if found is None or not is_test(check) or "n" not in found.columns:
        return check
    outcome, notes = found.outcome.copy(), []
    few = (outcome == "fail") & too_few_boxes(found.columns["n"])
    if few.any():
        outcome[few] = "undecided"
        most = int(found.columns["n"][few].max())
        boxes = number_of(most, "box", "boxes")
        verb = "is" if most == 1 else "are"
        too_few = f"{boxes} {verb} too few to refuse anybody"
        if whole().outcome == "fail":
            notes.append(f"{too_few}: {DIFFERS}")
        else:
            notes.append(f"{too_few}; {LEAST_BOXES} are needed")
    if check.rule.no_worse_than is not None:
        open_ = (outcome == "pass") & ~_shown_no_worse(check, found, run)
        if open_.any():
            outcome[open_] = "undecided"
            notes.append("not shown to be worse, and not shown to be no worse")
    return check.reconsidered(outcome, *notes) if notes else check


def _shown_no_worse(check: Check, found: Assessment, run: Run) -> Bools:
    """Whether the whole interval of the change is within the margin."""
    columns, rule = found.columns, check.rule
    tolerance = run.parameters.tolerance if rule.tolerance is None else rule.tolerance
    margin: Any = rule.margin
    if margin is None:
        margin = default_margin(rule.measure, tolerance)
    with np.errstate(invalid="ignore"):
        if not isinstance(margin, Tolerance):
            return np.asarray((columns["ci_low"] >= -margin) | columns["identical"].astype(bool))
        size = dict(zip(QUANTITIES, MARGIN.tolist(), strict=True))
        allowed = [size[str(name)] for name in columns["quantity"]]
        most = _in_tolerances(margin, tolerance) * np.array(allowed)
        return np.asarray(columns["ci_high"] <= most)


def _in_tolerances(margin: Tolerance, tolerance: Tolerance) -> float:
    """Return the largest share of the tolerance that is within a margin on boxes of any size."""
    parts = ((margin.px, tolerance.px), (margin.rel, tolerance.rel))
    return min((one / whole for one, whole in parts if whole), default=0.0)
