"""testing: asserts on what can be counted. A count has no interval: it passes or it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from annqc.testing.asserts.judged import judged, one
from annqc.testing.asserts.measures import listed, plain_where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annqc.api import Audit
    from annqc.judge import Check
    from annqc.testing.asserts.judged import Undecided
    from annqc.testing.asserts.measures import Columns, Where

__all__ = [
    "assert_categories_covered",
    "assert_complete",
    "assert_enough_evidence",
    "assert_no_duplicates",
    "assert_no_errors",
    "assert_no_problems",
]

MOST_PROBLEMS: Final = 10
"""Problems that are listed one by one."""


def assert_no_problems(
    work: Any,
    gold: Any = None,
    *,
    kinds: str | Sequence[str] | None = None,
    at_most: int = 0,
    **options: Any,
) -> Check:
    """Assert that nothing is wrong with the rows of the files. No gold is needed.

    Parameters
    ----------
    work : path, glob, folder, list of those, DataFrame, Dataset or Audit
        What is read. With an audit there is no ``gold`` and there are no ``options``.
    gold : the same, but no Audit
        If given, its rows count too, and so does what does not fit together.
    kinds : str or sequence of str, optional
        Kinds of problems to count, such as ``"zero_size"``; `annqc.read.KINDS` explains each. All
        if not given.
    at_most : int
        How many there may be.
    **options
        Further arguments of `annqc.audit`, such as ``annotator="stem"``.

    Returns
    -------
    Check

    Raises
    ------
    AssertionError
        There are more; the text says what they are, and lists the first ones with file and row.
    AnnqcError
        The call is wrong, or the data cannot be read at all.

    Examples
    --------
    >>> import pandas as pd
    >>> from annqc.testing import assert_no_problems
    >>> boxes = pd.DataFrame({
    ...     "image_id": [1, 1], "category": "car",
    ...     "x1": [10, 30], "y1": [10, 10], "x2": [20, 30], "y2": [20, 20],
    ... })
    >>> assert_no_problems(boxes[:1]).outcome
    'pass'
    >>> assert_no_problems(boxes)
    Traceback (most recent call last):
    ...
    AssertionError: 1 problem: 1 zero_size in <table> (first: row 1); asked: at most 0 problems...
    """
    __tracebackhide__ = True
    wanted = _kinds(kinds)
    rule = {"id": "problems", "measure": "problems", "kind": wanted, "at_most": at_most}
    found = judged(
        "assert_no_problems",
        work,
        gold,
        [rule],
        options,
        alone=True,
        more=lambda audit: _first_problems(audit, wanted),
    )
    return one(found)


def _first_problems(audit: Audit, kinds: Sequence[str] | None) -> str:
    """List problems, each with its file and row."""
    found = [issue for issue in audit.issues if kinds is None or issue.kind in kinds]
    lines = [
        f"  {issue.source}, {issue.where}: {issue.kind}: {issue.message}"
        for issue in found[:MOST_PROBLEMS]
    ]
    if len(found) > MOST_PROBLEMS:
        lines.append(f"  and {len(found) - MOST_PROBLEMS:,} more; annqc lint lists them all")
    return "\n".join(["problems:", *lines])


def assert_no_errors(
    work: Any,
    gold: Any = None,
    *,
    kinds: str | Sequence[str],
    at_most: int = 0,
    by: Columns = ("annotator",),
    where: Where | None = None,
    **options: Any,
) -> Check:
    """Assert that nobody made an error of these kinds, or at most a few.

    Parameters
    ----------
    work, gold, **options
        As in `assert_recall`.
    kinds : str or sequence of str
        Kinds of errors, such as ``"missed"`` and ``"spurious"``.
    at_most : int
        How many each group may have.
    by : str or sequence of str
        Columns; every combination of their values is a group.
    where : mapping, optional
        Only groups with these values, such as ``{"category": "person"}``.

    Returns
    -------
    Check

    Raises
    ------
    AssertionError
        A group has more.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_no_errors
    >>> made = annqc.simulate(["ann"], n_images=60, rng=1)
    >>> assert_no_errors(made.work, made.gold, kinds=["mislabelled", "duplicate"]).outcome
    'pass'
    """
    __tracebackhide__ = True
    rule = {
        "id": "errors",
        "measure": "error_count",
        "kind": _kinds(kinds),
        "at_most": at_most,
        "by": listed(by),
        "where": plain_where(where),
    }
    return one(judged("assert_no_errors", work, gold, [rule], options))


def assert_no_duplicates(
    work: Any,
    gold: Any = None,
    *,
    at_most: int = 0,
    by: Columns = ("annotator",),
    **options: Any,
) -> Check:
    """Assert that nobody drew an object twice, or at most a few.

    Parameters, result and errors are those of `assert_no_errors`.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_no_duplicates
    >>> made = annqc.simulate(["ann"], n_images=60, rng=1)
    >>> assert_no_duplicates(made.work, made.gold).outcome
    'pass'
    """
    __tracebackhide__ = True
    rule = {"id": "duplicates", "measure": "duplicates", "at_most": at_most, "by": listed(by)}
    return one(judged("assert_no_duplicates", work, gold, [rule], options))


def assert_complete(
    work: Any, gold: Any = None, *, at_most: int = 0, by: Columns = (), **options: Any
) -> Check:
    """Assert that work was delivered for all images of the gold, or all but a few.

    Parameters
    ----------
    work, gold, **options
        As in `assert_recall`.
    at_most : int
        How many images may be missing.
    by : str or sequence of str
        Nothing for the delivery as a whole; ``"annotator"`` for what each of them was asked for,
        where the work says that.

    Returns
    -------
    Check

    Raises
    ------
    AssertionError
        More images are missing.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_complete
    >>> made = annqc.simulate(["ann"], n_images=60, rng=1)
    >>> assert_complete(made.work, made.gold).outcome
    'pass'
    """
    __tracebackhide__ = True
    rule = {
        "id": "missing-images",
        "measure": "missing_images",
        "at_most": at_most,
        "by": listed(by),
    }
    return one(judged("assert_complete", work, gold, [rule], options))


def assert_categories_covered(
    work: Any,
    gold: Any = None,
    *,
    categories: Sequence[str] | None = None,
    at_least: int = 1,
    by: Columns = (),
    **options: Any,
) -> Check:
    """Assert that every category was drawn often enough.

    Parameters
    ----------
    work, gold, **options
        As in `assert_recall`. The gold is needed only where ``categories`` are not given.
    categories : sequence of str, optional
        The categories that must be there; all of the gold if not given.
    at_least : int
        How many objects of each.
    by : str or sequence of str
        Nothing for the delivery as a whole; ``"annotator"`` for each of them.

    Returns
    -------
    Check

    Raises
    ------
    AssertionError
        A category has fewer.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_categories_covered
    >>> made = annqc.simulate(["ann"], n_images=60, categories=["car", "bus"], rng=1)
    >>> assert_categories_covered(made.work, categories=["car", "bus"], at_least=20).outcome
    'pass'
    """
    __tracebackhide__ = True
    rule = {
        "id": "categories",
        "measure": "category_coverage",
        "categories": None if categories is None else _kinds(categories),
        "at_least": at_least,
        "by": listed(by),
    }
    # The gold's categories are what is asked for where none are named.
    alone = categories is not None
    found = judged("assert_categories_covered", work, gold, [rule], options, alone=alone)
    return one(found)


def assert_enough_evidence(
    work: Any,
    gold: Any = None,
    *,
    at_least: int = 20,
    by: Columns = ("annotator",),
    undecided: Undecided = "fail",
    **options: Any,
) -> Check:
    """Assert that there are enough images of every annotator to judge them by.

    Parameters
    ----------
    work, gold, by, undecided, **options
        As in `assert_recall`.
    at_least : int
        How many images, or tracks, of each group must have gone into the offsets.

    Returns
    -------
    Check

    Raises
    ------
    AssertionError
        A group has fewer.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_enough_evidence
    >>> made = annqc.simulate(["ann"], n_images=12, rng=1)
    >>> assert_enough_evidence(made.work, made.gold)
    Traceback (most recent call last):
    ...
    AssertionError: ann: 12 images with measured boxes, 8 more are needed; asked: at least 20 images
    """
    __tracebackhide__ = True
    rule = {"id": "evidence", "measure": "clusters", "at_least": at_least, "by": listed(by)}
    found = judged("assert_enough_evidence", work, gold, [rule], options, undecided=undecided)
    return one(found)


def _kinds(kinds: str | Sequence[str] | None) -> list[str] | None:
    if kinds is None:
        return None
    return [kinds] if isinstance(kinds, str) else list(kinds)
