"""Specs in error and runs cut short: they stand in every format, and nothing claims more."""

from __future__ import annotations

import json

import msgspec
import pytest

from annqc.report.checks.document import make_document
from annqc.report.checks.github import annotations
from annqc.report.checks.html import page
from annqc.report.checks.markdown import markdown
from annqc.report.checks.sarif import sarif
from annqc.report.checks.schema import ChecksDocument
from annqc.report.checks.trouble import make_run, make_spec_error, one_line, ran_words
from tests.report.checks_records import HOSTILE, Elements, record

SPEC = "/w/specs/a.annqc.toml"
TEXT = f"""{SPEC}: the spec has 2 faults
  line 3, [annqc], extends: there is no profile 'boxs'
  line 9, rule 'recal', measure: there is no measure 'recal'"""


def broken(*texts: str, **options):
    errors = [make_spec_error(SPEC, text) for text in texts or (TEXT,)]
    return make_document([], errors=errors, **options)


@pytest.mark.parametrize(
    ("text", "file", "line", "said"),
    [
        (
            TEXT,
            None,
            3,
            TEXT.removeprefix(f"{SPEC}: ").replace("\n ", ":", 1).replace("\n ", ";"),
        ),
        (
            f"{SPEC}: the spec has 1 fault\n  /w/my base.annqc.toml, line 7, match: no",
            "/w/my base.annqc.toml",
            7,
            "the spec has 1 fault: /w/my base.annqc.toml, line 7, match: no",
        ),
        (
            "no folder matches\n  where: on the line 12 of x",
            None,
            None,
            "no folder matches: where: on the line 12 of x",
        ),
        ("", None, None, ""),
    ],
)
def test_the_place_is_that_of_the_first_fault(text, file, line, said):
    found = make_spec_error(SPEC, text)
    assert (found["spec"], found["file"], found["line"]) == (SPEC, file, line)
    assert one_line(found) == said


def test_a_document_with_an_error_is_one_and_keeps_to_the_schema():
    made = make_document([record("overlap")], errors=[make_spec_error(SPEC, TEXT)])
    assert made["outcome"] == "error"
    assert made["counts"]["error"] == 0
    assert msgspec.json.decode(json.dumps(made), type=ChecksDocument).errors[0].line == 3


@pytest.mark.parametrize(
    ("records", "run", "outcome", "words"),
    [
        (["overlap"], {"n_collected": 1}, "pass", ""),
        (["overlap"], {"n_collected": 4}, "undecided", "1 of 4 checks ran"),
        (["overlap"], {"trouble": "stopped"}, "undecided", "1 of 1 check ran: stopped"),
        (["recall"], {"n_collected": 1200}, "fail", "1 of 1,200 checks ran"),
        ([], {"n_collected": 3}, "undecided", "0 of 3 checks ran"),
        ([], {"trouble": "stopped"}, "undecided", "stopped"),
        ([], {}, "not_applicable", ""),
    ],
)
def test_checks_that_did_not_run_are_no_pass(records, run, outcome, words):
    made = make_document([record(one) for one in records], run=make_run(len(records), **run))
    assert made["outcome"] == outcome
    assert ran_words(made["run"]) == words
    if words:
        assert words in Elements(page(made)).text
        assert words in markdown(made)
    empty = not records and not words
    assert ("No checks were made." in page(made)) == empty
    assert ("No checks were made." in markdown(made)) == empty


def test_github_marks_the_first_fault():
    (line,) = annotations(broken(), root="/w")
    start, _, message = line.partition("spec in error::")
    assert start == "::error file=specs/a.annqc.toml,line=3,title=annqc%3A "
    assert message.split("%0A")[1].strip() == "line 3, [annqc], extends: there is no profile 'boxs'"


def test_specs_in_error_come_before_checks_that_fail():
    errors = [make_spec_error(f"/w/{k}.annqc.toml", TEXT) for k in range(3)]
    lines = annotations(make_document([record("recall")] * 9, errors=errors), root="/w")
    assert len(lines) == 10
    assert all("spec in error" in line for line in lines[:3])
    assert lines[-1] == "::error title=annqc::and 3 more checks that fail"


