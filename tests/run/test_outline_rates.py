"""How well outlines agree, held against a limit: what was not met is allowed for."""

from dataclasses import replace

import numpy as np
import pytest

from annqc.infer.unseen import planned_trials, unseen
from annqc.run.outline_rates import outline_rate_columns
from annqc.run.outline_scores import outline_score_columns
from tests.run.test_outlines import drawings


@pytest.fixture(scope="module")
def drawn():
    return drawings({"ann": 0}, n_images=10, per_image=2)


def with_values(measured, name, values):
    return replace(measured, overlaps=measured.overlaps | {name: np.asarray(values)})


@pytest.mark.parametrize("name", ["mask_iou", "dice", "boundary_iou", "nsd", "coverage", "purity"])
def test_twenty_good_outlines_are_no_proof_that_none_is_bad(drawn, name):
    matches, measured = drawn
    measured = with_values(measured, name, 0.98 + 0.002 * np.cos(np.arange(20)))
    found = outline_rate_columns(
        matches, measured, name, ("annotator",), limit=0.957, at_least=True
    )
    mean = found["estimate"][0]
    missed = float(unseen(planned_trials(20, 10), 0.025))
    assert found["ci_low"][0] == pytest.approx(mean * (1 - missed))
    assert found["ci_low"][0] < 0.957 < mean
    assert found["ci_high"][0] == pytest.approx(mean + (1 - mean) * missed)
    scores = outline_score_columns(matches, measured)
    if name in scores:
        assert scores[f"{name}_low"][0] == found["ci_low"][0]
        assert scores[f"{name}_high"][0] == found["ci_high"][0]


def test_a_p_value_touches_the_limit_where_the_interval_does(drawn):
    matches, measured = drawn
    measured = with_values(measured, "mask_iou", 0.8 + 0.002 * np.cos(np.arange(20)))
    by = ("annotator",)
    first = outline_rate_columns(matches, measured, "mask_iou", by, limit=0.9, at_least=True)
    for limit, above in ((first["ci_high"][0] + 1e-6, False), (first["ci_high"][0] - 1e-6, True)):
        found = outline_rate_columns(matches, measured, "mask_iou", by, limit=limit, at_least=True)
        assert (found["p_value"][0] > 0.025) == above


@pytest.mark.parametrize("name", ["assd", "hd95", "area_ratio"])
def test_what_has_no_end_keeps_its_plain_interval(drawn, name):
    matches, measured = drawn
    measured = with_values(measured, name, 2 + 0.002 * np.cos(np.arange(20)))
    found = outline_rate_columns(matches, measured, name, ("annotator",), limit=2.5, at_least=False)
    assert found["ci_high"][0] < 2.01
