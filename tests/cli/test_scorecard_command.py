"""``annqc audit --scorecard``: pages by vendor and batch beside the screen."""

from __future__ import annotations

import csv

import pytest

from annqc.write import write_coco

SPEC = """
[annqc]
version = 1

[[rule]]
id = "edges"
measure = "edge_offset"
by = ["annotator"]

[[rule]]
id = "recall"
measure = "recall"
by = []
at_least = 0.95
"""
SAID = ("audit", "work.json", "--gold", "gold.json")


def verdicts(folder):
    with (folder / "scorecard.csv").open(encoding="utf-8", newline="") as file:
        return {row["vendor"]: row["verdict"] for row in csv.DictReader(file)}


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "s.annqc.toml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def test_vendors_of_a_list_are_judged_each_by_themselves(run, spec, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text("annotator,vendor\nann,acme\nbob,bravo\neve,echo\n", encoding="utf-8")
    card = tmp_path / "card"
    done = run(*SAID, "--spec", spec, "--scorecard", card, "--vendor", roster)
    assert done.exit_code == 1, done.output  # that of the whole delivery
    assert f"the scorecard in {card / 'index.html'}" in " ".join(done.stdout.split())
    assert verdicts(card) == {"acme": "accepted", "bravo": "refused", "echo": "refused"}


def test_without_a_spec_it_reports(run, tmp_path):
    done = run(*SAID, "--scorecard", tmp_path / "card", "--vendor", "annotator")
    assert done.exit_code == 0, done.output
    assert set(verdicts(tmp_path / "card").values()) == {"no_rule"}


def test_single_rules_and_the_folder_of_the_files(run, spec, tmp_path, made):
    for name in ("north", "south"):
        (tmp_path / name).mkdir()
        write_coco(made.work, tmp_path / name / "work.json")
    there = tmp_path / "card"
    said = ("--spec", spec, "--rule", "recall", "--scorecard", there, "--vendor", "parent")
    done = run("audit", tmp_path / "north", tmp_path / "south", "--gold", "gold.json", *said)
    assert done.exit_code in {1, 3}, done.output
    assert list(verdicts(there)) == ["north", "south"]
    summary = (there / "summary.md").read_text(encoding="utf-8")
    assert "All vendors: edges: in the spec, and was not applied" in summary


def test_the_datasets_of_a_spec_go_by_one(run, files, tmp_path):
    path = files / "two.annqc.toml"
    two = "".join(
        f'[[dataset]]\nname = "{name}"\ngold = "gold.json"\ncandidate = "work.json"\n\n'
        for name in ("a", "b")
    )
    path.write_text(SPEC + two, encoding="utf-8")
    done = run("audit", "--spec", path, "--scorecard", tmp_path / "card")
    assert done.exit_code == 2
    assert "choose one with --dataset" in done.stderr
    done = run("audit", "--spec", path, "--dataset", "a", "--scorecard", tmp_path / "card")
    assert done.exit_code == 1, done.output
    assert (tmp_path / "card" / "index.html").is_file()


def test_vendors_are_for_the_scorecard_alone(run):
    done = run(*SAID, "--vendor", "annotator")
    assert done.exit_code == 2
    assert "add --scorecard DIR" in done.stderr


def test_a_wrong_column_is_one_clear_error_and_writes_nothing(run, tmp_path):
    said = ("--scorecard", tmp_path / "card", "--json", tmp_path / "a.json", "--vendor", "anotator")
    done = run(*SAID, *said)
    assert done.exit_code == 2
    assert "did you mean 'annotator'" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_no_scorecard_is_refused_before_any_work(run, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    done = run(*SAID, "--scorecard", tmp_path)
    assert done.exit_code == 2
    assert "no scorecard of annqc" in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scorecard", "same", "--html", "same"), "two outputs have the same name"),
        (("--scorecard", "same", "--html", "there/../same"), "two outputs have the same name"),
        (("--scorecard", "same", "--save", "./same"), "two outputs have the same name"),
        (("--html", "there", "--scorecard", "there/same"), "an output lies in another"),
        (("--scorecard", "there", "--json", "there/a.json"), "an output lies in another"),
        (("--scorecard", "x" * 250), "name of an output is too long"),
        (("--html", "x" * 250), "name of an output is too long"),
        (("--save", "x" * 250), "name of an output is too long"),
        (("--json", "x" * 250), "name of an output is too long"),
    ],
)
def test_outputs_in_each_others_way_are_refused_before_any_work(run, tmp_path, options, said):
    (tmp_path / "there").mkdir()
    given = [str(tmp_path / one) if one[:2] != "--" else one for one in options]
    done = run(*SAID, *given)
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["there"]
    assert not list((tmp_path / "there").iterdir())


def test_outputs_of_a_review_are_compared_by_where_they_are(run, tmp_path):
    (tmp_path / "there").mkdir()
    same = ("--csv", tmp_path / "q", "--json", tmp_path / "there" / ".." / "q")
    done = run("review", "work.json", "--gold", "gold.json", *same)
    assert done.exit_code == 2
    assert "two outputs have the same name" in done.stderr
    assert not (tmp_path / "q").exists()


def test_no_output_goes_over_the_list_of_vendors(run, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text("annotator,vendor\nann,acme\n", encoding="utf-8")
    said = ("--scorecard", tmp_path / "card", "--vendor", roster, "--json", roster)
    done = run(*SAID, *said)
    assert done.exit_code == 2
    assert "overwrite an input" in done.stderr
    assert roster.read_text(encoding="utf-8").startswith("annotator,vendor")


def test_without_gold_there_is_nothing_to_hold_the_work_against(run, tmp_path):
    done = run("audit", "work.json", "--scorecard", tmp_path / "card")
    assert done.exit_code == 2
    assert "give gold" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_options_are_explained(run):
    text = " ".join(run("audit", "--help").stdout.split())
    assert "a printable page for every vendor and batch" in text
    assert "stem (file name), parent (folder)" in text
