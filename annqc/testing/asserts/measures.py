"""testing: asserts on offsets, rates, overlap and agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from annqc.errors import SpecError, UnknownNameError
from annqc.testing.asserts.judged import judged, one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from annqc.judge import Check, Judgement, Tolerance
    from annqc.testing.asserts.judged import Undecided

    Columns = str | Sequence[str]
    Where = Mapping[str, Any]

__all__ = [
    "assert_agreement",
    "assert_label_accuracy",
    "assert_mean_iou",
    "assert_precision",
    "assert_recall",
    "assert_unbiased",
    "listed",
    "plain_where",
    "rate_rule",
]

EDGES: Final = ("left", "top", "right", "bottom")


def listed(value: Columns) -> str | list[str]:
    """Columns as a spec takes them: a text, or a list."""
    return value if isinstance(value, str) else list(value)


def plain_where(where: Where | None) -> dict[str, Any] | None:
    """Values as a spec takes them: single ones, or lists."""
    if where is None:
        return None
    several = (list, tuple, set, frozenset)
    return {
        name: list(value) if isinstance(value, several) else value for name, value in where.items()
    }


def assert_unbiased(
    work: Any,
    gold: Any = None,
    *,
    edges: Columns = "all",
    measure: str = "edge_offset",
    by: Columns = ("annotator",),
    where: Where | None = None,
    tolerance: str | Tolerance | None = None,
    confidence: float | None = None,
    sequential: bool = False,
    undecided: Undecided = "fail",
    **options: Any,
) -> Judgement:
    """Assert that nobody draws edges systematically beyond the tolerance.

    Parameters
    ----------
    work : path, glob, folder, list of those, DataFrame, Dataset or Audit
        What is judged. With an audit there is no ``gold`` and there are no ``options``.
    gold : the same, but no Audit
        What is trusted.
    edges : str or sequence of str
        ``"all"``, or one or some of ``"left", "top", "right", "bottom"``, each its own check.
    measure : str
        Instead of edges: ``"shift"`` for boxes that are moved, ``"growth"`` for boxes that are too
        large or too small.
    by : str or sequence of str
        Columns; every combination of their values is a group that must be clean.
    where : mapping, optional
        Only groups with these values, such as ``{"category": "person"}``.
    tolerance : str or Tolerance, optional
        Largest offset that is no bias: ``"2 px"``, ``"3 %"`` of the gold box's side, or
        ``"max(1 px, 2 %)"``, which it is if not given.
    confidence : float, optional
        Level of the intervals; 0.95 if not given.
    sequential : bool
        Whether the assert runs again and again on a growing delivery: it then allows for that.
    undecided : {"fail", "pass", "skip"}
        What to do where there are too few images to tell.
    **options
        Further arguments of `annqc.audit`, such as ``annotator="stem"``.

    Returns
    -------
    Judgement
        With one check, or one for each of the edges.

    Raises
    ------
    AssertionError
        Somebody is off, or the data do not settle it.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_unbiased
    >>> made = annqc.simulate(
    ...     {"ann": [], "bob": annqc.Habit.loose("right", px=4)}, n_images=60, rng=1
    ... )
    >>> audit = annqc.audit(made.work, made.gold)
    >>> assert_unbiased(audit, edges=["left", "top"])
    <annqc.Judgement: pass (2 pass)>
    >>> assert_unbiased(audit)
    Traceback (most recent call last):
    ...
    AssertionError: bob draws the right edge 3.9 px too far out (3.7 to 4.1 px, 60 images); ...
    """
    __tracebackhide__ = True
    asked = [measure]
    if edges != "all":
        if measure != "edge_offset":
            what = f"edges= and measure={measure!r} ask for different things"
            raise SpecError(what, where="assert_unbiased", hint="leave one of them out")
        chosen = [edges] if isinstance(edges, str) else list(edges)
        for edge in chosen:
            if edge.removeprefix("out_") not in EDGES:
                kind = "edge"
                raise UnknownNameError.among(kind, edge, ("all", *EDGES), where="assert_unbiased")
        asked = [f"out_{edge.removeprefix('out_')}" for edge in chosen]
    shared = {
        "by": listed(by),
        "where": plain_where(where),
        "tolerance": tolerance,
        "confidence": confidence,
        "sequential": sequential or None,
    }
    rules = [{"id": name, "measure": name, **shared} for name in asked]
    return judged("assert_unbiased", work, gold, rules, options, undecided=undecided)


def assert_recall(
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
    """Assert that at least so large a share of the objects asked for was drawn.

    Parameters
    ----------
    work : path, glob, folder, list of those, DataFrame, Dataset or Audit
        What is judged. With an audit there is no ``gold`` and there are no ``options``.
    gold : the same, but no Audit
        What is trusted.
    at_least : float
        The limit, from 0 to 1. A group passes where its whole interval is at or above it.
    by : str or sequence of str
        Columns; every combination of their values is a group that must pass; ``()`` for everything
        together.
    where : mapping, optional
        Only groups with these values, such as ``{"category": "person"}``.
    confidence : float, optional
        Level of the intervals; 0.95 if not given.
    undecided : {"fail", "pass", "skip"}
        What to do where the interval lies on both sides of the limit.
    **options
        Further arguments of `annqc.audit`, such as ``iou=0.7``.

    Returns
    -------
    Check
        ``check.to_frame()`` has the rate of each group.

    Raises
    ------
    AssertionError
        A group is below the limit, or the data do not settle it.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_recall
    >>> made = annqc.simulate({"ann": [], "eve": annqc.Habit.misses(0.3)}, n_images=60, rng=1)
    >>> assert_recall(made.work, made.gold, at_least=0.9)
    Traceback (most recent call last):
    ...
    AssertionError: eve: recall 0.727 (0.668 to 0.780, 60 images); asked: recall at least 0.9...
    """
    __tracebackhide__ = True
    rule = rate_rule("recall", at_least, by, where, confidence)
    return one(judged("assert_recall", work, gold, [rule], options, undecided=undecided))


def assert_precision(
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
    """Assert that at least so large a share of the drawn objects is there.

    Parameters, result and errors are those of `assert_recall`.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_precision
    >>> made = annqc.simulate(["ann"], n_images=60, rng=1)
    >>> assert_precision(made.work, made.gold, at_least=0.8).outcome
    'pass'
    """
    __tracebackhide__ = True
    rule = rate_rule("precision", at_least, by, where, confidence)
    return one(judged("assert_precision", work, gold, [rule], options, undecided=undecided))


def assert_label_accuracy(
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
    """Assert that at least so large a share of the matched objects has the right category.

    Parameters, result and errors are those of `assert_recall`.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_label_accuracy
    >>> made = annqc.simulate(["ann"], n_images=60, rng=1)
    >>> assert_label_accuracy(made.work, made.gold, at_least=0.9).outcome
    'pass'
    """
    __tracebackhide__ = True
    rule = rate_rule("label_accuracy", at_least, by, where, confidence)
    return one(judged("assert_label_accuracy", work, gold, [rule], options, undecided=undecided))


def assert_mean_iou(
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
    """Assert that the matched objects overlap with the gold by at least so much on average.

    Parameters, result and errors are those of `assert_recall`.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_mean_iou
    >>> made = annqc.simulate(["ann"], n_images=60, rng=1)
    >>> assert_mean_iou(made.work, made.gold, at_least=0.8).outcome
    'pass'
    """
    __tracebackhide__ = True
    rule = rate_rule("mean_iou", at_least, by, where, confidence)
    return one(judged("assert_mean_iou", work, gold, [rule], options, undecided=undecided))


def assert_agreement(
    work: Any,
    gold: Any = None,
    *,
    at_least: float,
    by: Columns = (),
    where: Where | None = None,
    confidence: float | None = None,
    undecided: Undecided = "fail",
    **options: Any,
) -> Check:
    """Assert that annotators who drew on the same images agree. No gold is needed.

    Parameters
    ----------
    work, where, confidence, undecided, **options
        As in `assert_recall`.
    gold : the same, but no Audit
        Plays no part in the agreement; a delivery that has one may be given as it is.
    at_least : float
        The limit, from 0 to 1.
    by : str or sequence of str
        Columns; every combination of their values is a group that must pass; everything together
        if not given.

    Returns
    -------
    Check

    Raises
    ------
    AssertionError
        They agree less, or the data do not settle it.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_agreement
    >>> work = annqc.simulate(["ann", "bob", "eve"], n_images=60, rng=1).work
    >>> assert_agreement(work, at_least=0.8).outcome
    'pass'
    """
    __tracebackhide__ = True
    rule = rate_rule("agreement", at_least, by, where, confidence)
    found = judged("assert_agreement", work, gold, [rule], options, undecided=undecided, alone=True)
    return one(found)


def rate_rule(
    measure: str, at_least: float | None, by: Columns, where: Where | None, confidence: float | None
) -> dict[str, Any]:
    """Make the rule that a measure has a limit; what is None is left out."""
    return {
        "id": measure,
        "measure": measure,
        "by": listed(by),
        "where": plain_where(where),
        "at_least": at_least,
        "confidence": confidence,
    }
