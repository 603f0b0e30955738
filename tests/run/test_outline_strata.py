"""Outlines get what boxes have: parts of the work, quarters, and what could not be paired."""

from __future__ import annotations

import numpy as np
import pytest

from annqc.infer.verdicts import VERDICTS
from annqc.match import match
from annqc.measure.outlines import CONTOURS, QUARTERS, measure_outlines
from annqc.measure.tolerance import Tolerance
from annqc.run.audit import Parameters, Run
from annqc.run.outline_columns import contours_sensitive, outline_columns
from annqc.run.outlines import find_outlines
from annqc.simulate import OutlineHabit, outlines
from annqc.tables import Annotations, Shapes

PIXEL = Parameters(tolerance=Tolerance.parse("1 px"))
WHOLE = CONTOURS.index("contour")


def joined(clean, wrong, guilty, rows_of_wrong):
    """The clean work, but for some rows of one annotator, which are drawn as in the other."""
    table, other = clean.work.table, wrong.work.table
    shapes = table.shapes
    row = np.arange(len(table))
    who = clean.work.annotator_ids.tolist().index(guilty)
    swapped = (table.annotator == who) & rows_of_wrong
    both = Shapes.concat([shapes, other.shapes]).take(np.where(swapped, row + len(table), row))
    boxes = np.where(swapped[:, None], other.xyxy, table.xyxy)
    made = Annotations.build(
        image=table.image,
        annotator=table.annotator,
        category=table.category,
        xyxy=boxes,
        shapes=both,
    )
    object.__setattr__(clean.work, "table", made)
    return clean


def planted(rows_of_wrong, *, habit, side, seed=5, n_images=40):
    rest = {"n_images": n_images, "objects_per_image": 5, "categories": 5, "side": side}
    names = [f"a{k}" for k in range(4)]
    clean = outlines(names, rng=seed, **rest)
    wrong = outlines(dict.fromkeys(names, habit), rng=seed, **rest)
    return joined(clean, wrong, "a2", rows_of_wrong(clean.work.table))


def named(run, by):
    columns = run.outline_columns(by)
    biased = columns["verdict"] == "biased"
    parts = zip(*(columns[name][biased].tolist() for name in (*by, "quantity")), strict=True)
    return set(parts), run.outline_findings(by)


def test_a_habit_on_one_class_alone_is_named_with_the_class():
    made = planted(
        lambda table: table.category == 3, habit=OutlineHabit.moved("right", 4.0), side=(50, 90)
    )
    run = Run(made.gold, made.work, parameters=PIXEL)
    class_4 = made.gold.category_names[3]
    parts, found = named(run, ("annotator", "category"))
    assert parts == {("a2", class_4, "contour_right")}
    assert found.accusation.accused.tolist() == [False, False, True, False]


def test_a_habit_on_large_objects_alone_is_named_with_the_size():
    made = planted(
        lambda table: (table.xyxy[:, 2:] - table.xyxy[:, :2]).prod(axis=1) >= 96**2,
        habit=OutlineHabit.dilated(3.0),
        side=(30, 130),
    )
    run = Run(made.gold, made.work, parameters=PIXEL)
    parts, found = named(run, ("annotator", "size"))
    assert parts == {("a2", "large", name) for name in CONTOURS if name != "contour"}
    assert found.accusation.accused.tolist() == [False, False, True, False]
    clean = run.outline_columns(("annotator", "size"))
    of_medium = (clean["annotator"] == "a2") & (clean["size"] == "medium")
    assert set(clean["verdict"][of_medium].tolist()) <= {"clean", "undecided"}


def some_without_pair(share, offset):
    """An annotator whose contours are off by an offset, and who draws some objects not at all."""
    habits = {"ann": OutlineHabit.dilated(offset)}
    made = outlines(
        habits, n_images=40, objects_per_image=[5] * 40, side=(40, 80), image_size=(900, 700), rng=2
    )
    kept = np.random.default_rng(0).random(len(made.work)) >= share
    object.__setattr__(made.work, "table", made.work.table.take(kept))
    return made, kept


