"""Annotations of GitHub Actions: one line each, escaped, and no more than GitHub shows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.report.checks.document import make_document
from annqc.report.checks.github import annotations
from annqc.report.plain import clean_lines, clean_text
from tests.report.checks_records import EVIDENCE, HOSTILE, document, record, spoiled

COMMAND = re.compile(r"::(error|notice) ([^\r\n]*?)::([^\r\n]*)")


def parsed(line):
    """Read a command as the runner does: properties end at commas, values unescaped."""
    kind, properties, message = COMMAND.fullmatch(line).groups()
    pairs = dict(one.split("=", 1) for one in properties.split(","))
    return kind, {name: plain(value) for name, value in pairs.items()}, plain(message)


def plain(text):
    for code, sign in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def test_a_failure_stands_beside_its_rule():
    one = record("recall") | {"line": 12, "dataset": "north", "evidence": []}
    one["spec"] = "/w/specs/a, b.annqc.toml"
    (line,) = annotations(make_document([one]), root="/w")
    kind, properties, message = parsed(line)
    assert kind == "error"
    assert properties == {
        "file": "specs/a, b.annqc.toml",
        "line": "12",
        "title": "annqc: recall (north)",
    }
    assert message == one["sentence"]
    assert "file=specs/a%2C b.annqc.toml," in line


def test_reason_and_worst_annotations_follow():
    one = record("recall") | {"why": "100 % is asked", "evidence": [EVIDENCE] * 9}
    _, _, message = parsed(annotations(make_document([one]))[0])
    rows = [f"- {EVIDENCE['text']}"] * 5
    assert message.split("\n") == [one["sentence"], *rows, "why: 100 % is asked"]


def test_outcomes_have_their_kinds():
    made = [parsed(line) for line in annotations(document())]
    assert [kind for kind, _, _ in made] == ["error"] * 5 + ["notice"]
    titles = [properties["title"] for _, properties, _ in made]
    assert "annqc: no-such-column: error" in titles
    assert titles[-1] == "annqc: few: undecided"


def test_no_more_than_github_shows():
    many = [record("recall")] * 13 + [record("few")] * 10
    lines = annotations(make_document(many))
    kinds = [parsed(line)[0] for line in lines]
    assert kinds == ["error"] * 10 + ["notice"] * 10
    assert lines[9] == "::error title=annqc::and 4 more checks that fail"
    assert "more checks" not in lines[-1]


def test_a_rule_of_a_profile_stands_in_the_spec(tmp_path):
    one = record("recall") | {"spec": "/w/a.annqc.toml", "line": 12}
    inside = make_document([one | {"origin": "/w/base.annqc.toml"}])
    outside = make_document([one | {"origin": "/usr/lib/annqc/specs/boxes.annqc.toml"}])
    assert parsed(annotations(inside, root="/w")[0])[1]["file"] == "base.annqc.toml"
    properties = parsed(annotations(outside, root="/w")[0])[1]
    assert (properties["file"], properties["line"]) == ("a.annqc.toml", "1")


def test_the_root_is_that_of_the_workflow(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    one = record("recall") | {"spec": str(tmp_path / "specs" / "a.annqc.toml")}
    assert parsed(annotations(make_document([one]))[0])[1]["file"] == "specs/a.annqc.toml"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_in_their_line(text):
    keep_to_the_rules(text)


@given(st.text(min_size=1, max_size=60))
def test_any_text_stays_in_its_line(text):
    keep_to_the_rules(text)


def keep_to_the_rules(text):
    lines = annotations(spoiled(text))
    assert len(lines) == 2
    for line in lines:
        assert line.isprintable()
        _, properties, message = parsed(line)
        assert set(properties) == {"file", "title"}
        assert properties["title"].startswith(f"annqc: {clean_text(text)}")
        assert message.startswith(clean_lines(text))
        assert line.startswith(("::error file=", "::notice file="))


def test_long_messages_are_cut():
    one = record("recall") | {"sentence": "x" * 100_000, "id": "y" * 1_000}
    (line,) = annotations(make_document([one]))
    assert len(line) < 2_500
