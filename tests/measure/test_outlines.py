"""Paired outlines: planted offsets are found, with sign and size, whatever they are drawn as."""

import numpy as np
import pytest
import shapely

from annqc.geometry.masks import mask_boxes, paint
from annqc.geometry.polygons import bounding_boxes
from annqc.ids import ids_array
from annqc.match import match
from annqc.measure.outlines import (
    CONTOURS,
    OVERLAPS,
    QUARTERS,
    OutlineStatus,
    measure_outlines,
)
from annqc.measure.tolerance import Tolerance
from annqc.tables import Annotations, Dataset, Images, Shapes
from tests.geometry.figures import rings_of, shapes_of, star

CANVAS = (400, 500)
WHOLE = CONTOURS.index("contour")


def dataset(shapes, image=None, annotator=None, *, canvas=CANVAS, names=("ann",)):
    """A data set of shapes, one image each unless told otherwise."""
    n = len(shapes)
    image = np.arange(n) if image is None else np.asarray(image)
    boxes = np.fmax(bounding_boxes(shapes), mask_boxes(shapes))
    boxes = np.where(np.isnan(boxes), [10.0, 10.0, 20.0, 20.0], boxes)
    m = int(image.max()) + 1
    table = Annotations.build(
        image=image,
        annotator=np.zeros(n, dtype=int) if annotator is None else np.asarray(annotator),
        category=np.zeros(n, dtype=int),
        xyxy=boxes,
        shapes=shapes,
    )
    size = {} if canvas is None else {"height": [canvas[0]] * m, "width": [canvas[1]] * m}
    size = {name: np.array(column, dtype=float) for name, column in size.items()}
    images = Images.build(ids_array(list(range(m))), **size)
    return Dataset(table, images, ids_array(list(names)), ids_array([1]), ids_array(["cell"]))


def stars(n, seed=1):
    rng = np.random.default_rng(seed)
    return [shapely.make_valid(shapely.Polygon(star(rng, 40, jitter=0.05))) for _ in range(n)]


def painted(geometries, canvas=CANVAS):
    return paint(shapes_of(geometries), [canvas] * len(geometries))


def rounded(right=0.0, bottom=0.0):
    """A box of 120 x 100 with its corners cut, moved out on the right or at the bottom."""
    return shapely.box(100, 100, 220 + right, 200 + bottom)


def measured(gold, work, **kwargs):
    return measure_outlines(match(gold, work), **kwargs)


@pytest.mark.parametrize("growth", [1.5, -1.5])
def test_planted_growth_of_polygons(growth):
    gold = stars(8)
    work = [one.buffer(growth, quad_segs=32) for one in gold]
    found = measured(dataset(shapes_of(gold)), dataset(shapes_of(work)))
    assert found.status.tolist() == [OutlineStatus.OK] * 8
    assert found.offsets == pytest.approx(np.full((8, 5), growth), abs=0.12)
    assert not found.pixels.any()
    assert found.step.max() == 0
    # what the plain definitions give
    iou = [a.intersection(b).area / a.union(b).area for a, b in zip(gold, work, strict=True)]
    assert found.overlaps["mask_iou"] == pytest.approx(iou, abs=1e-9)
    ratio = [b.area / a.area for a, b in zip(gold, work, strict=True)]
    assert found.overlaps["area_ratio"] == pytest.approx(ratio, abs=1e-9)
    assert found.overlaps["assd"] == pytest.approx(np.full(8, 1.5), abs=0.12)
    assert found.overlaps["nsd"].min() > 0.95
    side = np.sqrt([one.area for one in gold])
    assert found.tolerance == pytest.approx(np.maximum(1, 0.02 * side))
    assert found.values("tolerance")[WHOLE] == pytest.approx(
        found.offsets[:, WHOLE] / found.tolerance
    )


@pytest.mark.parametrize("growth", [2.0, -2.0])
def test_planted_growth_of_masks(growth):
    gold = stars(8)
    work = [one.buffer(growth) for one in gold]
    found = measured(dataset(painted(gold)), dataset(painted(work)))
    assert found.pixels.all()
    assert found.offsets == pytest.approx(np.full((8, 5), growth), abs=0.15)
    assert found.offsets.mean() == pytest.approx(growth, abs=0.06)
    assert (found.step > 0).all()
    assert np.isnan(found.density).all()


@pytest.mark.parametrize("kind", ["polygons", "masks", "mask of a polygon", "polygon of a mask"])
def test_a_side_that_moves_alone(kind):
    as_gold = painted if kind in {"masks", "polygon of a mask"} else shapes_of
    as_work = painted if kind in {"masks", "mask of a polygon"} else shapes_of
    found = measured(
        dataset(as_gold([rounded(), rounded()])),
        dataset(as_work([rounded(right=2), rounded(bottom=-2)])),
    )
    assert found.pixels.tolist() == [kind != "polygons"] * 2
    assert found.offsets[0, :4] == pytest.approx([0, 0, 2, 0], abs=0.1)
    assert found.offsets[1, :4] == pytest.approx([0, 0, 0, -2], abs=0.1)
    assert found.overlaps["mask_iou"] == pytest.approx([120 / 122, 0.98])


