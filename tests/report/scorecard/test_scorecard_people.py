"""Who is called biased is decided of everybody together, however a delivery is cut."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

import annqc
from annqc import Habit
from tests.run.scorecard_deliveries import audited


def document_of(folder):
    return json.loads((folder / "scorecard.json").read_text(encoding="utf-8"))


def test_people_stand_where_they_stand_in_the_whole_delivery(tmp_path):
    """However a delivery is cut, the same people are accused, and in the same words."""
    audit = audited()
    bias = audit.bias()
    accused = set(bias.loc[bias["verdict"] == "biased", "annotator"])
    assert len(accused) == 5
    for how in ({}, {"vendor": "site"}, {"vendor": "annotator"}):
        audit.to_scorecard(tmp_path / "card", **how)
        document = document_of(tmp_path / "card")
        told = [one for card in document["pages"] for one in card["annotators"]["told"]]
        named = {one["annotator"]: one["text"] for one in told if one["standing"] == "biased"}
        assert set(named) == accused
        assert all("px too far out" in text[0] for text in named.values())


def test_an_edge_of_one_of_many_pages_is_off_only_beyond_chance(tmp_path):
    """Sixty honest annotators at the tolerance, a page each."""
    made = annqc.simulate(
        {f"w{k}": Habit.loose("right", px=3) for k in range(60)}, n_images=180, overlap=5, rng=3
    )
    audit = annqc.audit(made.work, made.gold, tolerance="3 px")
    audit.to_scorecard(tmp_path / "card", vendor="annotator")
    edges = [one for card in document_of(tmp_path / "card")["pages"] for one in card["edges"]]
    assert not any(one["verdict"] == "biased" for one in edges)
    assert any(one["by_chance"] for one in edges)  # each page by itself accuses some


def test_nobody_is_called_biased_on_a_handful_of_boxes(tmp_path):
    made = annqc.simulate(
        {"ann": Habit.loose("right", px=9), "bob": [], "cem": []}, n_images=40, overlap=3, rng=2
    )
    work = made.work
    ann = work.annotator_ids.tolist().index("ann")
    keep = np.zeros(len(work), dtype=bool)
    mine = np.flatnonzero(work.table.annotator == ann)
    _, first = np.unique(work.table.image[mine], return_index=True)
    keep[mine[first][:20]] = True  # one box on each of twenty images
    keep |= work.table.annotator != ann
    audit = annqc.audit(replace(work, table=work.table.take(keep), assigned=None), made.gold)
    bias = audit.bias()
    assert "ann" in set(bias.loc[bias["verdict"] == "biased", "annotator"])
    audit.to_scorecard(tmp_path / "card")
    (card,) = document_of(tmp_path / "card")["pages"]
    ann = next(one for one in card["annotators"]["told"] if one["annotator"] == "ann")
    assert ann["standing"] == "undecided"
    assert "20 boxes are too few to call anybody biased, 30 are needed" in ann["text"][0]


def test_what_everybody_does_alike_is_told_once_on_a_single_page(tmp_path):
    who = {f"w{k}": Habit.loose("right", px=6) for k in range(6)}
    made = annqc.simulate(who, n_images=60, overlap=3, rng=2)
    audit = annqc.audit(made.work, made.gold)
    page = audit.to_scorecard(tmp_path / "card").parent / "pages" / "delivery-1.html"
    text = page.read_text(encoding="utf-8")
    assert text.count("too far out for everybody") == 1
    (card,) = document_of(tmp_path / "card")["pages"]
    assert card["annotators"]["counts"]["collective"] == 6
    audit.to_scorecard(tmp_path / "card", vendor="annotator")
    page = tmp_path / "card" / "pages" / "w0-1.html"
    assert "In the whole delivery the right edge is" in page.read_text(encoding="utf-8")


def test_two_people_of_one_name_are_not_taken_for_one_another(tmp_path):
    """Vendors A and B both have a "1"; A's draws the right edge 6 px too far out, B's does not."""
    made = annqc.simulate(
        {"A-1": Habit.loose("right", px=6), "B-1": [], "A-2": [], "B-2": []}, n_images=60, rng=1
    )
    table, names = made.work.table, made.work.annotator_ids
    vendor = np.array([str(names[k]).partition("-")[0] for k in table.annotator], dtype=object)
    frame = made.work.annotations.assign(
        site=vendor, annotator=[str(names[k]).partition("-")[2] for k in table.annotator]
    )
    frame = frame[(frame["site"] == "A") | (frame["image_id"].astype("category").cat.codes < 12)]
    audit = annqc.audit(frame, made.gold)
    bias = audit.bias().query("verdict == 'biased'")
    assert set(bias["annotator"]) == {"1"}
    audit.to_scorecard(tmp_path / "card", vendor="site")
    pages = {card["vendor"]: card for card in document_of(tmp_path / "card")["pages"]}
    stands = {
        name: {one["annotator"]: one for one in card["annotators"]["told"]}
        for name, card in pages.items()
    }
    assert stands["A"]["1"]["standing"] == "biased"
    assert stands["B"]["1"]["standing"] != "biased"
    assert "is not found on this page" in stands["B"]["1"]["text"][-1]
    assert pages["B"]["annotators"]["counts"]["biased"] == 0
