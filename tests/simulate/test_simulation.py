from __future__ import annotations

import numpy as np
import pytest

from annqc.errors import SpecError, UnknownNameError
from annqc.simulate import Habit, simulate
from annqc.simulate.annotator import finish_boxes
from annqc.simulate.scene import draw_boxes, ragged_rows

QUIET = {"noise_px": 0.0, "noise_rel": 0.0, "border": 0.0}
SIGN = np.array([-1.0, -1.0, 1.0, 1.0])


def one(habits, **options):
    """Simulate one annotator without noise; return the simulation and the outward offsets."""
    options = {"n_images": 300, "rng": 4, **QUIET, **options}
    made = simulate({"ann": habits}, **options)
    real = made.origin >= 0
    return made, ((made.work.table.xyxy - made.truth[made.origin]) * SIGN)[real]


def inner(made, margin):
    """Gold rows whose true box stays clear of the image border."""
    sizes = np.array([1920, 1080])
    return (made.truth[:, :2] > margin).all(axis=1) & (made.truth[:, 2:] < sizes - margin).all(
        axis=1
    )


def test_without_noise_and_habits_the_work_is_the_truth():
    made, out = one([])
    assert np.abs(out).max() == 0
    assert np.array_equal(made.work.table.category, made.gold.table.category)
    assert np.array_equal(made.gold.table.xyxy, made.truth)
    assert not made.planted


@pytest.mark.parametrize(
    ("habit", "px", "rel"),
    [
        (Habit.loose("right", px=3), [0, 0, 3, 0], [0, 0, 0, 0]),
        (Habit.tight("top", px=2), [0, -2, 0, 0], [0, 0, 0, 0]),
        (Habit.loose("left", rel=0.1), [0, 0, 0, 0], [0.1, 0, 0, 0]),
        (Habit.loose("bottom", rel=0.1), [0, 0, 0, 0], [0, 0, 0, 0.1]),
        (Habit.shift(dx=4, dy=-2), [-4, 2, 4, -2], [0, 0, 0, 0]),
        (Habit.growth(dw=0.2, unit="rel"), [0, 0, 0, 0], [0.1, 0, 0.1, 0]),
    ],
)
def test_offsets_are_planted_where_they_should_be(habit, px, rel):
    made, out = one(habit)
    clear = inner(made, 150)[made.origin]
    wh = (made.truth[:, 2:] - made.truth[:, :2])[made.origin]
    side = np.concatenate([wh, wh], axis=1)
    np.testing.assert_allclose(out[clear], (px + side * rel)[clear], atol=1e-9)
    assert clear.sum() > 500


def test_habits_limited_to_a_category_and_a_size():
    made, out = one(Habit.loose("right", px=3).only(category="car", size="large"))
    truth = made.truth[made.origin]
    area = (truth[:, 2] - truth[:, 0]) * (truth[:, 3] - truth[:, 1])
    concerned = (made.work.table.category == 1) & (area >= 96**2)
    clear = inner(made, 10)[made.origin]
    assert out[concerned & clear, 2] == pytest.approx(3.0)
    assert np.abs(out[~concerned]).max() == 0


def test_noise_has_the_scale_and_the_correlation_that_was_asked_for():
    made = simulate(
        8, n_images=400, boxes_per_image=np.full(400, 6), noise_px=2, noise_rel=0, icc=0.3, rng=1
    )
    z = (made.work.table.xyxy - made.truth[made.origin])[:, 2]
    z = z.reshape(-1, 6)[inner(made, 10)[made.origin].reshape(-1, 6).all(axis=1)]
    assert z.std() == pytest.approx(2.0, rel=0.03)
    pairs = (z.sum(axis=1) ** 2 - (z**2).sum(axis=1)).mean() / 30
    assert pairs / 4.0 == pytest.approx(0.3, abs=0.05)


def test_relative_noise_jitter_and_tails():
    made = simulate(
        {"a": [], "b": Habit.jitter(rel=0.03), "c": Habit.tails(2)},
        n_images=3000,
        noise_px=0,
        noise_rel=0.04,
        icc=0,
        border=0,
        rng=2,
    )
    wh = (made.truth[:, 2:] - made.truth[:, :2])[made.origin]
    rel = (made.work.table.xyxy - made.truth[made.origin])[:, :2] / wh
    rel = rel[inner(made, 60)[made.origin]]
    who = made.work.table.annotator[inner(made, 60)[made.origin]]
    assert rel[who == 0].std() == pytest.approx(0.04, rel=0.03)
    assert rel[who == 1].std() == pytest.approx(0.05, rel=0.03)
    far = [(np.abs(rel[who == k]) > 5 * 0.04).mean() for k in (0, 2)]
    assert far[0] < 1e-4
    assert far[1] == pytest.approx(0.0378, abs=0.008)  # P(|t2| > 5)


