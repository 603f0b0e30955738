"""Where annotations stand, in words: the folder where names repeat, and one line a track."""

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc.report.mistakes import first_errors
from annqc.run.evidence import worst_annotations
from annqc.run.places import first_of_track, worst_of_tracks

SIZE = 64


def mask(path, box):
    image = pytest.importorskip("PIL.Image")
    pixels = np.zeros((SIZE, SIZE), dtype=np.uint8)
    pixels[box[1] : box[3], box[0] : box[2]] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    image.fromarray(pixels).save(path)


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for k in range(6):
        mask(tmp_path / "gold" / f"seg_{k}.png", (12, 12, 40, 44))
        mask(tmp_path / "work" / "ann" / f"seg_{k}.png", (12, 12, 40, 44))
        mask(tmp_path / "work" / "bob" / f"seg_{k}.png", (12, 12, 44 + k, 44))
    audit = annqc.audit(tmp_path / "work", tmp_path / "gold")
    text = worst_annotations(audit, {"annotator": "bob"}, quantity="mask_iou")[0]["text"]
    assert "by bob on seg_5 (bob/seg_5.png): mask IoU" in text
    assert "row" not in text


def boxes(annotator, frames, track, *, grown=0.0, at=100.0):
    return [
        {"annotator": annotator, "sequence": "S1", "frame": frame, "track_id": track,
         "xmin": at, "ymin": 50.0, "xmax": at + 60 + grown * (1 + frame / 100), "ymax": 110.0,
         "category": "car"}
        for frame in frames
    ]  # fmt: skip


@pytest.fixture
def video():
    gold = [*boxes("g", range(40), 7), *boxes("g", range(40), 8, at=400.0)]
    work = [
        *boxes("ann", range(40), 70, grown=20),
        *boxes("ann", range(40), 80, at=400.0, grown=10),
        *boxes("bob", range(40), 1),
        *boxes("bob", range(40), 3, at=800.0),
    ]
    return annqc.audit(pd.DataFrame(work), pd.DataFrame(gold))


def test_evidence_of_a_video_is_one_line_a_track_with_the_worst_frame(video):
    found = worst_annotations(video, {"annotator": "ann"}, quantity="out_right")
    assert [one["drawn_track_id"] for one in found] == [70, 80]
    assert found[0]["offset_px"] == pytest.approx(20 * 1.39)
    assert "of track 70 by ann on " in found[0]["text"]
    assert found[0]["text"].endswith("; the worst of 40 such frames of the track")
    least = worst_annotations(video, {"annotator": "ann"}, quantity="iou", most=1)
    assert [one["drawn_track_id"] for one in least] == [70]


def test_errors_of_a_video_name_the_track(video):
    errors = video.errors()
    missed = errors[errors["kind"] == "missed"]
    assert set(zip(missed["annotator"], missed["track_id"], strict=True)) == {("bob", 8)}
    assert set(missed["sequence"]) == {"S1"}
    assert set(errors[errors["kind"] == "spurious"]["track_id"]) == {3}
    text = worst_annotations(video, {"annotator": "bob"}, kinds=["missed"])
    assert len(text) == 1
    assert text[0]["text"].endswith(", on 40 frames of track 8")


def test_the_screen_tells_a_track_once(video):
    said = first_errors(video.error_columns(), 9)
    assert len(said) == 4  # two of ann's that are loose, one of bob's missing, one too many
    (missing,) = [text for text in said if "was not drawn" in text]
    assert missing.endswith("(track 8, 40 frames like this)")


def test_what_is_in_no_track_stands_for_itself():
    track = np.array([4, -1, 4, -1, 9])
    rows, frames = worst_of_tracks(track, np.array([1.0, 5.0, 7.0, 2.0, 3.0]))
    assert rows.tolist() == [2, 1, 4, 3]
    assert frames.tolist() == [2, 1, 1, 1]
    assert [one.tolist() for one in first_of_track(track)] == [[0, 1, 3, 4], [2, 1, 1, 1]]
