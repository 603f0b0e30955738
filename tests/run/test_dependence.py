"""What offsets depend on, of whole audits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import annqc
from annqc.infer.cht import HUBER_C
from annqc.infer.covariates import score_hotelling
from annqc.infer.multiplicity import accuse
from annqc.infer.padding import LABELS
from annqc.run.dependence import QUESTIONS, STATUSES, VERDICTS
from annqc.run.dependence.sessions import PAUSE, sessions
from annqc.simulate import Habit, simulate
from annqc.tables import EDGES

START = datetime(2024, 3, 1, 8, tzinfo=UTC).timestamp()
PEOPLE = {"ann": [], "mix": [], "pad": [Habit.loose("left", px=5)]}
PEOPLE |= {"scale": [Habit.loose("top", rel=0.05)]}
CHANGED_AT = 40


def with_times(made, hours, xyxy=None):
    table = made.work.table
    box = table.xyxy if xyxy is None else xyxy
    extra = {"created_at": START + 3600.0 * np.asarray(hours)}
    return replace(made.work, table=replace(table, xyxy=box, extra=extra))


@pytest.fixture(scope="module")
def made():
    return simulate(PEOPLE, n_images=80, boxes_per_image=np.full(80, 4), rng=4)


@pytest.fixture(scope="module")
def audit(made):
    table = made.work.table
    box = table.xyxy.copy()
    mixed = np.flatnonzero(made.work.annotator_ids == "mix")[0]
    box[(table.annotator == mixed) & (table.image >= CHANGED_AT), 2] += 6.0
    return annqc.audit(with_times(made, 24.0 * table.image, box), made.gold)


@pytest.fixture(scope="module")
def found(audit):
    return audit.dependence().set_index(["annotator", "quantity", "question"]).sort_index()


def test_every_edge_of_everybody_is_asked_everything(audit):
    table = audit.dependence()
    counts = table.groupby(["annotator", "quantity", "question"]).size()
    assert len(counts) == len(PEOPLE) * len(EDGES) * len(QUESTIONS)
    assert (counts == 1).all()
    assert set(table["verdict"]) <= {*VERDICTS, *LABELS}
    assert set(table["status"]) <= set(STATUSES)
    assert table["text"].str.len().min() > 20
    people = list(dict.fromkeys(table["annotator"]))
    assert people == audit.candidate.annotator_ids.tolist()


def test_a_change_is_found_dated_and_sized(found):
    row = found.loc["mix", "out_right", "change"]
    assert row["verdict"] == "changed"
    assert abs(row["position"] - CHANGED_AT) <= 1
    assert row["since"] == datetime.fromtimestamp(START + 86400 * row["position"], UTC).isoformat()
    assert row["ci_low"] <= 6.0 <= row["ci_high"]
    assert row["second_low"] <= 0.0 <= row["second_high"]
    assert row["n_before"] + row["n_after"] == row["n_clusters"] == 80
    assert 0 < row["p_value"] <= row["p_adjusted"] < 0.001
    day = row["since"][:10]
    number = f"(image {row['position'] + 1} of 80)"
    assert row["text"].startswith(f"since about {day} {number} the right edge is 5.9")
    assert " px too far out (" in row["text"]
    assert "; before, 0." in row["text"]
    others = found.drop(index=("mix", "out_right", "change"))
    assert not (others["verdict"] == "changed").any()


def test_padding_and_scaling_are_told_apart(found):
    pad, scale = found.loc["pad", "out_left", "padding"], found.loc["scale", "out_top", "padding"]
    assert (pad["verdict"], scale["verdict"]) == ("ADDITIVE", "PROPORTIONAL")
    assert pad["ci_low"] <= 5.0 <= pad["ci_high"]
    assert scale["second_low"] <= 5.0 <= scale["second_high"]
    assert pad["text"].startswith("padding on the left edge: 5.")
    assert " off " not in pad["text"]
    assert scale["text"].startswith("scaling on the top edge: ")
    assert "% of the height farther out" in scale["text"]
    assert found.loc["pad", "out_left", "size"]["verdict"] == "depends"
    assert "farther in with every doubling" in found.loc["pad", "out_left", "size"]["text"]


def test_size_equals_the_test_of_one_annotator(audit):
    """Pseudo-values, clusters and family by hand, annotator by annotator and edge by edge."""
    measured = audit.measurements
    located = audit.findings(("annotator",)).estimates.located["tolerance"]
    p = np.empty((len(PEOPLE), len(EDGES)))
    for person in range(len(PEOPLE)):
        for edge in range(len(EDGES)):
            rows = (measured.annotator == person) & measured.usable[:, edge]
            u = measured.edges[rows, edge] / measured.tolerance[rows, edge % 2]
            m, s, kappa = (x[person, edge] for x in (located.centre, located.scale, located.kappa))
            y = m + s * np.clip((u - m) / s, -HUBER_C, HUBER_C) / kappa
            z = np.log(measured.sides[rows, edge % 2])
            p[person, edge] = score_hotelling(y, z, measured.cluster[rows]).p_value
    told = audit.dependence().query("question == 'size'")
    assert told["p_value"].to_numpy() == pytest.approx(p.ravel(), rel=1e-9)
    assert told["p_adjusted"].to_numpy() == pytest.approx(accuse(p).head_adjusted.ravel())
    named = told["verdict"].isin(["depends", "measurable"]).to_numpy()
    assert named.tolist() == accuse(p).head.ravel().tolist()


def test_hours_into_a_sitting_are_found(made):
    table = made.work.table
    hours = 24.0 * (table.image // 10) + 0.4 * (table.image % 10)
    box = table.xyxy.copy()
    tired = table.annotator == 0
    box[tired, 3] += 2.0 * (hours[tired] % 24.0)
    rows = annqc.audit(with_times(made, hours, box), made.gold).dependence()
    told = rows.query("question == 'session' and quantity == 'out_bottom'").iloc[0]
    assert told["verdict"] == "depends"
    assert told["ci_low"] < told["estimate"] == pytest.approx(2.0, abs=0.4)
    assert "farther out with every hour of a sitting" in told["text"]


def test_place_in_the_image_is_found(made):
    table, images = made.work.table, made.gold.image_table
    box = table.xyxy.copy()
    askew = table.annotator == 0
    u = box[askew, ::2].sum(axis=1) / images.width[table.image[askew]] - 1
    box[askew, 2] += 3.0 * u
    rows = annqc.audit(replace(made.work, table=replace(table, xyxy=box)), made.gold).dependence()
    told = rows.query("question == 'place' and quantity == 'out_right'").iloc[0]
    assert told["verdict"] == "depends"
    assert told["ci_low"] < told["estimate"] == pytest.approx(6.0, abs=1.0)
    assert told["second_low"] <= 0.0 <= told["second_high"]
    assert "farther out at the right border than at the left" in told["text"]


def test_padding_of_objects_that_are_smaller_elsewhere_or_later_is_padding_alone():
    """Five pixels are more tolerances on small objects, which are never far from the middle."""
    made = simulate({"pad": [Habit.loose("right", px=5)], "ann": []}, n_images=150, rng=1)
    gold = made.gold.table
    side = np.sqrt((gold.xyxy[:, 2:] - gold.xyxy[:, :2]).prod(axis=1))
    mean = np.bincount(gold.image, side) / np.bincount(gold.image)
    nth = np.argsort(np.argsort(-mean))  # images with the largest objects come first
    days, hours = np.divmod(nth[made.work.table.image], 15)
    work = with_times(made, 24.0 * days + 0.3 * hours)
    rows = annqc.audit(work, made.gold).dependence()
    told = rows.query("annotator == 'pad' and quantity == 'out_right'").set_index("question")
    assert told.loc["padding", "verdict"] == "ADDITIVE"
    assert told.loc["size", "verdict"] == "depends"
    assert told.loc[["place", "session", "change"], "verdict"].tolist() == ["not_found"] * 3


def test_a_pixel_now_and_then_is_no_change_where_all_are_whole():
    made = simulate(["ann"], n_images=60, boxes_per_image=np.full(60, 4), grid=1.0, rng=2)
    gold = made.gold.table
    whole = replace(made.gold, table=replace(gold, xyxy=np.rint(gold.xyxy)))
    copied = replace(whole, annotator_ids=made.work.annotator_ids)
    box = whole.table.xyxy.copy()
    first = np.flatnonzero(np.diff(gold.image, prepend=-1))
    box[first[40:], 2] += 1.0
    extra = {"created_at": START + 3600.0 * gold.image}
    table = replace(gold, xyxy=box, extra=extra, annotator=np.zeros(len(gold), dtype=np.int64))
    rows = annqc.audit(replace(copied, table=table), whole).dependence()
    change = rows[rows["question"] == "change"]
    assert set(change["status"]) == {"ok"}
    assert set(change["verdict"]) == {"not_found"}


def test_a_second_change_is_found_too(made):
    table = made.work.table
    box = table.xyxy.copy()
    mine = table.annotator == 1
    box[mine & (table.image >= 25) & (table.image < 52), 2] += 8.0
    rows = annqc.audit(with_times(made, table.image, box), made.gold).dependence()
    name = made.work.annotator_ids[1]
    told = rows[(rows["annotator"] == name) & (rows["question"] == "change")]
    told = told[told["quantity"] == "out_right"]
    assert told["verdict"].tolist() == ["changed", "changed"]
    assert told["position"].tolist() == pytest.approx([25, 52], abs=1)
    assert told["estimate"].tolist() == pytest.approx([8.0, 0.0], abs=1.0)
    assert told["second"].tolist() == pytest.approx([0.0, 8.0], abs=1.0)
    assert told["n_before"].iloc[1] == told["n_after"].iloc[0]


def test_without_times_or_variation_nothing_is_tested(made):
    bare = annqc.audit(made.work, made.gold).dependence()
    over_time = bare[bare["question"].isin(["session", "change"])]
    assert set(over_time["status"]) == {"no_times"}
    assert set(over_time["verdict"]) == {"not_tested"}
    at_once = annqc.audit(with_times(made, 0.0 * made.work.table.image), made.gold).dependence()
    assert set(at_once[at_once["question"] == "change"]["status"]) == {"no_times"}
    assert set(at_once[at_once["question"] == "session"]["status"]) == {"no_variation"}


def test_without_sizes_of_images_no_place_is_asked(made):
    images = made.gold.image_table
    blank = np.full(len(images), np.nan)
    gold, work = (
        replace(one, image_table=replace(one.image_table, width=blank, height=blank))
        for one in (made.gold, made.work)
    )
    rows = annqc.audit(work, gold).dependence()
    place = rows[rows["question"] == "place"]
    assert set(place["status"]) == {"no_image_sizes"}
    assert set(place["verdict"]) == {"not_tested"}
    assert set(rows[rows["question"] == "size"]["status"]) == {"ok"}


@pytest.fixture(scope="module")
def moody():
    """Three who draw ten images a sitting, on which all of their right edges are off alike."""
    made = simulate(["ann", "bob", "cat"], n_images=300, boxes_per_image=np.full(300, 2), rng=7)
    table = made.work.table
    box = table.xyxy.copy()
    sitting = table.image // 10
    mood = np.random.default_rng(1).normal(0, 4, (3, 30, 4))[table.annotator, sitting]
    box[:, :2] -= mood[:, :2]
    box[:, 2:] += mood[:, 2:]
    late = (table.annotator == 1) & (sitting >= 21)
    box[late, 2] += 30.0
    return made, box, sitting


def test_images_that_are_alike_are_watched_by_sitting(moody):
    made, box, sitting = moody
    hours = 24.0 * sitting + 0.2 * (made.work.table.image % 10)
    rows = annqc.audit(with_times(made, hours, box), made.gold).dependence()
    change = rows[rows["question"] == "change"]
    assert set(change["status"]) == {"by_session"}
    assert set(change["n_clusters"]) == {30}
    found = change[change["verdict"] == "changed"]
    assert found["annotator"].tolist() == [made.work.annotator_ids[1]]
    assert found["quantity"].tolist() == ["out_right"]
    assert found["position"].tolist() == [21]
    assert "(sitting 22 of 30)" in found["text"].iloc[0]
    assert found["n_after"].iloc[0] == 9
    assert found["text"].iloc[0].endswith(" sittings)")


def test_who_is_fast_has_sittings_for_evidence(moody):
    made, _, sitting = moody
    for step, expected in ((0.2, 300), (0.01, 30)):
        hours = 24.0 * sitting + step * (made.work.table.image % 10)
        rows = annqc.audit(with_times(made, hours), made.gold).dependence()
        session = rows[rows["question"] == "session"]
        assert session["n_clusters"].tolist() == pytest.approx([expected] * 12, rel=0.1)


def test_too_few_images_are_said_to_be_too_few():
    few = simulate(["ann"], n_images=7, rng=1)
    rows = annqc.audit(with_times(few, few.work.table.image), few.gold).dependence()
    status = rows.groupby("question")["status"].agg(set)
    assert status["size"] == status["place"] == status["change"] == {"too_few_clusters"}
    assert set(rows[rows["question"] == "padding"]["verdict"]) == {"NOT_SEPARABLE"}
    assert rows["p_value"].isna().all()


def test_nobody_in_particular_is_not_judged(made):
    ids = made.work.annotator_ids.copy()
    ids[1] = "anonymous"
    rows = annqc.audit(replace(made.work, annotator_ids=ids), made.gold).dependence()
    theirs = rows[rows["annotator"] == "anonymous"]
    assert set(theirs["verdict"]) == {"not_tested"}
    assert theirs["p_value"].isna().all()
    assert set(theirs[theirs["question"] == "size"]["status"]) == {"anonymous"}
    nobody = replace(made.work, annotator_ids=np.full(len(ids), "anonymous", dtype=object))
    table = nobody.table
    alone = replace(nobody, table=replace(table, annotator=0 * table.annotator))
    alone = replace(alone, annotator_ids=ids[1:2])
    rows = annqc.audit(alone, made.gold).dependence()
    assert "annotator" not in rows
    assert len(rows) == len(EDGES) * len(QUESTIONS)


def test_work_without_a_box_has_a_table_of_what_was_not_tested():
    gold = simulate(["ann"], n_images=30, rng=1).gold
    work = simulate(["ann", "bob"], n_images=30, rng=1).work
    alone = replace(work, table=work.table.take(np.flatnonzero(work.table.annotator == 0)))
    rows = annqc.audit(alone, gold).dependence()
    theirs = rows[rows["annotator"] == "bob"]
    assert len(theirs) == len(EDGES) * len(QUESTIONS)
    assert set(theirs["verdict"]) == {"not_tested"}
    assert set(theirs["status"]) <= {"no_data", "no_times"}
    assert not theirs["n"].any()


def test_order_of_rows_does_not_matter(audit):
    work = audit.candidate
    order = np.random.default_rng(0).permutation(len(work))
    again = annqc.audit(replace(work, table=work.table.take(order)), audit.reference)
    first, second = audit.dependence(), again.dependence()
    assert first["verdict"].tolist() == second["verdict"].tolist()
    assert first["estimate"].to_numpy() == pytest.approx(
        second["estimate"].to_numpy(), nan_ok=True, rel=1e-6, abs=1e-9
    )


def sittings_by_hand(seconds, person):
    out = [-1] * len(seconds)
    number, last = -1, None
    known = [i for i in range(len(seconds)) if np.isfinite(seconds[i])]
    for i in sorted(known, key=lambda i: (person[i], seconds[i])):
        if last is None or person[last] != person[i] or seconds[i] - seconds[last] > PAUSE:
            number += 1
        out[i], last = number, i
    return out


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.one_of(st.just(np.nan), st.integers(0, 20_000)), st.integers(0, 2)),
        max_size=30,
    )
)
def test_sittings_equal_a_loop(rows):
    seconds = np.array([float(one) for one, _ in rows])
    person = np.array([who for _, who in rows], dtype=np.int64)
    cluster = np.arange(len(rows)) // 2
    found = sessions(seconds, cluster, person, 3)
    expected = sittings_by_hand(seconds, person)
    assert found.session.tolist() == expected
    for row, number in enumerate(expected):
        mine = [seconds[i] for i in range(len(rows)) if expected[i] == number]
        if number < 0:
            assert np.isnan(found.hours[row])
        else:
            assert found.hours[row] == pytest.approx((seconds[row] - min(mine)) / 3600)
    for who in range(3):
        mine = [i for i in range(len(rows)) if person[i] == who and expected[i] >= 0]
        groups = {expected[i] for i in mine}
        spent = sum(np.ptp([seconds[i] for i in mine if expected[i] == one]) for one in groups)
        assert found.n[who] == len(groups)
        assert found.fast[who] == (60 * len({int(cluster[i]) for i in mine}) > spent)
