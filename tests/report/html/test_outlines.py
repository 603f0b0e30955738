"""Pages of outlines show the contour offsets and the agreement of the audit, around a shape."""

from __future__ import annotations

import re

import numpy as np
import pytest

import annqc
from annqc.measure.outlines import CONTOURS
from annqc.report.html.outlines import AROUND, OutlineSection
from annqc.report.html.story import tell
from annqc.simulate import OutlineHabit, outlines
from tests.report.html.rows import figures, numbers, page_of, rows_with, table

SCORES = ("mask_iou", "boundary_iou", "dice", "assd", "hd95", "nsd")


@pytest.fixture(scope="module")
def audit():
    habits = {"ann": [], "eve": OutlineHabit.dilated(3), "tom": OutlineHabit.moved("right", 2)}
    made = outlines(habits, n_images=30, rng=1)
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def folder(audit, tmp_path_factory):
    return audit.to_html(tmp_path_factory.mktemp("o") / "r").parent


@pytest.fixture(scope="module")
def rings(audit):
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    made = OutlineSection(story)
    return {one.name: made.of(one)["ring"] for one in story.people}


def test_contours_are_those_of_the_audit(audit, folder):
    found = audit.outlines().set_index(["annotator", "quantity"])
    for who in audit.work.annotator_ids:
        rows = rows_with(page_of(folder, who), "data-contour")
        assert len(rows) == 9
        for quantity, row in rows.items():
            want = found.loc[who, quantity]
            for cell, unit in ((row[2], "_px"), (row[3], "")):
                names = (f"estimate{unit}", f"ci_low{unit}", f"ci_high{unit}")
                assert numbers(cell) == pytest.approx([want[one] for one in names], abs=0.00501)
            tested = quantity in CONTOURS
            assert (want["verdict"] in row[1].split()) == tested
            assert ("descriptive" in row[1]) == (not tested)
            assert [numbers(one)[0] for one in row[4:]] == [want["n"], want["n_clusters"]]


def test_agreement_is_that_of_the_audit(audit, folder):
    wanted = audit.outline_scores().set_index("annotator")
    overview = {row[0]: row for row in table(folder / "index.html", 'aria-label="Outlines"')[1:]}
    assert set(overview) == set(wanted.index)
    for who, one in wanted.iterrows():
        rows = table(page_of(folder, who), 'aria-label="How well outlines agree"')[1:]
        for name, row, cell in zip(SCORES, rows, overview[who][4:], strict=False):
            ends = [one[name], one[f"{name}_low"], one[f"{name}_high"]]
            assert numbers(row[1]) == numbers(cell) == pytest.approx(ends, abs=0.00501)
            assert numbers(row[2]) == [one[f"{name}_n_clusters"]]
        assert numbers(overview[who][1]) == [one["n_outlines"]]


def test_dots_lie_as_far_from_the_shape_as_the_contour(audit, rings):
    """Distance from the ellipse is the estimate, times the scale, times the enlargement."""
    found = audit.outlines().set_index(["annotator", "quantity"])
    for who, ring in rings.items():
        gold = audit.gold.table.xyxy[audit.outline_measurements.reference]
        mine = audit.outline_measurements.annotator == audit.work.annotator_ids.tolist().index(who)
        median = np.median((gold[:, 2:] - gold[:, :2])[mine], axis=0)
        scale = 2 * ring.radii[0] / median[0]
        assert ring.radii[1] == pytest.approx(scale * median[1] / 2)
        for spoke in ring.spokes:
            k = AROUND.index(spoke.name)
            out = np.array([np.cos(k * np.pi / 4), -np.sin(k * np.pi / 4)])
            base = np.array(ring.centre) + np.array(ring.radii) * out
            length = np.hypot(*(np.array(spoke.point) - base))
            away = np.sign((np.array(spoke.point) - base) @ out)
            px = found.loc[(who, spoke.name), "estimate_px"]
            assert away * length == pytest.approx(px * scale * ring.zoom, abs=0.01)
        assert {spoke.name for spoke in ring.spokes if spoke.label} == set(CONTOURS) - {"contour"}


def test_what_is_drawn_stays_in_the_drawing(rings):
    for ring in rings.values():
        for spoke in ring.spokes:
            points = [spoke.point, spoke.low, spoke.high, spoke.at]
            for x, y in (one for one in points if one):
                assert 0 <= x <= ring.width
                assert 0 <= y <= ring.height
        assert re.fullmatch(r"M[\d. ]+( C[\d. ]+)+ Z", ring.path)


def test_the_overview_draws_the_contour_of_everybody(audit, folder):
    picture = figures(folder / "index.html")["picture-outlines"]
    drawn = sorted(x for trace in picture["data"] for x in trace["x"])
    bias = audit.outlines()
    wanted = bias.loc[bias["quantity"] == "contour", "estimate_px"]
    np.testing.assert_allclose(drawn, np.sort(wanted), atol=1e-4)
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "eve: the contour 3.0 px too far out" in text


def test_boxes_have_no_section(tmp_path):
    made = annqc.simulate(2, n_images=10, rng=1)
    page = annqc.audit(made.work, made.gold).to_html(tmp_path / "r")
    for path in page.parent.rglob("*.html"):
        assert 'id="outlines"' not in path.read_text(encoding="utf-8")


def test_work_without_names_is_one(tmp_path):
    made = outlines(["unknown"], n_images=15, rng=2)
    audit = annqc.audit(made.work, made.gold)
    folder = audit.to_html(tmp_path / "r").parent
    [page] = (folder / "annotators").iterdir()
    wanted = audit.outlines(by=()).set_index("quantity")
    for quantity, row in rows_with(page, "data-contour").items():
        assert numbers(row[2])[0] == pytest.approx(wanted.loc[quantity, "estimate_px"], abs=0.00501)