def test_gold_error_is_shared_and_the_grid_is_kept():
    made = simulate(2, n_images=500, gold_sd=1.5, grid=1, rng=3)
    error = made.gold.table.xyxy - made.truth
    assert error[inner(made, 10)].std() == pytest.approx(np.sqrt(1.5**2 + 1 / 12), rel=0.04)
    for table in (made.gold.table, made.work.table):
        assert np.array_equal(table.xyxy, np.round(table.xyxy))
        assert (table.xyxy[:, 2:] - table.xyxy[:, :2]).min() >= 1


def test_rates():
    made = simulate(
        {
            "misses": Habit.misses(0.2),
            "extras": Habit.extras(0.2),
            "labels": Habit.wrong_labels(0.2),
            "twice": Habit.duplicates(0.2),
            "halves": Habit.splits(0.2),
            "gross": Habit.gross(0.2),
        },
        n_images=1000,
        rng=5,
        **QUIET,
    )
    n = len(made.gold)
    share = {}
    for k, name in enumerate(made.work.annotator_ids):
        rows = made.work.table.annotator == k
        origin = made.origin[rows]
        real = origin >= 0
        drawn = made.work.table.xyxy[rows][real]
        wrong = made.work.table.category[rows][real] != made.gold.table.category[origin[real]]
        share[name] = (
            1 - len(np.unique(origin[real])) / n,
            (~real).sum() / n,
            wrong.sum() / n,
            (np.bincount(origin[real], minlength=n) > 1).sum() / n,
            (np.abs(drawn - made.truth[origin[real]]).max(axis=1) > 1e-9).sum() / n,
        )
    expected = {
        "misses": (0.2, 0, 0, 0, 0),
        "extras": (0, 0.2, 0, 0, 0),
        "labels": (0, 0, 0.2, 0, 0),
        "twice": (0, 0, 0, 0.2, 0.2),
        "halves": (0, 0, 0, 0.2, 0.4),
        "gross": (0, 0, 0, 0, 0.2),
    }
    for name, values in expected.items():
        assert share[name] == pytest.approx(values, abs=0.025), name


def test_confusion_changes_one_category_into_another():
    made, _ = one(Habit.wrong_labels(confusion={"car": {"dog": 0.3, "person": 0.5}}), n_images=2000)
    names = made.gold.category_names
    true = names[made.gold.table.category[made.origin]]
    drawn = names[made.work.table.category]
    assert np.array_equal(true[true != "car"], drawn[true != "car"])
    cars = drawn[true == "car"]
    shares = {name: (cars == name).mean() for name in names}
    assert shares == pytest.approx(
        {"dog": 0.3, "person": 0.5, "car": 0.2, "bicycle": 0, "traffic light": 0}, abs=0.04
    )


def test_halves_make_up_the_whole():
    made, _ = one(Habit.splits(1.0), n_images=50)
    boxes, origin = made.work.table.xyxy, made.origin
    order = np.argsort(origin, kind="stable")
    first, second = boxes[order[::2]], boxes[order[1::2]]
    truth = made.truth[origin[order[::2]]]
    assert np.array_equal(np.minimum(first, second)[:, :2], truth[:, :2])
    assert np.array_equal(np.maximum(first, second)[:, 2:], truth[:, 2:])

    def area(xyxy):
        return (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])

    np.testing.assert_allclose(area(first) + area(second), area(truth))


