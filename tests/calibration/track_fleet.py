"""Calibration of temporal findings of whole audits: fleets with and without planted habits.

Each replication simulates videos of its own: six sequences of five objects over 200 frames, gold
with errors of half a pixel (none where interpolation is measured, which gold's errors pull down).
Interpolation is measured on fast objects: on slow ones it costs less than a tolerance.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

import annqc
from annqc.simulate import TrackHabit, tracks

from .core import Run, calibrates, check_share

FULL = 200
VIDEOS = {"n_sequences": 6, "n_tracks": 5, "n_frames": 200}
PLANTED = {
    "lag": (TrackHabit.lag(2), "lag", "", 2.0),
    "drift": (TrackHabit.drift(5, edge="bottom"), "drift_bottom", "_px", 5.0),
    "late": (TrackHabit.late_start(12), "start", "", 12.0),
    "early": (TrackHabit.early_end(9), "end", "", -9.0),
    "shaky": (TrackHabit.jitter(2), "jitter", "", None),
}


def columns(habits, rng, **videos):
    made = tracks(habits, rng=rng, **{**VIDEOS, **videos})
    return annqc.audit(made.work, made.gold)


@cache
def planted(run: Run):
    """Audit fleets of five with a habit each and three without."""
    rng = run.rng("track fleet", "planted")
    habits = {who: habit for who, (habit, *_) in PLANTED.items()}
    rows = []
    for _ in range(run.n(FULL)):
        audit = columns({**habits, "ann": [], "bea": [], "cal": []}, rng, gold_sd=0.5)
        rows.append(audit.temporal_columns())
    return rows


@calibrates("AT52")
def clean_fleets(run: Run):
    """Nobody has a habit: nobody may be accused, and tracks have next to no events."""
    rng = run.rng("track fleet", "clean")
    n = run.n(FULL)
    accused, events, followed = 0, 0, 0
    for _ in range(n):
        audit = columns(8, rng, gold_sd=0.5)
        accused += bool((audit.temporal_columns()["verdict"] == "biased").any())
        events += int(np.isin(audit.track_event_columns()["kind"], ["drift", "jump"]).sum())
        followed += len(audit.track_series)
    size = {"n": n, "full": FULL}
    yield check_share(
        "AT52", "8 clean annotators, 30 tracks", "any accusation", accused / n, high=0.05, **size
    )
    share = events / followed
    yield check_share(
        "AT52",
        "the same, single tracks",
        "drifts and jumps",
        share,
        high=0.02,
        n=followed,
        full=FULL * 240,
    )


@calibrates("AT53")
def planted_habits(run: Run):
    """Lag 2, drift 5 px, 12 late, 9 early, jitter 2 px: named, and in the interval."""
    size = {"n": run.n(FULL), "full": FULL}
    named = {who: [] for who in PLANTED}
    inside = {who: [] for who in PLANTED}
    wrong = []
    for found in planted(run):
        at = {
            pair: k
            for k, pair in enumerate(zip(found["annotator"], found["quantity"], strict=True))
        }
        biased = found["verdict"] == "biased"
        right = {at[who, quantity] for who, (_, quantity, *_) in PLANTED.items()}
        wrong.append(bool(set(np.flatnonzero(biased).tolist()) - right))
        for who, (_, quantity, suffix, truth) in PLANTED.items():
            k = at[who, quantity]
            named[who].append(biased[k])
            if truth is not None:
                low, high = found[f"ci_low{suffix}"][k], found[f"ci_high{suffix}"][k]
                inside[who].append(low <= truth <= high)
    for who in PLANTED:
        scenario = f"{who}, G={6 if who in {'late', 'early'} else 30}"
        yield check_share("AT53", scenario, "named", np.mean(named[who]), low=0.97, **size)
        if inside[who]:
            covered = np.mean(inside[who])
            yield check_share("AT53", scenario, "coverage of 95 %", covered, low=0.88, **size)
    yield check_share(
        "AT53", "the same fleets", "anything else accused", np.mean(wrong), high=0.05, **size
    )
    yield from all_alike(run)


def everybody(found, quantities):
    """Whether all rows of these quantities are collective."""
    rows = np.isin(found["quantity"], quantities)
    return bool((found["verdict"][rows] == "collective").all())


def wandering(made, rng):
    """Let each edge of each gold track wander by a slope of its own, around nothing."""
    table, frame = made.gold.table, made.gold.image_table.frame[made.gold.table.image]
    slope = rng.normal(0, 5, (int(table.track.max()) + 1, 4))[table.track]
    off = slope * (frame / 100 - 0.5)[:, None]
    return replace(made.gold, table=replace(table, xyxy=table.xyxy + off))


def all_alike(run: Run):
    """Gold is two frames late, four annotators: they are off together. Gold that wanders: not."""
    rng = run.rng("track fleet", "alike")
    n = run.n(FULL)
    together, shared, at_margin = [], [], []
    few = {"n_sequences": 4, "n_tracks": 2, "n_frames": 100}
    edges = ("left", "top", "right", "bottom")
    margin = [*(TrackHabit.drift(1.0, edge=edge) for edge in edges), TrackHabit.lag(0.5)]
    for _ in range(n):
        found = columns({name: TrackHabit.lag(2) for name in "abcd"}, rng).temporal_columns()
        together.append(everybody(found, ["lag"]))
        made = tracks(5, rng=rng, **few)
        found = annqc.audit(made.work, wandering(made, rng)).temporal_columns()
        shared.append(bool(np.isfinite(found["collective"]).any()))
        small = {"side": (40.0, 48.0), "noise_px": 0.3, **few}
        found = columns({f"a{k}": margin for k in range(6)}, rng, **small)
        at_margin.append(bool(np.isfinite(found.temporal_columns()["collective"]).any()))
    size = {"n": n, "full": FULL}
    yield check_share(
        "AT53",
        "4 annotators, gold 2 frames early",
        "all collective",
        np.mean(together),
        low=0.97,
        **size,
    )
    for scenario, seen in (
        ("5 annotators, 8 tracks whose gold wanders", shared),
        ("6 annotators at the margin of 5 quantities", at_margin),
    ):
        yield check_share("AT53", scenario, "any collective", np.mean(seen), high=0.05, **size)


@calibrates("AT54")
def interpolated(run: Run):
    """Keyframes every ten frames, gold without errors: all of what interpolation misses is left.

    On objects that hardly turn it misses next to nothing, and nobody may be named for it.
    """
    rng = run.rng("track fleet", "interpolated")
    n = run.n(FULL)
    named, inside, for_nothing = [], [], []
    for _ in range(n):
        habits = {"key": TrackHabit.interpolated(10), "ann": []}
        found = columns(habits, rng, speed=6.0).temporal_columns()
        at = list(zip(found["annotator"], found["quantity"], strict=True))
        k, share = at.index(("key", "sag")), at.index(("key", "sag_share"))
        named.append(found["verdict"][k] == "biased")
        inside.append(found["ci_low"][share] <= 1.0 <= found["ci_high"][share])
        found = columns(habits, rng, speed=0.5, side=(150.0, 250.0)).temporal_columns()
        for_nothing.append(bool((found["verdict"] == "biased").any()))
    size = {"n": n, "full": FULL}
    yield check_share(
        "AT54", "keyframes every 10 frames, fast", "named", np.mean(named), low=0.97, **size
    )
    covered = np.mean(inside)
    yield check_share("AT54", "the same", "share 1, coverage of 95 %", covered, low=0.88, **size)
    scenario = "keyframes every 10 frames, slow"
    false = np.mean(for_nothing)
    yield check_share("AT54", scenario, "any accusation", false, high=0.05, **size)


@calibrates("AT55")
def one_object(run: Run):
    """A constant offset on one object over 5,000 frames accuses nobody."""
    rng = run.rng("track fleet", "one object")
    n = run.n(40)
    accused = 0
    for _ in range(n):
        audit = columns(
            {"bob": [TrackHabit.loose("right", 12), TrackHabit.drift(3, edge="top")]},
            rng,
            n_sequences=1,
            n_tracks=1,
            n_frames=5000,
        )
        accused += bool((audit.bias_columns()["verdict"] == "biased").any())
        accused += bool((audit.temporal_columns()["verdict"] == "biased").any())
    yield check_share(
        "AT55",
        "12 px on one object, 5,000 frames",
        "any accusation",
        accused / n,
        high=0.0,
        n=n,
        full=n,
    )
