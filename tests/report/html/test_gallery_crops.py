"""Crops show the pixels that they say, lie under the outlines, and never take too much room."""

from __future__ import annotations

import math
import re

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annqc.report.html import crops as module
from annqc.report.html.crops import Crop, Wanted, cut_crops, encode_crop, window_pixels
from annqc.report.html.imagefiles import NOT_FOUND, UnusableError
from annqc.report.html.shots import LONG, lay_out, outline, window_of
from annqc.shapes import Shapes

number = st.floats(-60, 90, allow_nan=False)
RNG = np.random.default_rng(7)
NOISE = RNG.integers(0, 256, (300, 400, 3), dtype=np.uint8)


class Pictures:
    """Images in memory; those that are not there are refused."""

    def __init__(self, **images):
        self.images = images
        self.opened = []

    def open(self, name, size):
        self.opened.append((name, size))
        if name not in self.images:
            raise UnusableError(NOT_FOUND)
        return self.images[name]


def wanted(k, window, *, image=0, urgency=None):
    return Wanted(
        key=str(k), image=image, window=np.array(window, dtype=float), urgency=(urgency or k,)
    )


@settings(max_examples=60)
@given(number, number, number, number, st.integers(1, 40), st.integers(1, 40))
def test_a_window_has_the_pixels_that_it_touches(a, b, c, d, width, height):
    x0, x1, y0, y1 = min(a, b), max(a, b), min(c, d), max(c, d)
    found = window_pixels(np.array([x0, y0, x1, y1]), width, height)
    touched = [
        (x, y)
        for x in range(width)
        for y in range(height)
        if x < x1 and x + 1 > x0 and y < y1 and y + 1 > y0
    ]
    if x0 == x1 or y0 == y1:  # a window of no size touches nothing
        assert touched == [] or found is not None
        return
    if found is None:
        assert touched == []
        return
    left, top, right, bottom = found
    assert touched == [(x, y) for x in range(left, right) for y in range(top, bottom)]


def test_a_crop_has_the_pixels_of_its_window():
    smooth = cv2.resize(RNG.integers(0, 256, (12, 16, 3), dtype=np.uint8), (400, 300))
    windows = [[10.2, 20.9, 90.5, 77.1], [-50, -9, 60, 40], [333, 222, 999, 444], [0, 0, 400, 300]]
    made = cut_crops(
        [wanted(k, one) for k, one in enumerate(windows)],
        Pictures(a=smooth),
        ["a"],
        np.array([[400.0, 300.0]]),
    )
    assert made.why == {}
    for k, (x0, y0, x1, y1) in enumerate(windows):
        crop = made.made[str(k)]
        rows = [y for y in range(300) if y + 1 > y0 and y < y1]
        columns = [x for x in range(400) if x + 1 > x0 and x < x1]
        expected = smooth[np.ix_(rows, columns)].astype(int)
        assert (crop.left, crop.top) == (columns[0], rows[0])
        assert (crop.right, crop.bottom) == (columns[-1] + 1, rows[-1] + 1)
        found = cv2.imdecode(np.frombuffer(made.files[crop.path], np.uint8), cv2.IMREAD_COLOR)
        assert found.shape == expected.shape
        assert np.abs(found.astype(int) - expected).mean() < 4


def test_every_image_is_opened_once_and_what_is_missing_is_counted():
    pictures = Pictures(a=NOISE, b=NOISE)
    several = [wanted(k, [5, 5, 50, 50], image=k % 3) for k in range(9)]
    several.append(wanted(9, [500, 5, 600, 50]))
    made = cut_crops(several, pictures, ["a", "b", "c"], np.full((3, 2), np.nan))
    assert [name for name, _ in pictures.opened] == ["a", "b", "c"]
    assert len(made.made) == len(made.files) == 6
    assert {reason: dict(names) for reason, names in made.images.items()} == {
        NOT_FOUND: {"c": 3},
        module.OUTSIDE: {"a": 1},
    }
    assert set(made.why) == {"2", "5", "8", "9"}


