"""simulate: a gold set and annotators with planted habits, for demos, tests and planning.

It stands outside the flow read -> match -> measure -> infer -> judge -> report and feeds it: what
it makes are the same `Dataset`s that reading makes, and what was planted is known, so that it can
be compared with what an audit finds.
"""

from __future__ import annotations

from annqc.simulate.habits import Habit, Planted, PlantedHabits
from annqc.simulate.simulation import Simulation, simulate

__all__ = ["Habit", "Planted", "PlantedHabits", "Simulation", "simulate"]
