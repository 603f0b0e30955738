import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import SpecError
from annqc.measure.tolerance import Tolerance


@pytest.mark.parametrize(
    ("text", "px", "rel"),
    [
        ("2 px", 2.0, 0.0),
        ("2px", 2.0, 0.0),
        ("3 %", 0.0, 0.03),
        (".5%", 0.0, 0.005),
        ("max(1 px, 2 %)", 1.0, 0.02),
        ("max( 2 %,1 px )", 1.0, 0.02),
    ],
)
def test_reads_units(text, px, rel):
    assert Tolerance.parse(text) == Tolerance(px=px, rel=rel)


@pytest.mark.parametrize(
    "text",
    ["", "2", "px", "-1 px", "2 px 3 %", "max(1 px)x", "1 px, 2 %", "0 px", "max(1 px, 2 px)"],
)
def test_refuses_the_rest_with_an_example(text):
    with pytest.raises(SpecError, match="tolerance") as refusal:
        Tolerance.parse(text)
    assert refusal.value.expected


def test_refuses_what_is_no_text():
    with pytest.raises(SpecError, match="float"):
        Tolerance.parse(2.0)


def test_a_bare_number_is_told_about_units():
    with pytest.raises(SpecError, match="needs its unit"):
        Tolerance.parse("2")


@given(
    px=st.floats(0.1, 50).map(lambda x: round(x, 2)),
    rel=st.floats(0.001, 0.5).map(lambda x: round(x, 4)),
)
def test_text_reads_back(px, rel):
    for tolerance in (Tolerance(px=px, rel=0), Tolerance(px=0, rel=rel), Tolerance(px=px, rel=rel)):
        again = Tolerance.parse(str(tolerance))
        assert (again.px, again.rel) == pytest.approx((tolerance.px, tolerance.rel))


def test_the_larger_part_counts():
    sides = np.array([10.0, 49.9, 50.0, 400.0])
    np.testing.assert_allclose(Tolerance().of(sides), [1.0, 1.0, 1.0, 8.0])
    assert Tolerance().of(400.0) == 8.0
