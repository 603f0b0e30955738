"""The section on outlines: who is dilated and who eroded, in words that fit the screen."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

import annqc
from annqc.cli import main
from annqc.ids import ids_array
from annqc.measure.outline_styles import STYLES
from annqc.report.json import audit_document, encode
from annqc.report.mistakes import _STYLES, _WHAT
from annqc.report.outline_schema import OutlineFinding, OutlineScore
from annqc.report.outlines import ANONYMOUS, STYLE_WORDS, nobody_named, outline_verdicts
from annqc.report.schema import AuditDocument, Error
from annqc.report.terminal import render
from annqc.run.audit import Parameters, Run
from annqc.simulate import OutlineHabit, outlines
from annqc.tables import ERROR_KINDS, Source
from tests.geometry.figures import mended, shapes_of
from tests.measure.test_outlines import dataset
from tests.run.test_outline_strata import PIXEL, planted
from tests.run.test_outlines import TOLERANCE, drawings


def run_of(habits, **kwargs):
    matches, _ = drawings(habits, **kwargs)
    parameters = Parameters(tolerance=TOLERANCE)
    return Run(matches.reference, matches.candidate, parameters=parameters)


def section(text):
    """The lines from the heading up to the next blank line."""
    return text[text.index("\nOutlines") :].strip().split("\n\n")[0].splitlines()


def test_who_is_dilated_and_who_eroded():
    run = run_of({"ann": 0, "bob": 2.2, "cat": ("right", 4.0), "eve": -2.2})
    text = render(run)
    lines = section(text)
    assert lines[0] == "Outlines  3 of 4 annotators dilated or eroded"
    assert max(map(len, text.splitlines())) <= 80
    said = " ".join(line.strip() for line in lines)
    assert "bob: the contour 2." in said
    assert "eve: the contour 2." in said
    assert "too far in (" in said
    assert "cat: the right side 3." in said
    table = lines[[line.strip().startswith("annotator") for line in lines].index(True) :]
    assert table[0].split() == [
        "annotator", "outlines", "contour", "in", "px", "verdict", "IoU", "boundary",
    ]  # fmt: skip
    assert {row.split()[0]: row.split()[5] for row in table[1:]} == {
        "ann": "clean", "bob": "biased", "cat": "biased", "eve": "biased",
    }  # fmt: skip
    assert text.index("\nScores") < text.index("\nOutlines") < text.index("\nThe farthest box")


def test_boxes_alone_have_no_section():
    made = annqc.simulate(["ann"], n_images=6, rng=1)
    audit = annqc.audit(made.work, made.gold)
    assert "Outlines" not in audit.summary()
    assert not audit.has_outlines
    assert len(audit.outlines()) == 9
    assert set(audit.outlines()["status"]) == {"no_data"}
    assert audit.outline_scores()["n_outlines"].tolist() == [0]


def test_nobody_is_accused_where_nobody_is_named():
    run = run_of({"(unknown)": 2.5})
    assert nobody_named(run.candidate)
    lines = section(render(run))
    assert " ".join(line.strip() for line in lines).startswith(f"Outlines  {ANONYMOUS}")
    assert "(unknown)" not in "\n".join(lines)
    assert any(line.strip().startswith("everything 12") or "everything" in line for line in lines)


def test_work_that_does_not_say_who_drew_is_one_annotators_in_every_section():
    run = run_of({"second": 2.5})
    work = replace(
        run.candidate, authors_known=False, sources=(Source("second.jsonl", "jsonl", 9, 9, 9),)
    )
    text = render(Run(run.reference, work))
    assert "everything counts as one annotator, 'second'" in " ".join(text.split())
    lines = section(text)
    assert ANONYMOUS not in " ".join(line.strip() for line in lines)
    assert any(line.strip().startswith("second") for line in lines)


def test_readers_of_lung_scans_are_anonymous(shared_data):
    """Two readers of each slice, nobody knows who: said of all of the work, in words."""
    lines = (shared_data / "lidc_contours/contours_first150scans.jsonl").read_text().splitlines()
    slices = {}
    for one in map(json.loads, lines[:3000]):
        if one["inclusion"] and len(one["points_xy"]) > 8:
            drawn = slices.setdefault((one["patient"], one["z"]), {})
            drawn.setdefault(one["annotation_id"], mended([one["points_xy"]]))
    several = [list(drawn.values())[:2] for drawn in slices.values() if len(drawn) > 1]
    first, second = (shapes_of([pair[k] for pair in several]) for k in (0, 1))
    gold = dataset(first, canvas=(512, 512))
    run = Run(gold, dataset(second, canvas=(512, 512), names=("(unknown)",)))
    lines = section(render(run))
    assert ANONYMOUS in " ".join(line.strip() for line in lines)
    assert "(unknown)" not in "".join(lines)
    found = run.outline_columns(())
    assert found["n_clusters"].min() > 200
    assert run.outline_score_columns(())["mask_iou"][0] == pytest.approx(0.7, abs=0.15)
    document = json.loads(encode(audit_document(run)))
    assert "annotator" not in document["outlines"]["findings"][0]


def test_a_saved_run_still_has_its_outlines(tmp_path):
    run = run_of({"ann": 0, "bob": 2.2})
    made = annqc.audit(run.candidate, run.reference, tolerance="1 px")
    again = annqc.load(made.save(tmp_path / "run"))
    assert again.outlines().equals(made.outlines())
    assert made.outlines()["verdict"].tolist() == (
        ["clean"] * 9 + ["biased"] * 5 + ["undecided"] * 4
    )


def test_the_verdict_on_all_of_an_annotators_outlines():
    run = run_of({"ann": 0, "bob": 2.2})
    assert outline_verdicts(run.outline_findings()).tolist() == [1, 2]
    few = run_of({"ann": 0}, n_images=3)
    assert outline_verdicts(few.outline_findings()).tolist() == [0]


def test_another_tolerance_gives_other_findings():
    run = run_of({"ann": 0.0, "bob": 1.5})
    assert run.outline_findings().accusation.accused.tolist() == [False, True]
    wide = run.with_parameters(tolerance="3 px")
    assert wide.outline_findings().accusation.accused.tolist() == [False, False]
    assert run.outline_findings().accusation.accused.tolist() == [False, True]


def test_names_are_data():
    run = run_of({"ann": 0, "bob": 2.2})
    object.__setattr__(run.candidate, "annotator_ids", ids_array(["[red]x", "y\x1b[2J" * 9]))
    text = render(run)
    assert "[red]x" in text
    assert "\x1b" not in text


@pytest.fixture(scope="module")
def cells(shared_data):
    return shared_data / "bubil_masks" / "BU-BIL_Dataset4"


def test_masks_of_experts_on_the_command_line(cells, tmp_path):
    args = ["audit", str(cells / "ExpertsAnnotations"), "--gold", str(cells / "GoldStandard")]
    args += ["--mask-object", "dark", "--tolerance", "0.2 px", "--json", str(tmp_path / "a.json")]
    done = CliRunner().invoke(main, args, env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    lines = section(done.output)
    assert lines[0] == "Outlines  2 of 3 annotators dilated or eroded"
    assert "Expert2: the contour 0.47 px too far out (" in lines[1]
    assert "Expert3: the contour 0.36 px too far in (" in lines[2]
    found = json.loads((tmp_path / "a.json").read_text())["outlines"]
    assert {one["annotator"] for one in found["findings"] if one["verdict"] == "biased"} == {
        "Expert2",
        "Expert3",
    }
    assert len(found["scores"]) == 3


def test_masks_on_another_canvas_are_refused(cells):
    args = ["audit", str(cells / "CrowdsourcedAnnotations"), "--gold", str(cells / "GoldStandard")]
    done = CliRunner().invoke(main, [*args, "--mask-object", "dark"])
    assert done.exit_code == 2
    assert "canvas" in done.output
    assert "Traceback" not in done.output


def test_polygons_of_coco_are_read_where_asked(shared_data):
    path = str(shared_data / "coco_val2017_subset" / "instances_val2017.tiny.json")
    plain = CliRunner().invoke(main, ["audit", path, "--gold", path])
    asked = CliRunner().invoke(main, ["audit", path, "--gold", path, "--shapes"])
    assert "Outlines" not in plain.output
    assert "Outlines" in asked.output
    assert annqc.audit(path, path, shapes=True).outline_scores()["mask_iou"].tolist() == [
        pytest.approx(1)
    ]


def test_clean_by_rule_and_yet_measurable_is_said_in_pixels():
    """1.5 px on objects of 150 px, where the tolerance is 3 px."""
    habits = {"ann": [], "bob": OutlineHabit.dilated(1.5)}
    made = outlines(habits, n_images=25, side=(145, 155), noise_px=0.5, rng=1)
    run = Run(made.gold, made.work)
    text = render(run)
    assert max(map(len, text.splitlines())) <= 80
    said = " ".join(line.strip() for line in section(text))
    assert said.startswith("Outlines  2 annotators: nobody biased")
    assert "bob: the contour lies 1.5" in said
    assert "px out (1." in said
    assert "px, 24 images), measurable but within tolerance" in said
    assert "ann: the contour" not in said  # far less than a quarter of the tolerance
    document = json.loads(encode(audit_document(run)))
    found = {(one["annotator"], one["quantity"]): one for one in document["outlines"]["findings"]}
    bob = found["bob", "contour"]
    assert (bob["verdict"], "MEASURABLE" in bob["flags"].split(",")) == ("clean", True)
    assert bob["estimate_px"] == pytest.approx(1.5, abs=0.1)


def test_how_outlines_were_drawn_is_said_and_is_no_verdict():
    habits = {"ann": [], "bob": OutlineHabit.simplified(4.0)}
    made = outlines(habits, n_images=25, side=(60, 120), noise_px=0.5, rng=1)
    run = Run(made.gold, made.work)
    said = " ".join(line.strip() for line in section(render(run)))
    assert "% cut corners between points far apart" in said
    assert "straight segments put the contour 1." in said
    assert "ann: " not in said
    document = json.loads(encode(audit_document(run)))
    scores = {one["annotator"]: one for one in document["outlines"]["scores"]}
    assert scores["bob"]["chord_px_high"] < -0.5 < scores["ann"]["chord_px_low"]
    assert scores["bob"]["simplified_low"] > 0.1 > scores["ann"]["simplified_high"]


def test_a_part_is_named_on_the_screen_where_the_whole_is_not_biased():
    made = planted(
        lambda table: table.category == 3, habit=OutlineHabit.moved("right", 4.0), side=(50, 90)
    )
    run = Run(made.gold, made.work, parameters=PIXEL)
    by = ("annotator", "category")
    lines = section(render(run, by=by))
    assert lines[0] == "Outlines  1 of 4 annotators dilated or eroded"
    assert lines[1].strip().startswith("a2, category-4: the right side 4.")
    assert len([line for line in lines if "too far out" in line]) == 1
    document = json.loads(encode(audit_document(run, by=by)))
    named = [one for one in document["outlines"]["findings"] if one["verdict"] == "biased"]
    assert [(one["annotator"], one["category"], one["quantity"]) for one in named] == [
        ("a2", "category-4", "contour_right")
    ]


def test_what_could_not_be_paired_is_said():
    made = outlines(
        {"ann": OutlineHabit.dilated(2.2)}, n_images=40, objects_per_image=[5] * 40, rng=2,
        side=(40, 80), image_size=(900, 700),
    )  # fmt: skip
    kept = np.random.default_rng(0).random(len(made.work)) >= 0.65
    object.__setattr__(made.work, "table", made.work.table.take(kept))
    run = Run(made.gold, made.work, parameters=PIXEL)
    said = " ".join(line.strip() for line in section(render(run)))
    assert "images; too few of the outlines could be paired to be sure" in said
    strictly = msgspec.json.decode(encode(audit_document(run)), type=AuditDocument, strict=True)
    contour = strictly.outlines.findings[4]
    assert contour.missing == pytest.approx(1 - kept.mean(), abs=0.01)
    assert "SELECTION_SENSITIVE" in contour.flags


def test_the_schema_names_every_column_of_outlines():
    run = run_of({"ann": 0, "bob": 2.2})
    assert set(OutlineFinding.__struct_fields__) == set(run.outline_columns())
    assert set(OutlineScore.__struct_fields__) == set(run.outline_score_columns())
    assert set(Error.__struct_fields__) == set(run.error_columns())


def test_every_kind_of_error_has_its_words():
    assert set(_WHAT) == set(ERROR_KINDS)
    assert set(_STYLES) == set(STYLES) == set(STYLE_WORDS)
    listed = docs("reference/findings.md")
    for kind in ERROR_KINDS:
        assert f"`{kind}`" in listed
    for style in STYLES:
        assert f"`{style}`" in listed


def docs(name):
    return (Path(__file__).parents[2] / "docs" / name).read_text(encoding="utf-8")
