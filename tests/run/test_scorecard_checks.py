"""Many pages: what fails on one alone and is explained by their number is undecided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import annqc
from annqc import Habit
from annqc.infer.multiplicity import benjamini_hochberg
from annqc.judge import judge, load_spec
from annqc.run.scorecard.checks import _stepped, judge_units
from annqc.run.scorecard.ranks import rank_units, shared_images
from annqc.run.scorecard.units import cut
from tests.run.scorecard_deliveries import audited, vendor_of, with_columns

RECALL = {"id": "recall", "measure": "recall", "at_least": 0.95, "by": []}
EDGES = {"id": "edges", "measure": "edge_offset", "by": ["annotator"]}


def spec_of(*rules):
    return load_spec({"annqc": {"version": 1}, "rule": list(rules)})


@given(st.lists(st.floats(0, 1), max_size=30), st.integers(0, 30), st.floats(0.001, 0.3))
def test_stepping_down_is_benjamini_and_hochberg(p, more, alpha):
    n = len(p) + more
    failing = [k for k, one in enumerate(p) if one <= alpha]
    kept = _stepped(failing, n, lambda k, share: p[k] <= alpha * share)
    wanted = benjamini_hochberg([*p, *[1.0] * more], alpha)
    assert kept == [k for k in np.flatnonzero(wanted).tolist() if k < len(p)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_refusals_are_those_of_the_p_values_over_the_pages(seed):
    rates = np.linspace(0.03, 0.13, 12)
    who = {f"v{k:02d}": Habit.misses(rate) for k, rate in enumerate(rates)}
    made = annqc.simulate(who, n_images=60, overlap=2, rng=seed)
    found = cut(annqc.audit(made.work, made.gold), vendor="annotator")
    p = []
    for one in found.units:
        columns = one.run.rate_columns("recall", (), limit=0.95, at_least=True)
        p.append(float(columns["p_value"][0]))
    wanted = benjamini_hochberg(p, 0.025).tolist()
    held = judge_units(found, spec_of(RECALL))
    assert [one.judgement.outcome == "fail" for one in held] == wanted
    by_chance = [a <= 0.025 and not w for a, w in zip(p, wanted, strict=True)]
    assert [bool(one.chance) for one in held] == by_chance


def test_chance_is_undecided_and_told():
    who = {f"v{k:02d}": [] for k in range(19)} | {"worse": Habit.misses(0.13)}
    found, held = None, None
    for seed in range(1, 30):
        made = annqc.simulate(who, n_images=80, overlap=4, rng=seed)
        found = cut(annqc.audit(made.work, made.gold), vendor="annotator")
        held = judge_units(found, spec_of(RECALL))
        if any(one.chance for one in held):
            break
    at = next(k for k, one in enumerate(held) if one.chance)
    check = held[at].judgement.checks[0]
    assert check.outcome == "undecided"
    assert check.sentence.startswith("alone it would fail; among 20 vendors this can be chance: ")
    assert judge_units(cut(found.units[at].run), spec_of(RECALL))[0].judgement.outcome == "fail"


def test_the_planted_vendor_is_refused_the_clean_one_accepted_the_small_one_undecided():
    found = cut(audited(), vendor="site")
    held = judge_units(found, spec_of(EDGES, RECALL))
    outcomes = {
        unit.vendor: one.judgement.outcome for unit, one in zip(found.units, held, strict=True)
    }
    assert outcomes == {"good": "pass", "loose": "fail", "tiny": "undecided"}


def test_counts_are_facts_whatever_the_number_of_pages():
    count = {"id": "errors", "measure": "error_count", "at_most": 0, "by": []}
    who = {f"v{k:02d}": [] for k in range(8)} | {"one": Habit.misses(0.02)}
    made = annqc.simulate(who, n_images=60, overlap=3, rng=2)
    found = cut(annqc.audit(made.work, made.gold), vendor="annotator")
    held = judge_units(found, spec_of(count))
    for unit, one in zip(found.units, held, strict=True):
        n = len(unit.run.error_columns()["kind"])
        assert one.judgement.outcome == ("fail" if n else "pass")
        assert not one.chance


def test_missing_images_are_told_of_the_whole_where_nobody_was_asked():
    made = annqc.simulate(["ann", "bob"], n_images=20, overlap=1, rng=1)
    rule = {"id": "complete", "measure": "missing_images", "at_most": 0, "by": []}
    unasked = replace(made.work, assigned=None)
    found = cut(annqc.audit(unasked, made.gold), vendor="annotator")
    both = [one.judgement.checks[0] for one in judge_units(found, spec_of(rule))]
    assert {one.outcome for one in both} == {"pass"}
    assert all(one.sentence.startswith("of the whole delivery: ") for one in both)
    part = unasked.table.take(unasked.table.image > 4)
    found = cut(annqc.audit(replace(unasked, table=part), made.gold), vendor="annotator")
    both = [one.judgement.checks[0] for one in judge_units(found, spec_of(rule))]
    assert {one.outcome for one in both} == {"not_applicable"}
    whole = cut(annqc.audit(replace(unasked, table=part), made.gold))
    assert judge_units(whole, spec_of(rule))[0].judgement.outcome == "fail"


def test_missing_images_are_the_vendors_own_where_it_is_known_who_was_asked():
    made = annqc.simulate(["ann", "bob"], n_images=20, overlap=1, rng=1)
    work = made.work
    ann = work.annotator_ids.tolist().index("ann")
    some = work.assigned[work.assigned[:, 0] == ann][0, 1]
    kept = (work.table.annotator != ann) | (work.table.image != some)
    short = replace(work, table=work.table.take(kept))
    rule = {"id": "complete", "measure": "missing_images", "at_most": 0}
    spec = spec_of({**rule, "by": ["annotator"]})
    found = cut(annqc.audit(short, made.gold), vendor="annotator")
    held = judge_units(found, spec)
    assert [one.judgement.outcome for one in held] == ["fail", "pass"]


def test_ranks_are_bounds_and_hold_for_alike_vendors():
    good, loose, tiny = rank_units(cut(audited(), vendor="site"))
    assert (good, loose) == ((1, 1), (2, 2))
    assert tiny is None  # four images
    alike = annqc.simulate({f"v{k}": [] for k in range(6)}, n_images=60, overlap=2, rng=4)
    for one in rank_units(cut(annqc.audit(alike.work, alike.gold), vendor="annotator")):
        assert one == (1, 6)
    assert rank_units(cut(audited())) == [None]


def test_of_many_vendors_at_the_limit_hardly_any_delivery_has_one_refused():
    """The level is 0.025 a page. Without the pages in mind some vendor fails in a fifth of them."""
    n_refused = n_alone = 0
    spec = spec_of(RECALL)
    for seed in range(60):
        who = {f"v{k}": Habit.misses(0.05) for k in range(20)}
        made = annqc.simulate(who, n_images=50, overlap=5, rng=seed)
        held = judge_units(cut(annqc.audit(made.work, made.gold), vendor="annotator"), spec)
        refused = [one.judgement.outcome == "fail" for one in held]
        n_refused += any(refused)
        n_alone += any(refused) or any(one.chance for one in held)
    assert n_refused <= 6
    assert n_alone > n_refused


def test_shared_images_are_counted_once():
    made = annqc.simulate(["ann", "bob"], n_images=12, overlap=1, rng=1)
    found = cut(annqc.audit(made.work, made.gold), vendor="annotator")
    assert shared_images(found) == (0, 12, False)
    made = annqc.simulate(["ann", "bob"], n_images=12, rng=1)
    found = cut(annqc.audit(made.work, made.gold), vendor="annotator")
    assert shared_images(found) == (12, 12, True)
    made = annqc.simulate(["ann", "bob", "cem"], n_images=12, overlap=2, rng=1)
    found = cut(annqc.audit(made.work, made.gold), vendor="annotator")
    # Every image is on two of three pages, and no two pages have the same.
    assert shared_images(found) == (12, 12, False)


def test_a_refused_page_names_only_whom_all_of_the_delivery_leaves():
    """At the limit some of a refused vendor's people fail beside the one who is bad, by chance."""
    rule = {**RECALL, "by": ["annotator"], "confidence": 0.8}
    spec, fewer = spec_of(rule), 0
    for seed in range(8):
        who = {f"v{k // 6}-{k}": Habit.misses(0.05) for k in range(30)}
        made = annqc.simulate(who | {"v0-0": Habit.misses(0.4)}, n_images=90, overlap=5, rng=seed)
        names = made.work.annotator_ids[made.work.table.annotator].tolist()
        audit = with_columns(annqc.audit(made.work, made.gold), site=map(vendor_of, names))
        found = cut(audit, vendor="site")
        held = judge_units(found, spec)
        whole = failing(audit.judge(spec).checks[0])
        for unit, one in zip(found.units, held, strict=True):
            (check,) = one.judgement.checks
            named = failing(check)
            assert named <= whole
            if check.outcome == "fail":
                by_itself = failing(judge(unit.run, spec).checks[0])
                assert named
                assert named <= by_itself
                fewer += named < by_itself
                assert all(name in check.sentence for name in named)
    assert fewer


def failing(check):
    found = check.assessment
    rows = zip(found.keys["annotator"].tolist(), found.outcome.tolist(), strict=True)
    return {name for name, outcome in rows if outcome == "fail"}
