"""testing: asserts that compare with an earlier run, or apply a whole spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from annqc.errors import SpecError
from annqc.testing.asserts.judged import judged, judged_by_spec
from annqc.testing.asserts.measures import listed

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Sequence

    from annqc.api import Audit
    from annqc.judge import Judgement, Spec, Tolerance
    from annqc.testing.asserts.judged import Undecided
    from annqc.testing.asserts.measures import Columns

    AnyPath = str | os.PathLike[str]
    Margin = float | str | Tolerance

__all__ = ["assert_meets", "assert_not_worse"]

MEASURES: Final = ("recall", "precision", "mean_iou", "edge_offset")
RATES: Final = frozenset({"recall", "precision", "label_accuracy", "mean_iou"})


def assert_not_worse(
    work: Any,
    gold: Any = None,
    *,
    baseline: Audit | AnyPath,
    measures: Sequence[str] = MEASURES,
    margin: Margin | Mapping[str, Margin] | None = None,
    by: Columns = ("annotator",),
    undecided: Undecided = "fail",
    **options: Any,
) -> Judgement:
    """Assert that the work is no worse than in an earlier run.

    Parameters
    ----------
    work, gold, by, undecided, **options
        As in `assert_recall`.
    baseline : Audit or path
        The earlier run, or the folder that `Audit.save` wrote.
    measures : sequence of str
        What to compare.
    margin : float, str or Tolerance, or mapping of measure to those, optional
        How much worse is still no worse. A number is one of rates and overlap, ``"0.5 px"`` or the
        like one of offsets; the measure's own default if not given.

    Returns
    -------
    Judgement
        With one check a measure.

    Raises
    ------
    AssertionError
        Something is worse, or the data do not settle it.
    AnnqcError
        The call is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_not_worse
    >>> then = annqc.simulate({"ann": []}, n_images=80, rng=1)
    >>> now = annqc.simulate({"ann": annqc.Habit.misses(0.3)}, n_images=80, rng=1)
    >>> before = annqc.audit(then.work, then.gold)
    >>> assert_not_worse(before, baseline=before, measures=["recall"]).outcome
    'pass'
    >>> assert_not_worse(now.work, now.gold, baseline=before, measures=["recall"])
    Traceback (most recent call last):
    ...
    AssertionError: ann: recall ...
    """
    __tracebackhide__ = True
    margins = _margins(margin, measures)
    rules = [
        {
            "id": name,
            "measure": name,
            "by": listed(by),
            "no_worse_than": "baseline",
            "margin": margins.get(name),
        }
        for name in measures
    ]
    return judged(
        "assert_not_worse", work, gold, rules, options, undecided=undecided, baseline=baseline
    )


def _margins(
    margin: Margin | Mapping[str, Margin] | None, measures: Sequence[str]
) -> dict[str, Margin]:
    """Give each measure its margin: a number to rates, a size to offsets."""
    __tracebackhide__ = True
    if margin is None:
        return {}
    if isinstance(margin, Mapping):
        return dict(margin)
    number = isinstance(margin, int | float)
    meant: dict[str, Margin] = {name: margin for name in measures if (name in RATES) == number}
    if not meant:
        what = "the margin fits none of the measures"
        expected = "a number for rates, a text such as '0.5 px' for offsets"
        raise SpecError(what, where="assert_not_worse", expected=expected, found=repr(margin))
    return meant


def assert_meets(
    work: Any,
    gold: Any = None,
    *,
    spec: AnyPath | Mapping[str, Any] | Spec,
    rules: Collection[str] | None = None,
    baseline: Audit | AnyPath | None = None,
    undecided: Undecided | None = None,
    **options: Any,
) -> Judgement:
    """Assert that a delivery is as a spec asks.

    Parameters
    ----------
    work, gold, **options
        As in `assert_recall`. Files that the spec names are left alone.
    spec : path, str, mapping or Spec
        A ``*.annqc.toml`` file, its text, what the text means, or a spec that was read before.
    rules : collection of str, optional
        Ids of the rules to apply; all of them if not given.
    baseline : Audit or path, optional
        What rules with ``no_worse_than`` compare with.
    undecided : {"fail", "pass", "skip"}, optional
        What to do where there are too few images to tell; what the spec says if not given, and
        ``"fail"`` if it says nothing.

    Returns
    -------
    Judgement
        With one check a rule.

    Raises
    ------
    AssertionError
        A rule is broken, or the data do not settle it.
    AnnqcError
        The call or the spec is wrong, or the data cannot be read or judged.

    Examples
    --------
    >>> import annqc
    >>> from annqc.testing import assert_meets
    >>> made = annqc.simulate(["ann"], n_images=60, rng=1)
    >>> spec = '''
    ... [annqc]
    ... version = 1
    ... [[rule]]
    ... id = "recall"
    ... measure = "recall"
    ... at_least = 0.8
    ... '''
    >>> assert_meets(made.work, made.gold, spec=spec)
    <annqc.Judgement: pass (1 pass)>
    """
    __tracebackhide__ = True
    return judged_by_spec(
        "assert_meets",
        work,
        gold,
        spec,
        options,
        only=rules,
        undecided=undecided,
        baseline=baseline,
    )
