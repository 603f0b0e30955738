"""testing: asserts on polygons and masks: their signed offsets, and how well they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from annqc.errors import UnknownNameError
from annqc.testing.asserts.judged import judged, one
from annqc.testing.asserts.measures import listed, plain_where, rate_rule

if TYPE_CHECKING:
    from annqc.judge import Check, Judgement, Tolerance
    from annqc.testing.asserts.judged import Undecided
    from annqc.testing.asserts.measures import Columns, Where

__all__ = [
    "assert_boundary_iou",
    "assert_mask_iou",
    "assert_outlines_unbiased",
    "assert_outlines_within",
]

SIDES: Final = ("left", "top", "right", "bottom", "whole")
DISTANCES: Final = ("assd", "hd95")


def assert_outlines_unbiased(
    work: Any,
    gold: Any = None,
    *,
    sides: Columns = "all",
    by: Columns = ("annotator",),
    where: Where | None = None,
    tolerance: str | Tolerance | None = None,
    confidence: float | None = None,
    undecided: Undecided = "fail",
    **options: Any,
) -> Judgement:
    """Assert that nobody draws contours systematically beyond the tolerance.

    Parameters
    ----------
    work : path, glob, folder, list of those, Dataset or Audit
        Polygons or masks. COCO files are read with theirs. With an audit there is no ``gold`` and
        there are no ``options``; make it with ``annqc.audit(..., shapes=True)``.
    gold : the same, but no Audit
        What is trusted.
    sides : str or sequence of str
        ``"all"`` for the four sides and the whole contour, judged together; or one or some of
        ``"left", "top", "right", "bottom", "whole"``, each its own check.
    by : str or sequence of str
        Columns; every combination of their values is a group that must be clean.
    where : mapping, optional
        Only groups with these values, such as ``{"category": "person"}``.
    tolerance : str or Tolerance, optional
        Largest offset that is no bias: ``"2 px"``, ``"3 %"`` of the square root of the area of the
        gold's outline, or ``"max(1 px, 2 %)"``, which it is if not given.
    confidence : float, optional
        Level of the intervals; 0.95 if not given.
    undecided : {"fail", "pass", "skip"}
        What to do where there are too few images to tell.
    **options
        Further arguments of `annqc.audit`, such as ``annotator="stem"``.

    Returns
    -------
    Judgement
        With one check, or one for each of the sides.

    Raises
    ------
    AssertionError
        Somebody dilates or erodes, or the data do not settle it.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> from annqc.simulate import OutlineHabit, outlines
    >>> from annqc.testing import assert_outlines_unbiased
    >>> made = outlines({"ann": [], "bob": OutlineHabit.dilated(4)}, n_images=40, rng=1)
    >>> assert_outlines_unbiased(made.work, made.gold, where={"annotator": "ann"})
    <annqc.Judgement: pass (1 pass)>
    >>> assert_outlines_unbiased(made.work, made.gold)
    Traceback (most recent call last):
    ...
    AssertionError: bob draws the contour 4.0 px too far out all around (...
    """
    __tracebackhide__ = True
    asked = ["contour_offset"]
    if sides != "all":
        chosen = [sides] if isinstance(sides, str) else list(sides)
        for side in chosen:
            if side not in SIDES:
                kind, where_ = "side", "assert_outlines_unbiased"
                raise UnknownNameError.among(kind, side, ("all", *SIDES), where=where_)
        asked = ["contour" if side == "whole" else f"contour_{side}" for side in chosen]
    shared = {
        "by": listed(by),
        "where": plain_where(where),
        "tolerance": tolerance,
        "confidence": confidence,
    }
    rules = [{"id": name, "measure": name, **shared} for name in asked]
    return judged("assert_outlines_unbiased", work, gold, rules, options, undecided=undecided)


def assert_mask_iou(
    work: Any,
    gold: Any = None,
    *,
    at_least: float,
    by: Columns = ("annotator",),
    where: Where | None = None,
    confidence: float | None = None,
    undecided: Undecided = "fail",
    **options: Any,
) -> Check:
    """Assert that outlines overlap with the gold's by at least so much on average.

    Parameters
    ----------
    work, gold
        As in `assert_outlines_unbiased`.
    at_least : float
        The limit, from 0 to 1. A group passes where its whole interval is at or above it.
    by, where, confidence, undecided, **options
        As in `assert_recall`.

    Returns
    -------
    Check

    Raises
    ------
    AssertionError
        A group is below the limit, or the data do not settle it.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> from annqc.simulate import outlines
    >>> from annqc.testing import assert_mask_iou
    >>> made = outlines(["ann"], n_images=40, rng=1)
    >>> assert_mask_iou(made.work, made.gold, at_least=0.9).outcome
    'pass'
    """
    __tracebackhide__ = True
    rule = rate_rule("mask_iou", at_least, by, where, confidence)
    return one(judged("assert_mask_iou", work, gold, [rule], options, undecided=undecided))


def assert_boundary_iou(
    work: Any,
    gold: Any = None,
    *,
    at_least: float,
    by: Columns = ("annotator",),
    where: Where | None = None,
    confidence: float | None = None,
    undecided: Undecided = "fail",
    **options: Any,
) -> Check:
    """Assert that the bands along the contours overlap by at least so much on average.

    Parameters, result and errors are those of `assert_mask_iou`. Of large objects the boundary IoU
    sees what the IoU does not. Polygons need images of known size.

    Examples
    --------
    >>> from annqc.simulate import outlines
    >>> from annqc.testing import assert_boundary_iou
    >>> made = outlines(["ann"], n_images=40, rng=1)
    >>> assert_boundary_iou(made.work, made.gold, at_least=0.85).outcome
    'pass'
    """
    __tracebackhide__ = True
    rule = rate_rule("boundary_iou", at_least, by, where, confidence)
    return one(judged("assert_boundary_iou", work, gold, [rule], options, undecided=undecided))


def assert_outlines_within(
    work: Any,
    gold: Any = None,
    *,
    px: float,
    measure: str = "hd95",
    by: Columns = ("annotator",),
    where: Where | None = None,
    confidence: float | None = None,
    undecided: Undecided = "fail",
    **options: Any,
) -> Check:
    """Assert that contours lie within so many pixels of the gold's on average.

    Parameters, result and errors are those of `assert_mask_iou`, but for these two.

    Parameters
    ----------
    px : float
        The limit. A group passes where its whole interval is at or below it.
    measure : {"hd95", "assd"}
        The 95th percentile of the distances between both contours, or their mean.

    Examples
    --------
    >>> from annqc.simulate import outlines
    >>> from annqc.testing import assert_outlines_within
    >>> made = outlines(["ann"], n_images=40, rng=1)
    >>> assert_outlines_within(made.work, made.gold, px=1.5, measure="assd").outcome
    'pass'
    """
    __tracebackhide__ = True
    if measure not in DISTANCES:
        kind = "distance of outlines"
        raise UnknownNameError.among(kind, measure, DISTANCES, where="assert_outlines_within")
    rule = rate_rule(measure, None, by, where, confidence) | {"at_most": px}
    return one(judged("assert_outlines_within", work, gold, [rule], options, undecided=undecided))
