"""The annotations behind a finding, beside loops over the tables."""

from __future__ import annotations

import numpy as np
import pytest

from annqc.errors import UnknownNameError
from annqc.ids import ids_array
from annqc.judge import judge
from annqc.run.audit import Run
from annqc.simulate import Habit, simulate
from annqc.tables import QUANTITIES, Annotations, Dataset, Images, Source
from tests.judge.staged import one_rule


def dataset(rows, *, who="bob", source=None):
    """One row an object: image, category, box."""
    names = ids_array(["car", "dog"])
    images = ids_array(["img_7.jpg", "img_8.jpg"])
    return Dataset(
        Annotations.build(
            id=ids_array([100 + k for k in range(len(rows))]),
            image=[row[0] for row in rows],
            annotator=[0] * len(rows),
            category=[row[1] for row in rows],
            xyxy=[row[2] for row in rows],
        ),
        Images.build(images, file_name=images, width=[500, 500], height=[500, 500]),
        ids_array([who]),
        names,
        names,
        sources=() if source is None else (Source(path=source, format="coco", n_rows=len(rows)),),
    )


GOLD = dataset(
    [
        (0, 0, (100, 100, 200, 200)),
        (0, 1, (300, 100, 340, 140)),
        (1, 0, (100, 100, 180, 180)),
        (1, 1, (300, 300, 400, 400)),
    ],
    who="gold",
)
WORK = dataset(
    [
        (0, 0, (100, 100, 205.2, 200)),  # 5.2 px too far out
        (0, 1, (300, 100, 345, 140)),  # a smaller object: more tolerances
        (1, 0, (100, 100, 179, 180)),  # the other way
        (1, 0, (20, 400, 60, 440)),  # nothing there
    ],
    source="/somewhere/work.json",
)


@pytest.fixture(scope="module")
def small():
    return Run(GOLD, WORK, engine="numpy")


def test_the_worst_pairs_come_first_and_say_where_they_stand(small):
    found = small.worst({"annotator": "bob"}, quantity="out_right")
    assert [one["annotation_id"] for one in found] == [101, 100]
    assert found[1] == {
        "annotator": "bob",
        "image_id": "img_7.jpg",
        "file_name": "img_7.jpg",
        "annotation_id": 100,
        "reference_id": 100,
        "category": "car",
        "candidate_category": "car",
        "kind": "offset",
        "edge": "out_right",
        "offset_px": pytest.approx(5.2),
        "offset": pytest.approx(2.6),
        "iou": pytest.approx(100 / 105.2),
        "source": "/somewhere/work.json",
        "row": 0,
        "text": "annotation 100 on img_7.jpg (work.json, row 0): right edge 5.2 px too far out "
        "(2.6 tolerances)",
    }
    assert all(type(one["row"]) is int and type(one["offset"]) is float for one in found)


def test_errors_say_their_kind_and_what_is_missing(small):
    found = small.worst({}, kinds=["missed", "spurious"])
    assert [one["text"] for one in found] == [
        "missed: object 103 of the gold on img_8.jpg",
        "spurious: annotation 103 on img_8.jpg (work.json, row 3)",
    ]
    assert found[0]["annotation_id"] is None
    assert found[0]["source"] is None
    assert found[1]["reference_id"] is None
    assert small.worst({"category": "dog"}, kinds=["missed", "spurious"]) == found[:1]
    assert small.worst({"category": "car"}, kinds=["missed", "spurious"]) == found[1:]


def test_the_least_overlap_comes_first(small):
    found = small.worst({"annotator": "bob"}, quantity="iou", most=2)
    assert [one["annotation_id"] for one in found] == [101, 100]
    assert found[0]["iou"] == pytest.approx(40 / 45)
    assert found[0]["text"] == (
        "annotation 101 on img_7.jpg (work.json, row 1): IoU 0.89, right edge 5.0 px too far out"
    )


