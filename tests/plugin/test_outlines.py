"""Rules on polygons and masks as tests: the message, the properties of JUnit, the fixture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from annqc.simulate import OutlineHabit, outlines
from annqc.write import write_coco

SPEC = """
[annqc]
version = 1
gold = "gold.json"
candidate = "work.json"

[[rule]]
id = "contours"
measure = "contour_offset"

[[rule]]
id = "distance"
measure = "hd95"
at_most = 9
"""


@pytest.fixture
def folder(pytester):
    habits = {"ann": [], "bob": OutlineHabit.moved("left", -4)}
    scene = {"image_size": (300, 300), "side": (40.0, 90.0), "objects_per_image": [3] * 12}
    made = outlines(habits, n_images=12, rng=1, **scene)
    write_coco(made.gold, pytester.path / "gold.json")
    write_coco(made.work, pytester.path / "work.json")
    pytester.makefile(".annqc.toml", masks=SPEC)
    return pytester.path


def test_a_failure_names_annotator_side_file_and_row(pytester, folder):
    result = pytester.runpytest_inprocess("-W", "error", "--junitxml=out.xml", "masks.annqc.toml")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "bob draws the left side of the contour * px too far in (*, 12 images); asked: *",
            "worst annotations:",
            "  annotation * by bob on image_* (work.json, row *): left side of the*",
            "    contour * px too far in*",
        ]
    )
    cases = ET.parse(folder / "out.xml").iter("testcase")
    told = {
        one.get("name"): {p.get("name"): p.get("value") for p in one.iter("property")}
        for one in cases
    }
    (contours,) = (one for name, one in told.items() if "contours" in name)
    assert contours["annqc.annotator"] == "bob"
    assert contours["annqc.quantity"] == "contour_left"
    assert float(contours["annqc.estimate_px"]) < -3
    assert contours["annqc.n_fail"] == "1"
    assert len(contours["annqc.worst_annotations"].split(",")) == 5
    (distance,) = (one for name, one in told.items() if "distance" in name)
    assert distance["annqc.limit"] == "at most 9"


@pytest.mark.usefixtures("folder")
def test_the_fixture_reads_outlines_for_rules_that_need_them(pytester):
    module = pytester.makepyfile(
        """
        RULE = {"id": "x", "measure": "mask_iou", "at_least": 0.5}
        SPEC = {"annqc": {"version": 1}, "rule": [RULE]}

        def test_judge(annqc):
            assert annqc.judge("masks.annqc.toml").outcome == "fail"
            assert annqc.judge(SPEC, "work.json", "gold.json").outcome == "pass"
            work = annqc.read("work.json", shapes=True)
            assert annqc.judge(SPEC, work, "gold.json").outcome == "pass"

        def test_assert(annqc):
            annqc.assert_mask_iou("work.json", "gold.json", at_least=0.5)
        """
    )
    pytester.runpytest_inprocess("-W", "error", module).assert_outcomes(passed=2)
