"""Pages say what was found, what was not checked, and fit on paper."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urlparse

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.report.scorecard.biasbox import bias_drawing
from annqc.report.scorecard.period import period_of
from annqc.run.times import times_of
from annqc.tables import EDGES, Problem
from annqc.write import write_coco
from tests.report.browser import tab
from tests.run.scorecard_deliveries import EVIL, audited, by_vendor, vendor_of, with_columns

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)
VOID = {"meta", "link", "br", "img"}


class Page(HTMLParser):
    """Tags, the text, the cells of tables, and whether tags close as they should."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.text, self.open, self.rows = [], "", [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def not_checked(folder, at=0):
    document = json.loads((folder / "scorecard.json").read_text(encoding="utf-8"))
    return document["pages"][at]["not_checked"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    audit = audited()
    lots = [f"lot {1 + k % 2}" for k in audit.work.table.image.tolist()]
    days = [f"2026-03-{1 + k % 28:02d}T09:00:00" for k in audit.work.table.image.tolist()]
    sites = audit.work.table.extra["site"].tolist()
    audit = with_columns(audit, site=sites, lot=lots, created_at=days)
    there = tmp_path_factory.mktemp("pages") / "card"
    audit.to_scorecard(there, spec="specs/boxes.annqc.toml", vendor="site", batch="lot")
    return there


def test_there_is_a_page_for_every_vendor_and_batch(folder):
    found = sorted(one.name for one in (folder / "pages").iterdir())
    assert found == [
        "good-lot-1-1.html",
        "good-lot-2-2.html",
        "loose-lot-1-3.html",
        "loose-lot-2-4.html",
        "tiny-lot-1-5.html",
        "tiny-lot-2-6.html",
    ]


def test_pages_are_whole_and_load_nothing(folder):
    pages = [folder / "index.html", *(folder / "pages").iterdir()]
    for path in pages:
        page = Page(path)
        assert "script" not in {tag for tag, _ in page.tags}
        for _, attrs in page.tags:
            assert "style" not in attrs
            for name in ("href", "src"):
                if attrs.get(name):
                    target = urlparse(attrs[name])
                    assert (target.scheme, target.netloc) == ("", "")
                    assert (path.parent / target.path).exists()


def test_a_page_has_the_numbers_and_the_words(folder):
    document = json.loads((folder / "scorecard.json").read_text(encoding="utf-8"))
    card = next(one for one in document["pages"] if one["verdict"] == "refused")
    page = Page(folder / card["page"])
    assert card["period"]["first"] == "2026-03-01"
    assert f"Work of 2026-03-01 to {card['period']['last']} (created_at, UTC)" in page.text
    assert card["sentence"] in page.text
    cells = {row[0]: row[1:] for row in page.rows if row}
    recall = card["scores"]["recall"]
    assert cells["recall"][0] == f"{recall['estimate']:.3f}"
    assert cells["recall"][1] == f"{recall['ci_low']:.3f} to {recall['ci_high']:.3f}"
    assert cells["images drawn on"] == [f"{card['samples']['images_drawn_on']:,}"]
    right = next(one for one in card["edges"] if one["quantity"] == "out_right")
    assert cells["right edge"][0].startswith(f"+{right['estimate_px']:.1f} ")
    assert "biased" in cells["right edge"][-1]
    (picture,) = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert f"right edge +{right['estimate_px']:.1f} px" in picture["aria-label"]
    for one in card["not_checked"]:
        assert one in page.text


def test_the_index_is_by_name_and_has_intervals_and_ranks(folder):
    page = Page(folder / "index.html")
    rows = page.rows[1:7]
    assert [row[:2] for row in rows] == [
        [vendor, f"lot {k}"] for vendor in ("good", "loose", "tiny") for k in (1, 2)
    ]
    heads = page.rows[0]
    assert heads[:5] == ["vendor", "batch", "verdict", "why", "images"]
    document = json.loads((folder / "scorecard.json").read_text(encoding="utf-8"))
    for row, card in zip(rows, document["pages"], strict=True):
        assert row[3] == card["why"]
        edge = row[heads.index("worst edge, px")]
        iou = row[heads.index("mean IoU")]
        seen = card["scores"]["mean_iou"]["n_clusters"]
        assert f"{seen} image" in iou
        assert " to " in iou or seen < 5
        assert " to " in edge or seen < 5
    assert "pages whose ranks overlap cannot be put in order" in page.text
    # Two equally good batches of one vendor, and two equally bad ones.
    assert [row[-1].strip() for row in rows] == ["1 to 2", "1 to 2", "3 to 4", "3 to 4", "–", "–"]  # noqa: RUF001


def cards_of(folder):
    return json.loads((folder / "scorecard.json").read_text(encoding="utf-8"))["pages"]


def test_a_column_that_says_the_same_on_every_line_is_a_sentence(tmp_path):
    alike = annqc.simulate({f"v{k}": [] for k in range(4)}, n_images=60, overlap=2, rng=4)
    audit = annqc.audit(alike.work, alike.gold)
    page = Page(audit.to_scorecard(tmp_path / "card", vendor="annotator"))
    assert not {"labels", "rank, between"} & set(page.rows[0])
    lows = [one["scores"]["label_accuracy"]["ci_low"] for one in cards_of(tmp_path / "card")]
    said = f"labels: 1.000 for all vendors, intervals within {min(lows):.3f} to 1.000."
    assert said in page.text
    assert "rank: 1 to 4 for all vendors, so no order can be told." in page.text
    assert "mean IoU" in page.rows[0]


def test_a_page_says_what_it_was_made_of(tmp_path):
    made = annqc.simulate(["ann", "bob"], n_images=20, rng=1)
    write_coco(made.gold, tmp_path / "gold.json")
    write_coco(made.work, tmp_path / "work.json")
    audit = annqc.audit(tmp_path / "work.json", tmp_path / "gold.json")
    index = audit.to_scorecard(tmp_path / "card", vendor="annotator")
    digest = hashlib.sha256((tmp_path / "work.json").read_bytes()).hexdigest()[:12]
    for path in [index, *(tmp_path / "card" / "pages").iterdir()]:
        assert f"Compared: work work.json (SHA-256 {digest}); gold gold.json" in Page(path).text
    assert digest in (tmp_path / "card" / "summary.md").read_text(encoding="utf-8")
    document = json.loads((tmp_path / "card" / "scorecard.json").read_text(encoding="utf-8"))
    card = document["pages"][0]
    assert card["samples"]["objects_asked"] == card["scores"]["recall"]["n"]


def test_two_tolerances_stand_beside_what_they_give(tmp_path):
    """Loose-0 is 6 px off: biased at the tolerance of the audit, and within that of the rule."""
    rule = {"id": "edges", "measure": "edge_offset", "by": ["annotator"]}
    for tolerance, beside in (("12 px", True), ("max(1 px, 2 %)", False)):
        spec = {"annqc": {"version": 1}, "rule": [{**rule, "tolerance": tolerance}]}
        audited().to_scorecard(tmp_path / "card", spec=spec, vendor="site")
        text = Page(tmp_path / "card" / "pages" / "loose-2.html").text
        line = next(one for one in text.splitlines() if one.startswith("biased loose-0 draws"))
        assert line.endswith("(tolerance max(1 px, 2 %))") == beside
        assert f"edge offset within {tolerance}, by annotator" in text


def test_times_that_cannot_be_read_are_told_in_the_header(tmp_path):
    audit = audited()
    n = len(audit.work)
    days = ["2026-03-01", *["03/04/2024"] * (n - 1)]
    audit = with_columns(audit, created_at=days)
    page = audit.to_scorecard(tmp_path / "card").parent / "pages" / "delivery-1.html"
    said = f"(created_at, UTC; {n - 1:,} of {n:,} boxes without a readable time)"
    assert said in Page(page).text


def test_bands_of_the_bias_box_do_not_cover_each_other():
    for values in itertools.product((-9.0, -1.0, 0.3, 9.0), repeat=4):
        edges = [
            {
                "quantity": name,
                "name": name,
                "verdict": "biased",
                **{f"{end}{unit}": value for end in ("estimate",) for unit in ("", "_px")},
                **{f"ci_low{unit}": value - 2 for unit in ("", "_px")},
                **{f"ci_high{unit}": value + 2 for unit in ("", "_px")},
            }
            for name, value in zip(EDGES, values, strict=True)
        ]
        box = bias_drawing(edges)
        assert box["cut"] == (max(map(abs, values)) + 2 > 2.5)
        bands = [one["band"] for one in box["sides"]]
        for one, other in itertools.combinations(bands, 2):
            assert apart(one, other)
        for x, y, width, height in bands:
            assert x >= 0
            assert y >= 0
            assert x + width <= box["width"]
            assert y + height <= box["height"]


def apart(one, other):
    return any(one[k] + one[k + 2] <= other[k] or other[k] + other[k + 2] <= one[k] for k in (0, 1))


@pytest.mark.parametrize("media", ["screen", "print"])
def test_the_bias_box_is_large_enough_to_be_read(folder, browser, media):
    with tab(browser, width=794) as witness:
        page = witness.page
        page.emulate_media(media=media)
        page.goto((folder / "pages" / "loose-lot-1-3.html").as_uri())
        gold = page.locator(".biasbox .gold").bounding_box()
        labels = [one.bounding_box() for one in page.locator(".biasbox text").all()]
    assert gold["width"] >= 100
    assert all(one["height"] >= 10.5 for one in labels)  # pixels of CSS: 8 points
    rects = [(one["x"], one["y"], one["width"], one["height"]) for one in labels]
    assert all(apart(one, other) for one, other in itertools.combinations(rects, 2))


def test_colours_are_never_alone(folder):
    for path in [folder / "index.html", *(folder / "pages").iterdir()]:
        text = path.read_text(encoding="utf-8")
        for found in re.findall(r'<span class="(?:v|verdict) [a-z_]+">(.*?)</span></?[a-z]', text):
            assert re.search("[a-z]{4}", found)


def test_what_was_not_checked_comes_from_facts(folder, tmp_path):
    said = not_checked(folder)
    assert not any("change over time: " in one for one in said)
    assert not any("no rule of the spec" in one for one in said)
    rule = {"id": "r", "measure": "recall", "at_least": 0.9, "by": []}
    spec = {"annqc": {"version": 1}, "rule": [rule]}
    audited().to_scorecard(tmp_path / "card", spec=spec, vendor="site")
    said = not_checked(tmp_path / "card")
    expected = "edges, precision, labels, mean IoU, missing images, unusable rows"
    assert f"no rule of the spec asks for {expected}" in said
    assert "change over time: no column says when the work was done" in said


def test_who_has_too_few_images_is_named(folder):
    # Tiny has four images in two lots.
    assert any(
        one.startswith("the edges of 1 annotator with fewer than 5 images: tiny-0")
        for one in not_checked(folder, 4)
    )


def test_categories_that_were_not_there_are_named(tmp_path):
    made = annqc.simulate(["ann", "bob"], n_images=20, overlap=1, categories=3, rng=1)
    bob = made.work.annotator_ids.tolist().index("bob")
    some = np.unique(made.work.table.image[made.work.table.annotator == bob])
    at = np.flatnonzero(np.isin(made.gold.table.image, some))[0]
    category = made.gold.table.category.copy()
    category[:] = 0
    category[at] = 2
    gold = replace(made.gold, table=replace(made.gold.table, category=category))
    annqc.audit(made.work, gold).to_scorecard(tmp_path / "card", vendor="annotator")
    absent = str(gold.category_names[2])
    said = not_checked(tmp_path / "card")
    assert any(one.startswith(f"of the gold's categories {absent} was on none of") for one in said)
    few = not_checked(tmp_path / "card", 1)
    assert f"categories on fewer than 5 images, by themselves: {absent} (1)" in few


def test_unusable_rows_of_a_vendor_are_told_on_their_page_alone(tmp_path):
    audit = audited()
    said = {"kind": "zero_size", "severity": "dropped", "source": "f", "where": "1", "message": "m"}
    work = audit.work.with_issues([Problem(**said, annotator="good-1")])
    annqc.audit(work, audit.gold).to_scorecard(tmp_path / "card", vendor="site")
    sentence = "1 row that cannot be used (1 zero_size)"
    assert any(one.startswith(sentence) for one in not_checked(tmp_path / "card", 0))
    assert not any(one.startswith(sentence) for one in not_checked(tmp_path / "card", 1))


def test_work_that_does_not_say_what_was_asked_for_says_so(tmp_path):
    audit = audited()
    work = replace(audit.work, assigned=None)
    annqc.audit(work, audit.gold).to_scorecard(tmp_path / "card", vendor="site")
    assert any("does not say what was asked for" in one for one in not_checked(tmp_path / "card"))


@pytest.mark.parametrize(
    ("cells", "first", "last", "without"),
    [
        (["2026-03-02", "2026-03-01T23:00:00Z", None], "2026-03-01", "2026-03-02", 1),
        ([1_772_323_200, 1_772_409_600.5, "soon"], "2026-03-01", "2026-03-02", 1),
        ([1_772_323_200_000, 1_772_409_600_000, float("nan")], "2026-03-01", "2026-03-02", 1),
        # A day in New York is over when it is the next one in Greenwich, and that is what is said.
        (["2024-03-31T23:30-05:00", "2024-04-01", "3/4"], "2024-04-01", "2024-04-01", 1),
        (["0001-01-01T00:00:00+14:00", "2026-03-01", 7], "2026-03-01", "2026-03-01", 2),
    ],
)
def test_times_are_read_in_many_ways(cells, first, last, without):
    made = annqc.simulate(["ann"], n_images=3, boxes_per_image=[1, 1, 1], rng=1)
    table = made.work.table.take(np.arange(3))
    extra = {"created_at": np.array(cells, dtype=object)}
    work = replace(made.work, table=replace(table, extra=extra))
    assert period_of(times_of(work), np.arange(3)) == {
        "column": "created_at",
        "first": first,
        "last": last,
        "zone": "UTC",
        "n_without": without,
    }


def test_columns_of_pandas_times_are_read():
    made = annqc.simulate(["ann"], n_images=3, boxes_per_image=[1, 1, 1], rng=1)
    times = np.array(["2026-03-01", "2026-03-03", "NaT"], dtype="datetime64[ns]")
    table = replace(made.work.table.take(np.arange(3)), extra={"timestamp": times})
    found = period_of(times_of(replace(made.work, table=table)), np.arange(3))
    assert (found["first"], found["last"], found["n_without"]) == ("2026-03-01", "2026-03-03", 1)


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
@pytest.mark.parametrize("page", ["good-lot-1-1", "loose-lot-2-4", "tiny-lot-1-5"])
def test_a_page_of_a_normal_vendor_is_one_sheet_of_paper(folder, tmp_path, page):
    assert printed(folder / "pages" / f"{page}.html", tmp_path) == 1


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
def test_a_vendor_of_thirty_with_hostile_names_is_one_sheet_too(tmp_path):
    who = {f"worker-{k}": [] for k in range(27)}
    who |= {
        EVIL: Habit.loose("left", px=6),
        "x" * 300: Habit.misses(0.3),
        "a\nb": Habit.shift(dx=9),
    }
    made = annqc.simulate(who, n_images=120, overlap=2, rng=5)
    audit = annqc.audit(made.work, made.gold)
    audit.to_scorecard(tmp_path / "card", spec="specs/boxes.annqc.toml")
    page = tmp_path / "card" / "pages" / "delivery-1.html"
    assert printed(page, tmp_path) == 1


def printed(page, folder):
    """Print a page and count the sheets."""
    target = folder / "page.pdf"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    options += [f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={target}"]
    done = subprocess.run(
        [BROWSER, *options, page.as_uri()], capture_output=True, timeout=120, check=True
    )
    assert b"Content Security Policy" not in done.stderr
    return len(re.findall(rb"/Type\s*/Page\b", target.read_bytes()))


def test_vendors_of_the_example_are_what_their_names_say():
    names = by_vendor().work.annotator_ids.tolist()
    assert {vendor_of(name) for name in names} == {"good", "loose", "tiny"}
