from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import annqc
from annqc.errors import AnnqcError, ReadError, UnknownNameError
from annqc.read import formats, lint, read, register_reader, registry
from annqc.read.options import sizes_from

COCO = {
    "images": [{"id": 1}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9]}],
}
TEXT = json.dumps(COCO)
ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w") as archive:
    archive.writestr("a.json", TEXT)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b"", "empty"),
        ("a.json", b"  \n ", "white space"),
        ("a.jpg", b"\xff\xd8\xff" + b"\x00" * 30, "a JPEG image"),
        ("a.csv", b"\xff\xd8\xff" + b"\x00" * 30, "a JPEG image"),
        ("a.zip", ZIP.getvalue(), "ZIP archive"),
        ("a.json", ZIP.getvalue(), "ZIP archive"),
        ("a.py", b"import os\nprint(1, 2)\n", "import os"),
        ("a.json", b'{"regions": [], "imagePath": "x"}', "keys regions, imagePath"),
        ("a.json", b'[{"name": "a", "tags": []}]', "keys name, tags"),
        ("a.json", b"[1, 2, 3]", "does not begin with an object"),
        ("a.json", b"\xfa\xfb\xfc" * 9, "no UTF-8 text"),
        (
            "a.csv",
            b"image,foo\n1,2\n3,\xff\n",
            "up to line 3, where the byte 0xff is no UTF-8",
        ),
        (
            "a.csv",
            b"image,foo\n1,2\n3,\x00\n",
            "up to line 3, where the byte 0x00 is no UTF-8",
        ),
        ("a.xml", b"<collection><image/></collection>", "<collection>"),
        ("a.pkl", b"\x80\x04\x95abc", "pickle"),
        ("a.txt", b"hello\nworld\n", "hello"),
    ],
)
def test_other_files_end_in_one_clear_error(put, name, content, words):
    with pytest.raises(ReadError) as caught:
        read(put(name, content))
    message = str(caught.value)
    assert words in message
    assert name in message
    if b"annotations" not in content[:20] and content:
        suffix = "." + name.partition(".")[2]
        likely = [
            one.name for one in registry.every_reader() if suffix in one.suffixes
        ] or formats()
        listed = [one for one in formats() if f"    {one}: " in message]
        assert sorted(listed) == sorted(likely)
        n = len(formats()) - len(listed)
        assert (f"or one of {n} formats in files of other names" in message) == (n > 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TEXT[:-20], ("not complete", "line 1", "cut off")),
        (TEXT[: TEXT.index('"bbox"') + 9], ("not complete",)),
        (TEXT.replace('"bbox": [0', '"bbox": [zero'), ("no valid JSON", "line 1, column", "zero")),
        (TEXT.replace(", ", ",\n").replace("9]", "9,]"), ("no valid JSON", "line 8, column 3")),
        (TEXT + TEXT, ("something after the end of its JSON", "JSON lines", "column 107")),
        (
            TEXT + "\n}",
            ("something after the end of its JSON", "line 2, column 1", "after the last bracket"),
        ),
        (
            TEXT.replace('{"id": 1}', '{"id": 1, "file_name": "\xe4.jpg"}').encode("latin-1"),
            ("not UTF-8 text", "byte"),
        ),
    ],
)
def test_broken_json_says_where(put, content, words):
    with pytest.raises(ReadError) as caught:
        read(put("a.json", content), format="coco")
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_truncated_file_is_still_told_as_coco(put):
    with pytest.raises(ReadError, match="not complete"):
        read(put("a.json", TEXT[:-20]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be-bom"])
@pytest.mark.parametrize("kind", ["json", "csv"])
def test_byte_order_marks(put, encoding, kind):
    text = TEXT if kind == "json" else "image_id,x1,y1,x2,y2,label\nä,0,0,9,9,Bär\n"
    data = b"\xfe\xff" + text.encode("utf-16-be") if "bom" in encoding else text.encode(encoding)
    assert read(put(f"a.{kind}", data)).table.xyxy.tolist() == [[0, 0, 9, 9]]


def test_missing_path_names_the_nearest(put):
    path = put("workers.json", TEXT)
    with pytest.raises(ReadError, match=r"did you mean 'workers.json'"):
        read(path.with_name("worker.json"))
    with pytest.raises(ReadError, match="no such file"):
        read(path.parent / "no" / "such" / "file.json")


def test_nothing_to_read(tmp_path):
    for source, words in (
        (tmp_path, "no annotation files"),
        (tmp_path / "*.json", "matches no file"),
        ([], "list is empty"),
        ("", "path is empty"),
        ("s3://bucket/a.json", "local files"),
        (7, "cannot be read"),
        ([7], "no path"),
        ([b"a.json"], "no path"),
    ):
        with pytest.raises(ReadError, match=words):
            read(str(source) if "*" in str(source) else source)


def test_list_glob_and_folder_are_the_same(put, tmp_path):
    first, second = put("in/a.json", TEXT), put("in/b.json", TEXT)
    for source in (
        [first, second],
        str(tmp_path / "in" / "*.json"),
        tmp_path / "in",
        [first, tmp_path / "in"],
    ):
        dataset = read(source)
        assert dataset.annotator_ids.tolist() == ["a", "b"]
        assert len(dataset) == 2


def test_a_glob_sign_in_a_real_name_is_no_pattern(put):
    assert len(read(put("odd[1].json", TEXT))) == 1


def test_folder_of_mixed_formats(put, tmp_path):
    put("in/a.json", TEXT)
    put("in/b.csv", "image_id,x1,y1,x2,y2\n1,0,0,9,9\n")
    with pytest.raises(ReadError) as caught:
        read(tmp_path / "in")
    assert "1 coco (such as a.json), 1 table (such as b.csv)" in str(caught.value)
    assert len(read(tmp_path / "in", format="coco")) == 1
    assert len(read([tmp_path / "in" / "a.json", tmp_path / "in" / "b.csv"])) == 2


def test_folder_sets_other_files_aside_and_says_so(put, tmp_path):
    put("in/a.json", TEXT)
    put("in/meta.json", '{"shapes": []}')
    put("in/captions.json", '{"images": [], "annotations": [{"image_id": 1, "caption": "x"}]}')
    put("in/README.txt", "hello")
    put("in/.hidden.json", "{")
    dataset = read(tmp_path / "in")
    assert [(i.kind, i.source.rsplit(os.sep, 1)[-1]) for i in dataset.issues] == [
        ("skipped_file", "captions.json"),
        ("skipped_file", "meta.json"),
    ]
    (tmp_path / "in" / "a.json").unlink()
    (tmp_path / "in" / "captions.json").unlink()
    with pytest.raises(ReadError, match="none of the 2 files"):
        read(tmp_path / "in")


def test_unreadable_file_and_folder(put, tmp_path):
    path = put("in/a.json", TEXT)
    path.chmod(0)
    try:
        if os.access(path, os.R_OK):  # the superuser reads everything
            pytest.skip("permissions do not hold for this user")
        with pytest.raises(ReadError, match="cannot be opened"):
            read(path)
    finally:
        path.chmod(0o600)


def test_refusal_of_the_system_is_a_clear_error(put, monkeypatch):
    path = put("a.json", TEXT)

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(ReadError, match="Permission denied"):
        read(path)


def test_forced_format(put):
    path = put("a.json", TEXT)
    assert len(read(path, format="coco")) == 1
    with pytest.raises(UnknownNameError, match="did you mean 'coco'"):
        read(path, format="cocoa")
    with pytest.raises(ReadError, match="valid XML"):
        read(path, format="voc")
    with pytest.raises(ReadError, match="DataFrame"):
        read(pd.DataFrame({"a": [1]}), format="coco")


def test_sniffing_reads_the_head_only(put, monkeypatch):
    path = put("a.json", "[" * 5_000_000)
    with pytest.raises(ReadError, match="not known"):
        read(path)


def test_strict_lists_the_first_five(put):
    rows = [{"id": k, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, k - 5]} for k in range(8)]
    path = put("a.json", json.dumps({**COCO, "annotations": rows}))
    assert read(path).n_dropped == 6
    with pytest.raises(ReadError) as caught:
        read(path, strict=True)
    message = str(caught.value)
    assert "6 of 8 rows" in message
    assert message.count("annotations[") == 5
    assert "5 negative_size, 1 zero_size" in message
    assert len(read(put("b.json", TEXT), strict=True)) == 1


def test_lint(put):
    path = put("a.json", TEXT.replace("9, 9]", "9, 0]"))
    for problems in (lint(path), lint(read(path))):
        assert problems["kind"].tolist() == ["zero_size"]
        assert problems["where"].tolist() == ["annotations[0]"]
    assert lint(put("b.json", TEXT)).empty


def test_progress(put):
    seen = []
    paths = [put(f"{name}.json", TEXT) for name in "abc"]
    read(paths, progress=lambda done, total, what: seen.append((done, total, what)))
    assert seen == [(1, 3, "a.json"), (2, 3, "b.json"), (3, 3, "c.json")]


def test_a_reader_can_be_added(put, monkeypatch):
    list(registry.every_reader())
    monkeypatch.setattr(registry, "_readers", dict(registry._readers))
    coco = registry.reader_named("coco")

    @register_reader(
        "mine",
        suffixes=(".mine",),
        expects="mine",
        sniff=lambda head: 3 * head.data.startswith(b"MINE"),
    )
    def read_mine(paths, options, tick):
        return coco.read([path.with_suffix(".json") for path in paths], options, tick)

    put("a.json", TEXT)
    assert len(read(put("a.mine", "MINE"))) == 1
    assert "mine" in formats()


def test_importing_is_light():
    heavy = "{'pandas', 'scipy', 'numba', 'msgspec'}"
    code = f"import sys, annqc.read; print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_sizes_may_be_given(put, tmp_path):
    path = put("a.json", json.dumps({**COCO, "images": [{"id": 1, "file_name": "d/one.jpg"}]}))
    csv = put("sizes.csv", "file_name,width,height\none.jpg,64,48\n")
    for sizes in ({"one": (64, 48)}, {1: (64, 48)}, {"one.jpg": (64, 48)}, (64, 48), csv, str(csv)):
        table = read(path, image_sizes=sizes).image_table
        assert (table.width.tolist(), table.height.tolist()) == ([64], [48])
    (unused,) = read(path, image_sizes={"two": (1, 2)}).issues
    assert (unused.kind, unused.severity) == ("unused_image_sizes", "kept")
    assert "such as 'two', and images are called 'd/one.jpg'" in unused.message
    for wrong in ({"one": 5}, {"one": (0, 5)}, "x", (1, 2, 3)):
        with pytest.raises((ReadError, ValueError)):
            read(path, image_sizes=wrong)
    with pytest.raises(ReadError, match="lacks a column"):
        read(path, image_sizes=put("bad.csv", "a,b\n1,2\n"))


SEEDS = {
    "json": TEXT,
    "csv": "image_id,x1,y1,x2,y2,label,width,frame,score,iscrowd\n"
    "1,2,3,4,5,a,6,8,.5,1\n1,2,3,4,9,a,6,9,,0\n",
    "txt": "1 .5 .5 .2 .2\n0 .5 .5 .2 .2 .9\n",
    "xml": "<annotation><size><width>9</width><height>9</height></size><object><name>a</name>"
    "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object></annotation>",
}
FORMATS = {"json": "coco", "csv": "table", "txt": "yolo", "xml": "voc"}
BITS = [
    "NaN",
    "null",
    "{",
    "[",
    "]",
    '"',
    "1e400",
    ",",
    "-",
    "\n",
    "\ufeff",
    "<a>",
    "9" * 25,
    "true",
    "nan",
    "\x00",
    "\\",
]
EDIT = st.tuples(
    st.integers(0, 250), st.integers(0, 20), st.sampled_from(BITS) | st.binary(max_size=3)
)


@given(
    kind=st.sampled_from(sorted(SEEDS)),
    edits=st.lists(EDIT, min_size=1, max_size=4),
    forced=st.booleans(),
)
def test_a_damaged_file_is_read_or_refused_clearly(tmp_path_factory, kind, edits, forced):
    data = SEEDS[kind].encode()
    for start, cut, bit in edits:
        data = data[:start] + (bit.encode() if isinstance(bit, str) else bit) + data[start + cut :]
    path = tmp_path_factory.mktemp("damaged") / f"a.{kind}"
    path.write_bytes(data)
    try:
        dataset = read(path, format=FORMATS[kind] if forced else "auto", image_sizes=(10, 10))
    except AnnqcError:
        return
    assert np.isfinite(dataset.table.xyxy).all()
    assert len(dataset) <= dataset.n_rows


@pytest.mark.parametrize("source", [{"images": [], "annotations": []}, b"a.json", bytearray(b"a")])
def test_data_in_memory_are_no_path(source):
    with pytest.raises(ReadError, match="this cannot be read") as caught:
        read(source)
    assert caught.value.found == type(source).__name__
    assert "DataFrame" in caught.value.hint


def test_a_single_column_is_no_table():
    with pytest.raises(ReadError, match="single column"):
        read(pd.Series([1, 2]))


@pytest.mark.parametrize("columns", [["image_id"], "image_id", 3, {"image_id": 3}, {3: "a"}])
def test_columns_must_be_a_mapping_of_names(columns):
    with pytest.raises(ReadError, match="columns= cannot be understood"):
        read(pd.DataFrame({"a": [1]}), columns=columns)


def test_lint_speaks_of_itself(tmp_path):
    with pytest.raises(
        TypeError, match=r"lint\(\) got an unexpected .*'formt'; did you mean 'format'"
    ):
        lint(tmp_path, formt="coco")
    dataset = read(pd.DataFrame({"image_id": [1], "x1": 0, "y1": 0, "x2": 5, "y2": 5}))
    assert lint(dataset).empty
    with pytest.raises(ReadError, match="this is a Dataset already"):
        lint(dataset, format="coco")


@pytest.mark.parametrize("name", ["read", "match", "simulate"])
def test_help_on_a_package_that_can_be_called_leads_to_its_function(name):
    package = getattr(annqc, name)
    assert f"annqc.{name}(" in package.__doc__
    assert f"help(annqc.{name}.{name})" in package.__doc__
    assert getattr(package, name).__doc__.count("Parameters\n") == 1


def test_sizes_for_some_images_leave_the_others_unknown(put):
    images = [{"id": 1, "file_name": "one.jpg"}, {"id": 2, "file_name": "two.jpg"}]
    path = put("a.json", json.dumps({**COCO, "images": images}))
    dataset = read(path, image_sizes={"two.png": (7, 8)})
    np.testing.assert_array_equal(dataset.image_table.width, [np.nan, 7])
    assert not dataset.issues


def test_a_stem_of_two_sizes_tells_nothing():
    sizes = sizes_from({"a/1.jpg": (1, 1), "b/1.jpg": (2, 2), "f.0001": (3, 3)})
    assert sizes.of("1") is None
    assert sizes.of("b/1") == (2, 2)
    assert sizes.of("data/a/1.png") == (1, 1)
    assert sizes.of("c/1") is None
    assert sizes.of("f.0002") is None


@pytest.mark.parametrize("name", ["a.json", "a.csv"])
def test_a_file_without_a_row_is_listed(put, name):
    text = {"a.json": '{"images": [], "annotations": []}', "a.csv": "image_id,x1,y1,x2,y2\n"}
    (issue,) = read(put(name, text[name])).issues
    assert (issue.kind, issue.severity) == ("no_rows", "kept")
    assert issue.source.endswith(name)


def test_a_folder_of_images_without_an_object_is_listed_once(put, tmp_path):
    for k in range(3):
        put(f"set/{k}.txt", "")
    assert [i.kind for i in read(tmp_path / "set", format="yolo").issues] == ["no_rows"]
    put("set/3.txt", "0 .5 .5 .1 .1\n")
    assert not read(tmp_path / "set", image_sizes=(9, 9)).issues


def test_an_empty_file_need_not_be_forced(put):
    with pytest.raises(ReadError, match="the file is empty") as caught:
        read(put("a.json", ""))
    assert "format" not in caught.value.hint


def test_a_bad_file_says_how_many_others_wait(put, tmp_path):
    for k in range(3):
        put(f"set/{k}.json", json.dumps(COCO))
    whole = json.dumps(COCO)
    put("set/2.json", whole[: len(whole) - 5])
    with pytest.raises(ReadError, match="nothing is read of the other 2 files either") as caught:
        read(tmp_path / "set")
    assert "2.json" in caught.value.where
    with pytest.raises(ReadError) as caught:
        read(tmp_path / "set" / "2.json")
    assert "other" not in caught.value.what


def test_hints_serve_the_command_line_and_python(put):
    with pytest.raises(ReadError, match="not known") as caught:
        read(put("a.json", '{"x": 1}'))
    assert "--format (format= in Python) forces a reader" in caught.value.hint


def test_a_link_to_a_device_is_refused_however_it_is_found(put, tmp_path):
    put("a.json", '{"images": [], "annotations": [], "categories": []}')
    (tmp_path / "b.json").symlink_to(os.devnull)
    for source in (tmp_path, tmp_path / "*.json", [tmp_path / "a.json", tmp_path / "b.json"]):
        with pytest.raises(ReadError, match="this is a pipe or a device") as caught:
            read(source)
        assert caught.value.where == str(tmp_path / "b.json")
    with pytest.raises(ReadError, match="this is a pipe or a device"):
        read(tmp_path / "a.json", categories=tmp_path / "b.json")
