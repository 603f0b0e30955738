"""The public surface: `audit`, `load`, `lint`, and the `Audit` that ties the rooms together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from annqc.measure.tolerance import Tolerance
from annqc.read import read
from annqc.run.audit import Parameters, Run
from annqc.match import MatchPolicy
from annqc.tables import Dataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from annqc.kernels._jit import Engine

__all__ = ["Audit", "audit", "lint", "load"]


class Audit(Run):
    """A comparison of work with gold: what was found, and the ways to hand it on.

    Made by `annqc.audit`. Tables are `pairs`, `bias`, `scores`, `errors`.
    """

    @property
    def gold(self) -> Dataset:
        """The reference side."""
        return self.reference

    @property
    def work(self) -> Dataset:
        """The candidate side."""
        return self.candidate


def audit(
    work: Any,
    gold: Any,
    *,
    tolerance: str | Tolerance = "max(1 px, 2 %)",
    confidence: float = 0.95,
    border_px: float = 2.0,
    policy: MatchPolicy | None = None,
    engine: Engine = "auto",
) -> Audit:
    """Compare annotators' work with gold."""
    reference = gold if isinstance(gold, Dataset) else read(gold)
    candidate = work if isinstance(work, Dataset) else read(work)
    parameters = Parameters(
        policy=policy or MatchPolicy(),
        tolerance=Tolerance.parse(tolerance),
        confidence=confidence,
        border_px=border_px,
    )
    return Audit(reference, candidate, parameters=parameters, engine=engine)
