"""The section on outlines: who is dilated and who eroded, in words that fit the screen."""

import json

import pytest
from click.testing import CliRunner

import annqc
from annqc.cli import main
from annqc.ids import ids_array
from annqc.report.json import audit_document, encode
from annqc.report.outlines import ANONYMOUS, nobody_named, outline_verdicts
from annqc.report.terminal import render
from annqc.run.audit import Parameters, Run
from tests.geometry.figures import mended, shapes_of
from tests.measure.test_outlines import dataset
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
    assert text.index("\nScores") < text.index("\nOutlines") < text.index("\nLook at these")


def test_boxes_alone_have_no_section():
    made = annqc.simulate(["ann"], n_images=6, rng=1)
    audit = annqc.audit(made.work, made.gold)
    assert "Outlines" not in audit.summary()
    assert not audit.has_outlines
    assert len(audit.outlines()) == 5
    assert set(audit.outlines()["status"]) == {"no_data"}
    assert audit.outline_scores()["n_outlines"].tolist() == [0]


def test_nobody_is_accused_where_nobody_is_named():
    run = run_of({"(unknown)": 2.5})
    assert nobody_named(run.candidate)
    lines = section(render(run))
    assert " ".join(line.strip() for line in lines).startswith(f"Outlines  {ANONYMOUS}")
    assert "(unknown)" not in "\n".join(lines)
    assert any(line.strip().startswith("everything 12") or "everything" in line for line in lines)


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
    assert made.outlines()["verdict"].tolist() == ["clean"] * 5 + ["biased"] * 5


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
