"""What an estimate rests on is its own: of each edge, of each rate, wherever it is told."""

from __future__ import annotations

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.report.html.paragraph import paragraph
from annqc.report.html.story import tell
from annqc.report.view import view_of
from annqc.tables import EDGES, QUANTITIES
from tests.report.html.rows import numbers, page_of, rows_with, sentences, table

WIDE, HIGH = 1000.0, 800.0


@pytest.fixture(scope="module")
def audit():
    """On most images every box begins at the left border, where the left edge says nothing."""
    made = annqc.simulate(
        {"ann": [], "bob": Habit.loose("right", px=14), "eve": Habit.misses(0.4), "zoe": []},
        n_images=40,
        categories=("cat", "dog"),
        image_size=(WIDE, HIGH),
        rng=2,
    )
    gold, work = made.gold.annotations, made.work.annotations
    images = sorted(gold["image_id"].unique())[:32]
    for one in (gold, work):
        one.loc[one["image_id"].isin(images), "x1"] = 0.0
    return annqc.audit(work, gold)


@pytest.fixture(scope="module")
def folder(audit, tmp_path_factory):
    return audit.to_html(tmp_path_factory.mktemp("e") / "r").parent


def test_the_left_edge_has_less_evidence(audit):
    found = audit.bias().set_index(["annotator", "quantity"])["n_clusters"]
    assert found["ann", "out_left"] == 8
    assert found["ann", "out_top"] == 40


def test_a_clean_person_is_clean_on_what_the_poorest_edge_has(audit):
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    person = next(one for one in story.people if one.name == "ann")
    assert person.place == "clean"
    assert (person.standing.least_clusters, person.standing.n_clusters) == (8, 40)
    said = " ".join(sentences(paragraph(story, person)))
    assert "All four edges are shown to be within tolerance on 8 images or more." in said


@pytest.mark.parametrize("name", ["size", "category"])
def test_parts_of_the_work_have_the_evidence_of_each_edge(audit, folder, name):
    found = audit.bias(by=("annotator", name)).set_index(["annotator", name, "quantity"])
    head, *rows = table(page_of(folder, "ann"), f'aria-label="Bias by {name}"')
    assert head[-1] == "pairs"
    assert rows
    for row in rows:
        part = row[0].split(" (")[0]
        wanted = [found.loc[("ann", part, edge)] for edge in EDGES]
        for cell, want in zip(row[1:5], wanted, strict=True):
            assert numbers(cell)[-1] == want["n_clusters"]
        assert numbers(row[5]) == sorted({min(x["n"] for x in wanted), max(x["n"] for x in wanted)})


def test_sizes_have_their_limits(folder):
    rows = table(page_of(folder, "ann"), 'aria-label="Bias by size"')[1:]
    limits = {
        "small": "area under 32² px",
        "medium": "area of 32² px to 96² px",
        "large": "area of 96² px or more",
    }
    for row in rows:
        name, _, limit = row[0].partition(" (")
        assert limit == f"{limits[name]})"


def test_every_rate_has_the_images_it_rests_on(audit, folder):
    scores = audit.scores().set_index("annotator")
    names = ("recall", "precision", "label_accuracy", "mean_iou")
    for row in table(folder / "index.html", 'aria-label="Annotators"')[1:]:
        for name, cell in zip(names, row[6:10], strict=True):
            assert numbers(cell)[-1] == scores.loc[row[0], f"{name}_n_clusters"]
    parts = audit.scores(by="category").set_index("category")
    edges = audit.bias(by="category").set_index(["category", "quantity"])["n_clusters"]
    for row in table(folder / "index.html", 'aria-label="Categories"')[1:]:
        for name, cell in zip(names, row[2:6], strict=True):
            assert numbers(cell)[-1] == parts.loc[row[0], f"{name}_n_clusters"]
        assert [numbers(cell)[-1] for cell in row[6:10]] == [edges[row[0], e] for e in EDGES]


