"""Who drew and how files are read: where nobody says it, and where the spec does."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import annqc
from annqc import Habit
from annqc.cli import main
from annqc.judge import load_spec
from annqc.testing.cache import Cache
from annqc.testing.checking import check_dataset
from annqc.write import write_coco

SIDES = 'gold = "gold.json"\ncandidate = "work.csv"\n'
SPEC = '[annqc]\nversion = 1\nextends = "boxes"\n'


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work as a table with a column for annotators, among others, of whatever name."""
    made = annqc.simulate(
        {"ann": [], "bob": Habit.loose("right", px=6), "cid": []}, n_images=40, rng=1
    )
    write_coco(made.gold, tmp_path / "gold.json")
    write_coco(made.work, tmp_path / "work.json")
    table = made.work.table
    rows = zip(
        made.work.image_table.file_name[table.image].tolist(),
        made.work.annotator_ids[table.annotator].tolist(),
        made.work.category_names[table.category].tolist(),
        table.xyxy.tolist(),
        strict=True,
    )
    with (tmp_path / "rows.json").open("w", encoding="utf-8") as file:
        json.dump(list(rows), file)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def table(here, who="annotator", image="image", x1="x1", name="work.csv"):
    with (here / name).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([image, who, "label", x1, "y1", "x2", "y2"])
        for one in json.loads((here / "rows.json").read_text(encoding="utf-8")):
            rows.writerow([*one[:3], *one[3]])


def spec(here, text):
    path = here / "own.annqc.toml"
    path.write_text(text, encoding="utf-8")
    return path


def run(*args):
    done = CliRunner().invoke(main, [str(arg) for arg in args])
    return done, " ".join(done.stdout.split())


UNSIGNED = (
    "the work does not say who drew what, so everything counts as one annotator, 'work'; if the "
    "column labeled_by_whom says it, name it (--annotator, or annotator in a spec)"
)


def test_work_that_nobody_signed_is_told_by_screen_and_checks(here):
    table(here, who="labeled_by_whom")
    done, flat = run("audit", "work.csv", "--gold", "gold.json", "--spec", "boxes")
    assert f"Mind {UNSIGNED}" in flat
    assert flat.count("the work does not say who drew what") == 6  # the screen, five rules
    judged = annqc.audit("work.csv", "gold.json").judge("boxes")
    told = {one.id: UNSIGNED in one.sentence for one in judged.checks}
    silent = {id for id, it_is in told.items() if not it_is}
    assert silent == {"complete", "no-unusable-rows"}
    assert done.exit_code in {0, 1, 3}


def test_work_that_says_who_drew_is_not_warned_of(here):
    table(here)
    _, flat = run("audit", "work.csv", "--gold", "gold.json", "--spec", "boxes")
    assert "who drew what" not in flat


def test_init_keeps_the_rule_that_it_found(here):
    table(here, who="Annotator")
    done, _ = run("spec", "init", "work.csv", "--gold", "gold.json", "-o", "-")
    assert 'annotator = "Annotator"\n' in done.stdout
    assert "# annotator =" not in done.stdout


def test_init_keeps_file_names_of_several_annotators(here):
    for name in ("amy", "ben"):
        table(here, who="x", name=f"{name}.csv")
    done, _ = run("spec", "init", "amy.csv", "ben.csv", "--gold", "gold.json", "-o", "-")
    assert 'annotator = "stem"\n' in done.stdout


def test_init_says_where_nobody_signed_and_which_columns_could_say_it(here):
    table(here, who="labeled_by_whom")
    done, _ = run("spec", "init", "work.csv", "--gold", "gold.json", "-o", "new.annqc.toml")
    assert done.exit_code == 0, done.output
    text = (here / "new.annqc.toml").read_text(encoding="utf-8")
    assert "# The work does not say who drew what, so everything counts as one annotator" in text
    assert '# annotator = "labeled_by_whom"\n' in text
    named = text.replace('# annotator = "labeled', 'annotator = "labeled')
    (here / "new.annqc.toml").write_text(named, encoding="utf-8")
    _, flat = run("audit", "--spec", "new.annqc.toml")
    assert "fail no-edge-bias: bob draws the right edge" in flat


def test_init_says_that_images_are_missing(here):
    data = json.loads((here / "work.json").read_text(encoding="utf-8"))
    gone = {image["id"] for image in data["images"][:20]}
    data["images"] = data["images"][20:]
    data["annotations"] = [one for one in data["annotations"] if one["image_id"] not in gone]
    data.pop("assignments", None)
    (here / "half.json").write_text(json.dumps(data), encoding="utf-8")
    _, flat = run("spec", "init", "half.json", "--gold", "gold.json", "-o", "-")
    assert "20 of 40 images of the gold are in nobody's work" in flat.replace("# ", "")
    _, flat = run("audit", "half.json", "--gold", "gold.json", "--spec", "boxes")
    assert "fail complete: 20 of 40 images of the gold in nobody's work" in flat


READ = """
[read]
format = "table"
columns = { image_id = "picture", x1 = "from" }
"""


