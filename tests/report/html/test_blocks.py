"""Blocks of size, place and time hold what the audit finds by them, and claim nothing."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import annqc
from annqc import Habit
from annqc.report.html.blocks import LEAST, Blocker, cut
from annqc.report.html.position import PLACES, Padding, Position
from annqc.report.html.story import tell
from annqc.report.html.trend import Trend
from annqc.tables import EDGES
from tests.report.html.rows import figures, numbers, page_of, table

WHO = ("ann", "bob", "eve")
START = dt.datetime(2024, 3, 1, 8, tzinfo=dt.UTC)


def dated(made, when):
    """Give every drawing the time of its image."""
    table_ = made.work.table
    times = np.array([when(k) for k in table_.image.tolist()], dtype=object)
    return replace(made.work, table=replace(table_, extra={"created_at": times}))


@pytest.fixture(scope="module")
def made():
    habits = {
        "ann": [],
        "bob": Habit.loose("right", px=5),
        "eve": Habit.loose("bottom", rel=0.08),
    }
    return annqc.simulate(habits, n_images=80, rng=3)


@pytest.fixture(scope="module")
def audit(made):
    work = dated(made, lambda k: (START + dt.timedelta(hours=k)).isoformat())
    return annqc.audit(work, made.gold)


@pytest.fixture(scope="module")
def folder(audit, tmp_path_factory):
    return audit.to_html(tmp_path_factory.mktemp("b") / "r").parent


@pytest.fixture(scope="module")
def story(audit):
    return tell(audit, ("annotator",), veiled=False, checks=[])


@given(st.lists(st.integers(0, 9).map(float), min_size=1, max_size=60), st.integers(1, 9))
def test_a_cut_keeps_order_and_parts_no_equals(values, n):
    blocks = cut(np.array(values), n)
    assert set(blocks.tolist()) == set(range(blocks.max() + 1))
    assert blocks.max() < n
    for a, x in zip(values, blocks, strict=True):
        for b, y in zip(values, blocks, strict=True):
            assert (a < b) <= (x <= y)
            assert (a == b) <= (x == y)


def test_distinct_values_are_cut_evenly():
    sizes = np.bincount(cut(np.random.default_rng(0).permutation(103.0 * np.arange(103)), 5))
    assert sizes.max() - sizes.min() <= 1


def by_block(audit, story, code, n):
    """Find the same blocks by a column of the work: the oracle is the audit itself."""
    work = audit.work
    column = np.full(len(work.table), "none", dtype=object)
    column[audit.measurements.candidate] = [str(one) for one in code.tolist()]
    extra = {**work.table.extra, "block": column}
    again = annqc.audit(replace(work, table=replace(work.table, extra=extra)), audit.gold)
    bias = again.bias(by=("annotator", "block"))
    return bias.set_index(["annotator", "block", "quantity"])


def check(found, code, wanted, story, per_person):
    seen = 0
    for k, person in enumerate(story.people):
        for row in range(k * per_person, (k + 1) * per_person):
            if not (code == row).any():
                continue
            for e, edge in enumerate(EDGES):
                want = wanted.loc[person.name, str(row), edge]
                have = [found.estimate[row, e], found.low[row, e], found.high[row, e]]
                expected = want[["estimate_px", "ci_low_px", "ci_high_px"]].to_numpy(float)
                np.testing.assert_allclose(have, expected, rtol=1e-9, equal_nan=True)
                assert found.n_clusters[row, e] == want["n_clusters"]
                assert found.n[row, e] == want["n"]
                seen += 1
    assert seen >= 4 * len(story.people) * 2


def test_places_are_ninths_of_the_image_and_equal_the_audit_by_them(audit, story):
    position = Position(story, Blocker(audit))
    gold, images = audit.gold.table, audit.gold.image_table
    for row, code in enumerate(position.code.tolist()):
        ref = audit.measurements.reference[row]
        x1, y1, x2, y2 = gold.xyxy[ref]
        image = gold.image[ref]
        across = min(int(3 * (x1 + x2) / 2 / images.width[image]), 2)
        down = min(int(3 * (y1 + y2) / 2 / images.height[image]), 2)
        assert code % len(PLACES) == 3 * down + across
    wanted = by_block(audit, story, position.code, len(PLACES))
    check(position.found, position.code, wanted, story, len(PLACES))


def test_blocks_of_size_equal_the_audit_by_them(audit, story):
    padding = Padding(story, Blocker(audit))
    for axis in (0, 1):
        wanted = by_block(audit, story, padding.codes[axis], 5)
        check(padding.found[axis], padding.codes[axis], wanted, story, 5)
        for k in range(len(story.people)):
            sides = [
                audit.measurements.sides[padding.codes[axis] == row, axis]
                for row in range(5 * k, 5 * k + 5)
            ]
            ends = [(one.min(), one.max()) for one in sides if len(one)]
            assert all(a[1] < b[0] for a, b in pairwise(ends))


def test_blocks_of_time_equal_the_audit_by_them_and_part_no_image(audit, story):
    trend = Trend(story, Blocker(audit))
    check(trend.found, trend.code, by_block(audit, story, trend.code, 8), story, 8)
    measured = audit.measurements
    for k in range(len(story.people)):
        rows = np.flatnonzero(trend.code // 8 == k)
        for cluster in np.unique(measured.cluster[rows]):
            assert len(set(trend.code[rows][measured.cluster[rows] == cluster].tolist())) == 1
        order = np.argsort(trend.time[rows], kind="stable")
        assert (np.diff(trend.code[rows][order]) >= 0).all()
    works = np.stack([measured.annotator, measured.cluster, trend.all])
    *work, blocks = np.unique(works, axis=1)
    assert len(blocks) == len(set(zip(*map(np.ndarray.tolist, work), strict=True)))
    assert (np.bincount(blocks) >= LEAST).all()


def test_the_first_page_cuts_by_time_where_others_drew_the_same_images_later(made):
    table_ = made.work.table
    seconds = 1.7e9 + 3600.0 * table_.image + 86400.0 * 200 * (table_.annotator == 1)
    late = replace(made.work, table=replace(table_, extra={"created_at": seconds}))
    audit = annqc.audit(late, made.gold)
    trend = Trend(tell(audit, ("annotator",), veiled=False, checks=[]), Blocker(audit))
    ends = [
        (trend.time[trend.all == block].min(), trend.time[trend.all == block].max())
        for block in np.unique(trend.all)
    ]
    assert all(a[1] <= b[0] for a, b in pairwise(ends))
    assert ends[-1][0] > ends[0][0] + 86400 * 190
    counts = [len(np.unique(audit.measurements.cluster[trend.all == k])) for k in range(8)]
    assert trend.together.n_clusters.max(axis=1).tolist() == counts


@pytest.mark.parametrize("who", WHO)
def test_tables_of_blocks_hold_their_numbers(audit, folder, story, who):
    [person] = [one for one in story.people if one.name == who]
    blocker = Blocker(audit)
    k = story.people.index(person)
    path = page_of(folder, who)
    position = Position(story, blocker)
    rows = table(path, 'aria-label="Numbers by place"')[1:]
    assert [row[0] for row in rows] == list(PLACES)
    for at, row in enumerate(rows, start=9 * k):
        found = position.found
        for e in range(6):
            wanted = [found.estimate[at, e], found.low[at, e], found.high[at, e]]
            assert numbers(row[1 + e]) == pytest.approx(wanted, abs=0.00501)
        for column, counts in ((-2, found.n), (-1, found.n_clusters)):
            some = counts[at, :6].tolist()
            assert numbers(row[column]) == sorted({min(some), max(some)})
    picture = figures(path)["picture-trend"]
    points = next(one for one in picture["data"] if one["yaxis"] == "y3")
    rows = table(path, 'aria-label="Numbers over time"')[1:]
    assert [numbers(row[4])[0] for row in rows] == pytest.approx(points["y"], abs=0.00501)
    assert len(rows) == 8


def test_padding_lies_along_the_flat_line_and_scaling_along_the_steep_one(folder):
    def points(who, axis):
        data = figures(page_of(folder, who))["picture-padding"]["data"]
        mine = [one for one in data if one["yaxis"] == axis]
        return np.array(mine[-1]["x"]), np.array(mine[-1]["y"]), mine[0]["y"], mine[1]

    _, y, flat, _ = points("bob", "y3")
    assert np.abs(y - 5).max() < 1
    assert flat[0] == flat[1] == pytest.approx(5, abs=0.5)
    x, y, _, steep = points("eve", "y4")
    assert np.corrcoef(x, y)[0, 1] > 0.95
    assert steep["y"][1] / steep["x"][1] == pytest.approx(0.08, abs=0.01)


def test_a_change_over_time_is_shown_dated_and_drawn(made, tmp_path):
    late = made.work.table.image >= 40
    boxes = made.work.table.xyxy.copy()
    boxes[late, 2] += 7
    work = replace(made.work, table=replace(made.work.table, xyxy=boxes))
    moved = replace(made, work=work)
    audit = annqc.audit(dated(moved, lambda k: 1.7e9 + 3600 * k), made.gold)
    folder = audit.to_html(tmp_path / "r").parent
    rows = table(page_of(folder, "ann"), 'aria-label="Numbers over time"')[1:]
    right = [numbers(row[4])[0] for row in rows]
    assert np.allclose(right[:4], 0, atol=1.5)
    assert np.allclose(right[4:], 7, atol=1.5)
    text = page_of(folder, "ann").read_text(encoding="utf-8")
    section = text.split('id="trend"')[1].split("</section>")[0]
    assert re.search(
        r"<li>Since about 2023-11-1\d \(image 4[01] of 80\) the right edge is ", section
    )
    assert "before, " in section
    assert "No lasting change was found: left, top, bottom." in section
    assert "Nothing was tested" not in text
    layout = figures(page_of(folder, "ann"))["picture-trend"]["layout"]
    [line] = layout["shapes"]
    assert (line["xref"], line["yref"], line["x0"]) == ("x3", "y3 domain", line["x1"])
    assert line["x0"].startswith("2023-11-1")
    first = (folder / "index.html").read_text(encoding="utf-8")
    section = first.split('id="trend"')[1].split("</section>")[0]
    assert section.count("<li>") == len(WHO)
    assert "<li>ann: since about 2023-11-1" in section
    assert "a chance of 5 % of any false alarm" in section


def test_without_times_sizes_or_evidence_there_is_no_section(made, tmp_path):
    images = replace(
        made.gold.image_table,
        width=np.full(len(made.gold.image_table), np.nan),
        height=np.full(len(made.gold.image_table), np.nan),
    )
    work = dated(made, lambda k: "some day" if k % 2 else None)
    audit = annqc.audit(
        replace(
            work, image_table=replace(work.image_table, width=images.width, height=images.height)
        ),
        replace(made.gold, image_table=images),
    )
    folder = audit.to_html(tmp_path / "r").parent
    few = annqc.simulate(WHO, n_images=4, rng=1)
    small = annqc.audit(few.work, few.gold).to_html(tmp_path / "s").parent
    for there, missing in ((folder, ("trend", "position")), (small, ("padding", "position"))):
        for path in there.rglob("*.html"):
            text = path.read_text(encoding="utf-8")
            assert not any(f'id="{name}"' in text for name in missing)


def test_times_that_are_missing_are_counted(made, tmp_path):
    audit = annqc.audit(dated(made, lambda k: None if k < 20 else 1.7e9 + k), made.gold)
    folder = audit.to_html(tmp_path / "r").parent
    text = page_of(folder, "bob").read_text(encoding="utf-8")
    rows = table(page_of(folder, "bob"), 'aria-label="Numbers over time"')[1:]
    measured = audit.measurements
    early = audit.work.table.image[measured.candidate] < 20
    bob = audit.work.annotator_ids.tolist().index("bob")
    n = int((early & (measured.annotator == bob)).sum())
    assert f"{n} pairs are left out, for they have no time" in text
    assert sum(numbers(row[-1])[0] for row in rows) <= 60


@pytest.mark.parametrize("kind", ["datetime64[ns]", "datetime64[s]", "object", "int64", "str"])
def test_times_of_any_kind_make_the_same_blocks(audit, made, story, kind):
    hours = np.datetime64("2024-03-01T08:00") + np.arange(80).astype("timedelta64[h]")
    column = hours[made.work.table.image].astype("datetime64[s]").astype(kind)
    work = replace(made.work, table=replace(made.work.table, extra={"created_at": column}))
    again = annqc.audit(work, made.gold)
    other = tell(again, ("annotator",), veiled=False, checks=[])
    trend, wanted = (Trend(*x) for x in ((other, Blocker(again)), (story, Blocker(audit))))
    assert trend.time.tolist() == wanted.time.tolist()
    assert trend.code.tolist() == wanted.code.tolist()
