"""The pages are driven in a browser, from disk, as a person would, on a desk and on a phone."""

from __future__ import annotations

import re

import pytest

import annqc
from tests.report.browser import WIDTHS, column, drawn, tab, too_wide

MINUS = "\N{MINUS SIGN}"


@pytest.fixture(params=["desk", "phone"])
def width(request):
    return WIDTHS[request.param]


def all_pages(report):
    """Name one page of each kind: the first of a folder stands for the others in it."""
    pages = sorted(report.glob("*.html"))
    for folder in sorted(one for one in report.iterdir() if one.is_dir()):
        pages += sorted(folder.glob("*.html"))[:1]
    return pages


def test_every_page_is_quiet_and_asks_for_nothing_from_elsewhere(browser, report, width):
    with tab(browser, width=width) as witness:
        for path in all_pages(report):
            page = witness.open(path)
            assert too_wide(page) == [], path
            assert page.title() == page.text_content("h1")
        assert witness.troubles == []
        assert witness.outside(report) == []
        asked = {one.rsplit("/", 1)[1] for one in witness.requests}
        assert {"index.html", "style.css", "plotly.min.js", "app.js"} <= asked


def test_the_dark_scheme_is_dark_and_pictures_follow_a_change(browser, report):
    def ink(page):
        return page.evaluate(
            """() => [getComputedStyle(document.body).backgroundColor,
              getComputedStyle(document.querySelector(".picture .ytick text")).fill]"""
        )

    with tab(browser, dark=True) as witness:
        page = witness.open(report / "index.html")
        dark = ink(page)
        page.emulate_media(color_scheme="light")
        page.wait_for_timeout(300)
        light = ink(page)
        assert witness.troubles == []
    assert dark == ["rgb(20, 24, 29)", "rgb(230, 234, 239)"]
    assert light == ["rgb(255, 255, 255)", "rgb(27, 31, 36)"]


def test_columns_are_sorted_by_their_numbers(browser, report):
    with tab(browser) as witness:
        page = witness.open(report / "index.html")
        for title in ("boxes", "worst edge, tolerances", "recall"):
            before = column(page, "#people", title)
            head = page.locator("#people thead th", has_text=title)
            for sort, backwards in (("ascending", False), ("descending", True)):
                head.get_by_role("button").click()
                assert head.get_attribute("aria-sort") == sort
                assert page.locator("#people [aria-sort]").count() == 1
                texts = column(page, "#people", title)
                numbers = [float(one.replace(",", "").replace(MINUS, "-")) for one in texts]
                assert sorted(texts) == sorted(before)
                assert numbers == sorted(numbers, reverse=backwards)
            assert len(set(numbers)) > 2
            if title == "boxes":  # as text the order would be another
                assert texts != sorted(texts, reverse=True)


NUMBERS = """() => Array.from(document.querySelectorAll("table.sortable"), (table) =>
  Array.from(table.tHead.rows[0].cells, (head) => {
    head.firstElementChild.click();
    const rows = Array.from(table.tBodies[0].rows);
    return [head.textContent, rows.map((row) => row.cells[head.cellIndex].textContent.trim())];
  }))"""


def test_every_table_sorts_numbers_as_numbers(browser, report, kinds):
    paths = [
        report / "index.html",
        *sorted((report / "categories").iterdir())[:2],
        kinds["tracks"] / "index.html",
        kinds["outlines"] / "index.html",
    ]
    seen = 0
    with tab(browser) as witness:
        for path in paths:
            for table in witness.open(path).evaluate(NUMBERS):
                for title, texts in table:
                    plain = [one.lstrip("✕∗?✓· ").replace(MINUS, "-") for one in texts]  # noqa: RUF001
                    found = [re.match(r"[+-]?[0-9,.]+", one) for one in plain]
                    values = [float(one[0].replace(",", "")) for one in found if one]
                    if "rank" not in title:  # a range, sorted by what stands in the middle
                        assert values == sorted(values), (path, title, texts)
                    seen += len(values) > 1
    assert seen > 20


