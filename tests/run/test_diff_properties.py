"""Any edits of any videos: the stretches are those that a plain loop finds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc import MatchError
from annqc.run.diff import diff
from annqc.testing.strategies import datasets

FEW = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
LANE = 300.0
KEYS = ["kind", "annotator", "sequence", "track_id", "first_frame", "last_frame", "n_frames"]


def drawn(rng):
    """Boxes by (annotator, sequence, track, frame): one lane a track, so that none meet."""
    out = {}
    for who in ("ann", "bob"):
        for sequence in ("one", "two"):
            for track in range(1, rng.integers(2, 5)):
                step = int(rng.integers(1, 3))
                first = int(rng.integers(0, 10))
                for frame in range(first, first + step * int(rng.integers(3, 25)), step):
                    if rng.random() < 0.95:
                        x, y = 3.0 * frame + rng.random(), LANE * track
                        label = "cat" if track % 2 else "dog"
                        out[who, sequence, track, frame] = (x, y, x + 80, y + 60), label
    return out


def edited(rng, old):
    """A version with runs of edits; the same objects under the same keys."""
    new, state = {}, "keep"
    for key in sorted(old):
        if rng.random() < 0.25:
            state = str(rng.choice(["keep", "keep", "move", "remove", "relabel", "both"]))
        box, label = old[key]
        if state in {"move", "both"}:
            box = tuple(np.round(np.array(box) + rng.integers(1, 9, 4) * rng.choice([-1, 1], 4), 3))
        if state in {"relabel", "both"}:
            label = "bird" if rng.random() < 0.8 else "fish"
        if state != "remove" or rng.random() < 0.05:
            new[key] = box, label
        elif rng.random() < 0.3:
            new[(*key[:3], key[3] + 1000)] = box, label  # a frame that the older one does not have
    return new


def table_of(rows, rng=None, ids=None):
    frame = pd.DataFrame(
        [
            {
                "annotator": who,
                "sequence": sequence,
                "track_id": track if ids is None else ids[who, sequence, track],
                "frame": at,
                "category": label,
                **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)),
            }
            for (who, sequence, track, at), (box, label) in rows.items()
        ]
    )
    return frame if rng is None else frame.sample(frac=1, random_state=int(rng.integers(2**31)))


def runs(frames, state):
    """Maximal runs of frames in which the state is the same and not None."""
    out, before = [], None
    for frame in frames:
        now = state(frame)
        if now is not None and now == before:
            out[-1][1].append(frame)
        elif now is not None:
            out.append((now, [frame]))
        before = now
    return out


def oracle(old, new):
    """All stretches, by a loop over tracks and frames."""
    out = []
    for track in sorted({key[:3] for key in (*old, *new)}):
        one = {key[3]: value for key, value in old.items() if key[:3] == track}
        two = {key[3]: value for key, value in new.items() if key[:3] == track}
        both = sorted({*one, *two})

        def moved(f, one=one, two=two):
            return (f in one and f in two and one[f][0] != two[f][0]) or None

        def relabelled(f, one=one, two=two):
            if f not in one or f not in two or one[f][1] == two[f][1]:
                return None
            return one[f][1], two[f][1]

        def only_in(mine, other):
            return lambda frame: frame not in other or None

        found = {
            "moved": runs(both, moved),
            "relabelled": runs(both, relabelled),
            "removed": runs(sorted(one), only_in(one, two)),
            "added": runs(sorted(two), only_in(two, one)),
        }
        for kind, stretches in found.items():
            for _, frames in stretches:
                far = np.nan
                if kind == "moved":
                    far = max(
                        abs(b - a)
                        for f in frames
                        for a, b in zip(one[f][0], two[f][0], strict=True)
                    )
                named = (kind, track[0], track[1], str(track[2]), frames[0], frames[-1])
                out.append((*named, len(frames), round(float(np.nan_to_num(far, nan=-1)), 3)))
    return sorted(out)


def told(made):
    found = made.changes()
    found["annotator"] = found["annotator"].where(
        found["annotator"].notna(), found["new_annotator"]
    )
    found["track_id"] = found["track_id"].where(found["track_id"].notna(), found["new_track_id"])
    found["track_id"] = found["track_id"].astype(str)
    found["max_px"] = found["max_px"].fillna(-1).round(3)
    return sorted(map(tuple, found[[*KEYS, "max_px"]].values.tolist()))


@FEW
@given(seed=SEEDS)
def test_stretches_are_those_of_a_plain_loop(seed):
    rng = np.random.default_rng(seed)
    old = drawn(rng)
    new = edited(rng, old)
    if not new:
        return
    made = diff(table_of(old), table_of(new, rng))
    assert told(made) == oracle(old, new)
    assert len(made.renumbered()) == 0


@FEW
@given(seed=SEEDS)
def test_a_version_equals_itself_in_any_order_and_under_any_ids(seed):
    rng = np.random.default_rng(seed)
    old = drawn(rng)
    keys = sorted({key[:3] for key in old})
    ids = dict(zip(keys, (rng.permutation(len(keys)) + 50).tolist(), strict=True))
    assert diff(table_of(old), table_of(old, rng)).identical
    made = diff(table_of(old), table_of(old, rng, ids))
    assert made.identical
    found = made.renumbered()
    columns = ["annotator", "sequence", "track_id", "new_track_id"]
    assert {tuple(row[:3]): row[3] for row in found[columns].values.tolist()} == ids


@FEW
@given(seed=SEEDS)
def test_new_ids_do_not_change_what_is_told(seed):
    rng = np.random.default_rng(seed)
    old = drawn(rng)
    new = edited(rng, old)
    if not new:
        return
    keys = sorted({key[:3] for key in (*old, *new)})
    ids = dict(zip(keys, (rng.permutation(len(keys)) + 50).tolist(), strict=True))
    made = diff(table_of(old), table_of(new, rng, ids))
    back = {str(number): str(key[2]) for key, number in ids.items()}
    found = [
        (*row[:3], back[row[3]] if row[0] == "added" else row[3], *row[4:]) for row in told(made)
    ]
    assert sorted(found) == oracle(old, new)


def crowd(rng, n=60):
    """Boxes anywhere, that overlap, in images and in tracks."""
    low = rng.uniform(0, 200, (n, 2))
    box = np.concatenate([low, low + rng.uniform(20, 90, (n, 2))], axis=1)
    frame = pd.DataFrame(box, columns=["x1", "y1", "x2", "y2"])
    frame["frame"] = np.arange(n) // 6
    frame["track_id"] = np.arange(n) % 6
    return frame.assign(sequence="s", category=rng.choice(["cat", "dog"], n), annotator="ann")


@FEW
@given(seed=SEEDS, tracked=st.booleans())
def test_the_other_way_round_is_the_mirror_image(seed, tracked):
    rng = np.random.default_rng(seed)
    old = crowd(rng)
    new = old.copy()
    new[["x1", "y1", "x2", "y2"]] += rng.normal(0, 8, (len(old), 4)) * (
        rng.random((len(old), 1)) < 0.5
    )
    new.loc[rng.random(len(new)) < 0.1, "category"] = "cat"
    new = new[rng.random(len(new)) < 0.85]
    old = old[rng.random(len(old)) < 0.85]
    if not tracked:
        old, new = (one.drop(columns=["track_id"]) for one in (old, new))
    there, back = diff(old, new), diff(new, old)
    swapped = {"added": "removed", "removed": "added"}
    columns = ["kind", "first_frame", "last_frame", "n_frames", "max_px", "mean_px", "iou"]
    one = there.changes()[columns]
    two = back.changes()[columns].replace({"kind": swapped})
    one, two = (
        sorted(
            tuple(round(v, 6) if isinstance(v, float) else v for v in row)
            for row in t.fillna(-1).infer_objects().values.tolist()
        )
        for t in (one, two)
    )
    assert one == two
    assert there.n_untouched == back.n_untouched
    pairs = set(zip(*there.pairs, strict=True))
    assert {(a, b) for b, a in zip(*back.pairs, strict=True)} == pairs


@FEW
@given(seed=SEEDS, n=st.integers(1, 60))
def test_boxes_that_are_there_twice_are_found_in_any_order(seed, n):
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 3, (n, 2)) * 10.0
    frame = pd.DataFrame(np.hstack([low, low + 10]), columns=["x1", "y1", "x2", "y2"])
    frame["frame"], frame["track_id"] = rng.integers(0, 4, n), rng.integers(0, 4, n)
    frame["category"], frame["annotator"] = rng.choice(["cat", "dog"], n), rng.choice(["a", "b"], n)
    frame["sequence"] = "s"
    for table in (frame, frame.drop(columns=["track_id"])):
        other = table.sample(frac=1, random_state=int(rng.integers(2**31)))
        made = diff(table, other)
        assert made.identical
        assert len(made.renumbered()) == 0
        fewer = diff(table, other.iloc[1:])
        counts = fewer.summary().set_index("kind")["n_annotations"]
        assert counts["removed"] - counts["added"] == 1
        assert counts["untouched"] == n - 1


@FEW
@given(old=datasets(), new=datasets())
def test_any_two_versions_can_be_compared(old, new):
    assert diff(old, old).identical
    try:
        made = diff(old, new)
    except MatchError:
        return
    found = made.changes()
    counts = made.summary().set_index("kind")["n_annotations"]
    pairs = len(made.pairs.old)
    assert (pairs + counts["removed"], pairs + counts["added"]) == (len(old), len(new))
    assert (
        found.groupby("kind")["n_frames"].sum().to_dict()
        == counts[counts > 0].drop("untouched", errors="ignore").to_dict()
    )
    assert made.identical == (not len(found) and not len(made.images()))
