"""The report of one file in a browser: one page at a time, links, the way back, and no network."""

from __future__ import annotations

from tests.report.browser import WIDTHS, column, drawn, tab, too_wide


def shown(page):
    """Name the pages that can be seen."""
    return page.evaluate(
        """() => Array.from(document.querySelectorAll("main > article"))
          .filter((one) => one.checkVisibility()).map((one) => one.dataset.page)"""
    )


def test_every_page_is_shown_alone_and_its_pictures_are_drawn(browser, one_file):
    with tab(browser, width=WIDTHS["phone"]) as witness:
        page = witness.open(one_file)
        articles = page.locator("main > article").all()
        keys = [one.get_attribute("data-page") for one in articles]
        assert shown(page) == ["index"]
        assert len(keys) >= 8
        for key in keys:
            page.evaluate("key => { window.location.hash = key }", key)
            page.wait_for_selector(f"article[data-page='{key}']")
            drawn(page)
            assert shown(page) == [key]
            assert too_wide(page) == [], key
            assert page.title() == page.text_content("article.shown h1")
            page.wait_for_function("() => window.scrollY === 0")
        assert witness.troubles == []
        assert witness.outside(one_file) == []
        files = [one.split("#")[0] for one in witness.requests if one.startswith("file:")]
        assert set(files) == {one_file.resolve().as_uri()}


def test_one_reads_on_and_comes_back_to_where_one_was(browser, one_file):
    with tab(browser) as witness:
        page = witness.open(one_file)
        page.locator("#index--people button", has_text="boxes").click()
        numbers = [int(one) for one in column(page, "#index--people", "boxes")]
        assert numbers == sorted(numbers)
        page.locator("[data-search=index--people]").fill("bob")
        assert column(page, "#index--people", "annotator") == ["bob"]
        link = page.locator("#index--people >> text=bob")
        link.scroll_into_view_if_needed()
        page.wait_for_timeout(100)
        before = page.evaluate("window.scrollY")
        assert before > 500
        link.click()
        drawn(page)
        assert page.evaluate("document.activeElement.textContent") == "bob"
        assert page.title() == "bob"
        page.locator("article.shown .shot a").first.click()
        page.wait_for_selector(".shot:target")
        assert page.evaluate("window.scrollY") > 500
        page.go_back()
        page.go_back()
        page.wait_for_function("() => document.title === 'Annotation quality'")
        assert shown(page) == ["index"]
        assert abs(page.evaluate("window.scrollY") - before) < 2
        page.click("nav >> text=Problems")
        assert shown(page) == ["problems"]
        page.keyboard.press("Home")
        assert witness.troubles == []


def test_an_annotation_can_be_linked_to_from_without(browser, one_file):
    with tab(browser) as witness:
        page = witness.open(one_file)
        href = page.locator("#index--first ~ ol a").first.get_attribute("href")
        page.goto("about:blank")
        witness.open(one_file, href)
        assert page.locator(href).is_visible()
        assert shown(page) == [href[1:].split("--")[0]]
        assert page.locator(href).evaluate(
            "one => { const box = one.getBoundingClientRect();"
            " return box.top >= 0 && box.top < innerHeight }"
        )
        assert witness.troubles == []


def test_files_inside_are_saved_unpacked(browser, one_file, report):
    with tab(browser) as witness:
        page = witness.open(one_file)
        with page.expect_download() as found:
            page.locator("article.shown .downloads a").first.click()
        assert found.value.suggested_filename == "queue.csv"
        path = report / "review" / "queue.csv"
        assert found.value.path().read_bytes() == path.read_bytes()
        assert witness.troubles == []


def test_without_scripts_all_pages_can_be_read(browser, one_file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(one_file.resolve().as_uri())
    headings = page.locator("main > article > h1")
    assert headings.count() >= 8
    assert all(one.is_visible() for one in headings.all())
    assert page.locator("[id$='--findings']").first.is_visible()
    assert not any(one.is_visible() for one in page.locator(".picture, [data-search]").all())
    context.close()


def test_a_browser_that_cannot_unpack_shows_the_numbers(browser, one_file):
    with tab(browser) as witness:
        witness.page.add_init_script("delete window.DecompressionStream")
        page = witness.open(one_file)
        assert shown(page) == ["index"]
        assert not any(one.is_visible() for one in page.locator(".picture").all())
        page.locator("#index--people button", has_text="boxes").click()
        page.click("nav >> text=Problems")
        assert shown(page) == ["problems"]
        assert witness.troubles == []


def test_a_link_that_is_no_text_harms_nothing(browser, one_file):
    with tab(browser) as witness:
        page = witness.open(one_file, "#100%")
        assert shown(page) == ["index"]
        assert page.locator(".picture .main-svg").count() > 2
        page.evaluate("() => { window.location.hash = '%E0%A4%A' }")
        page.wait_for_timeout(100)
        assert shown(page) == ["index"]
        assert witness.troubles == []
