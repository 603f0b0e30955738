"""Words of pages: flags with what they mean, gold and consensus, blanks, checks without names."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from statistics import median

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc import Habit
from annqc.ids import ids_array
from annqc.report.html.paragraph import paragraph
from annqc.report.html.story import tell
from annqc.report.html.texts import QUALIFIED
from annqc.tables import QUANTITIES
from tests.report.html.rows import figures, numbers, page_of, rows_with, sentences, table

RATES = {"recall": "Recall", "precision": "Precision", "label_accuracy": "Labels"}


def words(path):
    """Return what is to be read on a page."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"<(script|style|svg).*?</\1>", " ", text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


@pytest.fixture(scope="module")
def team():
    habits = {
        "ann": [],
        "bob": Habit.loose("right", px=12),
        "eve": Habit.misses(0.35),
        "hugo": Habit.extras(0.4),
        "ines": Habit.wrong_labels(0.3),
        "zoe": [],
    }
    made = annqc.simulate(habits, n_images=40, rng=4)
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def folder(team, tmp_path_factory):
    return team.to_html(tmp_path_factory.mktemp("w") / "r").parent


def test_flags_are_on_the_page_with_what_they_mean(seen, report):
    bias, folder = seen.bias(), report
    assert bias["flags"].str.contains("SELECTION_SENSITIVE").any()
    for who in seen.work.annotator_ids:
        mine = bias[bias["annotator"] == who].set_index("quantity")
        text = words(page_of(folder, who))
        for flag in ("SELECTION_SENSITIVE", "MEASURABLE", "ASYMMETRIC"):
            name = flag.replace("_", " ").lower()
            assert (f"{name}: " in text) == mine["flags"].str.contains(flag).any()
        for quantity, row in rows_with(page_of(folder, who), "data-quantity").items():
            flags = mine.loc[quantity, "flags"]
            for flag in filter(None, flags.split(",")):
                assert flag.replace("_", " ").lower() in row[-1]
            assert (QUALIFIED in row[1]) == ("SELECTION_SENSITIVE" in flags)


def test_where_mean_and_typical_offset_differ_both_are_told(tmp_path):
    made = annqc.simulate(["ann"], n_images=40, noise_px=0.5, rng=3)
    work = made.work.annotations
    work.loc[work.index[::4], "x2"] += 25.0
    audit = annqc.audit(work, made.gold)
    found = audit.bias().set_index("quantity")
    assert "ASYMMETRIC" in found.loc["out_right", "flags"]
    path = page_of(audit.to_html(tmp_path / "r").parent, "ann")
    row = rows_with(path, "data-quantity")["out_right"]
    [px], [units] = (numbers(cell.split("mean")[1]) for cell in (row[2], row[4]))
    assert units == pytest.approx(found.loc["out_right", "mean"], abs=0.00501)
    assert px == pytest.approx(np.nanmean(audit.measurements.values("px")[2]), abs=0.5)
    assert px > numbers(row[2])[0] + 2


def test_the_map_marks_what_might_change(seen, report):
    heat = figures(report / "index.html")["picture-map"]
    flags = seen.bias().set_index(["annotator", "quantity"])["flags"]
    marks = heat["data"][0]["text"]
    for who, line in zip(heat["layout"]["yaxis"]["ticktext"], marks, strict=True):
        for quantity, mark in zip(QUANTITIES, line, strict=True):
            assert (QUALIFIED in mark) == ("SELECTION_SENSITIVE" in flags[who, quantity])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_it_may_be_the_gold_that_is_off(n):
    names = dict.fromkeys(("bob", "cat", "dan")[:n], Habit.loose("right", px=9))
    made = annqc.simulate(names, n_images=20, rng=1)
    story = tell(annqc.audit(made.work, made.gold), ("annotator",), veiled=False, checks=[])
    for person in story.people:
        said = sentences(paragraph(story, person))
        told = f"with {n} annotator{'s' * (n > 1)} an offset of the gold looks the same"
        assert (told in " ".join(said)) == (n < 3)
        if n < 3:
            assert "draws the right edge" in said[0]
            assert sum(one.startswith("Mind: ") for one in said) == 1
            assert "at the gold, which may be what is off" in said[-1]


def test_it_may_be_the_gold_where_nobody_is_told_apart():
    made = annqc.simulate({"anonymous": Habit.loose("right", px=9)}, n_images=20, rng=1)
    story = tell(annqc.audit(made.work, made.gold), ("annotator",), veiled=False, checks=[])
    said = sentences(paragraph(story, story.people[0]))
    assert said[0].startswith("The right edge is 9")
    assert "Mind: an offset of the gold looks the same as one of the work." in said
    assert "at the gold, which may be what is off" in said[-1]


def test_a_consensus_is_never_called_gold(tmp_path):
    made = annqc.simulate({"ann": [], "ben": [], "eve": Habit.misses(0.3), "joe": []}, rng=1)
    folder = annqc.audit(made.work).to_html(tmp_path / "r").parent
    for path in [folder / "index.html", *(folder / "categories").glob("*.html")]:
        assert "gold" not in words(path).replace("there is no gold", "").lower(), path.name
    for path in (folder / "annotators").glob("*.html"):
        text = words(path)
        top = text.split("Offsets")[0]
        assert "consensus objects" in top
        assert "median consensus box" in top
        assert "gold" not in top
        assert "gold" not in text.split(" Errors ")[-1]
    method = words(folder / "problems.html").split(" Method ")[1]
    assert "at most one consensus box" in method