def test_a_spec_says_how_its_data_are_read(here):
    table(here, image="picture", x1="from")
    assert run("audit", "work.csv", "--gold", "gold.json")[0].exit_code == 2
    path = spec(here, SPEC + SIDES + READ)
    done, flat = run("audit", "--spec", path)
    assert done.exit_code == 1, done.output
    assert "fail no-edge-bias: bob" in flat
    loaded = load_spec(path)
    record = check_dataset(loaded, loaded.datasets[0]).records["no-edge-bias"]
    assert record["outcome"] == "fail"
    assert run("spec", "check", path)[0].exit_code == 0
    assert "columns: image_id = picture, x1 = from" in run("spec", "explain", path)[1]


def test_the_command_line_goes_before_the_spec(here):
    table(here, image="picture", x1="other")
    path = spec(here, SPEC + SIDES + READ)
    assert run("audit", "--spec", path)[0].exit_code == 2
    assert run("audit", "--spec", path, "--columns", "x1=other")[0].exit_code == 1


def test_a_profile_says_it_for_the_files_of_the_call(here):
    table(here, image="picture", x1="from")
    path = spec(here, SPEC + READ)
    args = ("audit", "work.csv", "--gold", "gold.json", "--spec", path)
    assert run(*args)[0].exit_code == 1


def test_init_writes_what_it_was_told(here):
    table(here, image="picture", x1="from")
    told = ("--columns", "image_id=picture,x1=from", "--format", "table", "--gold-format", "coco")
    (here / "sub").mkdir()
    (here / "names.txt").write_text("a\n", encoding="utf-8")
    target = "sub/new.annqc.toml"
    args = ("work.csv", "--gold", "gold.json", *told, "--categories", "names.txt", "-o", target)
    done, _ = run("spec", "init", *args)
    assert done.exit_code == 0, done.output
    made = load_spec(here / target)
    assert made.read.columns == {"image_id": "picture", "x1": "from"}
    assert (made.read.format, made.read.gold_format) == ("table", "coco")
    assert made.read.categories == "../names.txt"
    assert run("audit", "--spec", target)[0].exit_code == 1


def test_a_file_that_is_named_but_not_there_is_found_by_check(here):
    table(here)
    path = spec(here, SPEC + SIDES + '[read]\ncategories = "names.txt"\n')
    done, flat = run("spec", "check", path)
    assert done.exit_code == 2
    assert "to read them: names.txt: nothing is there" in flat


def test_what_the_spec_says_about_reading_is_part_of_the_key(here):
    table(here)
    (here / "sizes.csv").write_text("file_name,width,height\n", encoding="utf-8")
    path = spec(here, SPEC + SIDES + '[read]\nimage_sizes = "sizes.csv"\n')

    def reused(session):
        loaded = load_spec(path)
        cache = Cache(here / "cache", session=session)
        return check_dataset(loaded, loaded.datasets[0], cache=cache, only=["recall"]).reused

    assert reused("1") == frozenset()
    assert reused("2") == {"recall"}
    text = "file_name,width,height\nimage_01.jpg,1920,1080\n"
    (here / "sizes.csv").write_text(text, encoding="utf-8")
    assert reused("3") == frozenset()


def test_an_output_does_not_replace_a_file_of_the_spec(here):
    table(here)
    (here / "names.txt").write_text("a\n", encoding="utf-8")
    path = spec(here, SPEC + SIDES + '[read]\ncategories = "names.txt"\n')
    done, _ = run("audit", "--spec", path, "--json", "names.txt")
    assert done.exit_code == 2
    assert Path("names.txt").read_text(encoding="utf-8") == "a\n"


EDGE = '[[rule]]\nid = "{}"\nmeasure = "edge_offset"\ntolerance = "{}"\n'


def test_the_audit_takes_the_tolerance_that_all_rules_share(here):
    head = '[annqc]\nversion = 1\ngold = "gold.json"\ncandidate = "work.json"\n'
    path = spec(here, head + EDGE.format("wide", "8 px") + EDGE.format("again", "8 px"))
    done, flat = run("audit", "--spec", path)
    assert done.exit_code == 0, done.output
    assert "tolerance 8 px" in flat
    assert "bob draws the right edge 6" not in flat.split("Checks")[0]
    assert "tolerance" not in flat.partition("Mind")[2].partition("Annotators")[0]
    done, flat = run("audit", "--spec", path, "--tolerance", "1 px")
    assert "tolerance 1 px" in flat
    assert "--tolerance is for the rest: wide, again have their own tolerance" in flat


def test_rules_that_differ_are_named(here):
    head = '[annqc]\nversion = 1\ngold = "gold.json"\ncandidate = "work.json"\n'
    path = spec(here, head + EDGE.format("wide", "8 px") + EDGE.format("narrow", "2 px"))
    _, flat = run("audit", "--spec", path)
    assert "tolerance max(1 px, 2 %)" in flat
    assert (
        "Mind: wide, narrow have their own tolerance, and may say otherwise than the audit above, "
        "which uses max(1 px, 2 %)"
    ) in flat
    _, flat = run("audit", "--spec", path, "--rule", "wide")
    assert "tolerance 8 px" in flat
