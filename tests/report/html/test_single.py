"""A report of one file has all that the folder has, and every link in it leads somewhere in it."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from click.testing import CliRunner

import annqc
from annqc.cli import main
from annqc.errors import AnnqcError
from annqc.report.html.single import LINKS, REFERENCES, _Page, refuse_other
from annqc.write import write_coco


class Document(HTMLParser):
    """Ids, what refers to them, the text of each page, and scripts."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.used, self.links, self.pages = [], [], [], {}
        self.scripts, self.page, self.depth, self.inside = [], None, 0, False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.inside = tag in {"script", "style"}
        if tag == "script":
            self.scripts.append([given, ""])
        for name in REFERENCES[1:]:
            self.used += given.get(name, "").split()
        self.links += [given[name] for name in LINKS if name in given]
        if tag == "article":
            self.page = given["id"]
            self.pages[self.page] = ""

    def handle_endtag(self, tag):
        self.inside = False
        if tag == "article":
            self.page = None

    def handle_data(self, data):
        if self.inside:
            if self.scripts:
                self.scripts[-1][1] += data
        elif self.page:
            self.pages[self.page] += data


@pytest.fixture(scope="module")
def document(one_file):
    return Document(one_file.read_text(encoding="utf-8"))


def words(text):
    return " ".join(text.split())


def test_every_page_is_in_it_word_for_word(document, report):
    names = {p.relative_to(report).as_posix(): p for p in report.rglob("*.html")}
    assert {name.removesuffix(".html").replace("/", "-") for name in names} == set(document.pages)
    assert next(iter(document.pages)) == "index"
    for name, path in names.items():
        html = path.read_text(encoding="utf-8")
        [main] = re.findall(r"<main.*?>(.*)</main>", html, re.DOTALL)
        plain = Document(f"<article id=x>{main}</article>").pages["x"]
        key = name.removesuffix(".html").replace("/", "-")
        assert words(document.pages[key]).endswith(words(plain))
        assert words(document.pages[key]).startswith(words(re.search("<h1>(.*)</h1>", html)[1]))


def test_every_id_is_one_of_its_kind_and_every_reference_has_its_own(document):
    assert len(set(document.ids)) == len(document.ids)
    assert set(document.used) <= set(document.ids)
    inside = [one for one in document.links if one.startswith("#")]
    assert {one[1:] for one in inside} <= set(document.ids)
    others = {one.split(",")[0] for one in document.links if not one.startswith("#")}
    assert all(one.startswith("data:") for one in others), others
    figures = [json.loads(text) for given, text in document.scripts if "data-picture" in given]
    pages = [page for one in figures for page in one["layout"].get("meta", {}).get("pages", [])]
    assert pages
    assert {one[1:] for one in pages if one} <= set(document.ids)


def test_plotly_is_in_it_once_and_whole(document, one_file):
    [packed] = [text for given, text in document.scripts if given.get("id") == "plotly"]
    plotly = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    assert gzip.decompress(base64.b64decode(packed)) == plotly
    assert one_file.stat().st_size < 4e6


def test_scripts_run_by_their_nonce_and_nothing_is_loaded(document, one_file):
    text = one_file.read_text(encoding="utf-8")
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    rules = dict(one.split(" ", 1) for one in policy.split("; "))
    assert rules.pop("script-src") == f"'nonce-{re.search('nonce-([-_a-zA-Z0-9]{16,})', text)[1]}'"
    assert rules == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    for given, _ in document.scripts:
        kind = given.get("type", "")
        assert "src" not in given
        assert kind in {"application/json", "application/gzip"} or "nonce" in given
    assert not re.search(r"<[^>]*\son\w+=", re.sub("(?s)<script.*?</script>", "", text))


