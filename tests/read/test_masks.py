from __future__ import annotations

import struct
import zlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.errors import AnnqcError, ReadError, UnknownNameError
from annqc.read import read
from annqc.read.maskoptions import mask_options
from annqc.read.maskruns import segments_of
from annqc.read.png import CLEAR, open_png, picture_of


def chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png(samples, *, depth=8, colours=0, palette=None, clear=None, size=None):
    """Write a PNG by hand: samples as (h, w) or (h, w, channels), no filter."""
    samples = np.asarray(samples)
    height, width = size or samples.shape[:2]
    lines = []
    for line in samples:
        if depth < 8:
            bits = "".join(f"{value:0{depth}b}" for value in line.ravel().tolist())
            bits += "0" * (-len(bits) % 8)
            data = bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits), 8))
        else:
            data = line.astype(">u2" if depth == 16 else "u1").tobytes()
        lines.append(b"\0" + data)
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    if palette is not None:
        out += chunk(b"PLTE", bytes(np.asarray(palette, dtype=np.uint8).ravel()))
    if clear is not None:
        out += chunk(b"tRNS", bytes(clear))
    return out + chunk(b"IDAT", zlib.compress(b"".join(lines))) + chunk(b"IEND", b"")


def disc(height=20, width=30, *, top=5, left=8, high=6, wide=9, value=255):
    canvas = np.zeros((height, width), dtype=np.int64)
    canvas[top : top + high, left : left + wide] = value
    return canvas


def bitmap(dataset, row):
    """Lay the runs of a row out as pixels, the plain way."""
    height, width = dataset.table.shapes.canvas[row].tolist()
    pixels, lit = [], False
    for run in dataset.table.shapes.runs_of(row).tolist():
        pixels += [lit] * run
        lit = not lit
    assert len(pixels) == height * width
    return np.array(pixels).reshape(width, height).T


def values_of(data):
    """Return what each pixel stands for, the plain way."""
    picture = picture_of(data, "here")
    codes = picture.codes(picture.samples)
    return [[picture.value(int(code)) for code in line] for line in codes]


def kinds(dataset):
    return Counter(issue.kind for issue in dataset.issues)


@pytest.mark.parametrize("block", [1, 7, 40, 10_000])
def test_runs_are_those_of_the_pixels(block):
    rng = np.random.default_rng(3)
    for _ in range(20):
        canvas = rng.integers(0, 4, rng.integers(1, 9, 2)) * rng.integers(0, 2)
        picture = picture_of(png(canvas), "here")
        segments = segments_of(picture, block)
        assert sorted(segments.values) == sorted(set(canvas.ravel().tolist()))
        for chosen in ([0], list(range(len(segments.values)))):
            told = [segments.values[k] for k in chosen]
            flat, expected, last = np.isin(canvas, told).T.ravel(), [], False
            for pixel in flat.tolist():
                if not expected or pixel != last:
                    expected += [0] if not expected and pixel else []
                    expected.append(0)
                expected[-1] += 1
                last = pixel
            assert segments.runs(chosen).tolist() == expected


def test_one_object_an_image(put):
    put("alice/a.png", png(disc()))
    put("alice/b.png", png(disc(value=0)))
    put("bob/a.png", png(disc(left=9, value=1), depth=1))
    dataset = read(put("bob/b.png", png(disc(value=65535), depth=16)).parent.parent)
    assert dataset.annotator_ids.tolist() == ["alice", "bob"]
    assert dataset.image_table.id.tolist() == ["a", "b"]
    assert dataset.image_table.width.tolist() == [30, 30]
    assert dataset.category_names.tolist() == ["object"]
    assert dataset.table.xyxy.tolist() == [[8, 5, 17, 11], [9, 5, 18, 11], [8, 5, 17, 11]]
    assert len(dataset.assigned) == 4  # alice was asked about b, and drew nothing
    np.testing.assert_array_equal(bitmap(dataset, 1), disc(left=9) > 0)
    assert not dataset.issues