@pytest.mark.parametrize("draw", [shapes_of, painted])
@pytest.mark.parametrize(
    ("name", "corner"),
    [
        ("contour_top_left", (0, 0)),
        ("contour_top_right", (400, 0)),
        ("contour_bottom_right", (400, 300)),
        ("contour_bottom_left", (0, 300)),
    ],
)
def test_a_quarter_that_is_dilated_alone(draw, name, corner):
    """What lies towards one corner of the image, seen from the middle of the object."""
    disc = shapely.Point(200, 150).buffer(60, quad_segs=32)
    part = shapely.box(*np.minimum(corner, (200, 150)), *np.maximum(corner, (200, 150)))
    wider = disc.union(disc.buffer(3, quad_segs=32).intersection(part))
    found = measured(dataset(draw([disc])), dataset(draw([wider])))
    expected = [3.0 * (one == name) for one in QUARTERS]
    assert found.quarters[0] == pytest.approx(expected, abs=0.12)
    assert found.values("tolerance", quarters=True)[:, 0] == pytest.approx(
        found.quarters[0] / found.tolerance[0]
    )
    # the steps of masks: a pixel at one place of a quarter of the contour
    step = 0 if draw is shapes_of else 4 / (2 * np.pi * 60)
    assert found.quarter_step[0] == pytest.approx([step] * 4, rel=0.05)
    # the quarters make up the whole
    assert found.quarters[0].mean() == pytest.approx(found.offsets[0, WHOLE], abs=0.05)


def test_measures_stand_in_relation():
    gold = stars(6)
    work = [shapely.affinity.translate(one, 4, 3) for one in gold]
    found = measured(dataset(shapes_of(gold)), dataset(shapes_of(work)))
    one = found.overlaps
    assert set(one) == set(OVERLAPS)
    assert one["dice"] == pytest.approx(2 * one["mask_iou"] / (1 + one["mask_iou"]))
    assert one["coverage"] == pytest.approx(one["purity"])  # of one size
    assert (one["boundary_iou"] < one["mask_iou"]).all()
    assert (one["assd"] < one["hd95"]).all()
    left, top, right, bottom, whole = found.offsets.mean(axis=0)
    assert (left, right) == (pytest.approx(-right, abs=0.5), pytest.approx(3.4, abs=0.6))
    assert (top, bottom) == (pytest.approx(-bottom, abs=0.5), pytest.approx(2.3, abs=0.7))
    assert whole == pytest.approx(0, abs=0.3)


def test_other_canvases_are_said_and_not_resized():
    gold = dataset(painted(stars(1)))
    matches = match(gold, dataset(painted(stars(1))))
    other = dataset(painted(stars(1), canvas=(450, 500)), canvas=None)
    object.__setattr__(matches, "candidate", other)  # what a match would have left out
    found = measure_outlines(matches)
    assert found.status.tolist() == [OutlineStatus.OTHER_CANVAS]
    assert np.isnan(found.offsets).all()
    assert np.isnan(list(found.overlaps.values())).all()


def test_outlines_that_share_nothing_have_no_offset():
    frame = shapely.box(50, 50, 150, 150).difference(shapely.box(60, 60, 140, 140))
    found = measured(
        dataset(shapes_of([frame])), dataset(shapes_of([shapely.box(61, 61, 139, 139)]))
    )
    assert found.status.tolist() == [OutlineStatus.APART]
    assert np.isnan(found.offsets).all()
    assert found.overlaps["mask_iou"].tolist() == [0]
    assert not found.short.any()


def test_an_image_of_unknown_size_has_no_boundary_iou():
    found = measured(
        dataset(shapes_of(stars(2)), canvas=None), dataset(shapes_of(stars(2)), canvas=None)
    )
    assert found.no_canvas.all()
    assert np.isnan(found.overlaps["boundary_iou"]).all()
    assert found.overlaps["mask_iou"].tolist() == pytest.approx([1, 1])


def test_a_short_side_and_one_at_the_border():
    flat = shapely.box(0, 100, 200, 103)
    found = measured(dataset(shapes_of([flat])), dataset(shapes_of([flat])))
    # the left lies at the border of the image, the right is 3 px long
    assert found.short.tolist() == [[True, False, True, False, False]]
    assert found.offsets[0].tolist() == pytest.approx([np.nan, 0, np.nan, 0, 0], nan_ok=True)


def test_boxes_alone_have_no_row():
    gold, work = stars(3), stars(3)
    some = Shapes.from_rings([rings_of(work[0]), None, rings_of(work[2])])
    boxes = dataset(shapes_of(work)).table.xyxy
    drawn = dataset(some)
    drawn.table.xyxy[:] = boxes
    found = measured(dataset(shapes_of(gold)), drawn)
    assert found.reference.tolist() == [0, 2]
    object.__setattr__(drawn.table, "shapes", None)
    assert len(measured(dataset(shapes_of(gold)), drawn)) == 0


def test_both_engines_agree():
    gold, work = stars(4), [one.buffer(1) for one in stars(4)]
    for draw in (shapes_of, painted):
        matches = match(dataset(draw(gold)), dataset(draw(work)))
        one, two = (measure_outlines(matches, engine=engine) for engine in ("numpy", "numba"))
        assert one.offsets == pytest.approx(two.offsets, abs=1e-9)
        for name in OVERLAPS:
            assert one.overlaps[name] == pytest.approx(two.overlaps[name], abs=1e-9)


def test_the_tolerance_is_that_of_the_outline():
    gold = dataset(shapes_of([shapely.box(100, 100, 300, 150)]))
    found = measured(gold, gold, tolerance=Tolerance.parse("3 %"))
    assert found.tolerance.tolist() == [3.0]  # the side of a square of 10,000 px
