from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import ReadError
from annqc.read import numberlines, read
from annqc.read.numberlines import number_lines, number_of

CELL = st.one_of(
    st.integers(-99, 99).map(str),
    st.floats(allow_nan=False).map(repr),
    st.sampled_from(
        ["", " 7", "+3", ".5", "1.", "007", "nan", "-inf", "x", "1_0", '"', "]", "\u0663"]
    ),
)
LINES = st.lists(st.lists(CELL, min_size=1, max_size=4).map(",".join), max_size=12)


def slow(text, fewest, most):
    """Line by line, with nothing but float."""
    rows, bad, width = [], [], None
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if not stripped:
            continue
        cells = stripped[:-1].split(",") if stripped.endswith(",") else stripped.split(",")
        try:
            values = [float("no" if "_" in c or not c.isascii() else c) for c in cells]
        except ValueError:
            bad.append(number)
            continue
        if len(values) != width if width else not fewest <= len(values) <= most:
            bad.append(number)
            continue
        width = len(values)
        rows.append((number, values))
    return rows, bad


@given(
    lines=LINES,
    at_once=st.sampled_from([(1, 1), (30, 7), (1 << 22, 1 << 16)]),
    end=st.sampled_from(["", "\n"]),
)
def test_as_a_slow_reading_has_it(lines, at_once, end):
    text = "\n".join(lines) + end
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numberlines, "_AT_ONCE", at_once)
        found = number_lines(text, 2, 3)
    rows, bad = slow(text, 2, 3)
    assert [number for number, _ in found.bad] == bad
    assert found.line.tolist() == [number for number, _ in rows]
    expected = np.array([values for _, values in rows], dtype=np.float64)
    np.testing.assert_array_equal(found.values, expected.reshape(found.values.shape))
    assert found.n_rows == len(rows) + len(bad)


@pytest.mark.parametrize(
    ("cell", "number"), [("1e3", 1000), (" 7 ", 7), ("1_0", None), ("\u0663", None), ("", None)]
)
def test_numbers(cell, number):
    assert number_of(cell) == number


ANY = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.lists(st.sampled_from(["1", "-1", "0", "2.5", "Car", "nan", "1e9", "52203", "99"])),
        max_size=4,
    ).flatmap(
        lambda rows: st.sampled_from([",", " "]).map(
            lambda sign: "\n".join(sign.join(row) for row in rows)
        )
    ),
)


@given(text=ANY, format=st.sampled_from(["mot", "kitti", "mots"]))
def test_whatever_the_text_rows_are_read_or_listed(tmp_path_factory, text, format):
    path = tmp_path_factory.mktemp("any") / "a.txt"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        dataset = read(path, format=format)
    except ReadError:
        return
    assert len(dataset) + dataset.n_dropped == dataset.n_rows
    assert np.isfinite(dataset.table.xyxy).all()
