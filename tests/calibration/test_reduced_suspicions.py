"""A small part of the calibration of suspicions."""

from __future__ import annotations

import pytest

from tests.calibration import __main__ as program  # noqa: F401 - it registers the checks
from tests.calibration.core import Run, checks_of

REDUCED = Run(scale=0.05)
LARGER = {"AT80": Run(scale=0.3)}
OF_SUSPICIONS = ["AT80", "AT81", "AT82", "AT83", "AT84", "AT85", "AT86"]


@pytest.mark.parametrize("id", OF_SUSPICIONS)
def test_measured_within_bounds(id):
    checks = checks_of(id, LARGER.get(id, REDUCED))
    assert checks
    violated = [str(check) for check in checks if not check.ok]
    assert not violated, "\n".join(["", *violated])
