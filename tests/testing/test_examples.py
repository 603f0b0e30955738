"""Examples of specs: every profile's hold, and an example that lies is caught."""

from __future__ import annotations

import msgspec
import pytest

from annqc.errors import SpecError, UnknownNameError
from annqc.judge import load_spec
from annqc.judge.inherit import find_profile, profiles
from annqc.testing.examples import run_example

WANTED = {
    "aerial",
    "boxes",
    "boxes-strict",
    "coco",
    "cvat-2026",
    "cvat-classic",
    "keypoints",
    "masks",
    "medical",
    "retail",
    "street-scenes",
    "video-tracks",
}
EXAMPLES = [
    pytest.param(name, at, id=f"{name}-{one.name}")
    for name, path in profiles().items()
    for at, one in enumerate(load_spec(path).examples)
]
OPPOSITE = {"pass": "fail", "fail": "pass", "not_applicable": "pass"}


def spec_and_example(name, at):
    spec = load_spec(find_profile(name))
    return spec, spec.examples[at]


def test_there_are_the_twelve_profiles():
    assert set(profiles()) == WANTED


@pytest.mark.parametrize("name", sorted(WANTED))
def test_a_profile_has_reasons_and_examples_both_ways(name):
    path = find_profile(name)
    spec = load_spec(path)
    assert path.read_text(encoding="utf-8").startswith("#:schema ./annqc.schema.json\n")
    assert spec.is_profile
    assert all(rule.why for rule in spec.rules)
    told = [set(one.expect.values()) for one in spec.examples]
    assert len(told) >= 2
    assert {"pass"} in told
    assert any("fail" in one for one in told)
    clean = next(one for one in spec.examples if set(one.expect.values()) == {"pass"})
    judged = {"edge_offset", "recall", "precision", "mean_iou", "label_accuracy", "shift", "growth"}
    asked = {rule.id for rule in spec.rules if rule.measure in judged}
    assert asked <= set(clean.expect), "the clean team must pass the main rules"
    failed = {id for one in spec.examples for id, out in one.expect.items() if out == "fail"}
    assert failed <= {rule.id for rule in spec.rules}


@pytest.mark.parametrize(("name", "at"), EXAMPLES)
def test_an_example_holds_and_its_opposite_does_not(name, at):
    spec, example = spec_and_example(name, at)
    result = run_example(spec, example)
    assert result.ok, str(result)
    assert str(result) == f"example {example.name}: as expected"
    lie = {id: OPPOSITE[outcome] for id, outcome in example.expect.items()}
    wrong = run_example(spec, msgspec.structs.replace(example, expect=lie))
    assert len(wrong.faults) == len(lie)


def test_a_habit_that_is_not_there_fails_the_example():
    """The planted habit decides: without it the rule passes, and the example must not."""
    spec = load_spec(find_profile("boxes"))
    example = next(one for one in spec.examples if one.name == "one-loose-edge")
    clean = msgspec.structs.replace(example, annotators={"ann": (), "bob": ()})
    result = run_example(spec, clean)
    assert not result.ok
    (fault,) = result.faults
    assert fault.startswith("no-edge-bias: expected fail, found pass: all 8 are as asked")
    assert str(result).startswith("example one-loose-edge:\n  no-edge-bias: expected fail")


def test_rules_that_are_not_named_are_not_applied():
    spec = load_spec(find_profile("boxes"))
    example = msgspec.structs.replace(spec.examples[0], expect={"recall": "pass"})
    assert [check.id for check in run_example(spec, example).judgement.checks] == ["recall"]


def test_the_spec_s_matching_is_used():
    spec = load_spec(find_profile("aerial"))
    made = run_example(spec, spec.examples[0]).judgement
    assert made.spec.match.iou == 0.4
    strict = msgspec.structs.replace(
        spec, match=type(spec.match)(iou=0.95), annqc=spec.annqc, rules=spec.rules
    )
    result = run_example(strict, spec.examples[0])
    assert any(fault.startswith("recall: expected pass, found fail") for fault in result.faults)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"annotators": {"bob": ("lose right 5 px",)}}, "did you mean 'loose right'"),
        ({"scene": {"box_sides": 9}}, "did you mean 'box_side'"),
        ({"scene": {"rng": 9}}, "there is no argument of a scene 'rng'"),
        ({"scene": {"box_side": "big"}}, "cannot be simulated"),
        ({"scene": {"icc": 3}}, "icc must be at least 0"),
        ({"annotators": {"bob": ("misses 5 % on category tram",)}}, "there is no category 'tram'"),
    ],
)
def test_what_cannot_be_simulated_is_one_message(changed, said):
    spec = load_spec(find_profile("boxes"))
    example = msgspec.structs.replace(spec.examples[0], **changed)
    with pytest.raises(SpecError) as caught:
        run_example(spec, example)
    assert "example 'careful-team'" in str(caught.value)
    assert said in str(caught.value)


def test_a_rule_that_does_not_exist_is_told():
    spec = load_spec(find_profile("boxes"))
    example = msgspec.structs.replace(spec.examples[0], expect={"recal": "pass"})
    with pytest.raises(UnknownNameError, match="did you mean 'recall'"):
        run_example(spec, example)
