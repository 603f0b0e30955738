"""Simulated outlines: what is planted is there, in normal form, and noise is what was asked for."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from annqc.errors import SpecError, UnknownNameError
from annqc.geometry.contour_pairs import contour_offsets
from annqc.geometry.masks import mask_areas
from annqc.geometry.outlines import outline_style
from annqc.geometry.polygons import polygon_areas, signed_areas
from annqc.geometry.repair import normalise
from annqc.simulate import OutlineHabit, outlines
from annqc.simulate.contours import Contours, draw_contours, facing_weight, resample, wobble

STILL = {"noise_px": 0.0, "noise_rel": 0.0}


def offsets_of(made):
    gold, work = made.gold.table.shapes, made.work.table.shapes
    rows = np.arange(len(work))
    found = contour_offsets(gold, work, made.origin, rows, symmetric=True)
    return np.column_stack([found.whole, found.sides])


@pytest.fixture
def contours():
    rng = np.random.default_rng(3)
    centre, wh = rng.uniform(100, 900, (60, 2)), rng.uniform(30, 300, (60, 2))
    return draw_contours(rng, centre, wh, roughness=0.6, holes=0.5)


def test_contours_fill_their_boxes_and_holes_lie_inside(contours):
    outer = ~contours.hole
    assert 10 < contours.hole.sum() < 50
    polygons = shapely.polygons(contours.points)
    assert shapely.is_valid(polygons).all()
    holes = np.flatnonzero(contours.hole)
    assert shapely.contains_properly(polygons[contours.of[holes]], polygons[holes]).all()
    assert contours.of[outer].tolist() == list(range(60))


def test_normals_point_out_of_the_object(contours):
    stepped = contours.points + 0.5 * contours.normals()
    grown = shapely.area(shapely.polygons(stepped)) - shapely.area(
        shapely.polygons(contours.points)
    )
    assert ((grown > 0) == ~contours.hole).all()
    by_length = 0.5 * contours.lengths().sum(axis=1)
    np.testing.assert_allclose(np.abs(grown), by_length, rtol=0.08)


def test_dilation_is_the_normal_offset_of_the_contour(contours):
    moved = contours.points + 1.5 * contours.normals()
    rows = np.flatnonzero(~contours.hole)
    here = shapely.polygons(moved[rows])
    true = shapely.buffer(shapely.polygons(contours.points[rows]), 1.5, quad_segs=32)
    apart = shapely.hausdorff_distance(shapely.boundary(here), shapely.boundary(true))
    assert np.median(apart) < 0.02
    assert apart.max() < 0.4


def test_a_side_fades_out_beyond_45_degrees():
    angle = np.radians([0.0, 44.9, 52.5, 60.1, 180.0])
    normals = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    np.testing.assert_allclose(facing_weight(normals, "right"), [1, 1, 0.5, 0, 0], atol=1e-9)
    np.testing.assert_allclose(facing_weight(-normals, "left"), [1, 1, 0.5, 0, 0], atol=1e-9)
    turned = np.stack([-normals[:, 1], normals[:, 0]], axis=1)
    np.testing.assert_allclose(facing_weight(turned, "bottom"), [1, 1, 0.5, 0, 0], atol=1e-9)
    np.testing.assert_allclose(facing_weight(-turned, "top"), [1, 1, 0.5, 0, 0], atol=1e-9)


def test_noise_has_its_scale_its_length_and_its_icc():
    rng = np.random.default_rng(4)
    n = 4_000
    turn = 2 * np.pi * np.arange(256) / 256
    circle = 100.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    rings = Contours(np.tile(circle, (n, 1, 1)), np.arange(n), np.zeros(n, dtype=bool))
    noise = wobble(rng, rings, np.arange(n) // 4, sd=np.full(n, 2.0), length=20.0, icc=0.3)
    assert noise.std() == pytest.approx(2.0, rel=0.03)
    assert abs(noise.mean()) < 0.06
    same = noise.reshape(-1, 4, 256)
    alike = np.mean([(same[:, 0] * same[:, k]).mean() for k in (1, 2, 3)]) / 4.0
    assert alike == pytest.approx(0.3, abs=0.03)
    alone = wobble(rng, rings, np.arange(n) // 4, sd=np.full(n, 2.0), length=20.0, icc=0.0)
    step = 2 * np.pi * 100 / 256
    lag = round(20.0 / step)
    here = (alone * np.roll(alone, lag, axis=1)).mean() / 4.0
    assert here == pytest.approx(np.exp(-0.5 * (lag * step / 20.0) ** 2), abs=0.04)


def test_vertices_lie_on_the_ring_in_order():
    rng = np.random.default_rng(6)
    made = draw_contours(rng, np.full((20, 2), 200.0), np.full((20, 2), 90.0), roughness=1, holes=0)
    counts = rng.integers(20, 80, 20)
    vertices, offsets = resample(rng, made.points, counts)
    assert np.diff(offsets).tolist() == counts.tolist()
    assert (signed_areas(vertices, offsets) > 0).all()
    for k in range(20):
        ring = shapely.LinearRing(made.points[k])
        mine = shapely.points(vertices[offsets[k] : offsets[k + 1]])
        assert shapely.distance(ring, mine).max() < 1e-9
        along = shapely.line_locate_point(ring, mine)
        assert (np.diff(along) > 0).all()


@pytest.mark.parametrize(
    ("habit", "column"),
    [
        (OutlineHabit.dilated(1.5), 0),
        (OutlineHabit.eroded(1.0), 0),
        (OutlineHabit.moved("left", 2.0), 1),
        (OutlineHabit.moved("top", -2.0), 2),
        (OutlineHabit.moved("right", 2.0), 3),
        (OutlineHabit.moved("bottom", 2.0), 4),
    ],
)
def test_what_is_planted_is_measured(habit, column):
    made = outlines({"ann": habit}, n_images=25, holes=0.3, side=(50, 150), rng=7, **STILL)
    found = offsets_of(made)
    np.testing.assert_allclose(made.offsets[:, column], habit.size, atol=1e-9)
    np.testing.assert_allclose(
        np.nanmean(found, axis=0), np.nanmean(made.offsets, axis=0), atol=0.11
    )


def test_clean_annotators_have_no_offset_and_the_noise_they_were_given():
    made = outlines(2, n_images=200, side=(60, 120), icc=0.0, noise_px=1.0, noise_rel=0.0, rng=8)
    found = offsets_of(made)
    assert np.nanmean(found, axis=0) == pytest.approx(np.zeros(5), abs=0.05)
    assert 0.2 < np.nanstd(found[:, 0]) < 0.6
    assert np.nanmean(made.offsets, axis=0).tolist() == [0.0] * 5


def test_polygons_are_in_normal_form_and_have_as_many_vertices_as_asked_for():
    made = outlines(3, n_images=40, holes=0.3, vertices=(20, 60), rng=9)
    for one in (made.gold, made.work):
        again, faults = normalise(one.table.shapes, fill="union", hole=_holes(one.table.shapes))
        assert not faults
        assert (polygon_areas(again) == polygon_areas(one.table.shapes)).all()
        rings = np.diff(one.table.shapes.ring_offsets)
        assert rings.min() >= 20
        assert rings.max() <= 60
        assert one.table.xyxy.min() > 0


def _holes(shapes):
    return signed_areas(shapes.points, shapes.ring_offsets) < 0


def test_simplified_outlines_have_fewer_vertices_and_stay_near():
    made = outlines(
        {"ann": [], "bob": OutlineHabit.simplified(2.0)}, n_images=30, holes=0.2, rng=10, **STILL
    )
    n = len(made.gold)
    counts = outline_style(made.work.table.shapes).vertices
    assert counts[n:].mean() < 0.6 * counts[:n].mean()
    assert np.isfinite(counts).all()
    assert abs(np.nanmean(offsets_of(made)[n:, 0])) < 1.0


def test_rotation_turns_and_does_not_grow():
    made = outlines({"ann": OutlineHabit.rotated(8.0)}, n_images=60, rng=11, **STILL)
    area = polygon_areas(made.work.table.shapes) / polygon_areas(made.gold.table.shapes)
    assert area.mean() == pytest.approx(1.0, abs=0.01)
    assert abs(offsets_of(made)[:, 0]).mean() < 0.5
    moved = np.abs(offsets_of(made)[:, 1:])
    assert np.nanmean(moved) > 0.1
    assert [(one.quantity, one.unit) for one in made.planted] == [("rotation", "degrees")]


def test_masks_are_the_polygons_painted():
    options = {"n_images": 20, "holes": 0.3, "rng": 12}
    drawn, painted = outlines(2, **options), outlines(2, drawn_as="mask", **options)
    assert set(painted.work.table.shapes.kind_names) == {"mask"}
    assert (painted.gold.table.shapes.canvas == [960, 1280]).all()
    area = mask_areas(painted.work.table.shapes), polygon_areas(drawn.work.table.shapes)
    np.testing.assert_allclose(*area, rtol=0.03)
    np.testing.assert_allclose(painted.work.table.xyxy, drawn.work.table.xyxy, atol=1.01)


def test_a_habit_of_one_leaves_the_others_as_they_were():
    clean = outlines({"ann": [], "bob": []}, n_images=5, rng=13)
    other = outlines({"ann": OutlineHabit.dilated(3), "bob": []}, n_images=5, rng=13)
    n = len(clean.gold)
    np.testing.assert_array_equal(clean.gold.table.xyxy, other.gold.table.xyxy)
    np.testing.assert_array_equal(clean.work.table.xyxy[n:], other.work.table.xyxy[n:])
    assert (clean.work.table.xyxy[:n, 0] > other.work.table.xyxy[:n, 0] + 1.5).all()


def test_no_objects_are_no_outlines():
    made = outlines(2, n_images=3, objects_per_image=[0, 0, 0], rng=1)
    assert len(made.gold) == len(made.work) == 0
    assert repr(made).startswith("<annqc.simulate.DrawnOutlines: 0 gold outlines on 3 images")


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"annotators": {"ann": ["loose"]}}, SpecError, "names with habits"),
        ({"drawn_as": "points"}, UnknownNameError, "drawing"),
        ({"side": (300, 30)}, SpecError, "the smaller number first"),
        ({"noise_px": -1.0}, SpecError, "noise_px must be a finite number"),
        ({"icc": 1.0}, SpecError, "icc must be at least 0 and below 1"),
        ({"image_size": (20, 20)}, SpecError, "too small for outlines"),
    ],
)
def test_what_makes_no_sense_is_refused(options, error, text):
    with pytest.raises(error, match=text):
        outlines(**{"n_images": 3, "rng": 1, **options})


def test_habits_refuse_what_makes_no_sense():
    with pytest.raises(UnknownNameError, match="side"):
        OutlineHabit.moved("inside", 2)
    with pytest.raises(SpecError, match="finite number"):
        OutlineHabit.dilated(float("nan"))
