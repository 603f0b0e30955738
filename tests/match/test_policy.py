"""The rules of matching, and what is refused."""

from __future__ import annotations

import pytest

from annqc.errors import SpecError, UnknownNameError
from annqc.match import MatchPolicy, match
from tests.match.datasets import build


def test_the_threshold_follows_the_method():
    assert MatchPolicy().counting_iou == 0.5
    assert MatchPolicy(method="coco").counting_iou == 0.5
    assert MatchPolicy(method="cvat-classic").counting_iou == 0.4
    assert MatchPolicy(method="cvat-2026", iou=0.7).counting_iou == 0.7


def test_a_method_that_does_not_exist():
    with pytest.raises(UnknownNameError, match="did you mean 'optimal'"):
        MatchPolicy(method="optimum")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iou", 0),
        ("iou", 1.01),
        ("iou", "0.5"),
        ("iou", True),
        ("pair_iou", 0.0),
        ("pair_iou", float("nan")),
        ("gate", -0.1),
        ("ambiguity", 2),
        ("low_overlap", None),
    ],
)
def test_numbers_out_of_range(name, value):
    with pytest.raises(SpecError, match=f"match.{name}"):
        MatchPolicy(**{name: value})


def test_fields_replace_those_of_the_policy():
    one = build([(0, 0, 10, 10)])
    matches = match(one, one, policy=MatchPolicy(iou=0.3, gate=0.2), iou=0.9)
    assert matches.policy == MatchPolicy(iou=0.9, gate=0.2)


def test_a_field_that_does_not_exist():
    one = build([(0, 0, 10, 10)])
    with pytest.raises(UnknownNameError, match="did you mean 'pair_iou'"):
        match(one, one, pairs_iou=0.2)
