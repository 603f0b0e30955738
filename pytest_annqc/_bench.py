"""What the fixture ``annqc`` hands out.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_annqc._settings import cache_of, chosen_undecided, data_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.api import Audit
    from annqc.judge import Judgement
    from annqc.judge.model import Spec
    from annqc.simulate import Simulation
    from annqc.tables import Dataset

__all__ = ["Bench"]

_DATA: Final = ("work", "gold", "candidate", "reference", "baseline")
"""Arguments that name data."""


class Bench:
    """annqc at hand in a test function.

    Relative paths of data are seen from ``annqc_data_root``, else from the root of the project;
    those of specs from the root of the project. Besides the methods here, every ``assert_...`` of
    `annqc.testing` is an attribute.

    Parameters
    ----------
    config : pytest.Config
        Of this run.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._audits: dict[str, Audit] = {}

    def read(self, source: Any, **options: Any) -> Dataset:
        """Read annotations, as `annqc.read`."""
        from annqc.read import read

        return read(self._seen(source), **options)

    def audit(self, work: Any, gold: Any, **options: Any) -> Audit:
        """Compare work with gold, as `annqc.audit`; the same files are compared once a run."""
        from annqc.api import audit

        work, gold = self._seen(work), self._seen(gold)
        plain = all(isinstance(one, str | list | tuple) for one in (work, gold))
        if not plain:
            return audit(work, gold, **options)
        key = repr((work, gold, sorted(options.items())))
        if key not in self._audits:
            self._audits[key] = audit(work, gold, **options)
        return self._audits[key]

    def simulate(self, annotators: Any, **options: Any) -> Simulation:
        """Make annotators whose faults are known, as `annqc.simulate`."""
        from annqc.simulate import simulate

        return simulate(annotators, **options)

    def judge(
        self, spec: Any, work: Any = None, gold: Any = None, *, dataset: str | None = None
    ) -> Judgement:
        """Apply a spec to work and gold, or to the data that it names.

        Parameters
        ----------
        spec : path, str, mapping or Spec
            As `annqc.Audit.judge` takes it.
        work, gold : path, Dataset or the like, optional
            What is judged; if not given, what the spec names.
        dataset : str, optional
            Which of the spec's datasets, where it names several.
        """
        spec = self._spec(spec)
        if work is not None:
            return self.audit(work, gold, policy=spec.match).judge(spec)
        from annqc.errors import SpecError, UnknownNameError
        from annqc.testing.checking import audit_dataset

        known = {one.name: one for one in self._datasets(spec)}
        if dataset is None and len(known) == 1:
            (dataset,) = known
        if dataset is None:
            what = f"the spec names {len(known)} datasets, and one at a time is judged"
            raise SpecError(what, where=spec.name, expected=f"dataset= one of {', '.join(known)}")
        if dataset not in known:
            kind = "dataset"
            raise UnknownNameError.among(kind, dataset, known, where=spec.name)
        chosen = known[dataset]
        return audit_dataset(spec, chosen).judge(spec, baseline=chosen.baseline)

    def assert_meets(self, spec: Any, rule: str | None = None) -> None:
        """Fail unless the data that a spec names keep to its rules.

        Parameters
        ----------
        spec : path, str, mapping or Spec
            A spec that names its data.
        rule : str, optional
            Id of the only rule to check.

        Raises
        ------
        AssertionError
            A rule is broken; the message is that of the rule as a test of its own.
        AnnqcError
            The spec is wrong, or the data cannot be judged.
        """
        __tracebackhide__ = True
        from annqc.errors import AnnqcError, UnknownNameError
        from annqc.report.checks.record import failure_text
        from annqc.testing.checking import check_dataset

        spec = self._spec(spec)
        ids = [one.id for one in spec.rules]
        if rule is not None and rule not in ids:
            kind = "rule"
            raise UnknownNameError.among(kind, rule, ids, where=spec.name)
        only = None if rule is None else [rule]
        cache = None if spec.path is None else cache_of(self._config)
        records = [
            record
            for dataset in self._datasets(spec)
            for record in check_dataset(spec, dataset, cache=cache, only=only).records.values()
        ]
        undecided = chosen_undecided(self._config, spec.annqc.undecided)
        bad = {"fail"} | ({"undecided"} if undecided == "fail" else set())
        errors = dict.fromkeys(one["sentence"] for one in records if one["outcome"] == "error")
        if errors:
            raise AnnqcError("\n".join(errors))
        failed = [failure_text(one) for one in records if one["outcome"] in bad]
        if failed:
            raise AssertionError("\n\n".join(failed))
        open_ones = [one for one in records if one["outcome"] == "undecided"]
        if open_ones and undecided == "skip":
            pytest.skip("; ".join(f"{one['id']}: {one['sentence']}" for one in open_ones))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not name.startswith("assert_"):
            raise AttributeError(name)
        import annqc.testing

        function = getattr(annqc.testing, name)

        def asserting(*data: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            seen = {
                key: self._seen(value) if key in _DATA else value for key, value in options.items()
            }
            return function(*map(self._seen, data), **seen)

        return asserting

    def _datasets(self, spec: Spec) -> tuple[Any, ...]:
        from annqc.errors import SpecError
        from annqc.testing.checking import datasets_of

        datasets = datasets_of(spec, root=data_root(self._config))
        if not datasets:
            what = "the spec names no data"
            raise SpecError(what, where=spec.name, hint="give gold and candidate in [annqc]")
        return datasets

    def _spec(self, spec: Any) -> Spec:
        from annqc.judge.spec import load_spec

        if isinstance(spec, os.PathLike) or (isinstance(spec, str) and "\n" not in spec):
            spec = self._config.rootpath / spec
        return load_spec(spec)

    def _seen(self, source: Any) -> Any:
        """Return a path, or a list of them, as it is seen from here; anything else as it is."""
        if isinstance(source, list | tuple):
            return [self._seen(one) for one in source]
        if not isinstance(source, str | os.PathLike) or "://" in os.fspath(source):
            return source
        home = data_root(self._config) or self._config.rootpath
        return os.path.join(home, Path(source).expanduser())  # noqa: PTH118 - patterns are no paths