@pytest.mark.parametrize("n", [3, 150, 2_000])
def test_all_crops_together_stay_small_and_the_urgent_ones_are_there(monkeypatch, n):
    monkeypatch.setattr(module, "MOST_BYTES", 400_000)
    several = [wanted(k, [k % 7, 0, 250 + k % 5, 200], urgency=n - k) for k in range(n)]
    made = cut_crops(several, Pictures(a=NOISE), ["a"], np.full((1, 2), np.nan))
    assert sum(map(len, made.files.values())) <= 400_000
    fit = min(n, 400_000 // module.LEAST_BYTES)
    assert set(made.made) == {str(k) for k in range(n - fit, n)}
    assert len(made.made) + len(made.why) == n
    assert all(re.fullmatch(r"assets/crops/c\d+\.jpg", one) for one in made.files)


@settings(max_examples=30)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(900, 40_000))
def test_a_crop_takes_no_more_than_it_may(width, height, most):
    data = encode_crop(np.ascontiguousarray(NOISE[:height, :width]), most)
    if data is not None:
        assert len(data) <= most
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert max(found.shape[:2]) <= max(width, height)
    else:
        assert most < 2_500


@given(st.lists(st.tuples(number, number, number, number), min_size=1, max_size=4))
def test_a_window_holds_what_is_drawn_and_is_no_strip(corners):
    boxes = np.array([[min(a, b), min(c, d), max(a, b), max(c, d)] for a, b, c, d in corners])
    x0, y0, x1, y1 = window_of(boxes).tolist()
    assert x0 <= boxes[:, 0].min() - 5.9
    assert x1 >= boxes[:, 2].max() + 5.9
    assert y0 <= boxes[:, 1].min() - 5.9
    assert y1 >= boxes[:, 3].max() + 5.9
    assert max(x1 - x0, y1 - y0) <= 1.601 * min(x1 - x0, y1 - y0)


def points(path):
    return [
        [tuple(map(float, one.split(","))) for one in ring.split()]
        for ring in path.replace("M", "").rstrip("Z").split("Z")
    ]


def test_outlines_lie_where_the_pixels_are():
    window = np.array([90.0, 40.0, 220.0, 140.0])
    gold, drawn = np.array([100.0, 50, 200, 120]), np.array([104.0, 44, 210, 120])
    crop = Crop(path="assets/crops/c1.jpg", left=90, top=45, right=215, bottom=140)
    made = lay_out(
        window,
        outline(gold, None, 0),
        outline(drawn, None, 0),
        boxes=(gold, drawn),
        offsets=np.array([-4.0, 6.0, 10.0, math.nan]),
        crop=crop,
        size=(215.0, 200.0),
    )
    _, x, y, width, height = made.crop
    per_px = LONG / 130

    def in_pixels(point):
        """Where a point lies in the image, by the picture behind it alone."""
        across, down = (point[0] - x) / width, (point[1] - y) / height
        return (
            crop.left + across * (crop.right - crop.left),
            crop.top + down * (crop.bottom - crop.top),
        )

    for path, box in ((made.gold, gold), (made.drawn, drawn)):
        [ring] = points(path)
        found = np.array([in_pixels(one) for one in ring])
        x1, y1, x2, y2 = box
        expected = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
        np.testing.assert_allclose(found, expected, atol=0.06 / per_px)
    said = [one.text for one in made.labels]
    assert said == ["left \N{MINUS SIGN}4.0", "top +6.0", "right +10.0"]
    labels_are_beside(made, window)
    right = points(made.frame)[0][1][0]
    assert in_pixels((right, 0))[0] == pytest.approx(215, abs=0.06)


