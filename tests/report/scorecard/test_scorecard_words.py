"""What a page says is meant, and is seen on a phone."""

from __future__ import annotations

from annqc.report.scorecard.cells import edge_cells
from tests.report.browser import tab
from tests.report.scorecard.test_scorecard_pages import Page, cards_of, folder
from tests.run.scorecard_deliveries import audited

__all__ = ["folder"]  # the fixture


def test_words_of_a_page_mean_something(folder, tmp_path):
    """No column holds a sentence, and what a note explains is there."""
    for card in cards_of(folder):
        page = Page(folder / card["page"])
        assert "as many vendors as there are" not in page.text
        assert (
            "beyond what chance makes of 6 parts of the delivery" in page.text or not card["edges"]
        )
        more = any(edge_cells(one)["more"] for one in card["edges"])
        assert ("how many more images would settle it" in page.text) == more
    rules = [
        {"id": "rows", "measure": "unusable_rows", "at_most": 0},
        {"id": "edges", "measure": "edge_offset", "by": ["annotator"], "tolerance": "2 px"},
    ]
    spec = {"annqc": {"version": 1}, "rule": rules}
    audited().to_scorecard(tmp_path / "card", spec=spec, vendor="site")
    rows = {
        row[1].split()[0]: row
        for row in Page(tmp_path / "card/pages/loose-2.html").rows
        if len(row) == 6
    }
    assert rows["rows"][1] == "rows unusable rows at most 0: no unusable row"
    assert rows["rows"][2] == ""
    card = cards_of(tmp_path / "card")[1]
    share = f"({100 * card['checks'][1]['estimate_rel']:+.0f} %)"
    assert rows["edges"][3].endswith(f" px {share}")
    assert share in card["why"]  # both units, for a sentence may be in either


def test_nothing_is_cut_off_on_a_phone(folder, browser):
    with tab(browser, width=390) as witness:
        for path in (folder / "pages").iterdir():
            witness.page.goto(path.as_uri())
            ends = witness.page.evaluate(
                "[...document.querySelectorAll('td')].map(one => one.getBoundingClientRect().right)"
            )
            assert max(ends) <= 390
            labels = witness.page.evaluate(
                "[...document.querySelectorAll('td[data-label]')]"
                ".map(one => getComputedStyle(one, '::before').content)"
            )
            assert '"interval" " "' in labels or '"interval "' in labels
