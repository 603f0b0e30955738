"""axe-core finds no serious fault of accessibility on any kind of page, light or dark."""

from __future__ import annotations

import pytest

from annqc.report.checks.html import page as page_of_checks
from tests.report.browser import skip, tab
from tests.report.checks_records import document
from tests.report.html.conftest import RULES

GRAVE = {"serious", "critical"}
CONTRAST = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}


@pytest.fixture(scope="module")
def axe():
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        skip("axe-playwright-python is not installed: make browser")
    return Axe()


@pytest.fixture
def witness(browser):
    with tab(browser) as found:
        yield found


def faults(axe, page):
    """Say what is grave in light, and in the dark; everything that can be opened is open."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    found = grave(axe.run(page).response)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(50)
    found += ["dark: " + one for one in grave(axe.run(page, options=CONTRAST).response)]
    page.emulate_media(color_scheme="light")
    return found


def grave(response):
    assert response["passes"] or response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['html'][:200]}"
        for one in response["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"][:5]
    ]


def test_faults_are_found(axe, witness):
    witness.page.set_content(
        """<html lang="en"><title>x</title><style>@media (prefers-color-scheme:
        dark) { body { background: #111; color: #333 } }</style><main>
        <h1>heading</h1><img src="data:,">"""
    )
    found = faults(axe, witness.page)
    assert [one.split(" (")[0] for one in found] == ["image-alt", "dark: color-contrast"]


def test_every_kind_of_page(axe, witness, report):
    pages = sorted(report.glob("*.html"))
    for folder in sorted(one for one in report.iterdir() if one.is_dir()):
        pages += sorted(folder.glob("*.html"))[:1]
    assert len(pages) >= 4
    for path in pages:
        assert faults(axe, witness.open(path)) == [], path


@pytest.mark.parametrize("kind", ["tracks", "outlines", "times"])
def test_what_only_some_reports_have(axe, witness, kinds, kind):
    folder = kinds[kind]
    paths = [next((folder / "annotators").iterdir())]
    if kind != "times":
        paths.append(folder / "index.html")
    for path in paths:
        assert faults(axe, witness.open(path)) == [], path


def test_the_report_of_one_file(axe, witness, one_file):
    page = witness.open(one_file, "#problems")
    assert page.locator("main > article.shown").count() == 1
    assert faults(axe, page) == []


def test_the_page_of_checks(axe, witness, tmp_path):
    path = tmp_path / "checks.html"
    path.write_text(page_of_checks(document()), encoding="utf-8")
    assert faults(axe, witness.open(path)) == []


def test_the_scorecard(axe, witness, seen, tmp_path):
    spec = {"annqc": {"version": 1}, "rule": RULES}
    page = seen.to_scorecard(tmp_path / "card", spec=spec, vendor="annotator")
    for path in (page, next((page.parent / "pages").glob("*.html"))):
        assert faults(axe, witness.open(path)) == [], path
    assert witness.troubles == []
    assert witness.outside(page.parent) == []
