"""What every calibration check is made of: a measured statistic, a bound, and how far it may stray.

The bounds hold at full size, where they stand at least four Monte-Carlo standard errors from the
truth. With fewer replications the statistic strays further; the bound is then moved outward by four
times the extra error, ``sqrt(p (1 - p)) * sqrt(1 / n - 1 / N)`` for n of N replications. A share
has at most that variance (Bhatia and Davis 2000), whether it counts events or averages shares. At
full size nothing is added.

A bound that was moved so far that nothing could violate it is no check. `checks_of` leaves such
lines out of a reduced run, and refuses them at full size.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

__all__ = ["CHECKS", "Check", "Run", "calibrates", "check_share", "check_value", "checks_of"]

SEED = 20_240_517
STANDARD_ERRORS = 4.0
RARE = 0.12
"""A share that is promised to be at most this is the share of something that should not happen."""
RARE_AT_MOST = 0.15
"""Where more than this of what should not happen would be let through, nothing is checked."""


@dataclass(frozen=True)
class Check:
    """One line of the table."""

    id: str
    scenario: str
    statistic: str
    measured: float
    low: float
    high: float
    telling: bool = True

    @property
    def ok(self) -> bool:
        return self.low <= self.measured <= self.high

    @property
    def bound(self) -> str:
        if math.isinf(self.low):
            return f"<= {self.high:.4f}"
        if math.isinf(self.high):
            return f">= {self.low:.4f}"
        return f"[{self.low:.4f}, {self.high:.4f}]"

    def __str__(self) -> str:
        return (
            f"{self.id:<5} {self.scenario:<50} {self.statistic:<23} {self.measured:>9.5f}  "
            f"{self.bound:<18} {'ok' if self.ok else 'VIOLATED'}"
        )


@dataclass(frozen=True)
class Run:
    """How large a calibration is: ``scale`` 1 is the full size.

    Attributes
    ----------
    scale : float
        Share of the replications.
    seed : int
        What every stream starts from.
    """

    scale: float = 1.0
    seed: int = SEED

    def n(self, full: int) -> int:
        """Return how many replications to make where the full size has ``full``."""
        return max(1, round(full * self.scale))

    def rng(self, *parts: object) -> np.random.Generator:
        """Return the stream of one cell, the same whatever else is run."""
        return np.random.default_rng([self.seed, zlib.crc32(repr(parts).encode())])


Body = Callable[[Run], Iterator[Check]]
CHECKS: dict[str, Body] = {}


def calibrates(name: str) -> Callable[[Body], Body]:
    """Register the body of a check under its id."""

    def register(body: Body) -> Body:
        CHECKS[name] = body
        return body

    return register


def widening(p: float, n: int, full: int) -> float:
    """Return how far a bound at ``p`` moves when n replications stand for the full number."""
    if not 0 < p < 1:
        return 0.0
    return STANDARD_ERRORS * math.sqrt(p * (1 - p) * max(1 / n - 1 / full, 0.0))


def check_share(
    id: str,
    scenario: str,
    statistic: str,
    measured: float,
    *,
    n: int,
    full: int,
    low: float = -math.inf,
    high: float = math.inf,
) -> Check:
    """Compare a share that was averaged over ``n`` independent replications with its bound."""
    lowest, highest = low - widening(low, n, full), high + widening(high, n, full)
    by_low = low > 0 and lowest > 0
    by_high = highest <= (RARE_AT_MOST if high <= RARE else 1 - 1e-9)
    # Of two bounds both must be able to fail; of one, that one.
    given = [by_low] if math.isfinite(low) else []
    given += [by_high] if math.isfinite(high) else []
    return Check(id, scenario, statistic, float(measured), lowest, highest, all(given))


def checks_of(id: str, run: Run) -> list[Check]:
    """Return the lines of a check that can fail at this size; at full size all of them must."""
    checks = list(CHECKS[id](run))
    if run.scale >= 1:
        idle = [str(check) for check in checks if not check.telling]
        assert not idle, f"bounds that nothing can violate: {idle}"
    return [check for check in checks if check.telling]


def check_value(
    id: str,
    scenario: str,
    statistic: str,
    measured: float,
    *,
    extra_se: float = 0.0,
    low: float = -math.inf,
    high: float = math.inf,
) -> Check:
    """Compare a statistic with a known extra standard error with its bound."""
    room = STANDARD_ERRORS * extra_se
    return Check(id, scenario, statistic, float(measured), low - room, high + room)
