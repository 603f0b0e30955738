"""``annqc review`` in this process: what it prints, writes and exits with."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

import annqc


def test_one_screen_within_80_columns(run):
    done = run("review", "work.json", "--gold", "gold.json")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) < 45
    assert "100 to look at on" in done.stdout
    assert "eve: the gold's" in done.stdout
    assert done.stderr == ""


def test_without_gold_it_says_what_cannot_be_seen(run):
    done = run("review", "work.json", "--top", "3", "--by-image")
    assert done.exit_code == 0
    assert "what all do alike cannot be seen" in " ".join(done.stdout.split())
    assert "3 to look at on" in done.stdout


def test_json_to_standard_output_keeps_the_screen_away(run):
    done = run("review", "work.json", "--gold", "gold.json", "--json", "-", "--top", "7")
    document = json.loads(done.stdout)
    assert [row["rank"] for row in document["queue"]] == [1, 2, 3, 4, 5, 6, 7]
    assert [one["role"] for one in document["inputs"]] == ["work", "gold"]
    assert sum(document["counts"].values()) == 7
    assert document["mind"] is None


def test_all_files_load_again(run, files, tmp_path):
    targets = {one: tmp_path / f"{one}.out" for one in ("csv", "coco", "cvat", "fiftyone")}
    targets |= {"label-studio": tmp_path / "ls.json", "json": tmp_path / "q.json"}
    options = [part for name, path in targets.items() for part in (f"--{name}", path)]
    done = run(
        "review", "work.json", "--gold", "gold.json", "--url", "https://x.org/{image_id}", *options
    )
    assert done.exit_code == 0, done.stderr
    assert all(path.is_file() for path in targets.values())
    assert "Label Studio tasks in" in done.stdout
    rows = json.loads(targets["json"].read_text())["queue"]
    assert rows[0]["url"] == f"https://x.org/{rows[0]['image_id']}"
    for name in ("coco", "cvat", "label-studio"):
        assert len(annqc.read(targets[name])) > 50


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--url", "javascript:alert(1)"], "no pattern for links"),
        (["--url", "x/{img}"], "there is no field of a link 'img'"),
        (["--top", "0"], "x>=1"),
        (["--csv", "work.json"], "overwrite an input"),
        (["--coco", "there/q.json"], "no such folder"),
        (["--csv", "q", "--coco", "q"], "two outputs have the same name"),
        (["--tolerance", "2"], "cannot read the tolerance"),
    ],
)
def test_wrong_calls_end_with_2_and_one_message(run, options, said):
    done = run("review", "work.json", "--gold", "gold.json", *options)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_one_annotator_without_gold_is_refused(run, files, tmp_path):
    done = run("review", "gold.json")
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr


def test_quiet_prints_nothing(run):
    done = run("review", "work.json", "--gold", "gold.json", "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_where_sizes_are_not_known_the_other_files_are_written_and_it_is_said(run, files, tmp_path):
    document = json.loads((files / "gold.json").read_text())
    for image in document["images"]:
        image["width"] = image["height"] = None
    for name in ("gold", "work"):
        document |= {"annotations": json.loads((files / f"{name}.json").read_text())["annotations"]}
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    sides = (tmp_path / "work.json", "--gold", tmp_path / "gold.json")
    target = tmp_path / "q.csv"
    asked = ("--csv", target, "--label-studio", tmp_path / "ls.json")
    done = run("review", *sides, *asked)
    assert done.exit_code == 2
    assert "sizes are not known" in done.stderr
    assert "image_" in done.stderr
    said = " ".join(done.stderr.split())
    assert f"Label Studio tasks in {tmp_path / 'ls.json'}: not written" in said
    assert f"written: the queue in {target}" in said
    assert len(target.read_text().splitlines()) == 101
    assert not (tmp_path / "ls.json").exists()
    alone = run("review", *sides, "--label-studio", tmp_path / "ls.json", "--quiet")
    assert alone.exit_code == 2
    assert "not written; written: nothing" in " ".join(alone.stderr.split())
    assert run("review", *sides, *asked, "--image-sizes", "1920x1080").exit_code == 0


def test_links_that_are_not_there_are_told(run):
    done = run("review", "work.json", "--gold", "gold.json", "--url", "https://x.org/?f={frame}")
    assert done.exit_code == 0
    assert "no row has one, for want of" in " ".join(done.stdout.split())
    bare = run("review", "work.json", "--gold", "gold.json", "--url", "cvat.example/t?f={image_id}")
    assert bare.exit_code == 2
    assert "https://cvat.example" in bare.stderr
    assert "./cvat.example" in bare.stderr


def without_sizes(files, folder):
    for name in ("gold", "work"):
        document = json.loads((files / f"{name}.json").read_text())
        for image in document["images"]:
            image["width"] = image["height"] = None
        (folder / f"{name}.json").write_text(json.dumps(document))
    return [image["file_name"] for image in document["images"]]


def test_a_folder_of_images_tells_their_sizes(run, files, tmp_path):
    names = without_sizes(files, tmp_path)
    sides = (tmp_path / "work.json", "--gold", tmp_path / "gold.json")
    images = tmp_path / "images"
    images.mkdir()
    for name in names:
        cv2.imwrite(str(images / name), np.zeros((1080, 1920), dtype=np.uint8))
    targets = tmp_path / "ls.json", tmp_path / "fo.json"
    asked = ("--label-studio", targets[0], "--fiftyone", targets[1])
    assert run("review", *sides, *asked).exit_code == 2
    done = run("review", *sides, *asked, "--images", images)
    assert done.exit_code == 0, done.stderr
    tasks = json.loads(targets[0].read_text())
    assert {task["data"]["image"] for task in tasks} <= set(names)
    regions = [one for task in tasks for one in task["predictions"][0]["result"]]
    assert {(one["original_width"], one["original_height"]) for one in regions} == {(1920, 1080)}


def test_images_that_are_not_in_the_folder_are_named(run, files, tmp_path):
    without_sizes(files, tmp_path)
    (tmp_path / "images").mkdir()
    sides = (tmp_path / "work.json", "--gold", tmp_path / "gold.json")
    asked = ("--label-studio", tmp_path / "ls.json", "--images", tmp_path / "images")
    done = run("review", *sides, *asked)
    assert done.exit_code == 2
    assert "sizes are not known" in done.stderr
    said = " ".join(done.stderr.split())
    assert f"in {tmp_path / 'images'}: " in said
    assert " x not found" in said
    assert not (tmp_path / "ls.json").exists()


def test_images_that_are_neither_a_folder_nor_a_pattern_are_refused(run, tmp_path):
    done = run("review", "work.json", "--gold", "gold.json", "--images", tmp_path / "typo")
    assert done.exit_code == 2
    assert "there is no folder" in done.stderr
