from __future__ import annotations

import numpy as np
import pytest

from annqc.errors import AnnqcError, SpecError, UnknownNameError
from annqc.simulate import Habit, PlantedHabits
from annqc.simulate.habits import OUTWARD
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
