"""Findings on tracks and outlines reach the paragraph, the marks and the first page."""

from __future__ import annotations

import re

import numpy as np
import pytest

import annqc
from annqc.report.html.paragraph import paragraph
from annqc.report.html.story import OUTLINES, OVER_TIME, tell
from annqc.report.terminal import render
from annqc.simulate import OutlineHabit, TrackHabit, outlines, tracks
from tests.report.html.rows import page_of, sentences, table


@pytest.fixture(scope="module")
def film():
    habits = {"ann": [], "lagger": TrackHabit.lag(3), "shaky": TrackHabit.jitter(6), "zoe": []}
    made = tracks(habits, rng=1)
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def drawn():
    """Two outlines an image, eve's dilated by what is too much, tom's by less."""
    habits = {"ann": [], "eve": OutlineHabit.dilated(6), "tom": OutlineHabit.dilated(1.2)}
    made = outlines(habits, n_images=25, objects_per_image=[2] * 25, rng=1)
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def pages(film, drawn, tmp_path_factory):
    there = tmp_path_factory.mktemp("habits")
    audits = {"film": film, "drawn": drawn}
    return {name: audit.to_html(there / name).parent for name, audit in audits.items()}


def told(audit):
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    return story, {one.name: (one, sentences(paragraph(story, one))) for one in story.people}


def mark(page):
    """Return what stands above the paragraph of a page, as text."""
    top = page.read_text(encoding="utf-8").split("<section>")[1].split('class="said"')[0]
    return " ".join(re.sub(r"<[^>]+>", " ", top).split())


def test_who_is_late_or_shaky_is_told_so_before_anything_else(film, pages):
    _, said = told(film)
    found = film.tracks().set_index(["annotator", "quantity"])
    for who, quantity, words in (
        ("lagger", "lag", "Over time: trails the object by {:.1f} frames ("),
        ("shaky", "jitter", "Over time: shakes {:.1f} times as much as the others ("),
    ):
        row = found.loc[who, quantity]
        assert row["verdict"] == "biased"
        person, texts = said[who]
        assert texts[0].startswith(words.format(row["estimate"]))
        assert f"{row['ci_low']:.1f} to {row['ci_high']:.1f}, " in texts[0]
        assert f"{row['n_clusters']} tracks)" in texts[0]
        assert texts[-1].startswith("Next: look at these tracks together")
        assert (person.place, person.habits[OVER_TIME].verdict) == ("clean", "biased")
        assert "Over time ✕ biased" in mark(page_of(pages["film"], who))
    person, texts = said["ann"]
    assert person.habits[OVER_TIME].verdict == "clean"
    assert "within tolerance in drift" in " ".join(texts)
    assert "biased" not in mark(page_of(pages["film"], "ann"))


def test_who_is_biased_over_time_is_on_the_first_page_and_high_in_the_table(film, pages):
    text = (pages["film"] / "index.html").read_text(encoding="utf-8")
    [line] = re.findall(r"<p><b>Over time</b>: (.*?)</p>", text)
    plain = re.sub(r"<[^>]+>", "", line)
    assert plain.startswith("2 of 4 biased: ")
    assert {"lagger", "shaky"} <= set(re.findall(r"\w+", plain))
    rows = table(pages["film"] / "index.html", 'aria-label="Annotators"')[1:]
    marked = {row[0]: "over time" in row[1] and "biased" in row[1] for row in rows}
    assert marked == {"lagger": True, "shaky": True, "ann": False, "zoe": False}
    assert {row[0] for row in rows[:2]} == {"lagger", "shaky"}


def test_outlines_are_told_with_images_and_not_with_pairs(drawn, pages):
    _, said = told(drawn)
    row = drawn.outlines().set_index(["annotator", "quantity"]).loc["eve", "contour"]
    assert (row["verdict"], row["n"], row["n_clusters"]) == ("biased", 50, 25)
    person, texts = said["eve"]
    [accusation] = [one for one in texts if one.startswith("Outlines: ")]
    assert re.search(r"contour \d\.\d px too far out \(.* px\), 25 images\.$", accusation)
    assert person.habits[OUTLINES].verdict == "biased"
    assert "Outlines ✕ biased" in mark(page_of(pages["drawn"], "eve"))
    assert "25 images" in " ".join(render(drawn).split("\nOutlines")[1].split("\n\n")[0].split())


