"""What everybody who was asked said of every object, beside plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.errors import TableError
from annqc.measure.units import unit_entries


@given(st.data())
def test_everybody_who_was_asked_has_an_entry(data):
    n_images = data.draw(st.integers(1, 4))
    some = st.sets(st.integers(0, 4), min_size=1)
    asked = [sorted(data.draw(some)) for _ in range(n_images)]
    image = [data.draw(st.integers(0, n_images - 1)) for _ in range(data.draw(st.integers(0, 5)))]
    drawn = [
        (o, who)
        for o, where in enumerate(image)
        for who in asked[where]
        if data.draw(st.booleans())
    ]
    drawn += [(-1, 0)]
    drawn = data.draw(st.permutations(drawn))
    expected = [
        (o, who, drawn.index((o, who)) if (o, who) in drawn else -1)
        for o, where in enumerate(image)
        for who in asked[where]
    ]
    found = unit_entries(
        *np.array(drawn).T,
        image,
        np.concatenate([[0], np.cumsum([len(one) for one in asked])]),
        np.concatenate(asked),
    )
    assert list(zip(*(one.tolist() for one in found), strict=True)) == expected
    names = np.arange(len(drawn)) + 10
    assert found.values(names).tolist() == [r + 10 if r >= 0 else -1 for *_, r in expected]


def test_what_is_refused():
    with pytest.raises(TableError, match="twice"):
        unit_entries([0, 0], [1, 1], [0], [0, 2], [0, 1])
    with pytest.raises(TableError, match="not asked"):
        unit_entries([0], [2], [0], [0, 2], [0, 1])
