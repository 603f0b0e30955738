"""A small part of the calibration of rules on outlines: who dilates is found."""

from __future__ import annotations

import pytest

from tests.calibration import __main__ as program  # noqa: F401 - it registers the checks
from tests.calibration.core import Run, checks_of
from tests.calibration.outline_rules import ANNOTATORS, CONTOURS, judged, team

REDUCED = Run(scale=0.02)
OF_OUTLINE_RULES = ["AT47"]
OF_RARE = ["AT48"]
OUTLINE_RULES_FULL = ["AT46"]
"""Shares of runs that hardly ever fail: so few runs could not show that too many do."""


@pytest.mark.parametrize("id", OF_OUTLINE_RULES)
def test_measured_within_bounds(id):
    checks = checks_of(id, REDUCED)
    assert checks
    violated = [str(check) for check in checks if not check.ok]
    assert not violated, "\n".join(["", *violated])


def test_rare_bad_outlines_do_not_pass_for_want_of_being_met():
    checks = checks_of(*OF_RARE, Run(scale=0.25))
    assert len(checks) == 5
    assert all(check.ok for check in checks)


def test_hardly_any_clean_team_fails():
    """Of ten runs of which 5 % fail, three or more do in 1.2 % of all cases."""
    rng = REDUCED.rng("a few clean teams")
    clean = team([()] * ANNOTATORS)
    failed = [judged(rng, clean, CONTOURS, images=6).outcome == "fail" for _ in range(10)]
    assert sum(failed) < 3
