"""Spec files as collectors, rules as tests. annqc is imported inside the methods that need it.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from annqc.api import Audit
    from annqc.judge import Check, Spec

__all__ = ["RuleFailed", "RuleItem", "SpecFile"]


OLDEST_PYTEST: Final = (8, 4)


class RuleFailed(Exception):  # noqa: N818 - it reads as what happened, like pytest's own
    """A rule is broken; the message is for people."""


class SpecFile(pytest.File):
    """A spec that names its data: one test a rule, one audit for all of them."""

    def collect(self) -> Iterator[RuleItem]:
        """Yield the rules, in their order; a profile, which names no data, has no tests."""
        if pytest.version_tuple[:2] < OLDEST_PYTEST:
            wanted = ".".join(map(str, OLDEST_PYTEST))
            message = f"annqc needs pytest {wanted} or newer; this is {pytest.__version__}"
            raise self.CollectError(message)
        spec = self.spec
        if spec.is_profile:
            return
        for name, given in (("gold", spec.gold), ("candidate", spec.candidate)):
            if not given:
                other = "candidate" if name == "gold" else "gold"
                message = (
                    f"{self.path}: [annqc] names {other} but no {name}; a test needs both, "
                    "a profile neither"
                )
                raise self.CollectError(message)
        for rule in spec.rules:
            yield RuleItem.from_parent(self, name=rule.id)

    @cached_property
    def spec(self) -> Spec:
        """The spec; every fault of it is part of the one collection error."""
        from annqc.errors import AnnqcError
        from annqc.judge import load_spec

        try:
            return load_spec(self.path)
        except AnnqcError as error:
            raise self.CollectError(str(error)) from None

    def audit(self) -> Audit:
        """Return the audit of the data that the spec names, done once, failure included."""
        done = self._audited
        if isinstance(done, Exception):
            pytest.fail(str(done), pytrace=False)
        return done

    @cached_property
    def _audited(self) -> Audit | Exception:
        from annqc.api import audit
        from annqc.errors import AnnqcError
        from annqc.read import read

        spec = self.spec
        try:
            work = read(spec.candidate, annotator=spec.annqc.annotator)
            return audit(work, read(spec.gold), policy=spec.match)
        except AnnqcError as error:
            return error


class RuleItem(pytest.Item):
    """One rule as a test."""

    check: Check | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_marker("annqc")

    def setup(self) -> None:
        """Judge; data that cannot be judged are an error of the set-up, not a failed test."""
        from annqc.judge import judge

        home = self.parent
        assert isinstance(home, SpecFile)
        self.check = judge(home.audit(), home.spec, only=[self.name]).checks[0]
        if self.check.outcome == "error":
            pytest.fail(self.check.sentence, pytrace=False)

    def runtest(self) -> None:
        """Turn the check into pytest's outcome."""
        assert self.check is not None
        outcome = self.check.outcome
        if outcome == "fail":
            raise RuleFailed(self.check.explain())
        if outcome != "pass":
            pytest.skip(f"{self.name}: {outcome.replace('_', ' ')}: {self.check.sentence}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what the judge says, without a traceback."""
        if isinstance(excinfo.value, RuleFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str], int | None, str]:
        """Say where the rule stands."""
        home = self.parent
        assert isinstance(home, SpecFile)
        line = home.spec.lines.get(self.name)
        stem = self.path.name.removesuffix(".annqc.toml")
        return self.path, None if line is None else line - 1, f"{stem}: {self.name}"
