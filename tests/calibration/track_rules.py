"""Calibration of rules on tracks: clean teams that fail, and who lags or drifts (AT70, AT71)."""

from __future__ import annotations

from annqc.judge import judge
from annqc.judge.model import Header, Rule, Spec
from annqc.run.audit import Run as Audit
from annqc.simulate import TrackHabit, tracks

from .core import Run, calibrates, check_share

ANNOTATORS = 20
RUNS = 200
VIDEOS = {"n_sequences": 6, "n_tracks": 3, "n_frames": 120}
RULES = (Rule(id="no-drift", measure="drift"), Rule(id="no-lag", measure="lag"))


def team(habits):
    """Name twenty annotators; some of them have habits."""
    clean = {f"ann-{k:02d}": () for k in range(ANNOTATORS - len(habits))}
    return {**habits, **clean}


def judged(rng, habits, rules=RULES):
    """Draw videos, all annotators on all of them, and judge their tracks."""
    made = tracks(habits, gold_sd=0.5, rng=rng, **VIDEOS)
    spec = Spec(annqc=Header(), match=None, rules=rules)
    return {check.id: check for check in judge(Audit(made.gold, made.work), spec).checks}


def failing(check):
    """Return who fails a check."""
    return {row["group"]["annotator"] for row in check.rows if row["outcome"] == "fail"}


@calibrates("AT70")
def at70(run: Run):
    n = run.n(RUNS)
    rng = run.rng("track rules", "clean")
    failed = 0
    for _ in range(n):
        found = judged(rng, team({}))
        failed += any(check.outcome == "fail" for check in found.values())
    words = f"{ANNOTATORS} clean annotators, 18 tracks"
    share = failed / n
    yield check_share("AT70", words, "drift and lag: fails", share, n=n, full=RUNS, high=0.05)


@calibrates("AT71")
def at71(run: Run):
    n = run.n(RUNS)
    rng = run.rng("track rules", "planted")
    habits = {"late": TrackHabit.lag(2), "off": TrackHabit.drift(5, edge="bottom")}
    right = {"no-lag": {"late"}, "no-drift": {"off"}}
    named = dict.fromkeys(right, 0)
    for _ in range(n):
        found = judged(rng, team(habits))
        for id, who in right.items():
            named[id] += failing(found[id]) == who
    for id, count in named.items():
        words = f"1 of {ANNOTATORS} {'lags 2 frames' if id == 'no-lag' else 'drifts 5 px'}"
        yield check_share("AT71", words, f"{id}: fails, alone", count / n, n=n, full=RUNS, low=0.97)
