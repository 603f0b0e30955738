"""A small part of the calibration of scorecards: enough to show what single pages would do."""

from __future__ import annotations

import pytest

from tests.calibration import __main__ as program  # noqa: F401 - it registers the checks
from tests.calibration.core import Run, checks_of

REDUCED = Run(scale=0.04)
OF_SCORECARDS = ["AT150"]


@pytest.mark.parametrize("id", OF_SCORECARDS)
def test_measured_within_bounds(id):
    checks = checks_of(id, REDUCED)
    assert checks
    violated = [str(check) for check in checks if not check.ok]
    assert not violated, "\n".join(["", *violated])