def test_values_of_every_kind_of_png():
    assert values_of(png([[0, 1, 1, 0, 1]], depth=1)) == [[0, 1, 1, 0, 1]]
    assert values_of(png([[0, 1, 2, 3, 0]], depth=2)) == [[0, 1, 2, 3, 0]]
    assert values_of(png([[0, 7, 15]], depth=4)) == [[0, 7, 15]]
    assert values_of(png([[0, 9, 255]])) == [[0, 9, 255]]
    assert values_of(png([[0, 300, 65535]], depth=16)) == [[0, 300, 65535]]
    colour = [[[0, 0, 0], [255, 0, 16], [7, 7, 7]]]
    assert values_of(png(colour, colours=2)) == [[0, "#ff0010", 7]]
    clear = [[[0, 0, 0, 255], [9, 9, 9, 0], [255, 0, 0, 128]]]
    assert values_of(png(clear, colours=6)) == [[0, CLEAR, "#ff0000"]]
    grey_alpha = [[[7, 255], [8, 0]]]
    assert values_of(png(grey_alpha, colours=4)) == [[7, CLEAR]]


def test_palettes_of_greys_are_greys_and_of_colours_indices():
    greys = [[0, 0, 0], [255, 255, 255]]
    assert values_of(png([[0, 1]], depth=1, colours=3, palette=greys)) == [[0, 255]]
    assert values_of(png([[0, 1]], depth=1, colours=3, palette=greys[::-1])) == [[255, 0]]
    colours = [[0, 0, 0], [128, 0, 0], [0, 128, 0], [9, 9, 9]]
    for depth in (2, 4, 8):
        data = png([[0, 1, 3, 2]], depth=depth, colours=3, palette=colours, clear=[255, 255, 0])
        assert values_of(data) == [[0, 1, 3, CLEAR]]


def test_modes_may_be_mixed(put):
    white = np.repeat((disc() > 0)[..., None], 3, axis=2) * 255
    opaque = np.concatenate([white, np.full((20, 30, 1), 255)], axis=2)
    greys = [[0, 0, 0], [255, 255, 255]]
    put("m/a.png", png(disc()))
    put("m/b.png", png(white, colours=2))
    put("m/c.png", png(opaque, colours=6))
    put("m/d.png", png(disc(value=1), depth=1))
    put("m/e.png", png(disc(value=1), depth=1, colours=3, palette=greys))
    dataset = read(put("m/f.png", png(disc(value=1))).parent)
    assert dataset.table.xyxy.tolist() == [[8, 5, 17, 11]] * 6
    assert dataset.table.extra["mask_value"].tolist() == [255, 255, 255, 1, 255, 1]


def test_inverted_masks_are_refused_and_mended(put):
    put("m/a.png", png(255 - disc()))
    folder = put("m/b.png", png(255 - disc(left=2))).parent
    with pytest.raises(ReadError, match="2 of 2 masks seem to be inverted") as caught:
        read(folder)
    assert "mask_object='dark'" in caught.value.hint
    assert caught.value.found == "100% of the pixels along the border are object"
    mended = read(folder, mask_object="dark")
    assert mended.table.xyxy.tolist() == [[8, 5, 17, 11], [2, 5, 11, 11]]
    meant = read(folder, mask_object="light")
    assert meant.table.xyxy.tolist() == [[0, 0, 30, 20]] * 2
    np.testing.assert_array_equal(bitmap(meant, 0), disc() == 0)


def test_a_few_inverted_masks_are_listed(put):
    for name in "abc":
        put(f"m/{name}.png", png(disc()))
    dataset = read(put("m/d.png", png(255 - disc())).parent)
    assert [(i.kind, i.severity, i.image_id) for i in dataset.issues] == [
        ("inverted_mask", "dropped", "d")
    ]
    assert (len(dataset), dataset.n_rows) == (3, 4)
    assert len(dataset.assigned) == 3  # nobody is held to have drawn nothing on d


def test_a_large_object_is_no_inverted_mask(put):
    path = put("m/a.png", png(disc(top=1, left=1, high=18, wide=28)))
    assert read(path).table.xyxy.tolist() == [[1, 1, 29, 19]]


