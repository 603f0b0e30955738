"""``annqc spec``: check, explain, init, list and schema."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import annqc
from annqc.judge import load_spec
from annqc.judge.inherit import profiles
from annqc.write import write_coco

PLAIN = """
[annqc]
version = 1
gold = "gold.json"
candidate = "work.json"

[[rule]]
id = "recall"
measure = "recall"
at_least = 0.9
why = "a missed object is trained on as background"

[[rule]]
id = "edges"
measure = "edge_offset"
by = ["annotator", "size"]
where = { size = ["small", "large"] }
tolerance = "max(1 px, 2 %)"
confidence = 0.99
"""


@pytest.fixture
def here(run, tmp_path, monkeypatch):
    """Put the files of the session into a folder of this test, and work there."""
    for name in ("gold.json", "work.json"):
        shutil.copy(name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.annqc.toml").write_text(PLAIN, encoding="utf-8")
    return tmp_path


# --- check


def test_check_says_that_the_data_are_there(run, here):
    done = run("spec", "check", "own.annqc.toml")
    assert done.exit_code == 0
    assert done.stdout == (
        "own.annqc.toml: 2 rules, 0 examples\n  candidate: work.json: there\n"
        "  gold: gold.json: there\n"
    )


def test_check_says_what_is_missing_and_goes_on(run, here):
    (here / "gold.json").unlink()
    done = run("spec", "check", "own.annqc.toml", "boxes")
    assert done.exit_code == 2
    assert "  gold: gold.json: nothing is there\n" in done.stdout
    assert "boxes.annqc.toml: 7 rules" in done.stdout
    assert "a profile, names no data" in done.stdout


def test_check_lists_every_fault_with_its_line(run, here):
    text = PLAIN.replace('measure = "recall"', 'measure = "recal"').replace("0.99", "99")
    (here / "bad.annqc.toml").write_text(text, encoding="utf-8")
    done = run("spec", "check", "bad.annqc.toml", "own.annqc.toml")
    assert done.exit_code == 2
    assert "bad.annqc.toml: the spec has 2 faults" in done.stderr
    assert "line 9, rule 'recall', measure: there is no measure 'recal'" in done.stderr
    assert "own.annqc.toml: 2 rules" in done.stdout


def test_check_counts_the_files_of_a_pattern_and_names_datasets(run, here):
    text = PLAIN.replace('candidate = "work.json"', "") + (
        '\n[[dataset]]\nname = "one"\ncandidate = "w*.json"\n'
        '\n[[dataset]]\nname = "two"\ncandidate = "x*.json"\n'
    )
    (here / "own.annqc.toml").write_text(text, encoding="utf-8")
    done = run("spec", "check", "own.annqc.toml")
    assert done.exit_code == 2
    assert "  one, candidate: w*.json: 1 file\n" in done.stdout
    assert "  two, candidate: x*.json: nothing is there\n" in done.stdout


EXAMPLE = """
[[example]]
name = "lazy"
annotators.eve = ["misses 25 %"]
expect.recall = "OUTCOME"
"""


@pytest.mark.parametrize(("outcome", "code"), [("fail", 0), ("pass", 1)])
def test_check_runs_examples(run, here, outcome, code):
    text = PLAIN + EXAMPLE.replace("OUTCOME", outcome)
    (here / "own.annqc.toml").write_text(text, encoding="utf-8")
    assert run("spec", "check", "own.annqc.toml").exit_code == 0
    done = run("spec", "check", "own.annqc.toml", "--examples")
    assert done.exit_code == code
    if code:
        assert "  example lazy:\n    recall: expected pass, found fail: eve: " in done.stdout
    else:
        assert "  example lazy: as expected\n" in done.stdout


def test_an_example_that_cannot_be_simulated_is_exit_2(run, here):
    text = PLAIN + EXAMPLE.replace("OUTCOME", "fail").replace("misses", "mises")
    (here / "own.annqc.toml").write_text(text, encoding="utf-8")
    done = run("spec", "check", "own.annqc.toml", "--examples")
    assert done.exit_code == 2
    assert "did you mean 'misses'" in done.stderr


def test_a_folder_stands_for_the_specs_in_it(run, here):
    (here / "deep").mkdir()
    (here / "deep/bad.annqc.toml").write_text("[annqc]\n", encoding="utf-8")
    done = run("spec", "check", ".")
    assert done.exit_code == 2
    assert "own.annqc.toml: 2 rules" in done.stdout
    assert "version is missing" in done.stderr
    (here / "empty").mkdir()
    done = run("spec", "check", "empty")
    assert done.exit_code == 2
    assert "there is no spec in the folder" in done.stderr


# --- explain


def test_explain_tells_every_rule_and_fits_the_screen(run, here):
    done = run("spec", "explain", "own.annqc.toml")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[:3] == [
        "spec      own.annqc.toml",
        "data      work.json against gold.json",
        "matching  as the audit does it",
    ]
    flat = " ".join(done.stdout.split())
    assert "recall at least 0.9 each annotator 36 objects" in flat
    assert "of each annotator in each size; size small or large alone" in flat
    assert "limit within max(1 px, 2 %), 99 % confidence" in flat
    assert "why a missed object is trained on as background from own.annqc.toml:7" in flat


def test_explain_tells_one_rule_alone(run, here):
    done = run("spec", "explain", "own.annqc.toml::recall")
    assert done.stdout.startswith("recall\n  asks    share of the objects asked for")
    assert "edges" not in done.stdout
    done = run("spec", "explain", "own.annqc.toml::recal")
    assert done.exit_code == 2
    assert "did you mean 'recall'" in done.stderr


def test_explain_says_what_is_inherited(run, here):
    text = '[annqc]\nversion = 1\nextends = "boxes"\nwithout = ["mean-iou"]\n'
    (here / "mine.annqc.toml").write_text(text, encoding="utf-8")
    done = run("spec", "explain", "mine.annqc.toml")
    assert "extends   boxes, without mean-iou" in done.stdout
    assert "\nmean-iou\n" not in done.stdout
    flat = " ".join(done.stdout.split())
    assert "boxes.annqc.toml:" in flat
    assert ", inherited" in flat


@pytest.mark.parametrize("name", sorted(profiles()))
def test_every_profile_is_explained_within_80_columns(run, name):
    done = run("spec", "explain", name)
    assert done.exit_code == 0
    long = [line for line in done.stdout.splitlines() if len(line) > 80]
    # A path is one word, and stays whole to be of use.
    assert not [line for line in long if "annqc.toml" not in line]


# --- list and schema


def test_list_has_every_profile_with_what_it_is_for(run):
    done = run("spec", "list")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    named = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert named == sorted(profiles())
    assert "boxes          General profile for axis-aligned boxes" in done.stdout


def test_schema_is_json(run):
    done = run("spec", "schema")
    assert json.loads(done.stdout)["type"] == "object"


def test_an_unknown_profile_has_a_hint(run):
    done = run("spec", "explain", "boxs")
    assert done.exit_code == 2
    assert "there is no file and no profile 'boxs'" in done.stderr
    assert "did you mean 'boxes'" in done.stderr


# --- init


def test_init_writes_a_spec_that_judges_its_data(run, here):
    done = run("spec", "init", "work.json", "--gold", "gold.json", "-o", "new.annqc.toml")
    assert done.exit_code == 0
    assert done.stdout.startswith("Written: new.annqc.toml, which extends the profile")
    spec = load_spec(here / "new.annqc.toml")
    assert (spec.annqc.gold, spec.annqc.candidate) == (("gold.json",), ("work.json",))
    audited = run("audit", "--spec", "new.annqc.toml")
    assert audited.exit_code == 1  # bob's edge and eve's misses are planted
    assert "error  " not in audited.stdout
    assert "bob draws the right edge" in audited.stdout
    assert run("spec", "check", "new.annqc.toml").exit_code == 0


@pytest.mark.parametrize(("drawn_as", "extends"), [("polygon", "masks"), ("box", "boxes")])
def test_init_asks_about_outlines_where_both_sides_have_some(run, here, drawn_as, extends):
    from annqc.simulate import outlines

    kind = "polygon" if drawn_as == "box" else drawn_as
    made = outlines({"ann": []}, n_images=8, objects_per_image=[3] * 8, drawn_as=kind, rng=1)
    write_coco(made.gold, here / "shapes-gold.json")
    write_coco(made.work, here / "shapes-work.json")
    if drawn_as == "box":  # boxes drawn beside a gold of polygons
        work = json.loads((here / "shapes-work.json").read_text(encoding="utf-8"))
        for one in work["annotations"]:
            del one["segmentation"]
        (here / "shapes-work.json").write_text(json.dumps(work), encoding="utf-8")
    done = run("spec", "init", "shapes-work.json", "--gold", "shapes-gold.json", "-o", "-")
    assert done.exit_code == 0
    assert f'extends = "{extends}"' in done.stdout


def test_paths_are_seen_from_the_folder_of_the_spec(run, here):
    (here / "specs").mkdir()
    done = run("spec", "init", "work.json", "--gold", "gold.json", "-o", "specs/new.annqc.toml")
    assert done.exit_code == 0
    text = (here / "specs/new.annqc.toml").read_text(encoding="utf-8")
    assert 'gold = "../gold.json"\ncandidate = "../work.json"\n' in text
    assert run("audit", "--spec", "specs/new.annqc.toml", "--quiet").exit_code == 1


def test_many_files_become_a_pattern_that_finds_the_same(run, here, made):
    folder = here / "vendor"
    folder.mkdir()
    document = json.loads((here / "work.json").read_text(encoding="utf-8"))
    document.pop("assignments", None)
    for name in ("a", "b", "c", "d"):
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    files = sorted(str(path.relative_to(here)) for path in folder.iterdir())
    done = run("spec", "init", *files, "--gold", "gold.json", "-o", "-")
    assert 'candidate = "vendor/*.json"' in done.stdout
    done = run("spec", "init", *files[:-1], "--gold", "gold.json", "-o", "-")
    assert 'candidate = ["vendor/a.json", "vendor/b.json", "vendor/c.json"]' in done.stdout


def test_init_replaces_nothing_unasked(run, here):
    before = (here / "own.annqc.toml").read_bytes()
    args = ("spec", "init", "work.json", "--gold", "gold.json", "-o", "own.annqc.toml")
    done = run(*args)
    assert done.exit_code == 2
    assert "the file is there already" in done.stderr
    assert (here / "own.annqc.toml").read_bytes() == before
    assert run(*args, "--force").exit_code == 0
    assert (here / "own.annqc.toml").read_bytes() != before


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-o", "new.toml"), "ends in .annqc.toml"),
        (("-o", "nowhere/new.annqc.toml"), "nowhere"),
        (("--gold", "nothing.json", "-o", "-"), "nothing.json"),
    ],
)
def test_a_wrong_call_of_init_writes_nothing(run, here, args, said):
    before = sorted(path.name for path in here.iterdir())
    done = run("spec", "init", "work.json", *args)
    assert done.exit_code == 2
    assert said in done.stderr
    assert sorted(path.name for path in here.iterdir()) == before


def test_init_without_gold_proposes_the_profile(run, here):
    done = run("spec", "init", "work.json", "-o", "new.annqc.toml")
    assert done.exit_code == 0
    text = (here / "new.annqc.toml").read_text(encoding="utf-8")
    assert '# candidate = "work.json"' in text
    assert load_spec(here / "new.annqc.toml").is_profile
    done = run("audit", "work.json", "--gold", "gold.json", "--spec", "new.annqc.toml", "--quiet")
    assert done.exit_code == 1


def test_init_says_who_drew(run, here):
    done = run("spec", "init", "work.json", "--gold", "gold.json", "--annotator", "=v", "-o", "-")
    assert 'annotator = "=v"' in done.stdout


def test_real_crowd_data_are_judged_without_an_error(run, shared_data, tmp_path, monkeypatch):
    crowd = shared_data / "crowd_boxes"
    monkeypatch.chdir(tmp_path)
    done = run(
        "spec", "init", crowd / "workers.json", "--gold", crowd / "gold.json", "-o", "c.annqc.toml"
    )
    assert done.exit_code == 0
    spec = load_spec(Path("c.annqc.toml"))
    assert spec.annqc.extends == "boxes"
    (data,) = spec.datasets
    judgement = annqc.audit(list(data.candidate), list(data.gold)).judge(spec)
    assert judgement.counts["error"] == 0
    # Most have a handful of images: the limits must have come down to what that can settle.
    assert {rule.id: rule.at_least for rule in spec.rules}["recall"] < 0.9
