"""testing: from the arguments of an assert to a judgement, and from that to an AssertionError."""

from __future__ import annotations

import inspect
import unittest
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from annqc.errors import AnnqcError, SpecError, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from annqc.api import Audit
    from annqc.judge import Check, Judgement, Spec

__all__ = ["Undecided", "judged", "judged_by_spec", "one", "settle"]

Undecided = Literal["fail", "pass", "skip"]
"""What an assert does where the data do not settle it."""

_UNDECIDED: Final = ("fail", "pass", "skip")
_OPEN: Final = frozenset({"undecided", "not_applicable"})
_NO_OPTIONS: Final = frozenset({"work", "gold", "by", "confidence", "tolerance"})
"""Arguments of `annqc.audit` that an assert has itself, or that mean nothing to a rule."""
_WAY_OUT: Final = """\
to do: give it more images, or say what is to become of what is open:
  undecided="pass" lets it through, undecided="skip" skips the test"""


def judged(
    name: str,
    work: Any,
    gold: Any,
    rules: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    *,
    undecided: Undecided = "fail",
    baseline: Any = None,
    alone: bool = False,
    more: Callable[[Audit], str] | None = None,
) -> Judgement:
    """Judge by rules, and raise where not all of them pass.

    Parameters
    ----------
    name : str
        The assert, for messages.
    work, gold
        What the assert was given.
    rules : sequence of mapping
        Rules as in a spec; fields that are None are left out.
    options : mapping
        The arguments of `annqc.audit` that the assert was given.
    undecided : {"fail", "pass", "skip"}
        What to make of checks that the data do not settle, and of checks that do not apply.
    baseline : Audit or path, optional
        What rules with ``no_worse_than`` compare with.
    alone : bool
        Whether the rules can do without gold.
    more : callable, optional
        What else to say of an audit that does not pass.

    Raises
    ------
    AssertionError
        A check did not pass; the text is that of the spec's rule.
    AnnqcError
        The call is wrong, or the data cannot be judged.
    """
    __tracebackhide__ = True
    try:
        _check_call(name, options)
        spec = _spec(name, rules)
        audit = _audit(name, work, gold, options, spec, alone=alone)
        judgement = audit.judge(spec, baseline=baseline)
        return settle(
            judgement, undecided=undecided, where=name, more=more and partial(more, audit)
        )
    except (AnnqcError, TypeError) as error:
        # The frames in between are annqc's own; the message says it all.
        raise error.with_traceback(None) from None


def judged_by_spec(
    name: str,
    work: Any,
    gold: Any,
    spec: Any,
    options: Mapping[str, Any],
    *,
    only: Collection[str] | None = None,
    undecided: Undecided | None = None,
    baseline: Any = None,
) -> Judgement:
    """Judge by a spec, and raise where not all of its rules pass; see `judged`."""
    __tracebackhide__ = True
    from annqc.judge import load_spec

    try:
        _check_call(name, options)
        asked = load_spec(spec)
        audit = _audit(name, work, gold, options, asked, alone=False)
        judgement = audit.judge(asked, only=only, baseline=baseline)
        return settle(judgement, undecided=undecided or asked.annqc.undecided or "fail", where=name)
    except (AnnqcError, TypeError) as error:
        raise error.with_traceback(None) from None


def _check_call(name: str, options: Mapping[str, Any]) -> None:
    """Raise TypeError for an argument that no one knows, as Python itself does."""
    from annqc import testing

    own = set(inspect.signature(getattr(testing, name)).parameters) - {"options"}
    known = own | _audit_options()
    for given in options:
        if given not in known:
            hint = did_you_mean(given, sorted(known))
            message = f"{name}() has no argument {given!r}" + (f"; {hint}" if hint else "")
            raise TypeError(message)


def _audit_options() -> set[str]:
    from annqc.api import audit

    return set(inspect.signature(audit).parameters) - _NO_OPTIONS


