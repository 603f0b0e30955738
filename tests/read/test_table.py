from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from annqc.errors import ReadError, UnknownNameError
from annqc.read import read

ROWS = """annotation_id,image_id,annotator,category,x1,y1,x2,y2,score,shift
1,10,ann,cat,1,2,11,22,0.5,day
2,10,bob,dog,1.5,2.5,11,22,,night
"""


def test_plain_table(put):
    dataset = read(put("rows.csv", ROWS))
    table = dataset.table
    assert table.id.tolist() == [1, 2]
    assert table.xyxy.tolist() == [[1, 2, 11, 22], [1.5, 2.5, 11, 22]]
    np.testing.assert_array_equal(table.score, [0.5, np.nan])
    assert dataset.annotator_ids.tolist() == ["ann", "bob"]
    assert dataset.category_names.tolist() == ["cat", "dog"]
    assert dataset.image_table.id.tolist() == [10]
    assert {name: column.tolist() for name, column in table.extra.items()} == {
        "shift": ["day", "night"]
    }
    assert table.row.tolist() == [2, 3]
    assert dataset.assigned is None
    assert not dataset.issues


@pytest.mark.parametrize("sign", [";", "\t", "|"])
@pytest.mark.parametrize("suffix", ["csv", "tsv", "dat"])
def test_delimiters(put, sign, suffix):
    assert len(read(put(f"rows.{suffix}", ROWS.replace(",", sign)))) == 2


@pytest.mark.parametrize(
    "header",
    [
        "image,xmin,ymin,xmax,ymax",
        "IMG,xMin,yMin,xMax,yMax",
        "file_name,left,top,right,bottom",
        "filename,X1,Y1,X2,Y2",
        "item,Bbox X1,Bbox Y1,Bbox X2,Bbox Y2",
        "task,x,y,x2,y2",
    ],
)
def test_corners_by_any_name(put, header):
    assert read(put("a.csv", header + "\nq,1,2,11,22\n")).table.xyxy.tolist() == [[1, 2, 11, 22]]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("unit,x,y,w,h", [6, 12, 16, 32]),
        ("unit,x,y,width,height", [6, 12, 16, 32]),
        ("unit,left,top,width,height", [6, 12, 16, 32]),
        ("unit,bb_left,bb_top,bb_width,bb_height", [6, 12, 16, 32]),
        ("unit,cx,cy,w,h", [1, 2, 11, 22]),
        ("unit,x_center,y_center,width,height", [1, 2, 11, 22]),
    ],
)
def test_corner_or_centre_with_size(put, header, expected):
    assert read(put("a.csv", header + "\nq,6,12,10,20\n")).table.xyxy.tolist() == [expected]


def test_width_and_height_are_the_images_where_the_box_has_corners(put):
    image = read(put("a.csv", "image,x1,y1,x2,y2,width,height\nq,1,2,3,4,640,480\n")).image_table
    assert (image.width.tolist(), image.height.tolist()) == ([640], [480])
    image = read(put("a.csv", "image,x,y,w,h,width,height\nq,1,2,3,4,640,480\n")).image_table
    assert image.width.tolist() == [640]
    image = read(put("a.csv", "image,x,y,width,height\nq,1,2,3,4\n")).image_table
    assert np.isnan(image.width[0])


def test_ambiguous_boxes_ask_for_the_format(put):
    path = put("a.csv", "image,x1,y1,x2,y2,cx,cy,w,h\nq,1,2,11,22,6,12,10,20\n")
    with pytest.raises(ReadError, match="more than one way") as caught:
        read(path)
    assert "--box-format (box_format= in Python)" in str(caught.value)
    assert read(path, box_format="xyxy").table.xyxy.tolist() == [[1, 2, 11, 22]]
    assert read(path, box_format="cxcywh").table.xyxy.tolist() == [[1, 2, 11, 22]]
    path = put("b.csv", "image,x,y,w,h\nq,6,12,10,20\n")
    assert read(path).table.xyxy.tolist() == [[6, 12, 16, 32]]
    with pytest.raises(ReadError, match="no box as cxcywh"):
        read(path, box_format="cxcywh")
    with pytest.raises(UnknownNameError, match="cxcywh"):
        read(path, box_format="center")


