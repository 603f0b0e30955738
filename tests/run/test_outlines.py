"""Findings on contours: planted habits are found, the clean are let be, images are the clusters."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from annqc.infer.verdicts import VERDICTS
from annqc.match import match
from annqc.measure.outlines import CONTOURS, QUARTERS, measure_outlines
from annqc.measure.tolerance import Tolerance
from annqc.read import read
from annqc.run.outline_columns import outline_columns
from annqc.run.outline_scores import AGREEMENT, outline_score_columns
from annqc.run.outlines import find_outlines
from tests.geometry.figures import shapes_of, star
from tests.measure.test_outlines import dataset, painted

TOLERANCE = Tolerance.parse("1 px")


def drawings(habits, *, n_images=12, per_image=1, shared_sd=0.3, own_sd=0.3, draw=shapes_of, rng=1):
    """Gold stars, and the work of annotators: grown by a habit, an error an image, and one each.

    A habit is a growth in pixels, or a pair: the side that is moved, and by how much.
    """
    rng = np.random.default_rng(rng)
    places = [(90 + 130 * k, 150) for k in range(per_image)]
    gold = [
        shapely.make_valid(shapely.Polygon(star(rng, 40, radius=55, jitter=0.04, at=at)))
        for _ in range(n_images)
        for at in places
    ]
    image = np.repeat(np.arange(n_images), per_image)
    work, who = [], []
    for row, habit in enumerate(habits.values()):
        shared = rng.normal(0, shared_sd, n_images)[image]
        noise = shared + rng.normal(0, own_sd, len(gold))
        work += [_drawn(one, habit, extra) for one, extra in zip(gold, noise, strict=True)]
        who += [row] * len(gold)
    matches = match(
        dataset(draw(gold), image),
        dataset(draw(work), np.tile(image, len(habits)), who, names=tuple(habits)),
    )
    return matches, measure_outlines(matches, tolerance=TOLERANCE)


def _drawn(one, habit, extra):
    if isinstance(habit, tuple):
        side, by = habit
        move = {"left": (-by, 0), "right": (by, 0), "top": (0, -by), "bottom": (0, by)}[side]
        moved = shapely.affinity.translate(one, *move)
        one = (one.union if by > 0 else one.intersection)(moved)
        return one.buffer(extra)
    return one.buffer(habit + extra, quad_segs=16)


def table(found):
    """The columns as (annotator, quantity) -> row."""
    columns = outline_columns(found)
    keys = zip(columns["annotator"].tolist(), columns["quantity"].tolist(), strict=True)
    return {
        key: {name: columns[name][row] for name in columns if name != "annotator"}
        for row, key in enumerate(keys)
    }


@pytest.mark.parametrize("draw", [shapes_of, painted])
def test_who_dilates_and_who_erodes(draw):
    habits = {"ann": 0, "bob": 2.2, "cat": 0, "eve": -2.2}
    matches, measured = drawings(habits, draw=draw)
    found = table(find_outlines(matches, measured))
    for name in CONTOURS:
        verdicts = {who: found[who, name]["verdict"] for who in habits}
        assert verdicts == {"ann": "clean", "bob": "biased", "cat": "clean", "eve": "biased"}
    bob, eve = found["bob", "contour"], found["eve", "contour"]
    assert bob["ci_low_px"] < 2.2 < bob["ci_high_px"]
    assert eve["ci_low_px"] < -2.2 < eve["ci_high_px"]
    assert bob["n"] == bob["n_clusters"] == 12
    assert bob["p_adjusted"] < 0.05 < found["ann", "contour"]["p_adjusted"]


def test_a_side_alone():
    habits = {"ann": 0, "bob": ("right", 4.0), "cat": ("left", -4.0)}
    matches, measured = drawings(habits)
    found = table(find_outlines(matches, measured))
    biased = {key for key, row in found.items() if row["verdict"] == "biased"}
    assert {("bob", "contour_right"), ("cat", "contour_left")} <= biased
    assert {who for who, _ in biased} == {"bob", "cat"}
    assert not {("bob", "contour_left"), ("cat", "contour_right")} & biased
    assert found["bob", "contour_right"]["estimate"] > 2.5
    assert found["cat", "contour_left"]["estimate"] < -2.5
    assert found["bob", "contour_left"]["verdict"] == "clean"


@pytest.mark.parametrize("draw", [shapes_of, painted])
def test_intervals_hold_what_was_planted(draw):
    habits = {f"a{k:02}": 1.5 for k in range(40)}
    matches, measured = drawings(habits, n_images=10, draw=draw, rng=4)
    columns = outline_columns(find_outlines(matches, measured))
    whole = columns["quantity"] == "contour"
    low, high = columns["ci_low_px"][whole], columns["ci_high_px"][whole]
    inside = int(((low < 1.5) & (high > 1.5)).sum())
    assert inside >= 34  # of 40; fewer have a probability below 0.002 at 95 %
    assert columns["estimate_px"][whole].mean() == pytest.approx(1.5, abs=0.08)


def test_the_clean_are_not_accused():
    accused = 0
    for seed in range(10):
        habits = {f"a{k}": 0.5 for k in range(8)}  # half of the tolerance
        matches, measured = drawings(habits, n_images=8, shared_sd=0.6, rng=seed)
        accused += int(find_outlines(matches, measured).accusation.accused.sum())
    assert accused <= 2


def test_images_are_the_clusters():
    """What all outlines of an image share does not count as many observations."""
    matches, measured = drawings({"ann": 0}, per_image=3, shared_sd=0.8, own_sd=0.1, rng=3)
    found = find_outlines(matches, measured)
    whole = CONTOURS.index("contour")
    one = found.located["px"]
    assert one.n_clusters[0, whole] == 12
    assert one.n[0, whole] == 36
    alone = find_outlines(matches, replace(measured, cluster=np.arange(36))).located["px"]
    assert one.estimate[0, whole] == pytest.approx(alone.estimate[0, whole], abs=0.05)
    # nearly all of the error is shared by the three of an image: sqrt(3) with three alike
    assert 1.45 < one.se[0, whole] / alone.se[0, whole] < 1.8


def test_a_gold_that_everybody_exceeds_is_nobodys_fault():
    habits = {"ann": 2.5, "bob": 2.5, "cat": 2.5, "eve": 6.0}
    matches, measured = drawings(habits, n_images=15)
    found = find_outlines(matches, measured)
    whole = table(found)
    assert [whole[who, "contour"]["verdict"] for who in habits] == ["collective"] * 3 + ["biased"]
    assert whole["ann", "contour"]["collective"] == pytest.approx(2.5, abs=0.4)
    assert found.accusation.accused.tolist() == [False, False, False, True]


def test_strata_are_decided_on_with_the_whole():
    matches, measured = drawings({"ann": 0, "bob": 2.2})
    found = find_outlines(matches, measured, ("annotator", "size"))
    assert found.pooled is not None
    assert found.pooled.by == ("annotator",)
    columns = outline_columns(found)
    assert sorted(set(columns["size"].tolist())) == ["large"]
    of_bob = columns["annotator"] == "bob"
    assert set(columns["verdict"][of_bob & (columns["status"] == "ok")].tolist()) == {"biased"}
    assert columns["status"][columns["quantity"] == "contour"].tolist() == ["descriptive"] * 2
    quarters = np.isin(columns["quantity"], QUARTERS)
    assert set(columns["status"][quarters].tolist()) == {"descriptive"}
    assert np.isnan(columns["p_adjusted"][quarters]).all()
    by_size = find_outlines(matches, measured, ("size",))
    assert by_size.n == 1
    assert by_size.located["px"].n.tolist() == [[24] * 5]


def test_with_few_images_nothing_is_claimed():
    matches, measured = drawings({"ann": 5.0}, n_images=4)
    columns = outline_columns(find_outlines(matches, measured))
    assert set(columns["verdict"].tolist()) == {"undecided"}
    assert set(columns["status"].tolist()) == {"too_few_clusters"}


def test_scores_are_means_of_the_pairs():
    matches, measured = drawings({"ann": 0, "bob": 3.0}, per_image=2)
    columns = outline_score_columns(matches, measured)
    assert columns["annotator"].tolist() == ["ann", "bob"]
    for row in range(2):
        mine = measured.annotator == row
        for name in AGREEMENT:
            assert columns[name][row] == pytest.approx(measured.overlaps[name][mine].mean())
            assert columns[f"{name}_low"][row] <= columns[name][row] <= columns[f"{name}_high"][row]
            assert columns[f"{name}_n_clusters"][row] == 12
    assert columns["n_outlines"].tolist() == [24, 24]
    assert columns["mask_iou_low"][1] < columns["mask_iou"][1] < columns["mask_iou_high"][1]
    assert columns["mask_iou"][0] > columns["mask_iou_high"][1]
    assert columns["nsd_high"].max() <= 1
    assert columns["area_ratio"][1] == pytest.approx(1.11, abs=0.03)
    everybody = outline_score_columns(matches, measured, ())
    assert everybody["mask_iou"].tolist() == [pytest.approx(measured.overlaps["mask_iou"].mean())]


@pytest.fixture(scope="module")
def experts(shared_data):
    folder = shared_data / "bubil_masks" / "BU-BIL_Dataset4"
    gold = read(folder / "GoldStandard", mask_object="dark")
    return match(gold, read(folder / "ExpertsAnnotations", mask_object="dark"))


def test_experts_on_cells_are_within_a_pixel(experts):
    measured = measure_outlines(experts, tolerance=TOLERANCE)
    found = find_outlines(experts, measured)
    assert {VERDICTS[one] for one in found.decisions.verdict.ravel()} == {"clean"}
    whole = CONTOURS.index("contour")
    px = found.located["px"]
    assert px.estimate[:, whole] == pytest.approx([-0.05, 0.47, -0.36], abs=0.02)
    assert found.decisions.measurable[1:, whole].tolist() == [True] * 2


def test_experts_on_cells_beyond_a_fifth_of_a_pixel(experts):
    """The second is dilated, the third eroded, on what 61 cells say; the first is neither."""
    measured = measure_outlines(experts, tolerance=Tolerance.parse("0.2 px"))
    found = find_outlines(experts, measured)
    verdicts = table(found)
    said = {who: verdicts[who, "contour"]["verdict"] for who in ("Expert1", "Expert2", "Expert3")}
    assert said == {"Expert1": "clean", "Expert2": "biased", "Expert3": "biased"}
    assert (
        verdicts["Expert2", "contour"]["estimate"]
        > 1
        > -1
        > (verdicts["Expert3", "contour"]["estimate"])
    )


def test_dermatologists_have_too_little_in_common(shared_data):
    folder = shared_data / "dermx_polygons" / "darwin_json_repeated12"
    who = r"(?P<annotator>labeller\d+)_(?P<image>.+)"
    one, two = (
        read(sorted(map(str, folder.glob(f"{name}_*.json"))), annotator=who)
        for name in ("labeller1", "labeller2")
    )
    matches = match(one, two)
    measured = measure_outlines(matches)
    columns = outline_columns(find_outlines(matches, measured))
    assert len(measured) == 5
    assert set(columns["status"].tolist()) == {"too_few_clusters"}
    scores = outline_score_columns(matches, measured)
    assert scores["mask_iou"][0] == pytest.approx(0.27, abs=0.01)
    assert scores["vertex_density"][0] == pytest.approx(5.7, abs=0.1)