def labels_are_beside(made, window):
    """All of each label is in the drawing, and none of it on what the window shows."""
    scale = LONG / (window[2:] - window[:2]).max()
    shown = (window[2:] - window[:2]) * scale
    left, top = (made.width - shown[0]) / 2, (made.height - shown[1]) / 2
    for one in made.labels:
        wide = 7 * len(one.text)
        begin = one.x - wide * {"start": 0, "middle": 0.5, "end": 1}[one.anchor]
        assert -0.1 <= begin <= begin + wide <= made.width + 0.1
        assert 11 <= one.y <= made.height - 3
        beside = begin + wide <= left or begin >= left + shown[0]
        assert beside or one.y <= top - 3 or one.y - 11 >= top + shown[1]


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("shape", [(400.0, 60.0), (60.0, 400.0), (33.0, 30.0)])
def test_labels_lie_beside_the_picture_whole_and_with_their_words(shape, counted):
    gold = np.array([500.0, 300, 500 + shape[0], 300 + shape[1]])
    drawn = gold + np.array([441.2 - 410, 0, 5.0, 29])
    window = window_of(np.array([gold, drawn]))
    crop = Crop(path="c.jpg", left=0, top=0, right=2_000, bottom=1_000)
    offsets = np.array([-441.2, 1.0, 1_562.6, -11.0])
    made = lay_out(
        window,
        outline(gold, None, 0),
        outline(drawn, None, 0),
        boxes=(gold, drawn),
        offsets=offsets,
        counted=np.full(4, counted),
        crop=crop,
    )
    said = [one.text.strip("()").split()[0] for one in made.labels]
    assert said == ["left", "top", "right", "bottom"]
    assert all(one.text.startswith("(") != counted for one in made.labels)
    labels_are_beside(made, window)


def test_without_a_picture_edges_are_named():
    box = np.array([0.0, 0, 50, 40])
    offsets = np.array([1.0, -2.5, 0.0, 3.0])
    made = lay_out(window_of(box[None], tight=True), [], [], boxes=(box, box), offsets=offsets)
    said = [one.text for one in made.labels]
    assert said == ["left +1.0", "top \N{MINUS SIGN}2.5", "right 0.0", "bottom +3.0"]
    for one in made.labels:
        assert 0 < one.x < made.width
        assert 0 < one.y < made.height


def test_a_mask_is_traced_along_its_pixels():
    mask = np.zeros((30, 40), dtype=np.uint8)
    mask[5:20, 8:30] = 1
    mask[9:12, 15:18] = 0
    mask[25:28, 33:36] = 1
    flat = mask.T.ravel()
    cuts = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], cuts, [flat.size]]))
    shapes = Shapes.from_runs([runs], [[30, 40]])
    rings = outline(np.array([8.0, 5, 36, 28]), shapes, 0)
    assert len(rings) == 3
    area = 0.0
    for ring in rings:
        x, y = ring.T
        area += 0.5 * float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
    assert abs(area) == pytest.approx(mask.sum(), rel=0.05)
    every = np.concatenate(rings)
    np.testing.assert_allclose(every.min(axis=0), [8, 5], atol=0.1)
    np.testing.assert_allclose(every.max(axis=0), [36, 28], atol=0.1)


def test_a_point_has_a_drawing_too():
    box = np.array([7.0, 7, 7, 7])
    for tight in (True, False):
        made = lay_out(window_of(box[None], tight=tight), outline(box, None, 0), None)
        assert np.isfinite([made.width, made.height]).all()
        assert "nan" not in made.gold


@pytest.mark.parametrize("runs", [[1200], [0, 1200], [1199, 1], [0]])
def test_odd_masks_have_an_outline_too(runs):
    shapes = Shapes.from_runs([np.array(runs)], [[30, 40]])
    box = np.array([0.0, 0, 40, 30])
    rings = outline(box, shapes, 0)
    assert all(len(one) >= 3 for one in rings)
    assert lay_out(window_of(box[None]), rings, None).gold.startswith("M")


def test_long_outlines_are_simplified_and_stay_in_shape():
    turn = np.linspace(0, 2 * np.pi, 5_000, endpoint=False)
    ring = 100 + 50 * np.column_stack([np.cos(turn), np.sin(turn)])
    shapes = Shapes.from_rings([[ring]])
    window = np.array([40.0, 40, 160, 160])
    rings = outline(np.array([50.0, 50, 150, 150]), shapes, 0)
    crop = Crop(path="c1.jpg", left=40, top=40, right=160, bottom=160)
    made = lay_out(window, rings, None, crop=crop, most=60)
    [found] = points(made.gold)
    assert 12 <= len(found) <= 60
    scale = made.width / 120
    away = np.hypot(*(np.array(found) / scale + 40 - 100).T)
    np.testing.assert_allclose(away, 50, atol=1.0)
