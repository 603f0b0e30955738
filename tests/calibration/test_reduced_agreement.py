"""A small part of the calibration of agreement and of consensus labels."""

from __future__ import annotations

import pytest

from tests.calibration import agreement  # noqa: F401 - it registers the checks
from tests.calibration.core import Run, checks_of

SCALES = {"AT29": 0.04, "AT140": 0.02, "AT141": 0.5, "AT142": 0.1}
OF_AGREEMENT = list(SCALES)


@pytest.mark.parametrize(("id", "scale"), SCALES.items())
def test_measured_within_bounds(id, scale):
    checks = checks_of(id, Run(scale=scale))
    assert checks
    violated = [str(check) for check in checks if not check.ok]
    assert not violated, "\n".join(["", *violated])
