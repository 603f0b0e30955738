"""Outlines under test: who reads them, asserts, examples, and tables of CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

import annqc
from annqc.cli import main
from annqc.errors import SpecError, UnknownNameError
from annqc.judge import load_spec
from annqc.judge.model import Example
from annqc.simulate import OutlineHabit, outlines
from annqc.simulate.outline_phrases import OUTLINE_PHRASES, parse_outline_habits
from annqc.testing import (
    assert_boundary_iou,
    assert_mask_iou,
    assert_meets,
    assert_outlines_unbiased,
    assert_outlines_within,
    assert_recall,
)
from annqc.testing.cache import Cache
from annqc.testing.checking import audit_dataset, check_dataset
from annqc.testing.examples import run_example
from annqc.write import write_coco

BIASED = "bob draws the right side of the contour "


@pytest.fixture(scope="module")
def made():
    habits = {"ann": [], "bob": OutlineHabit.moved("right", 4)}
    scene = {"image_size": (400, 400), "side": (40.0, 120.0), "objects_per_image": [4] * 20}
    return outlines(habits, n_images=20, rng=1, **scene)


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("outlines")
    write_coco(made.gold, folder / "gold.json")
    write_coco(made.work, folder / "work.json")
    return folder


def spec_text(rule='measure = "contour_offset"', read=""):
    return (
        '[annqc]\nversion = 1\ngold = "gold.json"\ncandidate = "work.json"\n\n'
        f'{read}[[rule]]\nid = "contours"\n{rule}\n'
    )


def spec_at(folder, **kwargs):
    path = folder / "a.annqc.toml"
    path.write_text(spec_text(**kwargs), encoding="utf-8")
    return path


def test_a_rule_on_outlines_has_them_read(folder):
    spec = load_spec(spec_at(folder))
    (dataset,) = spec.datasets
    assert spec.asks_for_outlines
    assert dataset.shapes is True
    assert spec.reading.shapes is True
    made = audit_dataset(spec, dataset)
    assert made.has_outlines
    boxes = load_spec(spec_at(folder, rule='measure = "edge_offset"'))
    assert boxes.datasets[0].shapes is None
    assert not audit_dataset(boxes, boxes.datasets[0]).has_outlines
    told = load_spec(
        spec_at(folder, rule='measure = "edge_offset"', read="[read]\nshapes = true\n")
    )
    assert audit_dataset(told, told.datasets[0]).has_outlines


def test_who_says_no_is_told_what_to_do(folder):
    spec = load_spec(spec_at(folder, read="[read]\nshapes = false\n"))
    record = check_dataset(spec, spec.datasets[0]).records["contours"]
    assert record["outcome"] == "not_applicable"
    assert "[read] in the spec has shapes = true" in record["sentence"]
    text = spec_text(read='[read]\nshapes = "yes"\n')
    with pytest.raises(SpecError, match=r"line 7, \[read\], shapes: .*true or false"):
        load_spec(text)


def test_one_dataset_may_say_otherwise(folder):
    data = 'gold = "gold.json"\ncandidate = "work.json"\n'
    text = (
        f'[annqc]\nversion = 1\n[[dataset]]\nname = "a"\n{data}shapes = false\n'
        f'[[dataset]]\nname = "b"\n{data}[[rule]]\nid = "x"\nmeasure = "contour"\n'
    )
    assert [one.shapes for one in load_spec(text).datasets] == [False, True]


def test_a_record_names_file_annotation_annotator_and_side(folder, tmp_path):
    spec = load_spec(spec_at(folder))
    cache = Cache(tmp_path / "cache")
    first = check_dataset(spec, spec.datasets[0], cache=cache)
    record = first.records["contours"]
    assert record["outcome"] == "fail"
    assert record["sentence"].startswith(BIASED)
    worst = record["evidence"][0]
    assert (worst["annotator"], worst["edge"]) == ("bob", "contour_right")
    assert Path(worst["source"]).name == "work.json"
    assert f"annotation {worst['annotation_id']} by bob on {worst['file_name']}" in worst["text"]
    assert f"(work.json, row {worst['row']}): right side of the contour" in worst["text"]
    again = check_dataset(spec, spec.datasets[0], cache=cache)
    assert not again.audited
    assert again.records["contours"]["sentence"] == record["sentence"]


def test_the_command_line_reads_outlines_for_a_spec(folder, monkeypatch):
    monkeypatch.chdir(folder)
    spec_at(folder)
    run = CliRunner()
    done = run.invoke(main, ["audit", "--spec", "a.annqc.toml", "--csv", "tables"])
    assert done.exit_code == 1
    assert "bob draws the right side of the contour" in " ".join(done.output.split())
    given = run.invoke(
        main, ["audit", "work.json", "--gold", "gold.json", "--spec", "masks", "--json", "-"]
    )
    assert given.exit_code == 1
    checks = {one["id"]: one["outcome"] for one in json.loads(given.output)["judgement"]["checks"]}
    assert checks["no-contour-bias"] == "fail"
    plain = run.invoke(main, ["audit", "work.json", "--gold", "gold.json", "--shapes", "--quiet"])
    assert plain.exit_code == 0, plain.output
    linted = run.invoke(main, ["lint", "work.json", "--shapes"])
    assert linted.exit_code == 0, linted.output


def test_tables_of_outlines_are_written_where_there_are_some(made, tmp_path):
    audit = annqc.audit(made.work, made.gold)
    paths = audit.to_csv(tmp_path / "with")
    assert [path.stem for path in paths][-2:] == ["outlines", "outline_scores"]
    for path, frame in zip(paths[-2:], (audit.outlines(), audit.outline_scores()), strict=True):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == list(frame.columns)
        assert [row["annotator"] for row in rows] == frame["annotator"].tolist()
    boxes = annqc.simulate(["ann"], n_images=4, rng=1)
    written = annqc.audit(boxes.work, boxes.gold).to_csv(tmp_path / "without")
    assert sorted((tmp_path / "without").iterdir()) == sorted(written)
    assert "outlines" not in [path.stem for path in written]


def test_no_table_of_outlines_replaces_an_input(made, tmp_path):
    table = tmp_path / "outlines.csv"
    annqc.simulate(["ann"], n_images=4, rng=1).work.annotations.to_csv(table, index=False)
    with pytest.raises(annqc.AnnqcError, match=r"outlines\.csv"):
        annqc.audit(table, made.gold).to_csv(tmp_path)


@pytest.mark.parametrize("as_files", [True, False])
def test_asserts_pass_and_fail_as_rules_do(made, folder, as_files):
    work, gold = made.work, made.gold
    if as_files:
        work, gold = folder / "work.json", folder / "gold.json"
    with pytest.raises(AssertionError, match=BIASED):
        assert_outlines_unbiased(work, gold)
    assert assert_outlines_unbiased(work, gold, sides=["left", "top"]).outcome == "pass"
    assert assert_outlines_unbiased(work, gold, tolerance="8 px").outcome == "pass"
    assert assert_mask_iou(work, gold, at_least=0.8).outcome == "pass"
    assert assert_boundary_iou(work, gold, at_least=0.5).outcome == "pass"
    assert assert_outlines_within(work, gold, px=9).outcome == "pass"
    with pytest.raises(AssertionError, match=r"bob: ASSD 1.* px .*asked: ASSD at most 1\.5 px"):
        assert_outlines_within(work, gold, px=1.5, measure="assd")
    with pytest.raises(AssertionError, match="bob: mask IoU"):
        assert_mask_iou(work, gold, at_least=0.94)


def test_gold_in_a_file_beside_work_in_memory_is_read_with_outlines(made, folder):
    gold = folder / "gold.json"
    assert assert_mask_iou(made.work, gold, at_least=0.8).outcome == "pass"
    spec = {"annqc": {"version": 1}, "rule": [{"id": "x", "measure": "dice", "at_least": 0.8}]}
    assert assert_meets(made.work, gold, spec=spec).outcome == "pass"
    assert assert_recall(made.work, gold, at_least=0.5).outcome == "pass"


def test_an_audit_without_outlines_is_open_and_says_why(folder):
    audit = annqc.audit(folder / "work.json", folder / "gold.json")
    with pytest.raises(
        AssertionError, match=r"not applicable: there are no polygons .*shapes=True"
    ):
        assert_mask_iou(audit, at_least=0.8)


def test_asserts_know_their_sides_and_distances(made):
    with pytest.raises(UnknownNameError, match="did you mean 'left'"):
        assert_outlines_unbiased(made.work, made.gold, sides="lefts")
    with pytest.raises(UnknownNameError, match="did you mean 'hd95'"):
        assert_outlines_within(made.work, made.gold, px=3, measure="hd96")


@pytest.mark.parametrize("words", list(OUTLINE_PHRASES))
def test_every_phrase_is_read(words):
    unit, make = OUTLINE_PHRASES[words]
    assert parse_outline_habits(f"{words.upper()} 2.5{unit}") == (make(2.5),)
    signs = {"eroded": -1} | {f"{side} in": -1 for side in ("left", "top", "right", "bottom")}
    assert parse_outline_habits(f"{words} 2 {unit}")[0].size == 2 * signs.get(words, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dilatd 2 px", "did you mean 'dilated'"),
        ("dilated", "say how much"),
        ("dilated 2 %", "expected: 'dilated 2 px'"),
        ("dilated -2 px", "the opposite"),
        (3, "a text in quotes"),
    ],
)
def test_a_phrase_that_cannot_be_read_is_told(text, said):
    with pytest.raises(SpecError) as caught:
        parse_outline_habits(text)
    assert said in str(caught.value)


def test_an_example_that_draws_outlines():
    spec = load_spec(spec_text())
    bob = Example(
        name="x",
        drawn_as="mask",
        annotators={"ann": (), "bob": ("top in 4 px",)},
        images=15,
        scene={"side": [30.0, 80.0], "image_size": [400, 400]},
        expect={"contours": "fail"},
    )
    result = run_example(spec, bob)
    assert result.ok, str(result)
    assert "bob draws the top side of the contour" in result.judgement.checks[0].sentence
    clean = msgspec.structs.replace(bob, annotators={"ann": (), "bob": ()})
    assert not run_example(spec, clean).ok
    boxes = msgspec.structs.replace(bob, drawn_as="box", annotators={"ann": ()}, scene={})
    assert "expected fail, found not applicable" in str(run_example(spec, boxes))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"annotators": {"bob": ("loose right 5 px",)}}, "there is no habit 'loose right 5 px'"),
        ({"scene": {"noise": 3}}, "did you mean 'noise_px'"),
        ({"scene": {"drawn_as": "mask"}}, "there is no argument of a scene 'drawn_as'"),
        ({"scene": {"side": 3}}, "cannot be simulated"),
    ],
)
def test_an_outline_that_cannot_be_simulated_is_one_message(changed, said):
    spec = load_spec(spec_text())
    example = Example(
        name="x", drawn_as="polygon", annotators={"ann": ()}, expect={"contours": "pass"}
    )
    with pytest.raises(SpecError) as caught:
        run_example(spec, msgspec.structs.replace(example, **changed))
    assert "example 'x'" in str(caught.value)
    assert said in str(caught.value)


def test_what_is_drawn_is_one_of_three():
    example = '[[example]]\nname = "x"\nannotators.a = []\nexpect.contours = "pass"\n'
    assert load_spec(spec_text() + example).examples[0].drawn_as == "box"
    with pytest.raises(SpecError, match="did you mean 'mask'"):
        load_spec(spec_text() + example + 'drawn_as = "masks"\n')