def test_a_fault_of_what_is_extended_is_marked_where_one_can_change_it(tmp_path):
    spec, base = tmp_path / "a.annqc.toml", tmp_path / "base.annqc.toml"
    spec.write_text('# ours\n[annqc]\nversion = 1\n  extends = "base.annqc.toml"\n')
    error = make_spec_error(str(spec), f"the spec has 1 fault\n  {base}, line 7, match: no")
    made = make_document([], errors=[error])
    (within,) = annotations(made, root=str(tmp_path))
    assert "file=base.annqc.toml,line=7," in within
    error = make_spec_error(str(spec), "the spec has 1 fault\n  /usr/base.annqc.toml, line 7, no")
    (outside,) = annotations(make_document([], errors=[error]), root=str(tmp_path))
    assert "file=a.annqc.toml,line=4," in outside


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[annqc]\nversion = 1\nextends = "boxes"\n', "3"),
        ("# one\n\n [annqc]\nversion = 1\n", "3"),
        ('annqc = { version = 1, extends = "boxes" }\n', "1"),
    ],
)
def test_an_inherited_rule_is_marked_where_the_spec_says_what_it_extends(tmp_path, text, line):
    spec = tmp_path / "a.annqc.toml"
    spec.write_text(text)
    one = record("recall") | {"spec": str(spec), "line": 48, "origin": "profile boxes"}
    (command,) = annotations(make_document([one]), root=str(tmp_path))
    assert f"file=a.annqc.toml,line={line}," in command
    result = sarif(make_document([one]), root=str(tmp_path))["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": int(line)}
    assert "line 48 of profile boxes" in Elements(page(make_document([one]))).text


def test_sarif_says_that_the_run_did_not_succeed():
    run = make_run(1, n_collected=2, exit_code=2, trouble="the run was interrupted")
    made = make_document([record("overlap")], errors=[make_spec_error(SPEC, TEXT)], run=run)
    (found,) = sarif(made, root="/w")["runs"][0]["invocations"]
    assert (found["executionSuccessful"], found["exitCode"]) == (False, 2)
    error, rest = found["toolExecutionNotifications"]
    assert error == {
        "level": "error",
        "message": {"text": made["errors"][0]["message"]},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "specs/a.annqc.toml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 3},
                }
            }
        ],
    }
    said = "1 of 2 checks ran: the run was interrupted."
    assert rest == {"level": "warning", "message": {"text": said}}


def test_what_was_left_out_on_purpose_is_no_failure_of_the_run():
    made = make_document([record("overlap")], run=make_run(1, n_collected=2))
    (found,) = sarif(made)["runs"][0]["invocations"]
    assert found["executionSuccessful"] is True
    assert [one["level"] for one in found["toolExecutionNotifications"]] == ["note"]


def test_page_and_markdown_show_errors_first():
    made = make_document([record("recall")], errors=[make_spec_error(SPEC, TEXT)])
    for text in (Elements(page(made)).text, markdown(made)):
        at = text.index("there is no profile 'boxs'")
        assert text.index("specs/a.annqc.toml") < at < text.index("recall 0.8")
        assert "line 3" in text
    many = markdown(broken(*[TEXT] * 33))
    assert many.count("the spec has 2 faults") == 20
    assert "- and 13 more specs in error" in many


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_messages_do_no_harm(text):
    def shape(given):
        return [
            one for one in Elements(page(broken(f"{given}\n  {given}"))).found if one[0] != "br"
        ]

    assert shape(text) == shape("tame")
    tame = markdown(broken("tame\n  tame"))
    written = markdown(broken(f"{text}\n  {text}"))
    assert written.count("\n") == tame.count("\n")
    assert "<script" not in written
    assert "<img" not in written
    for line in annotations(broken(f"{text}\n  {text}")):
        assert line.isprintable()
    json.dumps(sarif(broken(text)), allow_nan=False).encode()