def _spec(name: str, rules: Sequence[Mapping[str, Any]]) -> Spec:
    """Make the spec that asks what an assert asks."""
    from annqc.judge import load_spec

    if not rules:
        what = "nothing is asked"
        raise SpecError(what, where=name, hint="name at least one edge or measure")
    tables = [
        {field: value for field, value in rule.items() if value is not None} for rule in rules
    ]
    try:
        return load_spec({"annqc": {"version": 1}, "rule": tables})
    except SpecError as error:
        said = error.what.replace("<spec>: the spec", f"{name}: the call", 1)
        raise SpecError(
            said, where=error.where, expected=error.expected, found=error.found, hint=error.hint
        ) from None


def _audit(
    name: str, work: Any, gold: Any, options: Mapping[str, Any], spec: Spec, *, alone: bool
) -> Audit:
    """Take the audit that was given, or make it."""
    from annqc.api import Audit, audit

    if isinstance(work, Audit):
        if gold is not None:
            what = "an audit has its gold already"
            raise SpecError(what, where=f"{name}, gold", hint=f"{name}(audit, ...)")
        if options:
            first = next(iter(options))
            what = f"{first}= says how the audit is made, and the audit is made already"
            raise SpecError(what, where=name, hint=f"annqc.audit(work, gold, {first}=...)")
        return work
    if gold is None and alone:
        from annqc.testing.asserts.alone import audit_alone

        return audit_alone(work, options)
    from annqc.testing.outlined import with_outlines

    gold, options = with_outlines(spec, work, gold, options)
    if gold is None and options.get("gold_only") is None:
        what = f"{name} needs gold: a consensus is no proof of a delivery"
        hint = "annqc.audit(work) compares everybody with the others; give its result to be asked"
        raise AnnqcError(what, where=name, hint=hint)
    return audit(work, gold, **options)


def settle(
    judgement: Judgement,
    *,
    undecided: Undecided,
    where: str,
    more: Callable[[], str] | None = None,
) -> Judgement:
    """Return a judgement that passes, and raise what is to be said of any other.

    Parameters
    ----------
    judgement : Judgement
        Checks, and the spec that they are of.
    undecided : {"fail", "pass", "skip"}
        What to make of checks that are open.
    where : str
        The assert, for messages.
    more : callable, optional
        What else to say if it does not pass.

    Raises
    ------
    AssertionError
        A check failed, or is open and ``undecided`` is ``"fail"``.
    unittest.SkipTest
        Nothing failed, something is open, and ``undecided`` is ``"skip"``; pytest knows it too.
    AnnqcError
        A check could not be made.
    """
    __tracebackhide__ = True
    if undecided not in _UNDECIDED:
        kind = "reading of undecided"
        raise UnknownNameError.among(kind, undecided, _UNDECIDED, where=where)
    for check in judgement.checks:
        if check.outcome == "error":
            raise AnnqcError(check.sentence)
    failed = [check for check in judgement.checks if check.outcome == "fail"]
    still_open = [check for check in judgement.checks if check.outcome in _OPEN]
    if not failed and (not still_open or undecided == "pass"):
        return judgement
    shown = failed if undecided == "pass" else [*failed, *still_open]
    alone = len(judgement.checks) == 1
    text = "\n\n".join(_paragraph(check, judgement.spec, alone=alone) for check in shown)
    if more is not None:
        text = f"{text}\n\n{more()}"
    if not failed and undecided == "skip":
        raise unittest.SkipTest(text)
    raise AssertionError(text if failed else f"{text}\n\n{_WAY_OUT}")


def _paragraph(check: Check, spec: Spec, *, alone: bool) -> str:
    """Say what is wrong with a check: the text of the rule, and its name where there are several.

    What is open begins with that word, so that nobody takes it for a fault of the work.
    """
    from annqc.report.checks.record import failure_text, make_record

    # The command lines of a record judge the files that the spec names, not what was given here.
    said = failure_text(make_record(check, spec=spec) | {"reproduce": []})
    outcome = check.outcome.replace("_", " ")
    if not alone:
        return f"{outcome}  {check.id}: {said}"
    return said if check.outcome == "fail" else f"{outcome}: {said}"


def one(judgement: Judgement) -> Check:
    """Return the only check."""
    return judgement.checks[0]
