"""Pages of tracked work show the findings, tracks and events of the audit, and stay small."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import annqc
from annqc.report.html import tracks as section
from annqc.report.html.story import tell
from annqc.report.html.tracks import Tracks
from annqc.report.html.tracks_pictures import Line, offset_lines, thinned
from annqc.report.html.tracks_timeline import Lane, merged_stretches, runs_of, timeline
from annqc.simulate import TrackHabit, tracks
from tests.report.html.rows import figures, numbers, page_of, rows_with, table

EDGES = ("left", "top", "right", "bottom")


@pytest.fixture(scope="module")
def audit():
    made = tracks(
        {
            "ann": [],
            "bob": TrackHabit.lag(2),
            "eve": TrackHabit.drift(12, edge="right"),
            "joe": TrackHabit.interpolated(20),
            "kim": [TrackHabit.gap(15, share=0.5), TrackHabit.late_start(12)],
        },
        n_sequences=5,
        n_tracks=4,
        rng=1,
    )
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def folder(audit, tmp_path_factory):
    return audit.to_html(tmp_path_factory.mktemp("t") / "r").parent


@pytest.fixture(scope="module")
def sections(audit):
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    made = Tracks(story)
    return {one.name: made.of(one) for one in story.people}


def test_findings_over_time_are_those_of_the_audit(audit, folder):
    found = audit.tracks().set_index(["annotator", "quantity"])
    seen = 0
    for who in audit.work.annotator_ids:
        for quantity, row in rows_with(page_of(folder, who), "data-temporal").items():
            want = found.loc[who, quantity]
            ends = [want["estimate"], want["ci_low"], want["ci_high"]]
            known = [one for one in ends if np.isfinite(one)]
            assert numbers(row[2]) == pytest.approx(known, abs=0.00501)
            assert row[3] == want["unit"]
            if np.isfinite(want["p_value"]):
                assert row[1].split()[1] == want["verdict"]
            assert numbers(row[5]) == [want["n_clusters"]]
            seen += 1
    assert seen == (found["status"] != "no_data").sum()


def test_the_overview_names_what_was_planted_and_nobody_else(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "bob: trails the object by" in text
    assert "eve: the right edge drifts" in text
    assert "joe: leaves frames to interpolation" in text
    assert "ann: " not in text.split('id="tracks"')[1].split("</ul>")[0]


def test_scores_of_tracking_are_those_of_the_audit(audit, folder):
    wanted = audit.tracking_scores().set_index("annotator")
    rows = table(folder / "index.html", 'id="tracking-scores"')
    assert [row[0] for row in rows[1:]] == wanted["HOTA"].sort_values().index.tolist()
    for who, *cells, switches, evidence in rows[1:]:
        one = wanted.loc[who]
        for name, cell in zip(rows[0][1:7], cells, strict=True):
            expected = [one[name], one[f"{name}_low"], one[f"{name}_high"]]
            assert numbers(cell) == pytest.approx(expected, abs=0.000501)
        assert numbers(switches) == [one["IDSW"]]
        assert evidence == f"{one['n_clusters']} {one['clusters']}"
    picture = figures(folder / "index.html")["picture-tracking"]
    hota = next(trace for trace in picture["data"] if trace["name"] == "HOTA")
    np.testing.assert_allclose(hota["x"], np.sort(wanted["HOTA"]), atol=1e-4)


def test_events_are_counted_by_kind(audit, folder):
    events = audit.track_events()
    [head, *rows] = table(folder / "index.html", 'id="track-events"')
    kinds = events["kind"].unique()
    assert len(head) == len(kinds) + 1
    for who, *counts in rows:
        mine = events[events["annotator"] == who]
        assert sum(numbers(one)[0] for one in counts) == len(mine)
        assert sorted(numbers(one)[0] for one in counts if one != "0") == sorted(
            mine["kind"].value_counts().tolist()
        )


def test_a_planted_drift_is_drawn_with_its_slope(audit, folder):
    """The line through the panel rises by the slope in the audit's list of tracks."""
    listed = audit.track_list()
    mine = listed[(listed["annotator"] == "eve") & (listed["drift_right_verdict"] == "biased")]
    pictures = figures(page_of(folder, "eve"))
    drawn = [one for name, one in pictures.items() if name.startswith("picture-track-")]
    assert len(drawn) == 3
    slopes = []
    for picture in drawn[:2]:
        [line] = [
            trace
            for trace in picture["data"]
            if trace["name"] == "drift" and trace["yaxis"] == "y3" and len(trace["x"]) == 2
        ]
        slopes.append(100 * np.diff(line["y"])[0] / np.diff(line["x"])[0])
    wanted = mine["drift_right"].to_numpy()
    for slope in slopes:
        assert np.abs(wanted - slope).min() < 0.01
        assert slope == pytest.approx(12, abs=2)


