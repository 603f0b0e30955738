"""Every picture has its numbers as a table: as many as are drawn, and the same ones."""

from __future__ import annotations

import json
import re
from collections import Counter
from html.parser import HTMLParser

import pytest

MINUS = "\N{MINUS SIGN}"


class Pictures(HTMLParser):
    """The figures of a page, and the first table after each."""

    def __init__(self, text):
        super().__init__()
        self.figures, self.tables, self.waiting = {}, {}, None
        self.by_id, self.table, self.script = {}, None, False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "script" and "data-picture" in given:
            assert self.waiting is None, "two pictures in a row"
            self.waiting, self.script = given["data-picture"], True
        if tag == "table":
            self.table = []
            self.by_id[given.get("id")] = self.table
            if self.waiting:
                self.tables[self.waiting] = self.table
                self.waiting = None
        if self.table is not None:
            if tag == "tr":
                self.table.append([])
            if tag in {"td", "th"}:
                self.table[-1].append("")

    def handle_endtag(self, tag):
        self.script = False
        if tag == "table":
            self.table = None

    def handle_data(self, data):
        if self.script:
            self.figures[self.waiting] = json.loads(data)
        elif self.table and self.table[-1]:
            self.table[-1][-1] += data


@pytest.fixture(scope="module")
def pages(report, kinds):
    """Return every page with pictures."""
    folders = {"boxes": report, **kinds}
    paths = [(name, p) for name, folder in folders.items() for p in sorted(folder.rglob("*.html"))]
    found = {(name, p.name): Pictures(p.read_text(encoding="utf-8")) for name, p in paths}
    return {key: page for key, page in found.items() if page.figures}


def test_every_picture_is_followed_by_its_table(pages):
    seen = Counter()
    for key, page in pages.items():
        for name in page.figures:
            seen[re.sub(r"-[0-9-]+$", "", name)] += 1
            assert name in page.tables, (key, name)
            assert len(page.tables[name]) > 1, (key, name)
    assert len(seen) >= 10, seen


def numbers(texts):
    """Read the number that each text begins with, after a mark."""
    found = [re.search(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?", one.replace(MINUS, "-")) for one in texts]
    return [float(one[0].replace(",", "")) if one else None for one in found]


def all_numbers(text):
    """Read every number of a text."""
    return [float(one) for one in re.findall(r"-?[0-9]+(?:\.[0-9]+)?", text.replace(MINUS, "-"))]


def names_of(figure):
    """Return what the rows of a picture are called."""
    return figure["layout"]["yaxis"]["ticktext"]


def rows(figure):
    """Count what stands below another in a picture: its rows, bars or points of one line."""
    axis = figure["layout"].get("yaxis", {})
    if "tickvals" in axis:
        return len(axis["tickvals"])
    shown = [one for one in figure["data"] if one.get("hoverinfo") != "skip"]
    return max(len(one["x"]) for one in shown)


def test_there_is_a_row_for_every_row_bar_or_point(pages):
    for key, page in pages.items():
        for name, figure in page.figures.items():
            n = len(page.tables[name]) - 1
            if name.startswith("picture-track-"):  # lines of many frames: what they amount to
                assert n == sum(one.startswith("yaxis") for one in figure["layout"]), (key, name)
            elif name == "picture-offsets":  # where no edge has an offset there is no row
                bars = zip(*(one["y"] for one in figure["data"]), strict=True)
                assert n == sum(any(column) for column in bars), (key, name)
            else:
                assert n == rows(figure), (key, name)


def test_tables_hold_the_numbers_that_are_drawn(pages):
    seen = Counter()
    for page in pages.values():
        for name, figure in page.figures.items():
            table, data = page.tables[name][1:], figure["data"]
            if name == "picture-errors":
                assert numbers(row[1] for row in table) == data[0]["x"]
            elif name == "picture-offsets":
                for k in range(4):
                    column = numbers(row[k + 1] for row in table)
                    assert column == [
                        y for j, y in enumerate(data[k]["y"]) if any(one["y"][j] for one in data)
                    ]
            elif name == "picture-map":
                told = [
                    [re.search("<br>(.*?) px", one)[1] for one in row]
                    for row in data[0]["hovertext"]
                ]
                for row, line in zip(table, told, strict=True):
                    assert numbers(row[1:]) == pytest.approx(numbers(line), abs=0.0501)
            elif name == "picture-ranks":
                shown = sorted(
                    (y, x, x - less, x + more)
                    for one in data
                    for y, x, less, more in zip(
                        one["y"],
                        one["x"],
                        one["error_x"]["arrayminus"],
                        one["error_x"]["array"],
                        strict=True,
                    )
                )
                for row, line in zip(table, shown, strict=True):
                    assert all_numbers(row[4]) == pytest.approx(line[1:], abs=0.00501)
                    [place] = [text for text in names_of(figure) if text.startswith(f"{row[0]}, ")]
                    assert place.endswith(row[2])
                    low, high = all_numbers(row[2])
                    assert low <= all_numbers(row[1])[0] <= high
            elif name == "picture-trend":
                for k in range(4):
                    column = numbers(row[k + 2] for row in table)
                    assert column == pytest.approx(data[k]["y"], abs=0.0501)
            else:
                continue
            seen[name] += 1
    assert set(seen) == {
        "picture-errors",
        "picture-offsets",
        "picture-map",
        "picture-ranks",
        "picture-trend",
    }
