"""``annqc audit --spec``: profiles by name, single rules, and specs of several datasets."""

from __future__ import annotations

import json

import pytest

import annqc
from annqc import Habit
from annqc.cli._judging import worst_code
from annqc.write import write_coco

AUDIT = ("audit", "work.json", "--gold", "gold.json")

RULES = """
[[rule]]
id = "recall"
measure = "recall"
at_least = 0.9

[[rule]]
id = "edges"
measure = "edge_offset"
by = ["annotator"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Make three deliveries: a good one, one with misses, one too small to tell."""
    folder = tmp_path_factory.mktemp("several")
    teams = {
        "good": ({"ann": []}, 60),
        "lazy": ({"eve": [Habit.misses(0.3)]}, 60),
        "small": ({"kim": []}, 3),
    }
    for name, (annotators, n_images) in teams.items():
        made = annqc.simulate(annotators, n_images=n_images, rng=1)
        write_coco(made.gold, folder / f"{name}-gold.json")
        write_coco(made.work, folder / f"{name}.json")
    return folder


@pytest.fixture
def several(run, folder, monkeypatch, tmp_path):
    """Write a spec with some of the deliveries, and call annqc."""

    def call(names, *args, head=""):
        tables = "".join(
            f'[[dataset]]\nname = "{name}"\ngold = "{folder}/{name}-gold.json"\n'
            f'candidate = "{folder}/{name}.json"\n'
            for name in names
        )
        path = tmp_path / "all.annqc.toml"
        path.write_text(f"[annqc]\nversion = 1\n{head}\n{tables}\n{RULES}", encoding="utf-8")
        return run("audit", "--spec", path, *args)

    return call


# --- profiles and rules


def test_the_name_of_a_profile_will_do(run):
    done = run(*AUDIT, "--spec", "boxes")
    assert done.exit_code == 1
    assert "fail  no-edge-bias: bob draws the right edge" in done.stdout
    assert "pass  no-unusable-rows" in done.stdout


def test_a_file_goes_before_a_profile_of_that_name(run, tmp_path, monkeypatch):
    done = run(*AUDIT, "--spec", "boxs")
    assert done.exit_code == 2
    assert "did you mean 'boxes'" in done.stderr
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boxes").write_text(f"[annqc]\nversion = 2\n{RULES}", encoding="utf-8")
    done = run("audit", "x", "--gold", "y", "--spec", "boxes")
    assert "this version is not known" in done.stderr


def test_only_the_rules_that_are_asked_for(run):
    done = run(*AUDIT, "--spec", "boxes", "--rule", "mean-iou", "--rule", "no-unusable-rows")
    assert done.exit_code == 0
    assert "Checks  2 pass" in done.stdout
    assert "recall: " not in done.stdout
    assert "let pass" not in done.stdout  # who asks for two rules has not asked for the others
    done = run(*AUDIT, "--spec", "boxes", "--rule", "no-edge-bias", "--json", "-")
    checks = json.loads(done.stdout)["judgement"]["checks"]
    assert [check["id"] for check in checks] == ["no-edge-bias"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--spec", "boxes", "--rule", "recal"), "did you mean 'recall'"),
        (("--rule", "recall"), "it goes with --spec"),
        (("--dataset", "a"), "it goes with --spec"),
        (("--spec", "boxes", "--dataset", "a"), "not with WORK"),
    ],
)
def test_wrong_choices_are_one_message(run, args, said):
    done = run(*AUDIT, *args)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


# --- undecided


@pytest.mark.parametrize(
    ("head", "args", "code"),
    [
        ("", (), 3),
        ('undecided = "skip"', (), 3),
        ('undecided = "pass"', (), 0),
        ('undecided = "fail"', (), 1),
        ('undecided = "fail"', ("--undecided", "pass"), 0),
        ('undecided = "pass"', ("--undecided", "undecided"), 3),
    ],
)
def test_the_spec_says_what_undecided_counts_as(several, head, args, code):
    assert several(["small"], *args, head=head).exit_code == code


