"""What a person is told of size, place and time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc.report.html.dependence import (
    EXPLAINED,
    LIKE_SIZES,
    dependence_sentences,
    found_edges,
    padding_sentences,
    rows_of,
)
from annqc.report.html.dependence import tested as told_of
from annqc.report.html.paragraph import paragraph
from annqc.report.html.story import tell
from annqc.simulate import Habit, simulate
from annqc.tables import EDGES
from tests.report.html.rows import sentences
from tests.run.test_dependence_sizes import drawn

PEOPLE = {"ann": [], "mix": [], "pad": [Habit.loose("left", px=5)], "bea": [], "cat": []}


def told(shift, *, habits=PEOPLE, veiled=False):
    made = simulate(habits, n_images=80, boxes_per_image=np.full(80, 4), rng=6)
    table = made.work.table
    box = table.xyxy.copy()
    box[(table.annotator == 1) & (table.image >= 40), 2] += shift
    extra = {"created_at": 1.7e9 + 86400.0 * table.image}
    work = replace(made.work, table=replace(table, xyxy=box, extra=extra))
    return tell(annqc.audit(work, made.gold), ("annotator",), veiled=veiled, checks=[])


def person_of(story, name):
    [person] = [one for one in story.people if one.name == name]
    return person


@pytest.fixture(scope="module")
def story():
    return told(6.0)


def test_rows_are_those_of_the_person(story):
    for person in story.people:
        rows = rows_of(story, person)
        assert {row["annotator"] for row in rows} == {person.name}
        assert {row["quantity"] for row in rows} == set(EDGES)


def test_a_change_is_told_and_padding_only_where_the_edge_is_off(story):
    [said] = dependence_sentences(story, person_of(story, "mix"))
    assert said.startswith("Since about 2023-12-")
    assert " (image 41 of 80) the right edge is " in said
    assert said.endswith(".")
    assert dependence_sentences(story, person_of(story, "pad")) == []
    [said] = padding_sentences(story, person_of(story, "pad"))
    assert said.startswith("Padding on the left edge: 5.")
    assert found_edges(story, person_of(story, "mix")) == {EDGES.index("out_right")}
    assert found_edges(story, person_of(story, "pad")) == {EDGES.index("out_left")}
    assert dependence_sentences(story, person_of(story, "ann")) == []


def test_nobody_waits_for_images_where_the_edge_changed():
    """Half of the work at 3.8 px: the whole sits on the tolerance, which is not the point."""
    seen = set()
    for shift in (3.4, 3.8, 4.2, 4.6, 5.0):
        story = told(shift, habits={"ann": [], "mix": [], "bea": []})
        person = person_of(story, "mix")
        text = " ".join(sentences(paragraph(story, person)))
        assert "Since about" in text
        assert "sits on the tolerance" not in text
        if person.standing.stuck_edges:
            assert "it is not alike throughout" in text
            seen.add(shift)
    assert seen


def test_what_was_tested_is_said_of_every_edge(story):
    mixed = told_of(story, person_of(story, "mix"), "change", "session")
    assert [text.startswith("Since about") for text in mixed["found"]] == [True]
    assert "No lasting change was found: left, top, bottom." in mixed["rest"]
    assert any("Hours into a sitting were not tested (there is no" in one for one in mixed["rest"])
    honest = told_of(story, person_of(story, "ann"), "place")
    assert honest == {"found": [], "rest": ["No dependence on the place was found: all edges."]}
    padded = told_of(story, person_of(story, "pad"), "padding", "size")
    assert [text.split(":")[0] for text in padded["found"]] == ["Padding on the left edge"]
    assert f"{EXPLAINED}: left." in padded["rest"]
    later = told_of(story, person_of(story, "mix"), "padding", "size")["found"]
    assert all("before and after a change together" in one for one in later if "right" in one)


def test_what_cannot_be_told_from_sizes_is_not_said_to_be_absent():
    work, gold = drawn(
        np.random.default_rng(4),
        80,
        size=lambda time, down: 0.9 * np.sign(time),
        shift=lambda time, down, side: 4.0 * (time > 0)[:, None],
    )
    story = tell(annqc.audit(work, gold), ("annotator",), veiled=False, checks=[])
    said = told_of(story, person_of(story, "a0"), "change")
    assert said == {"found": [], "rest": [f"{LIKE_SIZES['change']}: all edges."]}


def test_size_is_told_unless_padding_explains_it(story):
    pad = person_of(story, "pad")
    [row] = [
        one
        for one in rows_of(story, pad)
        if one["quantity"] == "out_left" and one["question"] == "size"
    ]
    assert row["verdict"] == "depends"
    assert "tolerances farther in with every doubling" in row["text"]
    told = [*told_of(story, pad, "size")["found"], *dependence_sentences(story, pad)]
    assert not any("doubling" in text for text in told)


def test_nothing_is_asked_unless_somebody_looks(story):
    run = annqc.audit(story.run.candidate, story.run.reference)
    run.bias()
    run.to_json()
    assert "_dependence" not in run.__dict__
    run.dependence()
    assert "_dependence" in run.__dict__
