"""A fifth of the calibration, on fixed seeds, with bounds that the smaller size moves outward.

What would need more replications to fail is made with more of them where they cost little, and left
to the full calibration where they do not.
"""

from __future__ import annotations

import math

import pytest

from tests.calibration import __main__ as program
from tests.calibration.core import CHECKS, Run, check_share, check_value, checks_of, widening
from tests.calibration.test_reduced_agreement import OF_AGREEMENT
from tests.calibration.test_reduced_consensus import CONSENSUS_FULL, OF_CONSENSUS
from tests.calibration.test_reduced_dependence import DEPENDENCE_FULL, OF_DEPENDENCE
from tests.calibration.test_reduced_outline_rules import (
    OF_OUTLINE_RULES,
    OF_RARE,
    OUTLINE_RULES_FULL,
)
from tests.calibration.test_reduced_outlines import OF_OUTLINES
from tests.calibration.test_reduced_rules import FULL_ONLY, OF_RULES
from tests.calibration.test_reduced_scorecards import OF_SCORECARDS
from tests.calibration.test_reduced_suspicions import OF_SUSPICIONS
from tests.calibration.test_reduced_temporal import OF_TEMPORAL
from tests.calibration.test_reduced_track_rules import OF_TRACK_RULES, TRACK_RULES_FULL
from tests.calibration.test_reduced_tracking import OF_TRACKING
from tests.calibration.test_reduced_tracks import OF_TRACKS

REDUCED = Run(scale=0.2)
LARGER = {"AT11": Run(scale=0.75), "AT16": Run(), "AT26": Run()}
IDS = [*(f"AT{k}" for k in range(1, 17)), "AT18", "AT26", "AT27", "AT30", "AT31"]
IDS += ["AT36", "AT37", "AT38", "AT40"]


def test_every_check_is_there():
    outlined = [*OF_OUTLINES, *OF_OUTLINE_RULES, *OF_RARE, *OUTLINE_RULES_FULL]
    tracked = [*OF_TEMPORAL, *OF_TRACKS, *OF_TRACKING, *OF_TRACK_RULES, *TRACK_RULES_FULL]
    several = [*OF_CONSENSUS, *CONSENSUS_FULL, *OF_AGREEMENT, *OF_SUSPICIONS]
    several += [*OF_DEPENDENCE, *DEPENDENCE_FULL]
    known = [*IDS, *OF_RULES, *OF_SCORECARDS, *outlined, *tracked, *several, *FULL_ONLY]
    assert sorted(CHECKS) == sorted(known)


@pytest.mark.parametrize("id", IDS)
def test_measured_within_bounds(id):
    checks = checks_of(id, LARGER.get(id, REDUCED))
    assert checks
    violated = [str(check) for check in checks if not check.ok]
    assert not violated, "\n".join(["", *violated])


def test_bounds_are_as_published_at_full_size():
    check = check_share("AT", "", "", 0.05, n=20_000, full=20_000, low=0.028, high=0.066)
    assert (check.low, check.high) == (0.028, 0.066)


def test_bounds_move_by_four_extra_standard_errors():
    check = check_share("AT", "", "", 0.05, n=100, full=200, low=0.2, high=0.5)
    assert check.low == pytest.approx(0.2 - 4 * math.sqrt(0.16 / 200))
    assert check.high == pytest.approx(0.5 + 4 * math.sqrt(0.25 / 200))
    assert widening(0.5, 400, 200) == 0.0
    assert check_value("AT", "", "", 1.0, extra_se=0.1, high=0.7).ok
    assert not check_value("AT", "", "", 1.0, extra_se=0.07, high=0.7).ok


@pytest.mark.parametrize(
    ("bounds", "n", "telling"),
    [
        ({"high": 0.05}, 400, True),
        ({"high": 0.05}, 16, False),
        ({"low": 0.42}, 4, False),
        ({"low": 0.98}, 4, True),
        ({"high": 0.88}, 16, False),
        ({"low": 0.66, "high": 0.74}, 400, True),
        ({"low": 0.02, "high": 0.10}, 50, False),
    ],
)
def test_a_bound_that_nothing_could_violate_is_no_check(monkeypatch, bounds, n, telling):
    def cell(run):
        yield check_share("AT0", "", "", 0.7, n=n, full=400, **bounds)

    monkeypatch.setitem(CHECKS, "AT0", cell)
    assert len(checks_of("AT0", REDUCED)) == telling
    if not telling:
        with pytest.raises(AssertionError, match="nothing can violate"):
            checks_of("AT0", Run())


def test_a_test_without_clusters_would_be_caught():
    """The hardness of the data: what is accepted at 5 % must not be what a naive t gives."""
    (naive,) = CHECKS["AT5"](REDUCED)
    assert naive.measured > widening(0.066, 4_000, 20_000) + 0.066


def test_program_prints_a_table_and_fails_on_a_violation(monkeypatch, capsys):
    def wrong(run):
        yield check_share("AT0", "a scenario", "a share", 0.5, n=10, full=10, high=0.1)

    assert program.main(["--scale", "0.1", "AT4", "AT27"]) == 0
    printed = capsys.readouterr().out
    assert "seed " in printed
    assert "AT27" in printed
    assert printed.endswith("2 checks, 0 violated\n")
    monkeypatch.setitem(CHECKS, "AT0", wrong)
    assert program.main(["AT0"]) == 1
    assert "VIOLATED" in capsys.readouterr().out


def test_program_refuses_an_unknown_id():
    with pytest.raises(SystemExit) as stopped:
        program.main(["AT99"])
    assert stopped.value.code == 2


def test_streams_do_not_depend_on_what_else_runs():
    assert [c.measured for c in CHECKS["AT27"](REDUCED)] == [
        c.measured for c in CHECKS["AT27"](REDUCED)
    ]
