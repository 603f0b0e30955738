"""The document of checks: sorted, counted, with provenance; its schema is current."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

import annqc
from annqc.errors import AnnqcError
from annqc.report.checks.document import make_document, provenance, write_json
from annqc.report.checks.schema import ChecksDocument, schema_text
from tests.report.checks_records import document, record, records

SCHEMA = Path(__file__).parents[2] / "docs" / "checks.schema.json"


def test_schema_is_current():
    hint = "write annqc.report.checks.schema.schema_text() to docs/checks.schema.json"
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), hint


def test_every_document_keeps_to_the_schema():
    text = json.dumps(document())
    assert msgspec.json.decode(text, type=ChecksDocument).format == "annqc-checks"


STRETCH = {"sequence", "track_id", "drawn_track_id", "first_frame", "last_frame", "size", "unit"}
"""Fields of evidence on tracks alone."""


def test_no_field_is_undocumented():
    made = document()
    schema = json.loads(schema_text())["$defs"]
    assert set(made) == set(schema["ChecksDocument"]["properties"])
    assert set(made["provenance"]) == set(schema["Provenance"]["properties"])
    for one in made["checks"]:
        assert set(one) == set(schema["CheckRecord"]["properties"])
        for found in one["evidence"]:
            assert set(found) == set(schema["Evidence"]["properties"]) - STRETCH


def test_the_order_of_arrival_does_not_matter():
    given = [
        {**one, "spec": spec, "dataset": dataset}
        for spec in ("b.annqc.toml", "a.annqc.toml", None)
        for dataset in ("south", "north")
        for one in records()[:3]
    ]
    sorted_once = make_document(given)["checks"]
    random.Random(1).shuffle(given)
    assert make_document(given)["checks"] == sorted_once
    places = [(one["spec"], one["dataset"], one["id"]) for one in sorted_once]
    assert places[:2] == [(None, "north", "no-edge-bias"), (None, "north", "no-edge-bias-by-size")]
    assert places[-1] == ("b.annqc.toml", "south", "recall")


@pytest.mark.parametrize(
    ("outcomes", "sum_of_all"),
    [
        (["pass", "pass"], "pass"),
        (["pass", "not_applicable"], "undecided"),
        (["not_applicable"], "not_applicable"),
        ([], "not_applicable"),
        (["pass", "undecided"], "undecided"),
        (["undecided", "fail"], "fail"),
        (["fail", "error"], "error"),
    ],
)
def test_only_pass_is_a_pass(outcomes, sum_of_all):
    made = make_document([{**record("overlap"), "outcome": one} for one in outcomes])
    assert made["outcome"] == sum_of_all
    assert sum(made["counts"].values()) == len(outcomes)


def test_provenance_of_github():
    given = {
        "GITHUB_SHA": "5c1f",
        "GITHUB_REF_NAME": "12/merge",
        "GITHUB_HEAD_REF": "mend-edges",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "us/data",
        "GITHUB_RUN_ID": "77",
    }
    found = provenance(given)
    assert found["commit"] == "5c1f"
    assert found["branch"] == "mend-edges"
    assert found["run_url"] == "https://github.com/us/data/actions/runs/77"


def test_provenance_of_gitlab_and_of_nothing():
    given = {"CI_COMMIT_SHA": "9a", "CI_COMMIT_REF_NAME": "main", "CI_JOB_URL": "https://x/-/1"}
    found = provenance(given)
    assert (found["commit"], found["branch"], found["run_url"]) == ("9a", "main", "https://x/-/1")
    bare = provenance({"GITHUB_SHA": ""})
    assert (bare["commit"], bare["branch"], bare["run_url"]) == (None, None, None)
    assert bare["python"]
    assert bare["numpy"]


def test_written_whole_and_read_back(tmp_path):
    made = document()
    write_json(made, tmp_path / "checks.json")
    assert json.loads((tmp_path / "checks.json").read_text(encoding="utf-8")) == made
    assert made["annqc_version"] == annqc.__version__
    assert datetime.fromisoformat(made["created_at"]).utcoffset().total_seconds() == 0
    odd = make_document([record("recall") | {"why": "caf\udce9"}])
    write_json(odd, tmp_path / "checks.json")
    assert json.loads((tmp_path / "checks.json").read_text(encoding="utf-8")) == odd
    with pytest.raises(AnnqcError, match="no such folder"):
        write_json(made, tmp_path / "nowhere" / "checks.json")
    assert [one.name for one in tmp_path.iterdir()] == ["checks.json"]
