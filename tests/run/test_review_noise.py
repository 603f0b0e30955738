"""How likely a matched box is wrong: what is usual, what is a slip, and what the formula says."""

from __future__ import annotations

import math

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.run.review.gain import WHY, suspect_offsets
from annqc.run.review.noise import noise_of


@pytest.fixture(scope="module")
def audit():
    fleet = {"a": [], "b": Habit.loose("right", px=7), "c": Habit.parse("gross 5 %"), "d": []}
    made = annqc.simulate(fleet, n_images=60, overlap=3, categories=2, gold_sd=0.5, rng=4)
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def parts(audit):
    measured = audit.measurements
    category = audit.matches.candidate_category[measured.candidate]
    units = measured.edges / np.tile(measured.tolerance, 2)
    usable = ~measured.at_border
    return measured, category, units, noise_of(measured, units, usable, category, 2)


def phi(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


def robust(values):
    middle = float(np.median(values))
    return middle, max(1.4826 * float(np.median(np.abs(values - middle))), 0.25)


def test_middle_and_standard_error_are_those_of_the_annotator_and_category(parts):
    measured, category, units, noise = parts
    tolerance = np.tile(measured.tolerance, 2)
    rng = np.random.default_rng(0)
    for row in rng.choice(len(units), 60, replace=False).tolist():
        for k in range(4):
            usable = ~measured.at_border[:, k]
            mine = measured.annotator == measured.annotator[row]
            some = mine & (category == category[row]) & usable
            assert some.sum() >= 20
            middle, scale = robust(units[some, k])
            px, px_scale = robust(measured.edges[some, k])
            n = int(some.sum())
            if abs(middle) >= 1 and px_scale / abs(px) < scale / abs(middle):
                middle, scale = px / tolerance[row, k], px_scale / tolerance[row, k]
            assert noise.middle[row, k] == pytest.approx(middle)
            assert noise.se[row, k] == pytest.approx(1.2533 * scale / math.sqrt(n))


def test_what_the_others_have_in_common_is_the_golds(parts):
    measured, _, units, noise = parts
    z = (units - noise.middle) / noise.scale
    share = 1 - (noise.own_sd / noise.scale) ** 2
    rng = np.random.default_rng(1)
    for row in rng.choice(len(units), 80, replace=False).tolist():
        for k in range(4):
            seen = [
                float(z[j, k])
                for j in range(len(units))
                if j != row and measured.reference[j] == measured.reference[row]
                if not measured.at_border[j, k] and abs(z[j, k]) <= 2.5
            ]
            s = float(share[row, k])
            variance = 1 / (1 / s + len(seen) / (1 - s))
            gold = variance * sum(seen) / (1 - s) * noise.scale[row, k]
            assert noise.gold[row, k] == pytest.approx(gold, abs=1e-9)
            sd = math.sqrt(variance) * noise.scale[row, k]
            assert noise.gold_sd[row, k] == pytest.approx(sd)


def test_slips_are_bayes_with_the_share_that_fits_their_annotator(parts):
    measured, _, units, noise = parts
    for who in np.unique(measured.annotator).tolist():
        mine = measured.annotator == who
        usable = ~measured.at_border[mine]
        away, scale = (units - noise.middle)[mine], noise.scale[mine]
        usual = np.exp(-0.5 * (away / scale) ** 2) / scale / math.sqrt(2 * math.pi)
        slip = np.exp(-np.abs(away) / 8) / 16
        # The share that is a fixed point of EM: what it gives is what it was.
        p = noise.slip[mine][usable]
        u, s = usual[usable], slip[usable]
        odd = (p > 1e-6) & (p < 1 - 1e-6)
        share = 1 / (1 + (1 - p[odd]) / p[odd] * s[odd] / u[odd])
        assert share.max() - share.min() < 1e-6
        every = noise.slip[~measured.at_border]
        whole = (0.002 * 400 + every.sum()) / (400 + len(every))
        assert share[0] == pytest.approx((whole * 400 + p.sum()) / (400 + len(p)), abs=2e-4)


def test_the_share_of_gross_errors_is_found(parts, audit):
    measured, _, _, noise = parts
    who = audit.work.annotator_ids[measured.annotator]
    for name, low, high in (("a", 0.0, 0.01), ("c", 0.02, 0.07), ("d", 0.0, 0.01)):
        assert low <= noise.slip[who == name].mean() <= high


def test_probabilities_are_those_of_the_formula(parts):
    measured, category, units, noise = parts
    found = suspect_offsets(measured, category, 2)
    rng = np.random.default_rng(2)
    for row in rng.choice(len(units), 150, replace=False).tolist():
        every = [by_hand(measured, units, noise, row, k) for k in range(4)]
        best = max(every)
        assert found.probability[row] == pytest.approx(max(best, 0.001), abs=1e-9)
        assert every[found.edge[row]] == pytest.approx(best, abs=1e-6)
        assert found.offset[row] == units[row, found.edge[row]]


def by_hand(measured, units, noise, row, k):
    """The formula of one edge, in plain Python."""
    if measured.at_border[row, k]:
        return 0.0
    u, m, gold = (float(one[row, k]) for one in (units, noise.middle, noise.gold))
    own, sd, slip = (float(one[row, k]) for one in (noise.own_sd, noise.gold_sd, noise.slip))
    near = m + own**2 / (own**2 + sd**2) * (u - m - gold)
    spread = own * sd / math.hypot(own, sd)

    def wrong(limit, way):
        usual = phi((way * near - limit) / spread)
        return (1 - slip) * usual + slip * phi((way * (u - gold) - limit) / sd)

    p = wrong(3, 1) + wrong(3, -1)
    habit = phi((abs(m) - 1) / float(noise.se[row, k]))
    p = max(p, habit * wrong(1, math.copysign(1, m)))
    others = [
        float(units[j, k])
        for j in range(len(units))
        if j != row and measured.reference[j] == measured.reference[row]
        if not measured.at_border[j, k]
    ]
    votes = len(others) - 2 * sum(abs(v - u) < abs(v) for v in others)
    factor = 8.0 ** math.copysign(sum(0.5**i for i in range(abs(votes))), votes)
    odds = 0.97 / 0.03 * factor
    return 0.98 * p * odds / (1 + odds)


def test_reasons_tell_habits_from_slips(parts, audit):
    measured, category, _, _ = parts
    found = suspect_offsets(measured, category, 2)
    who = audit.work.annotator_ids[measured.annotator]
    right = found.edge == 2
    assert found.usual[(who == "b") & right & (found.offset > 2)].mean() > 0.9
    assert not found.usual[who != "b"].any()
    told = {WHY[k] for k in found.why[(who == "b") & right & (found.probability > 0.5)]}
    assert told <= {"habit", "loose_box"}


def test_what_is_no_offset_has_no_noise_and_the_least_probability():
    made = annqc.simulate({"a": [], "b": []}, n_images=10, noise_px=0.0, noise_rel=0.0, rng=1)
    audit = annqc.audit(made.work, made.gold)
    measured = audit.measurements
    category = audit.matches.candidate_category[measured.candidate]
    found = suspect_offsets(measured, category, len(made.work.category_ids))
    assert np.isfinite(found.probability).all()
    assert (found.probability <= 0.05).all()
