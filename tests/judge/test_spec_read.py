"""The table ``[read]``: what it takes, how it is inherited, and what it comes to."""

from __future__ import annotations

import pytest

from annqc.errors import SpecError
from annqc.judge import load_spec
from annqc.judge.describe import spec_lines
from annqc.judge.model import ReadSpec

RULE = '[[rule]]\nid = "r"\nmeasure = "recall"\nat_least = 0.5\n'
DATA = 'gold = "g.csv"\ncandidate = "w.csv"\n'


def written(folder, read: str, *, head: str = DATA, tables: str = "", name="x.annqc.toml"):
    folder.mkdir(exist_ok=True)
    path = folder / name
    rules = "" if "extends" in head else RULE
    path.write_text(f"[annqc]\nversion = 1\n{head}\n{read}\n{rules}{tables}", encoding="utf-8")
    return path


WHOLE = """
[read]
format = "table"
gold_format = "coco"
box_format = "xywh"
columns = { image_id = "asset", annotator = "by whom" }
categories = "classes.txt"
image_sizes = "640x480"
mask_object = 255
mask_values = "instances"
"""


def test_every_field_reaches_the_dataset(tmp_path):
    (one,) = load_spec(written(tmp_path, WHOLE)).datasets
    shared = {
        "box_format": "xywh",
        "columns": {"image_id": "asset", "annotator": "by whom"},
        "categories": str(tmp_path / "classes.txt"),
        "image_sizes": (640, 480),
        "mask_object": "255",
        "mask_values": "instances",
    }
    assert one.options() == {"format": "table", **shared}
    assert one.options(gold=True) == {"format": "coco", **shared}
    assert one.files == [str(tmp_path / "classes.txt")]


def test_a_spec_without_the_table_says_nothing(tmp_path):
    spec = load_spec(written(tmp_path, ""))
    assert spec.read == ReadSpec()
    assert spec.datasets[0].options() == {}


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ('"640x480"', (640, 480)),
        ('" 640 X 480 "', (640, 480)),
        ("[640, 480]", (640, 480)),
        ('"a.csv"', "a.csv"),
    ],
)
def test_sizes_are_a_file_or_one_size(tmp_path, value, meant):
    spec = load_spec(written(tmp_path, f"[read]\nimage_sizes = {value}"))
    found = spec.datasets[0].image_sizes
    assert found == (str(tmp_path / meant) if isinstance(meant, str) else meant)


def test_categories_may_be_a_list(tmp_path):
    spec = load_spec(written(tmp_path, '[read]\ncategories = ["car", "bus"]'))
    assert spec.datasets[0].options() == {"categories": ("car", "bus")}


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ('format = "coca"', "did you mean 'coco'"),
        ('box_format = "xyxx"', "did you mean 'xyxy'"),
        ('columns = { imageid = "a" }', "did you mean 'image_id'"),
        ("columns = { image_id = true }", "found { image_id = true }"),
        ("image_sizes = [640]", "no size of an image"),
        ('image_sizes = "0x9"', "no size of an image"),
        ("image_sizes = true", "found true"),
        ("categories = 3", "one name a line"),
        ('mask_values = "instance"', "did you mean 'instances'"),
        ('mask_object = "bright"', "'light', 'dark'"),
        ('formats = "coco"', "did you mean 'format'"),
    ],
)
def test_a_fault_says_where_and_what(tmp_path, field, said):
    with pytest.raises(SpecError) as caught:
        load_spec(written(tmp_path, f"[read]\n{field}"))
    message = str(caught.value)
    assert "line 7, [read]" in message
    assert said in message


def test_it_is_inherited_field_by_field_and_files_keep_their_folder(tmp_path):
    written(tmp_path / "team", WHOLE, head="", name="team.annqc.toml")
    read = '[read]\nbox_format = "xyxy"\ncolumns = { annotator = "who" }\nimage_sizes = "s.csv"'
    head = f'extends = "../team/team.annqc.toml"\n{DATA}'
    (one,) = load_spec(written(tmp_path / "own", read, head=head)).datasets
    assert one.box_format == "xyxy"
    assert one.columns == {"image_id": "asset", "annotator": "who"}
    assert one.files == [str(tmp_path / "team/classes.txt"), str(tmp_path / "own/s.csv")]


def test_a_dataset_may_have_its_own(tmp_path):
    tables = '[[dataset]]\nname = "a"\n[[dataset]]\nname = "b"\nformat = "coco"\n'
    tables += 'categories = "b.txt"\ncolumns = { annotator = "who" }\n'
    one, other = load_spec(written(tmp_path, WHOLE, tables=tables)).datasets
    assert (one.format, other.format) == ("table", "coco")
    assert other.categories == str(tmp_path / "b.txt")
    assert other.columns == {"image_id": "asset", "annotator": "who"}
    assert other.box_format == "xywh"


def test_with_folders_files_are_seen_from_the_spec(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    spec = load_spec(written(tmp_path, WHOLE, head=f'folders = "[ab]"\n{DATA}'))
    assert {one.categories for one in spec.datasets} == {str(tmp_path / "classes.txt")}


def test_a_profile_says_how_the_data_of_the_caller_are_read(tmp_path):
    spec = load_spec(written(tmp_path, WHOLE, head=""))
    assert spec.is_profile
    assert spec.reading.categories == str(tmp_path / "classes.txt")
    told = dict(spec_lines(spec))["reading"]
    assert told.startswith("format: table; gold_format: coco; box_format: xywh; columns: image_id")
    assert "image_sizes: 640x480" in told
