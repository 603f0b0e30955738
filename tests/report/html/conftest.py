"""Reports that several tests look at, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import annqc
from annqc import Habit
from annqc.simulate import OutlineHabit, TrackHabit, outlines, tracks

if TYPE_CHECKING:
    from pathlib import Path

RULES = [
    {"id": "no-edge-bias", "measure": "edge_offset", "by": ["annotator"]},
    {"id": "found", "measure": "recall", "by": ["annotator"], "at_least": 0.95},
]


@pytest.fixture(scope="session")
def seen() -> annqc.Audit:
    """People with and without habits, in an audit with several categories."""
    made = annqc.simulate(
        {
            "ann": [],
            "bob": Habit.loose("right", px=6),
            "eve": Habit.misses(0.6),
            "jon": Habit.jitter(px=9),
            "max": Habit.wrong_labels(0.2),
            "zoe": Habit.extras(0.4),
        },
        n_images=40,
        rng=1,
    )
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="session")
def report(seen: annqc.Audit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a report with checks."""
    judgement = seen.judge({"annqc": {"version": 1}, "rule": RULES})
    page = seen.to_html(tmp_path_factory.mktemp("seen") / "report", judgement=judgement)
    return page.parent


@pytest.fixture(scope="session")
def one_file(seen: annqc.Audit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same report as one file."""
    judgement = seen.judge({"annqc": {"version": 1}, "rule": RULES})
    there = tmp_path_factory.mktemp("one") / "report.html"
    return seen.to_html(there, judgement=judgement, single_file=True)


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folders of reports of tracks, of outlines, and of boxes with times."""
    film = tracks(
        {"ann": [], "bob": TrackHabit.lag(2)}, n_sequences=3, n_tracks=4, n_frames=60, rng=1
    )
    drawn = outlines({"ann": [], "eve": OutlineHabit.dilated(3)}, n_images=30, rng=1)
    boxes = annqc.simulate({"ann": [], "bob": Habit.loose("right", px=6)}, n_images=40, rng=1)
    work = boxes.work.annotations
    times = pd.date_range("2026-01-01", periods=len(work), freq="h").astype(str)
    audits = {
        "tracks": annqc.audit(film.work, film.gold),
        "outlines": annqc.audit(drawn.work, drawn.gold),
        "times": annqc.audit(work.assign(created_at=times), boxes.gold.annotations),
    }
    there = tmp_path_factory.mktemp("kinds")
    return {name: one.to_html(there / name).parent for name, one in audits.items()}
