"""Tracks in everything that an audit gives out: screen, JSON, tables, saved runs."""

from __future__ import annotations

import csv
import json

import msgspec
import pytest

import annqc
from annqc.report.schema import AuditDocument
from annqc.simulate import TrackHabit, tracks

TABLES = ("tracks", "track_list", "track_events", "tracking_scores")


@pytest.fixture(scope="module")
def audit():
    habits = {"ann": [], "bob": TrackHabit.drift(6, edge="top"), "sid": TrackHabit.switch(0.5)}
    made = tracks(habits, n_sequences=6, n_tracks=3, n_frames=100, rng=2)
    return annqc.audit(made.work, made.gold)


def test_the_screen_says_who_drifts_and_where_there_is_more(audit):
    text = audit.summary()
    assert "Tracks  18 reference tracks; annqc tracks shows more" in text
    assert "bob: the top edge drifts" in text


def test_the_screen_of_clean_tracks_says_so():
    made = tracks(["ann"], n_sequences=5, n_tracks=2, n_frames=60, rng=1)
    text = " ".join(annqc.audit(made.work, made.gold).summary().split())
    assert "nobody is shown to drift, lag, shake or be late" in text


def test_the_document_has_tables_of_tracks(audit):
    document = json.loads(audit.to_json())
    msgspec.convert(document, AuditDocument)
    assert len(document["tracks"]) == len(audit.tracks()) == 42
    accused = [one for one in document["tracks"] if one["verdict"] == "biased"]
    assert [(one["annotator"], one["quantity"]) for one in accused] == [("bob", "drift_top")]
    scores = {one["annotator"]: one["HOTA"] for one in document["tracking_scores"]}
    assert scores == audit.tracking_scores().set_index("annotator")["HOTA"].to_dict()
    events = audit.track_events()
    assert document["track_events"]["counts"] == events["kind"].value_counts().to_dict()
    assert len(document["track_events"]["first"]) == min(len(events), 100)
    for name in ("tracks", "tracking_scores"):
        assert set(document[name][0]) >= set(document[name][-1])


def test_every_column_of_tracks_is_in_the_schema(audit):
    schema = msgspec.json.schema(AuditDocument)["$defs"]
    assert set(audit.tracks().columns) == set(schema["TrackFinding"]["properties"])
    assert set(audit.track_events().columns) == set(schema["TrackEvent"]["properties"])


def test_there_is_nothing_of_tracks_where_there_are_none(tmp_path):
    made = annqc.simulate(["ann"], n_images=10, rng=1)
    audit = annqc.audit(made.work, made.gold)
    document = json.loads(audit.to_json())
    assert [document[name] for name in ("tracks", "tracking_scores", "track_events")] == [None] * 3
    assert not {path.stem for path in audit.to_csv(tmp_path / "tables")} & set(TABLES)
    assert "Tracks" not in audit.summary()


def test_tables_are_written_beside_the_others(audit, tmp_path):
    written = {path.stem: path for path in audit.to_csv(tmp_path / "tables")}
    assert set(TABLES) <= set(written)
    wanted = {
        "tracks": audit.tracks(),
        "track_list": audit.track_list(),
        "track_events": audit.track_events(),
        "tracking_scores": audit.tracking_scores(),
    }
    for name, frame in wanted.items():
        with written[name].open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        assert rows[0] == frame.columns.tolist()
        assert len(rows) == len(frame) + 1


def test_a_saved_run_says_the_same(audit, tmp_path):
    again = annqc.load(audit.save(tmp_path / "run"))
    for name in TABLES:
        assert getattr(again, name)().equals(getattr(audit, name)())


def test_anonymous_annotators_are_not_named_in_tracks(audit, tmp_path):
    from annqc.write import write_mot

    made = tracks({"x": TrackHabit.drift(6, edge="top")}, n_sequences=6, n_frames=100, rng=2)
    write_mot(made.gold, tmp_path)
    write_mot(made.work, tmp_path / "work")
    nameless = annqc.audit(tmp_path / "work", tmp_path / "gold", annotator="anonymous")
    assert "Tracks" not in nameless.summary()
    document = json.loads(nameless.to_json())
    assert all(one.get("annotator") is None for one in document["tracks"])
