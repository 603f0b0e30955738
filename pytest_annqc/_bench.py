"""What the fixture ``annqc`` hands out.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_annqc._audits import SharedAudits
from pytest_annqc._settings import asked_undecided, cache_of, chosen_undecided, data_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from annqc.api import Audit
    from annqc.judge import Judgement
    from annqc.judge.model import Spec
    from annqc.simulate import Simulation
    from annqc.tables import Dataset

__all__ = ["Bench"]

_DATA: Final = ("work", "gold")
_BESIDE: Final = ("baseline", "categories", "image_sizes")
"""Arguments that may name a file; a list among them is one of names, not of paths."""


class Bench:
    """annqc at hand in a test function.

    Relative paths of data are seen from ``annqc_data_root``, else from the root of the project;
    those of specs from the root of the project. Besides the methods here, every ``assert_...`` of
    `annqc.testing` is an attribute; what it makes of undecided rules ``--annqc-undecided`` says
    where the call does not.

    Parameters
    ----------
    config : pytest.Config
        Of this run.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._audits = SharedAudits()

    def read(self, source: Any, **options: Any) -> Dataset:
        """Read annotations, as `annqc.read`."""
        from annqc.read import read

        return read(self._seen(source), **self._placed(options))

    def audit(self, work: Any, gold: Any, **options: Any) -> Audit:
        """Compare work with gold, as `annqc.audit`; the same data are compared once a run."""
        return self._audits.audit(self._seen(work), self._seen(gold), self._placed(options))

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
            from annqc.testing.outlined import with_outlines

            seen = self._seen(work), self._seen(gold)
            gold, options = with_outlines(spec, *seen, {"policy": spec.match})
            return self.audit(seen[0], gold, **options).judge(spec)
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

    def meets(self, spec: Any, rule: str | None = None) -> None:
        """Fail unless the data that a spec names keep to its rules, as if it were run as a test.

        `assert_meets`, which `annqc.testing` has too, judges data that the call names.

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
        root = data_root(self._config)
        records: list[dict[str, Any]] = []
        for dataset in self._datasets(spec):
            checked = check_dataset(spec, dataset, cache=cache, only=only, root=root)
            records += checked.records.values()
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
        if name.startswith("__"):  # what Python and pytest look for
            raise AttributeError(name)
        import annqc.testing

        if name not in annqc.testing.__all__:
            from annqc.errors import did_you_mean

            hint = did_you_mean(name, dir(self))
            message = f"the fixture annqc has no {name!r}" + (f"; {hint}" if hint else "")
            raise AttributeError(message)
        return self._asserting(getattr(annqc.testing, name))

    def __dir__(self) -> list[str]:
        """List the methods and the asserts."""
        import annqc.testing

        own = [name for name in vars(Bench) if not name.startswith("_")]
        return sorted([*own, *annqc.testing.__all__])

    def _asserting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return an assert that sees paths, specs and settings as this run does."""
        import functools
        import inspect

        takes = inspect.signature(function).parameters
        undecided = asked_undecided(self._config) if "undecided" in takes else None

        @functools.wraps(function)
        def asserting(*data: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            options = self._placed(options)
            if "spec" in takes and "spec" in options:
                options["spec"] = self._spec(options["spec"])
            if undecided is not None:
                options.setdefault("undecided", undecided)
            return function(*map(self._seen, data), **options)

        return asserting

    def _datasets(self, spec: Spec) -> tuple[Any, ...]:
        from annqc.errors import SpecError
        from annqc.testing.checking import datasets_of

        datasets = datasets_of(spec, root=data_root(self._config))
        if not datasets:
            what = "the spec names no data"
            hint = "give gold and candidate in [annqc], or judge(spec, work, gold)"
            raise SpecError(what, where=spec.name, hint=hint)
        return datasets

    def _spec(self, spec: Any) -> Spec:
        from annqc.judge.inherit import is_path
        from annqc.judge.spec import load_spec

        if isinstance(spec, os.PathLike) or (isinstance(spec, str) and "\n" not in spec):
            text = os.fspath(spec)
            path = self._config.rootpath / Path(text).expanduser()
            if path.is_file() or is_path(text) or path.suffix:  # else it is the name of a profile
                spec = path
        return load_spec(spec)

    def _placed(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return arguments with what names data or a file beside them as it is seen from here."""
        seen = {name: self._seen(one) for name, one in options.items() if name in _DATA}
        beside = {
            name: self._seen(one)
            for name, one in options.items()
            if name in _BESIDE and isinstance(one, str | os.PathLike)
        }
        return options | seen | beside

    def _seen(self, source: Any) -> Any:
        """Return a path, or a list of them, as it is seen from here; anything else as it is."""
        if isinstance(source, list | tuple):
            return [self._seen(one) for one in source]
        if not isinstance(source, str | os.PathLike) or "://" in os.fspath(source):
            return source
        home = data_root(self._config) or self._config.rootpath
        return os.path.join(home, Path(source).expanduser())  # noqa: PTH118 - patterns are no paths
