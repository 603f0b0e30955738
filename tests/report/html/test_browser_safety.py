"""What strangers call people, categories and files does nothing but be read."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.errors import AnnqcError
from annqc.write import write_coco
from tests.report.browser import drawn, tab

PEOPLE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</script><script>alert(3)</script>",
    "<a href='javascript:alert(4)'>click</a>",
    "../../outside",
]
CATEGORIES = [
    "</script><svg onload=alert(5)>",
    "'\"`${alert(6)}",
    "{{ 7 * 7 }}<!--",
    "javascript:alert(8)",
    "..\\..\\outside",
]
FILES = [
    "javascript:alert(9)",
    'a" onload="alert(10)".png',
    "../outside.png",
    "//evil.example/a.png",
    "data:text/html,<script>alert(11)</script>",
    "<script>alert(12)<\\/script>.png",
    "%2e%2e/%2e%2e/outside.png",
    "/etc/hostname",
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return an audit in which everything that has a name has a bad one, and its images."""
    habits = [Habit.loose("right", px=9), Habit.misses(0.4), Habit.wrong_labels(0.3), [], []]
    made = annqc.simulate(
        dict(zip(PEOPLE, habits, strict=True)),
        n_images=24,
        boxes_per_image=3,
        categories=CATEGORIES,
        image_size=(320, 240),
        rng=3,
    )
    folder = tmp_path_factory.mktemp("hostile")
    images = folder / "images"
    images.mkdir()
    for path in (folder / "outside.png", images / FILES[1]):
        assert cv2.imwrite(str(path), np.full((240, 320, 3), 90, np.uint8))
    sides = []
    for name, side in (("gold", made.gold), ("work", made.work)):
        path = write_coco(side, folder / f"{name}.json")
        data = json.loads(path.read_text(encoding="utf-8"))
        for k, one in enumerate(data["images"]):
            one["file_name"] = FILES[k % len(FILES)] + ("" if k % 8 == 1 else f"?{k}" * (k > 8))
        path.write_text(json.dumps(data), encoding="utf-8")
        sides.append(annqc.read(path))
    return annqc.audit(sides[1], sides[0]), images


def tree(folder):
    """Return what is in a folder, with what each file holds."""
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def written(audit, there, **more):
    """Write a report; nothing but what was asked for may appear."""
    before = tree(there.parent)
    page = audit.to_html(there, **more)
    after = tree(there.parent)
    assert {p: after[p] for p in before} == before
    assert all(p == there or p.is_relative_to(there) for p in after.keys() - before.keys())
    return page


def drive(page):
    """Do what a reader may do: open, sort, search and point at everything."""
    drawn(page)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    for button in page.locator("th button:visible").all()[:4]:
        button.click()
    for field in page.locator("input[type=search]:visible").all():
        field.fill("<script>alert(13)</script>")
        field.fill("")
    for plot in page.locator(".picture .nsewdrag:visible").all()[:3]:
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        for share in (0.2, 0.5, 0.8):
            page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * share)
        page.wait_for_timeout(60)
    harmless(page)


def harmless(page):
    """Nothing in a page runs, or leads to where something would."""
    schemes = page.evaluate(
        "Array.from(document.querySelectorAll('a, area'), (one) => [one.protocol, one.host])"
    )
    allowed = {("file:", ""), ("data:", ""), ("https:", "tool.example")}
    assert {tuple(one) for one in schemes} <= allowed
    assert page.locator("main script:not([type='application/json'])").count() == 0
    assert page.locator("main :is(iframe, object, embed, form, base, style, meta)").count() == 0
    assert page.locator("img[src=x], svg a, svg script").count() == 0
    on = "Array.from(document.querySelectorAll('main *')).flatMap((one) => one.getAttributeNames())"
    assert not [one for one in page.evaluate(on) if one.startswith("on")]


@pytest.mark.parametrize("case", ["names", "images", "patterns"])
def test_a_hostile_report_is_harmless(browser, hostile, tmp_path, case):
    audit, images = hostile
    more = {
        "names": {},
        "images": {"images": images},
        "patterns": {"images": "{file_name}", "url": "https://tool.example/{file_name}"},
    }[case]
    folder = written(audit, tmp_path / "report", **more).parent
    crops = list(folder.glob("assets/crops/*"))
    assert bool(crops) == (case == "images")
    with tab(browser) as witness:
        for path in sorted(folder.rglob("*.html")) if case == "names" else ():
            harmless(witness.open(path))
        drive(witness.open(next((folder / "annotators").iterdir())))
        page = witness.open(folder / "index.html")
        drive(page)
        names = page.locator("#people tbody th").all_text_contents()
        assert sorted(names) == sorted(PEOPLE)
        assert witness.troubles == []
        assert witness.outside(folder) == []


def test_a_hostile_report_of_one_file_is_harmless(browser, hostile, tmp_path):
    audit, images = hostile
    file = written(audit, tmp_path / "report.html", single_file=True, images=images)
    with tab(browser) as witness:
        page = witness.open(file)
        drive(page)
        for link in ("#people tbody tr:first-child a", "#people tbody tr:last-child a"):
            page.click(link.replace("#", "#index--"))
            drawn(page)
            assert page.title() in PEOPLE
            drive(page)
            page.go_back()
        assert witness.troubles == []
        assert witness.outside(file) == []


@pytest.mark.parametrize(
    "pattern",
    ["javascript:alert(1)//{image_id}", " JavaScript:{image_id}", "data:text/html,{frame}"],
)
def test_a_pattern_that_runs_is_refused(hostile, tmp_path, pattern):
    audit, _ = hostile
    with pytest.raises(AnnqcError):
        audit.to_html(tmp_path / "report", url=pattern)
    with pytest.raises(AnnqcError):
        audit.to_html(tmp_path / "report", images=pattern)
    assert list(tmp_path.iterdir()) == []


def test_the_witness_sees_what_goes_wrong(browser, tmp_path):
    bad = tmp_path / "bad" / "bad.html"
    bad.parent.mkdir()
    (tmp_path / "outside.png").write_bytes(b"")
    bad.write_text(
        """<meta http-equiv="Content-Security-Policy" content="script-src 'nonce-x'">
        <script>alert(1)</script><script nonce="x">alert(2); console.warn("3")</script>
        <img src="../outside.png"><a href="javascript:alert(4)" onclick="5">x</a>""",
        encoding="utf-8",
    )
    with tab(browser) as witness:
        page = witness.open(bad)
        found = " ".join(witness.troubles)
        assert "policy: script-src" in found
        assert "dialog: 2" in found
        assert "dialog: 1" not in found
        assert "warning: 3" in found
        assert witness.outside(bad.parent) == [(tmp_path / "outside.png").as_uri()]
        with pytest.raises(AssertionError):
            harmless(page)
