"""Records of checks: plain values, the text of a failure, properties for JUnit."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest

import annqc
from annqc import Habit
from annqc.judge import load_spec
from annqc.report.checks.record import (
    MOST_ROWS,
    failure_text,
    limit_words,
    make_record,
    origin_of,
    properties,
    reproduce,
    worst_of,
)
from tests.report.checks_records import EVIDENCE, RULES, judgement, record, records

KEYS = """spec dataset id order line origin measure summary outcome counted_as sentence
explanation why by where tolerance confidence at_least at_most no_worse_than margin sequential
preprocess counts rows n_rows evidence reproduce""".split()


def test_a_record_is_plain_json():
    judged = judgement()
    for check in judged.checks:
        made = make_record(check, spec=judged.spec, dataset="north")
        assert list(made) == KEYS
        assert made == json.loads(json.dumps(made, allow_nan=False))
        assert made["dataset"] == "north"
        assert made["explanation"] == check.explain()
        assert made["n_rows"] == sum(made["counts"].values())


def test_records_of_every_outcome():
    outcomes = {one["id"]: one["outcome"] for one in records()}
    assert outcomes == {
        "no-edge-bias": "fail",
        "no-edge-bias-by-size": "fail",
        "recall": "fail",
        "precision": "fail",
        "overlap": "pass",
        "no-such-column": "error",
        "few": "undecided",
        "nothing": "not_applicable",
    }
    assert [one["order"] for one in records()][: len(RULES)] == list(range(len(RULES)))


def test_the_worst_row_decides():
    worst = worst_of(record("no-edge-bias"))
    assert worst["group"] == {"annotator": "cat"}
    assert worst["quantity"] == "out_top"
    assert worst["estimate_px"] == pytest.approx(6.1, abs=0.1)
    assert worst_of(record("no-such-column")) == {}


def test_a_rule_knows_its_line(tmp_path):
    path = tmp_path / "boxes.annqc.toml"
    path.write_text(
        '[annqc]\nversion = 1\n\n[[rule]]\nid = "recall"\nmeasure = "recall"\nat_least = 0.9\n'
    )
    spec = load_spec(path)
    made = annqc.simulate(["ann"], n_images=10, rng=1)
    check = annqc.audit(made.work, made.gold).judge(spec).checks[0]
    found = make_record(check, spec=spec)
    assert found["spec"] == str(path)
    assert found["line"] == 4
    assert [shlex.split(line) for line in found["reproduce"]] == [
        ["pytest", f"{path}::recall"],
        ["annqc", "audit", "--spec", str(path), "--rule", "recall"],
    ]


def test_rows_are_capped():
    names = [f"worker-{k}" for k in range(15)]
    made = annqc.simulate(names, n_images=40, rng=1)
    rules = [{"id": "edges", "measure": "edge_offset"}]
    judged = annqc.audit(made.work, made.gold).judge({"annqc": {"version": 1}, "rule": rules})
    found = make_record(judged.checks[0], spec=judged.spec)
    assert (len(found["rows"]), found["n_rows"]) == (MOST_ROWS, 60)


def test_commands_are_short_and_quoted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert reproduce(tmp_path / "a b.annqc.toml", "recall", "north") == [
        "pytest 'a b.annqc.toml::north::recall'",
        "annqc audit --spec 'a b.annqc.toml' --rule recall --dataset north",
    ]
    elsewhere = str(tmp_path.parent / "x.annqc.toml")
    assert reproduce(elsewhere, "r")[0] == f"pytest {elsewhere}::r"
    assert reproduce(None, "r") == []
    nasty = "x'; rm -rf $HOME `id`"
    for line in reproduce("s.annqc.toml", "r", nasty):
        assert any(nasty in word for word in shlex.split(line))


def test_a_failure_in_words():
    one = record("recall")
    one |= {"why": "a missed object is never learnt", "reproduce": ["pytest x.annqc.toml::recall"]}
    one["evidence"] = [EVIDENCE]
    text = failure_text(one)
    assert text.splitlines() == [
        one["sentence"],
        "",
        "worst annotations:",
        f"  {EVIDENCE['text']}",
        "",
        "why: a missed object is never learnt",
        "",
        "to reproduce:",
        "  pytest x.annqc.toml::recall",
    ]
    assert text.startswith("eve: recall 0.8")


def test_one_offence_is_told_once():
    one = record("recall")
    one["rows"] = one["rows"][:1]
    one |= {"evidence": [], "counts": {"pass": 0, "fail": 1, "undecided": 0}}
    assert failure_text(one) == one["sentence"]


def test_a_failure_fits_80_columns_after_its_first_line():
    for one in records():
        _, *rest = failure_text({**one, "reproduce": [], "why": "because " * 40}).splitlines()
        assert rest
        assert all(len(line) <= 80 for line in rest)


def test_groups_that_fail_come_first_and_the_others_are_counted():
    one = record("no-edge-bias-by-size") | {"evidence": []}
    fail, undecided = one["counts"]["fail"], one["counts"]["undecided"]
    assert (fail, undecided) == (9, 4)
    text = failure_text(one)
    assert text.count("\n  fail: ") == 9
    assert "undecided: " not in text
    assert text.endswith("\n  besides, 4 are undecided")

    rows = [{**one["rows"][0], "text": f"group {k}"} for k in range(40)]
    many = one | {"rows": rows, "counts": {"pass": 0, "fail": 40, "undecided": 0}}
    lines = failure_text(many).splitlines()
    assert lines[-2:] == ["  fail: group 24", "  and 15 more that fail"]

    rows = [row | {"outcome": "undecided"} for row in rows]
    many = one | {"rows": rows, "counts": {"pass": 0, "fail": 0, "undecided": 40}}
    assert failure_text(many).splitlines()[-1] == "  and 15 more that are undecided"


def test_control_codes_do_not_reach_a_terminal():
    one = record("recall")
    one |= {"sentence": "bob\x1b[31m\n  found: x", "why": "\x07", "reproduce": ["pytest \x1b"]}
    text = failure_text(one)
    assert text.startswith("bob\\x1b[31m\n  found: x\n")
    assert all(line.isprintable() for line in text.splitlines())


def test_properties_of_an_offset():
    one = record("no-edge-bias")
    one |= {"dataset": "north", "evidence": [EVIDENCE, {**EVIDENCE, "annotation_id": 9}]}
    found = dict(properties(one))
    row = worst_of(one)
    assert found["annqc.estimate_px"] == f"{row['estimate_px']:.6g}"
    assert {name: found[f"annqc.{name}"] for name in ("rule", "annotator", "quantity")} == {
        "rule": "no-edge-bias",
        "annotator": "cat",
        "quantity": "out_top",
    }
    assert found["annqc.dataset"] == "north"
    assert found["annqc.n_clusters"] == "40"
    assert found["annqc.tolerance"] == "max(1 px, 2 %)"
    assert found["annqc.confidence"] == "0.95"
    assert (found["annqc.n_fail"], found["annqc.n_undecided"]) == ("3", "0")
    assert found["annqc.worst_annotations"] == "123,9"
    assert "annqc.limit" not in found


def test_properties_of_a_rate_and_of_an_error():
    found = dict(properties(record("recall")))
    assert found["annqc.limit"] == "at least 0.97"
    assert float(found["annqc.ci_low"]) < float(found["annqc.estimate"]) < 0.97
    assert "annqc.tolerance" not in found
    assert "annqc.worst_annotations" not in dict(properties(record("overlap")))
    broken = dict(properties(record("no-such-column")))
    assert broken["annqc.outcome"] == "error"
    assert "annqc.estimate" not in broken


def test_what_was_missed_is_named_by_the_gold():
    one = record("recall")
    one["evidence"] = [{**EVIDENCE, "annotation_id": None, "reference_id": 11}]
    assert dict(properties(one))["annqc.worst_annotations"] == "11"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"at_most": 3}, "at most 3"),
        ({"no_worse_than": "baseline"}, "no worse than baseline"),
        (
            {"no_worse_than": "baseline", "margin": "0.5 px"},
            "no worse than baseline by more than 0.5 px",
        ),
        ({}, ""),
    ],
)
def test_limits_in_words(given, words):
    none = dict.fromkeys(("at_least", "at_most", "no_worse_than", "margin"))
    assert limit_words({**none, **given}) == words


def test_making_reports_of_cached_records_loads_nothing_heavy():
    code = """
