"""CSV, JSON and Markdown tell the same numbers as the audit, and the folder harms nothing."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.tables import EDGES
from annqc.write import write_coco
from tests.run.scorecard_deliveries import (
    EVIL,
    FORMULA,
    audited,
    by_vendor,
    vendor_of,
    with_columns,
)

RULES = [
    {"id": "edges", "measure": "edge_offset", "by": ["annotator"]},
    {"id": "recall", "measure": "recall", "at_least": 0.95, "by": []},
]
SPEC = {"annqc": {"version": 1}, "rule": RULES}
FILES = ["index.html", "pages", "scorecard.csv", "scorecard.json", "summary.md"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    there = tmp_path_factory.mktemp("cards") / "card"
    assert audited().to_scorecard(there, spec=SPEC, vendor="site") == there / "index.html"
    return there


def document_of(folder):
    return json.loads((folder / "scorecard.json").read_text(encoding="utf-8"))


def table_of(folder):
    with (folder / "scorecard.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_folder_holds_what_it_should_and_nothing_beside_it(folder):
    assert sorted(one.name for one in folder.iterdir()) == FILES
    pages = sorted(one.name for one in (folder / "pages").iterdir())
    assert pages == ["good-1.html", "loose-2.html", "tiny-3.html"]
    assert [one.name for one in folder.parent.iterdir()] == ["card"]


def test_verdicts_of_planted_vendors(folder):
    found = {one["vendor"]: one["verdict"] for one in table_of(folder)}
    assert found == {"good": "accepted", "loose": "refused", "tiny": "undecided"}
    assert document_of(folder)["counts"] == {
        "accepted": 1,
        "refused": 1,
        "undecided": 1,
        "not_checked": 0,
        "error": 0,
        "no_rule": 0,
    }


def test_the_undecided_say_how_many_more_images_it_takes(folder):
    tiny = document_of(folder)["pages"][2]
    assert tiny["n_more"] > 0
    # The edges are on four images, and five are needed to judge them at all.
    assert f"at least {tiny['n_more']} more images are needed" in tiny["sentence"]
    recall = next(one for one in tiny["checks"] if one["id"] == "recall")
    assert recall["outcome"] == "undecided"
    # Without a miss, recall is shown to be 0.95 from 72 objects on; 5 % are added.
    per_image = tiny["scores"]["recall"]["n"] / recall["n_clusters"]
    objects = (recall["n_more"] + recall["n_clusters"]) * per_image
    assert 72 <= objects <= 72 * 1.05 + 2 * per_image


def test_numbers_are_those_of_the_audit_of_each_vendor(folder):
    names = by_vendor().work.annotator_ids.tolist()
    for card in document_of(folder)["pages"]:
        mine = {name for name in names if vendor_of(name) == card["vendor"]}
        frame = by_vendor().scores()
        frame = frame[frame["annotator"].isin(mine)]
        samples, scores = card["samples"], card["scores"]
        assert samples["annotators"] == len(mine)
        assert scores["recall"]["n"] == frame["n_reference"].sum()
        assert scores["recall"]["n_wrong"] == frame["n_missed"].sum()
        assert scores["precision"]["n"] == frame["n_drawn"].sum() == samples["boxes"]
        wanted = 1 - frame["n_missed"].sum() / frame["n_reference"].sum()
        assert scores["recall"]["estimate"] == pytest.approx(wanted)


def test_csv_and_json_have_the_same_numbers(folder):
    for row, card in zip(table_of(folder), document_of(folder)["pages"], strict=True):
        assert (row["vendor"], row["verdict"], row["page"]) == (
            card["vendor"],
            card["verdict"],
            card["page"],
        )
        for name in ("recall", "precision", "label_accuracy", "mean_iou"):
            score = card["scores"][name]
            told = [row[name], row[f"{name}_low"], row[f"{name}_high"]]
            wanted = [score["estimate"], score["ci_low"], score["ci_high"]]
            assert [float(one) for one in told] == wanted
            assert int(row[f"{name}_n_clusters"]) == score["n_clusters"]
        for name, edge in zip(EDGES, card["edges"], strict=True):
            told = [row[f"{name}_px{end}"] for end in ("", "_low", "_high")]
            wanted = [edge["estimate_px"], edge["ci_low_px"], edge["ci_high_px"]]
            assert [float(one) if one else None for one in told] == wanted
            assert row[f"{name}_verdict"] == edge["verdict"]
        assert int(row["images_compared"]) == card["samples"]["images_compared"]
        refused = [one["id"] for one in card["checks"] if one["outcome"] == "fail"]
        assert row["refused_by"].split() == refused


def test_everybody_of_a_vendor_off_alike_is_held_against_the_other_pages(folder):
    card = document_of(folder)["pages"][1]
    # Of the whole delivery they are five of eleven, and each of them is biased.
    assert card["annotators"]["counts"]["biased"] == 5
    assert len(card["annotators"]["collective"]) == 1
    first, second = card["minds"]
    assert first == "Everybody, here, is the 5 annotators of loose."
    found_on = "The right edge is off the same way for none of 2 other vendors"
    assert second == f"{found_on}, which speaks against the gold as the reason."


def test_where_all_vendors_are_off_alike_the_gold_may_be(tmp_path):
    audit = audited()
    gold = audit.gold
    table = replace(gold.table, xyxy=gold.table.xyxy + np.array([0, 0, -6.0, 0]))
    off = annqc.audit(audit.work, replace(gold, table=table))
    off.to_scorecard(tmp_path / "card", spec=SPEC, vendor="site")
    minds = document_of(tmp_path / "card")["pages"][0]["minds"]
    assert any("the gold or the guideline may be off" in one for one in minds)


def test_chance_leaves_no_failure_behind_in_the_numbers(tmp_path):
    who = {f"v{k:02d}": [] for k in range(19)} | {"worse": Habit.misses(0.13)}
    rule = {"id": "recall", "measure": "recall", "at_least": 0.95, "by": []}
    for seed in range(1, 30):
        made = annqc.simulate(who, n_images=80, overlap=4, rng=seed)
        audit = annqc.audit(made.work, made.gold)
        spec = {"annqc": {"version": 1}, "rule": [rule]}
        audit.to_scorecard(tmp_path / "card", spec=spec, vendor="annotator")
        cards = document_of(tmp_path / "card")["pages"]
        chance = next((one for one in cards if one["checks"][0]["by_chance"]), None)
        if chance:
            break
    (check,) = chance["checks"]
    assert (check["outcome"], check["n_fail"], check["n_undecided"]) == ("undecided", 0, 1)
    assert check["n_more"] > 0  # there is something to do
    assert "among 20 vendors this can be chance" in chance["why"]


def test_the_refused_are_in_the_summary_however_many_there_are(tmp_path, monkeypatch):
    monkeypatch.setattr("annqc.report.scorecard.markdown.MOST_PAGES", 2)
    audited().to_scorecard(tmp_path / "card", spec=SPEC, vendor="site")
    text = (tmp_path / "card" / "summary.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in rows[1:]] == ["| loose", "| tiny"]
    assert "and 1 more vendor" in text


def test_the_summary_stands_by_itself(folder):
    """Day, rules with their limits, which rule is open, and clusters beside every interval."""
    text = (folder / "summary.md").read_text(encoding="utf-8").replace("\\", "")
    document = document_of(folder)
    assert document["created"][:10] in text
    assert "- recall at least 0.95" in text.splitlines()
    assert "everything together" not in text
    for card in document["pages"]:
        assert card["why"] in text
        recall = card["scores"]["recall"]
        ends = f"{recall['ci_low']:.3f} to {recall['ci_high']:.3f}"
        assert f"({ends}; {recall['n_clusters']} images)" in text
    assert not any(line.startswith("- 2 pages") for line in text.splitlines())


def test_without_a_spec_nothing_is_accepted_or_refused(tmp_path):
    audited().to_scorecard(tmp_path / "card", vendor="site")
    document = document_of(tmp_path / "card")
    assert {one["verdict"] for one in document["pages"]} == {"no_rule"}
    assert all("acceptance: no rule was given" in one["not_checked"] for one in document["pages"])
    assert document["spec"] is None
    text = (tmp_path / "card" / "summary.md").read_text(encoding="utf-8")
    assert "no rule given: 3" in text
    assert "loose: loose-0 draws the right edge" in text
    assert "good: good-0" not in text
    page = (tmp_path / "card" / "pages" / "loose-2.html").read_text(encoding="utf-8")
    assert "Nothing was accepted or refused, for no rule was given" in page


def test_without_vendors_there_is_one_page_with_the_numbers_of_the_audit(tmp_path):
    audit = by_vendor()
    audit.to_scorecard(tmp_path / "card", spec=SPEC)
    (card,) = document_of(tmp_path / "card")["pages"]
    assert (card["vendor"], card["batch"], card["page"]) == (None, None, "pages/delivery-1.html")
    judged = audit.judge(SPEC)
    assert [one["outcome"] for one in card["checks"]] == [one.outcome for one in judged.checks]
    assert [one["sentence"] for one in card["checks"]] == [one.sentence for one in judged.checks]
    wanted = audit.score_columns(())["mean_iou"][0]
    assert card["scores"]["mean_iou"]["estimate"] == pytest.approx(wanted)


def test_a_vendor_without_gold_is_told_and_not_judged(tmp_path):
    audit = audited()
    work = audit.work
    tiny = np.isin(work.table.annotator, [work.annotator_ids.tolist().index("tiny-0")])
    some = np.unique(work.table.image[tiny])
    kept = ~np.isin(np.arange(len(audit.gold.image_table)), some)
    code = np.cumsum(kept) - 1
    table = audit.gold.table.take(kept[audit.gold.table.image])
    gold = replace(
        audit.gold,
        table=replace(table, image=code[table.image]),
        image_table=audit.gold.image_table.take(kept),
        assigned=None,
    )
    annqc.audit(work, gold).to_scorecard(tmp_path / "card", spec=SPEC, vendor="site")
    card = document_of(tmp_path / "card")["pages"][2]
    assert card["verdict"] == "not_checked"
    assert card["sentence"] == "Nothing was checked: none of its images is in the gold."
    assert card["scores"]["recall"] == {
        "estimate": None,
        "ci_low": None,
        "ci_high": None,
        "n": 0,
        "n_wrong": None,
        "n_clusters": 0,
    }
    assert any("without gold, of 4 drawn on" in one for one in card["not_checked"])
    page = (tmp_path / "card" / "pages" / "tiny-3.html").read_text(encoding="utf-8")
    assert "nothing was checked" in page


def test_hostile_names_are_text_everywhere(tmp_path):
    audit = by_vendor()
    evil = {"good": EVIL, "loose": FORMULA, "tiny": "../../x|y\n# z"}
    names = audit.work.annotator_ids[audit.work.table.annotator].tolist()
    sites = [evil[vendor_of(name)] for name in names]
    changed = with_columns(audit, site=sites)
    changed.to_scorecard(tmp_path / "card", spec=SPEC, vendor="site")
    assert sorted(one.name for one in (tmp_path / "card").iterdir()) == FILES
    assert [one.name for one in tmp_path.iterdir()] == ["card"]
    rows = table_of(tmp_path / "card")
    # In the order of their names: a dot, an angle and an equals sign.
    assert [one["vendor"] for one in rows] == ["../../x|y\n# z", EVIL, f"'{FORMULA}"]
    assert {one["vendor"] for one in document_of(tmp_path / "card")["pages"]} == {*evil.values()}
    for one in (tmp_path / "card").rglob("*.html"):
        text = one.read_text(encoding="utf-8")
        assert "<script" not in text.lower()
        assert "default-src 'none'" in text
    text = (tmp_path / "card" / "summary.md").read_text(encoding="utf-8")
    assert "<script" not in text
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(lines) == 4
    assert {line.replace("\\|", "").count("|") for line in lines} == {9}


def test_an_earlier_scorecard_is_replaced_and_nothing_else(tmp_path):
    there = tmp_path / "card"
    audited().to_scorecard(there, spec=SPEC, vendor="site")
    audited().to_scorecard(there, spec=SPEC)
    assert [one.name for one in (there / "pages").iterdir()] == ["delivery-1.html"]
    (there / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(annqc.AnnqcError, match="no scorecard of annqc"):
        audited().to_scorecard(there, spec=SPEC)
    assert (there / "notes.txt").read_text(encoding="utf-8") == "mine"
    (there / "notes.txt").unlink()
    (there / "pages" / "delivery-1.html").unlink()
    (there / "pages" / "delivery-1.html").symlink_to(tmp_path)
    with pytest.raises(annqc.AnnqcError, match=r"pages/delivery-1\.html"):
        audited().to_scorecard(there, spec=SPEC)


@pytest.mark.parametrize("what", ["file", "folder", "link", "other index"])
def test_what_is_no_scorecard_is_refused(tmp_path, what):
    there = tmp_path / "card"
    if what == "file":
        there.write_text("mine", encoding="utf-8")
    elif what == "link":
        (tmp_path / "real").mkdir()
        there.symlink_to(tmp_path / "real")
    else:
        there.mkdir()
        name = "index.html" if what == "other index" else "thesis.txt"
        (there / name).write_text("mine", encoding="utf-8")
    with pytest.raises(annqc.AnnqcError, match="no scorecard of annqc"):
        audited().to_scorecard(there)


def test_an_empty_folder_is_taken_and_a_missing_one_around_it_told(tmp_path):
    (tmp_path / "card").mkdir()
    assert audited().to_scorecard(tmp_path / "card").is_file()
    with pytest.raises(annqc.AnnqcError, match="no such folder"):
        audited().to_scorecard(tmp_path / "none" / "card")


def test_a_failure_leaves_the_earlier_scorecard(tmp_path, monkeypatch):
    there = tmp_path / "card"
    audited().to_scorecard(there)
    before = (there / "scorecard.json").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(annqc.AnnqcError, match="cannot be written"):
        audited().to_scorecard(there, spec=SPEC)
    assert (there / "scorecard.json").read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["card"]


def test_an_interrupt_between_the_renames_leaves_the_earlier_scorecard(tmp_path, monkeypatch):
    there = tmp_path / "card"
    audited().to_scorecard(there)
    before = (there / "scorecard.json").read_bytes()
    rename, calls = Path.rename, []

    def interrupted(self, target):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr("pathlib.Path.rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        audited().to_scorecard(there, spec=SPEC)
    monkeypatch.undo()
    assert (there / "scorecard.json").read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["card"]


def test_a_name_that_is_too_long_is_told(tmp_path):
    for write in (audited().to_scorecard, audited().save, audited().to_html):
        with pytest.raises(annqc.AnnqcError, match="name of an output is too long"):
            write(tmp_path / ("x" * 250))
    assert not list(tmp_path.iterdir())


def test_the_folder_of_an_input_is_refused(tmp_path):
    made = annqc.simulate(["ann"], n_images=6, rng=1)
    write_coco(made.gold, tmp_path / "gold.json")
    write_coco(made.work, tmp_path / "work.json")
    audit = annqc.audit(tmp_path / "work.json", tmp_path / "gold.json")
    with pytest.raises(annqc.AnnqcError, match=r"would be overwritten|overwrite an input"):
        audit.to_scorecard(tmp_path)


def test_without_gold_there_is_no_scorecard(tmp_path):
    made = annqc.simulate(["ann", "bob", "cem"], n_images=10, rng=4)
    with pytest.raises(annqc.AnnqcError, match="there is none"):
        annqc.audit(made.work).to_scorecard(tmp_path / "card")
    assert not list(tmp_path.iterdir())


def test_a_vendor_is_no_formula_in_the_sheet_and_itself_in_the_json(tmp_path):
    made = annqc.simulate({"=1+1": [], "@SUM": []}, n_images=8, rng=1)
    page = annqc.audit(made.work, made.gold).to_scorecard(tmp_path / "card", vendor="annotator")
    with (page.parent / "scorecard.csv").open(encoding="utf-8", newline="") as file:
        assert [row["vendor"] for row in csv.DictReader(file)] == ["'=1+1", "'@SUM"]
    document = json.loads((page.parent / "scorecard.json").read_text(encoding="utf-8"))
    assert [one["vendor"] for one in document["pages"]] == ["=1+1", "@SUM"]