def test_offsets_that_are_drawn_were_measured(audit, sections):
    """Every point of a line is the offset of a pair in that frame."""
    pairs = audit.pairs
    gold = audit.gold
    frames = dict(
        zip(gold.table.id.tolist(), gold.image_table.frame[gold.table.image], strict=True)
    )
    pairs = pairs[(pairs["annotator"] == "bob") & pairs["out_left"].notna()]
    frame = pairs["reference_id"].map(frames).to_numpy()
    one = sections["bob"]["lines"][0]
    for k, edge in enumerate(EDGES):
        [line] = [
            trace
            for trace in one["picture"]["data"]
            if trace["name"] == "offset" and trace["yaxis"] == ("y" if k == 0 else f"y{k + 1}")
        ]
        offset = pairs[f"out_{edge}"].to_numpy()
        for x, y in zip(line["x"], line["y"], strict=True):
            if y is not None:
                assert np.nanmin(np.abs(offset[frame == x] - y)) < 0.00501


def test_keyframes_are_marked_where_frames_between_were_computed(sections):
    names = {
        who: {trace["name"] for line in one["lines"] for trace in line["picture"]["data"]}
        for who, one in sections.items()
    }
    assert {who for who, found in names.items() if "keyframe" in found} == {"joe"}
    assert sections["joe"]["lines"][0]["n_keys"] > 3


def test_the_line_of_time_has_gold_drawings_and_gaps(audit, sections):
    listed = audit.track_list()
    for who, found in sections.items():
        assert not found["closed"]
        mine = listed[listed["annotator"] == who]
        for name, column in (("gold", "n_frames"), ("drawn", "n_drawn")):
            [trace] = [one for one in found["timeline"]["data"] if one["name"] == name]
            ends = [x for x in trace["x"] if x is not None]
            frames = sum(b - a + 0.5 for a, b in zip(ends[::2], ends[1::2], strict=True))
            assert frames == mine[column].sum()
    events = audit.track_events()
    gaps = events[(events["annotator"] == "kim") & (events["kind"] == "gap")]
    [drawn] = [one for one in sections["kim"]["timeline"]["data"] if one["name"] == "drawn"]
    mine = listed[listed["annotator"] == "kim"]
    lanes = list(zip(mine["sequence"], mine["track_id"], strict=True))
    for gap in gaps.itertuples():
        lane = lanes.index((gap.sequence, gap.track_id))
        ends = [x for x, y in zip(drawn["x"], drawn["y"], strict=True) if y == lane]
        breaks = list(zip(ends[1:-1:2], ends[2::2], strict=True))
        assert (gap.first_frame - 0.75, gap.last_frame + 0.75) in breaks
    assert len(gaps) >= 5


def test_the_numbers_of_the_line_of_time(audit, folder):
    listed = audit.track_list()
    rows = table(page_of(folder, "kim"), "The numbers of the line of time")[1:]
    mine = listed[listed["annotator"] == "kim"]
    assert len(rows) == len(mine)
    for row, want in zip(rows, mine.itertuples(), strict=True):
        assert numbers(row[1]) == [want.first_frame, want.last_frame]
        assert numbers(row[2]) == [want.n_drawn, want.n_frames]
    assert all("late start" in row[7] or row[4] == "–" for row in rows)  # noqa: RUF001


