"""``annqc review`` in this process: what it prints, writes and exits with."""

from __future__ import annotations

import json

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


def test_where_sizes_are_not_known_nothing_is_written(run, files, tmp_path):
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
    assert not target.exists()
    assert run("review", *sides, *asked, "--image-sizes", "1920x1080").exit_code == 0
