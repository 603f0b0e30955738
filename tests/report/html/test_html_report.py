"""The report is one folder that works offline, tells the numbers of the audit, and harms nobody."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.errors import AnnqcError
from annqc.report.html.names import page_name, pseudonyms, with_pseudonyms
from annqc.report.html.paragraph import paragraph
from annqc.report.html.pictures import SHORT
from annqc.report.html.story import tell
from annqc.run.findings import findings_columns
from annqc.simulate import tracks
from annqc.tables import QUANTITIES
from annqc.write import write_coco
from tests.report.html.rows import sentences

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "<script>alert(1)</script>"
SCRIPTED = 'document.documentElement.classList.add("scripted");'
MINUS = "\N{MINUS SIGN}"
PATHS = "../../etc/pass\"wd'"
VOID = {"meta", "link", "br", "input", "img", "rect", "line"}


class Page(HTMLParser):
    """Tags with their attributes, the text of cells, and whether tags close as they should."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.figures: list[str] = []
        self.open: list[str] = []
        self.rows: list[list[str]] = []
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
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
            if self.tags[-1][1].get("type") == "application/json":
                self.figures.append(data)
            return
        self.text += data
        if self.rows and self.rows[-1] and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def pages(folder: Path) -> dict[str, Page]:
    return {p.relative_to(folder).as_posix(): Page(p) for p in sorted(folder.rglob("*.html"))}


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.html")}


@pytest.fixture(scope="module")
def audit():
    made = annqc.simulate(
        {
            "ann": [],
            EVIL: Habit.loose("right", px=6),
            PATHS: Habit.wrong_labels(0.2),
            "eve": Habit.misses(0.3),
        },
        n_images=40,
        rng=1,
    )
    return annqc.audit(made.work, made.gold, by=("annotator", "category"))


@pytest.fixture(scope="module")
def folder(audit, tmp_path_factory):
    there = tmp_path_factory.mktemp("reports") / "report"
    rule = {"id": "no-edge-bias", "measure": "edge_offset", "by": ["annotator"]}
    judgement = audit.judge({"annqc": {"version": 1}, "rule": [rule]})
    assert audit.to_html(there, judgement=judgement) == there / "index.html"
    return there


def test_every_file_is_where_it_belongs(folder, audit):
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    people = {one for one in files if one.startswith("annotators/")}
    other = {one for one in files if one.startswith(("categories/", "review/"))}
    assert files - people - other == {
        "index.html",
        "problems.html",
        "assets/plotly.min.js",
        "assets/app.js",
        "assets/style.css",
    }
    assert len(people) == len(audit.work.annotator_ids)
    assert all(re.fullmatch(r"annotators/[a-z0-9-]+-\d+\.html", one) for one in people)
    assert [p.name for p in folder.parent.iterdir()] == ["report"]


def test_nothing_is_loaded_from_elsewhere_and_every_link_leads_somewhere(folder):
    found = pages(folder)
    ids = {name: {a["id"] for _, a in page.tags if "id" in a} for name, page in found.items()}
    for name, page in found.items():
        assert len(ids[name]) == sum("id" in a for _, a in page.tags), "an id twice"
        for tag, attrs in page.tags:
            assert not {key for key in attrs if key.startswith("on")}, (name, tag)
            assert tag not in {"iframe", "object", "embed", "base", "form", "img"}
            for key in ("href", "src"):
                if key not in attrs:
                    continue
                parts = urlparse(attrs[key])
                assert (parts.scheme, parts.netloc) == ("", ""), attrs[key]
                target = name if not parts.path else None
                if target is None:
                    path = ((folder / name).parent / unquote(parts.path)).resolve()
                    assert path.is_file()
                    assert path.is_relative_to(folder.resolve())
                    target = path.relative_to(folder.resolve()).as_posix()
                if parts.fragment:
                    assert parts.fragment in ids[target], (name, attrs[key])
    style = (folder / "assets" / "style.css").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style
    script = (folder / "assets" / "app.js").read_text(encoding="utf-8")
    for word in ("http:", "https:", "innerHTML", "eval(", "fetch(", "document.write"):
        assert word not in script


