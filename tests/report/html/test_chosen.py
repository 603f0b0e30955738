"""Which annotations a page shows: what one is accused of, the farthest, the typical."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc import Habit
from annqc.report.html.chosen import ACCUSED, SECTIONS, Chooser, first_rows
from annqc.report.html.story import tell
from annqc.report.mistakes import examples
from annqc.run.review import queue_rows
from annqc.run.review.rows import KINDS
from annqc.simulate import TrackHabit, tracks
from annqc.tables import QUANTITIES
from tests.report.html.test_gallery import figures, person_pages


@pytest.fixture(scope="module")
def audit():
    habits = "misses 15 %, extras 10 %, wrong labels 8 %, gross 4 %"
    made = annqc.simulate(
        {"ann": [], "bob": Habit.loose("right", px=6), "eve": Habit.parse(habits)},
        n_images=40,
        image_size=(640, 480),
        rng=1,
    )
    return annqc.audit(made.work, made.gold)


def test_the_worst_and_the_typical_are_those_of_the_numbers(audit):
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    chooser = Chooser(story, queue_rows(audit), [])
    far = audit.measurements.values("tolerance")[:4]
    measured = audit.measurements
    for person in story.people:
        code = audit.candidate.annotator_ids.tolist().index(person.name)
        mine = [k for k in range(len(measured)) if measured.annotator[k] == code]
        mine = [k for k in mine if np.isfinite(far[:, k]).any()]
        picks = chooser.of(person)
        shown = [one.pair for one in picks if one.section == ACCUSED]
        assert bool(shown) == (person.place == "biased")
        worst = sorted(mine, key=lambda k: (-np.nanmax(np.abs(far[:, k])), k))
        worst = [k for k in worst if k not in shown][:4]
        assert [one.pair for one in picks if one.section == "Farthest off"] == worst
        typical = [one.pair for one in picks if one.section == "Typical"]
        middle = np.nanmedian(far[:, mine], axis=1)
        whole = [k for k in mine if np.isfinite(far[:, k]).all()]
        away = {k: float(np.max(np.abs(far[:, k] - middle))) for k in whole}
        nearest = sorted(whole, key=lambda k: round(away[k], 9))
        assert typical == [k for k in nearest if k not in {*shown, *worst}][:4]
        assert len({one.anchor for one in picks}) == len(picks)
        kinds = {one.kind for one in picks}
        rows = queue_rows(audit)
        has = {KINDS[k] for k in rows["kind"][rows["annotator"] == code]}
        assert kinds >= has & {"missed", "spurious", "mislabelled"}


def test_typical_is_typical_on_every_edge():
    """A box with one edge far off is not typical, even of somebody whose edge is all over."""
    n = 21
    gold = np.tile([100.0, 100, 200, 200], (n, 1))
    work = gold + np.array([-2.0, -2, 2, 2])
    off = np.linspace(-40, 40, n)
    work[:, 2] += off
    near = np.abs(off) < 5
    work[near, :2] -= 4.0  # four px off on two edges, but on no edge more
    audit = annqc.audit(boxes_of(work, "ann"), boxes_of(gold))
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    picks = Chooser(story, queue_rows(audit), []).of(story.people[0])
    rows = [audit.measurements.reference[one.pair] for one in picks if one.section == "Typical"]
    assert set(np.flatnonzero(near)) <= set(rows)
    assert np.abs(off[rows]).max() <= 8


def boxes_of(xyxy, annotator=None):
    """A table with a box an image."""
    names = {} if annotator is None else {"annotator": annotator}
    table = pd.DataFrame(xyxy, columns=["x1", "y1", "x2", "y2"])
    return table.assign(image_id=range(len(table)), category="a", width=640, height=480, **names)


def crew(n, right):
    """Bob's right edges and those of four others, one box an image; the others err by a pixel."""
    rng = np.random.default_rng(0)
    gold = np.tile([100.0, 100, 200, 200], (n, 1))
    tables = [
        boxes_of(gold + np.round(rng.normal(0, 1, gold.shape)), who)
        for who in ("ann", "eve", "tom", "zoe")
    ]
    bob = gold + np.round(rng.normal(0, 1, gold.shape))
    bob[:, 2] += right
    return pd.concat([*tables, boxes_of(bob, "bob")], ignore_index=True), gold


def test_what_others_drew_alike_is_no_first_exhibit(tmp_path):
    """A gold box that all contradict is no evidence, on the page as little as on the screen."""
    right = np.full(30, 8.0)
    right[[4, 9]] = [25.0, 17.0]
    work, gold = crew(30, right)
    gold[0, 2] = 160.0  # all five draw up to 200
    audit = annqc.audit(work, boxes_of(gold))
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    chooser = Chooser(story, queue_rows(audit), [])
    images = audit.reference.table.image[audit.measurements.reference]
    bob = next(one for one in story.people if one.name == "bob")
    accused = [images[one.pair] for one in chooser.of(bob) if one.section == ACCUSED]
    assert accused[:2] == [4, 9]
    assert 0 not in accused
    [said] = examples(audit, bob.sentences, ("annotator",), 1)
    assert said.startswith("4, bob: the right edge of")
    for person in story.people:
        farthest = [one for one in chooser.of(person) if one.section == "Farthest off"]
        assert 0 not in [images[one.pair] for one in farthest]
    shown = page_of(audit, tmp_path, "bob")
    assert "drew it like this" not in "".join(one for one in shown if ">4</a>" in one)