def test_rates_that_are_low_are_told_by_name_and_number(team, folder):
    """Against the definition: one-sided on images, for everybody and the three rates at once."""
    scores = team.scores().set_index("annotator")
    text = words(folder / "index.html")
    rows = {row[0]: row[1] for row in table(folder / "index.html", 'aria-label="Annotators"')[1:]}
    for name, title in RATES.items():
        limit = min(median(scores[name]), team.scores(by=()).loc[0, name])
        held = team.rate_columns(name, limit=limit, at_least=True)
        p = dict(zip(held["annotator"].tolist(), held["p_value"].tolist(), strict=True))
        low = [who for who in scores.index if p[who] < 0.05 / (3 * len(scores))]
        worst = scores[name].idxmin()
        verb = "is" if len(low) == 1 else "are"
        said = f"{title} : the lowest is {worst} with {round(100 * scores.loc[worst, name])} % ("
        n = scores.loc[worst, f"{name}_n_clusters"]
        rest = f", {n} images); {len(low)} of 6 annotators {verb} below the others by more than"
        assert re.search(re.escape(said) + r"\d+ to \d+ %" + re.escape(rest), text)
        assert worst in low
        column = title.lower()
        marked = {who for who, cell in rows.items() if column in cell.partition("low:")[2]}
        assert marked == set(low)


def test_equal_people_with_few_objects_are_hardly_ever_below_the_others():
    """Ten with 2 % of misses and extras each, about 25 objects: what one slip does is chance."""
    accused = 0
    for seed in range(12):
        made = annqc.simulate(
            {f"w{k}": [Habit.misses(0.02), Habit.extras(0.02)] for k in range(10)},
            n_images=50,
            overlap=1,
            rng=seed,
        )
        story = tell(annqc.audit(made.work, made.gold), ("annotator",), veiled=False, checks=[])
        accused += any(story.rates.low(person) for person in story.people)
    assert accused <= 2


def test_nobody_is_low_on_twelve_boxes():
    people = {"few": Habit.misses(0.9)} | {f"w{k}": [] for k in range(4)}
    made = annqc.simulate(people, n_images=6, boxes_per_image=[2] * 6, rng=1)
    story = tell(annqc.audit(made.work, made.gold), ("annotator",), veiled=False, checks=[])
    assert [story.rates.low(person) for person in story.people] == [[]] * 5


def test_what_to_look_at_are_the_kinds_of_errors_that_are_there():
    """Boxes that overlap too little are no boxes on nothing."""
    people = {"sloppy": Habit.jitter(px=25)} | {f"w{k}": [] for k in range(4)}
    made = annqc.simulate(people, n_images=40, rng=1)
    audit = annqc.audit(made.work, made.gold)
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    person = next(one for one in story.people if one.name == "sloppy")
    kinds = audit.errors().query("annotator == 'sloppy'")["kind"].value_counts()
    assert kinds["near_miss"] > 4 * kinds.get("spurious", 0)
    then = paragraph(story, person).then
    assert "the boxes that overlap their object too little" in then
    assert "on nothing" not in then


def test_the_paragraph_begins_with_what_matters_and_ends_with_what_to_do(team):
    story = tell(team, ("annotator",), veiled=False, checks=[])
    said = {one.name: sentences(paragraph(story, one)) for one in story.people}
    assert "draws" in said["bob"][0]
    last = {who: texts[-1] for who, texts in said.items()}
    assert last["bob"].startswith("Next: look at these annotations together")
    assert last["eve"] == "Next: look at what was missed together."
    assert last["hugo"] == "Next: look at the boxes on nothing together."
    assert last["ines"] == "Next: look at the labels together."
    assert last["zoe"] == "Next: nothing; no rate is shown to be below the others' either."
    for who, start in (("eve", "Found 6"), ("hugo", "7"), ("ines", "7")):
        assert said[who][0].startswith(start), said[who]
        assert said[who][0].endswith("below the others by more than chance explains.")
    for texts in said.values():
        assert sum(one.startswith("Next: ") for one in texts) == 1


def test_since_when_is_told_before_what_is_open_and_no_tolerance_is_blamed():
    """Nothing until the 60th image, 6 px after it: that is no edge on the tolerance."""
    made = annqc.simulate(["ann", "mix", "zoe"], n_images=100, noise_px=1.0, rng=2)
    work = made.work.annotations
    number = work["image_id"].map({one: k for k, one in enumerate(work["image_id"].unique())})
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(number, unit="D")
    off = (work["annotator"] == "mix") & (number >= 60)
    work["x2"] += np.where(off, 6.0, 0.0)
    audit = annqc.audit(work.assign(created_at=days.astype(str)), made.gold)
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    said = {one.name: sentences(paragraph(story, one)) for one in story.people}
    at = next(k for k, one in enumerate(said["mix"]) if one.startswith("Since about 2026-0"))
    assert at <= 2
    text = " ".join(said["mix"])
    assert "on the tolerance" not in text
    assert "Next: nothing" not in text
    assert not any("Since about" in one for one in said["ann"])


