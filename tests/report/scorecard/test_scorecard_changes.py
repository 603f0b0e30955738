"""What no rule asks for: changes over time; and rules that break for everybody."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.report.scorecard.alike import broken_alike
from tests.report.scorecard.test_scorecard_pages import Page

if TYPE_CHECKING:
    from pathlib import Path

SPEC = {
    "annqc": {"version": 1},
    "rule": [{"id": "edges", "measure": "edge_offset", "tolerance": "5 px", "by": ["annotator"]}],
}
GONE = "whether the work got better or worse"


def document_of(folder: Path):
    return json.loads((folder / "scorecard.json").read_text(encoding="utf-8"))


def summary_of(folder: Path) -> str:
    return (folder / "summary.md").read_text(encoding="utf-8").replace("\\", "")


def delivery(*, timed=True, step=6.0, n_images=60):
    """Three annotators; of bob's boxes the right edge goes out from the middle of his work on."""
    made = annqc.simulate(["ann", "bob", "cem"], n_images=n_images, overlap=3, rng=6)
    table = made.work.table
    bob = made.work.annotator_ids.tolist().index("bob")
    xyxy = table.xyxy.copy()
    xyxy[(table.annotator == bob) & (table.image >= n_images // 2), 2] += step
    extra = {}
    if timed:
        days = [f"2026-{3 + k // 28:02d}-{1 + k % 28:02d}T09:00:00" for k in table.image.tolist()]
        extra = {"created_at": np.array(days, dtype=object)}
    work = replace(made.work, table=replace(table, xyxy=xyxy, extra=extra))
    return annqc.audit(work, made.gold, tolerance="5 px")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    there = tmp_path_factory.mktemp("changes") / "card"
    delivery().to_scorecard(there, spec=SPEC, vendor="annotator")
    return there


def test_a_change_is_a_finding_of_the_page_and_changes_no_verdict(folder):
    pages = {one["vendor"]: one for one in document_of(folder)["pages"]}
    assert {name: one["verdict"] for name, one in pages.items()} == dict.fromkeys(
        ("ann", "bob", "cem"), "accepted"
    )
    (change,) = pages["bob"]["changes"]
    assert (change["annotator"], change["quantity"]) == ("bob", "out_right")
    assert abs(int(change["since"][8:10]) - 3) <= 2  # image 31 of 60, a day each
    assert change["text"].startswith("bob: since about 2026-0")
    text = Page(folder / pages["bob"]["page"]).text
    assert "Changes over time" in text
    assert "no rule asks for" in text
    assert change["text"] in text
    assert pages["bob"]["why"].startswith("right edge of bob changed about 2026-0")
    for name in ("ann", "cem"):
        assert pages[name]["changes"] == []
        assert pages[name]["why"] == ""
        text = Page(folder / pages[name]["page"]).text
        assert "Changes over time" not in text
        assert "No lasting change of an edge over time was found (1 annotator tested)." in text


def test_the_index_and_the_summary_tell_of_changes(folder):
    document = document_of(folder)
    (change,) = document["changes"]
    for text in (Page(folder / "index.html").text, summary_of(folder)):
        assert change["text"] in text
        assert "changed about 2026-0" in text
    assert "### Changes over time, which no rule asks for" in summary_of(folder)


def test_change_over_time_is_not_checked_only_where_nothing_says_when(folder, tmp_path):
    said = [text for one in document_of(folder)["pages"] for text in one["not_checked"]]
    assert not any("change over time" in one for one in said)
    delivery(timed=False).to_scorecard(tmp_path / "card", spec=SPEC, vendor="annotator")
    document = document_of(tmp_path / "card")
    assert document["changes"] == []
    for one in document["pages"]:
        assert one["why"] == ""
        assert "change over time: no column says when the work was done" in one["not_checked"]


def test_who_has_too_few_images_for_changes_is_named(tmp_path):
    delivery(n_images=20).to_scorecard(tmp_path / "card", vendor="annotator")
    for one in document_of(tmp_path / "card")["pages"]:
        assert one["changes"] == []
        expected = f"change over time of the edges of 1 annotator ({one['vendor']}): it takes 25"
        assert any(text.startswith(expected) for text in one["not_checked"])
        assert not any(GONE in text for text in one["not_checked"])


def test_how_few_annotators_there_are_is_asked_of_the_whole_delivery(folder):
    """A page each, of three people who together tell gold from annotators."""
    said = [text for one in document_of(folder)["pages"] for text in one["not_checked"]]
    assert not any("it takes 3 to tell them apart" in one for one in said)


def test_of_anonymous_work_changes_are_of_all_of_it(tmp_path):
    for step, said in ((6.0, "all of the work together: since about 2026-0"), (0.0, None)):
        audit = delivery(step=step)
        work = audit.work
        bob = work.table.take(np.flatnonzero(work.table.annotator == 1))
        table = replace(bob, annotator=np.zeros(len(bob), dtype=np.int64))
        nobody = np.array([""], dtype=object)
        work = replace(work, table=table, annotator_ids=nobody, assigned=None)
        audit = annqc.audit(work, audit.gold, tolerance="5 px")
        page = Page(audit.to_scorecard(tmp_path / "card").parent / "pages" / "delivery-1.html")
        (card,) = document_of(tmp_path / "card")["pages"]
        assert not any("it takes 3 to tell them apart" in one for one in card["not_checked"])
        if said:
            (change,) = card["changes"]
            assert change["annotator"] is None
            assert change["text"].startswith(said)
            assert change["text"] in page.text
            assert card["why"].startswith("right edge changed about 2026-0")
        else:
            assert card["changes"] == []
            assert "was found (all of the work together tested)." in page.text


def broken(outcome, *, n_groups=1, n_fail=1, id="recall-of-all"):
    n_fail = n_fail if outcome == "fail" else 0
    check = {"id": id, "outcome": outcome, "is_short": False}
    check["group"] = {} if n_groups == 1 else {"annotator": "ann"}
    return {"checks": [{**check, "n_groups": n_groups, "n_fail": n_fail}]}


@pytest.mark.parametrize(
    ("outcomes", "whom"),
    [
        (["fail", "fail"], "every vendor"),
        (["fail"], None),
        (["fail", "pass"], None),
        (["fail", "fail", "undecided"], "2 of 3 vendors"),
        (["fail", "pass", "undecided"], None),
        (["fail", "fail", "pass", "pass"], None),
        (["fail", "fail", "not_applicable"], None),
    ],
)
def test_a_rule_that_breaks_for_most_may_be_the_reason(outcomes, whom):
    found = broken_alike([broken(one) for one in outcomes], ["vendor", "vendors"])
    said = f"recall-of-all breaks for {whom}: the limit or the gold may be the reason"
    assert found == ([] if whom is None else [said])


def test_a_rule_that_few_of_many_groups_break_gives_no_reason():
    cards = [broken("fail", n_groups=20, n_fail=2) for _ in range(3)]
    (said,) = broken_alike(cards, ["vendor", "vendors"])
    assert said == "recall-of-all breaks for every vendor, though only for 6 of 60 annotators"


def test_a_rule_that_breaks_for_every_vendor_stands_on_index_and_summary(tmp_path):
    who = {f"v{k}": Habit.misses(0.3) for k in range(3)}
    made = annqc.simulate(who, n_images=60, overlap=2, rng=2)
    rules = [
        {"id": "recall-of-all", "measure": "recall", "by": [], "at_least": 0.95},
        {"id": "mean-iou", "measure": "mean_iou", "by": [], "at_least": 0.5},
    ]
    spec = {"annqc": {"version": 1}, "rule": rules}
    audit = annqc.audit(made.work, made.gold)
    index = audit.to_scorecard(tmp_path / "card", spec=spec, vendor="annotator")
    said = "recall-of-all breaks for every vendor: the limit or the gold may be the reason"
    summary = summary_of(tmp_path / "card")
    for text in (Page(index).text, summary):
        assert said in text
        assert "mean-iou breaks" not in text
    lines = summary.splitlines()
    assert "- mean IoU at least 0.5" in lines  # the name of the rule is what it asks
    assert "- recall-of-all: recall at least 0.95" in lines
    assert ". Compared: work " in summary
    assert "| mean IoU |" in summary
    card = document_of(tmp_path / "card")["pages"][0]
    assert f"{card['scores']['mean_iou']['estimate']:.3f} (" in summary
    assert any(line.startswith("- All vendors: ") for line in lines)
