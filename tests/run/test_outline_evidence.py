"""The annotations behind findings on outlines, beside loops over the measurements."""

from __future__ import annotations

import numpy as np
import pytest

from annqc.errors import UnknownNameError
from annqc.measure.outlines import CONTOURS
from annqc.run.audit import Run
from annqc.simulate import OutlineHabit, outlines


@pytest.fixture(scope="module")
def run():
    habits = {"ann": [], "bob": OutlineHabit.moved("left", -4), "cy": OutlineHabit.dilated(3)}
    made = outlines(habits, n_images=12, objects_per_image=[3] * 12, rng=1)
    return Run(made.gold, made.work, engine="numpy")


def values_of(run, who, column):
    """Row of the work -> value, one annotator."""
    measured = run.outline_measurements
    number = run.candidate.annotator_ids.tolist().index(who)
    return {
        int(row): float(value)
        for row, value, drawer in zip(measured.candidate, column, measured.annotator, strict=True)
        if drawer == number and not np.isnan(value)
    }


@pytest.mark.parametrize("name", CONTOURS)
@pytest.mark.parametrize("who", ["bob", "cy"])
def test_the_outlines_farthest_off_come_first(run, who, name):
    measured = run.outline_measurements
    pixels = measured.offsets[:, CONTOURS.index(name)]
    units = values_of(run, who, pixels / measured.tolerance)
    middle = float(np.median(list(units.values())))
    towards = {row: value * (-1 if middle < 0 else 1) for row, value in units.items()}
    expected = sorted((row for row in towards if towards[row] > 0), key=lambda row: -towards[row])
    found = run.worst({"annotator": who}, quantity=name, most=4)
    assert [one["row"] for one in found] == expected[:4]
    for one in found:
        assert one["annotator"] == who
        assert one["kind"] == "offset"
        assert one["edge"] == name
        assert one["offset"] == pytest.approx(units[one["row"]])
        assert one["offset_px"] == pytest.approx(values_of(run, who, pixels)[one["row"]])
        assert f" by {who} on {one['file_name']} (<simulated>, row {one['row']}): " in one["text"]
        assert f"{abs(one['offset_px']):.1f} px" in one["text"]


def test_a_side_that_is_eroded_and_a_contour_that_is_dilated_are_told(run):
    eroded = run.worst({"annotator": "bob"}, quantity="contour_left")[0]["text"]
    assert "left side of the contour" in eroded
    assert "px too far in" in eroded
    dilated = run.worst({"annotator": "cy"}, quantity="contour")[0]["text"]
    assert ": contour " in dilated
    assert "px too far out" in dilated
    assert ", most on the " in dilated
    side = dilated.partition(", most on the ")[2].split()[0]
    row = run.worst({"annotator": "cy"}, quantity="contour")[0]["row"]
    measured = run.outline_measurements
    at = measured.candidate.tolist().index(row)
    sides = measured.offsets[at, :4].tolist()
    assert side == ("left", "top", "right", "bottom")[sides.index(max(sides))]


@pytest.mark.parametrize(
    ("name", "sign"),
    [("mask_iou", 1), ("boundary_iou", 1), ("nsd", 1), ("purity", 1), ("assd", -1), ("hd95", -1)],
)
def test_the_outlines_that_agree_worst_come_first(run, name, sign):
    values = values_of(run, "cy", run.outline_measurements.overlaps[name])
    expected = sorted(values, key=lambda row: sign * values[row])[:3]
    found = run.worst({"annotator": "cy"}, quantity=name, most=3)
    assert [one["row"] for one in found] == expected
    iou = values_of(run, "cy", run.outline_measurements.overlaps["mask_iou"])
    for one in found:
        assert one["kind"] == "overlap"
        assert one["iou"] == pytest.approx(iou[one["row"]])
        assert one["edge"] in CONTOURS
        assert "side of the contour" in one["text"]


def test_areas_are_listed_to_the_side_on_which_the_group_is(run):
    values = values_of(run, "cy", run.outline_measurements.overlaps["area_ratio"])
    found = run.worst({"annotator": "cy"}, quantity="area_ratio", most=3)
    assert [one["row"] for one in found] == sorted(values, key=lambda row: -values[row])[:3]
    smaller = values_of(run, "bob", run.outline_measurements.overlaps["area_ratio"])
    found = run.worst({"annotator": "bob"}, quantity="area_ratio", most=3)
    assert [one["row"] for one in found] == sorted(smaller, key=smaller.__getitem__)[:3]


def test_an_unknown_quantity_lists_those_of_outlines(run):
    with pytest.raises(UnknownNameError, match="contour_left") as caught:
        run.worst({"annotator": "bob"}, quantity="contour_lef")
    assert "mask_iou" in str(caught.value)
