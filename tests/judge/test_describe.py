"""A spec in words: limits, and what it takes to pass."""

from __future__ import annotations

import pytest

from annqc.infer.rates import korn_graubard
from annqc.infer.verdicts import G_MIN
from annqc.judge import load_spec
from annqc.judge.describe import (
    LEAST_CLUSTERS,
    describe_rule,
    objects_needed,
    shown_path,
    spec_lines,
    summary_of,
)
from annqc.judge.inherit import profiles


def test_what_it_takes_to_pass_is_what_the_intervals_say():
    for limit in (0.5, 0.85, 0.95, 0.98):
        for mistakes in (0, 1, 2, 5):
            n = objects_needed(limit, mistakes)

            def low(n, mistakes=mistakes):
                right = [1] * (n - mistakes) + [0] * mistakes
                return float(korn_graubard(right, [1] * n).low[0])

            assert low(n) >= limit
            assert low(n - 1) < limit
    assert objects_needed(1.0, 0) is None


def test_the_least_of_images_is_that_of_the_verdicts():
    assert LEAST_CLUSTERS == G_MIN


@pytest.mark.parametrize(
    ("rule", "limit", "needs"),
    [
        ({"measure": "recall", "at_most": 0.2}, "at most 0.2", "some objects"),
        ({"measure": "precision", "at_least": 1.0}, "at least 1", "no number"),
        ({"measure": "recall", "at_least": 0.0}, "at least 0", "nothing"),
        ({"measure": "growth", "tolerance": "2 px"}, "within twice 2 px", "5 images"),
        ({"measure": "mean_iou", "at_least": 0.8}, "at least 0.8", "5 images"),
        ({"measure": "unusable_rows", "at_most": 3}, "at most 3", "nothing"),
        (
            {"measure": "error_rate", "kind": "merged", "at_most": 0.03},
            "at most 0.03 of merged",
            "122 boxes",
        ),
        ({"measure": "clusters", "at_least": 20}, "at least 20", "20 images"),
        ({"measure": "agreement", "at_least": 0.6}, "at least 0.6", "2 annotators"),
        ({"measure": "duplicates", "at_most": 0}, "at most 0", "nothing"),
        (
            {"measure": "recall", "no_worse_than": "baseline", "margin": 0.02},
            "no worse than the baseline, with a margin of 0.02",
            "a baseline",
        ),
        ({"measure": "out_left"}, "within the tolerance of the audit", "5 images"),
        ({"measure": "contour_offset", "tolerance": "2 %"}, "within 2 %", "5 images"),
        ({"measure": "mask_iou", "at_least": 0.8}, "at least 0.8", "5 images"),
        ({"measure": "hd95", "at_most": 4}, "at most 4 px", "5 images"),
    ],
)
def test_rules_in_words(rule, limit, needs):
    spec = load_spec({"annqc": {"version": 1}, "rule": [{"id": "x", **rule}]})
    told = describe_rule(spec, spec.rules[0])
    assert (told.limit, told.needs) == (limit, needs)
    assert told.origin == "<spec>"


def test_every_profile_says_in_a_sentence_what_it_is_for():
    for path in profiles().values():
        told = summary_of(path.read_text(encoding="utf-8"))
        assert 40 < len(told) < 200
        assert told.endswith(".")
    assert summary_of("[annqc]\n") == ""


def test_paths_are_shown_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown_path(str(tmp_path / "a" / "b.json")) == "a/b.json"
    assert shown_path(str(tmp_path.parent / "b.json")) == str(tmp_path.parent / "b.json")
    assert shown_path("s3://x/y") == "s3://x/y"


def test_a_spec_says_that_its_rules_have_outlines_read():
    rule = {"id": "x", "measure": "contour_offset", "tolerance": "max(1 px, 2 %)"}
    spec = load_spec({"annqc": {"version": 1}, "rule": [rule]})
    assert ("reading", "shapes: polygons and masks too") in spec_lines(spec)
    told = " ".join(describe_rule(spec, spec.rules[0]).evidence)
    assert "with outlines on both sides" in told
    assert "the square root of the area" in told
    never = load_spec({"annqc": {"version": 1}, "read": {"shapes": False}, "rule": [rule]})
    assert ("reading", "shapes: boxes alone") in spec_lines(never)
