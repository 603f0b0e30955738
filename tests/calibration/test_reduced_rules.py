"""A small part of the calibration of whole specs; each replication is an audit or several."""

from __future__ import annotations

import pytest

from tests.calibration import __main__ as program  # noqa: F401 - it registers the checks
from tests.calibration.core import Run, checks_of

REDUCED = Run(scale=0.04)
OF_RULES = ["AT33"]
FULL_ONLY = ["AT32", "AT34", "AT35", "AT39"]
"""Shares of runs that hardly ever fail: so few runs could not show that too many do."""


@pytest.mark.parametrize("id", OF_RULES)
def test_measured_within_bounds(id):
    checks = checks_of(id, REDUCED)
    assert checks
    violated = [str(check) for check in checks if not check.ok]
    assert not violated, "\n".join(["", *violated])
