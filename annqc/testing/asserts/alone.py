"""testing: work that is judged by itself, where there is no gold and none is needed."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from annqc.api import Audit, audit
from annqc.read import read
from annqc.tables import Dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from annqc.tables import Problem

__all__ = ["audit_alone"]


class _Alone(Audit):
    """An audit against an empty gold: only what it says of the work alone means anything."""

    @property
    def issues(self) -> tuple[Problem, ...]:
        """The problems of the work; there is nothing to bring it together with."""
        return self.candidate.issues


def audit_alone(work: Any, options: Mapping[str, Any]) -> Audit:
    """Make an audit for rules that look at the work alone.

    Parameters
    ----------
    work : path, glob, folder, list of those, DataFrame or Dataset
        What is judged.
    options : mapping
        Arguments of `annqc.audit`.
    """
    rest = dict(options)
    if not isinstance(work, Dataset):
        takes = inspect.signature(read).parameters.keys() & rest.keys()
        work = read(work, **{name: rest.pop(name) for name in takes})
    made = audit(work, _empty(work), **rest)
    return _Alone(made.gold, made.work, parameters=made.parameters, engine=made.engine)


def _empty(work: Dataset) -> Dataset:
    """Gold on the same images with nothing on them."""
    return replace(
        work,
        table=work.table.take(np.empty(0, dtype=np.int64)),
        annotator_ids=work.annotator_ids[:0],
        assigned=None,
        issues=(),
        sources=(),
        n_rows=0,
        authors_known=False,
    )