def test_merged_boxes_hold_the_neighbour():
    made, _ = one(Habit.merges(1.0), n_images=60)
    table = made.work.table
    counts = np.bincount(made.gold.table.image, minlength=60)
    assert np.array_equal(np.bincount(table.image, minlength=60), (counts + 1) // 2)
    lost = np.setdiff1d(np.arange(len(made.gold)), made.origin)
    for row in lost:
        here = table.xyxy[table.image == made.gold.table.image[row]]
        inside = (here[:, :2] <= made.truth[row, :2]) & (here[:, 2:] >= made.truth[row, 2:])
        assert inside.all(axis=1).any()


def test_extras_of_one_category_and_rounding_of_one_annotator():
    made = simulate(
        {"a": Habit.extras(0.5).only(category="dog"), "b": Habit.rounding(5)}, n_images=100, rng=8
    )
    table = made.work.table
    invented = made.origin < 0
    assert set(made.work.category_names[table.category[invented]]) == {"dog"}
    b = table.xyxy[table.annotator == 1]
    assert np.array_equal(b, np.round(b / 5) * 5)
    a = table.xyxy[table.annotator == 0]
    assert not np.array_equal(a, np.round(a))


def test_images_are_dealt_out_and_the_assignments_say_so():
    made = simulate(7, n_images=500, overlap=3, rng=9)
    assigned = made.work.assigned
    assert np.array_equal(np.bincount(assigned[:, 1]), np.full(500, 3))
    assert len(np.unique(assigned, axis=0)) == 1500
    per_annotator = np.bincount(assigned[:, 0])
    assert per_annotator.min() > 150
    asked = set(map(tuple, assigned.tolist()))
    drawn = np.stack([made.work.table.annotator, made.work.table.image], axis=1)
    assert {tuple(row) for row in drawn.tolist()} <= asked


def test_planting_a_habit_changes_nobody_else():
    plain = simulate(["a", "b", "c"], n_images=40, rng=10)
    planted = simulate({"a": [], "b": Habit.misses(0.5), "c": []}, n_images=40, rng=10)
    assert np.array_equal(plain.truth, planted.truth)
    for k in (0, 2):
        first, second = (m.work.table.xyxy[m.work.table.annotator == k] for m in (plain, planted))
        assert np.array_equal(first, second)


def test_the_seed_decides():
    first, again, other = (simulate(2, n_images=30, rng=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.work.table.xyxy, again.work.table.xyxy)
    assert len(first.truth) != len(other.truth) or not np.array_equal(first.truth, other.truth)


def test_boxes_look_like_detections():
    sizes = np.tile([1920.0, 1080.0], (20_000, 1))
    boxes = draw_boxes(np.random.default_rng(0), sizes, border=0.1, side=None)
    wh = boxes[:, 2:] - boxes[:, :2]
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= sizes + 1e-9).all()
    assert np.median(np.sqrt(wh.prod(axis=1))) == pytest.approx(86.4, rel=0.03)
    touching = (boxes[:, :2] <= 1e-9).any(axis=1) | (boxes[:, 2:] >= sizes - 1e-9).any(axis=1)
    assert touching.mean() == pytest.approx(0.1, abs=0.01)


def test_small_images_and_images_of_their_own_size():
    sizes = np.array([[5, 4], [640, 480], [30, 2000]])
    made = simulate(
        {"a": [Habit.growth(dw=50, dh=50), Habit.rounding(1)]},
        n_images=3,
        boxes_per_image=[4, 0, 7],
        image_size=sizes,
        rng=1,
    )
    boxes, image = made.work.table.xyxy, made.work.table.image
    assert (boxes[:, 2:] <= sizes[image]).all()
    assert (boxes >= 0).all()
    assert (boxes[:, 2:] - boxes[:, :2]).min() >= 1
    assert np.bincount(image, minlength=3).tolist() == [4, 0, 7]


def test_finish_boxes_uncrosses_edges():
    boxes = np.array([[10.0, 10, 5, 20], [-5, -5, -2, 3], [99.9, 1, 120, 2]])
    done = finish_boxes(boxes, np.full((3, 2), 100.0), 1.0)
    assert ((done[:, 2:] - done[:, :2]) >= 1).all()
    assert (done >= 0).all()
    assert (done <= 100).all()


def test_ragged_rows_of_nothing():
    rows, place = ragged_rows(np.array([0, 2]), np.array([], dtype=int))
    assert len(rows) == len(place) == 0


@pytest.mark.parametrize(
    "options",
    [
        {"annotators": 0},
        {"annotators": {}},
        {"annotators": {"a": ["loose"]}},
        {"n_images": 0},
        {"overlap": 4},
        {"overlap": 0},
        {"icc": 1.0},
        {"noise_px": -1},
        {"noise_df": 0},
        {"grid": float("nan")},
        {"border": 2},
        {"boxes_per_image": -1},
        {"boxes_per_image": [1, 2]},
        {"boxes_per_image": np.full(200, 1.5)},
        {"categories": 0},
        {"categories": ["a", "a"]},
        {"categories": {"a": -1, "b": 2}},
        {"image_size": (0, 10)},
        {"image_size": (10,)},
        {"annotators": {"a": Habit.wrong_labels(0.1)}, "categories": 1},
    ],
)
def test_parameters_out_of_range_are_refused(options):
    with pytest.raises(SpecError):
        simulate(**{"annotators": 3, **options})


def test_unknown_categories_of_habits_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'person'"):
        simulate({"bob": Habit.misses(0.1).only(category="persn")})
    with pytest.raises(UnknownNameError, match="'plane'"):
        simulate({"bob": Habit.wrong_labels(confusion={"car": {"plane": 0.1}})})
