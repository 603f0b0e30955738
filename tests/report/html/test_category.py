"""Pages of categories show what the audit says of them; names do no harm, and pages are few."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import annqc
from annqc import Habit
from annqc.ids import ids_array
from annqc.report.html import category as pages
from annqc.report.html.texts import kind_text
from annqc.tables import EDGES
from tests.report.html.rows import figures, numbers, table

EVIL = "<script>alert(1)</script>"
PATHS = "../../etc/passwd"
NAMES = (EVIL, PATHS, "all", "山", "a\u202eb")


def named(made, names):
    """Call categories by other names."""
    ids = ids_array(list(names))
    gold, work = (replace(one, category_names=ids) for one in (made.gold, made.work))
    return annqc.audit(work, gold)


@pytest.fixture(scope="module")
def audit():
    made = annqc.simulate(
        {"ann": [], "bob": Habit.loose("right", px=5), "eve": Habit.wrong_labels(0.3)},
        n_images=50,
        rng=1,
    )
    assert len(made.gold.category_names) == len(NAMES)
    return named(made, NAMES)


@pytest.fixture(scope="module")
def folder(audit, tmp_path_factory):
    return audit.to_html(tmp_path_factory.mktemp("c") / "r").parent


def page(folder, name):
    rows = (folder / "categories" / "all.html").read_text(encoding="utf-8")
    for link, text in re.findall(r'<th scope="row"><a href="([^"]+)">(.*?)</a>', rows):
        if text == name:
            return folder / "categories" / link
    raise AssertionError(name)


def test_file_names_are_harmless_and_names_are_text(folder):
    files = sorted(one.name for one in (folder / "categories").iterdir())
    assert len(files) == len(NAMES) + 1
    assert all(re.fullmatch(r"[a-z0-9-]+\.html", one) for one in files)
    assert sum(one.startswith("category-") for one in files) == 1  # 山
    for path in folder.rglob("*.html"):
        assert EVIL not in path.read_text(encoding="utf-8")
    assert not (folder.parent / "etc").exists()


@pytest.mark.parametrize("name", [PATHS, "all", "山"])
def test_edges_by_annotator_are_those_of_the_audit(audit, folder, name):
    whole = audit.bias(by="category").set_index(["category", "quantity"])
    parts = audit.bias(by=("annotator", "category")).set_index(
        ["annotator", "category", "quantity"]
    )
    rates = audit.scores(by=("annotator", "category")).set_index(["annotator", "category"])
    head, together, *rows = table(page(folder, name), 'aria-label="Edges by annotator"')
    assert len(rows) == 3
    for row in (together, *rows):
        for edge, cell in zip(EDGES, row[1:5], strict=True):
            where = (name, edge) if row is together else (row[0], name, edge)
            want = (whole if row is together else parts).loc[where]
            names = ("estimate_px", "ci_low_px", "ci_high_px", "n_clusters")
            assert numbers(cell) == pytest.approx([want[one] for one in names], abs=0.0501)
        keys = [(name, edge) if row is together else (row[0], name, edge) for edge in EDGES]
        pairs = [(whole if row is together else parts).loc[one, "n"] for one in keys]
        assert numbers(row[7]) == sorted({min(pairs), max(pairs)})
        if row is not together:
            for rate, cell in zip(("recall", "precision"), row[5:7], strict=True):
                one = rates.loc[(row[0], name)]
                shown, low, high, n = numbers(cell)
                assert n == one[f"{rate}_n_clusters"]
                # Rounded so that neither the rate nor its interval says more than is known.
                assert shown == pytest.approx(one[rate], abs=0.0101 if one[rate] > 0.99 else 0.0051)
                assert (shown == 1.0) == (one[rate] == 1.0)
                assert 0 <= one[f"{rate}_low"] - low < 0.01
                assert 0 <= high - one[f"{rate}_high"] < 0.01
    assert len(head) == 8


def test_the_picture_is_the_table_in_colours(audit, folder):
    parts = audit.bias(by=("annotator", "category")).set_index(
        ["annotator", "category", "quantity"]
    )
    picture = figures(page(folder, "all"))["picture-edges"]
    names = picture["layout"]["yaxis"]["ticktext"]
    assert names[0] == "all together"
    for name, row in list(zip(names, picture["data"][0]["z"], strict=True))[1:]:
        wanted = [parts.loc[(name, "all", edge), "estimate"] for edge in EDGES]
        np.testing.assert_allclose(row, wanted, atol=1e-4)


def test_confusions_run_both_ways(audit, folder):
    pairs = audit.pairs
    wrong = pairs[pairs["status"] == "mislabelled"]
    text = page(folder, "all").read_text(encoding="utf-8")
    for title, mine, other in (
        ("Drawn as something else", "category", "candidate_category"),
        ("Something else drawn as this", "candidate_category", "category"),
    ):
        wanted = Counter(wrong.loc[wrong[mine] == "all", other].tolist())
        part = text.split(f"<h3>{title}</h3>")[1].split("</table>")[0]
        counts = [int(n) for n in re.findall(r"<td>(\d+)</td>", part)]
        assert counts == sorted(wanted.values(), reverse=True)


def test_missed_and_spurious_are_counted(folder, audit):
    errors = audit.errors()
    for name in ("all", PATHS):
        text = page(folder, name).read_text(encoding="utf-8")
        section = text.split('<h2 id="errors">')[1]
        for kind, n in errors.loc[errors["category"] == name, "kind"].value_counts().items():
            assert f"{kind_text(kind)}: {n}" in section


def test_only_categories_with_evidence_have_pages(monkeypatch, tmp_path):
    """Of 300 categories ten have a page; all are in the table, and it says so."""
    monkeypatch.setattr(pages, "MOST_PAGES", 10)
    rng = np.random.default_rng(0)
    made = annqc.simulate(["ann", "bob"], n_images=300, rng=1)
    share = 1 / np.arange(1, 301)
    code = rng.choice(300, size=len(made.gold.table), p=share / share.sum())
    names = ids_array([f"kind {k}" for k in range(300)])
    match = annqc.audit(made.work, made.gold).matches
    work_code = np.zeros(len(made.work.table), dtype=np.int64)
    work_code[match.pair_candidate] = code[match.pair_reference]
    sides = [
        replace(
            one,
            table=replace(one.table, category=codes),
            category_names=names,
            category_ids=np.arange(300),
        )
        for one, codes in ((made.gold, code), (made.work, work_code))
    ]
    audit = annqc.audit(sides[1], sides[0])
    folder = audit.to_html(tmp_path / "r").parent
    listed = table(folder / "categories" / "all.html", 'aria-label="Categories"')[1:]
    present = len(audit.scores(by="category"))
    assert len(listed) == present > 200
    assert len(list((folder / "categories").iterdir())) == 11
    text = (folder / "categories" / "all.html").read_text(encoding="utf-8")
    assert f"{present} categories; 10 have a page of their own" in text
    assert "pairs on 5 images or more, 10 at most" in text
    gold = [numbers(row[1])[0] for row in listed]
    assert gold == sorted(gold, reverse=True)
    overview = (folder / "index.html").read_text(encoding="utf-8")
    assert len(re.findall(r'href="categories/kind', overview)) == 10
    assert "those with the most gold are shown" in overview


def test_one_category_has_no_page(tmp_path):
    made = annqc.simulate(2, n_images=10, categories=("cell",), rng=1)
    folder = annqc.audit(made.work, made.gold).to_html(tmp_path / "r").parent
    assert not (folder / "categories").exists()


def test_work_without_names_has_pages_of_categories(tmp_path):
    made = annqc.simulate(["unknown"], n_images=20, rng=1)
    folder = annqc.audit(made.work, made.gold).to_html(tmp_path / "r").parent
    [path, *_] = sorted((folder / "categories").glob("*-1.html"))
    rows = table(path, 'aria-label="Edges by annotator"')
    assert [row[0] for row in rows] == ["annotator", "all together"]