# --- several datasets


def test_every_dataset_is_shown_under_its_name(several):
    done = several(["good", "lazy"])
    assert done.exit_code == 1
    first, second = done.stdout.split("dataset lazy ")
    assert first.startswith("dataset good =")
    assert "pass  recall: ann: recall" in first
    assert "fail  recall: eve: recall" in second
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("names", "code"),
    [(("good",), 0), (("good", "small"), 3), (("small", "lazy", "good"), 1)],
)
def test_the_worst_dataset_decides(several, names, code):
    assert several(names, "--quiet").exit_code == code


def test_a_dataset_that_cannot_be_read_does_not_hide_the_others(several):
    done = several(["good", "lost", "lazy"])
    assert done.exit_code == 2
    assert "annqc: dataset lost: " in done.stderr
    assert "lost-gold.json" in done.stderr
    assert "fail  recall: eve" in done.stdout


def test_one_dataset_can_be_chosen(several, tmp_path):
    done = several(["good", "lazy"], "--dataset", "good", "--json", tmp_path / "out.json")
    assert done.exit_code == 0
    assert "eve" not in done.stdout
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert [one["annotator"] for one in document["scores"]] == ["ann"]
    done = several(["good", "lazy"], "--dataset", "god")
    assert done.exit_code == 2
    assert "did you mean 'good'" in done.stderr


@pytest.mark.parametrize("option", ["--json", "--csv", "--save"])
def test_outputs_of_several_datasets_need_a_choice(several, tmp_path, option):
    done = several(["good", "lazy"], option, tmp_path / "out")
    assert done.exit_code == 2
    assert f"{option} writes one audit, and the spec has 2 datasets (good, lazy)" in done.stderr
    assert "--dataset" in done.stderr
    assert not (tmp_path / "out").exists()
    assert done.stdout == ""


def test_work_on_the_command_line_goes_before_the_datasets(several, folder):
    gold, work = folder / "lazy-gold.json", folder / "lazy.json"
    done = several(["good", "small"], work, "--gold", gold)
    assert done.exit_code == 1
    assert "dataset" not in done.stdout
    assert "eve" in done.stdout


def test_folders_are_datasets(run, folder, tmp_path):
    for name in ("good", "lazy"):
        (tmp_path / name).mkdir()
        for end, to in (("-gold.json", "gold.json"), (".json", "work.json")):
            data = (folder / f"{name}{end}").read_bytes()
            (tmp_path / name / to).write_bytes(data)
    path = tmp_path / "all.annqc.toml"
    head = 'folders = "*"\ngold = "gold.json"\ncandidate = "work.json"'
    path.write_text(f"[annqc]\nversion = 1\n{head}\n{RULES}", encoding="utf-8")
    done = run("audit", "--spec", path)
    assert done.exit_code == 1
    assert done.stdout.index("dataset good =") < done.stdout.index("dataset lazy =")
    assert run("audit", "--spec", path, "--dataset", "good").exit_code == 0


def test_a_baseline_of_the_spec_is_compared_with(run, tmp_path, folder):
    saved = tmp_path / "run.annqc"
    files = (folder / "good.json", "--gold", folder / "good-gold.json")
    assert run("audit", *files, "--save", saved, "--quiet").exit_code == 0
    rule = '[[rule]]\nid = "kept"\nmeasure = "recall"\nno_worse_than = "baseline"\nmargin = 0.02\n'
    path = tmp_path / "b.annqc.toml"
    head = f'gold = "{folder}/good-gold.json"\ncandidate = "{folder}/good.json"\n'
    path.write_text(f'[annqc]\nversion = 1\nbaseline = "run.annqc"\n{head}{rule}', encoding="utf-8")
    done = run("audit", "--spec", path, "--quiet")
    assert (done.exit_code, done.output) == (0, "")


def test_the_order_of_exit_codes():
    assert [worst_code(codes) for codes in ([0, 0], [0, 3], [3, 1], [1, 2, 3], [])] == [
        0,
        3,
        1,
        2,
        0,
    ]
