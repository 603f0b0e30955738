import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.match import match
from annqc.measure.detection import detections
from annqc.measure.offsets import iou_1d, measure, offsets
from annqc.measure.tolerance import Tolerance
from annqc.tables import Annotations, Dataset, Images

QUANTITIES = ["out_left", "out_top", "out_right", "out_bottom", "dx", "dy", "dw", "dh"]


def dataset(boxes, image=None, *, annotator=None, size=(1000.0, 800.0), track=None):
    """Boxes of one category on images of one size."""
    boxes = np.asarray(boxes, dtype=float).reshape(-1, 4)
    image = np.zeros(len(boxes), int) if image is None else np.asarray(image)
    who = np.zeros(len(boxes), int) if annotator is None else np.asarray(annotator)
    n_images = int(image.max(initial=0)) + 1
    return Dataset(
        table=Annotations.build(
            image=image,
            annotator=who,
            category=np.zeros(len(boxes)),
            xyxy=boxes,
            track=None if track is None else np.asarray(track),
        ),
        image_table=Images.build(
            np.arange(n_images), width=np.full(n_images, size[0]), height=np.full(n_images, size[1])
        ),
        annotator_ids=np.array([f"a{k}" for k in range(int(who.max(initial=0)) + 1)], dtype=object),
        category_ids=np.array([1]),
        category_names=np.array(["thing"], dtype=object),
        n_rows=len(boxes),
    )


def measured(gold, drawn, **options):
    return measure(match(dataset(gold), dataset(drawn)), **options)


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ([97, 100, 200, 300], {"out_left": 3, "dx": -1.5, "dw": 3}),
        ([100, 104, 200, 300], {"out_top": -4, "dy": 2, "dh": -4}),
        ([100, 100, 202, 300], {"out_right": 2, "dx": 1, "dw": 2}),
        ([100, 100, 200, 295], {"out_bottom": -5, "dy": -2.5, "dh": -5}),
        ([105, 100, 205, 300], {"out_left": -5, "out_right": 5, "dx": 5}),
        ([100, 96, 200, 296], {"out_top": 4, "out_bottom": -4, "dy": -4}),
    ],
)
def test_signs_are_the_words(drawn, expected):
    found = measured([[100, 100, 200, 300]], [drawn])
    values = dict(zip(QUANTITIES, found.values("px")[:, 0], strict=True))
    assert values == {name: expected.get(name, 0.0) for name in QUANTITIES}


def test_units_divide_by_the_reference():
    found = measured([[100, 100, 200, 300]], [[90, 100, 200, 320]])
    by_name = {unit: found.values(unit)[:, 0] for unit in ("px", "rel", "tolerance")}
    assert by_name["px"][[0, 3]].tolist() == [10, 20]
    assert by_name["rel"][[0, 3]].tolist() == [0.1, 0.1]
    # 2 % of 100 and of 200
    assert by_name["tolerance"][[0, 3]].tolist() == [5, 5]


def test_a_tolerance_of_ones_own():
    found = measured(
        [[100, 100, 200, 300]], [[90, 100, 200, 320]], tolerance=Tolerance(px=4, rel=0)
    )
    assert found.values("tolerance")[[0, 3], 0].tolist() == [2.5, 5]


@given(a=st.floats(-30, 30), b=st.floats(-30, 30), length=st.floats(1, 100))
def test_one_dimensional_overlap(a, b, length):
    low, high = -a, length + b
    inter = max(0.0, min(length, high) - max(0.0, low))
    union = max(high - low, 0) + length - inter
    got = iou_1d(np.array([a]), np.array([b]), np.array([length]))[0]
    # An interval that is inside out has no length, and no overlap worth the name.
    if high > low:
        assert got == pytest.approx(inter / union, abs=1e-9)


def test_the_gate_of_an_axis_looks_at_the_other():
    # Far too tall, fine in width: the vertical offsets stay, the horizontal ones are gated.
    found = measured([[100, 100, 200, 200]], [[100, 100, 200, 420]])
    usable = dict(zip(QUANTITIES, found.usable[0], strict=True))
    assert not usable["out_left"]
    assert not usable["dw"]
    assert usable["out_bottom"]
    assert usable["dh"]
    assert found.values("px")[3, 0] == 220
    assert np.isnan(found.values("px")[0, 0])
    assert found.gated[0].tolist() == [True, False]


def test_edges_at_the_border_are_left_out():
    found = measured([[1, 100, 200, 300]], [[9, 100, 200, 300]])
    usable = dict(zip(QUANTITIES, found.usable[0], strict=True))
    assert [name for name in QUANTITIES if not usable[name]] == ["out_left", "dx", "dw"]
    drawn_to_it = measured([[5, 100, 200, 300]], [[2, 100, 200, 300]])
    assert drawn_to_it.at_border[0].tolist() == [True, False, False, False]
    far_corner = measured([[900, 700, 998, 798]], [[900, 700, 990, 790]])
    assert far_corner.at_border[0].tolist() == [False, False, True, True]


def test_without_a_size_two_borders_are_known():
    gold = dataset([[1, 100, 200, 300], [300, 0, 400, 90]], size=(np.nan, np.nan))
    found = measure(match(gold, gold))
    assert found.at_border.tolist() == [[True, False, False, False], [False, True, False, False]]


def test_ambiguous_pairs_are_left_out():
    gold = dataset([[100, 100, 200, 200], [101, 100, 201, 200], [500, 500, 600, 600]])
    found = measure(match(gold, gold))
    assert found.reference.tolist() == [2]


def test_tracks_are_the_units_of_evidence():
    boxes = [[100, 100, 200, 200], [400, 400, 500, 500]] * 3
    gold = dataset(boxes, [0, 0, 1, 1, 2, 2], track=[0, -1] * 3)
    found = measure(match(gold, gold))
    cluster = dict(zip(found.reference.tolist(), found.cluster.tolist(), strict=True))
    assert len({cluster[row] for row in (0, 2, 4)}) == 1
    assert len({cluster[row] for row in (1, 3, 5)}) == 3


@given(seed=st.integers(0, 500))
def test_every_asked_and_drawn_object_is_counted_once(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    corner = rng.uniform(0, 300, (n, 2))
    gold = dataset(np.hstack([corner, corner + rng.uniform(20, 90, (n, 2))]), rng.integers(0, 3, n))
    kept = rng.random(n) < 0.7
    drawn = gold.table.xyxy[kept] + rng.normal(0, 8, (int(kept.sum()), 4))
    drawn[:, 2:] = np.maximum(drawn[:, 2:], drawn[:, :2] + 1)
    work = dataset(drawn, gold.table.image[kept], annotator=rng.integers(0, 2, int(kept.sum())))
    matches = match(gold, work)
    counted = detections(matches)
    images = [np.flatnonzero(gold.table.image == image) for image in range(3)]
    asked = [
        (row, who)
        for who, image in zip(matches.task_annotator, matches.task_image, strict=True)
        for row in images[image]
    ]
    got = zip(counted.asked_reference, counted.asked_annotator, strict=True)
    assert sorted(got) == sorted(asked)
    assert sorted(counted.drawn_candidate) == list(range(len(work.table)))
    assert counted.found.sum() == counted.real.sum() == len(counted.pair_reference)


def test_offsets_do_not_touch_their_inputs():
    gold, drawn = np.array([[1.0, 2, 3, 4]]), np.array([[0.0, 0, 5, 5]])
    assert offsets(gold, drawn).tolist() == [[1, 2, 2, 1]]
    assert gold.tolist() == [[1, 2, 3, 4]]
    assert drawn.tolist() == [[0, 0, 5, 5]]
