"""Reads tables of a page back: rows of numbers, found by an attribute or the id of the table."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from annqc.report.html.paragraph import Told

MINUS = "\N{MINUS SIGN}"
NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")


def numbers(text: str) -> list[float]:
    """Return the numbers in a cell."""
    plain = text.replace(MINUS, "-")
    return [float(one.replace(",", "")) for one in NUMBER.findall(plain)]


def cells_of(row: str) -> list[str]:
    """Return the texts of the cells of a row."""
    found = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", " ", one)).strip() for one in found]


def rows_with(path: Path, attribute: str) -> dict[str, list[str]]:
    """Return rows by the value of an attribute that they have."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(rf'<tr {attribute}="([^"]*)">(.*?)</tr>', text, re.DOTALL)
    return {name: cells_of(row) for name, row in found}


def table(path: Path, start: str) -> list[list[str]]:
    """Return the rows of the first table after some text, its head first."""
    text = path.read_text(encoding="utf-8").split(start, 1)[1]
    body = text.split("<table", 1)[1].split("</table>", 1)[0]
    return [cells_of(row) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)]


def figures(path: Path) -> dict[str, Any]:
    """Return the figures of a page by the ids of their pictures."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r'<script [^>]*data-picture="([^"]*)">(.*?)</script>', text, re.DOTALL)
    return {name: json.loads(data) for name, data in found}


def page_of(folder: Path, name: str) -> Path:
    """Return the page of an annotator whose name is plain."""
    [path] = folder.glob(f"annotators/{name}-*.html")
    return path


def sentences(told: Told) -> list[str]:
    """Return all that a person is told, what to do next at the end."""
    return [*told.first, *told.rest, told.then]
