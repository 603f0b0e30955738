"""A small part of the calibration of the consensus."""

from __future__ import annotations

import pytest

from tests.calibration import __main__ as program
from tests.calibration import consensus
from tests.calibration.core import Run, checks_of

REDUCED = Run(scale=0.1)
OF_CONSENSUS = ["AT19", "AT20", "AT111", "AT112", "AT113", "AT114", "AT115"]
CONSENSUS_FULL = ["AT21"]
"""Its bounds are so narrow that fewer replications could violate none."""


@pytest.mark.parametrize("id", OF_CONSENSUS)
def test_measured_within_bounds(id):
    assert consensus in program.MODULES
    checks = checks_of(id, REDUCED)
    assert checks
    violated = [str(check) for check in checks if not check.ok]
    assert not violated, "\n".join(["", *violated])