def test_annotators_are_searched(browser, report):
    with tab(browser, width=WIDTHS["phone"]) as witness:
        page = witness.open(report / "index.html")
        page.get_by_label("Search").fill("  BO")
        assert column(page, "#people", "annotator") == ["bob"]
        assert page.text_content("[data-found=people]") == "1 of 6"
        page.get_by_label("Search").fill("")
        assert len(column(page, "#people", "annotator")) == 6
        assert page.text_content("[data-found=people]") == ""
        assert witness.troubles == []


def test_a_picture_tells_what_is_under_the_pointer_and_leads_on(browser, report):
    with tab(browser) as witness:
        page = witness.open(report / "index.html")
        plot = page.locator("#picture-map .nsewdrag").first
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        at = box["x"] + box["width"] * 2.5 / 8, box["y"] + box["height"] * 0.5 / 6
        page.mouse.move(at[0] - 9, at[1])
        page.mouse.move(*at, steps=3)
        page.wait_for_selector("#picture-map .hovertext")
        told = page.text_content("#picture-map .hovertext")
        first = page.text_content("#picture-map .ytick text")
        assert told.startswith(f"{first}, right")
        assert "tolerances" in told
        page.mouse.click(*at)
        page.wait_for_url("**/annotators/*")
        assert page.text_content("h1") == first
        assert witness.troubles == []


def test_one_reads_from_the_overview_to_an_annotation_and_back(browser, report):
    with tab(browser, width=WIDTHS["phone"]) as witness:
        page = witness.open(report / "index.html")
        page.click("#people >> text=bob")
        drawn(page)
        assert page.text_content("h1") == "bob"
        assert "right edge" in page.text_content(".said")
        page.locator(".shot a").first.click()
        page.wait_for_selector(".shot:target")
        page.go_back()
        page.go_back()
        link = page.locator("#first ~ ol a").first
        place = link.get_attribute("href").split("#")[1]
        link.click()
        page.wait_for_selector(f"#{place}:target")
        drawn(page)
        assert page.locator(f"#{place}").is_visible()
        assert -1 <= page.locator(f"#{place}").bounding_box()["y"] < 800
        page.go_back()
        assert page.text_content("h1") == "Annotation quality"
        page.click("nav >> text=Problems")
        assert page.url.endswith("problems.html")
        assert witness.troubles == []


def test_the_queue_can_be_saved(browser, report):
    with tab(browser) as witness:
        page = witness.open(report / "index.html")
        link = page.locator(".downloads a").first
        with page.expect_download() as found:
            link.click()
        assert found.value.suggested_filename == "queue.csv"
        path = report / "review" / "queue.csv"
        assert found.value.path().read_bytes() == path.read_bytes()
        assert witness.troubles == []


def test_paper_has_no_controls_and_dark_ink_whatever_the_screen_is(browser, report):
    with tab(browser, dark=True) as witness:
        page = witness.open(report / "index.html")
        page.emulate_media(media="print", color_scheme="dark")
        for hidden in ("nav", "input", ".skip"):
            assert not page.locator(hidden).first.is_visible()
        assert page.locator("#people").is_visible()
        style = "() => [getComputedStyle(document.body).backgroundColor, "
        style += "getComputedStyle(document.body).color]"
        assert page.evaluate(style) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
        page.emulate_media(media="screen")
        page.evaluate("""() => { window.printed = [];
          addEventListener("beforeprint", () => {
            for (const one of document.querySelectorAll(".picture")) {
              const text = one.querySelector(".ytick text");
              window.printed.push([getComputedStyle(text).fill,
                one.querySelector(".main-svg").clientWidth]);
            }
          });
        }""")
        assert len(page.pdf(format="A4")) > 20_000
        printed = page.evaluate("window.printed")
        assert len(printed) >= 3
        assert {ink for ink, _ in printed} == {"rgb(0, 0, 0)"}
        assert all(wide <= 720 for _, wide in printed)
        drawn(page)
        after = page.locator(".picture .ytick text").first
        assert after.evaluate("one => getComputedStyle(one).fill") == "rgb(230, 234, 239)"
        assert witness.troubles == []


