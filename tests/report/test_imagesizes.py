"""Sizes of images that the data do not say are read from the files of a folder."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import annqc
from annqc.report.imagesizes import with_sizes


@pytest.fixture
def side(tmp_path):
    """Five images of unknown size, of which three have files."""
    made = annqc.simulate({"ann": []}, n_images=5, rng=1)
    names = np.array(["a.png", "sub/b.jpg", "c.png", "../d.png", "none.png"], dtype=object)
    unknown = np.full(5, np.nan)
    images = replace(made.work.image_table, file_name=names, width=unknown, height=unknown)
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    for k, name in enumerate(("a.png", "sub/b.jpg", "c.png")):
        cv2.imwrite(str(folder / name), np.zeros((20 + k, 40 + k, 3), dtype=np.uint8))
    cv2.imwrite(str(tmp_path / "d.png"), np.zeros((9, 9, 3), dtype=np.uint8))
    return replace(made.work, image_table=images), folder


def test_sizes_are_those_of_the_files(side):
    data, folder = side
    images = with_sizes(data, folder).image_table
    assert images.width.tolist()[:3] == [40, 41, 42]
    assert images.height.tolist()[:3] == [20, 21, 22]
    assert np.isnan(images.width[3:]).all()  # out of the folder, and not there


def test_sizes_that_are_known_stay(side):
    data, folder = side
    width = data.image_table.width.copy()
    width[0] = 7.0
    height = np.array([9.0, *[np.nan] * 4])
    known = replace(data, image_table=replace(data.image_table, width=width, height=height))
    images = with_sizes(known, folder).image_table
    assert (images.width[0], images.height[0]) == (7, 9)
    assert images.width[1] == 41


def test_what_is_no_picture_has_no_size(side):
    data, folder = side
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert np.isnan(with_sizes(data, folder).image_table.width[0])


def test_images_without_a_file_name_are_found_by_id(side):
    data, folder = side
    ids = np.array(["a", "sub/b", "c", "x", "y"], dtype=object)
    named = replace(data, image_table=replace(data.image_table, id=ids, file_name=None))
    assert with_sizes(named, folder).image_table.width.tolist()[:3] == [40, 41, 42]
