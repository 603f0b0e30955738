"""What a person is told of rates: rounded to say no more than is known, beside what others have."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.report.html.paragraph import paragraph
from annqc.report.html.rates import LEAST_OTHERS
from annqc.report.html.story import tell
from tests.report.html.rows import sentences

TOLD = re.compile(
    r"(\d+) % of the gold objects \((\d+) to (\d+) %, (\d+) images"
    r"(?:; median of the (\d+) others (\d+) %)?\)"
)


def rates(n_others):
    """Return what everybody is told of recall, and the scores."""
    names = {"gita": Habit.misses(0.15)} | {
        f"ann-{k}": Habit.misses(0.004) for k in range(n_others)
    }
    made = annqc.simulate(names, n_images=60, rng=1)
    audit = annqc.audit(made.work, made.gold)
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    told = {
        one.name: TOLD.search(" ".join(sentences(paragraph(story, one)))) for one in story.people
    }
    return {name: found.groups() for name, found in told.items() if found}, audit.scores()


def test_rates_are_those_of_the_scores_with_the_median_of_the_others():
    told, scores = rates(LEAST_OTHERS)
    assert len(told) == LEAST_OTHERS + 1
    for _, row in scores.iterrows():
        value, low, high, n, n_others, middle = map(int, told[row["annotator"]])
        others = scores.loc[scores["annotator"] != row["annotator"], "recall"]
        assert (n, n_others) == (row["recall_n_clusters"], LEAST_OTHERS)
        assert low == math.floor(100 * row["recall_low"])
        assert high == math.ceil(100 * row["recall_high"])
        for shown, wanted in ((value, row["recall"]), (middle, float(np.median(others)))):
            assert shown == pytest.approx(100 * wanted, abs=1.0)
            assert (shown == 100) == (wanted == 1.0)


def test_few_others_are_not_told():
    told, _ = rates(LEAST_OTHERS - 1)
    assert {found[4:] for found in told.values()} == {(None, None)}
