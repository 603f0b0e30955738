"""No text in a CSV file is a formula to a spreadsheet, and names come back as they were."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import annqc
from annqc import Habit
from annqc.read.spreadsheets import spreadsheet_safe, spreadsheet_text
from annqc.report.tablefiles import csv_bytes, write_columns

FORMULAS = ["=HYPERLINK(1)", "@SUM(1)", "+1+1", "-1+1", "\t=1", "  =1", "\uff1d1"]


@pytest.fixture(scope="module")
def odd():
    """Work whose annotators, images and labels are formulas."""
    names = {name: Habit.parse("gross 5 %, misses 5 %") for name in FORMULAS[:4]}
    made = annqc.simulate(names, n_images=12, rng=1)
    files = np.array([f"=cmd|{k}.jpg" for k in range(12)], dtype=object)
    categories = np.array([f"@{name}" for name in made.gold.category_names.tolist()], dtype=object)
    sides = [
        replace(
            one,
            image_table=replace(one.image_table, file_name=files),
            category_names=categories,
        )
        for one in (made.work, made.gold)
    ]
    return annqc.audit(*sides)


def cells_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def formulas(cells):
    """Cells that begin a formula, but for plain negative numbers."""
    found = [one for one in cells if one.lstrip(" ").startswith(tuple("=+-@\t\r\n\uff1d"))]
    return [one for one in found if not is_number(one)]


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_the_queue_and_the_tables_have_no_formulas(odd, tmp_path):
    paths = [odd.review(top=200, url="=x/{image_id}").to_csv(tmp_path / "q.csv")]
    paths += odd.to_csv(tmp_path / "tables")
    assert len(paths) > 4
    for path in paths:
        cells = cells_of(path)
        assert formulas(cells) == []
    assert sum(cell.startswith("'=") for cell in cells_of(paths[0])) > 100


def test_names_of_columns_are_no_formulas_either(tmp_path):
    data = csv_bytes({"=a": np.array(["@x"], dtype=object), "n": np.array([-1.5])})
    assert data == b"'=a,n\n'@x,-1.5\n"
    for _ in range(2):  # and what was written is known again
        (path,) = write_columns(tmp_path, {"t": {"=a": np.array([1])}})
    assert path.read_bytes() == b"'=a\n1\n"


def test_parquet_and_json_have_names_as_they_are(odd, tmp_path):
    pytest.importorskip("pyarrow")
    import pandas as pd

    odd.to_csv(tmp_path / "tables", parquet=True)
    frame = pd.read_parquet(tmp_path / "tables" / "pairs.parquet")
    assert set(frame["annotator"]) == set(FORMULAS[:4])


def test_our_reader_gives_names_back(odd, tmp_path):
    table = odd.review(top=100).to_frame()
    path = odd.review(top=100).to_csv(tmp_path / "q.csv")
    again = annqc.read(path)
    assert set(again.annotator_ids.tolist()) == set(table["annotator"])
    assert set(again.image_table.file_name.tolist()) == set(table["file_name"])
    drawn = {one for one in table["category"] if isinstance(one, str)}
    assert drawn <= set(again.category_names.tolist())


def test_names_with_an_apostrophe_stay(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "image_id,annotator,category,x1,y1,x2,y2\n1,'s-Gravenhage,cat,1,1,5,5\n", encoding="utf-8"
    )
    assert annqc.read(path).annotator_ids.tolist() == ["'s-Gravenhage"]


@given(st.text())
def test_whatever_the_text_it_is_no_formula_and_comes_back(text):
    safe = spreadsheet_safe(text)
    assert formulas([safe]) == []
    assert spreadsheet_safe(safe) == safe
    if not text.startswith("'"):
        assert spreadsheet_text(safe) == text


def test_nothing_is_nothing():
    assert spreadsheet_safe(None) is None
