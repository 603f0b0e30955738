"""``annqc consensus`` and ``annqc agreement`` in this process."""

from __future__ import annotations

import json

import pytest

import annqc
from annqc import Habit
from annqc.write import write_coco

NAMES = ["ann", "bob", "cem", "dot"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four people on the same images; dot draws the right edge 6 px too far out."""
    folder = tmp_path_factory.mktemp("redundant")
    habits = {name: [] for name in NAMES[:3]} | {"dot": Habit.loose("right", px=6)}
    made = annqc.simulate(habits, n_images=40, rng=2)
    write_coco(made.gold, folder / "gold.json")
    write_coco(made.work, folder / "work.json")
    two = annqc.simulate(NAMES[:2], n_images=20, rng=3)
    write_coco(two.work, folder / "two.json")
    return folder


@pytest.fixture
def call(run, folder, monkeypatch):
    monkeypatch.chdir(folder)
    return run


def test_the_consensus_names_who_is_off_and_what_cannot_be_seen(call):
    done = call("consensus", "work.json")
    assert done.exit_code == 0
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    flat = " ".join(done.stdout.split())
    assert "Mind without gold an offset that everybody has cannot be seen" in flat
    assert "Biased from the median annotator dot draws the right edge 5.9 px too far out" in flat
    assert "images)" in flat
    assert "videos" not in flat
    assert not any(f"{name} draws" in flat for name in NAMES[:3])


def test_a_little_gold_says_where_zero_is(call):
    flat = " ".join(call("consensus", "work.json", "--anchor", "gold.json").stdout.split())
    assert "Biased from the gold dot draws the right edge" in flat
    assert "cannot be seen" not in flat


def test_beside_gold_the_methods_are_compared(call, tmp_path):
    done = call("consensus", "work.json", "--gold", "gold.json", "--json", "-")
    document = json.loads(done.stdout)
    assert {"mind", "inputs", "bias", "annotators", "objects", "suspicions"} < set(document)
    assert [one["role"] for one in document["inputs"]] == ["work", "gold"]
    rows = {one["method"]: one for one in document["comparison"]}
    assert {"model", "median", "wbf"} <= set(rows)
    assert all(0.5 < one["recall"] <= 1 for one in rows.values())
    flat = " ".join(call("consensus", "work.json", "--gold", "gold.json").stdout.split())
    assert "slope" in flat
    assert "correlation" in flat


def test_the_consensus_is_written_and_can_be_read_again(call, tmp_path):
    target = tmp_path / "consensus.json"
    done = call("consensus", "work.json", "--write", target)
    assert f"Written: the consensus in {target}" in " ".join(done.stdout.split())
    made = annqc.read(target)
    found = annqc.audit(made, "gold.json")
    assert found.scores()["recall"].iloc[0] > 0.9


def test_two_annotators_differ_and_neither_is_accused(call):
    done = call("consensus", "two.json")
    flat = " ".join(done.stdout.split())
    assert "Biased nobody" in flat
    assert done.exit_code == 0


def test_agreement_prints_alpha_pairs_and_ceiling(call):
    done = call("agreement", "work.json", "--gold", "gold.json")
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    flat = " ".join(done.stdout.split())
    assert "Krippendorff's alpha" in flat
    assert "Every two annotators 6 pairs" in flat
    assert "a perfect annotator" in flat
    assert "agreement cannot see an offset that everybody has" in flat


def test_one_person_twice_is_repeatability(call):
    done = call("agreement", "work.json", "--same", "ann=bob", "--json", "-")
    document = json.loads(done.stdout)
    assert len(document["repeatability"]) == 1
    assert 0.5 < document["repeatability"][0]["f1"] <= 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("consensus", "gold.json"), "a consensus takes two annotators or more"),
        (("consensus", "work.json", "--method", "best"), "best"),
        (("consensus", "work.json", "--write", "work.json"), "work.json"),
        (("agreement", "gold.json"), "two annotators or more"),
        (("agreement", "work.json", "--same", "ann"), "--same takes NAME=NAME"),
        (("agreement", "work.json", "--same", "ann=bob", "--session", "source"), "one of them"),
        (("audit", "two.json"), "of two annotators only the difference is known"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(call, args, said):
    done = call(*args)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