def test_one_column_with_all_four(put):
    frame = pd.DataFrame({"image_id": [1, 1, 1], "bbox": [[1, 2, 10, 20], (1, 2), [1, 2, "3", 4]]})
    with pytest.raises(ReadError, match="does not say"):
        read(frame)
    dataset = read(frame, box_format="xywh")
    assert dataset.table.xyxy.tolist() == [[1, 2, 11, 22]]
    assert [(i.kind, i.where) for i in dataset.issues] == [
        ("malformed", "row 1"),
        ("malformed", "row 2"),
    ]
    path = put("a.csv", 'image_id;xywh\n1;"[1, 2, 10, 20]"\n1;"(1, 2)"\n')
    assert read(path).table.xyxy.tolist() == [[1, 2, 11, 22]]


def test_missing_columns_say_what_is_there(put):
    with pytest.raises(ReadError, match="no box") as caught:
        read(put("a.csv", "image_id,foo,bar\n1,2,3\n"))
    assert "image_id, foo, bar" in str(caught.value)
    with pytest.raises(ReadError, match="which image") as caught:
        read(put("a.csv", "asset,x1,y1,x2,y2\n1,2,3,4,5\n"))
    assert "columns={'image_id'" in str(caught.value)


def test_columns_can_be_named(put):
    path = put("a.csv", "asset,who,a,b,c,d\ni,ann,1,2,11,22\n")
    columns = {"image_id": "asset", "annotator": "who", "x1": "a", "y1": "b", "x2": "c", "y2": "d"}
    dataset = read(path, columns=columns)
    assert dataset.image_table.id.tolist() == ["i"]
    assert dataset.annotator_ids.tolist() == ["ann"]
    assert dataset.table.extra == {}
    assert dataset.table.xyxy.tolist() == [[1, 2, 11, 22]]
    with pytest.raises(UnknownNameError, match="did you mean 'asset'"):
        read(path, columns={"image_id": "aset"})
    with pytest.raises(UnknownNameError, match="did you mean 'annotator'"):
        read(path, columns={"anotator": "who"})


def test_sequence_and_frame_make_an_image(put):
    dataset = read(
        put(
            "a.csv",
            "sequence,frame,x1,y1,x2,y2,track_id\ns,1,0,0,9,9,a\ns,2,0,0,9,9,a\nt,1,0,0,9,9,b\n",
        )
    )
    images = dataset.image_table
    assert images.id.tolist() == ["s/1", "s/2", "t/1"]
    assert images.sequence.tolist() == ["s", "s", "t"]
    assert images.frame.tolist() == [1, 2, 1]
    assert dataset.table.track.tolist() == [0, 0, 1]


def test_ids_keep_their_form(put):
    text = "image_id,x1,y1,x2,y2\n%s,0,0,9,9\n%s,0,0,8,8\n"
    for first, second, expected in (
        ("569716681169025", "2", [569716681169025, 2]),
        ("007", "2", ["007", "2"]),
        ("1.0", "2", ["1.0", "2"]),
        ("99999999999999999999", "2", [99999999999999999999, 2]),
        ("a", "2", ["a", "2"]),
    ):
        assert read(put("a.csv", text % (first, second))).image_table.id.tolist() == expected


def test_frame_ids_with_gaps_are_integers_again():
    frame = pd.DataFrame(
        {
            "image_id": [5.0, np.nan, 7.0],
            "worker_id": [1.0, 2.0, np.nan],
            "x1": 0,
            "y1": 0,
            "x2": [9, 8, 7],
            "y2": 9,
        }
    )
    dataset = read(frame)
    assert dataset.image_table.id.tolist() == [5, 7]
    assert dataset.image_table.id.dtype == np.int64
    assert dataset.annotator_ids.tolist() == [1, "(unknown)"]
    assert [(i.kind, i.where) for i in dataset.issues] == [
        ("malformed", "row 1"),
        ("unknown_annotator", "row 2"),
    ]


