"""Tables on disk, and outputs that appear whole or not at all."""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc.report.files import whole_file


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_tables_hold_what_the_frames_hold(mixed, tmp_path):
    paths = mixed.to_csv(tmp_path / "new" / "tables")
    assert [path.name for path in paths] == [
        "pairs.csv", "bias.csv", "scores.csv", "errors.csv", "problems.csv",
    ]  # fmt: skip
    frames = {"pairs": mixed.pairs, "bias": mixed.bias(), "errors": mixed.errors()}
    for name, frame in frames.items():
        rows = read(tmp_path / "new" / "tables" / f"{name}.csv")
        assert list(rows[0]) == list(frame.columns)
        assert len(rows) == len(frame)
        for column in frame.select_dtypes("float"):
            again = [float(row[column] or "nan") for row in rows]
            np.testing.assert_array_equal(again, frame[column].to_numpy())


def test_csv_leaves_undefined_cells_empty(few, tmp_path):
    few.to_csv(tmp_path)
    rows = read(tmp_path / "bias.csv")
    assert [row["n_more"] == "" for row in rows] == few.bias()["n_more"].isna().tolist()
    assert not any("nan" in row.values() or "None" in row.values() for row in rows)


def test_an_audit_with_a_grouping_writes_it(tmp_path):
    made = annqc.simulate(["ann"], n_images=10, rng=1)
    annqc.audit(made.work, made.gold, by="annotator,category").to_csv(tmp_path)
    assert "category" in read(tmp_path / "bias.csv")[0]


def test_parquet_tables(mixed, tmp_path):
    pytest.importorskip("pyarrow")
    mixed.to_csv(tmp_path, parquet=True)
    again = pd.read_parquet(tmp_path / "bias.parquet")
    pd.testing.assert_frame_equal(again, mixed.bias(), check_dtype=False)
    assert (tmp_path / "problems.parquet").exists()


def test_a_file_that_fails_half_way_leaves_nothing(tmp_path):
    target = tmp_path / "out.json"
    target.write_text("old", encoding="utf-8")

    def fail_half_way():
        with whole_file(target) as file:
            file.write(b"half")
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    assert target.read_text(encoding="utf-8") == "old"


def test_what_cannot_be_written_is_one_clear_error(few, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(annqc.AnnqcError, match="cannot be written") as caught:
        few.to_json(tmp_path / "file" / "out.json")
    assert "file" in caught.value.where
