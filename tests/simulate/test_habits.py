from __future__ import annotations

import numpy as np
import pytest

from annqc.errors import AnnqcError, SpecError, UnknownNameError
from annqc.simulate import Habit, PlantedHabits
from annqc.simulate.habits import OUTWARD
from annqc.simulate.phrases import PHRASES
from annqc.tables import QUANTITIES


def test_outward_moves_are_what_the_quantities_measure():
    measured = {
        "dx": [-0.5, 0, 0.5, 0],
        "dy": [0, -0.5, 0, 0.5],
        "dw": [1, 0, 1, 0],
        "dh": [0, 1, 0, 1],
    }
    measured |= {name: np.eye(4)[k] for k, name in enumerate(QUANTITIES[:4])}
    assert set(OUTWARD) == set(QUANTITIES)
    for name, moves in OUTWARD.items():
        assert np.dot(measured[name], moves) == 1.0


def test_constructors():
    assert Habit.loose("right", px=3).outward().tolist() == [0, 0, 3, 0]
    assert Habit.loose("out_top", rel=0.1).outward().tolist() == [0, 0.1, 0, 0]
    assert Habit.tight("left", px=2).outward().tolist() == [-2, 0, 0, 0]
    assert Habit.shift(dx=2, dy=-1).outward().tolist() == [-2, 1, 2, -1]
    assert Habit.growth(dw=4, unit="rel").outward().tolist() == [2, 0, 2, 0]
    assert Habit.growth(dh=2).unit == "px"


def test_planted_records_and_their_table():
    planted = PlantedHabits(
        [
            *Habit.shift(dx=2, dy=-1).planted("bob"),
            *Habit.misses(0.1).only(category="person", size="small").planted("eve"),
            *Habit.wrong_labels(confusion={"car": {"person": 0.2}}).planted("eve"),
            *Habit.tails(3).planted("eve"),
        ]
    )
    assert [(p.annotator, p.quantity, p.size, p.unit, p.category) for p in planted] == [
        ("bob", "dx", 2.0, "px", None),
        ("bob", "dy", -1.0, "px", None),
        ("eve", "missed", 0.1, "rate", "person"),
        ("eve", "mislabelled as person", 0.2, "rate", "car"),
        ("eve", "tails", 3.0, "df", None),
    ]
    frame = planted.to_frame()
    assert frame.shape == (5, 7)
    assert frame.loc[2, "object_size"] == "small"
    assert list(PlantedHabits().to_frame().columns) == list(frame.columns)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Habit.loose("right"),
        lambda: Habit.loose("right", px=1, rel=0.1),
        lambda: Habit.loose("right", px=float("nan")),
        Habit.shift,
        lambda: Habit.misses(1.5),
        lambda: Habit.extras(-0.1),
        lambda: Habit.jitter(px=0),
        lambda: Habit.tails(0),
        lambda: Habit.rounding(-1),
        Habit.wrong_labels,
        lambda: Habit.wrong_labels(0.1, confusion={}),
        lambda: Habit.wrong_labels(confusion={"car": {"dog": 0.6, "person": 0.6}}),
        lambda: Habit.rounding(1).only(category="car"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(SpecError):
        wrong()


def test_unknown_names_get_a_hint():
    with pytest.raises(UnknownNameError, match="did you mean 'right'"):
        Habit.loose("rigth", px=1)
    with pytest.raises(UnknownNameError, match="did you mean 'small'"):
        Habit.misses(0.1).only(size="smal")
    with pytest.raises(AnnqcError, match="px, rel"):
        Habit.shift(dx=1, unit="percent")


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("loose right 5 px", Habit.loose("right", px=5)),
        ("tight top 3 %", Habit.tight("top", rel=0.03)),
        ("Loose  Left 2.5px", Habit.loose("left", px=2.5)),
        ("shift right 4 px", Habit.shift(dx=4)),
        ("shift left 4 %", Habit.shift(dx=-0.04, unit="rel")),
        ("shift up 3 px", Habit.shift(dy=-3)),
        ("shift down 3 px", Habit.shift(dy=3)),
        ("too wide 6 px", Habit.growth(dw=6)),
        ("too narrow 6 px", Habit.growth(dw=-6)),
        ("too tall 5 %", Habit.growth(dh=0.05, unit="rel")),
        ("too short 5 %", Habit.growth(dh=-0.05, unit="rel")),
        ("jitter 4 px", Habit.jitter(px=4)),
        ("jitter 4 %", Habit.jitter(rel=0.04)),
        ("tails 3 df", Habit.tails(3)),
        ("rounding 1 px", Habit.rounding(1)),
        ("gross 5 %", Habit.gross(0.05)),
        ("misses 20 %", Habit.misses(0.2)),
        ("extras 10 %", Habit.extras(0.1)),
        ("wrong labels 15 %", Habit.wrong_labels(0.15)),
        ("duplicates 5 %", Habit.duplicates(0.05)),
        ("merges 5 %", Habit.merges(0.05)),
        ("splits 5 %", Habit.splits(0.05)),
        ("misses 20 % on category car", Habit.misses(0.2).only(category="car")),
        (
            "misses 20 % on category traffic light on size Small",
            Habit.misses(0.2).only(category="traffic light", size="small"),
        ),
    ],
)
def test_a_habit_can_be_said(text, made):
    assert Habit.parse(text) == (made,)


def test_every_phrase_is_a_habit_in_each_of_its_units():
    for words, phrase in PHRASES.items():
        for unit in phrase.units:
            (habit,) = Habit.parse(f"{words} 3 {unit}")
            assert abs(habit.size) == (0.03 if unit == "%" else 3)


def test_several_habits_are_said_with_commas():
    both = Habit.parse("loose right 5 px, misses 20 %")
    assert both == (Habit.loose("right", px=5), Habit.misses(0.2))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lose right 5 px", "did you mean 'loose right'"),
        ("wrong lables 5 %", "did you mean 'wrong labels'"),
        ("dances 5 px", "loose left|top|right|bottom, tight"),
        ("", "there is no habit ''"),
        ("loose right", "say how much, such as 'loose right 5 px'"),
        ("loose right 5", "found: no unit"),
        ("misses 5 px", "misses is said in %"),
        ("loose right -5 px", "a number above 0"),
        ("misses 120 %", "found: 120 %"),
        ("misses 5 % on size smal", "did you mean 'small'"),
        ("misses 5 % on category car on category dog", "one category, one size"),
        ("rounding 1 px on category car", "cannot be limited"),
        (5, "a text in quotes"),
    ],
)
def test_what_cannot_be_said_is_refused_with_what_can(text, said):
    with pytest.raises(AnnqcError) as caught:
        Habit.parse(text)
    assert said in str(caught.value)
