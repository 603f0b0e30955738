"""What a page says in one sentence, whatever the rules came to."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.report.scorecard.more import more_words
from annqc.tables import Problem
from tests.run.scorecard_deliveries import audited, by_vendor

FEW = "too few of the objects were measured to be sure"
CLUSTERS = {"id": "enough", "measure": "clusters", "at_least": 500, "by": []}
RECALL = {"id": "recall", "measure": "recall", "at_least": 0.95, "by": []}
MISSED = {"id": "none-missed", "measure": "error_count", "kind": ["missed"], "at_most": 0, "by": []}


def cards(audit, folder, *rules, **how):
    spec = {"annqc": {"version": 1}, "rule": list(rules)}
    page = audit.to_scorecard(folder / "card", spec=spec, **how)
    return json.loads((page.parent / "scorecard.json").read_text(encoding="utf-8"))["pages"]


def test_want_of_evidence_refuses_nobody(tmp_path):
    good = cards(audited(), tmp_path, RECALL, CLUSTERS, vendor="site")[0]
    assert good["verdict"] == "undecided"
    seen = good["edges"][0]["n_clusters"]
    assert good["n_more"] == 500 - seen
    assert good["sentence"] == (
        "Undecided: enough asks for more images than there are; "
        f"about {500 - seen} more images would settle it."
    )
    table = (tmp_path / "card" / "scorecard.csv").read_text(encoding="utf-8").splitlines()
    row = dict(zip(table[0].split(","), table[1].split(","), strict=True))
    assert (row["refused_by"], row["undecided"]) == ("", "enough")


def test_want_of_evidence_beside_a_broken_rule_is_no_excuse(tmp_path):
    edges = {"id": "edges", "measure": "edge_offset", "by": []}
    loose = cards(audited(), tmp_path, edges, CLUSTERS, vendor="site")[1]
    assert loose["verdict"] == "refused"
    assert loose["sentence"] == "Refused: the work is shown not to keep edges."


def test_a_rule_that_cannot_be_applied_is_an_error_and_no_pass(tmp_path):
    wrong = {"id": "odd", "measure": "recall", "at_least": 0.5, "by": ["no_such_column"]}
    good = cards(audited(), tmp_path, RECALL, wrong, vendor="site")[0]
    assert good["verdict"] == "error"
    assert good["sentence"] == "Not judged: odd could not be made."
    assert any(one.startswith("odd: ") for one in good["not_checked"])


def test_rules_that_do_not_apply_leave_a_page_undecided(tmp_path):
    made = annqc.simulate(["anonymous"], n_images=30, rng=1)
    named = {**RECALL, "id": "named", "by": ["annotator"]}
    (card,) = cards(annqc.audit(made.work, made.gold), tmp_path, RECALL, named)
    assert card["verdict"] == "undecided"
    assert card["sentence"] == "Undecided: named could not be asked; the others pass."
    assert card["annotators"]["told"] == []
    (card,) = cards(annqc.audit(made.work, made.gold), tmp_path, named)
    assert card["verdict"] == "not_checked"


def test_single_rules_are_judged_alone(tmp_path):
    spec = {"annqc": {"version": 1}, "rule": [RECALL, MISSED]}
    page = by_vendor().to_scorecard(tmp_path / "card", spec=spec, only=["recall"])
    document = json.loads((page.parent / "scorecard.json").read_text(encoding="utf-8"))
    assert [one["id"] for one in document["pages"][0]["checks"]] == ["recall"]
    with pytest.raises(annqc.UnknownNameError, match="recal"):
        by_vendor().to_scorecard(tmp_path / "card", spec=spec, only=["recal"])


def test_a_baseline_is_handed_on(tmp_path):
    rule = {"id": "same", "measure": "recall", "no_worse_than": "baseline", "by": []}
    (card,) = cards(by_vendor(), tmp_path, rule, baseline=by_vendor())
    assert card["verdict"] == "accepted"
    (card,) = cards(by_vendor(), tmp_path, rule)
    assert card["verdict"] == "error"


@pytest.mark.parametrize(
    ("n_more", "n_open", "half", "least", "said"),
    [
        (None, 0, None, False, ""),
        (1, 1, 1, False, "about 1 more image"),
        (9, 1, 9, True, "at least 9 more images"),
        (9, 4, 9, False, "up to 9 more images each for 4 annotators"),
        (70, 4, 8, False, "up to 70 more images each for 4 annotators (8 for half of them)"),
        (1200, 4, 1200, True, "at least 1,200 more images each for 4 annotators"),
    ],
)
def test_how_many_more_in_words(n_more, n_open, half, least, said):
    needed = {"n_more": n_more, "n_open": n_open, "n_half": half, "is_least": least}
    assert more_words({**needed, "groups": "annotator"}, "image") == said


def test_many_open_groups_are_all_counted(tmp_path):
    made = annqc.simulate({f"w{k}": [] for k in range(70)}, n_images=140, overlap=3, rng=2)
    rule = {**RECALL, "by": ["annotator"]}
    (card,) = cards(annqc.audit(made.work, made.gold), tmp_path, rule)
    (check,) = card["checks"]
    # Those with fewer than five images are no basis for a number, and are counted apart.
    seen = np.unique(np.stack([made.work.table.annotator, made.work.table.image]), axis=1)
    few = int((np.bincount(seen[0]) < 5).sum())
    assert 0 < few < 70
    assert (check["n_undecided"], check["n_few"], check["n_open"]) == (70, few, 70 - few)
    assert check["n_half"] <= check["n_more"]
    assert card["more"].startswith("at least")
    text = (tmp_path / "card" / card["page"]).read_text(encoding="utf-8")
    assert f"of {few} annotators there is too little to tell" in text


def test_a_number_that_would_not_settle_the_page_is_not_given(tmp_path):
    """The one rule is settled by more images; the other is on its limit."""
    made = annqc.simulate({"ann": Habit.misses(0.04)}, n_images=60, rng=4)
    audit = annqc.audit(made.work, made.gold)
    frame = audit.scores([])
    limit = float(frame["recall"].iloc[0])
    on_it = {**RECALL, "id": "on-it", "at_least": limit}
    open_ = {**RECALL, "id": "open", "at_least": limit - 0.01}
    (card,) = cards(audit, tmp_path, on_it, open_)
    assert card["verdict"] == "undecided"
    assert (card["n_more"], card["more"]) == (None, "")
    assert (
        "would settle open; no reasonable number of images would settle on-it" in card["sentence"]
    )
    assert "on-it: no reasonable number of images would settle it" in card["why"]
    assert card["why"] in (tmp_path / "card" / "index.html").read_text(encoding="utf-8")


def test_a_handful_of_boxes_refuses_nobody(tmp_path):
    """Nine of twelve boxes on six images are missing, which alone would be beyond the limit."""
    made = annqc.simulate(["ann"], n_images=6, boxes_per_image=[2] * 6, rng=1)
    table = made.work.table.take(np.arange(0, len(made.work.table), 4))
    audit = annqc.audit(replace(made.work, table=table), made.gold)
    assert audit.judge({"annqc": {"version": 1}, "rule": [RECALL]}).outcome == "fail"
    (card,) = cards(audit, tmp_path, RECALL)
    assert card["verdict"] == "undecided"
    (check,) = card["checks"]
    said = (
        "12 boxes are too few to refuse anybody: the delivery's own check fails; on a scorecard "
        "nobody is refused on fewer than 30 boxes"
    )
    assert said in check["sentence"]
    assert said in (tmp_path / "card" / card["page"]).read_text(encoding="utf-8").replace(
        "&#39;", "'"
    )
    assert (check["n_fail"], check["n_undecided"]) == (0, 1)
    # Eighteen boxes more are nine images.
    assert (check["n_more"], check["is_least"]) == (9, True)


def test_too_few_images_for_a_rate_are_told_with_at_least(tmp_path):
    made = annqc.simulate(["ann"], n_images=2, rng=1)
    (card,) = cards(annqc.audit(made.work, made.gold), tmp_path, RECALL)
    assert card["more"].startswith("at least")


def test_a_handful_that_the_delivery_does_not_fail_on_is_no_difference(tmp_path):
    """Of the whole the rule is open: the exit code says nothing else than the page."""
    made = annqc.simulate(
        {"ann": [], "bob": []}, n_images=86, boxes_per_image=[2] * 86, overlap=1, rng=1
    )
    work, names = made.work, made.work.annotator_ids.tolist()
    mine = np.flatnonzero(work.table.annotator == names.index("ann"))
    images = np.unique(work.table.image[mine])[:6]
    kept = np.isin(np.arange(len(work)), mine[np.isin(work.table.image[mine], images)][::4])
    kept |= work.table.annotator == names.index("bob")
    asked = work.assigned[
        (work.assigned[:, 0] != names.index("ann")) | np.isin(work.assigned[:, 1], images)
    ]
    work = replace(work, table=work.table.take(kept), assigned=asked)
    audit = annqc.audit(work, made.gold)
    assert audit.judge({"annqc": {"version": 1}, "rule": [RECALL]}).outcome == "undecided"
    (check,) = cards(audit, tmp_path, RECALL, vendor="annotator")[0]["checks"]
    assert "12 boxes are too few to refuse anybody; 30 are needed" in check["sentence"]


def test_rules_that_were_not_applied_are_named(tmp_path):
    rules = [RECALL, {"id": "edges", "measure": "edge_offset", "by": []}]
    spec = {"annqc": {"version": 1}, "rule": rules}
    page = audited().to_scorecard(tmp_path / "card", spec=spec, only=["recall"], vendor="site")
    document = json.loads((page.parent / "scorecard.json").read_text(encoding="utf-8"))
    assert document["rules_not_applied"] == ["edges"]
    assert [one["id"] for one in document["rules"]] == ["recall"]
    card = document["pages"][0]
    assert card["sentence"] == (
        "Accepted on the rules applied: recall is shown to be kept. Not applied: edges."
    )
    assert card["why"] == "edges not applied"
    said = card["not_checked"]
    assert "edges: in the spec, and was not applied, for other rules were chosen" in said
    assert not any("asks for edges" in one for one in said)
    index = page.read_text(encoding="utf-8")
    assert "every rule of" not in index
    assert "Not applied: edges." in index
    assert "Not applied: edges." in (page.parent / "summary.md").read_text(encoding="utf-8")


def test_what_was_only_not_disproved_is_no_acceptance(tmp_path):
    made = annqc.simulate(["ann"], n_images=8, rng=1)
    old = annqc.audit(made.gold, made.gold)
    table = made.gold.table.take(np.arange(len(made.gold.table)) % 12 != 0)
    new = annqc.audit(replace(made.gold, table=table), made.gold)
    kept = {"id": "kept", "measure": "recall", "no_worse_than": "baseline", "by": []}
    spec = {"annqc": {"version": 1}, "rule": [kept]}
    assert new.judge(spec, baseline=old).outcome == "pass"
    (card,) = cards(new, tmp_path, kept, baseline=old)
    assert card["verdict"] == "undecided"
    hidden = f"{-card['checks'][0]['ci_low']:.3f}"
    assert card["why"] == f"kept: not shown to be worse; a loss of up to {hidden} may hide"
    for name in ("index.html", "summary.md", card["page"]):
        text = (tmp_path / "card" / name).read_text(encoding="utf-8")
        assert hidden.replace(".", "\\.") in text or hidden in text
        assert "shown to be kept" not in text.partition("How to read it")[0]
    (card,) = cards(new, tmp_path, {**kept, "margin": 0.9}, baseline=old)
    assert card["verdict"] == "accepted"


def test_offsets_that_may_have_grown_are_no_acceptance(tmp_path):
    made = annqc.simulate(["ann"], n_images=12, rng=1)
    old, new = annqc.audit(made.work, made.gold), annqc.audit(made.work, made.gold)
    rule = {"id": "kept", "measure": "edge_offset", "no_worse_than": "baseline", "by": []}
    (card,) = cards(new, tmp_path, rule, baseline=old)
    assert card["verdict"] == "accepted"
    noise = np.random.default_rng(3).normal(0, 3, made.work.table.xyxy.shape)
    table = replace(made.work.table, xyxy=made.work.table.xyxy + noise)
    loose = annqc.audit(replace(made.work, table=table), made.gold)
    spec = {"annqc": {"version": 1}, "rule": [rule]}
    assert loose.judge(spec, baseline=old).outcome == "pass"
    (card,) = cards(loose, tmp_path, rule, baseline=old)
    assert card["verdict"] == "undecided"
    assert "tolerances worse may hide" in card["why"]


def test_a_pass_keeps_its_caveat(tmp_path):
    """A third of the objects is missed, so the edges speak for two thirds."""
    made = annqc.simulate({"ann": Habit.misses(0.35)}, n_images=150, rng=2)
    edges = {"id": "edges", "measure": "edge_offset", "by": []}
    (card,) = cards(annqc.audit(made.work, made.gold, tolerance="1 px"), tmp_path, edges)
    (check,) = card["checks"]
    assert check["outcome"] == "pass"
    assert "too few of the objects were measured to be sure" in check["caveat"]
    assert card["sentence"].endswith(f"of edges, {FEW}.")
    page = (tmp_path / "card" / card["page"]).read_text(encoding="utf-8")
    assert page.count(FEW) >= 2


def test_gold_that_nobody_was_asked_for_leaves_no_page_complete(tmp_path):
    made = annqc.simulate(["ann", "bob"], n_images=20, overlap=1, rng=1)
    work = made.work
    half = work.assigned[work.assigned[:, 1] < 10]
    table = work.table.take(work.table.image < 10)
    part = annqc.audit(replace(work, table=table, assigned=half), made.gold)
    complete = {"id": "complete", "measure": "missing_images", "at_most": 0, "by": []}
    for card in cards(part, tmp_path, RECALL, complete, vendor="annotator"):
        assert card["verdict"] != "accepted"
        check = card["checks"][1]
        assert check["outcome"] == "not_applicable"
        assert check["sentence"].startswith("nobody was asked for what is missing")
    for card in cards(annqc.audit(work, made.gold), tmp_path, complete, vendor="annotator"):
        n = card["samples"]["images_compared"]
        assert card["checks"][0]["sentence"] == f"all {n} gold images asked of it are in the work"


def test_a_vendor_of_junk_alone_is_refused_for_it(tmp_path):
    audit = by_vendor()
    said = {"kind": "zero_size", "severity": "dropped", "source": "f", "where": "1", "message": "m"}
    work = audit.work.with_issues([Problem(**said, annotator="junk-0")] * 3)
    rows = {"id": "rows", "measure": "unusable_rows", "at_most": 2}
    found = cards(annqc.audit(work, audit.gold), tmp_path, rows, RECALL, vendor="annotator")
    junk = next(one for one in found if one["vendor"] == "junk-0")
    assert (junk["verdict"], junk["samples"]["rows_unusable"]) == ("refused", 3)
    assert [one["outcome"] for one in junk["checks"]] == ["fail", "not_applicable"]
    assert {one["checks"][0]["outcome"] for one in found if one is not junk} == {"pass"}
    more = {**rows, "at_most": 3}
    found = cards(annqc.audit(work, audit.gold), tmp_path, more, RECALL, vendor="annotator")
    junk = next(one for one in found if one["vendor"] == "junk-0")
    assert junk["verdict"] == "not_checked"
    assert junk["sentence"] == "Nothing was checked: none of its 3 rows can be used."
    assert junk["samples"]["rows_unusable"] == 3