def test_every_page_has_a_policy_and_runs_local_files_alone(folder):
    for page in pages(folder).values():
        [policy] = [
            a["content"]
            for a in page.all("meta")
            if a.get("http-equiv") == "Content-Security-Policy"
        ]
        rules = dict(one.split(" ", 1) for one in policy.split("; "))
        assert rules["default-src"] == "'none'"
        assert rules["base-uri"] == rules["form-action"] == "'none'"
        nonce = re.fullmatch(r"'nonce-([\w-]{16,})'", rules["script-src"])[1]
        for attrs in page.all("script"):
            if attrs.get("type") == "application/json":
                continue
            assert attrs["nonce"] == nonce
            if "src" in attrs:
                assert attrs["src"].endswith((".min.js", "app.js"))
        assert page.all("html") == [{"lang": "en"}]
        assert any(a.get("name") == "viewport" for a in page.all("meta"))


def test_a_new_report_has_a_new_nonce(audit, folder, tmp_path):
    again = audit.to_html(tmp_path / "r").read_text(encoding="utf-8")
    old = re.search(r"nonce-([\w-]+)", (folder / "index.html").read_text(encoding="utf-8"))[1]
    assert old not in again


def test_hostile_names_are_text_and_nothing_else(folder):
    raw = contents(folder)
    assert all(EVIL.encode() not in data for data in raw.values())
    found = pages(folder)
    assert EVIL in found["index.html"].text
    titles = [page for page in found.values() if EVIL in page.text.split("Overview")[0]]
    assert len(titles) == 1
    for page in found.values():
        assert {one for one in page.scripts if one not in page.figures} == {SCRIPTED}
        for script in page.figures:
            figure = json.loads(script)
            assert all("<" not in one for one in figure["layout"]["yaxis"].get("ticktext", []))
            assert "<script" not in json.dumps(figure)


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("../../etc/passwd", "etc-passwd-3.html"),
        (r"..\..\boot", "boot-3.html"),
        ("CON", "con-3.html"),
        ("a\0b\n", "a-b-3.html"),
        ("", "annotator-3.html"),
        ("Ünï", "uni-3.html"),
        (7, "7-3.html"),
    ],
)
def test_file_names_of_pages_are_harmless(name, page):
    assert page_name(name, 3) == page


def test_pages_tell_the_numbers_of_the_audit(folder, audit):
    bias = audit.annotator_findings(audit.by)
    columns = findings_columns(bias)
    expected = {}
    for k in range(len(columns["quantity"])):
        key = (columns["annotator"][k], columns["quantity"][k])
        expected[key] = {name: column[k] for name, column in columns.items()}
    seen = 0
    for name, page in pages(folder).items():
        if not name.startswith("annotators/"):
            continue
        [who] = [w for w in audit.work.annotator_ids if page.text.strip().startswith(w)]
        head = next(k for k, row in enumerate(page.rows) if row[:2] == ["quantity", "verdict"])
        rows = page.rows[head + 1 : head + 1 + len(QUANTITIES)]
        assert [row[0] for row in rows] == [SHORT[one] for one in QUANTITIES]
        for quantity, row in zip(QUANTITIES, rows, strict=True):
            want = expected[who, quantity]
            numbers = [float(x) for x in re.findall(r"[+-]?\d+\.\d+", row[2].replace(MINUS, "-"))]
            px = [want["estimate_px"], want["ci_low_px"], want["ci_high_px"]]
            assert numbers == pytest.approx(px, abs=0.00501)
            assert row[1].split()[1] == want["verdict"]
            assert int(row[5].replace(",", "")) == want["n"]
            assert int(row[6].replace(",", "")) == want["n_clusters"]
            seen += 1
    assert seen == len(expected)


