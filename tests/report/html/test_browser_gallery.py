"""Galleries in a browser: pictures are shown, links lead to them, and queues are saved."""

from __future__ import annotations

import csv

import pytest

import annqc
from annqc import Habit
from tests.report.browser import WIDTHS, tab, too_wide
from tests.report.html.drawn_images import draw_images

LOADED = """() => Promise.all(Array.from(document.querySelectorAll("svg image"), (one) => {
  const copy = new Image();
  copy.src = one.href.baseVal;
  return copy.decode().then(() => copy.naturalWidth);
}))"""


@pytest.fixture(scope="module")
def audit():
    habits = {"ann": [], "eve": Habit.parse("misses 20 %, extras 10 %, gross 10 %")}
    made = annqc.simulate(habits, n_images=12, image_size=(320, 240), boxes_per_image=4, rng=1)
    return annqc.audit(made.work, made.gold)


@pytest.fixture(scope="module")
def folder(audit, tmp_path_factory):
    there = tmp_path_factory.mktemp("pictures")
    draw_images(there / "images", audit.gold)
    audit.to_html(there / "r", images=there / "images")
    audit.to_html(there / "one.html", images=there / "images", single_file=True)
    return there


@pytest.mark.parametrize("width", WIDTHS.values())
@pytest.mark.parametrize("file", ["r/index.html", "one.html"])
def test_the_first_to_look_at_is_shown_over_its_image(browser, folder, file, width):
    with tab(browser, width=width) as witness:
        page = witness.open(folder / file)
        link = page.locator('section:has(> h2:text-is("Look at these first")) li a').first
        said = link.text_content()
        link.click()
        shot = page.locator("figure.shot:target")
        shot.wait_for()
        assert shot.locator("figcaption a").first.text_content() in said
        picture = shot.locator("image").bounding_box()
        assert min(picture["width"], picture["height"]) > 60
        widths = page.evaluate(LOADED)
        assert len(widths) > 4
        assert min(widths) > 10
        assert too_wide(page) == []
        assert witness.troubles == []
        assert witness.outside(folder) == []


LABELS = """() => Array.from(document.querySelectorAll("figure.over svg"), (svg) => {
  const box = (one) => one.getBoundingClientRect();
  const [all, picture] = [box(svg), box(svg.querySelector("image"))];
  return Array.from(svg.querySelectorAll("text"), (text) => {
    const one = box(text);
    const inside = one.left >= all.left && one.right <= all.right
      && one.top >= all.top && one.bottom <= all.bottom;
    const on = one.left < picture.right && one.right > picture.left
      && one.top + 2 < picture.bottom && one.bottom - 2 > picture.top;
    const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
    return { text: text.textContent, inside, on, size };
  });
}).flat()"""


@pytest.mark.parametrize("width", WIDTHS.values())
def test_labels_of_pictures_are_whole_and_lie_on_nothing(browser, folder, width):
    eve = next((folder / "r" / "annotators").glob("eve*.html"))
    with tab(browser, width=width) as witness:
        labels = witness.open(eve).evaluate(LABELS)
    assert len(labels) > 20
    assert [one for one in labels if not one["inside"] or one["on"]] == []
    words = {one["text"].strip("()").split()[0] for one in labels}
    assert words == {"left", "top", "right", "bottom"}
    assert min(one["size"] for one in labels) >= 8.5


@pytest.mark.parametrize("file", ["r/index.html", "one.html"])
def test_the_queue_is_saved(browser, folder, file, audit, tmp_path):
    with tab(browser) as witness:
        page = witness.open(folder / file)
        with page.expect_download() as saved:
            page.get_by_role("link", name="CSV", exact=True).click()
        assert saved.value.suggested_filename == "queue.csv"
        path = tmp_path / "queue.csv"
        saved.value.save_as(path)
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    queue = audit.review(top=200).columns
    assert [row["text"] for row in rows] == queue["text"].tolist()
