"""A small part of the calibration of the temporal statistics."""

from __future__ import annotations

import pytest

from tests.calibration import __main__ as program  # noqa: F401 - it registers the checks
from tests.calibration.core import Run, checks_of

REDUCED = Run(scale=0.2)
SMALLER = {"AT60": Run(scale=0.1), "AT68": Run(scale=0.1)}
OF_TEMPORAL = ["AT23", "AT24", "AT25", *(f"AT{k}" for k in range(60, 70))]


@pytest.mark.parametrize("id", OF_TEMPORAL)
def test_measured_within_bounds(id):
    checks = checks_of(id, SMALLER.get(id, REDUCED))
    assert checks
    violated = [str(check) for check in checks if not check.ok]
    assert not violated, "\n".join(["", *violated])
