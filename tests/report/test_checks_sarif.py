"""SARIF of checks: the shape that the standard asks for, stable marks, harmless addresses."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annqc.report.checks.document import make_document
from annqc.report.checks.sarif import MOST, sarif, write_sarif
from tests.report.checks_records import EVIDENCE, HOSTILE, document, record, spoiled

URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")


def results(*records, root="/w"):
    return sarif(make_document(records), root=root)["runs"][0]["results"]


def keep_to_the_standard(log):
    """Hold a log to what SARIF 2.1.0 requires of the objects that are used."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert set(run) == {"tool", "invocations", "originalUriBaseIds", "columnKind", "results"}
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] == "error"
    assert all(isinstance(one["executionSuccessful"], bool) for one in run["invocations"])
    for one in run["results"]:
        assert one["ruleId"] == rules[one["ruleIndex"]]["id"]
        assert one["level"] in {"error", "note"}
        assert one["message"]["text"]
        assert all(isinstance(mark, str) for mark in one["partialFingerprints"].values())
        for place in [*one.get("locations", []), *one.get("relatedLocations", [])]:
            artifact = place["physicalLocation"]["artifactLocation"]
            assert URI.fullmatch(artifact["uri"])
            assert not re.search(r"%(?![0-9A-F]{2})", artifact["uri"])
            absolute = re.match(r"[a-z]+:/", artifact["uri"])
            assert bool(absolute) != (artifact.get("uriBaseId") == "%SRCROOT%")
            assert place["physicalLocation"].get("region", {"startLine": 1})["startLine"] >= 1
    json.dumps(log, allow_nan=False).encode("utf-8")


def test_a_log_keeps_to_the_standard():
    log = sarif(document())
    keep_to_the_standard(log)
    (run,) = log["runs"]
    levels = {one["ruleId"]: one["level"] for one in run["results"]}
    assert levels == {
        "no-edge-bias": "error",
        "no-edge-bias-by-size": "error",
        "recall": "error",
        "precision": "error",
        "no-such-column": "error",
        "few": "note",
    }
    assert run["invocations"] == [{"executionSuccessful": False}]
    assert len(run["tool"]["driver"]["rules"]) == 8


def test_a_group_is_a_result_where_its_rule_stands():
    one = record("no-edge-bias") | {"spec": "/w/my specs/ü:1.annqc.toml", "line": 7}
    found = results(one)
    assert len(found) == one["counts"]["fail"] == 3
    first = found[0]
    assert first["message"]["text"] == one["rows"][0]["text"]
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {
                    "uri": "my%20specs/%C3%BC%3A1.annqc.toml",
                    "uriBaseId": "%SRCROOT%",
                },
                "region": {"startLine": 7},
            }
        }
    ]
    assert first["properties"]["estimate_px"] == one["rows"][0]["estimate_px"]
    assert first["properties"]["group"] == {"annotator": "cat"}


def test_evidence_is_with_the_group_that_it_speaks_against():
    one = record("no-edge-bias")
    one["evidence"] = [EVIDENCE | {"source": "/data/work.json"}, EVIDENCE | {"source": "<memory>"}]
    by_group = {
        (row["properties"]["group"]["annotator"], row["properties"]["quantity"]): row
        for row in results(one)
    }
    assert "relatedLocations" not in by_group["cat", "out_top"]
    (related,) = by_group["ben", "out_right"]["relatedLocations"]
    assert related["message"]["text"] == EVIDENCE["text"]
    assert related["physicalLocation"] == {"artifactLocation": {"uri": "file:///data/work.json"}}
    assert related["logicalLocations"] == [{"name": "123", "kind": "annotation"}]


def test_marks_survive_new_numbers_and_a_new_checkout():
    def marks(one, root):
        return [row["partialFingerprints"]["annqcCheck/v1"] for row in results(one, root=root)]

    here = record("no-edge-bias") | {"spec": "/w/a.annqc.toml", "line": 7}
    there = record("no-edge-bias") | {"spec": "/v/a.annqc.toml", "line": 70}
    for row in there["rows"]:
        row |= {"estimate": 9.0, "text": "other words"}
    assert marks(here, "/w") == marks(there, "/v")
    assert len(set(marks(here, "/w"))) == 3
    for other in ({"dataset": "north"}, {"id": "x"}, {"spec": "/w/b.annqc.toml"}):
        assert not set(marks(here | other, "/w")) & set(marks(here, "/w"))


def test_files_from_elsewhere_keep_their_address():
    one = record("no-edge-bias")
    one["evidence"] = [EVIDENCE | {"source": "s3://bucket/a b.json"}]
    related = [place for row in results(one) for place in row.get("relatedLocations", [])]
    assert [one["physicalLocation"]["artifactLocation"] for one in related] == [
        {"uri": "s3://bucket/a%20b.json"}
    ]


def test_a_check_without_groups_is_one_result():
    (only,) = results(record("no-such-column"))
    assert only["message"]["text"] == record("no-such-column")["sentence"]
    assert "locations" not in only
    assert results(record("overlap"), record("nothing")) == []


def test_results_are_capped():
    log = sarif(make_document([record("no-such-column")] * (MOST + 7)))
    keep_to_the_standard(log)
    (run,) = log["runs"]
    assert len(run["results"]) == MOST
    said = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert said.startswith("7 more results")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_keep_to_the_standard(text):
    keep_to_the_standard(sarif(spoiled(text)))


@given(st.text(min_size=1, max_size=60))
def test_any_text_keeps_to_the_standard(text):
    keep_to_the_standard(sarif(spoiled(text)))


def test_written_as_json(tmp_path):
    write_sarif(document(), tmp_path / "checks.sarif")
    assert json.loads((tmp_path / "checks.sarif").read_bytes()) == sarif(document())
