from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.shapes import gather
from annqc.tables import Annotations, Shapes
from annqc.testing.strategies import polygons_with_holes

SQUARE = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
RUNS = np.array([5, 2, 2, 2, 5])


def some():
    """A polygon of two rings, a box, a mask, a polygon."""
    polygons = Shapes.from_rings([[SQUARE, SQUARE + 9], None, [], [SQUARE[:3]]])
    return Shapes.mixed(polygons, Shapes.from_runs([None, None, RUNS, None], [(4, 4)] * 4))


def listed(shapes):
    return [
        (
            int(shapes.kind[k]),
            [ring.tolist() for ring in shapes.rings(k)],
            shapes.runs_of(k).tolist(),
            shapes.canvas[k].tolist(),
        )
        for k in range(len(shapes))
    ]


def test_builders_and_columns():
    shapes = some()
    assert shapes.kind.tolist() == [1, 0, 2, 1]
    assert shapes.kind_names.tolist() == ["polygon", "box", "mask", "polygon"]
    assert shapes.vertex_counts.tolist() == [8, 0, 0, 3]
    assert shapes.canvas.tolist() == [[0, 0], [0, 0], [4, 4], [0, 0]]
    assert shapes.ring_offsets.tolist() == [0, 4, 8, 11]
    assert {field.name: getattr(shapes, field.name).dtype.name for field in fields(shapes)} == {
        "kind": "int8",
        "points": "float64",
        "ring_offsets": "int64",
        "shape_offsets": "int64",
        "runs": "int64",
        "run_offsets": "int64",
        "canvas": "int64",
    }


@given(rows=st.lists(st.integers(-4, 3), max_size=9))
def test_take_is_what_indexing_a_list_is(rows):
    shapes = some()
    assert listed(shapes.take(rows)) == [listed(shapes)[row] for row in rows]


def test_take_by_booleans_and_beyond_the_end():
    shapes = some()
    kept = np.array([True, False, True, False])
    assert listed(shapes.take(kept)) == [listed(shapes)[0], listed(shapes)[2]]
    with pytest.raises(IndexError):
        shapes.take([4])


@given(cuts=st.lists(st.integers(0, 4), max_size=3))
def test_concatenation_undoes_cutting(cuts):
    shapes = some()
    bounds = [0, *sorted(cuts), 4]
    parts = [shapes.take(range(a, b)) for a, b in pairwise(bounds)]
    assert listed(Shapes.concat(parts)) == listed(shapes)
    assert listed(Shapes.concat([Shapes.empty(2), shapes]))[2:] == listed(shapes)


@given(drawn=st.lists(polygons_with_holes(), max_size=5), data=st.data())
def test_polygons_survive_gathering(drawn, data):
    shapes = Shapes.from_rings(drawn)
    rows = data.draw(st.permutations(range(len(drawn))))
    again = shapes.take(rows).take(np.argsort(rows))
    assert listed(again) == listed(shapes)


def test_gather_of_nothing():
    places, offsets = gather(np.array([0, 3]), np.empty(0, dtype=np.int64))
    assert (places.tolist(), offsets.tolist()) == ([], [0])


def test_annotations_carry_their_shapes():
    table = Annotations.build(
        image=[0] * 4, annotator=[0] * 4, category=[0] * 4, xyxy=np.zeros((4, 4)), shapes=some()
    )
    assert listed(table.take(np.array([3, 0])).shapes) == [listed(some())[3], listed(some())[0]]
    bare = Annotations.build(image=[0], annotator=[0], category=[0], xyxy=np.zeros((1, 4)))
    assert bare.take([0]).shapes is None