@pytest.mark.parametrize(
    ("n_images", "noise", "end"),
    [
        (3, 1.0, "Next: more is needed: 2 more images, at least."),
        (8, 9.0, r"Next: more is needed: about [\d,]+ more images\."),
        (40, 1.0, "Next: nothing on edges; whether the rates will do is for a limit to say."),
    ],
)
def test_what_to_do_is_no_stronger_than_the_numbers(n_images, noise, end):
    made = annqc.simulate(["ann"], n_images=n_images, noise_px=noise, rng=1)
    story = tell(annqc.audit(made.work, made.gold), ("annotator",), veiled=False, checks=[])
    [person] = story.people
    told = paragraph(story, person).then
    assert re.fullmatch(end, told), told


def test_a_name_of_blanks_can_be_seen_and_followed(tmp_path):
    made = annqc.simulate(["ann", "bob", "cat"], n_images=10, categories=("x", "y"), rng=1)
    work = replace(made.work, annotator_ids=ids_array(["ann", "  ", ""]))
    sides = [replace(one, category_names=ids_array(["x", " "])) for one in (work, made.gold)]
    folder = annqc.audit(*sides).to_html(tmp_path / "r").parent
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<(title|h1|h2|h3)>\s*</", text), path.name
        empty = re.findall(r"<a [^>]*>(?:<[^>]*>|\s)*</a>", text)
        assert not empty, path.name
    names = [row[0] for row in table(folder / "index.html", 'aria-label="Annotators"')[1:]]
    assert sorted(names) == ["(blank)", "(blank)", "ann"]


def test_ids_of_checks_are_no_way_around_pseudonyms(tmp_path):
    made = annqc.simulate({"constructor": Habit.misses(0.4), "ann": []}, n_images=20, rng=1)
    audit = annqc.audit(made.work, made.gold)
    rule = {
        "id": "recall-of-constructor",
        "measure": "recall",
        "by": ["annotator"],
        "where": {"annotator": ["constructor"]},
        "at_least": 0.9,
    }
    judgement = audit.judge({"annqc": {"version": 1}, "rule": [rule]})
    page = audit.to_html(tmp_path / "r", judgement=judgement, pseudonyms=True)
    for path in page.parent.rglob("*.html"):
        assert "constructor" not in path.read_text(encoding="utf-8")
    text = words(page)
    assert "check 1" in text
    assert "Their ids and sentences are left out" in text


def test_an_edge_too_far_in_is_not_called_loose(tmp_path):
    made = annqc.simulate({"ann": [], "tim": Habit.loose("top", px=-14)}, n_images=20, rng=1)
    audit = annqc.audit(made.work, made.gold)
    errors = audit.errors()
    assert (errors.loc[errors["kind"] == "loose_box", "offset_px"] < 0).any()
    folder = audit.to_html(tmp_path / "r").parent
    for path in folder.rglob("*.html"):
        assert "loose box" not in path.read_text(encoding="utf-8")
    head, *rows = table(folder / "index.html", 'aria-label="Numbers of the errors"')
    assert head == ["kind", "errors", "of", "most are of"]
    counts = errors["kind"].value_counts()
    [row] = [row for row in rows if row[0] == "edge far off"]
    assert numbers(row[1]) == [counts["loose_box"]]
    pairs = audit.pairs
    n_pairs = pairs["status"].isin(["matched", "mislabelled"]).sum()
    assert numbers(row[2]) == [n_pairs]
    most = errors.loc[errors["kind"] == "loose_box", "annotator"].value_counts()
    assert row[3].split()[0].rstrip(",") == most.index[0] == "tim"
    assert numbers(row[3]) == [most.iloc[0]]


def test_the_method_says_what_intervals_are_not(folder):
    method = words(folder / "problems.html").split(" Method ")[1]
    assert "not widened for having been chosen" in method
    assert "averaged robustly" not in method
    assert "Huber location" in method
    for path in (folder / "annotators").glob("*.html"):
        assert "drawn on average" not in words(path)
    note = words(folder / "index.html").split(" Annotators Ranks")[1]
    assert "ranges hold with 90 %, all other intervals with 95 %" in note


def test_no_interval_stands_behind_a_dash(tmp_path):
    nothing = {
        "images": [{"id": k, "file_name": f"{k}.jpg", "width": 99, "height": 99} for k in range(5)],
        "categories": [{"id": 1, "name": "x"}],
        "annotations": [],
    }
    for name in ("gold", "work"):
        (tmp_path / f"{name}.json").write_text(json.dumps(nothing), encoding="utf-8")
    audit = annqc.audit(tmp_path / "work.json", tmp_path / "gold.json")
    page = audit.to_html(tmp_path / "r")
    for row in table(page, 'aria-label="Annotators"')[1:]:
        for cell in row[6:]:
            assert not cell.startswith("–") or numbers(cell) == [], cell  # noqa: RUF001