def test_the_bias_map_holds_the_estimates(folder, audit):
    page = pages(folder)["index.html"]
    figures = [json.loads(one) for one in page.figures]
    heat = next(f for f in figures if f["data"][0]["type"] == "heatmap")
    names = heat["layout"]["yaxis"]["ticktext"]
    found = audit.annotator_findings(audit.by)
    view = dict(zip(found.groups.keys["annotator"].tolist(), range(4), strict=True))
    estimate = found.estimates.located["tolerance"].estimate
    rows = [i for i, name in enumerate(names) if name in view]
    assert len(rows) == 3  # the fourth has a name that is escaped
    for i in rows:
        np.testing.assert_allclose(heat["data"][0]["z"][i], estimate[view[names[i]]], atol=1e-4)


def test_figures_are_such_as_plotly_takes(folder):
    graph_objects = pytest.importorskip("plotly.graph_objects")
    for page in pages(folder).values():
        for script in page.figures:
            graph_objects.Figure(json.loads(script))


def test_every_picture_has_its_numbers_as_a_table(folder):
    for page in pages(folder).values():
        pictures = [a for a in page.all("div") if a.get("class") == "picture"]
        tables = [a for a in page.all("details") if a.get("class") == "numbers"]
        assert len(tables) == len(pictures)
        assert all(a["role"] == "img" and a["aria-label"] for a in pictures)
        assert all(a["aria-label"] for a in page.all("svg"))


def test_the_overview_shows_verdicts_and_checks(folder):
    page = pages(folder)["index.html"]
    assert "Checks of the spec" in page.text
    assert "no-edge-bias" in page.text
    tally = [a["class"] for a in page.all("span") if a.get("class", "").startswith("mark ")]
    assert "mark biased" in tally
    assert f"{EVIL} draws the right edge" in page.text


def test_a_person_is_told_no_more_than_is_known():
    made = annqc.simulate({"few": Habit.loose("left", px=9), "ann": []}, n_images=3, rng=2)
    audit = annqc.audit(made.work, made.gold)
    story = tell(audit, ("annotator",), veiled=False, checks=[])
    for person in story.people:
        said = " ".join(sentences(paragraph(story, person)))
        assert person.place == "too_few"
        assert "Nothing can be said of the edges" in said
        assert "draws" not in said
        assert "within tolerance" not in said


@pytest.mark.parametrize("said", ["undecided", "clean", "biased"])
def test_a_paragraph_says_the_verdict(said):
    habits = {"undecided": Habit.jitter(px=9), "clean": [], "biased": Habit.loose("top", px=8)}
    made = annqc.simulate({said: habits[said], "ann": []}, n_images=30, rng=5)
    story = tell(annqc.audit(made.work, made.gold), ("annotator",), veiled=False, checks=[])
    person = next(one for one in story.people if one.name == said)
    assert person.place == said
    text = " ".join(sentences(paragraph(story, person)))
    assert ("Undecided:" in text) == (said == "undecided")
    assert ("All four edges are shown to be within" in text) == (said == "clean")
    assert ("draws the top edge" in text) == (said == "biased")


def test_pseudonyms_hide_names_everywhere_and_change_no_number(tmp_path):
    made = annqc.simulate(
        {"zaphod-q": [], "trillian-q": Habit.loose("left", px=6), "marvin-q": Habit.misses(0.3)},
        n_images=30,
        rng=4,
    )
    gold = write_coco(made.gold, tmp_path / "gold-by-zaphod-q.json")
    work = write_coco(made.work, tmp_path / "work-of-marvin-q.json")
    audit = annqc.audit(work, gold)
    rule = {"id": "edges", "measure": "edge_offset", "by": ["annotator"]}
    judgement = audit.judge({"annqc": {"version": 1}, "rule": [rule]})
    page = audit.to_html(tmp_path / "r", judgement=judgement, pseudonyms=True)
    for name, data in contents(page.parent).items():
        for who in (b"zaphod", b"trillian", b"marvin"):
            assert who not in data.lower()
            assert who not in name.encode()
    assert "annotator 3" in pages(page.parent)["index.html"].text
    given = pseudonyms(audit)
    assert {given[f"{who}-q"] for who in ("zaphod", "trillian", "marvin")} == {
        "annotator 1",
        "annotator 2",
        "annotator 3",
    }
    assert pseudonyms(annqc.audit(work, gold)) == given
    other = with_pseudonyms(audit, given)
    old, new = audit.bias_columns(), other.bias_columns()
    assert [given[who] for who in old["annotator"]] == new["annotator"].tolist()
    for name in ("estimate_px", "ci_low", "ci_high", "p_adjusted"):
        np.testing.assert_array_equal(old[name], new[name])
    assert old["verdict"].tolist() == new["verdict"].tolist()


