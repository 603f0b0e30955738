"""simulate: a gold set and annotators with planted habits, for demos, tests and planning.

This package can be called: ``annqc.simulate(annotators, ...)`` is the function
``annqc.simulate.simulate``, whose arguments ``help(annqc.simulate.simulate)`` explains:

    made = annqc.simulate({"ann": [], "bob": annqc.Habit.loose("right", px=5)}, n_images=60, rng=1)
    made.gold, made.work

``annqc.Habit`` has the habits that can be planted. ``annqc.simulate.outlines(...)`` draws polygons
and masks, with the habits of ``annqc.simulate.OutlineHabit``, and ``annqc.simulate.tracks(...)``
videos, with those of ``annqc.simulate.TrackHabit``.

It stands outside the flow read -> match -> measure -> infer -> judge -> report and feeds it: what
it makes are the same `annqc.tables.Dataset`s that reading makes, and what was planted is known, so
that it can be compared with what an audit finds.
"""

from __future__ import annotations

from annqc.simulate.drawing import DrawnOutlines, outlines
from annqc.simulate.habits import Habit, Planted, PlantedHabits
from annqc.simulate.outline_habits import OutlineHabit, PlantedOutline
from annqc.simulate.simulation import Simulation, simulate
from annqc.simulate.track_habits import PlantedTrack, TrackHabit
from annqc.simulate.tracking import DrawnTracks, tracks

__all__ = [
    "DrawnOutlines",
    "DrawnTracks",
    "Habit",
    "OutlineHabit",
    "Planted",
    "PlantedHabits",
    "PlantedOutline",
    "PlantedTrack",
    "Simulation",
    "TrackHabit",
    "outlines",
    "simulate",
    "tracks",
]