def test_every_stretch_and_event_of_the_line_of_time_is_in_a_table(audit, folder, sections):
    events = audit.track_events()
    for who, found in sections.items():
        page = page_of(folder, who)
        rows = table(page, "The numbers of the line of time")[1:]
        [trace] = [one for one in found["timeline"]["data"] if one["name"] == "drawn"]
        ends = [x for x in trace["x"] if x is not None]
        drawn = [(a + 0.25, b - 0.25) for a, b in zip(ends[::2], ends[1::2], strict=True)]
        told = [tuple(numbers(one)) for row in rows for one in row[3].split(", ") if one]
        assert [(one[0], one[-1]) for one in told] == drawn
        mine = events[events["annotator"] == who]
        shown = {
            (row.sequence, int(row.track_id))
            for row in audit.track_list().query("annotator == @who").itertuples()
        }
        want = sorted(
            (int(one.first_frame), int(one.last_frame))
            for one in mine.itertuples()
            if (one.sequence, one.track_id) in shown
        )
        text = page.read_text(encoding="utf-8")
        assert ('aria-label="Events on the line of time"' in text) == bool(want)
        if want:
            listed = table(page, 'aria-label="Events on the line of time"')[1:]
            found_frames = [numbers(row[2]) for row in listed]
            assert sorted((int(one[0]), int(one[-1])) for one in found_frames) == want


def test_jitter_of_one_alone_counts_the_tracks_behind_its_pixels(tmp_path):
    """Nobody is there to compare with: the estimate is missing, and the pixels have an interval."""
    made = tracks({"bob": TrackHabit.jitter(2)}, n_sequences=3, n_tracks=4, rng=1)
    audit = annqc.audit(made.work, made.gold)
    folder = audit.to_html(tmp_path / "r").parent
    row = rows_with(page_of(folder, "bob"), "data-temporal")["jitter"]
    known = audit.track_list()["jitter_px"].notna().sum()
    assert row[2] == "\N{EN DASH}"
    assert len(numbers(row[4])) == 3
    assert not row[4].startswith("+")
    assert row[5] == f"{known} tracks"
    assert known > 0


def test_two_counts_of_switched_ids_have_two_names(folder):
    [scores, *_] = table(folder / "index.html", 'id="tracking-scores"')
    [events, *_] = table(folder / "index.html", 'id="track-events"')
    assert "IDSW" in scores
    assert not set(scores) & set(events) - {"annotator"}


def test_no_tracks_no_section(tmp_path):
    made = annqc.simulate(2, n_images=10, rng=1)
    page = annqc.audit(made.work, made.gold).to_html(tmp_path / "r")
    for path in page.parent.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert 'id="over-time"' not in text
        assert 'id="tracks"' not in text


def odd_videos():
    made = tracks(["ann", "ben"], n_sequences=2, n_tracks=3, n_frames=40, rng=3)
    gold, work = made.gold, made.work
    frame = gold.image_table.frame[gold.table.image]
    strange = np.array([f"<b>&'{k}" for k in range(len(gold.track_ids))], dtype=object)

    def kept(rows):
        return replace(gold, table=gold.table.take(rows))

    return {
        "one frame": (work, kept(frame == frame.max())),
        "every seventh frame": (work, kept(frame % 7 == 0)),
        "strange ids": (work, replace(gold, track_ids=strange)),
        "no tracks drawn": (replace(work, table=replace(work.table, track=None)), gold),
        "one drew nothing": (replace(work, table=work.table.take(work.table.annotator == 0)), gold),
        "far off": (replace(work, table=replace(work.table, xyxy=work.table.xyxy + 5000)), gold),
    }


@pytest.mark.parametrize("kind", odd_videos())
def test_odd_videos_have_pages(kind, tmp_path):
    audit = annqc.audit(*odd_videos()[kind])
    folder = audit.to_html(tmp_path / "r").parent
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert 'id="tracks"' in text
    assert ('id="tracking-scores"' in text) == (kind != "no tracks drawn")
    for path in folder.rglob("*.html"):
        assert "<b>&" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["unknown", "ann"])
def test_one_annotator_is_judged_as_the_audit_judges(name, tmp_path):
    """Where nobody is told apart all of the work is judged together, as in ``by=()``."""
    made = tracks({name: TrackHabit.drift(12, edge="left")}, rng=1)
    audit = annqc.audit(made.work, made.gold)
    folder = audit.to_html(tmp_path / "r").parent
    [path] = (folder / "annotators").iterdir()
    found = audit.tracks(by=() if name == "unknown" else "annotator").set_index("quantity")
    row = rows_with(path, "data-temporal")["drift_left"]
    assert numbers(row[2])[0] == pytest.approx(found.loc["drift_left", "estimate"], abs=0.00501)
    assert row[1].split()[1] == found.loc["drift_left", "verdict"] == "biased"