def test_bad_cells_and_rows_are_listed_with_their_line(put):
    path = put(
        "a.csv",
        "id,image_id,x1,y1,x2,y2,note\n"
        "1,1,0,0,9,9,ok\n"
        '2,1,"0,5",0,9,9,comma\n'
        "\n"
        "3,1,,0,9,9,empty\n"
        "4,1,abc,0,9,9,word\n"
        "5,1,nan,0,9,9,nan\n"
        "6,1,0,0,9\n"
        ",,0,0,9,9,no image\n"
        '7,1,0,0,8,8,"two\nlines"\n'
        "8,1,0,0,9,0,flat\n",
    )
    dataset = read(path)
    found = {i.where: (i.kind, i.message) for i in dataset.issues}
    assert {where: kind for where, (kind, _) in found.items()} == {
        "line 3": "malformed",
        "line 5": "malformed",
        "line 6": "malformed",
        "line 7": "non_finite",
        "line 8": "malformed",
        "line 9": "malformed",
        "line 12": "zero_size",
    }
    assert "decimals need a point" in found["line 3"][1]
    assert "x1 is empty" in found["line 5"][1]
    assert "expected 7 cells, found 5" in found["line 8"][1]
    assert dataset.n_rows == 9
    assert dataset.table.id.tolist() == [1, 7]


def test_typed_cells_that_are_no_numbers():
    frame = pd.DataFrame(
        {"image_id": 1, "x1": [0, "12.5", True, None, 2**70], "y1": 0, "x2": 90, "y2": 90},
        dtype=object,
    )
    dataset = read(frame)
    found = {i.where: i for i in dataset.issues}
    assert {where: i.kind for where, i in found.items()} == {
        "row 1": "malformed",
        "row 2": "malformed",
        "row 3": "malformed",
        "row 4": "out_of_range",
    }
    assert "stored as text" in found["row 1"].message


def test_frames_of_other_kinds(put):
    import pyarrow as pa

    frame = pd.DataFrame(
        {"image_id": ["a", "b"], "x1": 0.0, "y1": 0.0, "x2": 9.0, "y2": 9.0, "rater": ["p", "q"]}
    )
    table = pa.Table.from_pandas(frame)
    for source in (frame, table, frame.convert_dtypes(), frame.astype({"rater": "category"})):
        dataset = read(source)
        assert dataset.annotator_ids.tolist() == ["p", "q"]
        assert dataset.image_table.id.tolist() == ["a", "b"]
        assert dataset.sources[0].path == "<table>"


def test_parquet(put, tmp_path):
    frame = pd.DataFrame(
        {
            "image_id": pd.array([569716681169025, 9007199254740993, None], dtype="Int64"),
            "x1": [0.0, 1, 2], "y1": 0, "x2": 9, "y2": 9, "label": pd.Categorical(["a", "b", "a"]),
        }
    )  # fmt: skip
    path = tmp_path / "rows.parquet"
    frame.to_parquet(path)
    dataset = read(path)
    assert dataset.image_table.id.tolist() == [569716681169025, 9007199254740993]
    assert dataset.category_names.tolist() == ["a", "b"]
    assert [i.where for i in dataset.issues] == ["row 2"]
    with pytest.raises(ReadError, match="Parquet file cannot be read"):
        read(put("bad.parquet", path.read_bytes()[:200]))


def test_parquet_without_pyarrow_names_the_extra(put, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ReadError, match=r"annqc\[parquet\]"):
        read(put("a.parquet", b"PAR1 and more"))


def test_broken_tables(put):
    for text, words in (
        ("image_id,x1,x1,y1,x2,y2\n1,0,0,0,9,9\n", "two columns of the same name"),
        ("image_id,x1,y1,x2,y2\n" + '1,0,0,9,"' + "9" * 200_000, "quote left open"),
    ):
        with pytest.raises(ReadError, match=words):
            read(put("a.csv", text))
    with pytest.raises(ReadError, match="not UTF-8"):
        read(put("a.csv", b"image_id,x1,y1,x2,y2\n" + b"\xe4,0,0,9,9\n"), format="table")
    with pytest.raises(ReadError, match="two columns"):
        read(pd.DataFrame([[1, 1]], columns=["a", "a"]))


def test_header_alone_is_an_empty_dataset(put):
    dataset = read(put("a.csv", "image_id,x1,y1,x2,y2\n"))
    assert (len(dataset), dataset.n_rows) == (0, 0)


def test_flags_and_category_ids(put):
    dataset = read(
        put(
            "a.csv",
            "image_id,x1,y1,x2,y2,iscrowd,difficult,category_id,category\n"
            "1,0,0,9,9,1,false,7,cat\n1,0,0,8,8,0,True,3,dog\n1,0,0,7,7,,,7,cat\n",
        )
    )
    assert dataset.table.crowd.tolist() == [True, False, False]
    assert dataset.table.ignored.tolist() == [False, True, False]
    assert dataset.category_ids.tolist() == [7, 3]
    assert dataset.category_names.tolist() == ["cat", "dog"]
    numbered = read(
        put("b.csv", "image_id,x1,y1,x2,y2,class_id\n1,0,0,9,9,1\n1,0,0,8,8,5\n"),
        categories=["a", "b"],
    )
    assert numbered.category_names.tolist()[0] == "b"
    assert [i.kind for i in numbered.issues] == ["unknown_category"]


