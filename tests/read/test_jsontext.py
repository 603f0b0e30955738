"""JSON from strangers: huge numbers, half characters, white space, and what the process keeps."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading

import pandas as pd
import pytest

from annqc.errors import ReadError
from annqc.read import lint, read
from annqc.read.files import shown
from annqc.read.jsontext import careful

ROW = {"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 20, 30, 40]}
GOOD = json.dumps({"images": [{"id": 7}], "annotations": [ROW]})


def written(tmp_path, text, name="a.json"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("where", ['"id": 1', '"image_id": 7', "[10"])
def test_a_number_of_thousands_of_digits_is_a_bad_row(tmp_path, where):
    path = written(tmp_path, GOOD.replace(where, where[:-1] + "1" * 5000))
    dataset = read(path)
    assert (len(dataset), dataset.n_dropped) == (0, 1)


@pytest.mark.parametrize(
    "text",
    [
        '[{"image_id": "\\ud800"}]',
        '[{"image_id": "\\uD83Dx"}]',
        '[{"image_id": "\\udc00"}]',
        '[{"image_id": "\\ud83d\\ude00 \\ud800 and so on and on"}]',
        GOOD.replace('"id": 1', '"id": "\\ud800"'),
    ],
)
def test_half_a_character_is_told_as_such(tmp_path, text):
    path = written(tmp_path, text)
    with pytest.raises(ReadError, match="half a character") as caught:
        read(path, format="coco")
    byte = text.index("\\ud800") if "\\ud800" in text else text.lower().index("\\ud")
    assert f"(byte {byte})" in caught.value.where


@pytest.mark.parametrize("end", ["\\ud800", "\\ud83d\\ud", "x", "\\ud83d\\ude00"])
def test_a_text_that_ends_in_the_middle_is_told_as_such(tmp_path, end):
    path = written(tmp_path, '[{"image_id": "' + end)
    with pytest.raises(ReadError, match="ends in the middle"):
        read(path, format="coco")


@pytest.mark.parametrize("blanks", [10, 5000, 40_000])
@pytest.mark.parametrize("bare", [False, True])
def test_white_space_before_the_json_means_nothing(tmp_path, blanks, bare):
    text = " \n" * (blanks // 2) + (json.dumps([ROW]) if bare else GOOD)
    assert len(read(written(tmp_path, text))) == 1


def test_nothing_but_white_space_is_an_empty_file(tmp_path):
    with pytest.raises(ReadError, match="the file is empty"):
        read(written(tmp_path, " " * 50_000), format="coco")


@pytest.fixture
def limit():
    before = sys.getrecursionlimit()
    yield sys.setrecursionlimit
    sys.setrecursionlimit(before)


def test_reads_in_several_threads_leave_the_process_as_it_was(limit):
    limit(9000)
    meet, problems = threading.Barrier(2), []

    def one(first):
        with careful():
            meet.wait(5)  # both are inside
            if not first:
                meet.wait(5)  # the first one has left
        if first:
            problems.extend(["collecting"] if gc.isenabled() else [])
            problems.extend(["limit"] if sys.getrecursionlimit() == 9000 else [])
            meet.wait(5)

    threads = [threading.Thread(target=one, args=(first,)) for first in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert (sys.getrecursionlimit(), gc.isenabled()) == (9000, True)


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with careful():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_caller_may_stand_deep(limit, tmp_path):
    path = written(tmp_path, GOOD)
    limit(20_000)

    def down(levels):
        return down(levels - 1) if levels else read(path)

    assert len(down(7000)) == 1
    assert sys.getrecursionlimit() == 20_000


def test_brackets_do_not_overflow_the_stack_whatever_the_limit(limit, tmp_path):
    limit(1_000_000)
    path = written(tmp_path, '{"images": [], "annotations": [], "z": ' + "[" * 200_000)
    with pytest.raises(ReadError, match="nested too deeply"):
        read(path, format="coco")
    assert sys.getrecursionlimit() == 1_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode elsewhere")
def test_a_file_name_that_is_no_text_can_be_told(tmp_path):
    path = os.fsdecode(os.fsencode(str(tmp_path)) + b"/caf\xe9.json")
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(GOOD.replace("[10", "[NaN"))
    dataset = read(path)
    assert dataset.annotator_ids.tolist() == ["caf\\xe9"]
    assert dataset.sources[0].sha256
    assert dataset.problems["source"].tolist()[0].endswith("caf\\xe9.json")
    for frame in (dataset.annotators, dataset.annotations, lint(path)):
        frame.to_csv().encode()


def test_half_a_character_in_a_table_is_told_too():
    row = {"image_id": "\ud800", "x1": 5, "y1": 5, "x2": 0, "y2": 9}
    with pytest.raises(ReadError, match="half a character") as caught:
        read(pd.DataFrame({name: [value] for name, value in row.items()}, dtype=object))
    assert caught.value.where == "<table>, column 'image_id', row 0"
    assert shown("caf\udce9 é \ud800") == "caf\\xe9 é \\ud800"


@pytest.mark.skipif(os.name != "posix", reason="no pipes with names")
def test_a_pipe_is_refused_and_not_half_read(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(ReadError, match="a pipe or a device") as caught:
        read(path)
    assert "write it into a file" in caught.value.hint


def test_a_process_substitution_is_refused(tmp_path):
    path = written(tmp_path, GOOD)
    command = f"exec '{sys.executable}' -m annqc lint <(cat '{path}')"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "a pipe or a device" in done.stderr
