"""Tables on disk, and outputs that appear whole or not at all."""

from __future__ import annotations

import csv
import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import annqc
from annqc.report.files import whole_file
from annqc.write import write_coco


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_tables_hold_what_the_frames_hold(mixed, tmp_path):
    paths = mixed.to_csv(tmp_path / "tables")
    assert [path.name for path in paths] == [
        "pairs.csv", "bias.csv", "scores.csv", "errors.csv", "problems.csv",
    ]  # fmt: skip
    frames = {"pairs": mixed.pairs, "bias": mixed.bias(), "errors": mixed.errors()}
    for name, frame in frames.items():
        rows = read(tmp_path / "tables" / f"{name}.csv")
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


def write(path, data=b"new"):
    with whole_file(path) as file:
        file.write(data)


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    real = tmp_path / "far" / "real.json"
    real.write_bytes(b"old")
    real.chmod(0o640)
    (tmp_path / "link.json").symlink_to("far/real.json")
    write(tmp_path / "link.json")
    assert (tmp_path / "link.json").readlink() == Path("far/real.json")
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["far", "link.json", "real.json"]


def test_a_link_to_nothing_makes_its_target(tmp_path):
    (tmp_path / "link.json").symlink_to("new.json")
    write(tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "new.json").read_bytes() == b"new"


def test_a_link_to_itself_is_one_clear_error(tmp_path):
    (tmp_path / "link.json").symlink_to("link.json")
    with pytest.raises(annqc.AnnqcError, match="cannot be written"):
        write(tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()


def test_a_pipe_is_written_into(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write(pipe)
    reader.join(timeout=30)
    assert got == [b"new"]
    assert pipe.is_fifo()


def test_a_device_is_written_into(tmp_path):
    write(Path(os.devnull))
    assert Path(os.devnull).is_char_device()


def test_a_folder_is_one_clear_error(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(annqc.AnnqcError, match="cannot be written"):
        write(tmp_path / "folder")


def test_the_library_does_not_overwrite_inputs_either(tmp_path):
    made = annqc.simulate(["ann"], n_images=5, rng=1)
    work = write_coco(made.work, tmp_path / "run.json")
    before = work.read_bytes()
    audit = annqc.audit(work, made.gold)
    for act in (audit.to_json, audit.save):
        with pytest.raises(annqc.AnnqcError, match="would overwrite an input"):
            act(work if act == audit.to_json else tmp_path)
    assert work.read_bytes() == before
    table = tmp_path / "pairs.csv"
    made.work.annotations.to_csv(table, index=False)
    with pytest.raises(annqc.AnnqcError, match="would overwrite an input"):
        annqc.audit(table, made.gold).to_csv(tmp_path)


def test_names_that_are_no_utf_8_are_written_as_escapes(tmp_path):
    made = annqc.simulate(["caf\udce9"], n_images=5, rng=1)
    audit = annqc.audit(made.work, made.gold)
    assert "caf\\\\udce9" in audit.to_json()
    audit.to_csv(tmp_path)
    assert read(tmp_path / "scores.csv")[0]["annotator"] == "caf\\udce9"
    again = annqc.load(audit.save(tmp_path / "r"))
    assert again.work.annotator_ids.tolist() == ["caf\udce9"]


def test_names_that_are_no_utf_8_go_into_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    made = annqc.simulate(["caf\udce9"], n_images=5, rng=1)
    annqc.audit(made.work, made.gold).to_csv(tmp_path, parquet=True)
    assert pd.read_parquet(tmp_path / "scores.parquet")["annotator"].tolist() == ["caf\\udce9"]


@pytest.mark.parametrize("text", ["my,own,precious\n1,2,3\n", "\x00\xff", "name;recall\n"])
def test_a_file_of_the_same_name_that_is_no_table_of_ours_is_kept(few, tmp_path, text):
    other = tmp_path / "scores.csv"
    other.write_bytes(text.encode("latin-1"))
    with pytest.raises(annqc.AnnqcError, match="no table of annqc") as caught:
        few.to_csv(tmp_path)
    assert str(other) in str(caught.value)
    assert other.read_bytes() == text.encode("latin-1")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_earlier_tables_are_replaced_however_they_were_grouped(mixed, few, tmp_path):
    annqc.audit(mixed.work, mixed.gold, by="annotator,category").to_csv(tmp_path)
    few.to_csv(tmp_path)
    assert len(read(tmp_path / "bias.csv")) == len(few.bias())
    (tmp_path / "errors.csv").write_bytes(b"")
    few.to_csv(tmp_path)
    assert (tmp_path / "errors.csv").stat().st_size > 0
