"""Following reference tracks through what was drawn, and the events of identity."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc.ids import ids_array
from annqc.match import match
from annqc.measure.track_events import STRUCTURAL, events_between, events_within
from annqc.measure.tracks import measure_tracks
from annqc.simulate import TrackHabit, tracks
from annqc.tables import Annotations, Dataset, Images


def video(rows, *, n_frames=12, n_annotators=1):
    """Make a dataset from (annotator, track, frame, x) or (..., x, category); boxes are 20 x 20."""
    rows = [(*row, 0) if len(row) == 4 else row for row in rows]
    who, track, frame, x, category = (np.array(column) for column in zip(*rows, strict=True))
    box = np.stack([x, np.full(len(x), 100), x + 20, np.full(len(x), 120)], axis=1)
    keys, codes = np.unique(np.stack([who, track], axis=1), axis=0, return_inverse=True)
    codes = codes.reshape(-1).astype(np.int64)
    codes[track < 0] = -1
    frames = np.arange(n_frames)
    return Dataset(
        table=Annotations.build(
            image=frame, annotator=who, category=category, xyxy=box + 0.0, track=codes
        ),
        image_table=Images.build(
            ids_array([f"v/{t}" for t in frames]),
            sequence=ids_array(["v"] * n_frames),
            frame=frames,
        ),
        annotator_ids=ids_array([f"ann-{k}" for k in range(n_annotators)]),
        category_ids=np.array([1, 2]),
        category_names=ids_array(["cat", "dog"]),
        track_ids=keys[:, 1],
    )


def still(track, x, frames=range(12), who=0):
    return [(who, track, frame, x) for frame in frames]


def followed(gold, work):
    return measure_tracks(match(gold, work))


def names(found, work):
    """Events as (kind, drawn track as given, first frame, last frame)."""
    ids = work.tracks_of(found.drawn_track)
    return [
        (STRUCTURAL[kind], one, first, last)
        for kind, one, first, last in zip(
            found.kind.tolist(),
            ids.tolist(),
            found.first_frame.tolist(),
            found.last_frame.tolist(),
            strict=True,
        )
    ]


def events(gold, work):
    matches = match(gold, work)
    return names(events_between(matches, measure_tracks(matches)), work)


def test_offsets_of_a_track_in_order_of_frames():
    gold = video(still(1, 100.0) + still(2, 400.0))
    work = video([(0, 9, frame, 100.0 + frame) for frame in range(11, -1, -1)] + still(8, 398.0))
    found = followed(gold, work)
    assert found.starts.tolist() == [0, 12, 24]
    assert found.edges[:12, 2].tolist() == list(range(12))
    assert found.edges[12:, 0].tolist() == [2.0] * 12
    assert not found.filled.any()


def test_a_jump_away_from_the_object_is_told_by_the_track():
    gold = video(still(1, 100.0))
    away = [(0, 5, frame, 100.0 if frame < 6 else 160.0) for frame in range(12)]
    found = followed(gold, video(away))
    assert found.filled.tolist() == [False] * 6 + [True] * 6
    assert found.edges[6:, 2].tolist() == [60.0] * 6


def test_a_box_that_belongs_to_another_object_is_not_taken():
    gold = video(still(1, 100.0, range(6)) + still(1, 100.0, range(6, 12)) + still(2, 300.0))
    work = video(still(5, 100.0, range(6)) + [(0, 5, frame, 300.0) for frame in range(6, 12)])
    found = followed(gold, work)
    assert found.candidate[6:12].tolist() == [-1] * 6


def test_objects_that_cross_keep_their_tracks():
    """In frames 5 and 6 the boxes overlap the other object more."""
    gold = video(still(1, 100.0) + still(2, 112.0))
    close = [(0, 5, t, 111.0 if t in (5, 6) else 100.0) for t in range(12)]
    other = [(0, 6, t, 101.0 if t in (5, 6) else 112.0) for t in range(12)]
    work = video(close + other)
    found = followed(gold, work)
    assert work.tracks_of(found.drawn_track).tolist() == [5] * 12 + [6] * 12
    assert events(gold, work) == []


def test_without_tracks_on_the_reference_there_are_no_series():
    gold = video(still(-1, 100.0))
    assert len(followed(gold, video(still(1, 100.0)))) == 0


def test_work_without_tracks_is_followed_by_overlap_alone():
    gold = video(still(1, 100.0))
    work = video(still(-1, 101.0, range(8)))
    found = followed(gold, work)
    assert (found.candidate >= 0).sum() == 8
    assert (found.drawn_track == -1).all()


def oracle(gold, work, matches):
    """Follow tracks with loops and dictionaries."""
    frames = gold.image_table.frame
    pairs = {
        (int(work.table.annotator[c]), int(r)): int(c)
        for r, c in zip(matches.pair_reference, matches.pair_candidate, strict=True)
    }
    taken = set(matches.pair_candidate.tolist())
    box_of = {}
    for row in range(len(work.table)):
        key = (int(work.table.track[row]), int(matches.image_of_candidate[row]))
        box_of.setdefault(key, []).append(row)
    out = {}
    for who in range(len(work.annotator_ids)):
        for track in np.unique(gold.table.track).tolist():
            rows = np.flatnonzero(gold.table.track == track)
            rows = rows[np.argsort(frames[gold.table.image[rows]], kind="stable")].tolist()
            one = [pairs.get((who, row), -1) for row in rows]
            asked = list(one)
            for k, row in enumerate(rows):
                for side in (range(k - 1, -1, -1), range(k + 1, len(rows))):
                    if one[k] >= 0:
                        break
                    near = next((asked[j] for j in side if asked[j] >= 0), -1)
                    if near < 0:
                        continue
                    key = (int(work.table.track[near]), int(gold.table.image[row]))
                    free = [c for c in box_of.get(key, []) if c not in taken]
                    one[k] = free[0] if free else -1
            out[who, track] = one
    return out


def test_the_same_as_an_oracle_on_simulated_work():
    habits = {
        "ann": [],
        "ice": TrackHabit.frozen(0.5),
        "gap": [TrackHabit.gap(7), TrackHabit.late_start(4)],
        "jump": [TrackHabit.jump(150.0, share=0.5)],
    }
    made = tracks(habits, n_sequences=2, n_tracks=3, n_frames=60, rng=4)
    matches = match(made.gold, made.work)
    found = measure_tracks(matches)
    expected = oracle(made.gold, made.work, matches)
    assert found.filled.sum() > 50
    for k in range(len(found)):
        mine = found.candidate[found.starts[k] : found.starts[k + 1]].tolist()
        assert mine == expected[int(found.annotator[k]), int(found.track[k])]


def test_gaps_and_ends():
    gold = video(still(1, 100.0) + still(2, 300.0) + still(3, 500.0))
    work = video(still(7, 100.0, [2, 3, 4, 7, 8, 9]) + still(8, 300.0))
    assert events(gold, work) == [
        ("missed_track", None, 0, 11),
        ("late_start", 7, 0, 1),
        ("gap", 7, 5, 6),
        ("early_end", 7, 10, 11),
    ]


def test_tracks_that_begin_before_the_object_and_go_on_after_it():
    gold = video(still(1, 100.0, range(4, 8)))
    work = video(still(5, 100.0, [0, 2, 3, 4, 5, 6, 7, 8, 10]))
    assert events(gold, work) == [("early_start", 5, 2, 3), ("late_end", 5, 8, 8)]


def test_a_switch_and_a_swap():
    gold = video(still(1, 100.0) + still(2, 300.0) + still(3, 500.0))
    rows = [(0, 7 if t < 5 else 8, t, 100.0) for t in range(12)]
    rows += [(0, 1 if t < 6 else 2, t, 300.0) for t in range(12)]
    rows += [(0, 2 if t < 6 else 1, t, 500.0) for t in range(12)]
    work = video(rows)
    assert events(gold, work) == [
        ("id_switch", 8, 5, 11),
        ("id_swap", 2, 6, 11),
        ("id_swap", 1, 6, 11),
    ]


def test_one_id_for_two_objects():
    gold = video(still(1, 100.0, range(10)) + still(2, 300.0, range(10, 20)), n_frames=20)
    work = video([(0, 7, t, 100.0 if t < 10 else 300.0) for t in range(20)], n_frames=20)
    assert events(gold, work) == [("merged_tracks", 7, 10, 19)]


def test_a_track_of_nothing():
    gold = video(still(1, 100.0))
    work = video(still(5, 100.0) + still(6, 900.0, range(3, 9)))
    assert events(gold, work) == [("spurious_track", 6, 3, 8)]


def test_an_id_twice_in_a_frame_and_labels_that_change():
    work = video(
        [
            *((0, 5, t, 100.0, 0 if t < 4 else 1) for t in range(12)),
            *((0, 5, t, 300.0, 0) for t in (6, 7, 9)),
        ]
    )
    assert names(events_within(work), work) == [
        ("duplicate_id", 5, 6, 7),
        ("duplicate_id", 5, 9, 9),
        ("category_flip", 5, 4, 11),
    ]


@pytest.mark.parametrize(
    ("habit", "kind"),
    [
        (TrackHabit.late_start(5), "late_start"),
        (TrackHabit.early_end(5), "early_end"),
        (TrackHabit.gap(4), "gap"),
        (TrackHabit.switch(), "id_switch"),
        (TrackHabit.swap(), "id_swap"),
        (TrackHabit.flip(), "category_flip"),
    ],
)
def test_planted_habits_are_found_where_they_are_and_nowhere_else(habit, kind):
    made = tracks({"ann": [], "bob": habit}, n_sequences=2, n_tracks=4, rng=2)
    matches = match(made.gold, made.work)
    found = events_between(matches, measure_tracks(matches))
    assert not (found.annotator == 0).any()
    mine = found.take(found.kind == STRUCTURAL.index(kind))
    planted = Counter((p.sequence, p.first_frame, p.last_frame) for p in made.planted)
    if kind == "category_flip":
        ends = Counter(zip(mine.first_frame.tolist(), mine.last_frame.tolist(), strict=True))
        assert ends == Counter((p.first_frame, p.last_frame) for p in made.planted)
    else:
        sequence = made.gold.image_table.sequence[mine.image].tolist()
        spans = zip(sequence, mine.first_frame.tolist(), mine.last_frame.tolist(), strict=True)
        assert Counter(spans) == planted


def test_ignored_rows_have_no_track_to_follow():
    gold = video(still(1, 100.0) + still(2, 300.0))
    ignored = gold.table.track == 1
    gold = replace(gold, table=replace(gold.table, ignored=ignored))
    assert len(followed(gold, video(still(5, 100.0)))) == 1


def test_a_static_object_over_many_frames_accuses_nobody():
    """A constant offset over 5,000 frames of one object is one piece of evidence."""
    gold = video(still(1, 100.0, range(5000)), n_frames=5000)
    work = video(still(5, 106.0, range(5000)), n_frames=5000)
    bias = annqc.audit(work, gold).bias()
    assert set(bias["verdict"]) == {"undecided"}
    assert set(bias["n_clusters"]) == {1}


def crossing(rng, *, swap=None, n=160):
    """Make two objects that pass each other at half a pixel a frame, six pixels apart."""
    gold, work = [], []
    for track in range(2):
        t = np.arange(n)
        x = 100 + (t * 0.5 if track == 0 else 0.5 * (n - t))
        drawn = x + rng.normal(0, 3, n)
        gold += [(0, track, frame, x[frame]) for frame in t]
        name = [track if swap is None or frame < swap else 1 - track for frame in t]
        work += [(0, 5 + name[frame], frame, drawn[frame]) for frame in t]
    return [video(rows, n_frames=n) for rows in (gold, work)]


def test_objects_that_pass_slowly_keep_their_tracks():
    for seed in range(5):
        gold, work = crossing(np.random.default_rng(seed))
        assert events(gold, work) == []


def test_ids_that_are_swapped_beside_each_other_are_told_where_they_are():
    """At frame 90 the boxes are ten pixels apart, and overlap the other object by a third."""
    gold, work = crossing(np.random.default_rng(1), swap=90)
    found = events(gold, work)
    assert {kind for kind, *_ in found} == {"id_swap"}
    assert all(abs(first - 90) <= 8 for _, _, first, _ in found)


def test_the_track_that_has_the_object_keeps_it_while_it_overlaps_by_half():
    """The newcomer overlaps the object more, from frame 6 on."""
    gold = video(still(1, 100.0))
    kept = video(still(5, 104.0) + still(6, 101.0, range(6, 12)))
    found = followed(gold, kept)
    assert kept.tracks_of(found.drawn_track).tolist() == [5] * 12
    left = video(still(5, 104.0, range(6)) + still(6, 101.0, range(6, 12)))
    assert left.tracks_of(followed(gold, left).drawn_track).tolist() == [5] * 6 + [6] * 6


def test_a_swap_of_two_kinds_of_object_is_told_once():
    gold = video([(0, k, t, 100.0 + 300 * k, k) for k in range(2) for t in range(12)])
    rows = [
        (0, 5 + (k if t < 6 else 1 - k), t, 100.0 + 300 * k, k) for k in range(2) for t in range(12)
    ]
    assert {kind for kind, *_ in events(gold, video(rows))} == {"id_swap"}
    wrong = [(*row[:4], 1 - row[4] if row[1:3] == (5, 3) else row[4]) for row in rows]
    kinds = Counter(kind for kind, *_ in events(gold, video(wrong)))
    assert kinds == {"id_swap": 2, "category_flip": 2}


def test_a_track_that_goes_on_over_what_is_ignored_does_not_end_late():
    gold = video(still(1, 100.0))
    ignored = gold.table.image >= 8
    gold = replace(gold, table=replace(gold.table, ignored=ignored))
    assert events(gold, video(still(5, 100.0))) == []
