"""What a page says in one sentence, whatever the rules came to."""

from __future__ import annotations

import json

import pytest

import annqc
from annqc.report.scorecard.verdict import more_words
from tests.run.scorecard_deliveries import audited, by_vendor

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
    ("n_more", "n_open", "least", "said"),
    [
        (None, 0, False, ""),
        (1, 1, False, "about 1 more image"),
        (9, 1, True, "at least 9 more images"),
        (9, 4, False, "up to 9 more images each for 4 groups"),
        (1200, 4, True, "at least 1,200 more images each for 4 groups"),
    ],
)
def test_how_many_more_in_words(n_more, n_open, least, said):
    needed = {"n_more": n_more, "n_open": n_open, "is_least": least}
    assert more_words(needed, "image") == said


def test_many_open_groups_are_all_counted(tmp_path):
    made = annqc.simulate({f"w{k}": [] for k in range(70)}, n_images=140, overlap=3, rng=2)
    rule = {**RECALL, "by": ["annotator"]}
    (card,) = cards(annqc.audit(made.work, made.gold), tmp_path, rule)
    assert card["checks"][0]["n_undecided"] == card["n_open"] == 70