def test_a_report_is_replaced_and_nothing_else_is(audit, folder, tmp_path):
    there = tmp_path / "r"
    there.mkdir()
    audit.to_html(there)
    (there / "annotators" / "stale-99.html").write_text("old", encoding="utf-8")
    audit.to_html(there)
    assert sorted(contents(there)) == sorted(contents(folder))
    (there / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(AnnqcError, match="no report of annqc"):
        audit.to_html(there)
    assert (there / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["index.html", "annotators/mine.txt", "assets/logo.png", "x"])
def test_a_foreign_folder_is_left_alone(audit, tmp_path, name):
    there = tmp_path / "site" / name
    there.parent.mkdir(parents=True)
    there.write_text("<h1>mine</h1>", encoding="utf-8")
    with pytest.raises(AnnqcError, match="would be overwritten"):
        audit.to_html(tmp_path / "site")
    assert there.read_text(encoding="utf-8") == "<h1>mine</h1>"
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_a_link_and_a_missing_folder_are_refused(audit, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(AnnqcError, match="no report of annqc"):
        audit.to_html(tmp_path / "link")
    with pytest.raises(AnnqcError, match="no such folder"):
        audit.to_html(tmp_path / "none" / "r")


def test_anonymous_work_has_one_page_and_accuses_nobody(tmp_path):
    made = annqc.simulate({"anonymous": Habit.loose("left", px=6)}, n_images=30, rng=1)
    audit = annqc.audit(made.work, made.gold)
    page = audit.to_html(tmp_path / "r")
    assert [p.name for p in (page.parent / "annotators").iterdir()] == ["all-1.html"]
    assert "all of the work together" in pages(page.parent)["annotators/all-1.html"].text


def test_work_without_gold_says_so(tmp_path):
    made = annqc.simulate(["ann", "ben", "eve", "joe"], n_images=30, rng=1)
    page = annqc.audit(made.work).to_html(tmp_path / "r")
    assert "a consensus of the others" in pages(page.parent)["index.html"].text


def test_videos_and_odd_ids_have_pages_too(tmp_path):
    made = tracks(["7", "ann"], n_sequences=1, n_tracks=3, n_frames=60, rng=1)
    page = annqc.audit(made.work, made.gold).to_html(tmp_path / "r")
    assert "Scores of tracking" in pages(page.parent)["index.html"].text
    frame = annqc.simulate(["ann", "ben"], n_images=12, rng=1).work.annotations
    gold = frame[frame["annotator"] == "ann"].drop(columns="annotator")
    work = frame.assign(annotator=frame["annotator"].map({"ann": 7, "ben": 8}))
    page = annqc.audit(work, gold).to_html(tmp_path / "s")
    assert {p.name[0] for p in (page.parent / "annotators").iterdir()} == {"7", "8"}


def test_a_crowd_of_158_fits(tmp_path, shared_data):
    crowd = shared_data / "crowd_boxes"
    audit = annqc.audit(crowd / "workers.json", crowd / "gold.json")
    start = time.perf_counter()
    page = audit.to_html(tmp_path / "r")
    assert time.perf_counter() - start < 20
    sizes = {p: p.stat().st_size for p in page.parent.rglob("*") if p.is_file()}
    assert sum(sizes.values()) < 15e6
    assert sizes[page] < 1e6
    assert len(list((page.parent / "annotators").iterdir())) == 158
