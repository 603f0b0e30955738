"""How outlines were drawn: what is planted is told, and what is as fine as the gold is not."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from annqc.geometry.masks import paint
from annqc.match import match
from annqc.measure.outline_styles import STYLES, measure_styles
from annqc.measure.outlines import measure_outlines
from tests.geometry.figures import shapes_of, star
from tests.measure.test_outlines import CANVAS, dataset


def styles_of(gold, work):
    matches = match(dataset(gold), dataset(work))
    measured = measure_outlines(matches)
    assert len(measured) == len(gold)
    return measured, measure_styles(matches, measured)


def rounds(n=6, points=60):
    rng = np.random.default_rng(3)
    return [shapely.Polygon(star(rng, points, jitter=0.003)) for _ in range(n)]


def told(styles):
    return {name for name in STYLES if styles.odd[name].all()}


def traced(geometry):
    """The edges of the pixels of a painted polygon."""
    shapes = paint(shapes_of([geometry]), [CANVAS])
    column = np.cumsum(shapes.runs)
    strips = [
        shapely.box(a // CANVAS[0], a % CANVAS[0], a // CANVAS[0] + 1, (b - 1) % CANVAS[0] + 1)
        for a, b in zip(column[::2], column[1::2], strict=False)
    ]
    return shapely.union_all(strips)


def test_what_is_drawn_as_finely_as_the_gold_is_not_told():
    gold = rounds()
    work = [one.buffer(0.8) for one in gold]
    _, found = styles_of(shapes_of(gold), shapes_of(work))
    assert not any(found.odd[name].any() for name in STYLES)
    assert {name for name in STYLES if found.known[name].all()} == {*STYLES} - {"holes_filled"}
    assert np.abs(found.chord_px).max() < 0.2


@pytest.mark.parametrize(
    ("work", "names"),
    [
        (lambda one: one, {"copied"}),
        (lambda one: shapely.Polygon(np.array(one.exterior.coords)[:-1:5]), {"simplified"}),
        (
            lambda one: shapely.Polygon(np.array(one.exterior.coords)[:-1:10]),
            {"simplified", "few_points"},
        ),
        (traced, {"staircase"}),
    ],
)
def test_what_is_planted_is_told(work, names):
    gold = rounds()
    measured, found = styles_of(shapes_of(gold), shapes_of([work(one) for one in gold]))
    assert told(found) == names
    counts = [len(work(one).exterior.coords) - 1 for one in gold]
    length = [work(one).length / one.length for one in gold]
    assert found.density_ratio == pytest.approx(np.array(counts) / 60 / length)
    if "simplified" in names:
        # the whole offset of an outline whose vertices are the gold's is due to its chords
        whole = measured.offsets[:, 4]
        assert found.chord_px == pytest.approx(whole, rel=0.25)


def test_an_object_with_steps_is_no_staircase():
    stairs = shapely.union_all([shapely.box(100 + 9 * k, 80, 109 + 9 * k, 100 + 9 * k)
                                for k in range(12)])  # fmt: skip
    _, found = styles_of(shapes_of([stairs]), shapes_of([stairs.buffer(1, join_style="mitre")]))
    assert not found.odd["staircase"].any()
    assert found.known["staircase"].all()


def test_a_box_may_be_equal_by_chance():
    gold = shapes_of([shapely.box(50, 50, 120, 90)])
    _, found = styles_of(gold, gold)
    assert not found.odd["copied"].any()


@pytest.mark.parametrize(("corners", "copied"), [(4, False), (6, False), (40, True)])
def test_a_simple_mask_may_be_equal_by_chance_however_wide_it_is(corners, copied):
    one = {
        4: shapely.box(50, 50, 90, 80),
        6: shapely.box(50, 50, 90, 80).union(shapely.box(50, 80, 70, 110)),
        40: shapely.Point(90, 90).buffer(30),
    }[corners]
    gold = paint(shapes_of([one]), [CANVAS])
    _, found = styles_of(gold, gold)
    assert found.odd["copied"].tolist() == [copied]


def ring(hole=20.0):
    whole = shapely.Point(200, 150).buffer(60)
    return whole - shapely.Point(200, 150).buffer(hole) if hole else whole


@pytest.mark.parametrize("draw", [shapes_of, lambda some: paint(shapes_of(some), [CANVAS])])
@pytest.mark.parametrize(
    ("gold", "work", "names", "with_holes"),
    [
        (ring(), ring(0), {"holes_filled"}, True),
        (ring(0), ring(), {"holes_opened"}, False),
        (ring(), ring(18), set(), True),
        (ring(0), ring(2), set(), False),
    ],
)
def test_holes_are_told_by_their_areas_and_are_no_offset(draw, gold, work, names, with_holes):
    measured, found = styles_of(draw([gold]), draw([work]))
    assert told(found) - {"copied"} == names
    assert found.known["holes_filled"].tolist() == [with_holes]
    assert measured.offsets == pytest.approx(0, abs=0.01)
    assert measured.quarters == pytest.approx(0, abs=0.01)


def test_masks_have_no_vertices_but_can_be_copies():
    gold = paint(shapes_of(rounds()), [CANVAS] * 6)
    _, found = styles_of(gold, gold)
    assert found.odd["copied"].all()
    assert np.isnan(found.density_ratio).all()
    assert not any(found.known[name].any() for name in ("few_points", "staircase", "simplified"))
    _, mixed = styles_of(gold, shapes_of(rounds()))
    assert mixed.known["staircase"].all()
    assert not mixed.known["copied"].any()


def test_boxes_alone_have_no_style():
    gold = dataset(shapes_of(rounds()))
    object.__setattr__(gold.table, "shapes", None)
    matches = match(gold, gold)
    found = measure_styles(matches, measure_outlines(matches))
    assert len(found.chord_px) == 0
    assert [len(found.odd[name]) for name in STYLES] == [0] * len(STYLES)