def test_contradicting_image_sizes_are_listed(put):
    dataset = read(
        put("a.csv", "image_id,x1,y1,x2,y2,width,height\n1,0,0,9,9,64,48\n1,0,0,8,8,65,48\n")
    )
    assert [(i.kind, i.where) for i in dataset.issues] == [("size_mismatch", "line 3")]
    assert dataset.image_table.width.tolist() == [64]


def test_a_dataset_survives_its_own_table(coco):
    rows = [
        {"image_id": 7, "bbox": [1, 2, 3, 4], "annotator": "ann", "shift": "day", "score": 0.5},
        {"image_id": "x", "bbox": [1, 2, 3, 5], "annotator": 3, "shift": None},
    ]
    first = read(coco(rows))
    again = read(first.annotations)
    assert again.annotations.equals(first.annotations)


@pytest.mark.parametrize(
    "names",
    [
        "Left,Top,Right,Bottom",
        "Xmin,Ymin,Xmax,Ymax",
        "x_min,y_min,x_max,y_max",
        "X-Min,Y-Min,X-Max,Y-Max",
        "xMin,yMin,xMax,yMax",
        "X Min,Y Min,X Max,Y Max",
        "bbox_xmin,bbox_ymin,bbox_xmax,bbox_ymax",
        "BBox X1,BBox Y1,BBox X2,BBox Y2",
        "box_left,box_top,box_right,box_bottom",
        "bbox_x_min,bbox_y_min,bbox_x_max,bbox_y_max",
    ],
)
def test_names_of_corners(put, names):
    path = put("a.csv", f"image_id,{names},annotator\n1,1,2,11,22,ann\n")
    dataset = read(path)
    assert dataset.table.xyxy.tolist() == [[1, 2, 11, 22]]
    assert not dataset.table.extra


@pytest.mark.parametrize("names", ["bbox_x,bbox_y,bbox_w,bbox_h", "Left,Top,Width,Height"])
def test_names_of_a_corner_and_a_size(put, names):
    path = put("a.csv", f"image_id,{names}\n1,1,2,10,20\n")
    assert read(path).table.xyxy.tolist() == [[1, 2, 11, 22]]


def test_decimal_commas_between_semicolons(put):
    head = "image_id;x1;y1;x2;y2;score;note\n"
    path = put("a.csv", head + "1;1,5;2;11,25;22;0,9;a,b\n1;1,5;2,5;x;22;0,8;\n")
    dataset = read(path)
    assert dataset.table.xyxy.tolist() == [[1.5, 2, 11.25, 22]]
    assert dataset.table.score.tolist() == [0.9]
    assert dataset.table.extra["note"].tolist() == ["a,b"]
    assert [(i.kind, i.where) for i in dataset.issues] == [("malformed", "line 3")]


@pytest.mark.parametrize("row", ["1;1,5;2.5;11;22", "1;1,500;2,000;11,000;22,000", "1;1,2,3;2;3;4"])
def test_commas_that_may_mean_more_are_listed(put, row):
    dataset = read(put("a.csv", f"image_id;x1;y1;x2;y2\n{row}\n"))
    assert len(dataset) == 0
    assert "malformed" in {i.kind for i in dataset.issues}


def test_tracks_of_sequences_are_told_apart(put):
    head = "video,frame,x1,y1,x2,y2,track_id\n"
    rows = "a,1,0,0,9,9,1\na,2,0,0,9,9,1\nb,1,0,0,9,9,1\nb,2,0,0,9,9,\na,3,0,0,9,9,2\n"
    assert read(put("a.csv", head + rows)).table.track.tolist() == [0, 0, 1, -1, 2]
    lines = "image_id,x1,y1,x2,y2,track_id\n1,0,0,9,9,5\n2,0,0,9,9,5\n3,0,0,9,9,\n"
    assert read(put("b.csv", lines)).table.track.tolist() == [0, 0, -1]