def test_what_several_values_mean_is_asked_for(put):
    two = disc(value=3) + disc(left=20, wide=5, value=7)
    path = put("m/a.png", png(two))
    with pytest.raises(ReadError, match="not plain what the values") as caught:
        read(path)
    assert caught.value.found == "2 values besides the background: 3, 7"
    one = read(path, mask_values="object")
    np.testing.assert_array_equal(bitmap(one, 0), two > 0)
    each = read(path, mask_values="instances")
    assert each.table.xyxy.tolist() == [[8, 5, 17, 11], [20, 5, 25, 11]]
    assert each.category_names.tolist() == ["object"]
    assert each.table.row.tolist() == [1, 2]
    named = read(path, categories={3: "cat", 7: "dog"})
    assert named.category_names[named.table.category].tolist() == ["cat", "dog"]
    bare = read(path, mask_values="categories")
    assert bare.category_names.tolist() == ["3", "7"]
    chosen = read(path, mask_object=7)
    assert chosen.table.xyxy.tolist() == [[20, 5, 25, 11]]
    np.testing.assert_array_equal(
        bitmap(read(path, mask_object=[3, "7"], mask_values="object"), 0), two > 0
    )


def test_unlike_values_in_two_masks_are_asked_about(put):
    put("m/a.png", png(disc(value=3)))
    folder = put("m/b.png", png(disc(value=7))).parent
    with pytest.raises(ReadError, match="not plain what the values") as caught:
        read(folder)
    assert caught.value.found.endswith("not the same: 3, 7")
    assert len(read(folder, mask_values="object")) == 2
    put("n/a.png", png(disc(value=3)))
    assert len(read(put("n/b.png", png(disc(value=3))).parent)) == 2


def test_values_of_16_bits_are_instances(put):
    two = disc(value=3) + disc(left=20, wide=5, value=700)
    dataset = read(put("m/a.png", png(two, depth=16)), categories=["cell"])
    assert dataset.table.extra["mask_value"].tolist() == [3, 700]
    assert dataset.category_names.tolist() == ["cell"]


def test_colours_are_categories(put):
    canvas = np.zeros((20, 30, 3), dtype=int)
    canvas[2:6, 2:6] = 255, 0, 0
    canvas[2:6, 8:12] = 0, 0, 255
    path = put("m/a.png", png(canvas, colours=2))
    dataset = read(path, categories={"#ff0000": "car", "#0000ff": "road"})
    names = dataset.category_names[dataset.table.category].tolist()
    assert dict(zip(names, dataset.table.xyxy.tolist(), strict=True)) == {
        "car": [2, 2, 6, 6],
        "road": [8, 2, 12, 6],
    }
    assert read(path, mask_object="#FF0000").table.xyxy.tolist() == [[2, 2, 6, 6]]


def test_another_canvas_is_listed_and_not_resized(put):
    put("a/x.png", png(disc()))
    put("b/x.png", png(disc(10, 15, top=2, left=2, high=3, wide=3)))
    folder = put("c/x.png", png(disc())).parent.parent
    dataset = read(folder)
    (issue,) = dataset.issues
    assert (issue.kind, issue.severity) == ("unlike_canvases", "kept")
    assert issue.source.endswith("b/x.png")
    assert issue.message.startswith("15 x 10 pixels here, 30 x 20 in most masks of the image")
    # Which of them is right only the gold can tell.
    assert (len(dataset), np.isnan(dataset.image_table.width).all()) == (3, True)
    assert dataset.table.shapes.canvas.tolist() == [[20, 30], [10, 15], [20, 30]]
    assert dataset.annotator_ids[dataset.assigned[:, 0]].tolist() == ["a", "b", "c"]
    given = read(folder, image_sizes=(15, 10))
    assert kinds(given) == {"canvas_mismatch": 2}