def test_where_nothing_else_is_left_the_doubt_is_told(tmp_path):
    """Bob drew only where the gold ends too early; the others, who drew much more, agree there."""
    work, gold = crew(200, np.full(200, 1.0))
    gold[:20, 2] = 185.0
    work = work[(work.annotator != "bob") | (work.image_id < 20)]
    audit = annqc.audit(work, boxes_of(gold))
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    bob = next(one for one in story.people if one.name == "bob")
    [said] = examples(audit, bob.sentences, ("annotator",), 1)
    assert said.endswith("; 4 of 4 others drew it like this: the gold may be what is off")
    shown = page_of(audit, tmp_path, "bob")
    told = [one for one in shown if "others drew it like this: the gold may be what is off" in one]
    assert len(told) >= 4


def page_of(audit, tmp_path, who):
    folder = audit.to_html(tmp_path / "r").parent
    [page] = [page for name, page in person_pages(folder).items() if name.startswith(who)]
    return figures(page)


@pytest.mark.parametrize("by", [("annotator",), ("annotator", "category")])
def test_what_somebody_is_accused_of_is_shown_first(by):
    """The first is the box that the screen names, and all are off in the way that was found."""
    made = annqc.simulate(
        {
            "ann": [],
            "bob": [Habit.loose("right", px=6), *Habit.parse("gross 6 %")],
            "eve": [Habit.shift(dx=5), *Habit.parse("gross 6 %")],
            "tom": Habit.tight("top", px=5),
        },
        n_images=40,
        rng=3,
    )
    audit = annqc.audit(made.work, made.gold, by=by)
    story = tell(audit, by, veiled=False, checks=[])
    chooser = Chooser(story, queue_rows(audit), [])
    values = audit.measurements.values("px")
    ids = audit.candidate.table.id
    seen = 0
    for person in story.people:
        shown = [one.pair for one in chooser.of(person) if one.section == ACCUSED]
        assert bool(shown) == bool(person.sentences)
        if not shown:
            continue
        [said] = examples(audit, person.sentences, by, 1)
        assert f" {ids[audit.measurements.candidate[shown[0]]]} is " in said
        ways = [one.quantities[0] for one in person.sentences]
        signs = {"out_right": 1, "dx": 1, "out_top": -1, "out_left": -1}
        for pair in shown:
            k = [(QUANTITIES.index(one), signs[one]) for one in ways]
            assert any(sign * values[q, pair] > 0 for q, sign in k)
        seen += 1
    assert seen == 3


def test_offsets_that_were_left_out_are_in_brackets(tmp_path):
    """At the border, and where the other axis hardly overlaps."""
    gold = np.tile([100.0, 100, 200, 200], (12, 1))
    work = gold + np.array([-1.0, -1, 1, 1])
    gold[0], work[0] = [0.0, 100, 80, 200], [0.0, 104, 83, 200]
    work[1] = [100, 165, 206, 265]
    audit = annqc.audit(boxes_of(work, "ann"), boxes_of(gold))
    folder = audit.to_html(tmp_path / "r").parent
    shots = {}
    for page in person_pages(folder).values():
        for one in figures(page):
            said = re.search(r"<figcaption>.*</figcaption>", one, re.DOTALL)[0]
            shots[re.search(r"<a [^>]*>(\d+)</a>", said)[1]] = (one, said)
    one, said = shots["0"]
    assert "top \N{MINUS SIGN}4.0, right +3.0, bottom 0.0 px" in said
    assert "left 0.0 px left out (at the border of the image)" in said
    assert ">(left 0.0)</text>" in one
    one, said = shots["1"]
    assert "left 0.0, right +6.0 px left out (too little overlap across)" in said
    assert re.search(r'class="aside">\(right \+6.0\)<', one)
    assert re.search(r'end">top \N{MINUS SIGN}65.0<|middle">top \N{MINUS SIGN}65.0<', one)


def test_of_a_track_one_frame_is_shown(tmp_path):
    made = tracks({"ann": [], "bob": TrackHabit.lag(3)}, n_sequences=2, n_tracks=4, rng=1)
    audit = annqc.audit(made.work, made.gold)
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    queue = queue_rows(audit)
    chooser = Chooser(story, queue, [])
    track = audit.matches.reference.table.track
    for person in story.people:
        seen = [(one.section, one.kind, int(track[one.reference])) for one in chooser.of(person)]
        assert len(seen) == len(set(seen))
        assert sum(section == "Farthest off" for section, *_ in seen) == 4
    rows = first_rows(audit, queue, 12)
    reasons = [
        (int(queue["annotator"][k]), int(queue["kind"][k]), int(track[queue["reference"][k]]))
        for k in rows
    ]
    assert len(set(reasons)) == len(rows) == 12
    audit.to_html(tmp_path / "r")


def test_every_section_has_kinds_of_the_queue():
    kinds = [one for kinds, _ in SECTIONS.values() for one in kinds]
    assert sorted(kinds) == sorted(set(KINDS) - {"gold"})