@pytest.mark.parametrize(
    ("share", "offset", "sensitive"),
    [
        (0.3, 0.8, True),  # just within the margin: what is missing may be beyond
        (0.1, 0.0, False),
        (0.6, 0.0, True),  # more than half is missing: anything may be true
        (0.03, 0.95, False),  # too little to look at
        (0.1, 6.0, False),  # far beyond the margin whatever the missing are
    ],
)
def test_findings_that_the_unpaired_could_turn_over_are_flagged(share, offset, sensitive):
    made, kept = some_without_pair(share, offset)
    matches = match(made.gold, made.work)
    measured = measure_outlines(matches, tolerance=PIXEL.tolerance)
    found = find_outlines(matches, measured)
    assert bool(contours_sensitive(found)[0, WHOLE]) is sensitive
    columns = outline_columns(found)
    one = dict(zip(columns, (column[WHOLE] for column in columns.values()), strict=True))
    assert one["quantity"] == "contour"
    assert ("SELECTION_SENSITIVE" in one["flags"]) is sensitive
    # the share, and the bounds of Horowitz and Manski, by hand
    values = np.sort(measured.values("tolerance")[WHOLE])
    m = 1 - len(values) / len(made.gold)
    assert one["missing"] == pytest.approx(m)
    assert len(values) <= kept.sum()
    if m < 0.5:
        low, high = (np.quantile(values, (0.5 - d) / (1 - m)) for d in (m, 0.0))
        assert (one["bound_low"], one["bound_high"]) == pytest.approx((low, high), abs=0.12)
    else:
        assert (one["bound_low"], one["bound_high"]) == (-np.inf, np.inf)


def test_objects_nobody_outlined_count_and_boxes_of_the_gold_do_not():
    made, _ = some_without_pair(0.0, 0.0)
    kind = made.gold.table.shapes.kind
    kind[: len(kind) // 2] = 0  # half of the gold has boxes alone
    matches = match(made.gold, made.work)
    found = find_outlines(matches, measure_outlines(matches))
    assert found.missing[0].max() < 0.05
    kind[:] = 1
    made.work.table.shapes.kind[: len(kind) // 2] = 0  # half of the work has
    matches = match(made.gold, made.work)
    found = find_outlines(matches, measure_outlines(matches))
    assert found.missing[0].min() > 0.45


def test_a_part_of_which_nothing_could_be_paired_is_listed():
    made = outlines(["ann"], n_images=30, categories=2, side=(40, 80), rng=1)
    keep = made.work.table.category == 0
    object.__setattr__(made.work, "table", made.work.table.take(keep))
    run = Run(made.gold, made.work)
    columns = run.outline_columns(("annotator", "category"))
    names = made.gold.category_names.tolist()
    lost = columns["category"] == names[1]
    assert set(columns["status"][lost].tolist()) == {"no_data"}
    tested = lost & np.isin(columns["quantity"], CONTOURS)
    assert columns["missing"][tested].tolist() == [1.0] * 5


def test_what_is_known_of_drawn_outlines_alone_has_no_share_of_missing():
    made, _ = some_without_pair(0.3, 0.0)
    made.work.table.extra["tool"] = np.array(["pen"] * len(made.work), dtype=object)
    run = Run(made.gold, made.work)
    columns = run.outline_columns(("annotator", "tool"))
    assert np.isnan(columns["missing"]).all()
    assert np.isnan(columns["bound_low"]).all()
    assert not any("SELECTION" in one for one in columns["flags"])


def test_quarters_are_described_with_intervals_and_never_biased():
    made = outlines(
        {"ann": [], "bob": OutlineHabit.dilated(4.0)}, n_images=20, side=(40, 80), rng=3
    )
    run = Run(made.gold, made.work, parameters=PIXEL)
    columns = run.outline_columns()
    quarters = np.isin(columns["quantity"], QUARTERS)
    of_bob = quarters & (columns["annotator"] == "bob")
    assert columns["estimate_px"][of_bob] == pytest.approx([4.0] * 4, abs=0.4)
    assert (columns["ci_low_px"][of_bob] < columns["estimate_px"][of_bob]).all()
    assert columns["p_value"][of_bob].max() < 1e-6
    assert set(columns["verdict"][of_bob].tolist()) == {"undecided"}
    assert set(columns["verdict"][quarters & ~of_bob].tolist()) == {"clean"}
    assert set(columns["status"][quarters].tolist()) == {"descriptive"}
    # and they cost the tests nothing
    measured = run.outline_measurements
    assert run.outline_findings().decisions.p_adjusted.shape == (2, 5)
    alone = find_outlines(run.matches, measured).decisions.p_adjusted
    np.testing.assert_array_equal(run.outline_findings().decisions.p_adjusted, alone)


def test_measurable_within_tolerance_where_objects_are_large():
    """The rule calls 1.5 px on objects of 150 px clean: the tolerance there is 3 px."""
    made = outlines(
        {"ann": OutlineHabit.dilated(1.5)}, n_images=30, side=(145, 155), rng=1, noise_px=0.5
    )
    run = Run(made.gold, made.work)
    columns = run.outline_columns()
    one = {name: column[WHOLE] for name, column in columns.items()}
    assert (one["verdict"], one["flags"]) == ("clean", "MEASURABLE")
    assert one["estimate_px"] == pytest.approx(1.5, abs=0.15)
    assert one["estimate"] == pytest.approx(0.55, abs=0.1)
    assert {VERDICTS[k] for k in run.outline_findings().decisions.verdict[0]} == {"clean"}
