"""A small part of the calibration of whole specs; each replication is an audit or several."""

from __future__ import annotations

import pytest

from tests.calibration import __main__ as program  # noqa: F401 - it registers the checks
from tests.calibration.core import CHECKS, Run

REDUCED = Run(scale=0.04)
OF_RULES = ["AT32", "AT33", "AT34", "AT35"]


@pytest.mark.parametrize("id", OF_RULES)
def test_measured_within_bounds(id):
    checks = list(CHECKS[id](REDUCED))
    assert checks
    violated = [str(check) for check in checks if not check.ok]
    assert not violated, "\n".join(["", *violated])