SHUT = (
    """() => Array.from(document.querySelectorAll("details")).filter((one) => !one.open).length"""
)


def test_on_paper_everything_is_open_and_afterwards_as_before(browser, kinds):
    [path] = (kinds["tracks"] / "annotators").glob("bob-*.html")
    with tab(browser) as witness:
        page = witness.open(path)
        before = page.evaluate(SHUT)
        assert before > 3
        page.evaluate(f"() => addEventListener('beforeprint', () => window.shut = ({SHUT})())")
        short = len(page.pdf(format="A4"))
        assert page.evaluate("window.shut") == 0
        assert page.evaluate(SHUT) == before
        assert short > 50_000
        assert witness.troubles == []


def test_a_picture_that_is_folded_away_is_drawn_when_it_is_opened(browser, kinds):
    [path] = (kinds["tracks"] / "annotators").glob("bob-*.html")
    with tab(browser) as witness:
        page = witness.open(path)
        folded = page.locator("details:not([open]):has(> .picture)").first
        picture = f"#{folded.locator('> .picture').get_attribute('id')} .main-svg"
        assert page.locator(picture).count() == 0
        folded.locator("summary").first.click()
        drawn(page)
        assert page.locator(picture).first.is_visible()
        assert witness.troubles == []


def test_without_scripts_there_are_numbers_and_no_holes(browser, report):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((report / "index.html").resolve().as_uri())
    assert page.locator(".picture").count() > 2
    assert not any(one.is_visible() for one in page.locator(".picture").all())
    assert not page.locator("input[type=search]").is_visible()
    assert page.locator("#people").is_visible()
    context.close()


def test_the_verdict_can_be_seen_on_a_phone(browser, report):
    [path] = (report / "annotators").glob("bob-*.html")
    with tab(browser, width=WIDTHS["phone"]) as witness:
        page = witness.open(path)
        for mark in page.locator("#findings .v").all():
            box = mark.bounding_box()
            assert box["x"] + box["width"] < WIDTHS["phone"]


def focus(page):
    """Say what has the focus: its tag, its text, and whether a ring around it can be seen."""
    return page.evaluate(
        """() => {
          const one = document.activeElement;
          const style = getComputedStyle(one);
          const box = one.getBoundingClientRect();
          return {
            tag: one.tagName, text: one.textContent.trim(), head: one.closest("th") !== null,
            ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
            inside: box.left >= 0 && box.top >= 0 && box.bottom <= innerHeight + 1,
          };
        }"""
    )


def test_the_keyboard_alone_is_enough(browser, report):
    with tab(browser) as witness:
        page = witness.open(report / "index.html")
        page.keyboard.press("Tab")
        skip = focus(page)
        assert skip["text"] == "To the contents"
        assert skip["ring"]
        assert skip["inside"]
        page.keyboard.press("Enter")
        assert page.url.endswith("#main")
        reached = []
        for _ in range(80):
            page.keyboard.press("Tab")
            found = focus(page)
            reached.append(found)
            assert found["ring"], found
            if found["head"] and found["text"] == "boxes":
                break
        assert found["text"] == "boxes"
        assert not any(one["text"] in {"Overview", "To the contents"} for one in reached)
        assert {"SUMMARY", "A", "INPUT", "BUTTON"} <= {one["tag"] for one in reached}
        head = page.locator("#people thead th", has_text="boxes")
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        page.keyboard.press("Space")
        assert head.get_attribute("aria-sort") == "descending"
        assert focus(page)["text"] == "boxes"
        assert witness.troubles == []


def test_a_crowd_of_158_is_soon_on_the_screen(browser, shared_data, tmp_path):
    crowd = shared_data / "crowd_boxes"
    audit = annqc.audit(crowd / "workers.json", crowd / "gold.json")
    with tab(browser) as witness:
        page = witness.open(audit.to_html(tmp_path / "report"))
        [painted] = page.evaluate(
            "() => performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)"
        )
        assert painted < 2_000
        page.set_viewport_size({"width": WIDTHS["phone"], "height": 844})
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollHeight") < 10_000
        assert witness.troubles == []