def test_what_does_not_exist_is_refused_or_empty(small):
    assert small.worst({"annotator": "nobody"}, quantity="out_left") == []
    assert small.worst({"image_id": "img_7.jpg"}, kinds=["missed"]) == []
    with pytest.raises(UnknownNameError, match="did you mean 'category'"):
        small.worst({"categori": "car"}, quantity="out_left")
    with pytest.raises(UnknownNameError, match="did you mean 'out_left'"):
        small.worst({}, quantity="outleft")
    with pytest.raises(UnknownNameError, match="did you mean 'missed'"):
        small.worst({}, kinds=["mised"])


@pytest.fixture(scope="module")
def planted():
    habits = {
        "ann": [],
        "bob": [Habit.loose("right", px=4), Habit.misses(0.1), Habit.wrong_labels(0.1)],
        "cid": [Habit.shift(dx=-4)],
    }
    return simulate(habits, n_images=40, rng=3)


@pytest.fixture(scope="module")
def run(planted):
    return Run(planted.gold, planted.work, engine="numpy")


GROUPS = [{"annotator": "bob"}, {"annotator": "cid", "category": "car"}, {"size": "small"}, {}]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("quantity", ["out_left", "out_right", "dx", "dw"])
def test_the_choice_is_that_of_a_loop(run, group, quantity):
    gold, work, measured = run.reference, run.candidate, run.measurements
    which = QUANTITIES.index(quantity)
    expected = []
    for k, (r, c) in enumerate(zip(measured.reference, measured.candidate, strict=True)):
        x1, y1, x2, y2 = gold.table.xyxy[r].tolist()
        left, right = x1 - work.table.xyxy[c, 0], work.table.xyxy[c, 2] - x2
        own = {
            "annotator": work.annotator_ids[work.table.annotator[c]],
            "category": gold.category_names[gold.table.category[r]],
            "size": "small" if (x2 - x1) * (y2 - y1) < 32**2 else "larger",
        }
        if (
            any(own[name] != value for name, value in group.items())
            or not measured.usable[k, which]
        ):
            continue
        values = {
            "out_left": left,
            "out_right": right,
            "dx": (right - left) / 2,
            "dw": left + right,
        }
        value = values[quantity]
        expected.append((value / max(1, 0.02 * (x2 - x1)), value, work.table.id[c]))
    sign = -1 if np.median([one[0] for one in expected]) < 0 else 1
    expected.sort(key=lambda one: -sign * one[0])
    found = run.worst(group, quantity=quantity, most=7)
    assert [one["annotation_id"] for one in found] == [one[2] for one in expected[:7]]
    np.testing.assert_allclose([one["offset_px"] for one in found], [e[1] for e in expected[:7]])


def test_errors_are_those_of_the_table_in_its_order(run):
    found = run.worst({"annotator": "bob"}, kinds=["mislabelled", "missed"], most=1000)
    table = run.errors(annotator="bob")
    table = table[table.kind.isin(["mislabelled", "missed"])]
    assert [one["kind"] for one in found] == table.kind.tolist()
    assert [one["reference_id"] for one in found] == table.reference_id.tolist()
    assert found[0]["text"].endswith("asked of bob") or "by bob on" in found[0]["text"]


@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        (one_rule("edge_offset"), {"offset"}),
        (one_rule("recall", at_least=0.99), {"missed"}),
        (one_rule("label_accuracy", at_least=0.99), {"mislabelled"}),
        (one_rule("mean_iou", at_least=0.99), {"overlap"}),
        (one_rule("error_rate", kind="missed", at_most=0.01), {"missed"}),
        (one_rule("error_count", kind="mislabelled", at_most=1), {"mislabelled"}),
    ],
)
def test_a_check_that_fails_shows_the_worst(run, rule, kinds):
    check = judge(run, rule).checks[0]
    assert check.outcome == "fail"
    assert {one["kind"] for one in check.evidence} == kinds
    assert len(check.evidence) <= 15
    lines = check.explain().splitlines()
    at = lines.index("  worst annotations:")
    assert lines[at + 1 :] == [f"    {one['text']}" for one in check.evidence]
    assert check.to_dict()["evidence"] == list(check.evidence)


def test_a_check_that_passes_shows_none(run):
    check = judge(run, one_rule("recall", at_least=0.1)).checks[0]
    assert (check.outcome, check.evidence) == ("pass", ())
    assert "worst annotations" not in check.explain()