@given(
    st.lists(st.one_of(st.floats(-100, 100), st.just(float("nan"))), max_size=300),
    st.integers(4, 60),
)
def test_thinning_keeps_the_extremes_and_no_more_than_it_may(values, most):
    given_values = np.array(values, dtype=np.float64)
    rows, step = thinned(given_values, most)
    assert len(rows) <= most + 1
    assert (np.diff(rows) > 0).all()
    assert step > 1 or len(rows) == len(values)
    known = given_values[np.isfinite(given_values)]
    if len(known):
        kept = given_values[rows]
        assert np.nanmin(kept) == known.min()
        assert np.nanmax(kept) == known.max()


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5))
def test_runs_are_maximal_stretches(there, step):
    frame = 10 + step * np.arange(len(there))
    wanted, run = [], []
    for f, one in zip(frame.tolist(), there, strict=True):
        if one:
            run = [run[0] if run else f, f]
        elif run:
            wanted.append(tuple(run))
            run = []
    assert runs_of(frame, np.array(there, dtype=bool)) == wanted + ([tuple(run)] if run else [])


@given(
    st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=20), min_size=1), st.integers(1, 9)
)
def test_stretches_are_joined_over_the_shortest_gaps(widths, most):
    lanes = []
    for one in widths:
        at, lane = 0, []
        for width in one:
            lane.append((at, at + 1))
            at += 2 + width
        lanes.append(lane)
    made, closed = merged_stretches(lanes, most)
    assert sum(map(len, made)) <= max(most, len(lanes))
    for before, after in zip(lanes, made, strict=True):
        assert (before[0][0], before[-1][1]) == (after[0][0], after[-1][1])
        gaps = [b[0] - a[1] - 1 for a, b in pairwise(after)]
        assert all(gap > closed for gap in gaps)
    assert closed or made == lanes


def test_long_tracks_and_many_events_make_small_pictures():
    n = 50_000
    frame = np.arange(n)
    noise = np.random.default_rng(0).normal(size=(4, n))
    lines = [
        Line(
            frame=frame,
            offset=one,
            keyframe=np.ones(n, dtype=bool),
            slope=0.0,
            low=-1.0,
            high=1.0,
            tolerance=1.0,
        )
        for one in noise
    ]
    picture, step = offset_lines(lines)
    assert step == 417
    for trace in picture["data"]:
        assert len(trace["x"]) <= 241
    flicker = [(k, k) for k in range(0, n, 2)]
    jump = {"kind": "jump", "first": 3, "last": 3, "text": "<b>"}
    lane = Lane(name="x", gold=[(0, n)], drawn=flicker, events=[jump] * 900)
    picture, closed, left = timeline([lane] * 20)
    assert (closed, left) == (1, 20 * 900 - 300)
    assert all(len(trace["x"]) <= 3 * 400 for trace in picture["data"])
    assert "<b>" not in str(picture)


def test_where_there_are_too_many_events_every_row_has_its_largest():
    events = [{"kind": "jump", "first": k, "last": k, "text": str(k)} for k in range(200)]
    gap = {"kind": "gap", "first": 3, "last": 9, "text": "not drawn"}
    lanes = [Lane(name=str(k), gold=[], drawn=[], events=[gap, *events]) for k in range(6)]
    picture, _, left = timeline(lanes)
    [marks] = [one for one in picture["data"] if one["name"] == "jump"]
    assert (len(marks["x"]), left) == (300, 900)
    assert np.bincount(marks["y"]).tolist() == [50] * 6
    assert max(marks["x"]) == 49


def test_a_thinned_track_is_said_to_be(monkeypatch, audit, tmp_path):
    monkeypatch.setattr(thinned, "__defaults__", (50,))
    monkeypatch.setattr(section, "MOST_POINTS", 50)
    folder = audit.to_html(tmp_path / "r").parent
    text = page_of(folder, "ann").read_text(encoding="utf-8")
    assert "At most 50 points an edge are drawn: of every" in text
