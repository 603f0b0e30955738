"""What the sentences say, habit by habit, and that they say no more than the numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import annqc
from annqc import Habit
from annqc.infer.collective import collective
from annqc.judge import wording
from annqc.judge.wording import amount, bias_words
from annqc.measure.offsets import MARGIN
from annqc.measure.outline_values import CONTOURS
from annqc.report import words
from annqc.report.plain import clean_text
from annqc.report.view import view_of
from annqc.report.words import biased_sentences, collective_sentences, told_once
from annqc.tables import EDGES, QUANTITIES

NAMES = {name: k for k, name in enumerate(QUANTITIES)}


def offsets(left=0.0, top=0.0, right=0.0, bottom=0.0):
    edges = (left, top, right, bottom)
    shift = ((right - left) / 2, (bottom - top) / 2)
    return [*edges, *shift, left + right, top + bottom]


def told(offset, *biased):
    named = told_once(offset, [name in biased for name in QUANTITIES])
    return [tuple(QUANTITIES[k] for k in one) for one in named]


@pytest.mark.parametrize(
    ("offset", "biased", "expected"),
    [
        (offsets(), (), []),
        (offsets(right=5), ("out_right", "dx", "dw"), [("out_right", "dx", "dw")]),
        (
            offsets(top=4, bottom=-4),
            ("out_top", "out_bottom", "dy"),
            [("dy", "out_top", "out_bottom")],
        ),
        (offsets(top=4, bottom=-2.5), ("out_top", "dy"), [("dy", "out_top")]),
        (offsets(top=4, bottom=-1), ("out_top", "dy"), [("out_top", "dy")]),
        (
            offsets(left=3, right=3),
            ("out_left", "out_right", "dw"),
            [("dw", "out_left", "out_right")],
        ),
        (offsets(left=-3, right=-2), ("out_left", "dw"), [("out_left", "dw")]),
        (
            offsets(left=3, right=1),
            ("out_left", "out_right", "dw"),
            [("out_left", "dw"), ("out_right",)],
        ),
        (offsets(left=0.9, right=0.9), ("dw",), [("dw",)]),
        (offsets(top=0.9, bottom=-0.9), ("dy",), [("dy",)]),
        (offsets(left=3, bottom=-3), ("out_left", "out_bottom"), [("out_left",), ("out_bottom",)]),
        (offsets(top=4, bottom=-4), ("out_top", "out_bottom"), [("out_top",), ("out_bottom",)]),
    ],
)
def test_a_habit_is_told_once(offset, biased, expected):
    assert told(offset, *biased) == expected


@given(
    st.lists(st.floats(-20, 20), min_size=8, max_size=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_every_biased_quantity_is_told_or_stands_behind_one_that_is(offset, biased):
    covered = [k for one in told_once(offset, biased) for k in one]
    assert sorted(covered) == [k for k in range(8) if biased[k]]


@pytest.mark.parametrize(
    ("numbers", "unit", "expected"),
    [
        ((0.09, 0.06, 0.12), "rel", ("9 %", "6 to 12 %")),
        ((-0.09, -0.12, -0.06), "rel", ("9 %", "6 to 12 %")),
        ((2.5, 2.3, 2.7), "px", ("2.5 px", "2.3 to 2.7 px")),
        ((2.52, 2.51, 2.53), "px", ("2.52 px", "2.51 to 2.53 px")),
        ((12.345, 12.3, 12.4), "px", ("12.3 px", "12.3 to 12.4 px")),
        ((123.4, 123.3, 123.5), "px", ("123 px", "123 to 124 px")),
        ((3.0, -1.0, 7.0), "px", ("3 px", "-1 to 7 px")),
        ((-3.0, -7.0, 1.0), "px", ("3 px", "-1 to 7 px")),
        ((3.0, -0.2, 6.2), "px", ("3 px", "0 to 6 px")),
        ((4.0, float("nan"), float("nan")), "px", ("4.0 px", "no interval")),
        ((1.4, 1.1, 1.7), "", ("1.4 tolerances", "1.1 to 1.7 tolerances")),
    ],
)
def test_amounts_and_their_intervals(numbers, unit, expected):
    assert amount(*numbers, unit) == expected


DIRECTIONS = [
    (Habit.loose("left", px=6), "the left edge", "too far out"),
    (Habit.tight("top", px=6), "the top edge", "too far in"),
    (Habit.loose("bottom", px=6), "the bottom edge", "too far out"),
    (Habit.shift(dx=6), "boxes", "too far right"),
    (Habit.shift(dx=-6), "boxes", "too far left"),
    (Habit.shift(dy=6), "boxes", "too low"),
    (Habit.shift(dy=-6), "boxes", "too high"),
    (Habit.growth(dw=12), "boxes", "too wide"),
    (Habit.growth(dw=-12), "boxes", "too narrow"),
    (Habit.growth(dh=12), "boxes", "too tall"),
    (Habit.growth(dh=-12), "boxes", "too short"),
]


@pytest.mark.parametrize(("habit", "what", "direction"), DIRECTIONS)
def test_each_habit_is_one_sentence_in_its_own_words(habit, what, direction):
    made = annqc.simulate({"bob": habit}, n_images=40, rng=1, box_side=40.0, border=0)
    view = view_of(annqc.audit(made.work, made.gold, tolerance="2 px"))
    (sentence,) = biased_sentences(view)
    assert re.fullmatch(
        rf"bob draws {what} [\d.]+ px {direction} \([\d.]+ to [\d.]+ px, (39|40) images\)",
        sentence.text,
    )


def test_the_size_in_words_is_the_estimate(mixed):
    view = view_of(mixed)
    sentence = next(one for one in biased_sentences(view) if one.quantities[0] == "dw")
    estimate = view.columns["estimate_rel"][sentence.group, NAMES["dw"]]
    assert sentence.text.startswith(f"dan draws boxes {100 * estimate:.1f} % too wide (")


def test_the_unit_is_the_one_in_which_the_habit_is_steady():
    for habit, unit in ((Habit.loose("right", px=8), "px"), (Habit.loose("right", rel=0.2), "%")):
        made = annqc.simulate({"bob": habit}, n_images=30, box_side=100.0, rng=2)
        (sentence,) = biased_sentences(view_of(annqc.audit(made.work, made.gold)))
        assert f" {unit} too far out" in sentence.text


def test_the_worst_annotator_comes_first():
    habits = {f"a{k}": Habit.loose("right", px=k) for k in (6, 14, 10)}
    made = annqc.simulate({**habits, "x": [], "y": [], "z": []}, n_images=60, rng=1)
    texts = [one.text for one in biased_sentences(view_of(annqc.audit(made.work, made.gold)))]
    assert [text.split()[0] for text in texts] == ["a14", "a10", "a6"]


def test_only_biased_findings_become_sentences(few):
    view = view_of(few)
    assert not view.biased.any()
    assert biased_sentences(view) == []


def test_strata_are_named():
    made = annqc.simulate(
        {"bob": Habit.loose("top", px=9).only(category="dog"), "ann": []}, n_images=80, rng=1
    )
    audit = annqc.audit(made.work, made.gold)
    (sentence,) = biased_sentences(view_of(audit, ("annotator", "category")))
    assert sentence.text.startswith("bob draws the top edge ")
    assert sentence.text.endswith(" on dog")
    alone = biased_sentences(view_of(audit, ("category",)))
    assert all(one.text.startswith("on dog the top edge is ") for one in alone)


@pytest.fixture(scope="module")
def everybody_loose():
    habits = {name: Habit.loose("right", px=5) for name in "abcde"}
    made = annqc.simulate(
        {**habits, "far": Habit.loose("right", px=15), "fine": []}, n_images=60, rng=1
    )
    return annqc.audit(made.work, made.gold, tolerance="2 px")


def test_what_everybody_does_is_said_of_everybody(everybody_loose):
    (sentence,) = collective_sentences(everybody_loose)
    size = r"the right edge is ([\d.]+) px too far out for everybody"
    found = re.fullmatch(rf"{size} \(([\d.]+) to ([\d.]+) px, 60 images\)", sentence)
    assert found is not None
    value, low, high = map(float, found.groups())
    assert low < 5 < high
    assert low < value < high


def test_collective_sizes_agree_with_the_test_in_tolerance_units(everybody_loose):
    measured = everybody_loose.measurements
    again = collective(
        measured.values("tolerance"),
        item=measured.reference,
        annotator=measured.annotator,
        cluster=measured.cluster,
        group=np.zeros(len(measured), dtype=np.int64),
        n_groups=1,
        margin=MARGIN,
        group_grid=np.zeros((1, 8)),
    )
    (sentence,) = collective_sentences(everybody_loose)
    said = float(re.search(r"is ([\d.]+) px", sentence)[1])
    assert said == pytest.approx(2 * again.estimate[0, NAMES["out_right"]], abs=0.06)


def test_one_who_is_worse_than_everybody_is_told_so(everybody_loose):
    (sentence,) = biased_sentences(view_of(everybody_loose))
    assert sentence.text.startswith("far draws the right edge ")
    assert sentence.text.endswith(", more than everybody)")


def test_one_who_is_less_far_off_than_everybody_is_not_called_loose():
    habits = {name: Habit.loose("right", px=12) for name in "abcdef"}
    made = annqc.simulate({**habits, "mild": Habit.loose("right", px=5)}, n_images=60, rng=1)
    audit = annqc.audit(made.work, made.gold, tolerance="2 px")
    assert biased_sentences(view_of(audit)) == []


def test_nothing_is_said_of_everybody_where_there_are_two():
    made = annqc.simulate({n: Habit.loose("right", px=8) for n in "ab"}, n_images=30, rng=1)
    assert collective_sentences(annqc.audit(made.work, made.gold)) == []


@pytest.mark.parametrize(
    ("value", "width", "expected"),
    [
        ("plain", None, "plain"),
        (7, None, "7"),
        ("a\x1b[31mb\n", None, r"a\x1b[31mb\n"),
        ("a\u202eb", None, r"a\u202eb"),
        ("Zoë 標注", None, "Zoë 標注"),
        ("abcdefghij", 8, "abcde..."),
        ("標注標注標注", 8, "標注..."),
        ("標注標注", 8, "標注標注"),
    ],
)
def test_names_are_safe_to_print(value, width, expected):
    assert clean_text(value, width=width) == expected


def test_the_screen_and_the_checks_tell_the_same_size(mixed):
    view = view_of(mixed)
    for one in biased_sentences(view):
        k = NAMES[one.quantities[0]]
        row = view.finding(one.group, k) | {"quantity": one.quantities[0]}
        who = {"annotator": view.keys["annotator"][one.group]}
        assert bias_words(who, row, tolerance=mixed.parameters.tolerance) == one.text


def test_a_size_that_would_speak_against_the_verdict_is_told_in_tolerances(mixed):
    view = view_of(mixed)
    (one,) = (one for one in biased_sentences(view) if one.text.startswith("ben"))
    for name in ("ci_low_px", "ci_low_rel"):
        view.columns[name][one.group, NAMES[one.quantities[0]]] = -0.1
    (again,) = (one for one in biased_sentences(view) if one.text.startswith("ben"))
    assert re.search(r"[\d.]+ tolerances too far out \([\d.]+ to [\d.]+ tol", again.text)


def test_the_screen_and_the_checks_share_one_vocabulary():
    assert words.DIRECTIONS.keys() == {*QUANTITIES, *CONTOURS}
    for name, pair in words.DIRECTIONS.items():
        assert pair == tuple(f"too {one}" for one in wording.DIRECTIONS[name])
    edges = tuple(wording.OBJECTS[name] for name in EDGES)
    assert tuple(f"the {one}" for one in words.EDGE_NAMES) == edges