import sys
from annqc.report import checks
document = checks.make_document([])
checks.annotations(document), checks.markdown(document), checks.sarif(document)
heavy = {"numpy", "pandas", "scipy", "numba", "jinja2", "msgspec"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_every_group_that_fails_is_kept():
    rules = [{"id": "r", "measure": "recall", "at_least": 0.9}]
    habits = {f"a{k}": Habit.misses(0.9) for k in range(60)} | {f"b{k}": [] for k in range(20)}
    made = annqc.simulate(habits, n_images=12, rng=1)
    judged = annqc.audit(made.work, made.gold).judge({"annqc": {"version": 1}, "rule": rules})
    found = make_record(judged.checks[0], spec=judged.spec)
    assert MOST_ROWS < found["counts"]["fail"] == len(found["rows"]) == 60
    assert {row["outcome"] for row in found["rows"]} == {"fail"}
    assert found["n_rows"] == 80


def test_a_profile_is_named_and_a_file_stays_a_file(tmp_path):
    base = tmp_path / "base.annqc.toml"
    base.write_text(
        '[annqc]\nversion = 1\nextends = "boxes"\n[[rule]]\nid = "r"\nmeasure = "shift"\n'
    )
    spec = load_spec({"annqc": {"version": 1, "extends": str(base)}})
    assert origin_of(spec, "recall") == "profile boxes"
    assert origin_of(spec, "r") == str(base)
    own = load_spec({"annqc": {"version": 1}, "rule": [{"id": "r", "measure": "shift"}]})
    assert origin_of(own, "r") is None
