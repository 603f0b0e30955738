"""A small part of the calibration of what offsets depend on, and of changes over time."""

from __future__ import annotations

import pytest

from tests.calibration import __main__ as program  # noqa: F401 - it registers the checks
from tests.calibration.core import Run, checks_of

SMALL = {"AT122": 0.4, "AT123": 0.4, "AT125": 0.05}
OF_DEPENDENCE = ["AT17", "AT22", "AT120", "AT121", "AT126", *SMALL]
DEPENDENCE_FULL = ["AT124"]
"""Whole audits without anything planted: fewer of them could not fail."""


@pytest.mark.parametrize("id", OF_DEPENDENCE)
def test_measured_within_bounds(id):
    checks = checks_of(id, Run(scale=SMALL.get(id, 0.3)))
    assert checks
    violated = [str(check) for check in checks if not check.ok]
    assert not violated, "\n".join(["", *violated])
