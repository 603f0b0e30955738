"""``annqc diff`` in this process: what it prints, writes and exits with."""

from __future__ import annotations

import csv
import json

import pytest

import annqc
from annqc.simulate import tracks

HEAD = "annotator,sequence,frame,track_id,category,x1,y1,x2,y2"


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Three versions of a video: as it was, with edits, and with other ids."""
    folder = tmp_path_factory.mktemp("versions")
    made = tracks({"ann": []}, n_sequences=1, n_tracks=3, n_frames=100, rng=1).work
    images = made.images[["image_id", "sequence", "frame"]]
    old = made.annotations.merge(images, on="image_id")[HEAD.split(",")]
    new = old.copy()
    new.loc[(new["track_id"] == 1) & new["frame"].between(50, 70), ["x1", "x2"]] += 4.0
    new.loc[(new["track_id"] == 2) & new["frame"].between(40, 45), "category"] = "tram"
    new = new[~((new["track_id"] == 3) & new["frame"].between(55, 64))]
    old.to_csv(folder / "old.csv", index=False)
    new.to_csv(folder / "new.csv", index=False)
    old.assign(track_id=old["track_id"] + 10).to_csv(folder / "ids.csv", index=False)
    return folder


@pytest.fixture
def call(run, video, monkeypatch):
    monkeypatch.chdir(video)
    return run


def test_one_screen_within_80_columns(call):
    done = call("diff", "old.csv", "new.csv")
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert len(done.stdout.splitlines()) < 30
    assert "track 1, frames 50 to 70: box shifted by 4 px" in done.stdout
    assert "track 3, frames 55 to 64: removed" in done.stdout
    assert "relabelled" in done.stdout
    assert "-> tram (6)" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(("new", "code"), [("new.csv", 1), ("old.csv", 0), ("ids.csv", 0)])
def test_exit_code_tells_whether_anything_differs(call, new, code):
    assert call("diff", "old.csv", new, "--exit-code").exit_code == code
    assert call("diff", "old.csv", new, "--quiet").exit_code == 0


def test_other_ids_are_told_once(call):
    done = call("diff", "old.csv", "ids.csv")
    flat = " ".join(done.stdout.split())
    assert "3 tracks have other ids, which is no change: 1 -> 11, 2 -> 12, 3 -> 13" in flat
    assert "No changes the two versions are the same" in flat


def test_json_holds_all_tables(call, tmp_path):
    done = call("diff", "old.csv", "new.csv", "--json", "-")
    document = json.loads(done.stdout)
    assert [one["role"] for one in document["inputs"]] == ["old", "new"]
    assert document["identical"] is False
    found = {one["kind"]: one for one in document["changes"]}
    assert set(found) == {"moved", "relabelled", "removed"}
    assert (found["moved"]["first_frame"], found["moved"]["last_frame"]) == (50, 70)
    assert found["removed"]["new_annotator"] is None
    counts = {one["kind"]: one["n_annotations"] for one in document["summary"]}
    assert (counts["moved"], counts["relabelled"], counts["removed"]) == (21, 6, 10)
    out = tmp_path / "out.json"
    done = call("diff", "old.csv", "new.csv", "--json", out)
    assert f"Written: JSON in {out}" in " ".join(done.stdout.split())
    assert json.loads(out.read_bytes())["changes"] == document["changes"]


def test_csv_tables_are_written(call, tmp_path):
    folder = tmp_path / "tables"
    done = call("diff", "old.csv", "new.csv", "--csv", folder, "--quiet")
    assert (done.exit_code, done.output) == (0, "")
    assert {one.stem for one in folder.iterdir()} == {"changes", "summary", "images", "renumbered"}
    with (folder / "changes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["relabelled", "moved", "removed"]


def test_tolerance_reaches_the_comparison(call):
    done = call("diff", "old.csv", "new.csv", "--tolerance", "5 px", "--json", "-")
    assert {one["kind"] for one in json.loads(done.stdout)["changes"]} == {"relabelled", "removed"}


def test_all_shows_every_change(call, made, files):
    args = ("diff", files / "gold.json", files / "work.json")
    short, long = call(*args), call(*args, "--all")
    assert "more: --all" in short.stdout
    assert "more: --all" not in long.stdout
    assert len(long.stdout.splitlines()) > len(short.stdout.splitlines())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("old.csv", "nothing.csv"), "no such file"),
        (("old.csv", "new.csv", "--tolerance", "5"), "tolerance"),
        (("old.csv",), "NEW"),
        (("old.csv", "new.csv", "--json", "old.csv"), "overwrite an input"),
        (("old.csv", "new.csv", "--format", "nonsense"), "nonsense"),
    ],
)
def test_wrong_input_is_exit_code_2(call, args, said):
    done = call("diff", *args)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_versions_without_a_common_image_are_refused(call, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("file_name,category,x1,y1,x2,y2\nz.jpg,cat,1,1,9,9\n")
    one = tmp_path / "one.csv"
    one.write_text("file_name,category,x1,y1,x2,y2\na.jpg,cat,1,1,9,9\n")
    done = call("diff", one, other)
    assert done.exit_code == 2
    assert "no image in common" in done.stderr


def test_rows_that_cannot_be_used_are_told(call, tmp_path):
    rows = "file_name,annotator,category,x1,y1,x2,y2\na.jpg,ann,cat,1,1,9,9\n"
    for name, more in (("one.csv", ""), ("two.csv", "a.jpg,ann,cat,5,5,x,9\n")):
        (tmp_path / name).write_text(rows + more)
    done = call("diff", tmp_path / "one.csv", tmp_path / "two.csv")
    assert "1 row of NEW cannot be used" in done.stdout


def test_images_of_one_version_are_told_as_images(call, tmp_path):
    head = "file_name,annotator,category,x1,y1,x2,y2\n"
    (tmp_path / "one.csv").write_text(head + "a.jpg,ann,cat,1,1,9,9\n")
    more = "".join(f"{k}.jpg,ann,cat,1,1,9,9\n" for k in range(5))
    (tmp_path / "two.csv").write_text(head + "a.jpg,ann,cat,1,1,9,9\n" + more)
    done = call("diff", tmp_path / "one.csv", tmp_path / "two.csv")
    assert "5 images in NEW alone, with 5 annotations" in done.stdout
    assert "Other changes" not in done.stdout


def test_a_video_that_was_annotated_anew_fits_on_a_screen(call, shared_data):
    folder = shared_data / "mot_relabelled"
    done = call("diff", folder / "MOT15-ADL-Rundle-8.gt.txt", folder / "MOT17-10.gt.txt")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 40
    assert "22 tracks have other ids, which is no change" in " ".join(done.stdout.split())


def test_the_public_function_is_there():
    assert annqc.diff.__module__ == "annqc.run.diff"
