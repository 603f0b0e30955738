"""Images are found by name, never outside of their folder, and shown only where they fit."""

from __future__ import annotations

import math
import os

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.errors import AnnqcError
from annqc.report.html import imagefiles
from annqc.report.html.imagefiles import ImageFolder, UnusableError
from annqc.report.html.imagehead import Head, head_of
from annqc.report.html.links import image_source, link_of, link_pattern
from tests.report.html.drawn_images import encoded, turned

ENDINGS = (".jpg", ".png", ".webp", ".bmp", ".tiff")
UNKNOWN = (math.nan, math.nan)
PIXELS = np.arange(7 * 9 * 3, dtype=np.uint8).reshape(7, 9, 3)


@pytest.fixture
def images(tmp_path):
    """A folder of images beside a secret one."""
    root = tmp_path / "images"
    for name in ("a.jpg", "cam1/b.jpg", "cam1/c.jpg", "cam2/c.jpg", "deep/er/d.png", "7.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(root / name), PIXELS)
    assert cv2.imwrite(str(tmp_path / "secret.jpg"), PIXELS)
    assert cv2.imwrite(str(tmp_path / "secret.png"), PIXELS)
    return root


def look_in(root, names=()):
    return ImageFolder(root, names, spared=root.parent / "report")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a.jpg", "a.jpg"),
        ("cam1/c.jpg", "cam1/c.jpg"),
        (r"cam2\c.jpg", "cam2/c.jpg"),
        ("b.jpg", "cam1/b.jpg"),
        ("/mnt/data/cam1/c.jpg", "cam1/c.jpg"),
        (r"D:\photos\cam2\c.jpg", "cam2/c.jpg"),
        ("images/a.jpg", "a.jpg"),
        ("./er/d.png", "deep/er/d.png"),
        ("d", "deep/er/d.png"),
        ("7", "7.png"),
    ],
)
def test_a_file_is_found_by_name_and_path(images, name, file):
    assert look_in(images, [name]).find(name) == (images / file).resolve()


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.jpg", "cam1/../../secret.jpg", r"..\secret.jpg", "..", "."),
        *("", "/", "secret.jpg", "secret", "a.jpg\0", "cam1", "cam1/", "a.jpg/x", "no.jpg"),
        *(
            "/etc/passwd",
            "/etc/../etc/passwd",
            "C:..",
            "a" * 5_000,
            "x\n.jpg",
            "\udce9.jpg",
            "\ud800",
        ),
    ],
)
def test_no_name_leads_out_of_the_folder(images, name):
    with pytest.raises(UnusableError):
        look_in(images, [name]).find(name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and pipes")
def test_links_out_of_the_folder_are_not_followed(images, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    assert cv2.imwrite(str(outside / "o.jpg"), PIXELS)
    (images / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (images / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    (images / "way").symlink_to(outside)
    (images / "within.jpg").symlink_to(images / "a.jpg")
    os.mkfifo(images / "pipe.jpg")
    folder = look_in(images)
    for name in ("out.jpg", "gone.jpg", "way/o.jpg", "o.jpg", "pipe.jpg", "out"):
        with pytest.raises(UnusableError):
            folder.find(name)
    assert folder.find("within.jpg") == (images / "a.jpg").resolve()


def test_what_might_be_another_image_is_not_shown(images):
    for name in ("c.jpg", "cam3/c.jpg"):
        with pytest.raises(UnusableError, match="several"):
            look_in(images, [name]).find(name)
    # b.jpg is there once, but the data have two of that name: which of them is it?
    names = ["cam1/b.jpg", "cam2/b.jpg"]
    assert look_in(images, names).find(names[0]).name == "b.jpg"
    with pytest.raises(UnusableError, match="several"):
        look_in(images, names).find(names[1])


def test_frames_of_videos_are_found_by_their_number(images):
    for name in ("film/img1/000007.jpg", "film/img1/000012.jpg", "other/img1/000012.jpg"):
        (images / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(images / name), PIXELS)
    names = ["film/7", "film/12", "other/12", "third/12", "film/99", "other/7"]
    folder = look_in(images, names)
    found = [folder.find(one).relative_to(images.resolve()).as_posix() for one in names[1:3]]
    assert found == ["film/img1/000012.jpg", "other/img1/000012.jpg"]
    for name in ("third/12", "film/99", "other/7", "12", "9" * 5_000):
        with pytest.raises(UnusableError):
            folder.find(name)
    assert folder.find("film/7").name == "000007.jpg"
    inside = look_in(images / "film" / "img1", ["film/12"])
    assert inside.find("film/12").name == "000012.jpg"


def test_a_report_among_the_images_is_not_searched(images):
    crop = images / "report" / "assets" / "crops" / "c1.jpg"
    crop.parent.mkdir(parents=True)
    crop.write_bytes(encoded(".jpg", PIXELS))
    assert look_in(images).find("c1.jpg") == crop.resolve()
    with pytest.raises(UnusableError, match="not found"):
        ImageFolder(images, [], spared=images / "report").find("c1.jpg")


def refused(images, data, size=UNKNOWN):
    (images / "x.jpg").write_bytes(data)
    with pytest.raises(UnusableError) as caught:
        look_in(images).open("x.jpg", size)
    return str(caught.value)


@pytest.mark.parametrize("ending", ENDINGS)
def test_pixels_are_those_of_the_file(images, ending):
    (images / f"x{ending}").write_bytes(encoded(ending, PIXELS))
    found = look_in(images).open(f"x{ending}", (9.0, 7.0))
    np.testing.assert_array_equal(
        found, cv2.imdecode(np.frombuffer(encoded(ending, PIXELS), np.uint8), 1)
    )


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_turned_image_is_refused(images, ending, order):
    assert head_of(turned(ending, PIXELS, 6, order)) == Head(9, 7, 6)
    assert refused(images, turned(ending, PIXELS, 6, order)).startswith("turned")
    (images / "x.jpg").write_bytes(turned(ending, PIXELS, 1, order))
    assert look_in(images).open("x.jpg", UNKNOWN).shape == (7, 9, 3)


@pytest.mark.parametrize("turn", [0, 9, 255])
def test_a_turn_that_makes_no_sense_is_none(images, turn):
    (images / "x.jpg").write_bytes(turned(".jpg", PIXELS, turn))
    assert look_in(images).open("x.jpg", UNKNOWN).shape == (7, 9, 3)


def test_an_image_of_another_size_is_refused(images):
    data = encoded(".png", PIXELS)
    for size in ((7.0, 9.0), (9.0, 8.0), (18.0, 14.0), (math.nan, 9.0)):
        assert "another size" in refused(images, data, size)


def test_what_is_no_whole_picture_is_refused(images, monkeypatch):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for ending in (".jpg", ".png", ".webp"):
        data = encoded(ending, noise)
        refused(images, data[: len(data) // 2])
    for data in (b"", b"GIF89a", b"<svg onload=alert(1)>", b"\xff\xd8\xff\xd9"):
        assert "no whole" in refused(images, data)
    monkeypatch.setattr(imagefiles, "MOST_PIXELS", 62)
    assert "million pixels" in refused(images, encoded(".png", PIXELS))
    monkeypatch.setattr(imagefiles, "MOST_BYTES", 10)
    assert "MB" in refused(images, encoded(".png", PIXELS))


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=20)
@given(width=st.integers(1, 70), height=st.integers(1, 70))
def test_size_is_read_before_anything_is_decoded(ending, width, height):
    pixels = np.full((height, width, 3), 99, dtype=np.uint8)
    assert head_of(encoded(ending, pixels)) == Head(width, height)
    lossless = cv2.imencode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, 101])[1]
    assert head_of(bytes(lossless)) == Head(width, height)


def test_damaged_heads_raise_nothing():
    rng = np.random.default_rng(1)
    for ending in (*ENDINGS, "exif"):
        data = turned(".jpg", PIXELS, 6) if ending == "exif" else encoded(ending, PIXELS)
        for cut in range(min(len(data), 400)):
            head_of(data[:cut])
        for _ in range(300):
            spoilt = bytearray(data)
            for at in rng.integers(0, min(len(data), 200), 3):
                spoilt[at] = rng.integers(0, 256)
            head_of(bytes(spoilt))


@pytest.mark.parametrize(
    "given",
    [
        *(
            "javascript:alert(1)//{file_name}",
            "JavaScript:{file_name}",
            "data:text/html,{file_name}",
        ),
        *("file:///etc/{file_name}", "//evil.example/{file_name}", "https://{file_name}/x"),
        *("vbscript:{image_id}", "https://img.example/", "{annotation_id}.jpg", "{who}.jpg"),
        *("nowhere", "", "a\0b", b"bytes", 3, "ht\ttps://x/{file_name}"),
    ],
)
def test_what_is_no_folder_and_no_pattern_is_refused(given):
    with pytest.raises(AnnqcError) as caught:
        image_source(given)
    assert "images" in str(caught.value) or "url" in str(caught.value)


def test_patterns_and_folders_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    assert image_source("photos").is_dir()
    assert image_source(None) is None
    row = {"file_name": "../x.jpg", "image_id": "a b"}
    assert link_of(image_source("https://i.example/{file_name}"), row, "../") is None
    assert link_of(image_source("pics/{image_id}.jpg"), row, "../") == "../pics/a%20b.jpg"
    assert link_of(link_pattern("/t/{image_id}"), row, "../") == "/t/a%20b"
    assert link_of(image_source("https://i/{image_id}"), {"image_id": "\ud800"}, "") is None
    row = {"file_name": "javascript:alert(1)"}
    assert link_of(image_source("{file_name}"), row, "../") == "../javascript%3Aalert%281%29"
    with pytest.raises(AnnqcError):
        link_pattern("javascript:alert({image_id})")