def test_damaged_files_are_listed(put):
    good = png(disc())
    put("m/a.png", good)
    put("m/b.png", good[:-20])
    put("m/c.png", good[:45] + bytes([good[45] ^ 1]) + good[46:])
    put("m/d.png", good[:8])
    rng = np.random.default_rng(0)
    put("m/e.png", png(rng.integers(0, 256, (200, 200))))
    put("m/f.png", png(rng.integers(0, 9, (4, 4, 3)), depth=16, colours=2))
    folder = put("m/g.png", png([[1]], size=(1 << 31, 1 << 31))).parent
    dataset = read(folder)
    assert len(dataset) == 1
    found = {i.image_id: i.message for i in dataset.issues}
    assert kinds(dataset) == {"unreadable_mask": 6}
    assert "cut off" in found["b"]
    assert "check sum" in found["c"]
    assert "cut off" in found["d"]
    assert "picture" in found["e"]
    assert "16 bits" in found["f"]
    assert "too large" in found["g"]
    assert len(dataset.assigned) == 1


def test_a_huge_header_is_refused_before_anything_is_allocated(put):
    path = put("a.png", png([[1]], size=(300_000, 300_000)))
    with pytest.raises(ReadError, match="too large") as caught:
        read(path)
    assert caught.value.found == "300000 x 300000 pixels, 83.8 GB"


def test_too_few_pixels_in_a_whole_file_are_noticed(put):
    path = put("a.png", png(disc(), size=(40, 30)))
    with pytest.raises(ReadError, match="cannot be read"):
        read(path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_gets_further_than_an_error(tmp_path_factory, data):
    good = png(disc(value=1), depth=1, colours=3, palette=[[0, 0, 0], [255, 0, 0]])
    body = bytearray(good)
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(8, len(body) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):  # as if the check sums had been mended
        at, out = 8, bytearray(body[:8])
        while at + 12 <= len(body):
            length = int.from_bytes(body[at : at + 4])
            out += chunk(bytes(body[at + 4 : at + 8]), bytes(body[at + 8 : at + 8 + length]))
            at += 12 + length
        body = out
    path = tmp_path_factory.mktemp("fuzz") / "a.png"
    path.write_bytes(bytes(body))
    try:
        dataset = read(path, format="masks")
    except AnnqcError:
        return
    assert dataset.n_rows == len(dataset) + dataset.n_dropped


def test_pictures_beside_annotations_are_left_alone(put):
    put("work/images/a.png", png(disc()))
    put("work/labels/a.txt", "0 0.5 0.5 0.2 0.2\n")
    dataset = read(put("work/classes.txt", "cat\n").parent)
    assert dataset.table.shapes is None
    assert not dataset.issues
    put("odd/a.png", png(disc()))
    with pytest.raises(ReadError, match="none of the 1 files") as caught:
        read(put("odd/b.json", '{"boxes": 1}').parent)
    assert caught.value.found == "a JSON object with the keys boxes"
    put("notes/a.png", png(disc()))
    noted = read(put("notes/SOURCE.txt", "from the clinic").parent)
    assert (len(noted), kinds(noted)) == (1, {"skipped_file": 1})


def test_options_are_checked():
    with pytest.raises(UnknownNameError, match="categorys"):
        mask_options(None, "categorys")
    for wrong in ("drak", "#ff00", -1, True, [], "1,,2", 1.5):
        with pytest.raises(ReadError, match="cannot be understood"):
            mask_options(wrong, None)
    assert mask_options("#0A0a0a", None).chosen == {10}


def test_bubil(shared_data):
    folder = shared_data / "bubil_masks" / "BU-BIL_Dataset4"
    with pytest.raises(ReadError, match="61 of 61 masks seem to be inverted"):
        read(folder / "GoldStandard")
    gold = read(folder / "GoldStandard", mask_object="dark")
    experts = read(folder / "ExpertsAnnotations", annotator="parent", mask_object="dark")
    assert (len(gold), len(experts), len(gold.issues) + len(experts.issues)) == (61, 183, 0)
    assert experts.annotator_ids.tolist() == ["Expert1", "Expert2", "Expert3"]
    assert set(gold.image_table.id) == set(experts.image_table.id)
    first = open_png(folder / "GoldStandard" / "seg_000092.png")
    np.testing.assert_array_equal(bitmap(gold, 0), first.samples == 0)
    crowd = [folder / name for name in ("GoldStandard", "CrowdsourcedAnnotations")]
    both = read(crowd, annotator="parent", mask_object="dark")
    assert kinds(both) == {"unlike_canvases": 61}
    assert len(both) == 8 * 61
