"""The checks of one dataset, made when the first rule asks for them, and then shared.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_annqc._settings import cache_of, data_root

if TYPE_CHECKING:
    from annqc.judge.model import DatasetSpec, Spec
    from annqc.testing.checking import Checked

__all__ = ["Checks"]


class Checks:
    """What the rules of a spec say of one of its datasets.

    Parameters
    ----------
    spec : Spec
        The rules.
    dataset : DatasetSpec
        The dataset.

    Attributes
    ----------
    trouble : str or None
        Why the cache could not keep the checks, if it could not.
    """

    def __init__(self, spec: Spec, dataset: DatasetSpec) -> None:
        self.spec = spec
        self.dataset = dataset
        self._checked: Checked | None = None
        self.trouble: str | None = None
        self._told: dict[str, str] = {}
        # What nobody foresaw: the error, and the rule that met it.
        self._broken: tuple[Exception, str] | None = None

    def tell(self) -> dict[str, Any]:
        """Return what every item of this dataset tells the controller."""
        return {
            "spec": self.spec.path,
            "dataset": self.dataset.name,
            "baseline": self.dataset.baseline,
        }

    def record(self, item: pytest.Item) -> tuple[dict[str, Any], bool, bool]:
        """Return the record of a rule, whether an earlier run left it, and whether we audited now.

        All rules of the dataset that are to run in this session are checked together, once.
        """
        audited = False
        if self._broken is not None:
            error, teller = self._broken
            if teller == item.nodeid:  # a plugin runs the test again
                raise error
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            pytest.fail(f"{item.name} was not checked: {said} (as for {teller})", pytrace=False)
        if self._checked is None or item.name not in self._checked.records:
            from annqc.testing.checking import check_dataset

            mine = [one for one in item.session.items if getattr(one, "checks", None) is self]
            only = {item.name, *(one.name for one in mine)}
            cache = cache_of(item.config)
            root = data_root(item.config)
            try:
                self._checked = check_dataset(
                    self.spec, self.dataset, cache=cache, only=only, root=root
                )
            except Exception as error:
                self._broken = error, item.nodeid  # every other rule would meet it again
                raise
            self.trouble = None if cache is None else cache.trouble
            audited = self._checked.audited
        return self._checked.records[item.name], item.name in self._checked.reused, audited

    def told_once(self, message: str, nodeid: str) -> str:
        """Return a message; only its first line where another item of this dataset told it."""
        teller = self._told.setdefault(message, nodeid)
        return message if teller == nodeid else f"{message.splitlines()[0]} (as for {teller})"
