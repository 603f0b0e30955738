"""`annqc audit` on polygons and masks of people, as a user would call it; small copies of each."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import annqc
from annqc.cli import main

PATTERN = r"(?P<annotator>labeller\d+)_(?P<image>.+)"
SQUARE = [(10, 10), (40, 10), (40, 40), (10, 40)]


def call(*args):
    found = CliRunner(env={"COLUMNS": "110"}).invoke(main, [str(arg) for arg in args])
    return found.exit_code, " ".join((found.output + found.stderr).split())


def moved(d):
    return [(x + d * (1 if x > 20 else -1), y + d * (1 if y > 20 else -1)) for x, y in SQUARE]


def labelme(user, points, *, deleted=0):
    pts = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in points)
    return (
        "<annotation><filename>a.jpg</filename><object><name>car</name>"
        f"<deleted>{deleted}</deleted><polygon><username>{user}</username>{pts}</polygon></object>"
        "<imagesize><nrows>64</nrows><ncols>64</ncols></imagesize></annotation>"
    )


@pytest.fixture
def users(tmp_path):
    """Three users on eight images; the last is 4 px too wide all round, and deleted one object."""
    for k in range(8):
        for user, d in (("ann", 0), ("bob", 0), ("zoe", 4)):
            path = tmp_path / user / f"{k}.xml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(labelme(user, moved(d), deleted=int((user, k) == ("zoe", 7))))
    return tmp_path


def test_one_user_against_another(users):
    code, text = call("audit", users, "--gold-only", "ann")
    assert code == 0
    assert "8 reference and 15 candidate boxes, 2 annotators" in text
    assert "Biased 1 of 2 annotators" in text
    assert "bob: the" not in text.split("The farthest box")[0]
    code, text = call("audit", users, "--gold-only", "ann", "--only", "bob")
    assert "8 reference and 8 candidate boxes, 1 annotator" in text
    apart = call("audit", users / "zoe", "--gold", users, "--gold-only", "ann")
    assert "7 reference and 7 candidate boxes, 1 annotator" in apart[1]
    code, text = call("audit", users, "--gold-only", "anne")
    assert (code, "did you mean 'ann'?" in text) == (2, True)
    code, text = call("audit", users)
    assert (code, "everybody is compared with a consensus of the others" in text) == (0, True)
    code, text = call("lint", users, "--only", "zoe", "--shapes")
    assert "7 polygons of 7 rings, 0 holes among them" in text


def test_rules_on_one_user_against_another(users):
    spec = users / "x.annqc.toml"
    spec.write_text('[annqc]\nversion = 1\n[[rule]]\nid = "e"\nmeasure = "edge_offset"\n')
    code, text = call("audit", users, "--gold-only", "ann", "--spec", spec)
    assert code == 1
    assert "zoe draws the right edge 4.0 px too far out" in text
    assert call("audit", users, "--gold-only", "ann", "--only", "bob", "--spec", spec)[0] == 0


def test_nobody_is_accused_on_the_command_line(users):
    code, text = call("audit", users, "--gold", users / "ann", "--annotator", "anonymous")
    assert code == 0
    assert "anonymous annotators" in text
    assert "zoe" not in text.replace(str(users), "")
    spec = users / "x.annqc.toml"
    spec.write_text('[annqc]\nversion = 1\n[[rule]]\nid = "e"\nmeasure = "edge_offset"\n')
    gold = "--gold", users / "ann", "--spec", spec
    code, text = call("audit", users, *gold, "--annotator", "=anonymous")
    assert (code, "not applicable e: the annotators are anonymous" in text) == (3, True)


def test_two_columns_on_the_command_line(tmp_path):
    rows = [
        {"scan": f"s{k}", "z": z, "annotation_id": 1, "points": SQUARE, "inclusion": True}
        for k in range(3)
        for z in (1.5, 3)
    ]
    path = tmp_path / "w.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    args = "--columns", "image_id=scan+z", "--annotator", "anonymous", "--image-sizes", "64x64"
    code, text = call("audit", path, "--gold", path, *args)
    assert code == 0
    assert "6 images, 6 reference and 6 candidate boxes, anonymous annotators" in text
    code, text = call("lint", path, *args)
    assert "6 polygons of 6 rings" in text
    code, text = call("lint", path, "--columns", "image_id=scan+y")
    assert (code, "no column 'y'" in text or "'y'" in text) == (2, True)


def test_masks_of_cells(shared_data):
    folder = shared_data / "bubil_masks" / "BU-BIL_Dataset4"
    gold = "--gold", folder / "GoldStandard"
    code, text = call("audit", folder / "ExpertsAnnotations", *gold)
    assert (code, "61 of 61 masks seem to be inverted" in text) == (2, True)
    both = folder / "CrowdsourcedAnnotations", folder / "ExpertsAnnotations"
    code, text = call("audit", *both, *gold, "--mask-object", "dark")
    assert code == 0
    assert "61 images, 61 reference and 610 candidate boxes, 10 annotators" in text
    assert "and 59 more other_canvas" in text
    assert "annqc never resizes" in text
    assert "3 shown to be clean on all four edges" in text
    assert "7 with too few images" in text
    code, text = call("audit", both[0], *gold, "--mask-object", "dark")
    assert (code, "annqc never resizes" in text) == (2, True)


def test_dermatologists(shared_data):
    folder = shared_data / "dermx_polygons" / "darwin_json_repeated12"
    said = "--annotator", PATTERN
    inside = annqc.audit(folder, annotator=PATTERN, gold_only="labeller1").matches
    assert (len(inside.reference), len(inside.candidate), inside.n_tasks) == (20, 320, 15 * 12)
    apart = annqc.audit(folder, str(folder / "labeller1_*.json"), annotator=PATTERN).matches
    assert (len(apart.reference), apart.n_tasks) == (20, 15 * 12)
    assert [one.kind for one in apart.issues] == ["own_reference"]
    gold = "--gold", folder / "labeller1_*.json"
    code, text = call("audit", folder / "labeller12_*.json", *said, *gold)
    assert code == 0
    assert "12 images, 20 reference and 22 candidate boxes, 1 annotator" in text
    assert "too few images" in text
    lint = call("lint", folder, *said, "--shapes")[1]
    assert "803 rows, of which 340 are usable; 12 images, 16 annotators" in lint
    assert "463 dropped: no_geometry" in lint
    assert "beyond_border" in lint


def test_four_users(shared_data):
    code, text = call("audit", shared_data / "labelme_4users_polygons", "--gold-only", "ecyou")
    assert code == 0
    assert "20 images, 20 reference and 60 candidate boxes, 3 annotators" in text
    assert "9 deleted_object" in text
    assert "mhsieh2 20 -0.49" in text


def test_readers_of_lung_scans(shared_data, tmp_path):
    path = shared_data / "lidc_contours" / "contours_first150scans.jsonl"
    said = "--annotator", "anonymous", "--columns", "image_id=patient+z"
    some = tmp_path / "some.jsonl"
    some.write_text("".join(path.read_text().splitlines(keepends=True)[:500]))
    code, text = call("lint", some, *said, "--shapes")
    assert code == 0
    assert "kept: self_touching" in text
    code, text = call("audit", some, "--gold", some, *said, "--image-sizes", "512x512")
    assert code == 0
    assert "the annotators are anonymous" in text
    assert "Biased nothing, all of the work together" in text
