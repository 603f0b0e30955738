"""Audits that several tests look at, made once, and a browser to look at pages with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import annqc
from annqc import Habit
from tests.report.browser import launch, skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a browser; skip where there is none."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        skip("playwright is not installed: make browser")
    with sync_playwright() as playwright:
        try:
            found = launch(playwright)
        except Error as error:
            skip(f"no browser starts: {str(error).splitlines()[0]}")
        yield found
        found.close()


@pytest.fixture(scope="session")
def mixed() -> annqc.Audit:
    """One clean annotator, and one for each kind of finding."""
    made = annqc.simulate(
        {
            "ann": [],
            "ben": Habit.loose("right", px=6),
            "cat": Habit.shift(dy=-6),
            "dan": Habit.growth(dw=0.14, unit="rel"),
            "eve": Habit.misses(0.2),
        },
        n_images=60,
        rng=3,
    )
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="session")
def few() -> annqc.Audit:
    """So little and so noisy that nobody can be judged on all edges."""
    made = annqc.simulate(["ann", "ben"], n_images=10, boxes_per_image=[2] * 10, noise_px=6, rng=5)
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="session")
def fleet() -> annqc.Audit:
    """158 annotators, five of whom are off, with some images each."""
    names = {f"worker-{k}": [] for k in range(1, 154)}
    names |= {f"loose-{k}": Habit.loose("top", px=12) for k in range(5)}
    made = annqc.simulate(names, n_images=120, overlap=12, boxes_per_image=3, rng=7)
    return annqc.audit(made.work, made.gold)