def test_links_between_pages_files_and_pictures_are_made_to_fit():
    contents = {
        "index.html": b"",
        "a/one.html": b"""<body><h1>x</h1><main id="main">
<svg viewBox="0 0 1 1"><rect fill="url(#dots)" data-note="fill=&#34;url(#dots)&#34;"/></svg>
<a href="../index.html#here">1</a><a href="#there">2</a><a href="#main">3</a>
<a href="../files/q.csv" download="other">4</a><a href="https://x.org/?a=1&amp;b=2#c">5</a>
<a href="../../out.html">6</a><img src="../files/p.png" alt="&lt;b&gt;">
<label for="q" title=" id=&#34;k&#34;">&amp;&#60;</label></main></body>""",
        "files/q.csv": b"a,b",
        "files/p.png": b"\x89PNG",
    }
    packed = base64.b64encode(gzip.compress(b"a,b", 9, mtime=0)).decode()
    main = _Page("a/one.html", contents).main
    assert main.split() == [
        *'<svg viewBox="0 0 1 1"><rect fill="url(#a-one--dots)"'.split(),
        'data-note="fill=&#34;url(#dots)&#34;"/></svg>',
        *'<a href="#index--here">1</a><a href="#a-one--there">2</a><a href="#main">3</a>'.split(),
        *f'<a href="data:application/gzip;base64,{packed}" download="q.csv.gz">4</a><a'.split(),
        'href="https://x.org/?a=1&amp;b=2#c">5</a>',
        *'<a href="../../out.html">6</a><img src="data:image/png;base64,iVBORw=="'.split(),
        'alt="&lt;b&gt;">',
        *'<label for="a-one--q" title=" id=&#34;k&#34;">&amp;&#60;</label>'.split(),
    ]


def test_it_replaces_its_like_and_nothing_else(seen, one_file, tmp_path):
    again = tmp_path / "again.html"
    again.write_bytes(one_file.read_bytes()[:2_000])
    assert seen.to_html(again, single_file=True) == again
    assert again.stat().st_size > 2_000
    (tmp_path / "empty.htm").touch()
    refuse_other(tmp_path / "empty.htm")
    mine = tmp_path / "mine.html"
    mine.write_text("<h1>mine</h1>", encoding="utf-8")
    with pytest.raises(AnnqcError, match="no report of annqc"):
        seen.to_html(mine, single_file=True)
    assert mine.read_text(encoding="utf-8") == "<h1>mine</h1>"
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(AnnqcError, match="no report of annqc"):
        seen.to_html(tmp_path / "folder.html", single_file=True)
    with pytest.raises(AnnqcError, match=r"report\.html"):
        seen.to_html(tmp_path / "report", single_file=True)
    with pytest.raises(AnnqcError, match="no such folder"):
        seen.to_html(tmp_path / "none" / "r.html", single_file=True)
    with pytest.raises(AnnqcError, match="one page"):
        seen.to_html(tmp_path / "r.html")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "again.html",
        "empty.htm",
        "folder.html",
        "mine.html",
    ]


def test_pseudonyms_hold_in_it(tmp_path):
    made = annqc.simulate(["zaphod-q", "trillian-q"], n_images=12, rng=4)
    audit = annqc.audit(made.work, made.gold)
    page = audit.to_html(tmp_path / "r.html", pseudonyms=True, single_file=True)
    text = re.sub("(?s)<script.*?</script>", "", page.read_text(encoding="utf-8"))
    assert "annotator 2" in text
    assert "zaphod" not in text.lower()


def test_the_command_tells_its_size(seen, tmp_path):
    gold = write_coco(seen.reference, tmp_path / "gold.json")
    work = write_coco(seen.candidate, tmp_path / "work.json")
    page = tmp_path / "r.html"
    call = ["audit", str(work), "--gold", str(gold), "--single-file"]
    done = CliRunner().invoke(main, [*call, "--html", str(page)])
    assert done.exit_code == 0
    size = page.stat().st_size
    assert f"r.html ({size / 1e6:.1f} MB)" in " ".join(done.output.split())
    wrong = CliRunner().invoke(main, [*call, "--html", str(tmp_path / "r")])
    assert wrong.exit_code == 2
    assert "call it r.html" in wrong.output
    none = CliRunner().invoke(main, call)
    assert none.exit_code == 2
    assert "--html" in none.output
