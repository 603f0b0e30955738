"""Spec files as collectors, rules and examples as tests.

annqc is imported inside the methods that need it. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from pytest_annqc._hooks import SEEN, SUFFIX, TOLD
from pytest_annqc._settings import chosen_undecided, data_root, updates_baseline

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from annqc.judge.model import DatasetSpec, Example, Rule, Spec
    from pytest_annqc._checks import Checks

__all__ = ["Broken", "DatasetNode", "ExampleItem", "Examples", "RuleItem", "SpecFile"]


class Broken(Exception):  # noqa: N818 - it reads as what happened, like pytest's own
    """A rule is broken, or an example is not as it should be; the message is for people."""


class SpecFile(pytest.File):
    """A spec: one test a rule for every dataset that it names, or one test an example."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield the rules, in their order; from the text of the spec alone, never from the data."""
        from annqc.errors import AnnqcError
        from annqc.testing.checking import datasets_of

        spec = self.spec
        try:
            datasets = datasets_of(spec, root=data_root(self.config))
        except AnnqcError as error:
            raise self.CollectError(str(error)) from None
        if not datasets and spec.examples:
            yield Examples.from_parent(self, name="example")
        for dataset in datasets:
            if dataset.name:
                yield DatasetNode.from_parent(self, name=dataset.name, dataset=dataset)
            else:
                yield from rules_of(self, spec, dataset)

    @cached_property
    def spec(self) -> Spec:
        """The spec; every fault of it is part of the one collection error."""
        from annqc.errors import AnnqcError
        from annqc.judge.spec import load_spec

        try:
            return load_spec(self.path)
        except AnnqcError as error:
            raise self.CollectError(str(error)) from None


class DatasetNode(pytest.Collector):
    """One of several datasets of a spec."""

    def __init__(self, *, dataset: DatasetSpec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset

    def collect(self) -> Iterator[RuleItem]:
        """Yield the rules, in their order."""
        assert isinstance(self.parent, SpecFile)
        yield from rules_of(self, self.parent.spec, self.dataset)


def rules_of(parent: pytest.Collector, spec: Spec, dataset: DatasetSpec) -> Iterator[RuleItem]:
    """Yield one item a rule; they share the checks of the dataset."""
    from pytest_annqc._checks import Checks

    checks = Checks(spec, dataset)
    for rule in spec.rules:
        item = RuleItem.from_parent(parent, name=rule.id, rule=rule, checks=checks)
        parent.config.stash[SEEN].add(item.nodeid)
        yield item


class RuleItem(pytest.Item):
    """One rule, over one dataset, as a test."""

    def __init__(self, *, rule: Rule, checks: Checks, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rule = rule
        self.checks = checks
        self.add_marker("annqc")

    def setup(self) -> None:
        """Get the record; data that cannot be judged are an error of the set-up, no failed test."""
        from annqc.report.checks.record import properties

        told = self.stash[TOLD] = self.checks.tell()
        if self.rule.no_worse_than is not None and updates_baseline(self.config):
            pytest.skip(f"{self.name}: the baseline is being written")
        record, told["from_cache"], told["audited"] = self.checks.record(self)
        told["record"], told["trouble"] = record, self.checks.trouble
        self.user_properties[:] = properties(record)  # anew where a plugin runs a test again
        if record["outcome"] == "error":
            pytest.fail(self.checks.told_once(record["sentence"], self.nodeid), pytrace=False)

    def runtest(self) -> None:
        """Turn the outcome of the rule into pytest's."""
        record = self.stash[TOLD]["record"]
        outcome = record["outcome"]
        if outcome == "undecided":
            outcome = chosen_undecided(self.config, self.checks.spec.annqc.undecided)
        if outcome == "fail":
            raise Broken(self._explanation(record))
        if outcome != "pass":
            words = record["outcome"].replace("_", " ")
            pytest.skip(f"{self.name}: {words}: {record['sentence']}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what the judge says, without a traceback."""
        if isinstance(excinfo.value, Broken):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str], int | None, str]:
        """Say where the rule stands; pytest counts lines from 0."""
        spec = self.checks.spec
        line = None if self.name in spec.origins else spec.lines.get(self.name)
        named = [self.path.name.removesuffix(SUFFIX), self.checks.dataset.name, self.name]
        return self.path, None if line is None else line - 1, ": ".join(filter(None, named))

    def _explanation(self, record: dict[str, Any]) -> str:
        """Return the failure text; a rule that is only undecided says who made it a failure."""
        from annqc.report.checks.record import failure_text

        text = failure_text(record)
        if record["outcome"] == "undecided":
            text += "\n\nundecided counts as failed here: undecided is set to 'fail'"
        return text


class Examples(pytest.Collector):
    """The examples of a profile."""

    def collect(self) -> Iterator[ExampleItem]:
        """Yield them in their order."""
        assert isinstance(self.parent, SpecFile)
        spec = self.parent.spec
        for example in spec.examples:
            yield ExampleItem.from_parent(self, name=example.name, example=example, spec=spec)


class ExampleItem(pytest.Item):
    """Simulated annotators on whom the rules must come out as the profile says."""

    def __init__(self, *, example: Example, spec: Spec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.example = example
        self.spec = spec
        self.add_marker("annqc")

    def runtest(self) -> None:
        """Simulate, judge, and compare."""
        from annqc.errors import AnnqcError
        from annqc.testing.examples import run_example

        try:
            result = run_example(self.spec, self.example)
        except AnnqcError as error:
            raise Broken(str(error)) from None
        if not result.ok:
            raise Broken(str(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what came out otherwise, without a traceback."""
        if isinstance(excinfo.value, Broken):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str], int | None, str]:
        """Name the example."""
        stem = self.path.name.removesuffix(SUFFIX)
        return self.path, None, f"{stem}: example {self.name}"
