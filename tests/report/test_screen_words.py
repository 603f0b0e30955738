"""What the screen says of what was left aside, of where to look, and of evidence by edge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.report.compared import compared, ignored_words
from annqc.report.json import audit_document
from annqc.report.terminal import render
from annqc.report.tracks import edge_table
from annqc.simulate import tracks


def flat(text):
    return " ".join(text.split())


@pytest.fixture(scope="module")
def ignoring():
    """Every fourth gold box is marked to be ignored, every ninth a crowd."""
    made = annqc.simulate({"ann": [], "bob": Habit.loose("right", px=9)}, n_images=20, rng=1)
    table = made.gold.table
    table.ignored[::4] = True
    table.crowd[::9] = True
    return annqc.audit(made.work, made.gold)


def test_what_is_ignored_is_counted(ignoring, tmp_path):
    table = ignoring.gold.table
    n = len({*range(0, len(table), 4), *range(0, len(table), 9)})
    assert compared(ignoring).n_ignored == n
    assert ignored_words(compared(ignoring)) == f" ({n:,} marked to be ignored)"
    asked = ignoring.scores()["n_reference"]
    assert set(asked) == {len(table) - n}
    assert f"{len(table):,} reference ({n:,} marked to be ignored) and" in flat(render(ignoring))
    page = ignoring.to_html(tmp_path / "r").read_text(encoding="utf-8")
    assert f"with {len(table):,} of gold ({n:,} marked to be ignored), on 20 images" in page
    assert audit_document(ignoring)["compared"]["n_ignored"] == n


def test_nothing_is_said_where_nothing_is_ignored(mixed):
    assert compared(mixed).n_ignored == 0
    assert "to be ignored" not in render(mixed)


def test_the_list_says_what_it_is_and_where_the_ranked_one_is(mixed):
    text = flat(render(mixed))
    assert "Look at these first" not in text
    n = len(mixed.errors())
    title = "The farthest box of the biased, and the largest errors"
    assert f"{title} 5 of {n:,} errors; annqc review ranks them" in text
    made = annqc.simulate({"ann": [], "eve": Habit.misses(0.2)}, n_images=20, rng=1)
    text = flat(render(annqc.audit(made.work, made.gold)))
    assert "The largest errors" in text
    assert "farthest box" not in text
    assert "was not drawn" in text
    assert "is missing" not in text


def test_without_gold_nothing_is_called_gold():
    made = annqc.simulate({"ann": [], "ben": [], "eve": Habit.misses(0.4), "joe": []}, rng=1)
    text = flat(render(annqc.audit(made.work))).replace("there is no gold", "")
    assert "consensus" in text.split("The largest errors")[1]
    assert "gold" not in text


def test_edges_of_tracks_have_evidence_of_their_own():
    made = tracks(["ann"], n_sequences=1, n_tracks=8, n_frames=40, rng=1)
    audit = annqc.audit(made.work, made.gold)
    columns = {name: column.copy() for name, column in audit.bias_columns().items()}
    columns["n_clusters"][:4] = [5, 8, 7, 8]
    assert edge_table(columns, most=5)[1].split()[:2] == ["ann", "5-8"]
    columns["n_clusters"][:4] = 8
    assert edge_table(columns, most=5)[1].split()[:2] == ["ann", "8"]


def test_a_sentence_on_tracks_counts_tracks():
    made = tracks(["ann"], n_sequences=2, n_tracks=6, n_frames=40, rng=1)
    work = made.work.annotations
    work["x2"] += 12.0
    text = flat(render(annqc.audit(work, made.gold)))
    assert "12 tracks)" in text
    assert "images or tracks" not in text


def test_who_is_alone_is_not_ranked_and_a_blank_name_is_named():
    made = annqc.simulate(["  "], n_images=20, rng=1)
    table = render(annqc.audit(made.work, made.gold)).split("\nScores")[1].splitlines()
    assert table[2].split()[0] == "(blank)"
    assert table[2].split()[-1] == "-"
    made = annqc.simulate(["ann", "bob"], n_images=20, rng=1)
    table = render(annqc.audit(made.work, made.gold)).split("\nScores")[1].splitlines()
    assert {row.split()[-1] for row in table[2:4]} <= {"1-1", "1-2", "2-2"}


def told_of(change):
    """Return what the screen says of work whose boxes were changed by a slip of the format."""
    made = annqc.simulate(["ann", "bob", "cat"], n_images=20, rng=1)
    table = made.work.table
    boxes = change(table.xyxy.copy())
    work = replace(made.work, table=replace(table, xyxy=boxes))
    return " ".join(render(annqc.audit(work, made.gold)).split())


def test_corners_taken_for_sizes_are_asked_about():
    def wide(xyxy):
        xyxy[:, 2:] += 0.3 * (xyxy[:, 2:] - xyxy[:, :2])
        return xyxy

    words = "x1 y1 x2 y2 are taken for x y w h"
    assert words in told_of(wide)
    assert words not in told_of(lambda xyxy: xyxy)
    few = told_of(lambda xyxy: np.concatenate([xyxy[:, :2], xyxy[:, :2] + xyxy[:, 2:]], axis=1))
    assert "were found: are both sides" in few or words in few


def test_another_scale_is_asked_about():
    assert "were found: are both sides" in told_of(lambda xyxy: xyxy / 2)
    assert "were found: are both sides" not in told_of(lambda xyxy: xyxy)


def test_the_screen_says_since_when():
    made = annqc.simulate(["ann", "mix", "zoe"], n_images=80, noise_px=1.0, rng=2)
    table = made.work.table
    box, when = table.xyxy.copy(), 1.7e9 + 86_400.0 * table.image
    mixed = np.flatnonzero(made.work.annotator_ids == "mix")[0]
    box[(table.annotator == mixed) & (table.image >= 40), 2] += 6.0
    dated = replace(table, xyxy=box, extra={"created_at": when})
    text = flat(render(annqc.audit(replace(made.work, table=dated), made.gold)))
    assert "Changed over time, by a tolerance or more; the largest first mix: since about" in text
    undated = replace(table, xyxy=box)
    assert "Changed over" not in flat(
        render(annqc.audit(replace(made.work, table=undated), made.gold))
    )