def test_what_is_measurable_within_the_tolerance_is_told(drawn, pages, tmp_path):
    _, said = told(drawn)
    row = drawn.outlines().set_index(["annotator", "quantity"]).loc["tom", "contour"]
    assert row["verdict"] != "biased"
    assert row["ci_low"] > 0
    sentence = r"the contour lies 1\.\d+ px out \(1\.\d+ to 1\.\d+ px, 25 images\), measurable"
    assert re.search(f"Outlines: {sentence}", " ".join(said["tom"][1]))
    text = (pages["drawn"] / "index.html").read_text(encoding="utf-8")
    assert re.search(f"<li>tom: {sentence}", text)
    made = outlines({"ann": [], "tom": OutlineHabit.dilated(1.2)}, n_images=25, rng=1)
    page = annqc.audit(made.work, made.gold).to_html(tmp_path / "r")
    text = page.read_text(encoding="utf-8")
    assert "found to be dilated" not in text
    assert "Nobody's outlines are shown to be dilated or eroded beyond the tolerance" in text
    assert "<li>tom: the contour lies 1." in text


def test_tracks_that_nobody_could_judge_are_no_acquittal(tmp_path):
    made = tracks(["ann"], n_sequences=1, n_tracks=6, n_frames=60, rng=1)
    audit = annqc.audit(made.work, made.gold)
    page = audit.to_html(tmp_path / "r")
    text = page.read_text(encoding="utf-8")
    assert "Nobody is found to drift" not in text
    reason = "start, end: 1 sequence to judge by, and no verdict is given on fewer than 5"
    assert f"<p>{reason}.</p>" in text
    assert reason in " ".join(render(audit).split())
    _, said = told(audit)
    assert re.search(r"; open: [a-z, ]*start, end", " ".join(said["ann"][1]))


def test_events_are_counted_in_the_paragraph(tmp_path):
    made = tracks({"ann": [], "eve": TrackHabit.lag(1)}, n_sequences=2, n_tracks=4, rng=1)
    work = made.work.annotations
    gone = (work["annotator"] == "ann") & (work["track_id"] == work["track_id"].iloc[0])
    audit = annqc.audit(work[~gone], made.gold.annotations)
    counts = audit.track_events().groupby("annotator")["kind"].value_counts()
    assert counts["ann", "missed_track"] >= 1
    _, said = told(audit)
    n = counts["ann", "missed_track"]
    what = "object never drawn" if n == 1 else "objects never drawn"
    assert f"in single tracks, which is no verdict: {n} {what}" in " ".join(said["ann"][1])


def test_evidence_is_called_tracks_where_all_of_it_is(film, drawn):
    for audit, word in ((film, "track"), (drawn, "image")):
        assert tell(audit, ("annotator",), veiled=False, checks=[]).view.clusters == word
    made = tracks(["ann"], n_sequences=1, n_tracks=3, n_frames=30, rng=1)
    gold = made.gold.annotations
    gold.loc[gold.index[:5], "track_id"] = None
    mixed = annqc.audit(made.work.annotations, gold)
    assert tell(mixed, ("annotator",), veiled=False, checks=[]).view.clusters == "image or track"


def test_nobody_is_called_clean_over_time_who_was_not_judged_on_all_of_it():
    made = tracks(["ann"], n_sequences=6, n_tracks=6, n_frames=60, rng=1)
    audit = annqc.audit(made.work, made.gold)
    found = audit.tracks().set_index("quantity")
    assert not np.isfinite(found.loc["jitter", "p_value"])  # nobody to compare with
    [person] = tell(audit, ("annotator",), veiled=False, checks=[]).people
    assert person.habits[OVER_TIME].verdict == "undecided"