def test_the_map_has_its_tolerances_as_numbers(audit, folder):
    found = audit.bias().set_index(["annotator", "quantity"])
    columns = (
        *("estimate_px", "ci_low_px", "ci_high_px"),
        *("estimate", "ci_low", "ci_high", "n_clusters"),
    )
    rows = table(folder / "index.html", 'aria-label="Numbers of the bias map"')[1:]
    assert len(rows) == 4
    for row in rows:
        for quantity, cell in zip(QUANTITIES, row[1:], strict=True):
            want = found.loc[(row[0], quantity)]
            assert numbers(cell) == pytest.approx([want[one] for one in columns], abs=0.00501)


def test_shares_of_the_side_have_intervals(audit, folder):
    found = audit.bias().set_index(["annotator", "quantity"])
    for quantity, row in rows_with(page_of(folder, "bob"), "data-quantity").items():
        want = found.loc[("bob", quantity)]
        ends = [100 * want[one] for one in ("estimate_rel", "ci_low_rel", "ci_high_rel")]
        assert numbers(row[3]) == pytest.approx(ends, abs=0.0501)


def test_how_many_stand_behind_what_all_seem_to_have(audit, folder):
    """Counted by hand: intervals of an annotator within a category, wholly beyond tolerance."""
    found = audit.bias(by=("annotator", "category"))
    found = found[found["quantity"].isin(EDGES)]
    found = found.assign(beyond=(found["ci_low"] > 1) | (found["ci_high"] < -1))
    by_person = found.groupby(["category", "annotator"])["beyond"].any()
    rows = table(folder / "index.html", 'aria-label="Categories"')[1:]
    for row in rows:
        assert numbers(row[10]) == [by_person[row[0]].sum(), 4]
        assert by_person[row[0], "bob"]
    for path in (folder / "categories").glob("*.html"):
        if path.name == "all.html":
            continue
        text = path.read_text(encoding="utf-8")
        name = text.split("<h1>Category ")[1].split("</h1>")[0]
        n = found[(found["category"] == name) & (found["quantity"] == "out_right")]["beyond"].sum()
        assert f"{n} of 4 at the right" in text


def test_the_worst_edge_is_the_largest_estimate(audit, folder):
    found = audit.bias()
    found = found[found["quantity"].isin(EDGES)].set_index("annotator")
    scores = audit.scores().set_index("annotator")
    rows = table(folder / "index.html", 'aria-label="Numbers of the ranks"')[1:]
    assert len(rows) == 4
    for who, rank, places, edge, size, n in rows:
        mine = found.loc[who]
        worst = mine.iloc[int(np.argmax(mine["estimate"].abs()))]
        assert f"out_{edge}" == worst["quantity"]
        sign = 1 if worst["estimate"] >= 0 else -1
        ends = sorted((sign * worst["ci_low"], sign * worst["ci_high"]))
        assert numbers(size) == pytest.approx([abs(worst["estimate"]), *ends], abs=0.00501)
        assert numbers(n) == [worst["n_clusters"]]
        one = scores.loc[who]
        assert numbers(rank) == [one["rank"]]
        assert numbers(places) == [one["rank_low"], one["rank_high"]]


def test_who_is_alone_has_no_rank(tmp_path):
    made = annqc.simulate(["ann"], n_images=20, rng=1)
    page = annqc.audit(made.work, made.gold).to_html(tmp_path / "r")
    [row] = table(page, 'aria-label="Annotators"')[1:]
    assert numbers(row[2]) == []
    assert 'id="ranks"' not in page.read_text(encoding="utf-8")


def test_the_mean_of_lopsided_offsets_is_at_hand():
    made = annqc.simulate(["ann"], n_images=20, rng=1)
    run = annqc.audit(made.work, made.gold)
    view = view_of(run)
    px = run.measurements.values("px")
    for k in range(len(EDGES)):
        assert view.columns["mean_px"][0, k] == pytest.approx(np.nanmean(px[k]), abs=0.2)
