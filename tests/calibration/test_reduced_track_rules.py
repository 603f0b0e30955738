"""A small part of the calibration of rules on tracks."""

from __future__ import annotations

import pytest

from tests.calibration import __main__ as program  # noqa: F401 - it registers the checks
from tests.calibration.core import Run, checks_of
from tests.calibration.track_rules import judged, team

REDUCED = Run(scale=0.04)
OF_TRACK_RULES = ["AT71"]
TRACK_RULES_FULL = ["AT70"]
"""A share of runs that hardly ever fail: so few runs could not show that too many do."""


@pytest.mark.parametrize("id", OF_TRACK_RULES)
def test_measured_within_bounds(id):
    checks = checks_of(id, REDUCED)
    assert checks
    violated = [str(check) for check in checks if not check.ok]
    assert not violated, "\n".join(["", *violated])


def test_hardly_any_clean_team_fails():
    """Of eight runs of which 5 % fail, three or more do in 0.6 % of all cases."""
    rng = REDUCED.rng("a few clean teams on video")
    outcomes = [{check.outcome for check in judged(rng, team({})).values()} for _ in range(8)]
    assert sum("fail" in one for one in outcomes) < 3
